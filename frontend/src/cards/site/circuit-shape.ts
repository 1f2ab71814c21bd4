import type { Home, HomeCircuit, LiveCircuit, PerPhase } from "../../model";

/** One phase of a circuit; all in A. */
export interface PhaseBar {
  phase: number;
  /** What everything but our chargers draws, below 0 where it feeds in; null = nobody measures that. */
  house: number | null;
  /** What our chargers draw. */
  drawn: number;
  /** What they may draw, but do not. */
  spare: number;
  /** What is free for more. */
  free: number;
  /** What loads the conductors: house and chargers. */
  used: number;
  /** End of the scale. */
  scale: number;
}

/** One circuit with its place in the tree. */
export interface CircuitShape {
  circuit: LiveCircuit;
  /** 0 = the house connection. */
  depth: number;
  rated: number;
  phases: PhaseBar[];
  /** What flows on the fullest phase, 0.. of the rating, as the sensor of its utilisation counts it. */
  utilisation: number | null;
  /** On how many A the fullest phase lies above the limit, 0 where none does. */
  over: number;
}

/** So many A are no matter of rounding, nor of a car that takes a little less than it may. */
const TELLING = 0.5;

const at = (currents: PerPhase | null, phase: number): number | null => currents?.[phase - 1] ?? null;

/** Returns the bars of one circuit. */
export function shapeOf(circuit: LiveCircuit, depth: number, home: HomeCircuit | undefined): CircuitShape {
  const rated = circuit.rated_a ?? home?.rated_a ?? circuit.limit_a;
  const phases = (home?.phases ?? circuit.drawn_a.map((_, index) => index + 1)).map((phase): PhaseBar => {
    const house = at(circuit.house_a, phase);
    const drawn = at(circuit.drawn_a, phase) ?? 0;
    const used = Math.max(house ?? 0, 0) + drawn;
    const spare = (at(circuit.chargers_a, phase) ?? 0) - drawn;
    return {
      phase,
      house,
      drawn,
      spare: spare > TELLING ? spare : 0,
      free: Math.max(at(circuit.free_a, phase) ?? 0, 0),
      used,
      scale: Math.max(rated, circuit.limit_a, used, 1),
    };
  });
  const flows = phases.map(({ house, drawn }) => Math.abs((house ?? 0) + drawn));
  const over = Math.max(0, ...phases.map(({ used }) => used)) - circuit.limit_a;
  return {
    circuit,
    depth,
    rated,
    phases,
    utilisation: rated > 0 && flows.length > 0 ? Math.max(...flows) / rated : null,
    over: over > TELLING ? over : 0,
  };
}

/** Returns circuits as a tree read line by line: each one right below its parent, in the order in which they came. */
export function circuitTree(circuits: readonly LiveCircuit[]): { circuit: LiveCircuit; depth: number }[] {
  const ids = new Set(circuits.map(({ id }) => id));
  const below = new Map<string | null, LiveCircuit[]>();
  for (const circuit of circuits) {
    const parent = circuit.parent !== null && ids.has(circuit.parent) ? circuit.parent : null;
    below.set(parent, [...(below.get(parent) ?? []), circuit]);
  }
  const seen = new Set<string>();
  const walk = (parent: string | null, depth: number): { circuit: LiveCircuit; depth: number }[] =>
    (below.get(parent) ?? []).flatMap((circuit) => {
      if (seen.has(circuit.id)) return [];
      seen.add(circuit.id);
      return [{ circuit, depth }, ...walk(circuit.id, depth + 1)];
    });
  const found = walk(null, 0);
  // Two that are each other's parents hang on nothing.
  return [...found, ...circuits.filter(({ id }) => !seen.has(id)).map((circuit) => ({ circuit, depth: 0 }))];
}

/** What of a circuit opens on a click: how full it is, or what is free, whichever entity is enabled. */
export function circuitEntity(home: Pick<Home, "manager">, id: string): string | undefined {
  const entities = home.manager?.entities ?? {};
  return entities[`sensor.utilisation_${id}`] ?? entities[`sensor.free_current_${id}`];
}

/** Left edge and width of each part of a bar, in % of its scale; what does not fit is cut off at its end. */
export function segments(
  bar: PhaseBar,
): { kind: "house" | "chargers" | "spare" | "free"; left: number; width: number }[] {
  let from = 0;
  const parts = [
    ["house", Math.max(bar.house ?? 0, 0)],
    ["chargers", bar.drawn],
    ["spare", bar.spare],
    ["free", bar.free],
  ] as const;
  return parts.map(([kind, amps]) => {
    const left = Math.min((from / bar.scale) * 100, 100);
    from += amps;
    const width = Math.min((from / bar.scale) * 100, 100) - left;
    return { kind, left: Math.round(left * 10) / 10, width: Math.round(width * 10) / 10 };
  });
}
