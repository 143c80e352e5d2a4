/** Stacks of pipelines that the registry no longer asks for, and when each may go. */
import { CloudFormationClient, paginateListStacks } from '@aws-sdk/client-cloudformation';
import type { Session } from '../lib/aws/session.ts';
import { componentOfStack, pipelineStacks, SHARED_STACKS } from '../lib/plan/pipeline-stacks.ts';
import type { Plan } from '../lib/plan/plan.ts';
import { type RegistryStore, seconds } from '../lib/registry/index.ts';
import { unsupported } from './hosting.ts';

export interface Leftover {
  readonly stackName: string;
  /** Whose pipeline it holds; undefined for what the pipelines of an engine share. */
  readonly component: string | undefined;
  /** ISO 8601; from then on it goes with the next sync. */
  readonly due: string;
}

/** The published revisions, as far as they are looked at. */
export type Revisions = Pick<RegistryStore, 'latest' | 'revision'>;

/** Names of all stacks in the session's account and region. */
export async function stackNames(session: Session): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { StackSummaries = [] } of paginateListStacks({ client: new CloudFormationClient(session) }, {})) {
    for (const { StackName, StackStatus } of StackSummaries)
      if (StackName !== undefined && StackStatus !== 'DELETE_COMPLETE') names.push(StackName);
  }
  return names;
}

/**
 * Of the stacks that are there, those of pipelines that nobody asks for. One whose component has another engine may go at
 * once, if that can deliver it: two pipelines would deliver each commit twice. One whose component is gone may go when no revision has had the
 * component for as long as the organization says: somebody may put it back, and its history is what people ask for first.
 * What an engine's pipelines share goes with the last of them.
 */
export async function leftoversAmong(names: readonly string[], plan: Plan, revisions: Revisions, now: Date): Promise<readonly Leftover[]> {
  const wanted = new Set(pipelineStacks(plan).map(({ stackName }) => stackName));
  const grace = seconds(plan.pipelines.grace) * 1_000;
  const left: Leftover[] = [];
  for (const stackName of [...names].sort()) {
    const component = componentOfStack(stackName);
    if (component === undefined || wanted.has(stackName)) continue;
    const moved = plan.components.find(({ name }) => name === component);
    // It would be delivered by nobody.
    if (moved && unsupported(plan, moved) !== undefined) continue;
    const due = moved ? now : new Date((await goneSince(revisions, component, new Date(now.getTime() - grace), now)).getTime() + grace);
    left.push({ stackName, component, due: due.toISOString() });
  }
  return [...left, ...sharedLeftovers(names, wanted, left, now)];
}

/** What engines' pipelines share, of those that deliver nothing any more: due when the last of their components' stacks is. */
function sharedLeftovers(names: readonly string[], wanted: ReadonlySet<string>, left: readonly Leftover[], now: Date): readonly Leftover[] {
  const dues = new Map(left.map(({ stackName, due }) => [stackName, due]));
  return names.flatMap((stackName): Leftover[] => {
    const prefix = SHARED_STACKS.get(stackName);
    if (prefix === undefined || wanted.has(stackName)) return [];
    const own = names.filter((name) => name.startsWith(prefix));
    // One that nobody else can deliver stands on it.
    if (own.some((name) => !dues.has(name))) return [];
    const due = own.map((name) => dues.get(name) ?? '').reduce((last, each) => (each > last ? each : last), now.toISOString());
    return [{ stackName, component: undefined, due }];
  });
}

/**
 * When the component was taken out of what is published, looking no further back than `earliest`.
 * @returns `now` for one that is still published, and where nothing is
 */
async function goneSince(revisions: Revisions, component: string, earliest: Date, now: Date): Promise<Date> {
  let since = now;
  for (let registry = await revisions.latest(); registry; ) {
    if (Object.hasOwn(registry.organization.components, component)) return since;
    since = new Date(registry.published.at);
    const { revision } = registry.published;
    if (since <= earliest || revision === 1) return since;
    registry = await revisions.revision(revision - 1);
  }
  return since;
}
