import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CACHE_TYPES, DATABASE_CLASSES } from '../../../lib/registry/instances.ts';
import type { Overrides, Resources, Size, Stage, Tier } from '../../../lib/registry/model.ts';
import {
  capacityOf,
  defaultResources,
  overridesOf,
  resourcesOf,
  SIZE_CLASSES,
  STAGE_PROFILES,
  shortfalls,
} from '../../../lib/registry/sizes.ts';

const SIZES: readonly Size[] = ['small', 'medium', 'large'];
const STAGES: readonly Stage[] = ['staging', 'production', 'personal'];
const TIERS: readonly Tier[] = ['shared', 'dedicated'];
const every = SIZES.flatMap((size) => STAGES.flatMap((stage) => TIERS.map((tier) => ({ size, stage, tier }))));

const size = fc.constantFrom(...SIZES);
const stage = fc.constantFrom(...STAGES);
/** Any overrides that the schema takes; whether they fit together is the rules' business. */
const overrides: fc.Arbitrary<Overrides> = fc.record(
  {
    database: fc.record(
      {
        instanceClass: fc.constantFrom(...Object.keys(DATABASE_CLASSES)),
        storageGiB: fc.integer({ min: 20, max: 1_000 }),
        maxStorageGiB: fc.integer({ min: 22, max: 2_000 }),
        standby: fc.boolean(),
        backupDays: fc.integer({ min: 1, max: 35 }),
      },
      { requiredKeys: [] },
    ),
    cache: fc.record(
      { nodeType: fc.constantFrom(...Object.keys(CACHE_TYPES)), replicas: fc.integer({ min: 0, max: 5 }) },
      { requiredKeys: [] },
    ),
    service: fc.record({ minTasks: fc.integer({ min: 1, max: 10 }), maxTasks: fc.integer({ min: 1, max: 100 }) }, { requiredKeys: [] }),
    nat: fc.constantFrom('gateway-per-zone' as const, 'one-gateway' as const, 'instance' as const),
  },
  { requiredKeys: [] },
);

/** The value at a dotted path. */
const at = (resources: object, path: string) => path.split('.').reduce<unknown>((value, key) => Reflect.get(Object(value), key), resources);

describe('a size class', () => {
  test.each(every)('carries its own caps: $size $stage $tier', ({ size, stage, tier }) => {
    expect(shortfalls(defaultResources({ size, stage }), capacityOf(size, stage, tier))).toEqual([]);
  });

  test('carries no less, and may take no less, than the class below it', () => {
    const classes = [SIZE_CLASSES.personal, SIZE_CLASSES.small, SIZE_CLASSES.medium, SIZE_CLASSES.large];
    for (const pick of [
      ({ capacity }) => capacity.maxRequestsPerSecond,
      ({ capacity }) => capacity.maxTenants,
      ({ database }) => database.maxStorageGiB,
      ({ service }) => service.maxTasks * service.cpu,
    ] satisfies ((each: (typeof classes)[number]) => number)[]) {
      const values = classes.map(pick);
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(new Set(values).size).toBe(values.length);
    }
  });

  test.each(STAGES)('takes what the storage of the class below may have grown to, in %s', (stage) => {
    const storage = SIZES.map((size) => defaultResources({ size, stage }).database);
    for (const [index, { storageGiB }] of storage.entries()) {
      expect(storageGiB).toBeGreaterThanOrEqual(storage[index - 1]?.maxStorageGiB ?? 0);
    }
  });

  test('is the smallest for a small personal cell only', () => {
    expect(capacityOf('small', 'personal', 'shared')).toMatchObject(SIZE_CLASSES.personal.capacity);
    expect(capacityOf('medium', 'personal', 'shared')).toMatchObject(SIZE_CLASSES.medium.capacity);
    expect(defaultResources({ size: 'small', stage: 'personal' }).database.instanceClass).toBe('t4g.micro');
  });
});

test('a dedicated cell has one tenant, and the caps of its size otherwise', () => {
  for (const { size, stage } of every) {
    const { maxTenants, ...rest } = capacityOf(size, stage, 'dedicated');
    expect(maxTenants).toBe(1);
    expect(capacityOf(size, stage, 'shared')).toMatchObject(rest);
  }
});

test('production has what losing a zone demands', () => {
  expect(STAGE_PROFILES.production).toMatchObject({ zones: 3, nat: 'gateway-per-zone', standby: true, protected: true, keepsData: true });
  expect(STAGE_PROFILES.production.replicas).toBeGreaterThan(0);
});

describe('overrides', () => {
  test('are what a cell gets, and all else is by its size; each is listed with what it replaces', () => {
    fc.assert(
      fc.property(size, stage, overrides, (ofSize, ofStage, given) => {
        const cell = { size: ofSize, stage: ofStage, overrides: given };
        const defaults = defaultResources(cell);
        const resources = resourcesOf(cell);
        const listed = overridesOf(cell);
        for (const { field, value, instead } of listed) {
          expect(at(resources, field)).toBe(value);
          expect(at(given, field)).toBe(value);
          expect(at(defaults, field)).toBe(instead);
          expect(value).not.toBe(instead);
        }
        // Put back, one by one, they leave the defaults.
        const restored = structuredClone(resources) as Resources;
        for (const { field, instead } of listed) {
          const [group = '', key] = field.split('.');
          if (key === undefined) Reflect.set(restored, group, instead);
          else Reflect.set(Reflect.get(restored, group) as object, key, instead);
        }
        expect(restored).toEqual(defaults);
      }),
    );
  });

  test('that are what the size says anyway, or undefined, are none', () => {
    const { instanceClass } = SIZE_CLASSES.medium.database;
    const given = { database: { instanceClass, storageGiB: undefined } } as Overrides;
    expect(overridesOf({ size: 'medium', stage: 'production', overrides: given })).toEqual([]);
  });
});

describe('a shortfall', () => {
  const capacity = capacityOf('medium', 'production', 'shared');
  const of = (given: Overrides) => shortfalls(resourcesOf({ size: 'medium', stage: 'production', overrides: given }), capacity);

  test.each([
    [{ database: { instanceClass: 't4g.medium' } }, 'database.instanceClass', 'maxRequestsPerSecond'],
    [{ database: { maxStorageGiB: 200 } }, 'database.maxStorageGiB', 'maxTenants'],
    [{ cache: { nodeType: 'cache.t4g.small' } }, 'cache.nodeType', 'maxRequestsPerSecond'],
    [{ service: { maxTasks: 3 } }, 'service.maxTasks', 'maxRequestsPerSecond'],
  ] as const)('%j is too little, and says what it carries', (given, field, cap) => {
    const [only, ...others] = of(given);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ field, cap });
    expect(only?.carries).toBeLessThan(capacity[cap]);
  });

  test('is gone once the cap is what it said to carry', () => {
    const resources = resourcesOf({ size: 'medium', stage: 'production', overrides: { cache: { nodeType: 'cache.t4g.small' } } });
    const carries = shortfalls(resources, capacity)[0]?.carries ?? 0;
    expect(shortfalls(resources, { ...capacity, maxRequestsPerSecond: carries })).toEqual([]);
  });
});
