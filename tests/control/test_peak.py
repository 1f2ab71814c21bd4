"""The quarter hour's mean: what is counted, what is left of it, and what outlives a restart."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.pv_load_manager.control import ChargerConfig, Configuration, Strategy
from custom_components.pv_load_manager.control.peak import QUARTER, Peak, follow
from custom_components.pv_load_manager.control.reserve import DAYS, RISE_W, SPANS, STEP, House

from .test_properties import checked

BRUSSELS = ZoneInfo("Europe/Brussels")
NOON = datetime(2026, 1, 15, 12, 0, tzinfo=BRUSSELS)
LEAST_W, MOST_W = 1380.0, 11_040.0


def config(limit_w: float = 4000.0, **options: object) -> Configuration:
    """Return one charger of 16 A under a limit."""
    strategy = replace(Strategy(peak_limit_w=limit_w), **options)  # type: ignore[arg-type]
    return Configuration(has_power_meter=True, chargers=(ChargerConfig(charger_id="a"),), strategy=strategy)


@dataclass
class Walk:
    """A house under a meter of 2 s, and a car that follows what it may after some seconds."""

    config: Configuration = field(default_factory=config)
    peak: Peak = field(default_factory=Peak)
    house_w: Callable[[float], float] = lambda _: 300.0
    """By seconds since the beginning."""
    moment: datetime = NOON
    now: float = 1000.0
    car: bool = True
    delay_s: int = 4
    silent: bool = False
    imported_j: float = 0.0
    """What a true meter counted since it was set to 0."""
    house_j: float = 0.0
    car_w: float = 0.0
    caps: list[float | None] = field(default_factory=list)
    _grid: tuple[float, float] | None = None
    _cars: float = 0.0
    _begin: float = 1000.0

    def run(self, seconds: int) -> Walk:
        """Let time pass."""
        for _ in range(seconds):
            self.now += 1.0
            self.moment = (self.moment.astimezone(UTC) + timedelta(seconds=1)).astimezone(BRUSSELS)
            house = self.house_w(self.now - self._begin)
            grid = house + self.car_w
            self.imported_j += max(0.0, grid)
            self.house_j += max(0.0, house)
            if not self.silent and int(self.now) % 2 == 0:
                self._grid, self._cars = (grid, self.now), self.car_w
            self.tell()
        return self

    def tell(self) -> None:
        """Take one step, and let the car follow an earlier one."""
        grid_w, grid_at = self._grid or (None, None)
        self.peak = follow(
            self.config,
            self.peak,
            grid_w=grid_w,
            grid_at=grid_at,
            cars_w=self._cars,
            now=self.now,
            moment=self.moment,
        )
        self.caps.append(self.peak.cap_w)
        cap = self.caps[max(0, len(self.caps) - 1 - self.delay_s)]
        wanted = MOST_W if cap is None else min(cap, MOST_W)
        self.car_w = wanted if self.car and wanted >= LEAST_W else 0.0


def known(watts: Callable[[float], float], seconds: int) -> House:
    """Return what is known of a house that did just this for two weeks."""
    house = House()
    for number in range(seconds):
        house = house.after(1.0, watts(float(number)), 1)
    seen = house.days[-1]
    return House(days=tuple(seen._replace(number=number) for number in range(DAYS)))


def test_without_a_limit_there_is_no_cap_and_the_quarter_is_counted_all_the_same() -> None:
    """A month's highest quarter is known when somebody sets a limit."""
    walk = Walk(config=config(0.0), car=False).run(950)
    assert walk.peak.cap_w is None
    assert walk.peak.limit_w == 0.0
    assert walk.peak.month_peak_w == pytest.approx(300.0, rel=0.01)
    assert walk.peak.mean_w == pytest.approx(300.0)


@pytest.mark.parametrize("limit_w", [2500.0, 4000.0, 6000.0, 8000.0])
def test_a_quiet_house_leaves_nearly_all_to_the_car(limit_w: float) -> None:
    """The second quarter ends at the limit, never above it, and within 3 % of what the limit left for the car."""
    walk = Walk(config=config(limit_w)).run(899)
    walk.imported_j = 0.0
    walk.run(900)
    mean = walk.imported_j / QUARTER
    assert mean <= limit_w
    assert mean - 300.0 >= 0.97 * (limit_w - 300.0)


def test_an_unknown_house_gets_a_reserve_that_is_released_until_the_end() -> None:
    """At a low limit the car waits, because an oven may be switched on; then it catches up."""
    walk = Walk(config=config(2500.0), car=False).run(900)
    early = walk.caps[-1]
    walk.run(899)
    assert early == 0.0
    assert max(cap or 0.0 for cap in walk.caps[900:]) > 2500.0


def test_a_house_that_takes_all_leaves_nothing() -> None:
    """Above the limit by itself: the car stands still from then on."""
    walk = Walk(house_w=lambda at: 300.0 if at < 1000.0 else 6000.0).run(1100)
    assert walk.peak.cap_w == 0.0
    assert walk.car_w == 0.0


def test_what_the_house_exports_is_for_the_cars() -> None:
    """With 3 kW of sun beyond the house the cap is that and an even share of the limit."""
    walk = Walk(house_w=lambda _: -3000.0).run(1000)
    assert walk.peak.cap_w is not None
    assert walk.peak.cap_w > 3000.0 + 3500.0
    walk.imported_j = 0.0
    walk.run(800)
    assert walk.imported_j <= 4000.0 * QUARTER


def test_time_that_nobody_measured_counts_as_the_limit() -> None:
    """Begun ten minutes into a quarter, only an even share of the last five is left."""
    walk = Walk(moment=NOON + timedelta(seconds=600)).run(10)
    assert walk.peak.counted_j == pytest.approx(600.0 * 4000.0, rel=0.02)
    assert walk.peak.cap_w is not None
    assert walk.peak.cap_w < 4000.0


def test_a_silent_meter_freezes_the_cap_and_then_stops_the_cars() -> None:
    """From 30 s on it does not rise, from 120 s on nobody charges; when the meter is back it goes on."""
    walk = Walk().run(200)
    walk.silent = True
    walk.run(30)
    frozen = walk.peak.cap_w
    assert frozen
    walk.run(88)
    assert all(cap is not None and cap <= frozen for cap in walk.caps[-88:])
    walk.run(10)
    assert walk.peak.cap_w == 0.0
    walk.silent = False
    walk.run(300)
    assert walk.peak.cap_w > 0.0


def test_without_any_value_nobody_charges() -> None:
    """No meter, no knowledge."""
    walk = Walk(silent=True).run(5)
    assert walk.peak.cap_w == 0.0


def test_after_a_long_restart_the_meter_has_half_a_minute_before_the_cars_stop() -> None:
    """The cap of before holds for 30 s, however long Home Assistant was away; then nobody knows enough to charge."""
    walk = Walk()
    walk.run(600)
    before = walk.peak.cap_w
    assert before
    saved = json.loads(json.dumps(walk.peak.as_dict(walk.now)))
    back = Walk(peak=Peak.from_dict(saved, 5000.0, away=1200.0), now=5000.0, silent=True, moment=walk.moment)
    back.run(25)
    assert back.peak.cap_w == before
    back.run(10)
    assert back.peak.cap_w == 0.0


def test_the_limit_follows_the_month_and_forgets_it_with_the_next() -> None:
    """A quarter of 5 kW lifts a limit of 4 kW until the month is over."""
    begin = datetime(2026, 1, 31, 23, 15, tzinfo=BRUSSELS)
    walk = Walk(
        config=config(4000.0, peak_follow_month=True),
        moment=begin,
        car=False,
        house_w=lambda at: 5000.0 if at < 900.0 else 300.0,
    ).run(1000)
    assert walk.peak.month_peak_w == pytest.approx(5000.0, rel=0.01)
    assert walk.peak.limit_w == walk.peak.month_peak_w
    plain = follow(config(), walk.peak, grid_w=None, grid_at=None, cars_w=0.0, now=walk.now, moment=walk.moment)
    assert plain.limit_w == 4000.0
    walk.run(1800)
    assert walk.peak.month == "2026-02"
    assert walk.peak.month_peak_w == 0.0
    assert walk.peak.limit_w == 4000.0


@pytest.mark.parametrize("day", [datetime(2026, 3, 29, 1, 50, tzinfo=UTC), datetime(2026, 10, 25, 0, 50, tzinfo=UTC)])
def test_summer_time_changes_no_quarter(day: datetime) -> None:
    """The clock jumps an hour; a quarter hour stays one."""
    walk = Walk(moment=(day - timedelta(hours=1)).astimezone(BRUSSELS), car=False).run(1800)
    assert walk.peak.into_s == pytest.approx((50 * 60 + 1800) % 900)
    assert walk.peak.covered_s == pytest.approx(walk.peak.into_s, abs=3.0)
    assert walk.peak.month_peak_w == pytest.approx(300.0, rel=0.01)


@given(st.lists(st.sampled_from([-4000, -900, -60, -1, 0, 7, 60, 899, 900, 5000]), max_size=6))
@checked(20)
def test_a_clock_that_jumps_breaks_nothing(jumps: list[int]) -> None:
    """Never a negative energy, never more time measured than a quarter has."""
    walk = Walk()
    for jump in jumps:
        walk.moment += timedelta(seconds=jump)
        walk.run(100)
        peak = walk.peak
        assert peak.imported_j >= 0.0
        assert 0.0 <= peak.into_s < QUARTER
        assert 0.0 <= peak.covered_s <= QUARTER
        assert peak.cap_w is not None
        assert 0.0 <= peak.cap_w <= 1.1 * MOST_W


def test_a_restart_keeps_the_quarter_and_the_house() -> None:
    """Through JSON, 20 s away: the energy is kept, the time away counts as the limit, nobody is stopped."""
    walk = Walk().run(1000)
    saved = json.loads(json.dumps(walk.peak.as_dict(walk.now)))
    again = Peak.from_dict(saved, 5.0, away=20.0)
    assert again.house.days == tuple(day._replace(rises=tuple(map(round, day.rises))) for day in walk.peak.house.days)
    assert again.cap_w == walk.peak.cap_w
    moment = walk.moment + timedelta(seconds=20)
    first = follow(walk.config, again, grid_w=None, grid_at=None, cars_w=0.0, now=6.0, moment=moment)
    assert first.cap_w == walk.peak.cap_w
    assert first.counted_j == pytest.approx(walk.peak.imported_j + 20.0 * 4000.0, rel=0.05)
    then = follow(walk.config, first, grid_w=walk.car_w + 300.0, grid_at=7.0, cars_w=walk.car_w, now=7.0, moment=moment)
    assert then.cap_w is not None
    assert then.cap_w >= LEAST_W


@pytest.mark.parametrize(
    "data", [None, [], {}, {"quarter": "x"}, {"quarter": 5, "imported_j": -1}, {"house": {"days": [[1, 2, 3]]}}]
)
def test_what_cannot_be_read_was_never_seen(data: object) -> None:
    """Nonsense in the file is a fresh start."""
    assert Peak.from_dict(data, 5.0) == Peak()


def test_two_weeks_later_a_day_is_forgotten() -> None:
    """The last fourteen days count."""
    house = House()
    for number in range(20):
        house = house.after(100.0, 300.0, number).after(STEP, 5000.0 if number == 0 else 300.0, number)
    assert len(house.days) == DAYS
    assert max(day.rises[0] for day in house.days) == pytest.approx(0.0, abs=1.0)


def test_a_known_house_may_take_what_it_was_seen_to_take() -> None:
    """A water heater of 6 kW for two minutes, from 300 W; for longer times an oven of 15 A is the more."""
    house = known(lambda at: 6300.0 if 3600.0 <= at < 3720.0 else 300.0, 7200)
    for _ in range(60):
        house = house.after(1.0, 300.0, DAYS)
    reserve = house.reserve
    assert reserve.joules(120.0) == pytest.approx(6300.0 * 120.0)
    assert reserve.joules(180.0) == pytest.approx(300.0 * 180.0 + 6000.0 * 120.0)
    assert reserve.joules(600.0) == pytest.approx((300.0 + RISE_W) * 600.0)
    assert reserve.joules(0.0) == 0.0
    spans = [reserve.joules(span * STEP) for span in SPANS]
    assert spans == sorted(spans)


@dataclass
class Trace:
    """A house of levels; a multiple of 10 s each."""

    levels: list[tuple[int, float]]

    def __call__(self, at: float) -> float:
        """Return the power at a second; after the last level it begins anew."""
        at %= sum(steps for steps, _ in self.levels) * STEP
        for steps, watts in self.levels:
            if at < steps * STEP:
                return watts
            at -= steps * STEP
        return 0.0

    @property
    def seconds(self) -> int:
        """Return how long it is."""
        return int(sum(steps for steps, _ in self.levels) * STEP)


traces = st.lists(
    st.tuples(st.integers(1, 90), st.sampled_from([100.0, 300.0, 800.0, 1500.0, 2300.0, 4000.0, 6500.0])),
    min_size=2,
    max_size=10,
).map(Trace)


@given(traces, st.sampled_from([2500.0, 4000.0, 6000.0, 8000.0]), st.integers(0, 899))
@checked(40)
def test_a_house_that_does_what_it_was_seen_to_do_is_never_pushed_above(
    trace: Trace, limit_w: float, offset: int
) -> None:
    """In no quarter that it would not have exceeded alone, beyond what a meter of 2 s cannot know of a jump."""
    house = known(trace, 2 * trace.seconds + 1800)
    walk = Walk(
        config=config(limit_w),
        peak=Peak(house=house),
        house_w=trace,
        moment=NOON + timedelta(seconds=offset),
    )
    walk.run(900 - offset)
    for _ in range(min(8, 1 + trace.seconds // 900)):
        walk.imported_j = walk.house_j = 0.0
        walk.run(900)
        if walk.house_j <= limit_w * QUARTER:
            assert walk.imported_j <= limit_w * QUARTER * 1.01
