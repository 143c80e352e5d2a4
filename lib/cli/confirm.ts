/** Asks before something that can't be taken back. */
import { createInterface } from 'node:readline/promises';
import { Option } from 'commander';

/** The option of every command that asks: the same everywhere, so that scripts need to know one. */
export const yesOption = () => new Option('-y, --yes', "don't ask");

/** What is asked, and what must be typed for it to happen. */
export interface Question {
  readonly question: string;
  readonly answer: string;
  /** The command that would do it unasked, with --yes. */
  readonly command: string;
}

/** Makes sure that somebody can be asked. @throws FactoryError `USAGE` without a terminal */
export async function requireTerminal(command: string): Promise<void> {
  if (process.stdin.isTTY) return;
  const { FactoryError } = await import('../registry/index.ts');
  throw new FactoryError('USAGE', 'there is no terminal to ask on', { fix: `if you are sure, pass --yes: ${command} --yes` });
}

/** Whether the person at the terminal agrees. @throws FactoryError `USAGE` without a terminal: there is nobody to ask */
export async function confirmed({ question, answer, command }: Question): Promise<boolean> {
  await requireTerminal(command);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(`${question} to go on: `)).trim() === answer;
  } finally {
    lines.close();
  }
}
