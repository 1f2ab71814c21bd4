"""WARP's power manager follows the sun as its description says."""

import pytest

from benchmarks.plant import START, VOLTS, BoxModel, BoxView, CarModel, CarSays
from benchmarks.policies.pv_warp import Warp, share
from benchmarks.policies.pv_warp_limits import CLOUD_FILTERS, HourMinimum, PvLimit, available, with_battery
from benchmarks.policies.pv_warp_member import Member
from benchmarks.pv.loop import run
from benchmarks.pv.model import PvSite

from .pv_sites import plain_site, random_day, seen, steps, times, waiting

SEEDS = range(1, 9)
WINDOWS = {"none": 0, "weak": 120, "medium": 240, "strong": 480}


# ---- WARP's limits


def test_warp_corrects_a_part_of_the_error() -> None:
    """Nothing used: all of it. Else a half, 0.75 from 1,000 W on, 0.875 from 1,500 W on."""
    assert available(2000.0, 0.0) == 2000.0
    assert available(999.0, 2000.0) == 2000.0 + 0.5 * 999.0
    assert available(-1000.0, 2000.0) == 2000.0 - 0.75 * 1000.0
    assert available(-1500.0, 2000.0) == 2000.0 - 0.875 * 1500.0


def test_warp_battery() -> None:
    """Discharging is a deficit in any case, charging a surplus where cars come first; 100 W of the grid are nothing."""
    assert with_battery(80.0, 0.0, cars_first=True) == 0.0
    assert with_battery(-300.0, -2000.0, cars_first=True) == -2200.0
    assert with_battery(-300.0, -2000.0, cars_first=False) == -200.0
    assert with_battery(300.0, 1000.0, cars_first=False) == 1200.0


@pytest.mark.parametrize(("cloud_filter", "window"), list(WINDOWS.items()))
def test_warp_cloud_filter_is_the_extremes_of_a_window(cloud_filter: str, window: int) -> None:
    """A dip and a peak count until the window has passed, not as an average."""
    assert CLOUD_FILTERS[cloud_filter] == window
    limit = PvLimit(cloud_filter)
    for second, amps in enumerate([10.0, 2.0, 20.0] + [10.0] * (window + 1)):
        limit.update(second, amps * VOLTS, 0.0)
        if 2 < second <= window + 1:
            assert (limit.minimum, limit.maximum) == pytest.approx((2.0, 20.0))
    assert (limit.minimum, limit.raw) == pytest.approx((10.0, 10.0))
    limit.update(window + 10, None, 0.0)
    assert (limit.raw, limit.minimum) == (0.0, 0.0)


def test_warp_hour_minimum_forgets_by_minutes() -> None:
    """A dip is gone 60 full minutes after its own."""
    hour = HourMinimum()
    values = [hour.add(second, 3.0 if second == 30 else 10.0) for second in range(0, 3780, 10)]
    assert set(values[3:366]) == {3.0}
    assert set(values[366:]) == {10.0}


# ---- WARP's manager


@pytest.mark.parametrize(("cloud_filter", "window"), list(WINDOWS.items()))
def test_warp_starts_when_the_window_holds_the_minimum(cloud_filter: str, window: int) -> None:
    """On at 1,380 W held for the window, on one phase; never with 1,370 W."""
    course = run(steps((60, 0.0), (900, 1380.0)), plain_site("a"), lambda site: Warp(site, cloud_filter))
    assert 60 + window < times(course, "start")[0] <= 60 + window + 25
    assert max(course.car_w) <= 6 * VOLTS
    course = run(steps((60, 0.0), (900, 1370.0)), plain_site("a"), lambda site: Warp(site, cloud_filter))
    assert not times(course, "start")


@pytest.mark.parametrize(("watts", "phases"), [(4130.0, 1), (4150.0, 3)])
def test_warp_starts_on_three_phases_for_more_than_one_can_take(watts: float, phases: int) -> None:
    """4,140 W held for the window let a car of 16 A begin on three phases, less on one."""
    course = run(steps((60, 0.0), (400, watts)), plain_site("a"), Warp)
    assert course.car_w[-1] == (6 * 3 * VOLTS if phases == 3 else 16 * VOLTS)
    assert len(times(course, "start")) == 1


@pytest.mark.parametrize(("watts", "switches"), [(4550.0, 0), (4650.0, 1)])
def test_warp_goes_to_three_phases_at_eighteen_amps_available(watts: float, switches: int) -> None:
    """A car at its 16 A leaves an error of which only half counts: 3,680 W and 0.5 x 920 W are the 4,140 W."""
    course = run(steps((900, 2500.0), (900, watts)), plain_site("a"), Warp)
    up = times(course, "up")
    assert len(up) == switches
    assert all(900 + 240 < second <= 900 + 240 + 40 for second in up)


def test_warp_counts_what_a_larger_box_allows() -> None:
    """A box of 32 A allows a car of 16 A 19 A and takes these for available: three phases from 3,680 W on."""
    course = run(steps((900, 2500.0), (1800, 3800.0)), plain_site("a"), lambda site: Warp(site, box_a=32))
    assert times(course, "up")
    course = run(steps((900, 2500.0), (1800, 3800.0)), plain_site("a"), Warp)
    assert not times(course, "up")


def test_warp_asks_for_what_the_car_draws_and_a_margin_after_a_minute() -> None:
    """Until then it could take all that its box allows."""
    site = PvSite(boxes=(BoxModel(key="a", max_a=32),), cars=(CarModel(max_a=16.0),))
    view = BoxView(at=START, car=CarSays.CHARGING, holding=False, setting_a=9.0, phases=1, currents_a=(9.0, 0.0, 0.0))
    member = Member(model=site.boxes[0], view=view)
    member.hear(START)
    assert member.requested(START + 30.0) == 32.0
    assert member.requested(START + 60.0) == 12.0


def test_warp_stops_only_when_the_best_of_the_window_is_too_low() -> None:
    """One good moment within four minutes keeps it on; without a filter every bad one stops it."""
    sun = [(600, 2000.0), *[(100, 300.0), (60, 1700.0)] * 6, (900, 300.0)]
    medium = run(steps(*sun), plain_site("a"), Warp)
    assert len(times(medium, "stop")) == 1
    assert 600 + 960 + 240 < times(medium, "stop")[0] <= 600 + 960 + 280
    none = run(steps(*sun), plain_site("a"), lambda site: Warp(site, "none"))
    assert len(times(none, "stop")) > 2


def test_warp_falls_to_one_phase_or_off_by_the_window_minimum() -> None:
    """What three phases cannot have any more goes to one phase if the window held its minimum, else it stops."""
    one = run(steps((900, 6000.0), (900, 2500.0)), plain_site("a"), Warp)
    assert 900 + 240 < times(one, "down")[0] <= 900 + 290
    assert not times(one, "stop")
    off = run(steps((900, 6000.0), (100, 2500.0), (900, 500.0)), plain_site("a"), Warp)
    assert len(times(off, "stop")) == 1
    assert not times(off, "down")


def test_warp_shares_watts_not_amps() -> None:
    """48 A over all phases, one box on three and one on one: 10 A and 18 A."""
    members = []
    for key, phases in (("a", 3), ("b", 1)):
        view = BoxView(at=START, car=CarSays.CHARGING, holding=False, phases=phases, currents_a=(9.0, 9.0, 9.0))
        member = Member(model=BoxModel(key=key, max_a=32), view=view, phases=phases, connected=phases)
        member.hear(START)
        members.append(member)
    share(members, 48.0, START)
    assert [member.amps for member in members] == [pytest.approx(10.0), pytest.approx(18.0)]
    share(members, 5.0, START)
    assert [member.amps for member in members] == [6.0, 6.0]


@pytest.mark.parametrize(("watts", "cars"), [(4550.0, {"a"}), (4650.0, {"a", "b"})])
def test_warp_wants_half_as_much_again_for_a_second_box(watts: float, cars: set[str]) -> None:
    """1.5 x (6 A + 6 A) = 18 A have to be available for a second car on one phase, though 12 A would carry both."""
    course = run(steps((300, 2500.0), (550, watts)), plain_site("a", "b", wired=1), Warp)
    assert {moment.key for moment in course.moments if moment.kind == "start"} == cars


def test_warp_turns_two_cars_at_quarters_of_an_hour() -> None:
    """With sun for one they take turns; who had less on average has the next quarter."""
    course = run(steps((3600, 2500.0)), plain_site("a", "b", wired=1), Warp)
    assert [moment.key for moment in course.moments if moment.kind == "start"] == ["a", "b", "a"]
    stops = times(course, "stop")
    assert len(stops) == 2
    assert all(second % 900 < 20 for second in stops)


def test_warp_notices_a_car_of_one_phase() -> None:
    """On three phases only one current flows: from then on it counts once."""
    site = PvSite(boxes=(BoxModel(key="a"),), cars=(CarModel(phases=1, start_delay_s=2.0),))
    course = run(steps((3000, 6000.0)), site, Warp)
    assert max(course.car_w) == 16 * VOLTS
    assert len(times(course, "up")) <= 1
    assert min(course.car_w[1500:]) == 16 * VOLTS


def test_warp_welcomes_a_car_that_it_saw_coming() -> None:
    """Such a car charges on one phase for 210 s without any sun; one that was there before the manager does not."""
    policy = Warp(plain_site("a", "b"))
    came, stayed = waiting(), waiting()
    came.car = CarSays.NO_CAR
    charged: dict[str, list[int]] = {"a": [], "b": []}
    told = {"a": False, "b": False}
    for second in range(600):
        now = START + second
        came.at = stayed.at = now
        if second == 15:
            came.car = CarSays.WAITING
        for key, order in policy.step(now, seen(now, 500.0, a=came, b=stayed)).items():
            told[key] = order.charge
            assert order.phases in {None, 1}
        for key, on in told.items():
            charged[key] += [second] * on
    assert charged["a"][0] == 20
    assert 210 <= len(charged["a"]) <= 250
    assert not charged["b"]


def test_warp_stops_without_a_meter() -> None:
    """125 s after the last value there is no surplus, and the window forgets what there was."""
    policy = Warp(plain_site("a"), "none")
    view = waiting()
    told = [policy.step(START + second, seen(START, -3000.0, a=view)) for second in range(200)]
    assert told[0]["a"].charge
    assert policy.limit.raw == 0.0


# ---- WARP on a random day, against figures measured with the original


def random_days(cloud_filter: str) -> tuple[float, float, float, float]:
    """Return means per day: switches of phases, starts, kWh taken from the grid for the car, kWh exported."""
    site = PvSite(boxes=(BoxModel(key="a", pause_s=30),), cars=(CarModel(start_delay_s=2.0),))
    switches = starts = 0
    imported = exported = 0.0
    for seed in SEEDS:
        course = run(random_day(seed), site, lambda house: Warp(house, cloud_filter, box_a=32))
        switches += sum(moment.kind in {"up", "down", "idle"} for moment in course.moments)
        starts += len(times(course, "start"))
        for grid, house, pv in zip(course.grid_w, course.day.house_w, course.day.pv_w, strict=True):
            imported += max(0.0, grid) - max(0.0, house - pv)
            exported += max(0.0, -grid)
    days = len(SEEDS)
    return switches / days, starts / days, imported / days / 3.6e6, exported / days / 3.6e6


def test_warp_random_days_are_close_to_those_of_the_original() -> None:
    """The clouds are others than the original saw, hence the bands.

    Original, three days: no filter 65..67 switches, 8..11 starts, 1.2..1.6 kWh from the grid, 5.1 kWh exported;
    medium 23..27, 2..4, 2.9..3.2 and 3.8..4.1; strong 5..9, 1..2, 3.4..3.9 and 2.5..3.0.
    """
    means = {name: random_days(name) for name in WINDOWS}
    bands = {
        "none": ((57, 75), (7, 16), (1.2, 1.8), (4.3, 6.0)),
        "medium": ((19, 29), (2, 5), (2.5, 3.5), (3.5, 5.2)),
        "strong": ((4, 11), (1, 3), (2.7, 4.2), (2.2, 4.6)),
    }
    for name, limits in bands.items():
        for value, (low, high) in zip(means[name], limits, strict=True):
            assert low <= value <= high, (name, means)
    switches = [mean[0] for mean in means.values()]
    assert switches == sorted(switches, reverse=True)
    imported = [mean[2] for mean in means.values()]
    assert imported == sorted(imported)
