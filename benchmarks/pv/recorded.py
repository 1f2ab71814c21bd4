"""Recorded days, made a value per second: between averages powers change as sun and switches do, not evenly."""

from array import array
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from random import Random

from .csv_series import DAY_S, Series, read
from .house import household
from .model import Day
from .sky import AROUND, EDGE_S, drift

DARK = 0.002
"""Share of the highest power below which the roof counts as dark."""
NIGHT_S = 3 * 3600
SMALLEST_DAY = 0.01
"""Share of the best day's energy below which a stretch of light is no day."""
FINE_S, COARSE_S = 2.0, 300.0
"""Values this near show every change themselves; values farther apart than the other say nothing about edges."""
CLOUD = 0.08
"""Share of the highest power: a change of that much between two values is the edge of a cloud."""
SWITCH_W = 150.0
NOISE = 0.005
RATED_KWP = 9.0
"""Of the roof that irradiance is taken to fall on, where nothing else is said."""


@lru_cache(maxsize=2)
def roof(path: Path, kwp: float | None) -> Series:
    """Return what a roof gave in W; with kwp its peak is scaled to that many kW."""
    series = read(path, "pv")
    highest = max(series.watts)
    if highest <= 0.0:
        raise ValueError(f"{path.name}: the roof never gives anything")
    unscaled = RATED_KWP if series.irradiance else 1.0
    factor = kwp * 1000.0 / highest if kwp is not None else unscaled
    return Series(times=series.times, watts=tuple(watts * factor for watts in series.watts), dated=series.dated)


@lru_cache(maxsize=2)
def spans(path: Path, kwp: float | None) -> list[tuple[float, float]]:
    """Return first and last moment of light of every day in a file."""
    series = roof(path, kwp)
    dark = max(series.watts) * DARK
    found: list[tuple[float, float, float]] = []
    for at, watts in zip(series.times, series.watts, strict=True):
        if watts <= dark:
            continue
        if found and at - found[-1][1] < NIGHT_S:
            found[-1] = (found[-1][0], at, found[-1][2] + watts)
        else:
            found.append((at, at, watts))
    best = max(light for _, _, light in found)
    return [(begin, end) for begin, end, light in found if light >= SMALLEST_DAY * best]


def day(
    pv: Path, house: Path | None, *, kwp: float | None, number: int, seed: int, name: str, kind: str = "csv"
) -> Day:
    """Return one of the days of a file, an hour before the first light to an hour after the last."""
    series = roof(pv, kwp)
    first, last = spans(pv, kwp)[number]
    begin, seconds = int(first) - AROUND, int(last - first) + 2 * AROUND
    random = Random(f"recorded {name} {seed}")  # noqa: S311 (no secret)
    pv_w = refine(series, begin, seconds, random, jump_w=CLOUD * max(series.watts), edge_s=EDGE_S, dark_outside=True)
    if series.cadence_s > FINE_S:
        noise = drift(seconds, NOISE, 2.0, random)
        pv_w = array("d", (watts * factor for watts, factor in zip(pv_w, noise, strict=True)))
    if house is None:
        house_w = household(begin % DAY_S, seconds, random)
    else:
        load = read(house, "house")
        shift = _shift(series, load, begin, seconds, number)
        house_w = refine(load, begin + shift, seconds, random, jump_w=SWITCH_W, edge_s=(1.0, 1.0))
    return Day(name=name, kind=kind, start_s=begin % DAY_S, pv_w=pv_w, house_w=house_w)


def _shift(roof_series: Series, load: Series, begin: int, seconds: int, number: int) -> int:
    """Return what has to be added to the roof's time to be in the house's: nothing, or whole days to where it is."""
    covered = load.times[0] <= begin + AROUND and begin + seconds - AROUND <= load.times[-1]
    if covered and load.dated == roof_series.dated:
        return 0
    days = max(1, round((load.times[-1] - load.times[0]) / DAY_S))
    return int(load.times[0] // DAY_S - begin // DAY_S + number % days) * DAY_S


def refine(
    series: Series,
    begin: int,
    seconds: int,
    random: Random,
    *,
    jump_w: float,
    edge_s: tuple[float, float],
    dark_outside: bool = False,
) -> array[float]:
    """Return a value per second: small changes take all the time between two values, large ones an edge's within it.

    Outside the series its first or last value holds, or it is dark.
    """
    times, watts = series.times, series.watts
    gap = series.cadence_s
    edges = FINE_S < gap <= COARSE_S
    result = array("d")
    index = max(0, bisect_left(times, begin) - 1)
    ramp = (0.0, 0.0)
    ramp_of = -1
    for second in range(begin, begin + seconds):
        while index + 1 < len(times) and times[index + 1] <= second:
            index += 1
        if second < times[0] or second > times[-1] + gap:
            result.append(0.0 if dark_outside else watts[0 if second < times[0] else -1])
            continue
        if index + 1 == len(times):
            result.append(watts[-1])
            continue
        before, after = watts[index], watts[index + 1]
        if ramp_of != index:
            ramp_of, ramp = index, (times[index], times[index + 1])
            if edges and abs(after - before) > jump_w:
                lasts = min(random.uniform(*edge_s), ramp[1] - ramp[0])
                at = random.uniform(ramp[0], ramp[1] - lasts)
                ramp = (at, at + lasts)
        part = min(1.0, max(0.0, (second - ramp[0]) / (ramp[1] - ramp[0])))
        result.append(before + (after - before) * part)
    return result
