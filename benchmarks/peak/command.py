"""A limit of the quarter hour's mean: is it kept, and how much of what perfect foresight would charge is charged.

Recorded and made-up days from midnight to midnight with cars that always want, mode fast, chargers of 16 A that switch
between one and three phases. Nothing is known of the house at midnight, but where a scenario says so.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
import sys

from benchmarks.pv import days as pv_days
from benchmarks.pv.loop import run, site
from benchmarks.pv.model import Day
from custom_components.pv_load_manager.control.reserve import House

from . import days
from .control import Limited, taught
from .figures import Figures, figures

LIMITS = (2500.0, 4000.0, 6000.0, 8000.0)  # W
METER_S = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One day under one limit."""

    kind: str
    """``recorded`` or ``made``."""
    number: int
    """Of the recorded day, or the seed."""
    limit_w: float
    sunny: bool = False
    chargers: int = 1
    known: bool = False
    """Whether the house was like the other recorded day for two weeks."""

    @property
    def name(self) -> str:
        """Return what it is called in the figures."""
        parts = [
            f"{self.kind}-{self.number}",
            *(["sun"] if self.sunny else []),
            *(["known"] if self.known else []),
            f"{self.chargers}x16A",
            f"{self.limit_w / 1000.0:g}kW",
        ]
        return " ".join(parts)


def scenarios(limits: tuple[float, ...], *, quick: bool, recorded: bool) -> list[Scenario]:
    """Return what is measured."""
    found: list[Scenario] = []
    for number, limit in enumerate(limits):
        odd = number % 2 == 1
        if recorded:
            for day in range(1, 1 + (1 if quick else days.RECORDED)):
                found += [Scenario(kind="recorded", number=day, limit_w=limit, sunny=sunny) for sunny in (False, True)]
            if not quick:
                found.append(Scenario(kind="recorded", number=2, limit_w=limit, known=True))
                found.append(Scenario(kind="recorded", number=1, limit_w=limit, sunny=odd, chargers=3))
        found.append(Scenario(kind="made", number=number + 1, limit_w=limit, sunny=odd))
    return found


def work(scenario: Scenario) -> Figures:
    """Let one day pass."""
    day = load(scenario)
    house = taught(_recorded(1 - (scenario.number - 1), sunny=False)) if scenario.known else House()
    course = run(
        day,
        site(scenario.chargers, interval_s=METER_S),
        lambda place: Limited(place, day, scenario.limit_w, house),
    )
    return figures(course, scenario.limit_w)


def load(scenario: Scenario) -> Day:
    """Return the day of a scenario."""
    if scenario.kind == "made":
        return days.made(scenario.number, sunny=scenario.sunny)
    return _recorded(scenario.number - 1, sunny=scenario.sunny)


def _recorded(number: int, *, sunny: bool) -> Day:
    return days.house(pv_days.DATA, number, sunny=sunny)


def measure(arguments: list[str]) -> Figures:
    """Return the figures by scenario."""
    parser = argparse.ArgumentParser(prog="scripts/bench peak", description=__doc__)
    parser.add_argument("--limits", type=_limits, default=LIMITS, help="in W, for example 2500,4000")
    parser.add_argument("--quick", action="store_true", help="one recorded and one made-up day, one charger")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    gone = days.missing(pv_days.DATA)
    found = scenarios(options.limits, quick=options.quick, recorded=not gone)
    results: dict[str, Figures] = {}
    longest_first = sorted(found, key=lambda scenario: -scenario.chargers)
    with ProcessPoolExecutor(max_workers=options.workers) as pool:
        for scenario, result in zip(longest_first, pool.map(work, longest_first), strict=True):
            results[scenario.name] = result
            told = f"{result['above_because_of_us']} above, {result['part_of_foresight']} of foresight"
            print(f"{len(results)}/{len(found)} {scenario.name}: {told}", file=sys.stderr, flush=True)
    ordered: Figures = {scenario.name: results[scenario.name] for scenario in found}
    parts = [part for result in results.values() if isinstance(part := result["part_of_foresight"], float)]
    return {
        "missing_recordings": gone,
        "above_because_of_us": sum(int(str(result["above_because_of_us"])) for result in results.values()),
        "least_part_of_foresight": min(parts, default=None),
        "scenarios": ordered,
    }


def _limits(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))
