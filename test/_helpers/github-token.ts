/** Tokens as GitHub makes them for jobs, but for the signature, which the local cloud doesn't check. */
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const ISSUER = 'https://token.actions.githubusercontent.com';

/** Becomes the role by a token with these claims. @returns what STS answers: the error's name, or 'trusted' */
export async function becomeByToken(endpoint: string, RoleArn: string, claims: { readonly sub: string; readonly aud?: string; readonly iss?: string }): Promise<string> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = [part({ alg: 'RS256' }), part({ iss: ISSUER, aud: 'sts.amazonaws.com', ...claims }), 'unsigned'].join('.');
  const sts = new STSClient({ endpoint, region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  return sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: 'job', WebIdentityToken: token })).then(
    () => 'trusted',
    (error: Error) => error.name,
  );
}
