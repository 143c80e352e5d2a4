/** The light half of every command: its options and the frame around its work. Loads nothing else until the command runs. */
import type { Command } from 'commander';
import { environment } from '../environment.ts';
import type { Context } from './context.ts';

/** Options that every command takes. They may stand before or after its name. */
export function withGlobals(command: Command): Command {
  return command
    .option('-o, --organization <folder or document>', 'folder of definitions, or a published .json (default: registry/)')
    .option('--json', 'print the result as JSON, progress as JSON lines on stderr')
    .option('-q, --quiet', 'print only what was asked for, and problems');
}

/** Wraps a command's action: builds its context, and turns what it throws into a message and an exit code. */
export function action<A extends unknown[]>(work: (context: Context, ...args: A) => Promise<number | undefined>) {
  return async (...args: unknown[]): Promise<void> => {
    const command = args.at(-1) as Command;
    const { Context } = await import('./context.ts');
    const context = new Context(command);
    context.endOnSignals();
    try {
      process.exitCode = (await work(context, ...(args.slice(0, -1) as A))) ?? 0;
    } catch (error) {
      const { asCloudError } = await import('../aws/cloud-error.ts');
      // Programs were ended because we were: what they say of that is no news.
      if (context.isStopped) return;
      const failure = asCloudError(error, environment.endpoint);
      context.output.problem(failure);
      if (failure.code === 'INTERNAL' && environment.debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
      process.exitCode = failure.exitCode;
    }
  };
}
