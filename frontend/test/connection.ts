import type { Connection } from "../src/ha/types";

/** A connection that remembers what is asked, and refuses while it is told to. */
export class FakeConnection implements Connection {
  asked: { message: Record<string, unknown>; tell: (value: unknown) => void; ended: boolean }[] = [];
  refuse: string | undefined;
  private readonly listeners = new Set<() => void>();

  subscribeMessage<T>(callback: (message: T) => void, message: Record<string, unknown>): Promise<() => void> {
    const one = { message, tell: callback as (value: unknown) => void, ended: false };
    this.asked.push(one);
    if (this.refuse !== undefined) return Promise.reject({ code: this.refuse });
    return Promise.resolve(() => {
      one.ended = true;
    });
  }
  addEventListener(_event: string, callback: () => void): void {
    this.listeners.add(callback);
  }
  removeEventListener(_event: string, callback: () => void): void {
    this.listeners.delete(callback);
  }
  ready(): void {
    for (const listener of [...this.listeners]) listener();
  }
}
