/**
 * What the bus in tooling is told of a rollout: an event for every change that is written down. Pure; `tell.ts` sends them.
 * Others depend on the shape, docs/events.md: fields are added, and never change their meaning within a `schema`.
 */

import type { Control, Request, RolloutPlan, RolloutRecord, WaveRecord, WaveStatus } from './rollout-record.ts';
import { needsSomebody, type Standing, takeBack, waysOut } from './ways-out.ts';

/** Name of the bus, in tooling's home region. */
export const EVENT_BUS = 'cell-factory';
/** `source` of every event. */
export const EVENT_SOURCE = 'cell-factory';

/** `detail-type` of an event, by what has changed. */
export const DETAIL_TYPES = {
  rollout: 'Rollout State Change',
  wave: 'Rollout Wave State Change',
  verdict: 'Rollout Verdict',
  afterwards: 'Rollout Alarm After Success',
} as const;

/** Who did what nobody asked for. */
const FACTORY = 'cell-factory';

/** Names of cells in an event at most: EventBridge takes 256 KiB. */
const CELLS_NAMED = 100;

/** Characters of a reason at most: it may hold what CloudFormation says of a component. */
const LONGEST_REASON = 2_000;

const shortened = (reason: string): string => (reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON - 1)}…`);

/** As chats take it: what stands in angle brackets calls people there, or hides where a link leads, and a reason may be a component's own words. */
const forChat = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** What an event says. */
export interface EventDetail {
  readonly schema: 1;
  /** The same for the same change: one that is delivered twice can be told by it. */
  readonly id: string;
  /** What has changed, as `detail-type` says it for rules. */
  readonly change: keyof typeof DETAIL_TYPES;
  /** When it happened, ISO 8601. */
  readonly at: string;
  readonly rollout: string;
  readonly component: string;
  readonly version: string;
  /** Status of the rollout, or `dead`. */
  readonly status: Standing;
  /** The status before; null for a rollout that is new. */
  readonly before: Standing | null;
  /** Number of the wave that it is about; null for the rollout as a whole. */
  readonly wave: number | null;
  /** `held`: nothing further begins, because a cell is sick. Null where it is about no wave. */
  readonly waveStatus: WaveStatus | 'held' | null;
  /** The cells that it is about, a hundred at most. */
  readonly cells: readonly string[];
  /** How many they are. */
  readonly cellCount: number;
  /** Why: a whole sentence, cut where it is too long; empty for what needs none. */
  readonly reason: string;
  /** Who asked for it; `cell-factory` where nobody did. */
  readonly by: string;
  /** Whether a person has to do something, or should know at once. */
  readonly attention: boolean;
  /** Commands that have it go on or back. */
  readonly next: readonly string[];
  /** The execution in the console; null where there is none yet. */
  readonly link: string | null;
  /** All of it in a line, for a chat: `&`, `<` and `>` are escaped. */
  readonly text: string;
}

/** What a change is put together with. */
export interface Told {
  readonly id: string;
  readonly at: string;
  readonly plan: Pick<RolloutPlan, 'waves'>;
}

/** What differs from one event of a rollout to the next. */
type Special = Pick<EventDetail, 'status' | 'before' | 'reason' | 'by' | 'attention' | 'next'> &
  Partial<Pick<EventDetail, 'wave' | 'waveStatus'>> & { readonly about: readonly string[]; readonly says: string };

function eventOf(change: EventDetail['change'], record: RolloutRecord, { id, at }: Told, special: Special): EventDetail {
  const { id: rollout, component, version, execution } = record;
  const { about, says, ...rest } = { ...special, reason: shortened(special.reason) };
  const why = rest.reason === '' ? '' : `: ${rest.reason}`;
  const next = rest.next.length === 0 ? '' : ` Next: ${rest.next.join(', or ')}`;
  return {
    ...{ schema: 1, id: `${id}-${change}`, change, at, rollout, component, version, wave: null, waveStatus: null },
    ...rest,
    ...{ cells: about.slice(0, CELLS_NAMED), cellCount: about.length },
    link: execution === undefined ? null : linkTo(execution),
    text: forChat(`${rollout} (${component} ${version}) ${says}${why}.${next}`.replace('..', '.')),
  };
}

/** Hosts of the console, by partition. */
const CONSOLES: Readonly<Record<string, string>> = { 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com' };

/** An execution in the console of Step Functions. */
export function linkTo(execution: string): string {
  const [, partition = '', , region = ''] = execution.split(':');
  return `https://${region}.${CONSOLES[partition] ?? 'console.aws.amazon.com'}/states/home?region=${region}#/v2/executions/details/${execution}`;
}

/** The events of a record that was written: of its state, its verdicts, and of alarms after its success. */
export function recordEvents(before: RolloutRecord | undefined, after: RolloutRecord, told: Told): EventDetail[] {
  return [...verdictEvents(before, after, told), ...stateEvents(before, after, told), ...afterwardsEvents(before, after, told)];
}

function stateEvents(before: RolloutRecord | undefined, after: RolloutRecord, told: Told): EventDetail[] {
  const { status, outcome } = after;
  if (before?.status === status) return [];
  const special = {
    ...{ status, before: before?.status ?? null, reason: outcome?.sentence ?? '', by: askerOf(before, after) },
    // One that another went instead of had begun nothing.
    attention: needsSomebody(status) && before?.status !== 'queued',
    next: waysOut(after, status),
    says: `is ${status}`,
  };
  return [eventOf('rollout', after, told, { ...special, wave: outcome?.wave ?? null, about: aboutOf(after, told) })];
}

/** The cells that a rollout's state is about: the one that is named, or else those of the wave. */
function aboutOf({ outcome, back }: RolloutRecord, { plan }: Told): readonly string[] {
  if (outcome?.cell !== undefined) return [outcome.cell];
  if (back?.scope === 'cells') return back.cells;
  return plan.waves.find(({ number }) => number === outcome?.wave)?.cells ?? [];
}

/** Who asked for what has now happened. */
function askerOf(before: RolloutRecord | undefined, after: RolloutRecord): string {
  if (!before) return after.by;
  const { pause, stop, rollback } = after.control;
  const asked: Partial<Record<Standing, Request | undefined>> = {
    ...{ paused: pause, stopped: stop, 'rolled back': rollback, 'rolled back in part': rollback },
    running: newestOf(after.control),
  };
  return asked[after.status]?.by ?? FACTORY;
}

/** What somebody asked for last of what sets a rollout going. */
const newestOf = ({ resumed, continued, rollback, approvals = {} }: Control): Request | undefined =>
  [resumed, continued, rollback, ...Object.values(approvals)].flatMap((request) => request ?? []).sort((a, b) => (a.at < b.at ? 1 : -1))[0];

function verdictEvents(before: RolloutRecord | undefined, after: RolloutRecord, told: Told): EventDetail[] {
  const known = before?.verdicts?.at(-1)?.at ?? '';
  const { status } = after;
  return (after.verdicts ?? [])
    .filter(({ at }) => at > known)
    .map(({ at, wave, verdict, sentence, cells }) =>
      eventOf(
        'verdict',
        after,
        { ...told, id: `${told.id}-${at}`, at },
        {
          ...{ status, before: before?.status ?? null, wave, reason: sentence, by: FACTORY, about: cells },
          attention: verdict !== 'blip',
          // What needs a person is an event of its own, when it has come to that.
          next: [],
          says: `judged an alarm in wave ${wave}`,
        },
      ),
    );
}

function afterwardsEvents(before: RolloutRecord | undefined, after: RolloutRecord, told: Told): EventDetail[] {
  const known = new Set(before?.afterwards?.sick.map(({ cell }) => cell));
  const fresh = (after.afterwards?.sick ?? []).filter(({ cell }) => !known.has(cell));
  const [first] = fresh;
  if (!first) return [];
  return [
    eventOf('afterwards', after, told, {
      ...{ status: after.status, before: after.status, reason: first.sentence, by: FACTORY, attention: true, next: [takeBack(after.id)] },
      about: fresh.map(({ cell }) => cell),
      says: `has succeeded, and ${fresh.length === 1 ? 'a cell is' : `${fresh.length} cells are`} sick since`,
    }),
  ];
}

/** What a wave is to people: `held` while nothing further begins in it. */
const standingOf = ({ status, held }: Pick<WaveRecord, 'status' | 'held'>): WaveStatus | 'held' =>
  status === 'deploying' && held !== undefined ? 'held' : status;

/** The events of a wave that was written. @param record its rollout's */
export function waveEvents(before: WaveRecord | undefined, after: WaveRecord, record: RolloutRecord, told: Told): EventDetail[] {
  const waveStatus = standingOf(after);
  if (waveStatus === (before ? standingOf(before) : 'pending')) return [];
  const { number: wave, sentence = '' } = after;
  const planned = told.plan.waves.find(({ number }) => number === wave);
  return [
    eventOf('wave', record, told, {
      ...{ status: record.status, before: record.status, wave, waveStatus, reason: sentence, by: FACTORY, next: [] },
      // What becomes of the rollout is an event of its own.
      attention: false,
      about: planned?.cells ?? [],
      says: `wave ${wave}${planned ? `, ${planned.name},` : ''} is ${waveStatus}`,
    }),
  ];
}

/** The event of a rollout whose execution has ended without a word. */
export function deadEvent(record: RolloutRecord, told: Told, how: string): EventDetail {
  return eventOf('rollout', record, told, {
    ...{ status: 'dead', before: record.status, reason: how, by: FACTORY, attention: true, next: waysOut(record, 'dead') },
    about: aboutOf(record, told),
    says: 'is dead',
  });
}
