/** A rollout as people see it: what is written down of it, with what it waits for and how long that takes. Pure. */
import { forecast } from '../plan/waves.ts';
import type { RolloutPolicy } from '../registry/index.ts';
import type { RolloutView } from './rollout-lookup.ts';
import {
  type Afterwards,
  type CellRecord,
  type CellRolloutStatus,
  drilledIn,
  endsWell,
  type Request,
  type RolloutCell,
  type RolloutRecord,
  type RolloutStatus,
  type VerdictRecord,
  type WaveRecord,
  type WaveStatus,
} from './rollout-record.ts';
import { expectedDeploySeconds } from './start-checks.ts';
import { takeBack, waysOut } from './ways-out.ts';

/** Cells of a wave by what became of them. */
export interface CellCounts {
  readonly total: number;
  /** They run the version. */
  readonly deployed: number;
  /** Something is being done to them. */
  readonly moving: number;
  readonly failed: number;
  readonly restored: number;
  readonly notRestored: number;
  readonly skipped: number;
}

/** A share of the production traffic, 0 to 1: what runs the version now, and what was planned. */
interface Exposure {
  readonly now: number;
  readonly planned: number;
}

export interface WavePicture {
  readonly number: number;
  readonly name: string;
  readonly status: WaveStatus;
  readonly regions: readonly string[];
  /** Share of the production traffic that runs the version in this wave and those before it, 0 to 1. */
  readonly exposure: Exposure;
  readonly cells: CellCounts;
  /** While it bakes: when that began and when it is over, ISO 8601. */
  readonly bake?: { readonly since: string; readonly until: string; readonly extended: boolean };
  /** What it waits for, or why it ended: a whole sentence. */
  readonly sentence?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** When it would begin and be over as things are, ISO 8601; of waves that are not over. */
  readonly forecast?: { readonly begins: string | undefined; readonly ends: string | undefined };
}

/** A row for a cell. */
export interface CellPicture {
  readonly cell: string;
  readonly wave: number;
  readonly status: CellRolloutStatus;
  /** Versions; undefined for none, or where it is not known. */
  readonly before: string | undefined;
  readonly now: string | undefined;
  readonly sentence: string | undefined;
}

/** What `history` says of a rollout, and `status` and `watch` say first: the same names mean the same in all of them. */
export interface Summary {
  readonly id: string;
  readonly component: string;
  /** The one cell that it is for; undefined for all. */
  readonly only: string | undefined;
  readonly version: string;
  readonly revision: number;
  readonly status: RolloutStatus;
  /** False where it should run, and nothing drives it. */
  readonly alive: boolean;
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt: string | undefined;
  /** Why it is where it is: a whole sentence. */
  readonly sentence: string | undefined;
  /** Nothing more happens unless a person does something. */
  readonly halted: boolean;
  /** False once it has failed: what the exit code says. */
  readonly well: boolean;
  /** What a person can do about it, as commands, the likelier first. */
  readonly next: readonly string[];
  /** What looks after its success have shown. */
  readonly afterwards: Afterwards | undefined;
}

export interface Picture extends Summary {
  readonly reason: string | undefined;
  readonly timeScale: number;
  /** Whether the policy's waves of an emergency were taken. */
  readonly emergency: boolean;
  /** Cells that may be sick, because the version is to cure them. */
  readonly cures: readonly string[];
  readonly exposure: Exposure;
  /** What people have asked for that has not taken effect yet, a sentence each. */
  readonly asked: readonly string[];
  /** What alarms were taken for, oldest first. */
  readonly verdicts: readonly VerdictRecord[];
  readonly waves: readonly WavePicture[];
  readonly leftOut: number;
  /** When it would be over, as things are; undefined where it has halted, or calendars leave no hour. */
  readonly ends: string | undefined;
}

/** @param alive false where the record says that it runs, and nothing drives it */
export function summaryOf(record: RolloutRecord, alive: boolean): Summary {
  const { id, component, only, version, revision, status, by, startedAt, endedAt, outcome } = record;
  // A pipeline takes it on.
  const goesOn = status === 'running' || status === 'queued' || status === 'between waves';
  // It says nothing of what has become of the rollout since.
  const afterwards = status === 'succeeded' ? record.afterwards : undefined;
  const sick = (afterwards?.sick.length ?? 0) > 0;
  return {
    ...{ id, component, only, version, revision, status, alive, by, startedAt, endedAt, afterwards },
    sentence: alive ? outcome?.sentence : 'its execution ended without a word',
    halted: !goesOn || !alive,
    well: alive && (goesOn || endsWell(status)),
    next: sick ? [takeBack(id)] : waysOut(record, alive ? status : 'dead'),
  };
}

/** @param cells by number of the wave; without them, nothing is foreseen, and cells of a wave count the same */
export function pictureOf(view: RolloutView, cells: readonly (readonly RolloutCell[])[] | undefined, now: Date): Picture {
  const { plan, record, alive } = view;
  const summary = summaryOf(record, alive);
  // Nobody can tell how long it takes to roll back.
  const isGoingBack = view.waves.some((wave) => wave.status === 'rolling back') || record.control.rollback !== undefined;
  const times = summary.halted || isGoingBack || !cells ? [] : foreseen(view, cells, now);
  const exposures = exposuresOf(view, cells);
  return {
    ...summary,
    reason: plan.reason,
    timeScale: plan.policy.timeScale,
    emergency: plan.emergency === true,
    cures: plan.cures ?? [],
    exposure: exposures.at(-1) ?? { now: 0, planned: 0 },
    asked: record.status === 'running' ? askedFor(view) : [],
    verdicts: record.verdicts ?? [],
    waves: plan.waves.map((wave, index) => wavePicture(view, wave, exposures[index], times[index])),
    leftOut: plan.leftOut.length,
    ends: times.at(-1)?.ends,
  };
}

/** Cells that run the version, or may: nobody knows what runs while it is changed, nor where it could not be rolled back. */
const MAY_HAVE: readonly CellRolloutStatus[] = ['deployed', 'deploying', 'restoring', 'not restored'];

/** What runs the version now, up to each wave: of what a wave adds to the plan, the share that its cells with the version have. */
function exposuresOf({ plan, cells: records }: RolloutView, pinned: readonly (readonly RolloutCell[])[] | undefined): Exposure[] {
  const having = new Set(records.filter(({ status }) => MAY_HAVE.includes(status)).map(({ cell }) => cell));
  let [now, before] = [0, 0];
  return plan.waves.map(({ cells, exposure: planned }, index) => {
    const weights = new Map(pinned?.[index]?.map(({ name, weight }) => [name, weight]));
    const total = cells.reduce((sum, cell) => sum + (weights.get(cell) ?? 0), 0);
    const weightOf = (cell: string) => (total > 0 ? (weights.get(cell) ?? 0) / total : 1 / cells.length);
    now += (planned - before) * cells.reduce((sum, cell) => sum + (having.has(cell) ? weightOf(cell) : 0), 0);
    before = planned;
    return { now, planned };
  });
}

/** What was asked for and is still to come. */
function askedFor({ plan, record: { control }, waves }: RolloutView): string[] {
  const told = (what: string, request: Request | undefined) =>
    request ? [`${what}, asked for by ${request.by}${request.reason === undefined ? '' : `: ${request.reason}`}`] : [];
  const { pause, stop, rollback, skipBake = {} } = control;
  const drilled = drilledIn(plan);
  const drills = drilled !== undefined && waves[drilled]?.endedAt === undefined;
  const open = waves.filter(({ number, status }) => status !== 'passed' && skipBake[number] !== undefined);
  return [
    ...told(rollback?.scope === 'wave' ? 'rolls its last wave back' : 'rolls everything back', rollback),
    ...told('stops', stop),
    ...told('pauses', pause),
    ...(drills ? [`drills in ${plan.drill}: wave ${drilled} never passes, and is rolled back at an alarm`] : []),
    ...open.flatMap(({ number }) => told(`skips the bake of wave ${number}`, skipBake[number])),
  ];
}

type PlannedWave = RolloutView['plan']['waves'][number];

function wavePicture(
  { waves, cells }: RolloutView,
  wave: PlannedWave,
  exposure: Exposure = { now: 0, planned: wave.exposure },
  times: WavePicture['forecast'] = undefined,
): WavePicture {
  const { number, name, regions } = wave;
  const record: WaveRecord = waves.find((each) => each.number === number) ?? { number, status: 'pending', attempts: 0 };
  const {
    status,
    bakeBeganAt: since,
    bakeUntil: until,
    extended,
    sentence = extended ?? waiting(record, cells),
    startedAt,
    endedAt,
  } = record;
  return {
    ...{ number, name, status, regions, exposure },
    cells: countCells(wave, cells),
    ...(status === 'baking' && since !== undefined && until !== undefined
      ? { bake: { since, until, extended: extended !== undefined } }
      : {}),
    ...(sentence === undefined ? {} : { sentence }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(times === undefined || isOver(record) ? {} : { forecast: times }),
  };
}

/** What a cell of the wave waits for, while the others are deployed. */
const waiting = ({ number, status }: WaveRecord, cells: readonly CellRecord[]): string | undefined =>
  status === 'deploying'
    ? cells.find((cell) => cell.wave === number && cell.status === 'pending' && (cell.waitingSince ?? cell.busySince) !== undefined)
        ?.sentence
    : undefined;

function countCells({ number, cells: { length: total } }: PlannedWave, cells: readonly CellRecord[]): CellCounts {
  const own = cells.filter(({ wave }) => wave === number);
  const count = (...states: CellRolloutStatus[]) => own.filter(({ status }) => states.includes(status)).length;
  return {
    total,
    deployed: count('deployed'),
    moving: count('deploying', 'restoring'),
    failed: count('failed'),
    restored: count('restored'),
    notRestored: count('not restored'),
    skipped: count('skipped'),
  };
}

/** Whether CloudFormation is changing the cell. */
const isAtWork = (status: CellRolloutStatus): boolean => status === 'deploying' || status === 'restoring';

/** What the cell is waited for. A way back says why, too. */
const patienceText = ({ sentence, patience }: Pick<CellRecord, 'sentence' | 'patience'> = {}): string | undefined =>
  [sentence, patience && `up to ${patience.seconds / 60} minutes for ${patience.what}`].filter((each) => each !== undefined).join('; ') ||
  undefined;

const isOver = ({ status }: Pick<WaveRecord, 'status'>) => !['pending', 'preflight', 'deploying', 'baking'].includes(status);

/** What a deployment took here, in seconds, in the middle; until there was one, what it takes elsewhere. */
function deploySeconds(cells: readonly CellRecord[], policy: RolloutPolicy): number {
  const taken = cells
    .filter(({ status, unchanged, startedAt, endedAt }) => status === 'deployed' && unchanged !== true && startedAt && endedAt)
    .map(({ startedAt = '', endedAt = '' }) => (Date.parse(endedAt) - Date.parse(startedAt)) / 1_000)
    .sort((a, b) => a - b);
  return taken[Math.floor(taken.length / 2)] ?? expectedDeploySeconds(policy);
}

/** When each wave would begin and be over. What is over is not foreseen. */
function foreseen({ plan, waves, cells: records }: RolloutView, cells: readonly (readonly RolloutCell[])[], now: Date) {
  const { policy } = plan;
  const taken = deploySeconds(records, policy);
  const deployed = new Set(records.filter(({ status }) => status === 'deployed' || status === 'skipped').map(({ cell }) => cell));
  let clock: Date | undefined = now;
  return plan.waves.map((wave, index): NonNullable<WavePicture['forecast']> => {
    const record = waves[index];
    if (!clock || !record || isOver(record)) return { begins: record?.startedAt, ends: clock?.toISOString() };
    if (record.status === 'baking' && record.bakeUntil !== undefined) {
      clock = new Date(Math.max(clock.getTime(), Date.parse(record.bakeUntil)));
      return { begins: record.startedAt, ends: clock.toISOString() };
    }
    const open = (cells[index] ?? []).filter(({ name }) => !deployed.has(name));
    const bakes = { ...wave, cells: open };
    const [times] = forecast([bakes], policy, { deploySeconds: taken, now: clock });
    // Where all cells are deployed, what is left of the wave is its bake.
    const rest = open.length === 0 && wave.cells.length > 0 ? wave.bakeSeconds * policy.timeScale * 1_000 : 0;
    clock = times?.ends && new Date(times.ends.getTime() + rest);
    return { begins: record.startedAt ?? times?.begins?.toISOString(), ends: clock?.toISOString() };
  });
}

/** Worst first, then what moves, then what is done, then what is still to come. */
const RANK: Readonly<Record<CellRolloutStatus, number>> = {
  'not restored': 0,
  failed: 1,
  restoring: 2,
  deploying: 3,
  restored: 4,
  replaced: 5,
  skipped: 6,
  deployed: 7,
  pending: 8,
};

/** A row for every cell of the rollout: first those that somebody must look at. */
export function cellPictures({ plan, cells }: RolloutView): CellPicture[] {
  const known = new Map(cells.map((cell) => [cell.cell, cell]));
  const rows = plan.waves.flatMap(({ number, cells: names }) =>
    names.map((cell): CellPicture => {
      const record = known.get(cell);
      const { status = 'pending', previous } = record ?? {};
      const sentence = isAtWork(status) ? patienceText(record) : record?.sentence;
      const before = previous === undefined || previous === '' ? undefined : previous;
      return { cell, wave: number, status, before, now: versionNow(status, before, plan.removal ? undefined : plan.version), sentence };
    }),
  );
  return rows.sort((a, b) => RANK[a.status] - RANK[b.status] || a.wave - b.wave || (a.cell < b.cell ? -1 : 1));
}

/** What runs in a cell; undefined where something is under way, or has failed on the way. */
function versionNow(status: CellRolloutStatus, before: string | undefined, version: string | undefined): string | undefined {
  if (status === 'deployed') return version;
  return status === 'restored' || status === 'pending' || status === 'skipped' ? before : undefined;
}
