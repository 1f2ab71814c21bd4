import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HistoryStream, type Wanted } from "../src/cards/timeline/stream";
import { FakeConnection } from "./connection";

const WANTED: Wanted = { start: 0, figures: ["sensor.a"], states: ["binary_sensor.b"], events: ["event.c"] };
const settle = () => vi.advanceTimersByTimeAsync(0);

describe("the history", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is asked once for what is wanted, and sorted by what it is", () => {
    const connection = new FakeConnection();
    const changed = vi.fn();
    const stream = new HistoryStream(changed);
    stream.follow(connection, WANTED);
    stream.follow(connection, { ...WANTED });
    expect(connection.asked.map(({ message }) => message)).toEqual([
      {
        type: "history/stream",
        entity_ids: ["sensor.a", "binary_sensor.b"],
        start_time: "1970-01-01T00:00:00.000Z",
        significant_changes_only: false,
        minimal_response: true,
        no_attributes: true,
      },
      expect.objectContaining({ entity_ids: ["event.c"], minimal_response: false, no_attributes: false }),
    ]);
    const [bare, events] = connection.asked;
    bare?.tell({ states: { "sensor.a": [{ s: "1", lu: 1 }], "binary_sensor.b": [{ s: "on", lu: 1 }] } });
    bare?.tell({ states: { "sensor.a": [{ s: "2", lu: 2 }] } });
    expect(changed).toHaveBeenCalledTimes(1);
    events?.tell({ states: {} });
    events?.tell({ states: { "event.c": [{ s: "x", lu: 2, a: { event_type: "started" } }] } });
    expect(changed).toHaveBeenCalledTimes(3);
    expect(stream.recording?.figures.get("sensor.a")?.values).toEqual([1, 2]);
    expect(stream.recording?.states.get("binary_sensor.b")?.values).toEqual(["on"]);
    expect(stream.recording?.events.get("event.c")?.values[0]?.a).toEqual({ event_type: "started" });
  });

  it("is asked anew when the connection is back, and keeps what it has until then", async () => {
    const connection = new FakeConnection();
    const stream = new HistoryStream(() => undefined);
    stream.follow(connection, WANTED);
    connection.asked[0]?.tell({ states: { "sensor.a": [{ s: "1", lu: 1 }] } });
    connection.ready();
    await settle();
    expect(connection.asked.map(({ ended }) => ended)).toEqual([false, false, false, false]);
    expect(stream.recording?.figures.get("sensor.a")?.values).toEqual([1]);
    connection.asked[0]?.tell({ states: { "sensor.a": [{ s: "9", lu: 9 }] } });
    expect(stream.recording?.figures.get("sensor.a")?.values).toEqual([1]);
    connection.asked[2]?.tell({
      states: {
        "sensor.a": [
          { s: "1", lu: 1 },
          { s: "2", lu: 2 },
        ],
      },
    });
    expect(stream.recording?.figures.get("sensor.a")?.values).toEqual([1, 2]);
  });

  it("is asked again after a refusal, and ends with who shows it", async () => {
    const connection = new FakeConnection();
    connection.refuse = "unknown_command";
    const stream = new HistoryStream(() => undefined);
    stream.follow(connection, WANTED);
    await settle();
    expect(stream.error).toBe("unknown_command");
    connection.refuse = undefined;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(connection.asked).toHaveLength(4);
    connection.asked[2]?.tell({ states: {} });
    expect(stream.error).toBeUndefined();
    stream.stop();
    await settle();
    expect(connection.asked.slice(2).map(({ ended }) => ended)).toEqual([true, true]);
    connection.ready();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.asked).toHaveLength(4);
  });
});
