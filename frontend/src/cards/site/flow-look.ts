import type { Band, Doing, FlowNode, NodeKind } from "./flow-nodes";

/** A line of a band: how thick, and how far its dots are from each other, in px. */
export interface Stroke {
  thickness: number;
  apart: number;
}

/** From so many W on there are more dots. A few steps only: dots jump where their number changes. */
const DISTANCES: readonly [watts: number, px: number][] = [
  [5000, 16],
  [1200, 24],
];

/** Returns how a power of so many W is drawn; what is much is thick and has many dots. */
export function stroke(watts: number): Stroke {
  const thickness = Math.min(2 + Math.sqrt(watts / 11_000) * 6, 8);
  return { thickness: Math.round(thickness * 2) / 2, apart: DISTANCES.find(([from]) => watts >= from)?.[1] ?? 48 };
}

const COLOURS: Record<Band["source"], string> = {
  pv: "var(--pvlm-pv)",
  battery: "var(--pvlm-battery)",
  grid: "var(--pvlm-grid)",
  unknown: "var(--pvlm-soft)",
};

/** The colour of a source. */
export const colour = (source: Band["source"]): string => COLOURS[source];

/** The colour of a node itself: what gives has that of its power, the grid tells import from export. */
export function nodeColour(kind: NodeKind, doing: Doing): string | undefined {
  if (kind === "grid" && doing === "export") return "var(--pvlm-export)";
  return kind === "house" || kind === "cars" ? undefined : COLOURS[kind];
}

/** Returns the ring around what takes power: a colour for each source, in 2 % steps; undefined where nothing flows in. */
export function ring({ toward, bands }: Pick<FlowNode, "toward" | "bands">): string | undefined {
  if (toward !== "node") return undefined;
  const all = bands.reduce((sum, band) => sum + band.watts, 0);
  let at = 0;
  const pieces = bands.map(({ source, watts }, index) => {
    const from = at;
    at = index === bands.length - 1 ? 100 : from + Math.round((watts / all) * 50) * 2;
    return `${COLOURS[source]} ${from}% ${at}%`;
  });
  return `conic-gradient(${pieces.join(", ")})`;
}

/** Whole % of each source that gives at least 1 %, together 100; empty where nobody can tell. */
export function shares(bands: readonly Band[]): { source: Band["source"]; percent: number }[] {
  if (bands.some(({ source }) => source === "unknown")) return [];
  const all = bands.reduce((sum, band) => sum + band.watts, 0);
  const parts = bands.map(({ source, watts }) => ({ source, percent: Math.round((watts / all) * 100) }));
  const largest = parts.reduce<(typeof parts)[number] | undefined>(
    (most, part) => (most === undefined || part.percent > most.percent ? part : most),
    undefined,
  );
  if (largest !== undefined) largest.percent += 100 - parts.reduce((sum, part) => sum + part.percent, 0);
  return parts.filter(({ percent }) => percent > 0);
}
