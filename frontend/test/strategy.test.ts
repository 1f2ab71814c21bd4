import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PATIENCE } from "../src/feed";
import type { CardConfig } from "../src/ha/types";
import type { Home } from "../src/model";
import { DashboardStrategy, viewsOf } from "../src/strategy/dashboard";
import type { View } from "../src/strategy/layout";
import type { StrategyConfig } from "../src/strategy/options";
import { Site } from "../src/strategy/site";
import { hassOf, homeOf } from "./site-home";

const CONFIG: StrategyConfig = { type: "custom:pv-load-manager" };
/** Cards that Home Assistant has had since the oldest version that we support, and ours. */
const CARDS = [
  "custom:pv-load-manager-charger-card",
  "custom:pv-load-manager-site-card",
  "custom:pv-load-manager-timeline-card",
  "distribution",
  "entities",
  "heading",
  "history-graph",
  "logbook",
  "markdown",
  "repairs",
  "statistics-graph",
  "tile",
];

const make = (home: Home, config: Partial<StrategyConfig> = {}, changes = {}): View[] =>
  viewsOf(new Site(hassOf(home, {}, changes), home, { ...CONFIG, ...config }));
const cardsOf = (views: readonly View[]): CardConfig[] =>
  views.flatMap(({ sections }) => sections.flatMap(({ cards }) => cards));
const tabs = (views: readonly View[]): string[] => views.filter(({ subview }) => !subview).map(({ path }) => path);

/** Everything in a card that names an entity. */
function entitiesOf(card: CardConfig): string[] {
  const listed = (card.entities as { entity: string }[] | undefined)?.map(({ entity }) => entity) ?? [];
  const target = (card.target as { entity_id: string[] } | undefined)?.entity_id ?? [];
  return [...listed, ...target, ...(typeof card.entity === "string" ? [card.entity] : [])];
}

describe("the views", () => {
  it.each([1, 3, 32])("show only what there is, for %i chargers", (count) => {
    const home = homeOf(count);
    const views = make(home);
    const there = new Set(
      [home.manager, ...home.chargers, ...home.inverters].flatMap((owner) => Object.values(owner?.entities ?? {})),
    );
    expect(tabs(views)).toEqual(["now", "chargers", "history", "settings", "health"]);
    const shown = cardsOf(views).flatMap(entitiesOf);
    expect(shown.filter((id) => !there.has(id))).toEqual([]);
    expect(shown).not.toContain("button.1001_gone");
    expect([...new Set(cardsOf(views).map(({ type }) => type))].filter((type) => !CARDS.includes(type))).toEqual([]);
    for (const { sections } of views) expect(sections.length).toBeGreaterThan(0);
    expect(new Set(views.map(({ path }) => path)).size).toBe(views.length);
  });

  it("have each setting of the load manager once", () => {
    const settings = make(homeOf(1)).filter(({ path }) => path === "settings");
    const shown = cardsOf(settings).flatMap(entitiesOf);
    expect(shown).toContain("number.manager_rounding_of_something");
    expect(shown).toContain("number.manager_target_grid_power");
    expect(new Set(shown).size).toBe(shown.length);
  });

  it("ask nothing about a battery that is not there", () => {
    const settings = (home: Home): string[] =>
      cardsOf(make(home).filter(({ path }) => path === "settings")).flatMap(entitiesOf);
    const home = homeOf(1);
    expect(settings(home)).not.toContain("select.manager_battery_priority");
    const inverters = home.inverters.map((one) => ({ ...one, has_battery: true }));
    expect(settings({ ...home, inverters })).toContain("select.manager_battery_priority");
  });

  it("give each of many chargers a page of its own", () => {
    const views = make(homeOf(32));
    expect(views.filter(({ subview }) => subview)).toHaveLength(32);
    const overview = views.find(({ path }) => path === "chargers");
    // A heading that leads there, and the card: no more, so that it is quick.
    expect(overview?.sections.map(({ cards }) => cards.length)).toEqual(Array(32).fill(2));
    expect(overview?.sections[4]?.cards[0]).toMatchObject({
      tap_action: { action: "navigate", navigation_path: "charger-1005" },
    });
    expect(views.find(({ path }) => path === "charger-1005")?.title).toBe("Charger 5");
  });

  it("work without a load manager, without chargers, without an inverter", () => {
    const alone = homeOf(1, { manager: null, inverters: [] });
    expect(tabs(make(alone))).toEqual(["now", "chargers", "history", "settings", "health"]);
    expect(tabs(make(homeOf(0)))).toEqual(["now", "history", "settings", "health"]);
    expect(tabs(make(homeOf(0, { manager: null, inverters: [] })))).toEqual(["now"]);
  });

  it("leave out what the user hides", () => {
    const home = homeOf(3);
    const views = make(home, { hide_views: ["history", "now"], hide_chargers: ["device_1002"] });
    expect(tabs(views)).toEqual(["chargers", "settings", "health"]);
    expect(JSON.stringify(views)).not.toContain("1002");
    const site = cardsOf(make(home, { hide_chargers: ["device_1002"] })).find(({ type }) => type.endsWith("site-card"));
    expect(site?.chargers).toEqual(["device_1001", "device_1003"]);
    expect(cardsOf(make(home)).find(({ type }) => type.endsWith("site-card"))).not.toHaveProperty("chargers");
    expect(tabs(make(home, { hide_views: ["now", "chargers", "history", "settings", "health"] }))).toEqual(["now"]);
  });

  it("leave out what the user hid in the registry", () => {
    const home = homeOf(1);
    const hass = hassOf(home);
    hass.entities["select.1001_priority"] = { entity_id: "select.1001_priority", hidden: true };
    const views = viewsOf(new Site(hass, home, CONFIG));
    expect(cardsOf(views).flatMap(entitiesOf)).not.toContain("select.1001_priority");
  });

  it("show no history where nothing is recorded", () => {
    const views = make(homeOf(1), {}, { config: { time_zone: "UTC", state: "RUNNING", components: [] } });
    const types = cardsOf(views).map(({ type }) => type);
    for (const type of ["statistics-graph", "history-graph", "logbook"]) expect(types).not.toContain(type);
    expect(JSON.stringify(views)).toContain("the recorder of Home Assistant is not running");
  });

  it("send no user to a page for administrators", () => {
    const user = { id: "u", is_admin: false, name: "U" };
    expect(JSON.stringify(make(homeOf(2), {}, { user }))).not.toContain("/config/");
    expect(JSON.stringify(make(homeOf(2)))).toContain("/config/devices/device/device_1001");
  });

  it("tell names as they are, whatever Home Assistant's Markdown and its templates would make of them", () => {
    const home = homeOf(1);
    const [charger] = home.chargers;
    if (charger) charger.name = "{{ 1 }} {% if x %} {# y #} | <b>*a*</b>";
    const health = make(home).find(({ path }) => path === "health");
    const content = String(
      cardsOf(health ? [health] : []).find(
        ({ type, content }) => type === "markdown" && String(content).includes("if x"),
      )?.content,
    );
    expect(content.replace(/\\(?=[\\`*_{}%[\]<>|#])/g, "")).toContain("{{ 1 }} {% if x %} {# y #} | <b>*a*</b>");
    expect(content).not.toMatch(/\{[{%#]|[^\\][*<]/);
  });

  it("tell of an option that nobody knows", () => {
    const [now] = make(homeOf(1), { hide_view: ["now"] });
    expect(now?.sections[0]?.cards[0]).toMatchObject({
      type: "markdown",
      content: expect.stringContaining("hide_view"),
    });
  });
});

describe("the strategy", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("fills the dashboard from what the integration answers", async () => {
    const home = homeOf(2);
    const hass = hassOf(home, { "pv_load_manager/home": { value: home } });
    const { title, views } = await DashboardStrategy.generate(CONFIG, hass);
    expect(title).toBe("PV Load Manager");
    expect(tabs(views)).toHaveLength(5);
    expect((await DashboardStrategy.generate({ ...CONFIG, title: "Cars" }, hass)).title).toBe("Cars");
    expect((await DashboardStrategy.generate(CONFIG, { ...hass, language: "de" })).views[0]?.title).toBe("Jetzt");
  });

  it("has a card that says what is wrong where there is no answer, and fills itself later", async () => {
    const home = homeOf(2);
    const answers: Parameters<typeof hassOf>[1] = { "pv_load_manager/home": { code: "unknown_command" } };
    const hass = hassOf(home, answers);
    const { views } = await DashboardStrategy.generate(CONFIG, hass);
    expect(cardsOf(views).map(({ type }) => type)).toContain("custom:pv-load-manager-site-card");
    expect(tabs(views)).toEqual(["now"]);
    expect(DashboardStrategy.shouldRegenerate(CONFIG, hass, hass)).toBe(false);
    (answers as Record<string, unknown>)["pv_load_manager/home"] = { value: home };
    await vi.advanceTimersByTimeAsync(6_000);
    expect(DashboardStrategy.shouldRegenerate(CONFIG, hass, hass)).toBe(true);
    expect(tabs((await DashboardStrategy.generate(CONFIG, hass)).views)).toHaveLength(5);
    expect(DashboardStrategy.shouldRegenerate(CONFIG, hass, hass)).toBe(false);
  });

  it("takes nobody's views away while Home Assistant starts anew", async () => {
    const home = homeOf(2);
    const answers: Parameters<typeof hassOf>[1] = { "pv_load_manager/home": { value: home } };
    const hass = hassOf(home, answers);
    expect(tabs((await DashboardStrategy.generate(CONFIG, hass)).views)).toHaveLength(5);
    await vi.advanceTimersByTimeAsync(6_000);
    (answers as Record<string, unknown>)["pv_load_manager/home"] = { code: "unknown_command" };
    expect(tabs((await DashboardStrategy.generate(CONFIG, hass)).views)).toHaveLength(5);
    (answers as Record<string, unknown>)["pv_load_manager/home"] = { value: homeOf(0) };
    await vi.advanceTimersByTimeAsync(6_000);
    expect(DashboardStrategy.shouldRegenerate(CONFIG, hass, hass)).toBe(true);
  });

  it("does not wait for ever", async () => {
    const asked = DashboardStrategy.generate(CONFIG, hassOf(homeOf(1)));
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(tabs((await asked).views)).toEqual(["now"]);
  });

  it("is made anew when something of ours changes in the registry, and only then", () => {
    const hass = hassOf(homeOf(2));
    const again = (changes: object): boolean =>
      DashboardStrategy.shouldRegenerate(CONFIG, hass, { ...hass, ...changes });
    expect(again({ states: {} })).toBe(false);
    const other = { entity_id: "light.x", platform: "hue" };
    expect(again({ entities: { ...hass.entities, "light.x": other } })).toBe(false);
    const ours = { entity_id: "sensor.x", platform: "pv_load_manager" };
    expect(again({ entities: { ...hass.entities, "sensor.x": ours } })).toBe(true);
    const renamed = { id: "device_1001", name: "Charger 1", name_by_user: "Garage" };
    expect(again({ devices: { device_1001: renamed } })).toBe(true);
    expect(again({ devices: { device_other: renamed } })).toBe(false);
    expect(again({ language: "de" })).toBe(true);
  });
});
