"""Charging sessions of one charger, from plugging in to unplugging: their energy, and where it came from.

No counter of a charger is a session (see ``counters``), so a session is the sum of what the counters rose, and what
nobody watched is told from how they rose together.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

from .causes import CAUSES, LIMITS
from .counters import HOLE, Counters, Gap, Parts, gap, grown, grown_parts, patience, steady
from .reasons import Reason
from .session import End, Session, figures

PARTS: Final = ("solar_wh", "battery_wh", "grid_wh", "unknown_wh")


class Circumstances(NamedTuple):
    """What the load manager has to say of a charger at one moment."""

    mode: str | None = None
    """By what it charges: a charge mode, or ``override``; None = nobody commands it."""
    reason: Reason | None = None
    """Why it gets what it gets."""


UNCOMMANDED: Final = Circumstances()


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What all cars at a charger were given since it was first looked at, in Wh; it only rises."""

    solar_wh: float = 0.0
    battery_wh: float = 0.0
    grid_wh: float = 0.0
    unknown_wh: float = 0.0
    """What nobody watched, or no meter parted."""

    @property
    def energy_wh(self) -> float:
        """Return all of it."""
        return self.solar_wh + self.battery_wh + self.grid_wh + self.unknown_wh

    @classmethod
    def from_dict(cls, saved: object) -> Self:
        """Return what was stored, nothing where it cannot be read."""
        try:
            return cls(**figures(saved, PARTS)) if isinstance(saved, Mapping) else cls()
        except TypeError, ValueError:
            return cls()


class Step(NamedTuple):
    """What became of the sessions of a charger."""

    sessions: Sessions
    finished: tuple[Session, ...] = ()
    """Those that ended, the oldest first."""
    another_car: bool = False
    """Whether a car left and another one came while nobody watched."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions:
    """The sessions of one charger: the running one or the last, and what was seen last."""

    session: Session | None = None
    seen: Counters | None = None
    seen_at: datetime | None = None
    blind_until: datetime | None = None
    """Until when to wait for counters that are gone, None = they are there. Meanwhile what was seen last stays."""
    left_at: datetime | None = None
    """When the car left meanwhile: the end of its session waits for its energy."""
    given: Given = field(default_factory=Given)
    """What all sessions got so far, the running one among them."""

    def after(
        self,
        counters: Counters,
        moment: datetime,
        *,
        sources: Parts | None = None,
        circumstances: Circumstances = UNCOMMANDED,
        away: bool = False,
    ) -> Step:
        """Return the sessions with another look at the charger taken in.

        Args:
            counters: what it says.
            moment: when, aware, UTC.
            sources: shares of its present power, None = not known.
            circumstances: what it was told until now.
            away: whether it was not watched since the last look.
        """
        before, before_at = self.seen, self.seen_at
        if before is None or before_at is None:
            session = _found(counters, moment) if counters.plugged else None
            return Step(Sessions(session=session, seen=counters, seen_at=moment, given=self.given))
        elapsed = max(0.0, (moment - before_at).total_seconds())
        counters = steady(before, counters, elapsed)
        if wait := patience(before, counters):
            until = moment + timedelta(seconds=wait)
            until = until if self.blind_until is None else min(until, self.blind_until)
            if moment < until:
                left_at = self.left_at or (moment if before.plugged and not counters.plugged else None)
                return Step(replace(self, blind_until=until, left_at=left_at))
            if counters.session_wh is None and counters.lifetime_wh is None:
                counters = replace(counters, session_wh=before.session_wh, lifetime_wh=before.lifetime_wh)
        # The first look with numbers again is like one after a time away.
        unseen = away or self.blind_until is not None
        running = self.session if self.session is not None and self.session.ended is None else None
        if away or elapsed > HOLE:
            sources = None
        if unseen:
            running_wh = None if running is None else running.energy_wh
            change = gap(before, counters, elapsed, running_wh, left=self.left_at is not None)
        else:
            change = Gap(grown(before, counters, elapsed), 0.0, another=False)
        finished: list[Session] = []
        session = self.session
        if running is not None:
            session = _given(running, change.energy_wh, sources, before, counters)
            if not away and not change.another:
                session = _seen(session, change.energy_wh, before, counters, elapsed, circumstances)
            if change.another or not counters.plugged:
                session = _ended(session, self.left_at or moment, circumstances, seen=bool(self.left_at) or not unseen)
                finished.append(session)
        if not counters.plugged and change.other_wh:
            # Came, charged and left while nobody watched.
            session = Session(began=before_at, energy_wh=change.other_wh)
            session = _ended(session, moment, UNCOMMANDED, seen=False)
            finished.append(session)
        if counters.plugged and (change.another or not before.plugged):
            arrival = _arrival(counters, moment, before_at)
            session = Session(began=arrival, energy_wh=change.other_wh, watched=not unseen)
        another_car = change.another and self.left_at is None
        given = _risen(self.given, running, finished, session)
        return Step(Sessions(session=session, seen=counters, seen_at=moment, given=given), tuple(finished), another_car)

    def as_dict(self) -> dict[str, Any]:
        """Return them in a form that can be stored as JSON."""
        return {
            "session": None if self.session is None else self.session.as_dict(),
            "seen": None if self.seen is None else asdict(self.seen),
            "seen_at": None if self.seen_at is None else self.seen_at.isoformat(),
            "left_at": None if self.left_at is None else self.left_at.isoformat(),
            "given": asdict(self.given),
        }

    @classmethod
    def from_dict(cls, saved: object) -> Self:
        """Return stored sessions, none where they cannot be read."""
        if not isinstance(saved, Mapping):
            return cls()
        given = Given.from_dict(saved.get("given"))
        try:
            if saved["seen"] is None:
                return cls(given=given)
            parts = saved["seen"]["parts_wh"]
            seen = Counters(**{**saved["seen"], "parts_wh": None if parts is None else (parts[0], parts[1], parts[2])})
            session = None if saved["session"] is None else Session.from_dict(saved["session"])
            left_at = saved.get("left_at")
            return cls(
                session=session,
                seen=seen,
                seen_at=datetime.fromisoformat(saved["seen_at"]),
                left_at=None if left_at is None else datetime.fromisoformat(left_at),
                given=given,
            )
        except AttributeError, IndexError, KeyError, TypeError, ValueError:
            return cls(given=given)


def sources_of(*, chargers_w: float, grid_w: float, battery_w: float | None) -> Parts:
    """Return the shares of the chargers' power that come from the roof, the house battery and the grid.

    The house is served first: what it takes from the grid, and then from its battery, is there for the cars, because it
    would not be taken without them.

    Args:
        chargers_w: what all chargers draw together.
        grid_w: import +, export -.
        battery_w: discharge +, charge -; None = there is none.
    """
    if chargers_w <= 0:
        return (0.0, 0.0, 0.0)
    grid = min(max(grid_w, 0.0), chargers_w)
    battery = min(max(battery_w or 0.0, 0.0), chargers_w - grid)
    return ((chargers_w - grid - battery) / chargers_w, battery / chargers_w, grid / chargers_w)


def _found(counters: Counters, moment: datetime) -> Session:
    """Return the session of a car that was there before anybody ever looked."""
    energy = (counters.session_wh or 0.0) if counters.charged else 0.0
    parts = counters.parts_wh if counters.charged and counters.parts_wh is not None else (0.0, 0.0, 0.0)
    session = Session(began=_arrival(counters, moment, None), watched=False)
    return _with(session, energy, None, parts)


def _arrival(counters: Counters, moment: datetime, earliest: datetime | None) -> datetime:
    """Return when the car came: by the charger's word where it fits what was seen."""
    if counters.uptime_s is None or counters.plugged_at_s is None or counters.plugged_at_s > counters.uptime_s:
        return moment
    arrival = moment - timedelta(seconds=counters.uptime_s - counters.plugged_at_s)
    return arrival if earliest is None else max(arrival, earliest)


def _seen(
    session: Session, energy: float, before: Counters, after: Counters, elapsed: float, circumstances: Circumstances
) -> Session:
    """Return the running session with what was seen of it since the last look.

    Args:
        session: with its energy.
        energy: what it was given since, Wh.
        before: what was seen last.
        after: what is seen now.
        elapsed: time between, s.
        circumstances: what the charger was told meanwhile.
    """
    peak = max(session.peak_w, after.power_w or 0.0)
    limits, limit = session.limits, None if circumstances.reason is None else CAUSES.get(circumstances.reason)
    if limit in LIMITS and limit is not None and limit.value not in limits:
        limits = tuple(sorted((*limits, limit.value)))
    if peak != session.peak_w or limits != session.limits:
        session = replace(session, peak_w=peak, limits=limits)
    if elapsed >= HOLE or not (energy or after.charging):
        return session
    one, two, three = (
        known + (energy if count == (after.phases or before.phases) else 0.0)
        for count, known in enumerate(session.phases_wh, start=1)
    )
    mode, modes = circumstances.mode, session.modes_wh
    if energy and mode is not None:
        modes = {**modes, mode: modes.get(mode, 0.0) + energy}
    return replace(
        session,
        charging_s=session.charging_s + (elapsed if after.charging else 0.0),
        charging_wh=session.charging_wh + (energy if after.charging else 0.0),
        phases_wh=(one, two, three),
        modes_wh=modes,
    )


def _ended(session: Session, moment: datetime, circumstances: Circumstances, *, seen: bool) -> Session:
    """Return a session at its end."""
    how = End.FULL if circumstances.reason is Reason.CAR_FULL else End.UNPLUGGED
    ended = max(moment, session.began)  # the clock may have been set back
    return replace(session, ended=ended, end=how if seen else End.UNSEEN, watched=session.watched and seen)


def _risen(given: Given, before: Session | None, finished: list[Session], last: Session | None) -> Given:
    """Return what all cars were given.

    Args:
        given: what it was until now.
        before: the session that ran, as it was.
        finished: those that ended since.
        last: the running session, or the last one.
    """
    if last is before:
        return given
    after = finished if last is None or last.ended is not None else [*finished, last]
    rises = (
        sum(getattr(session, part) for session in after) - (0.0 if before is None else getattr(before, part))
        for part in PARTS
    )
    solar, battery, grid, unknown = (max(0.0, rise) for rise in rises)
    return Given(
        solar_wh=given.solar_wh + solar,
        battery_wh=given.battery_wh + battery,
        grid_wh=given.grid_wh + grid,
        unknown_wh=given.unknown_wh + unknown,
    )


def _given(session: Session, energy: float, sources: Parts | None, before: Counters, after: Counters) -> Session:
    return _with(session, energy, sources, grown_parts(before, after)) if energy > 0 else session


def _with(session: Session, energy: float, sources: Parts | None, own: Parts | None) -> Session:
    """Return a session with more energy: by the shares of the house, else as the charger itself parts it."""
    solar, battery, grid = (0.0, 0.0, 0.0)
    if sources is not None:
        solar, battery, grid = (energy * share for share in sources)
    elif own is not None and sum(own) > 0:
        scale = min(1.0, energy / sum(own))
        solar, battery, grid = (part * scale for part in own)
    return replace(
        session,
        energy_wh=session.energy_wh + energy,
        solar_wh=session.solar_wh + solar,
        battery_wh=session.battery_wh + battery,
        grid_wh=session.grid_wh + grid,
    )
