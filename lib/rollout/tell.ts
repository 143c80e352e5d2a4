/**
 * The function that tells the bus what becomes of rollouts. It hears of it from the table itself, whoever wrote there, and so
 * forgets no change; and from Step Functions when an execution has ended without having written down why.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { s3Client } from '../aws/s3.ts';
import { S3Objects } from '../aws/s3-objects.ts';
import { defaultSession } from '../aws/session.ts';
import { environment } from '../environment.ts';
import { FactoryError } from '../registry/index.ts';
import { DETAIL_TYPES, deadEvent, EVENT_SOURCE, type EventDetail, recordEvents, waveEvents } from './event.ts';
import type { RolloutRecord, WaveRecord } from './rollout-record.ts';
import { RolloutStore } from './rollout-store.ts';
import { parseRecord } from './stored-record.ts';

/** A record of the table's stream. */
export interface StreamRecord {
  readonly eventID: string;
  readonly dynamodb: {
    /** When it was written, in seconds since 1970. */
    readonly ApproximateCreationDateTime: number;
    readonly OldImage?: Image;
    readonly NewImage?: Image;
  };
}

type Image = Parameters<typeof unmarshall>[0];

/** "Step Functions Execution Status Change", as EventBridge hands it on. */
export interface ExecutionChange {
  readonly id: string;
  readonly time: string;
  readonly detail: { readonly executionArn: string; readonly status: string; readonly input: string | null };
}

/** What is told, and to whom. */
export interface TellContext {
  readonly store: Pick<RolloutStore, 'plan' | 'record'>;
  /** All of them, or an error. */
  readonly send: (events: readonly EventDetail[]) => Promise<void>;
  /** Says in the log what can't be told. */
  readonly log: (sentence: string) => void;
}

/** Tells of what was written, or of an execution that has ended. */
export async function tellOf(context: TellContext, input: { readonly Records: readonly StreamRecord[] } | ExecutionChange): Promise<void> {
  if (!('Records' in input)) return context.send(await ofExecution(context, input));
  for (const record of input.Records) {
    const events = await readable(context, record.eventID, () => ofWrite(context, record));
    if (events.length > 0) await context.send(events);
  }
}

/** Nothing for a record that is damaged: what comes after it must be told all the same. */
async function readable({ log }: TellContext, what: string, work: () => Promise<EventDetail[]>): Promise<EventDetail[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    log(`${what} is not told of: ${error.code}: ${error.message}`);
    return [];
  }
}

async function ofWrite({ store }: TellContext, { eventID, dynamodb }: StreamRecord): Promise<EventDetail[]> {
  const { OldImage, NewImage, ApproximateCreationDateTime } = dynamodb;
  // What is deleted has nothing more to say.
  if (!NewImage) return [];
  const { pk, sk, ...item } = unmarshall(NewImage);
  const [kind, id = ''] = String(pk).split('#');
  if (kind !== 'rollout') return [];
  const told = { id: eventID, at: new Date(ApproximateCreationDateTime * 1_000).toISOString(), plan: await store.plan(id) };
  const before = OldImage && withoutKeys(unmarshall(OldImage));
  if (sk === 'record') return recordEvents(before && parseRecord(id, before), parseRecord(id, item), told);
  const record = await store.record(id);
  return record ? waveEvents(before as unknown as WaveRecord | undefined, item as unknown as WaveRecord, record, told) : [];
}

const withoutKeys = ({ pk: _pk, sk: _sk, ...item }: Record<string, unknown>) => item;

/** An execution that its rollout's record still waits for, and that has ended. */
async function ofExecution(context: TellContext, { id, time, detail }: ExecutionChange): Promise<EventDetail[]> {
  const { rollout } = JSON.parse(detail.input ?? '{}') as { rollout?: string };
  if (rollout === undefined) return [];
  return readable(context, `the end of ${detail.executionArn}`, async () => {
    const record: RolloutRecord | undefined = await context.store.record(rollout);
    if (record?.status !== 'running' || record.execution !== detail.executionArn) return [];
    const plan = await context.store.plan(rollout);
    return [deadEvent(record, { id, at: new Date(time).toISOString(), plan }, `its execution is ${detail.status}, without a word`)];
  });
}

/** Events that one call takes. */
const AT_ONCE = 10;

/** @throws Error where the bus has not taken one of them: they are told again */
async function put(client: EventBridgeClient, bus: string, events: readonly EventDetail[]): Promise<void> {
  for (let first = 0; first < events.length; first += AT_ONCE) {
    const Entries = events.slice(first, first + AT_ONCE).map((detail) => ({
      ...{ EventBusName: bus, Source: EVENT_SOURCE, DetailType: DETAIL_TYPES[detail.change] },
      ...{ Time: new Date(detail.at), Detail: JSON.stringify(detail), Resources: [] },
    }));
    const { Entries: answers = [] } = await client.send(new PutEventsCommand({ Entries }));
    const refused = answers.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused) throw new Error(`${bus} did not take an event: ${refused.ErrorCode}: ${refused.ErrorMessage}`);
  }
}

let context: TellContext | undefined;

function createContext(region: string): TellContext {
  const { bus, table, bucket } = environment.teller;
  if (!bus || !table || !bucket) throw new Error('EVENT_BUS, ROLLOUTS_TABLE and ARTIFACTS_BUCKET must be set');
  const session = defaultSession(region);
  const client = new EventBridgeClient(session);
  return {
    store: new RolloutStore(session, table, new S3Objects(s3Client(session), bucket)),
    send: (events) => put(client, bus, events),
    log: (sentence) => void process.stderr.write(`${sentence}\n`),
  };
}

/** The function's handler. */
export async function tell(input: Parameters<typeof tellOf>[1], lambda: { readonly invokedFunctionArn: string }): Promise<void> {
  context ??= createContext(lambda.invokedFunctionArn.split(':')[3] ?? '');
  await tellOf(context, input);
}
