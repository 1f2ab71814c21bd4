"""What must hold under every sun: random days, houses, cars and modes, checked second by second."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
import json
from math import sin

from hypothesis import given, strategies as st

from custom_components.pv_load_manager.control import (
    BatteryPriority,
    ChargerConfig,
    ChargerMode,
    CircuitConfig,
    CloudFilter,
    Command,
    Configuration,
    ControlState,
    Mode,
    PhasePolicy,
    Plan,
    Rounding,
    Strategy,
    decide,
)

from .house import VOLTS, Car, House
from .test_properties import Watch, checked

SOLAR = (ChargerMode.FOLLOW_SITE, ChargerMode.PV, ChargerMode.MIN_PV)
PAUSE = 10.0  # s between two surplus commands to one charger
SLACK_W = 0.39 * 3 * VOLTS


@dataclass
class Sun:
    """A sun that jumps between levels, with ripples on it; the same seconds always give the same watts."""

    levels: list[tuple[float, float]]
    """How long in s, and how much in W, one after the other."""
    ripple_w: float
    period_s: float
    begin: float = 1000.0

    def __call__(self, now: float) -> float:
        """Return the surplus in W."""
        at = now - self.begin
        level = self.levels[-1][1]
        for seconds, watts in self.levels:
            if at < seconds:
                level = watts
                break
            at -= seconds
        return level + self.ripple_w * sin(now / self.period_s)


@st.composite
def suns(draw: st.DrawFn) -> Sun:
    """Draw a sun of some minutes."""
    levels = st.tuples(
        st.sampled_from([20.0, 60.0, 200.0, 700.0]),
        st.sampled_from([-500.0, 300.0, 1200.0, 1400.0, 2500.0, 3700.0, 4000.0, 4200.0, 6000.0, 9000.0, 14000.0]),
    )
    return Sun(
        levels=draw(st.lists(levels, min_size=1, max_size=8)),
        ripple_w=draw(st.sampled_from([0.0, 0.0, 60.0, 400.0])),
        period_s=draw(st.sampled_from([3.0, 20.0, 150.0])),
    )


@st.composite
def sunny_homes(draw: st.DrawFn, *, faults: bool = True) -> House:
    """Draw a house with one to three cars under a random sun, with a generous fuse."""
    phases = draw(st.sampled_from([3, 3, 3, 1]))
    chargers, cars = [], {}
    for key in "abc"[: draw(st.integers(1, 3))]:
        wired = draw(st.sampled_from([3, 3, 3, 1]))
        chargers.append(
            ChargerConfig(
                charger_id=key,
                priority=draw(st.sampled_from([0, 0, 1])),
                wired_phases=wired,
                phase_policy=draw(st.sampled_from([PhasePolicy.AUTO, *PhasePolicy])),
                min_current_a=draw(st.sampled_from([6, 6, 8])),
                max_current_a=draw(st.sampled_from([8, 16, 16, 32])),
                mode=draw(st.sampled_from([ChargerMode.FOLLOW_SITE, *SOLAR])),
            )
        )
        cars[key] = Car(
            phases=draw(st.integers(1, 3)),
            maximum_a=draw(st.sampled_from([8.0, 16.0, 32.0])),
            plugged=draw(st.sampled_from([True, True, True, False])),
            rate_a=draw(st.sampled_from([2.0, 4.0, 16.0])),
            delay=draw(st.integers(0, 2)) if faults else 0,
            excess_a=draw(st.sampled_from([0.0, 0.0, -0.4, 0.5])) if faults else 0.0,
            pause=draw(st.sampled_from([0, 8])),
            wired=min(wired, phases),
            set_phases=draw(st.sampled_from([1, 3])),
        )
    battery = draw(st.sampled_from([None, None, 3000.0]))
    config = Configuration(
        phases=phases,
        has_power_meter=True,
        has_battery=battery is not None,
        circuits=(CircuitConfig(limit_a=200.0, metered=True),),
        chargers=tuple(chargers),
        strategy=Strategy(
            mode=draw(st.sampled_from([Mode.PV, Mode.PV, Mode.MIN_PV])),
            maximum_total_current_a=200.0,
            available_current_a=200.0,
            guaranteed_power_w=draw(st.sampled_from([1380.0, 2760.0])),
            cloud_filter=draw(st.sampled_from([CloudFilter.ADAPTIVE, *CloudFilter])),
            rounding=draw(st.sampled_from(Rounding)),
            phase_switches_per_day=draw(st.sampled_from([0, 2, 10])),
            battery_priority=draw(st.sampled_from(BatteryPriority)),
            weigh_efficiency=draw(st.booleans()),
        ),
    )
    return House(
        config=config,
        cars=cars,
        surplus_w=draw(suns()),
        meter_every=draw(st.sampled_from([1.0, 2.0, 5.0])) if faults else 1.0,
        meter_lag=draw(st.integers(0, 2)) if faults else 0,
        battery_w=None if battery is None else 0.0,
        battery_limit_w=battery,
        battery_soc=None if battery is None else draw(st.sampled_from([30.0, 79.9, 97.0])),
    )


def commands(plan: Plan) -> dict[str, Command | None]:
    """Return what every charger is told."""
    return {key: item.command for key, item in plan.chargers.items()}


@checked(25)
@given(sunny_homes(), st.sampled_from([300, 900]))
def test_every_surplus_plan_is_nothing_or_a_current_that_the_charger_may_have(home: House, seconds: int) -> None:
    """Whatever the sun does: 0 or from its minimum to its maximum, on phases that it may use."""

    def check() -> None:
        for charger in home.config.chargers:
            command = home.plan.chargers[charger.charger_id].command
            assert command is not None
            assert command.charge == (command.current_a > 0)
            if not command.charge:
                continue
            assert charger.min_current_a <= command.current_a <= charger.max_current_a
            assert command.phases in {1, 3}
            if charger.phase_policy in {PhasePolicy.ONE, PhasePolicy.ONE_FOR_PV} and home.now > 1060.0:
                assert command.phases == 1

    home.run(2)
    home.run(seconds, each=check)


@checked(15)
@given(sunny_homes())
def test_surplus_commands_of_a_charger_are_ten_seconds_apart(home: House) -> None:
    """Changes of the current alone keep the pause; starts, stops and switches of phases have their own order."""
    home.run(1200)
    for key in home.cars:
        told = home.commands(key)
        for (one, before), (two, after), (_, later) in zip(told, told[1:], [*told[2:], told[-1]], strict=False):
            if not (before.charge and after.charge and before.phases == after.phases):
                continue
            lowers_for_a_switch = later.charge and later.phases != after.phases and after.current_a < before.current_a
            assert two - one >= PAUSE or lowers_for_a_switch or not home.cars[key].plugged, (key, one, two)


@checked(15)
@given(sunny_homes(), st.sampled_from([None, 0.0, 4000.0]))
def test_every_reason_has_its_numbers_and_no_moment_that_is_over(home: House, limit_w: float | None) -> None:
    """Under every sun, with and without a limit of the export, each reason can be said in both languages."""
    home.config = replace(home.config, export_limit_w=limit_w)
    home.run(900, each=Watch(home).words)


@checked(15)
@given(sunny_homes(), st.integers(30, 1200))
def test_the_same_sun_gives_the_same_plan(home: House, seconds: int) -> None:
    """A step has no hidden memory: taken twice it says the same, and it leaves its inputs as they were."""
    home.run(seconds)
    for _ in range(3):
        before, kept = home.state, repr(home.state)
        home.step()
        assert decide(home.config, before, home.snapshot, home.now) == (home.state, home.plan)
        assert repr(before) == kept


@checked(15)
@given(sunny_homes(), st.integers(300, 900))
def test_a_day_is_reproducible_to_the_bit(home: House, seconds: int) -> None:
    """The same house under the same sun is told the same, second by second."""
    twin = replace(home, cars={key: replace(car, _commands=[]) for key, car in home.cars.items()}, log=[], powers=[])
    home.run(seconds)
    twin.run(seconds)
    assert twin.log == home.log
    assert twin.state == home.state


@checked(12)
@given(sunny_homes(faults=False), st.sampled_from([0.0, 1500.0, 2500.0, 3900.0, 6000.0, 9000.0, 14000.0]))
def test_under_a_steady_sun_nothing_is_bought_and_nothing_moves(home: House, watts: float) -> None:
    """Whatever went before: half an hour later pv charging buys no more than a rounded ampere, and is at rest."""
    home.set(mode=Mode.PV)
    home.config = replace(
        home.config,
        has_battery=False,
        chargers=tuple(replace(charger, mode=ChargerMode.FOLLOW_SITE) for charger in home.config.chargers),
    )
    home.battery_w = home.battery_limit_w = home.battery_soc = None
    home.run(400)
    home.surplus_w = lambda _: watts
    home.run(1800)
    ours = sum(home.chargers_a()) * VOLTS
    assert ours == 0.0 or home.meter().power_w <= SLACK_W * len(home.cars)  # type: ignore[operator]
    before = home.now
    home.run(300)
    if home.state.slot is not None and len(home.cars) == 1:
        assert all(len(home.commands(key, since=before)) <= 1 for key in home.cars)


def at_rest(home: House) -> bool:
    """Return whether no command is on its way: all chargers have followed theirs for a while."""
    return all(
        state.command is not None
        and state.changed_at is not None
        and home.now - state.changed_at > 2 * PAUSE
        and state.unfollowed_since is None
        for state in home.state.chargers.values()
    )


def resumed(home: House, state: ControlState) -> House:
    """Return the same house at the same second, with another memory of its core."""
    return replace(
        home,
        state=state,
        cars={key: replace(car, _commands=list(car._commands)) for key, car in home.cars.items()},
        log=list(home.log),
        powers=list(home.powers),
        _seen=list(home._seen),
        _said=list(home._said),
        _circuits=dict(home._circuits),
    )


def decisions(home: House, seconds: int) -> list[dict[str, Command | None]]:
    """Return what everybody is told in every second to come."""
    told: list[dict[str, Command | None]] = []
    home.run(seconds, each=lambda: told.append(commands(home.plan)))
    return told


@checked(20)
@given(sunny_homes(faults=False), st.integers(60, 1200), st.sampled_from([200, 900]))
def test_a_restart_in_mid_day_changes_no_later_decision(home: House, seconds: int, later: int) -> None:
    """Saved through JSON and read again when nothing is on its way: on, off, phases and amps stay the same."""
    home.run(seconds)
    for _ in range(600):
        if at_rest(home):
            break
        home.step()
    else:
        return
    saved = json.loads(json.dumps(home.state.as_dict(home.now)))
    twin = resumed(home, ControlState.from_dict(saved, home.now))
    for number, (one, two) in enumerate(zip(decisions(home, later), decisions(twin, later), strict=True)):
        assert one == two, (number, home.now - later + number, one, two)


def steady(watts: float) -> Callable[[float], float]:
    """Return a sun that does not move."""
    return lambda _: watts


def test_a_restart_keeps_what_was_regretted() -> None:
    """Half-way to a switch the core is started anew: the switch comes at the same second."""
    home = House(
        config=Configuration(
            has_power_meter=True,
            circuits=(CircuitConfig(limit_a=63.0, metered=True),),
            chargers=(ChargerConfig(charger_id="a"),),
            strategy=Strategy(mode=Mode.PV, maximum_total_current_a=63.0, available_current_a=63.0),
        ),
        cars={"a": Car(set_phases=1)},
        surplus_w=steady(2500.0),
    )
    home.run(900)
    home.surplus_w = steady(5000.0)
    home.run(60)
    assert home.state.chargers["a"].regrets[2] > 10.0
    saved = json.loads(json.dumps(home.state.as_dict(home.now)))
    twin = resumed(home, ControlState.from_dict(saved, home.now))
    switched = []
    for one in (home, twin):
        for _ in range(1200):
            one.step()
            if one.cars["a"].set_phases == 3:
                switched.append(one.now)
                break
    assert len(switched) == 2
    assert switched[0] == switched[1]
    assert home.plan.chargers["a"].switches_today == twin.plan.chargers["a"].switches_today == 1
    assert [one for one, two in pairwise(switched) if one != two] == []
