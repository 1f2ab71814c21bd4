import type { Frame } from "./scale";
import { indexAt, type Track } from "./track";

/** What a figure did within one column of pixels: how it came in, its range, how it went out. */
export interface Column {
  x: number;
  first: number;
  low: number;
  high: number;
  last: number;
}

/**
 * A figure as its columns of pixels, so that a day of 100 000 states is drawn with what the screen can show.
 *
 * @returns runs without a gap, each with its columns from left to right; a column in which nothing changed is left out
 *   unless it ends a run.
 */
export function columns(track: Track<number>, frame: Frame): Column[][] {
  const { from, to, width } = frame;
  const runs: Column[][] = [];
  let run: Column[] | undefined;
  let value = Number.NaN;
  const at = (time: number): number => Math.round(((time - from) / (to - from)) * width);
  const end = (position: number): void => {
    const last = run?.at(-1);
    if (last !== undefined && last.x < position) {
      run?.push({ x: position, first: value, low: value, high: value, last: value });
    }
    run = undefined;
  };
  for (let index = Math.max(0, indexAt(track.times, from)); index < track.times.length; index++) {
    const time = track.times[index] as number;
    if (time > to) break;
    const position = at(Math.max(time, from));
    const next = track.values[index] as number;
    if (Number.isNaN(next)) {
      end(position);
    } else if (run === undefined) {
      run = [{ x: position, first: next, low: next, high: next, last: next }];
      runs.push(run);
    } else {
      let column = run.at(-1) as Column;
      if (column.x !== position) {
        column = { x: position, first: value, low: value, high: value, last: value };
        run.push(column);
      }
      column.low = Math.min(column.low, next);
      column.high = Math.max(column.high, next);
      column.last = next;
    }
    value = next;
  }
  end(at(to));
  return runs;
}

/** The least and the greatest figure that is drawn; undefined = none. */
export function range(runs: readonly Column[][]): [number, number] | undefined {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const run of runs) {
    for (const column of run) {
      low = Math.min(low, column.low);
      high = Math.max(high, column.high);
    }
  }
  return low > high ? undefined : [low, high];
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Runs as steps: SVG path of the line, and of the area between it and zero. `y` gives the px of a figure. */
export function paths(runs: readonly Column[][], y: (value: number) => number): { line: string; area: string } {
  let line = "";
  let area = "";
  for (const run of runs) {
    const [begin] = run;
    if (begin === undefined) continue;
    let steps = "";
    let now = Number.NaN;
    const to = (value: number): void => {
      if (value !== now) steps += `V${value}`;
      now = value;
    };
    for (const column of run) {
      if (column !== begin) steps += `H${column.x}`;
      else now = round(y(column.first));
      // The longer way last, so that the line ends where the figure went.
      const [high, low] = [round(y(column.high)), round(y(column.low))];
      if (column.last - column.low > column.high - column.last) {
        to(low);
        to(high);
      } else {
        to(high);
        to(low);
      }
      to(round(y(column.last)));
    }
    const start = `${begin.x} ${round(y(begin.first))}`;
    line += `M${start}${steps}`;
    area += `M${begin.x} ${round(y(0))}L${start}${steps}V${round(y(0))}Z`;
  }
  return { line, area };
}
