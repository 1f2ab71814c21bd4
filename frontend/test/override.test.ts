import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OverrideControl, overrideText } from "../src/cards/charger/override";
import { next, overrideData, possible } from "../src/cards/charger/override-data";
import { localTime } from "../src/time";
import { all, type Call, hassOf, one, settled } from "./charger-home";

customElements.define("pv-load-manager-override", OverrideControl);

const VIENNA = "Europe/Vienna";
const NOON = new Date("2026-11-21T11:00:00Z");

describe("possible", () => {
  it("is 0 or within the limits of the charger", () => {
    expect([0, 2, 3, 5, 6, 10.4, 16, 40].map((amps) => possible(amps, 6, 16))).toEqual([0, 0, 6, 6, 6, 10, 16, 16]);
    expect(possible(Number.NaN, 6, 16)).toBe(0);
  });
});

describe("next", () => {
  it("is later today or else tomorrow", () => {
    expect(next("18:30", VIENNA, NOON)?.toISOString()).toBe("2026-11-21T17:30:00.000Z");
    expect(next("12:00", VIENNA, NOON)?.toISOString()).toBe("2026-11-22T11:00:00.000Z");
    expect(next("06:05", VIENNA, NOON)?.toISOString()).toBe("2026-11-22T05:05:00.000Z");
    expect(next("", VIENNA, NOON)).toBeUndefined();
  });

  it("knows that clocks change overnight", () => {
    expect(next("06:00", VIENNA, new Date("2026-10-24T20:00:00Z"))?.toISOString()).toBe("2026-10-25T05:00:00.000Z");
    expect(next("06:00", VIENNA, new Date("2026-03-28T20:00:00Z"))?.toISOString()).toBe("2026-03-29T04:00:00.000Z");
    for (const [zone, end] of [
      [VIENNA, "2026-03-29T01:30:00.000Z"],
      ["America/New_York", "2026-03-08T07:30:00.000Z"],
    ] as const) {
      const evening = new Date(Date.parse(end) - 8 * 3_600_000);
      expect(next("02:30", zone, evening)?.toISOString()).toBe(end);
    }
  });

  it("is the day of that time zone, not of UTC", () => {
    expect(next("00:30", "Pacific/Auckland", new Date("2026-11-21T11:00:00Z"))?.toISOString()).toBe(
      "2026-11-21T11:30:00.000Z",
    );
  });
});

describe("overrideData", () => {
  it("is what the action wants", () => {
    const data = (end: Parameters<typeof overrideData>[2]) => overrideData(hassOf(), 10, end, NOON);
    expect(data({ kind: "car" })).toEqual({ current: 10 });
    expect(data({ kind: "duration", minutes: 30 })).toEqual({ current: 10, duration: { hours: 0, minutes: 30 } });
    expect(data({ kind: "duration", minutes: 240 })).toEqual({ current: 10, duration: { hours: 4, minutes: 0 } });
    expect(data({ kind: "time", time: "18:30" })).toEqual({ current: 10, until: "2026-11-21 18:30:00" });
    expect(data({ kind: "energy", kwh: 12.5 })).toEqual({ current: 10, energy: 12.5 });
  });

  it("is nothing where the end makes no sense", () => {
    for (const end of [
      { kind: "time", time: "" } as const,
      { kind: "energy", kwh: 0 } as const,
      { kind: "energy", kwh: Number.NaN } as const,
    ]) {
      expect(overrideData(hassOf(), 10, end, NOON)).toBeUndefined();
    }
  });

  it("tells the time of Home Assistant, also where the user lives elsewhere", () => {
    expect(localTime(NOON, "America/New_York")).toBe("2026-11-21 06:00:00");
    expect(localTime(new Date("2026-11-21T23:00:00Z"), VIENNA)).toBe("2026-11-22 00:00:00");
  });
});

describe("overrideText", () => {
  it("says with what and how long", () => {
    const text = (language: string, current_a: number, until: string | null, energy_left_wh: number | null) =>
      overrideText(hassOf({ language }), { current_a, until, energy_left_wh }, NOON);
    expect(text("en", 10, null, null)).toBe("Override: 10 A");
    expect(text("en", 10, "2026-11-21T17:30:00+00:00", null)).toBe("Override: 10 A until 18:30");
    expect(text("de", 0, "2026-11-21T17:30:00+00:00", 5000)).toBe("Vorgabe: nicht laden bis 18:30 oder noch 5.0 kWh");
  });
});

describe("the control", () => {
  let control: OverrideControl;
  let calls: Call[];

  beforeEach(async () => {
    calls = [];
    control = Object.assign(document.createElement("pv-load-manager-override") as OverrideControl, {
      hass: hassOf({}, calls),
      entity: "select.garage",
      name: "Garage",
    });
    document.body.append(control);
    await settled();
  });
  afterEach(() => control.remove());

  const root = () => control.renderRoot as ShadowRoot;
  async function change(selector: string, value: string, event = "change"): Promise<void> {
    const field = one<HTMLInputElement>(root(), selector);
    field.value = value;
    field.dispatchEvent(new Event(event, { bubbles: true }));
    await settled();
  }
  async function submit(): Promise<void> {
    one(root(), "form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await settled();
  }

  it("opens a form and starts what was chosen there", async () => {
    one(root(), "button").click();
    await settled();
    await change("#slider", "10", "input");
    expect(one<HTMLInputElement>(root(), "#amps").value).toBe("10");
    await change("#end", "120");
    await submit();
    expect(calls).toEqual([
      [
        "pv_load_manager",
        "set_override",
        { current: 10, duration: { hours: 2, minutes: 0 } },
        { entity_id: "select.garage" },
        false,
      ],
    ]);
    expect(all(root(), "form")).toEqual([]);
  });

  it("takes the lowest end of the slider for not charging", async () => {
    one(root(), "button").click();
    await settled();
    await change("#slider", "5", "input");
    await submit();
    expect(calls[0]?.[2]).toEqual({ current: 0 });
  });

  it("does not take an emptied field for not charging", async () => {
    one(root(), "button").click();
    await settled();
    await change("#amps", "9");
    await change("#amps", "");
    expect(one<HTMLInputElement>(root(), "#amps").value).toBe("9");
    await submit();
    expect(calls[0]?.[2]).toEqual({ current: 9 });
  });

  it("asks for an end that is left open", async () => {
    one(root(), "button").click();
    await settled();
    await change("#end", "time");
    await submit();
    expect(calls).toEqual([]);
    expect(one(root(), "#time").getAttribute("aria-invalid")).toBe("true");
  });

  it("tells what was refused and keeps the form", async () => {
    const told = vi.fn();
    control.addEventListener("pvlm-failure", (event) => told((event as CustomEvent).detail));
    control.hass = hassOf({
      callService: () => Promise.reject({ code: "home_assistant_error", message: "off is the last word" }),
    });
    one(root(), "button").click();
    await settled();
    await submit();
    expect(told).toHaveBeenLastCalledWith({ kind: "refused", text: "off is the last word" });
    expect(all(root(), "form")).toHaveLength(1);
  });

  it("begins a change with what is in force", async () => {
    control.override = { current_a: 10, until: "2026-11-21T17:30:00+00:00", energy_left_wh: null };
    await settled();
    one(root(), "[data-part=override] button[aria-expanded]").click();
    await settled();
    expect(one<HTMLInputElement>(root(), "#amps").value).toBe("10");
    expect(one<HTMLInputElement>(root(), "#time").value).toBe("18:30");
    control.override = { current_a: 10, until: null, energy_left_wh: 5040 };
    one(root(), "[data-part=override] button[aria-expanded]").click();
    await settled();
    one(root(), "[data-part=override] button[aria-expanded]").click();
    await settled();
    expect(one<HTMLInputElement>(root(), "#energy").value).toBe("5");
  });

  it("ends the one in force", async () => {
    control.override = { current_a: 10, until: null, energy_left_wh: null };
    await settled();
    expect(one(root(), "[data-part=override]").textContent).toContain("Override: 10 A");
    one(root(), "[data-action=clear]").click();
    await settled();
    expect(calls).toEqual([["pv_load_manager", "clear_override", {}, { entity_id: "select.garage" }, false]]);
  });

  it("keeps the keyboard where what was pressed goes away", async () => {
    one(root(), "button").focus();
    one(root(), "button").click();
    await settled();
    one(root(), "[type=submit]").focus();
    await submit();
    expect(root().activeElement?.textContent).toContain("Override");
    control.override = { current_a: 16, until: null, energy_left_wh: null };
    await settled();
    expect(root().activeElement?.textContent).toContain("Change");
    one(root(), "[data-action=clear]").focus();
    one(root(), "[data-action=clear]").click();
    control.override = null;
    await settled();
    expect(root().activeElement?.textContent).toContain("Override");
  });

  it("does not take the keyboard from elsewhere", async () => {
    control.override = { current_a: 16, until: null, energy_left_wh: null };
    await settled();
    control.override = null;
    await settled();
    expect(root().activeElement).toBeNull();
  });

  it("starts and ends once, however often that is asked while an answer is awaited", async () => {
    control.hass = hassOf({
      callService: (...call: Call) => {
        calls.push(call);
        return new Promise(() => undefined);
      },
    });
    control.override = { current_a: 10, until: null, energy_left_wh: null };
    await settled();
    for (let press = 0; press < 2; press++) {
      one(root(), "[data-action=clear]").click();
      await settled();
    }
    expect(calls).toHaveLength(1);
    expect(one(root(), "[data-action=clear]").getAttribute("aria-busy")).toBe("true");
  });
});
