"""Small houses with sun to look at closely."""

from array import array
from math import pi, sin
from random import Random

from benchmarks.plant import START, BoxModel, BoxView, CarModel, CarSays
from benchmarks.pv.loop import Course
from benchmarks.pv.model import Day, PvSeen, PvSite


def seen(now: float, grid_w: float, **boxes: BoxView) -> PvSeen:
    """Return what a policy sees."""
    return PvSeen(grid_at=now, grid_w=grid_w, boxes=boxes)


def waiting(phases: int = 3) -> BoxView:
    """Return a charger that is off, with a car."""
    return BoxView(at=START, car=CarSays.WAITING, phases=phases)


def plain_site(*keys: str, wired: int = 3) -> PvSite:
    """Return a site with chargers of 16 A that obey within a second."""
    return PvSite(
        boxes=tuple(BoxModel(key=key, wired=wired) for key in keys),
        cars=(CarModel(start_delay_s=2.0),) * len(keys),
    )


def day(pv_w: array[float], house_w: float = 0.0) -> Day:
    """Return a day with this sun."""
    return Day(name="test", kind="test", start_s=0, pv_w=pv_w, house_w=array("d", [house_w]) * len(pv_w))


def steps(*parts: tuple[int, float]) -> Day:
    """Return a day of constant parts: (seconds, W)."""
    pv_w = array("d")
    for seconds, power in parts:
        pv_w.extend([power] * seconds)
    return day(pv_w)


def times(course: Course, kind: str) -> list[int]:
    """Return when something happened, in seconds."""
    return [moment.second for moment in course.moments if moment.kind == kind]


def random_day(seed: int, seconds: int = 36_000) -> Day:
    """Return ten hours of 9 kWp under clouds of 20..260 s that let 25..100 % through, and a house of 500 W."""
    random = Random(seed)  # noqa: S311 (no secret)
    pv_w = array("d")
    while len(pv_w) < seconds:
        through = random.uniform(0.25, 1.0)
        for _ in range(round(random.uniform(20.0, 260.0))):
            pv_w.append(9000.0 * through * sin(pi * min(1.0, len(pv_w) / seconds)))
    return day(pv_w[:seconds], 500.0)
