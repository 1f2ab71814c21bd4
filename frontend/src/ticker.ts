/** One timer for everything on the page that counts seconds; it rests while nobody listens or looks. */

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tell(): void {
  for (const listener of [...listeners]) listener();
}

function adjust(): void {
  const wanted = listeners.size > 0 && document.visibilityState !== "hidden";
  if (wanted && timer === undefined) {
    timer = setInterval(tell, 1000);
  } else if (!wanted && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}

function looked(): void {
  adjust();
  // What was hidden for a while is behind.
  if (timer !== undefined) tell();
}

/** Calls a listener each second while the page is visible, and when it becomes so; returns what ends that. */
export function eachSecond(listener: () => void): () => void {
  if (listeners.size === 0) document.addEventListener("visibilitychange", looked);
  listeners.add(listener);
  adjust();
  return () => {
    if (!listeners.delete(listener)) return;
    if (listeners.size === 0) document.removeEventListener("visibilitychange", looked);
    adjust();
  };
}
