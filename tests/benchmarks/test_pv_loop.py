"""The loop keeps its delays, the definitions hold on days that can be worked out by hand."""

import pytest

from benchmarks.plant import START, Order
from benchmarks.policies.pv_fixed import Fast, Fixed
from benchmarks.policies.pv_ours import Ours
from benchmarks.pv import loop, sky
from benchmarks.pv.metrics import ceiling, ceiling_w, rises, score, together
from benchmarks.pv.steps import answers, steady_day
from custom_components.pv_load_manager.control import Rounding

from .pv_days import Script, day

HOUR = 3600


def test_a_command_takes_its_time_and_a_car_too() -> None:
    """3 s to the charger, 15 s until the car begins; a switch costs 25 s and the car's 15 s again."""
    script = Script({10: Order(charge=True, amps=10.0, phases=3), 100: Order(charge=True, amps=10.0, phases=1)})
    course = loop.run(day([0.0] * 200), loop.site(), lambda _: script)
    drawing = [second for second, watts in enumerate(course.car_w) if watts > 0.0]
    assert drawing[0] == 10 + 3 + 15
    assert [second for second in drawing if second > 100][:3] == [101, 102, 103 + 25 + 15]
    assert course.car_w[90] == pytest.approx(10.0 * 230.0 * 3)
    assert course.car_w[190] == pytest.approx(10.0 * 230.0)
    assert [moment.kind for moment in course.moments] == ["start", "down", "resume"]


def test_a_slow_meter_tells_the_power_of_its_moment_and_a_late_one_an_old_one() -> None:
    """Between two values nothing new is seen."""
    watts = [float(second) for second in range(60)]
    slow, late = Script({}), Script({})
    loop.run(day(watts), loop.site(interval_s=20), lambda _: slow)
    loop.run(day(watts), loop.site(interval_s=5, lag_s=3), lambda _: late)
    assert slow.seen[39] == (START + 20, -20.0)
    assert slow.seen[40] == (START + 40, -40.0)
    assert late.seen[14] == (START + 7, -7.0)


def test_starts_switches_and_commands_are_counted_by_what_the_car_does() -> None:
    """A repeated order is no command, a switch without current is an idle one, one with current ends in a start."""
    on, off = Order(charge=True, amps=6.0, phases=1), Order(charge=False)
    script = Script(
        {
            1: on,  # wired for three, so this switches without current
            60: on,
            61: Order(charge=True, amps=6.0, phases=3),
            160: off,
            161: off,
            200: on,
        }
    )
    found = score(loop.run(day([0.0] * 300), loop.site(), lambda _: script))
    assert (found.starts, found.resumes) == (3, 1)
    assert (found.switches, found.idle_switches) == (1, 2)
    assert found.commands == 4


def test_energy_definitions_on_a_constant_surplus() -> None:
    """A car that draws 6,900 W of 5,000 W surplus for a known time imports 1,900 W for as long."""
    script = Script({0: Order(charge=True, amps=10.0, phases=3)})
    course = loop.run(day([5_500.0] * 2 * HOUR, 500.0), loop.site(), lambda _: script)
    found = score(course)
    full = (2 * HOUR - 3 - 15 - 3) / HOUR  # 3 s of ramp are worked out below
    ramp = [4.0 * 690.0, 8.0 * 690.0, 6_900.0]
    car = 6.9 * full + sum(ramp) / 3.6e6
    assert found.car == pytest.approx(car)
    imported = 1.9 * full + sum(max(0.0, watts - 5_000.0) for watts in ramp) / 3.6e6
    assert found.import_car == pytest.approx(imported)
    assert found.surplus == pytest.approx(10.0)
    assert found.used == pytest.approx(car - imported)
    assert found.abs_grid == pytest.approx(imported + 10.0 - (car - imported))
    row = found.row()
    assert row["surplus_used"] == pytest.approx((car - imported) / 10.0, abs=1e-4)
    assert row["solar_share"] == pytest.approx(1.0 - imported / car, abs=1e-4)


def test_what_the_house_imports_anyway_is_not_the_cars() -> None:
    """With no sun all that the car draws is import, and only that."""
    found = score(loop.run(day([0.0] * HOUR, 1_000.0), loop.site(), Fast))
    assert found.import_car == pytest.approx(found.car)
    assert found.abs_grid == pytest.approx(found.car + 1.0)
    assert found.row()["surplus_used"] is None
    assert found.row()["solar_share"] == 0.0


def test_ceiling_takes_all_from_the_least_to_the_most() -> None:
    """Nothing below 6 A on one phase, no gap between one and three phases, and not more than the charger gives."""
    made = day([1_379.0, 1_380.0, 3_900.0, 9_000.0, 12_000.0, 500.0], 0.0)
    assert list(ceiling_w(made, loop.site())) == [0.0, 1_380.0, 3_900.0, 9_000.0, 11_040.0, 0.0]
    assert list(ceiling_w(made, loop.site(3)))[4] == 12_000.0
    best = ceiling(made, loop.site())
    assert best.import_car == 0.0
    assert best.row()["of_ceiling"] == 1.0
    assert best.surplus == pytest.approx((1_379.0 + 1_380.0 + 3_900.0 + 9_000.0 + 11_040.0 + 500.0) / 3.6e6)


def test_rises() -> None:
    """Only from nothing to something."""
    assert rises([0.0, 1.0, 2.0, 0.0, 0.0, 3.0]) == 2
    assert rises([1.0, 1.0]) == 1


def test_days_together_are_sums_of_energies_and_means_per_day() -> None:
    """A day of much sun counts more in the share, and as much in its mean."""
    order = {0: Order(charge=True, amps=6.0, phases=1)}
    courses = [loop.run(day([watts] * HOUR), loop.site(), lambda _: Script(order)) for watts in (1_380.0, 5_520.0)]
    figures = together([score(course) for course in courses])
    car = (HOUR - 18 - 2 + 4.0 / 6.0 + 1.0) / HOUR
    assert figures["surplus_used"] == pytest.approx(2 * car / 5, abs=1e-4)
    assert figures["surplus_used_mean"] == pytest.approx((car + car / 4) / 2, abs=1e-4)
    assert figures["solar_share"] == 1.0
    assert figures["starts_per_day"] == 1.0


def test_a_battery_keeps_the_grid_at_nothing_and_leaves_the_definitions_alone() -> None:
    """What a car draws beyond the surplus is import by definition, although the battery delivers it."""
    script = Script({0: Order(charge=True, amps=10.0, phases=1)})
    course = loop.run(day([0.0] * HOUR, 200.0), loop.site(battery=True), lambda _: script)
    found = score(course)
    assert found.used == pytest.approx(0.0)
    assert found.import_car == pytest.approx(found.car)
    steady = course.grid_w[300:600]
    assert abs(sum(steady) / len(steady)) < 5.0
    assert max(abs(watts) for watts in steady) < 150.0
    assert course.soc is not None
    assert course.soc < 20.0


def test_a_full_battery_takes_nothing_and_an_empty_one_gives_nothing() -> None:
    """Its energy stays between nothing and all it holds."""
    sunny = loop.run(day([5_000.0] * 3 * HOUR), loop.site(battery=True), lambda _: Script({}))
    dark = loop.run(day([0.0] * 3 * HOUR, 3_000.0), loop.site(battery=True), lambda _: Script({}))
    assert sunny.soc == pytest.approx(100.0, abs=0.1)
    assert sunny.battery_w[-1] == 0.0
    assert dark.soc == pytest.approx(0.0, abs=0.1)
    assert dark.grid_w[-1] == pytest.approx(3_000.0)


def test_fixed_phases_start_late_and_stop_later() -> None:
    """60 s of enough sun, 180 s of too little; current by whole amps."""
    course = loop.run(day([2_500.0] * 600 + [0.0] * 600), loop.site(), lambda site: Fixed(site, phases=1))
    start, stop = (moment.second for moment in course.moments if moment.kind in {"start", "stop"})
    assert 60 + 18 <= start <= 60 + 18 + 10
    assert 600 + 180 <= stop <= 600 + 180 + 20
    assert course.car_w[500] == pytest.approx(10 * 230.0)


def test_the_core_follows_the_sun_and_stops_without_it() -> None:
    """The adapter feeds and obeys the core: it charges from steady sun with hardly any import, and stops at night."""
    made = day([3_000.0] * 1200 + [0.0] * 1200, 300.0)
    course = loop.run(made, loop.site(), Ours)
    assert abs(course.car_w[1100] - 2_700.0) < 230.0
    assert course.car_w[2300] == 0.0
    course = loop.run(made, loop.site(), lambda site: Ours(site, rounding=Rounding.DOWN))
    assert course.car_w[1100] == pytest.approx(11 * 230.0)


def test_the_core_takes_no_option_that_it_does_not_have() -> None:
    """A misspelt option of a sweep is no silent default."""
    with pytest.raises(ValueError, match="no colour"):
        Ours(loop.site(), colour="green")


def test_a_day_is_the_same_to_the_bit_every_time() -> None:
    """Generator, plant and battery draw from their seeds only."""
    courses = []
    for _ in range(2):
        sky.generate.cache_clear()
        courses.append(
            loop.run(sky.generate("variable", 7), loop.site(battery=True), lambda site: Fixed(site, phases=1))
        )
    first, second = courses
    assert first.car_w == second.car_w
    assert first.grid_w == second.grid_w
    assert first.moments == second.moments


def test_steps_are_judged_against_what_the_sun_gives() -> None:
    """A controller every 10 s needs the dead time plus up to 10 s, on average about half."""
    found = answers(loop.run(steady_day(), loop.site(), lambda site: Fixed(site, phases=3)))
    up, down = found["up_3kw"], found["down_3kw"]
    assert isinstance(up, dict)
    assert isinstance(down, dict)
    for answer in (up, down):
        assert 3.0 <= answer["dead_s"] <= answer["worst_dead_s"] <= 13.0
        assert answer["dead_s"] < answer["worst_dead_s"]
        assert answer["worst_settled_s"] <= 16.0
        assert answer["overshoot_w"] == 0.0
    assert down["import_wh"] > 0.0
    never = answers(loop.run(steady_day(), loop.site(), lambda _: Script({})))["up_3kw"]
    assert isinstance(never, dict)
    assert never["settled_s"] is None
