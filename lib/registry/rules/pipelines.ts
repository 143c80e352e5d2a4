/** Rules about how commits reach the cells: repositories, branches, waves as stages, and components' own steps. */
import type { Component, Hook } from '../model.ts';
import { type Rule, type RuleFinding, repeated } from './subject.ts';

/** What a pipeline has before its first wave; each is a stage. */
export const FIRST_STAGES = ['source', 'build', 'publish'] as const;
/** The step that pins a rollout. */
export const START = 'start';
/** The step before a wave that needs an approval. */
export const approvalOf = (wave: string): string => `approve-${wave}`;
/** Name of wave 0. */
export const STAGING = 'staging';
/** Stages of a pipeline at most. Source: "Quotas in AWS CodePipeline", AWS CodePipeline User Guide. */
export const MOST_STAGES = 50;

/** Addresses that git, both engines and a shell take for nothing else: no spaces, quotes, or anything that is expanded. */
const REPOSITORY = /^(https:\/\/|ssh:\/\/git@|git@|file:\/\/\/)[A-Za-z0-9][A-Za-z0-9._:/~-]*$|^file:\/\/\/[A-Za-z0-9._/~-]+$/;
const ON_GITHUB = /^(https:\/\/|ssh:\/\/git@|git@)github\.com[/:][^/]+\/[^/]+\/?$/;
/** A part of what git takes for a branch (git-check-ref-format), and a shell for one word. */
const BRANCH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;
const FOLDER = /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/;
const GLOB = /^[A-Za-z0-9_.*-]+(\/[A-Za-z0-9_.*-]+)*$/;

const isBranch = (name: string) => BRANCH.test(name) && !name.includes('..') && !/(\.lock|\.)(\/|$)/.test(name);
/** Neither leads out, nor says the same place in two ways: triggers compare letters. */
const isInside = (path: string) => path === '.' || !path.split('/').some((part) => part === '..' || part === '.');

/** The repository, however its address is written, and the folder in it. */
const placeOf = ({ repository: { url, path } }: Component): string =>
  `${url
    .replace(/^(https:\/\/|ssh:\/\/git@|git@)/, '')
    .replace(':', '/')
    .replace(/(\.git)?\/*$/, '')
    .toLowerCase()} ${path.replace(/\/+$/, '')}`;

/** Both, or neither, of two of which a hook has one. */
function* oneOf(
  path: string,
  hook: Hook,
  fields: readonly ['after' | 'run', 'before' | 'approval'],
  meaning: string,
): Generator<RuleFinding> {
  const [first, second] = fields;
  const given = fields.filter((field) => hook[field] !== undefined);
  if (given.length === 1) return;
  yield { path, message: given.length === 0 ? `says neither ${first} nor ${second}` : `says ${first} and ${second}`, fix: meaning };
}

/** What is wrong with a component's own steps. */
function* hookProblems(component: Component, key: string, waves: readonly string[]): Generator<RuleFinding> {
  const places = { after: ['build', 'publish', STAGING, ...waves], before: ['publish', STAGING, ...waves] };
  for (const [index, hook] of component.pipeline.hooks.entries()) {
    const path = `components.${key}.pipeline.hooks.${index}`;
    yield* oneOf(path, hook, ['after', 'before'], 'say where it stands: after one step, or before one');
    yield* oneOf(path, hook, ['run', 'approval'], 'say what it is: run with a target of the Makefile, or approval: true');
    for (const side of ['after', 'before'] as const) {
      const place = hook[side];
      if (place === undefined || places[side].includes(place)) continue;
      yield { path: `${path}.${side}`, message: `"${place}" is no step of the pipeline`, fix: `use one of ${places[side].join(', ')}` };
    }
  }
}

export const PIPELINE_RULES: readonly Rule[] = [
  {
    code: 'REPOSITORY_INVALID',
    description: 'a repository has an address of https, ssh or a file, a branch that git takes, and paths inside it',
    *check({ components }) {
      for (const [key, { repository, pipeline }] of components) {
        const { url, branch, path } = repository;
        const at = (field: string) => `components.${key}.${field}`;
        if (!REPOSITORY.test(url)) {
          const fix = 'use https://host/owner/name, ssh://git@host/owner/name, git@host:owner/name or file:///folder';
          yield { path: at('repository.url'), message: `"${url}" is no address of a repository`, fix };
        }
        if (!isBranch(branch)) {
          const fix = 'use letters, digits and . _ - /, as in main or release/2026';
          yield { path: at('repository.branch'), message: `"${branch}" is no branch`, fix };
        }
        if (!FOLDER.test(path) || !isInside(path)) {
          yield {
            path: at('repository.path'),
            message: `"${path}" is no folder in the repository`,
            fix: 'use a path such as services/orders, or .',
          };
        }
        for (const [index, glob] of pipeline.paths.entries()) {
          if (GLOB.test(glob) && isInside(glob)) continue;
          const fix = 'use paths in the repository with * and **, such as services/orders/**';
          yield { path: at(`pipeline.paths.${index}`), message: `"${glob}" is no path in the repository`, fix };
        }
      }
    },
  },
  {
    code: 'REPOSITORY_ELSEWHERE',
    description:
      'a component that GitHub Actions delivers has its repository on GitHub, which runs workflows of no other; and only such a repository has GitHub’s numbers',
    *check({ components, settings }) {
      for (const [key, { repository, pipeline }] of components) {
        if (repository.github && !ON_GITHUB.test(repository.url)) {
          yield {
            path: `components.${key}.repository.github`,
            message: `"${repository.url}" is not on GitHub, and has no numbers there`,
            fix: 'remove github, or correct the address',
          };
        }
        if ((pipeline.engine ?? settings?.pipelines.engine) !== 'github-actions' || ON_GITHUB.test(repository.url)) continue;
        yield {
          path: `components.${key}.repository.url`,
          message: `"${repository.url}" is not on GitHub, and engine is github-actions`,
          fix: "use https://github.com/owner/name, or pipeline: { engine: 'codepipeline' }",
        };
      }
    },
  },
  {
    code: 'REPOSITORY_SHARED',
    description: 'no two components are in the same folder of the same repository: one commit would be two versions of it',
    *check({ components }) {
      for (const [first, later] of repeated(components, ([, component]) => placeOf(component))) {
        yield {
          path: `components.${later[0]}.repository.path`,
          message: `"${later[1].repository.path}" of ${later[1].repository.url} is also where ${first[0]} is`,
          fix: 'give each component a folder of its own',
        };
      }
    },
  },
  {
    code: 'HOOK_INVALID',
    description:
      'a step of a component’s own stands after or before one step that there is, and either runs a target or asks for an approval',
    *check({ components, settings }) {
      const waves = settings?.rollout.waves.map(({ name }) => name) ?? [];
      for (const [key, component] of components) yield* hookProblems(component, key, waves);
    },
  },
  {
    code: 'HOOK_DUPLICATE',
    description: 'every step of a pipeline has a name of its own',
    *check({ components, settings }) {
      const waves = settings?.rollout.waves.map(({ name }) => name) ?? [];
      const taken = [...FIRST_STAGES, START, STAGING, ...waves, ...waves.map(approvalOf)];
      for (const [key, { pipeline }] of components) {
        const names = [...taken.map((name) => ({ name, index: -1 })), ...pipeline.hooks.map(({ name }, index) => ({ name, index }))];
        for (const [, { name, index }] of repeated(names, (each) => each.name)) {
          if (index < 0) continue;
          yield {
            path: `components.${key}.pipeline.hooks.${index}.name`,
            message: `"${name}" is another step of the pipeline`,
            fix: 'choose another name',
          };
        }
      }
    },
  },
  {
    code: 'WAVE_RESERVED',
    description: 'no wave has the name of a step that every pipeline has',
    *check({ settings }) {
      for (const [index, { name }] of (settings?.rollout.waves ?? []).entries()) {
        if (![...FIRST_STAGES, START].some((reserved) => reserved === name)) continue;
        yield { path: `rollout.waves.${index}.name`, message: `"${name}" is a step of every pipeline`, fix: 'choose another name' };
      }
    },
  },
  {
    code: 'WAVES_TOO_MANY',
    description: `with its waves, a pipeline has ${MOST_STAGES} stages at most`,
    *check({ settings }) {
      if (!settings) return;
      const stages = FIRST_STAGES.length + 1 + settings.rollout.waves.length;
      if (stages <= MOST_STAGES) return;
      yield {
        path: 'rollout.waves',
        message: `${settings.rollout.waves.length} waves make pipelines of ${stages} stages`,
        fix: `use at most ${MOST_STAGES - FIRST_STAGES.length - 1} waves: a wave takes any number of cells`,
      };
    },
  },
];
