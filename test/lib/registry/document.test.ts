import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { ROLLOUT_DEFAULTS } from '../../../lib/registry/define.ts';
import { draft, FactoryError, parseDocument, type Registry, SCHEMA_VERSION, serialize, validate } from '../../../lib/registry/index.ts';
import { cell, registry, unchecked } from '../../_helpers/organization.ts';

/** JSON.parse(JSON.stringify()) of half a surrogate pair is not what it was; RFC 8785 refuses it. */
const isWellFormed = (text: string) => !/\p{Surrogate}/u.test(text);

const published = { revision: 7, at: '2026-01-02T03:04:05.000Z', by: 'ada@laptop' };
const document = () => ({ ...registry(), published });

function failure(text: string): FactoryError {
  try {
    parseDocument(text, 'test.json');
  } catch (error) {
    if (error instanceof FactoryError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('the published document', () => {
  test('is read back as it was written', () => {
    expect(parseDocument(serialize(document()), 'test')).toEqual(document());
  });

  test('has the same bytes whatever the order of definitions and fields', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(['staging', 'alpha', 'bravo'], { minLength: 3 }), (order) => {
        const input = unchecked();
        const cells = Object.fromEntries(
          order.map((name) => [name, Object.fromEntries(Object.entries(input.cells[name] as object).reverse())]),
        );
        const shuffled = draft(validate({ ...input, cells }, 'test'));
        expect(serialize({ ...shuffled, published })).toBe(serialize({ ...draft(validate(unchecked(), 'test')), published }));
      }),
    );
  });

  test('gets other bytes only where a cell is added, and in the header', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/).filter((text) => !(text in registry().organization.cells));
    fc.assert(
      fc.property(name, fc.constantFrom('low', 'normal', 'high'), (added, importance) => {
        const entry = cell(added, 9, { importance });
        const before = registry().organization;
        const after = draft({ ...before, cells: { ...before.cells, [added]: entry } });
        const bytes = `"${added}":${canonicalize(entry)}`;
        const text = serialize({ ...after, published });
        expect(text.split(bytes)).toHaveLength(2);
        // It stands before, between or after the others, so one of the commas beside it goes with it.
        const without = text.replace(`${bytes},`, '').replace(`,${bytes}`, '').replace(after.digest, draft(before).digest);
        expect(without).toBe(serialize({ ...draft(before), published }));
      }),
    );
  });

  test('is refused when it is of another version, before anything else is looked at', () => {
    const error = failure(JSON.stringify({ schemaVersion: 99, nonsense: true }));
    expect(error.code).toBe('DOCUMENT_INVALID');
    expect(error.message).toContain(`schema version 99; this reader knows versions 1 to ${SCHEMA_VERSION}`);
  });

  test('is refused when its content was changed after it was published', () => {
    expect(failure(serialize(document()).replace('10.0.16.0/20', '10.0.96.0/20')).message).toContain('header says');
  });

  test('is read whatever its formatting: what counts is what it says', () => {
    const pretty = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(serialize(document()))).reverse()), undefined, 2);
    expect(parseDocument(pretty, 'test')).toEqual(document());
  });

  test('is read back for any cells, texts and lives there may be', () => {
    const states = fc.constantFrom('provisioning', 'active', 'draining', 'drained', 'retired');
    const tags = fc.dictionary(
      fc.stringMatching(/^[^a-z].{0,20}$/u).filter((key) => key !== '__proto__'),
      fc.string({ unit: 'binary', maxLength: 30 }).filter(isWellFormed),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,9}$/), { maxLength: 8 }), tags, states, (names, labels, state) => {
        const { organization } = registry((input) => {
          for (const [index, name] of names.entries()) {
            if (name !== 'pool' && name !== 'tooling') Object.assign(input.cells, { [name]: cell(name, 20 + index, { tags: labels }) });
          }
        });
        const life = Object.fromEntries(names.map((name) => [name, { state, since: '2026-01-01T00:00:00.000Z' }])) as Registry['life'];
        const whole = { ...draft(organization, life), published };
        expect(parseDocument(serialize(whole), 'test')).toEqual(whole);
      }),
    );
  });

  test('has a digest that anybody can compute: sha256 of {"life","organization"} by RFC 8785', () => {
    const { digest, life, organization } = JSON.parse(serialize(document()));
    const text = canonicalize({ life, organization }) ?? '';
    expect(digest).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  });

  test('of version 1 is read as one of today: contacts and life came later', () => {
    // Published by the code of that time, and kept as it was.
    const text = readFileSync('test/lib/registry/documents/v1.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const old = parseDocument(text, 'v1.json');
    expect(old.published).toEqual({ revision: 12, at: '2026-11-20T08:00:00.000Z', by: 'ada@laptop' });
    expect(old).toMatchObject({ life: {}, organization: { contacts: {}, cells: { alpha: { accountId: '400000000001' } } } });
    expect(
      parseDocument(serialize(old.published ? { ...draft(old.organization), published: old.published } : document()), 'again').organization,
    ).toEqual(old.organization);
  });

  test('of version 2 is read as one of today: cells on AWS got overrides, clients and their endpoint', () => {
    const text = readFileSync('test/lib/registry/documents/v2.json', 'utf8');
    const { organization, life } = parseDocument(text, 'v2.json');
    expect(life['alpha']?.state).toBe('active');
    expect(organization.cells['alpha']).toMatchObject({
      overrides: {},
      network: { block: '10.0.16.0/20', clients: ['0.0.0.0/0'] },
      endpoints: { api: 'https://alpha.cells.example.com' },
    });
    expect(organization.cells['bravo']?.endpoints).toEqual({ api: 'https://shop.example.com' });
    expect(organization.cells['golf']).not.toHaveProperty('overrides');
  });

  test('of version 3 is read as one of today: cells got calendars, and the policy what preflight, bake and rollback may take', () => {
    const text = readFileSync('test/lib/registry/documents/v3.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v3.json');
    const always = { timeZone: 'UTC', windows: [], blackouts: [] };
    expect(Object.values(organization.cells).map((each) => [each.name, each.calendar])).toEqual(
      ['alpha', 'bravo', 'golf', 'staging'].map((name) => [name, always]),
    );
    expect(organization.rollout).toMatchObject({
      rollbackConcurrency: 20,
      alarmGrace: '10m',
      maxBakeExtension: '2h',
      calendar: { blackouts: [] },
    });
    expect(organization.rollout.waves.map(({ name, approval }) => [name, approval])).toContainEqual(['rest', false]);
    expect(organization.rollout.waves).toHaveLength(6);
  });

  test('of version 4 is read as one of today: components got pipelines', () => {
    const text = readFileSync('test/lib/registry/documents/v4.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v4.json');
    expect(organization.pipelines).toEqual({ engine: 'codepipeline', grace: '30d' });
    expect(organization.components['orders-api']?.pipeline).toEqual({ paths: [], hooks: [] });
    expect(organization.rollout.waves[0]?.approval).toBe(true);
    expect(organization.cells['alpha']?.calendar.timeZone).toBe('Europe/Berlin');
  });

  test('of version 5 is read as one of today: every component there was has its route, and none is a foundation', () => {
    const text = readFileSync('test/lib/registry/documents/v5.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v5.json');
    expect(organization.components['orders-api']).toMatchObject({
      kind: 'cloudformation',
      route: { path: '/orders*' },
      pipeline: { engine: 'github-actions', paths: ['src/**'] },
    });
    expect(organization.components['orders-api']?.pipeline.hooks.map(({ name }) => name)).toEqual(['integration', 'sign-off']);
  });

  test('of version 6 is read as one of today: its policy judges alarms, and tolerates what policies tolerate that say nothing', () => {
    const text = readFileSync('test/lib/registry/documents/v6.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v6.json');
    const { waves: _, ...policy } = organization.rollout;
    const { waves: __, stagingBake: ___, ...defaults } = ROLLOUT_DEFAULTS;
    expect(policy).toMatchObject({
      failureTolerance: defaults.failureTolerance,
      alarmTolerance: defaults.alarmTolerance,
      diagnosisTime: defaults.diagnosisTime,
      watchAfter: defaults.watchAfter,
      emergency: defaults.emergency,
    });
    expect(organization.components['base']).toMatchObject({ kind: 'foundation' });
  });

  test('of version 7 is read as one of today: nobody is told of its rollouts', () => {
    const text = readFileSync('test/lib/registry/documents/v7.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v7.json');
    expect(organization.notifications).toEqual({ webhooks: {} });
    expect(organization.rollout).toMatchObject({ alarmTolerance: { cells: 3 } });
    expect(organization.rollout.waves[0]).toMatchObject({ maxTraffic: 5 });
  });

  test('of version 8 is read as one of today: zones of cells and numbers of repositories are not known', () => {
    const text = readFileSync('test/lib/registry/documents/v8.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v8.json');
    expect(organization.cells['alpha']).not.toHaveProperty('zones');
    expect(organization.components['orders-api']?.repository).not.toHaveProperty('github');
    expect(organization.notifications.webhooks).toHaveProperty('chat');
  });

  test('of version 9 is read as one of today: a rollout whose pipeline is gone stops', () => {
    const text = readFileSync('test/lib/registry/documents/v9.json', 'utf8');
    expect(text).toBe(canonicalize(JSON.parse(text)));
    const { organization } = parseDocument(text, 'v9.json');
    expect(organization.rollout).toMatchObject({ onPipelineFailure: 'stop', betweenWaves: '7d' });
    expect(organization.cells['alpha']).toMatchObject({ zones: ['eu-west-1a', 'eu-west-1b', 'eu-west-1c'] });
  });

  test('of version 1 is refused when it was changed after it was published', () => {
    expect(failure(readFileSync('test/lib/registry/documents/v1.json', 'utf8').replace('10.0.16.0/20', '10.0.96.0/20')).message).toContain(
      'header says',
    );
  });

  test.each([
    ['', 'not JSON'],
    ['[]', 'no schemaVersion'],
    ['{"schemaVersion":"2"}', 'no schemaVersion'],
    ['{"schemaVersion":1}', 'header'],
  ])('is refused when it is %p', (text, reason) => {
    expect(failure(text).message).toContain(reason);
  });
});
