"""A car that charges from the sun behind a meter that tells minutes later what was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import pi, sin
from random import Random

import pytest

from custom_components.pv_load_manager.control import ControlState, GridReading, Mode
from custom_components.pv_load_manager.control.slow_source import REACH, drawn_w, is_steady, remember
from custom_components.pv_load_manager.control.state import DrawSample

from .house import VOLTS, House, house

HOUR = 3600.0
BEGIN = 1000.0
BUCKET = 900.0
DAY = 6 * HOUR
"""A short one."""


@dataclass
class CloudHouse(House):
    """A house of which only a cloud knows what it takes from the grid."""

    telling: Callable[[CloudHouse], GridReading | None] = lambda _: None
    told: list[float] = field(default_factory=list)
    """What really came from the grid in every second since the begin, in W."""
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - a test
    asked_at: float = 0.0
    got_wh: float = 0.0

    def step(self) -> None:
        """One second; the meter is what the cloud tells."""
        self.meter_alive = False
        self.grid = self.telling(self) or self.grid
        super().step()
        self.told.append(self.meter().power_w or 0.0)
        self.got_wh += sum(self.chargers_a()) * VOLTS / HOUR


def version_1(home: CloudHouse) -> GridReading | None:
    """Every 4 minutes a value of a moment 3 to 9 minutes ago, which is believed to be 5 minutes ago."""
    if home.now - home.asked_at < 240.0 or home.now < BEGIN + 600.0:
        return None
    home.asked_at = home.now
    age = home.chance.randint(180, 540)
    return GridReading(at=home.now - 300.0, power_w=home.told[-age], cadence_s=300.0, uncertain_s=300.0)


def version_2(home: CloudHouse) -> GridReading | None:
    """Every quarter of an hour the mean of the last one that is over and has arrived, 5 minutes late."""
    if home.now - home.asked_at < BUCKET:
        return None
    end = int((home.now - BEGIN - 300.0) // BUCKET * BUCKET)
    if end < BUCKET:
        return None
    home.asked_at = home.now
    values = home.told[end - int(BUCKET) : end]
    return GridReading(at=BEGIN + end, power_w=sum(values) / len(values), cadence_s=BUCKET, mean_s=BUCKET)


def cloudy(sun: Callable[[float], float], telling: Callable[[CloudHouse], GridReading | None]) -> CloudHouse:
    """Build such a house, without any protection by its meter."""
    plain = house(metered=False, mode=Mode.PV, fuse=63.0)
    home = CloudHouse(config=plain.config, cars=plain.cars, surplus_w=lambda now: sun(now - BEGIN), telling=telling)
    home.state = ControlState(started_at=BEGIN)
    return home


def clear_day(second: float) -> float:
    """Return what a clear day leaves for cars, in W: 8 kW at noon, 400 W of house."""
    return 8000.0 * max(0.0, sin(pi * second / (DAY))) - 400.0


def broken_day(second: float) -> float:
    """Return a day with a cloud of ten minutes in every forty."""
    return clear_day(second) * (0.3 if second % 2400.0 < 600.0 else 1.0)


def usable_wh(sun: Callable[[float], float], *, first: float = 0.0, last: float = DAY) -> float:
    """Return what a car could have had of a day at best, in Wh."""
    powers = [sun(float(second)) for second in range(int(first), int(last))]
    return sum(power for power in powers if power > 1380.0) / HOUR


@pytest.mark.parametrize(("telling", "bought"), [(version_1, 0.08), (version_2, 0.12)])
def test_a_clear_day(telling: Callable[[CloudHouse], GridReading | None], bought: float) -> None:
    """One start, one stop, hardly more than the switches of phases that the sun asks for, little from the grid."""
    home = cloudy(clear_day, telling)
    home.run(DAY + HOUR)
    usable = usable_wh(clear_day)
    assert home.starts() == 1
    assert home.stops() == 1
    assert home.switches() <= 3
    assert home.got_wh > 0.9 * usable
    assert home.imported_wh() < bought * usable
    assert len(home.commands()) < 40


@pytest.mark.parametrize("telling", [version_1, version_2])
def test_a_broken_day(telling: Callable[[CloudHouse], GridReading | None]) -> None:
    """Clouds that are over before anybody hears of them do not make it flap."""
    home = cloudy(lambda second: broken_day(second + HOUR), telling)
    home.run(3 * HOUR)
    assert home.starts() <= 2
    assert home.switches() <= 8
    assert home.got_wh > 0.75 * usable_wh(broken_day, first=HOUR, last=4 * HOUR)


@pytest.mark.parametrize("telling", [version_1, version_2])
def test_steady_sun_is_met_and_stays(telling: Callable[[CloudHouse], GridReading | None]) -> None:
    """A late value beside what the car draws now would make it swing for ever; it settles instead."""
    home = cloudy(lambda _: 5000.0, telling)
    home.run(1.5 * HOUR)
    settled = len(home.commands())
    home.run(1.5 * HOUR)
    assert len(home.commands()) - settled <= 1
    assert abs(home.meter().power_w or 0.0) < 700.0
    assert home.switches() <= 1


@pytest.mark.parametrize(("telling", "within"), [(version_1, 2400), (version_2, 5000)])
def test_a_cloud_that_falls_silent(telling: Callable[[CloudHouse], GridReading | None], within: int) -> None:
    """Nobody charges for long from a sun that nobody measures any more."""
    home = cloudy(lambda _: 8000.0, telling)
    home.run(2 * HOUR)
    assert home.got_wh > 2000.0
    home.telling = lambda _: None
    home.run(within)
    assert home.stops() == 1
    assert sum(home.chargers_a()) == 0.0


def draws(*parts: tuple[float, float], step: float = 1.0) -> tuple[DrawSample, ...]:
    """Return a history of a car from its powers in W and their lengths in s."""
    samples: tuple[DrawSample, ...] = ()
    at = energy = 0.0
    for power, seconds in parts:
        for _ in range(int(seconds / step)):
            nothing = (0.0, 0.0, 0.0)
            samples = remember(samples, DrawSample(at, nothing, power, energy))
            at, energy = at + step, energy + power * step / HOUR
    return samples


def test_a_cloud_that_is_loaded_anew() -> None:
    """For a moment there is no meter at all; what the car drew in the last quarter is known all the same."""
    home = cloudy(lambda _: 5000.0, version_2)
    home.run(1.5 * HOUR)
    home.run(BUCKET - 10.0 - (home.now - home.asked_at))  # the next value will be of a time before
    settled, told = len(home.commands()), home.grid
    home.telling, home.grid = lambda _: None, None
    home.run(5.0)
    home.telling, home.grid = version_2, told
    home.run(HOUR)
    assert len(home.commands()) - settled <= 1
    assert home.starts() == 1


def test_a_mean_is_exact_although_the_past_is_thinned_out() -> None:
    """The energy between two samples says what was drawn between them."""
    known = draws((0.0, 400), (4000.0, 500), (2000.0, 600))
    assert len(known) < 500
    meter = GridReading(at=1000.0, power_w=0.0, mean_s=900.0)
    assert drawn_w(known, meter, 1000.0) == pytest.approx((500 * 4000.0 + 100 * 2000.0) / 900.0, rel=0.01)
    assert is_steady(known, meter)


def test_another_car_counts_from_zero() -> None:
    """A mean over two cars is that of both."""
    first = draws((4000.0, 300))
    known: Sequence[DrawSample] = first
    for second in range(300):
        sample = DrawSample(300.0 + second, (0.0, 0.0, 0.0), 2000.0, 2000.0 * second / HOUR)
        known = remember(known, sample)
    meter = GridReading(at=590.0, power_w=0.0, mean_s=590.0)
    assert drawn_w(known, meter, 590.0) == pytest.approx((300 * 4000.0 + 290 * 2000.0) / 590.0, rel=0.05)


def test_a_time_that_is_not_known() -> None:
    """Beside a car that changed meanwhile the least counts that it drew."""
    known = draws((4000.0, 500), (2000.0, 500))
    meter = GridReading(at=600.0, power_w=0.0, uncertain_s=300.0)
    assert not is_steady(known, meter)
    assert drawn_w(known, meter, 600.0) == 2000.0
    calm = GridReading(at=850.0, power_w=0.0, uncertain_s=100.0)
    assert is_steady(known, calm)
    assert drawn_w(known, calm, 850.0) == 2000.0
    assert is_steady((), meter)
    assert drawn_w((), meter, 600.0) == 0.0
    assert drawn_w((), GridReading(at=600.0, mean_s=900.0), 600.0) == 0.0


def test_the_past_is_forgotten() -> None:
    """After an hour nobody asks any more."""
    known = draws((3000.0, 2 * REACH))
    assert known[-1].at - known[0].at <= REACH + 400.0
    assert len(known) <= 400
