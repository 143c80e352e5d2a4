import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ORGANIZATION_ROLE } from '../../../lib/aws/roles.ts';
import { FactoryError } from '../../../lib/registry/errors.ts';
import type { RunningCloud } from './cloud.ts';

/** The local cloud takes any key it hasn't issued for the management account's. */
const MANAGEMENT_KEY = 'local';

/** How many times faster than AWS's quotas the local cloud may be asked. */
const LOCAL_PACE = '1000';

export interface EnvironmentOptions {
  readonly region: string;
  /** The account to be in; undefined is management. */
  readonly accountId: string | undefined;
  /** Where the account ids of the local organization are. */
  readonly accountsFile: string;
}

/** Environment variables that turn every AWS tool to the local cloud, as an administrator of one account. */
export async function localEnvironment(cloud: RunningCloud, options: EnvironmentOptions): Promise<Record<string, string>> {
  const { region, accountId, accountsFile } = options;
  const common = {
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Ids of this organization stay with this cloud, apart from the committed lock file.
    CELL_FACTORY_ACCOUNTS: accountsFile,
    // A cloud without AWS's quotas need not be asked at their rate.
    CELL_FACTORY_PACE: LOCAL_PACE,
    // The public DNS knows nothing of the hosted zones here.
    CELL_FACTORY_RESOLVER: cloud.resolver,
  };
  const management = { accessKeyId: MANAGEMENT_KEY, secretAccessKey: MANAGEMENT_KEY };
  if (accountId === undefined) return { ...common, AWS_ACCESS_KEY_ID: MANAGEMENT_KEY, AWS_SECRET_ACCESS_KEY: MANAGEMENT_KEY };
  const sts = new STSClient({ endpoint: cloud.endpoint, region, credentials: management });
  const { Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
  const partition = Arn.split(':')[1];
  const { Credentials: issued } = await sts.send(
    new AssumeRoleCommand({ RoleArn: `arn:${partition}:iam::${accountId}:role/${ORGANIZATION_ROLE}`, RoleSessionName: 'local' }),
  );
  if (issued?.AccessKeyId === undefined || issued.SecretAccessKey === undefined || issued.SessionToken === undefined) {
    throw new FactoryError('LOCAL_CLOUD_UNAVAILABLE', `the local cloud gives no credentials for ${accountId}`, {
      fix: 'cellctl local down, then up',
    });
  }
  return {
    ...common,
    AWS_ACCESS_KEY_ID: issued.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: issued.SecretAccessKey,
    AWS_SESSION_TOKEN: issued.SessionToken,
  };
}
