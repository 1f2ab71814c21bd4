import { describe, expect, it } from "vitest";
import { columns, paths, range } from "../src/cards/timeline/paths";
import { ticks, timeTicks, x } from "../src/cards/timeline/scale";
import { emptyTrack, figure, indexAt, sum, type Track, take, valueAt } from "../src/cards/timeline/track";
import { midnight, zoneOffset } from "../src/time";

const row = (lu: number, s: string) => ({ lu, s });
const read = ({ s }: { s: string }) => figure(s);
const track = (...points: [number, number][]): Track<number> => ({
  times: points.map(([time]) => time),
  values: points.map(([, value]) => value),
});

describe("a track", () => {
  it("takes states as figures, and unknown ones as gaps", () => {
    const figures = emptyTrack<number>();
    take(figures, [row(1, "1.5"), row(2, "unavailable"), row(3, ""), row(4, "-2")], read);
    expect(figures).toEqual({ times: [1000, 2000, 3000, 4000], values: [1.5, Number.NaN, Number.NaN, -2] });
  });

  it("takes nothing for a figure that has no place in a picture", () => {
    expect(["Infinity", "-1e999", "on"].map(figure)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it("sorts in what arrives late, and takes a state once", () => {
    const figures = emptyTrack<number>();
    take(figures, [row(1, "1"), row(5, "5")], read);
    take(figures, [row(3, "3"), row(5, "50"), row(6, "6")], read);
    take(figures, [row(6, "60")], read);
    expect(figures).toEqual({ times: [1000, 3000, 5000, 6000], values: [1, 3, 50, 60] });
  });

  it("knows its value at any time", () => {
    const figures = track([10, 1], [20, Number.NaN], [30, 3]);
    expect([9, 10, 19, 30, 99].map((time) => indexAt(figures.times, time))).toEqual([-1, 0, 0, 2, 2]);
    expect([9, 10, 25, 99].map((time) => valueAt(figures, time))).toEqual([Number.NaN, 1, Number.NaN, 3]);
  });

  it("is added to others with its factor, unknown while one of them is", () => {
    const total = sum([
      { track: track([10, 1], [30, 2], [50, Number.NaN]), factor: -1000 },
      { track: track([20, 5], [30, 7]), factor: 1 },
    ]);
    expect(total).toEqual(track([10, Number.NaN], [20, -995], [30, -1993], [50, Number.NaN]));
    expect(sum([{ track: track([1, 2]), factor: 1000 }])).toEqual(track([1, 2000]));
    expect(sum([])).toEqual(emptyTrack());
  });
});

describe("columns", () => {
  const frame = { from: 0, to: 100, width: 10, height: 10 };

  it("keep the extremes of each pixel, and hold a value until now", () => {
    const [run, ...more] = columns(track([-50, 7], [20, 1], [21, 9], [22, 4], [60, 5]), frame);
    expect(more).toEqual([]);
    expect(run).toEqual([
      { x: 0, first: 7, low: 7, high: 7, last: 7 },
      { x: 2, first: 7, low: 1, high: 9, last: 4 },
      { x: 6, first: 4, low: 4, high: 5, last: 5 },
      { x: 10, first: 5, low: 5, high: 5, last: 5 },
    ]);
    expect(range([run ?? []])).toEqual([1, 9]);
    expect(range([])).toBeUndefined();
  });

  it("leave gaps where nothing is known, and what is after the end", () => {
    const runs = columns(track([0, 1], [30, Number.NaN], [50, 2], [200, 99]), frame);
    expect(runs.map((run) => [run[0]?.x, run.at(-1)?.x])).toEqual([
      [0, 3],
      [5, 10],
    ]);
    expect(columns(track([0, Number.NaN]), frame)).toEqual([]);
    expect(columns(emptyTrack(), frame)).toEqual([]);
  });

  it("are as many as the screen is wide, whatever was recorded", () => {
    const many = emptyTrack<number>();
    for (let index = 0; index < 100_000; index++) {
      many.times.push(index);
      many.values.push(index === 54_321 ? 1e6 : index % 7);
    }
    const runs = columns(many, { from: 0, to: 100_000, width: 800, height: 100 });
    expect(runs.flat().length).toBeLessThanOrEqual(801);
    expect(range(runs)).toEqual([0, 1e6]);
  });

  it("become steps, and an area down to zero", () => {
    const runs = columns(track([0, 1], [50, 3]), frame);
    expect(paths(runs, (value) => 10 - value)).toEqual({
      line: "M0 9H5V7H10",
      area: "M0 10L0 9H5V7H10V10Z",
    });
  });
});

describe("scales", () => {
  it("are round and hold zero", () => {
    expect(ticks(-1400, 8700, 5, 1000)).toEqual([-2000, 0, 2000, 4000, 6000, 8000, 10000]);
    expect(ticks(0, 0, 4, 1000)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(ticks(-900, -100, 3, 1000).at(-1)).toBe(0);
  });

  it("go from 0 to the width", () => {
    const frame = { from: 100, to: 200, width: 50, height: 1 };
    expect([x(frame, 100), x(frame, 150), x(frame, 200)]).toEqual([0, 25, 50]);
  });

  const zone = "Europe/Berlin";
  const utc = (text: string) => Date.parse(`${text}Z`);

  it("know when a day began, also where the clocks were changed", () => {
    expect(zoneOffset(utc("2026-11-21T12:00"), zone)).toBe(3_600_000);
    expect(midnight(utc("2026-11-21T22:59"), zone)).toBe(utc("2026-11-20T23:00"));
    expect(midnight(utc("2026-11-21T23:00"), zone)).toBe(utc("2026-11-21T23:00"));
    expect(midnight(utc("2026-03-29T12:00"), zone)).toBe(utc("2026-03-28T23:00"));
    expect(midnight(utc("2026-10-25T12:00"), zone)).toBe(utc("2026-10-24T22:00"));
    // There are days that begin at one o'clock.
    expect(midnight(utc("2026-09-06T12:00"), "America/Santiago")).toBe(utc("2026-09-06T04:00"));
  });

  it("tell round times of the clock, far enough apart", () => {
    const frame = { from: utc("2026-11-20T23:00"), to: utc("2026-11-21T23:00"), width: 480, height: 1 };
    expect(timeTicks(frame, zone, 60).map((time) => new Date(time).toISOString().slice(11, 16))).toEqual([
      "23:00",
      "02:00",
      "05:00",
      "08:00",
      "11:00",
      "14:00",
      "17:00",
      "20:00",
      "23:00",
    ]);
    const night = { ...frame, from: utc("2026-10-24T22:00"), to: utc("2026-10-25T23:00") };
    const local = (time: number) => new Date(time + zoneOffset(time, zone)).toISOString().slice(11, 16);
    expect(timeTicks(night, zone, 60).map(local)).toEqual([
      "00:00",
      "04:00",
      "08:00",
      "12:00",
      "16:00",
      "20:00",
      "00:00",
    ]);
  });
});
