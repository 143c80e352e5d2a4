/** `cellctl pipelines`: what takes every commit of a component to every cell. */
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import pc from 'picocolors';
import type { CheckedWorkflow } from '../../../pipelines/github/files.ts';
import type { Pipeline, Step } from '../../../pipelines/graph.ts';
import { packageRoot } from '../../package-root.ts';
import type { Plan } from '../../plan/plan.ts';
import { action } from '../action.ts';
import { confirmed, requireTerminal, yesOption } from '../confirm.ts';
import type { Context } from '../context.ts';
import { manual } from '../manual.ts';
import { timeScale, wholeNumber } from '../numbers.ts';
import { openRollouts } from '../rollouts.ts';
import { diffCommand, syncCommand } from './pipelines-sync.ts';

async function pipelineFor(plan: Plan, name: string): Promise<Pipeline> {
  const [{ selectComponent }, { pipelineOf }] = await Promise.all([import('../../plan/plan.ts'), import('../../../pipelines/graph.ts')]);
  return pipelineOf(plan, selectComponent(plan, name));
}

const listCommand = () =>
  new Command('list')
    .description('the pipelines of all components: engine, repository, branch, stages')
    .addHelpText('after', '\nExamples:\n  cellctl pipelines list\n  cellctl pipelines list --json')
    .action(
      action(async (context) => {
        const plan = await context.plan();
        const { pipelineOf, stepsOf } = await import('../../../pipelines/graph.ts');
        const pipelines = plan.components.map((component) => pipelineOf(plan, component));
        const { output } = context;
        output.result({ pipelines }, () => {
          output.table(
            ['COMPONENT', 'ENGINE', 'REPOSITORY', 'BRANCH', 'STAGES', 'STEPS'],
            pipelines.map((pipeline) => {
              const { component, engine, stages } = pipeline;
              const { url, branch, path } = component.repository;
              const where = path === '.' ? url : `${url} ${path}`;
              return [pc.bold(component.name), engine, where, branch, String(stages.length), String(stepsOf(pipeline).length)];
            }),
          );
        });
        return 0;
      }),
    );

const showCommand = () =>
  new Command('show')
    .description("a component's pipeline: its stages, its steps, and what they do")
    .argument('<component>', 'name of the component in the registry')
    .addOption(new Option('--mermaid', 'as a Mermaid flowchart').conflicts('json'))
    .addHelpText(
      'after',
      '\nSteps behind a | run beside the one above them. Cells are no part of a pipeline: who is in a wave is decided when a rollout begins.' +
        '\n\nExamples:\n  cellctl pipelines show orders-api\n  cellctl pipelines show orders-api --mermaid',
    )
    .action(
      action(async (context, name: string, options: { mermaid?: boolean }) => {
        const pipeline = await pipelineFor(await context.plan(), name);
        const { mermaidOf, textOf } = await import('../../../pipelines/graph.ts');
        context.output.result(pipeline, () => context.output.line(options.mermaid === true ? mermaidOf(pipeline) : textOf(pipeline)));
        return 0;
      }),
    );

interface RenderOptions {
  readonly out: string;
  readonly check?: boolean;
  readonly overwrite?: boolean;
}

const howToMend = (wrong: readonly CheckedWorkflow[], out: string): string => {
  const names = [...new Set(wrong.map(({ workflow }) => workflow.component))].join(' ');
  const edited = wrong.some(({ state }) => state === 'edited by hand') ? ' --overwrite' : '';
  return `mend it with \`cellctl pipelines render ${names}${out === '.' ? '' : ` --out ${out}`}${edited}\``;
};

/** Writes the workflows of components, or says how those that are there are. */
async function render(context: Context, names: readonly string[], options: RenderOptions): Promise<number> {
  const [{ selectComponent }, { pipelineOf }, { renderWorkflow }, { checkWorkflows, writeWorkflows }, { FactoryError }] = await Promise.all(
    [
      import('../../plan/plan.ts'),
      import('../../../pipelines/graph.ts'),
      import('../../../pipelines/github/workflow.ts'),
      import('../../../pipelines/github/files.ts'),
      import('../../registry/index.ts'),
    ],
  );
  const plan = await context.plan();
  const components = names.length === 0 ? plan.components : names.map((name) => selectComponent(plan, name));
  const pipelines = components.map((component) => pipelineOf(plan, component));
  const other = names.length === 0 ? undefined : pipelines.find(({ engine }) => engine !== 'github-actions');
  if (other) {
    throw new FactoryError('USAGE', `${other.component.name} is delivered by ${other.engine}, which needs no file in its repository`, {
      fix: "set pipeline.engine to 'github-actions' in its registry entry",
    });
  }
  const { renderSyncWorkflow } = await import('../../../pipelines/github/sync-workflow.ts');
  const sync = renderSyncWorkflow(plan);
  const workflows = pipelines
    .filter(({ engine }) => engine === 'github-actions')
    .flatMap((pipeline) => {
      const own = renderWorkflow(plan, pipeline);
      // Into the same repository, which is the factory's.
      return sync?.component === own.component ? [own, sync] : [own];
    });
  const before = await checkWorkflows(options.out, workflows);
  const edited = before.filter(({ state }) => state === 'edited by hand').map(({ workflow }) => workflow.path);
  if (options.check !== true && options.overwrite !== true && edited.length > 0) {
    throw new FactoryError('REFUSED', `somebody has edited ${edited.join(', ')} by hand; nothing was written`, {
      fix: 'put what it should say into the registry entry; --overwrite writes all the same',
    });
  }
  const checked = options.check === true ? before : await writeWorkflows(options.out, workflows);
  const wrong = checked.filter(({ state }) => state !== 'current');
  const { output } = context;
  output.result({ workflows: checked.map(({ workflow: { component, path }, state }) => ({ component, path, state })) }, () => {
    if (checked.length === 0) output.line('no component is delivered by GitHub Actions');
    for (const { workflow, state } of checked) {
      const written = state === 'current' ? 'unchanged' : `written (was ${state})`;
      output.line(`${workflow.path}: ${options.check === true ? state : written}`);
    }
    if (options.check === true && wrong.length > 0) output.note(howToMend(wrong, options.out));
  });
  return options.check === true && wrong.length > 0 ? 1 : 0;
}

const renderCommand = () =>
  new Command('render')
    .description("write the workflow files of components that GitHub Actions delivers: they belong into the component's repository")
    .argument('[component...]', 'components (default: all on GitHub Actions)')
    .option('--out <folder>', 'a clone of the repository; the file is .github/workflows/deliver-<component>.yml in it', '.')
    .option('--check', 'write nothing; end with 1 where a file is missing, stale, or edited by hand')
    .option('--overwrite', 'also what somebody has edited by hand')
    .addHelpText(
      'after',
      '\nFiles are written only where they change. In CI of the component: `cellctl pipelines render <component> --check`.' +
        '\n\nExamples:\n  cellctl pipelines render orders-api --out ../orders-api\n  cellctl pipelines render orders-api --out ../orders-api --check --json',
    )
    .action(action(render));

interface RunOptions {
  readonly commit?: string;
  readonly repository?: string;
  readonly timeScale?: string;
  readonly yes?: boolean;
  readonly from?: string;
}

/** Asks whether somebody agrees to the step, unless they have already. */
async function agrees({ name }: Step, command: string, isAgreed: boolean): Promise<boolean> {
  return isAgreed || confirmed({ question: `${pc.bold(name)} needs somebody to agree. Type its name`, answer: name, command });
}

async function runHere(context: Context, name: string, options: RunOptions): Promise<number> {
  const { plan, session, client } = await openRollouts(context);
  const published = await context.publishedPlan(plan, session);
  const [{ withClone, isUrl }, { pipelineOf }, { runPipeline, startFrom }, { run }, { selectComponent }, { Driver }] = await Promise.all([
    import('../../../pipelines/checkout.ts'),
    import('../../../pipelines/graph.ts'),
    import('../../../pipelines/run.ts'),
    import('../../program.ts'),
    import('../../plan/plan.ts'),
    import('../../rollout/driving.ts'),
  ]);
  const foreseen = published ?? (await context.plan());
  const component = selectComponent(foreseen, name);
  const { url: defined, branch, path } = component.repository;
  const { repository = defined, commit } = options;
  const url = isUrl(repository) ? repository : `file://${resolve(repository)}`;
  const pipeline = pipelineOf(foreseen, { ...component, repository: { url, branch, path } });
  const isAgreed = options.yes === true;
  const command = `cellctl pipelines run ${name}`;
  const { groups } = startFrom(pipeline, options.from);
  // Before the build, not when half of the cells have it.
  if (!isAgreed && groups.flat().some(({ kind }) => kind === 'approval')) await requireTerminal(command);
  const scale = options.timeScale === undefined ? 1 : await timeScale(options.timeScale);
  const driver = new Driver(client, `${context.who} (run ${context.runId})`, scale);
  let commitOf = commit;
  const environment = {
    CELL_FACTORY_DRIVER: driver.name,
    COMPONENT: name,
    CELL_FACTORY: packageRoot(),
    ...(options.timeScale === undefined ? {} : { CELL_FACTORY_TIME_SCALE: String(scale) }),
    CELL_FACTORY_ORGANIZATION: context.isPublished ? context.organization : resolve(context.organization),
  };
  const { output } = context;
  const began = Date.now();
  const words = () => [
    command,
    ...(commitOf ? ['--commit', commitOf] : []),
    ...(options.repository ? ['--repository', options.repository] : []),
  ];
  context.whenStopped('stopping: steps that are under way are ended', async () => {
    const left = await driver.leave('its run was stopped by hand');
    output.note(`${left ? `${left} stops, or is rolled back, as the policy says; ` : ''}go on with \`${words().join(' ')}\``);
  });
  const left = await withClone({ url, path, branch, commit }, run, (folder) =>
    runPipeline(pipeline, {
      ...{ folder, environment, emit: output.emit, from: options.from, agree: (step: Step) => agrees(step, command, isAgreed) },
      left: async ({ ROLLOUT, COMMIT }) => {
        commitOf = COMMIT ?? commitOf;
        if (ROLLOUT !== undefined) await driver.drive(ROLLOUT);
      },
    }),
  ).catch(async (error: unknown) => {
    const { message } = error as Error;
    // Somebody has stopped us: then that is said.
    if (!context.isStopped) await driver.leave(message.split('\n')[0] ?? message);
    throw error;
  });
  driver.rest();
  const seconds = Math.round((Date.now() - began) / 1_000);
  output.result({ component: name, ...left, seconds }, () =>
    output.line(
      `${pc.green('delivered')} ${pc.bold(`${name} ${left.COMPONENT_VERSION}`)} to every cell of its waves, in ${seconds} s (${left.ROLLOUT})`,
    ),
  );
  return 0;
}

const runCommand = () =>
  new Command('run')
    .description("take a commit through a component's pipeline from this machine: the same steps as its engine's, with the same commands")
    .argument('<component>', 'name of the component in the registry')
    .option('--commit <sha>', "commit (default: the newest of the component's branch)")
    .option('--repository <address>', "clone from there instead of the component's repository, e.g. a folder")
    .option('--time-scale <factor>', 'factor on every wait, above 0 and up to 1: 0.01 for a rehearsal')
    .addOption(yesOption())
    .option('--from <step>', 'begin with that step: of the same commit, what was before it is done (`cellctl pipelines show` lists steps)')
    .addHelpText(
      'after',
      '\nClones the repository, builds without credentials of AWS, publishes, and goes through every wave with its bake. When a step fails,' +
        '\nand on Ctrl-C, the rollout stops, and cells keep what they have, or is rolled back: by the policy’s onPipelineFailure. Run again for' +
        '\nthe same commit, it goes on where it stood.' +
        '\n\nExamples:\n  cellctl pipelines run orders-api\n  cellctl pipelines run orders-api --commit 3f0c2a9 --repository ../orders-api --yes' +
        '\n  cellctl pipelines run orders-api --commit 3f0c2a9 --from staging',
    )
    .action(action(runHere));

interface HookOptions {
  readonly wave: string;
  readonly target: string;
}

/** Cells whose target runs at once. */
const AT_ONCE = 4;

async function runHook(context: Context, id: string, options: HookOptions): Promise<number> {
  const number = await wholeNumber(options.wave, '--wave', { min: 0, max: 1_000 });
  const [{ hookSchema }, { FactoryError }] = await Promise.all([import('../../registry/model.ts'), import('../../registry/index.ts')]);
  if (!hookSchema.shape.run.safeParse(options.target).success) {
    throw new FactoryError('USAGE', `"${options.target}" is no target`, {
      fix: 'small letters, digits and hyphens, such as integration-test',
    });
  }
  const { plan, session, client } = await openRollouts(context);
  const { policyWaveOf } = await import('../../plan/waves.ts');
  const { waves } = await client.store.plan(id);
  // A stage of a pipeline is a wave of the policy, which may be one for each region.
  const own = waves.filter((wave) => policyWaveOf(wave) === number);
  if (own.length === 0) {
    throw new FactoryError('USAGE', `${id} has no wave ${number}`, { fix: `it has waves 0 to ${Math.max(...waves.map(policyWaveOf))}` });
  }
  const [record, parts, published, { targetInCells }] = await Promise.all([
    client.store.requireRecord(id),
    Promise.all(own.map((wave) => client.store.cellsIn(id, wave.number))),
    context.publishedPlan(plan, session),
    import('../../../pipelines/hook.ts'),
  ]);
  const endpoints = new Map(published?.cells.map(({ name, endpoint }) => [name, endpoint]));
  const results = await targetInCells(options.target, {
    record,
    cells: parts.flat(),
    endpoints,
    factory: packageRoot(),
    atOnce: AT_ONCE,
    emit: context.output.emit,
  });
  const failed = results.filter(({ code }) => code !== 0).map(({ cell }) => cell);
  context.output.result({ target: options.target, wave: number, cells: results }, () => {
    context.output.line(
      failed.length === 0
        ? `make ${options.target}: well in ${results.length} cells of wave ${number}`
        : `make ${options.target}: ${pc.red(`failed in ${failed.join(', ')}`)}`,
    );
  });
  return failed.length === 0 ? 0 : 1;
}

const hookCommand = () =>
  new Command('hook')
    .description("run a target of the component's Makefile, in the current folder, for each cell of a wave: what a pipeline's own steps do")
    .argument('<id>', 'the rollout')
    .addOption(new Option('-w, --wave <number>', 'the wave; 0 is staging').makeOptionMandatory())
    .addOption(new Option('-t, --target <name>', 'the target, e.g. integration-test').makeOptionMandatory())
    .addHelpText(
      'after',
      `\nThe cell is in the environment: CELL_NAME, CELL_STAGE, CELL_REGION, CELL_ACCOUNT_ID, CELL_ENDPOINT (${manual('components.md')}).` +
        '\n\nExamples:\n  cellctl pipelines hook orders-api-7 --wave 0 --target integration-test',
    )
    .action(action(runHook));

export const pipelinesCommand = () =>
  new Command('pipelines')
    .description('what takes every commit of a component to every cell: look at pipelines, run one from here')
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(renderCommand())
    .addCommand(diffCommand())
    .addCommand(syncCommand())
    .addCommand(runCommand())
    .addCommand(hookCommand());
