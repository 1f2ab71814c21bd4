"""What happened at one charger, or at all of them, since local midnight. Pure: days and elapsed times are arguments.

A day is a local date, never 24 hours: on the days on which the clock is changed it has 23 or 25. What was given while
nobody looked belongs to the day on which it is seen, so the days together are all that was given.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Self

from .reasons import Reason
from .sessions import Given

HOLE: Final = 90.0  # s; over a longer silence what was seen before says nothing
CLOCK_CORRECTION: Final = timedelta(days=1)
"""A clock that is set back over midnight does not begin the day before anew; one that was wrong by more does."""

NOTHING: Final = Given()


class Limit(StrEnum):
    """What keeps a car from charging, or from charging faster. The values are part of the stable interface."""

    FUSE = "fuse"
    """The house connection, a circuit or the imbalance of its phases."""
    FILTER = "filter"
    """The cloud filter: it waits before it starts, stops or switches phases."""
    BATTERY = "battery"
    """The house battery comes first."""
    PEAK = "peak"
    DIMMING = "dimming"
    OUTSIDE = "outside"
    """Somebody outside: the available current, its watchdog, a limit on demand, or no phases requested."""
    METER = "meter"
    """A meter is silent."""


REASONS: Final[Mapping[Limit, frozenset[Reason]]] = MappingProxyType(
    {
        Limit.FUSE: frozenset(
            {
                Reason.LIMITED_BY_FUSE,
                Reason.WAITING_FOR_FUSE,
                Reason.FUSE_PAUSE,
                Reason.LIMITED_BY_CIRCUIT,
                Reason.WAITING_FOR_CIRCUIT,
                Reason.LIMITED_BY_IMBALANCE,
                Reason.WAITING_FOR_IMBALANCE,
            }
        ),
        Limit.FILTER: frozenset(
            {
                Reason.START_DELAY,
                Reason.STOP_DELAY,
                Reason.MORE_PHASES_DELAY,
                Reason.FEWER_PHASES_DELAY,
                Reason.PHASE_DWELL,
                Reason.PHASE_BUDGET,
            }
        ),
        Limit.BATTERY: frozenset({Reason.BATTERY_FIRST}),
        Limit.PEAK: frozenset({Reason.LIMITED_BY_PEAK, Reason.WAITING_FOR_PEAK}),
        Limit.DIMMING: frozenset({Reason.LIMITED_BY_DIMMING, Reason.WAITING_FOR_DIMMING}),
        Limit.OUTSIDE: frozenset(
            {
                Reason.LIMITED_BY_AVAILABLE_CURRENT,
                Reason.WAITING_FOR_AVAILABLE_CURRENT,
                Reason.LIMITED_BY_WATCHDOG,
                Reason.WAITING_FOR_WATCHDOG,
                Reason.LIMITED_ON_DEMAND,
                Reason.WAITING_ON_DEMAND,
                Reason.EXTERNAL_NO_PHASES,
            }
        ),
        Limit.METER: frozenset({Reason.METER_STALE, Reason.METER_LOST, Reason.SURPLUS_UNKNOWN}),
    }
)
"""The reasons behind each limit; all others are none."""

LIMITS: Final[Mapping[Reason, Limit]] = MappingProxyType(
    {reason: limit for limit, reasons in REASONS.items() for reason in reasons}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """A local day, and what had been given when it began."""

    on: date
    begin: Given = NOTHING

    def after(self, today: date, before: Given, given: Given) -> Self:
        """Return the day that it is now.

        Args:
            today: the local date.
            before: what had been given at the last look, with which a new day begins.
            given: what has been given now. After a power failure it may be less than what was saved of the day.
        """
        if self.goes_on(today):
            return replace(self, begin=_lower(self.begin, given))
        return replace(self, on=today, begin=_lower(before, given))

    def goes_on(self, today: date) -> bool:
        """Return whether it is still this day."""
        return timedelta() <= self.on - today <= CLOCK_CORRECTION

    def given(self, given: Given) -> Given:
        """Return what was given on this day."""
        return rise(self.begin, given)

    def as_dict(self) -> dict[str, Any]:
        """Return the day in a form that can be stored as JSON."""
        return {"date": self.on.isoformat(), "begin": asdict(self.begin)}

    @classmethod
    def from_dict(cls, saved: object) -> Self | None:
        """Return a stored day, None where there is none."""
        if not isinstance(saved, Mapping):
            return None
        try:
            return cls(on=date.fromisoformat(saved["date"]), begin=Given.from_dict(saved.get("begin")))
        except KeyError, TypeError, ValueError:
            return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What was counted at one charger on one day."""

    day: Day
    commands: int = 0
    """Writes that went out to the charger."""
    charging_s: float = 0.0
    limited_s: Mapping[Limit, float] = field(default_factory=dict)

    def after(self, today: date, before: Given, given: Given) -> Self:
        """Return the tally of the day that it is now; the arguments are those of ``Day.after``."""
        day = self.day.after(today, before, given)
        return replace(self, day=day) if self.day.goes_on(today) else type(self)(day=day)

    def passed(self, seconds: float, *, charging: bool, limit: Limit | None) -> Self:
        """Return the tally with a time between two looks.

        Args:
            seconds: its length; of a longer silence nothing is known.
            charging: whether the car charged.
            limit: what limited it, if anything did.
        """
        if not 0 < seconds <= HOLE or not (charging or limit):
            return self
        limited = dict(self.limited_s)
        if limit is not None:
            limited[limit] = limited.get(limit, 0.0) + seconds
        return replace(self, charging_s=self.charging_s + seconds * charging, limited_s=limited)

    def commanded(self) -> Self:
        """Return the tally with one more write to the charger."""
        return replace(self, commands=self.commands + 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the tally in a form that can be stored as JSON."""
        return {
            "day": self.day.as_dict(),
            "commands": self.commands,
            "charging_s": round(self.charging_s, 1),
            "limited_s": {limit.value: round(seconds, 1) for limit, seconds in self.limited_s.items()},
        }

    @classmethod
    def from_dict(cls, saved: object) -> Self | None:
        """Return a stored tally, None where there is none; what another version did not save begins at 0."""
        if not isinstance(saved, Mapping) or (day := Day.from_dict(saved.get("day"))) is None:
            return None
        limited = saved.get("limited_s")
        return cls(
            day=day,
            commands=int(_count(saved.get("commands"))),
            charging_s=_count(saved.get("charging_s")),
            limited_s={
                Limit(limit): _count(seconds)
                for limit, seconds in (limited.items() if isinstance(limited, Mapping) else ())
                if limit in list(Limit)
            },
        )


def rise(before: Given, after: Given) -> Given:
    """Return what was given between two looks; no part is ever negative."""
    return Given(**{key: max(0.0, value - _part(before, key)) for key, value in asdict(after).items()})


def plus(one: Given, other: Given) -> Given:
    """Return two energies together."""
    return Given(**{key: value + _part(other, key) for key, value in asdict(one).items()})


def solar_share(given: Given) -> float | None:
    """Return which part of an energy came from the roof, 0..1; None where more than half is of unknown origin."""
    known = given.solar_wh + given.battery_wh + given.grid_wh
    return given.solar_wh / known if known > 0 and known >= given.unknown_wh else None


def _lower(one: Given, other: Given) -> Given:
    return Given(**{item.name: min(_part(one, item.name), _part(other, item.name)) for item in fields(Given)})


def _part(given: Given, key: str) -> float:
    part: float = getattr(given, key)
    return part


def _count(saved: object) -> float:
    """Return a stored count, 0 where it is none."""
    return float(saved) if isinstance(saved, int | float) and 0 <= saved < float("inf") else 0.0
