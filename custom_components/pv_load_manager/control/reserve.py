"""What a house may still take: learned from what it was seen to take, and nothing of the chargers in it.

Of every length of time up to a quarter hour is remembered the most energy that the house ever imported in one beyond
what it had drawn in the minute before. So much may come at any time on top of what it draws now. Days are forgotten
after two weeks.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, NamedTuple, Self

STEP = 10.0  # s
SPANS = (1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 39, 48, 57, 66, 78, 90)
"""Lengths of time that are remembered, in steps."""
MINUTE = 6  # steps
KEPT = SPANS[-1] + MINUTE
SLOW = 12
"""Steps of which the mean is what the house draws now."""
DAYS = 14
RISE_W, RISE_S, LASTING_W = 3450.0, 600.0, 1500.0
"""However well a house is known, this may be switched on at any time: so much for so long, as when an oven heats up
(15 A of one phase), and that much from then on."""
SUNNY_W = 500.0
SHINING = 0.5
"""So much of what the sun gives beyond the house is believed to stay under the next cloud."""
LARGEST_J, LARGEST_W = 1e9, 1e6
FIRST = 1.0  # s for which the first power after a silence is taken to have lasted already
NOTHING = (0.0,) * len(SPANS)


class Day(NamedTuple):
    """The most that was seen on one day, by length of time, in J."""

    number: int
    """As ``date.toordinal``."""
    rises: tuple[float, ...]
    """Of what was imported beyond the level of the minute before."""
    sunny: tuple[float, ...]
    """Of what was imported after a minute in which the house exported."""


class Reserve(NamedTuple):
    """What a house may import from the end of the last step on."""

    level_w: float = 0.0
    """What it imports now."""
    spared_w: float = 0.0
    """What the sun gives beyond the house and is believed to stay."""
    rises: tuple[float, ...] = NOTHING
    """Like those of a day, of all days."""
    sunny: tuple[float, ...] = NOTHING

    def joules(self, seconds: float) -> float:
        """Return the most that it may import within so many seconds, in J."""
        level = self.level_w * seconds
        rise = max(self._within(self.rises, seconds), _unseen(seconds))
        if self.spared_w > 0.0:
            rise = max(self._within(self.sunny, seconds), rise - self.spared_w * seconds)
        return level + rise

    def _within(self, seen: tuple[float, ...], seconds: float) -> float:
        """Return the most of a time between two lengths."""
        steps = min(max(seconds / STEP, 0.0), float(SPANS[-1]))
        index = bisect_left(SPANS, steps)
        begin, before = (SPANS[index - 1], seen[index - 1]) if index else (0, 0.0)
        return before + (max(before, seen[index]) - before) * (steps - begin) / (SPANS[index] - begin)


UNKNOWN = Reserve()


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """What is known of the import of everything but our chargers."""

    filled_s: float = 0.0
    """How much of the present step is over."""
    net_j: float = 0.0
    """What was imported in it; negative = exported."""
    nets_w: tuple[float, ...] = ()
    """Means of the last steps, the newest last; import +, export -."""
    days: tuple[Day, ...] = ()
    reserve: Reserve = UNKNOWN
    """What it may import from now on."""

    def after(self, seconds: float, net_w: float, day: int) -> House:
        """Return what is known when the house drew a power for so many further seconds.

        Args:
            seconds: at least 0.
            net_w: import +, export -.
            day: the ordinal of the local date.
        """
        house = self
        while house.filled_s + seconds >= STEP:
            part = STEP - house.filled_s
            mean = (house.net_j + net_w * part) / STEP
            nets = (*house.nets_w[-KEPT + 1 :], mean)
            house = House(nets_w=nets, days=_learn(house.days, nets, day))
            house = replace(house, reserve=house._expected())
            seconds -= part
        return replace(house, filled_s=house.filled_s + seconds, net_j=house.net_j + net_w * seconds)

    def interrupted(self, net_w: float) -> House:
        """Return what is known after nobody measured for a while, and now for the first time a power again."""
        house = House(filled_s=FIRST, net_j=net_w * FIRST, days=self.days)
        return replace(house, reserve=house._expected())

    @property
    def level_w(self) -> float | None:
        """Return the import of the last minute in W; None = not known."""
        recent = self.nets_w[-MINUTE:]
        return sum(max(0.0, net) for net in recent) / len(recent) if recent else self._begun_w(0.0)

    @property
    def net_w(self) -> float | None:
        """Return what the house takes (+) or gives (-) lately, in W; None = not known."""
        recent = self.nets_w[-SLOW:]
        return sum(recent) / len(recent) if recent else self._begun_w()

    @property
    def export_w(self) -> float:
        """Return what it surely exports, in W >= 0."""
        recent = self.nets_w[-2:]
        return max(0.0, -max(recent)) if recent else 0.0

    @property
    def _exported_w(self) -> float:
        """Return the export of the last minute, in W; 0 where it is not worth to be called sunshine."""
        recent = self.nets_w[-MINUTE:]
        net = sum(recent) / len(recent) if recent else 0.0
        return -net if net <= -SUNNY_W else 0.0

    def _begun_w(self, least: float | None = None) -> float | None:
        if self.filled_s <= 0.0:
            return None
        mean = self.net_j / self.filled_s
        return mean if least is None else max(least, mean)

    def _expected(self) -> Reserve:
        if not self.days:
            return Reserve(level_w=self.level_w or 0.0)
        return Reserve(
            level_w=self.level_w or 0.0,
            spared_w=SHINING * self._exported_w,
            rises=tuple(map(max, zip(*(day.rises for day in self.days), strict=True))),
            sunny=tuple(map(max, zip(*(day.sunny for day in self.days), strict=True))),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what is worth keeping over a restart, JSON-able."""
        return {"days": [[day.number, *([round(j) for j in seen] for seen in day[1:])] for day in self.days]}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Return what ``as_dict`` saved; days that cannot be read are left out."""
        values = data.get("days") if isinstance(data, Mapping) else None
        days = [_day(value) for value in values] if isinstance(values, list) else []
        return cls(days=tuple(sorted(day for day in days if day is not None))[-DAYS:])


def _unseen(seconds: float) -> float:
    return RISE_W * min(seconds, RISE_S) + LASTING_W * max(0.0, seconds - RISE_S)


def _learn(days: tuple[Day, ...], nets_w: Sequence[float], number: int) -> tuple[Day, ...]:
    """Return the days with what the last steps tell."""
    today = days[-1] if days and days[-1].number == number else Day(number, NOTHING, NOTHING)
    sums = [0.0, *accumulate(max(0.0, net) * STEP for net in nets_w)]
    nets = [0.0, *accumulate(net * STEP for net in nets_w)]
    rises, sunny = list(today.rises), list(today.sunny)
    for index, span in enumerate(SPANS):
        begin = len(nets_w) - span
        if begin < 0:
            break
        taken = sums[-1] - sums[begin]
        if begin >= MINUTE:
            before = (sums[begin] - sums[begin - MINUTE]) / MINUTE
            rises[index] = max(rises[index], taken - before * span)
            if nets[begin] - nets[begin - MINUTE] <= -SUNNY_W * MINUTE * STEP:
                sunny[index] = max(sunny[index], taken)
    kept = tuple(day for day in days if day.number != number)[-DAYS + 1 :]
    return (*kept, Day(number, tuple(rises), tuple(sunny)))


def _day(value: object) -> Day | None:
    if not isinstance(value, list) or len(value) != len(Day._fields):
        return None
    number, *seen = value
    rises, sunny = (_numbers(values, len(SPANS)) for values in seen)
    if not isinstance(number, int) or rises is None or sunny is None:
        return None
    return Day(number, rises, sunny)


def _numbers(values: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(values, list) or len(values) != count:
        return None
    if not all(isinstance(value, int | float) and 0 <= value < LARGEST_J for value in values):
        return None
    return tuple(float(value) for value in values)
