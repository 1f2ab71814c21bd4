import { afterEach, describe, expect, it, vi } from "vitest";
import { Countdown, secondsUntil } from "../src/cards/charger/countdown";
import { ChargerLane } from "../src/cards/charger/lane";
import { Modes, offered, siteModeEntity } from "../src/cards/charger/modes";
import { OverrideControl } from "../src/cards/charger/override";
import { troubleOf } from "../src/cards/charger/trouble";
import { viewOf } from "../src/cards/charger/view";
import type { HomeAssistant } from "../src/ha/types";
import type { HomeCharger, LiveCharger } from "../src/model";
import { quantity } from "../src/quantity";
import { share } from "../src/share";
import { all, type Call, CHARGING, entity, GARAGE, hassOf, one, STATES, settled } from "./charger-home";

customElements.define("pv-load-manager-countdown", Countdown);
customElements.define("pv-load-manager-modes", Modes);
customElements.define("pv-load-manager-override", OverrideControl);
customElements.define("pv-load-manager-lane", ChargerLane);

const measured = (changes: Partial<NonNullable<LiveCharger["measured"]>>): LiveCharger => ({
  ...CHARGING,
  measured: { ...(CHARGING.measured as NonNullable<LiveCharger["measured"]>), ...changes },
});

describe("quantity", () => {
  it("reads the unit that the user chose", () => {
    const read = (state: string, unit_of_measurement?: string) =>
      quantity(entity("sensor.x", state, { unit_of_measurement }));
    expect(read("2.3", "kW")).toBe(2300);
    expect(read("3.5", "kWh")).toBe(3500);
    expect(read("9000", "mA")).toBe(9);
    expect(read("87", "%")).toBeCloseTo(0.87);
    expect([read("unavailable", "W"), read("", "W"), read("5", "parsec"), quantity(undefined)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

describe("viewOf", () => {
  it("reads the live figures", () => {
    expect(viewOf(hassOf(), GARAGE, CHARGING)).toMatchObject({
      live: true,
      car: "charging",
      allocated_a: 10,
      drawn_a: 9.84,
      scale_a: 16,
      phases: [true, false, false],
      phase_count: 1,
      power_w: 2263,
      solar_share: 0.63,
      reason_short: "state charging_surplus",
    });
  });

  it("shows the phases of the house where it knows how the charger is wired", () => {
    const wired = (rotation: LiveCharger["rotation"]) => viewOf(hassOf(), GARAGE, { ...CHARGING, rotation });
    expect(wired([2, 3, 1])).toMatchObject({ of_grid: true, phases: [false, true, false], drawn_a: 9.84 });
    expect(wired([3, 1, 2])).toMatchObject({ of_grid: true, phases: [false, false, true] });
    expect(wired(null)).toMatchObject({ of_grid: false, phases: [true, false, false] });
  });

  it("knows nothing of a charger that does not answer", () => {
    const view = viewOf(hassOf(), GARAGE, measured({ online: false }));
    expect(view).toMatchObject({ car: "offline", power_w: null, drawn_a: null, phases: null, allocated_a: 10 });
  });

  it("takes a car for full only where it may charge", () => {
    const complete = measured({ car: "complete" });
    expect(viewOf(hassOf(), GARAGE, complete).car).toBe("complete");
    const off = { charge: false, current_a: 0, phases: 1 };
    expect(viewOf(hassOf(), GARAGE, { ...complete, allocated: off }).car).toBe("waiting");
  });

  it("tells being told nothing from being told not to charge", () => {
    expect(viewOf(hassOf(), GARAGE, { ...CHARGING, allocated: null }).allocated_a).toBeNull();
    const off = { charge: false, current_a: 6, phases: 1 };
    expect(viewOf(hassOf(), GARAGE, { ...CHARGING, allocated: off }).allocated_a).toBe(0);
  });

  it("fits more than the maximum on the scale", () => {
    expect(viewOf(hassOf(), GARAGE, measured({ currents_a: [17, 16, 16] }))).toMatchObject({
      scale_a: 17,
      phase_count: 3,
    });
  });

  it("makes do with states", () => {
    expect(viewOf(hassOf(), GARAGE, undefined)).toMatchObject({
      live: false,
      car: "charging",
      allocated_a: 10,
      drawn_a: null,
      power_w: 2200,
      solar_share: 0.87,
      energy_wh: 3500,
      reason: "state charging_surplus",
      override: null,
      maximum_a: 16,
    });
  });

  it("finds override, end and next change in states", () => {
    const states = {
      ...STATES,
      "sensor.override": entity("sensor.override", "10", { unit_of_measurement: "A" }),
      "sensor.reason": entity("sensor.reason", "stop_delay", { next_change: "2026-11-21T12:00:00+00:00" }),
      "select.garage": entity("select.garage", "fast", { until: "2026-11-21T13:00:00+00:00" }),
    };
    expect(viewOf(hassOf({ states }), GARAGE, undefined)).toMatchObject({
      override: { current_a: 10, until: null, energy_left_wh: null },
      next_change: "2026-11-21T12:00:00+00:00",
      mode_until: "2026-11-21T13:00:00+00:00",
    });
  });

  it("survives everything being unavailable", () => {
    const states = Object.fromEntries(Object.keys(STATES).map((id) => [id, entity(id, "unavailable")]));
    const view = viewOf(hassOf({ states }), GARAGE, undefined);
    expect(view).toMatchObject({ car: "unknown", allocated_a: null, power_w: null, reason: null, maximum_a: 16 });
  });
});

describe("troubleOf", () => {
  const trouble = (changes: Partial<HomeCharger>, more: { hass?: Partial<HomeAssistant>; live?: boolean } = {}) =>
    troubleOf(hassOf(more.hass), { ...GARAGE, ...changes }, more.live ?? true, "charging");
  const guest = { user: { id: "guest", is_admin: false, name: "Guest" } };

  it("is silent where all is well", () => {
    expect(trouble({})).toBeUndefined();
    expect(trouble({}, { live: false })).toBeUndefined();
  });

  it("names the first thing that is wrong", () => {
    expect(trouble({ disabled: true, state: "not_loaded" })?.kind).toBe("charger_disabled");
    expect(trouble({ state: "setup_retry", reason: "No answer." })).toMatchObject({
      kind: "charger_not_loaded",
      what: "No answer.",
    });
    expect(trouble({ state: "setup_error" })).toMatchObject({
      kind: "charger_not_loaded",
      link: { path: "/config/integrations/integration/pv_load_manager" },
    });
    expect(troubleOf(hassOf(), GARAGE, true, "offline")?.kind).toBe("charger_offline");
    const states = { ...STATES, "select.garage": entity("select.garage", "unavailable") };
    expect(trouble({}, { hass: { states } })?.kind).toBe("charger_not_managed");
  });

  it("misses the sensors only while nothing is live", () => {
    const { "sensor.power": _, ...entities } = GARAGE.entities;
    expect(trouble({ entities })).toBeUndefined();
    expect(trouble({ entities }, { live: false })).toMatchObject({
      kind: "entity_missing",
      what: expect.stringContaining("“Power”"),
    });
  });

  it("needs no settings for what comes back by itself", () => {
    expect(trouble({ state: "setup_retry" })?.link).toBeUndefined();
    expect(trouble({ disabled: true }, { hass: guest })?.link).toBeUndefined();
  });

  it("sends those who may not change settings to somebody who may", () => {
    expect(trouble({ disabled: true }, { hass: guest })).toMatchObject({
      mend: expect.stringContaining("administrator"),
    });
  });
});

describe("modes", () => {
  it("are those that the entity offers, in our order", () => {
    expect(offered(STATES["select.garage"])).toEqual(["follow_site", "off", "pv", "min_pv", "fast"]);
    expect(offered(entity("select.x", "off", { options: ["fast", "off"] }))).toEqual(["off", "fast"]);
    expect(offered(undefined)).toEqual([]);
  });

  it("find the site's mode by the registry", () => {
    expect(siteModeEntity(hassOf())).toBe("select.site");
    expect(siteModeEntity(hassOf({ entities: {} }))).toBeUndefined();
  });
});

describe("secondsUntil", () => {
  it("is nothing once it is over", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    expect(secondsUntil("2026-11-21T12:00:45+00:00", now)).toBe(45);
    expect([secondsUntil("2026-11-21T12:00:00Z", now), secondsUntil(null, now), secondsUntil("never", now)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("the lane", () => {
  afterEach(() => {
    document.body.replaceChildren();
    vi.useRealTimers();
  });

  async function rendered(changes: Partial<ChargerLane> = {}): Promise<ChargerLane> {
    const lane = Object.assign(document.createElement("pv-load-manager-lane") as ChargerLane, {
      charger: GARAGE,
      live: CHARGING,
      hass: hassOf(),
      ...changes,
    });
    document.body.append(lane);
    await settled();
    return lane;
  }
  const part = (lane: ChargerLane, selector: string) => one(lane.renderRoot as ShadowRoot, selector);
  const value = (lane: ChargerLane, name: string) => part(lane, `[data-figure=${name}]`).dataset.value;
  const pressed = (lane: ChargerLane) =>
    all(lane.renderRoot as ShadowRoot, "[data-mode][aria-pressed=true]").map((button) => button.dataset.mode);

  it("says it anew when Home Assistant has learned the words", async () => {
    const hass = hassOf();
    const lane = await rendered({ live: undefined, hass });
    lane.hass = { ...hass, formatEntityState: () => "in words" };
    await settled();
    expect(part(lane, "[data-part=reason]").textContent).toContain("in words");
  });

  it("shows figures, reason and mode", async () => {
    const lane = await rendered();
    expect(["allocated", "drawn", "power", "solar_share", "energy"].map((name) => value(lane, name))).toEqual([
      "10",
      "9.84",
      "2263",
      "0.63",
      "12345",
    ]);
    expect(part(lane, "[data-figure=drawn]").textContent).toBe("9.8 A drawn");
    expect(part(lane, "[data-part=reason]").textContent).toBe(CHARGING.text);
    expect(part(lane, ".phases").getAttribute("aria-label")).toBe("Phases of the charger in use: L1");
    expect(pressed(lane)).toEqual(["follow_site"]);
    expect(part(lane, "[data-mode=follow_site]").textContent).toContain("(PV)");
  });

  it("says that there was no session, and links nowhere for its energy", async () => {
    const lane = await rendered({ live: { ...CHARGING, session: null } });
    const [solar, energy] = [part(lane, "[data-figure=solar_share]"), part(lane, "[data-figure=energy]")];
    expect([solar.textContent, solar.dataset.value]).toEqual(["No session yet", ""]);
    expect([energy.tagName, energy.textContent, energy.dataset.value]).toEqual(["SPAN", "", ""]);
  });

  it("counts down by itself", async () => {
    vi.useFakeTimers({ now: Date.parse("2026-11-21T12:00:00Z"), toFake: ["setInterval", "clearInterval", "Date"] });
    const lane = await rendered({ live: { ...CHARGING, next_change: "2026-11-21T12:00:45+00:00" } });
    expect(part(lane, "[data-part=countdown]").textContent).toBe("May change in 0:45");
    vi.advanceTimersByTime(5_000);
    await settled();
    expect(part(lane, "[data-part=countdown]").textContent).toBe("May change in 0:40");
    vi.advanceTimersByTime(60_000);
    await settled();
    expect(part(lane, "[data-part=countdown]").textContent).toBe("");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("renders nothing anew for figures that are the same", async () => {
    const lane = await rendered();
    const render = vi.spyOn(lane, "render");
    // As a feed tells them.
    lane.live = share(CHARGING, structuredClone(CHARGING));
    lane.hass = hassOf({
      states: { ...STATES, "sensor.other": entity("sensor.other", "1") },
      locale: lane.hass?.locale as never,
      ...same(lane.hass),
    });
    await settled();
    expect(render).not.toHaveBeenCalled();
    lane.live = measured({ power_w: 2264 });
    await settled();
    expect(render).toHaveBeenCalledOnce();
  });

  it("shows a chosen mode at once, and takes it back where it is refused", async () => {
    let refuse: (reason: unknown) => void = () => undefined;
    const callService = vi.fn(
      () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
    );
    const lane = await rendered({ hass: hassOf({ callService }) });
    part(lane, "[data-mode=fast]").click();
    await settled();
    expect(pressed(lane)).toEqual(["fast"]);
    expect(part(lane, "[data-mode=fast]").getAttribute("aria-busy")).toBe("true");
    refuse({ code: "unauthorized" });
    await settled();
    expect(pressed(lane)).toEqual(["follow_site"]);
    expect(part(lane, "[role=alert] [data-problem=no_permission]").textContent).toContain("may only look");
    part(lane, "[data-mode=off]").click();
    await settled();
    expect(all(lane.renderRoot as ShadowRoot, "[data-problem]")).toEqual([]);
  });

  it("keeps a chosen mode until the state follows", async () => {
    const calls: Call[] = [];
    const lane = await rendered({ hass: hassOf({}, calls) });
    part(lane, "[data-mode=off]").click();
    await settled();
    expect(calls).toEqual([["select", "select_option", { option: "off" }, { entity_id: "select.garage" }, false]]);
    expect(pressed(lane)).toEqual(["off"]);
    const follows = entity("select.garage", "off", STATES["select.garage"]?.attributes);
    lane.hass = hassOf({ states: { ...STATES, "select.garage": follows } });
    await settled();
    expect(pressed(lane)).toEqual(["off"]);
    expect(part(lane, "[data-mode=off]").getAttribute("aria-busy")).toBe("false");
  });

  it("opens Home Assistant's dialog about a figure", async () => {
    const lane = await rendered();
    const asked = vi.fn();
    document.body.addEventListener("hass-more-info", (event) => asked((event as CustomEvent).detail));
    part(lane, "button[data-figure=power]").click();
    expect(asked).toHaveBeenCalledWith({ entityId: "sensor.power" });
  });

  it("says that states are not live", async () => {
    const lane = await rendered({ live: undefined });
    expect(part(lane, ".unlive").textContent).toBe("not live");
    expect([value(lane, "power"), value(lane, "drawn")]).toEqual(["2200", ""]);
  });

  it("says what is wrong instead of showing old figures", async () => {
    const lane = await rendered({
      live: undefined,
      charger: { ...GARAGE, state: "setup_error", reason: "The password is wrong." },
    });
    expect(part(lane, "[data-problem=charger_not_loaded]").textContent).toContain("The password is wrong.");
    expect(part(lane, "a").getAttribute("href")).toBe("/config/integrations/integration/pv_load_manager");
    expect(all(lane.renderRoot as ShadowRoot, "[data-figure]")).toEqual([]);
  });

  it("is one row in its compact form, and opens", async () => {
    const lane = await rendered({ compact: true });
    expect(part(lane, "[data-part=reason]").textContent).toBe("state charging_surplus");
    const menu = part(lane, "select") as HTMLSelectElement;
    expect(menu.value).toBe("follow_site");
    part(lane, "[aria-expanded=false]").click();
    await settled();
    expect(part(lane, "[data-part=reason]").textContent).toBe(CHARGING.text);
    expect((lane.renderRoot as ShadowRoot).activeElement?.getAttribute("aria-expanded")).toBe("true");
  });
});

/** What makes a new `hass` of the same house. */
function same(hass: HomeAssistant | undefined): Partial<HomeAssistant> {
  if (hass === undefined) throw new Error("no hass");
  const { connection, localize, themes, user, formatEntityState, entities } = hass;
  return { connection, localize, themes, formatEntityState, entities, ...(user && { user }) };
}
