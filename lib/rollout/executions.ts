import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { isNamed } from '../../registry/index.ts';

/** Whether the execution is under way. One that was never started, or is forgotten after ninety days, is not. */
export async function isRunning(machines: SFNClient, executionArn: string): Promise<boolean> {
  try {
    return (await machines.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING';
  } catch (error) {
    if (isNamed(error, 'ExecutionDoesNotExist')) return false;
    throw error;
  }
}

/** Executions of the machine that drives rollouts. */
export interface Executions {
  /** What the execution of that name is known by, whether or not it was started. */
  readonly idOf: (name: string) => string;
  readonly start: (name: string, rollout: string) => Promise<void>;
  readonly isRunning: (id: string) => Promise<boolean>;
}

/** @param machine its ARN */
export const executionsOf = (machines: SFNClient, machine: string): Executions => ({
  idOf: (name) => `${machine.replace(':stateMachine:', ':execution:')}:${name}`,
  start: async (name, rollout) => {
    await machines.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify({ rollout }) }));
  },
  isRunning: (id) => isRunning(machines, id),
});
