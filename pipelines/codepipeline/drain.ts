/**
 * A pipeline that is changed while a commit is in it would end that execution, with its rollout between two waves. So nothing
 * new is let in, what is in it comes to its end, and then it is changed. A commit that comes meanwhile waits behind the
 * source, where the newest is kept, and goes in afterwards: none is lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CodePipelineClient,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineStateCommand,
  type StageState,
} from '@aws-sdk/client-codepipeline';
import type { Session } from '../../lib/aws/session.ts';
import type { Emit } from '../../lib/messages.ts';
import { FactoryError, isNamed } from '../../lib/registry/index.ts';

/** Seconds between two looks at a pipeline that is busy. */
const LOOK_SECONDS = 30;

/** What people see of a transition that we hold. */
const REASON = 'cell-factory changes this pipeline as soon as it is idle';

export interface DrainOptions {
  /** Milliseconds since 1970 after which to give up. */
  readonly until: number;
  readonly emit: Emit;
  readonly client?: Pick<CodePipelineClient, 'send'>;
  readonly wait?: (seconds: number) => Promise<void>;
}

/** Stages that a commit is in. The first is the source, which goes on. */
const busyStages = (stages: readonly StageState[]): string[] =>
  stages.slice(1).flatMap(({ stageName = '', latestExecution }) => (latestExecution?.status === 'InProgress' ? [stageName] : []));

function unlessGone(error: unknown): undefined {
  if (!isNamed(error, 'PipelineNotFoundException')) throw error;
}

const isHeld = (entrance: StageState | undefined): boolean =>
  entrance?.inboundTransitionState?.enabled === false && entrance.inboundTransitionState.disabledReason === REASON;

/** Lets commits into a pipeline again that a sync which was killed has held. One that somebody else has closed stays closed. */
export async function letIn(
  session: Session,
  pipeline: string,
  client: Pick<CodePipelineClient, 'send'> = new CodePipelineClient(session),
) {
  const entrance = (await client.send(new GetPipelineStateCommand({ name: pipeline })).catch(unlessGone))?.stageStates?.[1];
  if (!isHeld(entrance)) return;
  const stageName = entrance?.stageName ?? '';
  await client.send(new EnableStageTransitionCommand({ pipelineName: pipeline, stageName, transitionType: 'Inbound' }));
}

/**
 * Does `work` while nothing is in the pipeline. One that is not there yet is idle.
 * @throws FactoryError `LOCKED` when it is still busy at `until`; nothing was changed then, and commits go in again
 */
export async function whileDrained<T>(session: Session, pipeline: string, options: DrainOptions, work: () => Promise<T>): Promise<T> {
  const { until, emit, client = new CodePipelineClient(session), wait = (seconds) => sleep(seconds * 1_000) } = options;
  const stages = async () => (await client.send(new GetPipelineStateCommand({ name: pipeline }))).stageStates ?? [];
  const first = await stages().catch(unlessGone);
  const entrance = first?.[1];
  if (entrance === undefined) return work();
  const transition = { pipelineName: pipeline, stageName: entrance.stageName ?? '', transitionType: 'Inbound' } as const;
  // Somebody has closed it for a reason of their own: it stays closed afterwards.
  const closed = entrance.inboundTransitionState?.enabled === false && !isHeld(entrance);
  if (!closed) await client.send(new DisableStageTransitionCommand({ ...transition, reason: REASON }));
  try {
    for (let busy = busyStages(await stages()); busy.length > 0; busy = busyStages(await stages())) {
      if (Date.now() > until) {
        throw new FactoryError('LOCKED', `${pipeline} is still busy in ${busy.join(', ')}; it was not changed`, {
          fix: 'wait until its rollout is over, and run this again',
        });
      }
      emit({ kind: 'progress', subject: pipeline, text: `waits until ${busy.join(', ')} is over` });
      await wait(LOOK_SECONDS);
    }
    return await work();
  } finally {
    // What was done may have been to remove it.
    if (!closed) await client.send(new EnableStageTransitionCommand(transition)).catch(unlessGone);
  }
}
