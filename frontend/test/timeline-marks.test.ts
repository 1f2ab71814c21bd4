import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { curvesOf, sources } from "../src/cards/timeline/curves";
import { grouped, lanesOf, type Mark, spans } from "../src/cards/timeline/marks";
import { Recording } from "../src/cards/timeline/stream";
import { sentence, words } from "../src/cards/timeline/words";
import type { HomeAssistant } from "../src/ha/types";
import type { Home, HomeCharger } from "../src/model";

const MINUTE = 60_000;
const T = Date.parse("2026-11-21T10:00:00.000Z");

const charger = (index: number): HomeCharger =>
  ({
    serial: `S${index}`,
    name: `Charger ${index}`,
    device_id: `d${index}`,
    entities: {
      "event.charging": `event.c${index}`,
      "binary_sensor.connected": `binary_sensor.connected${index}`,
      "binary_sensor.problem": `binary_sensor.problem${index}`,
      "binary_sensor.charging": `binary_sensor.charging${index}`,
      "sensor.reason": `sensor.reason${index}`,
      "sensor.power": `sensor.power${index}`,
    },
  }) as unknown as HomeCharger;

const homeOf = (count: number): Home =>
  ({
    manager: { state: "loaded", entities: { "event.limits": "event.limits" } },
    chargers: Array.from({ length: count }, (_, index) => charger(index + 1)),
    inverters: [],
    circuits: [],
    figures: {
      surplus: "sensor.surplus",
      charging_power: "sensor.charging",
      grid_power: ["sensor.a", "sensor.b"],
      pv_power: [],
    },
    minus: { grid_power: [], battery_power: [] },
    signs: { grid_power: -1, battery_power: 1 },
  }) as unknown as Home;

function recordingOf(home: Home, states: Record<string, [number, string, Record<string, unknown>?][]>): Recording {
  const ids = Object.keys(states);
  const recording = new Recording({
    start: T - 60 * MINUTE,
    figures: ids.filter((id) => id.startsWith("sensor.")),
    states: ids.filter((id) => id.startsWith("binary_sensor.")),
    events: home.chargers.map(({ entities }) => entities["event.charging"] as string),
  });
  const rows = ([minutes, s, a]: [number, string, Record<string, unknown>?]) => {
    const time = T + minutes * MINUTE;
    return { lu: time / 1000, s: s === "event" ? new Date(time).toISOString() : s, ...(a ? { a } : {}) };
  };
  recording.take(Object.fromEntries(Object.entries(states).map(([id, list]) => [id, list.map(rows)])));
  return recording;
}

const told = (marks: readonly Mark[]) => marks.map(({ time, kind, event }) => [(time - T) / MINUTE, kind, event]);

describe("lanes", () => {
  it("hold what happened to each charger and to the house, in order", () => {
    const home = homeOf(2);
    const recording = recordingOf(home, {
      "event.c1": [
        [-59, "unknown", { event_type: null }],
        [
          -30,
          "event",
          { event_type: "started", text: "6621 W surplus", reason: "charging_surplus", current: 10, phases: 1 },
        ],
        [-20, "event", { event_type: "limited", reason: "limited_by_fuse" }],
        [-19, "event", { event_type: "phases_changed" }],
        [-10, "event", { event_type: "session_ended", energy: 3.2 }],
        [-9, "event", { event_type: "of_the_future" }],
      ],
      "event.limits": [
        [-40, "event", { event_type: "meter_lost" }],
        [-35, "event", { event_type: "meter_back" }],
      ],
      "binary_sensor.charging1": [
        [-60, "off"],
        [-30, "on"],
        [-12, "off"],
      ],
    });
    const [first, second, house, ...more] = lanesOf(recording, home, home.chargers, T - 60 * MINUTE, T);
    expect(more).toEqual([]);
    expect(told(first?.marks ?? [])).toEqual([
      [-30, "start", "started"],
      [-20, "limit", "limited"],
      [-19, "phase_switch", "phases_changed"],
      [-10, "car", "session_ended"],
    ]);
    expect(first?.marks[0]).toMatchObject({
      text: "6621 W surplus",
      reason: "charging_surplus",
      current: 10,
    });
    expect(first?.bands).toEqual([[T - 30 * MINUTE, T - 12 * MINUTE]]);
    expect(second?.marks).toEqual([]);
    expect(house?.charger).toBeNull();
    expect(house?.marks.map(({ kind, over }) => [kind, over])).toEqual([
      ["meter", false],
      ["meter", true],
    ]);
  });

  it("tell an event once, though its entity was loaded anew, and none of before", () => {
    const home = homeOf(1);
    const at = new Date(T - 30 * MINUTE).toISOString();
    const before = new Date(T - 90 * MINUTE).toISOString();
    const recording = recordingOf(home, {
      "event.c1": [
        [-60, before, { event_type: "stopped" }],
        [-30, at, { event_type: "started" }],
        [-20, "unavailable"],
        [-19, at, { event_type: "started" }],
      ],
    });
    expect(told(lanesOf(recording, home, home.chargers, T - 60 * MINUTE, T)[0]?.marks ?? [])).toEqual([
      [-30, "start", "started"],
    ]);
  });

  it("show as faults what lasts, not every restart", () => {
    const home = homeOf(1);
    const recording = recordingOf(home, {
      "binary_sensor.connected1": [
        [-90, "off"],
        [-50, "on"],
        [-40, "unavailable"],
        [-39.5, "on"],
        [-5, "off"],
      ],
      "binary_sensor.problem1": [
        [-30, "on"],
        [-28, "off"],
      ],
    });
    const [lane] = lanesOf(recording, home, home.chargers, T - 60 * MINUTE, T);
    expect(told(lane?.marks ?? [])).toEqual([
      [-60, "fault", "unreachable"],
      [-30, "fault", "problem"],
      [-5, "fault", "unreachable"],
    ]);
    expect(lane?.marks.map(({ until }) => until)).toEqual([T - 50 * MINUTE, T - 28 * MINUTE, undefined]);
  });

  it("are one where there are many chargers", () => {
    const home = homeOf(7);
    const recording = recordingOf(home, {
      "event.c7": [[-5, "event", { event_type: "stopped" }]],
      "event.c1": [[-4, "event", { event_type: "started" }]],
    });
    const lanes = lanesOf(recording, home, home.chargers, T - 60 * MINUTE, T);
    expect(lanes.map(({ many, marks }) => [many, marks.map((mark) => mark.charger)])).toEqual([[7, ["S7", "S1"]]]);
    expect(lanesOf(undefined, homeOf(6), homeOf(6).chargers, T, T + 1)).toHaveLength(6);
  });

  it("group marks that would overlap, the gravest in front", () => {
    const mark = (time: number, kind: Mark["kind"]): Mark => ({
      time,
      kind,
      over: false,
      charger: "S1",
      event: "",
      entityId: "",
    });
    const marks = [mark(0, "start"), mark(10, "fault"), mark(23, "stop"), mark(24, "stop")];
    const groups = grouped(marks, (time) => time, 24);
    expect(groups.map(({ x, kind, marks: all }) => [x, kind, all.length])).toEqual([
      [0, "fault", 3],
      [24, "stop", 1],
    ]);
  });

  it("know spans up to now", () => {
    const track = { times: [0, 10, 20, 30], values: ["on", "on", "off", "on"] };
    expect(spans(track, ["on"], 50)).toEqual([
      [0, 20],
      [30, 50],
    ]);
    expect(spans(undefined, ["on"], 50)).toEqual([]);
  });
});

describe("curves", () => {
  it("are of the house, with signs and units, or of one charger", () => {
    const home = homeOf(1);
    const states = {
      "sensor.a": { attributes: { unit_of_measurement: "kW" } },
      "sensor.b": { attributes: { unit_of_measurement: "W" } },
    } as unknown as HomeAssistant["states"];
    const recording = recordingOf(home, { "sensor.a": [[-10, "-1.5"]], "sensor.b": [[-10, "200"]] });
    const curves = curvesOf(recording, { states }, home);
    expect(curves.map(({ key, track }) => [key, track.values])).toEqual([
      ["surplus", []],
      ["charging", []],
      ["grid", [1300]],
    ]);
    expect(sources(home).charging).toEqual([{ id: "sensor.charging", sign: 1 }]);
    expect(sources(home, home.chargers[0]).charging).toEqual([{ id: "sensor.power1", sign: 1 }]);
  });
});

describe("a meter that shows both directions apart", () => {
  it("is import less export", () => {
    const home = homeOf(1);
    home.figures.grid_power = ["sensor.import"];
    home.minus.grid_power = ["sensor.export"];
    home.signs.grid_power = 1;
    const recording = recordingOf(home, { "sensor.import": [[-10, "100"]], "sensor.export": [[-10, "1500"]] });
    const grid = curvesOf(recording, { states: {} }, home).find(({ key }) => key === "grid");
    expect(grid?.track.values).toEqual([-1400]);
  });
});

describe("words", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: T + 60 * MINUTE });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const home = homeOf(1);
  const hass = (language: string): HomeAssistant =>
    ({
      language,
      config: { language: "en", time_zone: "UTC", state: "RUNNING" },
      locale: { language, number_format: "language", time_format: "24", time_zone: "server" },
      states: { "event.c1": { entity_id: "event.c1" }, "sensor.reason1": { entity_id: "sensor.reason1" } },
      formatEntityState: (_entity: unknown, state: string) => `<${state}>`,
      formatEntityAttributeValue: (_entity: unknown, _name: string, value: string) => `[${value}]`,
    }) as unknown as HomeAssistant;
  const mark: Mark = {
    time: T,
    kind: "start",
    over: false,
    charger: "S1",
    event: "started",
    entityId: "event.c1",
    text: "6621 W surplus.",
    reason: "charging_surplus",
    current: 10,
  };

  it("are the recorded ones in Home Assistant's language", () => {
    expect(sentence(words(hass("en"), home, mark))).toBe("10:00, Charger 1: [started]. 6621 W surplus.");
  });

  it("are the bare reason in another one", () => {
    expect(words(hass("de"), home, mark).why).toBe("<charging_surplus>, 10 A");
  });

  it("name the day where it is not today", () => {
    expect(words(hass("en"), home, { ...mark, time: T - 24 * 60 * MINUTE }).time).toBe("Fri 10:00");
  });

  it("tell how long a fault lasted, and a charger that is gone", () => {
    const fault: Mark = { ...mark, kind: "fault", event: "unreachable", charger: "S9", until: T + 5 * MINUTE };
    expect(sentence(words(hass("de"), home, fault))).toBe("10:00, S9: Wallbox antwortete nicht. Bis 10:05");
  });
});
