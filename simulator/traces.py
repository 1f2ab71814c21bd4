"""Recorded days: power over local time of day, read from CSV."""

from bisect import bisect_right
import csv
from datetime import datetime
from itertools import pairwise
from pathlib import Path

DAY_S = 86400


class Trace:
    """Power in W over seconds since the local midnight of the recording's first day.

    Between two samples the value is interpolated linearly; after the end the last day repeats.
    """

    def __init__(self, seconds: list[float], watts: list[float]) -> None:
        if len(seconds) < 2 or any(later <= earlier for earlier, later in pairwise(seconds)):
            raise ValueError("a trace needs at least two samples in ascending order of time")
        self._seconds = seconds
        self._watts = watts

    def start_for(self, second_of_day: float) -> float:
        """Return where to start so that the first day that covers this time of day is used."""
        start = second_of_day
        while start < self._seconds[0]:
            start += DAY_S
        if start > self._seconds[-1]:
            raise ValueError("the trace does not cover the start time")
        return start

    def watts(self, second: float) -> float:
        """Return the power in W at a time in seconds since the first day's midnight."""
        while second > self._seconds[-1]:
            second -= DAY_S
        index = bisect_right(self._seconds, second)
        if index == 0:
            return self._watts[0]
        if index == len(self._seconds):
            return self._watts[-1]
        before, after = self._seconds[index - 1], self._seconds[index]
        part = (second - before) / (after - before)
        return self._watts[index - 1] * (1 - part) + self._watts[index] * part


def load_trace(path: Path) -> Trace:
    """Read a trace; the format is recognised by the header line.

    Known formats: `measured_on,<column>` with ISO timestamps and W (NREL), and the `;`-separated UCI
    household format with `Date;Time;Global_active_power` in kW, where `?` is a missing value.
    The clock as written counts, whatever its offset: the day is aligned by local time of day.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not one of the known formats.
    """
    try:
        rows, factor = _read(path)
        clocks = [clock.replace(tzinfo=None) for clock, _ in rows]
        watts: list[float] = []
        for _, text in rows:
            missing = text.strip() in {"", "?"}
            watts.append((watts[-1] if watts else 0.0) if missing else max(0.0, float(text) * factor))
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path.name}: not a known trace format ({error})") from error
    if not rows:
        raise ValueError(f"{path.name}: no samples")
    midnight = clocks[0].replace(hour=0, minute=0, second=0, microsecond=0)
    return Trace([(clock - midnight).total_seconds() for clock in clocks], watts)


def _read(path: Path) -> tuple[list[tuple[datetime, str]], float]:
    """Return the samples as written and the factor that makes them W."""
    with path.open(encoding="utf-8", newline="") as file:
        header = file.readline().strip()
        if header.startswith("measured_on,"):
            return [(datetime.fromisoformat(row[0]), row[1]) for row in csv.reader(file) if row], 1.0
        if header.startswith("Date;Time;Global_active_power"):
            rows = csv.reader(file, delimiter=";")
            return [(_uci_clock(row[0], row[1]), row[2]) for row in rows if row], 1000.0
    raise ValueError("unknown header")


def _uci_clock(day: str, clock: str) -> datetime:
    """Parse `dd/mm/yyyy` and `h:mm:ss`."""
    date, month, year = (int(part) for part in day.split("/"))
    hour, minute, second = (int(part) for part in clock.split(":"))
    return datetime(year, month, date, hour, minute, second)
