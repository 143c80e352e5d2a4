import { describe, expect, test } from '@jest/globals';
import { eventually, inTime } from './_helpers/eventually.ts';

describe('a test that waits', () => {
  test('goes on as soon as the condition is met, whatever it said before', async () => {
    let looks = 0;
    const found = await eventually(
      'the third look',
      () => {
        looks += 1;
        if (looks === 1) throw new Error('not there yet');
        return looks === 3 && 'found';
      },
      { pause: 1 },
    );
    expect({ found, looks }).toEqual({ found: 'found', looks: 3 });
  });

  test('fails when its time is over, and says what it waited for and what it saw', async () => {
    await expect(eventually('the moon', () => false, { deadline: 20, pause: 5, seen: () => ({ sky: 'dark' }) })).rejects.toThrow(
      /waited 0 s for the moon, in vain: [\s\S]*dark/,
    );
    const failing = () => {
      throw new Error('no ladder');
    };
    await expect(eventually('the moon', failing, { deadline: 20, pause: 5 })).rejects.toThrow('for the moon, in vain: Error: no ladder');
  });

  test('for something that happens by itself fails likewise', async () => {
    await expect(inTime('the end', new Promise(() => undefined), 10)).rejects.toThrow('for the end, in vain');
    expect(await inTime('the end', Promise.resolve('done'))).toBe('done');
  });
});
