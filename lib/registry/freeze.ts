/** Keeps a value from being changed, at any depth. Returns it. */
export function deepFreeze<T extends object>(value: T): T {
  Object.freeze(value);
  // By key, without a list of values for each of some fifty thousand objects.
  for (const key in value) {
    const child: unknown = value[key];
    if (typeof child === 'object' && child !== null && !Object.isFrozen(child)) deepFreeze(child);
  }
  return value;
}
