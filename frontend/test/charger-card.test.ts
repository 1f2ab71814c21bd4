import { afterEach, describe, expect, it } from "vitest";
import { ChargerCard, type ChargerCardConfig } from "../src/cards/charger/card";
import { chargerOf } from "../src/cards/charger/find";
import { ChargerLane } from "../src/cards/charger/lane";
import { all, CHARGING, entity, GARAGE, hassOf, homeOf, liveOf, one, STATES, settled } from "./charger-home";

customElements.define("pv-load-manager-lane", ChargerLane);
customElements.define("pv-load-manager-charger-card", ChargerCard);

const CARPORT = {
  ...GARAGE,
  serial: "1002",
  device_id: "other",
  name: "Carport",
  entities: { "sensor.power": "sensor.carport_power" },
};

describe("chargerOf", () => {
  const both = homeOf(GARAGE, CARPORT);

  it("finds by device, or by any entity of it", () => {
    expect(chargerOf(hassOf(), both, { device: "other" })).toBe(CARPORT);
    expect(chargerOf(hassOf(), both, { entity: "sensor.power" })).toBe(GARAGE);
    expect(chargerOf(hassOf(), both, { entity: "sensor.carport_power" })).toBe(CARPORT);
  });

  it("guesses only where there is one", () => {
    expect(chargerOf(hassOf(), homeOf(GARAGE), {})).toBe(GARAGE);
    expect(chargerOf(hassOf(), both, {})).toBeUndefined();
    expect(chargerOf(hassOf(), homeOf(GARAGE), { device: "gone" })).toBeUndefined();
    expect(
      chargerOf(hassOf(), homeOf({ ...GARAGE, device_id: null, entities: {} }), { entity: "light.kitchen" }),
    ).toBeUndefined();
  });
});

describe("the card", () => {
  afterEach(() => document.body.replaceChildren());

  async function rendered(config: Partial<ChargerCardConfig>, answers: Record<string, unknown>): Promise<ShadowRoot> {
    const card = document.createElement("pv-load-manager-charger-card") as ChargerCard;
    card.setConfig({ type: "custom:pv-load-manager-charger-card", ...config });
    card.hass = hassOf({}, [], answers);
    document.body.append(card);
    await settled();
    return card.renderRoot as ShadowRoot;
  }
  const home = homeOf(GARAGE, CARPORT);
  const live = liveOf(CHARGING);

  it("shows the lane of its charger", async () => {
    const root = await rendered(
      { device: "device" },
      { "pv_load_manager/home": home, "pv_load_manager/subscribe": live },
    );
    expect(one(root, "ha-card").dataset.live).toBe("live");
    expect(one(root, "[data-charger]").dataset.charger).toBe("1001");
    expect(one(root, "[data-figure=power]").dataset.value).toBe("2263");
  });

  it("shows states while there is no load manager", async () => {
    const root = await rendered(
      { device: "device" },
      { "pv_load_manager/home": home, "pv_load_manager/subscribe": null },
    );
    expect(one(root, "ha-card").dataset.live).toBe("states");
    expect(one(root, "[data-figure=power]").dataset.value).toBe("2200");
  });

  it("passes states on that only its lane knows", async () => {
    const root = await rendered(
      { device: "device" },
      { "pv_load_manager/home": home, "pv_load_manager/subscribe": null },
    );
    const card = root.host as ChargerCard;
    const states = { ...STATES, "sensor.power": entity("sensor.power", "7", { unit_of_measurement: "kW" }) };
    card.hass = { ...(card.hass as NonNullable<typeof card.hass>), states };
    await settled();
    expect(one(root, "[data-figure=power]").dataset.value).toBe("7000");
  });

  it("says what is wrong with its configuration", async () => {
    const answers = { "pv_load_manager/home": home, "pv_load_manager/subscribe": live };
    expect(one(await rendered({ device: "gone" }, answers), "[data-problem=device_missing]").textContent).toContain(
      "not there",
    );
    document.body.replaceChildren();
    expect(one(await rendered({}, answers), "[data-problem=device_missing]").textContent).toContain("was chosen");
  });

  it("says what is wrong with the integration", async () => {
    const root = await rendered({}, {});
    expect(all(root, "[data-problem]")).toHaveLength(1);
    expect(one(root, "[data-problem]").textContent?.trim()).not.toBe("");
  });
});
