import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TimelineCard } from "../src/cards/timeline/card";
import { TimelineChart } from "../src/cards/timeline/chart";
import { TimelineLanes } from "../src/cards/timeline/lanes";
import type { Connection, HomeAssistant } from "../src/ha/types";

const NOW = Date.parse("2026-11-21T12:00:00.000Z");
const MINUTE = 60_000;

customElements.define("pv-load-manager-timeline-chart", TimelineChart);
customElements.define("pv-load-manager-timeline-lanes", TimelineLanes);
customElements.define("pv-load-manager-timeline-card", TimelineCard);

const HOME = {
  manager: { state: "loaded", disabled: false, reason: null, entities: {} },
  chargers: [
    { serial: "S1", name: "Garage", device_id: "d1", entities: { "event.charging": "event.c1" } },
    { serial: "S2", name: "Carport", device_id: "d2", entities: { "event.charging": "event.c2" } },
  ],
  inverters: [],
  circuits: [],
  figures: { surplus: "sensor.surplus", charging_power: null, grid_power: ["sensor.grid"], pv_power: [] },
  minus: { grid_power: [], battery_power: [] },
  signs: { grid_power: 1, battery_power: 1 },
};

const row = (minutes: number, s: string, a?: object) => ({
  lu: (NOW + minutes * MINUTE) / 1000,
  s,
  ...(a ? { a } : {}),
});
const event = (minutes: number, event_type: string, text: string) =>
  row(minutes, new Date(NOW + minutes * MINUTE).toISOString(), { event_type, text });

const HISTORY: Record<string, object[]> = {
  "sensor.surplus": [row(-120, "1000"), row(-60, "5000")],
  "sensor.grid": [row(-120, "-300")],
  "event.c1": [event(-90, "started", "5000 W surplus."), event(-30, "stopped", "Car is full.")],
  "event.c2": [event(-60, "started", "5000 W surplus.")],
};

type Message = { type: string; entity_ids: string[]; start_time: string };

/** Home Assistant with a history, or without. */
class FakeConnection implements Connection {
  asked: Message[] = [];
  ended = 0;
  tell: ((message: { states: object }) => void)[] = [];
  constructor(
    private readonly home: object,
    private readonly history: Record<string, object[]> | string,
  ) {}

  subscribeMessage<T>(callback: (message: T) => void, message: Record<string, unknown>): Promise<() => void> {
    if (message.type === "pv_load_manager/home") {
      callback(this.home as T);
      return Promise.resolve(() => undefined);
    }
    const { history } = this;
    if (typeof history === "string") return Promise.reject({ code: history, message: "no" });
    const asked = message as unknown as Message;
    this.asked.push(asked);
    this.tell.push(callback as never);
    const states = Object.fromEntries(
      asked.entity_ids.filter((id) => id in history).map((id) => [id, history[id] as object[]]),
    );
    callback({ states } as T);
    return Promise.resolve(() => {
      this.ended += 1;
    });
  }
  addEventListener(): void {}
  removeEventListener(): void {}
}

const hassOf = (connection: Connection): HomeAssistant =>
  ({
    connection,
    connected: true,
    language: "en",
    locale: { language: "en", number_format: "language", time_format: "24", time_zone: "server" },
    config: { time_zone: "UTC", state: "RUNNING", language: "en" },
    user: { id: "1", is_admin: true, name: "x" },
    themes: { darkMode: false },
    states: Object.fromEntries(
      ["sensor.surplus", "sensor.grid", "event.c1", "event.c2"].map((entity_id) => [
        entity_id,
        { entity_id, state: "1", attributes: {}, last_changed: new Date(NOW - 60 * MINUTE).toISOString() },
      ]),
    ),
    localize: (key: string) => key,
    formatEntityState: (_entity: unknown, state: string) => state,
    formatEntityAttributeValue: (_entity: unknown, _name: string, value: string) => `[${value}]`,
  }) as unknown as HomeAssistant;

async function shown(connection: Connection, config: object = {}): Promise<TimelineCard> {
  const card = document.createElement("pv-load-manager-timeline-card") as TimelineCard;
  card.setConfig({ type: "custom:pv-load-manager-timeline-card", ...config });
  card.hass = hassOf(connection);
  document.body.append(card);
  await settled(card);
  return card;
}

async function settled(card: TimelineCard): Promise<void> {
  for (let round = 0; round < 5; round++) await card.updateComplete;
  // A test has no layout.
  card.width = 800;
  await card.updateComplete;
  await chartOf(card)?.updateComplete;
  await lanesOf(card)?.updateComplete;
}

const chartOf = (card: TimelineCard) =>
  card.renderRoot.querySelector("pv-load-manager-timeline-chart") as TimelineChart | null;
const lanesOf = (card: TimelineCard) =>
  card.renderRoot.querySelector("pv-load-manager-timeline-lanes") as TimelineLanes | null;
const marks = (card: TimelineCard) => [
  ...(lanesOf(card)?.renderRoot.querySelectorAll<HTMLElement>("[data-mark]") ?? []),
];
const values = (card: TimelineCard) =>
  Object.fromEntries(
    [...(chartOf(card)?.renderRoot.querySelectorAll<HTMLElement>("[data-curve]") ?? [])].map((button) => [
      button.dataset.curve,
      button.dataset.value,
    ]),
  );
const problems = (card: TimelineCard) =>
  [...card.renderRoot.querySelectorAll<HTMLElement>("[data-problem]")].map(({ dataset }) => dataset.problem);

describe("the timeline card", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW, toFake: ["Date", "setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  });
  afterEach(() => {
    document.body.replaceChildren();
    vi.useRealTimers();
  });

  it("shows the day's curves and a lane of marks for each charger", async () => {
    const connection = new FakeConnection(HOME, HISTORY);
    const card = await shown(connection);
    expect(connection.asked.map(({ start_time }) => start_time)).toEqual(Array(2).fill("2026-11-21T00:00:00.000Z"));
    expect(connection.asked.map(({ entity_ids }) => entity_ids)).toEqual([
      ["sensor.surplus", "sensor.grid"],
      ["event.c1", "event.c2"],
    ]);
    expect(values(card)).toEqual({ surplus: "5000", grid: "-300" });
    expect(chartOf(card)?.renderRoot.querySelector("[data-curve=grid]")?.textContent).toContain("export 300 W");
    expect(chartOf(card)?.renderRoot.querySelectorAll("path.line[d^=M]")).toHaveLength(4);
    expect(marks(card).map(({ dataset }) => dataset.mark)).toEqual(["start", "stop", "start"]);
    expect(marks(card)[1]?.getAttribute("aria-label")).toBe("11:30, Garage: [stopped]. Car is full.");
    expect(problems(card)).toEqual([]);
  });

  it("goes on with what comes, an event at once", async () => {
    const connection = new FakeConnection(HOME, HISTORY);
    const card = await shown(connection);
    vi.setSystemTime(NOW + MINUTE);
    connection.tell[0]?.({ states: { "sensor.surplus": [row(0.5, "7000")] } });
    await settled(card);
    expect(values(card).surplus).toBe("5000");
    vi.advanceTimersByTime(5_000);
    await settled(card);
    expect(values(card).surplus).toBe("7000");
    connection.tell[1]?.({ states: { "event.c2": [event(1, "limited", "By the fuse.")] } });
    await settled(card);
    expect(marks(card).at(-1)?.dataset.mark).toBe("limit");
  });

  it("moves along its marks in order of time, with one stop of the tabulator key", async () => {
    const card = await shown(new FakeConnection(HOME, HISTORY));
    const stops = () => marks(card).filter(({ tabIndex }) => tabIndex === 0);
    const press = async (key: string) => {
      stops()[0]?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
      await settled(card);
      return stops().map((mark) => mark.getAttribute("aria-label"));
    };
    expect(stops()).toHaveLength(1);
    expect(await press("Home")).toEqual(["10:30, Garage: [started]. 5000 W surplus."]);
    expect(await press("ArrowRight")).toEqual(["11:00, Carport: [started]. 5000 W surplus."]);
    expect(lanesOf(card)?.renderRoot.querySelector(".bubble")?.textContent).toContain("Carport");
    expect(await press("ArrowUp")).toEqual(["10:30, Garage: [started]. 5000 W surplus."]);
  });

  it("hides a curve, and tells the values at the pointer", async () => {
    const card = await shown(new FakeConnection(HOME, HISTORY));
    const chart = chartOf(card) as TimelineChart;
    chart.renderRoot.querySelector<HTMLElement>("[data-curve=grid]")?.click();
    await settled(card);
    expect(chart.renderRoot.querySelector("[data-curve=grid]")?.getAttribute("aria-pressed")).toBe("false");
    expect(chart.renderRoot.querySelectorAll(".plot path.line")).toHaveLength(1);
    const plot = chart.renderRoot.querySelector<HTMLElement>(".plot");
    plot?.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
    await settled(card);
    expect(plot?.getAttribute("aria-valuetext")).toBe("10:00, Surplus 1.00 kW");
    expect(values(card).surplus).toBe("1000");
  });

  it("lists the decisions of one charger", async () => {
    const connection = new FakeConnection(HOME, HISTORY);
    const card = await shown(connection, { charger: "d1", show_list: true, hours: 6 });
    expect(connection.asked[0]?.start_time).toBe("2026-11-21T06:00:00.000Z");
    expect(connection.asked[1]?.entity_ids).toEqual(["event.c1"]);
    const rows = [...card.renderRoot.querySelectorAll("[data-mark-row]")].map((item) => item.textContent ?? "");
    expect(rows.map((text) => text.replace(/\s+/g, " ").trim())).toEqual([
      "11:30 Garage: [stopped]Car is full.",
      "10:30 Garage: [started]5000 W surplus.",
    ]);
    const asked = new Promise((resolve) =>
      card.addEventListener("hass-more-info", (info) => resolve((info as CustomEvent).detail)),
    );
    card.renderRoot.querySelector<HTMLElement>("[data-mark-row] button")?.click();
    expect(await asked).toEqual({ entityId: "event.c1" });
  });

  it("asks anew in the next hour, and keeps what it shows until then", async () => {
    const connection = new FakeConnection(HOME, HISTORY);
    const card = await shown(connection, { hours: 6 });
    vi.setSystemTime(NOW + 61 * MINUTE);
    vi.advanceTimersByTime(5_000);
    await settled(card);
    expect(connection.asked.at(-1)?.start_time).toBe("2026-11-21T07:00:00.000Z");
    expect(connection.ended).toBe(2);
    card.remove();
    await settled(card);
    expect(connection.ended).toBe(4);
  });

  it.each([
    ["unknown_command", "no_recorder"],
    ["home_assistant_error", "history_failed"],
  ])("says what is wrong where history is refused with %s", async (code, problem) => {
    const card = await shown(new FakeConnection(HOME, code));
    expect(problems(card)).toEqual([problem]);
    expect(chartOf(card)).toBeNull();
  });

  it("names what is not recorded, and shows the rest", async () => {
    const { "sensor.surplus": _, ...history } = HISTORY;
    const card = await shown(new FakeConnection(HOME, history));
    expect(problems(card)).toEqual(["no_history"]);
    expect(card.renderRoot.querySelector("[data-problem]")?.textContent).toContain("sensor.surplus");
    expect(values(card)).toEqual({ surplus: "", grid: "-300" });
  });

  it.each([
    [{ ...HOME, manager: null }, "no_manager"],
    [{ ...HOME, figures: { surplus: null, charging_power: null, grid_power: [], pv_power: [] } }, "no_figures"],
  ])("says what is missing in the home (%#)", async (home, problem) => {
    expect(problems(await shown(new FakeConnection(home, HISTORY)))).toEqual([problem]);
  });

  it("says that the chosen charger is gone", async () => {
    expect(problems(await shown(new FakeConnection(HOME, HISTORY), { charger: "d9" }))).toEqual(["charger_unknown"]);
  });
});
