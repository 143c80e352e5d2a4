import { describe, expect, test } from '@jest/globals';
import { createPlan } from '../../lib/plan/plan.ts';
import { leftoversAmong, type Revisions } from '../../pipelines/leftovers.ts';
import { component, registry } from '../_helpers/organization.ts';

const NOW = new Date('2030-06-30T12:00:00Z');
const day = (number: number) => `2030-06-${String(number).padStart(2, '0')}T12:00:00.000Z`;

const withComponents = (...names: readonly string[]) =>
  registry((input) => {
    input.settings = { ...input.settings, pipelines: { ...input.settings.pipelines, grace: '10d' } };
    input.components = Object.fromEntries(names.map((name, index) => [name, component(name, index + 1)]));
  });

/** Revisions by the day of June on which each was published, with the components that it has. */
function revisions(...published: readonly (readonly [on: number, ...components: readonly string[]])[]): Revisions & { read: number[] } {
  const read: number[] = [];
  const revision = async (number: number) => {
    const [on, ...names] = published[number - 1] ?? [0];
    read.push(number);
    return { ...withComponents(...names), published: { revision: number, at: day(on), by: 'ada' } };
  };
  return { read, revision, latest: async () => (published.length === 0 ? undefined : revision(published.length)) };
}

const plan = createPlan(withComponents('orders-api'));
const STACKS = ['Artifacts', 'Cell-alpha', 'Pipelines', 'Pipeline-orders-api', 'Pipeline-search'];
const dueOf = async (published: Revisions) =>
  (await leftoversAmong(STACKS, plan, published, NOW)).map(({ stackName, due }) => [stackName, due]);

describe('the pipeline of a component that is gone', () => {
  test('may go when no revision has had the component for as long as the organization says', async () => {
    expect(await dueOf(revisions([1, 'orders-api', 'search'], [25, 'orders-api']))).toEqual([
      ['Pipeline-search', '2030-07-05T12:00:00.000Z'],
    ]);
    expect(await dueOf(revisions([1, 'orders-api', 'search'], [5, 'orders-api'], [28, 'orders-api']))).toEqual([
      ['Pipeline-search', day(15)],
    ]);
  });

  test('is kept for as long again when somebody has put it back in between', async () => {
    const published = revisions([1, 'search'], [2], [20, 'search'], [29, 'orders-api']);
    expect(await dueOf(published)).toEqual([['Pipeline-search', '2030-07-09T12:00:00.000Z']]);
  });

  test('is looked for no further back than that', async () => {
    const published = revisions([1, 'search'], [2], [3], [4], [28]);
    expect(await dueOf(published)).toEqual([['Pipeline-search', day(14)]]);
    expect(published.read).toEqual([5, 4]);
  });

  test('stays while what is published still has it, whatever the definitions here say', async () => {
    expect(await dueOf(revisions([1, 'orders-api', 'search']))).toEqual([['Pipeline-search', '2030-07-10T12:00:00.000Z']]);
    expect(await dueOf(revisions())).toEqual([['Pipeline-search', '2030-07-10T12:00:00.000Z']]);
  });
});

describe('what the pipelines of an engine share', () => {
  const shared = async (...names: string[]) =>
    (await leftoversAmong(names, plan, revisions([1, 'orders-api', 'search'], [25, 'orders-api']), NOW)).map(({ stackName, due }) => [
      stackName,
      due,
    ]);

  test('goes when the engine delivers nothing any more, and stays while it delivers one', async () => {
    expect(await shared('Pipelines', 'Pipelines-GitHub', 'Pipeline-orders-api')).toEqual([['Pipelines-GitHub', NOW.toISOString()]]);
  });

  test('goes with the last of its pipelines, and not before', async () => {
    const left = await shared('Pipelines-GitHub', 'Pipelines-GitHub-orders-api', 'Pipelines-GitHub-search');
    expect(left.at(-1)).toEqual(['Pipelines-GitHub', '2030-07-05T12:00:00.000Z']);
  });
});

test('the pipeline of a component that another engine delivers goes at once: two would deliver each commit twice', async () => {
  const left = await leftoversAmong(['Pipelines-GitHub-orders-api'], plan, revisions([1, 'orders-api']), NOW);
  expect(left).toEqual([{ stackName: 'Pipelines-GitHub-orders-api', component: 'orders-api', due: NOW.toISOString() }]);
});

test('but not where that engine takes no commits from its repository: nobody would deliver it', async () => {
  const elsewhere = { ...plan, components: [component('orders-api', 1, { repository: { url: 'file:///srv/orders.git' } })] };
  expect(await leftoversAmong(['Pipelines-GitHub-orders-api'], elsewhere, revisions([1, 'orders-api']), NOW)).toEqual([]);
});
