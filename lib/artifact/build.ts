/**
 * What a build leaves for publishing: a folder with `component.json` and the files that it names. This file says what is
 * true of such a folder; `packaging.ts` makes one. Pure, but for reading the folder.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FactoryError, isNamed, messageOf, type Problem } from '../registry/index.ts';
import { componentSchema } from '../registry/model.ts';
import { CELL } from './artifacts.ts';
import { VERSION, VERSION_RULE } from './template-check.ts';

export const BUILD_FILE = 'component.json';

const hexadecimal = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits');
/** A file of the folder itself: names become keys in buckets, and none may lead out of the folder. */
export const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const FILE_RULE = 'must be the name of a file in the same folder: letters, digits, dots, dashes, underscores';
/** Git's name of a commit, or how it begins. */
export const COMMIT = /^[0-9a-f]{4,64}$/;
export const COMMIT_RULE = 'the hexadecimal name of a commit';
/** A parameter of a template. */
export const PARAMETER_NAME = /^[A-Za-z0-9]{1,255}$/;

/** An image is there, or it is not; nothing is said of one that nobody has built. */
const imageSchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('built'),
    /** What the container engine of the building machine calls it. */
    reference: z.string().min(1),
    /** What it is there. The digest that a registry gives it is known when it is pushed. */
    id: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 hexadecimal digits'),
  }),
  z.strictObject({
    status: z.literal('not built'),
    /** What it would be built from. */
    tree: z.strictObject({ files: z.int().min(0), sha256: hexadecimal }),
  }),
]);

const common = {
  schemaVersion: z.literal(1),
  component: componentSchema.shape.name,
  version: z.string().regex(VERSION, `must be ${VERSION_RULE}`),
  /** What it was built from. */
  commit: z.string().regex(COMMIT, `must be ${COMMIT_RULE}`).optional(),
  /** By name; all that lie beside component.json. */
  files: z.record(z.string(), z.strictObject({ sha256: hexadecimal, bytes: z.int().min(0) })),
  /** Values of the template's parameters, the same in every cell. */
  parameters: z.record(z.string().regex(PARAMETER_NAME, 'must be the name of a parameter'), z.string()),
  /** By the parameter that takes them. */
  images: z.record(z.string().regex(PARAMETER_NAME, 'must be the name of a parameter'), imageSchema),
};

const buildSchema = z.discriminatedUnion('kind', [
  /** `template`: name of the file that is the CloudFormation template. */
  z.strictObject({ ...common, kind: z.literal('cloudformation'), template: z.string() }),
  /** `template`: name of the file that is the template of a cell's own stack, with `{cell}` for its name. */
  z.strictObject({ ...common, kind: z.literal('foundation'), template: z.string().includes(CELL, `must hold ${CELL}`) }),
  /** `manifests`: names of the files that are applied. */
  z.strictObject({ ...common, kind: z.literal('kubernetes'), manifests: z.array(z.string()).min(1) }),
]);

/** `component.json`. */
export type Build = z.infer<typeof buildSchema>;
export type BuiltImage = z.infer<typeof imageSchema>;

/** A build whose every file is what it says. */
export interface CheckedBuild {
  readonly build: Build;
  /** Texts by name. */
  readonly files: ReadonlyMap<string, string>;
}

/** What whoever reads a build expects of it; what is left out may be anything. */
export interface Expected {
  readonly component?: string | undefined;
  readonly kind?: Build['kind'] | undefined;
  readonly version?: string | undefined;
  readonly commit?: string | undefined;
}

/** What lies in a folder. */
interface Entry {
  readonly name: string;
  /** Undefined for what is no plain file: a folder, a link. */
  readonly content: Buffer | undefined;
}

/** SHA-256 and size of a file, as `component.json` has them. */
export const described = (content: Buffer) => ({
  sha256: createHash('sha256').update(content).digest('hex'),
  bytes: content.length,
});

/** True when the bytes are text that survives being read: artifacts are kept as text. */
export const isText = (content: Buffer): boolean => Buffer.from(content.toString('utf8')).equals(content);

const AGAIN = 'build it again: `make pipeline-build`, or `cellctl component package`';
const problem = (path: string, message: string, fix = AGAIN): Problem => ({ code: 'ARTIFACT_INVALID', path, message, fix });

/** The tag of one of `count` images: the version, where the component has only one. */
export const imageTag = (version: string, name: string, count: number) => (count === 1 ? version : `${version}-${name.toLowerCase()}`);

/** The files that a build needs to be what it is. */
function parts(build: Build): { readonly field: string; readonly names: readonly string[] } {
  switch (build.kind) {
    case 'cloudformation':
      return { field: 'template', names: [build.template] };
    case 'foundation':
      // Of any cells; but of some.
      return { field: 'template', names: Object.keys(build.files).length === 0 ? [build.template] : [] };
    case 'kubernetes':
      return { field: 'manifests', names: build.manifests };
  }
}

/** Where the folder is not what `component.json` says. */
function* lies(build: Build, entries: readonly Entry[]): Generator<Problem> {
  const there = new Map(entries.map(({ name, content }) => [name, content]));
  for (const [name, said] of Object.entries(build.files)) {
    if (!FILE_NAME.test(name) || name === BUILD_FILE) {
      yield problem(`files.${name}`, `"${name}" leaves the folder, or is no file of its own`, FILE_RULE);
      continue;
    }
    if (!there.has(name)) {
      yield problem(`files.${name}`, `${name} is missing`);
      continue;
    }
    const content = there.get(name);
    // Said below, as something that doesn't belong there.
    if (content === undefined) continue;
    const is = described(content);
    if (is.sha256 !== said.sha256) yield problem(`files.${name}.sha256`, `is ${is.sha256}, not ${said.sha256}`);
    if (is.bytes !== said.bytes) yield problem(`files.${name}.bytes`, `is ${is.bytes}, not ${said.bytes}`);
    if (!isText(content)) yield problem(`files.${name}`, `${name} is no UTF-8 text`, 'write templates and manifests as text');
  }
  for (const { name, content } of entries) {
    if (content === undefined) yield problem(name, `${name} is a folder or a link`, 'leave plain files only');
    else if (!Object.hasOwn(build.files, name)) yield problem(name, `${name} is there, and component.json does not name it`);
  }
  const { field, names } = parts(build);
  for (const name of names) if (!Object.hasOwn(build.files, name)) yield problem(field, `${name} is none of its files`);
}

/** Where a build is another than was asked for. */
function* others(build: Build, expected: Expected): Generator<Problem> {
  const fixes = {
    component: 'the name that was asked for',
    kind: "the registry's kind",
    version: 'that version (--release)',
    commit: 'that commit (--commit)',
  };
  for (const [field, fix] of Object.entries(fixes)) {
    const wanted = expected[field as keyof Expected];
    const is = build[field as keyof Expected];
    // A build that knows no commit contradicts none.
    if (wanted === undefined || is === undefined || wanted === is) continue;
    // Of a commit, the beginning is enough.
    if (field === 'commit' && (wanted.startsWith(is) || is.startsWith(wanted))) continue;
    yield problem(field, `is ${is}, not ${wanted}`, `build it for ${fix}, or ask for ${is}`);
  }
}

/** What is wrong with a build, all of it; an empty list when nothing is. */
const buildProblems = (build: Build, entries: readonly Entry[], expected: Expected = {}): Problem[] => [
  ...others(build, expected),
  ...lies(build, entries),
];

/** True when `folder` holds a build of {@link packageComponent}, rather than, say, an assembly of the CDK. */
export const holdsBuild = async (folder: string): Promise<boolean> =>
  readdir(folder).then(
    (names) => names.includes(BUILD_FILE),
    () => false,
  );

/**
 * Reads a build, and checks every file against `component.json` first. What is returned is what was checked: nothing is read twice.
 * @throws FactoryError `ARTIFACT_INVALID` with all that is wrong
 */
export async function readBuild(folder: string, expected: Expected = {}): Promise<CheckedBuild> {
  const file = join(folder, BUILD_FILE);
  const invalid = (message: string, more: { problems?: readonly Problem[]; cause?: unknown }) =>
    new FactoryError('ARTIFACT_INVALID', message, { fix: AGAIN, ...more });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw invalid(isNamed(error, 'ENOENT') ? `${file} is missing` : `${file} can't be read: ${messageOf(error)}`, { cause: error });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${file} is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const parsed = buildSchema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => problem(path.join('.') || BUILD_FILE, message));
    throw invalid(`${file} has ${counted(problems)}`, { problems });
  }
  const entries = await entriesOf(folder);
  const problems = buildProblems(parsed.data, entries, expected);
  if (problems.length > 0) throw invalid(`${folder} has ${counted(problems)}`, { problems });
  const files = new Map(entries.map(({ name, content }) => [name, content?.toString('utf8') ?? '']));
  return { build: parsed.data, files };
}

const counted = (problems: readonly unknown[]) => (problems.length === 1 ? 'a problem' : `${problems.length} problems`);

/** What lies beside `component.json`. */
async function entriesOf(folder: string): Promise<Entry[]> {
  const found = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => name !== BUILD_FILE);
  return Promise.all(
    found.map(async (each) => ({ name: each.name, content: each.isFile() ? await readFile(join(folder, each.name)) : undefined })),
  );
}
