/** A drill that is tied to a rollout: waits until the wave of its cell bakes, and then until the rollout has judged the alarm. */
import { FactoryError } from '../registry/index.ts';
import type { RolloutView } from './rollout-lookup.ts';
import { drilledIn, hasEnded, type WaveStatus } from './rollout-record.ts';

/** Milliseconds between two looks at the rollout, as for `cellctl rollout watch`. */
const LOOK_MS = 2_000;

/** Looks in a row at a rollout that nothing drives, until it counts as dead: an execution that is being replaced is missing for a moment. */
const DEAD_LOOKS = 3;

/** Statuses of a wave whose cells get back what they ran. */
const TAKEN_BACK: readonly WaveStatus[] = ['rolling back', 'rolled back', 'rolled back in part'];

/** How far a rollout is for a drill in one of its cells. */
export interface DrillMoment {
  /** `before` the wave of the cell bakes, while it does, or `after`: then a drill comes too late. */
  readonly state: 'before' | 'baking' | 'after';
  /** For people: `orders-api-7 wave 1 one-quiet-cell: deploying`. */
  readonly sentence: string;
}

type PlannedWave = RolloutView['plan']['waves'][number];

/** The wave that waits for the drill: the cell's, or the one the rollout was started for. @throws FactoryError `USAGE` where it doesn't go there */
export function drilledWave({ plan }: RolloutView, cell: string): PlannedWave {
  const number = plan.drill === cell ? drilledIn(plan) : undefined;
  const wave = plan.waves.find((each) => (number === undefined ? each.cells.includes(cell) : each.number === number));
  if (wave) return wave;
  throw new FactoryError('USAGE', `${plan.id} does not go to ${cell}`, { fix: `\`cellctl rollout status ${plan.id}\` shows its cells` });
}

const statusOf = ({ waves }: RolloutView, number: number): WaveStatus => waves.find((wave) => wave.number === number)?.status ?? 'pending';

/** How far the rollout is. Pure. @throws FactoryError `USAGE` where it doesn't go to the cell */
export function drillMoment(view: RolloutView, cell: string): DrillMoment {
  const { record } = view;
  const { number, name } = drilledWave(view, cell);
  const status = statusOf(view, number);
  const rollout = record.status === 'running' ? record.id : `${record.id} (${record.status})`;
  const outcome = hasEnded(record.status) && record.outcome ? `; ${record.outcome.sentence}` : '';
  const sentence = `${rollout} wave ${number} ${name}: ${status}${outcome}`;
  if (hasEnded(record.status)) return { state: 'after', sentence };
  if (status === 'baking') return { state: 'baking', sentence };
  return { state: ['pending', 'preflight', 'deploying'].includes(status) ? 'before' : 'after', sentence };
}

/** What a drill sees of the rollout, and the time that goes by. */
export interface DrillWorld {
  readonly look: () => Promise<RolloutView>;
  readonly cell: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  /** Tells a person how far the rollout is; each time that has changed. */
  readonly say: (sentence: string) => void;
}

/**
 * Waits until the wave of the cell bakes.
 * @param seconds how long at most
 * @throws FactoryError `DRILL_FAILED` when it comes too late, takes longer, or nothing drives the rollout any more
 */
export async function untilBaking(world: DrillWorld, seconds: number): Promise<RolloutView> {
  const view = await lookUntil(world, seconds, 'bake', (seen) => drillMoment(seen, world.cell).state !== 'before');
  const { state, sentence } = drillMoment(view, world.cell);
  if (state === 'baking') return view;
  throw failed(`the drill comes too late: ${sentence}`, `${startedFor(view, world.cell)}, and run the drill right after it`);
}

/** What the rollout made of the alarm. */
export interface Judgement {
  readonly rollout: string;
  readonly wave: number;
  /** Why it takes back what the wave changed. */
  readonly sentence: string;
}

/**
 * Waits until the rollout has seen the alarm, and takes back what the wave changed.
 * @param seconds how long at most
 * @throws FactoryError `DRILL_FAILED` when it does anything else, or takes longer
 */
export async function untilJudged(world: DrillWorld, seconds: number): Promise<Judgement> {
  const { cell } = world;
  await lookUntil(world, seconds, 'see the alarm', (seen) => drillMoment(seen, cell).state !== 'baking');
  // A look reads the record before the waves: that of the last one may be older than the reason, which is written before the wave's status.
  const view = await world.look();
  const { number: wave } = drilledWave(view, cell);
  const { id: rollout, outcome } = view.record;
  if (TAKEN_BACK.includes(statusOf(view, wave)) && outcome?.cell === cell) return { rollout, wave, sentence: outcome.sentence };
  const { sentence } = drillMoment(view, cell);
  if (statusOf(view, wave) === 'passed') throw failed(`the wave passed before it saw the alarm: ${sentence}`, startedFor(view, cell));
  const why = outcome === undefined || sentence.includes(outcome.sentence) ? sentence : `${sentence}; ${outcome.sentence}`;
  throw failed(`it was not the alarm that ended the wave: ${why}`, 'run the drill with another rollout');
}

/** Looks until it is so, and says each change. */
async function lookUntil(
  { look, cell, now, sleep, say }: DrillWorld,
  seconds: number,
  what: string,
  isSo: (view: RolloutView) => boolean,
): Promise<RolloutView> {
  const deadline = now() + seconds * 1_000;
  let said: string | undefined;
  let dead = 0;
  for (;;) {
    const view = await look();
    if (isSo(view)) return view;
    const { sentence } = drillMoment(view, cell);
    if (sentence !== said) say(sentence);
    said = sentence;
    dead = view.alive ? 0 : dead + 1;
    const { id } = view.record;
    if (dead >= DEAD_LOOKS) {
      throw failed(`${id} is dead: its execution ended without a word`, `\`cellctl rollout resume ${id}\` has it go on`);
    }
    const left = deadline - now();
    if (left <= 0) throw failed(`${id} did not ${what} within ${seconds} s: ${sentence}`, `\`cellctl rollout status ${id}\` says why`);
    await sleep(Math.min(LOOK_MS, left));
  }
}

const startedFor = ({ record: { component, version } }: RolloutView, cell: string) =>
  `start the rollout with --drill, so that its wave waits: \`cellctl rollout start ${component} --release ${version} --drill ${cell}\``;

const failed = (message: string, fix: string) => new FactoryError('DRILL_FAILED', message, { fix });
