"""A car and a roof: what happens on ordinary and on awkward days, told second by second."""

from collections.abc import Callable
from math import sin

import pytest

from custom_components.pv_load_manager.control import (
    ChargerMode,
    CloudFilter,
    Mode,
    PhasePolicy,
    Reason,
)
from custom_components.pv_load_manager.control.law import ROUND_UP

from .house import VOLTS, House, house

BEGIN = 1000.0
"""When every story begins, in s."""


def sunny(sun: Callable[[float], float] | float, *keys: str, mode: Mode = Mode.PV, phases: int = 1) -> House:
    """Build a house whose sun is a function of the seconds since the story began, or always the same."""
    shining = (lambda now: sun(now - BEGIN)) if callable(sun) else (lambda _: float(sun))
    home = house(*keys, mode=mode, fuse=63.0, surplus_w=shining)
    for car in home.cars.values():
        car.set_phases = phases
    return home


def one_phase(sun: Callable[[float], float] | float, *keys: str, mode: Mode = Mode.PV) -> House:
    """Build such a house where the chargers always charge on one phase."""
    home = sunny(sun, *keys, mode=mode)
    for key in home.cars:
        home.charger(key, phase_policy=PhasePolicy.ONE)
    return home


def grid_w(home: House) -> float:
    """Return what comes from the grid now."""
    return home.meter().power_w or 0.0


def drawn_w(home: House) -> float:
    """Return what the cars draw now."""
    return sum(home.chargers_a()) * VOLTS


def test_a_clear_morning_has_one_start_and_one_switch() -> None:
    """From the dark to 9 kW in two hours: one start, one switch to three phases, nearly nothing from the grid."""
    home = sunny(lambda now: now / 7200.0 * 9000.0)
    home.run(7200)
    assert (home.starts(), home.stops(), home.switches()) == (1, 0, 1)
    assert home.cars["a"].set_phases == 3
    assert home.allocated() in {12, 13}
    assert home.imported_wh() < 60.0
    assert home.plan.chargers["a"].starts_today == 1
    assert home.plan.chargers["a"].switches_today == 1


def test_one_big_cloud_stops_nothing_and_costs_what_six_amps_cost() -> None:
    """A minute of cloud at noon: the car goes down to 6 A, waits, says until when, and comes back."""
    home = sunny(lambda now: 300.0 if 1800.0 <= now < 1860.0 else 8000.0)
    home.run(1840)
    told = home.explanation()
    assert told.reason in {Reason.FEWER_PHASES_DELAY, Reason.STOP_DELAY}
    assert home.allocated() == 6
    assert told.numbers["surplus_w"] == 300
    assert told.numbers["missing_w"] >= 1080
    assert 0.0 < told.numbers["regret_wh"] < told.numbers["price_wh"]
    assert told.next_change_at is not None
    assert told.next_change_at > BEGIN + 1860.0
    home.run(200)
    assert (home.stops(), home.switches(since=BEGIN + 1700.0)) == (0, 0)
    assert home.allocated() in {11, 12}
    assert home.imported_wh(since=BEGIN + 1790.0) < 4140.0 * 70.0 / 3600.0


def test_a_cloud_of_half_an_hour_stops_once_and_the_car_comes_back_once() -> None:
    """A thunderstorm at noon: one stop, one start, and never more than one switch each way."""
    home = sunny(lambda now: 300.0 if 1800.0 <= now < 3600.0 else 8000.0)
    home.run(3590)
    assert home.stops() == 1
    assert home.reason() == Reason.WAITING_FOR_SURPLUS
    assert home.explanation().numbers["missing_w"] == 1080
    assert home.imported_wh(since=BEGIN + 1790.0) < 400.0
    home.run(1500)
    assert (home.starts(), home.stops()) == (2, 1)
    assert drawn_w(home) > 7000.0
    assert home.switches() <= 3


def test_a_kettle_at_noon_moves_nothing_but_the_current() -> None:
    """2.2 kW for three minutes: no stop, no switch, a few Wh from the grid until the car has followed."""
    home = sunny(lambda now: 5800.0 if 1800.0 <= now < 1980.0 else 8000.0)
    home.run(1900)
    assert home.allocated() == 8
    home.run(300)
    assert home.allocated() in {11, 12}
    assert (home.stops(), home.switches(since=BEGIN + 1700.0)) == (0, 0)
    assert home.imported_wh(since=BEGIN + 1790.0) < 2200.0 * 15.0 / 3600.0


def test_a_full_car_is_called_full_and_is_not_started_again() -> None:
    """A car that ends in full sun keeps its minimum allowance for a top-up, and nothing is switched any more."""
    home = sunny(8000.0)
    home.run(1500)
    home.cars["a"].full = True
    home.run(600)
    assert home.reason() == Reason.CAR_FULL
    assert home.allocated() == 6
    assert grid_w(home) == pytest.approx(-8000.0)
    commands = len(home.commands())
    home.run(900)
    assert len(home.commands()) == commands
    assert home.starts() == 1


def test_a_car_on_one_phase_of_three_is_never_switched_up_once_it_is_known() -> None:
    """Nobody can know before the first try; after it 8 kW of sun are no reason to move a contactor."""
    home = sunny(8000.0)
    home.cars["a"].phases = 1
    home.run(2000)
    assert home.switches() <= 1
    tried = home.switches()
    home.surplus_w = lambda _: 1000.0
    home.run(900)
    home.surplus_w = lambda _: 8000.0
    home.run(1800)
    assert home.switches() == tried
    assert home.cars["a"].currents == (16.0, 0.0, 0.0)
    assert home.reason() == Reason.CHARGING_SURPLUS
    assert home.explanation().next_change_at is None


@pytest.mark.parametrize(("sun_w", "amps"), [(5000.0, {10, 11}), (7300.0, {15, 16}), (9000.0, {16})])
def test_a_two_phase_car_is_given_amps_for_two_phases(sun_w: float, amps: set[int]) -> None:
    """460 W an ampere, once it was seen on three phases; what it cannot use is exported."""
    home = sunny(sun_w, phases=3)
    home.cars["a"].phases = 2
    home.run(1800)
    assert home.allocated() in amps
    assert home.cars["a"].currents[2] == 0.0
    assert -9000.0 <= grid_w(home) <= ROUND_UP * 2 * VOLTS + 1.0
    assert home.switches() <= 1


@pytest.mark.parametrize("target_w", [-1000.0, -500.0, 500.0, 1000.0])
def test_the_grid_comes_to_its_target(target_w: float) -> None:
    """A negative target is fed in before the car gets anything, a positive one may be bought for it."""
    home = one_phase(2500.0)
    home.set(target_grid_power_w=target_w)
    home.run(600)
    assert home.allocated() >= 6
    assert target_w - (1.0 - ROUND_UP) * VOLTS - 1.0 <= grid_w(home) <= target_w + ROUND_UP * VOLTS + 1.0
    assert home.explanation().numbers["surplus_w"] == 2500 + target_w


def test_a_negative_target_is_missing_for_the_start() -> None:
    """2 kW of sun and 1 kW to be fed in: 380 W are missing for 6 A."""
    home = one_phase(2000.0)
    home.set(target_grid_power_w=-1000.0)
    home.run(600)
    assert home.starts() == 0
    assert home.reason() == Reason.WAITING_FOR_SURPLUS
    assert home.explanation().numbers["missing_w"] == 380


@pytest.mark.parametrize(
    ("power_w", "phases", "amps"), [(1380.0, 1, 6), (2760.0, 1, 12), (4140.0, 3, 6), (100.0, 1, 6)]
)
def test_the_guaranteed_power_is_given_at_night_and_nothing_above_it(power_w: float, phases: int, amps: int) -> None:
    """Min+pv in the dark: its guarantee, at least the least current, and not a watt more."""
    home = sunny(-400.0, mode=Mode.MIN_PV)
    home.set(guaranteed_power_w=power_w)
    home.run(900)
    assert home.reason() == Reason.CHARGING_GUARANTEED
    assert (home.allocated(), home.cars["a"].set_phases) == (amps, phases)
    assert grid_w(home) == pytest.approx(400.0 + amps * phases * VOLTS)
    assert len(home.commands()) <= 3


def test_fast_for_two_hours_and_then_pv_again() -> None:
    """Whoever needs the car soon gets all at once; afterwards the sun decides again within the dwell time."""
    home = sunny(3000.0)
    home.run(900)
    assert home.allocated() == 13
    home.set(mode=Mode.FAST)
    home.run(60)
    assert (home.allocated(), home.cars["a"].set_phases, home.reason()) == (16, 3, Reason.CHARGING_FAST)
    home.run(7200 - 60)
    assert grid_w(home) == pytest.approx(11040.0 - 3000.0)
    home.set(mode=Mode.PV)
    home.run(15)
    assert home.allocated() == 6
    home.run(900)
    assert (home.allocated(), home.cars["a"].set_phases) == (13, 1)
    assert home.stops() == 0
    assert home.switches() == 2
    assert home.plan.chargers["a"].switches_today <= 1  # the one that the sun wanted


def test_off_for_two_hours_and_then_pv_again_is_one_start_more() -> None:
    """A pause that somebody chose is no restlessness; in the end all is as before."""
    home = one_phase(3000.0)
    home.run(300)
    home.set(mode=Mode.OFF)
    home.run(7200)
    assert home.reason() == Reason.SITE_OFF
    home.set(mode=Mode.PV)
    home.run(300)
    assert home.allocated() == 13
    assert (home.starts(), home.stops()) == (2, 1)


def test_a_fast_car_takes_the_sun_before_a_pv_car() -> None:
    """The fast car has 11 kW whatever the sun; the pv car charges with what that leaves, or waits and says so."""
    home = sunny(13000.0, "fast", "pv")
    home.charger("fast", mode=ChargerMode.FAST)
    home.run(600)
    assert (home.allocated("fast"), home.allocated("pv")) == (16, 8)  # 1,960 W are left
    assert home.reason("fast") == Reason.CHARGING_FAST
    home.surplus_w = lambda _: 9000.0
    home.run(900)
    assert (home.allocated("fast"), home.allocated("pv")) == (16, 0)
    waiting = home.explanation("pv")
    assert waiting.reason is Reason.WAITING_FOR_SURPLUS
    assert waiting.numbers["surplus_w"] == -2040
    assert waiting.numbers["missing_w"] == 3420
    assert home.stops("pv") == 1


@pytest.mark.parametrize(
    "sun",
    [
        lambda now: 3900.0 + 200.0 * sin(now / 300.0),
        lambda now: 3900.0 + 200.0 * ((now * 7919.0) % 3.0 - 1.0),
        lambda now: 3700.0 + now / 7200.0 * 400.0,
    ],
    ids=["slow", "noise", "rising"],
)
def test_between_sixteen_amps_on_one_phase_and_six_on_three_nothing_flaps(sun: Callable[[float], float]) -> None:
    """3.7 to 4.1 kW for two hours: at most one switch, and hardly anything from the grid."""
    home = sunny(sun)
    home.run(7200)
    assert home.switches() <= 1
    assert (home.starts(), home.stops()) == (1, 0)
    assert home.imported_wh() < 150.0
    assert len(home.commands()) < 100


def test_one_phase_for_the_sun_and_three_for_fast() -> None:
    """The policy that spares the contactor on sunny days: it moves only when the mode does."""
    home = sunny(8000.0)
    home.charger(phase_policy=PhasePolicy.ONE_FOR_PV)
    home.run(1500)
    assert (home.allocated(), home.cars["a"].set_phases, home.switches()) == (16, 1, 0)
    home.set(mode=Mode.FAST)
    home.run(60)
    assert (home.allocated(), home.cars["a"].set_phases) == (16, 3)
    home.set(mode=Mode.PV)
    home.run(60)
    assert (home.allocated(), home.cars["a"].set_phases, home.switches()) == (16, 1, 2)


def test_solar_only_with_a_backup_of_half_a_kilowatt() -> None:
    """880 W of sun are enough for 1,380 W with the backup, 800 W are not; the grid never adds more than that."""
    home = one_phase(800.0)
    home.set(solar_only=True, grid_backup_w=500.0)
    home.run(300)
    assert (home.starts(), home.explanation().numbers["needed_w"], home.explanation().numbers["missing_w"]) == (
        0,
        880,
        80,
    )
    home.surplus_w = lambda _: 1000.0
    home.run(300)
    assert (home.allocated(), home.starts()) == (6, 1)
    assert max(home.powers) <= 500.0
    home.surplus_w = lambda _: 700.0
    home.run(3600)
    assert (home.allocated(), home.stops()) == (0, 1)


def test_solar_only_without_a_backup_stops_sooner_than_the_costs_say() -> None:
    """1,300 W of 1,380 W: pv goes on, because stopping wastes more than it saves; solar only stops."""
    patient, strict = one_phase(1300.0), one_phase(1300.0)
    strict.set(solar_only=True)
    for home in (patient, strict):
        home.surplus_w = lambda now: 2500.0 if now < BEGIN + 300.0 else 1300.0
        home.run(5400)
    assert patient.allocated() == 6
    assert strict.allocated() == 0
    assert strict.stops() == 1


def test_the_minimum_charge_threshold_is_for_the_start_only() -> None:
    """With a threshold of 2 kW a car waits at 1.8 kW, starts at 2.1 kW, and stays at 1.8 kW."""
    home = one_phase(1800.0)
    home.set(start_threshold_w=2000.0)
    home.run(600)
    assert home.starts() == 0
    assert home.explanation().numbers["missing_w"] == 200
    home.surplus_w = lambda _: 2100.0
    home.run(120)
    assert home.allocated() == 9
    home.surplus_w = lambda _: 1800.0
    home.run(1800)
    assert home.allocated() in {7, 8}
    assert home.stops() == 0


@pytest.mark.parametrize("mode", [Mode.PV, Mode.MIN_PV])
def test_without_excess_charging_the_sun_is_not_asked(mode: Mode) -> None:
    """Where nobody wants surplus charging its modes give the most that the limits allow."""
    home = sunny(0.0, mode=mode)
    home.set(excess_charging=False)
    home.run(120)
    assert (home.allocated(), home.reason()) == (16, Reason.CHARGING_FAST)


def test_a_day_whose_switches_are_used_up_stays_on_its_phases_and_says_so() -> None:
    """One switch a day: up at noon, and in the afternoon the charger stops rather than to switch again."""
    home = sunny(lambda now: 2500.0 if now < 900.0 else 8000.0)
    home.set(phase_switches_per_day=1)
    home.run(2700)
    assert (home.cars["a"].set_phases, home.switches()) == (3, 1)
    home.surplus_w = lambda _: 3600.0
    home.run(900)
    told = home.explanation()
    assert told.reason is Reason.PHASE_BUDGET
    assert (told.numbers["switches"], told.numbers["switches_per_day"]) == (1, 1)
    assert told.numbers["regret_wh"] > 0.0
    assert told.next_change_at is None
    assert home.switches() == 1


def test_two_switches_are_ten_minutes_apart_and_the_reason_counts_down() -> None:
    """Clouds right after a switch: nothing is switched back before the dwell time is over."""
    home = sunny(lambda now: 2500.0 if now < 900.0 else 8000.0)
    home.set(cloud_filter=CloudFilter.MEDIUM)
    home.run(900)
    while home.switches() == 0:
        home.step()
    switched = home.now
    home.surplus_w = lambda _: 3000.0
    home.run(200)
    told = home.explanation()
    assert told.reason is Reason.PHASE_DWELL
    assert told.next_change_at == pytest.approx(switched + 600.0, abs=2.0)
    home.run(380)
    assert home.switches() == 1
    assert home.cars["a"].set_phases == 3
    home.run(60)
    assert home.switches() == 2


def test_whoever_weighs_the_losses_stops_trickling_sooner() -> None:
    """At 900 W of sun the losses of 6 A on one phase decide earlier that it is not worth it."""
    seconds = []
    for efficiency in (False, True):
        home = one_phase(lambda now: 2500.0 if now < 300.0 else 900.0)
        home.set(weigh_efficiency=efficiency, cloud_filter=CloudFilter.WEAK)
        home.run(400)
        seconds.append(home.seconds_until(Reason.WAITING_FOR_SURPLUS, 7200))
    assert seconds[1] < 0.7 * seconds[0]


def test_days_are_counted_by_the_local_date() -> None:
    """Starts and switches of yesterday are no reason to spare the charger today."""
    home = sunny(2500.0)
    home.now = BEGIN = 86_400.0 - 600.0  # noqa: N806
    home.surplus_w = lambda now: 8000.0 if now > BEGIN + 100.0 else 2500.0
    home.run(590)
    assert home.plan.chargers["a"].starts_today == 1
    home.run(20)
    assert home.plan.chargers["a"].starts_today == 0
    assert home.plan.chargers["a"].switches_today == 0
