/** Which stacks the CDK app should build: what was asked for, so that one cell of 1,000 costs what one of one costs. */
import { processInfo } from '../process-info.ts';

/** `all`: build everything. `names`: the CLI only lists or deletes; stacks without content will do. Otherwise the stacks to build. */
export type Wanted = 'all' | 'names' | ReadonlySet<string>;

/** Description of a stack that is only listed. */
export const NAMES_ONLY = 'Listed, not built.';

/** Takes a line for people on what is not built, and why. */
export type Note = (text: string) => void;

/** Context keys that say what to build. */
interface Asked {
  /** From people: `-c cells=alpha,bravo`. */
  readonly cells?: unknown;
  /** From the CDK CLI: `[]` when it only lists, names when called with `--exclusively`, else `['**']`. */
  readonly bundling?: unknown;
}

const split = (text: string) => text.split(',').filter((part) => part !== '');

/** The stacks among `known` that a `cdk` command line names; undefined when it names none, or all, or patterns. */
function named(commandLine: readonly string[], known: ReadonlySet<string>): ReadonlySet<string> | undefined {
  const command = commandLine.findIndex((word) => /^(deploy|diff|synth|synthesize)$/.test(word));
  if (command < 0) return undefined;
  const words = commandLine.slice(command + 1);
  if (words.some((word) => word === '--all' || word.includes('*'))) return undefined;
  // An option's value may be among the words; only exact names of stacks count, so that at worst one stack too many is built.
  const stacks = words.filter((word) => known.has(word));
  return stacks.length > 0 ? new Set(stacks) : undefined;
}

/**
 * What to build, from the most explicit to the least.
 * @param commandLine of the `cdk` that runs us: it tells its app which stacks are wanted only with `--exclusively`
 */
export function wantedStacks(
  asked: Asked,
  commandLine: readonly string[],
  known: ReadonlySet<string>,
  stackOfCell: (cell: string) => string,
): Wanted {
  if (typeof asked.cells === 'string') return new Set(split(asked.cells).map(stackOfCell));
  if (Array.isArray(asked.bundling)) {
    if (asked.bundling.length === 0) return 'names';
    if (asked.bundling.every((name) => known.has(name))) return new Set(asked.bundling);
  }
  return named(commandLine, known) ?? 'all';
}

/** The command line of the `cdk` that started this process: its parent, or its grandparent behind a shell. */
export function cdkCommandLine(): readonly string[] {
  const isCdk = (word: string) => /(^|[/\\])(cdk|aws-cdk)(\.js)?$/.test(word);
  const parent = processInfo(process.ppid);
  const grandparent = parent && processInfo(parent.parent);
  return [parent, grandparent].map((info) => info?.words ?? []).find((words) => words.some(isCdk)) ?? [];
}
