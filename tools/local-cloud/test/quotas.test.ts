import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { describe, expect, test } from '@jest/globals';
import { aws, cloud } from './management.ts';

const ROLE = { AssumeRolePolicyDocument: '{"Version":"2012-10-17","Statement":[]}' };

describe('quotas of a new account', () => {
  const quota = <T>(operation: string, input: object) => aws.json<T>('servicequotas', `ServiceQuotasV20190624.${operation}`, input);

  test('are as low as AWS has them, and that of IAM is known in us-east-1 only', async () => {
    const builds = { ServiceCode: 'codebuild', QuotaCode: 'L-5ED1D25B' };
    const roles = { ServiceCode: 'iam', QuotaCode: 'L-FE177D64' };
    expect(await quota('GetServiceQuota', builds)).toMatchObject({ Quota: { Value: 1, GlobalQuota: false } });
    await expect(quota('GetServiceQuota', roles)).rejects.toThrow(/NoSuchResourceException/);
    const credentials = { accessKeyId: 'AKIAMANAGEMENT', secretAccessKey: 'unused' };
    const client = new ServiceQuotasClient({ endpoint: cloud.running.endpoint, region: 'us-east-1', credentials });
    expect(await client.send(new GetServiceQuotaCommand(roles))).toMatchObject({ Quota: { Value: 1_000, GlobalQuota: true } });
  });

  test('let no function reserve calls: ten are what the others need', async () => {
    const role = await aws.query('iam', 'CreateRole', { RoleName: 'reserving', ...ROLE });
    const arn = /<Arn>(.*)<\/Arn>/.exec(role)?.[1];
    const code = { ZipFile: 'UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==' };
    const body = { FunctionName: 'reserving', Runtime: 'nodejs24.x', Handler: 'index.handler', Role: arn, Code: code };
    await aws.rest('lambda', 'POST', '/2015-03-31/functions', JSON.stringify(body));
    const reserve = (ReservedConcurrentExecutions: number) =>
      aws.rest('lambda', 'PUT', '/2017-10-31/functions/reserving/concurrency', JSON.stringify({ ReservedConcurrentExecutions }));
    await expect(reserve(1)).rejects.toThrow(/InvalidParameterValueException|below its minimum value of \[10\]/);
    // None at all, which stops the function, is allowed.
    expect(JSON.parse(await reserve(0))).toEqual({ ReservedConcurrentExecutions: 0 });
  });

  test('hold a thousand roles', async () => {
    const account = await aws.inAccount('242424242424');
    const make = (number: number) => account.query('iam', 'CreateRole', { RoleName: `role-${number}`, ...ROLE });
    for (let made = 0; made < 999; made += 37) await Promise.all(Array.from({ length: 37 }, (_, index) => make(made + index)));
    const { length } = (await Promise.allSettled([make(999), make(1_000), make(1_001)])).filter(({ status }) => status === 'rejected');
    expect(length).toBeGreaterThanOrEqual(2);
    await expect(make(1_002)).rejects.toThrow(/LimitExceeded[\s\S]*Cannot exceed quota for RolesPerAccount: 1000/);
  }, 60_000);
});
