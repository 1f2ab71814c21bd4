"""A meter that counts the wrong way round is found, and a right one is never accused."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import override

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control import (
    BatteryReading,
    CarState,
    ChargerConfig,
    ChargerReading,
    ConfigError,
    Configuration,
    ControlState,
    GridReading,
    Mode,
    PvReading,
    Snapshot,
)
from custom_components.pv_load_manager.control.meter_sign import NOTHING_SEEN, MeterSign

from .house import House, house

HOUR = 3600
CADENCES = (1, 2, 10, 60)


class Turned(House):
    """A house whose meter is mounted the wrong way round."""

    @override
    def meter(self) -> GridReading:
        """What the meter says."""
        right = super().meter()
        one, two, three = (-(amps or 0.0) for amps in right.currents_a)
        return replace(right, power_w=-(right.power_w or 0.0), currents_a=(one, two, three))


def turned(home: House) -> House:
    """Return the same house with its meter the wrong way round."""
    return Turned(config=home.config, cars=home.cars, surplus_w=home.surplus_w, meter_every=home.meter_every)


@dataclass
class Street:
    """A meter, cars and everything else, second by second; nobody controls anything."""

    cars_w: Callable[[int], float] = lambda _second: 0.0
    """What the cars shall draw by time."""
    house_w: Callable[[int], float] = lambda _second: 300.0
    pv_w: Callable[[int], float] = lambda _second: 0.0
    pv_every: int = 0
    """s between two readings of the production; 0 = nobody knows it."""
    battery_most_w: float = 0.0
    """So much a battery does to keep the grid at 0; 0 = there is none."""
    battery_every: int = 0
    """s between two of its readings; 0 = nobody knows it."""
    every: int = 2
    lag: int = 0
    """s by which the meter is late."""
    late: int = 0
    """s by which the charger is late."""
    mean: bool = False
    """Whether the meter tells the mean since its last value."""
    wrong: bool = False
    ramp_w: float = 2760.0
    """What the cars change in a second."""
    sign: MeterSign = NOTHING_SEEN
    raised_at: float = inf
    drawn_w: float = 0.0
    battery_w: float = 0.0
    second: int = 0
    _grid: GridReading | None = None
    _pv: PvReading | None = None
    _battery: BatteryReading | None = None
    _flows: deque[float] = field(default_factory=lambda: deque(maxlen=200))
    _drawn: deque[float] = field(default_factory=lambda: deque(maxlen=20))

    def run(self, seconds: int) -> MeterSign:
        """Let time pass."""
        config = Configuration(
            has_power_meter=True,
            has_battery=self.battery_most_w > 0.0 and self.battery_every > 0,
            chargers=(ChargerConfig(charger_id="a"),),
        )
        for _ in range(seconds):
            self.second += 1
            now = float(self.second)
            wanted = self.cars_w(self.second)
            self.drawn_w += max(-self.ramp_w, min(self.ramp_w, wanted - self.drawn_w))
            produced = self.pv_w(self.second)
            flow = self.house_w(self.second) + self.drawn_w - produced
            if self.battery_most_w:
                # It follows within seconds, and is late by one.
                most = self.battery_most_w
                gap = (self._flows[-1] if self._flows else 0.0) * 0.7
                self.battery_w = max(-most, min(most, self.battery_w + gap))
                flow -= self.battery_w
            self._flows.append(flow)
            self._drawn.append(self.drawn_w)
            self._read(now, produced)
            car = ChargerReading(
                at=now, car=CarState.CHARGING, power_w=self._drawn[max(-1 - self.late, -len(self._drawn))]
            )
            snapshot = Snapshot(grid=self._grid, pv=self._pv, battery=self._battery, chargers={"a": car})
            self.sign = self.sign.after(config, snapshot, self._battery, now)
            if self.sign.inverted:
                self.raised_at = min(self.raised_at, now)
        return self.sign

    def _read(self, now: float, produced: float) -> None:
        if self.second % self.every == 0:
            values = list(self._flows)
            last = max(1, len(values) - self.lag)
            seen = values[max(0, last - self.every) : last] if self.mean else values[last - 1 : last]
            power = sum(seen) / len(seen) * (-1.0 if self.wrong else 1.0)
            self._grid = GridReading(at=now, power_w=power, cadence_s=float(self.every))
        if self.pv_every and self.second % self.pv_every == 0:
            self._pv = PvReading(at=now, power_w=produced)
        if self.battery_every and self.second % self.battery_every == 0:
            self._battery = BatteryReading(at=now, power_w=self.battery_w)


def blocks(random: Random, seconds: int, shortest: int, longest: int, value: Callable[[], float]) -> list[float]:
    """Return a value per second that changes at random times."""
    result: list[float] = []
    while len(result) <= seconds:
        result += [value()] * random.randint(shortest, longest)
    return result


def lively_street(seed: int, seconds: int, **more: object) -> Street:
    """Return a street with cars that come and go, with kettles, ovens and clouds, which all know nothing of each other.

    A noise of the house, loads of up to 3 kW, and sun that changes by up to 8 kW within seconds.
    """
    random = Random(seed)  # noqa: S311 (no secret)
    cars = blocks(random, seconds, 60, 900, lambda: random.choice([0.0, 0.0, 1380.0, 2300.0, 4140.0, 7360.0, 11040.0]))
    loads = blocks(random, seconds, 20, 600, lambda: random.choice([0.0, 0.0, 0.0, 800.0, 2000.0, 3000.0]))
    clouds = blocks(random, seconds, 10, 900, lambda: random.uniform(0.0, 8000.0))
    base = [300.0 + random.gauss(0.0, 30.0) for _ in range(seconds + 1)]
    return Street(
        cars_w=lambda second: cars[second],
        house_w=lambda second: base[second] + loads[second],
        pv_w=lambda second: clouds[second],
        **more,  # type: ignore[arg-type]
    )


def changes(*watts: float, every: int = 240) -> Callable[[int], float]:
    """Return what cars draw that change every few minutes, and again from the beginning."""
    return lambda second: watts[second // every % len(watts)]


@pytest.mark.parametrize("every", CADENCES)
@pytest.mark.parametrize("mean", [False, True])
def test_wrong_meter_is_found_within_three_changes(every: int, mean: bool) -> None:
    """In a quiet house three changes of a car are enough, whatever the pace of the meter."""
    pause = max(60, 5 * every + every // 2)  # a mean is never that of one state of the car
    street = Street(cars_w=changes(0.0, 4140.0, every=pause), every=every, mean=mean, wrong=True)
    street.run(pause)
    assert not street.sign.votes
    street.run(3 * pause)
    assert street.sign.inverted
    assert street.sign.votes == (False, False, False)
    assert street.raised_at > 3 * pause


@pytest.mark.parametrize("every", CADENCES)
def test_right_meter_is_found_right(every: int) -> None:
    """The same changes with a right meter speak for it."""
    pause = max(60, 5 * every)
    street = Street(cars_w=changes(0.0, 4140.0, every=pause), every=every)
    street.run(4 * pause)
    assert street.sign.votes == (True, True, True)
    assert not street.sign.inverted


def test_mended_meter_is_no_longer_accused() -> None:
    """The first change that speaks for the sign ends the suspicion."""
    street = Street(cars_w=changes(0.0, 4140.0, every=60), wrong=True)
    assert street.run(300).inverted
    street.wrong = False
    street.run(70)
    assert not street.sign.inverted
    assert street.run(300).votes == (True, True, True)


def test_small_changes_say_nothing() -> None:
    """Below 1 kW it could be anything."""
    street = Street(cars_w=changes(4140.0, 4830.0, 4140.0, every=60), wrong=True)
    street.run(60)
    before = street.sign.votes
    assert street.run(HOUR).votes == before


@pytest.mark.parametrize("wrong", [False, True])
def test_battery_that_hides_the_car_says_nothing(wrong: bool) -> None:
    """Behind a battery that keeps the grid at 0 no sign can be seen, known or not, until the car is more than it."""
    for every in (0, 10):
        street = Street(
            cars_w=changes(0.0, 4140.0, every=120), battery_most_w=5000.0, battery_every=every, wrong=wrong, every=1
        )
        street.run(600)
        assert street.sign.votes == ()
        street.cars_w = changes(0.0, 11040.0, every=120)
        street.run(1200)
        # What an unknown battery gives is missing from the change, so that it speaks for nobody.
        assert street.sign.inverted is (wrong and every > 0)


def test_kettle_at_the_same_second() -> None:
    """A load that goes as the car comes, twice as large, looks like a wrong sign once; the next one corrects that."""
    street = Street(cars_w=changes(0.0, 1380.0, every=60), house_w=lambda now: 3060.0 if now < 60 else 300.0)
    street.run(100)
    assert street.sign.votes == (False,)
    assert not street.run(300).inverted


def test_car_that_follows_the_sun_is_not_the_cause() -> None:
    """Sun for twice the car comes first, then the car: the meter went beyond where it ends, so that says nothing."""
    sun = changes(0.0, 2760.0, every=120)
    street = Street(cars_w=lambda now: 1380.0 if sun(now - 3) else 0.0, pv_w=sun)
    street.run(HOUR)
    assert False not in street.sign.votes
    slow = Street(cars_w=lambda now: 1380.0 if sun(max(0, now - now % 10 - 1)) else 0.0, pv_w=sun, every=10)
    slow.run(HOUR)
    assert not slow.sign.inverted


def test_charger_that_is_not_heard_is_a_load_like_any_other() -> None:
    """What nobody says cannot be compared."""
    street = Street(cars_w=changes(0.0, 4140.0, every=60), wrong=True)
    config = Configuration(chargers=(ChargerConfig(charger_id="a"),))
    sign = NOTHING_SEEN
    for second in range(600):
        power = 4140.0 if second // 60 % 2 else 0.0
        grid = GridReading(at=float(second), power_w=-power)
        silent = ChargerReading(at=0.0, online=False, power_w=power)
        sign = sign.after(config, Snapshot(grid=grid, chargers={"a": silent}), None, float(second))
    assert sign.votes == ()
    assert street.run(600).inverted


@pytest.mark.parametrize("wrong", [False, True])
def test_power_from_the_currents(wrong: bool) -> None:
    """A charger that tells no power tells it by its currents, and one without voltages by the nominal one."""
    sign, config = NOTHING_SEEN, Configuration(chargers=(ChargerConfig(charger_id="a"),))
    for second in range(300):
        amps = 10.0 if second // 60 % 2 else 0.0
        car = ChargerReading(at=float(second), currents_a=(amps, amps, None), voltages_v=(240.0, None, None))
        grid = GridReading(at=float(second), power_w=amps * 470.0 * (-1.0 if wrong else 1.0))
        sign = sign.after(config, Snapshot(grid=grid, chargers={"a": car}), None, float(second))
    assert sign.votes == (not wrong,) * 3


def test_no_house_feeds_in_at_night() -> None:
    """In the dark, without any car, minutes raise the suspicion, and none while it is day; the last word has a car."""
    street = Street(house_w=lambda _: 1500.0, pv_every=10, wrong=True)
    assert street.run(120).votes == (False,)
    assert street.run(2 * HOUR).votes == (False, False)  # a generator that nobody told of would look the same
    street.cars_w = changes(0.0, 4140.0, every=120)
    assert street.run(300).inverted
    day = Street(house_w=lambda _: 1500.0, pv_w=lambda _: 3000.0, pv_every=10, wrong=True)
    assert day.run(2 * HOUR).votes == ()
    unknown = Street(house_w=lambda _: 1500.0, wrong=True)
    assert unknown.run(2 * HOUR).votes == ()


def test_import_at_night_speaks_for_the_sign() -> None:
    """A house that takes something in the dark would feed in with the other sign."""
    street = Street(house_w=lambda _: 1500.0, pv_every=10)
    assert street.run(1500).votes == (True, True, True)


def test_roof_that_nobody_knows_shines_by_day_only() -> None:
    """While the sun is up somebody else's roof may feed in what the known one cannot; that says nothing."""
    street = Street(house_w=lambda _: -8000.0, pv_w=lambda _: 1000.0, pv_every=10)
    assert street.run(HOUR).votes == ()


def test_battery_whose_sign_is_wrong_is_no_wrong_meter() -> None:
    """In the dark, with nothing from the grid, a battery that is said to charge fits neither sign of the meter."""
    config, sign = Configuration(has_battery=True), NOTHING_SEEN
    for second in range(HOUR):
        now = float(second)
        snapshot = Snapshot(grid=GridReading(at=now, power_w=0.0), pv=PvReading(at=now, power_w=0.0))
        sign = sign.after(config, snapshot, BatteryReading(at=now, power_w=-2000.0), now)
    assert sign.votes == ()


def test_battery_that_is_not_heard_hides_what_the_car_does() -> None:
    """Where there is a battery and nobody knows what it does, nothing is concluded."""
    config, sign = Configuration(has_battery=True, chargers=(ChargerConfig(charger_id="a"),)), NOTHING_SEEN
    for second in range(600):
        now, power = float(second), 4140.0 if second // 60 % 2 else 0.0
        snapshot = Snapshot(
            grid=GridReading(at=now, power_w=-power), chargers={"a": ChargerReading(at=now, power_w=power)}
        )
        sign = sign.after(config, snapshot, None, now)
    assert sign.votes == ()


def test_noise_of_the_house_says_nothing() -> None:
    """A house that strays by a good part of the change is not quiet enough."""
    street = Street(
        cars_w=changes(0.0, 4140.0, every=60), house_w=lambda now: 1500.0 if now // 2 % 2 else 300.0, wrong=True
    )
    assert street.run(600).votes == ()


def test_rest_that_is_long_ago_says_nothing() -> None:
    """Between the two rests anything may have happened to the house."""

    def restless(now: int) -> float:
        return 0.0 if now < 60 else 1500.0 if now > 400 else 1000.0 if now // 4 % 2 else 1400.0

    street = Street(cars_w=restless, every=1, wrong=True)
    assert street.run(600).votes == ()


def test_charger_that_tells_late() -> None:
    """The meter saw the change before the charger told it."""
    street = Street(cars_w=changes(0.0, 4140.0, every=60), every=1, late=3)
    assert street.run(240).votes == (True, True, True)


def test_battery_that_gives_at_night_is_no_wonder() -> None:
    """What the battery feeds in is known."""
    street = Street(house_w=lambda _: 300.0, pv_every=10)
    config = Configuration(has_battery=True)
    sign = NOTHING_SEEN
    for second in range(HOUR):
        now = float(second)
        battery = BatteryReading(at=now, power_w=5000.0)
        snapshot = Snapshot(grid=GridReading(at=now, power_w=-4700.0), pv=PvReading(at=now, power_w=0.0))
        sign = sign.after(config, snapshot, battery, now)
    assert False not in sign.votes
    assert sign.after(config, Snapshot(grid=GridReading(at=HOUR, power_w=0.0)), None, HOUR).votes == sign.votes
    assert not street.run(60).votes


def test_generator_that_nobody_knows_does_not_beat_a_car() -> None:
    """A car showed that the sign is right; a generator in the cellar at night does not change that."""
    street = Street(cars_w=changes(0.0, 4140.0, every=120), pv_every=10)
    street.run(300)
    assert street.sign.proven
    street.cars_w, street.house_w = (lambda _: 0.0), (lambda _: -2000.0)
    assert not street.run(HOUR).inverted


def test_production_that_is_old_says_nothing() -> None:
    """Of an inverter that fell silent nobody knows what it does."""
    street = Street(house_w=lambda _: 1500.0, pv_every=10_000, wrong=True)
    street._pv = PvReading(at=0.0, power_w=0.0)
    street.run(40)
    assert street.run(HOUR).votes == ()


@given(
    seed=st.integers(0, 10_000),
    every=st.sampled_from(CADENCES),
    lag=st.integers(0, 5),
    late=st.integers(0, 3),
    mean=st.booleans(),
    pv_every=st.sampled_from((0, 2, 10)),
)
@settings(max_examples=60, deadline=None)
def test_right_meter_in_a_lively_house(seed: int, every: int, lag: int, late: int, mean: bool, pv_every: int) -> None:
    """Whatever else switches meanwhile, however late the meter: nobody accuses it within three hours."""
    street = lively_street(seed, 3 * HOUR, every=every, lag=min(lag, every), late=late, mean=mean, pv_every=pv_every)
    street.run(3 * HOUR)
    assert street.raised_at == inf


@given(
    seed=st.integers(0, 10_000),
    every=st.sampled_from((2, 10)),
    lag=st.integers(0, 4),
    pv_every=st.sampled_from((0, 10)),
)
@settings(max_examples=30, deadline=None)
def test_wrong_meter_in_a_lively_house(seed: int, every: int, lag: int, pv_every: int) -> None:
    """A meter that is wrong is found within an afternoon even there."""
    street = lively_street(seed, 6 * HOUR, every=every, lag=lag, pv_every=pv_every, wrong=True)
    street.run(6 * HOUR)
    assert street.raised_at < 6 * HOUR


def cloudy(seed: int) -> Callable[[float], float]:
    """Return a surplus of up to 9 kW with clouds, and a kettle now and then."""
    random = Random(seed)  # noqa: S311 (no secret)
    clouds = blocks(random, 3 * HOUR, 5, 400, lambda: random.uniform(-500.0, 9000.0))
    return lambda now: clouds[int(now) - 1000]


@pytest.mark.parametrize("every", [2.0, 10.0, 60.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_cars_that_follow_the_clouds(every: float, seed: int) -> None:
    """Where the cars go after the sun, all day long, the right meter is never accused."""
    home = house("a", "b", mode=Mode.PV, fuse=63.0, metered=every < 30.0, surplus_w=cloudy(seed), meter_every=every)
    seen = []
    home.run(2 * HOUR, lambda: seen.append(home.state.sign.inverted))
    assert not any(seen)
    assert ConfigError.METER_SIGN not in home.plan.errors


@pytest.mark.parametrize("every", [2.0, 10.0])
def test_wrong_meter_in_control(every: float) -> None:
    """The flag comes within a few changes of a car, and a restart forgets it."""
    home = turned(house(mode=Mode.OFF, surplus_w=lambda _: -400.0, meter_every=every))
    for number in range(4):
        home.set(mode=Mode.FAST if number % 2 == 0 else Mode.OFF)
        home.run(90)
    assert ConfigError.METER_SIGN in home.plan.errors
    home.restart()
    home.run(60)
    assert home.state.sign.votes == ()
    assert ConfigError.METER_SIGN not in home.plan.errors


def test_state_begins_without_an_opinion() -> None:
    """Nothing is believed of a meter before anything was seen."""
    assert ControlState(started_at=0.0).sign == NOTHING_SEEN
    assert not NOTHING_SEEN.inverted
