"""How WARP's power manager turns the grid power into a limit of surplus, and what it remembers of it.

Written from the description of what it does. In A over all used phases: 6 A on three phases are 18 A.
"""

from collections import deque
from math import inf

from benchmarks.plant import VOLTS

from .warp_limits import SlidingMinimum

CLOUD_FILTERS = {"none": 0.0, "weak": 120.0, "medium": 240.0, "strong": 480.0}
"""Window in s; none looks at the last value only."""
METER_STALE = 125.0
DEADZONE_W = 100.0
MINUTE = 60.0
MINUTES = 60


def share(error_w: float) -> float:
    """Return the part of an error that is corrected at once."""
    error_w = abs(error_w)
    if error_w < 1000.0:
        return 0.5
    return 0.75 if error_w < 1500.0 else 0.875


def available(error_w: float, used_w: float) -> float:
    """Return the power that the chargers may use in W, from what the grid power misses the target by."""
    return error_w if used_w <= 0.0 else used_w + share(error_w) * error_w


def with_battery(grid_w: float, battery_w: float, *, cars_first: bool) -> float:
    """Return the grid power as it counts beside a battery (discharge +), both in W.

    What it discharges is missing in any case; what it charges is a surplus where cars come first.
    """
    calm = max(0.0, grid_w - DEADZONE_W) if grid_w > 0 else min(0.0, grid_w + DEADZONE_W)
    return calm + (battery_w if cars_first else max(0.0, battery_w))


class HourMinimum:
    """The least of the last hour, kept as one value per minute."""

    def __init__(self) -> None:
        self._minutes: deque[float] = deque(maxlen=MINUTES)
        self._least = self._now = inf
        self._until = -inf

    def add(self, now: float, value: float) -> float:
        """Take a value in, and return the least."""
        if now >= self._until:
            if self._now < inf:
                self._minutes.append(self._now)
            self._least, self._now, self._until = min(self._minutes, default=inf), inf, now + MINUTE
        self._now = min(self._now, value)
        return min(self._now, self._least)


class PvLimit:
    """The surplus: now, the least and the most of the cloud filter's window, and the least of an hour."""

    def __init__(self, cloud_filter: str) -> None:
        window = CLOUD_FILTERS[cloud_filter]
        self._minimum, self._maximum = SlidingMinimum(window), SlidingMinimum(window)
        self._hour = HourMinimum()
        self.raw = self.minimum = self.maximum = self.spread = 0.0

    def update(self, now: float, error_w: float | None, used_w: float) -> None:
        """Take a second in.

        Args:
            now: monotonic seconds.
            error_w: target minus grid power, None where a meter is silent for too long.
            used_w: what the charging boxes are allowed.
        """
        self.raw = raw = 0.0 if error_w is None else available(error_w, used_w) / VOLTS
        self.minimum = self._minimum.add(now, raw)
        self.maximum = -self._maximum.add(now, -raw)
        self.spread = self._hour.add(now, raw)
