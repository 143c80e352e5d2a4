/**
 * Synthesizes in a thread of this process: signals are heard and leases renewed meanwhile, and the CDK, which takes longer to load than
 * to build a stack, is there for the next time.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { inheritedEnvironment } from '../environment.ts';
import { packageRoot } from '../package-root.ts';

/** Threads that wait for a plan. */
const idle: Worker[] = [];

/** What it prints belongs to nobody's output: it is left where it is, since to read it would keep the process from ending. */
const startThread = () =>
  new Worker(join(packageRoot(), 'dist/lib/app/synthesis-thread.js'), { env: inheritedEnvironment(), stdout: true, stderr: true });

/** What is synthesized: a plan, and with it the context as plain data, of which the thread gets a copy. */
interface Synthesis {
  readonly plan: object;
  readonly stacks: readonly string[];
  readonly outdir: string;
  /** What the CDK tells its app. */
  readonly context: Readonly<Record<string, unknown>>;
}

/**
 * Synthesizes stacks of a plan into a folder.
 * @throws Error that says what is wrong with the plan, or that the thread has died
 */
export async function synthesizeStacks(synthesis: Synthesis): Promise<void> {
  const thread = idle.pop() ?? startThread();
  thread.ref();
  const ended = new AbortController();
  const died = once(thread, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`the synthesis ended with ${code}`);
  });
  try {
    const answer = once(thread, 'message', { signal: ended.signal });
    thread.postMessage(synthesis);
    // An error that nobody catches in the thread rejects both.
    const [{ failure }] = (await Promise.race([answer, died])) as [{ readonly failure?: string }];
    if (failure !== undefined) throw new Error(failure);
    thread.unref();
    idle.push(thread);
  } catch (error) {
    void thread.terminate();
    throw error;
  } finally {
    ended.abort();
    died.catch(() => undefined);
  }
}
