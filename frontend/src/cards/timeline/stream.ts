import type { Connection } from "../../ha/types";
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
  private ends: Promise<(() => unknown) | undefined>[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private round = 0;

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
    this.wanted = "";
  }

  private end(): void {
    this.round += 1;
    clearTimeout(this.timer);
    for (const end of this.ends) void end.then((stop) => stop?.());
    this.ends = [];
  }

  /** A connection that is back counts its subscriptions anew: to end an old one would end somebody else's. */
  private readonly again = (): void => {
    this.ends = [];
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
    const { connection, round } = this;
    if (connection === undefined || entityIds.length === 0) return;
    let heard = false;
    const take = ({ states }: { states: Record<string, Row[]> }): void => {
      if (round !== this.round) return;
      const happened = recording.take(states);
      if (bare) {
        this.recording = recording;
        this.error = undefined;
      }
      if (!heard || happened) this.changed();
      heard = true;
    };
    const end = connection
      .subscribeMessage(
        take,
        {
          type: "history/stream",
          entity_ids: entityIds,
          start_time: new Date(recording.wanted.start).toISOString(),
          significant_changes_only: false,
          minimal_response: bare,
          no_attributes: bare,
        },
        // After a pause everything is asked anew: its own repetition would come on top of what is known.
        { resubscribe: false },
      )
      .catch((error: { code?: unknown } | undefined) => {
        if (round !== this.round) return undefined;
        // A code of Home Assistant is a word, one of its connection a number.
        this.error = typeof error?.code === "string" ? error.code : "unknown_error";
        clearTimeout(this.timer);
        this.timer = setTimeout(this.begin, RETRY);
        this.changed();
        return undefined;
      });
    // An ended connection has nothing to end.
    this.ends.push(end.then((stop) => stop && (() => Promise.resolve(stop()).catch(() => undefined))));
  }
}
