/** One timer for everything on the page that counts seconds; it rests while nobody listens or looks. */

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tell(): void {
  if (document.hidden) return;
  for (const listener of [...listeners]) listener();
}

/** Calls a listener each second while the page is visible; returns what ends that. */
export function eachSecond(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tell, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
