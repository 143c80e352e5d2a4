/** What rules look at, and what several of them need. */
import { Address4 } from 'ip-address';
import type { Problem } from '../errors.ts';
import type { Cell } from '../model.ts';
import type { Blackout, RolloutPolicy } from '../rollout-model.ts';
import type { ValidParts } from '../shape.ts';

/** What a rule must know that the definitions don't say. */
export interface Surroundings {
  /** The time by which expiry is judged. @default - expiry is not judged */
  readonly now?: Date;
  /** Cells that are there, whether or not they are defined, with what shows it: an account, a record. @default - none */
  readonly existing?: ReadonlyMap<string, string>;
  /** Ids of accounts that may not change any more, by the path at which they stand. @default - none */
  readonly settled?: ReadonlyMap<string, string>;
  /** Where cells that exist were built, and what for. @default - none */
  readonly places?: ReadonlyMap<string, CellPlace>;
  /** Storage of the databases of cells that exist, in GiB, as it was published. @default - none */
  readonly storage?: ReadonlyMap<string, number>;
}

/** What of a cell can't change while it exists: its stacks would be left behind in the one place, unseen, and made anew in the other. */
export type CellPlace = Pick<Cell, 'stage' | 'region'>;

/** A network block, as numbers. */
export interface Block {
  readonly name: string;
  readonly text: string;
  readonly prefix: number;
  /** The address as written, which may lie inside the block. */
  readonly address: number;
  /** First and last address, as numbers. */
  readonly start: number;
  readonly end: number;
}

/** What rules look at. */
export interface Subject extends ValidParts {
  /** Network blocks by cell: parsed once, because with ten thousand cells that is what validation takes its time for. */
  readonly blocks: ReadonlyMap<string, Block>;
  readonly now: Date | undefined;
  readonly existing: ReadonlyMap<string, string>;
  readonly settled: ReadonlyMap<string, string>;
  readonly places: ReadonlyMap<string, CellPlace>;
  readonly storage: ReadonlyMap<string, number>;
}

/** A problem that a rule found; its code is the rule's. */
export type RuleFinding = Omit<Problem, 'code'>;

/** One thing that must hold, or that is wise. */
export interface Rule {
  /** Stable identifier, used by editors and CI. */
  readonly code: string;
  /** One sentence: what must hold. */
  readonly description: string;
  readonly check: (subject: Subject) => Iterable<RuleFinding>;
}

/** Seconds in each unit of a duration. */
export const UNIT = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A duration such as `12h`, in seconds. */
export const seconds = (duration: string) => Number(duration.slice(0, -1)) * UNIT[duration.slice(-1) as keyof typeof UNIT];

/** The block that `text` (CIDR) stands for, called `name` in messages. */
export function parseBlock(name: string, text: string): Block {
  const { parsedAddress, subnetMask: prefix } = new Address4(text);
  const address = parsedAddress.reduce((value, byte) => value * 256 + Number(byte), 0);
  const size = 2 ** (32 - prefix);
  const start = address - (address % size);
  return { name, text, prefix, address, start, end: start + size - 1 };
}

/** The address that `number` stands for. */
export const dotted = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** What the rules look at, from what fits the schema. */
export function prepare(parts: ValidParts, { now, existing, settled, places, storage }: Surroundings): Subject {
  const standsIn = new Set(parts.standIns);
  const known = [...parts.cells].filter(([name]) => !standsIn.has(`cells.${name}.network`));
  const blocks = new Map(known.map(([name, cell]) => [name, parseBlock(name, cell.network.block)]));
  const none = new Map<string, never>();
  return {
    ...parts,
    ...{ blocks, now, existing: existing ?? none, settled: settled ?? none, places: places ?? none, storage: storage ?? none },
  };
}

/** Every bake of a policy, with where it stands, and whether each region has it for itself. */
export const bakesOf = ({ stagingBake, waves }: RolloutPolicy) => [
  { path: 'rollout.stagingBake', bake: stagingBake, oneAtATime: false },
  ...waves.map(({ bake, regions }, index) => ({ path: `rollout.waves.${index}.bake`, bake, oneAtATime: regions === 'one-at-a-time' })),
];

/** Both lists of waves that a rollout may take: the policy's, and those of an emergency. */
export const wavesOf = ({ waves, emergency }: RolloutPolicy) => [
  { path: 'rollout.waves', waves },
  { path: 'rollout.emergency', waves: emergency },
];

/** Production cells by name. */
export const productionCells = ({ cells }: Subject) => [...cells].filter(([, cell]) => cell.stage === 'production');

/** Every blackout, with where it stands. */
export function* blackoutsOf({ settings, cells }: Subject): Generator<{ path: string; blackout: Blackout }> {
  const lists = [
    ['rollout', settings?.rollout.calendar.blackouts ?? []] as const,
    ...[...cells].map(([key, { calendar }]) => [`cells.${key}`, calendar.blackouts] as const),
  ];
  for (const [owner, blackouts] of lists) {
    for (const [index, blackout] of blackouts.entries()) yield { path: `${owner}.calendar.blackouts.${index}`, blackout };
  }
}

/** Entries of `items` that share a key, as [first, later] pairs in the order given. */
export function* repeated<T>(items: Iterable<T>, key: (item: T) => string | undefined): Generator<[T, T]> {
  const seen = new Map<string, T>();
  for (const item of items) {
    const value = key(item);
    if (value === undefined) continue;
    const first = seen.get(value);
    if (first === undefined) seen.set(value, item);
    else yield [first, item];
  }
}
