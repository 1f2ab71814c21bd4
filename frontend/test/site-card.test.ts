import { afterEach, describe, expect, it } from "vitest";
import { SiteCard, type SiteCardConfig } from "../src/cards/site/card";
import type { HomeAssistant } from "../src/ha/types";
import type { Home } from "../src/model";
import { type Answers, hassOf, homeOf, LIVE, MANAGER, state } from "./site-home";

customElements.define("pv-load-manager-site-card", SiteCard);

const CONFIG: SiteCardConfig = { type: "custom:pv-load-manager-site-card" };
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

async function shown(
  home: Home,
  config: Partial<SiteCardConfig>,
  answers: Answers,
  changes: Partial<HomeAssistant> = {},
) {
  const card = new SiteCard();
  card.setConfig({ ...CONFIG, ...config });
  card.hass = hassOf(home, answers, changes);
  document.body.append(card);
  await settled();
  const root = card.renderRoot as ShadowRoot;
  return {
    card,
    root,
    live: () => root.querySelector("ha-card")?.getAttribute("data-live"),
    count: (selector: string) => root.querySelectorAll(selector).length,
    problems: () => [...root.querySelectorAll("[data-problem]")].map((one) => one.getAttribute("data-problem")),
    words: () => root.textContent?.replace(/\s+/g, " ") ?? "",
  };
}
const answers = (home: Home, live: unknown = LIVE): Answers => ({
  "pv_load_manager/home": { value: home },
  "pv_load_manager/subscribe": { value: live },
});

afterEach(() => document.body.replaceChildren());

describe("the site card", () => {
  it("shows flow, circuits and a lane for each charger", async () => {
    const home = homeOf(3);
    const { live, count, words, problems, root } = await shown(home, {}, answers(home));
    expect(live()).toBe("live");
    expect(count("pv-load-manager-flow")).toBe(1);
    expect(count("pv-load-manager-circuits")).toBe(1);
    expect(count("pv-load-manager-lane")).toBe(3);
    expect(problems()).toEqual([]);
    expect(words()).toContain("Load manager");
    expect(words()).toContain("state charging");
    expect(root.querySelector("header pv-load-manager-modes")).toMatchObject({ entity: "select.manager_charge_mode" });
  });

  it("shows what the user wants", async () => {
    const home = homeOf(3);
    const config = { show_flow: false, show_circuits: false, chargers: ["device_1002"], title: "Cars" };
    const { count, words, root } = await shown(home, config, answers(home));
    expect([count("pv-load-manager-flow"), count("pv-load-manager-circuits"), count(".site")]).toEqual([0, 0, 0]);
    expect(count("pv-load-manager-lane")).toBe(1);
    expect(root.querySelector("pv-load-manager-lane")).toMatchObject({ charger: { serial: "1002" } });
    expect(words()).toContain("Cars");
  });

  it("makes rows of many chargers, or as the user wants", async () => {
    const compact = async (chargers: number, config: Partial<SiteCardConfig>): Promise<unknown> => {
      const home = homeOf(chargers);
      const { root } = await shown(home, config, answers(home));
      return (root.querySelector("pv-load-manager-lane") as unknown as { compact: unknown }).compact;
    };
    expect(await compact(8, {})).toBe(false);
    expect(await compact(9, {})).toBe(true);
    expect(await compact(9, { compact: "never" })).toBe(false);
    expect(await compact(1, { compact: "always" })).toBe(true);
  });

  it("does without live figures, and says why", async () => {
    const home = homeOf(2, { manager: { ...MANAGER, state: "setup_retry", reason: "No meter." } });
    const { live, count, root, problems, words } = await shown(home, {}, answers(home, null));
    expect(live()).toBe("states");
    expect(problems()).toEqual(["manager_not_loaded"]);
    expect(words()).toContain("No meter.");
    expect(root.querySelector("pv-load-manager-flow")).toMatchObject({ live: { site: { surplus: { pv_w: 3100 } } } });
    expect(count("pv-load-manager-lane")).toBe(2);
    expect(root.querySelector("a")?.getAttribute("href")).toBe("/config/integrations/integration/pv_load_manager");
  });

  it("follows the states while nothing is live", async () => {
    const home = homeOf(1, { manager: null });
    const { card, root } = await shown(home, {}, answers(home, null));
    const hass = card.hass as HomeAssistant;
    const more = { "sensor.9001_pv_power": state("sensor.9001_pv_power", "4", "kW") };
    card.hass = { ...hass, states: { ...hass.states, ...more } };
    await settled();
    expect(root.querySelector("pv-load-manager-flow")).toMatchObject({ live: { site: { surplus: { pv_w: 4000 } } } });
  });

  it("gives its parts each new hass without being rendered for it", async () => {
    const home = homeOf(1);
    const { card, root } = await shown(home, {}, answers(home));
    const hass = { ...(card.hass as HomeAssistant), states: { "sensor.other": state("sensor.other", "1") } };
    const lane = root.querySelector("pv-load-manager-lane") as unknown as { hass: unknown };
    card.hass = { ...(card.hass as HomeAssistant), states: { ...card.hass?.states, ...hass.states } };
    expect(lane.hass).toBe(card.hass);
  });

  it("tells why the site's mode was refused until somebody tries again", async () => {
    const home = homeOf(1);
    const { card, root, problems, count } = await shown(home, {}, answers(home));
    const tell = async (detail: unknown) => {
      root.querySelector("header pv-load-manager-modes")?.dispatchEvent(new CustomEvent("pvlm-failure", { detail }));
      await card.updateComplete;
    };
    await tell({ kind: "no_permission", text: "Not you." });
    expect([problems(), root.querySelector("[role=alert]")?.textContent]).toEqual([
      ["no_permission"],
      expect.stringContaining("Not you."),
    ]);
    await tell(null);
    expect([problems(), count("pv-load-manager-flow")]).toEqual([[], 1]);
  });

  it("says what is wrong where nobody answers, and keeps what it knew where the connection is lost", async () => {
    const home = homeOf(1);
    const none = await shown(home, {}, { "pv_load_manager/home": { code: "unknown_command" } });
    expect([none.live(), none.problems()]).toEqual(["none", ["integration_missing"]]);
    const { card, live, problems, count } = await shown(home, {}, answers(home));
    card.hass = { ...(card.hass as HomeAssistant), connected: false };
    await settled();
    expect([live(), problems()]).toEqual(["none", ["connection_lost"]]);
    expect(count("pv-load-manager-lane")).toBe(1);
  });

  it("tells of a chosen charger that is gone, and leaves out one that is disabled", async () => {
    const home = homeOf(2);
    const gone = await shown(home, { chargers: ["device_1001", "device_old"] }, answers(home));
    expect(gone.problems()).toEqual(["charger_unknown"]);
    const some = homeOf(2);
    const disabled = { ...some, chargers: some.chargers.map((one, index) => ({ ...one, disabled: index === 0 })) };
    const { count } = await shown(disabled, {}, answers(disabled));
    expect(count("pv-load-manager-lane")).toBe(1);
  });

  it("waits in its final place until something is known", async () => {
    const { root, live } = await shown(homeOf(1), {}, {});
    expect(root.querySelector("ha-card")?.getAttribute("aria-busy")).toBe("true");
    expect(live()).toBe("none");
  });

  it("shows no states for the moment until the figures are there", async () => {
    const home = homeOf(3);
    const { root, live, count } = await shown(home, {}, { "pv_load_manager/home": { value: home } });
    expect([live(), count("pv-load-manager-flow"), count(".bone.lane")]).toEqual(["none", 0, 3]);
    expect(root.querySelector("h2")?.textContent).toBe("Load manager");
    const refused = { ...answers(home), "pv_load_manager/subscribe": { code: "unknown_error" } };
    expect((await shown(home, {}, refused)).live()).toBe("states");
  });

  it("refuses an option of a wrong kind, and takes what it does not know", () => {
    expect(() => new SiteCard().setConfig({ ...CONFIG, brand_new: true })).not.toThrow();
    expect(() => new SiteCard().setConfig({ ...CONFIG, show_flow: "no" as unknown as boolean })).toThrow("show_flow");
  });
});
