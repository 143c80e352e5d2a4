/** A whole number from a command line. @param bounds by default 1 or more @throws FactoryError `USAGE` */
export async function wholeNumber(text: string, option: string, bounds: { min?: number; max?: number } = {}): Promise<number> {
  const { min = 1, max = Number.MAX_SAFE_INTEGER } = bounds;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const { FactoryError } = await import('../registry/index.ts');
  const allowed = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new FactoryError('USAGE', `${option} is "${text}"`, { fix: `pass a whole number ${allowed}` });
}

/** A factor on waits from a command line. @throws FactoryError `USAGE` */
export async function timeScale(text: string): Promise<number> {
  const value = Number(text);
  if (/^(\d+(\.\d+)?|\.\d+)$/.test(text) && value > 0 && value <= 1) return value;
  const { FactoryError } = await import('../registry/index.ts');
  throw new FactoryError('USAGE', `--time-scale is "${text}"`, { fix: 'pass a number above 0, up to 1: with 0.01, an hour is 36 seconds' });
}

/** A duration from a command line, such as `90s` or `5m`, in seconds. @throws FactoryError `USAGE` */
export async function duration(text: string, option: string, max: string): Promise<number> {
  const { FactoryError, seconds } = await import('../registry/index.ts');
  if (/^\d+[smhd]$/.test(text) && seconds(text) >= 1 && seconds(text) <= seconds(max)) return seconds(text);
  throw new FactoryError('USAGE', `${option} is "${text}"`, { fix: `pass a whole number with a unit, from 1s to ${max}` });
}
