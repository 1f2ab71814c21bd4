"""Sun that nobody can measure: a throttled inverter, a limit of the export, and a house that may feed in nothing."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from custom_components.pv_load_manager.control import Mode, PhasePolicy, Reason
from custom_components.pv_load_manager.control.surplus import NEAR_LIMIT_W

from .house import VOLTS, House, house

HOUSE_W = 500.0


def held_back(
    pv_w: float | Callable[[float], float],
    *keys: str,
    limit_w: float = 0.0,
    told: bool = False,
    policy: PhasePolicy = PhasePolicy.ONE,
    phases: int = 1,
) -> House:
    """Build a house with 500 W of load that may feed in so much; ``told``: the inverter says that it is throttled."""
    home = house(
        *keys,
        mode=Mode.PV,
        fuse=63.0,
        pv_w=pv_w if callable(pv_w) else (lambda _: pv_w),
        house_w=lambda _: HOUSE_W,
        feed_in_w=limit_w,
        tells_throttled=told,
    )
    home.config = replace(home.config, export_limit_w=None if told else limit_w)
    for key, car in home.cars.items():
        car.set_phases = phases
        home.charger(key, phase_policy=policy)
    return home


def drawn_w(home: House) -> float:
    """Return what the cars draw now."""
    return sum(home.chargers_a()) * VOLTS


@pytest.mark.parametrize("told", [False, True], ids=["limit", "throttled"])
@pytest.mark.parametrize("sun_w", [2000.0, 2500.0, 3300.0])
def test_the_current_climbs_to_the_sun_that_nobody_sees(sun_w: float, told: bool) -> None:
    """Nothing may be fed in: an ampere at a time the car finds what is there, and stays within one of it."""
    home = held_back(sun_w + HOUSE_W, told=told)
    home.run(600)
    assert drawn_w(home) >= sun_w - 1.0 * VOLTS
    assert home.starts() == 1
    drawn: list[float] = []
    commands = len(home.commands())
    home.run(1800, each=lambda: drawn.append(drawn_w(home)))
    assert min(drawn) >= sun_w - 1.4 * VOLTS
    assert max(drawn) <= sun_w + VOLTS + NEAR_LIMIT_W
    assert len(home.commands()) - commands <= 40
    assert home.imported_wh(since=1600.0) < 60.0
    assert home.stops() == 0


def test_feeling_upwards_goes_one_ampere_at_a_time_and_says_so() -> None:
    """From 6 A to 16 A, each step by one, each at least ten seconds after the last, and the reason explains it."""
    home = held_back(9000.0)
    home.run(60)
    assert home.reason() == Reason.FEELING_UPWARDS
    home.run(400)
    commands = [(at, command.current_a) for at, command in home.commands() if command.charge]
    assert commands[0][1] == 6
    assert commands[-1][1] == 16
    for (one, low), (two, high) in pairwise(commands):
        assert high - low == 1
        assert two - one >= 10.0


def test_with_much_hidden_sun_the_car_gets_to_three_phases_and_stays_there() -> None:
    """9 kW behind an inverter that may feed in nothing: an hour later the car charges with most of it."""
    home = held_back(9000.0, policy=PhasePolicy.AUTO)
    home.run(3600)
    assert home.cars["a"].set_phases == 3
    assert drawn_w(home) >= 8500.0 - 1.4 * 3 * VOLTS
    assert home.switches() == 1
    assert home.imported_wh() < 100.0


def test_below_its_limit_the_export_is_the_surplus() -> None:
    """3 kW of sun and a limit of 5 kW: nothing is hidden, and nothing is felt for."""
    home = held_back(3000.0 + HOUSE_W, limit_w=5000.0)
    home.run(300)
    assert home.plan.surplus_w == pytest.approx(3000.0)
    assert home.allocated() == 13
    assert home.reason() == Reason.CHARGING_SURPLUS


def test_at_the_limit_of_the_export_the_car_takes_what_is_seen_and_then_what_is_hidden() -> None:
    """9 kW of sun, 4 kW may leave: at first 4 kW are seen; in the end the car has 8.5 kW less an ampere."""
    home = held_back(9000.0, limit_w=4000.0, policy=PhasePolicy.AUTO, phases=3)
    home.run(1800)
    assert home.cars["a"].set_phases == 3
    assert drawn_w(home) >= 8500.0 - 3 * VOLTS
    assert home.switches() <= 1
    assert home.imported_wh() < 20.0


def test_hidden_sun_that_is_too_little_is_tried_for_less_and_less() -> None:
    """500 W are hidden, 1,380 W needed: trying costs import, so it is not tried again and again."""
    home = held_back(1000.0)
    home.run(7200)
    assert 1 <= home.starts() <= 8
    assert home.imported_wh() < 400.0
    assert home.allocated() == 0 or home.reason() in {Reason.STOP_DELAY, Reason.CHARGING_SURPLUS}


def test_at_night_nothing_is_felt_for() -> None:
    """No sun and no export are no hidden sun."""
    home = held_back(20.0)
    home.run(900)
    assert home.starts() == 0
    assert home.reason() == Reason.WAITING_FOR_SURPLUS


def test_the_hidden_sun_that_goes_away_lets_the_car_follow() -> None:
    """From 3.3 kW to 1.8 kW behind the inverter: within half a minute the car is down, without a stop."""
    home = held_back(lambda now: (3300.0 if now < 1900.0 else 1800.0) + HOUSE_W)
    home.run(930)
    assert drawn_w(home) <= 1800.0 + VOLTS
    assert home.allocated() >= 6
    home.run(600)
    assert home.stops() == 0


def test_two_cars_find_the_hidden_sun_together() -> None:
    """6 kW are hidden: in the end two cars on one phase share all of it, within an ampere each."""
    home = held_back(6000.0 + HOUSE_W, "a", "b")
    home.run(2400)
    assert home.allocated("a") >= 6
    assert home.allocated("b") >= 6
    assert drawn_w(home) >= 6000.0 - 2 * VOLTS
    assert drawn_w(home) <= 6000.0 + VOLTS
    assert abs(home.allocated("a") - home.allocated("b")) <= 2


def test_a_slow_meter_does_not_make_it_overshoot() -> None:
    """With a reading every 30 s the next ampere waits for the answer to the last."""
    home = held_back(2500.0 + HOUSE_W)
    home.config = home.without_protection()
    home.meter_every = 30.0
    drawn: list[float] = []
    home.run(2400, each=lambda: drawn.append(drawn_w(home)))
    assert max(drawn) <= 2500.0 + 1.3 * VOLTS
    assert home.starts() == 1
    assert drawn_w(home) >= 2500.0 - 1.4 * VOLTS
