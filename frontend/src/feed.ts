import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Connection, HomeAssistant } from "./ha/types";
import type { Dated, Home, Live } from "./model";
import { share } from "./share";
import { type Subscription, subscribe } from "./subscribe";
import { heardAt } from "./time";

type Timer = ReturnType<typeof setTimeout> | undefined;

/** How long a subscription outlives its last listener, in ms: another view may need it again at once. */
const LINGER = 5_000;
/** After how long a refused subscription is asked for again, in ms. */
const RETRY = 5_000;
/** How long an answer may take, in ms. */
export const PATIENCE = 10_000;
/** Instead of a code of Home Assistant: no answer came. */
const SILENCE = "timeout";

/** What a feed knows: nothing yet (`undefined` value, no error), a value, or why there is none. */
export interface Reading<T> {
  value: T | undefined;
  /** Code of the refusal, like "unknown_command" while the integration is not running. */
  error: string | undefined;
}

const NOTHING = { value: undefined, error: undefined };

/** One subscription that all cards on a page share. */
class Feed<T extends Dated | null> {
  reading: Reading<T> = NOTHING;
  private readonly listeners = new Set<() => void>();
  private subscription: Subscription | undefined;
  private linger: Timer;
  private retry: Timer;
  private patience: Timer;

  constructor(
    private readonly connection: Connection,
    private readonly message: Record<string, unknown>,
  ) {}

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    clearTimeout(this.linger);
    if (this.subscription === undefined) this.begin();
    return () => {
      this.listeners.delete(listener);
      clearTimeout(this.linger);
      if (this.listeners.size === 0) this.linger = setTimeout(() => this.stop(), LINGER);
    };
  }

  private begin(): void {
    this.connection.addEventListener("ready", this.again);
    this.patience = setTimeout(() => {
      if (this.reading.value === undefined) this.tell(undefined, this.reading.error ?? SILENCE);
    }, PATIENCE);
    this.ask();
  }

  private readonly ask = (): void => {
    this.subscription = subscribe<T>(
      this.connection,
      this.message,
      (value) => this.tell(value, undefined),
      (error) => {
        this.tell(undefined, error);
        this.retry = setTimeout(this.ask, RETRY);
      },
    );
  };

  private readonly again = (): void => {
    this.subscription?.forget();
    clearTimeout(this.retry);
    this.ask();
  };

  private stop(): void {
    this.connection.removeEventListener("ready", this.again);
    clearTimeout(this.retry);
    clearTimeout(this.patience);
    this.subscription?.end();
    this.subscription = undefined;
    this.reading = NOTHING;
  }

  private tell(value: T | undefined, error: string | undefined): void {
    heardAt(value?.at);
    this.reading = { value: share(this.reading.value, value), error };
    for (const listener of [...this.listeners]) listener();
  }
}

const feeds = new WeakMap<Connection, Map<string, Feed<Dated | null>>>();

/** The feed of a command in the user's language. */
function feedOf<T extends Dated | null>({ connection, language }: HomeAssistant, type: string): Feed<T> {
  const known = feeds.get(connection) ?? new Map<string, Feed<Dated | null>>();
  feeds.set(connection, known);
  const key = `${type} ${language}`;
  const feed = known.get(key) ?? new Feed<Dated | null>(connection, { type, language });
  known.set(key, feed);
  return feed as Feed<T>;
}

/** Keeps an element subscribed while it is on the page, and renders it anew when something arrives. */
class FeedController<T extends Dated | null> implements ReactiveController {
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

/** The same once as it is now, for who renders nothing; rejects with the code of the refusal, or after PATIENCE. */
export function homeOnce(hass: HomeAssistant): Promise<Home> {
  const { connection, language } = hass;
  const shared = feedOf<Home>(hass, HOME);
  // What is known is told of a change a little later than Home Assistant's registries are.
  const feed = shared.reading.value === undefined ? shared : new Feed<Home>(connection, { type: HOME, language });
  return new Promise((resolve, reject) => {
    listenTo(feed, ({ value, error }, end) => {
      end();
      if (value === undefined) reject(new Error(error));
      else resolve(value);
    });
  });
}

type Told<T> = (reading: Reading<T>, end: () => void) => void;

/** Calls back with what is known and with each answer from now on, until `end` is called. */
export const listenHome = (hass: HomeAssistant, told: Told<Home>): void => listenTo(feedOf<Home>(hass, HOME), told);

function listenTo<T extends Dated | null>(feed: Feed<T>, told: Told<T>): void {
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
