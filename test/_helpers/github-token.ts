/** Tokens as GitHub makes them for jobs, but for the signature, which the local cloud doesn't check. */
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const ISSUER = 'https://token.actions.githubusercontent.com';

interface Claims {
  readonly sub: string;
  readonly aud?: string;
  readonly iss?: string;
}

/** Becomes the role by a token with these claims. @returns its keys, as variables. @throws what STS answers */
export async function keysByToken(endpoint: string, RoleArn: string, claims: Claims): Promise<Record<string, string>> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = [part({ alg: 'RS256' }), part({ iss: ISSUER, aud: 'sts.amazonaws.com', ...claims }), 'unsigned'].join('.');
  const sts = new STSClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  const become = new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'job', WebIdentityToken: token });
  const { Credentials } = await sts.send(become);
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  return { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_SESSION_TOKEN: SessionToken };
}

/** What STS answers to who would become the role: the error's name, or 'trusted'. */
export const becomeByToken = (endpoint: string, RoleArn: string, claims: Claims): Promise<string> =>
  keysByToken(endpoint, RoleArn, claims).then(
    () => 'trusted',
    (error: Error) => error.name,
  );
