/** The commands of the runbook, as tests run them: word for word as it has them, with names in place of `<…>`. */
import { readFileSync } from 'node:fs';

export const RUNBOOK = 'docs/rollouts-at-3am.md';

/** Every command of a page, once: in `spans` and in indented lines. */
export function commandsIn(page: string): string[] {
  const found = readFileSync(page, 'utf8').matchAll(/`(cellctl [^`]+)`|^ {4}(cellctl .+)$/gm);
  return [...new Set([...found].map(([, span, line]) => span ?? line ?? ''))];
}

/**
 * What a shell would give to `cellctl` for a command of the runbook.
 * @param names by placeholder; `…`, a reason, is always INC-42
 * @throws Error for a command that the runbook has not, and for a placeholder without a name
 */
export function runbook(command: string, names: Readonly<Record<string, string>> = {}): string[] {
  if (!commandsIn(RUNBOOK).includes(command)) throw new Error(`${RUNBOOK} has no command \`${command}\``);
  const words = [...command.matchAll(/"[^"]*"|\S+/g)].map(([word]) => (word === '"…"' ? 'INC-42' : word));
  return words.slice(1).map((word) =>
    word.replace(/<(.+)>/, (_, placeholder: string) => {
      const name = names[placeholder];
      if (name === undefined) throw new Error(`\`${command}\` needs a ${placeholder}`);
      return name;
    }),
  );
}
