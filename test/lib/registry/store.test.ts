/** The order of writes and who wins, on a bucket in memory that keeps S3's promises. On a real one: store.local.test.ts. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Condition, draft, type Organization, RegistryStore, serialize } from '../../../lib/registry/index.ts';
import { MemoryObjects } from '../../_helpers/objects.ts';
import { cell, registry } from '../../_helpers/organization.ts';

/** A bucket that does something once, right before a write of `key`: another publisher, or the death of this one. */
class Interrupted extends MemoryObjects {
  before: { key: string; work: () => Promise<void> } | undefined;

  override async put(key: string, text: string, condition: Condition): Promise<string | undefined> {
    const { before } = this;
    if (before && key === before.key) {
      this.before = undefined;
      await before.work();
    }
    return super.put(key, text, condition);
  }
}

let objects: Interrupted;
let store: RegistryStore;
beforeEach(() => {
  objects = new Interrupted();
  store = new RegistryStore(objects);
});

const withCells = (...names: string[]): Organization =>
  registry((input) => {
    for (const [index, name] of names.entries()) Object.assign(input.cells, { [name]: cell(name, 20 + index + name.length) });
  }).organization;
const plus = (organization: Organization, name: string, index: number, rest = {}): Organization => ({
  ...organization,
  cells: { ...organization.cells, [name]: { ...cell(name, index, rest), endpoints: { api: `https://${name}.cells.example.com` } } },
});
const publish = (organization: Organization, by = 'ada') => store.publish(organization, { by });
/** What another publisher does, with a store of its own. */
const meanwhile = (key: string, organization: Organization) => {
  objects.before = { key, work: async () => void (await new RegistryStore(objects).publish(organization, { by: 'bob' })) };
};

describe('a lost race', () => {
  const base = withCells();

  test('is published on top of the winner when each changed something else', async () => {
    await publish(base);
    meanwhile('revisions/00000002.json', plus(base, 'theirs', 30));
    expect(await publish(plus(base, 'mine', 31))).toMatchObject({
      changed: true,
      mergedOnto: { revision: 2, by: 'bob' },
      others: { added: ['cells.theirs'], changed: [], removed: [] },
      registry: { published: { revision: 3, by: 'ada' } },
      changes: { added: ['cells.mine'], changed: [], removed: [] },
    });
    expect(Object.keys((await store.latest())?.organization.cells ?? {})).toEqual(['alpha', 'bravo', 'mine', 'staging', 'theirs']);
  });

  test('is refused when both changed the same entry; revisions and entry are named, nothing is written', async () => {
    await publish(base);
    meanwhile('revisions/00000002.json', plus(base, 'twin', 30, { importance: 'low' }));
    await expect(publish(plus(base, 'twin', 30, { importance: 'high' }))).rejects.toMatchObject({
      code: 'PUBLISH_CONFLICT',
      message: 'revision 2 by bob also changed cells.twin since revision 1',
      fix: expect.stringContaining('registry diff 1 2'),
    });
    expect((await store.history(9)).map(({ revision }) => revision)).toEqual([2, 1]);
  });

  test('is refused when both together break a rule that each alone keeps', async () => {
    await publish(base);
    meanwhile('revisions/00000002.json', plus(base, 'theirs', 30));
    await expect(publish(plus(base, 'mine', 30))).rejects.toMatchObject({
      code: 'REGISTRY_INVALID',
      problems: [{ code: 'NETWORK_DUPLICATE' }],
    });
    expect((await store.latest())?.published.revision).toBe(2);
  });

  test('for the pointer is none: whoever moved it moved it to this revision', async () => {
    await publish(base);
    const next = plus(base, 'mine', 31);
    meanwhile('latest.json', plus(next, 'theirs', 32));
    expect(await publish(next)).toMatchObject({ changed: true, registry: { published: { revision: 2 } } });
    expect(await Promise.all([1, 2, 3].map(async (number) => (await store.revision(number)).published.by))).toEqual(['ada', 'ada', 'bob']);
    expect(await store.verify()).toEqual({ revisions: 3, flaws: [] });
  });

  test('is known beforehand when the publisher says what it started from', async () => {
    await publish(base);
    await publish(plus(base, 'theirs', 30), 'bob');
    // Without a base these definitions would have dropped what bob has added.
    const { registry: published } = await store.publish(plus(base, 'mine', 31), { by: 'ada', base: 1 });
    expect(Object.keys(published.organization.cells)).toEqual(['alpha', 'bravo', 'mine', 'staging', 'theirs']);
  });
});

describe('what is published', () => {
  test('is read back as it was, whatever it is', async () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/).filter((text) => !['pool', 'tooling'].includes(text));
    const rest = fc.record({ tier: fc.constantFrom('shared', 'dedicated'), trafficWeight: fc.double({ min: 0, max: 1e6, noNaN: true }) });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, rest, { maxKeys: 6, noNullPrototype: true }), async (cells) => {
        const { organization } = registry((input) => {
          for (const [index, [key, each]] of Object.entries(cells).entries())
            Object.assign(input.cells, { [key]: cell(key, 20 + index, each) });
        });
        const fresh = new RegistryStore(new MemoryObjects());
        await fresh.publish(organization, { by: 'ada' });
        expect((await fresh.latest())?.organization).toEqual(organization);
        expect(await fresh.publish(organization, { by: 'bob' })).toMatchObject({ changed: false });
      }),
    );
  });
});

describe('a publisher that dies', () => {
  test.each([
    ['before the revision', 'revisions/00000002.json', 2],
    ['between revision and pointer', 'latest.json', 3],
  ])('%s leaves nothing that the next one can’t complete', async (_, key, revision) => {
    await publish(withCells());
    objects.before = { key, work: () => Promise.reject(new Error('killed')) };
    await expect(publish(withCells('mine'))).rejects.toThrow('killed');
    const { registry: published } = await publish(withCells('next'), 'bob');
    expect(published.published.revision).toBe(revision);
    expect(await store.verify()).toEqual({ revisions: revision, flaws: [] });
  });
});

describe('a pointer that was lost or moved back', () => {
  beforeEach(async () => {
    for (const name of ['one', 'two', 'three', 'four']) await publish(withCells(name));
  });

  test.each([
    ['lost', undefined],
    ['moved back by three', '{"revision":1,"digest":"x"}'],
  ])('%s, is moved to the newest revision by the next who publishes; no change is made up', async (_, text) => {
    if (text === undefined) objects.objects.delete('latest.json');
    else objects.objects.set('latest.json', text);
    expect(await publish(withCells('four'))).toMatchObject({ changed: false, rolledForward: 4, registry: { published: { revision: 4 } } });
    expect(await store.verify()).toEqual({ revisions: 4, flaws: [] });
  });

  test('lost, is said: that nothing was published would be false', async () => {
    objects.objects.delete('latest.json');
    await expect(store.latest()).rejects.toMatchObject({
      code: 'DOCUMENT_INVALID',
      message: expect.stringContaining('though there are revisions'),
    });
  });

  test('at a history with a damaged revision hides none of the others', async () => {
    objects.objects.set('revisions/00000003.json', 'x');
    objects.objects.delete('revisions/00000002.json');
    expect((await store.history(9)).map(({ revision, registry: found }) => [revision, 'unreadable' in found])).toEqual([
      [4, false],
      [3, true],
      [2, true],
      [1, false],
    ]);
  });
});

describe('an account that is published', () => {
  const withId = (organization: Organization, accountId: string | undefined): Organization =>
    JSON.parse(
      JSON.stringify({ ...organization, cells: { ...organization.cells, alpha: { ...organization.cells['alpha'], accountId } } }),
    ) as Organization;
  beforeEach(async () => {
    await store.note('alpha', 'built', new Date('2026-01-01T00:00:00Z'));
    await publish(withCells());
  });

  test.each([
    ['another account', '499999999999', '499999999999 instead of 400000000001'],
    ['none', undefined, 'nothing instead of 400000000001'],
  ])('of a cell that exists can’t become %s', async (_, id, message) => {
    await expect(publish(withId(withCells(), id))).rejects.toMatchObject({
      problems: [{ code: 'ACCOUNT_CHANGED', path: 'cells.alpha.accountId', message: expect.stringContaining(message) }],
    });
  });

  test('of the organization can’t change either', async () => {
    await expect(publish({ ...withCells(), organizationId: 'o-other00000' })).rejects.toMatchObject({
      problems: [{ code: 'ACCOUNT_CHANGED', path: 'organizationId' }],
    });
  });

  test('may be another once the cell has ended, or begun anew', async () => {
    await store.note('alpha', 'destroyed');
    await store.note('alpha', 'vended');
    expect(await publish(withId(withCells(), '499999999999'))).toMatchObject({ changed: true });
    expect(await publish(withId(withCells(), '499999999999'))).toMatchObject({ changed: false });
  });
});

describe('the life of a cell', () => {
  test('is a record of its own, and part of the document from the next publication on', async () => {
    await publish(withCells());
    await store.note('alpha', 'vended', new Date('2026-01-01T00:00:00Z'));
    expect((await store.latest())?.life).toEqual({});
    expect(await publish(withCells())).toMatchObject({ changed: true, changes: { added: [], changed: [], removed: [] } });
    expect((await store.latest())?.life).toEqual({ alpha: { state: 'provisioning', since: '2026-01-01T00:00:00.000Z' } });
    await store.note('alpha', 'built', new Date('2026-01-02T00:00:00Z'));
    await store.note('alpha', 'built', new Date('2026-01-03T00:00:00Z'));
    await publish(withCells());
    expect((await store.latest())?.life).toEqual({ alpha: { state: 'active', since: '2026-01-02T00:00:00.000Z' } });
    expect(await publish(withCells())).toMatchObject({ changed: false });
  });

  test('keeps a cell in the registry until it has ended', async () => {
    await publish(withCells('mine'));
    await store.note('mine', 'vended');
    await store.note('mine', 'built');
    await expect(publish(withCells())).rejects.toMatchObject({ problems: [{ code: 'CELL_REMOVED', path: 'cells.mine' }] });
    await store.note('mine', 'destroyed');
    expect(await publish(withCells())).toMatchObject({ changed: true, changes: { removed: ['cells.mine'] }, registry: { life: {} } });
  });

  test('is not begun by its end, and not ended twice', async () => {
    await store.note('alpha', 'destroyed');
    expect(await store.lives()).toEqual(new Map());
    await store.note('alpha', 'built', new Date('2026-01-01T00:00:00Z'));
    await store.note('alpha', 'destroyed', new Date('2026-01-02T00:00:00Z'));
    await store.note('alpha', 'destroyed', new Date('2026-01-03T00:00:00Z'));
    expect(await store.lives()).toEqual(new Map([['alpha', { state: 'retired', since: '2026-01-02T00:00:00.000Z' }]]));
  });

  test('loses no event of two who note at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].flatMap((name) => [store.note(name, 'vended'), store.note(name, 'built')]));
    expect([...(await store.lives()).values()].map(({ state }) => state)).toEqual(['active', 'active', 'active', 'active']);
  });

  test('whose record is damaged is refused, never guessed at', async () => {
    objects.objects.set('life/alpha.json', '{"state":"asleep"}');
    await expect(publish(withCells())).rejects.toMatchObject({
      code: 'RECORD_INVALID',
      message: expect.stringContaining('life/alpha.json'),
    });
  });
});

describe('the storage of a database that exists', () => {
  const sized = (size: 'small' | 'medium') => plus(withCells(), 'grown', 30, { size });

  test('gets no smaller by a smaller size; the refusal says how to keep it', async () => {
    await publish(sized('medium'));
    await store.note('grown', 'vended');
    await expect(publish(sized('small'))).rejects.toMatchObject({
      code: 'REGISTRY_INVALID',
      problems: [
        {
          code: 'STORAGE_SHRINKS',
          path: 'cells.grown.overrides.database.storageGiB',
          message: expect.stringContaining('20 GiB instead of 100 GiB'),
          fix: 'keep it: overrides: { database: { storageGiB: 100, maxStorageGiB: 110 } }',
        },
      ],
    });
    const kept = plus(withCells(), 'grown', 30, { size: 'small', overrides: { database: { storageGiB: 100, maxStorageGiB: 110 } } });
    expect((await publish(kept)).registry.published.revision).toBe(2);
  });

  test('may be less for a cell that nobody has built yet', async () => {
    await publish(sized('medium'));
    await expect(publish(sized('small'))).resolves.toBeDefined();
  });
});

describe('a deployment from a checkout', () => {
  const at = (accountId: string, ...zones: string[]) => store.refuseRezoned(new Map([['alpha', { accountId, zones }]]));
  const ZONES = ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'];

  test('with other zones than published is refused, also before what was built is published again', async () => {
    await store.note('alpha', 'vended', new Date('2030-01-01'));
    const { cells, ...rest } = withCells();
    await publish({ ...rest, cells: { ...cells, alpha: { ...cells['alpha'], accountId: '400000000001', zones: ZONES } } } as Organization);
    await store.note('alpha', 'built', new Date('2030-01-02'));
    await expect(at('400000000001', ...ZONES)).resolves.toBeUndefined();
    await expect(at('400000000001', ...[...ZONES].reverse())).rejects.toMatchObject({
      problems: [{ code: 'ZONES_CHANGED', path: 'cells.alpha.zones', fix: expect.stringContaining('cellctl publish') }],
    });
    // Of another account, these are other zones.
    await expect(at('499999999999', 'eu-west-1c', 'eu-west-1b', 'eu-west-1a')).resolves.toBeUndefined();
    await store.note('alpha', 'destroyed');
    await expect(at('400000000001', 'eu-west-1b')).resolves.toBeUndefined();
  });
});

describe('rolling back', () => {
  test('publishes the old content as a new revision, with the account ids that are known now', async () => {
    const withoutIds = registry().organization;
    const cells = Object.fromEntries(
      Object.entries(withoutIds.cells).map(([name, { ...each }]) => [name, { ...each, accountId: undefined }]),
    );
    await publish(JSON.parse(JSON.stringify({ ...withoutIds, cells })) as Organization);
    await publish({ ...withoutIds, domain: 'example.org' });
    expect(await store.rollback(1, { by: 'eve' })).toMatchObject({ changed: true, registry: { published: { revision: 3, by: 'eve' } } });
    expect((await store.latest())?.organization).toEqual(withoutIds);
  });

  test('keeps the zones of now, which are those of the account of now', async () => {
    const alphaIn = (accountId: string, ...zones: string[]): Organization => {
      const { cells, ...rest } = withCells();
      const { zones: _, ...known } = { zones: undefined, ...cells['alpha'] };
      const alpha = { ...known, accountId, ...(zones.length === 0 ? {} : { zones }) };
      return { ...rest, cells: { ...cells, alpha } } as Organization;
    };
    const at = (day: number) => new Date(Date.UTC(2030, 0, day));
    await store.note('alpha', 'vended', at(1));
    await publish(alphaIn('400000000001'));
    await publish(alphaIn('400000000001', 'eu-west-1a', 'eu-west-1b', 'eu-west-1c'));
    await store.rollback(1, { by: 'eve' });
    expect((await store.latest())?.organization.cells['alpha']).toHaveProperty('zones', ['eu-west-1a', 'eu-west-1b', 'eu-west-1c']);
    await store.note('alpha', 'built', at(2));
    await store.note('alpha', 'destroyed', at(3));
    await store.note('alpha', 'vended', at(4));
    await publish(alphaIn('499999999999', 'eu-west-1c', 'eu-west-1b', 'eu-west-1a'));
    await store.note('alpha', 'built', at(5));
    await store.rollback(2, { by: 'eve' });
    expect((await store.latest())?.organization.cells['alpha']).toMatchObject({
      accountId: '499999999999',
      zones: ['eu-west-1c', 'eu-west-1b', 'eu-west-1a'],
    });
  });

  test('to before a cell that exists is refused', async () => {
    await publish(withCells());
    await publish(withCells('mine'));
    await store.note('mine', 'built');
    await expect(store.rollback(1, { by: 'eve' })).rejects.toMatchObject({ problems: [{ code: 'CELL_REMOVED' }] });
    await expect(store.rollback(9, { by: 'eve' })).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND' });
  });
});

describe('verifying', () => {
  const flaws = async () => (await store.verify()).flaws.map(({ key, message }) => `${key}: ${message}`);
  const spoil = (key: string, change: (text: string) => string) => objects.objects.set(key, change(objects.objects.get(key) ?? ''));
  beforeEach(async () => {
    for (const [index, name] of ['one', 'two', 'three'].entries()) {
      await store.publish(withCells(name), { by: 'ada', now: () => new Date(Date.UTC(2026, 0, index + 1)) });
    }
  });

  test('finds nothing wrong with what was only published', async () => {
    expect(await store.verify()).toEqual({ revisions: 3, flaws: [] });
    expect(await new RegistryStore(new MemoryObjects()).verify()).toEqual({ revisions: 0, flaws: [] });
  });

  test('names a revision that was changed, is missing, or bears another number', async () => {
    spoil('revisions/00000001.json', (text) => text.replace('example.com', 'example.org'));
    objects.objects.delete('revisions/00000002.json');
    expect(await flaws()).toEqual([
      expect.stringMatching(/^revisions\/00000001.json: .*content has digest/),
      'revisions/00000002.json: the registry has no revision 2',
    ]);
    objects.objects.set('revisions/00000002.json', objects.objects.get('revisions/00000003.json') ?? '');
    expect(await flaws()).toContainEqual('revisions/00000002.json: revisions/00000002.json holds revision 3');
  });

  test('names a revision that is older than the one before it, which no clock brings about', async () => {
    await store.publish(withCells('four'), { by: 'ada', now: () => new Date(Date.UTC(2020, 0, 1)) });
    expect((await store.latest())?.published.at).toBe('2026-01-03T00:00:00.000Z');
    expect(await flaws()).toEqual([]);
    spoil('revisions/00000002.json', (text) => text.replace('2026-01-02', '2025-01-02'));
    expect(await flaws()).toEqual(['revisions/00000002.json: published at 2025-01-02T00:00:00.000Z, before the one before it']);
  });

  test.each([
    ['another revision’s digest', (text: string) => text.replace(/[0-9a-f]{8}"/, '00000000"'), /says that revision 3 has digest/],
    [
      'a revision that is not there',
      (text: string) => text.replace('"revision":3', '"revision":7'),
      /points at revision 7, which is not there/,
    ],
    ['the last but one', (text: string) => text, /revision 4 is not pointed at yet/],
    ['nothing', () => 'x', /is no pointer/],
  ])('names a pointer at %s', async (what, change, message) => {
    if (what === 'the last but one') {
      const content = draft(withCells('four'));
      objects.objects.set(
        'revisions/00000004.json',
        serialize({ ...content, published: { revision: 4, at: '2026-02-01T00:00:00Z', by: 'x' } }),
      );
    }
    spoil('latest.json', change);
    expect(await flaws()).toEqual([expect.stringMatching(message)]);
  });
});
