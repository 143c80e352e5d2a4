/** What people may ask of a rollout: which wave it is about when they don't say, and what follows. Pure. */
import { FactoryError } from '../registry/index.ts';
import { isTouched } from './roll-back.ts';
import type { RolloutView } from './rollout-lookup.ts';
import type { CellRecord, RolloutPlan } from './rollout-record.ts';
import { drilledIn } from './rollout-record.ts';

/** What can be asked for. */
export type Ask = 'pause' | 'stop' | 'resume' | 'continue' | 'rollback' | 'approve' | 'skip-bake' | 'skip-cell';

type PlannedWave = RolloutView['plan']['waves'][number];

/** The wave of that number. @throws FactoryError `USAGE` */
function waveOf({ plan }: RolloutView, number: number): PlannedWave {
  const wave = plan.waves[number];
  if (wave) return wave;
  throw new FactoryError('USAGE', `${plan.id} has no wave ${number}`, {
    fix: `pass a number from 0 to ${plan.waves.length - 1} with --wave`,
  });
}

const statusOf = ({ waves }: RolloutView, number: number) => waves.find((wave) => wave.number === number)?.status ?? 'pending';

/**
 * The wave to approve: the one that was named, or the next that nobody has approved.
 * @throws FactoryError `USAGE` for one that there isn't; `REFUSED` when it needs no approval, or has passed
 */
export function waveToApprove(view: RolloutView, number: number | undefined): number {
  const { plan, record } = view;
  const needs = ({ number: each, approval }: PlannedWave) => approval && record.control.approvals?.[each] === undefined;
  const fix = `\`cellctl rollout status ${plan.id}\` shows its waves`;
  if (number !== undefined) {
    const wave = waveOf(view, number);
    if (!wave.approval) throw new FactoryError('REFUSED', `wave ${number}, ${wave.name}, needs no approval`, { fix });
    if (statusOf(view, number) === 'passed') throw new FactoryError('REFUSED', `wave ${number}, ${wave.name}, has passed`, { fix });
    return number;
  }
  const next = plan.waves.find((wave) => statusOf(view, wave.number) !== 'passed' && needs(wave));
  if (next) return next.number;
  throw new FactoryError('REFUSED', `no wave of ${plan.id} waits for an approval`, { fix });
}

/**
 * The wave whose bake is to be skipped: the one that was named, or the one that bakes now.
 * @throws FactoryError `USAGE` for one that there isn't; `REFUSED` when none bakes, it has passed, or waits for a drill
 */
export function waveToSkip(view: RolloutView, number: number | undefined): number {
  const { plan, waves } = view;
  const undrilled = (wave: PlannedWave): number => {
    const { drill } = plan;
    if (drilledIn(plan) !== wave.number) return wave.number;
    const fix = `stop the rollout with \`cellctl rollout stop ${plan.id}\`, and start one without --drill`;
    throw new FactoryError('REFUSED', `wave ${wave.number}, ${wave.name}, waits for a drill in ${drill}, and never passes`, { fix });
  };
  if (number !== undefined) {
    const wave = waveOf(view, number);
    if (statusOf(view, number) !== 'passed') return undrilled(wave);
    throw new FactoryError('REFUSED', `wave ${number}, ${wave.name}, has passed`, { fix: 'there is nothing left to skip' });
  }
  const baking = waves.find(({ status }) => status === 'baking');
  if (baking) return undrilled(waveOf(view, baking.number));
  throw new FactoryError('REFUSED', `no wave of ${plan.id} bakes now`, { fix: 'name one that is to come with --wave' });
}

/**
 * Refuses to leave a cell out of a rollout that is not in it, or that has the version already.
 * @throws FactoryError `USAGE` for one that is in no wave; `REFUSED` for one that has the version, or is getting it
 */
export function refuseSkip(plan: RolloutPlan, cell: string, cells: readonly CellRecord[]): void {
  const { id, component, version } = plan;
  if (!plan.waves.some((wave) => wave.cells.includes(cell))) {
    const left = plan.leftOut.find((each) => each.cell === cell);
    throw new FactoryError('USAGE', `${cell} is in no wave of ${id}${left ? `. ${left.reason}` : ''}`, {
      fix: `name a cell that \`cellctl rollout status ${id}\` shows`,
    });
  }
  const record = cells.find((each) => each.cell === cell);
  if (!record || (record.status !== 'deployed' && !isTouched(record))) return;
  const state = record.status === 'deployed' ? `runs ${component} ${version} already` : `is ${record.status} by ${id}`;
  throw new FactoryError('REFUSED', `${cell} ${state}: it can't be left out any more`, {
    fix: `\`cellctl rollout rollback ${id}\` takes the version back from its cells; after that, skip ${cell} and \`cellctl rollout resume ${id}\``,
  });
}

/** What was asked for, and what happens next: one line. @param view from before it was asked for */
export function followingOf(ask: Ask, view: RolloutView, wave?: number): string {
  const { record, waves } = view;
  const busy = waves.find(({ status }) => status === 'preflight' || status === 'deploying' || status === 'baking');
  const named = (number: number) => `wave ${number}, ${view.plan.waves[number]?.name ?? ''}`;
  const { id } = record;
  switch (ask) {
    case 'pause':
      return busy?.status === 'baking'
        ? `${named(busy.number)}, bakes to its end, and nothing begins after it; \`cellctl rollout resume ${id}\` has it go on`
        : `no further cell begins, and what has begun is finished; \`cellctl rollout resume ${id}\` has it go on`;
    case 'stop':
      return busy?.status === 'baking'
        ? `it ends at the next look at ${named(busy.number)}; every cell keeps what it runs, and nobody watches it`
        : 'no further cell begins, what has begun is finished, and it ends; every cell keeps what it runs';
    case 'continue':
      return 'it goes on; the cells that are sick now keep the version, and no one waits for them any more';
    case 'resume': {
      const next = waves.find(({ status }) => status !== 'passed');
      return `it goes on with ${named(next?.number ?? 0)}; cells that run ${record.version} stay as they are`;
    }
    case 'rollback':
      return wave === undefined
        ? 'what it changed is rolled back in every cell, the last wave first'
        : `what it changed is rolled back in its last wave; cells of the waves before it keep ${record.version}`;
    case 'approve':
      return record.status === 'awaiting approval' ? `${named(wave ?? 0)}, begins now` : `${named(wave ?? 0)}, begins when its turn comes`;
    case 'skip-cell':
      return `it gets nothing of ${id}, and its wave does not wait for it; \`cellctl rollout catch-up <cell>\` brings it to the others’ version later`;
    case 'skip-bake':
      return busy?.status === 'baking' && busy.number === wave
        ? `${named(wave)}, passes at its next look, if no alarm fires until then`
        : `${named(wave ?? 0)}, passes as soon as it is deployed, if no alarm fires`;
  }
}
