/**
 * The CDK Toolkit, with the factory's messages and errors. The only file that knows @aws-cdk/toolkit-lib.
 * The library and not the `cdk` command: it tells what happens as typed messages, several stacks at a time in one process.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AssemblyBuilderProps,
  BaseCredentials,
  BootstrapEnvironments,
  BootstrapStackParameters,
  type DeploymentMethod,
  type IIoHost,
  type IoMessage,
  MemoryContext,
  StackParameters,
  StackSelectionStrategy,
  Toolkit,
} from '@aws-cdk/toolkit-lib';
import { type Change, CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { Emit } from '../messages.ts';
import { FactoryError, messageOf } from '../registry/index.ts';
import type { Session } from './session.ts';
import { deleteChangeSet, findChangeSet } from './stacks.ts';
import { synthesizeStacks } from './synthesis.ts';

/** A CloudFormation template, as far as we look into it. */
export interface Template {
  readonly Resources?: Readonly<Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>>;
}

/** A synthesized cloud assembly on disk. */
export interface Assembly {
  readonly directory: string;
  /** Templates by stack name. */
  readonly templates: ReadonlyMap<string, Template>;
}

/** A resource that CloudFormation refused. */
interface FailedResource {
  readonly logicalId: string;
  readonly type: string;
  readonly reason: string;
}

export interface StackResult {
  /** False when the stack was already as the template says. */
  readonly changed: boolean;
  readonly outputs: Readonly<Record<string, string>>;
}

interface ToolkitPayload {
  readonly noOp?: boolean;
  readonly outputs?: Record<string, string>;
  readonly progress?: { readonly completed: number; readonly total?: number };
  readonly event?: { LogicalResourceId?: string; ResourceType?: string; ResourceStatus?: string; ResourceStatusReason?: string };
}

/** Reads the toolkit's messages of one stack: progress goes on, failures are kept. */
class StackListener implements IIoHost {
  readonly failed: FailedResource[] = [];
  readonly errors: string[] = [];
  result: StackResult = { changed: true, outputs: {} };
  private readonly subject: string;
  private readonly emit: Emit;

  constructor(subject: string, emit: Emit) {
    this.subject = subject;
    this.emit = emit;
  }

  async notify(message: IoMessage<unknown>): Promise<void> {
    const data = (message.data ?? {}) as ToolkitPayload;
    if (message.level === 'error') this.errors.push(message.message);
    if (message.code === 'CDK_TOOLKIT_I5900') this.result = { changed: data.noOp !== true, outputs: data.outputs ?? {} };
    if (message.code === 'CDK_TOOLKIT_I5502') this.activity(data);
  }

  /** Nothing is asked: who calls the library has already decided. */
  async requestResponse<T>(request: IoMessage<unknown> & { defaultResponse: T }): Promise<T> {
    return typeof request.defaultResponse === 'boolean' ? (true as T) : request.defaultResponse;
  }

  private activity({ event, progress }: ToolkitPayload): void {
    const {
      LogicalResourceId: logicalId = '',
      ResourceType: type = '',
      ResourceStatus: status = '',
      ResourceStatusReason: reason,
    } = event ?? {};
    const cancelled = reason !== undefined && /cancelled/i.test(reason);
    if (status.endsWith('_FAILED') && !cancelled && type !== 'AWS::CloudFormation::Stack') {
      this.failed.push({ logicalId, type, reason: reason ?? status });
    }
    this.emit({
      kind: 'progress',
      subject: this.subject,
      text: `${status} ${type} ${logicalId}`,
      ...(progress?.total === undefined ? {} : { progress: { completed: progress.completed, total: progress.total } }),
    });
  }
}

function toolkitFor(session: Session | undefined, ioHost: IIoHost): Toolkit {
  const baseCredentials = session && BaseCredentials.custom({ provider: session.credentials, region: session.region });
  return new Toolkit({ ioHost, color: false, emojis: false, ...(baseCredentials ? { sdkConfig: { baseCredentials } } : {}) });
}

/**
 * Synthesizes the named stacks into a folder that lives until `use` is done.
 * @param plan what they are stacks of, as plain data: the one that was looked at and approved, not definitions read again
 * @throws FactoryError `SYNTH_FAILED`, with what is wrong
 */
export async function withAssembly<T>(plan: object, stacks: readonly string[], use: (assembly: Assembly) => Promise<T>): Promise<T> {
  const outdir = await mkdtemp(join(tmpdir(), 'cell-factory-'));
  try {
    return await use(await synthesize(plan, stacks, outdir));
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

async function synthesize(plan: object, stacks: readonly string[], outdir: string): Promise<Assembly> {
  const listener = new StackListener('synth', () => undefined);
  const toolkit = toolkitFor(undefined, listener);
  const build = async ({ context = {} }: AssemblyBuilderProps) => {
    await synthesizeStacks({ plan, stacks, outdir, context });
    return { directory: outdir };
  };
  try {
    // Not a cdk.json's context: what cells get must not depend on who deploys them, and from where.
    const app = await toolkit.fromAssemblyBuilder(build, {
      contextStore: new MemoryContext(),
      clobberEnv: false,
      outdir,
      lookups: false,
      resolveDefaultEnvironment: false,
    });
    await using assembly = await toolkit.synth(app, { stacks: { strategy: StackSelectionStrategy.ALL_STACKS } });
    const templates = new Map<string, Template>();
    for (const stack of assembly.cloudAssembly.stacks) {
      templates.set(stack.stackName, JSON.parse(await readFile(join(outdir, stack.templateFile), 'utf8')) as Template);
    }
    return { directory: outdir, templates };
  } catch (error) {
    const { cause = error } = error as { readonly cause?: unknown };
    throw new FactoryError('SYNTH_FAILED', [messageOf(cause), ...listener.errors].join('\n'), {
      cause: error,
      fix: 'run `npx cdk synth` with the same organization to see where',
    });
  }
}

/** One line for a stack that failed: the resource and CloudFormation's reason, or the toolkit's own words. */
function failure(stackName: string, listener: StackListener, error: unknown): FactoryError {
  const first = listener.failed[0];
  const what = first ? `${first.logicalId} (${first.type}): ${first.reason}` : messageOf(error);
  return new FactoryError('DEPLOY_FAILED', `${stackName}: ${what}`, {
    cause: error,
    fix: 'mend the cause and run the same command again; it carries on where it stopped',
  });
}

/** Who looks at a drift-aware change set before it is executed: templates don't show what it does. */
export interface DriftReview {
  /** May read and delete change sets where the stack is. */
  readonly session: Session;
  /** Throws to have nothing happen. */
  readonly review: (changes: readonly Change[]) => void;
}

export interface DeployOptions {
  /** @default - the session of whoever runs us */
  readonly session?: Session;
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * The stack has never been whole. A failure is then not rolled back: there is nothing to go back to, what was created is
   * kept for the next run to carry on from, and a rollback would stop at the first protected resource. @default false
   */
  readonly incomplete?: boolean;
  /**
   * Looks at the resources as they are, and not only at the template before: what was deleted or changed by other means is
   * brought back to what the template says. A plain deployment of an unchanged template does nothing. @default - it is not
   */
  readonly revertDrift?: DriftReview | undefined;
  /** Name of the change set, unique to this run: two runs that share a name would execute each other's changes. */
  readonly changeSetName: string;
}

/** Deploys one stack of an assembly. @throws FactoryError `DEPLOY_FAILED`, naming the resource and the reason */
export async function deployStack(assembly: string, stackName: string, emit: Emit, options: DeployOptions): Promise<StackResult> {
  const { changeSetName, revertDrift } = options;
  const listener = new StackListener(stackName, emit);
  const toolkit = toolkitFor(options.session, listener);
  const deploy = async (deploymentMethod: DeploymentMethod): Promise<StackResult> => {
    try {
      await toolkit.deploy(await toolkit.fromAssemblyDirectory(assembly), {
        stacks: { strategy: StackSelectionStrategy.PATTERN_MUST_MATCH_SINGLE, patterns: [stackName] },
        deploymentMethod,
        rollback: options.incomplete !== true,
        // An unfinished stack has its whole template already: by comparing templates, the toolkit would find nothing to do.
        forceDeployment: options.incomplete === true,
        parameters: options.parameters ? StackParameters.exactly(options.parameters) : StackParameters.onlyExisting(),
      });
      return listener.result;
    } catch (error) {
      throw failure(stackName, listener, error);
    }
  };
  if (!revertDrift) return deploy({ method: 'change-set', changeSetName });
  const made = await deploy({ method: 'change-set', changeSetName, revertDrift: true, execute: false });
  const client = new CloudFormationClient(revertDrift.session);
  try {
    if (made.changed) revertDrift.review((await findChangeSet(client, stackName, changeSetName))?.Changes ?? []);
  } catch (error) {
    await deleteChangeSet(client, stackName, changeSetName);
    throw error;
  }
  if (made.changed) return deploy({ method: 'execute-change-set', changeSetName });
  // The toolkit leaves an empty one.
  await deleteChangeSet(client, stackName, changeSetName);
  return made;
}

/** Bootstraps `accountId` in the session's region for the CDK. `trusted` accounts may deploy into it and look around. */
export async function bootstrap(
  session: Session,
  accountId: string,
  trusted: readonly string[],
  executionPolicies: readonly string[],
): Promise<void> {
  const listener = new StackListener('CDKToolkit', () => undefined);
  const toolkit = toolkitFor(session, listener);
  try {
    await toolkit.bootstrap(BootstrapEnvironments.fromList([`aws://${accountId}/${session.region}`]), {
      parameters: BootstrapStackParameters.withExisting({
        trustedAccounts: [...trusted],
        trustedAccountsForLookup: [...trusted],
        cloudFormationExecutionPolicies: [...executionPolicies],
        publicAccessBlockConfiguration: true,
      }),
      terminationProtection: true,
    });
  } catch (error) {
    throw failure(`CDK bootstrap of ${accountId} in ${session.region}`, listener, error);
  }
}
