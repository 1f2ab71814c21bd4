import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Countdown } from "../src/cards/charger/countdown";
import { homeFeed } from "../src/feed";
import type { Connection, HomeAssistant } from "../src/ha/types";
import { presentTime } from "../src/time";
import { FakeConnection } from "./connection";

customElements.define("pv-load-manager-countdown", Countdown);
const HOUR = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

it("goes by Home Assistant's clock where the browser's is wrong", async () => {
  const connection = new FakeConnection();
  const feed = homeFeed({ requestUpdate: () => undefined, addController: () => undefined } as never);
  feed.follow({ connection: connection as Connection, language: "en" } as HomeAssistant);
  feed.hostConnected();
  expect(presentTime()).toBe(Date.now());

  const real = Date.now() - HOUR;
  const hear = (time: number): void => connection.asked[0]?.tell({ at: new Date(time).toISOString() });
  hear(real);
  expect(presentTime()).toBeCloseTo(real, 0);

  const countdown = document.createElement("pv-load-manager-countdown") as Countdown;
  countdown.moment = new Date(real + 45_000).toISOString();
  document.body.append(countdown);
  await countdown.updateComplete;
  expect(countdown.textContent).toBe("May change in 0:45");
  await vi.advanceTimersByTimeAsync(5_000);
  expect(countdown.textContent).toBe("May change in 0:40");

  // One that was delayed says less than those that came at once.
  hear(real + 2_000);
  expect(presentTime()).toBeCloseTo(real + 5_000, 0);
  // Its clock was put right.
  hear(real + HOUR);
  expect(presentTime()).toBeCloseTo(real + HOUR, 0);
});
