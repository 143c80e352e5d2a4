import { describe, expect, test } from '@jest/globals';
import { aws } from './management.ts';
import { type Caller, MANAGEMENT_ACCOUNT } from './server.ts';

const OTHER_ACCOUNT = '222222222222';
const _ROLE = `arn:aws:iam::${MANAGEMENT_ACCOUNT}:role/machine`;

describe('accounts', () => {
  test('an account is tagged, untagged and found by its creation, through pages of creations', async () => {
    const organizations = <T>(operation: string, input: object = {}) =>
      aws.json<T>('organizations', `AWSOrganizationsV20161128.${operation}`, input);
    await organizations('CreateOrganization', { FeatureSet: 'ALL' }).catch(() => undefined);
    const ids: string[] = [];
    for (let number = 0; number < 5; number++) {
      const Tags = [{ Key: 'cell-factory:account', Value: `paged-${number}` }];
      const { CreateAccountStatus: status } = await organizations<{ CreateAccountStatus: { AccountId: string } }>('CreateAccount', {
        AccountName: `paged-${number}`,
        Email: `paged-${number}@example.com`,
        Tags,
      });
      ids.push(status.AccountId);
    }
    const listed: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await organizations<{ CreateAccountStatuses: { AccountId: string; AccountName: string }[]; NextToken?: string }>(
        'ListCreateAccountStatus',
        { MaxResults: 2, ...(NextToken === undefined ? {} : { NextToken }) },
      );
      listed.push(...page.CreateAccountStatuses.map((status) => status.AccountId));
      NextToken = page.NextToken ?? undefined;
    } while (NextToken !== undefined && listed.length < 500);
    expect(listed.filter((id) => ids.includes(id))).toEqual(ids);

    const [ResourceId = ''] = ids;
    await organizations('TagResource', { ResourceId, Tags: [{ Key: 'cell', Value: 'alpha' }] });
    await organizations('UntagResource', { ResourceId, TagKeys: ['cell-factory:account'] });
    expect(await organizations('ListTagsForResource', { ResourceId })).toMatchObject({ Tags: [{ Key: 'cell', Value: 'alpha' }] });
  });

  test('a service-linked role is made once; the second try is refused as AWS refuses it', async () => {
    const make = () => aws.query('iam', 'CreateServiceLinkedRole', { AWSServiceName: 'rds.amazonaws.com' });
    expect(await make()).toContain('/aws-service-role/rds.amazonaws.com/');
    await expect(make()).rejects.toThrow(/400 [\s\S]*InvalidInput[\s\S]*has been taken in this account/);
    expect(await aws.query('iam', 'ListRoles', { PathPrefix: '/aws-service-role/' })).toContain('/aws-service-role/rds.amazonaws.com/');
    expect(await aws.query('iam', 'ListRoles', { PathPrefix: '/elsewhere/' })).not.toContain('/aws-service-role/');
  });

  test('a quota is low in a new account; one request per quota and two per region stay open', async () => {
    const quotas = <T>(operation: string, input: object) => aws.json<T>('servicequotas', `ServiceQuotasV20190624.${operation}`, input);
    const of = (ServiceCode: string, QuotaCode: string) => ({ ServiceCode, QuotaCode });
    const lambda = of('lambda', 'L-B99A9384');
    expect(await quotas('GetServiceQuota', lambda)).toMatchObject({ Quota: { ...lambda, Value: 10 } });
    await expect(quotas('GetServiceQuota', of('lambda', 'L-00000000'))).rejects.toThrow(/NoSuchResourceException/);
    const history = () =>
      quotas<{ RequestedQuotas: object[] }>('ListRequestedServiceQuotaChangeHistoryByQuota', lambda).then(
        ({ RequestedQuotas: requests }) => requests,
      );
    expect(await history()).toEqual([]);
    await quotas('RequestServiceQuotaIncrease', { ...lambda, DesiredValue: 100 });
    expect(await history()).toMatchObject([{ ...lambda, DesiredValue: 100, Status: 'PENDING' }]);
    const more = (key: object) => quotas('RequestServiceQuotaIncrease', { ...key, DesiredValue: 1_000 });
    await expect(more(lambda)).rejects.toThrow(/ResourceAlreadyExistsException/);
    await more(of('fargate', 'L-3032A538'));
    await expect(more(of('rds', 'L-7B6409FD'))).rejects.toThrow(/QuotaExceededException/);
  });

  test('an alternate contact is kept for the account that sets it', async () => {
    const contact = { AlternateContactType: 'SECURITY', Name: 'Ada', Title: 'CISO', EmailAddress: 'ada@example.com', PhoneNumber: '+1' };
    const other = await aws.inAccount(OTHER_ACCOUNT);
    const get = (caller: Caller) => caller.rest('account', 'POST', '/getAlternateContact', '{"AlternateContactType":"SECURITY"}');
    await expect(get(other)).rejects.toThrow(/ResourceNotFoundException/);
    await other.rest('account', 'POST', '/putAlternateContact', JSON.stringify(contact));
    expect(JSON.parse(await get(other))).toEqual({ AlternateContact: contact });
    await expect(get(aws)).rejects.toThrow(/ResourceNotFoundException/);
  });
});
