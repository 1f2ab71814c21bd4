"""What is told from outside: the available current with its watchdog, and the number of phases."""

from dataclasses import replace
from itertools import pairwise

import pytest

from custom_components.pv_load_manager.control import (
    ChargerMode,
    ExternalCause,
    ExternalPhases,
    Mode,
    PhasePolicy,
)

from .house import Car, House, house


def told(default_a: float = 0.0, available_a: float = 12.0) -> House:
    """Return a house that charges fast, whose available current was just set and is watched."""
    home = house(mode=Mode.FAST)
    home.set(watchdog=True, available_current_a=available_a, default_available_current_a=default_a)
    home.available_set_at = home.now
    home.run(10)
    home.available_set_at = home.now
    return home


def test_available_current_is_shared_and_only_a_cap() -> None:
    """All together stay below it, the fuse binds as before, and it never asks anybody to charge."""
    home = house("a", "b", mode=Mode.FAST, fuse=25.0)
    home.set(available_current_a=20.0)
    home.run(30)
    assert (home.allocated("a"), home.allocated("b")) == (10, 10)
    assert home.reason() == "limited_by_available_current"
    home.load_a = (12.0, 0.0, 0.0)
    home.run(30)
    assert home.allocated("a") + home.allocated("b") <= 13
    assert home.reason() == "limited_by_fuse"
    home.load_a = (0.0, 0.0, 0.0)
    home.set(mode=Mode.PV)
    home.run(200)
    assert home.allocated("a") == home.allocated("b") == 0


def test_zero_is_nothing() -> None:
    """An available current of 0 stops everybody in the same step, and says so."""
    home = told()
    home.set(available_current_a=0.0)
    home.step()
    assert home.allocated() == 0
    assert home.reason() == "waiting_for_available_current"


def test_set_every_ten_seconds_it_holds() -> None:
    """Who sets it again and again keeps it, for hours."""
    home = told()
    for _ in range(60):
        home.run(10)
        assert home.allocated() == 12
        assert not home.plan.watchdog_expired
        home.available_set_at = home.now


def test_silence_falls_back_within_one_step_and_the_next_value_is_back() -> None:
    """Up to 30 s nothing happens, after 31 s the default is in force and named with its numbers."""
    home = told(default_a=8.0)
    home.run(30)
    assert home.allocated() == 12
    assert not home.plan.watchdog_expired
    home.step()
    assert home.allocated() == 8
    assert home.plan.watchdog_expired
    assert home.plan.available_a == 8.0
    assert home.reason() == "limited_by_watchdog"
    numbers = home.explanation().numbers
    assert (numbers["silent_s"], numbers["room_a"], numbers["allocated_a"]) == (31, 8.0, 8)
    home.available_set_at = home.now
    home.step()
    assert home.plan.available_a == 12.0
    home.run(10)  # no charger is told something new more often
    assert home.allocated() == 12
    assert not home.plan.watchdog_expired
    assert home.reason() == "limited_by_available_current"


def test_default_of_zero_stops() -> None:
    """The default may be 0; then the silence stops everybody, and the reason says since when."""
    home = told(default_a=0.0)
    home.run(31)
    assert home.allocated() == 0
    assert home.reason() == "waiting_for_watchdog"
    assert home.explanation().numbers["silent_s"] == 31
    assert home.explanation().numbers["needed_a"] == 6


def test_default_that_takes_nothing_is_no_reason() -> None:
    """Where the default is all there is, the maximum limits, not the silence."""
    home = told(default_a=35.0)
    home.set(maximum_total_current_a=10.0)
    home.run(40)
    assert home.plan.watchdog_expired
    assert home.allocated() == 10
    assert home.reason() == "limited_by_available_current"


def test_default_above_what_was_set() -> None:
    """The default may be more than what was set last, never more than the maximum."""
    home = told(default_a=100.0)
    home.set(maximum_total_current_a=14.0)
    home.run(45)
    assert home.allocated() == 14
    assert home.plan.available_a == 14.0


def test_restart_is_no_silence() -> None:
    """Before the first value the watchdog counts from the start."""
    home = house(mode=Mode.FAST)
    home.set(watchdog=True, available_current_a=12.0, default_available_current_a=6.0)
    home.run(30)
    assert home.allocated() == 12
    home.run(1)
    assert home.allocated() == 6


def test_without_the_watchdog_silence_is_nothing() -> None:
    """Switched off it never falls back."""
    home = told(default_a=0.0)
    home.set(watchdog=False)
    home.run(3600)
    assert home.allocated() == 12
    assert not home.plan.watchdog_expired


def test_not_used_at_all() -> None:
    """With the external current off neither it nor the watchdog counts, only the maximum."""
    home = told(default_a=0.0)
    home.set(external_current=False, maximum_total_current_a=14.0)
    home.run(60)
    assert home.allocated() == 14
    assert not home.plan.watchdog_expired
    assert home.plan.available_a == 14.0


def requested(mode: Mode = Mode.FAST, *keys: str, phases: int | None = None) -> House:
    """Return a sunny house with external phase control."""
    home = house(*keys, mode=mode, fuse=63.0)
    home.surplus_w = lambda _: 5000.0 * len(home.cars)
    home.set(external_phases=True, phases_wanted=phases)
    return home


SURPLUS_AND_FAST = (Mode.PV, Mode.MIN_PV, Mode.FAST)


@pytest.mark.parametrize("mode", SURPLUS_AND_FAST)
def test_zero_phases_stop_everybody(mode: Mode) -> None:
    """0 = nobody charges, whatever the mode and the override; off keeps its own word; 1 lets them charge again."""
    home = requested(mode, "a", "b")
    home.run(120)
    assert home.allocated("a") > 0
    home.set(phases_wanted=0)
    home.step()
    assert home.allocated("a") == home.allocated("b") == 0
    assert home.reason() == "external_no_phases"
    home.run(30)
    assert sum(home.chargers_a()) == 0
    home.set(mode=Mode.OFF)
    home.step()
    assert home.reason() == "site_off"
    home.set(mode=mode, phases_wanted=1)
    home.run(120)
    assert home.allocated("a") > 0
    assert home.allocated("b") > 0


def test_zero_phases_stop_a_car_that_was_left_alone() -> None:
    """Nobody is nobody: also a car that charges before a mode was chosen; other requests leave it alone."""
    home = house(mode=Mode.PV)
    home.set(mode_chosen=False, external_phases=True, phases_wanted=1)
    home.cars["a"] = Car(holding=False, setting_a=16, drawn_a=16.0)
    home.run(30)
    assert home.reason() == "untouched"
    home.set(phases_wanted=0)
    home.run(10)
    assert home.reason() == "external_no_phases"
    assert home.cars["a"].drawn_a == 0


@pytest.mark.parametrize("mode", SURPLUS_AND_FAST)
@pytest.mark.parametrize("phases", [1, 3])
def test_all_obey_in_safe_order(mode: Mode, phases: int) -> None:
    """1 and 3 hold for all chargers, also while they charge; no phase is ever added at a current that does not fit."""
    home = requested(mode, "a", "b", phases=4 - phases)
    home.run(120)
    assert {car.set_phases for car in home.cars.values()} == {4 - phases}
    assert home.allocated("a") > 0
    home.set(phases_wanted=phases)
    home.run(90)
    assert {car.set_phases for car in home.cars.values()} == {phases}
    assert {plan.command.phases for plan in home.plan.chargers.values() if plan.command} == {phases}
    assert home.allocated("a") > 0
    before: list[tuple[int, int]] = []
    for _, command in home.commands():
        if command.charge:
            before.append((command.phases or 0, command.current_a))
    for (had, one), (has, two) in pairwise(before):
        if (had, has) == (1, 3):
            assert two <= one
    home.run(1200)
    assert {car.set_phases for car in home.cars.values()} == {phases}


def test_request_for_a_waiting_car() -> None:
    """A car that begins later begins with the phases that are requested."""
    home = requested(Mode.FAST, phases=1)
    home.cars["a"].plugged = False
    home.run(30)
    home.cars["a"].plugged = True
    home.run(30)
    assert home.cars["a"].currents == (16.0, 0.0, 0.0)


def test_switched_off_it_says_nothing() -> None:
    """With external phase control off a request that is left over counts for nothing, and the state is disabled."""
    home = requested(Mode.FAST, phases=0)
    home.set(external_phases=False)
    home.run(30)
    assert home.allocated() == 16
    assert home.plan.external is ExternalPhases.DISABLED
    assert home.plan.external_cause is ExternalCause.NONE


def test_four_states() -> None:
    """Ready, switching while phases change, unavailable with the cause, and ready again."""
    home = requested(Mode.FAST, phases=3)
    home.run(60)
    assert home.plan.external is ExternalPhases.READY
    home.cars["a"].pause = 8
    home.set(phases_wanted=1)
    home.step()
    assert home.plan.external is ExternalPhases.SWITCHING
    home.run(60)
    assert home.plan.external is ExternalPhases.READY
    home.cars["a"].online = False
    home.step()
    assert (home.plan.external, home.plan.external_cause) == (ExternalPhases.UNAVAILABLE, ExternalCause.UNREACHABLE)
    home.cars["a"].online = True
    home.step()
    assert home.plan.external is ExternalPhases.READY


def test_unavailable_without_chargers_or_with_fixed_ones() -> None:
    """A house without chargers, of one phase, or with a charger that cannot change: each is said."""
    home = requested()
    home.config = replace(home.config, chargers=())
    home.step()
    assert (home.plan.external, home.plan.external_cause) == (ExternalPhases.UNAVAILABLE, ExternalCause.NO_CHARGER)
    for changes in ({"wired_phases": 1}, {"phase_policy": PhasePolicy.ONE}, {"phase_policy": PhasePolicy.THREE}):
        home = requested(Mode.FAST, "a", "b")
        home.charger("b", **changes)
        home.step()
        assert (home.plan.external, home.plan.external_cause) == (ExternalPhases.UNAVAILABLE, ExternalCause.FIXED)
    home = requested()
    home.config = replace(home.config, phases=1)
    home.step()
    assert home.plan.external_cause is ExternalCause.FIXED


def test_a_charger_that_is_fixed_meanwhile_stays_as_it_is() -> None:
    """What the installation fixes is stronger than a request from before."""
    home = requested(Mode.FAST, phases=1)
    home.charger(phase_policy=PhasePolicy.THREE)
    home.run(60)
    assert home.plan.external is ExternalPhases.UNAVAILABLE
    assert home.cars["a"].currents == (16.0, 16.0, 16.0)


def test_charger_modes_and_switch_for_the_sun() -> None:
    """Off of one charger stays off; without a request each charger goes by its own options."""
    home = requested(Mode.FAST, "a", "b")
    home.charger("b", mode=ChargerMode.OFF, phase_policy=PhasePolicy.ONE_FOR_PV)
    home.run(60)
    assert home.plan.external is ExternalPhases.READY
    assert home.cars["a"].set_phases == 3
    home.set(phases_wanted=0)
    home.step()
    assert home.reason("b") == "charger_off"
