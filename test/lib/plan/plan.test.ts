import { describe, expect, test } from '@jest/globals';
import { createPlan, poolAccount, requireAccounts, requireInitialized, selectCells } from '../../../lib/plan/plan.ts';
import { draft, validate } from '../../../lib/registry/index.ts';
import { cell, component, googleCell, registry, unchecked } from '../../_helpers/organization.ts';

const plan = createPlan(registry());
const unvended = createPlan(draft(validate(unchecked(), 'test')));

describe('a plan', () => {
  test('lists staging first, then by impact', () => {
    const later = createPlan(
      registry((input) =>
        Object.assign(input.cells, {
          aaa: cell('aaa', 8),
          me: cell('me', 9, { stage: 'personal', owner: 'ada', expiresAt: '2030-01-01T00:00:00Z' }),
        }),
      ),
    );
    expect(later.cells.map((each) => each.name)).toEqual(['staging', 'aaa', 'alpha', 'bravo', 'me']);
  });

  test('can’t be changed, at any depth', () => {
    expect(() => Object.assign(plan.cells[0]?.account ?? {}, { accountId: '1' })).toThrow(TypeError);
  });

  test('is the same for the same registry', () => {
    expect(createPlan(registry())).toEqual(plan);
  });

  test('derives names, e-mail, unit and tags of a cell’s account', () => {
    expect(plan.cells.find((each) => each.name === 'alpha')).toMatchObject({
      stackName: 'Cell-alpha',
      account: {
        name: 'cell-alpha',
        email: 'aws+cell-alpha@example.com',
        unit: ['Cells', 'Production'],
        tags: { cell: 'alpha', stage: 'production', 'cell-factory:account': 'cell-alpha' },
      },
    });
  });

  test('says what an account needs before it is of use: services by platform, quotas by size, contacts for all', () => {
    const both = createPlan(
      registry((input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { platforms: ['ecs', 'eks'], size: 'large' }) })),
    );
    const accountOf = (name: string) => both.cells.find((each) => each.name === name)?.account;
    const [staging, alpha] = [accountOf('staging'), accountOf('alpha')];
    expect(staging?.services).toEqual([
      'ecs.amazonaws.com',
      'elasticloadbalancing.amazonaws.com',
      'rds.amazonaws.com',
      'elasticache.amazonaws.com',
    ]);
    expect(alpha?.services).toEqual([...(staging?.services ?? []), 'eks.amazonaws.com']);
    const vcpus = (account = alpha) => account?.quotas.find(({ code }) => code === 'L-3032A538')?.atLeast;
    expect([vcpus(staging), vcpus(alpha)]).toEqual([16, 256]);
    expect(both.tooling).toMatchObject({ services: [], quotas: [{ code: 'L-B99A9384', atLeast: 140 }, {}, {}] });
    expect(both.contacts).toEqual({});
  });

  test('says what tooling needs at the size of the organization: a build for each pipeline, roles for pipelines and cells', () => {
    const needs = (engine: 'codepipeline' | 'github-actions', components: number) => {
      const { tooling } = createPlan(
        registry((input) => {
          const names = Array.from({ length: components }, (_, number) => `service-${number}`);
          input.components = Object.fromEntries(names.map((name, number) => [name, component(name, 100 + number)]));
          input.settings = { ...input.settings, pipelines: { ...input.settings.pipelines, engine } };
        }),
      );
      return tooling.quotas.slice(1).map(({ service, region, atLeast }) => [service, region, atLeast]);
    };
    const cells = plan.cells.length;
    expect(needs('codepipeline', 2)).toEqual([
      ['codebuild', undefined, 2],
      ['iam', 'us-east-1', 100 + cells + 30],
    ]);
    // Builds beyond that wait for each other.
    expect(needs('codepipeline', 90)[0]).toEqual(['codebuild', undefined, 60]);
    expect(needs('github-actions', 2)).toEqual([['iam', 'us-east-1', 100 + cells]]);
  });

  test('makes accounts of the pool without a cell, and without a region', () => {
    expect(poolAccount(plan, 7)).toMatchObject({
      name: 'pool-0007',
      email: 'aws+pool-0007@example.com',
      unit: ['Cells', 'Pool'],
      bootstrapped: false,
      tags: { 'cell-factory:account': 'pool-0007' },
      quotas: [],
    });
  });

  test('protects production, until a cell is retiring', () => {
    const retiring = createPlan(registry((input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { intent: 'retiring' }) })));
    const isProtected = Object.fromEntries(retiring.cells.map((each) => [each.name, each.profile.protected]));
    expect(isProtected).toEqual({ staging: false, alpha: false, bravo: true });
  });

  test('gives a cell one calendar: its own, with the organization’s blackouts', () => {
    const own = { from: '2026-12-24T00:00:00Z', until: '2026-12-27T00:00:00Z', reason: 'Christmas' };
    const everywhere = { from: '2026-11-27T00:00:00Z', until: '2026-12-01T00:00:00Z', reason: 'the sale' };
    const windows = [{ days: ['mon' as const], from: '09:00', until: '16:00' }];
    const { cells } = createPlan(
      registry((input) => {
        input.cells['alpha'] = cell('alpha', 1, { calendar: { timeZone: 'Europe/Berlin', windows, blackouts: [own] } });
        input.settings.rollout.calendar.blackouts = [everywhere];
      }),
    );
    expect(cells.map(({ name, calendar }) => [name, calendar])).toEqual([
      ['staging', { timeZone: 'UTC', windows: [], blackouts: [everywhere] }],
      ['alpha', { timeZone: 'Europe/Berlin', windows, blackouts: [everywhere, own] }],
      ['bravo', { timeZone: 'UTC', windows: [], blackouts: [everywhere] }],
    ]);
  });

  test('says what of the cells’ life is known, and what production is in all', () => {
    const known = createPlan({ ...registry(), life: { alpha: { state: 'draining', since: '2026-01-01T00:00:00Z' } } });
    expect(known.cells.map(({ name, life }) => [name, life])).toEqual([
      ['staging', undefined],
      ['alpha', 'draining'],
      ['bravo', undefined],
    ]);
    expect(known.production).toEqual({ cells: 2, weight: 2 });
  });

  test('names cells of other clouds, and projects none of them', () => {
    const input = unchecked();
    input.cells['golf'] = googleCell('golf');
    const mixed = createPlan(draft(validate(input, 'test')));
    expect(mixed.elsewhere).toEqual(['golf']);
    expect(mixed.cells.map((each) => each.name)).not.toContain('golf');
    expect(mixed.regions).toEqual(['eu-west-1', 'us-east-1']);
    expect(() => selectCells(mixed, ['golf'])).toThrow('not on AWS: golf');
  });
});

describe('what a command needs of a plan', () => {
  test('cells by name, or a message that names every unknown one', () => {
    expect(selectCells(plan, ['bravo', 'staging']).map((each) => each.name)).toEqual(['staging', 'bravo']);
    expect(() => selectCells(plan, ['alpha', 'nope', 'neither'])).toThrow('no such cell: nope, neither');
  });

  test('accounts, or a message that names every cell without', () => {
    expect(requireAccounts(plan.cells)).toHaveLength(3);
    expect(() => requireAccounts(unvended.cells)).toThrow('no account yet: staging, alpha, bravo');
  });

  test('control accounts, or the command that makes them', () => {
    expect(requireInitialized(plan).registryBucket).toBe('acme-cell-registry-200000000000');
    expect(() => requireInitialized(unvended)).toThrow(
      expect.objectContaining({ code: 'NOT_INITIALIZED', fix: expect.stringContaining('cellctl init') }),
    );
  });
});
