import { afterEach, describe, expect, it, vi } from "vitest";
import { PowerFlow } from "../src/cards/site/flow";
import { nodeColour, ring, shares, stroke } from "../src/cards/site/flow-look";
import { flowFigures, flowNodes } from "../src/cards/site/flow-nodes";
import { type Powers, SOURCES, split, total } from "../src/cards/site/flow-split";
import type { HomeAssistant } from "../src/ha/types";
import type { Home, Live, Surplus } from "../src/model";
import { share } from "../src/share";

const FIGURES = {
  surplus: "sensor.surplus",
  charging_power: "sensor.charging",
  house_power: null,
  grid_power: ["sensor.grid"],
  pv_power: ["sensor.pv"],
  battery_power: ["sensor.battery"],
  battery_soc: "sensor.soc",
};

const home = (figures: Partial<Home["figures"]> = {}, chargers = 2, battery = false): Home =>
  ({
    manager: null,
    chargers: Array.from({ length: chargers }, (_, index) => ({ serial: `${index}` })),
    inverters: [{ serial: "i", has_battery: battery }],
    figures: { ...FIGURES, ...figures },
    circuits: [],
  }) as unknown as Home;

const surplus = (values: Partial<Surplus> = {}): Surplus => ({
  surplus_w: 6600,
  target_grid_w: 0,
  grid_w: -1100,
  pv_w: 9200,
  battery_w: -1500,
  battery_soc: 50.6,
  chargers_w: 5600,
  house_w: 1000,
  ...values,
});

const live = (values: Partial<Surplus> = {}, ...cars: string[]): Live =>
  ({
    site: { surplus: surplus(values), circuits: [] },
    chargers: cars.map((car) => ({ measured: { online: car !== "offline", car } })),
  }) as unknown as Live;

const powers = (pv_w: number, grid_w: number, battery_w: number, chargers_w: number): Powers => ({
  pv_w,
  grid_w,
  battery_w,
  chargers_w,
  house_w: pv_w + grid_w + battery_w - chargers_w,
});

/** `sources_of` of control/sessions.py. */
function sourcesOf(chargers: number, gridPower: number, batteryPower: number): [number, number, number] {
  const grid = Math.min(Math.max(gridPower, 0), chargers);
  const battery = Math.min(Math.max(batteryPower, 0), chargers - grid);
  return [(chargers - grid - battery) / chargers, battery / chargers, grid / chargers];
}

describe("split", () => {
  it("gives the sun to all while it suffices", () => {
    const parts = split(powers(9200, -1100, -1500, 5600));
    expect(parts?.house).toEqual({ pv: 1000, battery: 0, grid: 0 });
    expect(parts?.cars).toEqual({ pv: 5600, battery: 0, grid: 0 });
    expect(parts?.battery).toEqual({ pv: 1500, battery: 0, grid: 0 });
    expect(parts?.grid).toEqual({ pv: 1100, battery: 0, grid: 0 });
  });

  it("serves the house first: what comes from the grid and the battery is there for the cars", () => {
    const parts = split(powers(2000, 3000, 1000, 5000));
    expect(parts?.cars).toEqual({ pv: 1000, battery: 1000, grid: 3000 });
    expect(parts?.house).toEqual({ pv: 1000, battery: 0, grid: 0 });
    const night = split(powers(0, 7400, 2400, 9000));
    expect(night?.cars).toEqual({ pv: 0, battery: 1600, grid: 7400 });
    expect(night?.house).toEqual({ pv: 0, battery: 800, grid: 0 });
  });

  it("charges the battery from the sun first, and exports what it gives", () => {
    expect(split(powers(1000, 1500, -2000, 0))?.battery).toEqual({ pv: 500, battery: 0, grid: 1500 });
    expect(split(powers(500, -800, 1000, 0))?.grid).toEqual({ pv: 0, battery: 800, grid: 0 });
  });

  it("agrees with the sources of a session, and loses nothing, whatever flows", () => {
    for (const pv of [0, 700, 4000, 9000]) {
      for (const battery of [-3000, -200, 0, 900, 4000]) {
        for (const cars of [1, 1400, 7000]) {
          for (const house of [0, 350, 2500]) {
            const grid = house + cars - pv - battery;
            const parts = split(powers(pv, grid, battery, cars));
            if (parts === null) throw new Error("the grid is known");
            const shares = SOURCES.map((source) => parts.cars[source] / cars);
            for (const [index, share] of sourcesOf(cars, grid, battery).entries()) {
              expect(shares[index]).toBeCloseTo(share, 9);
            }
            expect(total(parts.house)).toBeCloseTo(house, 6);
            expect(total(parts.cars)).toBeCloseTo(cars, 6);
            expect(total(parts.battery)).toBeCloseTo(Math.max(-battery, 0), 6);
            expect(total(parts.grid)).toBeCloseTo(Math.max(-grid, 0), 6);
            const given = SOURCES.map((source) =>
              [parts.house, parts.cars, parts.battery, parts.grid].reduce((sum, part) => sum + part[source], 0),
            );
            expect(given[0]).toBeCloseTo(pv, 6);
            expect(given[1]).toBeCloseTo(Math.max(battery, 0), 6);
            expect(given[2]).toBeCloseTo(Math.max(grid, 0), 6);
          }
        }
      }
    }
  });

  it("tells nothing without a grid meter, and only of the cars without the house", () => {
    expect(split({ ...powers(5000, 0, 0, 3000), grid_w: null })).toBeNull();
    const parts = split({ pv_w: null, grid_w: 1000, battery_w: null, house_w: null, chargers_w: 3000 });
    expect(parts?.cars).toEqual({ pv: 2000, battery: 0, grid: 1000 });
    expect(total(parts?.house ?? { pv: 1, battery: 1, grid: 1 })).toBe(0);
  });

  it("takes a house that gives for a roof that nobody measures", () => {
    const parts = split({ pv_w: null, grid_w: -2000, battery_w: null, house_w: -5000, chargers_w: 3000 });
    expect(parts?.cars.pv).toBe(3000);
    expect(parts?.grid.pv).toBe(2000);
    expect(total(parts?.house ?? { pv: 1, battery: 1, grid: 1 })).toBe(0);
  });

  it("feeds nothing with what does not add up", () => {
    const parts = split({ pv_w: 1000, grid_w: -500, battery_w: 0, house_w: 900, chargers_w: 0 });
    expect(parts?.house.pv).toBe(900);
    expect(parts?.grid.pv).toBe(100);
  });
});

const kinds = (site: Home, values: Partial<Surplus> = {}): string[] =>
  flowNodes(site, flowFigures(live(values))).map(({ kind }) => kind);

describe("nodes", () => {
  it("are those that the site has", () => {
    expect(kinds(home())).toEqual(["pv", "house", "cars", "battery", "grid"]);
    const nothing = { pv_power: [], battery_power: [], battery_soc: null };
    const silent = { pv_w: null, battery_w: null };
    expect(kinds(home(nothing), silent)).toEqual(["house", "cars", "grid"]);
    expect(kinds(home(nothing, 0), silent)).toEqual(["house", "grid"]);
    expect(kinds(home(nothing, 2, true), silent)).toEqual(["house", "cars", "battery", "grid"]);
    expect(kinds(home(nothing), { battery_w: null })).toEqual(["pv", "house", "cars", "grid"]);
  });

  it("stand apart from each other and from the middle in every combination", () => {
    for (const pv of [true, false]) {
      for (const battery of [true, false]) {
        for (const cars of [0, 1]) {
          const site = home({ pv_power: pv ? ["a"] : [], battery_power: battery ? ["b"] : [] }, cars);
          const values = { pv_w: pv ? 1 : null, battery_w: battery ? 1 : null };
          const nodes = flowNodes(site, flowFigures(live(values)));
          expect(nodes).toHaveLength(2 + Number(pv) + Number(battery) + cars);
          const places = [{ x: 0.5, y: 0.5 }, ...nodes];
          for (const [index, one] of places.entries()) {
            for (const other of places.slice(index + 1)) {
              expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThan(0.4);
            }
          }
        }
      }
    }
  });

  const nodeOf = (kind: string, values: Partial<Surplus>, site = home()) => {
    const node = flowNodes(site, flowFigures(live(values))).find((one) => one.kind === kind);
    if (node === undefined) throw new Error(`there is no ${kind}`);
    return node;
  };

  it("say in words what they do, and where their line leads", () => {
    expect(nodeOf("grid", { grid_w: 2000 })).toMatchObject({ doing: "import", toward: "hub" });
    expect(nodeOf("grid", { grid_w: -2000 })).toMatchObject({ doing: "export", toward: "node" });
    expect(nodeOf("grid", { grid_w: 4 })).toMatchObject({ doing: "balanced", toward: "nowhere", bands: [] });
    expect(nodeOf("grid", { grid_w: null })).toMatchObject({ doing: "unknown", watts: null, bands: [] });
    expect(nodeOf("grid", { grid_w: null }, home({ grid_power: [] })).doing).toBe("unmetered");
    expect(nodeOf("battery", { battery_w: 900 })).toMatchObject({ doing: "discharging", toward: "hub" });
    expect(nodeOf("battery", { battery_w: -900 })).toMatchObject({ doing: "charging", toward: "node" });
    expect(nodeOf("house", { house_w: -900 })).toMatchObject({ doing: "feeding", toward: "hub" });
  });

  it("have a band for each source that gives something", () => {
    const night = { pv_w: 0, grid_w: 7400, battery_w: 2400, chargers_w: 9000, house_w: 800 };
    expect(nodeOf("cars", night).bands).toEqual([
      { source: "battery", watts: 1600 },
      { source: "grid", watts: 7400 },
    ]);
    expect(nodeOf("house", night).bands).toEqual([{ source: "battery", watts: 800 }]);
    expect(nodeOf("pv", night).bands).toEqual([]);
  });

  it("do not guess where a car's power comes from", () => {
    const unknown = [{ source: "unknown", watts: 5600 }];
    expect(nodeOf("cars", { grid_w: null }).bands).toEqual(unknown);
    expect(nodeOf("cars", { battery_w: null }).bands).toEqual(unknown);
  });

  it("count the cars that charge, of the chargers that are heard", () => {
    expect(flowFigures(live({}, "charging", "waiting", "charging")).charging).toBe(2);
    expect(flowFigures(live({}, "offline")).charging).toBeNull();
    expect(flowFigures(live({}, "no_car", "offline")).charging).toBe(0);
  });
});

describe("look", () => {
  it("is thicker and denser for more power, within limits", () => {
    const strokes = [10, 500, 2000, 5000, 11_000, 300_000].map(stroke);
    for (const [index, one] of strokes.slice(1).entries()) {
      expect(one.thickness).toBeGreaterThanOrEqual(strokes[index]?.thickness ?? 99);
      expect(one.apart).toBeLessThanOrEqual(strokes[index]?.apart ?? 0);
      // Else the dots would jump each time round.
      expect(48 % one.apart).toBe(0);
    }
    expect(strokes[0]?.thickness).toBeGreaterThanOrEqual(2);
    expect(strokes.at(-1)).toEqual({ thickness: 8, apart: 16 });
  });

  it("gives shares that are 100 together", () => {
    const third = [
      { source: "pv", watts: 1000 },
      { source: "battery", watts: 1000 },
      { source: "grid", watts: 1000 },
    ] as const;
    expect(shares(third).reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
    expect(shares([{ source: "unknown", watts: 5 }])).toEqual([]);
    const traces = [{ source: "pv", watts: 6900 } as const, { source: "grid", watts: 20 } as const];
    expect(shares(traces)).toEqual([{ source: "pv", percent: 100 }]);
    expect(ring({ toward: "node", bands: [...third] })).toMatch(
      /^conic-gradient\(.* 0% 34%, .* 34% 68%, .* 68% 100%\)$/,
    );
    expect(ring({ toward: "hub", bands: [...third] })).toBeUndefined();
  });

  it("tells import from export by colour, too", () => {
    expect(nodeColour("grid", "import")).not.toBe(nodeColour("grid", "export"));
  });
});

describe("element", () => {
  const hass = (language: string): HomeAssistant =>
    ({
      states: {},
      language,
      locale: { language, number_format: "language", time_format: "language", time_zone: "local" },
    }) as unknown as HomeAssistant;

  if (customElements.get("test-flow") === undefined) customElements.define("test-flow", PowerFlow);
  afterEach(() => document.body.replaceChildren());

  async function shown(values: Partial<Surplus>, language = "en", site = home()): Promise<PowerFlow> {
    const element = document.createElement("test-flow") as PowerFlow;
    Object.assign(element, { hass: hass(language), home: site, live: live(values, "charging", "waiting") });
    document.body.append(element);
    await element.updateComplete;
    return element;
  }

  const find = (element: PowerFlow, selector: string): Element => {
    const found = element.shadowRoot?.querySelector(selector);
    if (!found) throw new Error(`there is no ${selector}`);
    return found;
  };

  const words = (element: PowerFlow, selector: string): string =>
    (find(element, selector).textContent ?? "").replace(/\s+/g, " ").trim();

  it("shows every figure as a number and in words", async () => {
    const element = await shown({});
    const values = ["pv", "grid", "battery", "house", "cars", "surplus"].map((figure) => {
      const shownAs = find(element, `[data-figure=${figure}]`);
      return [shownAs.getAttribute("data-value"), shownAs.textContent];
    });
    expect(values).toEqual([
      ["9200", "9.20 kW"],
      ["-1100", "1.10 kW"],
      ["-1500", "1.50 kW"],
      ["1000", "1.00 kW"],
      ["5600", "5.60 kW"],
      ["6600", "6.60 kW"],
    ]);
    expect(words(element, "[data-node=grid] button")).toBe("Grid export 1.10 kW");
    expect(find(element, "[data-node=battery] .label").textContent).toContain("51 % · charging");
    expect(words(element, "[data-node=cars] button")).toBe("Cars 1 charging 5.60 kW , 100 % from the sun");
    expect(find(element, ".mix").textContent).toBe("Cars: 100 % from the sun");
  });

  it("speaks German, and knows what it does not know", async () => {
    const element = await shown({ grid_w: null, surplus_w: null, house_w: null }, "de");
    const grid = find(element, "[data-figure=grid]");
    expect([grid.textContent, grid.getAttribute("data-value")]).toEqual(["–", ""]);
    expect(find(element, "[data-node=grid] .label").textContent).toContain("nicht bekannt");
    expect(words(element, "[data-node=pv]")).toBe("Solar 9,20 kW");
    expect(words(element, "[data-node=house]")).toBe("Haus nicht bekannt –");
    expect(find(element, ".mix").textContent).toBe("");
  });

  it("opens the details of a figure, where there are any", async () => {
    const element = await shown({});
    const opened: unknown[] = [];
    element.addEventListener("hass-more-info", (event) => opened.push((event as CustomEvent).detail));
    find(element, "[data-node=pv] button").dispatchEvent(new Event("click"));
    find(element, ".hub").dispatchEvent(new Event("click"));
    expect(opened).toEqual([{ entityId: "sensor.pv" }, { entityId: "sensor.surplus" }]);
    expect(element.shadowRoot?.querySelector("[data-node=house] button")).toBeNull();
    expect(words(element, "[data-node=house]")).toContain("House 1.00 kW");
  });

  it("renders only when a figure of it is another one", async () => {
    const element = await shown({});
    const render = vi.spyOn(element, "render");
    const next = live({}, "charging", "waiting");
    // As a feed tells them.
    element.live = share(element.live, { ...next, site: { ...next.site, status: "other" } });
    element.hass = { ...hass("en"), locale: element.hass?.locale ?? hass("en").locale };
    await element.updateComplete;
    expect(render).not.toHaveBeenCalled();
    element.live = live({ pv_w: 9300 }, "charging", "waiting");
    await element.updateComplete;
    expect(render).toHaveBeenCalledTimes(1);
    expect(find(element, "[data-figure=pv]").getAttribute("data-value")).toBe("9300");
  });
});
