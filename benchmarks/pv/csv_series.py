"""Reads power over time from CSV files of unknown make: separators, headers, clocks and units are recognised."""

from collections.abc import Sequence
import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
import re

DAY_S = 86_400
MISSING = {"", "?", "-", "nan", "null", "none", "na", "n/a", "unavailable", "unknown"}
TIME_NAMES = ("time", "date", "zeit", "datum", "clock", "measured_on", "epoch", "seconds", "second", "minute", "hour")
POWER_NAMES = {
    "pv": ("pv", "solar", "ac_power", "production", "generation", "ghi", "irradian", "global cmp", "power", "watt"),
    "house": ("house", "load", "consumption", "global_active_power", "verbrauch", "active_power", "power", "watt"),
}
NOT_POWER = ("energy", "wh", "voltage", "intensity", "current", "temperature", "sub_metering", "soc")
CLOCKS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%H:%M:%S",
    "%H:%M",
)
NO_DATE = 1900
LARGEST_KW = {"pv": 100.0, "house": 60.0}
"""A file whose largest value is below this is in kW, where its header says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Values over time, ascending."""

    times: tuple[float, ...]
    """s since 1970 by the clock as it was written, or since midnight."""
    watts: tuple[float, ...]
    """W, or W/m² of irradiance."""
    dated: bool
    irradiance: bool = False

    @property
    def cadence_s(self) -> float:
        """Return the usual time between two values in s."""
        gaps = sorted(later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False))
        return gaps[len(gaps) // 2]


def read(path: Path, role: str) -> Series:
    """Return what a file says about ``pv`` or ``house``.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not understood; the text says why.
    """
    rows, names = _table(path)
    clock, power = _columns(path, names, rows, role)
    values: list[tuple[float, float]] = []
    dated = True
    for number, row in enumerate(rows):
        if len(row) <= max(*clock, power) or row[power].strip().lower() in MISSING:
            continue
        try:
            watts = _number(row[power])
            at, dated = _time(" ".join(row[column].strip() for column in clock))
        except ValueError as error:
            raise ValueError(f"{path.name}: row {number + 1} of the data is not understood: {error}") from error
        if isfinite(watts) and isfinite(at):
            values.append((at * _time_unit(names, clock), watts))
    if len(values) < 2:
        raise ValueError(f"{path.name}: fewer than two rows with a time and a power")
    unique = dict(sorted(_over_midnight(values) if not dated else values))
    times, watts_seen = tuple(unique), list(unique.values())
    name = names[power].lower() if names else ""
    irradiance = role == "pv" and any(word in name for word in ("ghi", "irradian", "w/m"))
    sign = -1.0 if role == "pv" and -min(watts_seen) > max(watts_seen) else 1.0
    factor = sign if irradiance else sign * _unit(name, max(map(abs, watts_seen)), role)
    return Series(
        times=times, watts=tuple(max(0.0, value * factor) for value in watts_seen), dated=dated, irradiance=irradiance
    )


def _table(path: Path) -> tuple[list[list[str]], list[str]]:
    """Return rows and the header's names; without a header no names."""
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise ValueError(f"{path.name}: the file is empty")
    separator = max(";\t,", key=lambda mark: (lines[0].count(mark) > 0, -";\t,".index(mark)))
    rows = list(csv.reader(lines, delimiter=separator))
    first = [cell.strip() for cell in rows[0]]
    if any(_is_number(cell) for cell in first[1:]):
        return rows, []
    return rows[1:], first


def _columns(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], role: str) -> tuple[tuple[int, ...], int]:
    """Return the columns of the time (one, or date and time) and of the power."""
    width = len(names) or len(rows[0])
    if width < 2:
        raise ValueError(f"{path.name}: needs a column of times and one of power, separated by , or ;")
    low = [name.lower() for name in names]
    date, time = (next((at for at, name in enumerate(low) if name in kind), None) for kind in (DATES, TIMES))
    clock: tuple[int, ...]
    if date is not None and time is not None:
        clock = (date, time)
    else:
        named = [at for at, name in enumerate(low) if any(word in name for word in TIME_NAMES) and "power" not in name]
        clock = (named[0] if named else _first_clock(rows[0]),)
    others = [at for at in range(width) if at not in clock]
    numeric = [at for at in others if any(len(row) > at and _is_number(row[at]) for row in rows[:200])]
    if not numeric:
        raise ValueError(f"{path.name}: no column with numbers beside the time (columns: {', '.join(names) or width})")
    for word in POWER_NAMES[role]:
        for at in numeric:
            if names and word in low[at] and _may_be_power(low[at]):
                return clock, at
    return clock, next((at for at in numeric if not names or _may_be_power(low[at])), numeric[0])


def _may_be_power(name: str) -> bool:
    return "reactive" not in name and ("power" in name or not any(other in name for other in NOT_POWER))


def _first_clock(row: Sequence[str]) -> int:
    """Return the first column that is written as a date or a time of day, else the first one."""
    for at, cell in enumerate(row):
        try:
            _time(cell.strip())
        except ValueError:
            continue
        if not _is_number(cell):
            return at
    return 0


DATES, TIMES = ("date", "datum"), ("time", "zeit", "uhrzeit")


def _time(text: str) -> tuple[float, bool]:
    """Return seconds, and whether they are of a date."""
    if _is_number(text):
        value = _number(text)
        if value > 1e11:
            value /= 1000.0
        return value, value > 1e8
    try:
        clock = datetime.fromisoformat(text)
    except ValueError:
        clock = _other_clock(text)
    dated = clock.year != NO_DATE
    naive = clock.replace(tzinfo=UTC)
    return (naive - datetime(1970 if dated else NO_DATE, 1, 1, tzinfo=UTC)).total_seconds(), dated


def _other_clock(text: str) -> datetime:
    for form in CLOCKS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no time (ISO, epoch, seconds, hh:mm)")


def _time_unit(names: Sequence[str], clock: tuple[int, ...]) -> float:
    """Return the seconds in what a column of plain numbers counts."""
    name = names[clock[0]].lower().strip() if names else ""
    return {"minute": 60.0, "minutes": 60.0, "min": 60.0, "hour": 3600.0, "hours": 3600.0}.get(name, 1.0)


def _over_midnight(values: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return times without a date in one line: a clock that jumps back begins the next day."""
    days, before, line = 0, values[0][0], []
    for at, watts in values:
        if at < before:
            days += DAY_S
        before = at
        line.append((at + days, watts))
    return line


def _unit(name: str, largest: float, role: str) -> float:
    if re.search(r"kw(?!h|p)", name):
        return 1000.0
    if re.search(r"(\b|_|\[|\()(w|watts?)(\b|_|\]|\))", name):
        return 1.0
    return 1000.0 if largest < LARGEST_KW[role] else 1.0


def _is_number(text: str) -> bool:
    try:
        _number(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    text = text.strip()
    return float(text.replace(",", ".") if "," in text and "." not in text else text)
