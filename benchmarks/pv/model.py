"""What the surplus benchmark is made of: days, houses, and what a policy is told and asked.

Powers in W: grid import +, export -; battery discharge +, charge -; PV, house and cars >= 0. Energies in Wh.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from benchmarks.plant import NOTHING, BoxModel, BoxView, CarModel, Order, Three


@dataclass(frozen=True, kw_only=True, slots=True)
class BatteryModel:
    """A house battery behind the meter; by itself it keeps the grid power at 0 W."""

    capacity_wh: float = 10_000.0
    power_w: float = 5_000.0
    """Both ways."""
    reaction_s: int = 1
    error_w: float = 20.0
    """Standard deviation of what it misses the 0 W by."""
    efficiency: float = 0.95
    """Both ways alike: of what is charged so much is stored, of what is taken out so much arrives."""
    soc: float = 20.0
    """0..100 % in the morning."""


@dataclass(slots=True)
class PvSeen:
    """What a policy can know."""

    grid_at: float
    """When the last meter value was taken, in monotonic seconds."""
    grid_w: float
    boxes: dict[str, BoxView]
    battery_w: float | None = None
    battery_soc: float | None = None
    """0..100."""
    currents_a: Three = NOTHING
    """Of the same meter value: directional current per grid phase, PV and house spread evenly over the phases."""


class PvPolicy(Protocol):
    """Somebody who lets cars follow the sun."""

    setup: str
    """How it is set up, for the reader of the figures."""

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Return the orders of this second (called every second); who is not named keeps what it was told."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PvSite:
    """One installation; every policy is built with it."""

    boxes: tuple[BoxModel, ...]
    cars: tuple[CarModel, ...]
    """The car at every box, in their order; they are there all day."""
    battery: BatteryModel | None = None
    meter_interval_s: int = 1
    """The meter tells the momentary power every so often."""
    meter_lag_s: int = 0
    """How old a value is when it is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """PV and house of a span of daylight, a value per second."""

    name: str
    kind: str
    """The type of day, ``recorded`` or ``csv``."""
    start_s: int
    """The second of the day of the first value."""
    pv_w: array[float]
    house_w: array[float]

    @property
    def seconds(self) -> int:
        """Return the number of values."""
        return len(self.pv_w)
