import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Connection, HomeAssistant } from "./ha/types";
import type { Home, Live } from "./model";

/** How long a subscription outlives its last listener, in ms: another view may need it again at once. */
const LINGER = 5_000;
/** After how long a refused subscription is asked for again, in ms. */
const RETRY = 5_000;

/** What a feed knows: nothing yet (`undefined` value, no error), a value, or why there is none. */
export interface Reading<T> {
  value: T | undefined;
  /** Code of the refusal, like "unknown_command" while the integration is not running. */
  error: string | undefined;
}

/** One subscription that all cards on a page share. */
class Feed<T> {
  reading: Reading<T> = { value: undefined, error: undefined };
  private readonly listeners = new Set<() => void>();
  private stopped: Promise<(() => unknown) | undefined> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly message: Record<string, unknown>,
  ) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    clearTimeout(this.timer);
    if (this.stopped === undefined) this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.stop(), LINGER);
      }
    };
  }

  private start(): void {
    this.stopped = this.connection
      .subscribeMessage<T>((value) => this.tell({ value, error: undefined }), this.message)
      .catch((error: { code?: string } | undefined) => {
        this.tell({ value: undefined, error: error?.code ?? "unknown_error" });
        this.stopped = undefined;
        if (this.listeners.size > 0) this.timer = setTimeout(() => this.start(), RETRY);
        return undefined;
      });
  }

  private stop(): void {
    const stopped = this.stopped;
    this.stopped = undefined;
    this.reading = { value: undefined, error: undefined };
    void stopped?.then((end) => end?.());
  }

  private tell(reading: Reading<T>): void {
    this.reading = reading;
    for (const listener of this.listeners) listener();
  }
}

const feeds = new WeakMap<Connection, Map<string, Feed<unknown>>>();

function feedOf<T>(hass: HomeAssistant, type: string, more: Record<string, unknown>): Feed<T> {
  const known = feeds.get(hass.connection) ?? new Map<string, Feed<unknown>>();
  feeds.set(hass.connection, known);
  const key = JSON.stringify([type, more]);
  const feed = known.get(key) ?? new Feed<unknown>(hass.connection, { type, ...more });
  known.set(key, feed);
  return feed as Feed<T>;
}

/** Keeps an element subscribed while it is on the page, and renders it anew when something arrives. */
class FeedController<T> implements ReactiveController {
  private feed: Feed<T> | undefined;
  private end: (() => void) | undefined;
  private connected = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly find: (hass: HomeAssistant) => Feed<T>,
  ) {
    host.addController(this);
  }

  /** What is known now. */
  get reading(): Reading<T> {
    return this.feed?.reading ?? { value: undefined, error: undefined };
  }

  /** To be called whenever the element gets a `hass`. */
  follow(hass: HomeAssistant): void {
    const feed = this.find(hass);
    if (feed === this.feed) return;
    this.end?.();
    this.end = undefined;
    this.feed = feed;
    if (this.connected) this.hostConnected();
  }

  hostConnected(): void {
    this.connected = true;
    this.end ??= this.feed?.listen(() => this.host.requestUpdate());
  }

  hostDisconnected(): void {
    this.connected = false;
    this.end?.();
    this.end = undefined;
  }
}

/** The live figures: at most one a second, null while there is no load manager. */
export const liveFeed = (host: ReactiveControllerHost): FeedController<Live | null> =>
  new FeedController(host, (hass) => feedOf(hass, "pv_load_manager/subscribe", { language: hass.language }));

/** Devices and entities of the integration. */
export const homeFeed = (host: ReactiveControllerHost): FeedController<Home> =>
  new FeedController(host, (hass) => feedOf(hass, "pv_load_manager/home", {}));

/** The same once, for who renders nothing. */
export function homeOnce(hass: HomeAssistant): Promise<Home> {
  const feed = feedOf<Home>(hass, "pv_load_manager/home", {});
  return new Promise((resolve, reject) => {
    const end = feed.listen(look);
    function look(): void {
      const { value, error } = feed.reading;
      if (value === undefined && error === undefined) return;
      queueMicrotask(() => end());
      if (value === undefined) reject(new Error(error));
      else resolve(value);
    }
    look();
  });
}
