import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keepPool, poolRows, type ReturnOptions, returnAccount } from '../../../lib/accounts/pool.ts';
import type { CellPlan, Plan } from '../../../lib/plan/plan.ts';
import { faults, type Kill, Process, planOf, World } from '../../_helpers/vending.ts';

const plan = planOf(['alpha', 'bravo']);
const retiring = planOf(['alpha', 'bravo'], () => ({ intent: 'retiring' }));
const cellOf = (from: Plan, name: string) => from.cells.find((cell) => cell.name === name) as CellPlan;

async function keep(world: World, count: number, kill?: Kill) {
  const process = new Process(kill);
  const { vending } = world.engine(process);
  const results = await world.clock.run(keepPool(vending, plan, count), () => process.dead);
  return { results: process.dead ? undefined : results, calls: process.calls };
}

async function giveBack(world: World, name: string, left: readonly string[] = [], kill?: Kill, from = retiring) {
  const process = new Process(kill);
  const { vending, ...engine } = world.engine(process);
  const options: ReturnOptions = {
    ...engine,
    plan,
    ended: () => process.outside(() => undefined),
    whatIsLeft: () => process.outside(() => left),
  };
  const work = returnAccount(vending, cellOf(from, name), options);
  const result = await world.clock.run(work, () => process.dead);
  return process.dead ? undefined : result;
}

const pool = async (world: World) =>
  poolRows((await world.records().all()).values()).map(({ account, state, cell }) => `${account} ${state} ${cell ?? '-'}`);

/** A world whose pool holds `count` accounts. */
async function filled(count: number, lag = 20_000): Promise<World> {
  const world = new World({ lag });
  await keep(world, count);
  return world;
}

/** Everything about the pool that would give an account to two, or lose one. */
async function poolFaults(world: World): Promise<string[]> {
  const records = [...(await world.records().all()).values()].filter(({ name }) => name.startsWith('pool-'));
  const free = records.filter(({ step, claimedBy }) => step === 'ready' && claimedBy === undefined);
  return [
    ...free.filter(({ accountId = '' }) => Object.values(world.lock).includes(accountId)).map(({ name }) => `${name} is free and in use`),
    ...records.filter(({ accountId, step }) => accountId === undefined && step === 'ready').map(({ name }) => `${name} is nothing`),
  ];
}

/** What is wrong with cells and pool, and how many accounts were made. */
const outcome = async (world: World) => ({
  faults: [...(await faults(world, plan)), ...(await poolFaults(world))],
  made: world.organization.creations.length,
});

describe('the pool', () => {
  test('is topped up to N, and never below: run again, it stays', async () => {
    const world = await filled(3);
    expect(await pool(world)).toEqual(['pool-0001 free -', 'pool-0002 free -', 'pool-0003 free -']);
    for (const account of world.organization.accounts) expect(account).toMatchObject({ parent: 'ou-pool' });
    await keep(world, 3);
    await keep(world, 1);
    expect(world.organization.creations).toHaveLength(3);
    await keep(world, 4);
    expect(world.organization.creations).toHaveLength(4);
    expect(world.lock).toEqual({});
  });

  test('keeps N whatever a run dies of', async () => {
    for (let call = 1; ; call++) {
      const world = new World({ lag: 30_000 });
      const { results } = await keep(world, 2, { call, when: call % 2 === 0 ? 'before' : 'after' });
      if (results) break;
      if (call % 3 === 0) world.objects.objects.clear();
      await keep(world, 2);
      expect({ call, pool: await pool(world), made: world.organization.creations.length }).toEqual({
        call,
        pool: ['pool-0001 free -', 'pool-0002 free -'],
        made: 2,
      });
    }
  });

  test('gives its accounts to cells before any is created', async () => {
    const world = await filled(1);
    const before = world.clock.now();
    const { results } = await world.vend(plan);
    expect(results?.map(({ cell, state }) => `${cell} ${state}`)).toEqual(['alpha claimed', 'bravo created']);
    expect(await faults(world, plan)).toEqual([]);
    expect(await pool(world)).toEqual(['pool-0001 claimed alpha']);
    const ready = (await world.records().all()).get('cell-alpha')?.history.at(-1)?.at ?? '';
    expect(Date.parse(ready) - before).toBeLessThan(5_000);
    expect((await world.vend(plan)).results?.map(({ state }) => state)).toEqual(['unchanged', 'unchanged']);
    await keep(world, 1);
    expect(await pool(world)).toEqual(['pool-0001 claimed alpha', 'pool-0002 free -']);
  });

  test.each(['before', 'after'] as const)('gives an account to one cell only, when claiming is killed at any call, %s', async (when) => {
    let call = 0;
    for (let alive = false; !alive; ) {
      call += 1;
      const world = await filled(2);
      alive = (await world.vend(plan, { call, when })).results !== undefined;
      if (!alive) await world.vend(plan);
      expect({ call, ...(await outcome(world)) }).toEqual({ call, faults: [], made: 2 });
    }
    expect(call).toBeGreaterThan(50);
  });

  test('loses nothing with its records: the tags say whose an account is', async () => {
    for (let call = 1; ; call++) {
      const world = await filled(1);
      const { results } = await world.vend(plan, { call, when: 'after' });
      world.objects.objects.clear();
      await world.vend(plan);
      expect({ call, ...(await outcome(world)) }).toEqual({ call, faults: [], made: 2 });
      if (results) break;
    }
  });

  test('two that claim at once never get the same account', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3 }), async (count) => {
        const world = await filled(count);
        const engines = ['alpha', 'bravo'].map((name) => ({ engine: world.engine(), cells: [cellOf(plan, name)] }));
        await world.clock.run(Promise.all(engines.map(({ engine, cells }) => engine.vending.vend(world.wanted(cells)))));
        expect([...(await faults(world, plan)), ...(await poolFaults(world))]).toEqual([]);
        expect(world.organization.creations).toHaveLength(Math.max(count, 2));
      }),
      { numRuns: 12 },
    );
  });
});

describe('an account goes back to the pool', () => {
  test('when its cell is retiring and it is empty; another cell takes it, and it serves nobody else', async () => {
    const world = await filled(1);
    await world.vend(plan);
    const id = world.lock['alpha'];
    expect(await giveBack(world, 'alpha')).toEqual({ account: 'pool-0001', accountId: id });
    expect(world.lock).not.toHaveProperty('alpha');
    expect(await pool(world)).toEqual(['pool-0001 free -']);
    const account = world.organization.accounts.find((each) => each.id === id);
    expect({ parent: account?.parent, tags: [...(account?.tags ?? [])] }).toEqual({
      parent: 'ou-pool',
      tags: [['cell-factory:account', 'pool-0001']],
    });
    const charlie = planOf(['charlie']);
    expect((await world.vend(charlie)).results?.map(({ state }) => state)).toEqual(['claimed']);
    expect(await faults(world, charlie)).toEqual([]);
    expect(world.lock['charlie']).toBe(id);
  });

  test('also one that was created for its cell: it keeps its e-mail, and that cell must share it no more', async () => {
    const world = new World();
    await world.vend(plan);
    expect(await giveBack(world, 'alpha')).toMatchObject({ account: 'pool-0001' });
    const charlie = planOf(['charlie']);
    await world.vend(charlie);
    expect(await faults(world, charlie)).toEqual([]);
    expect(world.organization.creations).toHaveLength(2);
    for (const lose of [() => undefined, () => world.objects.objects.clear()]) {
      lose();
      const { results } = await world.vend(plan);
      expect(results?.[0]?.error).toMatchObject({ code: 'ORGANIZATION_CONFLICT', fix: expect.stringContaining('email of its own') });
    }
  });

  test.each([
    ['not retiring', plan, [], /alpha is not retiring: its intent is "active"/],
    [
      'not empty',
      retiring,
      ['eu-west-1: stack Cell-alpha (CREATE_COMPLETE)', 'bucket data'],
      /is not empty:\n {2}eu-west-1: stack Cell-alpha .*\n {2}bucket data$/,
    ],
  ])('is refused, and changes nothing, when it is %s', async (_, from, left, message) => {
    const world = await filled(1);
    await world.vend(plan);
    const [lock, records] = [world.lock, new Map(world.objects.objects)];
    await expect(giveBack(world, 'alpha', left, undefined, from)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(message),
    });
    expect({ lock: world.lock, records: world.objects.objects }).toEqual({ lock, records });
  });

  test.each(['before', 'after'] as const)('or stays with its cell, when returning is killed at any call, %s', async (when) => {
    for (let call = 1; ; call++) {
      const world = await filled(1);
      await world.vend(plan);
      const id = world.lock['alpha'];
      const done = await giveBack(world, 'alpha', [], { call, when });
      if (done) break;
      expect({ call, faults: await poolFaults(world) }).toEqual({ call, faults: [] });
      // Either the same command ends it, or the cell is wanted again and has its account back.
      if (call % 2 === 0) await world.vend(plan);
      else {
        const again = await giveBack(world, 'alpha').catch((error: { code: string }) => error.code);
        if (again === 'CELL_WITHOUT_ACCOUNT') expect(await pool(world)).toEqual(['pool-0001 free -']);
        expect(world.lock).not.toHaveProperty('alpha');
        await world.vend(plan);
      }
      expect({ call, faults: [...(await faults(world, plan)), ...(await poolFaults(world))], id: world.lock['alpha'] }).toEqual({
        call,
        faults: [],
        id,
      });
    }
  });
});
