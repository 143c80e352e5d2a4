/** Tokens of GitHub against the trust of a role. */
import { beforeAll, expect, test } from '@jest/globals';
import { becomeByToken } from '../../../test/_helpers/github-token.ts';
import { ACCOUNT, cloud, deploy } from './cell.ts';

const ISSUER = 'token.actions.githubusercontent.com';
const NAMED = 'repo:acme/shop:ref:refs/heads/main';
const NUMBERED = 'repo:acme@1/shop@2:ref:refs/heads/main';

/** A role in the account that trusts these subjects. */
const role = (name: string, subjects: string | string[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: name,
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRoleWithWebIdentity',
          Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${ISSUER}` },
          Condition: { StringEquals: { [`${ISSUER}:aud`]: 'sts.amazonaws.com', [`${ISSUER}:sub`]: subjects } },
        },
      ],
    },
  },
});

beforeAll(async () => {
  await deploy('roles', {
    Resources: { Named: role('named', NAMED), Numbered: role('numbered', NUMBERED), Both: role('both', [NUMBERED, NAMED]) },
  });
});

const become = (name: string, claims: { readonly sub: string; readonly aud?: string; readonly iss?: string }) =>
  becomeByToken(cloud.running.endpoint, `arn:aws:iam::${ACCOUNT}:role/${name}`, claims);

test.each([
  ['named', NAMED, 'trusted'],
  // As every repository has it that was made or renamed since 2026-07-15.
  ['named', NUMBERED, 'AccessDenied'],
  ['numbered', NUMBERED, 'trusted'],
  // The same names, of a repository that somebody else has made.
  ['numbered', 'repo:acme@1/shop@3:ref:refs/heads/main', 'AccessDenied'],
  ['numbered', NAMED, 'AccessDenied'],
  ['both', NAMED, 'trusted'],
  ['both', NUMBERED, 'trusted'],
  ['both', 'repo:acme/shop:ref:refs/heads/other', 'AccessDenied'],
])('role %s, asked with subject %s: %s', async (name, sub, answer) => {
  expect(await become(name, { sub })).toBe(answer);
});

test('a token for somebody else, of another issuer, or for a role that is not there is refused', async () => {
  expect(await become('named', { sub: NAMED, aud: 'other' })).toBe('AccessDenied');
  expect(await become('named', { sub: NAMED, iss: 'https://gitlab.com' })).toBe('AccessDenied');
  expect(await become('absent', { sub: NAMED })).toBe('AccessDenied');
});
