/** What a component's stack is sent past all rollouts: recorded as they record it, so that one that comes later knows what ran. */
import { publishedFor } from './published.ts';
import { sentKey } from './rollout-record.ts';
import type { RolloutStore } from './rollout-store.ts';
import { recordOf, templateDigest } from './sent.ts';

export interface SentByHand {
  readonly component: string;
  readonly cell: string;
  readonly version: string;
  /** As it is sent. */
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Unique to the deployment. */
  readonly runId: string;
}

/**
 * Records what is about to be sent. Until the deployment has succeeded, what was sent before may still be what runs.
 * @returns what to call when it has, with the template that the stack shows
 */
export async function recordByHand(
  store: RolloutStore,
  { component, cell, version, template, parameters, runId }: SentByHand,
): Promise<(shown: string) => Promise<void>> {
  const published = await publishedFor(store.objects, component, version, cell);
  const isPublished = published && templateDigest(published.template) === templateDigest(template);
  const record = await recordOf(version, isPublished ? published.artifact.digest : undefined, template, parameters);
  const key = sentKey(`${component}-by-hand-${runId}`, cell);
  const [before] = await store.sentKeys(component, cell);
  await store.writeOnce(key, record);
  await store.noteSent(component, cell, key, before);
  return async (shown) => {
    // The CDK writes what it doesn't upload as YAML.
    const digest = templateDigest(shown);
    const last = digest === record.template ? key : sentKey(`${component}-by-hand-${runId}-shown`, cell);
    if (last !== key) await store.writeOnce(last, { ...record, template: digest });
    await store.noteSent(component, cell, last);
  };
}
