/** `cellctl component publish` and `cellctl component releases`: what rollouts take components from. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { Component } from '../../../registry/index.ts';
import type { Plan } from '../../plan/plan.ts';
import { action } from '../action.ts';

interface PublishOptions {
  readonly from: string;
  readonly release: string;
  readonly image?: string;
  readonly parameter?: readonly string[];
  readonly commit?: string;
}

/** The component called `name`. @throws FactoryError `COMPONENT_UNKNOWN` */
async function componentOf({ components }: Plan, name: string): Promise<Component> {
  const found = components.find((each) => each.name === name);
  if (found) return found;
  const { FactoryError } = await import('../../../registry/index.ts');
  throw new FactoryError('COMPONENT_UNKNOWN', `no such component: ${name}`, {
    fix: `the registry knows ${components.map((each) => each.name).join(', ') || 'no component'}`,
  });
}

/** `name=value` words as they were typed. @throws FactoryError `USAGE` */
async function parametersFrom(words: readonly string[]): Promise<Record<string, string>> {
  const pairs = words.map((word) => /^([A-Za-z0-9]+)=([\s\S]*)$/.exec(word));
  const wrong = words[pairs.indexOf(null)];
  if (wrong !== undefined) {
    const { FactoryError } = await import('../../../registry/index.ts');
    throw new FactoryError('USAGE', `--parameter is "${wrong}"`, { fix: 'write name=value, such as --parameter LogLevel=info' });
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

/** The commit that `folder` is in; undefined outside of git. */
const commitOf = (folder: string): Promise<string | undefined> =>
  promisify(execFile)('git', ['-C', folder, 'rev-parse', 'HEAD']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

export const publishCommand = () =>
  new Command('publish')
    .description('publish what was built of a component, once and for all, to every region: what rollouts take it from')
    .argument('<component>', 'name of the component in the registry')
    .addOption(new Option('-f, --from <folder>', "the component's build: a CDK cloud assembly with its stack").makeOptionMandatory())
    .addOption(new Option('-r, --release <version>', 'version; what it is never changes').makeOptionMandatory())
    .option('-i, --image <uri>', 'image of the service; {region} becomes the region of the cell')
    .option('-p, --parameter <name=value...>', 'values of other parameters of the template, the same in every cell')
    .option('--commit <sha>', "what it was built from (default: git's HEAD where the build is)")
    .addHelpText(
      'after',
      '\nThe same again changes nothing, and brings it to regions that are new. Something else under the same version is refused.' +
        '\n\nExamples:\n  cellctl component publish orders-api --from examples/orders-api/dist --release 1.0.0 \\\n    --image 111122223333.dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0',
    )
    .action(
      action(async (context, name: string, options: PublishOptions) => {
        const { from, release: version, image, commit = await commitOf(from) } = options;
        const { kind } = await componentOf(await context.plan(), name);
        const parameters = await parametersFrom(options.parameter ?? []);
        const [{ readAssembly }, { requirePublishable }, { publishArtifact }] = await Promise.all([
          import('../../rollout/assembly.ts'),
          import('../../rollout/template-check.ts'),
          import('../../rollout/publishing.ts'),
        ]);
        const built = await readAssembly(from, name);
        const images: Record<string, string> = image === undefined ? {} : { ImageUri: image };
        const draft = { ...built, component: name, kind, version, parameters, images, commit, by: context.who };
        // What is wrong with it can be said without credentials.
        requirePublishable(draft);
        const { plan, session } = await context.tooling();
        const { manifest, state, regions } = await publishArtifact(draft, await context.artifactStores(plan, session));
        const { output } = context;
        output.result({ ...manifest, state, regions }, () => {
          const what = `${name} ${version}, ${manifest.digest.slice(0, 19)}`;
          if (state === 'published') output.say(`published ${what}, to ${regions.join(', ')}`);
          else output.say(`unchanged: ${what}, published by ${manifest.by} at ${manifest.publishedAt}`);
          if (state === 'unchanged' && regions.length > 0) output.say(`brought to ${regions.join(', ')}, which did not have it`);
        });
        return 0;
      }),
    );

export const releasesCommand = () =>
  new Command('releases')
    .description('list what was published of a component, newest first')
    .argument('<component>', 'name of the component')
    .addHelpText('after', '\nExamples:\n  cellctl component releases orders-api\n  cellctl component releases orders-api --json')
    .action(
      action(async (context, name: string) => {
        await componentOf(await context.plan(), name);
        const { plan, session } = await context.tooling();
        const { listArtifacts } = await import('../../rollout/publishing.ts');
        const { byRegion, homeRegion } = await context.artifactStores(plan, session);
        const home = byRegion.get(homeRegion);
        const releases = home ? await listArtifacts(home, name) : [];
        const { output } = context;
        output.result({ component: name, releases: releases.map(({ version, artifact }) => ({ version, ...artifact })) }, () => {
          if (releases.length === 0) output.say(`nothing was published of ${name} yet`);
          else
            output.table(
              ['VERSION', 'DIGEST', 'PUBLISHED', 'BY', 'COMMIT'],
              releases.map(({ version, artifact }) =>
                'unreadable' in artifact
                  ? [version, pc.red('unreadable'), '-', '-', artifact.unreadable]
                  : [version, artifact.digest.slice(0, 19), artifact.publishedAt, artifact.by, artifact.commit?.slice(0, 12) ?? '-'],
              ),
            );
        });
        return 0;
      }),
    );
