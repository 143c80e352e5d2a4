/** What suites of rollouts on a local cloud have in common: their organizations, and what holds after each of their tests. */
import { expect } from '@jest/globals';
import { eventually } from './eventually.ts';
import { cell, component } from './organization.ts';
import type { RolloutLab } from './rollouts.ts';

type Input = Parameters<NonNullable<Parameters<typeof RolloutLab.start>[0]>>[0];

/** Adds so many components, `c0` and on: one for each test, so that none waits for another's rollout. */
export function addComponents(input: Input, prefix: string, count: number): void {
  for (let index = 0; index < count; index++) input.components[`${prefix}${index}`] = component(`${prefix}${index}`, 300 + index);
}

/** Cells staging, alpha and charlie, all in one region, and so many components. */
export const threeCells = (prefix: string, count: number) => (input: Input) => {
  delete input.cells['bravo'];
  input.cells['charlie'] = cell('charlie', 3, { trafficWeight: 5 });
  addComponents(input, prefix, count);
};

/** Whatever became of a rollout, it leaves no lock behind. They go last, after the record says that it is over. */
export async function expectUnlocked(lab: RolloutLab): Promise<void> {
  for (const { name } of lab.plan.components) {
    const locks = () => lab.client.store.locks(name);
    await eventually(`the locks of ${name} to go`, async () => (await locks()).length === 0, { deadline: 10_000 }).catch(() => undefined);
    expect({ name, locks: await locks() }).toEqual({ name, locks: [] });
  }
}
