"""Stories of the fuse: late meters, deaf chargers, phase switches, and what is left to whom."""

from dataclasses import replace
from itertools import pairwise
import math

import pytest

from custom_components.pv_load_manager.control import (
    ChargerMode,
    CircuitConfig,
    ControlState,
    GridReading,
    Mode,
    PhasePolicy,
    Reason,
    Snapshot,
    Stage,
    decide,
    fuse_target,
    safe_currents,
)

from .house import VOLTS, Car, House, house


def change_circuit(home: House, **changes: object) -> None:
    """Change the house connection."""
    circuit = replace(home.config.circuits[0], **changes)  # type: ignore[arg-type]
    home.config = replace(home.config, circuits=(circuit,))


def change_chargers(home: House, **changes: object) -> None:
    """Change all chargers alike."""
    chargers = tuple(replace(charger, **changes) for charger in home.config.chargers)  # type: ignore[arg-type]
    home.config = replace(home.config, chargers=chargers)


@pytest.mark.parametrize("lag", [0, 1, 2, 3])
def test_a_late_meter_does_not_make_a_cut_larger(lag: int) -> None:
    """A meter that still shows the car's former current is no new load of the house."""
    home = house(fuse=20.0, mode=Mode.FAST, meter_lag=lag, meter_every=1.0)
    home.run(60)
    home.load_a = (10.0, 0.0, 0.0)
    allocated: list[int] = []
    home.run(60, each=lambda: allocated.append(home.allocated()))
    assert set(allocated[lag:]) == {10}


def test_a_car_that_ramps_up_before_its_charger_says_so_is_not_cut() -> None:
    """The meter sees a ramp first; until the car had time to follow, it counts with what it was told."""
    home = house(fuse=20.0, mode=Mode.OFF, meter_every=1.0)
    home.load_a = (3.0, 3.0, 3.0)
    home.run(20)
    home.set(mode=Mode.FAST)
    readings, late = home.readings, [home.readings()]
    # The charger speaks two seconds late.
    home.readings = lambda: (late.append(readings()), late[max(0, len(late) - 3)])[1]  # type: ignore[method-assign]
    allocated: list[int] = []
    home.run(60, each=lambda: allocated.append(home.allocated()))
    assert set(allocated) == {16}


def test_the_others_live_with_what_a_deaf_charger_takes() -> None:
    """House load rises and one charger ignores its cut: after the time to follow the other one gives way for it."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    assert (home.allocated("a"), home.allocated("b")) == (10, 10)
    home.cars["a"].stuck = True
    home.load_a = (4.0, 4.0, 4.0)
    home.run(20)
    assert max(home.total_a()) <= 20.0
    assert home.allocated("b") == 6
    home.cars["a"].stuck = False
    home.run(60)
    assert (home.allocated("a"), home.allocated("b")) == (8, 8)


def test_a_car_that_draws_too_much_is_given_less() -> None:
    """What a car draws beyond its allowance counts, else ten such cars would exceed the fuse."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    for car in home.cars.values():
        car.excess_a = 0.6
    home.run(120)
    assert max(home.total_a()) <= 20.0
    assert home.allocated("a") >= 9


def test_the_pause_of_a_phase_switch_reserves_all_phases() -> None:
    """A car on its way from three phases to one still counts on all, also when the house takes more meanwhile."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    change_chargers(home, max_current_a=10)
    home.run(60)
    one = replace(home.config.chargers[0], phase_policy=PhasePolicy.ONE)
    home.config = replace(home.config, chargers=(one, home.config.chargers[1]))
    home.cars["a"].delay = 8
    home.step()
    home.load_a = (0.0, 3.0, 0.0)
    home.run(4)
    assert home.cars["a"].set_phases == 3
    assert home.allocated("b") == 7
    home.run(60)
    assert home.cars["a"].set_phases == 1
    assert home.allocated("b") == 10


def test_a_start_with_fewer_phases_waits_until_they_are_set() -> None:
    """A held charger first changes its phases, then starts; meanwhile nobody is cut for phases it will not use."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    change_chargers(home, max_current_a=16)
    one = replace(home.config.chargers[0], phase_policy=PhasePolicy.ONE, rotation=(1, 2, 3))
    home.config = replace(home.config, chargers=(one, home.config.chargers[1]))
    home.cars["a"].plugged = False
    home.load_a = (4.0, 0.0, 0.0)
    home.run(60)
    assert home.allocated("b") == 16
    home.cars["a"].delay = 3
    home.cars["a"].plugged = True
    seen: list[tuple[int, int, str]] = []
    home.run(40, each=lambda: seen.append((home.cars["a"].set_phases, home.allocated("a"), home.reason("a"))))
    assert all(phases == 1 for phases, amps, _ in seen if amps)
    assert Reason.PHASE_SWITCH in {reason for _, _, reason in seen}
    assert (home.allocated("a"), home.allocated("b")) == (8, 8)


def test_a_full_phase_leaves_the_other_phase_to_the_car() -> None:
    """Where three phases find no room on one of them, the car charges on its first phase instead of not at all."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.load_a = (0.0, 18.0, 0.0)
    home.run(60)
    assert home.allocated() == 16
    assert home.cars["a"].set_phases == 1


def test_more_sun_does_not_stop_a_car_whose_other_phases_are_full() -> None:
    """The switch to three phases is not asked for where it would not fit."""
    sun = [2500.0]
    home = house(fuse=20.0, mode=Mode.PV, surplus_w=lambda _: sun[0])
    home.load_a = (0.0, 20.0, -20.0)
    home.run(120)
    assert home.allocated() == 11
    sun[0] = 9000.0
    home.load_a = (0.0, 30.0, -30.0)
    allocated: list[int] = []
    home.run(400, each=lambda: allocated.append(home.allocated()))
    assert min(allocated) >= 11
    assert home.allocated() == 16


def test_a_stale_meter_stops_no_car_that_waits_for_three_phases() -> None:
    """While the meter is stale a car stays as it is, although it would like more phases."""
    sun = [2500.0]
    home = house(fuse=35.0, mode=Mode.PV, surplus_w=lambda _: sun[0])
    home.run(700)
    sun[0] = 9000.0
    home.run(100)
    assert home.cars["a"].set_phases == 1
    home.meter_alive = False
    allocated: list[int] = []
    home.run(28, each=lambda: allocated.append(home.allocated()))
    assert min(allocated) >= 10


def test_the_guarantee_shrinks_where_the_fuse_has_less() -> None:
    """Min+pv with 12 A guaranteed goes on with the 8 A that are there."""
    home = house(fuse=20.0, mode=Mode.MIN_PV)
    home.set(guaranteed_power_w=12 * VOLTS)
    change_chargers(home, phase_policy=PhasePolicy.ONE)
    home.run(30)
    assert home.allocated() == 12
    home.load_a = (12.0, 0.0, 0.0)
    home.run(30)
    assert home.allocated() == 8


def test_a_dead_meter_gives_a_fast_car_that_comes_later_the_fallback() -> None:
    """Where the fallback fits the circuit statically, a car may start with it; without one it waits and says why."""
    home = house(fuse=20.0, mode=Mode.FAST)
    change_circuit(home, fallback_a=8.0)
    home.cars["a"].plugged = False
    home.run(20)
    home.meter_alive = False
    home.run(150)
    home.cars["a"].plugged = True
    home.run(10)
    assert home.allocated() == 8
    change_circuit(home, fallback_a=5.0)
    home.run(2)
    assert home.allocated() == 0
    assert home.reason() == Reason.METER_LOST


def test_before_the_first_meter_value_the_limit_holds() -> None:
    """After a restart without a meter value adopted cars are cut to what the connection carries."""
    home = house("a", "b", "c", fuse=20.0, mode=Mode.FAST, meter_alive=False)
    for key in home.cars:
        home.cars[key] = Car(holding=False, setting_a=10, drawn_a=10.0)
    home.set(maximum_total_current_a=63.0, available_current_a=63.0)
    home.run(3)
    assert sum(home.allocated(key) for key in home.cars) <= 20


def test_a_slow_meter_is_not_lost_between_two_of_its_values() -> None:
    """A meter with a cadence of 30 s is stale only after two and a half of them."""
    home = house()
    timed = ControlState(started_at=0.0)
    grid = GridReading(at=0.0, currents_a=(1.0, 1.0, 1.0), cadence_s=30.0)
    timed, _ = decide(home.config, timed, Snapshot(grid=grid), 0.0)
    for now, expected in ((70.0, Stage.FRESH), (80.0, Stage.FALLBACK), (130.0, Stage.DEAD)):
        _, plan = decide(home.config, timed, Snapshot(grid=grid), now)
        assert plan.circuits["root"].stage is expected


@pytest.mark.parametrize(
    ("limit", "consumer", "margin", "expected"),
    [(20.0, 0.0, 0.0, 20.0), (20.0, 16.0, 0.0, 12.0), (20.0, 8.0, 0.1, 18.0), (16.0, 40.0, 0.0, 0.0)],
)
def test_the_fuse_target_keeps_room_for_the_largest_consumer(
    limit: float, consumer: float, margin: float, expected: float
) -> None:
    """A breaker's reserve of 1.4 covers the largest consumer; what it does not cover is kept free."""
    circuit = CircuitConfig(limit_a=limit, largest_consumer_a=consumer, safety_margin=margin)
    assert fuse_target(circuit) == pytest.approx(expected)


def test_export_of_the_roof_gives_no_more_than_the_limit() -> None:
    """Room that comes from the sun is capped by what the circuit carries without it."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST, surplus_w=lambda _: 30000.0)
    home.run(60)
    assert home.allocated("a") + home.allocated("b") == 20


def test_a_figure_that_is_no_number_is_not_known() -> None:
    """A meter that says NaN is a meter that says nothing; no step fails for it."""
    home = house(fuse=20.0, mode=Mode.PV, surplus_w=lambda _: 3000.0)
    home.run(100)
    before = home.allocated()
    assert before
    meter = home.meter
    nan = (math.nan, math.nan, math.nan)
    home.meter = lambda: replace(meter(), power_w=math.nan, currents_a=nan, voltages_v=nan)  # type: ignore[method-assign]
    home.run(20)
    assert home.reason() in {Reason.METER_STALE, Reason.CHARGING_SURPLUS}
    assert home.allocated() == before
    home.run(60)
    assert home.allocated() == 0


def test_a_lost_charger_hears_off_first_when_it_is_back() -> None:
    """Off that came while the charger was silent is its command at once; its current stays reserved until then."""
    home = house(mode=Mode.FAST)
    home.run(30)
    home.cars["a"].online = False
    home.run(30)
    assert home.allocated() == 16
    home.set(mode=Mode.OFF)
    home.step()
    assert home.allocated() == 0
    assert home.reason() == Reason.UNREACHABLE


def test_a_charger_back_from_silence_takes_over_without_an_overload() -> None:
    """While it is away its current is kept for it; when it is back both share again."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.cars["a"].online = False
    home.load_a = (4.0, 4.0, 4.0)
    home.run(60)
    assert home.allocated("b") == 6
    home.cars["a"].online = True
    home.run(60)
    assert (home.allocated("a"), home.allocated("b")) == (8, 8)


@pytest.mark.parametrize("rotation", [(1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1)])
def test_every_rotation_finds_the_phase_of_a_one_phase_car(rotation: tuple[int, int, int]) -> None:
    """A one-phase car is limited by the phase that its charger's L1 is wired to, and by no other."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.cars["a"].phases = 1
    change_chargers(home, rotation=rotation)
    home.run(60)
    load = [2.0, 2.0, 2.0]
    load[rotation[0] - 1] = 11.0
    home.load_a = (load[0], load[1], load[2])
    home.run(10)
    assert home.allocated() == 9
    load = [19.0, 19.0, 19.0]
    load[rotation[0] - 1] = 2.0
    home.load_a = (load[0], load[1], load[2])
    home.run(60)
    assert home.allocated() == 16


def test_a_single_phase_house_protects_its_only_phase() -> None:
    """With one phase everything is on it, whatever the rotation says, and total power is enough of a meter."""
    home = house("a", "b", fuse=35.0, mode=Mode.FAST)
    home.config = replace(home.config, phases=1)
    change_chargers(home, rotation=(3, 1, 2))
    for car in home.cars.values():
        car.phases = car.wired = 1
    home.load_a = (7.0, 0.0, 0.0)
    home.run(60)
    assert (home.allocated("a"), home.allocated("b")) == (14, 14)
    assert home.total_a()[0] <= 35.0


def test_the_meter_reading_of_a_gap_in_time_raises_nothing() -> None:
    """After a clock gap the old value counts as dead, and the car gets its current back with the next value."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.now += 3600.0
    home.meter_alive = False
    home.step()
    assert home.allocated() == 0
    home.meter_alive = True
    home.run(30)
    assert home.allocated() == 16


def test_safe_currents_share_the_connection_or_are_nothing() -> None:
    """Without us every charger has its static share; less than 6 A is nothing."""
    assert safe_currents(house("a", "b", fuse=25.0).config) == {"a": 12, "b": 12}
    assert safe_currents(house(*"abcd", fuse=20.0).config) == dict.fromkeys("abcd", 0)
    config = house("a", "b", fuse=63.0).config
    own = replace(config.chargers[0], current_without_ha_a=8)
    none = replace(config.chargers[1], current_without_ha_a=0)
    assert safe_currents(replace(config, chargers=(own, none))) == {"a": 8, "b": 0}
    assert safe_currents(replace(config, chargers=())) == {}


def test_a_house_without_a_connection_allows_nothing() -> None:
    """Nothing is known to be safe where no connection is configured."""
    home = house(mode=Mode.FAST)
    home.config = replace(home.config, circuits=())
    home.run(10)
    assert home.allocated() == 0


def test_own_modes_of_two_cars_keep_the_fuse() -> None:
    """A fast car takes its minimum first; the pv car gives way at once when the fuse is full."""
    home = house("a", "b", fuse=20.0, mode=Mode.PV, surplus_w=lambda _: 12000.0)
    home.cars["a"].plugged = False
    home.run(200)
    assert home.allocated("b") == 16
    fast = replace(home.config.chargers[0], mode=ChargerMode.FAST)
    home.config = replace(home.config, chargers=(fast, home.config.chargers[1]))
    home.load_a = (17.0, 17.0, 17.0)
    home.cars["a"].plugged = True
    peaks: list[float] = []
    home.run(60, each=lambda: peaks.append(max(home.total_a())))
    assert max(peaks[10:]) <= 20.0


def test_the_ramp_for_a_phase_switch_does_not_undo_the_switch() -> None:
    """With a late meter the lowering before a switch looks like a load; the switch is carried out all the same."""
    home = house("a", "b", "c", fuse=20.0, mode=Mode.FAST, meter_every=1.0, meter_lag=1)
    home.cars["b"] = Car(delay=2, holding=False, setting_a=9, drawn_a=9.0, set_phases=1)
    home.cars["c"].phases = 1
    chargers = home.config.chargers
    home.config = replace(
        home.config, chargers=(*chargers[:2], replace(chargers[2], rotation=(2, 1, 3), phase_policy=PhasePolicy.ONE))
    )
    home.load_a = (1.0, 0.0, 2.0)
    switches: list[int] = []
    home.run(600, each=lambda: switches.append(home.cars["b"].set_phases))
    assert switches[-1] == 3
    assert sum(1 for one, two in pairwise(switches) if one != two) == 1
    changes = {plan.chargers["a"].command for _, plan in home.log[-200:]}
    assert len(changes) == 1


def test_a_car_that_comes_while_the_meter_is_stale_takes_nothing_from_the_other() -> None:
    """What nobody may have more of is not taken away either: the running car goes on, the new one waits."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.cars["b"].plugged = False
    home.run(60)
    home.meter_alive = False
    home.run(12)
    home.cars["b"].plugged = True
    home.run(12)
    assert (home.allocated("a"), home.allocated("b")) == (16, 0)
    assert home.reason("b") == Reason.METER_STALE
    home.meter_alive = True
    home.run(40)
    assert (home.allocated("a"), home.allocated("b")) == (10, 10)


def test_nobody_gives_way_for_a_car_that_cannot_start() -> None:
    """Three cars that draw half an amp too much where two and a half fit: two charge steadily, the third waits."""
    home = house("a", "b", "c", fuse=20.0, mode=Mode.FAST, meter_every=1.0)
    home.load_a = (2.0, 0.0, 1.0)
    for car in home.cars.values():
        car.excess_a, car.delay = 0.5, 1
    home.run(120)
    steady = {key: home.allocated(key) for key in home.cars}
    assert sorted(steady.values()) == [0, 8, 9]
    for _ in range(120):
        home.step()
        assert {key: home.allocated(key) for key in home.cars} == steady
    assert max(home.total_a()) <= 20.0


def test_an_increase_waits_for_every_other_charger() -> None:
    """One of two chargers that should give way is slow: the third starts only when that one is down, too."""
    home = house("a", "b", "c", fuse=30.0, mode=Mode.FAST)
    home.cars["c"].plugged = False
    home.run(60)
    assert (home.allocated("a"), home.allocated("b")) == (15, 15)
    home.cars["a"].rate_a = 0.5
    home.cars["c"].plugged = True
    peaks: list[float] = []
    home.run(60, each=lambda: peaks.append(max(home.total_a())))
    assert max(peaks) <= 30.0
    assert home.allocated("c") == 10
