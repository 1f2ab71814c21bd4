"""The ledger of finished charging sessions: which there are, what is kept of them, and how they look in a table."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, Self

from .session import FIGURES, Session

MOST: Final = 2000
"""So many sessions of a charger are kept; at two a day that is the last three years."""
DIGITS: Final = 3  # of Wh, W and s
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
QUOTED: Final = (",", '"', "\r", "\n")
LINE_END: Final = "\r\n"

type Rows = list[tuple[str, Session]]
"""Serial numbers and their sessions, the oldest first."""
type Record = dict[str, Any]
"""A session for people and their automations, by the names of ``COLUMNS``."""

COLUMNS: Final = (
    "charger",
    "serial",
    "start",
    "end",
    "duration_s",
    "charging_time_s",
    "energy_kwh",
    "solar_kwh",
    "battery_kwh",
    "grid_kwh",
    "unknown_kwh",
    "solar_share_percent",
    "mean_power_w",
    "peak_power_w",
    "phases",
    "mode",
    "modes",
    "limits",
    "ended_by",
    "watched",
)
"""Of the table, in this order. The names are part of the stable interface.

``start`` and ``end`` are ISO 8601 with the offset of local time; ``charging_time_s`` is the time in which the car was
seen charging, ``mean_power_w`` the power in that time; ``solar_kwh`` to ``unknown_kwh`` together are ``energy_kwh``;
``phases`` is 1, 2, 3 or ``mixed``; ``mode`` gave most of the energy, ``modes`` are all that gave some; ``limits`` are
the causes that held the car below what it would have got; ``ended_by`` is full, unplugged or unseen; ``watched`` is
false where begin, end or car are a conclusion. What nobody knows is empty.
"""


class Book:
    """Finished sessions by charger, the oldest first: each once, and of each charger the last ``MOST``.

    Cars that were given nothing make way first.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._sessions: dict[str, list[Session]] = {}

    def add(self, serial: str, session: Session) -> bool:
        """Add a session unless it is there; return whether it was not. Who came at the same moment is the same car."""
        known = self._sessions.setdefault(serial, [])
        place = bisect_left(known, session.began, key=_began)
        if place < len(known) and known[place].began == session.began:
            return False
        known.insert(place, session)
        if len(known) > MOST:
            # A plug that is loose must not push out years of charging.
            known.pop(next((index for index, one in enumerate(known[:-1]) if not one.energy_wh), 0))
        return True

    def forget(self, serial: str) -> bool:
        """Forget all sessions of a charger; return whether there were any."""
        return self._sessions.pop(serial, None) is not None

    def last(self, serial: str, count: int = 1) -> list[Session]:
        """Return the last sessions of a charger."""
        return self._sessions.get(serial, [])[-count:]

    def rows(
        self, serials: Iterable[str] | None = None, *, since: datetime | None = None, until: datetime | None = None
    ) -> Rows:
        """Return the sessions that began in a time, so that each belongs to one month or year only.

        Args:
            serials: of the chargers; None = all.
            since: the first moment, aware; None = from the beginning.
            until: the first moment after, aware; None = to the end.
        """
        chosen = self._sessions.keys() if serials is None else self._sessions.keys() & set(serials)
        found = [
            (serial, session)
            for serial in chosen
            for session in self._sessions[serial]
            if (since is None or session.began >= since) and (until is None or session.began < until)
        ]
        return sorted(found, key=lambda row: (row[1].began, row[0]))

    def copy(self) -> dict[str, tuple[Session, ...]]:
        """Return all sessions as they are now, to be saved in another thread."""
        return {serial: tuple(sessions) for serial, sessions in self._sessions.items()}

    @classmethod
    def from_saved(cls, saved: object) -> tuple[Self, int]:
        """Return the sessions that :func:`saved_of` saved, and how many of them could not be read."""
        book, damaged = cls(), 0
        chargers = saved.get("chargers") if isinstance(saved, Mapping) else None
        if not isinstance(chargers, Mapping):
            return book, 0 if saved is None else 1
        for serial, sessions in chargers.items():
            items: list[Any] = sessions if isinstance(sessions, list) else [sessions]
            for session in items:
                try:
                    book.add(str(serial), Session.from_dict(session))
                except AttributeError, KeyError, TypeError, ValueError:
                    damaged += 1
        return book, damaged


def saved_of(copy: Mapping[str, Iterable[Session]]) -> dict[str, Any]:
    """Return sessions in a form that can be stored as JSON, and short."""
    return {"chargers": {serial: [_short(session) for session in sessions] for serial, sessions in copy.items()}}


def _short(session: Session) -> dict[str, Any]:
    """Return a session without what every session has; ``Session.from_dict`` reads it."""
    kept: dict[str, Any] = {"began": session.began.isoformat()}
    if session.ended is not None:
        kept["ended"] = session.ended.isoformat()
    for name in FIGURES:
        value = round(getattr(session, name), DIGITS)
        # Without its charging energy a session would be taken for one of an earlier version.
        if value or name == "charging_wh":
            kept[name] = value
    if any(session.phases_wh):
        kept["phases_wh"] = [round(energy, DIGITS) for energy in session.phases_wh]
    if session.modes_wh:
        kept["modes_wh"] = {mode: round(energy, DIGITS) for mode, energy in session.modes_wh.items()}
    if session.limits:
        kept["limits"] = list(session.limits)
    if not session.watched:
        kept["watched"] = False
    if session.end is not None:
        kept["end"] = session.end.value
    return kept


def _began(session: Session) -> datetime:
    return session.began


def record_of(serial: str, session: Session, name: str, zone: tzinfo = UTC) -> Record:
    """Return a session for people and their automations, see ``COLUMNS``.

    Args:
        serial: of the charger.
        session: the session.
        name: of the charger.
        zone: of local time.
    """
    ended, share, mean = session.ended, session.solar_share, session.mean_w
    return {
        "charger": name,
        "serial": serial,
        "start": session.began.astimezone(zone).isoformat(timespec="seconds"),
        "end": None if ended is None else ended.astimezone(zone).isoformat(timespec="seconds"),
        "duration_s": None if ended is None else round((ended - session.began).total_seconds()),
        "charging_time_s": round(session.charging_s),
        "energy_kwh": round(session.energy_wh / 1000, 3),
        "solar_kwh": round(session.solar_wh / 1000, 3),
        "battery_kwh": round(session.battery_wh / 1000, 3),
        "grid_kwh": round(session.grid_wh / 1000, 3),
        "unknown_kwh": round(session.unknown_wh / 1000, 3),
        "solar_share_percent": None if share is None else round(100 * share),
        "mean_power_w": None if mean is None else round(mean),
        "peak_power_w": round(session.peak_w),
        "phases": session.phases,
        "mode": session.mode,
        "modes": sorted(session.modes_wh),
        "limits": list(session.limits),
        "ended_by": None if session.end is None else session.end.value,
        "watched": session.watched,
    }


def csv_of(rows: Rows, names: Mapping[str, str], zone: tzinfo = UTC) -> str:
    """Return sessions as a table (RFC 4180) with ``COLUMNS`` as its header.

    Args:
        rows: the sessions.
        names: of the chargers by serial number; where one is missing the serial number is shown.
        zone: of local time.
    """
    records = (record_of(serial, session, names.get(serial, serial), zone) for serial, session in rows)
    lines = [COLUMNS, *([_cell(record[column]) for column in COLUMNS] for record in records)]
    return "".join(f"{','.join(line)}{LINE_END}" for line in lines)


def _cell(value: str | float | bool | list[str] | None) -> str:
    """Return a value as text, in a form that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value}"
    text = value if isinstance(value, str) else " ".join(value)
    text = f"'{text}" if text.startswith(FORMULA) else text
    if not any(mark in text for mark in QUOTED):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
