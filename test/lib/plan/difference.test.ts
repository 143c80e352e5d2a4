import { describe, expect, test } from '@jest/globals';
import { compare, type Observed, type ObservedAccount, type ObservedStack } from '../../../lib/plan/difference.ts';
import { createPlan } from '../../../lib/plan/plan.ts';
import { draft, validate } from '../../../registry/index.ts';
import { cell, registry, unchecked } from '../../_helpers/organization.ts';

const plan = createPlan(registry());
const SAME: ObservedStack = { status: 'CREATE_COMPLETE', changes: { added: [], changed: [], removed: [] } };

/** Everything as the plan says. */
const settled = (): {
  accounts: Map<string, ObservedAccount>;
  stacks: Map<string, ObservedStack>;
  published: Observed['published'];
} => ({
  accounts: new Map(
    [plan.tooling, plan.monitoring, ...plan.cells.map((cell) => cell.account)].map(({ accountId = '', email }) => [
      accountId,
      { email, status: 'ACTIVE' },
    ]),
  ),
  stacks: new Map([['Registry', SAME], ['Domain', SAME], ...plan.cells.map((cell) => [cell.stackName, SAME] as const)]),
  published: { revision: 4, changes: { added: [], changed: [], removed: [] }, movedOn: [] },
});

const differences = (change: (observed: ReturnType<typeof settled>) => void) => {
  const observed = settled();
  change(observed);
  return compare(plan, plan.cells, observed).map(({ kind, name, change: what, detail }) => `${kind} ${name} ${what}: ${detail}`);
};

describe('the differences', () => {
  test('are none when everything is as the registry says', () => {
    expect(differences(() => undefined)).toEqual([]);
  });

  test('are everything, in the order of the work, for an organization that was never made', () => {
    const fresh = createPlan(draft(validate(unchecked(), 'test')));
    const found = compare(fresh, fresh.cells, { accounts: undefined, stacks: new Map(), published: undefined });
    expect(found.map(({ kind, name, action }) => `${kind} ${name}: ${action}`)).toEqual([
      'account tooling: cellctl init',
      'account monitoring: cellctl init',
      'stack Registry: cellctl init',
      'stack Domain: cellctl init',
      'account cell-staging: cellctl accounts',
      'account cell-alpha: cellctl accounts',
      'account cell-bravo: cellctl accounts',
      'stack Cell-staging: cellctl deploy staging',
      'stack Cell-alpha: cellctl deploy alpha',
      'stack Cell-bravo: cellctl deploy bravo',
      'registry acme: cellctl publish',
    ]);
  });

  test('name an account that is missing, suspended, or somebody else’s', () => {
    const [staging = '', alpha = '', bravo = ''] = plan.cells.map((cell) => cell.account.accountId);
    expect(
      differences(({ accounts }) => {
        accounts.delete(staging);
        accounts.set(alpha, { email: 'aws+cell-alpha@example.com', status: 'SUSPENDED' });
        accounts.set(bravo, { email: 'aws+cell-zulu@example.com', status: 'ACTIVE' });
      }),
    ).toEqual([
      `account cell-staging conflict: ${staging} is not in the organization`,
      `account cell-alpha conflict: ${alpha} is SUSPENDED`,
      `account cell-bravo conflict: ${bravo} belongs to aws+cell-zulu@example.com, not aws+cell-bravo@example.com`,
    ]);
  });

  test('are none for an account out of the pool whose tag names the cell, and say whose it is otherwise', () => {
    const [, alpha = '', bravo = ''] = plan.cells.map((cell) => cell.account.accountId);
    expect(
      differences(({ accounts }) => {
        accounts.set(alpha, { email: 'aws+pool-0001@example.com', status: 'ACTIVE', owner: 'cell-alpha' });
        accounts.set(bravo, { email: 'aws+pool-0002@example.com', status: 'ACTIVE', owner: 'cell-zulu' });
      }),
    ).toEqual([`account cell-bravo conflict: ${bravo} belongs to cell-zulu (aws+pool-0002@example.com), not aws+cell-bravo@example.com`]);
  });

  test('are none for a retiring cell that has no account any more', () => {
    const input = unchecked();
    Object.assign(input.cells, { alpha: cell('alpha', 1, { intent: 'retiring' }) });
    const gone = createPlan(draft(validate(input, 'test')));
    const found = compare(gone, gone.cells, settled()).map(({ name, change }) => `${name} ${change}`);
    expect(found).toEqual(['tooling update', 'monitoring update', 'cell-staging update', 'cell-bravo update']);
  });

  test('name an account that is there and not in the lock file, rather than promise a new one', () => {
    const unlisted = createPlan(draft(validate(unchecked(), 'test')));
    const accounts = new Map([['499999999999', { email: 'AWS+cell-alpha@example.com', status: 'ACTIVE' }]]);
    const found = compare(unlisted, unlisted.cells, { ...settled(), accounts }).filter(({ kind }) => kind === 'account');
    expect(found.map(({ name, change, detail }) => `${name} ${change}: ${detail}`)).toEqual([
      'tooling create: aws+tooling@example.com',
      'monitoring create: aws+monitoring@example.com',
      'cell-staging create: aws+cell-staging@example.com',
      'cell-alpha update: 499999999999 is there, and not in accounts.json',
      'cell-bravo create: aws+cell-bravo@example.com',
    ]);
  });

  test('count what a deployment would change, and tell a stack that is not well', () => {
    expect(
      differences(({ stacks }) => {
        stacks.set('Cell-staging', { status: undefined, changes: { added: ['A', 'B'], changed: [], removed: [] } });
        stacks.set('Cell-alpha', { status: 'UPDATE_COMPLETE', changes: { added: ['A'], changed: ['B', 'C'], removed: [] } });
        stacks.set('Cell-bravo', { ...SAME, status: 'UPDATE_ROLLBACK_FAILED' });
      }),
    ).toEqual([
      'stack Cell-staging create: 2 resources',
      'stack Cell-alpha update: 1 added, 2 changed (B, C)',
      'stack Cell-bravo update: UPDATE_ROLLBACK_FAILED',
    ]);
  });

  test('tell in which entries the published registry is another, and whose life it does not know', () => {
    const found = differences((observed) => {
      const changes = {
        added: ['cells.zulu'],
        changed: ['cells.a', 'cells.b', 'cells.c', 'cells.d', 'rollout'],
        removed: ['components.old'],
      };
      observed.published = { revision: 3, changes, movedOn: ['alpha'] };
    });
    expect(found).toEqual([
      "registry acme update: revision 3 lacks cells.zulu; has another cells.a, cells.b, cells.c and 2 more; still has components.old; doesn't know the life of alpha",
    ]);
  });
});
