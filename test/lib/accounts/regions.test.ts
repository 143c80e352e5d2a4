/** Cells in regions that AWS takes its time to enable: what waits for what, and whom a slow region fails. */
import { AccountClient } from '@aws-sdk/client-account';
import { expect, test } from '@jest/globals';
import { SharedRegions } from '../../../lib/accounts/regions.ts';
import { enabling } from '../../../lib/accounts/setup.ts';
import type { VirtualClock } from '../../_helpers/clock.ts';
import { planOf, World } from '../../_helpers/vending.ts';

const MINUTE = 60_000;

/** An account that has each region so long after it asked for it, in milliseconds; `most` at once. */
class RegionsOf {
  readonly asked = new Map<string, number>();

  constructor(
    private readonly clock: VirtualClock,
    private readonly takes: (region: string) => number,
    private readonly most = 6,
  ) {}

  get client(): AccountClient {
    const client = new AccountClient({ region: 'eu-west-1' });
    client.send = async (command: { constructor: { name: string }; input: { RegionName: string } }) => {
      const region = command.input.RegionName;
      return command.constructor.name === 'EnableRegionCommand' ? this.enable(region) : { RegionOptStatus: this.status(region) };
    };
    return client;
  }

  private status(region: string): string {
    const since = this.asked.get(region);
    return since === undefined ? 'DISABLED' : this.clock.now() - since >= this.takes(region) ? 'ENABLED' : 'ENABLING';
  }

  private enable(region: string): object {
    if (this.takes(region) === Number.POSITIVE_INFINITY) throw Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
    if (this.status(region) === 'ENABLING') throw Object.assign(new Error('under way'), { name: 'ConflictException' });
    const busy = [...this.asked.keys()].filter((each) => this.status(each) === 'ENABLING').length;
    if (busy >= this.most) throw Object.assign(new Error('too many'), { name: 'TooManyRequestsException' });
    this.asked.set(region, this.clock.now());
    return {};
  }
}

test('a region that came before it was its account’s turn is new all the same: services there wake up only now', async () => {
  const world = new World();
  const [cell] = planOf(['alpha'], () => ({ region: 'eu-south-1' })).cells;
  if (!cell) throw new Error('no cell');
  const { client } = new RegionsOf(world.clock, () => MINUTE);
  const shared = new SharedRegions(new RegionsOf(world.clock, () => 0).client, world.clock, () => undefined);
  const target = { account: cell.account, accountId: '1', bornAt: world.clock.now() };
  const step = enabling(() => client, { clock: world.clock, waiting: () => undefined });
  await step.ask?.(target);
  await world.clock.run(world.clock.sleep(2 * MINUTE));
  expect(await step.run(target)).toEqual({ changed: true, warnings: [] });
  await shared.ask(['eu-south-1', 'eu-west-1']);
  expect([await shared.ready('eu-south-1'), await shared.ready('eu-west-1')]).toEqual([true, false]);
});

/** Vends a cell in each of these regions, as `cellctl accounts` does. */
async function vendIn(regions: readonly string[], tooling: (region: string) => number, own: number) {
  const world = new World();
  const plan = planOf(
    regions.map((_, index) => `cell${index}`),
    (name) => ({ region: regions[Number(name.slice('cell'.length))] ?? '' }),
  );
  const accounts = new Map<string, RegionsOf>();
  const account = (id: string) => {
    const known = accounts.get(id) ?? new RegionsOf(world.clock, () => own);
    accounts.set(id, known);
    return known;
  };
  const inTooling = new RegionsOf(world.clock, tooling);
  const said: string[] = [];
  const shared = new SharedRegions(inTooling.client, world.clock, (text) => said.push(text));
  const step = enabling((id) => account(id).client, { clock: world.clock, waiting: () => undefined, inTooling: shared });
  const { vending } = world.engine(undefined, [step]);
  const begun = world.clock.now();
  await world.clock.run(shared.ask(new Set(regions)));
  const asked = world.clock.now();
  const results = (await world.clock.run(vending.vend(world.wanted(plan.cells)))) ?? [];
  return {
    states: results.map(({ cell, state, error }) => `${cell} ${error?.code ?? state}`),
    asking: asked - begun,
    took: world.clock.now() - begun,
    said,
    inTooling,
    accounts,
  };
}

test('a region that AWS is slow to enable in tooling fails its own cells, once for all of them, and no others', async () => {
  const slow = (region: string) => (region === 'me-south-1' ? 80 * MINUTE : 2 * MINUTE);
  const { states, asking, took, said } = await vendIn(['me-south-1', 'eu-west-1', 'me-south-1', 'eu-south-1'], slow, MINUTE);
  expect(states).toEqual(['cell0 REGION_NOT_ENABLED', 'cell1 created', 'cell2 REGION_NOT_ENABLED', 'cell3 created']);
  expect(asking).toBe(0);
  expect(took).toBeLessThan(60 * MINUTE);
  expect(said.filter((text) => text.includes('me-south-1'))).toHaveLength(1);
});

test('a region that a policy denies to tooling fails its own cells, and no others', async () => {
  const denied = (region: string) => (region === 'me-south-1' ? Number.POSITIVE_INFINITY : 0);
  const { states } = await vendIn(['me-south-1', 'eu-south-1', 'eu-west-1'], denied, 0);
  expect(states).toEqual(['cell0 REGION_NOT_ENABLED', 'cell1 created', 'cell2 created']);
});

test('the cells’ own accounts ask before their turn comes, so that their waits overlap with each other and with tooling’s', async () => {
  const { states, took, accounts } = await vendIn(Array(12).fill('eu-south-1'), () => 30 * MINUTE, 30 * MINUTE);
  expect(states.filter((state) => !state.endsWith(' created'))).toEqual([]);
  expect(accounts.size).toBe(12);
  // A quarter of an hour to create twelve accounts, and half an hour for the last one's region.
  expect(took).toBeLessThan(50 * MINUTE);
});

test('more regions than AWS enables at once are asked for again, and all come', async () => {
  const regions = ['af-south-1', 'ap-east-1', 'ap-south-2', 'ap-southeast-3', 'eu-south-1', 'eu-south-2', 'il-central-1', 'me-south-1'];
  const { states, inTooling } = await vendIn(regions, () => 5 * MINUTE, 0);
  expect(states).toEqual(regions.map((_, index) => `cell${index} created`));
  expect([...inTooling.asked.keys()].sort()).toEqual(regions);
});
