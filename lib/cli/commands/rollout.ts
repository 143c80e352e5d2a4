import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { RolloutView } from '../../rollout/rollout-lookup.ts';
import { action } from '../action.ts';
import { confirmed, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { foundInTooling, servedPlan } from '../early.ts';
import { follow, pinnedCells } from '../follow.ts';
import { timeScale, wholeNumber } from '../numbers.ts';
import { componentNames, newestRollouts, newestViews, type OpenedRollouts, openRollouts, requirePublished } from '../rollouts.ts';
import { catchUpCommand } from './catch-up.ts';
import { controlCommands } from './rollout-control.ts';
import { planCommand, TIME_SCALE } from './rollout-plan.ts';
import { repairCommand } from './rollout-repair.ts';
import { leaveCommand, stageCommand } from './rollout-stage.ts';

// start

interface StartOptions {
  readonly release: string;
  readonly timeScale?: string;
  readonly reason?: string;
  readonly allowReplacement?: readonly string[];
  readonly drill?: string;
  readonly drillWave?: string;
  readonly emergency?: boolean;
  readonly cures?: readonly string[];
  readonly withoutStaging?: boolean;
  readonly iMeanIt?: boolean;
  readonly queue?: boolean;
  readonly watch?: boolean;
  readonly yes?: boolean;
}

async function start(context: Context, component: string, options: StartOptions): Promise<number> {
  const scale = options.timeScale === undefined ? undefined : await timeScale(options.timeScale);
  const opened = await openRollouts(context);
  const { client } = opened;
  const published = await servedPlan(context, await requirePublished(context, opened), opened.session);
  const [
    { selectCells, selectComponent },
    { inEmergency },
    drills,
    { draftRollout, foreseeRollout },
    { madeFor, readArtifact },
    { foreseenLines },
  ] = await Promise.all([
    import('../../plan/plan.ts'),
    import('../../plan/emergency.ts'),
    import('../../plan/drills.ts'),
    import('../../rollout/draft.ts'),
    import('../../artifact/artifacts.ts'),
    import('../rollout-plan-view.ts'),
  ]);
  const emergency = options.emergency === true;
  const plan = emergency ? inEmergency(published) : published;
  const { name } = selectComponent(plan, component);
  // A scale that the policy has is the organization's word already.
  const { drill, drillWave, reason, allowReplacement = [] } = options;
  if (drillWave !== undefined && drill === undefined) {
    const { FactoryError } = await import('../../registry/index.ts');
    throw new FactoryError('USAGE', '--drill-wave without --drill', { fix: 'name the cell of the drill with --drill' });
  }
  // No names would mean all cells.
  const cures = options.cures === undefined ? [] : selectCells(plan, options.cures).map((cell) => cell.name);
  const asked = { reachesCustomers: context.reachesCustomers, meant: options.iMeanIt === true, reason };
  if (scale !== undefined) drills.refuseRehearsal(scale, asked);
  for (const cell of drill === undefined ? [] : selectCells(plan, [drill])) drills.refuseDrill(cell, asked);
  const manifest = await readArtifact(client.store.objects, name, options.release);
  const artifact = { version: manifest.version, digest: manifest.digest, madeFor: madeFor(manifest.template, Object.keys(manifest.files)) };
  const now = new Date();
  const { problems: found, warnings } = await foundInTooling(plan, name, client, manifest, {
    ...{ session: opened.session, partition: opened.partition, allowed: allowReplacement },
  });
  const withoutStaging = options.withoutStaging === true;
  const draft = draftRollout({
    ...{ found, withoutStaging },
    ...{
      plan,
      component: name,
      artifact,
      by: context.who,
      reason,
      timeScale: scale,
      allowReplacement,
      drill,
      drillWave,
      emergency,
      cures,
      now,
    },
  });
  const { output } = context;
  const foreseen = foreseeRollout(plan, name, scale, now, artifact, withoutStaging);
  if (!output.json) for (const line of foreseenLines(foreseen, artifact.version)) output.say(line);
  output.warnings(warnings);
  const { minRequestsPerCell } = draft.plan.policy;
  if (draft.plan.kind === 'foundation' && minRequestsPerCell > 0) {
    output.note(
      `a bake wants ${minRequestsPerCell} requests in each cell, to ${draft.plan.traffic.join(', ')}: where none of them runs yet, nobody makes any, and it fails`,
    );
  }
  const question = {
    question: `\nThis rolls ${pc.bold(`${name} ${artifact.version}`)} out. Type its version`,
    answer: artifact.version,
    command: `cellctl rollout start ${name} --release ${artifact.version}`,
  };
  if (options.yes !== true && !(await confirmed(question))) {
    output.note('nothing was started');
    return 1;
  }
  const record = await (options.queue === true ? client.enqueue(draft) : client.start(draft));
  if (options.watch !== true || !output.json) {
    output.result({ rollout: record }, () => {
      output.line(`${pc.green(options.queue === true ? 'queued' : 'started')} ${pc.bold(record.id)}`);
      const { organizationOption } = context;
      if (options.watch !== true) output.say(`watch it with \`cellctl rollout watch ${record.id}${organizationOption}\``);
      const run = `cellctl drill alarm --cell ${drill} --during ${record.id}${organizationOption}`;
      if (drill !== undefined) output.say(`a wave waits for a drill in ${drill}, and never passes: \`${run}\``);
    });
  }
  return options.watch === true ? follow(context, client, record.id) : 0;
}

const startCommand = () =>
  new Command('start')
    .description('roll a published version of a component out: staging, then wave after wave, with a bake after each')
    .argument('<component>', 'name of the component in the registry')
    .addOption(new Option('-r, --release <version>', 'version, as it was published (`cellctl component publish`)').makeOptionMandatory())
    .option('--reason <text>', 'why, for the record')
    .addOption(new Option('--time-scale <factor>', TIME_SCALE).env('CELL_FACTORY_TIME_SCALE'))
    .option('--allow-replacement <cell/logical id...>', 'let go of a resource in that cell that holds data or a name')
    .option(
      '--drill <cell>',
      'a drill sets an alarm of the cell off (`cellctl drill alarm --during`): its wave waits for it, and never passes',
    )
    .option(
      '--drill-wave <wave>',
      'name or number of a later wave that waits for the drill in place of the cell’s own: what turns bad late',
    )
    .option('--emergency', "the policy's waves of an emergency in place of its usual ones; takes a --reason")
    .option('--cures <cell...>', 'cells that may be sick before, because the version is to cure them; takes a --reason')
    .option('--without-staging', 'go to production although no staging cell gets the version; takes a --reason')
    .option('--i-mean-it', '--time-scale, which takes a --reason, or --drill also where customers are')
    .option(
      '--queue',
      'only write it down, for the stages of a pipeline to take on (`cellctl rollout stage`); the newest that waits goes next',
    )
    .addOption(new Option('-w, --watch', 'go on as `cellctl rollout watch`').conflicts('queue'))
    .addOption(yesOption())
    .addHelpText(
      'after',
      '\nPinned to the newest published revision and to the bytes of the artifact: whatever is published later, every cell gets the same.' +
        '\nIt runs in tooling, and goes on when this machine is off. One rollout of a component at a time.' +
        '\nA cell that --cures names is deployed to although it is in ALARM; an alarm that is older than its deployment counts at the' +
        '\nend of its bake, and never brings back the version that made it sick.' +
        '\n\nExamples:\n  cellctl rollout start orders-api --release 2.0.0\n  cellctl rollout start orders-api --release 2.0.0 --reason "orders in euro" --yes --watch' +
        '\n  cellctl rollout start orders-api --release 2.0.0 --time-scale 0.01 --yes --json' +
        '\n  cellctl rollout start orders-api --release 3.0.1 --cures alpha bravo --emergency --reason "INC-42: 3.0.0 loses orders"',
    )
    .action(action(start));

// watch

/** The rollout that is meant when none was named: the only one under way, or else the newest. */
async function obvious(context: Context, opened: OpenedRollouts): Promise<string> {
  const records = await newestRollouts(context, opened);
  const running = records.filter(({ status }) => status === 'running');
  const [first] = running.length > 0 ? running : records;
  const { FactoryError } = await import('../../registry/index.ts');
  if (running.length > 1) {
    throw new FactoryError('USAGE', `${running.length} rollouts are under way`, {
      fix: `name one: ${running.map(({ id }) => id).join(', ')}`,
    });
  }
  if (first) return first.id;
  throw new FactoryError('ROLLOUT_UNKNOWN', 'there was no rollout yet', {
    fix: 'begin one with `cellctl rollout start <component> --release <version>`',
  });
}

const watchCommand = () =>
  new Command('watch')
    .description('follow a rollout until it ends, pauses or waits for somebody; leave and come back at any time')
    .argument('[id or component]', 'a rollout, or a component for its newest (default: the one under way)')
    .addHelpText(
      'after',
      '\nReads only what is written down: Ctrl-C ends the watching, and the rollout goes on.' +
        '\nEnds with 0 when it has succeeded, paused or waits for an approval, and with 1 when it was stopped, rolled back, or died.' +
        '\n\nExamples:\n  cellctl rollout watch\n  cellctl rollout watch orders-api\n  cellctl rollout watch orders-api-7 --json',
    )
    .action(
      action(async (context, name: string | undefined) => {
        const opened = await openRollouts(context);
        const id = name === undefined ? await obvious(context, opened) : await opened.client.resolve(name);
        return follow(context, opened.client, id);
      }),
    );

// status, history

async function showStatus(context: Context, name: string | undefined, { markdown }: { markdown?: boolean }): Promise<number> {
  const opened = await openRollouts(context);
  const { client } = opened;
  const named = name === undefined ? undefined : await client.view(await client.resolve(name));
  const { views, unreadable } = named ? { views: [named], unreadable: [] } : await newestViews(context, opened);
  const [{ cellPictures, pictureOf }, { cellLines, markdownOf, pictureLines }] = await Promise.all([
    import('../../rollout/picture.ts'),
    import('../rollout-view.ts'),
  ]);
  const { output } = context;
  for (const sentence of unreadable) output.note(`${sentence}; \`cellctl rollout repair\` says more`);
  const now = new Date();
  const pictures = await Promise.all(views.map(async (view) => pictureOf(view, await pinnedCells(client, view), now)));
  if (markdown === true) {
    for (const [index, picture] of pictures.entries()) output.line(markdownOf(picture, cellPictures(views[index] as RolloutView)));
    return 0;
  }
  const data = named ? { ...pictures[0], cells: cellPictures(named) } : { rollouts: pictures, unreadable };
  output.result(data, () => {
    if (views.length === 0) output.line('there was no rollout yet: `cellctl rollout start <component> --release <version>` begins one');
    for (const [index, picture] of pictures.entries()) {
      if (index > 0) output.line('');
      for (const line of pictureLines(picture, now, output.columns)) output.line(line);
    }
    if (named) for (const line of ['', ...cellLines(cellPictures(named), output.columns)]) output.line(line);
  });
  return 0;
}

const statusCommand = () =>
  new Command('status')
    .description('how a rollout is: its waves, its cells, what it waits for')
    .argument('[id or component]', 'a rollout, or a component for its newest (default: the newest of each component)')
    .addOption(new Option('--markdown', 'as Markdown, for the summary of a job').conflicts('json'))
    .addHelpText(
      'after',
      '\nEnds with 0 however the rollout is; `cellctl rollout watch` says that by its exit code. TRAFFIC is what runs the version now;' +
        '\nfor a wave to come, what it goes to. --json is the same as a line of `watch --json`, with the cells; `history` has the part above the waves.' +
        '\n\nExamples:\n  cellctl rollout status\n  cellctl rollout status orders-api\n  cellctl rollout status orders-api-7 --json',
    )
    .action(action(showStatus));

const historyCommand = () =>
  new Command('history')
    .description('list rollouts, newest first')
    .argument('[component]', 'name of the component (default: all)')
    .option('-n, --limit <number>', 'how many', '20')
    .addHelpText('after', '\nExamples:\n  cellctl rollout history\n  cellctl rollout history orders-api --limit 5 --json')
    .action(
      action(async (context, component: string | undefined, options: { limit: string }) => {
        const limit = await wholeNumber(options.limit, '--limit', { max: 1_000 });
        const opened = await openRollouts(context);
        const names = component === undefined ? await componentNames(context, opened) : [component];
        const all = (await Promise.all(names.map((name) => opened.client.history(name, limit)))).flat();
        const records = all.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)).slice(0, limit);
        const [{ historyLines }, { summaryOf }] = await Promise.all([import('../rollout-view.ts'), import('../../rollout/picture.ts')]);
        const rollouts = await Promise.all(records.map(async (record) => summaryOf(record, await opened.client.isAlive(record))));
        const { output } = context;
        output.result({ rollouts }, () => {
          if (rollouts.length === 0) output.line(`there was no rollout${component === undefined ? '' : ` of ${component}`} yet`);
          else for (const line of historyLines(rollouts, new Date(), output.columns)) output.line(line);
        });
        return 0;
      }),
    );

export const rolloutCommand = () => {
  const command = new Command('rollout')
    .description('one version of a component through all waves: look ahead, start, follow, halt, roll back')
    .addCommand(planCommand())
    .addCommand(startCommand())
    .addCommand(stageCommand())
    .addCommand(leaveCommand())
    .addCommand(catchUpCommand())
    .addCommand(watchCommand())
    .addCommand(statusCommand());
  for (const control of controlCommands()) command.addCommand(control);
  return command.addCommand(historyCommand()).addCommand(repairCommand());
};
