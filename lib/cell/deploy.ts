/** Puts foundations into their cells: side by side, staging before the rest, each cell for itself. */
import pLimit from 'p-limit';
import { asCloudError } from '../aws/cloud-error.ts';
import type { DomainCheck } from '../aws/domain-check.ts';
import { assumeDeploy, assumeLookup, type Session } from '../aws/session.ts';
import { findStack, stackResources } from '../aws/stacks.ts';
import { type Assembly, type DriftReview, deployStack } from '../aws/toolkit.ts';
import type { Emit } from '../messages.ts';
import { UNRELEASED } from '../plan/cell-parameters.ts';
import type { VendedCell } from '../plan/plan.ts';
import type { FactoryError, RegistryStore, Stage } from '../registry/index.ts';
import { refuseLosses } from '../review/losses.ts';

/** What became of one cell. */
export interface DeployResult {
  readonly cell: string;
  readonly stack: string;
  readonly state: 'deployed' | 'unchanged' | 'failed' | 'skipped';
  readonly seconds: number;
  /** Resources that the stack holds now. */
  readonly resources: number;
  readonly error?: FactoryError;
}

/** What is known of a stack before it is deployed. */
interface DeployContext {
  /** It has never been whole. */
  readonly incomplete: boolean;
  /** May read in the cell. */
  readonly session: Session;
}

/**
 * Does `work` while nobody else changes the stack in the cell, or what excludes its change.
 * @throws FactoryError `LOCKED`, naming who does
 */
export type HoldStack = <T>(cell: string, stack: string, work: () => Promise<T>) => Promise<T>;

/** How a stack of a cell is brought about; the foundation and a component differ in it. */
export interface DeployTask {
  readonly stackName: string;
  readonly deploy: (cell: VendedCell, how: DeployContext, emit: Emit) => Promise<{ changed: boolean }>;
}

export interface DeployCellsOptions {
  readonly cells: readonly VendedCell[];
  readonly task: (cell: VendedCell) => DeployTask;
  readonly session: Session;
  readonly partition: string;
  readonly hold: HoldStack;
  /** Cells that are worked on at once. */
  readonly concurrency: number;
  readonly emit: Emit;
}

/** Brings back what somebody has deleted or changed by hand, if nothing is lost by that. */
export interface DriftOptions {
  /** Of the tooling account, in the home region. */
  readonly tooling: Session;
  readonly partition: string;
  /** Losses that somebody has named, see {@link refuseLosses}. */
  readonly allowed: readonly string[];
}

/**
 * The task of deploying a cell's foundation from `assembly`, after the stack in tooling that lets it delegate its name. Once
 * it is there, the cell's life says so.
 */
export function foundationTask(
  { directory }: Assembly,
  runId: string,
  store: RegistryStore,
  domain: DomainCheck,
  driftOf: (cell: string) => DriftOptions | undefined = () => undefined,
): (cell: VendedCell) => DeployTask {
  const changeSetName = `cell-factory-${runId}`;
  return ({ name, stackName, delegationStackName, account, region }) => ({
    stackName,
    deploy: async (_, { incomplete }, emit) => {
      // A cell that is there has its certificate; a new one's would be waited for until somebody delegates the domain.
      if (incomplete) await domain.requireDelegated();
      const drift = driftOf(name);
      // What was never complete has no state to go back to.
      const revertDrift = (session: (options: DriftOptions) => Session): DriftReview | undefined =>
        incomplete || !drift ? undefined : { session: session(drift), review: (changes) => refuseLosses(name, changes, drift.allowed) };
      const inTooling = revertDrift(({ tooling }) => tooling);
      const inCell = revertDrift(({ tooling, partition }) => assumeDeploy(tooling, partition, account.accountId, region));
      const delegation = await deployStack(directory, delegationStackName, emit, { changeSetName, revertDrift: inTooling });
      // What a rollout brought is not what is deployed now.
      const parameters = { Version: UNRELEASED };
      const foundation = await deployStack(directory, stackName, emit, { changeSetName, incomplete, parameters, revertDrift: inCell });
      await store.note(name, 'built');
      return { changed: delegation.changed || foundation.changed };
    },
  });
}

/**
 * Works on the cells stage by stage, staging first. Within a stage a failed cell stops none of its siblings;
 * after a failure in staging the other stages are not begun: what breaks there would break everywhere.
 */
export async function deployCells(options: DeployCellsOptions): Promise<DeployResult[]> {
  const { cells, concurrency } = options;
  const limit = pLimit(concurrency);
  const results: DeployResult[] = [];
  const inStage = (test: (stage: Stage) => boolean) => cells.filter((cell) => test(cell.stage));
  for (const group of [inStage((stage) => stage === 'staging'), inStage((stage) => stage !== 'staging')]) {
    const stopped = results.some((result) => result.state === 'failed');
    results.push(...(await Promise.all(group.map((cell) => (stopped ? skip(cell, options) : limit(() => deployOne(cell, options)))))));
  }
  return results;
}

function skip(cell: VendedCell, { task, emit }: DeployCellsOptions): DeployResult {
  const { stackName } = task(cell);
  emit({ kind: 'warning', subject: cell.name, text: 'not begun: staging failed' });
  return { cell: cell.name, stack: stackName, state: 'skipped', seconds: 0, resources: 0 };
}

/** Whether the stack has never been whole: not there, or its creation has not succeeded yet. */
function isIncomplete(stack: { StackStatus?: string | undefined } | undefined): boolean {
  return stack === undefined || /^(REVIEW_IN_PROGRESS|CREATE_FAILED|ROLLBACK_.*)$/.test(stack.StackStatus ?? '');
}

async function deployOne(cell: VendedCell, { task, session, partition, hold, emit }: DeployCellsOptions): Promise<DeployResult> {
  const { stackName, deploy } = task(cell);
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 100) / 10;
  // Messages of the stack are about the cell, to whoever watches.
  const emitForCell: Emit = (message) => emit({ ...message, subject: cell.name });
  emitForCell({ kind: 'started', subject: '', text: stackName });
  try {
    const cellSession = assumeLookup(session, partition, cell.account.accountId, cell.region);
    const { changed } = await hold(cell.name, stackName, async () =>
      deploy(cell, { incomplete: isIncomplete(await findStack(cellSession, stackName)), session: cellSession }, emitForCell),
    );
    const created = await stackResources(cellSession, stackName);
    const state = changed ? 'deployed' : 'unchanged';
    emitForCell({ kind: changed ? 'done' : 'unchanged', subject: '', text: `${stackName}: ${created.size} resources` });
    return { cell: cell.name, stack: stackName, state, seconds: seconds(), resources: created.size };
  } catch (error) {
    const failure = asCloudError(error);
    emitForCell({ kind: 'failed', subject: '', text: failure.message });
    return { cell: cell.name, stack: stackName, state: 'failed', seconds: seconds(), resources: 0, error: failure };
  }
}
