import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { type Look, watch } from '../../../lib/cli/watch.ts';

/** What is written of these looks, one after the other; the last is the end. */
async function watched(looks: readonly (readonly [name: string, text: string][])[], { json = false, isTTY = false } = {}): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 20 });
  let index = 0;
  const look = async (): Promise<Look> => {
    const facts = (looks[index] ?? []).map(([name, text]) => ({ name, signature: text, text }));
    const done = ++index === looks.length;
    return { draw: () => facts.map(({ text }) => text).join('\n'), facts, data: { look: index }, size: 0, done, stuck: false };
  };
  await watch(stream as unknown as NodeJS.WriteStream, json, look);
  return String(stream.read() ?? '');
}

const LOOKS = [
  [
    ['a', 'a begins'],
    ['b', 'b begins'],
  ],
  [
    ['a', 'a begins'],
    ['b', 'b begins'],
  ],
  [
    ['a', 'a begins'],
    ['b', 'b ends'],
  ],
] as const satisfies readonly (readonly [string, string][])[];

describe('what is watched is shown', () => {
  test('in logs as what has changed, part by part', async () => {
    expect(await watched(LOOKS)).toBe('a begins\nb begins\nb ends\n');
  });

  test('with --json as a line for each change', async () => {
    const lines = (await watched(LOOKS, { json: true })).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { look: number }).look)).toEqual([1, 3]);
  });

  test('on a terminal as a whole', async () => {
    expect(await watched(LOOKS, { isTTY: true })).toMatch(/a begins\nb begins\n[\s\S]*b ends/);
  });
});
