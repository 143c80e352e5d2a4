/**
 * The cell operator: the one function that acts in cells. The machines call it for every step of a rollout; it looks, does
 * one thing, writes it down, and says what comes next. It never waits, and doing a step twice is as good as doing it once.
 */
import { CodePipelineClient } from '@aws-sdk/client-codepipeline';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3Client } from '../../aws/s3.ts';
import { S3Objects } from '../../aws/s3-objects.ts';
import { defaultSession } from '../../aws/session.ts';
import { environment } from '../../environment.ts';
import { pipelineName } from '../../registry/names.ts';
import { RegistryReader } from '../../registry/reader.ts';
import { isRunning, type PipelineStage, pipelineStatus } from '../executions.ts';
import type { RolloutCell } from '../rollout-record.ts';
import { RolloutStore } from '../rollout-store.ts';
import { AfterSuccess } from './after-success.ts';
import { type CellAnswer, superseded, type WaveAnswer } from './answers.ts';
import { BetweenWaves } from './between-waves.ts';
import { cellAccess } from './cell-access.ts';
import { CellWork } from './cell-steps.ts';
import { publishedCells } from './live.ts';
import { asOperatorError, OperatorError } from './operator-error.ts';
import type { WaveContext } from './rollout-work.ts';
import { WaveWork } from './wave-steps.ts';

/** What a machine asks for. */
export type Operation = { readonly rollout: string } & (
  | { readonly op: 'next'; readonly execution: string; readonly stage: PipelineStage | null }
  | { readonly op: 'after' | 'idle' }
  | { readonly op: 'waveFailed'; readonly execution: string; readonly error: Caught }
  // The run of the rollout that began the wave: see `superseded`.
  | ({ readonly run: number; readonly wave: number } & (
      | { readonly op: 'preflight'; readonly execution: string }
      | { readonly op: 'watch' | 'deployed' | 'look' | 'rollback' | 'restored' }
      | { readonly op: 'broken'; readonly error: Caught }
      | { readonly op: 'startDeploy' | 'pollDeploy' | 'startRestore' | 'pollRestore'; readonly cell: RolloutCell }
      | { readonly op: 'cellBroken'; readonly cell: RolloutCell; readonly error: Caught }
    ))
);

/** An error as Step Functions hands it to a `Catch`. */
interface Caught {
  readonly Error: string;
  readonly Cause?: string;
}

/** What was caught, as a sentence: what the function threw, or how a wave's execution ended, is JSON in the cause. */
function sentenceOf({ Error: name, Cause = '' }: Caught): string {
  try {
    const { errorMessage, Name, Status } = JSON.parse(Cause) as { errorMessage?: string; Name?: string; Status?: string };
    if (Name !== undefined && Status !== undefined) return `${Name} is ${Status}`;
    return `${name}: ${errorMessage ?? Cause}`;
  } catch {
    return Cause === '' ? name : `${name}: ${Cause}`;
  }
}

/** Does one step. */
export async function operate(context: WaveContext, operation: Operation): Promise<WaveAnswer | CellAnswer> {
  const plan = await context.store.plan(operation.rollout);
  const between = new BetweenWaves(context, plan);
  const rollout = new WaveWork(context, plan);
  if ('run' in operation && operation.run !== (await context.store.requireRecord(operation.rollout)).runs) return superseded(operation.op);
  switch (operation.op) {
    case 'next':
      return between.next(operation.execution, operation.stage);
    case 'after':
      return new AfterSuccess(context, plan).after();
    case 'idle':
      return between.idle();
    case 'preflight':
      return rollout.preflight(operation.wave, operation.execution);
    case 'watch':
      return rollout.watch(operation.wave);
    case 'deployed':
      return rollout.deployed(operation.wave);
    case 'look':
      return rollout.look(operation.wave);
    case 'rollback':
      return rollout.rollback(operation.wave);
    case 'restored':
      return rollout.restored(operation.wave);
    case 'waveFailed':
      return between.waveFailed(operation.execution, sentenceOf(operation.error));
    case 'broken':
      return rollout.broken(operation.wave, sentenceOf(operation.error));
    case 'cellBroken':
      return new CellWork(context, plan, operation.wave, operation.cell).broken(sentenceOf(operation.error));
    default:
      return new CellWork(context, plan, operation.wave, operation.cell).step(operation.op);
  }
}

interface FunctionContext {
  readonly invokedFunctionArn: string;
}

let context: WaveContext | undefined;

function createContext({ invokedFunctionArn }: FunctionContext): WaveContext {
  const [, partition = '', , region = ''] = invokedFunctionArn.split(':');
  const { table, bucket, registry } = environment.operator;
  if (!table || !bucket || !registry) {
    throw new OperatorError('BadInput', 'ROLLOUTS_TABLE, ARTIFACTS_BUCKET and REGISTRY_BUCKET must be set');
  }
  const session = defaultSession(region);
  const machines = new SFNClient(session);
  const pipelines = new CodePipelineClient(session);
  return {
    store: new RolloutStore(session, table, new S3Objects(s3Client(session), bucket)),
    homeRegion: region,
    access: cellAccess(session, partition),
    published: publishedCells(new RegistryReader({ bucket: registry, region, s3: s3Client(session), maxAgeSeconds: 0 })),
    now: () => new Date(),
    isRunning: (execution) => isRunning(machines, execution),
    pipelineStatus: (component, execution) => pipelineStatus(pipelines, pipelineName(component), execution),
  };
}

/** The handler of another function, whose code comes in the same bundle. */
export { tell } from '../tell.ts';

/** The function's handler. */
export async function handler(operation: Operation, lambda: FunctionContext): Promise<WaveAnswer | CellAnswer> {
  context ??= createContext(lambda);
  try {
    return await operate(context, operation);
  } catch (error) {
    throw asOperatorError(error, `${operation.op} of ${operation.rollout}`);
  }
}
