import { asFactoryError } from '../registry/index.ts';

/** What to tell people of an error: its problems and the fix; of one that nobody foresaw, its stack, too. */
export function failureText(error: unknown): string {
  const { code, message, fix, problems } = asFactoryError(error);
  return [
    `${code}: ${message}`,
    ...problems.map((problem) => `  ${problem.code} ${problem.path}: ${problem.message}. ${problem.fix}`),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
    ...(code === 'INTERNAL' && error instanceof Error ? [error.stack] : []),
  ].join('\n');
}
