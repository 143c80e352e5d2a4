/**
 * One change of a component's stack by change set, step by step: made, looked at, executed, looked at again. No step waits;
 * each finds out where the stack is, so that it can be repeated whatever became of the step before.
 */
import {
  CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetCommandInput,
  DeleteStackCommand,
  type DescribeChangeSetCommandOutput,
  ExecuteChangeSetCommand,
  paginateDescribeStackEvents,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { namingCalls } from '../../aws/named-calls.ts';
import type { Session } from '../../aws/session.ts';
import { deleteChangeSet, findChangeSet, findStack, stackTemplate } from '../../aws/stacks.ts';
import { isNamed } from '../../registry/index.ts';
import { lossesNotAllowed } from '../../review/losses.ts';
import { allowance } from '../../review/replacements.ts';

/** Longest template that goes along with the call. Source: CreateChangeSet, AWS CloudFormation API Reference. */
export const INLINE_BYTES = 51_200;

/** What a stack is to become. */
export interface Desired {
  readonly template: string;
  /** Where the template lies, for one that is too long to go along; empty where nobody has put it anywhere. */
  readonly templateUrl: string;
  /** What the template finds in the CDK's bucket of its own account, by its key: base64, read when it is not there yet. */
  readonly assets?: ReadonlyMap<string, () => Promise<string>>;
  readonly parameters: Readonly<Record<string, string>>;
  /** Parameters that keep the value that the stack has. @default - none */
  readonly keep?: readonly string[];
}

/** Where a change is: under way, made and waiting to be executed, not made at all, done, or failed for a reason that people can read. */
export type ChangeProgress =
  | { readonly state: 'working'; readonly sentence: string }
  | { readonly state: 'ready' | 'absent' }
  | { readonly state: 'done'; readonly changed: boolean }
  | { readonly state: 'failed'; readonly sentence: string };

/** What may be lost in a cell: what somebody has named as `cell/LogicalId`; all, on a way back. */
export type Consent = { readonly cell: string; readonly allowed: readonly string[] } | 'all';

/** Where a stack is that has never been whole, or is no longer. */
const NEVER_WHOLE = /^(ROLLBACK_|CREATE_FAILED|DELETE_)/;

const working = (sentence: string): ChangeProgress => ({ state: 'working', sentence });
const failed = (sentence: string): ChangeProgress => ({ state: 'failed', sentence });

/** What is particular about the stack that is the cell itself. */
interface Lasting {
  /** Puts a template where CloudFormation finds it. @returns its URL */
  readonly stage: (template: string) => Promise<string>;
  /** Puts what a template needs where it looks for it, unless it is there. @param read gives it as base64 */
  readonly stageAsset: (key: string, read: () => Promise<string>) => Promise<void>;
  /** What would be refused of the change between two templates, in a sentence; undefined for nothing. */
  readonly refusal: (before: string, after: string) => Promise<string | undefined>;
}

/** A component's stack in a cell. */
export class ComponentStack {
  private readonly client: CloudFormationClient;

  /**
   * @param executionRole the role by which CloudFormation creates what is in the stack
   * @param lasting for the stack that is the cell itself, which rollouts change, and neither create nor delete
   */
  constructor(
    private readonly cellSession: Session,
    readonly name: string,
    private readonly executionRole: string,
    private readonly lasting?: Lasting,
  ) {
    this.client = namingCalls(new CloudFormationClient({ ...cellSession, maxAttempts: 5 }));
  }

  /** The stack, unless it is one that has never been more than a change set. */
  async find(): Promise<Stack | undefined> {
    const found = await findStack(this.cellSession, this.name);
    return found?.StackStatus === 'REVIEW_IN_PROGRESS' ? undefined : found;
  }

  /** The template as it was given to CloudFormation. */
  template(): Promise<string> {
    return stackTemplate(this.client, this.name);
  }

  /**
   * Has a change set made, unless it is there already. Nothing is changed by it.
   * @param changeSet unique to the rollout and the attempt: who comes twice finds the same one
   */
  async propose(changeSet: string, desired: Desired): Promise<ChangeProgress> {
    const stack = await this.find();
    const status = stack?.StackStatus ?? '';
    if (status.endsWith('_IN_PROGRESS')) return working(`${this.name} is ${status}: somebody is working on it`);
    if (this.lasting && (!stack || NEVER_WHOLE.test(status))) {
      return failed(
        `${this.name} is ${stack ? status : 'not there'}: \`cellctl deploy\` builds what has never been whole, rollouts change it`,
      );
    }
    if (status === 'ROLLBACK_COMPLETE' || status === 'CREATE_FAILED' || status === 'DELETE_FAILED') {
      // It has never worked, and CloudFormation changes no such stack: it goes first.
      await this.remove();
      return working(`${this.name} was ${status}, and is deleted first`);
    }
    if (status === 'UPDATE_ROLLBACK_FAILED') {
      return failed(`${this.name} is UPDATE_ROLLBACK_FAILED: mend what holds it, then continue the rollback in CloudFormation`);
    }
    if (await this.describe(changeSet)) return working(`${changeSet} is there already`);
    const refusal = await this.lasting?.refusal(await this.template(), desired.template);
    if (refusal !== undefined) return failed(refusal);
    for (const [key, read] of desired.assets ?? []) await this.lasting?.stageAsset(key, read);
    const fits = Buffer.byteLength(desired.template) <= INLINE_BYTES;
    const url = fits ? '' : ((await this.lasting?.stage(desired.template)) ?? desired.templateUrl);
    if (!fits && url === '') return failed(`the template of ${this.name} is longer than ${INLINE_BYTES} bytes, and was never published`);
    const body = fits ? { TemplateBody: desired.template } : { TemplateURL: url };
    const input: CreateChangeSetCommandInput = {
      StackName: this.name,
      ChangeSetName: changeSet,
      ChangeSetType: stack ? 'UPDATE' : 'CREATE',
      ...body,
      Parameters: [
        ...Object.entries(desired.parameters).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
        ...(desired.keep ?? []).map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
      ],
      Capabilities: ['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM'],
      RoleARN: this.executionRole,
      Description: `Rollout ${changeSet}`,
    };
    try {
      await this.client.send(new CreateChangeSetCommand(input));
    } catch (error) {
      if (isNamed(error, 'AlreadyExistsException')) return working(`${changeSet} is there already`);
      // A template that CloudFormation refuses is the component's fault, not a reason to try again.
      if (isNamed(error, 'ValidationError') && /_IN_PROGRESS state/.test(error.message))
        return working(`somebody has just begun to work on ${this.name}`);
      if (isNamed(error, 'ValidationError')) return failed(`CloudFormation refuses ${this.name}: ${error.message}`);
      throw error;
    }
    return working(`${changeSet} is being made`);
  }

  /**
   * Where the change is.
   * @param executing whether its execution was begun: CloudFormation forgets a change set that it has executed
   * @param consent what may be replaced or removed although something is lost
   */
  async look(changeSet: string, executing: boolean, consent: Consent): Promise<ChangeProgress> {
    const change = await this.describe(changeSet);
    if (change?.ExecutionStatus === 'EXECUTE_IN_PROGRESS') return working(`${this.name} is being changed`);
    // How an execution went, the stack says: complete, or failed and rolled back, and why.
    if (change && change.ExecutionStatus !== 'EXECUTE_COMPLETE' && change.ExecutionStatus !== 'EXECUTE_FAILED') {
      return this.judge(changeSet, change, consent);
    }
    if (!change && !executing) return { state: 'absent' };
    const stack = await this.find();
    return stack ? this.outcome(stack) : failed(`${this.name} is gone`);
  }

  /** Has the change made. Twice is as good as once. */
  async execute(changeSet: string): Promise<ChangeProgress> {
    try {
      await this.client.send(
        new ExecuteChangeSetCommand({ StackName: this.name, ChangeSetName: changeSet, ClientRequestToken: changeSet }),
      );
    } catch (error) {
      // Somebody, perhaps this very call a moment ago, has executed it: then CloudFormation may have forgotten it already.
      if (!isNamed(error, 'InvalidChangeSetStatus', 'InvalidChangeSetStatusException', 'ChangeSetNotFound', 'ChangeSetNotFoundException')) {
        throw error;
      }
    }
    return working(`${this.name} is being changed`);
  }

  /** Deletes the stack. */
  async remove(): Promise<void> {
    await this.client.send(new DeleteStackCommand({ StackName: this.name, RoleARN: this.executionRole }));
  }

  private async judge(changeSet: string, change: DescribeChangeSetCommandOutput, consent: Consent): Promise<ChangeProgress> {
    const { Status, StatusReason = '', ExecutionStatus } = change;
    if (Status === 'FAILED') {
      await this.forget(changeSet);
      if (/didn't contain changes|No updates are to be performed/.test(StatusReason)) return { state: 'done', changed: false };
      return failed(`no change set for ${this.name}: ${StatusReason}`);
    }
    if (ExecutionStatus === 'OBSOLETE') {
      return failed(`change set ${changeSet} of ${this.name} is ${ExecutionStatus}: the stack was changed meanwhile`);
    }
    if (ExecutionStatus !== 'AVAILABLE') return working(`${changeSet} is being made`);
    const losses = consent === 'all' ? [] : lossesNotAllowed(consent.cell, change.Changes ?? [], consent.allowed);
    if (consent !== 'all' && losses.length > 0) {
      await this.forget(changeSet);
      const sentences = losses.map(({ sentence }) => sentence).join('; ');
      return failed(
        `${this.name}: ${sentences}. If that is meant: --allow-replacement ${losses.map(({ logicalId }) => allowance(consent.cell, logicalId)).join(' ')}`,
      );
    }
    return { state: 'ready' };
  }

  private async outcome(stack: Stack): Promise<ChangeProgress> {
    const status: string = stack.StackStatus ?? '';
    if (status === 'CREATE_COMPLETE' || status === 'UPDATE_COMPLETE') return { state: 'done', changed: true };
    // Old resources are being removed: the new ones work already, but whoever comes next must wait.
    if (status.endsWith('_IN_PROGRESS')) return working(`${this.name} is ${status}`);
    return failed(`${this.name} is ${status}: ${await this.reason()}`);
  }

  /** Why the last operation failed: the first resource that did. */
  async reason(): Promise<string> {
    let first = 'CloudFormation gives no reason';
    for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client: this.client }, { StackName: this.name })) {
      for (const {
        ResourceStatus = '',
        ResourceStatusReason = '',
        LogicalResourceId,
        ResourceType,
        PhysicalResourceId,
        StackId,
      } of StackEvents) {
        const ofStack = PhysicalResourceId === StackId;
        if (!ofStack && ResourceStatus.endsWith('_FAILED') && !/cancelled/i.test(ResourceStatusReason)) {
          first = `${LogicalResourceId} (${ResourceType}): ${ResourceStatusReason}`;
        }
        // Events come newest first: here the operation began.
        if (ofStack && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus)) return first;
      }
    }
    return first;
  }

  private describe(changeSet: string): Promise<DescribeChangeSetCommandOutput | undefined> {
    return findChangeSet(this.client, this.name, changeSet);
  }

  private async forget(changeSet: string): Promise<void> {
    await deleteChangeSet(this.client, this.name, changeSet);
  }
}
