/** `cellctl component check` and `cellctl component new`: the contract between a component's repository and the factory. */
import { basename, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import { packageRoot } from '../../package-root.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Component } from '../../registry/index.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';

interface CheckOptions {
  readonly component?: string;
  readonly path?: string;
  readonly build?: boolean;
}

/** The plan of the registry; undefined where there is no registry, as in the repository of a component. */
async function knownPlan(context: Context): Promise<Plan | undefined> {
  const { FactoryError } = await import('../../registry/index.ts');
  try {
    return await context.plan();
  } catch (error) {
    if (error instanceof FactoryError && error.code === 'ORGANIZATION_NOT_FOUND') return undefined;
    throw error;
  }
}

const knownComponents = async (context: Context): Promise<readonly Component[]> => (await knownPlan(context))?.components ?? [];

/** An address, however it is written. */
const same = (url: string) => url.replace(/(\.git)?\/*$/, '');

/** What GitHub says of the component's repository, where it is there and GitHub Actions deliver it, or nobody knows yet what does. */
async function numbersFor(plan: Plan | undefined, entry: Component | undefined, address: string | undefined) {
  const [{ hostingAt }, { engineOf }, { numbersOf }, { environment }] = await Promise.all([
    import('../../../pipelines/hosting.ts'),
    import('../../plan/pipeline-stacks.ts'),
    import('../../../pipelines/github/numbers.ts'),
    import('../../environment.ts'),
  ]);
  const hosting = address === undefined ? undefined : hostingAt(address);
  if (hosting?.provider.name !== 'github') return undefined;
  if (plan && entry && engineOf(plan, entry) !== 'github-actions') return undefined;
  return numbersOf(hosting.id, environment.github);
}

async function check(context: Context, repository: string, options: CheckOptions): Promise<number> {
  const [{ checkContract }, { isUrl, withClone }, { run }, { templateNeeds }] = await Promise.all([
    import('../../../pipelines/contract-check.ts'),
    import('../../../pipelines/checkout.ts'),
    import('../../program.ts'),
    import('../../plan/bake-requests.ts'),
  ]);
  const plan = await knownPlan(context);
  const components = plan?.components ?? [];
  const remote = isUrl(repository) || repository.startsWith('-');
  const byUrl = components.find(({ repository: { url } }) => remote && same(url) === same(repository));
  const path = options.path ?? byUrl?.repository.path ?? '.';
  const here = remote ? same(repository).replace(/^.*[/:]/, '') : resolve(repository, path);
  const component = options.component ?? byUrl?.name ?? basename(here);
  const entry = components.find(({ name }) => name === component);
  const needs = plan && entry && templateNeeds(plan, entry);
  const numbers = await numbersFor(plan, entry, entry?.repository.url ?? (remote ? repository : undefined));
  const work = (folder: string) =>
    checkContract(folder, { component, entry, needs, numbers, build: options.build === true, factory: packageRoot() });
  const items = remote ? await withClone({ url: repository, path }, run, work) : await work(here);
  const broken = items.filter(({ kept }) => !kept).length;
  const { output } = context;
  output.result({ component, repository, kept: broken === 0, items }, () => {
    const width = Math.max(...items.map(({ what }) => what.length));
    for (const { what, kept, found, fix } of items) {
      const line = `${kept ? pc.green('✓') : pc.red('✗')} ${what.padEnd(width)}  ${found.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`;
      if (kept) output.say(line);
      else output.line(line);
      if (fix !== undefined) output.line(`${' '.repeat(width + 4)}${pc.dim('fix:')} ${fix}`);
    }
    if (broken === 0) output.say(`${component} keeps the contract${options.build ? '' : '; --build looks at what its build leaves'}`);
    else output.line(`${component} does not keep the contract: ${broken} of ${items.length}`);
  });
  return broken === 0 ? 0 : 1;
}

const CHECK_HELP = `
Looks whether the Makefile has every target that the factory calls; with --build also at what
pipeline-build leaves, in a copy. Make reads the Makefile for this, which runs $(shell …) in it: check
only what you would also build. Of an address the newest commit is cloned, without its submodules, by
https://, ssh:// or file://.

Exit code: 0 when the contract is kept, 1 when it is not.

Examples:
  cellctl component check .
  cellctl component check ../orders-api --build
  cellctl component check https://github.com/acme/orders-api --json`;

export const checkCommand = () =>
  new Command('check')
    .description("say what a component's repository lacks of the contract with the factory")
    .argument('<repository>', 'folder of the component, or address of its repository')
    .option('-c, --component <name>', "name of the component (default: the registry's for the address, or the folder's)")
    .option('--path <folder>', "folder of the component in the repository (default: the registry's, or its root)")
    .option('-b, --build', 'run `make pipeline-build` in a copy, and check what it leaves')
    .addHelpText('after', CHECK_HELP)
    .action(action(check));

interface NewOptions {
  readonly kind: Exclude<Component['kind'], 'foundation'>;
  readonly folder?: string;
}

/** The first priority beyond those that are taken. */
const nextPriority = (components: readonly Component[]) => Math.max(0, ...components.map(({ route }) => route?.priority ?? 0)) + 100;

async function create(context: Context, name: string, { kind, folder = name }: NewOptions): Promise<number> {
  const { registryEntry, writeSkeleton } = await import('../../../pipelines/skeleton.ts');
  const files = await writeSkeleton(name, kind, folder);
  const entry = registryEntry(name, kind, nextPriority(await knownComponents(context)));
  const file = `registry/components/${name}.ts`;
  const next = [
    `cellctl component check ${folder} --build`,
    `git -C ${folder} init`,
    'cellctl validate',
    'cellctl publish',
    'cellctl pipelines sync',
  ];
  const { output } = context;
  output.result({ component: name, kind, folder, files, entry: { file, text: entry }, next }, () => {
    output.line(`${pc.green('wrote')} ${pc.bold(folder)}`);
    for (const each of files) output.say(`  ${join(folder, each)}`);
    output.say(`\nnext: see that it builds, and commit it`);
    for (const each of next.slice(0, 2)) output.say(`  ${each}`);
    output.say(`\nthen make it known, in ${file} in the registry's repository:`);
    for (const line of entry.trimEnd().split('\n')) output.say(line === '' ? '' : `  ${line}`);
    output.say(`\nand publish that; the last one makes the place of its images, and its pipeline`);
    for (const each of next.slice(2)) output.say(`  ${each}`);
  });
  return 0;
}

const LINK_HELP = `
For the Makefile of a component whose CDK app imports cell-factory/cell: links node_modules/cell-factory,
aws-cdk-lib and constructs to those that this factory uses. Packages that the component's package.json
lists are left to npm.

Example:
  "$CELL_FACTORY/bin/cellctl" component link`;

export const linkCommand = () =>
  new Command('link')
    .description("link the factory's libraries into a component's node_modules")
    .argument('[folder]', 'folder of the component', '.')
    .addHelpText('after', LINK_HELP)
    .action(
      action(async ({ output }, folder: string) => {
        const { linkLibraries } = await import('../../../pipelines/link.ts');
        const linked = await linkLibraries(folder);
        output.result({ folder, linked }, () => {
          for (const [library, target] of Object.entries(linked)) output.say(`${join(folder, 'node_modules', library)} -> ${target}`);
        });
        return 0;
      }),
    );

const NEW_HELP = `
Writes a service with its tests, a Dockerfile, a Makefile with every target that the factory calls, and a
CDK app or manifests. It keeps the contract as it is (\`cellctl component check <folder> --build\`).

Examples:
  cellctl component new billing --kind cloudformation
  cellctl component new greeter --kind kubernetes --folder ../greeter`;

export const newCommand = () =>
  new Command('new')
    .description('write a component to start from')
    .argument('<name>', 'name of the component: lower-case letters, digits and inner hyphens')
    .addOption(new Option('-k, --kind <kind>', 'how it is deployed').choices(['cloudformation', 'kubernetes']).makeOptionMandatory())
    .option('--folder <path>', 'folder to write; it must be empty, or not there (default: the name)')
    .addHelpText('after', NEW_HELP)
    .action(action(create));
