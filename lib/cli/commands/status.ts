import { Command } from 'commander';
import pc from 'picocolors';
import type { IsolationProof } from '../../isolation/inventory.ts';
import { action } from '../action.ts';
import { colourState } from '../colour.ts';
import type { Context } from '../context.ts';

/** `ec2 23, rds 2`: how many resources of which service an inventory holds. */
function countServices(arns: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const arn of arns) {
    const service = arn.split(':')[2] ?? '';
    counts.set(service, (counts.get(service) ?? 0) + 1);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([service, count]) => `${service} ${count}`)
    .join(', ');
}

function printProof({ output }: Context, { inventories, checkedPairs, violations }: IsolationProof): void {
  output.say('\nResources, listed from inside each account:');
  output.table(
    ['CELL', 'ACCOUNT', 'VPC', 'RESOURCES', ''],
    inventories.map(({ cell, accountId, resources }) => {
      const arns = resources.map((resource) => resource.arn);
      const vpcs = arns.flatMap((arn) => arn.split(':vpc/')[1] ?? []);
      return [cell, accountId, vpcs.join(', ') || '-', String(arns.length), pc.dim(countServices(arns))];
    }),
  );
  if (violations.length > 0) return;
  output.say(
    `\n${pc.green('isolated')}: ${inventories.length} accounts, ${checkedPairs} pairs checked, no account sees another's resources`,
  );
}

export const statusCommand = () =>
  new Command('status')
    .description('how the cells are: account, foundation, components, health')
    .argument('[cell...]', 'cells (default: all)')
    .option('--resources', "also list each cell's resources from inside its account, and check that no account sees another's")
    .addHelpText('after', '\nExamples:\n  cellctl status\n  cellctl status alpha --json\n  cellctl status --resources')
    .action(
      action(async (context, names: string[], options: { resources?: boolean }) => {
        const { isVended, selectCells } = await import('../../plan/plan.ts');
        const { plan, session, partition } = await context.tooling();
        const cells = selectCells(plan, names);
        const now = new Date();
        const [{ cellStatuses }, { goneFrom }, { deploymentsOf }, { proveIsolation }, { PRICE_SOURCE }, { unaskedLines }] =
          await Promise.all([
            import('../../monitoring/status.ts'),
            import('../../monitoring/gone.ts'),
            import('../rollouts.ts'),
            import('../../isolation/inventory.ts'),
            import('../../review/prices.ts'),
            import('../unasked-view.ts'),
          ]);
        const statuses = await cellStatuses(plan, cells, session, partition, now);
        const gone = goneFrom(statuses, await deploymentsOf(context, plan, session));
        const proof = options.resources === true ? await proveIsolation(cells.filter(isVended), session, partition) : undefined;
        const { output } = context;
        output.result({ cells: statuses, gone, ...(proof ? { isolation: proof } : {}) }, () => {
          output.table(
            [
              'CELL',
              'STAGE',
              'REGION',
              'ACCOUNT',
              'FOUNDATION',
              ...plan.components.map((component) => component.name.toUpperCase()),
              'HEALTH',
              'ENDPOINT',
            ],
            statuses.map((status) => [
              pc.bold(status.cell),
              status.expired ? `${status.stage} ${pc.red('EXPIRED')}` : status.stage,
              status.region,
              status.accountId ?? '-',
              status.error === undefined ? colourState(status.foundation ?? '-') : pc.red(status.error),
              ...plan.components.map(({ name }) => {
                const component = status.components[name];
                return component ? `${component.version} ${colourState(component.status)}` : '-';
              }),
              colourState(status.health ?? '-'),
              // Every one of them is reached by HTTPS.
              status.endpoint.replace(/^https:\/\//, ''),
            ]),
          );
          for (const { cell, expired, expiresAt } of statuses) {
            if (!expired) continue;
            output.line(
              `${pc.red('EXPIRED')} ${pc.bold(cell)} since ${expiresAt}: \`cellctl destroy ${cell}\`, or extend it in its definition`,
            );
          }
          for (const { cell, missing } of statuses) {
            if (missing.length === 0) continue;
            output.line(`${pc.red('MISSING')} ${pc.bold(cell)} ${missing.join(', ')}: \`cellctl deploy ${cell}\` brings them back`);
          }
          for (const { cell, component, version, rollout } of gone) {
            output.line(
              `${pc.red('GONE')} ${pc.bold(cell)} ${component}: ${rollout} has deployed ${version}; \`cellctl rollout catch-up ${cell}\` brings it back`,
            );
          }
          for (const line of unaskedLines(statuses, PRICE_SOURCE)) output.line(line);
          if (proof) printProof(context, proof);
        });
        for (const violation of proof?.violations ?? []) process.stderr.write(`${pc.red('NOT ISOLATED')}: ${violation}\n`);
        return statuses.some((status) => status.error !== undefined) || (proof && proof.violations.length > 0) ? 1 : 0;
      }),
    );
