/**
 * What keeps a rollout from starting, as one list: `rollout start` refuses it, `rollout plan` says so, and `validate` and
 * `publish` say what the definitions alone show. Pure.
 */
import { openTogether } from '../plan/calendar.ts';
import type { Plan, VendedCell } from '../plan/plan.ts';
import { forecast, type LeftOut, planWaves, policyWaveOf, type Wave, type WaveForecast } from '../plan/waves.ts';
import { type Component, FactoryError, type Problem, type RolloutPolicy } from '../registry/index.ts';
import { historyBudget, longestBakeHours, MOST_EVENTS } from './budget.ts';

/** Duration of a deployment to a cell until one was measured, in seconds: ECS replaces tasks in some minutes. */
const DEPLOY_SECONDS = 300;

/**
 * Seconds that a deployment is taken to last until one has been seen. In a rehearsal shorter, as every wait is: how long
 * deployments take there shows with the first cell.
 */
export const expectedDeploySeconds = ({ timeScale }: Pick<RolloutPolicy, 'timeScale'>): number => DEPLOY_SECONDS * timeScale;

/** Cells that a refusal names. */
const NAMED = 10;

/** A rollout before it starts. */
export interface IntendedRollout {
  readonly component: Pick<Component, 'name' | 'kind'>;
  readonly policy: RolloutPolicy;
  readonly waves: readonly Wave[];
  readonly leftOut: readonly LeftOut[];
  /** One for each wave. */
  readonly times: readonly WaveForecast[];
  readonly now: Date;
  /** True for a rollout to one cell, which the others are ahead of. */
  readonly catchesUp: boolean;
  /** The cell of a drill. */
  readonly drill?: string | undefined;
  /** Cells that may be sick before it, because it is to cure them. */
  readonly cures?: readonly string[];
  /** Whether it may go to production without staging: somebody says so, and why. */
  readonly withoutStaging?: boolean;
}

/** Something that was found; its code is the check's. */
interface Finding extends Omit<Problem, 'code'> {
  /** True where the policy alone is to blame: no rollout with it would ever start. */
  readonly always?: boolean;
}

/** One thing that must hold before a rollout starts. */
interface StartCheck {
  readonly code: string;
  /** One sentence: what must hold. */
  readonly description: string;
  /** Whether definitions show it: a rollout that reaches no cell is the beginning of every organization. */
  readonly shownByDefinitions: boolean;
  /** Whether the policy alone can break it: then it can't be published. @default false */
  readonly refusedAtPublish?: boolean;
  readonly check: (rollout: IntendedRollout) => Iterable<Finding>;
}

const namesOf = (cells: readonly VendedCell[]): string[] => cells.map(({ name }) => name);
const some = (names: readonly string[]) => `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ', …' : ''}`;
const figure = (value: number) => value.toLocaleString('en');

/** Where the bake of a wave is written. */
const bakePath = (wave: Wave) => (wave.number === 0 ? 'rollout.stagingBake' : `rollout.waves.${policyWaveOf(wave) - 1}.bake`);

export const START_CHECKS: readonly StartCheck[] = [
  {
    code: 'ROLLOUT_NO_CELL',
    description: 'a rollout reaches a cell',
    shownByDefinitions: false,
    *check({ component: { name }, waves, leftOut }) {
      if (waves.some(({ cells }) => cells.length > 0)) return;
      const reasons = leftOut.slice(0, NAMED).map(({ cell, reason }) => `\n  ${cell}: ${reason}`);
      const more = leftOut.length > NAMED ? `\n  and ${leftOut.length - NAMED} more` : '';
      const why = leftOut.length === 0 ? ': the registry has none' : `:${reasons.join('')}${more}`;
      yield {
        path: 'cells',
        message: `no cell would get ${name}${why}`,
        fix: `fix that, \`cellctl publish\`, and look with \`cellctl rollout plan ${name}\``,
      };
    },
  },
  {
    code: 'ROLLOUT_NO_STAGING',
    description: 'a staging cell gets a version before production does: one that is built, and neither cordoned nor retiring',
    shownByDefinitions: true,
    *check({ component: { name }, waves: [staging, ...others], leftOut, catchesUp, withoutStaging }) {
      if (catchesUp || withoutStaging === true || (staging?.cells.length ?? 0) > 0 || others.every(({ cells }) => cells.length === 0))
        return;
      const reasons = leftOut.slice(0, NAMED).map(({ cell, reason }) => `\n  ${cell}: ${reason}`);
      const first = others.find(({ cells }) => cells.length > 0)?.cells[0]?.name;
      yield {
        path: 'cells',
        message: `no staging cell would get ${name}, so that ${first}, which serves customers, would be the first to run a version${reasons.length === 0 ? '' : `; left out:${reasons.join('')}`}`,
        fix: 'build a staging cell, or set the intent of one to active; in an emergency, start with --without-staging --reason "…"',
      };
    },
  },
  {
    code: 'ROLLOUT_DRILL_NOWHERE',
    description: 'the cell of a drill is in a wave',
    shownByDefinitions: false,
    // A drill in a cell that the version never comes to would be waited for by no wave.
    *check({ component: { name }, waves, drill }) {
      if (drill === undefined || waves.some(({ cells }) => namesOf(cells).includes(drill))) return;
      yield {
        path: `cells.${drill}`,
        message: `a drill in ${drill}, and no wave of ${name} has that cell`,
        fix: `name a cell that \`cellctl rollout plan ${name}\` shows in a wave`,
      };
    },
  },
  {
    code: 'ROLLOUT_CURE_NOWHERE',
    description: 'the cells that a rollout is to cure are in a wave',
    shownByDefinitions: false,
    // It would stay sick, and nobody would know.
    *check({ component: { name }, waves, leftOut, cures = [] }) {
      for (const cell of cures.filter((each) => !waves.some(({ cells }) => namesOf(cells).includes(each)))) {
        const reason = leftOut.find((left) => left.cell === cell)?.reason;
        yield {
          path: `cells.${cell}`,
          message: `a cure of ${cell}, and no wave of ${name} has that cell${reason === undefined ? '' : `. ${reason}`}`,
          fix: `name cells that \`cellctl rollout plan ${name}\` shows in a wave`,
        };
      }
    },
  },
  {
    code: 'ROLLOUT_NEVER_OPEN',
    description: 'the calendars of a wave have an hour in common within a year',
    shownByDefinitions: true,
    *check(rollout) {
      for (const [index, { number, name, cells }] of rollout.waves.entries()) {
        if (closures(rollout)[index] !== undefined) continue;
        yield {
          path: `cells.${cells[0]?.name}.calendar`,
          message: `the calendars of wave ${number}, ${name}, have no hour in common within a year`,
          fix: `give its cells windows that meet: ${some(namesOf(cells))}`,
        };
      }
    },
  },
  {
    code: 'ROLLOUT_HISTORY',
    description: `a wave takes at most ${figure(MOST_EVENTS)} events of its execution in Step Functions: while its calendars are closed, while data is missing, and while it bakes`,
    shownByDefinitions: true,
    refusedAtPublish: true,
    *check(rollout) {
      const { policy, waves, drill } = rollout;
      for (const [index, wave] of waves.entries()) {
        const { number, name, cells, bakeSeconds } = wave;
        const closed = closures(rollout)[index];
        // Whichever wave waits for it, none may be too long for that.
        const batches = Math.ceil(cells.length / policy.concurrency);
        const { events } = historyBudget(bakeSeconds, policy, closed, drill !== undefined, batches);
        if (closed === undefined || events <= MOST_EVENTS) continue;
        const longest = longestBakeHours(policy, closed);
        yield {
          path: bakePath(wave),
          message: `wave ${number}, ${name}, may take ${figure(events)} events of its execution, and Step Functions allows ${figure(MOST_EVENTS)}`,
          fix:
            longest === 0
              ? 'start it when calendars are closed for less long, or shorten alarmGrace or maxBakeExtension'
              : `shorten its bake, alarmGrace or maxBakeExtension; as the others are, a bake of at most ${longest} h will do`,
          always: historyBudget(bakeSeconds, policy).events > MOST_EVENTS,
        };
      }
    },
  },
];

/** What was computed of a rollout: two checks look at it, and calendars of thousands of cells take their time. */
const known = new WeakMap<IntendedRollout, readonly (number | undefined)[]>();

/** How long the cells of each wave are closed at a stretch, in seconds; undefined for never open at once. */
function closures(rollout: IntendedRollout): readonly (number | undefined)[] {
  const found = known.get(rollout) ?? rollout.waves.map(({ cells }, index) => longestClosure(cells, momentsOf(rollout, index)));
  known.set(rollout, found);
  return found;
}

/** When a wave may begin: whoever pauses may begin it at any time until the end, as far as anybody can tell. */
function momentsOf({ times, now }: IntendedRollout, index: number): readonly Date[] {
  return [now, times[index - 1]?.ends ?? now, times.at(-1)?.ends ?? now];
}

/**
 * How long the cells are closed at a stretch, in seconds, if the wave begins at one of these moments, or with a blackout that
 * begins between them. Undefined where they are then never open at once.
 */
function longestClosure(cells: readonly VendedCell[], moments: readonly Date[]): number | undefined {
  const visited = cells.map(({ name, calendar }) => ({ name, calendars: [calendar] }));
  const times = moments.map((moment) => moment.getTime());
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const blackouts = cells.flatMap(({ calendar }) => calendar.blackouts.map(({ from }) => Date.parse(from)));
  let longest = 0;
  for (const time of new Set([...times, ...blackouts.filter((from) => first < from && from < last)])) {
    const opening = openTogether(visited, new Date(time));
    if (opening.open) continue;
    if (opening.until === undefined) return undefined;
    longest = Math.max(longest, (opening.until.getTime() - time) / 1_000);
  }
  return longest;
}

/** Everything that keeps the rollout from starting. */
export const obstacles = (rollout: IntendedRollout): readonly Problem[] =>
  START_CHECKS.flatMap(({ code, check }) => [...check(rollout)].map(({ always: _, ...finding }) => ({ code, ...finding })));

/**
 * @param found problems of what this file doesn't look at: the artifact, and the components that it depends on
 * @throws FactoryError `REFUSED` with everything that keeps the rollout from starting
 */
export function requireStartable(rollout: IntendedRollout, found: readonly Problem[]): void {
  const problems = [...obstacles(rollout), ...found];
  const [only, ...others] = problems;
  if (!only) return;
  // What is found in a cell says its place by `cell/LogicalId`; what is found in definitions names it in its sentence.
  const where = only.path.includes('/') ? `${only.path}: ` : '';
  if (others.length === 0) throw new FactoryError('REFUSED', `${only.code}: ${where}${only.message}`, { fix: only.fix });
  throw new FactoryError('REFUSED', `a rollout of ${rollout.component.name} can't start, for ${problems.length} reasons`, { problems });
}

/** What the definitions show of rollouts. */
export interface ShownByDefinitions {
  /** The policy alone keeps every rollout from starting. */
  readonly problems: readonly Problem[];
  /** A rollout that starts now would be refused. */
  readonly warnings: readonly Problem[];
}

/** What would keep rollouts of the registry's components from starting: for `validate` and `publish`, each thing once. */
export function checkRollouts(plan: Plan, now: Date): ShownByDefinitions {
  // Which cells get a component follows from its kind: of each kind, one stands for all.
  const kinds = new Map(plan.components.toReversed().map((component) => [component.kind, component] as const));
  const found = new Map<string, Finding & { code: string }>();
  for (const component of kinds.values()) {
    const { waves, leftOut } = planWaves(plan, component);
    const times = forecast(waves, plan.rollout, { deploySeconds: expectedDeploySeconds(plan.rollout), now });
    const rollout: IntendedRollout = { component, policy: plan.rollout, waves, leftOut, times, now, catchesUp: false };
    for (const { code, check, shownByDefinitions } of START_CHECKS) {
      if (!shownByDefinitions) continue;
      for (const finding of check(rollout)) {
        // What depends on no component is the same for all kinds.
        const key = `${code} ${finding.path} ${finding.message.replaceAll(component.name, '')}`;
        if (!found.has(key)) found.set(key, { code, ...finding });
      }
    }
  }
  const said = (always: boolean) =>
    [...found.values()].filter((each) => (each.always ?? false) === always).map(({ always: _, ...problem }): Problem => problem);
  return { problems: said(true), warnings: said(false) };
}
