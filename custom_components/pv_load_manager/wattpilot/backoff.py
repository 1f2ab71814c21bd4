"""How long to wait before connecting again."""

import asyncio
from secrets import SystemRandom

from .model import Timings

_RANDOM = SystemRandom()


class Backoff:
    """Waits that grow from attempt to attempt, with a random part, up to a limit."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._next = timings.backoff_start

    def reset(self) -> None:
        """Start again with the shortest wait."""
        self._next = self._timings.backoff_start

    def delay(self) -> float:
        """Return the next wait in seconds."""
        base = self._next
        # Bounded here as well: years of attempts must not overflow.
        self._next = min(base * self._timings.backoff_factor, self._timings.backoff_max)
        return self._spread(base)

    def slow(self) -> float:
        """Return the longest wait in seconds, for what will not mend by itself."""
        return self._spread(self._timings.backoff_max)

    def _spread(self, base: float) -> float:
        """Return a wait with its random part, at most the longest."""
        factor = _RANDOM.uniform(1 - self._timings.jitter, 1 + self._timings.jitter)
        return min(base * factor, self._timings.backoff_max)


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer than some seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
