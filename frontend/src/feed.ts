import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Connection, HomeAssistant } from "./ha/types";
import type { Home, Live } from "./model";
import { share } from "./share";

/** How long a subscription outlives its last listener, in ms: another view may need it again at once. */
const LINGER = 5_000;
/** After how long a refused subscription is asked for again, in ms. */
const RETRY = 5_000;
/** How long an answer may take, in ms. */
export const PATIENCE = 10_000;
/** Instead of a code of Home Assistant: no answer came. */
export const SILENCE = "timeout";

/** What a feed knows: nothing yet (`undefined` value, no error), a value, or why there is none. */
export interface Reading<T> {
  value: T | undefined;
  /** Code of the refusal, like "unknown_command" while the integration is not running. */
  error: string | undefined;
}

const NOTHING = { value: undefined, error: undefined };

/** One subscription that all cards on a page share. */
class Feed<T> {
  reading: Reading<T> = NOTHING;
  private readonly listeners = new Set<() => void>();
  private subscription: { unsubscribe: () => void; forget: () => void } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly message: Record<string, unknown>,
  ) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    clearTimeout(this.timer);
    if (this.subscription === undefined) this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        clearTimeout(this.timer);
        this.timer = setTimeout(this.stop, LINGER);
      }
    };
  }

  private readonly start = (): void => {
    let over = false;
    const subscribed = this.connection
      // Not left to the connection: what is refused after it is back would be an error that nobody catches.
      .subscribeMessage<T>((value) => !over && this.tell({ value, error: undefined }), this.message, {
        resubscribe: false,
      })
      .catch((error: { code?: unknown } | undefined) => {
        if (over) return;
        // A code of Home Assistant is a word, one of its connection a number.
        this.tell({ value: undefined, error: typeof error?.code === "string" ? error.code : "unknown_error" });
        this.subscription?.forget();
        if (this.listeners.size > 0) this.timer = setTimeout(this.start, RETRY);
      });
    this.patience = setTimeout(() => {
      if (this.reading.value === undefined) this.tell({ value: undefined, error: this.reading.error ?? SILENCE });
    }, PATIENCE);
    this.connection.addEventListener("ready", this.restart);
    const forget = (): void => {
      over = true;
      this.subscription = undefined;
      clearTimeout(this.timer);
      clearTimeout(this.patience);
      this.connection.removeEventListener("ready", this.restart);
    };
    const unsubscribe = (): void => {
      forget();
      void subscribed.then((end) => end?.()).catch(() => undefined);
    };
    this.subscription = { unsubscribe, forget };
  };

  /** A connection that is back counts its subscriptions anew: to end an old one would end somebody else's. */
  private readonly restart = (): void => {
    this.subscription?.forget();
    if (this.listeners.size > 0) this.start();
    else this.stop();
  };

  private readonly stop = (): void => {
    this.subscription?.unsubscribe();
    this.reading = NOTHING;
  };

  private tell({ value, error }: Reading<T>): void {
    this.reading = { value: share(this.reading.value, value), error };
    for (const listener of [...this.listeners]) listener();
  }
}

const feeds = new WeakMap<Connection, Map<string, Feed<unknown>>>();

/** The feed of a command in the user's language. */
function feedOf<T>({ connection, language }: HomeAssistant, type: string): Feed<T> {
  const known = feeds.get(connection) ?? new Map<string, Feed<unknown>>();
  feeds.set(connection, known);
  const key = `${type} ${language}`;
  const feed = known.get(key) ?? new Feed<unknown>(connection, { type, language });
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
    private readonly type: string,
  ) {
    host.addController(this);
  }

  /** What is known now. */
  get reading(): Reading<T> {
    return this.feed?.reading ?? NOTHING;
  }

  /** To be called whenever the element gets a `hass`. */
  follow(hass: HomeAssistant): void {
    const feed = feedOf<T>(hass, this.type);
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

const LIVE = "pv_load_manager/subscribe";
const HOME = "pv_load_manager/home";

/** The live figures: at most one a second, null while there is no load manager. */
export const liveFeed = (host: ReactiveControllerHost): FeedController<Live | null> => new FeedController(host, LIVE);

/** Devices and entities of the integration. */
export const homeFeed = (host: ReactiveControllerHost): FeedController<Home> => new FeedController(host, HOME);

/** The same once, for who renders nothing; rejects with the code of the refusal, or after PATIENCE. */
export function homeOnce(hass: HomeAssistant): Promise<Home> {
  return new Promise((resolve, reject) => {
    listenHome(hass, ({ value, error }, end) => {
      end();
      if (value === undefined) reject(new Error(error));
      else resolve(value);
    });
  });
}

/** Calls back with what is known and with each answer from now on, until `end` is called. */
export function listenHome(hass: HomeAssistant, told: (reading: Reading<Home>, end: () => void) => void): void {
  const feed = feedOf<Home>(hass, HOME);
  let over = false;
  const end = feed.listen(look);
  function look(): void {
    const { reading } = feed;
    if (over || (reading.value === undefined && reading.error === undefined)) return;
    told(reading, () => {
      over = true;
      // Not before listen() has returned what ends it.
      queueMicrotask(() => end());
    });
  }
  look();
}
