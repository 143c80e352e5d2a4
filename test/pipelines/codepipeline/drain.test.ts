import { beforeEach, describe, expect, test } from '@jest/globals';
import { letIn, whileDrained } from '../../../pipelines/codepipeline/drain.ts';

/** A pipeline as CodePipeline has it, as far as it is looked at. */
let stages: { stageName: string; latestExecution?: { status: string }; inboundTransitionState?: object }[] | undefined;
let calls: string[];
/** What happens while somebody waits. */
let later: () => void;
/** What else the work does. */
let work: () => void;

const client = {
  send: async ({ constructor: { name }, input }: { constructor: { name: string }; input: { stageName?: string; name?: string } }) => {
    calls.push(`${name.replace('Command', '')} ${input.stageName ?? input.name}`);
    if (!stages) throw Object.assign(new Error('none'), { name: 'PipelineNotFoundException' });
    return name === 'GetPipelineStateCommand' ? { stageStates: stages } : {};
  },
};
const drained = (until = Date.now() + 60_000) =>
  whileDrained(
    { region: 'eu-west-1', credentials: async () => ({ accessKeyId: 'x', secretAccessKey: 'x' }) },
    'orders-api',
    { until, emit: () => undefined, client: client as never, wait: async () => later() },
    async () => {
      calls.push('work');
      work();
      return 'done';
    },
  );

beforeEach(() => {
  calls = [];
  later = () => undefined;
  work = () => undefined;
  stages = [{ stageName: 'source' }, { stageName: 'build' }, { stageName: 'staging' }];
});

describe('a pipeline that is changed', () => {
  test('lets nothing in meanwhile, and the waiting commit afterwards', async () => {
    expect(await drained()).toBe('done');
    expect(calls.filter((call) => !call.startsWith('Get'))).toEqual([
      'DisableStageTransition build',
      'work',
      'EnableStageTransition build',
    ]);
  });

  test('is changed only when what was in it has come to its end; its source may go on', async () => {
    stages = [
      { stageName: 'source', latestExecution: { status: 'InProgress' } },
      { stageName: 'build' },
      { stageName: 'staging', latestExecution: { status: 'InProgress' } },
    ];
    let looks = 0;
    later = () => {
      looks++;
      expect(calls).not.toContain('work');
      if (looks === 3 && stages?.[2]) stages[2].latestExecution = { status: 'Succeeded' };
    };
    expect(await drained()).toBe('done');
    expect(looks).toBe(3);
  });

  test('stays as it is when it is busy for too long, and lets commits in again', async () => {
    stages = [{ stageName: 'source' }, { stageName: 'build', latestExecution: { status: 'InProgress' } }];
    await expect(drained(Date.now() - 1)).rejects.toMatchObject({ code: 'LOCKED', message: expect.stringContaining('busy in build') });
    expect(calls).not.toContain('work');
    expect(calls.at(-1)).toBe('EnableStageTransition build');
  });

  test('lets commits in again when changing it fails', async () => {
    const failing = whileDrained(
      { region: 'eu-west-1', credentials: async () => ({ accessKeyId: 'x', secretAccessKey: 'x' }) },
      'orders-api',
      { until: Date.now() + 1_000, emit: () => undefined, client: client as never },
      async () => Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow('no');
    expect(calls.at(-1)).toBe('EnableStageTransition build');
  });

  test('stays closed where somebody has closed it', async () => {
    stages = [{ stageName: 'source' }, { stageName: 'build', inboundTransitionState: { enabled: false, disabledReason: 'freeze' } }];
    await drained();
    expect(calls.filter((call) => !call.startsWith('Get'))).toEqual(['work']);
  });

  test('is opened again by the next sync, when the one that held it was killed; by whom else it was closed, it stays so', async () => {
    const session = { region: 'eu-west-1', credentials: async () => ({ accessKeyId: 'x', secretAccessKey: 'x' }) };
    const closed = (disabledReason: string) => [
      { stageName: 'source' },
      { stageName: 'build', inboundTransitionState: { enabled: false, disabledReason } },
    ];
    const OPENS = ['GetPipelineState orders-api', 'EnableStageTransition build'];
    stages = closed('cell-factory changes this pipeline as soon as it is idle');
    await letIn(session, 'orders-api', client as never);
    expect(calls).toEqual(OPENS);
    calls = [];
    expect(await drained()).toBe('done');
    expect(calls.at(-1)).toBe(OPENS[1]);
    for (const others of [closed('freeze'), undefined]) {
      calls = [];
      stages = others;
      await letIn(session, 'orders-api', client as never);
      expect(calls).toEqual([OPENS[0]]);
    }
  });

  test('may be gone afterwards', async () => {
    work = () => {
      stages = undefined;
    };
    expect(await drained()).toBe('done');
    expect(calls.at(-1)).toBe('EnableStageTransition build');
  });

  test('that is not there yet is made', async () => {
    stages = undefined;
    expect(await drained()).toBe('done');
    expect(calls).toEqual(['GetPipelineState orders-api', 'work']);
  });
});
