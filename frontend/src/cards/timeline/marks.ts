import type { Home, HomeCharger } from "../../model";
import type { Recording } from "./stream";
import type { Track } from "./track";

export type MarkKind = "start" | "stop" | "phase_switch" | "limit" | "override" | "meter" | "car" | "fault";

/** The more important ones first: a group shows the first of its kinds. */
const KINDS: readonly MarkKind[] = ["fault", "meter", "limit", "override", "stop", "start", "phase_switch", "car"];

/** A decision or a fault. */
export interface Mark {
  /** ms */
  time: number;
  kind: MarkKind;
  /** Whether it is the end of something. */
  over: boolean;
  /** Serial number; null = the house. */
  charger: string | null;
  /** Type of the event, or "unreachable" or "problem". */
  event: string;
  /** Whose event it is. */
  entityId: string;
  /** Until when it lasted in ms; only of faults that are over. */
  until?: number | undefined;
  /** In the language of Home Assistant, not of the user. */
  text?: string | undefined;
  reason?: string | undefined;
  /** A per phase. */
  current?: number | undefined;
}

/** The marks of one charger, of the house (null), or of all (many = their number). */
export interface Lane {
  charger: HomeCharger | null;
  many: number;
  marks: Mark[];
  /** When its car was charging: from, to in ms. */
  bands: [number, number][];
}

/** More chargers than this share one lane. */
const MOST_LANES = 6;
/** A charger that is away for less is none that a person misses, in ms. */
const FAULT_AFTER = 60_000;

const EVENTS: Record<string, [MarkKind, boolean]> = {
  started: ["start", false],
  stopped: ["stop", false],
  phases_changed: ["phase_switch", false],
  limited: ["limit", false],
  released: ["limit", true],
  override_started: ["override", false],
  override_ended: ["override", true],
  session_ended: ["car", true],
  car_woken: ["car", false],
  watchdog_expired: ["limit", false],
  watchdog_cleared: ["limit", true],
  dimming_started: ["limit", false],
  dimming_ended: ["limit", true],
  peak_limited: ["limit", false],
  peak_released: ["limit", true],
  meter_lost: ["meter", false],
  meter_back: ["meter", true],
};

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const amount = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

function* happened(recording: Recording, entityId: string | undefined, charger: string | null): Generator<Mark> {
  const known = new Set<string>();
  for (const { s, a } of recording.events.get(entityId ?? "")?.values ?? []) {
    const time = Date.parse(s);
    const event = text(a?.event_type) ?? "";
    const [kind, over] = EVENTS[event] ?? [];
    // A state is written again when its entity is loaded anew.
    const key = `${time} ${event}`;
    if (kind === undefined || over === undefined || Number.isNaN(time) || known.has(key)) continue;
    known.add(key);
    yield {
      time,
      kind,
      over,
      charger,
      event,
      entityId: entityId ?? "",
      text: text(a?.text),
      reason: text(a?.reason),
      current: amount(a?.current),
    };
  }
}

/** When a state was one of some: from, to in ms; the last one lasts until `now`. */
export function spans(track: Track<string> | undefined, states: readonly string[], now: number): [number, number][] {
  const found: [number, number][] = [];
  let since: number | undefined;
  for (const [index, time] of (track?.times ?? []).entries()) {
    const on = states.includes(track?.values[index] ?? "");
    if (on) since ??= time;
    else if (since !== undefined) {
      found.push([since, time]);
      since = undefined;
    }
  }
  if (since !== undefined && since < now) found.push([since, now]);
  return found;
}

function* faults(recording: Recording, charger: HomeCharger, now: number): Generator<Mark> {
  const sources: [string, string, string[]][] = [
    ["unreachable", "binary_sensor.connected", ["off", "unavailable"]],
    ["problem", "binary_sensor.problem", ["on"]],
  ];
  for (const [event, key, states] of sources) {
    const entityId = charger.entities[key];
    if (entityId === undefined) continue;
    for (const [time, until] of spans(recording.states.get(entityId), states, now)) {
      if (until - time < FAULT_AFTER) continue;
      const ended = until < now ? until : undefined;
      yield { time, kind: "fault", over: false, charger: charger.serial, event, entityId, until: ended };
    }
  }
}

/** Entities of a charger whose states, and whose events, the lanes show. */
export const LANE_STATES = ["binary_sensor.connected", "binary_sensor.problem", "binary_sensor.charging"];
export const LANE_EVENT = "event.charging";
export const HOUSE_EVENT = "event.limits";

/**
 * Everything that happened from `from` to `now`, in lanes; marks in order of their time.
 *
 * @param chargers those that are shown.
 */
export function lanesOf(
  recording: Recording | undefined,
  home: Home,
  chargers: readonly HomeCharger[],
  from: number,
  now: number,
): Lane[] {
  const ordered = (marks: Mark[]): Mark[] =>
    marks.filter(({ time }) => time >= from && time <= now).sort((a, b) => a.time - b.time);
  const of = (charger: HomeCharger): Mark[] =>
    recording === undefined
      ? []
      : [
          ...happened(recording, charger.entities[LANE_EVENT], charger.serial),
          ...[...faults(recording, charger, now)].map((mark) => ({ ...mark, time: Math.max(mark.time, from) })),
        ];
  const lanes: Lane[] =
    chargers.length > MOST_LANES
      ? [{ charger: null, many: chargers.length, marks: ordered(chargers.flatMap(of)), bands: [] }]
      : chargers.map((charger) => ({
          charger,
          many: 1,
          marks: ordered(of(charger)),
          bands: spans(recording?.states.get(charger.entities["binary_sensor.charging"] ?? ""), ["on"], now)
            .map(([begin, end]): [number, number] => [Math.max(begin, from), end])
            .filter(([begin, end]) => begin < end),
        }));
  const house = recording && ordered([...happened(recording, home.manager?.entities[HOUSE_EVENT], null)]);
  if (house?.length) lanes.push({ charger: null, many: 0, marks: house, bands: [] });
  return lanes;
}

/** Marks that would overlap, as one. */
export interface Group {
  /** px */
  x: number;
  kind: MarkKind;
  marks: Mark[];
}

/** Groups marks that are less than `gap` px apart; `x` gives the px of a time. */
export function grouped(marks: readonly Mark[], x: (time: number) => number, gap: number): Group[] {
  const groups: Group[] = [];
  for (const mark of marks) {
    const at = x(mark.time);
    const last = groups.at(-1);
    if (last !== undefined && at - last.x < gap) {
      last.marks.push(mark);
      if (KINDS.indexOf(mark.kind) < KINDS.indexOf(last.kind)) last.kind = mark.kind;
    } else groups.push({ x: at, kind: mark.kind, marks: [mark] });
  }
  return groups;
}
