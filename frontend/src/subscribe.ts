import type { Connection } from "./ha/types";

export interface Subscription {
  end(): void;
  /** For a connection that is back: it counts its subscriptions anew, to end an old one would end somebody else's. */
  forget(): void;
}

/** Subscribes to a command of Home Assistant, until it is refused (told with its code) or ended. */
export function subscribe<T>(
  connection: Connection,
  message: Record<string, unknown>,
  told: (value: T) => void,
  refused: (code: string) => void,
): Subscription {
  let over = false;
  const subscribed = connection
    // Not left to the connection: what is refused after it is back would be an error that nobody catches.
    .subscribeMessage<T>((value) => over || told(value), message, { resubscribe: false })
    .catch((error: { code?: unknown } | undefined) => {
      // A code of Home Assistant is a word, one of its connection a number.
      if (!over) refused(typeof error?.code === "string" ? error.code : "unknown_error");
    });
  const forget = (): void => {
    over = true;
  };
  const end = (): void => {
    forget();
    // An ended connection has nothing to end.
    void subscribed.then((stop) => stop?.()).catch(() => undefined);
  };
  return { end, forget };
}
