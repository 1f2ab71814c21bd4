"""Several cars under one sun, and meters that are slower than the loop."""

from itertools import pairwise

import pytest

from custom_components.pv_load_manager.control import PhasePolicy, Reason

from .house import VOLTS
from .test_day_stories import BEGIN, drawn_w, grid_w, one_phase, sunny

NEAREST = 0.39
"""The part of an ampere that may be bought."""


@pytest.mark.parametrize(("before_w", "after_w"), [(9000.0, 6000.0), (6000.0, 9000.0)])
@pytest.mark.parametrize("lag", [0, 2])
def test_three_cars_answer_together_within_twenty_seconds(before_w: float, after_w: float, lag: int) -> None:
    """3 kW less or more: all three change at once, not one per cycle."""
    home = one_phase(before_w, "a", "b", "c")
    home.meter_lag = lag
    home.run(900)
    assert drawn_w(home) == pytest.approx(before_w, abs=NEAREST * VOLTS + 140.0)
    home.surplus_w = lambda _: after_w
    home.run(20)
    assert drawn_w(home) == pytest.approx(after_w, abs=NEAREST * VOLTS + 140.0)
    drawn: list[float] = []
    home.run(300, each=lambda: drawn.append(drawn_w(home)))
    assert max(drawn) - min(drawn) <= VOLTS


def test_sun_for_one_car_starts_exactly_one_and_the_others_say_whose_turn_it_is() -> None:
    """1.8 kW: nobody starts on watts that another one already has."""
    home = one_phase(lambda now: min(1000.0 + 2.0 * now, 1800.0), "a", "b", "c")
    running: list[int] = []
    home.run(700, each=lambda: running.append(sum(1 for key in "abc" if home.allocated(key))))
    assert max(running) == 1
    assert sum(home.starts(key) for key in "abc") == 1
    waiting = [key for key in "abc" if not home.allocated(key)]
    for key in waiting:
        told = home.explanation(key)
        assert told.reason is Reason.WAITING_FOR_TURN_PV
        assert told.numbers["surplus_w"] == 420
        assert told.numbers["missing_w"] == 960
        assert told.next_change_at is not None
        assert told.next_change_at > home.now


def test_sun_that_comes_back_at_once_for_three_starts_three_without_import() -> None:
    """From nothing to 5 kW in a second: all begin with what is there, and together they take no more."""
    home = one_phase(lambda now: 200.0 if now < 300.0 else 5000.0, "a", "b", "c")
    home.run(420)
    assert [home.starts(key) for key in "abc"] == [1, 1, 1]
    assert drawn_w(home) <= 5000.0 + NEAREST * VOLTS
    assert drawn_w(home) >= 5000.0 - VOLTS
    assert home.imported_wh() < 3.0


def test_with_less_and_less_sun_the_cars_stop_one_after_the_other() -> None:
    """Nobody stops all cars because the sun suffices only for two."""
    home = one_phase(lambda now: 6000.0 - 2.0 * now, "a", "b", "c")
    running: list[int] = []
    home.run(2950, each=lambda: running.append(sum(1 for key in "abc" if home.allocated(key))))
    steps = [two - one for one, two in pairwise(running[60:]) if one != two]
    assert steps
    assert max(abs(step) for step in steps) == 1
    assert running[1500] == 2
    assert sum(home.starts(key) for key in "abc") <= 7  # three, and a change of turns


def test_what_a_small_car_cannot_use_goes_to_the_other_one() -> None:
    """Two on one phase, 5 kW: one takes 8 A at most, so the other has all the rest within two minutes."""
    home = one_phase(5000.0, "small", "large")
    home.cars["small"].maximum_a = 8.0
    home.run(240)
    assert home.cars["small"].drawn_a == 8.0
    assert home.allocated("large") in {13, 14}
    assert -VOLTS < grid_w(home) <= NEAREST * VOLTS


def test_what_a_small_car_cannot_use_on_three_phases_is_not_exported_for_ever() -> None:
    """14 kW, one three-phase car takes 5.5 kW of it: the other may have 12 A on its three phases."""
    home = sunny(14000.0, "small", "large", phases=3)
    for key in home.cars:
        home.charger(key, phase_policy=PhasePolicy.THREE)
    home.cars["small"].maximum_a = 8.0
    home.run(600)
    assert home.allocated("large") == 12
    assert -3 * VOLTS < grid_w(home) <= NEAREST * 3 * VOLTS


@pytest.mark.parametrize(
    ("sun_w", "keys"),
    [(7700.0, "ab"), (8100.0, "ab"), (9000.0, "ab"), (12000.0, "abc")],
)
def test_cars_do_not_switch_in_step(sun_w: float, keys: str) -> None:
    """Where three phases for all are too much and one for all too little, some have them: nobody goes up and down."""
    home = sunny(sun_w, *keys)
    home.run(3600)
    switches = {key: home.switches(key) for key in keys}
    assert max(switches.values()) <= 1, switches
    assert drawn_w(home) >= min(sun_w, len(keys) * 3680.0) - 3 * VOLTS
    assert home.imported_wh(since=BEGIN + 1800.0) < 300.0


def test_cars_that_take_turns_under_little_sun_never_charge_at_the_same_time() -> None:
    """2 kW for two cars for an hour and a half: one at a time, and nobody's turn counts as restlessness."""
    home = one_phase(2000.0, "a", "b")
    running: list[int] = []
    home.run(5400, each=lambda: running.append(sum(1 for key in "ab" if home.allocated(key))))
    assert max(running) == 1
    assert home.starts("a") >= 3
    assert home.starts("b") >= 3
    assert abs(running.count(1) - 5400) < 300
    assert sum(home.plan.chargers[key].starts_today for key in "ab") == 1


@pytest.mark.parametrize("wakes_in", [0, 15, 50])
def test_a_car_that_sleeps_before_it_begins_makes_nobody_else_begin_with_its_sun(wakes_in: int) -> None:
    """1.8 kW and three sleepy cars: the first is waited for; the watts that it does not draw yet are not free."""
    home = one_phase(1800.0, "a", "b", "c")
    for car in home.cars.values():
        car.wakes_in = wakes_in
    told: list[int] = []
    home.run(400, each=lambda: told.append(sum(1 for key in "abc" if home.allocated(key))))
    assert max(told) == 1
    assert sum(home.starts(key) for key in "abc") == 1


def test_a_full_car_leaves_its_sun_to_the_others() -> None:
    """Three cars at 4.5 kW; one is full: the other two have all of it."""
    home = one_phase(4500.0, "a", "b", "c")
    home.run(600)
    home.cars["b"].full = True
    home.run(300)
    assert home.reason("b") == Reason.CAR_FULL
    assert home.allocated("a") + home.allocated("c") in {19, 20}
    assert -VOLTS < grid_w(home) <= NEAREST * VOLTS


def test_a_higher_priority_has_the_sun_first() -> None:
    """4 kW: the first takes 11 A above the least of the second, which goes on with 6 A."""
    home = one_phase(4600.0, "first", "second")
    home.charger("first", priority=1)
    home.run(600)
    assert (home.allocated("first"), home.allocated("second")) == (14, 6)


@pytest.mark.parametrize("policy", [PhasePolicy.ONE, PhasePolicy.AUTO])
@pytest.mark.parametrize("cadence", [10.0, 30.0, 60.0, 300.0])
def test_a_slow_meter_at_constant_sun_moves_nothing(cadence: float, policy: PhasePolicy) -> None:
    """One command to begin and one to correct it; then, for ten readings of the meter, none."""
    home = sunny(3400.0)
    home.charger(phase_policy=policy)
    home.config = home.without_protection()
    home.meter_every = cadence
    home.run(2 * cadence + 120.0)
    assert home.allocated() in {14, 15}
    settled = len(home.commands())
    assert settled <= 4
    home.run(10 * cadence)
    assert len(home.commands()) == settled
    assert -VOLTS < grid_w(home) <= NEAREST * VOLTS


@pytest.mark.parametrize("cadence", [2.0, 10.0, 30.0, 60.0, 300.0])
def test_a_step_of_the_sun_is_followed_without_overshoot(cadence: float) -> None:
    """Down and up again: at most one command a reading, never below the new sun and never above it."""
    home = one_phase(3400.0)
    home.config = home.without_protection()
    home.meter_every = cadence
    home.run(2 * cadence + 300.0)
    assert home.allocated() == 15
    for sun_w, amps in ((2000.0, 9), (3400.0, 15)):
        changed = home.now
        home.surplus_w = lambda _, now_w=sun_w: now_w  # type: ignore[misc]
        seen: list[int] = []
        home.run(4 * cadence + 60.0, each=lambda seen=seen: seen.append(home.allocated()))  # type: ignore[misc]
        assert min(9, *seen) == 9
        assert max(15, *seen) == 15
        assert seen[-1] == amps
        assert seen[int(2 * cadence + 30.0)] == amps
        assert len(home.commands(since=changed)) <= 3
    assert home.starts() == 1


@pytest.mark.parametrize("cadence", [10.0, 60.0])
def test_a_slow_protecting_meter_is_not_named_when_the_sun_binds(cadence: float) -> None:
    """The reason names what keeps the car from more: there is room for 16 A under the fuse."""
    home = one_phase(2600.0)
    home.meter_every = cadence
    home.run(600)
    assert home.reason() == Reason.CHARGING_SURPLUS
    assert home.allocated() == 11


def test_a_meter_that_stops_talking_is_not_believed_for_ever() -> None:
    """A reading every five minutes is fresh until the next is overdue; then the car keeps what it has, and stops."""
    home = one_phase(3400.0)
    home.config = home.without_protection()
    home.meter_every = 300.0
    home.run(900)
    assert home.reason() == Reason.CHARGING_SURPLUS
    home.meter_alive = False
    home.run(600)
    assert home.allocated() == 15
    home.run(1200)
    assert (home.allocated(), home.reason()) == (0, Reason.SURPLUS_UNKNOWN)
    assert home.now > BEGIN
