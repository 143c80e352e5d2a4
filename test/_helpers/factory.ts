/** An organization on a local cloud of its own, by the commands that people type: cells staging, alpha and charlie. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readAccountsFile } from '../../lib/registry/index.ts';
import { cellctl } from './cellctl.ts';
import { TestCloud } from './cloud.ts';
import { definitionsFolder } from './organization.ts';

export const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

export class Factory {
  private constructor(
    readonly cloud: TestCloud,
    /** The organization's definitions. */
    readonly folder: string,
  ) {}

  static async start(): Promise<Factory> {
    const [cloud, folder] = await Promise.all([TestCloud.start(), definitionsFolder()]);
    await rm(join(folder, 'cells', 'bravo.ts'));
    return new Factory(cloud, folder);
  }

  /** With accounts for every cell, and a first revision published. */
  static async startWithAccounts(): Promise<Factory> {
    const factory = await Factory.start();
    await factory.succeed('management', 'init');
    await factory.succeed('tooling', 'accounts');
    await factory.succeed('tooling', 'publish');
    return factory;
  }

  stop(): Promise<void> {
    return this.cloud.stop();
  }

  lockFile() {
    return readAccountsFile(this.cloud.accountsFile);
  }

  /** Runs cellctl on the organization, as one of its accounts. */
  readonly as = async (account: string, ...args: string[]) =>
    cellctl([...args, '--organization', this.folder], await this.cloud.environment(account));

  readonly tooling = (...args: string[]) => this.as('tooling', ...args);

  private async succeed(account: string, ...args: string[]): Promise<void> {
    const { code, stderr } = await this.as(account, ...args);
    if (code !== 0) throw new Error(`cellctl ${args.join(' ')}: ${stderr}`);
  }
}
