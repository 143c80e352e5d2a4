/** CloudFormation stacks by the SDK: what it takes to delete one, and to see what is there. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateDescribeStackEvents,
  paginateListStackResources,
  type Stack,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import type { Emit } from '../messages.ts';
import { FactoryError, isNamed } from '../registry/index.ts';
import { namingCalls } from './named-calls.ts';
import type { Session } from './session.ts';

const POLL_MS = 2_000;

/** The stack called `name` (or with that id), or undefined when there is none. */
export async function findStack(session: Session, name: string): Promise<Stack | undefined> {
  try {
    const { Stacks } = await namingCalls(new CloudFormationClient(session)).send(new DescribeStacksCommand({ StackName: name }));
    return Stacks?.find((stack) => stack.StackStatus !== 'DELETE_COMPLETE');
  } catch (error) {
    if (isNamed(error, 'ValidationError') && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** The template of a stack, as it was given to CloudFormation. */
export async function stackTemplate(client: CloudFormationClient, StackName: string): Promise<string> {
  const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName, TemplateStage: 'Original' }));
  return TemplateBody;
}

/** The version that a stack says it runs: its parameter `Version`. @returns undefined for one that takes none */
export const versionOf = ({ Parameters = [] }: Pick<Stack, 'Parameters'>): string | undefined =>
  Parameters.find(({ ParameterKey }) => ParameterKey === 'Version')?.ParameterValue;

/** A change set with all of its changes, or undefined when there is none. */
export async function findChangeSet(
  client: CloudFormationClient,
  StackName: string,
  ChangeSetName: string,
): Promise<DescribeChangeSetCommandOutput | undefined> {
  try {
    const first = await client.send(new DescribeChangeSetCommand({ StackName, ChangeSetName }));
    const changes = [...(first.Changes ?? [])];
    for (let token = first.NextToken; token !== undefined; ) {
      const next = await client.send(new DescribeChangeSetCommand({ StackName, ChangeSetName, NextToken: token }));
      changes.push(...(next.Changes ?? []));
      token = next.NextToken;
    }
    return { ...first, Changes: changes };
  } catch (error) {
    if (isNamed(error, 'ChangeSetNotFound', 'ChangeSetNotFoundException')) return undefined;
    if (isNamed(error, 'ValidationError') && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Deletes a change set. One that is gone already counts as deleted. */
export async function deleteChangeSet(client: CloudFormationClient, StackName: string, ChangeSetName: string): Promise<void> {
  await client.send(new DeleteChangeSetCommand({ StackName, ChangeSetName }));
}

/** A resource that a stack holds. */
export interface StackResource {
  readonly type: string;
  readonly physicalId: string;
}

/** What a stack holds, by logical id. */
export async function stackResources(session: Session, stackName: string): Promise<Map<string, StackResource>> {
  const found = new Map<string, StackResource>();
  for await (const page of paginateListStackResources({ client: new CloudFormationClient(session) }, { StackName: stackName })) {
    for (const { LogicalResourceId, ResourceType, PhysicalResourceId, ResourceStatus } of page.StackResourceSummaries ?? []) {
      if (LogicalResourceId === undefined || ResourceStatus === 'DELETE_COMPLETE') continue;
      found.set(LogicalResourceId, { type: ResourceType ?? '', physicalId: PhysicalResourceId ?? '' });
    }
  }
  return found;
}

/** How long a deletion is waited for. */
export interface DeletionPatience {
  /** Seconds until nobody waits any longer, whatever CloudFormation does. @default - two hours: see {@link DELETION_SECONDS} */
  readonly seconds?: number;
  readonly now?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<unknown>;
}

/**
 * A foundation takes as long as its slowest parts one after the other: database and cache some 20 minutes each, and after its
 * last function network interfaces of 20 to 40 minutes ("Lambda ENI clean-up", cloudformation-coverage-roadmap, issue 392).
 */
const DELETION_SECONDS = 7_200;
/** Between a deletion that failed for what holds a network, and the next: each time twice as long, within these. */
const RETRY_MS = { first: 2_000, most: 60_000 };

/** What a network interface holds: as long as there is one, EC2 refuses to delete these, in words that differ by type and year. */
const HELD_TYPES: ReadonlySet<string> = new Set([
  'AWS::EC2::InternetGateway',
  'AWS::EC2::NetworkInterface',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCGatewayAttachment',
]);
/** The other reason that EC2 has: whoever asks may not. */
const DENIED = /AccessDenied|Unauthorized|not authorized/i;
/** Not tried: something else had failed by then. */
const CANCELLED = /cancelled/i;

/** Whether a deletion failed for what is still in the network. CloudFormation itself gives up after a quarter of an hour. */
const isHeld = ({ type, reason }: FailedDeletion): boolean =>
  CANCELLED.test(reason) || /DependencyViolation/.test(reason) || (HELD_TYPES.has(type) && !DENIED.test(reason));

/** Looks in a row at a deletion that has failed at nothing, before it counts as failed. */
const MOST_UNEXPLAINED = 10;

interface FailedDeletion {
  readonly logicalId: string;
  readonly type: string;
  readonly reason: string;
}

/**
 * Deletes a stack and waits until it is gone. Where a network can't go because a deleted function's interfaces are still in it,
 * the deletion is begun again until they are gone. Run again after an error, it carries on.
 * @throws FactoryError `DEPLOY_FAILED`, naming the resource that could not be deleted, or what was waited for
 */
export async function deleteStack(session: Session, stack: Stack, emit: Emit, patience: DeletionPatience = {}): Promise<void> {
  const { seconds = DELETION_SECONDS, now = Date.now, sleep: wait = sleep } = patience;
  const client = new CloudFormationClient(session);
  const { StackId: id = '', StackName: name = '' } = stack;
  const total = (await stackResources(session, id)).size;
  if (stack.EnableTerminationProtection === true) {
    await client.send(new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: false }));
  }
  await client.send(new DeleteStackCommand({ StackName: id }));
  // CloudFormation may show the failure of the deletion before for a moment.
  if (stack.StackStatus === 'DELETE_FAILED') await wait(POLL_MS);
  const deadline = now() + seconds * 1_000;
  let unexplained = 0;
  let text = 'deleting';
  let held: readonly FailedDeletion[] = [];
  for (let pause = RETRY_MS.first; ; ) {
    // By id: a deleted stack is still found by it, and nothing by its name.
    const found = await findStack(session, id);
    if (!found) return;
    const left = (await stackResources(session, id)).size;
    const failed = found.StackStatus === 'DELETE_FAILED' ? await failedDeletions(client, id) : [];
    // Failed, and nothing has since the deletion began: that is said of the one before.
    unexplained = found.StackStatus === 'DELETE_FAILED' && failed.length === 0 ? unexplained + 1 : 0;
    if (unexplained > MOST_UNEXPLAINED || !failed.every(isHeld)) throw deletionFailure(name, failed);
    if (failed.length > 0) {
      held = failed;
      const names = failed.map(({ logicalId }) => logicalId).join(', ');
      text = `waiting for network interfaces of functions that are gone, which AWS deletes within 40 minutes: they hold ${names}`;
    }
    if (now() > deadline) throw deletionTooLong(name, seconds, left, held);
    emit({ kind: 'progress', subject: name, text, progress: { completed: total - left, total } });
    await wait(failed.length > 0 ? pause : POLL_MS);
    if (failed.length === 0) continue;
    pause = Math.min(pause * 2, RETRY_MS.most);
    await client.send(new DeleteStackCommand({ StackName: id }));
    await wait(POLL_MS);
  }
}

/** What the last deletion of a stack has failed at. */
async function failedDeletions(client: CloudFormationClient, id: string): Promise<FailedDeletion[]> {
  const failed: FailedDeletion[] = [];
  for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: id })) {
    for (const event of StackEvents) {
      const { LogicalResourceId: logicalId = '', ResourceType: type = '', ResourceStatusReason: reason = '' } = event;
      const ofStack = event.PhysicalResourceId === id;
      // Events come newest first: here the deletion began.
      if (ofStack && event.ResourceStatus === 'DELETE_IN_PROGRESS') return failed;
      if (!ofStack && event.ResourceStatus === 'DELETE_FAILED') failed.push({ logicalId, type, reason });
    }
  }
  return failed;
}

const described = ({ logicalId, type, reason }: FailedDeletion) => `${logicalId} (${type}): ${reason}`;

function deletionFailure(name: string, failed: readonly FailedDeletion[]): FactoryError {
  // Oldest last: what comes after it may only follow from it.
  const [first] = failed.filter((each) => !isHeld(each)).slice(-1);
  return new FactoryError('DEPLOY_FAILED', `${name}: ${first ? described(first) : 'DELETE_FAILED'}`, {
    fix: 'remove what holds it, and run the same command again',
  });
}

function deletionTooLong(name: string, seconds: number, left: number, held: readonly FailedDeletion[]): FactoryError {
  const what = held.length === 0 ? `${left} resources are left` : held.map(described).join('; ');
  return new FactoryError('DEPLOY_FAILED', `${name}: not deleted after ${Math.round(seconds / 60)} minutes: ${what}`, {
    fix: 'run the same command again, which carries on; what holds a network is listed by `aws ec2 describe-network-interfaces`',
  });
}
