"""An event loop with a fast clock, so that every timer in it is fast: ours, Home Assistant's, a device's.

The production timings stay as they are. A callback that takes long counts for a fraction of a second only: a busy
machine lets time pass slower instead of letting it jump, as no device would see a house stand still.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
import selectors
import time
from unittest.mock import patch

from homeassistant.helpers import event
from homeassistant.util import dt as dt_util

LONGEST_STEP = 0.5
"""The most that the clock moves while callbacks run, s."""


class PacedLoop(asyncio.SelectorEventLoop):
    """A loop in which a second of the wall clock is several.

    Attributes:
        speed: How many.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._wall = self._paced = time.monotonic()
        super().__init__(_PacedSelector(self))

    def time(self) -> float:
        """Return the paced clock, s; it stands still while a callback runs."""
        return self._paced

    def pass_time(self, *, longest: float | None) -> None:
        """Let the clock follow the wall's, but not by more than so many s."""
        wall = time.monotonic()
        passed = (wall - self._wall) * self.speed
        self._paced += passed if longest is None else min(passed, longest)
        self._wall = wall


class _PacedSelector(selectors.EpollSelector):
    """Waits for sockets, shorter than the loop asks for."""

    def __init__(self, loop: PacedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; the clock has moved by what callbacks took before and by the waiting."""
        self._loop.pass_time(longest=LONGEST_STEP)
        ready = super().select(None if timeout is None else timeout / self._loop.speed)
        self._loop.pass_time(longest=None if timeout is None else max(timeout, LONGEST_STEP))
        return ready


@contextmanager
def paced_calendar(loop: PacedLoop, begin: datetime) -> Iterator[None]:
    """Let Home Assistant's date and time of day keep pace with the loop, from an aware moment on."""
    started = loop.time()

    def utcnow() -> datetime:
        return begin.astimezone(UTC) + timedelta(seconds=loop.time() - started)

    def now(time_zone: tzinfo | None = None) -> datetime:
        return utcnow().astimezone(time_zone or dt_util.get_default_time_zone())

    def timestamp() -> float:
        return utcnow().timestamp()

    with (
        patch.object(dt_util, "utcnow", utcnow),
        patch.object(dt_util, "now", now),
        patch.object(time, "time", timestamp),
        patch.object(event, "time_tracker_utcnow", utcnow),
        patch.object(event, "time_tracker_timestamp", timestamp),
    ):
        yield
