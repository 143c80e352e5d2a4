/**
 * The local cloud: moto with our plugin, as one background process with its state in one folder.
 * It is an endpoint and nothing else: everything that talks to AWS talks to it through `AWS_ENDPOINT_URL`.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { inheritedEnvironment } from '../../../lib/environment.ts';
import { packageRoot } from '../../../lib/package-root.ts';
import { processInfo } from '../../../lib/process-info.ts';
import { FactoryError } from '../../../lib/registry/errors.ts';
import { repositoryRoot } from '../../../lib/repository-root.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { type PythonEnvironment, pythonEnvironment } from './python-environment.ts';

/** The Python module that is started, by which its process is recognized. */
const MODULE = 'cell_factory_moto';
/** The module whose process forks servers, as the suites of the local cloud start it. */
const NURSERY = `${MODULE}.nursery`;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

const stateSchema = z.object({ pid: z.int().positive(), port: z.int().positive(), startedAt: z.string() });
type State = z.infer<typeof stateSchema>;

/** A running local cloud. */
export interface RunningCloud extends State {
  /** Written with `localhost`: with 127.0.0.1 CloudFormation misreads the address of a template in S3. */
  readonly endpoint: string;
  /** Address of the DNS server that answers from its hosted zones, as the public DNS would. */
  readonly resolver: string;
  readonly log: string;
}

/** A resource that a stack declares and the local cloud can't create. */
export interface SkippedResource {
  readonly account: string;
  readonly region: string;
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
}

/** A server that was told to start. */
interface StartedServer {
  readonly pid: number;
  readonly hasEnded: () => boolean;
}

/** Starts a server on a port, which writes into the log. */
export type StartServer = (environment: PythonEnvironment, port: number, log: string) => Promise<StartedServer>;

/** The variables that Python is started with, besides those of this process. */
export const serverVariables = ({ bytecode }: PythonEnvironment): Readonly<Record<string, string>> => ({
  PYTHONPATH: join(packageRoot(), 'tools/local-cloud'),
  // An empty one is none: without bytecode each start would compile everything.
  PYTHONDONTWRITEBYTECODE: '',
  PYTHONPYCACHEPREFIX: bytecode,
  // What runs the functions of its accounts.
  CELL_FACTORY_NODE: process.execPath,
});

async function startProcess(environment: PythonEnvironment, port: number, log: string): Promise<StartedServer> {
  const file = await open(log, 'w');
  const child = spawn(environment.python, ['-m', MODULE, '--port', String(port)], {
    detached: true,
    stdio: ['ignore', file.fd, file.fd],
    env: { ...inheritedEnvironment(), ...serverVariables(environment) },
  });
  child.unref();
  await file.close();
  let ended = false;
  const end = () => {
    ended = true;
  };
  child.once('exit', end);
  child.once('error', end);
  return { pid: child.pid ?? 0, hasEnded: () => ended };
}

export class LocalCloud {
  /**
   * @param folder where state, log and the lock file of the local organization are kept
   * @param startServer how its process comes to be. @default - a process of its own
   */
  constructor(
    readonly folder: string = join(repositoryRoot(), '.local-cloud'),
    private readonly startServer: StartServer = startProcess,
  ) {}

  /** The lock file of the organization that lives in this cloud: it ends with the cloud, and never mixes with the committed one. */
  get accountsFile(): string {
    return join(this.folder, 'accounts.json');
  }

  private get stateFile(): string {
    return join(this.folder, 'state.json');
  }

  private get log(): string {
    return join(this.folder, 'moto.log');
  }

  /** The running cloud, or undefined. `stale` names a process that the state file speaks of and that is gone. */
  async status(): Promise<{ running?: RunningCloud; stale?: number }> {
    const text = await readFile(this.stateFile, 'utf8').catch(() => undefined);
    if (text === undefined) return {};
    const state = stateSchema.safeParse(tryJson(text)).data;
    if (!state) return { stale: 0 };
    return isOurs(state) ? { running: this.describe(state) } : { stale: state.pid };
  }

  /** Starts the cloud, or finds it running. Returns when it answers. @throws FactoryError `LOCAL_CLOUD_UNAVAILABLE` */
  async up(progress: (text: string) => void = () => undefined): Promise<{ cloud: RunningCloud; started: boolean; stale?: number }> {
    await mkdir(this.folder, { recursive: true });
    // Before it is our turn: somebody who waits for the packages shouldn't keep others from an answer that is there.
    const earlier = (await this.status()).running;
    if (earlier) return { cloud: earlier, started: false };
    const environment = await pythonEnvironment({ progress });
    const turn = {
      file: join(this.folder, 'starting'),
      doing: 'starts the local cloud',
      patienceMs: 2 * START_TIMEOUT_MS,
    };
    return oneAtATime(turn, async () => {
      const { running, stale } = await this.status();
      if (running) return { cloud: running, started: false };
      // Accounts of a cloud that is gone are gone with it.
      await rm(this.accountsFile, { force: true });
      const cloud = await this.start(environment);
      return { cloud, started: true, ...(stale === undefined ? {} : { stale }) };
    });
  }

  /** Ends exactly the process that `up` started. Returns false when there was none. */
  async down(): Promise<boolean> {
    const { running } = await this.status();
    if (running) {
      process.kill(running.pid, 'SIGTERM');
      const deadline = Date.now() + STOP_TIMEOUT_MS;
      while (isOurs(running) && Date.now() < deadline) await sleep(50);
      if (isOurs(running)) process.kill(running.pid, 'SIGKILL');
    }
    await rm(this.stateFile, { force: true });
    await rm(this.accountsFile, { force: true });
    return running !== undefined;
  }

  /** What stacks declare and this cloud can't create. */
  async skipped(cloud: RunningCloud): Promise<SkippedResource[]> {
    const answer = await fetch(`${cloud.endpoint}/moto-api/cell-factory/skipped`);
    const { skipped } = (await answer.json()) as { skipped: SkippedResource[] };
    return skipped;
  }

  private describe(state: State): RunningCloud {
    return { ...state, endpoint: `http://localhost:${state.port}`, resolver: `127.0.0.1:${state.port}`, log: this.log };
  }

  private async start(environment: PythonEnvironment): Promise<RunningCloud> {
    const port = await freePort();
    const server = await this.startServer(environment, port, this.log);
    const cloud = this.describe({ pid: server.pid, port, startedAt: new Date().toISOString() });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await answers(cloud.endpoint))) {
      const hasEnded = server.hasEnded();
      if (hasEnded || Date.now() > deadline) {
        if (!hasEnded) process.kill(cloud.pid, 'SIGKILL');
        const tail = (await readFile(this.log, 'utf8')).trim().split('\n').slice(-5).join('\n');
        throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `the local cloud did not start:\n${tail}`, { fix: `see ${this.log}` });
      }
      await sleep(100);
    }
    const { pid, startedAt } = cloud;
    await writeFileAtomic(this.stateFile, `${JSON.stringify({ pid, port, startedAt })}\n`);
    return cloud;
  }
}

/** A port that is free for HTTP and, under the same number, for DNS. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await getPort();
    const socket = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    socket.close();
    if (bound) return port;
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True when the process of `state` lives and is our moto: its id alone may have gone to somebody else. */
function isOurs(state: State): boolean {
  const words = processInfo(state.pid)?.words ?? [];
  // One that was forked has the words of the process that it comes from.
  return words.includes(NURSERY) || (words.includes(MODULE) && words.includes(String(state.port)));
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(`${endpoint}/moto-api/cell-factory/skipped`).then(
    (response) => response.ok,
    () => false,
  );
}
