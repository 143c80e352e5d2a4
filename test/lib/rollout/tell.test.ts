import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, test } from '@jest/globals';
import type { EventDetail } from '../../../lib/rollout/event.ts';
import type { RolloutRecord, WaveRecord } from '../../../lib/rollout/rollout-record.ts';
import { type StreamRecord, type TellContext, tellOf } from '../../../lib/rollout/tell.ts';
import { rollout } from '../../_helpers/rollout-view.ts';

const EXECUTION = 'arn:aws:states:eu-west-1:200000000000:execution:Rollout:orders-api-7-1';
const { view } = rollout({ record: { execution: EXECUTION } });

/** What is told, and what the log says. @param record the one that is there */
function teller(record: RolloutRecord | undefined = view.record) {
  const sent: EventDetail[] = [];
  const logged: string[] = [];
  const context: TellContext = {
    store: { plan: async () => view.plan, record: async () => record },
    send: async (events) => void sent.push(...events),
    log: (sentence) => logged.push(sentence),
  };
  return { context, sent, logged };
}

const written = (sk: string, before: object | undefined, after: object | undefined, pk = 'rollout#orders-api-7'): StreamRecord => {
  const image = (item: object) => marshall({ pk, sk, ...item }, { removeUndefinedValues: true });
  return {
    eventID: 'e1',
    dynamodb: {
      ApproximateCreationDateTime: 1_772_452_800,
      ...(before && { OldImage: image(before) }),
      ...(after && { NewImage: image(after) }),
    },
  };
};
const execution = (arn: string, status = 'ABORTED', input: string | null = '{"rollout":"orders-api-7","stage":null}') => ({
  id: 'x1',
  time: '2026-03-02T12:00:00Z',
  detail: { executionArn: arn, status, input },
});

describe('what is written', () => {
  test('is told: of the record, and of waves', async () => {
    const { context, sent } = teller();
    const wave: WaveRecord = { number: 1, status: 'baking', attempts: 1 };
    const stopped = { ...view.record, status: 'stopped' };
    await tellOf(context, {
      Records: [written('wave#001', { ...wave, status: 'deploying' }, wave), written('record', view.record, stopped)],
    });
    expect(sent.map(({ id, at, status, waveStatus }) => ({ id, at, status, waveStatus }))).toEqual([
      { id: 'e1-wave', at: '2026-03-02T12:00:00.000Z', status: 'running', waveStatus: 'baking' },
      { id: 'e1-rollout', at: '2026-03-02T12:00:00.000Z', status: 'stopped', waveStatus: null },
    ]);
  });

  test('is not told where it is no rollout’s, or is deleted', async () => {
    const { context, sent } = teller();
    await tellOf(context, {
      Records: [written('active', undefined, { rollout: 'x' }, 'component#orders-api'), written('record', view.record, undefined)],
    });
    expect(sent).toEqual([]);
  });

  test('and damaged is logged, and what comes after it told', async () => {
    const { context, sent, logged } = teller();
    const broken = written('record', view.record, { ...view.record, status: 'nonsense' });
    await tellOf(context, { Records: [broken, written('record', view.record, { ...view.record, status: 'paused' })] });
    expect(logged).toEqual([expect.stringMatching(/^e1 is not told of: RECORD_INVALID: /)]);
    expect(sent.map(({ status }) => status)).toEqual(['paused']);
  });

  test('is told again where the bus did not take it', async () => {
    const { context } = teller();
    const send = async () => Promise.reject(new Error('the bus is full'));
    const records = { Records: [written('record', view.record, { ...view.record, status: 'paused' })] };
    await expect(tellOf({ ...context, send }, records)).rejects.toThrow('the bus is full');
  });
});

describe('an execution that has ended', () => {
  test('is told as dead where its rollout still counts on it', async () => {
    const { context, sent } = teller();
    await tellOf(context, execution(EXECUTION));
    expect(sent).toMatchObject([{ id: 'x1-rollout', status: 'dead', attention: true, reason: 'its execution is ABORTED, without a word' }]);
  });

  test.each([
    ['has written down how', { ...view.record, status: 'stopped' } as const, execution(EXECUTION)],
    ['was replaced by another', view.record, execution(`${EXECUTION}2`)],
    ['is no rollout’s', view.record, execution(EXECUTION, 'FAILED', '{}')],
    ['has an input too long to be told', view.record, execution(EXECUTION, 'FAILED', null)],
    ['has no record any more', undefined, execution(EXECUTION)],
  ])('is nothing where it %s', async (_, record, input) => {
    const { context, sent } = teller(record as RolloutRecord | undefined);
    const store = { ...context.store, record: async () => record as RolloutRecord | undefined };
    await tellOf({ ...context, store }, input);
    expect(sent).toEqual([]);
  });
});
