import type { Connection } from "../../ha/types";
import { type Subscription, subscribe } from "../../subscribe";
import { emptyTrack, figure, type Row, type Track, take } from "./track";

/** After how long a refused stream is asked for again, in ms. */
const RETRY = 10_000;

/** What is to be recorded: entity ids, and since when in ms. */
export interface Wanted {
  start: number;
  figures: readonly string[];
  states: readonly string[];
  events: readonly string[];
}

/** What Home Assistant's history and its states since then tell. */
export class Recording {
  readonly figures = new Map<string, Track<number>>();
  readonly states = new Map<string, Track<string>>();
  readonly events = new Map<string, Track<Row>>();

  constructor(readonly wanted: Wanted) {}

  /** Takes a message of `history/stream`; returns whether an event was in it. */
  take(states: Record<string, Row[]>): boolean {
    let happened = false;
    for (const [id, rows] of Object.entries(states)) {
      if (this.wanted.figures.includes(id)) into(this.figures, id, rows, ({ s }) => figure(s));
      else if (this.wanted.states.includes(id)) into(this.states, id, rows, ({ s }) => s);
      else {
        into(this.events, id, rows, (row) => row);
        happened = true;
      }
    }
    return happened;
  }
}

function into<T>(tracks: Map<string, Track<T>>, id: string, rows: Row[], read: (row: Row) => T): void {
  const track = tracks.get(id) ?? emptyTrack<T>();
  tracks.set(id, track);
  take(track, rows, read);
}

/**
 * Keeps a recording up to date by two of Home Assistant's `history/stream`: the figures without, the events with their
 * attributes. What is shown stays until the history of what is newly wanted is there.
 */
export class HistoryStream {
  recording: Recording | undefined;
  /** Code of the refusal, like "unknown_command" where Home Assistant records nothing. */
  error: string | undefined;
  private connection: Connection | undefined;
  private wanted = "";
  private subscriptions: Subscription[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called at once when history or an event arrived, not for each new figure. */
  constructor(private readonly changed: () => void) {}

  /** Begins anew where something else is wanted, otherwise does nothing. */
  follow(connection: Connection, wanted: Wanted): void {
    const key = JSON.stringify(wanted);
    if (connection === this.connection && key === this.wanted) return;
    this.stop();
    this.connection = connection;
    this.wanted = key;
    connection.addEventListener("ready", this.again);
    this.begin();
  }

  stop(): void {
    this.connection?.removeEventListener("ready", this.again);
    this.end();
    this.connection = undefined;
  }

  private end(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.end();
    this.subscriptions = [];
  }

  private readonly again = (): void => {
    for (const subscription of this.subscriptions) subscription.forget();
    this.subscriptions = [];
    this.begin();
  };

  private readonly begin = (): void => {
    this.end();
    const wanted = JSON.parse(this.wanted) as Wanted;
    const recording = new Recording(wanted);
    this.subscribe(recording, [...wanted.figures, ...wanted.states], true);
    this.subscribe(recording, wanted.events, false);
  };

  private subscribe(recording: Recording, entityIds: readonly string[], bare: boolean): void {
    if (this.connection === undefined || entityIds.length === 0) return;
    let heard = false;
    const take = ({ states }: { states: Record<string, Row[]> }): void => {
      const happened = recording.take(states);
      if (bare) {
        this.recording = recording;
        this.error = undefined;
      }
      if (!heard || happened) this.changed();
      heard = true;
    };
    const refused = (error: string): void => {
      this.error = error;
      clearTimeout(this.timer);
      this.timer = setTimeout(this.begin, RETRY);
      this.changed();
    };
    const message = {
      type: "history/stream",
      entity_ids: entityIds,
      start_time: new Date(recording.wanted.start).toISOString(),
      significant_changes_only: false,
      minimal_response: bare,
      no_attributes: bare,
    };
    this.subscriptions.push(subscribe(this.connection, message, take, refused));
  }
}
