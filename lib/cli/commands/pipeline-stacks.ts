/** `cellctl pipelines diff` and `sync`: the stacks in tooling that hold pipelines, against what the registry says. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pc from 'picocolors';
import type { Session } from '../../aws/session.ts';
import type { Assembly, Source } from '../../aws/toolkit.ts';
import type { ObservedStack } from '../../plan/difference.ts';
import type { InitializedPlan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import { confirmed } from '../confirm.ts';
import type { Context } from '../context.ts';
import { duration } from '../numbers.ts';

/** Where the CDK app reads the organization: what was published, it needs as a file. */
async function withSource<T>(context: Context, work: (source: Source) => Promise<T>): Promise<T> {
  if (!context.isPublished) return work(context.source);
  const [{ serialize, FactoryError }, registry] = await Promise.all([import('../../../registry/index.ts'), context.registry()]);
  if (!registry.published) throw new FactoryError('INTERNAL', 'what was published has no revision');
  const folder = await mkdtemp(join(tmpdir(), 'cell-factory-document-'));
  try {
    const organization = join(folder, 'registry.json');
    await writeFile(organization, serialize({ ...registry, published: registry.published }));
    return await work({ ...context.source, organization });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Looked {
  readonly plan: InitializedPlan;
  readonly session: Session;
  readonly assembly: Assembly;
  /** In the order in which they are deployed. */
  readonly stacks: readonly { readonly stackName: string; readonly component: string | undefined; readonly observed: ObservedStack }[];
}

/** Synthesizes the stacks, and looks at what is there. */
async function looking<T>(context: Context, work: (looked: Looked) => Promise<T>): Promise<T> {
  const { plan, session } = await context.tooling();
  const [{ pipelineStacks }, { withAssembly }, { observeStack }] = await Promise.all([
    import('../../plan/pipeline-stacks.ts'),
    import('../../aws/toolkit.ts'),
    import('../../cell/observe.ts'),
  ]);
  const wanted = pipelineStacks(plan);
  return withSource(context, (source) =>
    withAssembly(
      source,
      wanted.map(({ stackName }) => stackName),
      async (assembly) => {
        const stacks = await Promise.all(
          wanted.map(async ({ stackName, component }) => {
            const observed = await observeStack({ stackName, template: assembly.templates.get(stackName) ?? {}, session });
            return { stackName, component: component?.name, observed };
          }),
        );
        return work({ plan, session, assembly, stacks });
      },
    ),
  );
}

const stateOf = ({ status, changes }: ObservedStack): string => {
  if (status === undefined) return 'new';
  return changes.length === 0 ? 'unchanged' : 'differs';
};

function showDifferences({ output }: Context, { stacks }: Looked): void {
  output.table(
    ['STACK', 'STATE', 'RESOURCES'],
    stacks.map(({ stackName, observed }) => {
      const { status, changes } = observed;
      const kinds = ['add', 'change', 'replace', 'remove'] as const;
      const counts = kinds
        .map((kind) => [kind, changes.filter(({ change }) => change === kind).length] as const)
        .filter(([, count]) => count > 0);
      const text = counts.map(([kind, count]) => `${count} to ${kind}`).join(', ');
      return [pc.bold(stackName), colourState(stateOf(observed)), status === undefined ? `${changes.length} to add` : text];
    }),
  );
}

const NONE = 'no component is delivered by CodePipeline';

export const diffCommand = () =>
  new Command('diff')
    .description('what `cellctl pipelines sync` would change: the stacks of pipelines on CodePipeline, against what is deployed')
    .addHelpText('after', '\nExamples:\n  cellctl pipelines diff\n  cellctl pipelines diff --json')
    .action(
      action((context) =>
        looking(context, async (looked) => {
          const { output } = context;
          const data = looked.stacks.map(({ stackName, observed }) => ({ stackName, state: stateOf(observed), changes: observed.changes }));
          output.result({ stacks: data }, () => (data.length === 0 ? output.line(NONE) : showDifferences(context, looked)));
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
  const [{ deployControlStack }, { whileDrained }, { pipelineName }] = await Promise.all([
    import('../../accounts/tooling.ts'),
    import('../../../pipelines/codepipeline/drain.ts'),
    import('../../../registry/index.ts'),
  ]);
  return looking(context, async (looked) => {
    const { session, assembly, stacks } = looked;
    const { output, runId } = context;
    const { emit } = output;
    const changing = stacks.filter(({ observed }) => stateOf(observed) !== 'unchanged');
    if (changing.length > 0 && !output.json) showDifferences(context, looked);
    const ask = { question: '\nThis changes pipelines. Type sync', answer: 'sync', command: 'cellctl pipelines sync' };
    if (changing.length > 0 && options.yes !== true && !(await confirmed(ask))) {
      output.note('nothing was changed');
      return 1;
    }
    const until = Date.now() + patience * 1_000;
    for (const { stackName, component } of changing) {
      const deploy = () => deployControlStack(assembly.directory, stackName, { session, runId, emit });
      // The pipeline of pipelines is not held up by itself: it may be who runs this.
      await (component === undefined ? deploy() : whileDrained(session, pipelineName(component), { until, emit }, deploy));
    }
    const results = stacks.map(({ stackName, observed }) => ({
      stackName,
      state: stateOf(observed) === 'unchanged' ? 'unchanged' : 'deployed',
    }));
    output.result({ stacks: results }, () => {
      if (results.length === 0) output.line(NONE);
      for (const { stackName, state } of results) output.line(`${stackName}: ${colourState(state)}`);
    });
    return 0;
  });
}

export const syncCommand = () =>
  new Command('sync')
    .description('bring the pipelines on CodePipeline to what the registry says; one that is busy is changed when its commit is through')
    .option('--patience <duration>', 'how long to wait for pipelines that are busy', '8h')
    .option('-y, --yes', "don't ask")
    .addHelpText(
      'after',
      '\nCommits that come meanwhile wait behind the source, and go in afterwards. Stopped halfway, run it again.' +
        '\nStacks of components that the registry no longer has stay: delete them when their history is of no use any more.' +
        '\n\nExamples:\n  cellctl pipelines sync\n  cellctl pipelines sync --yes --patience 2d',
    )
    .action(action(sync));
