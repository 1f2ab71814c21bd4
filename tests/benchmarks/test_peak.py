"""The limit of the quarter hour through the whole core: kept, used, and beside a foresight worked out by hand."""

from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peak import days
from benchmarks.peak.command import LIMITS, scenarios
from benchmarks.peak.control import Limited, taught
from benchmarks.peak.figures import figures, quarters
from benchmarks.pv.loop import Course, run, site
from benchmarks.pv.model import Day
from custom_components.pv_load_manager.control.reserve import DAYS, House

QUARTER = 900


def made(house_w: list[float], pv_w: float = 0.0) -> Day:
    """Return a day from midnight on, a power for every quarter hour."""
    house = array("d", [watts for watts in house_w for _ in range(QUARTER)])
    return Day(name="hand", kind="hand", start_s=0, pv_w=array("d", [pv_w] * len(house)), house_w=house)


def drive(day: Day, limit_w: float, house: House | None = None) -> Course:
    """Let a day pass under a limit."""
    return run(day, site(1, interval_s=2), lambda place: Limited(place, day, limit_w, house or House()))


def test_foresight_is_what_the_limit_and_the_sun_leave() -> None:
    """Without a charge: 1 kW of house under 4 kW leaves 0.75 kWh, 5 kW nothing, 3 kW of sun beyond 1 kW as well."""
    day = made([1000.0, 5000.0])
    course = Course(day=day, site=site(1), car_w=array("d", [0.0] * 1800), grid_w=day.house_w)
    assert [quarter.possible_j for quarter in quarters(course, 4000.0)] == [3000.0 * 900, 0.0]
    found = figures(course, 4000.0)
    assert found["above_by_the_house_alone"] == 1
    assert found["above_because_of_us"] == 0
    assert found["part_of_foresight"] == 0.0
    sunny = made([1000.0], 4000.0)
    course = Course(day=sunny, site=site(1), car_w=array("d", [0.0] * 900), grid_w=array("d", [-3000.0] * 900))
    assert quarters(course, 4000.0)[0].possible_j == (3000.0 + 4000.0) * 900


def test_what_is_above_because_of_us_is_found() -> None:
    """A car that draws 5 kW all the time under a limit of 4 kW."""
    day = made([1000.0, 1000.0])
    course = Course(day=day, site=site(1), car_w=array("d", [5000.0] * 1800), grid_w=array("d", [6000.0] * 1800))
    found = figures(course, 4000.0)
    assert found["above_because_of_us"] == 2
    assert found["worst_excess_w"] == 2000.0
    assert found["part_of_foresight"] == 1.0


@pytest.mark.parametrize("limit_w", [2500.0, 6000.0])
def test_some_hours_with_an_oven(limit_w: float) -> None:
    """The limit is kept and, once the car draws, used."""
    day = made([300.0, 300.0, 2300.0, 800.0, 300.0, 300.0])
    course = drive(day, limit_w)
    found = figures(course, limit_w)
    assert found["above_because_of_us"] == 0
    later = quarters(course, limit_w)[1:]
    assert sum(quarter.charged_j for quarter in later) >= 0.95 * sum(quarter.possible_j for quarter in later)


def test_two_hours_of_a_recorded_morning(recorded_data: Path) -> None:
    """The busiest hours of the recording, in which the house jumps by kilowatts: none is above because of the car."""
    whole = days.house(recorded_data, 0, sunny=False)
    part = slice(6 * 3600, 8 * 3600)
    day = replace(whole, start_s=part.start, pv_w=whole.pv_w[part], house_w=whole.house_w[part])
    for house in (None, taught(days.house(recorded_data, 1, sunny=False))):
        found = figures(drive(day, 4000.0, house), 4000.0)
        assert found["above_because_of_us"] == 0
        assert isinstance(found["part_of_foresight"], float)
        assert found["part_of_foresight"] > 0.9


def test_what_is_taught_is_known_for_two_weeks() -> None:
    """A house of 300 W with an hour of 2 kW."""
    house = taught(made([300.0] * 4 + [2000.0] * 4 + [300.0] * 4))
    assert len(house.days) == DAYS
    assert max(house.days[0].rises) == pytest.approx(1700.0 * 900)


def test_every_scenario_has_its_own_name() -> None:
    """Also without the recordings something is measured."""
    names = [scenario.name for scenario in scenarios(LIMITS, quick=False, recorded=True)]
    assert len(names) == len(set(names)) == 28
    assert len(scenarios(LIMITS, quick=True, recorded=False)) == len(LIMITS)
