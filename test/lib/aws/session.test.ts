import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { remembering, type Session } from '../../../lib/aws/session.ts';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A session that counts how often somebody asks for keys. @param answers the error for each time, or undefined for keys */
function counting(...answers: readonly (Error | undefined)[]) {
  let asked = 0;
  const credentials = async () => {
    const error = answers[asked];
    asked += 1;
    if (error) throw error;
    return { accessKeyId: `key ${asked}`, secretAccessKey: 'secret' };
  };
  const { credentials: keys } = remembering({ region: 'eu-west-1', credentials } as Session);
  return async () => (await keys()).accessKeyId;
}

test('keys are asked for once by all clients, and anew after five minutes', async () => {
  const key = counting();
  expect(await Promise.all([key(), key()])).toEqual(['key 1', 'key 1']);
  jest.setSystemTime(299_999);
  expect(await key()).toBe('key 1');
  jest.setSystemTime(300_000);
  expect(await key()).toBe('key 2');
});

test('an error is not remembered', async () => {
  const key = counting(new Error('not yet'));
  await expect(key()).rejects.toThrow('not yet');
  expect(await key()).toBe('key 2');
});
