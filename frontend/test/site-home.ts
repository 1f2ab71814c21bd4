import type { HassEntity, HomeAssistant, RegistryEntry } from "../src/ha/types";
import type { Home, HomeCharger, Live, Owner } from "../src/model";

/** A home with a load manager, an inverter and so many chargers, as registry, states and live figures tell of it. */

const MANAGER_KEYS = [
  "sensor.state",
  "sensor.surplus",
  "sensor.charging_power",
  "sensor.house_power",
  "sensor.solar_today",
  "sensor.grid_today",
  "sensor.utilisation_root",
  "sensor.meter_stage_root",
  "select.charge_mode",
  "select.battery_priority",
  "number.target_grid_power",
  "number.rounding_of_something",
  "event.limits",
];
const CHARGER_KEYS = [
  "select.charge_mode",
  "select.priority",
  "number.maximum_current",
  "switch.keep_charge_mode",
  "button.gone",
  "sensor.power",
  "sensor.state",
  "sensor.reason",
  "sensor.allocated_current",
  "sensor.solar_today",
  "sensor.last_session",
  "sensor.lifetime_energy",
  "sensor.temperature",
  "binary_sensor.connected",
  "event.charging",
];
const INVERTER_KEYS = ["sensor.grid_power", "sensor.pv_power", "binary_sensor.connected", "sensor.inverter_status"];
const CATEGORIES: Record<string, "config" | "diagnostic"> = {
  "select.battery_priority": "config",
  "number.target_grid_power": "config",
  "number.rounding_of_something": "config",
  "select.priority": "config",
  "number.maximum_current": "config",
  "switch.keep_charge_mode": "config",
  "button.gone": "config",
  "sensor.meter_stage_root": "diagnostic",
  "sensor.temperature": "diagnostic",
  "sensor.inverter_status": "diagnostic",
  "binary_sensor.connected": "diagnostic",
};

const owner = (id: string, name: string, keys: readonly string[]): Owner => ({
  entry_id: `entry_${id}`,
  device_id: `device_${id}`,
  name,
  state: "loaded",
  disabled: false,
  reason: null,
  entities: Object.fromEntries(keys.map((key) => [key, key.replace(".", `.${id}_`)])),
});

export const MANAGER = owner("manager", "Load manager", MANAGER_KEYS);

export function homeOf(chargers: number, changes: Partial<Home> = {}): Home {
  return {
    manager: MANAGER,
    chargers: Array.from({ length: chargers }, (_, index): HomeCharger => {
      const serial = String(1001 + index);
      return { ...owner(serial, `Charger ${index + 1}`, CHARGER_KEYS), serial };
    }),
    inverters: [{ ...owner("9001", "Inverter", INVERTER_KEYS), serial: "9001", has_battery: false }],
    figures: {
      surplus: "sensor.manager_surplus",
      charging_power: "sensor.manager_charging_power",
      house_power: "sensor.manager_house_power",
      grid_power: ["sensor.9001_grid_power"],
      pv_power: ["sensor.9001_pv_power"],
      battery_power: [],
      battery_soc: null,
    },
    minus: { grid_power: [], battery_power: [] },
    signs: { grid_power: 1, battery_power: 1 },
    circuits: [{ id: "root", name: "House", parent: null, rated_a: 35, phases: [1, 2, 3], chargers: [] }],
    ...changes,
  };
}

export const LIVE: Live = {
  site: {
    status: "charging",
    mode: "pv",
    dimmed: false,
    surplus: {
      surplus_w: 2300,
      target_grid_w: 0,
      grid_w: -10,
      pv_w: 3000,
      battery_w: null,
      battery_soc: null,
      chargers_w: 2290,
      house_w: 700,
    },
    circuits: [
      {
        id: "root",
        name: "House",
        parent: null,
        stage: "fresh",
        rated_a: 35,
        limit_a: 35,
        house_a: [1, 1, 1],
        chargers_a: [10, 0, 0],
        drawn_a: [10, 0, 0],
        free_a: [24, 34, 34],
      },
    ],
  },
  chargers: [],
};

export const state = (entity_id: string, value: string, unit_of_measurement?: string): HassEntity => ({
  entity_id,
  state: value,
  attributes: unit_of_measurement === undefined ? {} : { unit_of_measurement },
  last_changed: "",
  last_updated: "",
});

/** What a subscription is answered at once: a value, or a refusal by its code; nothing = never. */
export type Answers = Record<string, { value: unknown } | { code: string }>;

export function hassOf(home: Home, answers: Answers = {}, changes: Partial<HomeAssistant> = {}): HomeAssistant {
  const members = [...(home.manager === null ? [] : [home.manager]), ...home.chargers, ...home.inverters];
  const entities: Record<string, RegistryEntry> = {};
  for (const { device_id, entities: ids } of members) {
    for (const [key, entity_id] of Object.entries(ids)) {
      const category = CATEGORIES[key];
      entities[entity_id] = {
        entity_id,
        device_id: device_id ?? "",
        platform: "pv_load_manager",
        ...(key === "select.charge_mode" && device_id !== "device_manager"
          ? { translation_key: "charger_charge_mode" }
          : {}),
        ...(category === undefined ? {} : { entity_category: category }),
      };
    }
  }
  return {
    states: {
      "sensor.manager_state": state("sensor.manager_state", "charging"),
      "select.manager_charge_mode": state("select.manager_charge_mode", "pv"),
      "sensor.manager_surplus": state("sensor.manager_surplus", "2.25", "kW"),
      "sensor.manager_charging_power": state("sensor.manager_charging_power", "2200", "W"),
      "sensor.manager_house_power": state("sensor.manager_house_power", "unavailable", "W"),
      "sensor.9001_grid_power": state("sensor.9001_grid_power", "-20", "W"),
      "sensor.9001_pv_power": state("sensor.9001_pv_power", "3.1", "kW"),
    },
    entities,
    devices: {},
    connection: {
      subscribeMessage: async (callback, message) => {
        const answer = answers[String(message.type)];
        if (answer !== undefined && "code" in answer) throw { code: answer.code, message: "" };
        if (answer !== undefined) callback(answer.value as never);
        return () => undefined;
      },
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    },
    connected: true,
    language: "en",
    locale: { language: "en", number_format: "language", time_format: "24", time_zone: "local" },
    config: { time_zone: "UTC", state: "RUNNING", components: ["recorder", "history", "logbook"] },
    themes: { darkMode: false },
    user: { id: "u", is_admin: true, name: "Demo" },
    localize: (key) => key,
    formatEntityState: (entity) => `state ${entity.state}`,
    callService: async () => undefined,
    callWS: async () => undefined as never,
    ...changes,
  };
}
