import type { Home, Live } from "../../model";
import { SOURCES, type Source, type Split, split } from "./flow-split";

export type NodeKind = "pv" | "grid" | "battery" | "house" | "cars";
/** In words what a node does now; "unknown" while its figure is. */
export type Doing =
  | "producing"
  | "import"
  | "export"
  | "balanced"
  | "charging"
  | "discharging"
  | "idle"
  | "consuming"
  | "feeding"
  | "unmetered"
  | "unknown";

/** What flows in a line from one source, in W; "unknown" where nobody can tell from which. */
export interface Band {
  source: Source | "unknown";
  watts: number;
}

/** One end of the power flow. */
export interface FlowNode {
  kind: NodeKind;
  /** W: grid +import, battery +discharge, PV +production, house and cars +consumption; null = not known. */
  watts: number | null;
  doing: Doing;
  /** Where its line leads. */
  toward: "hub" | "node" | "nowhere";
  /** What flows in its line, none where nothing does. */
  bands: Band[];
  /** Whose details a click opens. */
  entity: string | null;
  /** Where it stands: 0..1 of the free width and height. */
  x: number;
  y: number;
}

/** Below so many W nothing flows that is worth a line: meters are not that good. */
const IDLE = 10;

/** Powers, the battery's charge and how many cars charge: all of a `Live` that the flow shows. */
export interface FlowFigures {
  surplus: Live["site"]["surplus"];
  /** null = no charger says what it does. */
  charging: number | null;
}

/** Returns what the flow shows of the live figures. */
export function flowFigures(live: Live): FlowFigures {
  const heard = live.chargers.filter((charger) => charger.measured?.online);
  const charging = heard.filter((charger) => charger.measured?.car === "charging").length;
  return { surplus: live.site.surplus, charging: heard.length > 0 ? charging : null };
}

const ORDER = ["pv", "house", "cars", "battery", "grid"] as const satisfies readonly NodeKind[];
const DOING: Record<NodeKind, Record<FlowNode["toward"], Doing>> = {
  pv: { hub: "producing", node: "consuming", nowhere: "idle" },
  house: { hub: "feeding", node: "consuming", nowhere: "idle" },
  cars: { hub: "feeding", node: "charging", nowhere: "idle" },
  battery: { hub: "discharging", node: "charging", nowhere: "idle" },
  grid: { hub: "import", node: "export", nowhere: "balanced" },
};

type Place = readonly [x: number, y: number];
const SIDES: Partial<Record<NodeKind, Place>> = { grid: [0, 0.5], house: [1, 0.5] };
const PENTAGON: Record<NodeKind, Place> = {
  pv: [0.5, 0],
  house: [1, 0.4],
  cars: [0.84, 1],
  battery: [0.16, 1],
  grid: [0, 0.4],
};
/** Above and below the surplus, by which of PV, battery and cars there are. */
const PLACES: Record<string, Partial<Record<NodeKind, Place>>> = {
  "pv battery cars": PENTAGON,
  "pv cars": { ...SIDES, pv: [0.5, 0], cars: [0.5, 1] },
  "pv battery": { ...SIDES, pv: [0.5, 0], battery: [0.5, 1] },
  "battery cars": { ...SIDES, battery: [0.5, 0], cars: [0.5, 1] },
  pv: { ...SIDES, pv: [0.5, 0] },
  battery: { ...SIDES, battery: [0.5, 1] },
  cars: { grid: [0, 0.5], house: [1, 0.1], cars: [1, 0.9] },
  "": SIDES,
};

/** Returns the nodes that the site has, clockwise from the top, and where they stand. */
export function flowNodes(home: Home, { surplus }: FlowFigures): FlowNode[] {
  const { figures } = home;
  const has = {
    pv: surplus.pv_w !== null || figures.pv_power.length > 0,
    battery:
      surplus.battery_w !== null || figures.battery_power.length > 0 || home.inverters.some((one) => one.has_battery),
    cars: home.chargers.length > 0,
  };
  const places = PLACES[(["pv", "battery", "cars"] as const).filter((kind) => has[kind]).join(" ")] ?? PENTAGON;
  // Where the battery's part is not known, nobody knows what feeds the cars.
  const fed = has.battery && surplus.battery_w === null ? null : split(surplus);
  const all: Record<NodeKind, [watts: number | null, entity: string | null | undefined]> = {
    pv: [surplus.pv_w, figures.pv_power[0]],
    house: [surplus.house_w, figures.house_power],
    cars: [surplus.chargers_w, figures.charging_power],
    battery: [surplus.battery_w, figures.battery_power[0] ?? figures.battery_soc],
    grid: [surplus.grid_w, figures.grid_power[0]],
  };
  return ORDER.flatMap((kind) => {
    const [place, [watts, entity]] = [places[kind], all[kind]];
    if (place === undefined) return [];
    const gives = watts === null || Math.abs(watts) < IDLE ? 0 : kind === "house" || kind === "cars" ? -watts : watts;
    const toward = gives > 0 ? "hub" : gives < 0 ? "node" : "nowhere";
    const metered = kind !== "grid" || figures.grid_power.length > 0;
    const doing = watts === null ? (metered ? "unknown" : "unmetered") : DOING[kind][toward];
    return {
      kind,
      watts,
      doing,
      toward,
      bands: bands(kind, gives, fed),
      entity: entity ?? null,
      x: place[0],
      y: place[1],
    };
  });
}

function bands(kind: NodeKind, gives: number, fed: Split | null): Band[] {
  if (gives > 0) return [{ source: kind === "grid" || kind === "battery" ? kind : "pv", watts: gives }];
  if (gives === 0) return [];
  const parts = fed === null || kind === "pv" ? undefined : fed[kind];
  const known = parts === undefined ? [] : SOURCES.map((source) => ({ source, watts: parts[source] }));
  const worth = known.filter(({ watts }) => watts >= IDLE);
  return worth.length > 0 ? worth : [{ source: "unknown", watts: -gives }];
}
