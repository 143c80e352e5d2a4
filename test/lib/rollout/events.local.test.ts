/** What the bus and webhooks are told of rollouts that really go on, and what is reported after a success. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventDetail } from '../../../lib/rollout/event.ts';
import { eventually } from '../../_helpers/eventually.ts';
import { RolloutLab } from '../../_helpers/rollouts.ts';

const NAME = 'orders-api';

let lab: RolloutLab;
let server: Server;
/** What was posted, by path. */
const posts: { readonly path: string; readonly authorization: string | undefined; readonly body: unknown }[] = [];
const told = () => posts.filter(({ path }) => path === '/audit').map(({ body }) => body as EventDetail);
const chat = () => posts.filter(({ path }) => path === '/oncall').map(({ body }) => (body as { text: string }).text);

/** The first event of a rollout that is as wanted, when it has come. */
const heard = (rollout: string, what: string, wanted: (event: EventDetail) => boolean): Promise<EventDetail> =>
  eventually(what, async () => told().find((event) => event.rollout === rollout && wanted(event)), {
    deadline: 30_000,
    seen: () => told().map(({ text }) => text),
  });

beforeAll(async () => {
  server = createServer(async (request, answer) => {
    let body = '';
    for await (const part of request) body += String(part);
    posts.push({ path: request.url ?? '', authorization: request.headers.authorization, body: JSON.parse(body) });
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const webhooks = {
    audit: { events: 'all', body: 'event', secret: 'audit' },
    oncall: { events: 'attention', body: 'chat', secret: 'oncall' },
  } as const;
  lab = await RolloutLab.start(
    ({ settings }) => {
      settings.notifications = { webhooks };
      settings.rollout.waves = [{ name: 'all', prefer: 'any', admit: { rest: true }, bake: '50s', approval: true }];
      settings.rollout.multiRegionFromWave = 1;
      settings.rollout.minRequestsPerCell = 0;
      settings.rollout.watchAfter = '2h';
    },
    { audit: `${url}/audit`, oncall: `${url}/oncall` },
  );
  await lab.install(NAME, '1.0.0');
});

afterAll(async () => {
  await lab.stop();
  server.closeAllConnections();
  server.close();
});

describe('a rollout', () => {
  test('is told of from its start to its success, and somebody is called for the approval; after it, an alarm is reported', async () => {
    const id = await lab.roll(NAME, '2.0.0');
    const asked = await heard(
      id,
      'the approval to be asked for',
      ({ change, status }) => change === 'rollout' && status === 'awaiting approval',
    );
    expect(asked).toMatchObject({
      attention: true,
      wave: 1,
      cells: ['alpha', 'bravo'],
      next: [`cellctl rollout approve ${id}`, expect.any(String)],
    });
    await lab.client.approve(id, 1, { by: 'eve' });
    await heard(id, 'the success', ({ change, status }) => change === 'rollout' && status === 'succeeded');
    const own = told().filter((event) => event.rollout === id);
    const states = new Map(own.filter(({ change }) => change === 'rollout').map((event) => [`${event.before}>${event.status}`, event.by]));
    expect(Object.fromEntries(states)).toEqual({
      'null>running': 'test',
      'running>awaiting approval': 'cell-factory',
      'awaiting approval>running': 'eve',
      'running>succeeded': 'cell-factory',
    });
    const waves = own.filter(({ change }) => change === 'wave').map(({ wave, waveStatus }) => `${wave} ${waveStatus}`);
    for (const each of ['0 deploying', '0 baking', '0 passed', '1 deploying', '1 baking', '1 passed']) expect(waves).toContain(each);
    expect(chat()).toEqual([
      expect.stringMatching(/^orders-api-1 \(orders-api 2\.0\.0\) is awaiting approval: .* Next: cellctl rollout approve/),
    ]);
    expect(posts.find(({ path }) => path === '/oncall')?.authorization).toBe('key of oncall');

    await lab.alarm('bravo', 'latency', 'ALARM');
    const sick = await heard(id, 'the alarm after the success', ({ change }) => change === 'afterwards');
    expect(sick).toMatchObject({ cells: ['bravo'], attention: true, next: [`cellctl rollout rollback ${id} --reason "…"`] });
    // Nothing is done.
    expect(await lab.running(NAME)).toMatchObject({ bravo: '2.0.0' });
    await lab.alarm('bravo', 'latency', 'OK');
  });

  test('whose execution is ended is told as dead; who has it go on, or stops it, is named', async () => {
    const id = await lab.roll(NAME, '3.0.0');
    const { record } = await lab.baking(id, 0);
    await new SFNClient(lab.session).send(new StopExecutionCommand({ executionArn: record.execution }));
    const dead = await heard(id, 'its death', ({ status }) => status === 'dead');
    expect(dead).toMatchObject({ before: 'running', attention: true, reason: 'its execution is ABORTED, without a word' });
    expect(dead.next[0]).toBe(`cellctl rollout resume ${id}`);
    await lab.client.resume(id, { by: 'eve' });
    await lab.until(id, ({ record: { status } }) => status === 'awaiting approval', 'waiting for the approval');
    await lab.client.stop(id, { by: 'bob', reason: 'INC-42' });
    const stopped = await heard(id, 'the stop', ({ change, status }) => change === 'rollout' && status === 'stopped');
    expect(stopped).toMatchObject({ by: 'bob', attention: true, reason: expect.stringContaining('INC-42') });
    expect(
      chat()
        .filter((text) => text.startsWith(id))
        .map((text) => /is ([a-z ]+):/.exec(text)?.[1]),
    ).toEqual(['dead', 'awaiting approval', 'stopped']);
  });

  test('that has succeeded is looked at no longer where a later one has touched its cells', async () => {
    const { record } = await lab.client.view('orders-api-1');
    expect(record.afterwards?.sick).toEqual([{ cell: 'bravo', sentence: expect.stringContaining('cell-bravo-latency') }]);
    // The later one has only touched staging.
    await lab.alarm('alpha', 'latency', 'ALARM');
    await lab.alarm('staging', 'latency', 'ALARM');
    const { afterwards } = await eventually('alpha to be reported', async () => {
      const { record: now } = await lab.client.view('orders-api-1');
      return now.afterwards?.sick.some(({ cell }) => cell === 'alpha') && now;
    });
    expect(afterwards?.sick.map(({ cell }) => cell)).toEqual(['bravo', 'alpha']);
  });
});
