import { describe, expect, test } from '@jest/globals';
import { maintenanceWindow } from '../../../../lib/cell/foundation/maintenance.ts';

const window = (number: number, stage: 'staging' | 'production' | 'personal' = 'production') =>
  maintenanceWindow({ stage, block: `10.${number >> 4}.${(number % 16) * 16}.0/20` });

describe('the hour in which RDS maintains a database', () => {
  test('is Monday’s outside of production, and on other nights in production', () => {
    expect([window(1, 'staging'), window(2, 'personal')]).toEqual(['mon:02:30-mon:03:30', 'mon:02:30-mon:03:30']);
    for (let number = 0; number < 256; number++) expect(window(number)).toMatch(/^(?!mon)(\w{3}):0[2-4]:30-\1:0[3-5]:30$/);
  });

  test('is another one for each of 18 production cells that were added one after the other', () => {
    expect(new Set(Array.from({ length: 18 }, (_, index) => window(40 + index))).size).toBe(18);
  });

  test('has an eighteenth of a large production in it', () => {
    const windows = Array.from({ length: 180 }, (_, index) => window(index));
    const counts = windows.map((each) => windows.filter((other) => other === each).length);
    expect(Math.max(...counts)).toBe(10);
  });

  test('goes by the place in the network plan, whatever the size of blocks', () => {
    expect(maintenanceWindow({ stage: 'production', block: '10.7.0.0/16' })).not.toBe(
      maintenanceWindow({ stage: 'production', block: '10.8.0.0/16' }),
    );
  });
});
