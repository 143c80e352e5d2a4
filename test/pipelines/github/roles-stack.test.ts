import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { GITHUB_STACK, githubStackName } from '../../../lib/plan/pipeline-stacks.ts';
import type { Component } from '../../../lib/registry/index.ts';
import { GitHubRolesStack, GitHubStack } from '../../../pipelines/github/roles-stack.ts';
import { pipelineWith } from '../../_helpers/pipelines.ts';
import { app, resources } from '../../_helpers/synth.ts';

/** The stack of component orders-api, whose repository is this one. */
function stack(repository: Partial<Component['repository']> & { url: string } = { url: 'https://github.com/acme/orders-api' }) {
  const { plan, pipeline } = pipelineWith({ component: { repository } });
  return new GitHubRolesStack(app(), plan, pipeline.component);
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

interface Role {
  readonly RoleName: string;
  readonly MaxSessionDuration: number;
  readonly AssumeRolePolicyDocument: { readonly Statement: readonly Statement[] };
  readonly Policies: readonly { readonly PolicyDocument: { readonly Statement: readonly Statement[] } }[];
}

const roles = (of: GitHubRolesStack) =>
  new Map(
    Object.values(resources(of, 'AWS::IAM::Role')).map(({ Properties }) => [String(Properties?.['RoleName']), Object(Properties) as Role]),
  );
const actions = (role: Role | undefined) =>
  role?.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action)) ?? [];

describe('stacks of what workflows may do', () => {
  test('there is one provider, for tokens that are meant for AWS', () => {
    const [provider, ...others] = Object.values(resources(new GitHubStack(app(), pipelineWith().plan), 'AWS::IAM::OIDCProvider'));
    expect(provider?.Properties).toMatchObject({ Url: 'https://token.actions.githubusercontent.com', ClientIdList: ['sts.amazonaws.com'] });
    expect(others).toEqual([]);
  });

  test('what all share is one stack, and each component has one', () => {
    expect(new GitHubStack(app(), pipelineWith().plan).stackName).toBe(GITHUB_STACK);
    expect(stack().stackName).toBe(githubStackName('orders-api'));
  });

  test('a component has a role for each kind of job', () => {
    expect([...roles(stack()).keys()]).toEqual(['publish', 'start', 'follow', 'hook'].map((kind) => `github-orders-api-${kind}`));
  });

  test('trusts one branch of one repository, and tokens that are meant for AWS', () => {
    const of = stack({ url: 'git@github.com:acme/shop.git', branch: 'release/2026', path: 'orders' });
    for (const role of roles(of).values()) {
      expect(role.AssumeRolePolicyDocument.Statement).toEqual([
        expect.objectContaining({
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: {
            StringEquals: {
              'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
              'token.actions.githubusercontent.com:sub': 'repo:acme/shop:ref:refs/heads/release/2026',
            },
          },
        }),
      ]);
    }
  });

  const subjects = (github: Component['repository']['github']) => {
    const [role] = roles(stack({ url: 'https://github.com/acme/shop', branch: 'main', ...(github ? { github } : {}) })).values();
    const [statement] = role?.AssumeRolePolicyDocument.Statement ?? [];
    return Object(statement?.Condition).StringEquals['token.actions.githubusercontent.com:sub'];
  };

  test('trusts the tokens that GitHub makes for repositories since 2026-07-15, which carry numbers', () => {
    expect(subjects({ ownerId: 123456, repositoryId: 456789 })).toBe('repo:acme@123456/shop@456789:ref:refs/heads/main');
  });

  test('trusts both forms while a repository goes from one to the other, and names alone only where nothing else is known', () => {
    expect(subjects({ ownerId: 123456, repositoryId: 456789, alsoByName: true })).toEqual([
      'repo:acme@123456/shop@456789:ref:refs/heads/main',
      'repo:acme/shop:ref:refs/heads/main',
    ]);
    expect(subjects(undefined)).toBe('repo:acme/shop:ref:refs/heads/main');
  });

  test('each kind may do its own, and no other', () => {
    const of = roles(stack());
    const who = (action: string) => [...of].filter(([, role]) => actions(role).includes(action)).map(([name]) => name.split('-').at(-1));
    expect(who('ecr:PutImage')).toEqual(['publish']);
    expect(who('s3:PutObject')).toEqual(['publish', 'start']);
    expect(who('dynamodb:PutItem')).toEqual(['start']);
    expect(who('states:StartExecution')).toEqual(['follow']);
    expect(who('dynamodb:GetItem')).toEqual(['start', 'follow', 'hook']);
    expect([...of.values()].flatMap(actions).filter((action) => /\*|^(iam|sts|cloudformation):|:Delete/.test(action))).toEqual([]);
  });

  test("sees its component's rollouts and artifacts only", () => {
    const of = [...roles(stack()).values()].flatMap(({ Policies }) => Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement));
    const table = of.filter(({ Action }) => JSON.stringify(Action).includes('dynamodb:'));
    const driver = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['driver#orders-api-*'] } };
    const [signs, ...others] = [...table].sort(
      (a, b) => Number(isDeepStrictEqual(b.Condition, driver)) - Number(isDeepStrictEqual(a.Condition, driver)),
    );
    expect(signs).toMatchObject({ Action: 'dynamodb:UpdateItem', Condition: driver });
    expect(others).toHaveLength(3);
    for (const { Condition } of others) {
      expect(Condition).toEqual({
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['rollout#orders-api-*', 'component#orders-api'] },
      });
    }
    const written = JSON.stringify(
      of.filter(({ Action }) => JSON.stringify(Action).includes('s3:PutObject')).map(({ Resource }) => Resource),
    );
    expect(written.match(/\/(artifacts|rollouts)\/[^"]*/g)).toEqual([
      '/artifacts/orders-api/*',
      '/artifacts/orders-api/*',
      '/rollouts/orders-api-*',
    ]);
  });

  test('only who follows a wave has credentials for longer than an hour', () => {
    const longer = [...roles(stack())].filter(([, { MaxSessionDuration }]) => MaxSessionDuration > 3_600);
    expect(longer.map(([name, { MaxSessionDuration }]) => [name, MaxSessionDuration])).toEqual([['github-orders-api-follow', 21_600]]);
  });

  test.each(['https://github.com/acme/orders-api', 'https://github.com/acme/orders-api.git', 'ssh://git@github.com/acme/orders-api'])(
    'knows the repository %s by its owner and name',
    (url) => {
      const [role] = roles(stack({ url })).values();
      expect(JSON.stringify(role?.AssumeRolePolicyDocument)).toContain('"repo:acme/orders-api:ref:refs/heads/main"');
    },
  );

  test.each(['https://git.example.com/acme/orders-api', 'https://github.com.example.com/acme/orders-api', 'https://github.com/acme'])(
    'refuses %s, for which GitHub can not vouch',
    (url) => {
      expect(() => stack({ url })).toThrow(
        expect.objectContaining({ code: 'REPOSITORY_UNSUPPORTED', message: expect.stringContaining(url) }),
      );
    },
  );
});
