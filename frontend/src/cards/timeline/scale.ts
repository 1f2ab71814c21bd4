import { instant, zoneOffset } from "../../time";

/** Where the figures lie: times in ms, sizes in px. */
export interface Frame {
  from: number;
  to: number;
  width: number;
  height: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 4, 6, 12, 24].map((hours) => hours * HOUR),
];

/** The x of a time in px. */
export const x = ({ from, to, width }: Frame, time: number): number => ((time - from) / (to - from)) * width;

/**
 * Round figures that enclose a range and zero, about `count` steps of them.
 *
 * @returns them from the least to the greatest; the range is at least from 0 to `least`.
 */
export function ticks(low: number, high: number, count: number, least: number): number[] {
  const bottom = Math.min(low, 0);
  const top = Math.max(high, bottom === 0 ? least : 0);
  const raw = (top - bottom) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5].find((digit) => digit * power >= raw * 0.8) ?? 10) * power;
  const first = Math.floor(bottom / step + 1e-9);
  const last = Math.ceil(top / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** Round times of a time zone (IANA name) in ms, at least `gap` px apart. */
export function timeTicks(frame: Frame, zone: string, gap: number): number[] {
  const span = (gap / frame.width) * (frame.to - frame.from);
  const step = TIME_STEPS.find((size) => size >= span) ?? Math.ceil(span / (24 * HOUR)) * 24 * HOUR;
  const found: number[] = [];
  // Counted in the clock's time, which jumps twice a year.
  const begin = Math.ceil((frame.from + zoneOffset(frame.from, zone)) / step) * step;
  for (let local = begin; ; local += step) {
    const time = instant(local, zone);
    if (time > frame.to) return found;
    if (time >= frame.from && time > (found.at(-1) ?? 0)) found.push(time);
  }
}
