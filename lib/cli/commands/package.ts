/** `cellctl component package`: what a component's build ends with. Needs no credentials, and a registry for foundations only. */
import { Command, Option } from 'commander';
import type { PackageRequest } from '../../artifact/packaging.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

/** Files that are named one by one. */
const NAMED = 10;

interface PackageOptions {
  readonly assembly?: string;
  readonly manifests?: string;
  readonly foundations?: boolean;
  readonly image: readonly string[];
  readonly release: string;
  readonly commit?: string;
  readonly out: string;
}

/** `parameter=folder` words as they were typed. @throws FactoryError `USAGE` */
async function contextsFrom(words: readonly string[]): Promise<Record<string, string>> {
  const pairs = words.map((word) => /^([A-Za-z0-9]+)=(.+)$/.exec(word));
  const wrong = words[pairs.indexOf(null)];
  if (wrong !== undefined) {
    const { FactoryError } = await import('../../registry/index.ts');
    throw new FactoryError('USAGE', `--image is "${wrong}"`, { fix: 'write <parameter>=<folder with a Dockerfile>: --image ImageUri=.' });
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

async function sourceOf(context: Context, { assembly, manifests, foundations }: PackageOptions): Promise<PackageRequest['source']> {
  const { FactoryError } = await import('../../registry/index.ts');
  const given = Object.entries({ assembly, manifests, foundations }).filter(([, value]) => value !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'nothing to package' : given.map(([name]) => `--${name}`).join(' and ');
    throw new FactoryError('USAGE', given.length === 0 ? what : `${what} at once`, {
      fix: "pass --assembly <cdk.out> for a stack, --manifests <folder> for Kubernetes, or --foundations for the cells' own stacks",
    });
  }
  if (assembly !== undefined) return { assembly };
  if (manifests !== undefined) return { manifests };
  return { foundations: await synthesizeFoundations(context) };
}

/** The stacks of all cells that rollouts reach. Personal cells are their owners', and retiring cells get nothing new. */
async function synthesizeFoundations(context: Context): Promise<ReadonlyMap<string, string>> {
  const [{ isVended }, { requireZones }, { withAssembly }, { readFoundations }, { FactoryError }] = await Promise.all([
    import('../../plan/plan.ts'),
    import('../../plan/zones.ts'),
    import('../../aws/toolkit.ts'),
    import('../../artifact/foundations.ts'),
    import('../../registry/index.ts'),
  ]);
  const plan = await context.plan();
  const cells = plan.cells.filter((cell) => isVended(cell) && cell.stage !== 'personal' && cell.intent !== 'retiring');
  if (cells.length === 0) {
    throw new FactoryError('CELL_WITHOUT_ACCOUNT', 'no cell that a rollout reaches has an account', {
      fix: 'run `cellctl accounts --all`',
    });
  }
  requireZones(cells);
  const stacks = cells.map(({ stackName }) => stackName);
  context.output.note(`synthesizing ${stacks.length === 1 ? stacks[0] : `${stacks.length} stacks`}`);
  return withAssembly(plan, stacks, ({ directory }) =>
    readFoundations(directory, new Map(cells.map((cell) => [cell.name, cell.stackName]))),
  );
}

/** @throws FactoryError `USAGE` for an image, and for a component of another kind */
async function requireFoundations(context: Context, name: string, images: readonly string[]): Promise<void> {
  const { FactoryError } = await import('../../registry/index.ts');
  const usage = (message: string, fix: string) => new FactoryError('USAGE', message, { fix });
  if (images.length > 0) throw usage('--foundations and --image at once', 'a foundation is templates, and has no image: leave --image out');
  const known = (await context.plan()).components.find((component) => component.name === name);
  if (known && known.kind !== 'foundation')
    throw usage(`${name} is of kind ${known.kind}`, 'name the component of kind foundation, or pass --assembly');
}

async function packageIt(context: Context, component: string, options: PackageOptions): Promise<number> {
  const { release: version, commit, out } = options;
  const images = await contextsFrom(options.image);
  if (options.foundations === true) await requireFoundations(context, component, Object.keys(images));
  const source = await sourceOf(context, options);
  const { packageComponent } = await import('../../artifact/packaging.ts');
  // A Makefile hands over what it was given, which may be nothing.
  const request = { component, version, commit: commit === '' ? undefined : commit, source, images, out };
  const { output } = context;
  const { build } = await packageComponent(request, output.emit);
  output.result({ ...build, out }, () => {
    const names = Object.keys(build.files);
    const some = names.length > NAMED ? `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more` : names.join(', ');
    output.say(`packaged ${component} ${version} in ${out}: ${some}`);
    for (const [name, image] of Object.entries(build.images)) {
      if (image.status === 'built') output.say(`  ${name}: ${image.reference}, ${image.id.slice(0, 19)}`);
      else output.say(`  ${name}: not built, of ${image.tree.files} files, tree ${image.tree.sha256.slice(0, 12)}`);
    }
  });
  return 0;
}

const HELP = `
Leaves component.json beside the template or the manifests: version, SHA-256 of each file, and of each
image what it is. An image is built with docker, podman or finch, whichever answers first. Where none
does, component.json says that it is not built, and of which files it would be.

Examples:
  cellctl component package orders-api --assembly cdk.out --image ImageUri=. --release 1.4.2 --out dist
  cellctl component package greeter --manifests manifests --image ImageUri=. --release 1.4.2 --commit 3f0c2a9
  cellctl component package foundations --foundations --release 20300131T180000-3f0c2a9`;

export const packageCommand = () =>
  new Command('package')
    .description('gather what was built of a component in a folder that can be checked and published')
    .argument('<component>', 'name of the component')
    .option('-a, --assembly <folder>', 'a CDK cloud assembly with the stack that is called after the component')
    .option(
      '--foundations',
      "the cells' own stacks, synthesized from the definitions (--organization): what a component of kind foundation is",
    )
    .option('-m, --manifests <folder or file>', 'manifests of Kubernetes, YAML or JSON, which are taken as they are')
    .option(
      '-i, --image <parameter=folder>',
      'folder with the Dockerfile of the image that the parameter takes; may be given again',
      (each: string, all: readonly string[]) => [...all, each],
      [],
    )
    .addOption(new Option('-r, --release <version>', 'version of the component').makeOptionMandatory())
    .option('--commit <sha>', 'what it was built from')
    .option('--out <folder>', 'where to leave it', 'dist')
    .addHelpText('after', HELP)
    .action(action(packageIt));
