/** Whether the service has all it needs, and if not, what fails. */
import { reasonOf } from './orders.ts';
import { within } from './time.ts';

const PATIENCE_MS = 2000;

export interface DependencyState {
  readonly status: 'ok' | 'failed';
  readonly reason?: string;
  readonly milliseconds: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly dependencies: Readonly<Record<string, DependencyState>>;
}

async function ask(check: () => Promise<void>): Promise<DependencyState> {
  const began = performance.now();
  const milliseconds = () => Math.round(performance.now() - began);
  try {
    await within(PATIENCE_MS, check());
    return { status: 'ok', milliseconds: milliseconds() };
  } catch (error) {
    return { status: 'failed', reason: reasonOf(error), milliseconds: milliseconds() };
  }
}

/** Asks all of them at once. */
export async function readiness(checks: Readonly<Record<string, () => Promise<void>>>): Promise<Readiness> {
  const asked = await Promise.all(Object.entries(checks).map(async ([name, check]) => [name, await ask(check)] as const));
  return { ready: asked.every(([, { status }]) => status === 'ok'), dependencies: Object.fromEntries(asked) };
}
