import type { PipelineStage } from '../executions.ts';

/**
 * What each operation of the operator may answer. The operator's types and the machines' branches both come from here, so
 * that no answer finds a machine that has no way for it, and no way is left that no answer takes.
 */
export const ANSWERS = {
  next: ['wave', 'wait', 'after', 'between', 'end'],
  preflight: ['go', 'wait', 'pass', 'rollback', 'end'],
  watch: ['wait', 'done'],
  deployed: ['bake', 'rollback', 'end'],
  look: ['wait', 'again', 'pass', 'rollback', 'end'],
  rollback: ['rollback', 'pass', 'end'],
  restored: ['again', 'end'],
  broken: ['rollback', 'end'],
  waveFailed: ['end'],
  after: ['wait', 'end'],
  idle: ['wait', 'stage', 'end'],
  startDeploy: ['again', 'poll', 'done'],
  pollDeploy: ['poll', 'done'],
  startRestore: ['poll', 'done'],
  pollRestore: ['poll', 'done'],
  cellBroken: ['done'],
} as const;

/** What an execution is told that no longer drives its rollout: there is nothing for it to do. */
export const superseded = (op: OperationName): WaveAnswer<'end'> | CellAnswer<'done'> =>
  (ANSWERS[op] as readonly string[]).includes('end')
    ? { action: 'end', well: false, sentence: 'another execution drives the rollout by now' }
    : { action: 'done', seconds: 1 };

export type OperationName = keyof typeof ANSWERS;
export type AnswerTo<Name extends OperationName> = (typeof ANSWERS)[Name][number];
type WaveOperation = Exclude<OperationName, CellOperation>;
type CellOperation = 'startDeploy' | 'pollDeploy' | 'startRestore' | 'pollRestore' | 'cellBroken';

/** What a machine is told about a wave. `action` is what it branches on. */
export interface WaveAnswer<Action extends AnswerTo<WaveOperation> = AnswerTo<WaveOperation>> {
  readonly action: Action;
  readonly seconds?: number;
  /** For people, in the history of the execution. */
  readonly sentence?: string;
  readonly wave?: number;
  /** How many executions have driven the rollout: a wave that is begun by an earlier one has nothing more to say. */
  readonly run?: number;
  /** Name of the wave's execution. */
  readonly name?: string;
  /** Where the cells to fan out over lie, and how many at once. */
  readonly cells?: string;
  readonly concurrency?: number;
  /** What takes the rollout on from between two waves. */
  readonly stage?: PipelineStage;
  /** Whether an execution that ends here ends well. */
  readonly well?: boolean;
}

/** What the machine does next with a cell. */
export interface CellAnswer<Action extends AnswerTo<CellOperation> = AnswerTo<CellOperation>> {
  readonly action: Action;
  /** Before that. */
  readonly seconds: number;
}
