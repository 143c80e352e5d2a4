/** Whether what was built can go to every cell as it is: the same bytes, whichever the cell. Pure. */

import { holderOf } from '../plan/hidden-resources.ts';
import { checkTemplate, TEMPLATE_LIMITS } from '../plan/template-limits.ts';
import { FactoryError, type Problem } from '../registry/index.ts';
import { REGION_ZONES } from '../registry/regions.ts';
import { type ArtifactContent, assetFile, assetsIn, madeFor, stackParameters, templateFor } from './artifacts.ts';

/** A template, as far as it is looked at. */
interface ComponentTemplate {
  readonly Resources?: object;
  readonly Outputs?: object;
  readonly Transform?: unknown;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown; readonly Type?: unknown }>>;
}

/** What is published, before it is. */
export type Unpublished = Omit<ArtifactContent, 'files'> & {
  /** Texts by name. */
  readonly files: ReadonlyMap<string, string>;
};

/** Parameters whose values come from the component's registry entry. */
const FROM_REGISTRY = { ListenerPriority: '' } as const;

/** Parameters of the cell that the role of rollouts may read. */
const CELL = '/cell/';

/** What is for people to read: a number there is a cost centre, a name a remark. */
const REMARK = /(^|\.)(Tags(\.|$)|Description$|Metadata(\.|$))/;

const REGION = new RegExp(`(?<![a-z0-9])(${Object.keys(REGION_ZONES).join('|')})(?![0-9])`);

/** What ties a template to one place. */
const TIES: readonly { readonly what: string; readonly pattern: RegExp; readonly fix: string }[] = [
  {
    what: 'an asset of the CDK',
    pattern: /cdk-[a-z0-9]+-(container-)?assets-/,
    fix: 'take the image as a parameter, and put code into it',
  },
  { what: 'an account', pattern: /(?<![0-9A-Za-z])\d{12}(?![0-9A-Za-z])/, fix: 'refer to AWS::AccountId, or read it from /cell/…' },
  { what: 'a region', pattern: REGION, fix: 'refer to AWS::Region' },
  { what: 'a partition', pattern: /(?<![a-z])arn:[a-z]/, fix: 'refer to AWS::Partition' },
];

function* textsIn(value: unknown, path: string): Generator<{ path: string; text: string }> {
  if (typeof value === 'string' || typeof value === 'number') yield { path, text: String(value) };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) yield* textsIn(each, path === '' ? key : `${path}.${key}`);
}

/** Places that the template names. Mappings and conditions may: they say what holds where, and lead nowhere. */
function* tiesOf({ Resources, Outputs, Parameters }: ComponentTemplate): Generator<Problem> {
  for (const { path, text } of textsIn({ Resources, Outputs, Parameters }, '')) {
    if (REMARK.test(path)) continue;
    const tie = TIES.find(({ pattern }) => pattern.test(text));
    if (tie) yield { code: 'ARTIFACT_INVALID', path, message: `names ${tie.what}: ${text}`, fix: tie.fix };
  }
}

/** What hides resources from the check before a rollout changes a stack: it would not see what they lose. */
function* hiders({ Resources = {}, Transform, ...rest }: ComponentTemplate): Generator<Problem> {
  const problem = (path: string, message: string, fix: string): Problem => ({ code: 'ARTIFACT_INVALID', path, message, fix });
  for (const [logicalId, resource] of Object.entries(Resources)) {
    const { Type: type } = (resource ?? {}) as { readonly Type?: unknown };
    const holder = holderOf(String(type));
    if (holder === undefined) continue;
    const message = `${logicalId} (${type}) is ${holder}: what a change does to its resources can't be seen before it happens`;
    yield problem(`Resources.${logicalId}`, message, 'declare its resources in the template itself, or split the component');
  }
  const macro = (path: string, what: unknown) =>
    problem(
      path,
      `runs the macro ${JSON.stringify(what)}, so that what is deployed isn't what was published`,
      'publish the template that the macro makes',
    );
  if (Transform !== undefined) yield macro('Transform', Transform);
  for (const [path, what] of macrosIn({ Resources, ...rest }, '')) yield macro(path, what);
}

function* macrosIn(value: unknown, path: string): Generator<readonly [path: string, what: unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    if (key === 'Fn::Transform') yield [at, each?.Name ?? each];
    else yield* macrosIn(each, at);
  }
}

/** Most bytes of a template that CloudFormation reads from S3. */
const MOST_BYTES = TEMPLATE_LIMITS.find(({ what }) => what === 'bytes')?.limit ?? 0;

function* excesses(template: ComponentTemplate, text: string): Generator<Problem> {
  const bytes = { what: 'bytes', used: Buffer.byteLength(text), limit: MOST_BYTES };
  const counted = checkTemplate(template, 1).filter(({ what }) => what !== 'bytes');
  for (const { what, used, limit } of [bytes, ...counted]) {
    if (used <= limit) continue;
    const message = `the template has ${used.toLocaleString('en')} ${what}; CloudFormation takes ${limit.toLocaleString('en')}`;
    yield { code: 'ARTIFACT_INVALID', path: what, message, fix: 'split the component' };
  }
}

/** Values that the template doesn't take, or lacks: CloudFormation would refuse both, in each cell anew. */
function* mismatches(content: Unpublished, template: ComponentTemplate): Generator<Problem> {
  const { Parameters: taken = {} } = template;
  const problem = (name: string, message: string, fix: string): Problem => ({
    code: 'ARTIFACT_INVALID',
    path: `Parameters.${name}`,
    message,
    fix,
  });
  for (const name of [...Object.keys(content.parameters), ...Object.keys(content.images)]) {
    if (['Version', ...Object.keys(FROM_REGISTRY)].includes(name)) {
      yield problem(name, `${name} is not the build's to say`, 'leave it out: it comes from the version, or from the registry');
    } else if (!Object.hasOwn(taken, name)) {
      yield problem(name, `the template has no parameter ${name}`, `it takes ${Object.keys(taken).join(', ') || 'none'}`);
    } else if (String(taken[name]?.Type).startsWith('AWS::SSM::')) {
      yield problem(name, `${name} is read from the cell`, 'leave it out: the cell says what it is');
    }
  }
  const given = stackParameters(content, template, '', FROM_REGISTRY);
  for (const [name, { Default, Type }] of Object.entries(taken)) {
    if (String(Type).startsWith('AWS::SSM::') && !String(Default).startsWith(CELL)) {
      const fix = `read what is below ${CELL}; of the CDK's own, set generateBootstrapVersionRule: false`;
      yield problem(name, `reads ${Default} of the cell, which rollouts may not`, fix);
    }
    if (Default !== undefined || given[name] !== undefined) continue;
    yield problem(
      name,
      `nothing says what ${name} is`,
      name === 'ImageUri' ? 'pass --image' : `pass --parameter ${name}=…, or give it a default`,
    );
  }
}

function* imageProblems({ images }: Unpublished): Generator<Problem> {
  for (const [name, uri] of Object.entries(images)) {
    const region = /\.dkr\.ecr\./.test(uri) ? REGION.exec(uri)?.[1] : undefined;
    if (region === undefined) continue;
    const message = `${uri} is pulled from ${region} by every cell, wherever it is`;
    yield { code: 'ARTIFACT_INVALID', path: `images.${name}`, message, fix: `write {region} instead of ${region}` };
  }
}

/** Versions are part of keys. */
export const VERSION = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
export const VERSION_RULE = 'up to 64 letters, digits, dots, dashes and underscores, beginning with no dot: 1.4.2';

/** @throws FactoryError `ARTIFACT_INVALID` */
export function requireVersion(version: string): void {
  if (!VERSION.test(version)) throw new FactoryError('ARTIFACT_INVALID', `"${version}" is no version`, { fix: VERSION_RULE });
}

/** What is wrong with the template of a component, which goes to every cell as it is. */
const sharedProblems = (content: Unpublished, template: ComponentTemplate, text: string): Problem[] => [
  ...excesses(template, text),
  ...hiders(template),
  ...tiesOf(template),
  ...mismatches(content, template),
  ...imageProblems(content),
];

/** What is wrong with the template of one cell's own stack. It names its account and its region: it goes nowhere else. */
function* ownProblems(name: string, { files }: Unpublished): Generator<Problem> {
  const text = files.get(name) ?? '';
  const template = parsed(name, text);
  for (const problem of [...excesses(template, text), ...hiders(template)]) yield { ...problem, path: `${name}: ${problem.path}` };
  for (const key of assetsIn(text)) {
    if (files.has(assetFile(key))) continue;
    const fix = 'package it again: `cellctl component package … --foundations` takes along what the CDK puts beside a template';
    yield { code: 'ARTIFACT_INVALID', path: name, message: `needs ${key}, which is not part of it`, fix };
  }
}

function parsed(name: string, text: string): ComponentTemplate {
  try {
    return JSON.parse(text) as ComponentTemplate;
  } catch (error) {
    throw new FactoryError('ARTIFACT_INVALID', `${name} is no JSON`, {
      fix: 'pass the cloud assembly that `cdk synth` wrote',
      cause: error,
    });
  }
}

/** Refuses what can't be published, with every reason. @throws FactoryError `ARTIFACT_INVALID` */
export function requirePublishable(content: Unpublished): void {
  const { component, kind, version, template, files, parameters, images } = content;
  requireVersion(version);
  const given = [...Object.keys(parameters), ...Object.keys(images)];
  const problems =
    kind === 'foundation'
      ? [
          ...given.map((name) => ({
            code: 'ARTIFACT_INVALID',
            path: name,
            message: 'a foundation takes no such thing',
            fix: 'leave it out',
          })),
          ...[...(madeFor(template, files.keys()) ?? [])].flatMap((cell) => [...ownProblems(templateFor(content, cell), content)]),
        ]
      : sharedProblems(content, parsed(template, files.get(template) ?? ''), files.get(template) ?? '');
  if (problems.length === 0) return;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new FactoryError('ARTIFACT_INVALID', `${component} ${version} has ${count}; nothing was published`, { problems });
}
