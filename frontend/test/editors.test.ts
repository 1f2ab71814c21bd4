import { afterEach, describe, expect, it } from "vitest";
import { checkKinds } from "../src/editors/check";
import { chargerForm, siteForm, timelineForm } from "../src/editors/forms";
import { StrategyEditor } from "../src/editors/strategy";
import { chargerStub, chargerSuggestion, siteSuggestion, timelineSuggestion } from "../src/editors/suggest";
import type { StrategyConfig } from "../src/strategy/options";
import { hassOf, homeOf } from "./site-home";

customElements.define("pv-load-manager-strategy-editor", StrategyEditor);

afterEach(() => {
  document.body.replaceChildren();
  document.documentElement.lang = "";
});

describe("checkKinds", () => {
  const options = { title: "string", hours: "number", chargers: "list", compact: ["auto", true] } as const;
  const check = (config: Record<string, unknown>) => () => checkKinds({ type: "custom:x", ...config }, options);

  it("takes what is right, and what Home Assistant adds or may add one day", () => {
    expect(
      check({ title: "A", hours: 0, chargers: [], compact: true, grid_options: {}, visibility: [], brand_new: 1 }),
    ).not.toThrow();
    expect(check({ title: undefined, hours: null })).not.toThrow();
  });

  it("says in words what is wrong", () => {
    document.documentElement.lang = "en";
    expect(check({ hours: "6" })).toThrow('The option hours must be a number, not "6".');
    expect(check({ chargers: "one" })).toThrow("a list");
    expect(check({ compact: "yes" })).toThrow("auto / true");
  });
});

describe("the forms", () => {
  it("have a label for each field, in the language of the page", () => {
    for (const language of ["en", "de"]) {
      document.documentElement.lang = language;
      for (const { schema, computeLabel, computeHelper } of [siteForm(), chargerForm(), timelineForm()]) {
        for (const field of schema) {
          expect(computeLabel(field)).toMatch(/^[A-ZÄÖÜ]/);
          expect(computeHelper(field) ?? "").not.toContain("editor.");
        }
      }
    }
    expect(siteForm().computeLabel({ name: "show_flow" })).toBe("Energiefluss");
  });
});

describe("the visual editor", () => {
  it("does not lose an option that is misspelt, and says which it is", () => {
    document.documentElement.lang = "en";
    const check = (config: Record<string, unknown>) => () =>
      chargerForm().assertConfig({ type: "custom:x", ...config });
    expect(check({ device: "a", entity: "b.c", grid_options: {} })).not.toThrow();
    expect(check({ devise: "a" })).toThrow("does not know the option devise. It knows: device, entity.");
    document.documentElement.lang = "de";
    expect(check({ devise: "a" })).toThrow("Die Karte kennt die Option devise nicht.");
  });
});

describe("suggestions", () => {
  const hass = hassOf(homeOf(2));

  it("are made by the registry", () => {
    expect(chargerSuggestion(hass, "sensor.1002_power")?.config.device).toBe("device_1002");
    expect(chargerSuggestion(hass, "sensor.manager_surplus")).toBeNull();
    expect(siteSuggestion(hass, "sensor.manager_surplus")).not.toBeNull();
    expect(siteSuggestion(hass, "sensor.1002_power")).toBeNull();
    expect(timelineSuggestion(hass, "event.1001_charging")?.config.charger).toBe("device_1001");
    expect(timelineSuggestion(hass, "event.manager_limits")?.config).not.toHaveProperty("charger");
    for (const suggest of [chargerSuggestion, siteSuggestion, timelineSuggestion]) {
      expect(suggest(hass, "light.kitchen")).toBeNull();
    }
  });

  it("show the first charger in the card picker", () => {
    expect(chargerStub(hass)).toEqual({ device: "device_1001" });
    expect(chargerStub({ entities: {} })).toEqual({});
  });
});

describe("the editor of the dashboard", () => {
  async function shown(config: StrategyConfig): Promise<{ editor: StrategyEditor; told: StrategyConfig[] }> {
    const home = homeOf(2);
    const editor = new StrategyEditor();
    editor.setConfig(config);
    editor.hass = hassOf(home, { "pv_load_manager/home": { value: home } });
    const told: StrategyConfig[] = [];
    editor.addEventListener("config-changed", (event) => told.push((event as CustomEvent).detail.config));
    document.body.append(editor);
    await editor.updateComplete;
    await new Promise((resolve) => setTimeout(resolve));
    await editor.updateComplete;
    return { editor, told };
  }
  const input = (editor: StrategyEditor, name: string): HTMLInputElement => {
    const found = editor.shadowRoot?.querySelector<HTMLInputElement>(`input[name="${name}"]`);
    if (!found) throw new Error(`no ${name}`);
    return found;
  };
  const toggle = (one: HTMLInputElement): void => {
    one.checked = !one.checked;
    one.dispatchEvent(new Event("change"));
  };

  it("hides and shows views and chargers", async () => {
    const { editor, told } = await shown({ type: "custom:pv-load-manager", hide_views: ["history"] });
    expect([input(editor, "now").checked, input(editor, "history").checked]).toEqual([true, false]);
    toggle(input(editor, "health"));
    toggle(input(editor, "history"));
    toggle(input(editor, "device_1002"));
    toggle(input(editor, "health"));
    expect(told).toEqual([
      { type: "custom:pv-load-manager", hide_views: ["history", "health"] },
      { type: "custom:pv-load-manager", hide_views: ["health"] },
      { type: "custom:pv-load-manager", hide_views: ["health"], hide_chargers: ["device_1002"] },
      { type: "custom:pv-load-manager", hide_chargers: ["device_1002"] },
    ]);
  });

  it("takes a title, and leaves out an empty one", async () => {
    const { editor, told } = await shown({ type: "custom:pv-load-manager" });
    for (const title of [" Cars ", ""]) {
      input(editor, "title").value = title;
      input(editor, "title").dispatchEvent(new Event("change"));
    }
    expect(told).toEqual([{ type: "custom:pv-load-manager", title: "Cars" }, { type: "custom:pv-load-manager" }]);
  });
});
