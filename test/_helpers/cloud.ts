/** A local cloud of a test's own. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAccountsFile } from '../../lib/registry/index.ts';
import { LocalCloud, type RunningCloud } from '../../tools/local-cloud/launcher/cloud.ts';
import { localEnvironment } from '../../tools/local-cloud/launcher/cloud-environment.ts';
import { startForked } from './nursery.ts';

export class TestCloud {
  private constructor(
    private readonly local: LocalCloud,
    readonly running: RunningCloud,
  ) {}

  static async start(): Promise<TestCloud> {
    const folder = await mkdtemp(join(tmpdir(), 'cell-factory-cloud-'));
    // Jest starts it for suites on local clouds; the bench does without.
    const nursery = process.env['TESTS_NURSERY'];
    const local = nursery === undefined ? new LocalCloud(folder) : new LocalCloud(folder, startForked(nursery));
    const { cloud } = await local.up();
    return new TestCloud(local, cloud);
  }

  async stop(): Promise<void> {
    await this.local.down();
  }

  get accountsFile(): string {
    return this.local.accountsFile;
  }

  /** Has Wait states of Step Functions last so many times as long as they say. */
  async pace(waits: number): Promise<void> {
    await this.control('pace', { waits });
  }

  /** Says to the local cloud what happens on AWS by itself, or what goes wrong there: docs/local-cloud.md. */
  async control(what: 'pace' | 'databases', wanted: object): Promise<void> {
    const answer = await fetch(`${this.running.endpoint}/moto-api/cell-factory/${what}`, { method: 'POST', body: JSON.stringify(wanted) });
    if (!answer.ok) throw new Error(`the local cloud refuses ${what} ${JSON.stringify(wanted)}: ${answer.status} ${await answer.text()}`);
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
