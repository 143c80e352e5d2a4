import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { createProgress } from '../../../lib/cli/progress.ts';
import type { Message } from '../../../lib/messages.ts';

/** A deployment of `total` resources, as the library tells it. */
const story = (subject: string, total: number): Message[] => [
  { kind: 'started', subject, text: 'Cell-alpha' },
  ...Array.from(
    { length: total },
    (_, index): Message => ({ kind: 'progress', subject, text: `r${index}`, progress: { completed: index + 1, total } }),
  ),
  { kind: 'done', subject, text: 'Cell-alpha: deployed' },
];

function rendered(messages: readonly Message[], options: { json?: boolean; quiet?: boolean; isTTY?: boolean }): string {
  const stream = Object.assign(new PassThrough(), { isTTY: options.isTTY ?? false, columns: 100, rows: 30 });
  const progress = createProgress(stream as unknown as NodeJS.WriteStream, { json: options.json ?? false, quiet: options.quiet ?? false });
  for (const message of messages) progress.show(message);
  progress.end();
  return String(stream.read() ?? '');
}

describe('progress is shown', () => {
  test('in logs as each step, but of resources only each quarter', () => {
    const lines = rendered(story('alpha', 80), {}).trimEnd().split('\n');
    expect(lines.map((line) => line.replaceAll(/\s+/g, ' ').trim())).toEqual([
      'alpha Cell-alpha',
      'alpha 20/80 resources',
      'alpha 40/80 resources',
      'alpha 60/80 resources',
      '✓ alpha Cell-alpha: deployed',
    ]);
  });

  test('on a terminal as a view that moves, and leaves one line for what has ended', () => {
    const text = rendered([...story('alpha', 4), { kind: 'failed', subject: 'bravo', text: 'bravo: no' }], { isTTY: true });
    expect(text).toMatch(/✓ alpha +Cell-alpha: deployed \d+\.\d s\n/);
    expect(text).toMatch(/✗ bravo +bravo: no\n/);
  });

  test('with --json as one object per line', () => {
    const lines = rendered(story('alpha', 3), { json: true }).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Message).kind)).toEqual(['started', 'progress', 'progress', 'progress', 'done']);
  });

  test('with --quiet only where something is wrong', () => {
    expect(rendered([...story('alpha', 3), { kind: 'failed', subject: 'bravo', text: 'no' }], { quiet: true }).trim()).toBe(
      '✗ bravo        no',
    );
  });
});
