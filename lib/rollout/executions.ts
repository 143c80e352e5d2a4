import { type CodePipelineClient, GetPipelineExecutionCommand } from '@aws-sdk/client-codepipeline';
import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { policyWaveOf } from '../plan/waves.ts';
import { isNamed } from '../registry/index.ts';
import type { RolloutWave } from './rollout-record.ts';

/** Whether the execution is under way. One that was never started, or is forgotten after ninety days, is not. */
export async function isRunning(machines: SFNClient, executionArn: string): Promise<boolean> {
  try {
    return (await machines.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING';
  } catch (error) {
    if (isNamed(error, 'ExecutionDoesNotExist')) return false;
    throw error;
  }
}

/** How an execution of a pipeline is, in CodePipeline's words; `unknown` for one that it has forgotten, or never had. */
export async function pipelineStatus(pipelines: CodePipelineClient, pipelineName: string, pipelineExecutionId: string): Promise<string> {
  try {
    const { pipelineExecution } = await pipelines.send(new GetPipelineExecutionCommand({ pipelineName, pipelineExecutionId }));
    return pipelineExecution?.status ?? 'unknown';
  } catch (error) {
    if (isNamed(error, 'PipelineNotFoundException', 'PipelineExecutionNotFoundException')) return 'unknown';
    throw error;
  }
}

/** Executions of the machine that drives rollouts. */
export interface Executions {
  /** What the execution of that name is known by, whether or not it was started. */
  readonly idOf: (name: string) => string;
  readonly start: (name: string, input: RolloutInput) => Promise<void>;
  readonly isRunning: (id: string) => Promise<boolean>;
}

/** A stage of a pipeline, as it calls the machine that drives rollouts. */
export interface PipelineStage {
  /** The wave of the policy that it goes to. */
  readonly through: number;
  /** Whether somebody has agreed to that wave, in the pipeline. */
  readonly approved: boolean;
  /** Whether it is the pipeline's last. */
  readonly last: boolean;
  /** The execution of CodePipeline that calls. @default - whoever calls gives signs of life, or none */
  readonly execution?: string;
}

/** A wave of a rollout, as far as stages of pipelines count it. */
type CountedWave = Pick<RolloutWave, 'number' | 'policyWave'>;

/**
 * The wave that a stage takes the rollout to. A stage is a wave of the policy, which may be several waves of the rollout: one for
 * each region. The last stage takes it to its end: the policy may have got more waves since the pipeline was made, and a rollout
 * that nobody takes on would keep its locks, and its cells without the version.
 * @param waves of the rollout's plan
 */
export const reachOf = ({ through, last }: PipelineStage, waves: readonly CountedWave[]): number =>
  Math.max(0, ...waves.filter((wave) => last || policyWaveOf(wave) <= through).map(({ number }) => number));

/** The first wave of those that a stage goes through. @param waves of the rollout's plan */
export const firstOf = ({ through }: PipelineStage, waves: readonly CountedWave[]): number =>
  waves.find((wave) => policyWaveOf(wave) >= through)?.number ?? through;

/** What the machine is given that drives rollouts. */
export interface RolloutInput {
  readonly rollout: string;
  /** Null for all waves that the rollout's record says. */
  readonly stage: PipelineStage | null;
}

/** @param machine its ARN */
export const executionsOf = (machines: SFNClient, machine: string): Executions => ({
  idOf: (name) => `${machine.replace(':stateMachine:', ':execution:')}:${name}`,
  start: async (name, input) => {
    await machines.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify(input) }));
  },
  isRunning: (id) => isRunning(machines, id),
});
