import type { HassEntity } from "./ha/types";

/** What a unit is worth in A, W, Wh or a part of one: users may choose other units for a sensor. */
const WORTH: Record<string, number> = {
  mA: 1e-3,
  A: 1,
  mW: 1e-3,
  W: 1,
  kW: 1e3,
  MW: 1e6,
  GW: 1e9,
  Wh: 1,
  kWh: 1e3,
  MWh: 1e6,
  J: 1 / 3600,
  kJ: 1 / 3.6,
  MJ: 1e3 / 3.6,
  GJ: 1e6 / 3.6,
  "%": 0.01,
};

/** What the unit of a sensor is worth in A, W, Wh or a part of one; undefined = not known here. */
export const worthOf = (entity: HassEntity | undefined): number | undefined =>
  WORTH[String(entity?.attributes.unit_of_measurement)];

/** The figure of a sensor in A, W, Wh, or 0..1; null where it has none or a unit that is not known here. */
export function quantity(entity: HassEntity | undefined): number | null {
  // "unavailable" and "unknown" are no numbers; an empty state must not become 0.
  const value = Number(entity?.state || Number.NaN) * (worthOf(entity) ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
