/** CloudFormation stacks by the SDK: what it takes to delete one, and to see what is there. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudFormationClient,
  DeleteChangeSetCommand,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetCommandOutput,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  GetTemplateCommand,
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

/** Deletes a stack and waits until it is gone. @throws FactoryError `DEPLOY_FAILED`, naming the resource that could not be deleted */
export async function deleteStack(session: Session, stack: Stack, emit: Emit): Promise<void> {
  const client = new CloudFormationClient(session);
  const { StackId: id = '', StackName: name = '' } = stack;
  const total = (await stackResources(session, id)).size;
  if (stack.EnableTerminationProtection === true) {
    await client.send(new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: false }));
  }
  await client.send(new DeleteStackCommand({ StackName: id }));
  for (;;) {
    // By id: a deleted stack is still found by it, and nothing by its name.
    const now = await findStack(session, id);
    if (!now) return;
    if (now.StackStatus === 'DELETE_FAILED') throw await deletionFailure(client, id, name);
    const left = (await stackResources(session, id)).size;
    emit({ kind: 'progress', subject: name, text: 'deleting', progress: { completed: total - left, total } });
    await sleep(POLL_MS);
  }
}

async function deletionFailure(client: CloudFormationClient, id: string, name: string): Promise<FactoryError> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: id }));
  const failed = StackEvents.find((event) => event.ResourceStatus === 'DELETE_FAILED' && event.PhysicalResourceId !== id);
  const what = failed ? `${failed.LogicalResourceId} (${failed.ResourceType}): ${failed.ResourceStatusReason}` : 'DELETE_FAILED';
  return new FactoryError('DEPLOY_FAILED', `${name}: ${what}`, { fix: 'remove what holds it, and run the same command again' });
}
