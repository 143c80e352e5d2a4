/** `cellctl pipelines diff` and `sync`: the stacks in tooling that hold pipelines, against what the registry says. */
import { Command } from 'commander';
import pc from 'picocolors';
import type { Leftover } from '../../../pipelines/leftovers.ts';
import type { LookedAt } from '../../../pipelines/sync.ts';
import type { Session } from '../../aws/session.ts';
import type { Assembly } from '../../aws/toolkit.ts';
import type { InitializedPlan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import { confirmed, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { duration } from '../numbers.ts';

interface Looked {
  readonly plan: InitializedPlan;
  readonly session: Session;
  readonly assembly: Assembly;
  /** In the order in which they are deployed. */
  readonly stacks: readonly LookedAt[];
  readonly leftovers: readonly Leftover[];
}

/** Synthesizes the stacks, and looks at what is there. */
async function looking<T>(context: Context, work: (looked: Looked) => Promise<T>): Promise<T> {
  const { plan, session } = await context.tooling();
  const [{ withAssembly }, { lookAt, stacksToSync, undelivered }, { leftoversAmong, stackNames }] = await Promise.all([
    import('../../aws/toolkit.ts'),
    import('../../../pipelines/sync.ts'),
    import('../../../pipelines/leftovers.ts'),
  ]);
  for (const reason of undelivered(plan)) context.output.note(`skipped: ${reason}`);
  const names = stacksToSync(plan).map(({ stackName }) => stackName);
  return withAssembly(plan, names, async (assembly) => {
    const store = await context.store(plan, session);
    const [stacks, leftovers] = await Promise.all([
      lookAt(plan, assembly, session),
      stackNames(session).then((there) => leftoversAmong(there, plan, store, new Date())),
    ]);
    return work({ plan, session, assembly, stacks, leftovers });
  });
}

const KINDS = ['add', 'change', 'replace', 'remove'] as const;
const isDue = ({ due }: Leftover) => new Date(due) <= new Date();
const fate = (leftover: Leftover) => (isDue(leftover) ? 'remove' : `kept until ${leftover.due}`);

async function showDifferences({ output }: Context, { stacks, leftovers }: Looked): Promise<void> {
  const { stateOf } = await import('../../../pipelines/sync.ts');
  const wanted = stacks.map(({ stackName, observed }) => {
    const { status, changes } = observed;
    const counts = KINDS.map((kind) => [kind, changes.filter(({ change }) => change === kind).length] as const);
    const text = counts.flatMap(([kind, count]) => (count > 0 ? [`${count} to ${kind}`] : [])).join(', ');
    return [pc.bold(stackName), colourState(stateOf(observed)), status === undefined ? `${changes.length} to add` : text];
  });
  const unwanted = leftovers.map((leftover) => [pc.bold(leftover.stackName), colourState(fate(leftover)), 'nobody asks for it']);
  output.table(['STACK', 'STATE', 'RESOURCES'], [...wanted, ...unwanted]);
}

export const diffCommand = () =>
  new Command('diff')
    .description('what `cellctl pipelines sync` would change: the stacks of pipelines and what they stand on, against what is deployed')
    .addHelpText('after', '\nExamples:\n  cellctl pipelines diff\n  cellctl pipelines diff --json')
    .action(
      action((context) =>
        looking(context, async (looked) => {
          const { stateOf } = await import('../../../pipelines/sync.ts');
          const stacks = looked.stacks.map(({ stackName, observed }) => ({
            stackName,
            state: stateOf(observed),
            changes: observed.changes,
          }));
          if (context.output.json) context.output.result({ stacks, leftovers: looked.leftovers }, () => undefined);
          else await showDifferences(context, looked);
          return 0;
        }),
      ),
    );

interface SyncOptions {
  readonly patience: string;
  readonly yes?: boolean;
}

async function sync(context: Context, options: SyncOptions): Promise<number> {
  const patience = await duration(options.patience, '--patience', '7d');
  const [{ stateOf, syncPipelines, requireSynced }, { GITHUB_STACK }] = await Promise.all([
    import('../../../pipelines/sync.ts'),
    import('../../plan/pipeline-stacks.ts'),
  ]);
  return looking(context, async (looked) => {
    const { plan, session, assembly, stacks, leftovers } = looked;
    const { output, runId } = context;
    const { emit } = output;
    const changes = stacks.some(({ observed }) => stateOf(observed) !== 'unchanged') || leftovers.some(isDue);
    if (changes) {
      const { refuseToReplace } = await import('../tooling.ts');
      await refuseToReplace(plan, session, assembly.templates);
      if (!output.json) await showDifferences(context, looked);
      const ask = { question: '\nThis changes pipelines. Type sync', answer: 'sync', command: 'cellctl pipelines sync' };
      if (options.yes !== true && !(await confirmed(ask))) {
        output.note('nothing was changed');
        return 1;
      }
    }
    const now = new Date();
    const drain = { until: now.getTime() + patience * 1_000, emit };
    const leases = await context.leases(plan, session);
    const results = await syncPipelines({ assembly, stacks, leftovers, session, leases, runId, now, drain, emit });
    const data = results.map(({ error, ...rest }) => ({
      ...rest,
      ...(error ? { error: { code: error.code, message: error.message } } : {}),
    }));
    output.result({ stacks: data }, () => {
      for (const { stackName, state, due } of results)
        output.line(`${stackName}: ${colourState(state)}${due === undefined ? '' : ` until ${due}`}`);
    });
    const onGitHub = stacks.flatMap(({ component, stackName }) =>
      component && stackName.startsWith(GITHUB_STACK) ? [component.name] : [],
    );
    if (onGitHub.length > 0) {
      output.note(
        `workflows are files in the components' repositories: \`cellctl pipelines render <component> --out <clone>\` (${onGitHub.join(', ')})`,
      );
    }
    requireSynced(results);
    return 0;
  });
}

export const syncCommand = () =>
  new Command('sync')
    .description(
      'bring pipelines, and what they stand on, to what the registry says; one that is busy is changed when its commit is through',
    )
    .option('--patience <duration>', 'how long to wait for pipelines that are busy', '8h')
    .addOption(yesOption())
    .addHelpText(
      'after',
      '\nGoes by the definitions here; the pipeline of pipelines goes by what is published (-o s3://<bucket of the registry>).' +
        '\nCommits that come meanwhile wait behind the source, and go in afterwards. Stopped halfway, run it again.' +
        '\nThe pipeline of a component that the registry no longer has goes when pipelines.grace is over; its logs and rollouts stay.' +
        '\n\nExamples:\n  cellctl pipelines sync\n  cellctl pipelines sync --yes --patience 2d',
    )
    .action(action(sync));
