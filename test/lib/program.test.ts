import { expect, test } from '@jest/globals';
import { lastLines, run } from '../../lib/program.ts';

const shell = (script: string, options: Partial<Parameters<typeof run>[2]> = {}) =>
  run('sh', ['-c', script], { timeout: 20_000, ...options });

test('a program is run to its end, with what it reads, and what it may know', async () => {
  const ended = await shell('cat; echo "$MINE$HOME" >&2; exit 3', { input: 'read', environment: { MINE: 'mine' }, without: /^HOME$/ });
  expect(ended).toEqual({ code: 3, stdout: 'read', stderr: 'mine\n' });
});

test('one that is not there, or takes too long with what it started, is said to', async () => {
  expect(await run('no-such-program', [], { timeout: 1_000 })).toMatchObject({ code: -1, stderr: expect.stringContaining('ENOENT') });
  const began = Date.now();
  const late = await shell('echo begun >&2; sleep 60 & wait', { timeout: 300 });
  expect(late).toMatchObject({ code: -1, stderr: 'begun\nsh was stopped after 0 s' });
  expect(Date.now() - began).toBeLessThan(20_000);
});

test('who reads nothing of a long input is no error', async () => {
  expect(await shell('exit 0', { input: 'x'.repeat(1_000_000) })).toMatchObject({ code: 0 });
});

test('of what it says, the last lines are told', () => {
  expect(lastLines({ code: 1, stdout: 'out', stderr: 'a\nb\n\n' })).toBe('b');
  expect(lastLines({ code: 1, stdout: 'a\nout\n', stderr: ' \n' }, 2)).toBe('a\nout');
  expect(lastLines({ code: 1, stdout: '', stderr: '' })).toBe('it says nothing');
});
