/** Whether a component's repository keeps the contract: every item, kept or not, and how to mend what is not. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type CheckedBuild, readBuild } from '../lib/artifact/build.ts';
import { requireName } from '../lib/artifact/packaging.ts';
import { requirePublishable } from '../lib/artifact/template-check.ts';
import type { TemplateNeeds } from '../lib/plan/bake-requests.ts';
import { lastLines, type Run, run as runProgram } from '../lib/program.ts';
import { type Component, FactoryError } from '../lib/registry/index.ts';
import { withCopy } from './checkout.ts';
import { CONTRACT_TARGETS } from './contract.ts';
import type { Numbers } from './github/numbers.ts';
import { NUMBERED_SINCE } from './github/subjects.ts';
import { NOT_FOR_MAKE, readTargets } from './makefile.ts';

export interface Item {
  readonly what: string;
  readonly kept: boolean;
  /** What was found. */
  readonly found: string;
  /** How to mend it; only where it is not kept. */
  readonly fix?: string;
}

export interface CheckOptions {
  readonly component: string;
  /** The component's entry in the registry, where there is one. */
  readonly entry: Component | undefined;
  /** What the registry asks of its template, where it has an entry. @default - what every component's must be */
  readonly needs?: TemplateNeeds | undefined;
  /** What GitHub says of its repository. @default - it is not on GitHub, or GitHub Actions doesn't deliver it */
  readonly numbers?: Numbers | undefined;
  /** Runs `make pipeline-build` in a copy, and looks at what it leaves. */
  readonly build: boolean;
  /** Folder of the factory, for builds. */
  readonly factory: string;
}

const kept = (what: string, found: string): Item => ({ what, kept: true, found });
const broken = (what: string, found: string, fix: string): Item => ({ what, kept: false, found, fix });

/** Such a version is nobody's own: a build that leaves another has not heard what it was told. */
const VERSION = '0.0.0-check';

/** Builds take long, and may not take for ever. */
const BUILDS_WITHIN = 15 * 60_000;

/** All items of the contract, for the component in `folder`. Throws only for what is no fault of the component. */
export async function checkContract(folder: string, options: CheckOptions, run: Run = runProgram): Promise<Item[]> {
  const there = await stat(folder).then(
    (state) => state.isDirectory(),
    () => false,
  );
  if (!there) return [broken('folder', `${folder} is no folder`, 'pass the folder of the component, or the address of its repository')];
  const environment = { COMPONENT: options.component, COMPONENT_VERSION: VERSION, COMMIT: '', CELL_FACTORY: options.factory };
  return [
    nameItem(options.component),
    await repositoryItem(folder, run),
    kindItem(options),
    ...(options.numbers ? [numbersItem(options.numbers, options.entry)] : []),
    ...(await makefileItems(folder, run, environment)),
    ...(options.build ? await withCopy(folder, (copy) => buildItems(copy, options, run, environment)) : []),
  ];
}

function nameItem(component: string): Item {
  try {
    return kept('component', requireName(component));
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    return broken('component', error.message, 'pass its name with --component');
  }
}

async function repositoryItem(folder: string, run: Run): Promise<Item> {
  const { code, stdout } = await run('git', ['-C', folder, 'rev-parse', '--short', 'HEAD'], { timeout: 10_000 });
  return kept('repository', code === 0 ? `git, at ${stdout.trim()}` : 'a folder outside of git');
}

function kindItem({ component, entry }: CheckOptions): Item {
  return kept('kind', entry ? `${entry.kind}, as the registry says` : `the registry has no component ${component} yet`);
}

/** Whether roles in tooling trust the tokens that GitHub makes for the repository. */
function numbersItem(numbers: Numbers, entry: Component | undefined): Item {
  const what = "GitHub's tokens";
  if ('unknown' in numbers) return kept(what, `not looked at: ${numbers.unknown}`);
  const { ownerId, repositoryId, createdAt } = numbers;
  const known = entry?.repository.github;
  const wanted = `repository: { …, github: { ownerId: ${ownerId}, repositoryId: ${repositoryId} } }`;
  if (known?.ownerId === ownerId && known.repositoryId === repositoryId) return kept(what, 'carry the numbers that the registry has');
  if (known) {
    const found = `carry owner ${ownerId} and repository ${repositoryId}; the registry has ${known.ownerId} and ${known.repositoryId}`;
    return broken(what, found, `if it is still the repository that you mean, write ${wanted}`);
  }
  const made = createdAt.slice(0, 10);
  if (made >= NUMBERED_SINCE) {
    return broken(what, `carry numbers, because it was made on ${made}; the registry has none`, `write ${wanted} in its registry entry`);
  }
  return kept(
    what,
    `carry names, unless it was renamed or moved since ${NUMBERED_SINCE}; then write ${wanted}, and alsoByName: true on the way`,
  );
}

async function makefileItems(folder: string, run: Run, environment: Readonly<Record<string, string>>): Promise<Item[]> {
  const there = await stat(join(folder, 'Makefile')).then(
    (state) => state.isFile(),
    () => false,
  );
  const targets = there ? await readTargets(folder, run, environment) : new Map<string, { readonly recipe: boolean }>();
  if (typeof targets === 'string') return [broken('Makefile', `make can't read it: ${targets}`, 'mend the line that make names')];
  const file = there
    ? kept('Makefile', 'make reads it')
    : broken('Makefile', 'there is none', '`cellctl component new` writes one to start from');
  return [
    file,
    ...CONTRACT_TARGETS.map(({ name, does, optional }) => {
      const target = targets.get(name);
      if (target?.recipe) return kept(name, 'has a recipe');
      const found = target ? 'has no recipe' : 'is missing';
      return broken(name, found, `write it: it ${does}${optional ? '; where there is nothing to do, `@:` is its recipe' : ''}`);
    }),
  ];
}

/** What to do about a build that is another than it was told to be. */
const TOLD: Readonly<Record<string, string>> = {
  component: 'pass "$$COMPONENT" on to cellctl component package; if the name is wrong here: --component',
  version: 'pass --release "$$COMPONENT_VERSION" on to cellctl component package',
  kind: 'package what the registry says, or correct `kind` in its entry',
};

/** What `make pipeline-build` leaves in `folder`. */
async function buildItems(folder: string, options: CheckOptions, run: Run, environment: Readonly<Record<string, string>>): Promise<Item[]> {
  const { component, entry } = options;
  const ended = await run('make', ['pipeline-build'], { folder, environment, without: NOT_FOR_MAKE, timeout: BUILDS_WITHIN });
  if (ended.code !== 0)
    return [broken('build', `make pipeline-build failed (${ended.code}): ${lastLines(ended, 5)}`, 'run it in a fresh clone')];
  const built = kept('build', 'make pipeline-build succeeds');
  try {
    const checked = await readBuild(join(folder, 'dist'), { component, kind: entry?.kind, version: VERSION });
    requirePublishableSoon(checked, options.needs);
    return [built, kept('dist', summary(checked))];
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    // The copy's path means nothing to anybody.
    const said = error.message.replaceAll(`${folder}/`, '');
    if (error.problems.length === 0) return [built, broken('dist', said, error.fix ?? '')];
    return [built, ...error.problems.map(({ path, message, fix }) => broken(`dist: ${path}`, message, TOLD[path] ?? fix))];
  }
}

/** Whether the template can go to every cell, whatever its images and the parameters that publishing gives it will be. */
function requirePublishableSoon({ build, files }: CheckedBuild, needs: TemplateNeeds | undefined): void {
  if (build.kind !== 'cloudformation') return;
  const { Parameters = {} } = templateSchema.catch({}).parse(jsonOf(files.get(build.template) ?? ''));
  const later = Object.entries(Parameters).filter(([name, { Default }]) => Default === undefined && !KNOWN.has(name));
  const images = Object.fromEntries(Object.keys(build.images).map((name) => [name, `${build.component}:${build.version}`]));
  const parameters = Object.fromEntries(later.filter(([name]) => !Object.hasOwn(images, name)).map(([name]) => [name, '']));
  requirePublishable({ ...build, files, images, parameters: { ...parameters, ...build.parameters } }, needs);
}

/** Parameters of `CellService`: their values come from the build and the registry, and from nobody else. */
const KNOWN = new Set(['ImageUri', 'Version', 'ListenerPriority']);

const templateSchema = z.looseObject({ Parameters: z.record(z.string(), z.looseObject({ Default: z.unknown().optional() })).optional() });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the check itself.
    return undefined;
  }
}

function summary({ build }: CheckedBuild): string {
  const images = Object.entries(build.images).map(([name, { status }]) => `${name} ${status}`);
  return `component.json, and ${Object.keys(build.files).join(', ')} as it says; ${images.join(', ') || 'no image'}`;
}
