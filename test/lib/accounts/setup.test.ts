/** The steps inside an account, against clients that answer as AWS does. */
import { AccountClient } from '@aws-sdk/client-account';
import { IAMClient } from '@aws-sdk/client-iam';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { describe, expect, test } from '@jest/globals';
import { whenAwake } from '../../../lib/accounts/activation.ts';
import { ensureContacts } from '../../../lib/accounts/contacts.ts';
import { requestQuotas } from '../../../lib/accounts/quota-requests.ts';
import { ensureRegion, searchableRegions } from '../../../lib/accounts/regions.ts';
import { ensureServiceRoles } from '../../../lib/accounts/services.ts';
import { FactoryError } from '../../../lib/registry/index.ts';
import { VirtualClock } from '../../_helpers/clock.ts';

type Answer = (operation: string, input: Record<string, unknown>) => unknown;

/** A client of the given kind whose calls `answer` answers, and the names of those calls. */
function fake<T extends { send: unknown }>(
  Kind: new (configuration: { region: string }) => T,
  answer: Answer,
): { client: T; calls: string[] } {
  const client = new Kind({ region: 'eu-west-1' });
  const calls: string[] = [];
  client.send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    const operation = command.constructor.name.replace('Command', '');
    calls.push(operation);
    return answer(operation, command.input);
  };
  return { client, calls };
}

const refusal = (name: string, message = name) => Object.assign(new Error(message), { name });
const refuse = (name: string, message?: string): never => {
  throw refusal(name, message);
};

describe('a region', () => {
  /** An account in which `region` is enabled so long after it was asked for. */
  function accountWith(clock: VirtualClock, takes: number, asked?: number) {
    let since = asked;
    return fake(AccountClient, (operation) => {
      const status = since === undefined ? 'DISABLED' : clock.now() - since >= takes ? 'ENABLED' : 'ENABLING';
      if (operation === 'GetRegionOptStatus') return { RegionOptStatus: status };
      if (status === 'ENABLING') return refuse('ConflictException');
      since = clock.now();
      return {};
    });
  }

  test('of everybody is not asked for', async () => {
    const { client, calls } = accountWith(new VirtualClock(), 0);
    expect(await ensureRegion(client, 'eu-west-1', new VirtualClock())).toBe(false);
    expect(calls).toEqual([]);
  });

  test('that has to be enabled is asked for once and waited for; one that is enabled is left alone', async () => {
    const clock = new VirtualClock();
    const said: string[] = [];
    const { client, calls } = accountWith(clock, 20 * 60_000);
    expect(await clock.run(ensureRegion(client, 'eu-south-1', clock, () => said.push('waiting')))).toBe(true);
    expect(said).toEqual(['waiting']);
    expect(calls.filter((call) => call === 'EnableRegion')).toHaveLength(1);
    expect(await clock.run(ensureRegion(client, 'eu-south-1', clock, () => said.push('again')))).toBe(false);
    expect(said).toEqual(['waiting']);
  });

  test('that takes too long ends the run with a way on, and the next one waits on', async () => {
    const clock = new VirtualClock();
    const begun = clock.now();
    const { client } = accountWith(clock, 80 * 60_000);
    await expect(clock.run(ensureRegion(client, 'me-south-1', clock))).rejects.toMatchObject({
      code: 'REGION_NOT_ENABLED',
      message: expect.stringContaining('me-south-1'),
      fix: expect.stringContaining('again later'),
    });
    expect(clock.now() - begun).toBeLessThanOrEqual(45 * 60_000);
    expect(await clock.run(ensureRegion(client, 'me-south-1', clock))).toBe(true);
  });
});

describe('a policy that denies a region', () => {
  test('is said at once, and not waited for as if the account were asleep', async () => {
    const clock = new VirtualClock();
    const begun = clock.now();
    const denial = 'not authorized to perform: account:EnableRegion with an explicit deny in a service control policy';
    const { client } = fake(AccountClient, (operation) =>
      operation === 'EnableRegion' ? refuse('AccessDeniedException', denial) : { RegionOptStatus: 'DISABLED' },
    );
    const work = whenAwake(clock, '1', begun, () => ensureRegion(client, 'eu-south-1', clock));
    await expect(clock.run(work)).rejects.toMatchObject({
      code: 'REGION_NOT_ENABLED',
      message: expect.stringMatching(/eu-south-1.*service control policy/),
      fix: expect.stringContaining('SCP'),
    });
    expect(clock.now()).toBe(begun);
  });
});

describe('an account that is to be proven empty', () => {
  const REGIONS = ['eu-west-1', 'eu-south-1', 'me-south-1'];
  const searched = (own: string, statuses: Record<string, string>) => {
    const { client } = fake(AccountClient, (_, { RegionName }) => ({ RegionOptStatus: statuses[String(RegionName)] }));
    return searchableRegions(client, own, REGIONS);
  };

  test('is looked at in the regions that it has; in others it has never enabled nothing can be', async () => {
    expect(await searched('eu-south-1', { 'eu-south-1': 'ENABLED', 'me-south-1': 'DISABLED' })).toEqual(['eu-west-1', 'eu-south-1']);
  });

  test.each([
    [
      'its cell’s own region was switched off',
      'eu-south-1',
      { 'eu-south-1': 'DISABLED', 'me-south-1': 'DISABLED' },
      'eu-south-1 is DISABLED',
    ],
    ['a region is being switched off', 'eu-west-1', { 'eu-south-1': 'DISABLED', 'me-south-1': 'DISABLING' }, 'me-south-1 is DISABLING'],
    ['a region is coming', 'eu-west-1', { 'eu-south-1': 'ENABLING', 'me-south-1': 'DISABLED' }, 'eu-south-1 is ENABLING'],
  ])('passes for nothing while %s: AWS keeps what is in it', async (_, own, statuses, message) => {
    await expect(searched(own, statuses)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringContaining(message),
      fix: expect.stringContaining('enable'),
    });
  });
});

describe('contacts', () => {
  const security = { name: 'Ada', title: 'CISO', email: 'ada@example.com', phone: '+1' };
  const shown = { Name: 'Ada', Title: 'CISO', EmailAddress: 'ada@example.com', PhoneNumber: '+1' };

  test('are set when they are missing or differ, and left alone when they don’t', async () => {
    const missing = fake(AccountClient, (operation) => (operation === 'GetAlternateContact' ? refuse('ResourceNotFoundException') : {}));
    expect(await ensureContacts(missing.client, { security })).toBe(true);
    expect(missing.calls).toEqual(['GetAlternateContact', 'PutAlternateContact']);
    const other = fake(AccountClient, () => ({ AlternateContact: { ...shown, PhoneNumber: '+2' } }));
    expect(await ensureContacts(other.client, { security })).toBe(true);
    const same = fake(AccountClient, () => ({ AlternateContact: shown }));
    expect(await ensureContacts(same.client, { security })).toBe(false);
    expect(same.calls).toEqual(['GetAlternateContact']);
  });
});

describe('service-linked roles', () => {
  const services = ['ecs.amazonaws.com', 'rds.amazonaws.com'];

  test('that are missing are made; one that somebody else has just made counts as done', async () => {
    const { client, calls } = fake(IAMClient, (operation, input) => {
      if (operation === 'ListRoles' && input['Marker'] === undefined) return { Roles: [], IsTruncated: true, Marker: 'next' };
      if (operation === 'ListRoles') return { Roles: [{ Path: '/aws-service-role/ecs.amazonaws.com/' }] };
      return refuse('InvalidInputException', 'Service role name AWSServiceRoleForRDS has been taken in this account');
    });
    expect(await ensureServiceRoles(client, services)).toBe(false);
    expect(calls).toEqual(['ListRoles', 'ListRoles', 'CreateServiceLinkedRole']);
  });

  test('are not asked for where none is needed', async () => {
    const { client, calls } = fake(IAMClient, () => ({}));
    expect(await ensureServiceRoles(client, [])).toBe(false);
    expect(calls).toEqual([]);
  });

  test('that AWS refuses for another reason are not taken for done', async () => {
    const { client } = fake(IAMClient, (operation) =>
      operation === 'ListRoles' ? { Roles: [] } : refuse('InvalidInputException', 'no such service'),
    );
    await expect(ensureServiceRoles(client, services)).rejects.toThrow('no such service');
  });
});

describe('quotas', () => {
  const need = { service: 'lambda', code: 'L-B99A9384', name: 'Concurrent executions', atLeast: 100 };
  const answers =
    (value: number, open: object[], request: () => unknown = () => ({})): Answer =>
    (operation) =>
      operation === 'GetServiceQuota' ? { Quota: { Value: value } } : operation.startsWith('List') ? { RequestedQuotas: open } : request();

  test('that do are left alone; too low ones are asked for once, and said', async () => {
    const enough = fake(ServiceQuotasClient, answers(100, []));
    expect(await requestQuotas(() => enough.client, [need])).toEqual({ changed: false, warnings: [] });
    expect(enough.calls).toEqual(['GetServiceQuota']);
    const low = fake(ServiceQuotasClient, answers(10, [{ Status: 'DENIED' }]));
    expect(await requestQuotas(() => low.client, [need])).toEqual({
      changed: true,
      warnings: ['quota "Concurrent executions" (lambda) is 10, the cell needs 100: asked for it now'],
    });
    const pending = fake(ServiceQuotasClient, answers(10, [{ Status: 'PENDING', DesiredValue: 100 }]));
    expect(await requestQuotas(() => pending.client, [need])).toMatchObject({
      changed: false,
      warnings: [expect.stringContaining('not answered yet')],
    });
    expect(pending.calls).not.toContain('RequestServiceQuotaIncrease');
  });

  test('that are kept elsewhere are asked for there', async () => {
    const { client } = fake(ServiceQuotasClient, answers(100, []));
    const regions: (string | undefined)[] = [];
    const clientIn = (region?: string) => {
      regions.push(region);
      return client;
    };
    await requestQuotas(clientIn, [need, { ...need, region: 'us-east-1' }]);
    expect(regions).toEqual([undefined, 'us-east-1']);
  });

  test('that can’t be looked at or asked for are a warning each, and stop none of the others', async () => {
    let asked = 0;
    const { client } = fake(
      ServiceQuotasClient,
      answers(10, [], () => (asked++ === 0 ? refuse('QuotaExceededException') : {})),
    );
    const { changed, warnings } = await requestQuotas(() => client, [need, { ...need, name: 'other' }]);
    expect(changed).toBe(true);
    expect(warnings).toEqual([expect.stringContaining('too many requests are open'), expect.stringContaining('"other" (lambda) is 10')]);
    const down = fake(ServiceQuotasClient, () => refuse('ServiceException', 'down'));
    expect(await requestQuotas(() => down.client, [need])).toEqual({
      changed: false,
      warnings: ['quota "Concurrent executions" (lambda): down'],
    });
  });
});

describe('a new account', () => {
  test.each([
    ['SubscriptionRequiredException', 'x'],
    ['OptInRequired', 'x'],
    ['AccessDenied', 'is not authorized to perform: sts:AssumeRole'],
    ['ClientError', 'Your account is currently being verified'],
    ['RegionDisabledException', 'STS is not activated in this region'],
    ['InvalidToken', 'x'],
  ])('is waited for while it answers %s', async (name, message) => {
    const clock = new VirtualClock();
    const born = clock.now();
    const awake = born + 10 * 60_000;
    const work = whenAwake(clock, '1', born, async () => (clock.now() < awake ? refuse(name, message) : 'done'));
    expect(await clock.run(work)).toBe('done');
    expect(clock.now() - awake).toBeLessThanOrEqual(60_000);
  });

  test('is waited for while the CDK says so, whose errors have AWS’s for their cause', async () => {
    const clock = new VirtualClock();
    const awake = clock.now() + 60_000;
    const failed = () => {
      throw new FactoryError('DEPLOY_FAILED', 'CDK bootstrap of 1', {
        cause: new Error('toolkit', { cause: refusal('InvalidClientTokenId') }),
      });
    };
    expect(await clock.run(whenAwake(clock, '1', clock.now(), async () => (clock.now() < awake ? failed() : 'done')))).toBe('done');
  });

  test('is given up after half an hour of life, an older one after a minute, other errors at once', async () => {
    const clock = new VirtualClock();
    const begun = clock.now();
    const asleep = (bornAt: number) => whenAwake(clock, '1', bornAt, async () => refuse('OptInRequired', 'not yet'));
    await expect(clock.run(asleep(begun))).rejects.toMatchObject({
      code: 'ACCOUNT_CREATION_FAILED',
      message: expect.stringContaining('not yet'),
    });
    expect(clock.now() - begun).toBeGreaterThan(28 * 60_000);
    const later = clock.now();
    await expect(clock.run(asleep(begun))).rejects.toMatchObject({ code: 'ACCOUNT_CREATION_FAILED' });
    expect(clock.now() - later).toBeLessThanOrEqual(60_000);
    const now = clock.now();
    await expect(clock.run(whenAwake(clock, '1', now, async () => refuse('ValidationError')))).rejects.toThrow('ValidationError');
    expect(clock.now()).toBe(now);
  });
});
