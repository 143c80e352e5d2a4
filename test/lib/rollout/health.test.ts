import { describe, expect, test } from '@jest/globals';
import { apartForAlarms, surveyOf } from '../../../lib/rollout/health.ts';
import { alarm, cell, health, t } from '../../_helpers/decisions.ts';

const LOOK = { wave: 2, began: t(0), now: t(1_000) };
const deployed = (name: string, change = {}) => cell(name, 'deployed', { startedAt: t(10), ...change });
const fired = (name: string, ...seconds: number[]) =>
  health(name, { fired: seconds.map((each) => ({ name: `${name}-errors`, at: t(each) })) });

describe('a look at the cells with the version', () => {
  test('says who is sick, since when, and whether still; first who fell sick first', () => {
    const healths = [fired('alpha', 500), alarm('bravo', 'bravo-errors', 'ALARM'), health('charlie')];
    const { sick, all, own } = surveyOf([deployed('alpha'), deployed('bravo'), deployed('charlie', { wave: 1 })], healths, LOOK);
    expect(sick).toMatchObject([
      { cell: 'bravo', since: t(10), still: true },
      { cell: 'alpha', since: t(500), still: false },
    ]);
    expect([all, own]).toEqual([
      { cells: 3, sick: 2 },
      { cells: 2, sick: 2 },
    ]);
  });

  test('counts blips of this wave, and cells that were rolled back alone: both are evidence', () => {
    const records = [
      deployed('alpha', { lastBlipAt: t(5) }),
      deployed('bravo', { lastBlipAt: t(-5) }),
      cell('charlie', 'restored', { apart: 'it stayed sick', lastBlipAt: t(7) }),
      cell('delta', 'pending', { apart: 'it was sick before' }),
    ];
    expect(surveyOf(records, [health('alpha'), health('bravo')], LOOK)).toMatchObject({ sick: [], all: { cells: 3, sick: 2 } });
  });

  test('leaves out what a person has looked at; what fires later in the same cell is a reason again', () => {
    const continued = t(600);
    const still = alarm('alpha', 'alpha-errors', 'ALARM');
    expect(surveyOf([deployed('alpha')], [still], { ...LOOK, continued }).sick).toEqual([]);
    expect(surveyOf([deployed('alpha')], [fired('alpha', 500)], { ...LOOK, continued }).sick).toEqual([]);
    const again = surveyOf([deployed('alpha')], [fired('alpha', 500, 700)], { ...LOOK, continued });
    expect(again.sick).toMatchObject([{ cell: 'alpha', since: t(700) }]);
    // A cell that was deployed since then was not looked at.
    const later = surveyOf([deployed('alpha', { startedAt: t(650) })], [still], { ...LOOK, continued });
    expect(later.sick).toMatchObject([{ cell: 'alpha', since: t(650) }]);
  });

  test('leaves out an alarm that a cure found, until it fires anew', () => {
    const cures = ['alpha'];
    expect(surveyOf([deployed('alpha')], [alarm('alpha', 'alpha-errors', 'ALARM')], { ...LOOK, cures }).sick).toEqual([]);
    expect(surveyOf([deployed('alpha')], [fired('alpha', 20)], { ...LOOK, cures }).sick).toMatchObject([{ cell: 'alpha' }]);
  });

  test('leaves out an alarm that a cure found also where the deployment has interrupted its data, and the cell’s health with it', () => {
    const again = [
      { name: 'alpha-errors', at: t(20), from: 'INSUFFICIENT_DATA' },
      { name: 'cell-alpha-health', at: t(20), from: 'OK' },
    ];
    const look = (cures: string[], ...more: typeof again) =>
      surveyOf([deployed('alpha')], [health('alpha', { fired: [...again, ...more] })], { ...LOOK, cures }).sick;
    expect(look(['alpha'])).toEqual([]);
    expect(look([])).toMatchObject([{ cell: 'alpha', since: t(20) }]);
    expect(look(['alpha'], { name: 'alpha-latency', at: t(30), from: 'OK' })).toMatchObject([{ cell: 'alpha', since: t(30) }]);
  });
});

test('cells that the rollout goes on without count as sick ones, unless they could not be deployed', () => {
  const sick = [
    cell('alpha', 'restored', { apart: 'it stayed sick', apartFor: 'alarm' }),
    cell('bravo', 'pending', { apart: 'of before' }),
  ];
  const others = [cell('charlie', 'restored', { apart: 'no such image', apartFor: 'failure' }), deployed('delta')];
  expect(apartForAlarms([...sick, ...others])).toEqual(sick);
});
