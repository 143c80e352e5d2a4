/** A local cloud of a test's own, and `cellctl` against it. */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAccountsFile } from '../../lib/registry/index.ts';
import { LocalCloud, type RunningCloud } from '../../tools/local-cloud/launcher/cloud.ts';
import { localEnvironment } from '../../tools/local-cloud/launcher/cloud-environment.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, without a terminal. */
export function run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    // Nothing of the caller's own AWS settings, and no traces of jest, reach the program.
    const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|CELL|NODE_OPTIONS|JEST|CDK)/.test(name));
    const child = spawn(program, args, {
      env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** `cellctl`, as people start it. */
export const cellctl = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run('bin/cellctl', args, environment);

export class TestCloud {
  private constructor(
    private readonly local: LocalCloud,
    readonly running: RunningCloud,
  ) {}

  static async start(): Promise<TestCloud> {
    const local = new LocalCloud(await mkdtemp(join(tmpdir(), 'cell-factory-cloud-')));
    const { cloud } = await local.up();
    return new TestCloud(local, cloud);
  }

  async stop(): Promise<void> {
    await this.local.down();
  }

  get accountsFile(): string {
    return this.local.accountsFile;
  }

  skipped() {
    return this.local.skipped(this.running);
  }

  /** The environment of `cellctl local env --as <name>`. */
  async environment(as: string): Promise<Record<string, string>> {
    const { control, cells } = await readAccountsFile(this.accountsFile);
    const accountId = as === 'management' ? undefined : ({ ...control, ...cells }[as] ?? 'unknown');
    return localEnvironment(this.running, { region: 'eu-west-1', accountId, accountsFile: this.accountsFile });
  }

  /** Configuration of an SDK client, as an administrator of that account. */
  async client(as: string, region = 'eu-west-1') {
    const environment = await this.environment(as);
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN } = environment;
    return {
      endpoint: this.running.endpoint,
      region,
      credentials: {
        accessKeyId: AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
      },
    };
  }
}
