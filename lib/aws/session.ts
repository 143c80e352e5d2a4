/** Who we are in the cloud, and how we become somebody else. Nothing here reads the environment but the SDK itself. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { FactoryError } from '../registry/index.ts';
import { lookupRole } from './roles.ts';

/** Credentials in a region. Passed to every client as its configuration. */
export interface Session {
  readonly region: string;
  readonly credentials: ReturnType<typeof fromNodeProviderChain>;
}

/** The caller of a session. */
export interface Identity {
  readonly accountId: string;
  readonly arn: string;
  /** `aws`, `aws-cn`, …: taken from the caller, so that nothing in the sources assumes one. */
  readonly partition: string;
}

/** The session of whoever runs us: environment, profile, SSO or instance role, as the AWS CLI would find it. */
export function defaultSession(region: string): Session {
  return { region, credentials: fromNodeProviderChain() };
}

/** The same credentials in another region. */
export const inRegion = (session: Session, region: string): Session => ({ ...session, region });

export async function identify(session: Session): Promise<Identity> {
  const { Account, Arn } = await new STSClient(session).send(new GetCallerIdentityCommand({}));
  if (Account === undefined || Arn === undefined) throw new FactoryError('CLOUD_UNREACHABLE', 'STS does not say who the caller is');
  return { accountId: Account, arn: Arn, partition: Arn.split(':')[1] ?? 'aws' };
}

/** A session as the role `roleName` in `accountId`, refreshed when it runs out. */
export function assume(session: Session, partition: string, accountId: string, roleName: string): Session {
  return {
    region: session.region,
    credentials: fromTemporaryCredentials({
      masterCredentials: session.credentials,
      clientConfig: { region: session.region },
      params: { RoleArn: `arn:${partition}:iam::${accountId}:role/${roleName}`, RoleSessionName: 'cell-factory' },
    }),
  };
}

/** How long keys are kept, in milliseconds. Those of a role that was deleted and made anew are refused: no longer than this. */
const REMEMBERED_MS = 300_000;

/** The same session, for many clients: each of them would ask STS for keys of its own. It asks again after five minutes. */
export function remembering({ region, credentials }: Session): Session {
  let known: ReturnType<Session['credentials']> | undefined;
  let until = 0;
  return {
    region,
    credentials: (properties) => {
      if (known && Date.now() < until) return known;
      const asked = credentials(properties);
      known = asked;
      until = Date.now() + REMEMBERED_MS;
      // An error is this caller's alone.
      asked.catch(() => {
        if (known === asked) known = undefined;
      });
      return asked;
    },
  };
}

/** The CDK's read-only role in a bootstrapped account and region, for sessions of trusted accounts. */
export function assumeLookup(session: Session, partition: string, accountId: string, region: string): Session {
  return assume(inRegion(session, region), partition, accountId, lookupRole(accountId, region));
}

/** The CDK's deploying role there: it may change stacks, and hands the rest to CloudFormation's own role. */
export function assumeDeploy(session: Session, partition: string, accountId: string, region: string): Session {
  return assume(inRegion(session, region), partition, accountId, `cdk-hnb659fds-deploy-role-${accountId}-${region}`);
}

/** The caller, who must be in `accountId`. @throws FactoryError `WRONG_ACCOUNT` */
export async function requireCaller(session: Session, accountId: string, name: string): Promise<Identity> {
  const identity = await identify(session);
  if (identity.accountId === accountId) return identity;
  throw new FactoryError('WRONG_ACCOUNT', `these are credentials of ${identity.accountId}; this needs the ${name} account, ${accountId}`, {
    fix: `switch to credentials of the ${name} account`,
  });
}
