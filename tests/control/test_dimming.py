"""The grid operator dims: a limit of power for each charger, or for all together, while an input says so."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import (
    CapKind,
    Mode,
    Override,
    PhasePolicy,
    begin_override,
)

from .house import Car, House, house

LIMIT_W = 4200.0
CHARGING = (Mode.FAST, Mode.PV, Mode.MIN_PV)


def sunny(
    *keys: str, mode: Mode = Mode.FAST, volts: float = 230.0, total: bool = False, limit_w: float = LIMIT_W
) -> House:
    """Return a house with sun for everybody, whose chargers can be dimmed, after two minutes."""
    home = house(*keys, mode=mode, fuse=63.0)
    home.volts = volts
    home.surplus_w = lambda _: 9500.0 * len(home.cars)
    home.config = replace(home.config, dimming_w=limit_w, dimming_total=total)
    home.run(120)
    assert all(home.allocated(key) for key in home.cars)
    return home


def powers(home: House) -> Sequence[float]:
    """Return what every car draws in W."""
    return [sum(car.currents) * home.volts for car in home.cars.values()]


def dim(home: House, *, total: bool = False, seconds: int = 60) -> None:
    """Dim, and expect that the limit is kept after 5 s and from then on."""
    home.dimmed = True
    home.run(5)

    def kept() -> None:
        drawn = sum(powers(home)) if total else max(powers(home))
        assert drawn <= (home.config.dimming_w or 0.0) + 0.1, (home.now, powers(home))

    kept()
    home.run(seconds, each=kept)
    assert home.plan.dimmed


@pytest.mark.parametrize("mode", CHARGING)
@pytest.mark.parametrize("volts", [230.0, 236.0])
def test_each_charger(mode: Mode, volts: float) -> None:
    """4.2 kW are 6 A on three phases at 230 V, and not any more at 236 V; afterwards everything is as before."""
    home = sunny("a", "b", mode=mode, volts=volts)
    before = powers(home)
    dim(home, seconds=300)
    for key, car in home.cars.items():
        expected = (6.0, 6.0, 6.0) if volts == 230.0 else (16.0, 0.0, 0.0)
        assert car.currents == expected
        assert home.reason(key) == "limited_by_dimming"
        numbers = home.explanation(key).numbers
        assert numbers["dimming_w"] == 4200
        assert (numbers["allocated_a"], numbers["phases"]) == ((6, 3) if volts == 230.0 else (16, 1))
    home.dimmed = False
    home.run(60)
    assert powers(home) == pytest.approx(before, abs=700)
    assert not home.plan.dimmed


@pytest.mark.parametrize("mode", CHARGING)
@pytest.mark.parametrize("policy", [PhasePolicy.THREE, PhasePolicy.ONE_FOR_PV])
def test_fixed_three_phases_wait(mode: Mode, policy: PhasePolicy) -> None:
    """Who may only use three phases waits where 6 A on them are too much, and says what is missing."""
    home = sunny(mode=mode, volts=236.0)
    home.charger(phase_policy=policy)
    home.run(60)
    dim(home)
    if policy is PhasePolicy.ONE_FOR_PV and mode is not Mode.FAST:
        assert home.allocated() == 16
        return
    assert home.allocated() == 0
    assert home.reason() == "waiting_for_dimming"
    assert home.explanation().numbers == {"needed_a": 6, "phases": 3, "dimming_w": 4200}
    home.dimmed = False
    home.run(60)
    assert sum(powers(home)) > 8000


def test_more_than_is_wanted_is_no_reason() -> None:
    """Who draws less than the limit anyway does not notice it."""
    home = sunny()
    home.charger(phase_policy=PhasePolicy.ONE)
    home.run(60)
    assert home.cars["a"].currents == (16.0, 0.0, 0.0)
    dim(home)
    assert home.allocated() == 16
    assert home.reason() == "charging_fast"


def test_without_an_input_nobody_dims() -> None:
    """A house without a limit for it is never dimmed."""
    home = sunny()
    home.config = replace(home.config, dimming_w=None)
    home.dimmed = True
    home.run(60)
    assert home.allocated() == 16
    assert not home.plan.dimmed


def test_sun_still_counts_below_the_limit() -> None:
    """While it is dimmed a pv car goes by the sun, and stops without any."""
    home = sunny(mode=Mode.PV)
    dim(home)
    home.surplus_w = lambda _: 1900.0
    home.run(900)
    assert 0 < sum(powers(home)) < 2000
    assert home.reason() != "limited_by_dimming"
    home.surplus_w = lambda _: -500.0
    home.run(900)
    assert home.allocated() == 0
    home.surplus_w = lambda _: 9000.0
    home.run(400)
    assert home.reason() == "limited_by_dimming"


@pytest.mark.parametrize("sun", [0.0, 9000.0])
def test_guaranteed_power_above_the_limit(sun: float) -> None:
    """What is guaranteed is dimmed like everything else."""
    home = sunny(mode=Mode.MIN_PV)
    home.surplus_w = lambda _: sun
    home.set(guaranteed_power_w=8000.0)
    home.run(60)
    assert home.allocated() > 6
    dim(home)
    assert home.cars["a"].currents == (6.0, 6.0, 6.0)
    assert home.reason() == "limited_by_dimming"


@pytest.mark.parametrize("total", [False, True])
def test_overridden_car(total: bool) -> None:
    """An override is a cap, and the grid operator's is another one."""
    home = sunny(mode=Mode.PV, total=total)
    home.state = begin_override(home.state, "a", Override(current_a=16))
    home.run(30)
    assert home.allocated() == 16
    dim(home, total=total)
    assert home.allocated() == 6
    assert home.reason() == "limited_by_dimming"
    home.dimmed = False
    home.run(30)
    assert home.allocated() == 16
    assert home.reason() == "override"


@pytest.mark.parametrize("total", [False, True])
@pytest.mark.parametrize("volts", [230.0, 236.0])
def test_car_that_was_left_alone(total: bool, volts: float) -> None:
    """A car that charges before a mode was chosen is dimmed, too: the limit is the law."""
    home = house(mode=Mode.PV)
    home.volts = volts
    home.set(mode_chosen=False)
    home.config = replace(home.config, dimming_w=LIMIT_W, dimming_total=total)
    home.cars["a"] = Car(holding=False, setting_a=16, drawn_a=16.0)
    home.run(20)
    assert home.reason() == "untouched"
    dim(home, total=total)


def test_car_that_draws_too_much() -> None:
    """A car that takes more than it is told gets that much less."""
    home = sunny()
    home.charger(phase_policy=PhasePolicy.ONE)
    home.cars["a"].excess_a = 0.6
    home.config = replace(home.config, dimming_w=2300.0)
    home.run(60)
    home.dimmed = True
    home.run(60)
    assert sum(powers(home)) <= 2300.0


@pytest.mark.parametrize(
    ("mode", "volts", "count"),
    [
        (Mode.FAST, 230.0, 2),
        (Mode.FAST, 236.0, 3),
        (Mode.FAST, 230.0, 5),
        (Mode.PV, 236.0, 1),
        (Mode.PV, 230.0, 3),
        (Mode.MIN_PV, 236.0, 2),
    ],
)
def test_a_total_is_shared(mode: Mode, volts: float, count: int) -> None:
    """All together stay below it from 5 s on, everybody gets his turn, and full use is back within a minute."""
    keys = "abcde"[:count]
    home = sunny(*keys, mode=mode, volts=volts, total=True)
    home.config = replace(home.config, timings=replace(home.config.timings, rotation_slot=300.0))
    before = sum(powers(home))
    given = {key: home.state.energy(key) for key in keys}
    dim(home, total=True, seconds=1500)
    got = {key: home.state.energy(key) - given[key] for key in keys}
    assert min(got.values()) > 0.1 * sum(got.values()), got
    assert sum(got.values()) > 0.6 * LIMIT_W * 1500 / 3600
    assert home.plan.cap is not None
    assert home.plan.cap.kind is CapKind.DIMMING
    reasons = {home.reason(key) for key in keys}
    assert reasons & {"limited_by_dimming", "waiting_for_dimming"} or (count == 1 and volts == 236.0)
    for key in keys:
        if home.reason(key) == "limited_by_dimming":
            assert home.explanation(key).numbers["dimming_w"] == 4200
    home.dimmed = False
    home.run(60)
    if mode is Mode.FAST:
        assert sum(powers(home)) == pytest.approx(before)
    else:
        home.run(900)
        assert sum(powers(home)) == pytest.approx(before, abs=700 * count)


def test_waiting_cars_say_who_limits() -> None:
    """Who waits because others have what the grid operator leaves hears of the grid operator, not of the fuse."""
    home = sunny("a", "b", "c", total=True)
    dim(home, total=True, seconds=30)
    waiting = [key for key in home.cars if not home.allocated(key)]
    assert waiting
    for key in waiting:
        assert home.reason(key) == "waiting_for_dimming"
        numbers = home.explanation(key).numbers
        assert (numbers["dimming_w"], numbers["needed_a"]) == (4200, 6)
    assert all(not state.fuse_stops for state in home.state.chargers.values())


def test_total_below_everything() -> None:
    """A total that is too little even for 6 A on one phase stops everybody."""
    home = sunny("a", "b", total=True, limit_w=1300.0)
    home.dimmed = True
    home.run(5)
    assert sum(powers(home)) == 0
    assert {home.reason(key) for key in home.cars} == {"waiting_for_dimming"}


def test_off_stays_off() -> None:
    """Dimming lets nobody charge."""
    home = sunny()
    home.set(mode=Mode.OFF)
    dim(home)
    assert home.reason() == "site_off"
    home.dimmed = False
    home.run(60)
    assert home.allocated() == 0


def test_restart_while_dimmed() -> None:
    """A restart of the core lets nobody out."""
    home = sunny("a", "b", mode=Mode.PV, volts=236.0)
    dim(home)
    home.restart()
    dim(home)
    home.dimmed = False
    home.run(900)
    assert min(powers(home)) > 8000
