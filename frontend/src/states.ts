import type { HomeAssistant } from "./ha/types";
import type { Home, Live } from "./model";
import { quantity } from "./quantity";

type States = Pick<HomeAssistant, "states">;

/** A sensor of a power that several may show together, and what its state is multiplied with before it is added. */
export interface Part {
  id: string;
  sign: number;
}

/** The sensors that show what the grid (+import) or the battery (+discharge) gives. */
export function parts({ figures, minus, signs }: Home, power: "grid_power" | "battery_power"): Part[] {
  const signed = (ids: readonly string[], sign: number): Part[] => ids.map((id) => ({ id, sign }));
  return [...signed(figures[power], signs[power]), ...signed(minus[power], -signs[power])];
}

/** Entity ids of which the site's figures are made while nothing is live. */
export function figureIds(home: Home): (string | null | undefined)[] {
  const { figures, manager } = home;
  return [
    figures.surplus,
    figures.charging_power,
    figures.house_power,
    ...figures.pv_power,
    ...[...parts(home, "grid_power"), ...parts(home, "battery_power")].map(({ id }) => id),
    figures.battery_soc,
    manager?.entities["sensor.state"],
    manager?.entities["select.charge_mode"],
  ];
}

/** What an entity shows, powers in W; null while it shows no number. */
const figure = ({ states }: States, entityId: string | null | undefined): number | null =>
  quantity(entityId ? states[entityId] : undefined);

/** Several figures added up; null if there are none or one is missing: a part would be a wrong sum. */
function sum(states: States, all: readonly Part[]): number | null {
  let total = 0;
  for (const { id, sign } of all) {
    const value = figure(states, id);
    if (value === null) return null;
    total += value * sign;
  }
  return all.length === 0 ? null : total;
}

/**
 * The site's figures made of the states of entities, for as long as nothing is live: without circuits, without chargers.
 *
 * Powers in W, grid +import, battery +discharge. What the house draws is the rest where no entity tells it.
 */
export function fromStates(home: Home, hass: States): Live {
  const { figures, manager } = home;
  const grid = sum(hass, parts(home, "grid_power"));
  const battery = sum(hass, parts(home, "battery_power"));
  const pv = sum(
    hass,
    figures.pv_power.map((id) => ({ id, sign: 1 })),
  );
  const perCharger = home.chargers.map(({ entities }) => figure(hass, entities["sensor.power"]));
  const cars = figure(hass, figures.charging_power) ?? perCharger.reduce<number>((total, one) => total + (one ?? 0), 0);
  const sources = [
    grid,
    ...(figures.pv_power.length > 0 ? [pv] : []),
    ...(figures.battery_power.length > 0 ? [battery] : []),
  ];
  const rest = sources.includes(null) ? null : sources.reduce<number>((total, one) => total + (one ?? 0), -cars);
  const soc = figure(hass, figures.battery_soc);
  const word = (id: string | undefined): string => {
    const state = id === undefined ? undefined : hass.states[id]?.state;
    return state === undefined || state === "unavailable" ? "unknown" : state;
  };
  return {
    site: {
      status: word(manager?.entities["sensor.state"]),
      mode: word(manager?.entities["select.charge_mode"]),
      dimmed: word(manager?.entities["binary_sensor.dimmed"]) === "on",
      surplus: {
        surplus_w: figure(hass, figures.surplus),
        target_grid_w: 0,
        grid_w: grid,
        pv_w: pv,
        battery_w: battery,
        battery_soc: soc === null ? null : soc * 100,
        chargers_w: cars,
        house_w: figure(hass, figures.house_power) ?? rest,
      },
      circuits: [],
    },
    chargers: [],
  };
}
