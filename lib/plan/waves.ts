/**
 * Which cells a rollout reaches, in which waves, and when that would be. Pure, and the same for the same plan: whoever shows
 * a rollout and whoever starts it get the same waves.
 */
import { byImpact, type Component, type RolloutPolicy, STAGING, seconds } from '../registry/index.ts';
import { admitted, byRegion, type Size, sizeOf } from './admission.ts';
import { openTogether } from './calendar.ts';
import { type CellPlan, isVended, type Plan, type VendedCell } from './plan.ts';

/** Cells that are deployed together, and then watched. */
export interface Wave {
  /** Its place in the rollout; 0 is staging. */
  readonly number: number;
  /** The policy's name of it; followed by the region where the policy's wave goes through its regions one at a time. */
  readonly name: string;
  /**
   * The wave of the policy that it is, or is one region of; 0 is staging. Pipelines have a stage for each wave of the policy.
   * @default - its number, in plans that were pinned before waves were split
   */
  readonly policyWave?: number;
  /** How long it is watched, in seconds, before the policy's time scale. */
  readonly bakeSeconds: number;
  /** Whether a person must agree before it begins. */
  readonly approval: boolean;
  /** In the order in which they are deployed; none where the wave passes at once. */
  readonly cells: readonly VendedCell[];
  /** Of its cells, each once, sorted. */
  readonly regions: readonly string[];
  /**
   * Share of the production traffic of all cells, also those left out, that runs the version after this wave, 0 to 1; by
   * number of cells where none has a weight.
   */
  readonly exposure: number;
}

/** A wave as a pinned plan has it: of its cells, the names. */
export type RolloutWave = Omit<Wave, 'cells'> & { readonly cells: readonly string[] };

/** A cell that gets nothing, and why. */
export interface LeftOut {
  readonly cell: string;
  /** A whole sentence. */
  readonly reason: string;
}

/** Why a cell is left out. */
interface Exclusion {
  /** Which cells it is about, for the documentation. */
  readonly what: string;
  readonly applies: (cell: CellPlan, component: Component) => boolean;
  /** A whole sentence about one of them. */
  readonly reason: (cell: Pick<CellPlan, 'name' | 'owner' | 'life' | 'platforms'>, component: Component) => string;
}

/** What a component runs on, by its kind. `gke` is no cell of AWS, and left out before its platform is looked at. */
const PLATFORMS = { cloudformation: 'ecs', kubernetes: 'eks' } as const;

/** Whose owner decides; asked for by name, it is as any other. */
const PERSONAL: Exclusion = {
  what: 'personal cells',
  applies: ({ stage }) => stage === 'personal',
  reason: ({ owner, name }, { kind }) =>
    `It is a personal cell: ${owner ?? 'its owner'} decides what runs there (\`cellctl ${kind === 'foundation' ? `deploy ${name}` : 'component deploy'}\`).`,
};

/** Every kind of cell on AWS that gets nothing, in the order in which they are looked for: the first that applies is told. */
export const EXCLUSIONS: readonly Exclusion[] = [
  PERSONAL,
  {
    what: 'cells with `intent: cordoned`',
    applies: ({ intent }) => intent === 'cordoned',
    reason: () => "It is cordoned: it keeps what it runs until its intent is 'active' again.",
  },
  {
    what: 'cells with `intent: retiring`',
    applies: ({ intent }) => intent === 'retiring',
    reason: () => 'It is retiring: nothing new goes to a cell that is to end.',
  },
  {
    what: 'cells whose life is `draining` or `drained`',
    applies: ({ life }) => life === 'draining' || life === 'drained',
    reason: ({ life }) =>
      life === 'drained' ? 'It is drained: it serves nobody.' : 'It is draining: its tenants are moving to other cells.',
  },
  {
    what: 'cells whose life is `retired`',
    applies: ({ life }) => life === 'retired',
    reason: ({ name }) => `It is retired: its foundation is gone; \`cellctl deploy ${name}\` would build it again.`,
  },
  {
    what: 'cells without an account',
    applies: (cell) => !isVended(cell),
    reason: ({ name }) => `It is not built yet, and has no account: \`cellctl accounts ${name}\`, then \`cellctl deploy ${name}\`.`,
  },
  {
    what: 'cells whose life is `provisioning`',
    applies: ({ life }) => life === 'provisioning',
    reason: ({ name }) => `It is not built yet: \`cellctl deploy ${name}\`, then \`cellctl publish\`.`,
  },
  {
    what: 'cells without a platform for the kind of the component: `ecs` for `cloudformation`, `eks` for `kubernetes`',
    applies: ({ platforms }, { kind }) => kind !== 'foundation' && !platforms.includes(PLATFORMS[kind]),
    reason: ({ platforms }, { kind }) =>
      `It runs ${platforms.join(' and ')}, and a component of kind ${kind} needs ${kind === 'kubernetes' ? 'eks' : 'ecs'}.`,
  },
];

/** What a version is made for, where that is not every cell. */
export interface MadeFor {
  readonly version: string;
  /** By name. */
  readonly cells: ReadonlySet<string>;
}

/** About cells that came after what they would get was built. */
const laterThan = ({ version }: MadeFor) => `It is not part of ${version}, which was built without it: the next version has it.`;

/** About cells that are not on AWS. */
export const ELSEWHERE = 'It is in another cloud, which rollouts do not reach.';

/** Share of production, to nine digits: what is all of it must not come out as a little less. */
function shareOf({ production }: Plan, { cells, weight }: Size): number {
  const share = production.weight > 0 ? weight / production.weight : cells / Math.max(1, production.cells);
  return Math.min(1, Math.round(share * 1e9) / 1e9);
}

/**
 * The waves of a rollout of `component`: staging, then those of the plan's policy; and all other cells, each with the reason
 * why it gets nothing.
 *
 * - Staging is all staging cells, of whatever region: they serve no customers.
 * - A wave takes cells in the order that it prefers. `any` is the order of impact; `low-traffic` and `busy` go by weight,
 *   first those that are not of high importance, and by impact between equals.
 * - A percentage is one of the production cells that get the component, and of their weights together: a wave takes no more
 *   than either allows. What is less than one cell is none; a cell heavier than the wave allows is passed over, and waits for
 *   a wave that is wide enough. Where no cell has a weight, cells alone are counted.
 * - `maxTraffic` caps the exposure after the wave, whatever it admits. A cell that alone is heavier than every cap waits for
 *   the last wave, which has none.
 * - Before `multiRegionFromWave`, a wave takes cells of one region: that of the first it takes. From then on a wave with
 *   `regions: 'one-at-a-time'` is one wave for each region of its cells, the region with least traffic first, each with the
 *   bake of the whole; somebody approves before the first. A wave without cells, or of one region, stays one wave.
 *
 * Which cells are in a wave depends on the cells there are, so a new one may move others. But orders don't depend on who
 * else is there, and no wave takes a cell and leaves another that it prefers, in the same region and no heavier. So among
 * waves of one preference, two such cells keep their order whatever cells are added; and where all cells have one weight and
 * one region, that is the whole sequence, with the new cells put in between. The order of definitions never matters.
 *
 * @param madeFor the cells that there is something for. @default - all
 */
export function planWaves(
  plan: Plan,
  component: Component,
  madeFor?: MadeFor,
): { readonly waves: readonly Wave[]; readonly leftOut: readonly LeftOut[] } {
  const { eligible: cells, leftOut } = sorted(plan, component, madeFor);
  const { stagingBake, waves: policyWaves, multiRegionFromWave } = plan.rollout;
  const left = new Set(cells.filter(({ stage }) => stage !== 'staging'));
  const eligible = sizeOf([...left]);
  let reached: Size = { cells: 0, weight: 0 };
  const staging = cells.filter(({ stage }) => stage === 'staging');
  const waves = [waveOf({ number: 0, name: STAGING, policyWave: 0, bakeSeconds: seconds(stagingBake), approval: false }, staging, 0)];
  for (const [index, wave] of policyWaves.entries()) {
    const policyWave = index + 1;
    const taken = admitted(left, wave, { eligible, production: plan.production, reached }, policyWave < multiRegionFromWave);
    for (const cell of taken) left.delete(cell);
    for (const [place, part] of partsOf(wave, taken).entries()) {
      const size = sizeOf(part.cells);
      reached = { cells: reached.cells + size.cells, weight: reached.weight + size.weight };
      const approval = wave.approval && place === 0;
      const { name } = part;
      waves.push(
        waveOf({ number: waves.length, name, policyWave, bakeSeconds: seconds(wave.bake), approval }, part.cells, shareOf(plan, reached)),
      );
    }
  }
  return { waves, leftOut };
}

/** The cells of a policy's wave as they are deployed: together, or region by region. */
function partsOf(
  { name, regions }: RolloutPolicy['waves'][number],
  cells: readonly VendedCell[],
): readonly { readonly name: string; readonly cells: readonly VendedCell[] }[] {
  const groups = regions === 'one-at-a-time' ? byRegion(cells) : [];
  if (groups.length < 2) return [{ name, cells }];
  return groups.map((group) => ({ name: `${name}-${group.region}`, cells: group.cells }));
}

/** The wave of the policy that a wave is part of. */
export const policyWaveOf = ({ number, policyWave = number }: Pick<Wave, 'number' | 'policyWave'>): number => policyWave;

/** The one wave of a rollout that brings a cell to the version of the others. */
const CATCH_UP = 'catch-up';

/**
 * That wave. It is watched for no longer than it takes to see that it is well: the others have baked the version.
 * @returns the reason, a whole sentence, where the cell gets nothing
 */
export function planCatchUp(plan: Plan, component: Component, cell: CellPlan, madeFor?: MadeFor): Wave | { readonly reason: string } {
  const reason = reasonToLeaveOut(
    cell,
    component,
    madeFor,
    EXCLUSIONS.filter((exclusion) => exclusion !== PERSONAL),
  );
  // Who has no account is excluded; the compiler doesn't know.
  if (reason !== undefined || !isVended(cell)) return { reason: reason ?? 'It has no account.' };
  const share = cell.stage === 'production' ? shareOf(plan, { cells: 1, weight: cell.trafficWeight }) : 0;
  return waveOf({ number: 0, name: CATCH_UP, policyWave: 0, bakeSeconds: 0, approval: false }, [cell], share);
}

const waveOf = (wave: Omit<Wave, 'cells' | 'regions' | 'exposure'>, cells: readonly VendedCell[], exposure: number): Wave => ({
  ...wave,
  cells,
  regions: [...new Set(cells.map(({ region }) => region))].sort(),
  exposure,
});

/** Why a cell gets nothing; undefined for one that gets the component. */
function reasonToLeaveOut(
  cell: CellPlan,
  component: Component,
  madeFor: MadeFor | undefined,
  exclusions: readonly Exclusion[],
): string | undefined {
  const exclusion = exclusions.find(({ applies }) => applies(cell, component));
  if (exclusion) return exclusion.reason(cell, component);
  return madeFor && !madeFor.cells.has(cell.name) ? laterThan(madeFor) : undefined;
}

/** Cells that get the component, in the order of impact, and all others with their reason. */
function sorted(plan: Plan, component: Component, madeFor: MadeFor | undefined): { eligible: VendedCell[]; leftOut: LeftOut[] } {
  const eligible: VendedCell[] = [];
  const leftOut: LeftOut[] = [];
  for (const cell of plan.cells.toSorted(byImpact)) {
    const reason = reasonToLeaveOut(cell, component, madeFor, EXCLUSIONS);
    if (reason !== undefined) leftOut.push({ cell: cell.name, reason });
    // Who has no account is excluded; the compiler doesn't know.
    else if (isVended(cell)) eligible.push(cell);
  }
  return { eligible, leftOut: [...leftOut, ...plan.elsewhere.map((cell) => ({ cell, reason: ELSEWHERE }))] };
}

/** What a forecast must know of a wave: also one of a pinned plan has it. */
export type ForecastWave = Pick<Wave, 'bakeSeconds'> & { readonly cells: readonly Pick<CellPlan, 'name' | 'calendar'>[] };

/** When a wave would begin, and when its bake would be over. Undefined where calendars are not open at once within a year. */
export interface WaveForecast {
  readonly begins: Date | undefined;
  readonly ends: Date | undefined;
}

/**
 * When the waves would begin and end, if nothing goes wrong, nobody has to approve, and no bake is extended. Cells are
 * deployed in batches of the policy's concurrency; a wave begins when the calendars of all its cells are open, a later batch
 * when those of its own are. An empty wave takes no time. The policy's time scale shortens bakes, and waiting for a wave's
 * calendars; deploying takes as long as whoever asks expects.
 * @param waves all that are to come, in their order
 * @returns one forecast for each of them
 */
export function forecast(
  waves: readonly ForecastWave[],
  policy: Pick<RolloutPolicy, 'concurrency' | 'timeScale'>,
  { deploySeconds, now }: { readonly deploySeconds: number; readonly now: Date },
): WaveForecast[] {
  const { concurrency, timeScale } = policy;
  let clock: number | undefined = now.getTime();
  return waves.map(({ cells, bakeSeconds }) => {
    if (clock === undefined || cells.length === 0) return { begins: dateOf(clock), ends: dateOf(clock) };
    const begins = opened(cells, clock, timeScale);
    clock = begins;
    for (let first = 0; first < cells.length && clock !== undefined; first += concurrency) {
      // A rehearsal has waited for its hours already, in its own time.
      const opens: number | undefined = timeScale < 1 ? clock : opened(cells.slice(first, first + concurrency), clock, timeScale);
      clock = opens === undefined ? undefined : opens + deploySeconds * 1_000;
    }
    if (clock !== undefined) clock += bakeSeconds * timeScale * 1_000;
    return { begins: dateOf(begins), ends: dateOf(clock) };
  });
}

const dateOf = (time: number | undefined): Date | undefined => (time === undefined ? undefined : new Date(time));

/** When all of the cells are open, as soon after `time` as the time scale makes it. */
function opened(cells: ForecastWave['cells'], time: number, timeScale: number): number | undefined {
  const opening = openTogether(
    cells.map(({ name, calendar }) => ({ name, calendars: [calendar] })),
    new Date(time),
  );
  if (opening.open) return time;
  return opening.until === undefined ? undefined : time + (opening.until.getTime() - time) * timeScale;
}
