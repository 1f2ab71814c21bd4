"""Compares what a charger and a meter said while the charger's current went up and down several times.

For every lag that the meter may have, the charger's current is taken that much earlier and compared with the meter:

* The lag is the one with which the changes from one meter value to the next are explained best (least sum of the
  absolute rests; the factor is the weighted median of the ratios, which is the exact solution of that problem). A
  kettle is one such change, however long it runs.
* What a phase of the meter sees is the ratio of its step to the charger's at every step. It counts only where nearly
  all steps agree: +1 = it counts the car, -1 = it does so the wrong way round, 0 = it does not see it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil
from typing import NamedTuple

LEAST_STEP = 0.5  # of the largest step; a smaller one does not count
LEAST_STEPS = 4
STEPS = 6  # so many there usually are
NEAR = 0.3  # so near its whole number the ratio of a phase has to be
AGREES = 0.35  # and so near that of a single step
STRAY = 3  # one of so many steps may have met a change of the house
EXPLAINED = 0.4  # of all that a value of the meter moved; below it the car is not what moves it
NEARBY = 4.0  # s; before and after a step the meter is looked at for so long
BEATS = 1.2  # or for so many of its values
GRAIN = 0.25  # s; between two lags that are tried
FLAT = 0.03  # of what the car explains; lags that are worse by less are as good as the best


class Point(NamedTuple):
    """What one device said at one moment, in monotonic seconds."""

    at: float
    value: float


class Level(NamedTuple):
    """A time in which the charger gave a steady current, in monotonic seconds."""

    begin: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """How much later the meter tells a change than the charger."""

    seconds: float
    """Negative = the charger is the slower one."""
    within: float
    """How far it may be off, in s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How one value of the meter follows the charger."""

    factor: float
    """Median over the steps: the meter's step by the charger's."""
    sees: int | None
    """1 = right, -1 = the wrong way round, 0 = not at all, None = that cannot be told."""
    clear: bool
    """Whether every single step says the same."""
    rest: float
    """Median of what the meter shows beside the car, in the unit of the points."""
    wobble: float
    """By how much that moved, without its largest and smallest tenth."""


def find_lag(charger: Sequence[Point], series: Iterable[Sequence[Point]], lags: tuple[float, float]) -> Lag | None:
    """Return by how much the meter is late, None where nothing in its values follows the charger.

    Args:
        charger: its current, oldest first.
        series: of the meter, the phases that it knows or its total in the same unit.
        lags: least and most that is looked for, in s.
    """
    known = [points for points in series if len(points) > 1]
    if len(charger) < 2 or not known:
        return None
    tried = [lags[0] + GRAIN * step for step in range(round((lags[1] - lags[0]) / GRAIN) + 1)]
    costs = [sum(_unexplained(charger, points, lag) for points in known) for lag in tried]
    nothing = sum(_movement(points) for points in known)
    best = min(costs)
    limit = best + FLAT * max(0.0, nothing - best)
    good = [lag for lag, cost in zip(tried, costs, strict=True) if cost <= limit]
    if nothing <= 0.0 or limit >= nothing:
        return None
    # Between two of its own values the charger may have changed at any time, and every step tells the moment to within
    # one value of the meter.
    own = cadence([point.at for point in charger]) or 0.0
    pace = max(cadence([point.at for point in points]) or 0.0 for points in known)
    within = (good[-1] - good[0]) / 2 + GRAIN + own / 2 + pace / STEPS
    return Lag(seconds=(good[0] + good[-1]) / 2, within=within)


def compare(charger: Sequence[Point], meter: Sequence[Point], levels: Sequence[Level], lag: float) -> Seen | None:
    """Return how a series of the meter follows the charger, None where too few steps can be compared.

    Args:
        charger: its current or power, oldest first.
        meter: in the same unit, oldest first.
        levels: when the charger's current was steady, oldest first.
        lag: of the meter in s.
    """
    given = [_median(_between(charger, level.begin, level.end)) for level in levels]
    near = max(NEARBY, BEATS * (cadence([point.at for point in meter]) or 0.0))
    steps: list[tuple[float, float]] = []
    for (before, own_before), (after, own_after) in pairwise(zip(levels, given, strict=True)):
        # Close to the step, so that few changes of the house fall into the comparison.
        first = _median(_between(meter, max(before.begin, before.end - near) + lag, before.end + lag))
        last = _median(_between(meter, after.begin + lag, min(after.end, after.begin + near) + lag))
        if first is not None and last is not None and own_before is not None and own_after is not None:
            steps.append((own_after - own_before, last - first))
    largest = max((abs(own) for own, _ in steps), default=0.0)
    ratios = [(grid / own, abs(own)) for own, grid in steps if abs(own) >= LEAST_STEP * largest > 0.0]
    if len(ratios) < LEAST_STEPS:
        return None
    factor = _weighted_median(ratios)
    nearest = max(-1, min(1, round(factor)))
    agreeing = sum(abs(ratio - nearest) <= AGREES for ratio, _ in ratios)
    sure = abs(factor - nearest) <= NEAR and agreeing >= len(ratios) - len(ratios) // STRAY
    if sure and nearest:
        # Steps may agree by chance, but not at the very moments at which the car moved.
        apart = _apart(charger, meter)
        sure = _unexplained(charger, meter, lag, apart) <= (1.0 - EXPLAINED) * _movement(meter, apart)
    rests = sorted(
        point.value - nearest * value
        for level, value in zip(levels, given, strict=True)
        if value is not None
        for point in _points(meter, level.begin + lag, level.end + lag)
    )
    tenth = len(rests) // 10
    return Seen(
        factor=factor,
        sees=nearest if sure else None,
        clear=agreeing == len(ratios),
        rest=rests[len(rests) // 2],
        wobble=rests[-1 - tenth] - rests[tenth],
    )


def cadence(times: Sequence[float]) -> float | None:
    """Return how often a meter speaks, in s; None where it hardly ever did."""
    gaps = [after - before for before, after in pairwise(times)]
    return _median(gaps) if len(gaps) > 1 else None


def value_at(points: Sequence[Point], at: float) -> float:
    """Return the value between two points, in a straight line; before the first and after the last it stays."""
    index = bisect_right(points, at, key=_at)
    if index == 0:
        return points[0].value
    before = points[index - 1]
    if index == len(points):
        return before.value
    after = points[index]
    return before.value + (after.value - before.value) * (at - before.at) / (after.at - before.at)


def _apart(charger: Sequence[Point], meter: Sequence[Point]) -> int:
    """Return how many values of the meter the charger may take to tell of one change."""
    own, pace = cadence([point.at for point in charger]), cadence([point.at for point in meter])
    return 1 if own is None or not pace else 1 + ceil(2.0 * own / pace)


def _movement(points: Sequence[Point], apart: int = 1) -> float:
    """Return the sum of all changes between values that are so many places apart."""
    return sum(abs(after.value - before.value) for before, after in zip(points, points[apart:], strict=False))


def _unexplained(charger: Sequence[Point], meter: Sequence[Point], lag: float, apart: int = 1) -> float:
    """Return the sum of what the meter changed between such values beyond what the charger explains."""
    own = [value_at(charger, point.at - lag) for point in meter]
    changes = [
        (after.value - before.value, now - then)
        for before, after, then, now in zip(meter, meter[apart:], own, own[apart:], strict=False)
    ]
    ratios = [(grid / car, abs(car)) for grid, car in changes if abs(car) > 1e-6]
    factor = _weighted_median(ratios) if ratios else 0.0
    return sum(abs(grid - factor * car) for grid, car in changes)


def _weighted_median(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the value with half of the weight on either side."""
    ordered = sorted(pairs)
    sums = list(accumulate(weight for _, weight in ordered))
    return ordered[bisect_left(sums, sums[-1] / 2)][0]


def _points(points: Sequence[Point], begin: float, end: float) -> Sequence[Point]:
    return points[bisect_left(points, begin, key=_at) : bisect_right(points, end, key=_at)]


def _between(points: Sequence[Point], begin: float, end: float) -> list[float]:
    return [point.value for point in _points(points, begin, end)]


def _median(values: Sequence[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _at(point: Point) -> float:
    return point.at
