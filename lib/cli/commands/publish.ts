import { Command } from 'commander';
import pc from 'picocolors';
import type { PublishedRegistry } from '../../registry/document.ts';
import type { Changes, Component, Organization, PublishResult, RegistryStore } from '../../registry/index.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { rolloutWarnings } from '../early.ts';
import { wholeNumber } from '../numbers.ts';

/** The entries that changed, a line each. */
export function printChanges({ output }: Context, { added, changed, removed }: Changes): void {
  for (const path of added) output.say(`  ${pc.green('+')} ${path}`);
  for (const path of changed) output.say(`  ${pc.yellow('~')} ${path}`);
  for (const path of removed) output.say(`  ${pc.red('-')} ${path}`);
}

/** Prints what a publication did. */
export function reportPublication(context: Context, bucket: string, result: PublishResult): void {
  const { registry, changed, changes, movedOn, mergedOnto, others, rolledForward } = result;
  const { output } = context;
  const { revision } = registry.published;
  output.result({ revision, digest: registry.digest, changed, changes, movedOn, mergedOnto, others, rolledForward }, () => {
    if (rolledForward !== undefined) output.say(`revision ${rolledForward} was written and not pointed at; that was completed first`);
    if (changed && mergedOnto) output.say(`put on top of revision ${mergedOnto.revision} by ${mergedOnto.by}`);
    output.say(changed ? `published revision ${revision} to s3://${bucket}` : `unchanged: revision ${revision} is current`);
    if (mergedOnto && Object.values(others).some((paths) => paths.length > 0)) {
      output.say('it differs from your definitions, because of what others have published; bring that into them:');
      printChanges(context, others);
    }
    // Of the first one, everything is new.
    if (!changed || revision === 1) return;
    printChanges(context, changes);
    for (const cell of movedOn) output.say(`  ${pc.yellow('~')} ${cell} is ${registry.life[cell]?.state}`);
  });
}

/**
 * Refuses a listener priority of a component that left and has stacks in cells, however many revisions ago. Cells are looked at only
 * where a component gets a priority. One that can't be looked at is a warning: CloudFormation refuses it in staging.
 * @throws FactoryError `REGISTRY_INVALID`
 */
async function refuseTaken(context: Context, newest: PublishedRegistry, organization: Organization, store: RegistryStore): Promise<void> {
  const [{ takenPriorities, takers }, { invalid }] = await Promise.all([
    import('../../registry/renames.ts'),
    import('../../registry/validate.ts'),
  ]);
  const left = takers(newest.organization, organization).length === 0 ? [] : await leftInCells(context, store);
  const taken = takenPriorities(newest.organization, organization, left);
  if (taken.length > 0) throw invalid(taken, 'what would be published');
}

/** Last entries of components that the definitions don't have, and cells do. */
async function leftInCells(context: Context, store: RegistryStore): Promise<readonly Component[]> {
  const { plan, session, partition } = await context.tooling();
  const [{ unaskedInCells }, { lastEntryOf }, { isVended }] = await Promise.all([
    import('../../monitoring/unasked.ts'),
    import('../../rollout/removals.ts'),
    import('../../plan/plan.ts'),
  ]);
  const looked = await unaskedInCells(plan, plan.cells.filter(isVended), session, partition);
  for (const { cell, error } of looked) {
    if (error !== undefined) context.output.note(`${pc.yellow(cell)} could not be looked at for components that left: ${error}`);
  }
  const names = new Set(looked.flatMap(({ unasked }) => unasked.map(({ stackName }) => stackName)));
  return (await Promise.all([...names].map((name) => lastEntryOf(store, name)))).flatMap((entry) => entry ?? []);
}

export const publishCommand = () =>
  new Command('publish')
    .description('write the registry to S3 as the next revision; nothing is written when nothing changed')
    .option('-b, --base <revision>', 'revision that your definitions started from (default: the newest)')
    .addHelpText(
      'after',
      '\nWho publishes at the same time is merged, entry by entry; the same entry changed twice is refused.' +
        '\nWith --base, so is what was published since that revision: for a pipeline whose checkout may be behind.\n\nExamples:\n  cellctl publish\n  cellctl publish --base 41 --json',
    )
    .action(
      action(async (context, options: { base?: string }) => {
        const base = options.base === undefined ? undefined : await wholeNumber(options.base, '--base');
        const { organization, warnings } = await context.registry();
        const early = await rolloutWarnings(context);
        const { plan, session } = await context.tooling();
        const store = await context.store(plan, session);
        context.output.warnings([...warnings, ...early]);
        const newest = await store.latest();
        if (newest) await refuseTaken(context, newest, organization, store);
        reportPublication(context, plan.registryBucket, await store.publish(organization, { by: context.who, base }));
        return 0;
      }),
    );
