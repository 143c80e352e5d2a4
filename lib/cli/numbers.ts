/** A whole number from a command line. @param bounds by default 1 or more @throws FactoryError `USAGE` */
export async function wholeNumber(text: string, option: string, bounds: { min?: number; max?: number } = {}): Promise<number> {
  const { min = 1, max = Number.MAX_SAFE_INTEGER } = bounds;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const { FactoryError } = await import('../../registry/index.ts');
  const allowed = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new FactoryError('USAGE', `${option} is "${text}"`, { fix: `pass a whole number ${allowed}` });
}
