"""How often a figure that changes all the time is shown: the recorder keeps a row of everything that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final, TypeIs

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import PERCENTAGE
from homeassistant.helpers.entity import EntityDescription


@dataclass(frozen=True, kw_only=True)
class Pace:
    """When a new value of a figure is shown.

    Attributes:
        step: So much, in the unit of the figure, is a large change.
        share: The same as a part of what was shown last, 0..1; the larger of both counts.
        soonest: For how long after a publication a large change waits, in shortest times between two publications.
        longest: The same for what changed less, and for attributes.
    """

    step: float = 0.0
    share: float = 0.0
    soonest: int = 1
    longest: int = 1

    def wait(self, before: object, present: object) -> int:
        """Return how long after ``before`` was shown ``present`` may be, in shortest times; 0 = at once."""
        if before == present:
            return self.longest
        if not _is_figure(before) or not _is_figure(present):
            return 0
        if self.step == inf and present < before:
            return 0  # it begins anew
        large = abs(present - before) >= max(self.step, self.share * abs(before))
        return self.soonest if large else self.longest


STEADY: Final = Pace()
"""For what seldom changes: as soon as it may be shown."""
SENTENCE: Final = Pace(longest=12)
"""For the numbers of a sentence that stays the same."""
ALLOCATION: Final = Pace(step=2.0, longest=6)
"""For what a charger is told: passing clouds make it change by an ampere again and again."""
SESSION: Final = Pace(step=inf, longest=24)
"""For the energies of a session, which somebody may watch."""
TOTAL: Final = Pace(step=inf, longest=60)
"""For what counts for a day or longer: statistics look at it every five minutes."""
SHARE: Final = Pace(step=5.0, longest=24)
"""For parts of something in %."""

PACES: Final[Mapping[str | None, Pace]] = {
    SensorDeviceClass.POWER: Pace(step=100.0, share=0.2, soonest=2, longest=12),
    SensorDeviceClass.CURRENT: Pace(step=1.0, share=0.1, soonest=2, longest=24),
    SensorDeviceClass.VOLTAGE: Pace(step=5.0, longest=24),
    SensorDeviceClass.ENERGY: TOTAL,
    SensorDeviceClass.DURATION: TOTAL,
    SensorDeviceClass.BATTERY: Pace(step=1.0, longest=12),
    SensorDeviceClass.TEMPERATURE: Pace(step=5.0, longest=60),
    SensorDeviceClass.SIGNAL_STRENGTH: Pace(step=10.0, longest=60),
}


def pace_of(description: EntityDescription) -> Pace:
    """Return the pace that the description of a sensor chooses, else that of its kind of figure."""
    chosen: Pace | None = getattr(description, "pace", None)
    if chosen is not None:
        return chosen
    unit: str | None = getattr(description, "native_unit_of_measurement", None)
    if description.device_class is None and unit == PERCENTAGE:
        return SHARE
    return PACES.get(description.device_class, STEADY)


def _is_figure(value: object) -> TypeIs[float | int]:
    return isinstance(value, float | int) and not isinstance(value, bool)
