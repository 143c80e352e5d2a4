/** What a Makefile says it can make, by make itself, and without making any of it. */
import { lastLines, type Run } from '../lib/program.ts';

/** Targets by name; whether each has a recipe. */
export type Targets = ReadonlyMap<string, { readonly recipe: boolean }>;

/** What make must not learn from us: who called us with what, and credentials. */
export const NOT_FOR_MAKE = /^(MAKE|MFLAGS|GNUMAKEFLAGS|GIT_|AWS_)/;

/** A target of our own, to ask for nothing: without one make would look at the Makefile's first. */
const NOTHING = '__cell-factory-asks-for-nothing';

/**
 * The targets of `folder`'s Makefile. Make reads the Makefile, which runs `$(shell …)` in it and makes files that it includes;
 * no recipe of a target is run.
 * @returns what make complains about in place of targets, when it can't read it
 */
export async function readTargets(folder: string, run: Run, environment: Readonly<Record<string, string>>): Promise<Targets | string> {
  // Two files rather than --eval, which make 3.81 of macOS does not know.
  const ended = await run('make', ['-pq', '-f', 'Makefile', '-f', '-', NOTHING], {
    folder,
    // In English: the database has remarks that say what is what.
    environment: { ...environment, LC_ALL: 'C' },
    without: NOT_FOR_MAKE,
    input: `.PHONY: ${NOTHING}\n${NOTHING}:\n`,
    timeout: 60_000,
  });
  // 1: it was asked whether there is something to do, and there is.
  return ended.code === 0 || ended.code === 1 ? parseDatabase(ended.stdout) : lastLines(ended);
}

/** The targets in what `make -p` prints. */
export function parseDatabase(text: string): Targets {
  const targets = new Map<string, { recipe: boolean }>();
  const files = text.slice(Math.max(0, text.search(/^# Files$/m)));
  for (const entry of files.split(/\n{2,}/)) {
    const lines = entry.split('\n');
    // What others need and nobody explains.
    if (lines.includes('# Not a target:')) continue;
    const rule = lines.find((line) => line !== '' && !/^[#\t]/.test(line));
    const recipe = lines.some((line) => line.startsWith('\t') && line.trim() !== '');
    for (const name of /^([^:=]+?)\s*::?(?!=)/.exec(rule ?? '')?.[1]?.split(/\s+/) ?? []) {
      targets.set(name, { recipe: recipe || targets.get(name)?.recipe === true });
    }
  }
  return targets;
}
