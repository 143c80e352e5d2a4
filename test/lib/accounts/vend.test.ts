/** Exactly one account per cell, whatever AWS does and wherever a run dies. */
import { CreateAccountFailureReason } from '@aws-sdk/client-organizations';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FAILURES } from '../../../lib/accounts/failures.ts';
import { runs } from '../../_helpers/properties.ts';
import { faults, type Kill, planOf, World } from '../../_helpers/vending.ts';

const plan = planOf(['alpha', 'bravo', 'charlie']);
const latencies = () => {
  let turn = 0;
  return () => [20_000, 90_000, 45_000][turn++ % 3] ?? 0;
};

/** Kills run after run at the calls given, then lets one finish. */
async function survive(world: World, kills: readonly Kill[], between: (world: World) => void = () => undefined) {
  for (const kill of kills) {
    const { results } = await world.vend(plan, kill);
    if (results) return results;
    between(world);
  }
  return (await world.vend(plan)).results;
}

describe('accounts are vended', () => {
  test('one per cell, within the limits, each step recorded; run again, nothing is done', async () => {
    const world = new World({ latency: latencies(), lag: 60_000 });
    const { results } = await world.vend(plan);
    expect(results?.map(({ cell, state }) => `${cell} ${state}`)).toEqual(['alpha created', 'bravo created', 'charlie created']);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.violations).toEqual([]);
    const record = (await world.records().all()).get('cell-alpha');
    expect(record?.history.map(({ step }) => step)).toEqual([
      'waiting',
      'creating',
      'created',
      'placing',
      'tagging',
      'contacts',
      'services',
      'quotas',
      'bootstrap',
      'ready',
    ]);
    const before = new Map(world.objects.objects);
    const again = await world.vend(plan);
    expect(again.results?.map(({ state }) => state)).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(world.objects.objects).toEqual(before);
    expect(world.organization.creations).toHaveLength(3);
  });

  test('and say when they will be ready while they wait', async () => {
    const world = new World();
    const many = planOf(Array.from({ length: 8 }, (_, index) => `cell${index}`));
    await world.vend(many);
    const waits = world.messages.filter(({ text }) => text.startsWith('waiting:')).map(({ subject, text }) => `${subject} ${text}`);
    expect(waits[0]).toBe('cell-cell0 waiting: ready in about 5 min');
    expect(waits[7]).toBe('cell-cell7 waiting: ready in about 7 min');
  });

  test.each(['before', 'after'] as const)('when a run is killed at any call, %s it takes effect', async (when) => {
    let call = 0;
    for (let alive = false; !alive; ) {
      call += 1;
      const world = new World({ latency: latencies(), lag: 45_000 });
      const first = await world.vend(plan, { call, when });
      alive = first.results !== undefined;
      if (!alive) await world.vend(plan);
      expect({ call, faults: await faults(world, plan), violations: world.organization.violations }).toEqual({
        call,
        faults: [],
        violations: [],
      });
    }
    expect(call).toBeGreaterThan(100);
  });

  test('when run after run is killed, with time or none in between, and records lost', async () => {
    const kills = fc.array(
      fc.record({ call: fc.integer({ min: 1, max: 150 }), when: fc.constantFrom('before' as const, 'after' as const) }),
      {
        minLength: 2,
        maxLength: 6,
      },
    );
    const pause = fc.constantFrom(0, 1_000, 30_000, 200_000);
    await fc.assert(
      fc.asyncProperty(kills, pause, fc.boolean(), async (sequence, ms, loseRecords) => {
        const world = new World({ latency: latencies(), lag: 40_000 });
        for (const kill of sequence) {
          if ((await world.vend(plan, kill)).results) break;
          await world.clock.run(world.clock.sleep(ms));
          if (loseRecords) world.objects.objects.clear();
        }
        await world.vend(plan);
        expect(await faults(world, plan)).toEqual([]);
        expect(world.organization.violations).toEqual([]);
      }),
      { numRuns: runs(60), seed: 7 },
    );
  });

  test('when the lock file and all records are lost: every account is found by its e-mail', async () => {
    const world = new World();
    await world.vend(plan);
    const before = world.lock;
    world.lock = {};
    world.objects.objects.clear();
    const { results } = await world.vend(plan);
    expect(results?.map(({ state }) => state)).toEqual(['found', 'found', 'found']);
    expect(world.lock).toEqual(before);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.creations).toHaveLength(3);
  });

  test('when a record is damaged: its account alone waits for a person, who is told', async () => {
    const world = new World();
    await world.vend(planOf(['a0']));
    world.objects.objects.set('accounts/cell-a0.json', '{"name":');
    const { results } = await world.vend(plan);
    expect(results?.map(({ state, error }) => [state, error?.code])).toEqual(
      plan.cells.map(({ name }) => (name === 'a0' ? ['failed', 'RECORD_INVALID'] : ['created', undefined])),
    );
    expect(world.messages).toContainEqual({
      kind: 'warning',
      subject: 'records',
      text: expect.stringContaining('accounts/cell-a0.json is not what the factory wrote'),
    });
    world.objects.objects.delete('accounts/cell-a0.json');
    await world.vend(plan);
    expect(await faults(world, plan)).toEqual([]);
  });

  test('when calls are throttled, answers lost, and lists lag', async () => {
    const world = new World({
      latency: latencies(),
      lag: 120_000,
      trouble: (operation, count) => {
        if (operation === 'CreateAccount' && count === 2) return { error: 'TimeoutError', takesEffect: true };
        if (operation === 'CreateAccount' && count === 3) return { error: 'TimeoutError', takesEffect: false };
        if (operation === 'CreateAccount' && count === 4) return { error: 'TooManyRequestsException', takesEffect: false };
        if (operation === 'MoveAccount' && count === 1) return { error: 'ServiceException', takesEffect: true };
        return count % 3 === 0 && operation !== 'CreateAccount' ? { error: 'TooManyRequestsException', takesEffect: false } : undefined;
      },
    });
    const results = await survive(world, []);
    expect(results?.map(({ state }) => state)).toEqual(['created', 'created', 'created']);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.violations).toEqual([]);
    expect(world.organization.calls.get('CreateAccountCommand')).toBe(5);
  });

  test('with the creations of others counted: none goes over the limits', async () => {
    const world = new World({ latency: () => 400_000 });
    for (const name of ['x', 'y', 'z']) world.organization.begin(name, `${name}@example.com`, 300_000);
    await world.vend(plan);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.mostInFlight).toBe(5);
    // Three began at once, so that the bucket is empty: the next come after 10 s each.
    const [first = 0] = world.organization.moments.get('CreateAccountCommand') ?? [];
    expect(first - Date.parse('2026-01-01T00:00:00Z')).toBe(10_000);
  });
});

describe('an account that is there already', () => {
  test('is adopted by its e-mail, whatever its case and name, and set up', async () => {
    const world = new World();
    const { id } = world.organization.add('made by hand', 'AWS+cell-Alpha@example.com');
    const { results } = await world.vend(plan);
    expect(results?.map(({ state }) => state)).toEqual(['found', 'created', 'created']);
    expect(world.lock['alpha']).toBe(id);
    expect(await faults(world, plan)).toEqual([]);
  });

  test('is not adopted when it is suspended, and stops no other', async () => {
    const world = new World();
    world.organization.add('cell-alpha', 'aws+cell-alpha@example.com', { status: 'SUSPENDED' });
    const { results } = await world.vend(plan);
    expect(results?.map(({ state }) => state)).toEqual(['failed', 'created', 'created']);
    expect(results?.[0]?.error).toMatchObject({ code: 'ORGANIZATION_CONFLICT', message: expect.stringContaining('SUSPENDED') });
    expect((await world.records().all()).get('cell-alpha')).toMatchObject({
      step: 'failed',
      problem: { reason: expect.stringContaining('SUSPENDED') },
    });
  });

  test('under a name that somebody else’s creation has too is told apart by its e-mail', async () => {
    const world = new World();
    world.organization.begin('cell-alpha', 'somebody@example.com', 50_000);
    await world.vend(plan);
    expect(await faults(world, plan)).toEqual([]);
    expect(world.organization.byEmail('aws+cell-alpha@example.com').map(({ id }) => id)).toEqual([world.lock['alpha']]);
  });

  test('in the lock file, and in no organization, is a conflict; so is one with another e-mail', async () => {
    const world = new World();
    const { id } = world.organization.add('other', 'other@example.com');
    world.lock = { alpha: '999999999999', bravo: id };
    const { results } = await world.vend(plan);
    expect(results?.map(({ state }) => state)).toEqual(['failed', 'failed', 'created']);
    expect(results?.[0]?.error?.message).toBe('account 999999999999 is not in the organization');
    expect(results?.[1]?.error?.message).toContain('other@example.com');
    expect(world.lock).toMatchObject({ alpha: '999999999999', bravo: id });
  });

  test('is adopted when it appears between the look and the call', async () => {
    const world = new World({ uniqueEmails: true, lag: 10_000 });
    const { vending } = world.engine();
    const wanted = world.wanted(plan.cells);
    const seen = await world.clock.run(vending.look(wanted));
    const { id } = world.organization.add('by hand', 'aws+cell-alpha@example.com', { createdAt: world.clock.now() });
    const results = await world.clock.run(vending.vend(wanted, seen));
    expect(results?.map(({ state }) => state)).toEqual(['found', 'created', 'created']);
    expect(world.lock['alpha']).toBe(id);
    expect(await faults(world, plan)).toEqual([]);
  });
});

describe('an account that somebody else is creating', () => {
  test('at the same moment is waited for and adopted, not taken for a stranger’s', async () => {
    const world = new World({ uniqueEmails: true, lag: 10_000 });
    const { vending } = world.engine();
    const wanted = world.wanted(plan.cells);
    const seen = await world.clock.run(vending.look(wanted));
    const { accountId } = world.organization.begin('cell-alpha', 'aws+cell-alpha@example.com', 600_000);
    const results = await world.clock.run(vending.vend(wanted, seen));
    expect(results?.map(({ state }) => state)).toEqual(['found', 'created', 'created']);
    expect(world.lock['alpha']).toBe(accountId);
    expect(await faults(world, plan)).toEqual([]);
  });
});

describe('two runs at once, should the lease be lost', () => {
  test('make one account per cell all the same', async () => {
    for (const lag of [0, 1_000, 30_000]) {
      const world = new World({ uniqueEmails: true, lag });
      const runs = [world.engine(), world.engine()].map(({ vending }) => vending.vend(world.wanted(plan.cells)));
      const both = await world.clock.run(Promise.all(runs));
      expect(both?.flat().flatMap(({ error }) => error ?? [])).toEqual([]);
      expect(await faults(world, plan)).toEqual([]);
    }
  });
});

describe('a creation that fails', () => {
  const failing = (reason: CreateAccountFailureReason, times = 99) =>
    new World({ failure: (name, attempt) => (name === 'cell-bravo' && attempt <= times ? reason : undefined), uniqueEmails: true });

  test('has an entry in the table for every reason that AWS knows, with advice', () => {
    const reasons = Object.values(CreateAccountFailureReason);
    expect(reasons.filter((reason) => !(reason in FAILURES))).toEqual([]);
    for (const { advice } of Object.values(FAILURES)) expect(advice.length).toBeGreaterThan(20);
    const by = (action: string) => reasons.filter((reason) => FAILURES[reason].action === action).sort();
    expect({ retry: by('retry'), adopt: by('adopt') }).toEqual({
      retry: ['CONCURRENT_ACCOUNT_MODIFICATION', 'INTERNAL_FAILURE'],
      adopt: ['EMAIL_ALREADY_EXISTS'],
    });
  });

  test.each(['INTERNAL_FAILURE', 'CONCURRENT_ACCOUNT_MODIFICATION'] as const)('for %s is tried again, and not for ever', async (reason) => {
    const world = failing(reason, 2);
    expect((await world.vend(plan)).results?.map(({ state }) => state)).toEqual(['created', 'created', 'created']);
    expect((await world.records().all()).get('cell-bravo')?.attempts).toBe(3);
    const hopeless = failing(reason);
    const { results } = await hopeless.vend(plan);
    expect(results?.[1]?.error).toMatchObject({ code: 'ACCOUNT_CREATION_FAILED', message: expect.stringContaining(`${reason}, 5 times`) });
    expect(hopeless.organization.creations).toHaveLength(7);
  });

  test.each(Object.values(CreateAccountFailureReason).filter((reason) => FAILURES[reason].action !== 'retry'))(
    'for %s stops with advice, is recorded, and is tried anew by the next run',
    async (reason) => {
      const world = failing(reason, 1);
      const { results } = await world.vend(plan);
      expect(results?.[1]).toMatchObject({ state: 'failed', error: { code: 'ACCOUNT_CREATION_FAILED', fix: FAILURES[reason].advice } });
      expect((await world.records().all()).get('cell-bravo')).toMatchObject({
        step: 'failed',
        attempts: 1,
        problem: { in: 'creating', reason: expect.stringContaining(reason), advice: FAILURES[reason].advice },
      });
      const again = await world.vend(plan);
      expect(again.results?.map(({ state }) => state).filter((state) => state === 'failed' || state === 'waiting')).toEqual([]);
      expect(await faults(world, plan)).toEqual([]);
    },
  );

  test('for a reason that nobody knows yet stops', async () => {
    const { results } = await failing('SOMETHING_NEW' as CreateAccountFailureReason).vend(plan);
    expect(results?.[1]?.error?.message).toContain('SOMETHING_NEW');
  });

  test('for the limit of accounts ends creation: the others wait, say why, and are vended once it is raised', async () => {
    const many = planOf(Array.from({ length: 12 }, (_, index) => `cell${index}`));
    const behaviour = { accountLimit: 4 };
    const world = new World(behaviour);
    const { results = [] } = await world.vend(many);
    const waits = results.filter(({ state }) => state === 'waiting');
    expect(results.filter(({ state }) => state === 'created')).toHaveLength(4);
    expect(waits.length).toBeGreaterThan(1);
    expect(waits[0]?.error?.fix).toContain('Default maximum number of accounts');
    const waiting = (await world.records().all()).get(waits.at(-1)?.account ?? '');
    expect(waiting).toMatchObject({ step: 'waiting', attempts: 0, problem: { reason: expect.stringContaining('ACCOUNT_LIMIT_EXCEEDED') } });
    behaviour.accountLimit = 100;
    await world.vend(many);
    expect(await faults(world, many)).toEqual([]);
  });
});
