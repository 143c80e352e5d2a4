import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { createPlan, requireInitialized } from '../../../lib/plan/plan.ts';
import { GitHubRolesStack } from '../../../pipelines/github/roles-stack.ts';
import { component, registry } from '../../_helpers/organization.ts';
import { app, lint, resources } from '../../_helpers/synth.ts';

type Input = Parameters<NonNullable<Parameters<typeof registry>[0]>>[0];

/** An organization whose component orders-api runs on GitHub, and billing does not. */
const planWith = (change: (input: Input) => void = () => undefined) =>
  requireInitialized(
    createPlan(
      registry((input) => {
        input.components['orders-api'] = component('orders-api', 100, { pipeline: { engine: 'github-actions' } });
        change(input);
      }),
    ),
  );
const stack = (nag = false, plan = planWith()) => new GitHubRolesStack(app(nag), plan);

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

describe('stack Pipelines-GitHub', () => {
  test('passes cdk-nag and cfn-lint', () => {
    const template = Template.fromStack(stack(true)).toJSON();
    expect(lint([template], 'eu-west-1') || '').toBe('');
  });

  test('has a role for each kind of job of a component that runs there, and none for others', () => {
    expect([...roles(stack()).keys()]).toEqual(['publish', 'start', 'follow', 'hook'].map((kind) => `github-orders-api-${kind}`));
  });

  test('trusts one branch of one repository, and tokens that are meant for AWS', () => {
    const of = stack(
      false,
      planWith(({ components }) => {
        const repository = { url: 'git@github.com:acme/shop.git', branch: 'release/2026', path: 'orders' };
        components['orders-api'] = component('orders-api', 100, { repository, pipeline: { engine: 'github-actions' } });
      }),
    );
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
    expect(table).toHaveLength(3);
    for (const { Condition } of table) {
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

  test('a repository that GitHub can not vouch for is refused', () => {
    const plan = planWith(({ components }) => {
      const repository = { url: 'https://git.example.com/acme/orders-api' };
      components['orders-api'] = component('orders-api', 100, { repository, pipeline: { engine: 'github-actions' } });
    });
    expect(() => stack(false, plan)).toThrow('https://git.example.com/acme/orders-api is not on GitHub');
  });

  test('more components than a template has room for are refused, with the figure and the limit', () => {
    const plan = planWith(({ settings, components }) => {
      Object.assign(settings, { pipelines: { ...settings.pipelines, engine: 'github-actions' } });
      for (let index = 0; index < 130; index++) components[`service-${index}`] = component(`service-${index}`, 1_000 + index);
    });
    expect(() => stack(false, plan)).toThrow(/would have \d+ resources, of 500/);
  });
});
