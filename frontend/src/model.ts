/**
 * What the integration sends; the shapes are documented in `websocket.py`.
 * Currents in A per grid phase, powers in W: grid +import, battery +discharge; null = not known.
 */

export type PerPhase = readonly (number | null)[];

/** When it was sent, ISO 8601. */
export interface Dated {
  at?: string;
}

export interface Surplus {
  surplus_w: number | null;
  target_grid_w: number;
  grid_w: number | null;
  pv_w: number | null;
  battery_w: number | null;
  /** % */
  battery_soc: number | null;
  chargers_w: number;
  /** Everything but our chargers. */
  house_w: number | null;
}

export interface LiveCircuit {
  id: string;
  name: string;
  parent: string | null;
  stage: string;
  rated_a: number | null;
  limit_a: number;
  house_a: PerPhase | null;
  /** What our chargers may draw. */
  chargers_a: PerPhase;
  /** What our chargers draw. */
  drawn_a: PerPhase;
  free_a: PerPhase;
}

export interface LiveSite {
  status: string;
  mode: string;
  dimmed: boolean;
  surplus: Surplus;
  circuits: LiveCircuit[];
}

export interface LiveCharger {
  /** Serial number. */
  charger: string;
  name: string;
  reason: string;
  /** The reason in words, without the countdown. */
  text: string;
  numbers: Record<string, number | string | null>;
  circuit: { id: string; name: string } | null;
  /** ISO 8601: when the reason may let something change. */
  next_change: string | null;
  allocated: { charge: boolean; current_a: number; phases: number } | null;
  measured: {
    online: boolean;
    car: string;
    charge_released: boolean;
    offered_a: number | null;
    phases: number | null;
    /** Per phase of the charger, not of the grid. */
    currents_a: PerPhase;
    power_w: number | null;
  } | null;
  mode: { chosen: string; in_force: string; from_site: boolean; until: string | null } | null;
  /** The grid phase (1..3) of its L1, L2, L3. */
  rotation: readonly number[] | null;
  override: { current_a: number; until: string | null; energy_left_wh: number | null } | null;
  session: { energy_wh: number | null; solar_share: number | null } | null;
  limits: { minimum_a: number; maximum_a: number } | null;
}

export interface Live extends Dated {
  site: LiveSite;
  chargers: LiveCharger[];
}

export interface Owner {
  entry_id: string;
  device_id: string | null;
  name: string;
  /** State of the config entry: "loaded", "setup_retry", ... */
  state: string;
  disabled: boolean;
  /** Why its set-up failed, translated. */
  reason: string | null;
  /** Entity ids by "<domain>.<key>"; disabled entities are left out. */
  entities: Record<string, string>;
}

export interface HomeCharger extends Owner {
  serial: string;
}

export interface HomeInverter extends Owner {
  serial: string;
  has_battery: boolean;
}

export interface HomeCircuit {
  id: string;
  name: string;
  parent: string | null;
  rated_a: number;
  phases: number[];
  /** Serial numbers of the chargers directly below it. */
  chargers: string[];
}

export interface Figures {
  surplus: string | null;
  charging_power: string | null;
  house_power: string | null;
  /** Several are to be added up. */
  grid_power: string[];
  pv_power: string[];
  battery_power: string[];
  battery_soc: string | null;
}

/** Everything of the integration in this Home Assistant, found by registry. */
export interface Home extends Dated {
  manager: Owner | null;
  chargers: HomeCharger[];
  inverters: HomeInverter[];
  figures: Figures;
  /** What is to be taken off what `figures` add up to, where a meter shows both directions apart. */
  minus: { grid_power: string[]; battery_power: string[] };
  /** What the difference has to be multiplied with: grid +import, battery +discharge. */
  signs: { grid_power: 1 | -1; battery_power: 1 | -1 };
  circuits: HomeCircuit[];
}
