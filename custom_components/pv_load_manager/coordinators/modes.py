"""The charge modes that were chosen for the site and for chargers, and what comes after one that has an end."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.util import dt as dt_util

from ..control import Mode
from ..memory import Memory

MODE: Final = "mode"
UNTIL: Final = "mode_until"
BEFORE: Final = "mode_before"
"""The mode to which site or charger go back at the end."""
KEEP: Final = "keep_mode"
"""Whether a charger's own mode outlives the visit of a car."""


class Modes:
    """Keeps the chosen modes in the memory, so that they and their ends outlive a restart."""

    def __init__(self, memory: Memory) -> None:
        """Read nothing yet: what is saved counts at any time."""
        self._memory = memory

    @property
    def until(self) -> datetime | None:
        """Return when the site's mode ends; None = not by time."""
        return _moment(self._memory.site)

    def until_of(self, serial: str) -> datetime | None:
        """Return when a charger's own mode ends; None = not by time."""
        return _moment(self._memory.charger(serial))

    def choose(self, mode: str, *, present: str, until: datetime | None) -> None:
        """Take over the site's mode.

        Args:
            mode: the new one.
            present: what is in force until now.
            until: when the site goes back to what was chosen before, aware; None = never by itself.
        """
        before = self._memory.site.get(BEFORE) if self.until is not None else None
        self._memory.set_site(
            **{
                MODE: mode,
                UNTIL: None if until is None else _saved(until),
                BEFORE: None if until is None else before or present,
            }
        )

    def choose_for(self, serial: str, mode: str | None, *, until: datetime | None = None) -> None:
        """Take over the own mode of a charger, None = as the site; at the end it has the one before again."""
        saved = self._memory.charger(serial)
        ends = None if until is None or mode is None else _saved(until)
        before = None if ends is None else saved.get(BEFORE if UNTIL in saved else MODE)
        self._memory.set_charger(serial, **{MODE: mode, UNTIL: ends, BEFORE: before})

    def expire(self, serials: Iterable[str], now: datetime) -> str | None:
        """End the modes whose time has come; return the site's mode if that is another one now.

        Args:
            serials: of the chargers.
            now: aware.
        """
        for serial in serials:
            if (until := self.until_of(serial)) is not None and until <= now:
                before = self._memory.charger(serial).get(BEFORE)
                self.choose_for(serial, before if before in list(Mode) else None)
        until, before = self.until, self._memory.site.get(BEFORE)
        if until is None or until > now:
            return None
        self._memory.set_site(**{UNTIL: None, BEFORE: None})
        if before not in list(Mode):  # whatever wrote it: the present mode is the only one that is known
            return None
        self._memory.set_site(**{MODE: before})
        return str(before)

    def car_left(self, serial: str) -> None:
        """End the own mode of a charger with the visit of its car, unless the user keeps it."""
        saved = self._memory.charger(serial)
        if MODE in saved and not saved.get(KEEP, False):
            self.choose_for(serial, None)


def _saved(moment: datetime) -> str:
    return dt_util.as_utc(moment).isoformat()


def _moment(saved: Mapping[str, Any]) -> datetime | None:
    """Return a saved end; one that cannot be read is over."""
    value = saved.get(UNTIL)
    if value is None:
        return None
    known = dt_util.parse_datetime(value) if isinstance(value, str) else None
    return dt_util.utc_from_timestamp(0) if known is None else dt_util.as_utc(known)
