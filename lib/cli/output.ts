/** All that `cellctl` prints. Results go to stdout; progress and problems to stderr, so that results can be piped. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { Emit } from '../messages.ts';
import type { FactoryError, Problem } from '../registry/index.ts';
import { createProgress, type Progress } from './progress.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

export class Output {
  private progress: Progress | undefined;

  constructor(private readonly options: OutputOptions) {}

  get json(): boolean {
    return this.options.json;
  }

  /** Columns of the terminal, sixty at least. Without one, lines are as long as they are: who searches them finds whole sentences. */
  get columns(): number {
    return process.stdout.isTTY ? Math.max(60, process.stdout.columns || 100) : Number.POSITIVE_INFINITY;
  }

  /** The result: `human` for people, `data` with --json. --quiet leaves out what people only like to read. */
  result(data: unknown, human: () => void): void {
    this.endProgress();
    if (this.options.json) process.stdout.write(`${JSON.stringify(data, undefined, 2)}\n`);
    else human();
  }

  /** A line of the result that --quiet leaves out. */
  say(text = ''): void {
    if (!this.options.quiet) process.stdout.write(`${text}\n`);
  }

  /** A line of the result that is printed in any case. */
  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    this.line(tableText(head, rows));
  }

  /** A remark that is no result: on stderr, not with --quiet. */
  note(text: string): void {
    if (!this.options.quiet && !this.options.json) process.stderr.write(`${text}\n`);
  }

  /** Where the library's messages go. */
  get emit(): Emit {
    this.progress ??= createProgress(process.stderr, this.options);
    const progress = this.progress;
    return (message) => progress.show(message);
  }

  /** What is legal and unwise. With --json it is part of the result. */
  warnings(warnings: readonly Problem[]): void {
    if (this.options.json) return;
    for (const warning of warnings) {
      this.note(`${pc.yellow('warning')} ${describe(warning)}`);
    }
  }

  /** An error: what, where, and how to mend it. */
  problem(error: FactoryError): void {
    this.endProgress();
    const { code, message, fix, problems } = error;
    if (this.options.json) {
      process.stderr.write(`${JSON.stringify({ error: { code, message, ...(fix === undefined ? {} : { fix }), problems } })}\n`);
      return;
    }
    const lines = [`${pc.red(code)}: ${message}`];
    for (const problem of problems) lines.push(`  ${describe(problem)}`);
    if (fix !== undefined) lines.push(`${pc.dim('fix:')} ${fix}`);
    process.stderr.write(`${lines.join('\n')}\n`);
  }

  private endProgress(): void {
    this.progress?.end();
    this.progress = undefined;
  }
}

/** A problem on two lines: where and what, then how to mend it. */
function describe({ code, path, message, fix, file, line }: Problem): string {
  const place = file === undefined || file === path ? '' : `  ${pc.dim(line === undefined ? file : `${file}:${line}`)}`;
  return `${pc.bold(path)}  ${message}  ${pc.dim(code)}${place}\n    ${pc.dim('fix:')} ${fix}`;
}

/** A table without lines, as text. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: head.map((text) => pc.bold(text)),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
        .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
        .map((name) => [name, '']),
    ),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((row) => row.trimEnd())
    .join('\n');
}
