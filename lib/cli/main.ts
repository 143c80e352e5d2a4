/** `cellctl`. Defines its commands only; what they need is loaded when they run, so that --help answers at once. */
import { Command, CommanderError } from 'commander';
import { silenceNodeWarning } from '../environment.ts';
import { packageVersion } from '../package-root.ts';
import { withGlobals } from './action.ts';
import { accountsCommand } from './commands/accounts.ts';
import { cellCommand } from './commands/cell.ts';
import { componentCommand } from './commands/component.ts';
import { deployCommand } from './commands/deploy.ts';
import { destroyCommand } from './commands/destroy.ts';
import { drillCommand } from './commands/drill.ts';
import { freezeCommand, unfreezeCommand } from './commands/freeze.ts';
import { initCommand } from './commands/init.ts';
import { localCommand } from './commands/local.ts';
import { pipelinesCommand } from './commands/pipelines.ts';
import { planCommand } from './commands/plan.ts';
import { publishCommand } from './commands/publish.ts';
import { registryCommand } from './commands/registry.ts';
import { rolloutCommand } from './commands/rollout.ts';
import { statusCommand } from './commands/status.ts';
import { validateCommand } from './commands/validate.ts';
import { verifyCommand } from './commands/verify.ts';
import { versionsCommand } from './commands/versions.ts';

const EXAMPLES = `
Examples:
  cellctl validate                 check the definitions in registry/
  cellctl plan                     what differs between registry and reality
  cellctl deploy --all             bring every cell to what the registry says
  cellctl status                   how the cells are
  cellctl rollout plan orders-api  which cells a new version would reach, when

On a laptop, without AWS:
  cellctl local up && eval "$(cellctl local env)"

Exit codes: 0 done, 1 failed, 2 wrong usage or invalid registry.`;

/** Every command. @param json whether `--json` is among the words */
export function createProgram(json: boolean): Command {
  const program = new Command('cellctl')
    .description('Cells on AWS from one registry: accounts, stacks and their state')
    .version(packageVersion(), '-V, --version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(cellctl --help shows what there is)')
    .exitOverride();
  const commands = [
    initCommand(),
    validateCommand(),
    planCommand(),
    publishCommand(),
    registryCommand(),
    cellCommand(),
    accountsCommand(),
    deployCommand(),
    componentCommand(),
    rolloutCommand(),
    freezeCommand(),
    unfreezeCommand(),
    pipelinesCommand(),
    statusCommand(),
    versionsCommand(),
    verifyCommand(),
    drillCommand(),
    destroyCommand(),
    localCommand(),
  ];
  const finish = (command: Command): void => {
    withGlobals(command).exitOverride();
    // With --json, what commander has to say of a wrong call is said as JSON, below.
    if (json) command.configureOutput({ writeErr: () => undefined });
    for (const child of command.commands) finish(child);
  };
  withGlobals(program);
  if (json) program.configureOutput({ writeErr: () => undefined });
  for (const command of commands) {
    finish(command);
    program.addCommand(command);
  }
  return program;
}

/** Runs one command line (without `node` and script). Returns the exit code. */
export async function run(words: readonly string[]): Promise<number> {
  silenceNodeWarning();
  const json = words.includes('--json');
  try {
    await createProgram(json).parseAsync(words, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end here too, with 0; everything else was a wrong call.
    if (error.exitCode === 0) return 0;
    if (json) process.stderr.write(`${JSON.stringify({ error: { code: 'USAGE', message: error.message, problems: [] } })}\n`);
    return 2;
  }
}
