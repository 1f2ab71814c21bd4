"""The house battery beside the cars: who gets the sun, who gives way, and what the reason says."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import BatteryPriority, BatteryReading, Mode, PhasePolicy, Reason
from custom_components.pv_load_manager.control.model import Configuration, PvReading, Snapshot, Strategy
from custom_components.pv_load_manager.control.surplus import BATTERY_MARGIN_W, battery_first, surplus_now

from .house import House, house


def stored(
    pv_w: float | Callable[[float], float],
    *,
    soc: float | None = 50.0,
    limit_w: float = 3000.0,
    rating_w: float | None = None,
    inverted: bool = False,
    **strategy: object,
) -> House:
    """Build a house that draws 500 W, with a roof and a battery of 10 kWh that keeps the grid at 0."""
    home = house(
        mode=Mode.PV,
        fuse=63.0,
        pv_w=pv_w if callable(pv_w) else (lambda _: pv_w),
        house_w=lambda _: 500.0,
        battery_w=0.0,
        battery_soc=soc,
        battery_limit_w=limit_w,
    )
    home.config = replace(home.config, has_battery=True, inverter_ac_w=rating_w, battery_inverted=inverted)
    home.charger(phase_policy=PhasePolicy.ONE)
    home.cars["a"].set_phases = 1
    home.set(**strategy)
    return home


@pytest.mark.parametrize("inverted", [False, True])
def test_a_charging_battery_gives_way_to_the_car(inverted: bool) -> None:
    """4 kW of sun, 500 W house: the car takes 15 A, the battery what is left; however its sign is."""
    home = stored(4000.0, inverted=inverted)
    home.run(300)
    assert home.plan.surplus_w == pytest.approx(3500.0, abs=1.0)
    assert home.allocated() == 15
    assert home.battery_w == pytest.approx(-50.0, abs=1.0)


@pytest.mark.parametrize("priority", list(BatteryPriority))
def test_a_discharging_battery_is_a_deficit_whoever_goes_first(priority: BatteryPriority) -> None:
    """In the dark the battery feeds the house, and no car."""
    home = stored(0.0, soc=90.0, battery_priority=priority)
    home.run(300)
    assert home.battery_w == pytest.approx(500.0)
    assert home.plan.surplus_w == pytest.approx(-500.0, abs=BATTERY_MARGIN_W)
    assert (home.starts(), home.reason()) == (0, Reason.WAITING_FOR_SURPLUS)


def test_a_car_never_empties_the_battery_for_long() -> None:
    """A cloud at noon: the battery helps for the delay of the stop, and the car goes."""
    home = stored(lambda now: 4000.0 if now < 1600.0 else 700.0, soc=80.0)
    home.run(600)
    before = home.battery_soc or 0.0
    home.run(1800)
    assert home.allocated() == 0
    assert before - (home.battery_soc or 0.0) < 4.0  # of 10 kWh


def test_behind_a_full_inverter_the_battery_can_give_way_only_up_to_its_rating() -> None:
    """9 kW of sun, 6 kW of inverter: 3 kW can only go to the battery, so the car has 5.5 kW and not 8.5."""
    home = stored(9000.0, rating_w=6000.0)
    home.charger(phase_policy=PhasePolicy.THREE)
    home.cars["a"].set_phases = 3
    home.run(600)
    assert home.plan.surplus_w == pytest.approx(5500.0, abs=101.0)
    assert home.allocated() in {7, 8}
    assert home.imported_wh(since=1100.0) < 5.0
    assert home.battery_w == pytest.approx(-3000.0, abs=100.0)


def test_the_battery_first_leaves_the_car_what_it_cannot_take() -> None:
    """5 kW of sun, 3 kW into the battery: 1.5 kW are left, less dead zone and margin: 80 W are missing for 6 A."""
    home = stored(5000.0, battery_priority=BatteryPriority.BATTERY)
    home.run(300)
    told = home.explanation()
    assert told.reason is Reason.BATTERY_FIRST
    assert told.numbers["surplus_w"] == 1500 - 100 - BATTERY_MARGIN_W
    assert told.numbers["missing_w"] == 80
    assert told.numbers["battery_w"] == 3000
    assert 50 <= told.numbers["soc"] <= 53
    home.pv_w = lambda _: 6000.0
    home.run(300)
    assert home.allocated() in {10, 11}
    assert home.battery_w == pytest.approx(-3000.0)


def test_a_battery_at_its_target_leaves_the_sun_to_the_car() -> None:
    """Up to 60 % the battery comes first, and the reason counts; from then on the car does."""
    home = stored(4000.0, soc=58.0, battery_priority=BatteryPriority.TARGET_SOC, battery_target_soc=60.0)
    home.run(60)
    told = home.explanation()
    assert told.reason is Reason.BATTERY_FIRST
    assert (told.numbers["target_soc"], told.numbers["soc"]) == (60, 58)
    assert told.numbers["battery_w"] == 3000
    home.run(400)
    assert home.allocated() == 15
    assert home.starts() == 1
    home.run(1800)
    assert (home.starts(), home.stops()) == (1, 0)
    assert (home.battery_soc or 0.0) >= 60.0


def test_a_target_is_not_crossed_back_and_forth() -> None:
    """Once the car charges a battery that falls just below its target does not stop it again and again."""
    home = stored(
        lambda now: 4000.0 + (-800.0 if int(now / 120.0) % 2 else 0.0),
        soc=59.9,
        battery_priority=BatteryPriority.TARGET_SOC,
        battery_target_soc=60.0,
    )
    home.run(3600)
    assert home.starts() <= 2
    assert home.stops() <= 1


def test_a_battery_that_does_not_say_how_full_it_is_is_believed_to_need_the_sun() -> None:
    """Without a state of charge the target is not reached, and the reason has no number that nobody knows."""
    home = stored(4000.0, soc=None, battery_priority=BatteryPriority.TARGET_SOC)
    home.run(300)
    told = home.explanation()
    assert told.reason is Reason.BATTERY_FIRST
    assert "soc" not in told.numbers
    assert home.starts() == 0


def test_a_full_battery_is_first_no_more() -> None:
    """At 100 % there is nothing to wait for."""
    home = stored(4000.0, soc=100.0, battery_priority=BatteryPriority.BATTERY)
    home.run(300)
    assert home.allocated() == 15


def test_a_full_battery_may_help_a_car_to_begin() -> None:
    """From 80 % on the battery adds what 300 W of sun lack for 6 A, and the reason says how much."""
    home = stored(800.0, soc=90.0, battery_start_soc=80.0)
    home.run(300)
    told = home.explanation()
    assert (home.allocated(), told.reason) == (6, Reason.BATTERY_SUPPORT)
    assert told.numbers["missing_w"] == pytest.approx(1080, abs=5)
    assert told.numbers["soc"] in {89, 90}
    assert home.battery_w == pytest.approx(1080.0, abs=5.0)
    low = stored(800.0, soc=70.0, battery_start_soc=80.0)
    low.run(300)
    assert low.starts() == 0


def test_a_battery_may_keep_a_car_that_charges_until_it_reaches_its_threshold() -> None:
    """Hold at 50 %: a car goes on at 6 A in the clouds until the battery is down to 50 %, and starts none."""
    home = stored(lambda now: 3500.0 if now < 1300.0 else 900.0, soc=52.0, battery_hold_soc=50.0)
    home.run(290)
    assert home.allocated() in {13, 14}
    home.run(510)
    assert (home.allocated(), home.reason()) == (6, Reason.BATTERY_SUPPORT)
    assert (home.battery_soc or 0.0) > 50.0
    levels: list[float] = []
    home.run(3000, each=lambda: levels.append(home.battery_soc or 0.0))
    assert (home.allocated(), home.stops()) == (0, 1)
    assert 48.0 <= min(levels) <= 50.0
    waiting = stored(900.0, soc=90.0, battery_hold_soc=50.0)
    waiting.run(300)
    assert waiting.starts() == 0


# -- the arithmetic alone


def rules(**changes: object) -> Configuration:
    """Return a configuration with a battery; the changes are of its strategy."""
    return Configuration(has_battery=True, strategy=Strategy(**changes))  # type: ignore[arg-type]


def surplus(config: Configuration, power_w: float | None, grid_w: float, pv_w: float = 8000.0, **more: float) -> float:
    """Return the surplus with a battery of such a power."""
    battery = BatteryReading(at=0.0, power_w=power_w, state_of_charge=more.get("soc"))
    return surplus_now(config, Snapshot(pv=PvReading(at=0.0, power_w=pv_w)), battery, grid_w=grid_w)


@pytest.mark.parametrize(
    ("grid_w", "expected"),
    [(0.0, 2000.0), (80.0, 2000.0), (-80.0, 2000.0), (100.0, 2000.0), (350.0, 1750.0), (-350.0, 2250.0)],
)
def test_a_working_battery_has_a_dead_zone(grid_w: float, expected: float) -> None:
    """Up to 100 W of import and export are its inaccuracy; only what is beyond them counts."""
    assert surplus(rules(), -2000.0, grid_w) == pytest.approx(expected)
    assert surplus(rules(battery_dead_zone_w=0.0), -2000.0, grid_w) == pytest.approx(2000.0 - grid_w)


def test_a_battery_at_rest_has_none() -> None:
    """What a battery does not regulate the meter says exactly."""
    assert surplus(rules(), 0.0, -80.0) == pytest.approx(80.0)


@pytest.mark.parametrize(
    ("pv_w", "expected"),
    [(3000.0, 2000.0), (6000.0, 2000.0), (7000.0, 1000.0), (8000.0, 0.0), (9000.0, 0.0)],
)
def test_charging_counts_up_to_the_free_rating_of_the_inverter(pv_w: float, expected: float) -> None:
    """2 kW into the battery behind an inverter of 6 kW: what its AC side could still carry of them."""
    config = replace(rules(), inverter_ac_w=6000.0)
    assert surplus(config, -2000.0, 0.0, pv_w) == pytest.approx(expected)
    assert surplus(config, 700.0, 0.0, pv_w) == pytest.approx(-700.0)  # discharging is a deficit, whatever the rating


@pytest.mark.parametrize("power_w", [-3000.0, -500.0, 0.0, 500.0, 3000.0])
@pytest.mark.parametrize("grid_w", [-2000.0, 0.0, 2000.0])
def test_the_battery_first_never_leaves_more_than_the_car_first(power_w: float, grid_w: float) -> None:
    """Its charge is never taken for surplus, and its discharge always missing."""
    first = rules(battery_priority=BatteryPriority.BATTERY)
    assert surplus(first, power_w, grid_w, soc=50.0) < surplus(rules(), power_w, grid_w, soc=50.0)
    assert surplus(first, power_w, grid_w, soc=50.0) <= -grid_w - max(power_w, 0.0)


@pytest.mark.parametrize(
    ("priority", "soc", "first"),
    [
        (BatteryPriority.CHARGERS, 5.0, False),
        (BatteryPriority.BATTERY, 98.0, True),
        (BatteryPriority.BATTERY, 99.5, False),
        (BatteryPriority.BATTERY, None, True),
        (BatteryPriority.TARGET_SOC, 79.9, True),
        (BatteryPriority.TARGET_SOC, 80.0, False),
        (BatteryPriority.TARGET_SOC, None, True),
    ],
)
def test_who_is_first(priority: BatteryPriority, soc: float | None, first: bool) -> None:
    """By the priority, and by how full the battery is; without a battery nobody waits for one."""
    config = rules(battery_priority=priority)
    assert battery_first(config, BatteryReading(at=0.0, power_w=0.0, state_of_charge=soc)) is first
    assert battery_first(config, None) is False


def test_no_battery_is_no_rule() -> None:
    """Without a reading the meter alone counts."""
    assert surplus_now(rules(), Snapshot(), None, grid_w=-700.0) == 700.0
    assert surplus(rules(), None, -700.0) == 700.0
