/** Brings the stacks of pipelines, and what they stand on, to what the registry says. */
import pLimit from 'p-limit';
import { deployControlStack } from '../lib/accounts/control-stacks.ts';
import { asCloudError } from '../lib/aws/cloud-error.ts';
import type { Leases } from '../lib/aws/lease.ts';
import type { Session } from '../lib/aws/session.ts';
import { deleteStack, findStack } from '../lib/aws/stacks.ts';
import type { Assembly } from '../lib/aws/toolkit.ts';
import { observeStack } from '../lib/cell/stack-changes.ts';
import type { Emit } from '../lib/messages.ts';
import { PIPELINES_STAND_ON, type PipelineStackPlan, pipelineStacks, SHARED_STACKS } from '../lib/plan/pipeline-stacks.ts';
import type { Plan } from '../lib/plan/plan.ts';
import { FactoryError, pipelineName } from '../lib/registry/index.ts';
import type { ObservedStack } from '../lib/review/difference.ts';
import { type DrainOptions, letIn, whileDrained } from './codepipeline/drain.ts';
import { unsupported } from './hosting.ts';
import type { Leftover } from './leftovers.ts';

/** Pipelines that are waited for, and changed, at once. */
const CONCURRENCY = 8;

/** A stack, and what is there of it. */
export interface LookedAt extends Pick<PipelineStackPlan, 'stackName' | 'component'> {
  readonly observed: ObservedStack;
}

/** Components that no engine can deliver, each with the reason. */
export const undelivered = (plan: Plan): readonly string[] => plan.components.flatMap((component) => unsupported(plan, component) ?? []);

/** What is brought up to date, in the order in which it is: what pipelines stand on, what they share, then each for itself. */
export const stacksToSync = (plan: Plan): readonly Pick<PipelineStackPlan, 'stackName' | 'component'>[] => [
  ...PIPELINES_STAND_ON.map((stackName) => ({ stackName, component: undefined })),
  ...pipelineStacks(plan).filter(({ component }) => component === undefined || unsupported(plan, component) === undefined),
];

/** Looks at what is there. */
export const lookAt = (plan: Plan, { templates }: Assembly, session: Session): Promise<readonly LookedAt[]> =>
  Promise.all(
    stacksToSync(plan).map(async ({ stackName, component }) => ({
      stackName,
      component,
      observed: await observeStack({ stackName, template: templates.get(stackName) ?? {}, session }),
    })),
  );

export const stateOf = ({ status, changes }: ObservedStack): 'new' | 'differs' | 'unchanged' => {
  if (status === undefined) return 'new';
  return changes.length === 0 ? 'unchanged' : 'differs';
};

export interface SyncInput {
  readonly assembly: Assembly;
  readonly stacks: readonly LookedAt[];
  readonly leftovers: readonly Leftover[];
  readonly session: Session;
  readonly leases: Leases;
  readonly runId: string;
  readonly now: Date;
  readonly drain: DrainOptions;
  readonly emit: Emit;
}

export interface Synced {
  readonly stackName: string;
  /** `kept`: its component is gone, or its engine delivers nothing any more, and it may not go yet. */
  readonly state: 'unchanged' | 'deployed' | 'removed' | 'kept' | 'failed';
  /** Until when it is kept, ISO 8601. */
  readonly due?: string;
  readonly error?: FactoryError;
}

/**
 * Changes what differs. What pipelines stand on and share comes first, and a failure there ends it; then every pipeline for
 * itself: one that stays busy, or can't be changed, holds up no other.
 * @throws FactoryError `LOCKED` while somebody else does the same
 */
export async function syncPipelines(input: SyncInput): Promise<readonly Synced[]> {
  const { assembly, stacks, leftovers, session, leases, runId, now, drain, emit } = input;
  const deploy = async ({ stackName, observed }: Pick<LookedAt, 'stackName' | 'observed'>): Promise<Synced> => {
    if (stateOf(observed) === 'unchanged') return { stackName, state: 'unchanged' };
    await deployControlStack(assembly.directory, stackName, { session, runId, emit });
    return { stackName, state: 'deployed' };
  };
  return leases.hold('pipelines', async () => {
    const results: Synced[] = [];
    const below = stacks.filter(({ stackName }) => PIPELINES_STAND_ON.some((name) => name === stackName));
    const shared = stacks.filter((stack) => !stack.component && !below.includes(stack));
    const deployAll = async (all: readonly LookedAt[]) => {
      for (const stack of all) results.push(await deploy(stack));
    };
    // Who deploys tooling holds the same.
    await leases.hold('tooling', () => deployAll(below));
    // The pipeline of pipelines is not held up by itself: it may be who runs this.
    await deployAll(shared);

    const limit = pLimit(CONCURRENCY);
    const whileIdle = (stackName: string, component: string, work: () => Promise<Synced>): Promise<Synced> =>
      limit(() =>
        whileDrained(session, pipelineName(component), drain, work).catch(
          (error: unknown): Synced => ({ stackName, state: 'failed', error: asCloudError(error) }),
        ),
      );
    // A sync that was killed after its change has left the pipeline closed.
    const unheld = (component: string, work: () => Promise<Synced>) => limit(() => letIn(session, pipelineName(component)).then(work));
    const own = stacks.flatMap((stack) => (stack.component ? [{ ...stack, component: stack.component.name }] : []));
    const changing = own.map((stack) =>
      stateOf(stack.observed) === 'unchanged'
        ? unheld(stack.component, () => deploy(stack))
        : whileIdle(stack.stackName, stack.component, () => deploy(stack)),
    );
    const leaving = leftovers.flatMap(({ stackName, component, due }): Promise<Synced>[] => {
      if (component === undefined) return [];
      if (new Date(due) > now) return [Promise.resolve({ stackName, state: 'kept', due })];
      return [whileIdle(stackName, component, () => remove(session, stackName, emit))];
    });
    results.push(...(await Promise.all([...changing, ...leaving])));
    // Last: the pipeline of pipelines may be who runs this, and CloudFormation goes on without it.
    for (const leftover of leftovers) if (leftover.component === undefined) results.push(await removeShared(leftover, results, input));
    return results;
  });
}

/** Removes what an engine's pipelines shared, unless one of them is still there. */
async function removeShared({ stackName, due }: Leftover, results: readonly Synced[], { session, now, emit }: SyncInput): Promise<Synced> {
  const prefix = SHARED_STACKS.get(stackName) ?? stackName;
  const stays = results.some((result) => result.stackName.startsWith(prefix) && result.state !== 'removed');
  if (stays || new Date(due) > now) return { stackName, state: 'kept', due };
  try {
    return await remove(session, stackName, emit);
  } catch (error) {
    const { message } = asCloudError(error);
    const fix = 'run `cellctl pipelines sync` yourself, with credentials of tooling: what runs in the stack can not remove it';
    return { stackName, state: 'failed', error: new FactoryError('DEPLOY_FAILED', message, { fix, cause: error }) };
  }
}

/** What is in its logs and in the records of rollouts stays. */
async function remove(session: Session, stackName: string, emit: Emit): Promise<Synced> {
  const stack = await findStack(session, stackName);
  if (stack) await deleteStack(session, stack, emit);
  return { stackName, state: 'removed' };
}

/** The error of a sync of which a part failed. */
export function requireSynced(results: readonly Synced[]): void {
  const failed = results.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return;
  throw new FactoryError(
    'DEPLOY_FAILED',
    `${failed.map(({ stackName, error }) => `${stackName}: ${error?.message}${error?.fix === undefined ? '' : ` (${error.fix})`}`).join('; ')}`,
    {
      fix: 'mend that, and run it again: what was brought up to date stays so',
    },
  );
}
