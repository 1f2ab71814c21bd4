"""Counts how often the watchdog of the available current ran out."""

from typing import Final

OFTEN: Final = 3
PERIOD: Final = 3600.0  # s; so many times within it are often, and as long without any is quiet


class Trips:
    """When the watchdog ran out: pure, time is an argument."""

    def __init__(self) -> None:
        """Begin without any."""
        self._at: list[float] = []
        self._expired = False
        self._told = False

    def follow(self, *, watched: bool, expired: bool, now: float) -> bool:
        """Return whether that is too often; it stays so until an hour is quiet, lest the message come and go.

        Args:
            watched: whether the watchdog is on.
            expired: whether it has run out.
            now: monotonic seconds.
        """
        if not watched:
            self._at, self._told = [], False
        elif expired and not self._expired:
            self._at.append(now)
        self._expired = expired
        self._at = [at for at in self._at if now - at < PERIOD]
        self._told = len(self._at) >= OFTEN or (self._told and bool(self._at))
        return self._told
