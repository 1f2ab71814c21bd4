"""What outlives a restart, and what is rather left out."""

from dataclasses import replace
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control import CloudFilter, ControlState, Mode, Reason
from custom_components.pv_load_manager.control.state import ChargerState

from .house import Car, house
from .test_stories import only_one_phase

maybe_time = st.one_of(st.none(), st.floats(-1e6, 1000.0))


@st.composite
def charger_states(draw: st.DrawFn) -> ChargerState:
    """Draw what is remembered of a charger."""
    return ChargerState(
        full=draw(st.booleans()),
        plugged=draw(st.booleans()),
        car_phases=draw(st.sampled_from([None, 1, 2, 3])),
        reserved_a=draw(st.one_of(st.none(), st.floats(0.0, 32.0))),
        phases_switched_at=draw(maybe_time),
        regrets=draw(st.tuples(*[st.floats(0.0, 1e4)] * 3)),
        error_wh=draw(st.floats(-100.0, 100.0)),
        starts_today=draw(st.integers(0, 100)),
        switches_today=draw(st.integers(0, 100)),
    )


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=8), charger_states(), max_size=3), st.floats(0.0, 1e6))
def test_a_restart_keeps_ages_not_times(chargers: dict[str, ChargerState], later: float) -> None:
    """What is kept comes back with the same age on another clock; the command does not."""
    state = ControlState(started_at=0.0, chargers=chargers)
    saved = json.loads(json.dumps(state.as_dict(1000.0)))
    restored = ControlState.from_dict(saved, later)
    assert restored.started_at == later
    assert restored.chargers.keys() == chargers.keys()
    for key, before in chargers.items():
        after = restored.chargers[key]
        kept = (after.full, after.plugged, after.car_phases, after.reserved_a)
        assert kept == (before.full, before.plugged, before.car_phases, before.reserved_a)
        assert (after.phases_switched_at is None) == (before.phases_switched_at is None)
        if before.phases_switched_at is not None and after.phases_switched_at is not None:
            assert later - after.phases_switched_at == pytest.approx(1000.0 - before.phases_switched_at, abs=1e-3)
        assert after.command is None
        counts = (after.regrets, after.error_wh, after.starts_today, after.switches_today)
        assert counts == (before.regrets, before.error_wh, before.starts_today, before.switches_today)


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"chargers": None},
        {"chargers": [1]},
        {"chargers": {"a": 3}},
        {"chargers": {"a": {"car_phases": [1], "reserved_a": "x", "phases_switched_age": -5, "full": 1}}},
        {"chargers": {"a": {"car_phases": 7, "reserved_a": float("inf"), "phases_switched_age": float("nan")}}},
    ],
)
def test_what_cannot_be_read_is_left_out(saved: dict[str, object]) -> None:
    """A broken file never stops the core; broken figures count as not known."""
    restored = ControlState.from_dict(saved, 50.0)
    assert restored.started_at == 50.0
    assert all(charger == ChargerState() for charger in restored.chargers.values())


def test_an_absent_charger_counts_with_what_was_saved() -> None:
    """After a restart a charger that is not heard keeps its last possible current, and everybody waits for it first."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.run(60)
    home.cars["b"].unplug()
    home.cars["a"].unplug()
    home.run(5)
    home.restart()
    del home.cars["b"]
    home.cars["a"].plugged = True
    home.run(20)
    assert home.reason("a") == Reason.STARTING_UP
    assert home.reason("b") == Reason.STARTING_UP
    home.run(40)
    assert home.reason("b") == Reason.UNREACHABLE
    assert home.plan.chargers["b"].explanation.numbers["reserved_a"] == 10.0
    assert home.allocated("a") == 10


def test_a_restart_keeps_the_dwell_of_a_phase_switch() -> None:
    """A contactor that moved shortly before the restart does not move again shortly after it."""
    sun = [2500.0]
    home = house(mode=Mode.PV, surplus_w=lambda _: sun[0])
    home.set(cloud_filter=CloudFilter.NONE)
    home.run(120)
    assert home.cars["a"].set_phases == 1
    sun[0] = 6000.0
    home.run(60)
    assert home.cars["a"].set_phases == 3
    home.restart()
    sun[0] = 3700.0
    home.run(170)
    assert home.cars["a"].set_phases == 3
    home.run(400)
    assert home.cars["a"].set_phases == 1


def test_a_charging_car_whose_setting_is_not_known_is_adopted_with_a_valid_command() -> None:
    """A command to charge always has a current."""
    home = house(fuse=20.0, mode=Mode.FAST)
    home.cars["a"] = Car(holding=False, setting_a=10, drawn_a=10.0)
    readings = home.readings
    home.readings = lambda: {  # type: ignore[method-assign]
        key: replace(reading, setting_a=None) for key, reading in readings().items()
    }
    home.step()
    command = home.plan.chargers["a"].command
    assert command is not None
    assert command.charge
    assert command.current_a == 16


def test_power_that_a_charger_does_not_say_comes_from_its_currents() -> None:
    """A charger that reports currents only is no surplus of 0 W."""
    home = house(mode=Mode.PV, surplus_w=lambda _: 2500.0)
    only_one_phase(home)
    readings = home.readings
    home.readings = lambda: {  # type: ignore[method-assign]
        key: replace(reading, power_w=None) for key, reading in readings().items()
    }
    home.run(200)
    assert home.plan.surplus_w == pytest.approx(2500.0)
    assert home.allocated() == 11


def test_a_charger_that_was_quiet_for_long_does_not_count_with_its_next_word_before_that() -> None:
    """What it says now is not what it drew before: the meter value between both belongs to the older one."""
    home = house("a", fuse=20.0, mode=Mode.FAST)
    home.run(30)
    draws = home.state.draws["a"]
    state = replace(home.state, draws={"a": draws[:1]})
    assert draws[0].currents_a == (0.0, 0.0, 0.0)
    home.state = state
    home.now += 60.0
    home.step()
    kept = home.state.draws["a"]
    assert kept[0].currents_a == (0.0, 0.0, 0.0)
    assert kept[-1].currents_a[0] == 16.0
