/** Opt-in regions: an account has to enable them before anything answers it there, STS included. */
import { type AccountClient, EnableRegionCommand, GetRegionOptStatusCommand } from '@aws-sdk/client-account';
import { FactoryError, isNamed, messageOf, OPT_IN_REGIONS } from '../registry/index.ts';
import type { Clock } from './clock.ts';

/**
 * How long a region may take, in milliseconds: "a few minutes for most accounts, but it can take several hours"
 * (EnableRegion, AWS Account Management API Reference, read 2026-11-30). After that the command ends, and AWS goes on.
 */
const PATIENCE = 45 * 60_000;
const FIRST_PAUSE = 2_000;
const LONGEST_PAUSE = 15_000;

const statusOf = async (client: AccountClient, region: string) =>
  (await client.send(new GetRegionOptStatusCommand({ RegionName: region }))).RegionOptStatus;

/** Whether the account of the client may use the region. The account's service is the same wherever it is called. */
async function isRegionEnabled(client: AccountClient, region: string): Promise<boolean> {
  if (!OPT_IN_REGIONS.has(region)) return true;
  const status = await statusOf(client, region);
  return status === 'ENABLED' || status === 'ENABLED_BY_DEFAULT';
}

/**
 * The regions in which something of the account can be, of those that are looked at before it goes to somebody else. AWS keeps
 * what is in a region that is disabled ("Enable or disable AWS Regions in your account", AWS Account Management Reference Guide,
 * read 2026-11-30), so only a region that isn't the account's own may be left out.
 * @param own the region of the account's cell
 * @throws FactoryError `REFUSED` for regions in which nothing can be seen now, and something may be
 */
export async function searchableRegions(client: AccountClient, own: string, regions: readonly string[]): Promise<string[]> {
  const statuses = await Promise.all(
    regions.map(async (region) => [region, OPT_IN_REGIONS.has(region) ? await statusOf(client, region) : 'ENABLED_BY_DEFAULT'] as const),
  );
  const isSeen = (status: string | undefined) => status === 'ENABLED' || status === 'ENABLED_BY_DEFAULT';
  const hidden = statuses.filter(([region, status]) => !isSeen(status) && (region === own || status !== 'DISABLED'));
  if (hidden.length > 0) {
    const each = hidden.map(([region, status]) => `${region} is ${status ?? 'in no state'}`).join(', ');
    throw new FactoryError('REFUSED', `nobody can see what the account has there: ${each}`, {
      fix: 'enable the region on the account page of the console (AWS keeps what is in it), destroy the cell, and run the command again',
    });
  }
  return statuses.flatMap(([region, status]) => (isSeen(status) ? [region] : []));
}

/**
 * Enables a region for the account of the client, and waits until it is.
 * @param client anywhere but in that region, which has no STS yet
 * @param waiting told once, in words, when there is something to wait for
 * @returns whether it had to be waited for
 * @throws FactoryError `REGION_NOT_ENABLED` after three quarters of an hour (called again, it waits on), and at once where a policy denies it
 */
export async function ensureRegion(
  client: AccountClient,
  region: string,
  clock: Clock,
  waiting: (text: string) => void = () => undefined,
): Promise<boolean> {
  if (await isRegionEnabled(client, region)) return false;
  waiting(`waiting for ${region} to be enabled, which takes minutes, sometimes hours`);
  await ask(client, region);
  const deadline = clock.now() + PATIENCE;
  for (let pause = FIRST_PAUSE; !(await isRegionEnabled(client, region)); pause = Math.min(LONGEST_PAUSE, pause * 2)) {
    if (clock.now() + pause > deadline) {
      throw new FactoryError('REGION_NOT_ENABLED', `${region} has been asked for, and AWS has not enabled it within 45 minutes`, {
        fix: 'run the command again later: it goes on from there. The account page of the console shows how far AWS is',
      });
    }
    await clock.sleep(pause);
    // It was being disabled when it was asked for, or too many others were being enabled.
    if ((await statusOf(client, region)) === 'DISABLED') await ask(client, region);
  }
  return true;
}

/** Asks for a region that the account hasn't enabled, and doesn't wait. @returns whether it had to be asked for */
export async function askForRegion(client: AccountClient, region: string): Promise<boolean> {
  if (await isRegionEnabled(client, region)) return false;
  await ask(client, region);
  return true;
}

/** Regions of one account that others need, too: all are asked for first, and each is waited for once, where it is needed. */
export class SharedRegions {
  private readonly asked = new Set<string>();
  private readonly waits = new Map<string, Promise<boolean>>();

  constructor(
    private readonly client: AccountClient,
    private readonly clock: Clock,
    private readonly waiting: (text: string) => void,
  ) {}

  /** Asks for all of them, and doesn't wait. What AWS refuses is told by {@link ready}, to those alone who need the region. */
  async ask(regions: Iterable<string>): Promise<void> {
    for (const region of regions) {
      if (await askForRegion(this.client, region).catch(() => false)) this.asked.add(region);
    }
  }

  /**
   * Waits until a region is enabled, as {@link ensureRegion} does. Whoever comes later shares the wait, and its end.
   * @returns whether it is new: services there learn of the account one after the other
   * @throws FactoryError `REGION_NOT_ENABLED`
   */
  async ready(region: string): Promise<boolean> {
    const wait = this.waits.get(region) ?? ensureRegion(this.client, region, this.clock, this.waiting);
    this.waits.set(region, wait);
    return (await wait) || this.asked.has(region);
  }
}

async function ask(client: AccountClient, region: string): Promise<void> {
  try {
    await client.send(new EnableRegionCommand({ RegionName: region }));
  } catch (error) {
    // Named here: one who waits for a new account would take it for one that isn't awake. The role works, it has read the status.
    if (isNamed(error, 'AccessDeniedException', 'AccessDenied')) {
      throw new FactoryError('REGION_NOT_ENABLED', `${region} may not be enabled: ${messageOf(error)}`, {
        fix: 'let the role OrganizationAccountAccessRole through in the policy (SCP) that denies account:EnableRegion, or choose another region',
      });
    }
    // It is being enabled, by a run before this one, or disabled; or as many regions are as AWS works on at once, 6 of an account
    // and 50 of an organization ("Quotas for AWS Account Management", AWS Account Management Reference Guide, read 2026-12-01; by
    // which error isn't said, and of those of EnableRegion only these two fit). Each ends, and whoever waits asks again.
    if (!isNamed(error, 'ConflictException', 'TooManyRequestsException')) throw error;
  }
}
