/** `cellctl rollout catch-up`: what a new cell lacks, at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import pc from 'picocolors';
import type { Plan } from '../../plan/plan.ts';
import type { Component } from '../../registry/index.ts';
import type { RolloutClient } from '../../rollout/client.ts';
import type { RolloutView } from '../../rollout/rollout-lookup.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import { confirmed, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { type OpenedRollouts, openRollouts } from '../rollouts.ts';

/** Milliseconds between two looks. */
const LOOK_MS = 1_000;

/** A component that the cell is brought to. */
interface Lacking {
  readonly component: Component;
  /** What the cell runs; undefined for nothing. */
  readonly runs: string | undefined;
  readonly version: string;
  readonly digest: string;
}

interface CaughtUp {
  readonly component: string;
  readonly version: string | undefined;
  readonly state: 'deployed' | 'unchanged' | 'skipped' | 'failed';
  readonly rollout?: string;
  /** A whole sentence, where there is something to say. */
  readonly sentence?: string;
  /** Whether nothing goes to the cell, whatever there is. */
  readonly leftOut?: boolean;
}

/** The components in the order in which they are deployed, each with the version that the others' cells run, or why it gets none. */
async function wantedIn(
  plan: Plan,
  cellName: string,
  { session, client }: OpenedRollouts,
  partition: string,
): Promise<readonly (Lacking | CaughtUp)[]> {
  const [{ inDependencyOrder }, { selectCells }, { planCatchUp }, { cellStatuses }, { FactoryError }] = await Promise.all([
    import('../../plan/dependencies.ts'),
    import('../../plan/plan.ts'),
    import('../../plan/waves.ts'),
    import('../../monitoring/status.ts'),
    import('../../registry/index.ts'),
  ]);
  const [cell] = selectCells(plan, [cellName]);
  if (!cell) throw new FactoryError('INTERNAL', `no cell ${cellName}`);
  const [status] = await cellStatuses(plan, [cell], session, partition, new Date());
  // Foundations are there already: without, the cell would be left out.
  const components = inDependencyOrder(plan.components.filter(({ kind }) => kind !== 'foundation'));
  return Promise.all(
    components.map(async (component): Promise<Lacking | CaughtUp> => {
      const skipped = (sentence: string): CaughtUp => ({ component: component.name, version: undefined, state: 'skipped', sentence });
      const wave = planCatchUp(plan, component, cell);
      if ('reason' in wave) return { ...skipped(wave.reason), leftOut: true };
      const current = await client.current(component.name);
      return current
        ? { component, runs: status?.components[component.name]?.version, ...current }
        : skipped('No rollout of it has succeeded yet: there is no version to catch up with.');
    }),
  );
}

/** Looks until the rollout is over, and says what changes. */
async function ended(context: Context, client: RolloutClient, id: string): Promise<RolloutView> {
  const [{ pictureOf }, { factsOf }] = await Promise.all([import('../../rollout/picture.ts'), import('../rollout-view.ts')]);
  const said = new Map<string, string>();
  for (let looksDead = false; ; ) {
    const view = await client.view(id);
    const picture = pictureOf({ ...view, alive: view.alive || !looksDead }, undefined, new Date());
    for (const { name, signature, text } of factsOf(picture)) {
      if (said.get(name) === signature) continue;
      said.set(name, signature);
      context.output.note(text);
    }
    if (picture.halted) return view;
    looksDead = !view.alive;
    await sleep(LOOK_MS);
  }
}

async function catchUp(context: Context, cell: string, options: { yes?: boolean }): Promise<number> {
  const opened = await openRollouts(context);
  const { plan: settings, session, client } = opened;
  const plan = await context.publishedPlan(settings, session);
  const [{ FactoryError }, { draftRollout }] = await Promise.all([import('../../registry/index.ts'), import('../../rollout/draft.ts')]);
  if (!plan) throw new FactoryError('REVISION_NOT_FOUND', 'nothing was published yet', { fix: 'run `cellctl publish`' });
  const { identify } = await import('../../aws/session.ts');
  const wanted = await wantedIn(plan, cell, opened, (await identify(session)).partition);
  const out = wanted.find((each) => 'leftOut' in each && each.leftOut === true);
  if (out && wanted.every((each) => !('digest' in each))) {
    throw new FactoryError('REFUSED', `nothing goes to ${cell}. ${'sentence' in out ? out.sentence : ''}`, {
      fix: 'mend that, `cellctl publish`, and run it again',
    });
  }
  const { output } = context;
  const lacking = wanted.flatMap((each) => ('digest' in each ? [each] : []));
  if (!output.json) {
    for (const each of wanted) {
      if ('digest' in each) output.say(`${each.component.name}: ${each.runs ?? 'nothing'} -> ${each.version}`);
      else output.say(`${each.component}: ${colourState('skipped')}. ${each.sentence}`);
    }
  }
  const ask = { question: `\nThis deploys to ${pc.bold(cell)}. Type its name`, answer: cell, command: `cellctl rollout catch-up ${cell}` };
  if (lacking.length > 0 && options.yes !== true && !(await confirmed(ask))) {
    output.note('nothing was started');
    return 1;
  }
  const results: CaughtUp[] = [];
  for (const each of wanted) {
    if (!('digest' in each)) {
      results.push(each);
      continue;
    }
    const { component, version, digest } = each;
    const base = { component: component.name, version };
    if (results.some(({ state }) => state === 'failed')) {
      results.push({ ...base, state: 'skipped', sentence: 'One before it has failed.' });
      continue;
    }
    const artifact = { version, digest };
    const reason = `${cell} catches up`;
    const draft = draftRollout({ plan, component: component.name, artifact, by: context.who, reason, allowReplacement: [], only: cell });
    const { id } = await client.start(draft);
    context.whenStopped(`${id} goes on; run \`cellctl rollout catch-up ${cell}\` again for the rest`);
    const { record, cells } = await ended(context, client, id);
    const sentence = record.outcome?.sentence;
    if (record.status !== 'succeeded')
      results.push({ ...base, state: 'failed', rollout: id, ...(sentence === undefined ? {} : { sentence }) });
    else results.push({ ...base, state: cells[0]?.unchanged === true ? 'unchanged' : 'deployed', rollout: id });
  }
  output.result({ cell, components: results }, () => {
    output.table(
      ['COMPONENT', 'VERSION', 'STATE', 'ROLLOUT'],
      results.map(({ component, version, state, rollout }) => [pc.bold(component), version ?? '-', colourState(state), rollout ?? '-']),
    );
  });
  const failed = results.find(({ state }) => state === 'failed');
  if (failed)
    throw new FactoryError('ROLLOUT_FAILED', `${failed.rollout}: ${failed.sentence ?? 'it has failed'}`, {
      fix: `mend that (\`cellctl rollout status ${failed.rollout}\`), or wait for who holds the cell; then run this again`,
    });
  return 0;
}

export const catchUpCommand = () =>
  new Command('catch-up')
    .description('bring one cell to the version of every component that the others run: what a new cell needs, at once')
    .argument('<cell>', 'name of the cell')
    .addOption(yesOption())
    .addHelpText(
      'after',
      '\nWhat the cell runs, and what it is brought to, is shown first: also a newer version that only some cells have goes back.' +
        '\nEach component is a rollout of one wave with one cell, after those that it depends on; the versions are those that last' +
        '\nsucceeded everywhere, so that nothing is baked again. It goes beside a rollout of the same component to all cells, which' +
        '\nhas other cells: whoever holds the lock of a component in a cell is waited for by nobody, and named.' +
        '\nRun it again after a failure: what the cell runs already stays as it is.' +
        '\n\nExamples:\n  cellctl rollout catch-up delta\n  cellctl rollout catch-up delta --yes --json',
    )
    .action(action(catchUp));
