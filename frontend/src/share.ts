/**
 * Returns `next`, made of the parts of `before` that say the same, down to the smallest.
 *
 * Figures come each second as new objects; with this a part that is the same is also the same object, and what shows it
 * needs not to be rendered anew. Only for what JSON can hold.
 */
export function share<T>(before: unknown, next: T): T {
  if (Object.is(before, next)) return next;
  if (Array.isArray(before) && Array.isArray(next)) {
    const shared = next.map((item, index) => share(before[index], item));
    return (before.length === next.length && shared.every((item, index) => item === before[index])
      ? before
      : shared) as unknown as T;
  }
  if (isRecord(before) && isRecord(next)) {
    const keys = Object.keys(next);
    const shared = Object.fromEntries(keys.map((key) => [key, share(before[key], next[key])]));
    const same = keys.length === Object.keys(before).length && keys.every((key) => shared[key] === before[key]);
    return (same ? before : shared) as T;
  }
  return next;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
