"""Something fails: what is still safe goes on, what is not known counts as drawn, and all is well again by itself."""

from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import (
    CarState,
    ChargerMode,
    Command,
    ControlState,
    Mode,
    PhasePolicy,
    Reason,
    Snapshot,
    decide,
)

from .house import Car, House, house


def no_stop(home: House, *keys: str) -> None:
    """Check that nothing was told to stop since the log was cleared."""
    for _, plan in home.log:
        for key in keys:
            assert plan.chargers[key].allocated_a > 0


@pytest.mark.parametrize("metered", [True, False])
def test_a_charger_lost_while_charging_keeps_its_share_and_stops_nobody(*, metered: bool) -> None:
    """WARP stops the whole group after 80 s (its finding 1); here the others do not even notice."""
    home = house("a", "b", "c", fuse=35.0, metered=metered, mode=Mode.FAST)
    home.run(90)
    home.cars["a"].online = False
    home.log.clear()
    home.run(900)
    no_stop(home, "b", "c")
    assert home.reason("a") == Reason.UNREACHABLE
    assert max(home.total_a()) <= 35.0
    assert home.allocated("b") + home.allocated("c") + 12 == 35
    home.cars["a"].maximum_a = 3.0  # its car takes less now, but nobody sees what it could take
    home.run(300)
    assert home.allocated("b") + home.allocated("c") + 12 == 35


def test_a_charger_that_comes_back_is_adopted_as_it_is() -> None:
    """Within seconds it shares again, from what it really does: here it was set to 16 A by somebody meanwhile."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.cars["a"].online = False
    home.run(60)
    home.cars["a"].setting_a = 16
    home.load_a = (0.0, 0.0, 0.0)
    home.run(5)
    home.cars["a"].online = True
    home.step()
    assert home.allocated("a") <= 16
    home.run(9)
    assert max(home.total_a()) <= 20.0
    assert home.reason("a") != Reason.UNREACHABLE
    home.log.clear()
    home.run(60)
    no_stop(home, "a", "b")
    assert home.allocated("a") + home.allocated("b") == 20


def test_a_charger_lost_while_idle_reserves_what_it_could_start_by_itself() -> None:
    """It is held and has no car: that persists, so nothing is reserved but for the next car's sake its current is."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.cars["a"].plugged = False
    home.cars["a"].setting_a = 6
    home.run(60)
    assert home.allocated("b") == 16
    home.cars["a"].online = False
    home.log.clear()
    home.run(300)
    no_stop(home, "b")
    assert home.allocated("b") == 14
    assert home.reason("a") == Reason.UNREACHABLE
    home.cars["a"].online = True
    home.run(60)
    assert home.allocated("b") == 16


def test_a_charger_that_is_not_held_counts_although_it_has_no_car() -> None:
    """The next car would start by itself with what the charger is set to."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.cars["a"].plugged = False
    home.cars["a"].stuck = True
    home.cars["a"].holding = False
    home.cars["a"].setting_a = 10
    home.run(60)
    assert home.allocated("b") == 10


def test_after_a_restart_nothing_is_raised_before_all_were_heard() -> None:
    """One is loaded later: until then, or for 30 s, nobody gets more than it has."""
    home = house("a", "b", fuse=35.0, mode=Mode.FAST)
    home.cars["a"].holding = False
    home.cars["a"].setting_a = 8
    home.cars["a"].drawn_a = 8.0
    late = home.cars.pop("b")
    for _ in range(20):
        home.step()
        assert home.allocated("a") <= 8
    assert home.reason("b") == Reason.STARTING_UP
    home.cars["b"] = late
    home.run(30)
    assert (home.allocated("a"), home.allocated("b")) == (16, 16)


def test_one_that_is_never_heard_counts_in_full() -> None:
    """After 30 s the others go on, beside the most that such a charger can draw."""
    home = house("a", "b", fuse=45.0, mode=Mode.FAST)
    home.cars.pop("b")
    home.run(90)
    assert home.allocated("a") == 13
    assert home.reason("b") == Reason.UNREACHABLE


def test_a_restart_in_mid_charge_stops_nobody() -> None:
    """The chargers are adopted with what they do."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.log.clear()
    home.restart()
    home.run(120)
    no_stop(home, "a", "b")
    assert home.allocated("a") + home.allocated("b") == 20


def test_another_controller_that_raises_a_charger_is_lived_with_and_overruled() -> None:
    """Somebody sets 16 A again and again: the other car gives way meanwhile, and the fuse holds."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)

    def fight() -> None:
        if int(home.now) % 7 == 0:
            home.cars["a"].setting_a = 16

    home.run(300, each=fight)
    # The other controller wins for a second at a time; that is what a breaker stands.
    over = sum(1 for _ in range(100) if home.run(1, each=fight) and max(home.total_a()) > 26.0)
    assert over <= 15
    assert home.plan.chargers["a"].command is not None
    assert home.allocated("a") <= 10
    home.run(30)
    assert max(home.total_a()) <= 20.0


def test_another_controller_that_stops_a_charger_is_told_again() -> None:
    """The plan stays the same; the device's coordinator paces the repeats."""
    home = house("a", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.cars["a"].holding = True
    home.cars["a"].drawn_a = 0.0
    home.step()
    assert home.allocated() == 16


def test_a_jump_of_the_clock_raises_nothing_and_is_over_with_the_next_values() -> None:
    """A suspended computer: everything is old, so it is treated as old, until it is heard again."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    before = {key: home.allocated(key) for key in "ab"}
    home.meter_alive = False
    home.now += 3600.0
    home.step()
    assert all(home.allocated(key) <= before[key] for key in "ab")
    home.meter_alive = True
    home.run(60)
    assert home.allocated("a") + home.allocated("b") == 20


def test_off_reaches_a_charger_whatever_else_is_broken() -> None:
    """Dead meter, other charger lost, configuration broken: off is off in the same step."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.meter_alive = False
    home.cars["b"].online = False
    home.config = replace(
        home.config, chargers=(replace(home.config.chargers[0], circuit_id="gone"), home.config.chargers[1])
    )
    home.set(mode=Mode.OFF)
    home.step()
    assert home.allocated("a") == 0
    assert home.plan.chargers["a"].command is not None
    assert not home.plan.chargers["a"].command.charge


def test_a_charger_with_an_error_takes_nothing_from_the_others() -> None:
    """It draws nothing and claims nothing."""
    home = house("a", "b", fuse=16.0, mode=Mode.FAST)
    home.run(60)
    plain = home.readings

    def with_error() -> dict[str, object]:
        result = plain()
        result["a"] = replace(result["a"], car=CarState.ERROR, currents_a=(0.0, 0.0, 0.0), power_w=0.0, holding=True)
        return result  # type: ignore[return-value]

    home.cars["a"].plugged = False
    home.readings = with_error  # type: ignore[method-assign, assignment]
    home.run(60)
    assert home.reason("a") == Reason.CHARGER_ERROR
    assert home.allocated("b") == 16


def test_the_heater_leaves_on_what_fits() -> None:
    """63 A, a heater of 39 A, four cars: WARP switches all of them off for minutes (its finding 5)."""
    home = house("a", "b", "c", "d", fuse=63.0, mode=Mode.FAST)
    root = replace(home.config.circuits[0], largest_consumer_a=39.0)
    home.config = replace(home.config, circuits=(root,))
    home.load_a = (1.0, 1.0, 1.0)
    home.run(120)
    assert max(home.total_a()) <= 49.3
    home.load_a = (40.0, 40.0, 40.0)
    home.run(6)
    assert max(home.total_a()) <= 63.0
    assert [key for key in "abcd" if home.allocated(key)] != []
    kept = [key for key in "abcd" if home.allocated(key)]
    home.run(60)
    assert [key for key in "abcd" if home.allocated(key)] == kept
    home.load_a = (1.0, 1.0, 1.0)
    home.run(60)
    assert all(home.allocated(key) == 12 for key in "abcd")


def test_an_oven_does_not_wear_out_contactors() -> None:
    """30 s on, 30 s off for an hour: no charger opens its contactor more than four times."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(120)
    stops, was = dict.fromkeys("ab", 0), dict.fromkeys("ab", True)

    def count() -> None:
        for key in "ab":
            on = home.allocated(key) > 0
            stops[key] += was[key] and not on
            was[key] = on

    for _ in range(60):
        for load in (10.0, 0.5):
            home.load_a = (load, load, load)
            home.run(30, each=count)
    assert max(stops.values()) <= 4
    assert min(car.drawn_a for car in home.cars.values()) == 0.0
    assert {home.reason(key) for key in "ab"} & {Reason.FUSE_PAUSE, Reason.WAITING_FOR_TURN}


def test_a_charger_alone_that_the_fuse_stops_again_and_again_waits_for_lasting_room() -> None:
    """At once the first time; then the room must last, and twice as long after each stop."""
    home = house("a", fuse=16.0, mode=Mode.FAST)
    home.run(60)
    waits = []
    for _ in range(4):
        home.load_a = (12.0, 12.0, 12.0)
        home.run(10)
        assert home.allocated() == 0
        home.load_a = (0.0, 0.0, 0.0)
        waited = 0
        while not home.allocated():
            home.run(1)
            waited += 1
        waits.append(waited)
        home.run(20)
    assert waits[0] <= 20
    assert 115 <= waits[1] <= 140
    assert 235 <= waits[2] <= 260
    assert 475 <= waits[3] <= 500


def test_a_policy_of_three_phases_on_one_wire_is_flagged_and_safe() -> None:
    """What cannot be is not tried."""
    home = house("a", fuse=16.0, mode=Mode.FAST)
    home.config = replace(
        home.config,
        chargers=(replace(home.config.chargers[0], wired_phases=1, phase_policy=PhasePolicy.THREE),),
    )
    home.cars["a"].wired = 1
    home.run(30)
    assert home.plan.errors
    assert home.allocated() <= 16


def test_a_limit_of_power_on_a_measured_circuit_neither_swings_nor_is_exceeded() -> None:
    """What a car was just given is no room for more of it."""
    home = house("a", fuse=35.0, mode=Mode.FAST)
    home.config = replace(home.config, circuits=(replace(home.config.circuits[0], limit_w=9000.0),))
    home.load_a = (8.0, 8.0, 8.0)
    over, changes, was = 0, 0, 0
    for _ in range(600):
        home.step()
        over += sum(home.total_a()) * 230.0 > 9200.0
        changes += (home.allocated() > 0) != (was > 0)
        was = home.allocated()
    assert over <= 3
    assert changes <= 3


@pytest.mark.parametrize("surplus", [True, False])
def test_a_charger_that_stays_on_three_phases_counts_on_three(*, surplus: bool) -> None:
    """It obeys its current but not its phases: what it is seen to load is what it may not overload."""

    class OnThree(Car):
        """A charger that does not switch."""

        def follow(self, command: Command | None, dt: float) -> None:
            """Take over everything but the phases."""
            super().follow(None if command is None else replace(command, phases=None), dt)

    home = house("a", fuse=16.0, mode=Mode.PV if surplus else Mode.FAST)
    home.cars = {"a": OnThree()}
    home.load_a = (-35.0, 5.0, 5.0)
    home.run(300)
    home.load_a = (-24.0, 5.0, 5.0)
    home.run(300)
    over = sum(1 for _ in range(300) if home.run(1) and max(home.total_a()) > 16.1)
    assert over <= 5


@pytest.mark.parametrize(
    ("keys", "fuse", "excess"), [(("a",), 8.0, 3.0), (("a", "b"), 16.0, 3.0), (("a", "b"), 13.0, 1.5)]
)
def test_a_car_that_draws_too_much_for_its_circuit_does_not_start_again_and_again(
    keys: tuple[str, ...], fuse: float, excess: float
) -> None:
    """Without a meter, too: after a stop it waits like one that the fuse stopped."""
    home = house(*keys, fuse=fuse, metered=False, mode=Mode.FAST)
    home.cars["a"].excess_a = excess
    changes, was = 0, 0
    for _ in range(3600):
        home.step()
        changes += (home.allocated("a") > 0) != (was > 0)
        was = home.allocated("a")
    assert changes <= 16


def test_off_for_one_charger_counts_before_a_mode_was_chosen_for_the_site() -> None:
    """A mode of its own is a choice, too."""
    home = house("a", fuse=25.0, mode=Mode.OFF)
    home.set(mode_chosen=False)
    home.cars["a"] = Car(holding=False, setting_a=16, drawn_a=16.0)
    home.run(30)
    assert home.reason() == Reason.UNTOUCHED
    home.config = replace(home.config, chargers=(replace(home.config.chargers[0], mode=ChargerMode.OFF),))
    home.step()
    command = home.plan.chargers["a"].command
    assert command is not None
    assert not command.charge


def test_a_car_plugged_while_nobody_looked_is_seen_on_its_phases() -> None:
    """The saved number of phases was that of another car."""
    home = house("a", fuse=20.0, mode=Mode.FAST)
    home.config = replace(home.config, chargers=(replace(home.config.chargers[0], phase_policy=PhasePolicy.THREE),))
    home.cars["a"].phases = 1
    home.load_a = (0.0, 12.0, 12.0)
    home.run(200)
    saved = home.state.as_dict(home.now)
    home.now += 60
    home.state = ControlState.from_dict(saved, home.now)
    home.cars["a"].phases = 3
    over = sum(1 for _ in range(40) if home.run(1) and max(home.total_a()) > 20.1)
    assert over <= 4


def test_a_car_that_draws_a_little_too_much_gets_its_three_phases() -> None:
    """It is never seen to follow its current to the tenth."""
    home = house("a", fuse=35.0, mode=Mode.PV, surplus_w=lambda _: 2000.0)
    home.cars["a"].excess_a = 0.8
    home.cars["a"].set_phases = 1
    home.run(400)
    home.surplus_w = lambda _: 9000.0
    home.run(1500)
    assert home.cars["a"].set_phases == 3


def test_one_value_of_a_meter_that_was_silent_starts_nobody() -> None:
    """A meter that comes and goes does not open a contactor with every value."""
    home = house("a", fuse=25.0, mode=Mode.FAST)
    home.load_a = (5.0, 5.0, 5.0)
    home.run(60)
    home.meter_alive = False
    home.run(60)
    assert home.allocated() == 0
    home.meter_alive = True
    home.run(10)
    assert home.allocated() == 0
    home.run(30)
    assert home.allocated() == 16


@pytest.mark.parametrize("saved", [[], None, {"chargers": {"a": {"reserved_a": 10**400, "fuse_stop_ages": [10**400]}}}])
def test_saved_garbage_is_left_out(saved: object) -> None:
    """What cannot be read is not known."""
    state = ControlState.from_dict(saved, 100.0)  # type: ignore[arg-type]
    assert all(charger.reserved_a is None and charger.fuse_stops == () for charger in state.chargers.values())


def test_a_charger_configured_twice_gets_nothing() -> None:
    """Nobody knows on which circuit it is; the others go on."""
    home = house("a", "b", fuse=40.0, mode=Mode.FAST)
    first, second = home.config.chargers
    home.config = replace(home.config, chargers=(first, replace(first, circuit_id="nowhere"), second))
    home.cars["a"].holding, home.cars["a"].drawn_a = False, 6.0
    for _ in range(60):
        home.state, home.plan = decide(
            home.config, home.state, Snapshot(grid=home.meter(), chargers=home.readings()), home.now
        )
        home.now += 1.0
    assert home.allocated("a") == 0
    assert home.reason("a") == Reason.CONFIGURATION_ERROR
    assert home.allocated("b") >= 6
