/** The first line of a file that is rendered: a digest over the rest of it, so that edits by hand can be told. */
import { createHash } from 'node:crypto';

const FIRST_LINE = /^# digest: (sha256:[0-9a-f]{64})\n/;

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

export const withDigest = (text: string): string => `# digest: ${digestOf(text)}\n${text}`;

/** Whether the text is as it was rendered, by whatever version. */
export function isUntouched(text: string): boolean {
  const [line, digest] = FIRST_LINE.exec(text) ?? [];
  return line !== undefined && digestOf(text.slice(line.length)) === digest;
}
