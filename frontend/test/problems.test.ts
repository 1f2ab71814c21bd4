import { describe, expect, it } from "vitest";
import type { Reading } from "../src/feed";
import type { Home, Live } from "../src/model";
import { siteProblems } from "../src/problems";
import { figureIds, fromStates } from "../src/states";
import { hassOf, homeOf, LIVE, MANAGER, state } from "./site-home";

const ADMIN = { id: "u", is_admin: true, name: "A" };
const known = <T>(value: T | undefined, error?: string): Reading<T> => ({ value, error });

function kinds(home: Reading<Home>, live: Reading<Live | null> = known<Live | null>(LIVE), connected = true): string[] {
  return siteProblems({ hass: { language: "en", connected, user: ADMIN }, home, live }).map(({ kind }) => kind);
}

describe("siteProblems", () => {
  it("is silent while all is well or nothing is known yet", () => {
    expect(kinds(known(homeOf(2)))).toEqual([]);
    expect(kinds(known<Home>(undefined), known<Live | null>(undefined))).toEqual([]);
  });

  it("tells why there is no answer", () => {
    const nothing = known<Live | null>(undefined);
    expect(kinds(known<Home>(undefined, "unknown_command"), nothing)).toEqual(["integration_missing"]);
    expect(kinds(known<Home>(undefined, "unknown_command"), known<Live | null>(null))).toEqual(["old_integration"]);
    expect(kinds(known<Home>(undefined, "unauthorized"), nothing)).toEqual(["no_permission"]);
    expect(kinds(known<Home>(undefined, "timeout"), nothing)).toEqual(["no_answer"]);
    expect(kinds(known<Home>(undefined, "unknown_error"), nothing)).toEqual(["no_answer"]);
    expect(kinds(known(homeOf(1)), known<Live | null>(LIVE), false)).toEqual(["connection_lost"]);
  });

  it("tells what is not set up", () => {
    const none = known<Live | null>(null);
    expect(kinds(known(homeOf(0, { manager: null, inverters: [] })), none)).toEqual(["no_chargers"]);
    expect(kinds(known(homeOf(2, { manager: null })), none)).toEqual(["no_manager"]);
    expect(kinds(known(homeOf(0)))).toEqual(["no_chargers"]);
  });

  it("tells what does not run, with Home Assistant's reason", () => {
    const broken = { ...MANAGER, state: "setup_retry", reason: "The meter is gone" };
    const [problem] = siteProblems({
      hass: { language: "en", connected: true, user: ADMIN },
      home: known(homeOf(1, { manager: broken })),
      live: known<Live | null>(null),
    });
    expect(problem).toMatchObject({
      kind: "manager_not_loaded",
      what: "The load manager could not be started. The meter is gone.",
      link: { path: "/config/integrations/integration/pv_load_manager" },
    });
    expect(kinds(known(homeOf(1, { manager: { ...MANAGER, state: "not_loaded", disabled: true } })))).toEqual([
      "manager_disabled",
    ]);
    expect(kinds(known(homeOf(1, { manager: { ...MANAGER, state: "setup_in_progress" } })))).toEqual([
      "manager_starting",
    ]);
    const inverters = homeOf(1).inverters.map((one) => ({ ...one, state: "setup_retry" }));
    expect(kinds(known(homeOf(1, { inverters })))).toEqual(["inverter_not_loaded"]);
  });

  it("tells that no meter was chosen, but not that one is silent", () => {
    const unmetered: Live = { ...LIVE, site: { ...LIVE.site, surplus: { ...LIVE.site.surplus, grid_w: null } } };
    const { figures } = homeOf(1);
    expect(kinds(known(homeOf(1, { figures: { ...figures, grid_power: [] } })), known<Live | null>(unmetered))).toEqual(
      ["no_meter"],
    );
    expect(kinds(known(homeOf(1)), known<Live | null>(unmetered))).toEqual([]);
  });

  it("sends nobody to a page that he may not open", () => {
    const [problem] = siteProblems({
      hass: { language: "de-CH", connected: true, user: { ...ADMIN, is_admin: false } },
      home: known(homeOf(1, { manager: null })),
      live: known<Live | null>(null),
    });
    expect(problem).not.toHaveProperty("link");
    expect(problem?.mend).toContain("Administrator");
  });
});

describe("fromStates", () => {
  it("adds up with units and signs, and takes the rest for the house", () => {
    const home = homeOf(1, { signs: { grid_power: -1, battery_power: 1 } });
    const { surplus, status, mode } = fromStates(home, hassOf(home)).site;
    expect([status, mode]).toEqual(["charging", "pv"]);
    expect(surplus).toMatchObject({ surplus_w: 2250, grid_w: 20, pv_w: 3100, battery_w: null, chargers_w: 2200 });
    expect(surplus.house_w).toBe(20 + 3100 - 2200);
  });

  it("adds up several meters, and knows nothing where one is silent", () => {
    const home = homeOf(1);
    home.figures.grid_power = ["sensor.l1", "sensor.l2"];
    home.figures.battery_soc = "sensor.soc";
    const hass = hassOf(home);
    hass.states["sensor.l1"] = state("sensor.l1", "100", "W");
    hass.states["sensor.l2"] = state("sensor.l2", "0.2", "kW");
    hass.states["sensor.soc"] = state("sensor.soc", "55", "%");
    expect(fromStates(home, hass).site.surplus).toMatchObject({ grid_w: 300, house_w: 1200 });
    expect(fromStates(home, hass).site.surplus.battery_soc).toBeCloseTo(55);
    hass.states["sensor.l2"] = state("sensor.l2", "unavailable", "kW");
    expect(fromStates(home, hass).site.surplus).toMatchObject({ grid_w: null, house_w: null });
  });

  it("takes off what a meter shows apart, before the sign is turned", () => {
    const home = homeOf(1);
    home.figures.grid_power = ["sensor.import"];
    home.figures.battery_power = ["sensor.charge"];
    home.minus = { grid_power: ["sensor.export"], battery_power: ["sensor.discharge"] };
    home.signs.battery_power = -1;
    const hass = hassOf(home);
    for (const [name, watts] of Object.entries({ import: "0", export: "900", charge: "0", discharge: "500" })) {
      hass.states[`sensor.${name}`] = state(`sensor.${name}`, watts, "W");
    }
    expect(fromStates(home, hass).site.surplus).toMatchObject({ grid_w: -900, battery_w: 500 });
    expect(figureIds(home)).toEqual(expect.arrayContaining(["sensor.export", "sensor.discharge"]));
  });

  it("adds up the chargers where nobody did", () => {
    const home = homeOf(2, { manager: null });
    home.figures.charging_power = null;
    const hass = hassOf(home);
    hass.states["sensor.1001_power"] = state("sensor.1001_power", "1.4", "kW");
    expect(fromStates(home, hass).site).toMatchObject({ status: "unknown", surplus: { chargers_w: 1400 } });
  });
});
