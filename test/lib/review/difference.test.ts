import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../../lib/plan/plan.ts';
import { draft, validate } from '../../../lib/registry/index.ts';
import { compare, type Observed, type ObservedAccount, type ObservedStack } from '../../../lib/review/difference.ts';
import { change } from '../../_helpers/changes.ts';
import { cell, registry, unchecked } from '../../_helpers/organization.ts';

const plan = createPlan(registry());
const NOW = new Date('2030-01-10T00:00:00Z');
const SAME: ObservedStack = { status: 'CREATE_COMPLETE', changes: [], limits: [] };

/** Everything as the plan says. */
const settled = (): {
  accounts: Map<string, ObservedAccount>;
  stacks: Map<string, ObservedStack>;
  published: Observed['published'];
  undefinedCells: Observed['undefinedCells'];
  domainProblem?: string;
} => ({
  accounts: new Map(
    [plan.tooling, plan.monitoring, ...plan.cells.map((cell) => cell.account)].map(({ accountId = '', email }) => [
      accountId,
      { email, status: 'ACTIVE' },
    ]),
  ),
  stacks: new Map([
    ['Registry', SAME],
    ['Domain', SAME],
    ['Artifacts-us-east-1', SAME],
    ['Artifacts', SAME],
    ['Rollouts', SAME],
    ...plan.cells.flatMap((cell) => [cell.stackName, cell.delegationStackName]).map((name) => [name, SAME] as const),
  ]),
  published: { revision: 4, changes: { added: [], changed: [], removed: [] }, movedOn: [] },
  undefinedCells: [],
});

const differences = (alter: (observed: ReturnType<typeof settled>) => void) => {
  const observed = settled();
  alter(observed);
  return compare(plan, plan.cells, observed, NOW).map(({ kind, name, change: what, detail }) => `${kind} ${name} ${what}: ${detail}`);
};

describe('the differences', () => {
  test('are none when everything is as the registry says', () => {
    expect(differences(() => undefined)).toEqual([]);
  });

  test('are everything, in the order of the work, for an organization that was never made', () => {
    const fresh = createPlan(draft(validate(unchecked(), 'test')));
    const found = compare(fresh, fresh.cells, { accounts: undefined, stacks: new Map(), published: undefined, undefinedCells: [] }, NOW);
    expect(found.map(({ kind, name, action }) => `${kind} ${name}: ${action}`)).toEqual([
      'account tooling: cellctl init',
      'account monitoring: cellctl init',
      'stack Registry: cellctl init',
      'stack Domain: cellctl init',
      'stack Artifacts-us-east-1: cellctl init',
      'stack Artifacts: cellctl init',
      'stack Rollouts: cellctl init',
      'account cell-staging: cellctl accounts',
      'account cell-alpha: cellctl accounts',
      'account cell-bravo: cellctl accounts',
      'stack Delegation-staging: cellctl deploy staging',
      'stack Cell-staging: cellctl deploy staging',
      'stack Delegation-alpha: cellctl deploy alpha',
      'stack Cell-alpha: cellctl deploy alpha',
      'stack Delegation-bravo: cellctl deploy bravo',
      'stack Cell-bravo: cellctl deploy bravo',
      'registry acme: cellctl publish',
    ]);
  });

  test('name the command that brings tooling what a cell in a new region needs', () => {
    const observed = settled();
    observed.stacks.set('Artifacts-us-east-1', { status: undefined, changes: [change('Bucket83908E77', 'add')], limits: [] });
    expect(compare(plan, plan.cells, observed, NOW)).toEqual([
      { kind: 'stack', name: 'Artifacts-us-east-1', change: 'create', detail: '1 resources', action: 'cellctl deploy --tooling' },
    ]);
  });

  test('name the record without which new cells would wait for their certificates', () => {
    const found = differences((observed) => {
      observed.domainProblem = 'not delegated: in the zone of example.com, set: cells.example.com. NS ns-1.';
    });
    expect(found).toEqual([
      'domain cells.example.com conflict: not delegated: in the zone of example.com, set: cells.example.com. NS ns-1.',
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
    const found = compare(gone, gone.cells, settled(), NOW).map(({ name, change }) => `${name} ${change}`);
    expect(found).toEqual(['tooling update', 'monitoring update', 'cell-staging update', 'cell-bravo update']);
  });

  test('propose to end a retiring cell while its stacks are there, and never to build it again', () => {
    const retiring = createPlan(registry((input) => Object.assign(input.cells, { alpha: cell('alpha', 1, { intent: 'retiring' }) })));
    const found = (status: string | undefined) => {
      const observed = settled();
      observed.stacks.set('Cell-alpha', { ...SAME, status });
      return compare(retiring, retiring.cells, observed, NOW).map(({ name, change, action }) => `${name} ${change}: ${action}`);
    };
    expect(found('CREATE_COMPLETE')).toEqual(['alpha remove: cellctl destroy alpha']);
    expect(found('DELETE_FAILED')).toEqual(['alpha remove: cellctl destroy alpha']);
    expect(found(undefined)).toEqual([]);
  });

  test('name an account that is there and not in the lock file, rather than promise a new one', () => {
    const unlisted = createPlan(draft(validate(unchecked(), 'test')));
    const accounts = new Map([['499999999999', { email: 'AWS+cell-alpha@example.com', status: 'ACTIVE' }]]);
    const found = compare(unlisted, unlisted.cells, { ...settled(), accounts }, NOW).filter(({ kind }) => kind === 'account');
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
        stacks.set('Cell-staging', { ...SAME, status: undefined, changes: [change('A', 'add'), change('B', 'add')] });
        stacks.set('Cell-alpha', { ...SAME, changes: [change('A', 'add'), change('B'), change('C')] });
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

  test('mark what would be lost, and only that', () => {
    const observed = settled();
    const queue = change('Queue', 'replace', 'AWS::SQS::Queue', { properties: [{ name: 'QueueName' }] });
    observed.stacks.set('Cell-alpha', {
      ...SAME,
      changes: [queue, change('Rule', 'replace', 'AWS::EC2::Route'), change('Old', 'remove', 'AWS::KMS::Key')],
    });
    const [found, ...others] = compare(plan, plan.cells, observed, NOW);
    expect(others).toEqual([]);
    expect(found?.detail).toBe('2 replaced (Queue, Rule), 1 removed (Old)');
    expect(found?.destructive?.map(({ logicalId, change: what }) => `${what} ${logicalId}`)).toEqual(['replace Queue', 'remove Old']);
  });

  test('name a component that somebody has deleted, and who brings it back', () => {
    const [{ name = '' } = {}] = plan.cells;
    const gone = { component: 'orders-api', version: '2.0.0', rollout: 'orders-api-7' };
    const observed = {
      ...settled(),
      gone: [
        { ...gone, cell: name },
        { ...gone, cell: 'nowhere' },
      ],
    };
    expect(compare(plan, plan.cells, observed, NOW)).toEqual([
      {
        kind: 'cell',
        name,
        change: 'create',
        detail: 'the stack of orders-api is gone: orders-api-7 has deployed 2.0.0',
        action: `cellctl rollout catch-up ${name}`,
      },
    ]);
  });

  test('name what was built and is not defined, and how to retire it', () => {
    const found = differences((observed) => {
      observed.undefinedCells = [{ name: 'zulu', evidence: 'active since 2029-12-01T00:00:00Z' }];
    });
    expect(found).toEqual([
      "cell zulu conflict: exists (active since 2029-12-01T00:00:00Z), and has no definition; to end it, set intent: 'retiring' there, then `cellctl destroy zulu`",
    ]);
  });
});

describe('a personal cell past its end', () => {
  const ended = createPlan(
    registry((input) => {
      Object.assign(input.cells, { mine: cell('mine', 5, { stage: 'personal', owner: 'ada', expiresAt: '2030-01-07T00:00:00Z' }) });
    }),
  );
  const mine = ended.cells.filter(({ name }) => name === 'mine');
  const proposed = (now: string, status: string | undefined = 'CREATE_COMPLETE') =>
    compare(
      ended,
      mine,
      {
        ...settled(),
        accounts: undefined,
        stacks: new Map([...settled().stacks, ['Cell-mine', { ...SAME, status }], ['Delegation-mine', SAME]]),
      },
      new Date(now),
    ).map(({ kind, name, change: what, detail, action }) => `${kind} ${name} ${what}: ${detail} -> ${action}`);

  test('is proposed for removal, and nothing else is proposed for it', () => {
    expect(proposed('2030-01-10T00:00:00Z')).toEqual([
      'cell mine remove: expired at 2030-01-07T00:00:00Z, 3 days ago; belongs to ada -> cellctl destroy mine',
    ]);
  });

  test('gives its account back once its stacks are gone', () => {
    expect(
      compare(
        ended,
        mine,
        {
          ...settled(),
          accounts: undefined,
          stacks: new Map([
            ['Registry', SAME],
            ['Domain', SAME],
            ['Artifacts-us-east-1', SAME],
            ['Artifacts', SAME],
            ['Rollouts', SAME],
            ['Cell-mine', { ...SAME, status: undefined }],
          ]),
        },
        NOW,
      ),
    ).toMatchObject([{ change: 'remove', action: 'cellctl accounts pool --return mine' }]);
  });

  test('is nothing to anybody a moment before', () => {
    expect(proposed('2030-01-06T23:59:59Z')).toEqual([]);
  });
});
