import { afterEach, describe, expect, it, vi } from "vitest";
import { circuitEntity, circuitTree, segments, shapeOf } from "../src/cards/site/circuit-shape";
import { Circuits } from "../src/cards/site/circuits";
import type { HomeAssistant } from "../src/ha/types";
import type { Home, HomeCircuit, LiveCircuit } from "../src/model";

const circuit = (id: string, values: Partial<LiveCircuit> = {}): LiveCircuit => ({
  id,
  name: `Circuit ${id}`,
  parent: id === "root" ? null : "root",
  stage: "fresh",
  rated_a: 35,
  limit_a: 35,
  house_a: [12, -4, 2],
  chargers_a: [10, 16, 0],
  drawn_a: [9.8, 10, 0],
  free_a: [13, 19, 33],
  ...values,
});

const known = (id: string, phases = [1, 2, 3]): HomeCircuit => ({
  id,
  name: id,
  parent: null,
  rated_a: 35,
  phases,
  chargers: [],
});

describe("shape", () => {
  it("has what the house and the cars draw, what they may, and what is free", () => {
    const { phases, over } = shapeOf(circuit("root"), 0, known("root"));
    expect(phases[0]).toEqual({ phase: 1, house: 12, drawn: 9.8, spare: 0, free: 13, used: 21.8, scale: 35 });
    expect(phases[1]).toEqual({ phase: 2, house: -4, drawn: 10, spare: 6, free: 19, used: 10, scale: 35 });
    expect(over).toBe(0);
  });

  it("counts the utilisation as the sensor does: what flows, in whatever direction, of the rating", () => {
    expect(shapeOf(circuit("root"), 0, known("root")).utilisation).toBeCloseTo(21.8 / 35);
    const exporting = circuit("root", { house_a: [-28, 0, 0], drawn_a: [0, 5, 5], limit_a: 20 });
    expect(shapeOf(exporting, 0, known("root")).utilisation).toBeCloseTo(28 / 35);
  });

  it("shows only the phases that there are, and circuits that only the live figures know", () => {
    expect(shapeOf(circuit("a"), 1, known("a", [2])).phases.map(({ phase }) => phase)).toEqual([2]);
    const alone = shapeOf(circuit("a", { rated_a: null, limit_a: 16 }), 1, undefined);
    expect([alone.rated, alone.phases.length]).toEqual([16, 3]);
  });

  it("says how far a circuit is above its limit, but nothing of rounding", () => {
    const lowered = (limit_a: number) => shapeOf(circuit("root", { limit_a }), 0, known("root")).over;
    expect(lowered(20)).toBeCloseTo(1.8);
    expect(lowered(21.5)).toBe(0);
  });

  it("knows nothing of the house without a meter", () => {
    const [phase] = shapeOf(circuit("a", { house_a: null }), 1, known("a")).phases;
    expect([phase?.house, phase?.used]).toEqual([null, 9.8]);
  });
});

describe("segments", () => {
  it("lie side by side and never outside the bar", () => {
    for (const house of [-20, 0, 12, 40, null]) {
      for (const drawn of [0, 10, 50]) {
        const bar = shapeOf(circuit("root", { house_a: [house, 0, 0], drawn_a: [drawn, 0, 0] }), 0, known("root"));
        const [first] = bar.phases;
        if (first === undefined) throw new Error("there is a phase");
        let end = 0;
        for (const { left, width } of segments(first)) {
          expect(left).toBeCloseTo(end, 0);
          expect(width).toBeGreaterThanOrEqual(0);
          end = left + width;
          expect(end).toBeLessThanOrEqual(100.1);
        }
      }
    }
  });

  it("have the widths of their currents", () => {
    const bar = { phase: 1, house: 10, drawn: 5, spare: 5, free: 15, used: 15, scale: 40 };
    expect(segments(bar)).toEqual([
      { kind: "house", left: 0, width: 25 },
      { kind: "chargers", left: 25, width: 12.5 },
      { kind: "spare", left: 37.5, width: 12.5 },
      { kind: "free", left: 50, width: 37.5 },
    ]);
  });
});

describe("tree", () => {
  it("has each circuit below its parent", () => {
    const circuits = [circuit("root"), circuit("b"), circuit("a"), circuit("a1", { parent: "a" }), circuit("c")];
    const tree = circuitTree([...circuits].reverse());
    expect(tree.map(({ circuit: one, depth }) => `${depth}${one.id}`)).toEqual(["0root", "1c", "1a", "2a1", "1b"]);
  });

  it("loses no circuit whose parent is gone, and ends where two are each other's", () => {
    const orphan = circuitTree([circuit("root"), circuit("x", { parent: "gone" })]);
    expect(orphan.map(({ circuit: one, depth }) => `${depth}${one.id}`)).toEqual(["0root", "0x"]);
    const circular = [circuit("root"), circuit("x", { parent: "y" }), circuit("y", { parent: "x" })];
    expect(circuitTree(circular).map(({ circuit: one }) => one.id)).toEqual(["root", "x", "y"]);
  });
});

it("opens how full a circuit is, or else what is free", () => {
  const manager = (entities: Record<string, string>) => ({ manager: { entities } }) as unknown as Home;
  const both = manager({ "sensor.utilisation_a": "sensor.u", "sensor.free_current_a": "sensor.f" });
  expect(circuitEntity(both, "a")).toBe("sensor.u");
  expect(circuitEntity(manager({ "sensor.free_current_a": "sensor.f" }), "a")).toBe("sensor.f");
  expect(circuitEntity({ manager: null }, "a")).toBeUndefined();
});

describe("element", () => {
  if (customElements.get("test-circuits") === undefined) customElements.define("test-circuits", Circuits);
  afterEach(() => document.body.replaceChildren());

  const locale = { language: "en", number_format: "language", time_format: "language", time_zone: "local" };
  const hass = (language = "en") => ({ states: {}, language, locale }) as unknown as HomeAssistant;

  async function shown(circuits: LiveCircuit[], more: Partial<Circuits> = {}): Promise<Circuits> {
    const element = document.createElement("test-circuits") as Circuits;
    const home = {
      manager: { entities: { "sensor.utilisation_root": "sensor.full" } },
      circuits: circuits.map(({ id }) => known(id)),
    };
    Object.assign(element, { hass: hass(), home, circuits, ...more });
    document.body.append(element);
    await element.updateComplete;
    return element;
  }

  const all = (element: Circuits, selector: string): Element[] => [
    ...(element.shadowRoot?.querySelectorAll(selector) ?? []),
  ];
  const find = (element: Circuits, selector: string): Element => {
    const [found] = all(element, selector);
    if (!found) throw new Error(`there is no ${selector}`);
    return found;
  };

  it("shows a bar for each phase, with its figures for tests and screen readers", async () => {
    const element = await shown([circuit("root")]);
    const values = all(element, "[data-circuit=root] [data-phase='2'] [data-segment]").map((part) => [
      part.getAttribute("data-segment"),
      part.getAttribute("data-value"),
    ]);
    expect(values).toEqual([
      ["house", "-4"],
      ["chargers", "10"],
      ["spare", "6"],
      ["free", "19"],
    ]);
    const spoken = all(element, ".phases .visually-hidden, .phases .number:not(em)").map((part) => part.textContent);
    expect(spoken.join(" ")).toBe(
      "Circuit root:  12 A house, 10 A cars, 13 A free;  22 / 35 A 4 A own power, 10 A cars, 19 A free;  10 / 35 A " +
        "2 A house, 0 A cars, 33 A free;  2 / 35 A",
    );
    expect(find(element, "[data-phase='2'] em").textContent).toBe("4 A own power");
    const opened: unknown[] = [];
    element.addEventListener("hass-more-info", (event) => opened.push((event as CustomEvent).detail));
    find(element, "button.phases").dispatchEvent(new Event("click"));
    expect(opened).toEqual([{ entityId: "sensor.full" }]);
  });

  it("gives what feeds others a line of its own", async () => {
    const element = await shown([circuit("root"), circuit("a"), circuit("b", { parent: "a" }), circuit("c")]);
    expect(all(element, ".feeding").map((item) => item.getAttribute("data-circuit"))).toEqual(["root", "a"]);
  });

  it("says what is not as usual", async () => {
    const noteOf = async (values: Partial<LiveCircuit>, more: Partial<Circuits> = {}) => {
      const element = await shown([circuit("root", values)], more);
      return find(element, "[data-part=note]").textContent?.trim();
    };
    expect(await noteOf({})).toBe("");
    expect(await noteOf({ limit_a: 25 }, { dimmed: true })).toBe("limit 25 of 35 A · dimmed by the grid operator");
    expect(await noteOf({ limit_a: 20 })).toBe("1.8 A above the limit · limit 20 of 35 A");
    expect(await noteOf({ stage: "dead" })).toContain("Meter lost");
    expect(await noteOf({ house_a: null })).toContain("no meter");
    expect(await noteOf({ stage: "stale" }, { hass: hass("de") })).toContain("Zähler verspätet");
    const marked = await shown([circuit("root", { limit_a: 25 })]);
    expect(all(marked, "i.mark")).toHaveLength(3);
  });

  it("folds many circuits, with their fullest phase, and opens them on demand", async () => {
    const many = Array.from({ length: 8 }, (_, index) => circuit(`c${index}`));
    const element = await shown([circuit("root"), ...many]);
    expect(all(element, "li")).toHaveLength(9);
    expect(all(element, "[data-phase]")).toHaveLength(3);
    expect(find(element, "[data-circuit=c0] .percent").textContent).toBe("62 %");
    const head = find(element, "[data-circuit=c3] button.head");
    expect(head.getAttribute("aria-expanded")).toBe("false");
    head.dispatchEvent(new Event("click"));
    await element.updateComplete;
    expect(head.getAttribute("aria-expanded")).toBe("true");
    expect(all(element, "[data-circuit=c3] [data-phase]")).toHaveLength(3);
    expect(all(element, "[data-phase]")).toHaveLength(6);
  });

  it("renders only the circuits that are others", async () => {
    const circuits = [circuit("root"), circuit("a")];
    const element = await shown(circuits);
    const sentence = vi.spyOn(element as unknown as { sentence(): string }, "sentence");
    element.circuits = [circuits[0] as LiveCircuit, circuit("a", { drawn_a: [1, 1, 1] })];
    await element.updateComplete;
    expect(sentence).toHaveBeenCalledTimes(3);
    expect(find(element, "[data-circuit=a] [data-segment=chargers]").getAttribute("data-value")).toBe("1");
  });
});
