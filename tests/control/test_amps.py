"""From watts to whole amps: rounding, the pause between commands, and cars that draw something else than offered."""

from dataclasses import replace
from itertools import pairwise
from math import sin

import pytest

from custom_components.pv_load_manager.control import PhasePolicy, Reason, Rounding
from custom_components.pv_load_manager.control.law import ROUND_UP

from .house import VOLTS, Car
from .test_day_stories import drawn_w, grid_w, one_phase, sunny


@pytest.mark.parametrize("sun_w", [2310.0, 2390.0, 2440.0, 2445.0, 2480.0, 2520.0])
def test_rounding_to_the_nearest_amp_buys_little_and_rounding_down_nothing(sun_w: float) -> None:
    """Nearest imports at most 0.39 A; down imports nothing and leaves less than an ampere."""
    nearest, down = one_phase(sun_w), one_phase(sun_w)
    down.set(rounding=Rounding.DOWN)
    for home in (nearest, down):
        home.run(600)
    assert ROUND_UP < 0.39
    assert -(1.0 - ROUND_UP) * VOLTS - 1.0 <= grid_w(nearest) <= ROUND_UP * VOLTS + 1.0
    assert -VOLTS <= grid_w(down) <= 0.0
    assert down.imported_wh() < 0.5


def test_on_three_phases_the_nearest_amp_buys_at_most_three_times_as_much() -> None:
    """A slow sweep from 4.5 to 8 kW: after each second's settling the import stays below 0.39 A on three phases."""
    home = sunny(lambda now: 4600.0 + now, phases=3)
    home.charger(phase_policy=PhasePolicy.THREE)
    home.run(3000)
    assert max(home.powers[120:]) <= 0.39 * 3 * VOLTS + 5.0
    assert home.starts() == 1


def test_surplus_commands_are_ten_seconds_apart() -> None:
    """However the sun trembles, a charger is told something at most every ten seconds."""
    home = one_phase(lambda now: 2600.0 + 900.0 * sin(now / 7.0) + 300.0 * ((now * 7919.0) % 3.0 - 1.0))
    home.run(1800)
    times = [at for at, _ in home.commands()][2:]
    assert len(times) > 5
    assert min(two - one for one, two in pairwise(times)) >= 10.0


def test_a_car_that_wants_less_than_sixteen_amps_is_judged_by_what_it_draws() -> None:
    """An 8 A car at 16 A on one phase: 1.8 kW of 6 kW are used, and three phases use 5.5 kW."""
    home = sunny(3000.0)
    home.cars["a"] = Car(maximum_a=8.0, set_phases=1)
    home.run(600)
    assert home.cars["a"].set_phases == 1
    home.surplus_w = lambda _: 6000.0
    home.run(1800)
    assert home.cars["a"].set_phases == 3
    assert drawn_w(home) == pytest.approx(3 * 8 * VOLTS)
    assert home.switches() == 1
    home.surplus_w = lambda _: 3000.0
    home.run(1800)
    assert home.cars["a"].set_phases == 1


@pytest.mark.parametrize(("policy", "lines", "sun_w"), [(PhasePolicy.ONE, 1, 2500.0), (PhasePolicy.THREE, 3, 6000.0)])
def test_a_car_that_draws_an_amp_too_much_is_told_an_amp_less(policy: PhasePolicy, lines: int, sun_w: float) -> None:
    """What it really draws comes from the sun, not from the grid."""
    home = sunny(sun_w, phases=lines)
    home.charger(phase_policy=policy)
    home.cars["a"].excess_a = 1.0
    home.run(900)
    assert -(1.0 - ROUND_UP + 0.3) * lines * VOLTS <= grid_w(home) <= (ROUND_UP + 0.01) * lines * VOLTS
    commands = len(home.commands())
    home.run(600)
    assert len(home.commands()) <= commands + 1


@pytest.mark.parametrize("volts", [215.0, 230.0, 245.0])
def test_an_ampere_is_worth_what_the_voltage_says(volts: float) -> None:
    """The least power and the whole amps come from the measured voltage, not from 230 V."""
    home = one_phase(2450.0)
    readings = home.readings
    home.readings = lambda: {  # type: ignore[method-assign]
        key: replace(reading, voltages_v=(volts, volts, volts), power_w=sum(reading.currents_a) * volts)  # type: ignore[arg-type]
        for key, reading in readings().items()
    }
    home.surplus_w = lambda _: 1000.0
    home.run(30)
    assert home.reason() == Reason.WAITING_FOR_SURPLUS
    assert home.explanation().numbers["needed_w"] == 6 * volts


def test_a_charger_of_thirty_two_amps_needs_no_second_phase_for_seven_kilowatts() -> None:
    """Where one phase can carry it all the contactor stays where it is."""
    home = sunny(7000.0)
    home.charger(max_current_a=32)
    home.cars["a"].maximum_a = 32.0
    home.run(1800)
    assert (home.allocated(), home.cars["a"].set_phases, home.switches()) == (30, 1, 0)


def test_a_charger_that_knows_only_one_current_is_on_or_off() -> None:
    """Least and most are both 16 A: 3.7 kW are needed for the start, and nothing is regulated afterwards."""
    home = one_phase(3000.0)
    home.charger(min_current_a=16, max_current_a=16)
    home.run(300)
    assert home.explanation().numbers["missing_w"] == 680
    home.surplus_w = lambda _: 5000.0
    home.run(900)
    assert home.allocated() == 16
    assert len(home.commands()) == 2


def test_a_car_that_needs_ten_amps_on_three_phases_is_switched_when_they_are_there() -> None:
    """6.9 kW are the least of this car on three phases: at 5 kW it stays on one, at 8 kW it does not."""
    home = sunny(5000.0)
    home.charger(min_current_three_a=10)
    home.run(2400)
    assert (home.allocated(), home.switches()) == (16, 0)
    home.surplus_w = lambda _: 8000.0
    home.run(1200)
    assert (home.cars["a"].set_phases, home.switches()) == (3, 1)
    assert home.allocated() in {11, 12}


@pytest.mark.parametrize("minutes", [10, 40])
def test_noise_on_a_steady_sun_is_no_reason_for_commands(minutes: int) -> None:
    """40 W up and down around a whole amp: hardly a command a minute."""
    home = one_phase(lambda now: 2300.0 + 40.0 * ((now * 7919.0) % 3.0 - 1.0))
    home.run(120)
    before = len(home.commands())
    home.run(60 * minutes)
    assert len(home.commands()) - before <= minutes / 2
