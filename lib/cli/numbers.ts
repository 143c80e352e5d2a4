/** A whole number of at least 1, from a command line. @throws FactoryError `USAGE` */
export async function wholeNumber(text: string, option: string, max = Number.MAX_SAFE_INTEGER): Promise<number> {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  const { FactoryError } = await import('../../registry/index.ts');
  const allowed = max === Number.MAX_SAFE_INTEGER ? 'of at least 1' : `from 1 to ${max}`;
  throw new FactoryError('USAGE', `${option} is "${text}"`, { fix: `pass a whole number ${allowed}` });
}
