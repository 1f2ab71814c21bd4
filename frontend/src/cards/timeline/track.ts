/**
 * What an entity's states were: from `times[i]` on (ms since 1970, rising) `values[i]` held, until the next one.
 * Figures are numbers with NaN for "not known".
 */
export interface Track<T> {
  times: number[];
  values: T[];
}

/** One state of Home Assistant's history: state, last updated and last changed in s, attributes. */
export interface Row {
  s: string;
  lu: number;
  lc?: number;
  a?: Record<string, unknown>;
}

export const emptyTrack = <T>(): Track<T> => ({ times: [], values: [] });

/** A state as a number; NaN for "unknown", "unavailable" and everything else that is none. */
export function figure(state: string): number {
  const value = state.trim() === "" ? Number.NaN : Number(state);
  return Number.isFinite(value) ? value : Number.NaN;
}

/**
 * Takes rows into a track, in place. Home Assistant may send what it had not stored yet after newer states, and a state
 * twice: the track is sorted, and of two states of one time the later one counts.
 */
export function take<T>(track: Track<T>, rows: readonly Row[], read: (row: Row) => T): void {
  const { times, values } = track;
  let sorted = true;
  for (const row of rows) {
    const time = row.lu * 1000;
    const last = times.at(-1);
    if (last === time) {
      values[values.length - 1] = read(row);
      continue;
    }
    sorted &&= last === undefined || last < time;
    times.push(time);
    values.push(read(row));
  }
  if (sorted) return;
  const order = times.map((_, index) => index).sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const all = { times: [...times], values: [...values] };
  times.length = values.length = 0;
  for (const index of order) {
    const time = all.times[index] as number;
    const at = times.at(-1) === time ? times.length - 1 : times.length;
    times[at] = time;
    values[at] = all.values[index] as T;
  }
}

/** Index of the last state at or before a time; -1 = there is none. */
export function indexAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The figure at a time; NaN where it is not known. */
export const valueAt = (track: Track<number>, time: number): number =>
  track.values[indexAt(track.times, time)] ?? Number.NaN;

/** The sum of several figures, each multiplied with its factor; not known where one of them is not. */
export function sum(parts: readonly { track: Track<number>; factor: number }[]): Track<number> {
  const [first] = parts;
  if (first === undefined) return emptyTrack();
  if (parts.length === 1) {
    return { times: first.track.times, values: first.track.values.map((value) => value * first.factor) };
  }
  const times = [...new Set(parts.flatMap(({ track }) => track.times))].sort((a, b) => a - b);
  const next = parts.map(() => 0);
  const now = parts.map(() => Number.NaN);
  const values = times.map((time) => {
    for (const [index, { track, factor }] of parts.entries()) {
      while ((track.times[next[index] as number] ?? Number.POSITIVE_INFINITY) <= time) {
        now[index] = (track.values[next[index] as number] as number) * factor;
        next[index] = (next[index] as number) + 1;
      }
    }
    return now.reduce((total, value) => total + value, 0);
  });
  return { times, values };
}
