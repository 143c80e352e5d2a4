/** Waves, cells and their health, for tests of what is decided about them. */
import { defineOrganization, type RolloutPolicy } from '../../lib/registry/index.ts';
import { type CellHealth, surveyOf } from '../../lib/rollout/health.ts';
import { judge, type Verdict } from '../../lib/rollout/judge.ts';
import type { CellRecord, CellRolloutStatus, RolloutWave, WaveRecord } from '../../lib/rollout/rollout-record.ts';
import { settings } from './organization.ts';

const T0 = Date.parse('2026-03-02T09:00:00Z');
/** So many seconds after the wave began. */
export const t = (seconds: number) => new Date(T0 + seconds * 1_000).toISOString();
export const DAY = 86_400;

export const policy = (change: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  ...defineOrganization({ ...settings(), rollout: {} }).rollout,
  ...{ alarmGrace: '10m', maxBakeExtension: '30m', minRequestsPerCell: 100, timeScale: 1 },
  ...change,
});
export const wave: RolloutWave = {
  ...{ number: 2, name: 'one-busy-cell', bakeSeconds: 3_600, approval: false, exposure: 0.1 },
  cells: ['alpha', 'bravo'],
  regions: ['here'],
};
export const record = (change: Partial<WaveRecord> = {}): WaveRecord => ({
  ...{ number: 2, status: 'preflight' as const, attempts: 1, startedAt: t(0) },
  ...change,
});
export const health = (cell: string, change: Partial<CellHealth> = {}): CellHealth => ({
  ...{ cell, alarms: [{ name: `${cell}-health`, state: 'OK' }], missing: [], fired: [], requests: 1_000 },
  ...change,
});
export const alarm = (cell: string, name: string, state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA') =>
  health(cell, {
    alarms: [
      { name: `${cell}-health`, state: 'OK' },
      { name, state },
    ],
  });
export const cell = (name: string, status: CellRolloutStatus, change: Partial<CellRecord> = {}): CellRecord => ({
  ...{ cell: name, wave: 2, status, changeSet: 'x-1-1', executing: true },
  ...change,
});
export const asked = { by: 'ada', at: t(0), reason: 'a test' };
export const nobody = { by: 'bob', at: t(0), reason: undefined };

export const well = [health('alpha'), health('bravo')];
/** What alarms of these cells mean, all of which have the version. */
export function judged(healths: readonly CellHealth[], now = t(0), by = policy()): Verdict {
  const began = t(-300);
  const records = healths.map((each) => cell(each.cell, 'deployed', { startedAt: began }));
  const seen = surveyOf(records, healths, { wave: wave.number, began, now });
  return judge({ wave, policy: by, ...seen, others: { cells: 0, sick: 0 }, apart: 0, began, now });
}

/** What a look can see that is wrong, and how it is told. */
export const SICK: readonly (readonly [string, CellHealth, string])[] = [
  ['an alarm now', alarm('bravo', 'bravo-errors', 'ALARM'), 'bravo: bravo-errors in ALARM'],
  [
    'an alarm that came and went',
    health('bravo', { fired: [{ name: 'bravo-errors', at: t(7) }] }),
    `bravo: bravo-errors fired at ${t(7)}, though it is quiet again`,
  ],
];
export const UNKNOWN: readonly (readonly [string, CellHealth, string])[] = [
  ['children without data while the composite says OK', alarm('bravo', 'bravo-cpu', 'INSUFFICIENT_DATA'), 'bravo: bravo-cpu without data'],
  [
    'a missing alarm',
    health('bravo', { missing: ['bravo-cpu'] }),
    'bravo has no bravo-cpu: recreate with `cellctl deploy bravo --revert-drift`',
  ],
  [
    'an unreachable cell',
    health('bravo', { alarms: [], requests: undefined, unreachable: 'access denied' }),
    "bravo can't be looked at: access denied",
  ],
];
