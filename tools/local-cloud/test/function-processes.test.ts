import { beforeAll, describe, expect, test } from '@jest/globals';
import { aws, functionOf } from './account.ts';

describe('a function that is invoked again', () => {
  const call = async <T>(name: string, event: object = {}): Promise<T> =>
    JSON.parse(await aws.rest('lambda', 'POST', `/2015-03-31/functions/${name}/invocations`, JSON.stringify(event))) as T;

  const counter = `
    let calls = 0;
    let stuck;
    exports.handler = async (event) => {
      calls += 1;
      console.log('call', calls, event.print ? 'x'.repeat(event.print) : '');
      if (event.exit !== undefined) process.exit(event.exit);
      if (event.fail) throw new RangeError('as told');
      if (event.late) setTimeout(() => { throw new Error('much later'); }, 10);
      if (event.spin) for (;;) {}
      if (event.never) await new Promise(() => {});
      if (event.hang) await new Promise(() => setInterval(() => {}, 1000));
      if (event.wait) await new Promise((done) => setTimeout(done, event.wait));
      return { calls, pid: process.pid, colour: process.env.COLOUR, version: 'VERSION' };
    };`;
  interface Answer {
    calls: number;
    pid: number;
    colour?: string;
    version: string;
    errorType?: string;
    errorMessage?: string;
  }
  const deploy = (version: string, colour: string) =>
    aws.deploy('counter', {
      Resources: {
        Counter: functionOf(counter.replace('VERSION', version), {
          FunctionName: 'counter',
          Timeout: 2,
          Environment: { Variables: { COLOUR: colour } },
        }),
      },
    });

  beforeAll(() => deploy('1', 'red'));

  test('keeps what it has in memory, also after an error', async () => {
    const first = await call<Answer>('counter');
    expect(first).toMatchObject({ calls: 1, colour: 'red', version: '1' });
    expect(await call('counter', { fail: true })).toMatchObject({ errorType: 'RangeError', errorMessage: 'as told' });
    expect(await call('counter')).toMatchObject({ calls: 3, pid: first.pid });
  });

  test('answers nothing when nothing can happen any more', async () => {
    expect(await call('counter', { never: true })).toBeNull();
    expect(await call<Answer>('counter')).toMatchObject({ version: '1' });
  });

  test('runs beside itself when events overlap', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => call<Answer>('counter', { wait: 400 })));

    const processes = new Set(answers.map(({ pid }) => pid)).size;
    expect(processes).toBeGreaterThan(1);
    expect(processes).toBeLessThanOrEqual(4);
  });

  test('begins anew with other code or another configuration', async () => {
    const before = await call<Answer>('counter');
    await deploy('1', 'blue');
    const recoloured = await call<Answer>('counter');
    await deploy('2', 'blue');
    const recoded = await call<Answer>('counter');

    expect(recoloured).toMatchObject({ calls: 1, colour: 'blue', version: '1' });
    expect(recoded).toMatchObject({ calls: 1, colour: 'blue', version: '2' });
    expect(new Set([before.pid, recoloured.pid, recoded.pid]).size).toBe(3);
  });

  test.each([
    ['ends its process', { exit: 3 }, 'Runtime.ExitError', 'exit status 3'],
    ['has an error that nobody expects', { late: true, hang: true }, 'Error', 'much later'],
    ['takes too long', { hang: true }, 'Sandbox.Timedout', 'Task timed out after 2.00 seconds'],
  ])('and that %s says so, and begins anew', async (_, event, errorType, message) => {
    const { pid } = await call<Answer>('counter');

    expect(await call('counter', event)).toMatchObject({ errorType, errorMessage: expect.stringContaining(message) });

    const next = await call<Answer>('counter');
    expect(next.calls).toBe(1);
    expect(next.pid).not.toBe(pid);
  });

  test('has what it printed in its log, event by event', async () => {
    await call('counter', { print: 200_000 });
    await call('counter', { exit: 0 });
    await call('counter');
    const { events } = await aws.json<{ events: { message: string; logStreamName: string }[] }>('logs', 'Logs_20140328.FilterLogEvents', {
      logGroupName: '/aws/lambda/counter',
      limit: 1000,
    });

    const [long, exit, last] = events.slice(-3);
    expect(long?.message).toHaveLength(200_000 + (long?.message.indexOf('x') ?? 0));
    expect(exit?.message).toMatch(/^call \d/);
    expect(last?.message).toMatch(/^call 1/);
    expect(new Set([long?.logStreamName, exit?.logStreamName, last?.logStreamName]).size).toBe(3);
  });

  test('takes events of megabytes, and answers so', async () => {
    const echo = 'exports.handler = async (event) => ({ length: event.text.length, text: event.text })';
    await aws.deploy('megabytes', { Resources: { Echo: functionOf(echo, { FunctionName: 'megabytes' }) } });

    expect(await call('megabytes', { text: 'é'.repeat(2_000_000) })).toMatchObject({ length: 2_000_000 });
    expect(await call('megabytes', { text: 'short' })).toEqual({ length: 5, text: 'short' });
  });
});
