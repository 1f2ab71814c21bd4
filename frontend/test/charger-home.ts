import type { HassEntity, HomeAssistant } from "../src/ha/types";
import type { Home, HomeCharger, Live, LiveCharger } from "../src/model";

/** A home with one charger, as its states, its registry and its live figures tell of it. */

export const GARAGE: HomeCharger = {
  serial: "1001",
  entry_id: "entry",
  device_id: "device",
  name: "Garage",
  state: "loaded",
  disabled: false,
  reason: null,
  entities: {
    "select.charge_mode": "select.garage",
    "number.maximum_current": "number.maximum",
    "sensor.state": "sensor.state",
    "sensor.reason": "sensor.reason",
    "sensor.power": "sensor.power",
    "sensor.allocated_current": "sensor.allocated",
    "sensor.session_solar_share": "sensor.share",
    "sensor.session_energy": "sensor.energy",
    "sensor.override": "sensor.override",
    "binary_sensor.connected": "binary_sensor.connected",
  },
};

export const CHARGING: LiveCharger = {
  charger: "1001",
  name: "Garage",
  reason: "charging_surplus",
  text: "2300 W surplus: 10 A 1-phase.",
  numbers: {},
  circuit: null,
  next_change: null,
  allocated: { charge: true, current_a: 10, phases: 1 },
  measured: {
    online: true,
    car: "charging",
    charge_released: true,
    offered_a: 10,
    phases: 1,
    currents_a: [9.84, 0, 0],
    power_w: 2263,
  },
  mode: { chosen: "follow_site", in_force: "pv", from_site: true, until: null },
  override: null,
  session: { energy_wh: 12_345, solar_share: 0.63 },
  limits: { minimum_a: 6, maximum_a: 16 },
  rotation: null,
};

export function entity(entity_id: string, state: string, attributes: Record<string, unknown> = {}): HassEntity {
  return { entity_id, state, attributes, last_changed: "", last_updated: "" };
}

export const STATES: Record<string, HassEntity> = Object.fromEntries(
  [
    entity("select.garage", "follow_site", { options: ["follow_site", "off", "fast", "pv", "min_pv"] }),
    entity("select.site", "pv"),
    entity("number.maximum", "16.0", { min: 6, max: 16, unit_of_measurement: "A" }),
    entity("sensor.state", "charging"),
    entity("sensor.reason", "charging_surplus"),
    entity("sensor.power", "2.2", { unit_of_measurement: "kW" }),
    entity("sensor.allocated", "10", { unit_of_measurement: "A" }),
    entity("sensor.share", "87.0", { unit_of_measurement: "%" }),
    entity("sensor.energy", "3.5", { unit_of_measurement: "kWh" }),
    entity("sensor.override", "unknown", { unit_of_measurement: "A" }),
    entity("binary_sensor.connected", "on"),
  ].map((item) => [item.entity_id, item]),
);

export type Call = unknown[];

/** A Home Assistant of that home; `calls` gets what is asked of it, `answers` what subscriptions get at once. */
export function hassOf(
  changes: Partial<HomeAssistant> = {},
  calls: Call[] = [],
  answers: Record<string, unknown> = {},
): HomeAssistant {
  return {
    states: STATES,
    entities: {
      "select.site": { entity_id: "select.site", platform: "pv_load_manager", translation_key: "site_charge_mode" },
      "sensor.power": { entity_id: "sensor.power", device_id: "device" },
    },
    connection: {
      subscribeMessage: async (callback, message) => {
        const answer = answers[String(message.type)];
        if (answer === undefined) throw { code: "unknown_command", message: "" };
        callback(answer as never);
        return () => undefined;
      },
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    },
    connected: true,
    language: "en",
    locale: { language: "en", number_format: "language", time_format: "24", time_zone: "server" },
    config: { time_zone: "Europe/Vienna", state: "RUNNING" },
    themes: { darkMode: false },
    user: { id: "user", is_admin: true, name: "User" },
    localize: () => "",
    formatEntityState: (item, state) => `state ${state ?? item.state}`,
    callService: async (...call: Call) => {
      calls.push(call);
    },
    callWS: () => Promise.reject(new Error("not asked here")),
    ...changes,
  };
}

export function homeOf(...chargers: HomeCharger[]): Home {
  const figures = {
    surplus: null,
    charging_power: null,
    house_power: null,
    grid_power: [],
    pv_power: [],
    battery_power: [],
    battery_soc: null,
  };
  return {
    manager: null,
    chargers,
    inverters: [],
    figures,
    minus: { grid_power: [], battery_power: [] },
    signs: { grid_power: 1, battery_power: 1 },
    circuits: [],
  };
}

export function liveOf(...chargers: LiveCharger[]): Live {
  const surplus = {
    surplus_w: 0,
    target_grid_w: 0,
    grid_w: 0,
    pv_w: 0,
    battery_w: null,
    battery_soc: null,
    chargers_w: 0,
    house_w: 0,
  };
  return { site: { status: "ok", mode: "pv", dimmed: false, surplus, circuits: [] }, chargers };
}

/** Everything that matches, also within the shadow roots below. */
export function all<T extends Element = HTMLElement>(root: ParentNode, selector: string): T[] {
  const found = [...root.querySelectorAll<T>(selector)];
  for (const element of root.querySelectorAll("*")) {
    if (element.shadowRoot) found.push(...all<T>(element.shadowRoot, selector));
  }
  return found;
}

/** The first of them; fails where there is none. */
export function one<T extends Element = HTMLElement>(root: ParentNode, selector: string): T {
  const [found] = all<T>(root, selector);
  if (found === undefined) throw new Error(`nothing matches ${selector}`);
  return found;
}

/** Lets elements render, and what they wait for arrive. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 12; round++) await Promise.resolve();
}
