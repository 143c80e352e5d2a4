/** What a deployment would change, found by comparing the synthesized templates with the deployed ones. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { EC2Client } from '@aws-sdk/client-ec2';
import pLimit from 'p-limit';
import YAML from 'yaml';
import { lookAtDatabase } from '../aws/databases.ts';
import { assumeLookup, type Session } from '../aws/session.ts';
import { findStack, stackTemplate } from '../aws/stacks.ts';
import { subnetZones } from '../aws/subnet-zones.ts';
import type { Template } from '../aws/toolkit.ts';
import { cellStacks } from '../plan/cell-stacks.ts';
import { readDefinition } from '../plan/deployed-cell.ts';
import type { VendedCell } from '../plan/plan.ts';
import { checkTemplate } from '../plan/template-limits.ts';
import { databaseProblems } from '../review/database-change.ts';
import type { ObservedStack } from '../review/difference.ts';
import { compareTemplates } from '../review/template-diff.ts';
import { missingFrom } from './missing.ts';

/** Stacks that are looked at once. */
const CONCURRENCY = 10;

/** The template and status of a deployed stack; nothing when there is no such stack. */
async function deployed(session: Session, stackName: string): Promise<{ status: string; template: Template } | undefined> {
  const stack = await findStack(session, stackName);
  // A stack in review is a change set that nobody has executed: there is nothing yet.
  if (!stack || stack.StackStatus === 'REVIEW_IN_PROGRESS') return undefined;
  const text = await stackTemplate(new CloudFormationClient(session), stackName);
  return { status: stack.StackStatus ?? 'UNKNOWN', template: parsed(text === '' ? '{}' : text) };
}

/** A template's text. What the CDK deploys without a bootstrap bucket, it writes as YAML. */
const parsed = (text: string): Template => (text.trimStart().startsWith('{') ? JSON.parse(text) : YAML.parse(text, { schema: 'yaml-1.1' }));

/** One stack to look at: its name, what it should be, and a session that may read it. */
export interface StackToObserve {
  readonly stackName: string;
  readonly template: Template;
  readonly session: Session;
  /** The cell that it belongs to: there RDS is asked about databases. @default - none */
  readonly cell?: string;
}

/** What is there of a stack, and what a deployment would change; of a cell's, what RDS would refuse of that, and what is missing. */
export async function observeStack({
  stackName,
  template,
  session,
  cell,
}: StackToObserve): Promise<ObservedStack & Required<Pick<ObservedStack, 'refused' | 'missing'>>> {
  const found = await deployed(session, stackName);
  const before = found ? await withZones(found.template, template, stackName, session) : {};
  const refused =
    cell === undefined ? [] : await databaseProblems(cell, before, template, (change) => lookAtDatabase(session, stackName, change));
  return {
    status: found?.status,
    deployed: readDefinition(before),
    changes: compareTemplates(before, template),
    limits: checkTemplate(template),
    missing: cell === undefined || !found ? [] : await missingFrom(session, before, template),
    refused,
  };
}

/**
 * A deployed template that leaves zones to CloudFormation, with those that its subnets are in, where the new one names them:
 * only a subnet that would really move counts as changed.
 */
async function withZones(before: Template, after: Template, stackName: string, session: Session): Promise<Template> {
  const left = Object.entries(before.Resources ?? {}).filter(
    ([id, { Properties = {} }]) =>
      isObject(Properties['AvailabilityZone']) && typeof after.Resources?.[id]?.Properties?.['AvailabilityZone'] === 'string',
  );
  if (left.length === 0) return before;
  const zones = await subnetZones(new CloudFormationClient(session), new EC2Client(session), stackName);
  const resolved = left.map(([id, resource]) => {
    const { AvailabilityZone, SubnetId } = resource.Properties ?? {};
    // The instance for NAT is where its subnet is.
    const subnet = isObject(SubnetId) ? SubnetId['Ref'] : undefined;
    const zone = zones.get(id) ?? (typeof subnet === 'string' ? zones.get(subnet) : undefined) ?? AvailabilityZone;
    return [id, { ...resource, Properties: { ...resource.Properties, AvailabilityZone: zone } }] as const;
  });
  return { ...before, Resources: { ...before.Resources, ...Object.fromEntries(resolved) } };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** The same for several stacks, by name. */
export async function observeStacks(stacks: readonly StackToObserve[]): Promise<Map<string, ObservedStack>> {
  const limit = pLimit(CONCURRENCY);
  return new Map(await Promise.all(stacks.map((stack) => limit(async () => [stack.stackName, await observeStack(stack)] as const))));
}

/**
 * The stacks of a cell that `templates` holds, each with a session that may read it where it lives.
 * @param tooling session of the tooling account, in the home region
 */
export function stacksToObserve(
  cell: VendedCell,
  templates: ReadonlyMap<string, Template>,
  tooling: Session,
  partition: string,
): StackToObserve[] {
  return cellStacks(cell).flatMap(({ stackName, account }) => {
    const template = templates.get(stackName);
    if (!template) return [];
    const session = account === 'tooling' ? tooling : assumeLookup(tooling, partition, cell.account.accountId, cell.region);
    return [{ stackName, template, session, cell: cell.name }];
  });
}
