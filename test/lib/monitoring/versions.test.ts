import { describe, expect, test } from '@jest/globals';
import { versionsOf } from '../../../lib/monitoring/versions.ts';

const cell = (name: string, version: string | undefined, status = 'UPDATE_COMPLETE', rest: object = {}) => ({
  cell: name,
  stage: 'production',
  foundation: 'CREATE_COMPLETE' as string | undefined,
  components: version === undefined ? {} : { orders: { version, status } },
  ...rest,
});

const skews = (...cells: ReturnType<typeof cell>[]) => {
  const [orders] = versionsOf(['orders'], cells);
  return { common: orders?.common, skews: orders?.cells.map(({ cell: name, skew }) => `${name} ${skew ?? '-'}`) };
};

describe('versions of a component', () => {
  test('stand out where they differ from what most of production runs, staging’s too', () => {
    expect(
      skews(cell('staging', '1.1.0', 'UPDATE_COMPLETE', { stage: 'staging' }), cell('a', '1.0.0'), cell('b', '1.0.0'), cell('c', '0.9.0')),
    ).toEqual({
      common: '1.0.0',
      skews: ['staging differs', 'a -', 'b -', 'c differs'],
    });
  });

  test('are judged by production alone, as long as there is any', () => {
    const staging = ['s1', 's2', 's3'].map((name) => cell(name, '2', 'UPDATE_COMPLETE', { stage: 'staging' }));
    expect(skews(...staging, cell('a', '1'))).toMatchObject({ common: '1', skews: ['s1 differs', 's2 differs', 's3 differs', 'a -'] });
    expect(skews(...staging)).toMatchObject({ common: undefined, skews: ['s1 -', 's2 -', 's3 -'] });
  });

  test('are none where `cellctl deploy` has left no released one, whatever most run', () => {
    expect(skews(cell('a', 'unreleased'), cell('b', 'unreleased'), cell('c', '3'))).toEqual({
      common: '3',
      skews: ['a differs', 'b differs', 'c -'],
    });
    expect(skews(cell('a', 'unreleased'), cell('b', 'unreleased'))).toEqual({ common: undefined, skews: ['a -', 'b -'] });
  });

  test('that as many run: the later counts, as people count', () => {
    expect(skews(cell('a', '1.9.0'), cell('b', '1.10.0')).common).toBe('1.10.0');
    expect(skews(cell('b', '1.10.0'), cell('a', '1.9.0')).common).toBe('1.10.0');
  });

  test.each(['UPDATE_ROLLBACK_COMPLETE', 'UPDATE_FAILED', 'ROLLBACK_COMPLETE'])('stand out as %s, whatever the version', (status) => {
    expect(skews(cell('a', '1'), cell('b', '1', status)).skews).toEqual(['a -', 'b failed']);
  });

  test('that change just now do not stand out for that', () => {
    expect(skews(cell('a', '1'), cell('b', '1', 'UPDATE_IN_PROGRESS')).skews).toEqual(['a -', 'b -']);
  });

  test('are missed in a cell that runs, and in no other', () => {
    const waiting = cell('b', undefined, '', { foundation: undefined });
    const unseen = cell('c', undefined, '', { foundation: undefined, error: 'access denied' });
    expect(skews(cell('a', '1'), cell('d', undefined), waiting, unseen).skews).toEqual(['a -', 'd missing', 'b -', 'c -']);
  });
});
