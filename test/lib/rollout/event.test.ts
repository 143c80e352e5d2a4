import { describe, expect, test } from '@jest/globals';
import { deadEvent, linkTo, recordEvents, waveEvents } from '../../../lib/rollout/event.ts';
import type { RolloutRecord, WaveRecord } from '../../../lib/rollout/rollout-record.ts';
import { ago, NOW, rollout } from '../../_helpers/rollout-view.ts';

const EXECUTION = 'arn:aws:states:eu-west-1:200000000000:execution:Rollout:orders-api-7-1';
const { view } = rollout();
const told = { id: 'e1', at: NOW.toISOString(), plan: view.plan };
const record = (patch: Partial<RolloutRecord> = {}): RolloutRecord => ({ ...view.record, execution: EXECUTION, ...patch });
const by = (who: string) => ({ by: who, at: ago(1), reason: 'INC-42' });
const events = (before: RolloutRecord | undefined, after: RolloutRecord) => recordEvents(before, after, told);

describe('the events of a record', () => {
  test('say that a rollout has begun, who began it, and where to look', () => {
    const [event, ...others] = events(undefined, record());
    expect(others).toEqual([]);
    expect(event).toEqual({
      ...{
        schema: 1,
        id: 'e1-rollout',
        change: 'rollout',
        at: NOW.toISOString(),
        rollout: 'orders-api-7',
        component: 'orders-api',
        version: '2.0.0',
      },
      ...{ status: 'running', before: null, wave: null, waveStatus: null, cells: [], cellCount: 0, reason: '', by: 'ada' },
      ...{ attention: false, next: [], link: linkTo(EXECUTION), text: 'orders-api-7 (orders-api 2.0.0) is running.' },
    });
  });

  test('are none for a write that changes no state', () => {
    expect(events(record(), record({ updatedAt: ago(0), control: { pause: by('bob') } }))).toEqual([]);
  });

  test.each([
    ['awaiting approval', 'cellctl rollout approve orders-api-7'],
    ['awaiting decision', 'cellctl rollout continue orders-api-7 --reason "…"'],
    ['stopped', 'cellctl rollout resume orders-api-7'],
    ['rolled back', 'cellctl rollout resume orders-api-7'],
    ['rolled back in part', 'cellctl rollout rollback orders-api-7 --reason "…"'],
  ] as const)('call somebody when a rollout is %s, and name the way on', (status, next) => {
    const outcome = { wave: 1, sentence: 'alpha: cell-alpha-errors in ALARM' };
    const [event] = events(record(), record({ status, outcome }));
    expect(event).toMatchObject({ status, before: 'running', attention: true, wave: 1, cells: ['alpha'], by: 'cell-factory' });
    expect(event?.next[0]).toBe(next);
    expect(event?.text).toContain(`is ${status}: alpha: cell-alpha-errors in ALARM. Next: ${next}`);
  });

  test.each(['queued', 'between waves', 'paused', 'succeeded'] as const)('call nobody when a rollout is %s', (status) => {
    expect(events(record(), record({ status }))[0]).toMatchObject({ status, attention: false });
  });

  test('call nobody for one that a newer one went instead of', () => {
    const [event] = events(record({ status: 'queued', runs: 0 }), record({ status: 'stopped', runs: 0 }));
    expect(event).toMatchObject({ attention: false, next: [] });
  });

  test.each([
    ['paused', { pause: by('bob') }],
    ['stopped', { stop: by('bob') }],
    ['rolled back', { rollback: { ...by('bob'), scope: 'all' } }],
    ['running', { resumed: by('bob'), continued: { ...by('eve'), at: ago(60) } }],
    ['running', { approvals: { 2: by('bob') } }],
  ] as const)('say who asked: %s', (status, control) => {
    expect(events(record({ status: 'awaiting approval' }), record({ status, control }))[0]?.by).toBe('bob');
  });

  test('tell each verdict once, with its numbers in words', () => {
    const verdict = { at: ago(5), wave: 1, verdict: 'alone', sentence: 'alpha stays sick', cells: ['alpha'] } as const;
    const blip = { ...verdict, at: ago(9), verdict: 'blip', sentence: 'alpha is well again' } as const;
    const found = events(record({ verdicts: [blip] }), record({ verdicts: [blip, verdict] }));
    expect(found.map(({ change, reason, attention, cells, wave }) => ({ change, reason, attention, cells, wave }))).toEqual([
      { change: 'verdict', reason: 'alpha stays sick', attention: true, cells: ['alpha'], wave: 1 },
    ]);
    expect(events(record(), record({ verdicts: [blip] }))[0]?.attention).toBe(false);
  });

  test('tell which cells fell sick after the success, each once, with the command that takes the version back', () => {
    const sick = (...cells: string[]) => ({
      status: 'succeeded' as const,
      afterwards: { until: ago(-60), lookedAt: ago(0), sick: cells.map((cell) => ({ cell, sentence: `${cell}: an alarm` })) },
    });
    const [event] = events(record(sick('alpha')), record(sick('alpha', 'bravo')));
    expect(event?.change).toBe('afterwards');
    expect(event).toMatchObject({ cells: ['bravo'], attention: true, reason: 'bravo: an alarm', status: 'succeeded' });
    expect(event?.next).toEqual(['cellctl rollout rollback orders-api-7 --reason "…"']);
    expect(events(record(sick('alpha', 'bravo')), record(sick('alpha', 'bravo')))).toEqual([]);
  });

  test('pass nothing on to a chat that it would take for a call or a link, nor more than an event may hold', () => {
    // A reason may be a component's own words.
    const outcome = { sentence: `<!channel> see <https://evil.example.com|here> & ${'x'.repeat(300_000)}` };
    const [event] = events(record(), record({ status: 'stopped', outcome }));
    expect(event?.text).toContain('&lt;!channel&gt; see &lt;https://evil.example.com|here&gt; &amp; xxx');
    expect(event?.text).toContain('Next: cellctl rollout resume orders-api-7');
    expect(JSON.stringify(event).length).toBeLessThan(20_000);
  });

  test('name a hundred cells at most, and how many there are', () => {
    const cells = Array.from({ length: 300 }, (_, index) => `c${index}`);
    const back = { scope: 'cells', cells } as const;
    const { cells: named, cellCount } = events(record(), record({ status: 'awaiting decision', back }))[0] ?? {};
    expect({ named: named?.length, cellCount }).toEqual({ named: 100, cellCount: 300 });
  });
});

describe('the events of a wave', () => {
  const wave = (patch: Partial<WaveRecord>): WaveRecord => ({ number: 1, status: 'deploying', attempts: 1, ...patch });

  test('say how it is now, and which cells it has', () => {
    const [event] = waveEvents(undefined, wave({ status: 'preflight' }), record(), told);
    expect(event).toMatchObject({ change: 'wave', wave: 1, waveStatus: 'preflight', cells: ['alpha'], attention: false });
    expect(event?.text).toBe('orders-api-7 (orders-api 2.0.0) wave 1, one-quiet-cell, is preflight.');
  });

  test('say that it is held, and that it goes on', () => {
    const held = wave({ held: ago(1), sentence: 'alpha: an alarm' });
    expect(waveEvents(wave({}), held, record(), told)[0]).toMatchObject({ waveStatus: 'held', reason: 'alpha: an alarm' });
    expect(waveEvents(held, wave({}), record(), told)[0]).toMatchObject({ waveStatus: 'deploying' });
    expect(waveEvents(held, { ...held, begun: 7 }, record(), told)).toEqual([]);
  });
});

test('a rollout whose execution ended without a word is dead, and can be resumed', () => {
  const detail = deadEvent(record(), told, 'its execution is ABORTED, without a word');
  expect(detail).toMatchObject({
    status: 'dead',
    before: 'running',
    attention: true,
    next: ['cellctl rollout resume orders-api-7', expect.any(String)],
  });
});

test.each([
  ['aws', 'https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/'],
  ['aws-cn', 'https://eu-west-1.console.amazonaws.cn/states/home?region=eu-west-1#/v2/executions/details/'],
])('the link leads to the console of partition %s', (partition, start) => {
  const arn = EXECUTION.replace('arn:aws:', `arn:${partition}:`);
  expect(linkTo(arn)).toBe(start + arn);
});
