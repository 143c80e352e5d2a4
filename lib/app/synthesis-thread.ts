/** The thread that synthesizes for lib/aws/synthesis.ts: one plan after the other, each as `synthesize` would. */
import { parentPort } from 'node:worker_threads';
import type { Plan } from '../plan/plan.ts';
import type { Context } from './app.ts';
import { failureText } from './failure-text.ts';

/** What the thread is sent; it answers with a {@link Synthesized}. */
interface Order {
  readonly plan: Plan;
  readonly stacks: readonly string[];
  readonly outdir: string;
  readonly context: Context;
}

/** @property failure what to tell people, where it failed */
interface Synthesized {
  readonly failure?: string;
}

async function answer({ plan, stacks, outdir, context }: Order): Promise<Synthesized> {
  try {
    // Not at the top: where aws-cdk-lib is missing, that is to be said in a sentence.
    const { synthesizePlan } = await import('./app.ts');
    await synthesizePlan(plan, stacks, outdir, context);
    return {};
  } catch (error) {
    return { failure: failureText(error) };
  }
}

parentPort?.on('message', async (order: Order) => parentPort?.postMessage(await answer(order)));
