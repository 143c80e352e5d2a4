/** Deploys stacks of the control accounts. */
import { AccountClient } from '@aws-sdk/client-account';
import type { Session } from '../aws/session.ts';
import { deployStack } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import type { Plan } from '../plan/plan.ts';
import { type StackPlace, toolingStacks } from '../plan/tooling-stacks.ts';
import { whenAwake } from './activation.ts';
import { systemClock } from './clock.ts';
import { askForRegion, ensureRegion } from './regions.ts';
import { requireWebhookSecrets } from './webhook-secrets.ts';

interface DeployControlOptions {
  /** Credentials of the stack's account. */
  readonly session: Session;
  /** Unique to this run. */
  readonly runId: string;
  readonly emit: Emit;
}

/** Deploys one stack of a control account. @returns whether anything was changed. @throws FactoryError `DEPLOY_FAILED` */
export async function deployControlStack(
  assembly: string,
  stackName: string,
  { session, runId, emit }: DeployControlOptions,
): Promise<boolean> {
  emit({ kind: 'started', subject: stackName, text: 'deploying' });
  const { changed } = await deployStack(assembly, stackName, emit, { session, changeSetName: `cell-factory-${runId}` });
  emit({ kind: changed ? 'done' : 'unchanged', subject: stackName, text: 'stack' });
  return changed;
}

/** What became of a stack of the tooling account. */
export interface ToolingResult extends StackPlace {
  readonly state: 'deployed' | 'unchanged';
}

/**
 * Deploys all stacks of the tooling account, one after the other: some stand on those before.
 * @throws FactoryError `DEPLOY_FAILED`; `WEBHOOK_SECRET`, before anything is deployed
 */
export async function deployToolingStacks(assembly: string, plan: Plan, options: DeployControlOptions): Promise<ToolingResult[]> {
  await requireWebhookSecrets(plan, options.session);
  const results: ToolingResult[] = [];
  const client = new AccountClient(options.session);
  const say = (text: string) => options.emit({ kind: 'progress', subject: 'tooling', text });
  const stacks = toolingStacks(plan);
  // All are asked for at once, and each is waited for where its first stack is due: stacks of other regions needn't wait.
  for (const region of new Set(stacks.map(({ region }) => region))) await askForRegion(client, region);
  for (const { stackName, region } of stacks) {
    const isNew = await ensureRegion(client, region, systemClock, say);
    const deploy = () => deployControlStack(assembly, stackName, options);
    // Services there learn of the account one after the other.
    const changed = isNew ? await whenAwake(systemClock, plan.tooling.accountId ?? 'tooling', systemClock.now(), deploy) : await deploy();
    results.push({ stackName, region, state: changed ? 'deployed' : 'unchanged' });
  }
  return results;
}
