/**
 * Packages what a component's build made: its template or manifests, and what is known of its images, in a folder that can be
 * checked and published later, elsewhere, by somebody else. See `build.ts` for what such a folder is.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Emit } from '../messages.ts';
import { FactoryError, messageOf, type Problem } from '../registry/index.ts';
import { componentSchema } from '../registry/model.ts';
import { readAssembly } from './assembly.ts';
import {
  BUILD_FILE,
  type Build,
  type BuiltImage,
  type CheckedBuild,
  COMMIT,
  COMMIT_RULE,
  described,
  FILE_NAME,
  imageTag,
  isText,
  PARAMETER_NAME,
  readBuild,
} from './build.ts';
import { ContainerEngine, ENGINES } from './containers.ts';
import { readTree } from './file-tree.ts';
import { TEMPLATE } from './foundations.ts';
import { requireVersion } from './template-check.ts';

export interface PackageRequest {
  readonly component: string;
  readonly version: string;
  readonly commit: string | undefined;
  /** What was built: an assembly of the CDK, manifests of Kubernetes, or cells' own stacks, as `readFoundations` gives them. */
  readonly source: { readonly assembly: string } | { readonly manifests: string } | { readonly foundations: ReadonlyMap<string, string> };
  /** Folders with a Dockerfile, by the parameter that takes the image. */
  readonly images: Readonly<Record<string, string>>;
  /** The folder to write. What an earlier call wrote there is replaced. */
  readonly out: string;
}

/** A name as the registry takes it. @throws FactoryError `USAGE` */
export function requireName(name: string): string {
  const parsed = componentSchema.shape.name.safeParse(name);
  if (parsed.success) return name;
  const rules = parsed.error.issues.map(({ message }) => message).join('; ');
  throw new FactoryError('USAGE', `"${name}" is no name of a component: ${rules}`, { fix: 'take a name such as orders-api' });
}

/**
 * Writes the folder; `component.json` last, so that a folder that has one is whole. Its files first lose the one that is there.
 * @param findEngine what finds a container engine. @default - the one on this machine
 * @throws FactoryError `ARTIFACT_INVALID`, `COMPONENT_UNKNOWN`, `IMAGE_FAILED`, `REFUSED` when `out` holds other things
 */
export async function packageComponent(
  request: PackageRequest,
  emit: Emit,
  findEngine = () => ContainerEngine.find(),
): Promise<CheckedBuild> {
  const { component, version, commit, source } = request;
  requireNames(request);
  const { files, kind } = await gather(source, component);
  const names = [...files.keys()].sort();
  await requireOwn(request.out, names);
  const images = await packImages(request, emit, findEngine);
  const common = {
    schemaVersion: 1,
    component,
    version,
    ...(commit === undefined ? {} : { commit }),
    files: Object.fromEntries(names.map((name) => [name, described(Buffer.from(files.get(name) ?? ''))])),
    parameters: {},
    images,
  } as const;
  const build: Build = { ...common, ...kind };
  await mkdir(request.out, { recursive: true });
  const file = join(request.out, BUILD_FILE);
  await rm(file, { force: true });
  const left = (await readdir(request.out)).filter((name) => !files.has(name));
  await Promise.all(left.map((name) => rm(join(request.out, name))));
  await Promise.all([...files].map(([name, text]) => writeFile(join(request.out, name), text)));
  await writeFileAtomic(file, `${JSON.stringify(build, undefined, 2)}\n`);
  // What was written must be what can be published: a bad version or commit is told here, not days later.
  return readBuild(request.out);
}

/** What goes to cells, and how. */
interface Gathered {
  readonly files: ReadonlyMap<string, string>;
  readonly kind:
    | { readonly kind: 'cloudformation' | 'foundation'; readonly template: string }
    | { readonly kind: 'kubernetes'; readonly manifests: string[] };
}

async function gather(source: PackageRequest['source'], component: string): Promise<Gathered> {
  if ('assembly' in source) {
    const { files, template } = await readAssembly(source.assembly, component);
    return { files, kind: { kind: 'cloudformation', template } };
  }
  if ('manifests' in source) {
    const files = await readManifests(source.manifests);
    return { files, kind: { kind: 'kubernetes', manifests: [...files.keys()].sort() } };
  }
  return { files: source.foundations, kind: { kind: 'foundation', template: TEMPLATE } };
}

/** What is only found out when the folder is read would be found out after the image was built. */
function requireNames({ component, version, commit, images }: PackageRequest): void {
  requireName(component);
  requireVersion(version);
  if (commit !== undefined && !COMMIT.test(commit)) {
    throw new FactoryError('ARTIFACT_INVALID', `"${commit}" is no commit`, { fix: `pass ${COMMIT_RULE}, or leave it out` });
  }
  const wrong = Object.keys(images).find((name) => !PARAMETER_NAME.test(name));
  if (wrong !== undefined) {
    throw new FactoryError('ARTIFACT_INVALID', `"${wrong}" is no parameter`, { fix: 'letters and digits only, such as ImageUri' });
  }
}

/** Refuses to write into a folder that holds what no packaging left there: it would have to go. */
async function requireOwn(out: string, names: readonly string[]): Promise<void> {
  const there = await readdir(out).catch(() => []);
  const ours = await readFile(join(out, BUILD_FILE), 'utf8').then(
    (text) => Object.keys((JSON.parse(text) as Partial<Build>).files ?? {}),
    () => [],
  );
  const strange = there.filter((name) => ![BUILD_FILE, ...ours, ...names].includes(name)).sort();
  if (strange.length === 0) return;
  throw new FactoryError('REFUSED', `${out} holds what no packaging left there: ${strange.slice(0, 5).join(', ')}`, {
    fix: 'name another folder with --out, or empty this one',
  });
}

/** Manifests as they are: a file, or the YAML and JSON files of a folder. @throws FactoryError `ARTIFACT_INVALID` */
async function readManifests(path: string): Promise<ReadonlyMap<string, string>> {
  const invalid = (message: string, more: { problems?: readonly Problem[]; cause?: unknown; fix?: string } = {}) =>
    new FactoryError('ARTIFACT_INVALID', message, { fix: 'pass a .yaml, .yml or .json file, or a folder of such files', ...more });
  const folder = await stat(path).then(
    (state) => state.isDirectory(),
    (error: unknown) => {
      throw invalid(`${path} can't be read: ${messageOf(error)}`, { cause: error });
    },
  );
  const paths = folder ? (await readdir(path)).sort().map((name) => join(path, name)) : [path];
  const manifests = paths.filter((each) => /\.(ya?ml|json)$/.test(each) && basename(each) !== BUILD_FILE);
  if (manifests.length === 0) throw invalid(`${path} holds no manifest`);
  const contents = await Promise.all(
    manifests.map(async (each) => {
      const content = await readFile(each).catch((error: unknown) => {
        throw invalid(`${each} can't be read: ${messageOf(error)}`, { cause: error });
      });
      return [basename(each), content] as const;
    }),
  );
  const problems = contents.flatMap(([name, content]) => [
    ...(FILE_NAME.test(name)
      ? []
      : [{ path: name, message: 'is no name of a manifest', fix: 'letters, digits, dots, dashes, underscores' }]),
    ...(isText(content) ? [] : [{ path: name, message: 'is no UTF-8 text', fix: 'write manifests as text' }]),
  ]);
  if (problems.length > 0)
    throw invalid(`${path} can't be packaged`, { problems: problems.map((each) => ({ code: 'ARTIFACT_INVALID', ...each })) });
  return new Map(contents.map(([name, content]) => [name, content.toString('utf8')]));
}

/** Builds the images where an engine answers; elsewhere says of each what it would be built from, and that it is not built. */
async function packImages(
  { component, version, images, out }: PackageRequest,
  emit: Emit,
  findEngine: () => Promise<ContainerEngine | undefined>,
): Promise<Record<string, BuiltImage>> {
  const wanted = Object.entries(images);
  if (wanted.length === 0) return {};
  for (const [, context] of wanted) await requireDockerfile(context);
  const engine = await findEngine();
  const packed: [string, BuiltImage][] = [];
  for (const [name, context] of wanted) {
    const folder = resolve(context);
    if (engine) {
      const reference = `${component}:${imageTag(version, name, wanted.length)}`;
      emit({ kind: 'started', subject: name, text: `building ${reference} with ${engine.name}` });
      const id = await engine.build(folder, reference);
      emit({ kind: 'done', subject: name, text: `built ${reference} with ${engine.name}` });
      packed.push([name, { status: 'built', reference, id }]);
    } else {
      const tree = await readTree(folder, resolve(out));
      emit({
        kind: 'warning',
        subject: name,
        text: `not built: none of ${ENGINES.join(', ')} answers; digested ${tree.files} files instead`,
      });
      packed.push([name, { status: 'not built', tree }]);
    }
  }
  return Object.fromEntries(packed);
}

/** @throws FactoryError `ARTIFACT_INVALID` */
async function requireDockerfile(context: string): Promise<void> {
  const there = await stat(join(context, 'Dockerfile')).then(
    (state) => state.isFile(),
    () => false,
  );
  if (there) return;
  throw new FactoryError('ARTIFACT_INVALID', `${context} holds no Dockerfile`, {
    fix: 'pass --image <parameter>=<folder with a Dockerfile>',
  });
}
