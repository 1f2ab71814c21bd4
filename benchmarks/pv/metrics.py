"""What a day is worth: how much of the surplus the cars used, what they took beyond it, and how restless that was.

With base = house - PV (the grid power without the cars and without a battery), per second:
surplus = min(max(0, -base), what all chargers could draw), import_car = max(0, base + car) - max(0, base);
surplus_used = (E_car - E_import_car) / E_surplus, solar_share = 1 - E_import_car / E_car.
A battery changes none of that: what a car draws beyond the surplus is import_car, whoever delivers it.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import fsum

from benchmarks.plant import LEAST_A, VOLTS

from .loop import Course
from .model import Day, PvSite

type Figures = dict[str, object]

JOULES = 3.6e6
"""W s per kWh."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One day under one policy; energies in kWh."""

    day: str
    kind: str
    car: float
    surplus: float
    import_car: float
    abs_grid: float
    """Integral of the absolute grid power, cars always wanting."""
    ceiling: float
    """What perfect foresight would have used of the sun."""
    starts: int = 0
    resumes: int = 0
    """How many of the starts only ended the pause of a switch of phases."""
    switches: int = 0
    idle_switches: int = 0
    commands: int = 0
    extra: Figures = field(default_factory=dict)
    """Figures of a battery."""

    @property
    def used(self) -> float:
        """Return the sun that the cars took."""
        return self.car - self.import_car

    def row(self) -> Figures:
        """Return the day as a row of the report."""
        return {
            "day": self.day,
            "car_kwh": round(self.car, 3),
            "surplus_kwh": round(self.surplus, 3),
            "surplus_used": ratio(self.used, self.surplus),
            "solar_share": ratio(self.used, self.car),
            "import_kwh": round(self.import_car, 3),
            "abs_grid_kwh": round(self.abs_grid, 3),
            "of_ceiling": ratio(self.used, self.ceiling),
            "starts": self.starts,
            "cold_starts": self.starts - self.resumes,
            "switches": self.switches,
            "idle_switches": self.idle_switches,
            "commands": self.commands,
        } | self.extra


def ratio(part: float, whole: float) -> float | None:
    """Return a rounded share; None where there is no whole."""
    return round(part / whole, 4) if whole > 0.0 else None


def capacity_w(house: PvSite) -> float:
    """Return what all chargers of a house could draw together, in W."""
    return fsum(box.max_a * box.wired * VOLTS for box in house.boxes)


def ceiling_w(day: Day, house: PvSite) -> array[float]:
    """Return what cars would draw that know the future: everything from one phase's minimum on, and nothing is late."""
    least, most = LEAST_A * VOLTS, capacity_w(house)
    drawn = array("d")
    for pv_w, house_w in zip(day.pv_w, day.house_w, strict=True):
        surplus = min(pv_w - house_w, most)
        drawn.append(surplus if surplus >= least else 0.0)
    return drawn


def score(course: Course) -> Score:
    """Return the figures of a day."""
    kinds = Counter(moment.kind for moment in course.moments)
    return _score(
        course.day,
        course.site,
        course.car_w,
        course.grid_w,
        starts=kinds["start"] + kinds["resume"],
        resumes=kinds["resume"],
        switches=kinds["up"] + kinds["down"],
        idle_switches=kinds["idle"],
        commands=course.commands,
        extra=_battery(course) if course.battery_w else {},
    )


def ceiling(day: Day, house: PvSite) -> Score:
    """Return the figures of perfect foresight."""
    car = ceiling_w(day, house)
    grid = array("d", (home - pv + drawn for pv, home, drawn in zip(day.pv_w, day.house_w, car, strict=True)))
    return _score(day, house, car, grid, starts=rises(car))


def rises(watts: Sequence[float]) -> int:
    """Return how often a power rose from 0."""
    before, count = 0.0, 0
    for now in watts:
        count += before <= 0.0 < now
        before = now
    return count


def _score(
    day: Day,
    house: PvSite,
    car: Sequence[float],
    grid: Sequence[float],
    *,
    starts: int = 0,
    resumes: int = 0,
    switches: int = 0,
    idle_switches: int = 0,
    commands: int = 0,
    extra: Figures | None = None,
) -> Score:
    most = capacity_w(house)
    surplus = imported = 0.0
    for pv_w, house_w, car_w in zip(day.pv_w, day.house_w, car, strict=True):
        base = house_w - pv_w
        if base < 0.0:
            surplus += min(-base, most)
            imported += max(0.0, base + car_w)
        else:
            imported += car_w
    return Score(
        day=day.name,
        kind=day.kind,
        car=fsum(car) / JOULES,
        surplus=surplus / JOULES,
        import_car=imported / JOULES,
        abs_grid=fsum(map(abs, grid)) / JOULES,
        ceiling=fsum(ceiling_w(day, house)) / JOULES,
        starts=starts,
        resumes=resumes,
        switches=switches,
        idle_switches=idle_switches,
        commands=commands,
        extra=extra or {},
    )


def _battery(course: Course) -> Figures:
    """Return what battery and grid did; kWh."""
    return {
        "grid_import_kwh": round(fsum(max(0.0, watts) for watts in course.grid_w) / JOULES, 3),
        "grid_export_kwh": round(fsum(max(0.0, -watts) for watts in course.grid_w) / JOULES, 3),
        "battery_out_kwh": round(fsum(max(0.0, watts) for watts in course.battery_w) / JOULES, 3),
        "battery_in_kwh": round(fsum(max(0.0, -watts) for watts in course.battery_w) / JOULES, 3),
        "evening_soc": round(course.soc or 0.0, 1),
    }


def together(scores: Sequence[Score]) -> Figures:
    """Return the figures of many days: shares of summed energies, everything else per day on average."""
    days = len(scores)

    def mean(values: Iterable[float], digits: int) -> float:
        return round(fsum(values) / days, digits)

    used = fsum(one.used for one in scores)
    shares = [one.used / one.surplus for one in scores if one.surplus > 0.0]
    figures: Figures = {
        "surplus_used": ratio(used, fsum(one.surplus for one in scores)),
        "surplus_used_mean": round(fsum(shares) / len(shares), 4) if shares else None,
        "solar_share": ratio(used, fsum(one.car for one in scores)),
        "import_kwh": mean((one.import_car for one in scores), 3),
        "car_kwh": mean((one.car for one in scores), 3),
        "abs_grid_kwh": mean((one.abs_grid for one in scores), 3),
        "starts_per_day": mean((one.starts for one in scores), 2),
        "cold_starts_per_day": mean((one.starts - one.resumes for one in scores), 2),
        "switches_per_day": mean((one.switches for one in scores), 2),
        "worst_day_switches": max(one.switches for one in scores),
        "idle_switches_per_day": mean((one.idle_switches for one in scores), 2),
        "commands_per_day": mean((one.commands for one in scores), 1),
        "of_ceiling": ratio(used, fsum(one.ceiling for one in scores)),
    }
    for name in scores[0].extra:
        figures[name] = mean((float(str(one.extra[name])) for one in scores), 3)
    return figures
