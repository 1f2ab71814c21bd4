import type { HassEntity, HomeAssistant } from "../../ha/types";
import type { HomeCharger, LiveCharger } from "../../model";
import { quantity } from "../../quantity";

/** What is known about the car; "offline" = the charger itself does not answer. */
const CARS = ["no_car", "waiting", "charging", "complete", "error", "unknown", "offline"] as const;
export type Car = (typeof CARS)[number];

export interface OverrideView {
  /** A per phase; 0 = the car shall not charge. */
  current_a: number;
  until: string | null;
  energy_left_wh: number | null;
}

/** What a lane shows, wherever it comes from. Currents in A per phase, power in W, energy in Wh; null = not known. */
export interface LaneView {
  live: boolean;
  car: Car;
  /** 0 = it may not charge; null = it is told nothing. */
  allocated_a: number | null;
  /** On the phase with the most. */
  drawn_a: number | null;
  /** End of the scale. */
  scale_a: number;
  minimum_a: number;
  maximum_a: number;
  power_w: number | null;
  /** L1..L3, whether the car draws from them; null = not known. */
  phases: readonly [boolean, boolean, boolean] | null;
  /** Whether these are the phases of the grid; otherwise the charger's own. */
  of_grid: boolean;
  /** How many the car uses, or may use before it draws; null = not known. */
  phase_count: number | null;
  reason: string | null;
  /** A few words, for where there is little room. */
  reason_short: string | null;
  next_change: string | null;
  /** 0..1 */
  solar_share: number | null;
  energy_wh: number | null;
  /** When the chosen mode ends. */
  mode_until: string | null;
  override: OverrideView | null;
}

/** A car that draws less than this does not charge on the phase, in A. */
const DRAWING_A = 0.5;
const LOWEST_A = 6;
const USUAL_A = 16;

type States = Pick<HomeAssistant, "states" | "formatEntityState">;

/** Entities whose states a lane shows: few while figures are live, all that it needs otherwise. */
export function watchedBy(charger: HomeCharger, live: boolean): (string | undefined)[] {
  const keys = ["select.charge_mode", "number.maximum_current"];
  if (!live) {
    keys.push(
      "binary_sensor.connected",
      "sensor.state",
      "sensor.allocated_current",
      "sensor.current_l1",
      "sensor.current_l2",
      "sensor.current_l3",
      "sensor.power",
      "sensor.reason",
      "sensor.session_solar_share",
      "sensor.session_energy",
      "sensor.override",
    );
  }
  return keys.map((key) => charger.entities[key]);
}

/** Reads everything that a lane shows from the live figures, or from the states where there are none. */
export function viewOf(hass: States, charger: HomeCharger, live: LiveCharger | undefined): LaneView {
  const entity = (key: string): HassEntity | undefined => hass.states[charger.entities[key] ?? ""];
  const figures = live === undefined ? ofStates(hass, entity) : ofLive(hass, entity, live);
  const number = entity("number.maximum_current");
  const maximum = live?.limits?.maximum_a ?? quantity(number) ?? figures.allocated_a ?? USUAL_A;
  return {
    ...figures,
    // What a charger calls complete may be a car that it does not let charge.
    car: figures.car === "complete" && figures.allocated_a === 0 ? "waiting" : figures.car,
    live: live !== undefined,
    minimum_a: Math.ceil(live?.limits?.minimum_a ?? numberAttribute(number, "min") ?? LOWEST_A),
    maximum_a: Math.floor(maximum),
    scale_a: Math.max(maximum, figures.allocated_a ?? 0, figures.drawn_a ?? 0),
  };
}

type Figures = Omit<LaneView, "live" | "minimum_a" | "maximum_a" | "scale_a">;
type Entity = (key: string) => HassEntity | undefined;

function ofLive(hass: States, entity: Entity, live: LiveCharger): Figures {
  const { measured, allocated } = live;
  const online = measured?.online === true;
  const own = online ? measured.currents_a : [];
  const rotation = online ? live.rotation : null;
  const currents = rotation === null ? own : [1, 2, 3].map((phase) => own[rotation.indexOf(phase)] ?? null);
  return {
    of_grid: rotation !== null,
    car: measured?.online === false ? "offline" : known(measured?.car),
    allocated_a: told(allocated),
    power_w: online ? measured.power_w : null,
    ...drawn(currents, online ? measured.phases : null, allocated?.charge ? allocated.phases : null),
    reason: live.text || null,
    reason_short: short(hass, entity("sensor.reason"), live.reason) ?? live.text,
    next_change: live.next_change,
    solar_share: live.session?.solar_share ?? null,
    energy_wh: live.session?.energy_wh ?? null,
    mode_until: live.mode?.until ?? null,
    override: live.override ?? null,
  };
}

function ofStates(hass: States, entity: Entity): Figures {
  const reason = entity("sensor.reason");
  const mode = entity("select.charge_mode");
  const override = entity("sensor.override");
  const override_a = quantity(override) ?? numberAttribute(mode, "override");
  const next = reason?.attributes.next_change;
  const until = mode?.attributes.until;
  const car = entity("sensor.state");
  const currents = ["l1", "l2", "l3"].map((line) => quantity(entity(`sensor.current_${line}`)));
  const words = reason && said(reason) ? hass.formatEntityState(reason) : null;
  return {
    car: entity("binary_sensor.connected")?.state === "off" ? "offline" : known(car?.state),
    allocated_a: quantity(entity("sensor.allocated_current")),
    power_w: quantity(entity("sensor.power")),
    of_grid: false,
    ...drawn(currents, null, null),
    reason: words,
    reason_short: words,
    next_change: typeof next === "string" ? next : null,
    solar_share: quantity(entity("sensor.session_solar_share")),
    energy_wh: quantity(entity("sensor.session_energy")),
    mode_until: typeof until === "string" ? until : null,
    override: override_a === null ? null : { current_a: override_a, until: null, energy_left_wh: null },
  };
}

function known(car: string | undefined): Car {
  return CARS.find((item) => item === car) ?? "unknown";
}

const told = (command: LiveCharger["allocated"]): number | null =>
  command === null ? null : command.charge ? command.current_a : 0;

/** What the car draws: the current of the phase with the most, which phases, how many. */
function drawn(
  currents: readonly (number | null)[],
  measuredPhases: number | null,
  allocatedPhases: number | null,
): Pick<Figures, "drawn_a" | "phases" | "phase_count"> {
  const numbers = currents.filter((amps) => amps !== null);
  if (numbers.length === 0) return { drawn_a: null, phases: null, phase_count: measuredPhases ?? allocatedPhases };
  const [l1, l2, l3] = [0, 1, 2].map((line) => (currents[line] ?? 0) >= DRAWING_A) as [boolean, boolean, boolean];
  const count = [l1, l2, l3].filter(Boolean).length;
  return {
    drawn_a: Math.max(...numbers),
    phases: [l1, l2, l3],
    phase_count: count || measuredPhases || allocatedPhases,
  };
}

function short(hass: States, reason: HassEntity | undefined, value: string): string | null {
  if (reason === undefined) return null;
  const words = hass.formatEntityState(reason, value);
  // Without translations Home Assistant shows the bare value.
  return words === value ? null : words;
}

const said = (entity: HassEntity): boolean => entity.state !== "unavailable" && entity.state !== "unknown";

function numberAttribute(entity: HassEntity | undefined, name: string): number | null {
  const value = entity?.attributes[name];
  return typeof value === "number" ? value : null;
}
