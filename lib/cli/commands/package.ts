/** `cellctl component package`: what a component's build ends with. Needs no registry and no credentials. */
import { Command, Option } from 'commander';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

interface PackageOptions {
  readonly assembly?: string;
  readonly manifests?: string;
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
    const { FactoryError } = await import('../../../registry/index.ts');
    throw new FactoryError('USAGE', `--image is "${wrong}"`, { fix: 'write <parameter>=<folder with a Dockerfile>: --image ImageUri=.' });
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

async function sourceOf({ assembly, manifests }: PackageOptions): Promise<{ assembly: string } | { manifests: string }> {
  if (assembly !== undefined && manifests === undefined) return { assembly };
  if (manifests !== undefined && assembly === undefined) return { manifests };
  const { FactoryError } = await import('../../../registry/index.ts');
  throw new FactoryError('USAGE', assembly === undefined ? 'neither --assembly nor --manifests' : '--assembly and --manifests at once', {
    fix: 'pass --assembly <cdk.out> for a stack, or --manifests <folder> for Kubernetes',
  });
}

async function packageIt(context: Context, component: string, options: PackageOptions): Promise<number> {
  const { release: version, commit, out } = options;
  const source = await sourceOf(options);
  const images = await contextsFrom(options.image);
  const { packageComponent } = await import('../../rollout/packaging.ts');
  // A Makefile hands over what it was given, which may be nothing.
  const request = { component, version, commit: commit === '' ? undefined : commit, source, images, out };
  const { output } = context;
  const { build } = await packageComponent(request, output.emit);
  output.result({ ...build, out }, () => {
    output.say(`packaged ${component} ${version} in ${out}: ${Object.keys(build.files).join(', ')}`);
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
  cellctl component package greeter --manifests manifests --image ImageUri=. --release 1.4.2 --commit 3f0c2a9`;

export const packageCommand = () =>
  new Command('package')
    .description('gather what was built of a component in a folder that can be checked and published')
    .argument('<component>', 'name of the component')
    .option('-a, --assembly <folder>', 'a CDK cloud assembly with the stack that is called after the component')
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
