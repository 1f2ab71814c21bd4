import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { homeFeed, homeOnce, PATIENCE } from "../src/feed";
import type { Connection, HomeAssistant } from "../src/ha/types";
import type { Home } from "../src/model";
import { share } from "../src/share";
import { FakeConnection } from "./connection";

const HOME = { manager: null, chargers: [], inverters: [], circuits: [] } as unknown as Home;

function host(): { rendered: number } & Parameters<typeof homeFeed>[0] {
  const one = {
    rendered: 0,
    addController: () => undefined,
    removeController: () => undefined,
    requestUpdate: () => {
      one.rendered += 1;
    },
    updateComplete: Promise.resolve(true),
  };
  return one;
}

const hassOf = (connection: Connection): HomeAssistant => ({ connection, language: "en" }) as HomeAssistant;

describe("a feed", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is one subscription for all who listen, and ends a while after the last", async () => {
    const connection = new FakeConnection();
    const [a, b] = [homeFeed(host()), homeFeed(host())];
    for (const feed of [a, b]) {
      feed.follow(hassOf(connection));
      feed.hostConnected();
    }
    expect(connection.asked.map(({ message }) => message)).toEqual([{ type: "pv_load_manager/home", language: "en" }]);
    connection.asked[0]?.tell(HOME);
    expect(a.reading.value).toBe(b.reading.value);
    a.hostDisconnected();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.asked[0]?.ended).toBe(false);
    b.hostDisconnected();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.asked[0]?.ended).toBe(true);
  });

  it("asks again after a refusal", async () => {
    const connection = new FakeConnection();
    connection.refuse = "unknown_command";
    const feed = homeFeed(host());
    feed.follow(hassOf(connection));
    feed.hostConnected();
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.reading).toEqual({ value: undefined, error: "unknown_command" });
    connection.refuse = undefined;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(connection.asked).toHaveLength(2);
    connection.asked[1]?.tell(HOME);
    expect(feed.reading).toEqual({ value: HOME, error: undefined });
  });

  it("subscribes anew when the connection is back, and does not end what the connection forgot", async () => {
    const connection = new FakeConnection();
    const feed = homeFeed(host());
    feed.follow(hassOf(connection));
    feed.hostConnected();
    connection.asked[0]?.tell(HOME);
    connection.ready();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.asked).toHaveLength(2);
    expect(connection.asked[0]?.ended).toBe(false);
    expect(feed.reading.value).toBe(HOME);
    const later = { ...HOME, circuits: [{ id: "root" }] };
    connection.asked[0]?.tell({ ...HOME, chargers: [{}] });
    connection.asked[1]?.tell(later);
    expect(feed.reading.value).toEqual(later);
  });

  it("says so when nothing answers", async () => {
    const connection = new FakeConnection();
    const answer = homeOnce(hassOf(connection)).catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(await answer).toBe("timeout");
  });

  it("answers once what is so now, not what was told last", async () => {
    const connection = new FakeConnection();
    const feed = homeFeed(host());
    feed.follow(hassOf(connection));
    feed.hostConnected();
    connection.asked[0]?.tell(HOME);
    const answer = homeOnce(hassOf(connection));
    const renamed = { ...HOME, chargers: [{ name: "Garage" }] };
    connection.asked[1]?.tell(renamed);
    expect(await answer).toEqual(renamed);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.asked.map(({ ended }) => ended)).toEqual([false, true]);
  });

  it("answers once who renders nothing", async () => {
    const connection = new FakeConnection();
    const answer = homeOnce(hassOf(connection));
    connection.asked[0]?.tell(HOME);
    expect(await answer).toBe(HOME);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connection.asked[0]?.ended).toBe(true);
  });
});

describe("share", () => {
  it("keeps what says the same", () => {
    const before = { site: { power: 1 }, chargers: [{ a: [1, 2] }, { a: [3, 4] }], more: null };
    const after = share(before, { site: { power: 2 }, chargers: [{ a: [1, 2] }, { a: [3, 5] }], more: null });
    expect(after).toEqual({ site: { power: 2 }, chargers: [{ a: [1, 2] }, { a: [3, 5] }], more: null });
    expect(after.chargers[0]).toBe(before.chargers[0]);
    expect(after.chargers[1]).not.toBe(before.chargers[1]);
    expect(share(before, structuredClone(before))).toBe(before);
  });

  it("sees what is gone, new, or of another kind", () => {
    const before = { a: [1, 2], b: 1 };
    expect(share(before, { a: [1] })).toEqual({ a: [1] });
    expect(share([1], { 0: 1 })).toEqual({ 0: 1 });
    expect(share({ a: null }, { a: {} })).toEqual({ a: {} });
    expect(share({ a: undefined }, {})).not.toHaveProperty("a");
  });
});
