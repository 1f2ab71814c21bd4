/**
 * Which source feeds which sink. All powers in W.
 *
 * The cars' parts are what `control/sessions.py` (`sources_of`) counts for a session, so that the picture and the solar
 * share of a session agree: what is taken from the grid, and then from the house battery, is there for the cars, because
 * it would not be taken without them.
 */

export type Source = "pv" | "battery" | "grid";
export const SOURCES: readonly Source[] = ["pv", "battery", "grid"];
/** W from each source. */
export type Parts = Readonly<Record<Source, number>>;

export interface Powers {
  pv_w: number | null;
  /** Import +. */
  grid_w: number | null;
  /** Discharge +. */
  battery_w: number | null;
  house_w: number | null;
  chargers_w: number;
}

/** What feeds each sink; `grid` is the export, `battery` what charges it. */
export interface Split {
  house: Parts;
  cars: Parts;
  battery: Parts;
  grid: Parts;
}

const NOTHING: Parts = { pv: 0, battery: 0, grid: 0 };

export const total = (parts: Parts): number => parts.pv + parts.battery + parts.grid;

/**
 * Returns what feeds what, null where nobody knows what flows over the grid.
 *
 * A house that gives more than it takes (a roof that nobody measures) is sun like any other. What does not add up, as
 * meters are never read in the same moment, feeds nothing.
 */
export function split(powers: Powers): Split | null {
  const { pv_w, grid_w, battery_w, house_w, chargers_w } = powers;
  if (grid_w === null) return null;
  const discharge = Math.max(battery_w ?? 0, 0);
  const cars = Math.max(chargers_w, 0);
  const ofGrid = Math.min(Math.max(grid_w, 0), cars);
  const ofBattery = Math.min(discharge, cars - ofGrid);
  const fromCars: Parts = { grid: ofGrid, battery: ofBattery, pv: cars - ofGrid - ofBattery };
  if (house_w === null) return { house: NOTHING, cars: fromCars, battery: NOTHING, grid: NOTHING };
  const left: Record<Source, number> = {
    pv: Math.max((pv_w ?? 0) + Math.max(-house_w, 0) - fromCars.pv, 0),
    battery: discharge - ofBattery,
    grid: Math.max(grid_w, 0) - ofGrid,
  };
  return {
    cars: fromCars,
    house: take(left, house_w),
    battery: take(left, -(battery_w ?? 0), ["pv", "grid"]),
    grid: take(left, -grid_w, ["pv", "battery"]),
  };
}

/** Takes a power out of what is left of the sources, in their order. */
function take(left: Record<Source, number>, watts: number, sources: readonly Source[] = SOURCES): Parts {
  const taken = { ...NOTHING };
  let missing = Math.max(watts, 0);
  for (const source of sources) {
    taken[source] = Math.min(left[source], missing);
    left[source] -= taken[source];
    missing -= taken[source];
  }
  return taken;
}
