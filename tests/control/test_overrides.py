"""Currents that somebody chose for single chargers: a cap within all limits, with or without sun, until its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.pv_load_manager.control import (
    HIGHEST_CURRENT,
    CarState,
    ChargerReading,
    ControlState,
    Mode,
    Override,
    OverrideSource,
    PhasePolicy,
    Reason,
    begin_override,
    decide,
    end_override,
    end_overrides,
)

from .house import Car, House, house

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def override(home: House, amps: int, key: str = "a", **more: object) -> None:
    """Let somebody choose a current for a charger."""
    chosen = Override(current_a=amps, **more)  # type: ignore[arg-type]
    home.state = begin_override(home.state, key, chosen)


def cloudy(*keys: str, mode: Mode = Mode.PV, **more: object) -> House:
    """Return a house without any sun."""
    home = house(*keys, mode=mode, **more)
    home.began = NOON
    home.run(10)
    return home


def test_charges_without_sun() -> None:
    """It begins at once, gives just what was chosen, and says so; taken back, the mode counts again."""
    home = cloudy()
    assert home.reason() == "waiting_for_surplus"
    override(home, 12)
    home.run(10)
    assert home.allocated() == 12
    assert home.reason() == "override"
    assert home.explanation().numbers["override_a"] == 12
    assert home.plan.overrides["a"].current_a == 12
    home.state = end_override(home.state, "a")
    home.run(5)
    assert home.allocated() == 0
    assert not home.plan.overrides


def test_last_one_counts() -> None:
    """Another override takes the place of the first."""
    home = cloudy()
    override(home, 12)
    home.run(30)
    override(home, 8)
    home.run(1)
    assert home.allocated() == 8


def test_unknown_charger() -> None:
    """Who is not known cannot be overridden; to end nothing is no error."""
    with pytest.raises(KeyError):
        begin_override(ControlState(started_at=0.0), "nobody", Override(current_a=6))
    assert end_override(ControlState(started_at=0.0), "nobody") == ControlState(started_at=0.0)


def test_fuse_available_current_and_circuit_bind() -> None:
    """It is a cap, never a floor: every limit is stronger."""
    home = cloudy(fuse=25.0)
    override(home, 16)
    home.run(20)
    assert home.allocated() == 16
    home.load_a = (15.0, 0.0, 0.0)
    home.run(10)
    assert home.allocated() == 10
    assert home.reason() == "limited_by_fuse"
    home.load_a = (0.0, 0.0, 0.0)
    home.set(available_current_a=8.0)
    home.run(10)
    assert home.allocated() == 8
    assert home.reason() == "limited_by_available_current"
    home.load_a = (22.0, 0.0, 0.0)
    home.run(10)
    assert home.allocated() == 0
    assert home.reason() == "waiting_for_fuse"


def test_solar_cars_get_what_is_left_of_the_sun() -> None:
    """The overridden car takes its part first; the other one charges from the rest."""
    home = house("a", "b", mode=Mode.PV)
    home.surplus_w = lambda _: 9000.0
    home.run(120)
    override(home, 6)
    home.run(400)
    assert home.reason("a") == "override"
    assert sum(home.cars["a"].currents) * home.volts == pytest.approx(4140)
    left = 9000 - 4140
    assert sum(home.cars["b"].currents) * home.volts == pytest.approx(left, abs=460)
    override(home, 16)
    home.run(400)
    assert home.allocated("a") == 16
    assert home.allocated("b") == 0


def test_ends_by_time() -> None:
    """It ends in the step in which its time has come; whoever does not know the time ends none by it."""
    home = cloudy()
    override(home, 10, until=NOON + timedelta(seconds=home.now - 1000.0 + 60))
    home.run(59)
    assert home.allocated() == 10
    home.step()
    assert home.allocated() == 0
    home = cloudy()
    override(home, 10, until=NOON + timedelta(seconds=60))
    home.began = None
    home.run(600)
    assert home.allocated() == 10


@pytest.mark.parametrize(("amps", "reason"), [(10, Reason.OVERRIDE), (0, Reason.OVERRIDE_OFF)])
def test_says_when_it_ends(amps: int, reason: Reason) -> None:
    """The time of its end is when that can change; who does not know the time, or has no end, says nothing of it."""
    home = cloudy()
    override(home, amps, until=NOON + timedelta(seconds=home.now - 1000.0 + 600))
    home.run(30)
    assert home.explanation().reason is reason
    assert home.explanation().next_change_at == pytest.approx(home.now + 570)
    home.began = None
    home.step()
    assert home.explanation().next_change_at is None
    override(home, amps)
    home.began = NOON
    home.step()
    assert (home.reason(), home.explanation().next_change_at) == (reason, None)


def test_time_zones_do_not_matter() -> None:
    """The end and the present may be told in different zones."""
    home = cloudy()
    home.began = NOON.astimezone(datetime.fromisoformat("2026-06-01T00:00:00+09:00").tzinfo)
    override(home, 10, until=NOON + timedelta(minutes=30))
    home.run(1700)
    assert home.allocated() == 10
    home.run(100)
    assert home.allocated() == 0


def test_ends_by_energy() -> None:
    """It ends when the car has got so much since it came, also over a restart."""
    home = cloudy()
    override(home, 16, energy_wh=500.0)
    home.run(90)
    assert home.allocated() == 16
    home.restart()
    home.run(300)
    assert home.allocated() == 0
    assert home.state.energy("a") == pytest.approx(500, abs=20)


def test_ends_at_unplugging() -> None:
    """The next car charges by the mode again."""
    home = cloudy()
    override(home, 10)
    home.run(30)
    home.cars["a"].unplug()
    home.run(3)
    assert not home.plan.overrides
    home.cars["a"].plugged = True
    home.run(30)
    assert home.allocated() == 0


@pytest.mark.parametrize("car", [CarState.ERROR, CarState.UNKNOWN])
def test_error_is_no_unplugging(car: CarState) -> None:
    """Who stopped a car does not want it to start after a fault of the charger; when the car leaves then, it ends."""
    home = cloudy(mode=Mode.FAST)
    override(home, 0, source=OverrideSource.APP)
    home.run(10)
    plain = home.readings

    def with_error() -> dict[str, ChargerReading]:
        return {key: replace(reading, car=car) for key, reading in plain().items()}

    home.readings = with_error  # type: ignore[method-assign]
    home.run(5)
    assert home.reason() in {"charger_error", "app_off"}
    home.readings = plain  # type: ignore[method-assign]
    home.run(60)
    assert home.allocated() == 0
    assert home.reason() == "app_off"
    home.readings = with_error  # type: ignore[method-assign]
    home.run(5)
    home.readings = plain  # type: ignore[method-assign]
    home.cars["a"].unplug()
    home.run(5)
    assert not home.plan.overrides


def test_set_without_a_car() -> None:
    """Chosen before the car comes, it counts for that car, with its energy from zero, and not for the one after."""
    home = cloudy()
    home.cars["a"].unplug()
    home.run(10)
    override(home, 10, energy_wh=1000.0)
    home.run(60)
    assert home.reason() == "no_car"
    assert home.plan.overrides["a"].current_a == 10
    home.cars["a"].plugged = True
    home.run(120)
    assert home.allocated() == 10
    assert 0.0 < home.state.energy("a") < 1000.0
    home.cars["a"].unplug()
    home.run(3)
    assert not home.plan.overrides


def test_off_of_the_site_wins() -> None:
    """Off stops it in the same step; all can be ended at once."""
    home = cloudy("a", "b")
    override(home, 10)
    override(home, 12, "b")
    home.run(30)
    home.set(mode=Mode.OFF)
    home.step()
    assert home.allocated("a") == home.allocated("b") == 0
    assert home.reason() == "site_off"
    home.state = end_overrides(home.state)
    home.set(mode=Mode.PV)
    home.run(30)
    assert home.allocated("a") == home.allocated("b") == 0
    assert not home.plan.overrides


@pytest.mark.parametrize(
    ("source", "amps", "reason"),
    [
        (OverrideSource.USER, 0, "override_off"),
        (OverrideSource.APP, 0, "app_off"),
        (OverrideSource.USER, 16, "override"),
        (OverrideSource.APP, 10, "app_override"),
        (OverrideSource.APP, HIGHEST_CURRENT, "app_fast"),
        (OverrideSource.USER, HIGHEST_CURRENT, "override"),
    ],
)
def test_reason_names_the_source(source: OverrideSource, amps: int, reason: str) -> None:
    """0 = the car shall not charge, in any mode; who chose it is named, and also what."""
    for mode in (Mode.PV, Mode.FAST):
        home = cloudy(mode=mode)
        override(home, amps, source=source)
        home.run(30)
        assert home.reason() == reason
        assert home.allocated() == min(amps, 16)
        if amps:
            assert home.explanation().numbers["override_a"] == amps


def test_below_the_minimum_of_the_charger() -> None:
    """Who chooses less than the charger's own minimum gets that."""
    home = cloudy()
    home.charger(min_current_a=10)
    override(home, 7)
    home.run(30)
    assert home.allocated() == 7
    assert home.reason() == "override"


def test_maximum_of_the_charger_is_not_exceeded() -> None:
    """The maximum of the charger, and its own limit, stay."""
    home = cloudy()
    home.charger(max_current_a=13)
    override(home, 32)
    home.run(30)
    assert home.allocated() == 13


def test_car_that_was_left_alone() -> None:
    """Before a mode is chosen a charging car is left alone; an override takes it over, 0 stops it."""
    for amps in (8, 0):
        home = house(mode=Mode.PV)
        home.set(mode_chosen=False)
        home.cars["a"] = Car(holding=False, setting_a=16, drawn_a=16.0)
        home.run(20)
        assert home.reason() == "untouched"
        override(home, amps)
        home.run(5)
        assert home.allocated() == amps
        assert home.cars["a"].drawn_a == amps
        assert home.reason() == ("override" if amps else "override_off")


def test_surplus_phases_do_not_hold_for_it() -> None:
    """One phase for the sun is no rule for an override: it is like fast."""
    home = cloudy()
    home.charger(phase_policy=PhasePolicy.ONE_FOR_PV)
    override(home, 10)
    home.run(90)
    assert home.cars["a"].currents == (10.0, 10.0, 10.0)


def test_all_other_modes_are_back_after_it() -> None:
    """When it ends in sunshine the car charges on from the sun without a stop."""
    home = cloudy()
    home.surplus_w = lambda _: 6500.0
    home.run(120)
    override(home, 16, until=NOON + timedelta(seconds=400))
    home.run(200)
    assert home.allocated() == 16
    home.run(200)
    assert not home.plan.overrides
    assert home.allocated() == 9
    assert home.stops() == 0


END = NOON + timedelta(hours=3)


@pytest.mark.parametrize(
    "chosen",
    [
        Override(current_a=0),
        Override(current_a=6, source=OverrideSource.APP),
        Override(current_a=32, until=END),
        Override(current_a=16, energy_wh=7500.0, until=END.astimezone(datetime.now().astimezone().tzinfo)),
    ],
)
def test_outlives_a_restart(chosen: Override) -> None:
    """What is saved as JSON is restored."""
    home = cloudy()
    home.state = begin_override(home.state, "a", chosen)
    saved = json.loads(json.dumps(home.state.as_dict(home.now)))
    restored = ControlState.from_dict(saved, 5.0, away=60.0)
    assert restored.chargers["a"].override == chosen


def test_charges_on_after_a_restart() -> None:
    """The car does not notice a restart, and its override is not lost when it leaves meanwhile only if it stays."""
    home = cloudy()
    override(home, 12)
    home.run(30)
    home.restart()
    home.run(5)
    assert home.allocated() == 12
    assert home.stops() == 0
    saved = home.state.as_dict(home.now)
    home.cars["a"].unplug()
    home.state = ControlState.from_dict(saved, home.now)
    home.run(2)
    assert not home.plan.overrides


GOOD = {"current_a": 10, "source": "user", "until": None, "energy_wh": None}


@pytest.mark.parametrize(
    "changes",
    [
        {"current_a": None},
        {"current_a": "ten"},
        {"current_a": 3},
        {"current_a": 33},
        {"current_a": 10.5},
        {"current_a": -6},
        {"current_a": float("nan")},
        {"source": "neighbour"},
        {"source": None},
        {"until": "soon"},
        {"until": 7},
        {"until": "2026-06-01T12:00:00"},
        {"energy_wh": "much"},
        {"energy_wh": -1},
    ],
)
def test_garbage_is_no_override(changes: dict[str, object]) -> None:
    """What cannot be read does not override anything: nobody knows how it would end."""
    saved = {"chargers": {"a": {"override": GOOD | changes}}}
    assert ControlState.from_dict(saved, 0.0).chargers["a"].override is None
    whole = {"chargers": {"a": {"override": GOOD}}}
    assert ControlState.from_dict(whole, 0.0).chargers["a"].override == Override(current_a=10)
    for other in ([], 7, "override", {}):
        assert ControlState.from_dict({"chargers": {"a": {"override": other}}}, 0.0).chargers["a"].override is None


def test_not_managed_any_more() -> None:
    """A charger that leaves the configuration takes its override along."""
    home = cloudy("a", "b")
    override(home, 10, "b")
    home.run(5)
    config = replace(home.config, chargers=home.config.chargers[:1])
    state, plan = decide(config, home.state, home.snapshot, home.now + 1, NOON)
    assert "b" not in state.chargers
    assert not plan.overrides
