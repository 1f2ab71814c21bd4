"""How often a cloud with a quota may be asked: often while a car wants the sun, seldom while nobody needs to know.

Nobody documents when a quota begins anew (days and months by which clock, from which day on), so what counts here is
every span of that length: whenever it begins, there are never more calls in it than the quota.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor
from typing import Any, Final, Self

HOUR: Final = 3600.0
DAY: Final = 86_400.0
MINUTE: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """What the cloud allows, and how it is spent; times in s."""

    calls: int
    """Within ``span_s``."""
    span_s: float
    reserve: int
    """Calls that are left for what is not planned: flows, and who tests a key."""
    daily: int | None = None
    """Calls that every day of a longer span can have, whatever was used before; what is above that is for any day."""
    per_minute: int | None = None
    wanted_s: float
    """Least time between two readings while a car wants the sun; more often nothing new is known."""
    idle_s: float
    """Between two readings by day while no car does."""
    night_s: float
    """Between two readings in the dark."""
    exhausted_s: float
    """So long nothing is asked when the cloud says that the quota is used up; with each time in a row twice as long."""


V1_QUOTA: Final = Quota(
    calls=300,
    span_s=DAY,
    reserve=20,
    wanted_s=240.0,
    idle_s=900.0,
    night_s=3600.0,
    exhausted_s=960.0,  # it was seen to answer again after 16 minutes
)
"""300 calls a day."""
V2_QUOTA: Final = Quota(
    calls=2000,
    span_s=31 * DAY,
    reserve=100,
    daily=40,
    per_minute=10,
    wanted_s=900.0,
    idle_s=3 * HOUR,
    night_s=12 * HOUR,
    exhausted_s=12 * HOUR,  # until the month is over; whose first day is not known
)
"""2,000 credits a month and 10 calls a minute: those of the free tier."""
LONGEST_PAUSE: Final = DAY
RETIRED_PAUSE: Final = DAY
NIGHTLY: Final = 2  # readings
FIRST_RETRY: Final = 60.0  # s after a failure, with each in a row twice as long
DOUBLINGS: Final = 10  # at most; by then every longest time is reached


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """Who needs a reading now."""

    wanted: bool
    """Whether a car charges or waits for the sun."""
    daylight_s: float
    """What is left of the daylight, in s; 0 = it is dark."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The calls that were made, and when the next reading is due; all times are seconds of Unix time."""

    quota: Quota
    hours: Mapping[int, int] = field(default_factory=dict)
    """Calls by the hour of Unix time."""
    minute: tuple[float, ...] = ()
    """When the last calls were made."""
    read_at: float | None = None
    """When the last reading was begun."""
    cost: int = 1
    """What the last reading cost."""
    failures: int = 0
    """In a row."""
    refusals: int = 0
    """Refusals for a used-up quota in a row."""
    blocked_until: float = 0.0

    def called(self, now: float) -> Self:
        """Return the budget after a call."""
        present = floor(now / HOUR)
        hours = {present: 1}
        for hour, count in self.hours.items():
            if self._counts(hour, now):
                # An hour to come is one of a clock that was set back since.
                known = min(hour, present)
                hours[known] = hours.get(known, 0) + count
        minute = tuple(at for at in self.minute if abs(now - at) < MINUTE)
        return replace(self, hours=hours, minute=(*minute, now))

    def began(self, now: float) -> Self:
        """Return the budget at the begin of a reading."""
        return replace(self, read_at=now)

    def succeeded(self, cost: int) -> Self:
        """Return the budget after a reading that took some calls."""
        return replace(self, cost=max(1, cost), failures=0, refusals=0, blocked_until=0.0)

    def failed(self) -> Self:
        """Return the budget after a reading that came to nothing."""
        return replace(self, failures=self.failures + 1)

    def limited(self, now: float, retry_after_s: float | None) -> Self:
        """Return the budget after the cloud said that it was asked too often; None = it does not say for how long."""
        if retry_after_s is not None:
            return replace(self, failures=self.failures + 1, blocked_until=now + retry_after_s)
        pause = min(self.quota.exhausted_s * 2.0**self.refusals, LONGEST_PAUSE)
        return replace(self, refusals=min(self.refusals + 1, DOUBLINGS), blocked_until=now + pause)

    def retired(self, now: float) -> Self:
        """Return the budget after the cloud said that the interface is no more: only rarely somebody looks again."""
        return replace(self, blocked_until=now + RETIRED_PAUSE)

    def used(self, now: float) -> int:
        """Return the calls of the last span."""
        return self._since(now - self.quota.span_s)

    def due(self, now: float, need: Need) -> float:
        """Return when the next reading is due; at once where there was none."""
        quota = self.quota
        at = self._planned(now, need)
        if self.blocked_until - now <= LONGEST_PAUSE:  # a clock that was wrong may have said anything
            at = max(at, self.blocked_until)
        cost = self.cost
        if self.used(now) + cost > quota.calls - quota.reserve:
            at = max(at, self._freed(now, cost))
        recent = [call for call in self.minute if abs(now - call) < MINUTE]
        if recent and quota.per_minute is not None and len(recent) + cost > quota.per_minute:
            at = max(at, recent[-1] + MINUTE)
        return at

    def interval(self, now: float, need: Need) -> float:
        """Return the planned time between two readings in s."""
        quota = self.quota
        if need.daylight_s <= 0.0:
            return quota.night_s
        if not need.wanted:
            return quota.idle_s
        if quota.daily is None:
            even = self._even(now, need.daylight_s)
        else:
            even = self._daily(now, need.daylight_s, quota.daily)
        return min(max(quota.wanted_s, even * self.cost), quota.night_s)

    def _even(self, now: float, daylight_s: float) -> float:
        """Return the time per call in s that lasts until the evening; calls that leave the span are free again."""
        quota = self.quota
        slowest = 0.0
        for hour in range(1, ceil(daylight_s / HOUR) + 1):
            ahead = min(hour * HOUR, daylight_s)
            left = quota.calls - quota.reserve - self._since(now + ahead - quota.span_s)
            slowest = max(slowest, ahead / max(left, 1))
        return slowest

    def _daily(self, now: float, daylight_s: float, share: int) -> float:
        """Return the time per call in s for the rest of today's share and of what other days did not use."""
        quota, today = self.quota, floor(now / DAY)
        days: dict[int, int] = {}
        for hour, count in self.hours.items():
            if self._counts(hour, now):
                days[hour // 24] = days.get(hour // 24, 0) + count
        spent = days.pop(today, 0)
        # The span begins and ends in the middle of a day.
        common = quota.calls - quota.reserve - share * (ceil(quota.span_s / DAY) + 1)
        common -= sum(max(0, count - share) for count in days.values())
        return daylight_s / max(share + max(common, 0) - spent - NIGHTLY * self.cost, 1)

    def _planned(self, now: float, need: Need) -> float:
        if self.read_at is None or self.read_at > now:  # a clock that was set back
            return now
        wait = self.interval(now, need)
        if self.failures:
            wait = min(wait, FIRST_RETRY * 2.0 ** min(self.failures - 1, DOUBLINGS))
        return self.read_at + wait

    def _counts(self, hour: int, now: float) -> bool:
        # An hour counts until its last moment is out of the span.
        return (hour + 1) * HOUR > now - self.quota.span_s

    def _since(self, begin: float) -> int:
        return sum(count for hour, count in self.hours.items() if (hour + 1) * HOUR > begin)

    def _freed(self, now: float, cost: int) -> float:
        """Return when enough calls have left the span."""
        quota = self.quota
        excess = self.used(now) + cost - (quota.calls - quota.reserve)
        at = now
        for hour, count in sorted(self.hours.items()):
            if excess > 0 and self._counts(hour, now):
                excess -= count
                at = (hour + 1) * HOUR + quota.span_s
        return at

    def as_dict(self) -> dict[str, Any]:
        """Return what has to outlive a restart."""
        return {
            "hours": {str(hour): count for hour, count in self.hours.items()},
            "blocked_until": self.blocked_until,
            "refusals": self.refusals,
            # Whoever sets up again while the cloud is down must not use the quota up for it.
            "failures": self.failures,
            "failed_at": self.read_at if self.failures else None,
        }

    @classmethod
    def from_dict(cls, quota: Quota, saved: Mapping[str, Any]) -> Self:
        """Return what was saved; what cannot be read counts as nothing."""
        hours = saved.get("hours")
        known = hours.items() if isinstance(hours, Mapping) else ()
        blocked, refusals = saved.get("blocked_until"), saved.get("refusals")
        failures, failed_at = saved.get("failures"), saved.get("failed_at")
        return cls(
            quota=quota,
            hours={int(hour): int(count) for hour, count in known if str(hour).isdecimal() and isinstance(count, int)},
            blocked_until=float(blocked) if isinstance(blocked, int | float) else 0.0,
            refusals=refusals if isinstance(refusals, int) else 0,
            failures=failures if isinstance(failures, int) else 0,
            read_at=float(failed_at) if isinstance(failed_at, int | float) else None,
        )
