"""How WARP's power manager turns a meter into limits per phase, and what it remembers of them."""

from collections import deque
from collections.abc import Sequence

from benchmarks.plant import Three

SAMPLES = 20  # of 0.5 s
HALF_SECONDS = 2
MINIMUM_WINDOW = 240.0
SPREAD_WINDOW = 3600.0
METER_STALE = 65.0
MANY = 15 / 16


class SlidingMinimum:
    """The least value of the last while."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._kept: deque[tuple[float, float]] = deque()

    def add(self, now: float, value: float) -> float:
        """Take a value in, and return the least."""
        kept = self._kept
        while kept and kept[-1][1] >= value:
            kept.pop()
        kept.append((now, value))
        while now - kept[0][0] > self._window:
            kept.popleft()
        return kept[0][1]


class PhaseLimit:
    """Dynamic load management of one phase."""

    def __init__(self, target: float, most: float) -> None:
        self._target = target
        self._most = most
        self._samples: deque[float] = deque(maxlen=SAMPLES)
        self._minimum = SlidingMinimum(MINIMUM_WINDOW)
        self._spread = SlidingMinimum(SPREAD_WINDOW)
        self.raw = self.minimum = self.spread = 0.0
        self.urgent = False

    def update(self, now: float, measured: float | None, allocated: float) -> None:
        """Run the two ticks of a second.

        Args:
            now: monotonic seconds.
            measured: directional current in A, None where the meter is silent for too long.
            allocated: what the chargers say they may draw on this phase, in A.
        """
        self.urgent = False
        for _ in range(HALF_SECONDS):
            self.raw = 0.0 if measured is None else max(0.0, min(self._most, self._control(measured, allocated)))
        self.minimum = self._minimum.add(now, self.raw)
        self.spread = self._spread.add(now, self.raw)

    def _control(self, measured: float, allocated: float) -> float:
        self._samples.append(measured)
        error = self._target - self._smooth(measured)
        if allocated <= 0.0:
            return error
        if error >= 0.0:
            return allocated + min(error / 2, self._target / 2)
        return allocated + MANY * error

    def _smooth(self, measured: float) -> float:
        mean = sum(self._samples) / len(self._samples)
        peak = (max(self._samples) + mean) / 2
        low, high = 1.1 * self._target, 1.2 * self._target
        if measured < low:
            return mean
        if measured > high:
            self.urgent = True
            return peak
        return mean + (peak - mean) * (measured - low) / (high - low)


class FixedLimit:
    """A static current, the same at all times."""

    urgent = False

    def __init__(self, amps: float) -> None:
        self.raw = self.minimum = self.spread = amps

    def update(self, now: float, measured: float | None, allocated: float) -> None:
        """Stay as it is."""


def phases(target: float, most: float, *, dynamic: bool) -> Sequence[PhaseLimit | FixedLimit]:
    """Return the limits of the three phases."""
    return [PhaseLimit(target, most) if dynamic else FixedLimit(most) for _ in range(3)]


def measured(at: float, currents: Three, now: float) -> Three | None:
    """Return the currents while they are fresh enough."""
    return currents if now - at <= METER_STALE else None
