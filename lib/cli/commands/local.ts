import { relative } from 'node:path';
import { Command } from 'commander';
import { environment } from '../../environment.ts';
import { action } from '../action.ts';
import type { Context } from '../context.ts';
import { countTypes } from './deploy.ts';

async function localCloud() {
  const { LocalCloud } = await import('../../../tools/local-cloud/launcher/cloud.ts');
  return new LocalCloud();
}

const up = () =>
  new Command('up').description('start the local cloud, or find it running').action(
    action(async (context) => {
      const { cloud, started, stale } = await (await localCloud()).up((text) => context.output.note(text));
      context.output.result({ ...cloud, started }, () => {
        if (stale !== undefined) context.output.note('the state of an earlier cloud was stale: its process is gone');
        context.output.say(
          `local cloud ${started ? 'started' : 'already up'} at ${cloud.endpoint} (process ${cloud.pid}, log ${relative('', cloud.log)})`,
        );
        context.output.note('next: eval "$(cellctl local env)"');
      });
      return 0;
    }),
  );

const down = () =>
  new Command('down').description('end the local cloud; what it held is gone').action(
    action(async (context) => {
      const ended = await (await localCloud()).down();
      context.output.result({ ended }, () => context.output.say(ended ? 'local cloud ended' : 'there was no local cloud'));
      return 0;
    }),
  );

const status = () =>
  new Command('status')
    .description('whether it runs, and what its stacks declare that it cannot create')
    .addHelpText('after', '\nExit code 1 when it does not run.')
    .action(
      action(async (context) => {
        const cloud = await localCloud();
        const { running, stale } = await cloud.status();
        const { output } = context;
        if (!running) {
          output.result({ running: false, ...(stale === undefined ? {} : { stale }) }, () =>
            output.say(stale === undefined ? 'no local cloud' : 'no local cloud: the state file is stale, its process is gone'),
          );
          return 1;
        }
        const skipped = await cloud.skipped(running);
        output.result({ running: true, ...running, notEmulated: skipped }, () => {
          output.say(`local cloud at ${running.endpoint} (process ${running.pid}, since ${running.startedAt})`);
          output.say(
            skipped.length === 0
              ? 'everything that its stacks declare was created'
              : `declared, not emulated: ${skipped.length} resources of types ${countTypes(skipped.map((each) => each.type))}`,
          );
        });
        return 0;
      }),
    );

/** The account that `--as` names: a control account, or a cell. */
async function accountOf(as: string | undefined, file: string): Promise<{ name: string; accountId: string | undefined }> {
  const { FactoryError, readAccountsFile } = await import('../../registry/index.ts');
  const { control, cells } = await readAccountsFile(file);
  const name = as ?? (control.tooling === undefined ? 'management' : 'tooling');
  if (name === 'management') return { name, accountId: undefined };
  const accountId = name === 'tooling' || name === 'monitoring' ? control[name] : cells[name];
  if (accountId !== undefined) return { name, accountId };
  const known = ['management', ...Object.keys(control).filter((key) => key !== 'management'), ...Object.keys(cells)];
  throw new FactoryError('USAGE', `the local organization has no account "${name}"`, { fix: `use one of ${known.join(', ')}` });
}

/** Variables that would lead a tool past the local cloud, to real accounts. */
function misleading(variables: Readonly<Record<string, string>>): string[] {
  const always = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'];
  return [...always, ...environment.serviceEndpoints].filter((name) => variables[name] === undefined);
}

/** An address that nothing answers on. */
const NOWHERE = 'http://localhost:1';

async function printEnvironment(context: Context, as: string | undefined): Promise<void> {
  const { FactoryError } = await import('../../registry/index.ts');
  const cloud = await localCloud();
  const { running } = await cloud.status();
  if (!running) throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', 'the local cloud is not running', { fix: 'cellctl local up' });
  const { homeRegion } = await context.plan();
  const { name, accountId } = await accountOf(as, cloud.accountsFile);
  const { localEnvironment } = await import('../../../tools/local-cloud/launcher/cloud-environment.ts');
  const variables = await localEnvironment(running, { region: homeRegion, accountId, accountsFile: cloud.accountsFile });
  context.output.result({ account: name, variables }, () => {
    for (const [key, value] of Object.entries(variables)) context.output.line(`export ${key}='${value}'`);
    context.output.line(`unset ${misleading(variables).join(' ')}`);
    context.output.line(`# you are ${name}${accountId === undefined ? '' : ` (${accountId})`} on the local cloud`);
  });
}

const env = () =>
  new Command('env')
    .description('print exports that turn cdk, aws and every SDK to the local cloud')
    .option('--as <account>', 'management, tooling, monitoring or a cell (default: tooling once it exists)')
    .addHelpText('after', '\nExamples:\n  eval "$(cellctl local env)"\n  eval "$(cellctl local env --as alpha)" && aws ec2 describe-vpcs')
    .action(
      action(async (context, options: { as?: string }) => {
        try {
          await printEnvironment(context, options.as);
        } catch (error) {
          // `eval` runs what it is given: give it something that fails, and an endpoint where nothing is. Silence would leave the
          // shell with whatever accounts it had before, to somebody who believes to be on the local cloud.
          if (!context.output.json) context.output.line(`export AWS_ENDPOINT_URL='${NOWHERE}'; false`);
          throw error;
        }
        return 0;
      }),
    );

const tools = () =>
  new Command('tools')
    .description('print the folder of aws and cfn-lint in the versions that are tested, installed first where they are missing')
    .addHelpText('after', '\nExample:\n  PATH="$(cellctl local tools):$PATH" aws ec2 describe-vpcs')
    .action(
      action(async (context) => {
        const { pythonEnvironment } = await import('../../../tools/local-cloud/launcher/python-environment.ts');
        const { python, bin } = await pythonEnvironment({ progress: (text) => context.output.note(text) });
        context.output.result({ python, bin }, () => context.output.line(bin));
        return 0;
      }),
    );

export const localCommand = () =>
  new Command('local')
    .description('the local cloud: AWS on this machine, for trying and testing')
    .addHelpText('after', '\nExamples:\n  cellctl local up && eval "$(cellctl local env)"\n  cellctl local status\n  cellctl local down')
    .addCommand(up())
    .addCommand(down())
    .addCommand(status())
    .addCommand(env())
    .addCommand(tools());
