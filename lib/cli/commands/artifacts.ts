/** `cellctl component publish` and `cellctl component releases`: what rollouts take components from. */
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { ArtifactDraft } from '../../artifact/publishing.ts';
import type { Session } from '../../aws/session.ts';
import type { InitializedPlan, Plan } from '../../plan/plan.ts';
import type { Component, Problem } from '../../registry/index.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import type { Reviewer } from '../foundation-review.ts';

interface PublishOptions {
  readonly from: string;
  readonly release?: string;
  readonly image: readonly string[];
  readonly allowUnbuilt?: boolean;
  readonly parameter?: readonly string[];
  readonly commit?: string;
}

/** The component called `name`. @throws FactoryError `COMPONENT_UNKNOWN` */
async function componentOf({ components }: Plan, name: string): Promise<Component> {
  const found = components.find((each) => each.name === name);
  if (found) return found;
  const { FactoryError } = await import('../../registry/index.ts');
  throw new FactoryError('COMPONENT_UNKNOWN', `no such component: ${name}`, {
    fix: `the registry knows ${components.map((each) => each.name).join(', ') || 'no component'}`,
  });
}

/** `name=value` words as they were typed. @throws FactoryError `USAGE` */
async function parametersFrom(words: readonly string[]): Promise<Record<string, string>> {
  const pairs = words.map((word) => /^([A-Za-z0-9]+)=([\s\S]*)$/.exec(word));
  const wrong = words[pairs.indexOf(null)];
  if (wrong !== undefined) {
    const { FactoryError } = await import('../../registry/index.ts');
    throw new FactoryError('USAGE', `--parameter is "${wrong}"`, { fix: 'write name=value, such as --parameter LogLevel=info' });
  }
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
}

/** Images as they were typed: `uri`, which is that of `ImageUri`, or `parameter=uri`. The last one counts. */
function imagesFrom(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, parameter = 'ImageUri', uri = word] = /^([A-Za-z0-9]+)=(.+)$/.exec(word) ?? [];
      return [parameter, uri];
    }),
  );
}

/** The commit that `folder` is in; undefined outside of git. */
const commitOf = (folder: string): Promise<string | undefined> =>
  promisify(execFile)('git', ['-C', folder, 'rev-parse', 'HEAD']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );

/** What is published, and what is still to be done for its images. */
interface Prepared {
  readonly draft: ArtifactDraft;
  /** Pushes images that were built. @returns those that nobody named */
  readonly pushImages: (plan: InitializedPlan, session: Session) => Promise<Record<string, string>>;
}

/** From what `cellctl component package` left: version, commit and images are the build's, and must agree with what is typed. */
async function fromBuild(context: Context, { name, kind }: Component, options: PublishOptions): Promise<Prepared> {
  const { from, allowUnbuilt } = options;
  // A Makefile hands over what it was given, which may be nothing.
  const [release, commit] = [options.release || undefined, options.commit || undefined];
  const [{ readBuild }, images, { bringImage }, { ContainerEngine }, { FactoryError }, parameters] = await Promise.all([
    import('../../artifact/build.ts'),
    import('../../artifact/images.ts'),
    import('../../artifact/image-copies.ts'),
    import('../../artifact/containers.ts'),
    import('../../registry/index.ts'),
    parametersFrom(options.parameter ?? []),
  ]);
  const named = imagesFrom(options.image);
  const { build, files } = await readBuild(from, { component: name, kind, version: release, commit });
  if (build.kind === 'kubernetes') {
    throw new FactoryError(
      'REFUSED',
      `${name} ${build.version} is built for Kubernetes, which rollouts don't reach yet; nothing was published`,
      {
        fix: 'keep the build: it is whole, and can be published when they do',
      },
    );
  }
  if (allowUnbuilt && context.reachesCustomers) {
    throw new FactoryError('REFUSED', '--allow-unbuilt publishes images that nobody has built, and this may reach customers', {
      fix: 'build it where docker, podman or finch answers; --allow-unbuilt is for a local cloud',
    });
  }
  const open = images.openImages(build, named);
  if (!allowUnbuilt) images.requireBuilt(build, open);
  // Whatever they will be called: that the template takes them can be said before they are pushed.
  const local = Object.fromEntries(open.map(([parameter]) => [parameter, `${name}:${build.version}`]));
  return {
    draft: {
      ...{ component: name, kind, version: build.version, template: build.template, files, by: context.who },
      ...{ parameters: { ...build.parameters, ...parameters }, images: { ...local, ...named } },
      commit: commit ?? build.commit ?? (await commitOf(from)),
    },
    pushImages: async (plan, session) => {
      if (open.length === 0) return {};
      const [repository, registries] = await Promise.all([images.ImageRepository.of(name, session), context.registries(plan, session)]);
      const say = (text: string) => context.output.note(text);
      const bring = (digest: string, fresh: boolean) => bringImage(registries, name, digest, { now: Date.now, sleep, say, fresh });
      return images.publishImages(build, open, repository, () => ContainerEngine.find(), bring, !allowUnbuilt);
    },
  };
}

/** From an assembly of the CDK, which knows neither version nor image. */
async function fromAssembly(context: Context, { name, kind }: Component, options: PublishOptions): Promise<Prepared> {
  const { from } = options;
  const release = options.release || undefined;
  const commit = options.commit || (await commitOf(from));
  const [{ readAssembly }, { FactoryError }, parameters] = await Promise.all([
    import('../../artifact/assembly.ts'),
    import('../../registry/index.ts'),
    parametersFrom(options.parameter ?? []),
  ]);
  if (kind === 'foundation') {
    throw new FactoryError('USAGE', `${from} holds no component.json, and ${name} is more than one stack`, {
      fix: `package it first: \`cellctl component package ${name} --foundations\``,
    });
  }
  const built = await readAssembly(from, name);
  if (release === undefined) {
    throw new FactoryError('USAGE', `no --release, and ${from} holds no component.json that says which version it is`, {
      fix: 'pass --release <version>, or package it (`cellctl component package`)',
    });
  }
  const images = imagesFrom(options.image);
  const draft = { ...built, component: name, kind, version: release, parameters, images, commit, by: context.who };
  return { draft, pushImages: async () => ({}) };
}

/** What a rollout of these foundations would be refused for. It is published all the same: whoever starts it may allow losses. */
async function reviewOf(plan: Plan, { template, files }: ArtifactDraft, reviewer: Reviewer): Promise<readonly Problem[]> {
  const { publishedWarnings } = await import('../foundation-review.ts');
  const version = { template, has: (file: string) => files.has(file), read: async (file: string) => files.get(file) ?? '' };
  return publishedWarnings(plan, version, reviewer);
}

export const publishCommand = () =>
  new Command('publish')
    .description('publish what was built of a component, once and for all, to every region: what rollouts take it from')
    .argument('<component>', 'name of the component in the registry')
    .addOption(
      new Option(
        '-f, --from <folder>',
        "the component's build, as `cellctl component package` left it, or a CDK cloud assembly",
      ).makeOptionMandatory(),
    )
    .addOption(new Option('-r, --release <version>', "version; what it is never changes (default: the build's)").env('COMPONENT_VERSION'))
    .option(
      '-i, --image <[parameter=]uri>',
      'image that was pushed, in place of the one built; {region} becomes the region of the cell (parameter: ImageUri)',
      (each: string, all: readonly string[]) => [...all, each],
      [],
    )
    .addOption(
      new Option('--allow-unbuilt', 'on a local cloud, which starts no containers: push no image, and publish what it would be called').env(
        'CELL_FACTORY_ALLOW_UNBUILT',
      ),
    )
    .option('-p, --parameter <name=value...>', 'values of other parameters of the template, the same in every cell')
    .addOption(new Option('--commit <sha>', "what it was built from (default: the build's, or git's HEAD where it is)").env('COMMIT'))
    .addHelpText(
      'after',
      '\nOf a build, every file is checked first, and images that were built are pushed, and published by digest,' +
        '\nonce they are in every region that cells use.' +
        '\nThe same again changes nothing, and brings it to regions that are new. Something else under the same version is refused.' +
        '\n\nExamples:\n  cellctl component publish orders-api --from dist' +
        '\n  cellctl component publish orders-api --from dist --allow-unbuilt' +
        '\n  cellctl component publish orders-api --from cdk.out --release 1.0.0 \\\n    --image 111122223333.dkr.ecr.{region}.amazonaws.com/orders-api:1.0.0',
    )
    .action(
      action(async (context, name: string, options: PublishOptions) => {
        const registered = await context.plan();
        const component = await componentOf(registered, name);
        const [{ holdsBuild }, { requirePublishable }, { publishArtifact }, { templateNeeds }] = await Promise.all([
          import('../../artifact/build.ts'),
          import('../../artifact/template-check.ts'),
          import('../../artifact/publishing.ts'),
          import('../../plan/bake-requests.ts'),
        ]);
        const prepare = (await holdsBuild(options.from)) ? fromBuild : fromAssembly;
        const { draft, pushImages } = await prepare(context, component, options);
        // What is wrong with it can be said without credentials.
        requirePublishable(draft, templateNeeds(registered, component));
        const { plan, session, partition } = await context.tooling();
        const images = { ...draft.images, ...(await pushImages(plan, session)) };
        const { manifest, state, regions } = await publishArtifact({ ...draft, images }, await context.artifactStores(plan, session));
        const { output } = context;
        const warnings = component.kind === 'foundation' ? await reviewOf(registered, draft, { session, partition }) : [];
        output.warnings(warnings);
        output.result({ ...manifest, state, regions, ...(component.kind === 'foundation' ? { warnings } : {}) }, () => {
          const what = `${name} ${manifest.version}, ${manifest.digest.slice(0, 19)}`;
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
        const { listArtifacts } = await import('../../artifact/publishing.ts');
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
