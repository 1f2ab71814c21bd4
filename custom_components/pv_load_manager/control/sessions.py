"""Charging sessions of one charger, from plugging in to unplugging: their energy, and where it came from.

A charger's own counter of the session is no session: it keeps the last value after unplugging until the next car
charges, may dip by a few mWh, and may begin anew with a restart; the lifetime counter falls back a little then.
So a session is the sum of what the counters rose, and what nobody watched is told from how they rose together.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

DIP: Final = 0.1  # Wh; a counter that falls by less did not begin anew
SURE: Final = 10.0  # Wh; so far two counters that saw the same may be apart, one of them counting whole Wh
UNSAVED: Final = 200.0  # Wh; what the lifetime counter may lose by a restart, generously
RESTART: Final = 180.0  # s; nobody changes cars within a restart
HOLE: Final = 60.0  # s; over a longer silence the power at its end says nothing
PATIENCE: Final = 600.0  # s; so long the end of a session waits for counters that can be used
SAME_MOMENT: Final = 0.1  # s; an uptime is told in ms, but not at the same instant
LEAP: Final = 1000.0  # Wh
LEAP_W: Final = 1e6  # W; a counter that rises by more than the leap and this power cannot be right
HOUR: Final = 3600.0  # s

type Parts = tuple[float, float, float]
"""From the roof, from the house battery, from the grid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """What a charger says of its session at one moment."""

    plugged: bool | None
    """None = it does not say, for instance because of an error."""
    charging: bool = False
    charged: bool = False
    """Whether it charges, or has charged this car."""
    power_w: float | None = None
    session_wh: float | None = None
    lifetime_wh: float | None = None
    uptime_s: float | None = None
    reboots: int | None = None
    plugged_at_s: float | None = None
    """Uptime at which the car came; None where the firmware does not say."""
    parts_wh: Parts | None = None
    """The session's energy by where it came from, as the charger itself sees it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One car at a charger."""

    began: datetime
    """Aware, UTC."""
    ended: datetime | None = None
    """None = the car is still there."""
    energy_wh: float = 0.0
    solar_wh: float = 0.0
    battery_wh: float = 0.0
    grid_wh: float = 0.0
    """The three may be less than the energy: what nobody watched came from somewhere."""
    peak_w: float = 0.0
    charging_s: float = 0.0
    watched: bool = True
    """False where its begin, its end or its car is a conclusion and was not seen."""

    @property
    def solar_share(self) -> float | None:
        """Return which part of the energy came from the roof, 0..1; None where more than half is of unknown origin."""
        known = self.solar_wh + self.battery_wh + self.grid_wh
        return self.solar_wh / known if known > 0 and known >= self.energy_wh / 2 else None

    def as_dict(self) -> dict[str, Any]:
        """Return the session in a form that can be stored as JSON."""
        return asdict(self) | {"began": self.began.isoformat(), "ended": self.ended and self.ended.isoformat()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """Return a stored session.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        ended = saved["ended"]
        times = {
            "began": datetime.fromisoformat(saved["began"]),
            "ended": None if ended is None else datetime.fromisoformat(ended),
        }
        return cls(**{**saved, **times})


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

    def after(self, counters: Counters, moment: datetime, *, sources: Parts | None = None, away: bool = False) -> Step:
        """Return the sessions with another look at the charger taken in.

        Args:
            counters: what it says.
            moment: when, aware, UTC.
            sources: shares of its present power, None = not known.
            away: whether it was not watched since the last look.
        """
        before, before_at = self.seen, self.seen_at
        if before is None or before_at is None:
            session = _found(counters, moment) if counters.plugged else None
            return Step(Sessions(session=session, seen=counters, seen_at=moment))
        elapsed = max(0.0, (moment - before_at).total_seconds())
        counters = _steady(before, counters, elapsed)
        if patience := _patience(before, counters):
            until = moment + timedelta(seconds=patience)
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
            gap = _gap(before, counters, elapsed, running, left=self.left_at is not None)
        else:
            gap = _Gap(_grown(before, counters, elapsed), 0.0, another=False)
        finished: list[Session] = []
        session = self.session
        if running is not None:
            session = _given(running, gap.energy_wh, sources, before, counters)
            if gap.another or not counters.plugged:
                watched = session.watched and (self.left_at is not None or not unseen)
                session = replace(session, ended=self.left_at or moment, watched=watched)
                finished.append(session)
            elif not away:
                session = _seen_charging(session, counters, elapsed)
        if not counters.plugged and gap.other_wh:
            # Came, charged and left while nobody watched.
            session = Session(began=before_at, ended=moment, energy_wh=gap.other_wh, watched=False)
            finished.append(session)
        if counters.plugged and (gap.another or not before.plugged):
            arrival = _arrival(counters, moment, before_at)
            session = Session(began=arrival, energy_wh=gap.other_wh, watched=not unseen)
        another_car = gap.another and self.left_at is None
        return Step(Sessions(session=session, seen=counters, seen_at=moment), tuple(finished), another_car)

    def as_dict(self) -> dict[str, Any]:
        """Return them in a form that can be stored as JSON."""
        return {
            "session": None if self.session is None else self.session.as_dict(),
            "seen": None if self.seen is None else asdict(self.seen),
            "seen_at": None if self.seen_at is None else self.seen_at.isoformat(),
            "left_at": None if self.left_at is None else self.left_at.isoformat(),
        }

    @classmethod
    def from_dict(cls, saved: object) -> Self:
        """Return stored sessions, none where they cannot be read."""
        try:
            if not isinstance(saved, Mapping) or saved["seen"] is None:
                return cls()
            parts = saved["seen"]["parts_wh"]
            seen = Counters(**{**saved["seen"], "parts_wh": None if parts is None else (parts[0], parts[1], parts[2])})
            session = None if saved["session"] is None else Session.from_dict(saved["session"])
            left_at = saved.get("left_at")
            return cls(
                session=session,
                seen=seen,
                seen_at=datetime.fromisoformat(saved["seen_at"]),
                left_at=None if left_at is None else datetime.fromisoformat(left_at),
            )
        except AttributeError, IndexError, KeyError, TypeError, ValueError:
            return cls()


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


def _steady(before: Counters, counters: Counters, elapsed: float) -> Counters:
    """Return what a charger says without dips of its counter and nonsense; what it leaves open of the car stays."""
    most = LEAP + LEAP_W * elapsed / HOUR
    wh, known, lifetime = counters.session_wh, before.session_wh, counters.lifetime_wh
    if wh is not None and known is not None and 0 < known - wh < DIP:
        wh = known
    rise = _rise(before.lifetime_wh, lifetime)
    if rise is not None and not -LEAP <= rise <= most:
        lifetime = None
    elif rise is None and known is not None and wh is not None and wh - known > most:
        wh = None
    plugged = before.plugged if counters.plugged is None else counters.plugged
    return replace(counters, plugged=plugged, session_wh=wh, lifetime_wh=lifetime)


def _patience(before: Counters, counters: Counters) -> float:
    """Return how many s to wait for what the counters told before; two of them may come back one after the other."""
    gone = [
        told is not None and tells is None
        for told, tells in (
            (before.session_wh, counters.session_wh),
            (before.lifetime_wh, counters.lifetime_wh),
        )
    ]
    if not any(gone):
        return 0.0
    return PATIENCE if counters.session_wh is None and counters.lifetime_wh is None else HOLE


def _rise(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _restarted(before: Counters, after: Counters, elapsed: float) -> bool:
    if before.reboots is not None and after.reboots is not None and before.reboots != after.reboots:
        return True
    if before.uptime_s is None or after.uptime_s is None:
        return False
    return after.uptime_s < before.uptime_s or after.uptime_s + HOLE < elapsed


class _Gap(NamedTuple):
    """What the counters say of a time without a look."""

    energy_wh: float
    """What the car was given that was there before."""
    other_wh: float
    """What another one was given, as far as the charger still knows."""
    another: bool
    """Whether another car is there now."""


def _gap(before: Counters, after: Counters, elapsed: float, running: Session | None, *, left: bool) -> _Gap:
    """Return what happened in a time without a look, from how the counters rose together.

    Args:
        before: the last that was seen.
        after: what is seen now.
        elapsed: time between, s.
        running: the session of the car that was there.
        left: whether that car was seen to leave.
    """
    rise, lifetime = _rise(before.session_wh, after.session_wh), _rise(before.lifetime_wh, after.lifetime_wh)
    wh = after.session_wh
    restarted = _restarted(before, after, elapsed)
    if running is None:
        # No car was there that could have moved the counter.
        moved = rise is None or abs(rise) > DIP or (lifetime or 0.0) > SURE
        if rise is not None and lifetime is not None and not restarted and (before.session_wh or 0.0) > SURE:
            # One that goes on instead of beginning anew tells late what the last car was given.
            moved = moved and (rise < 0 or abs(lifetime - rise) > SURE)
        other = (lifetime if wh is None else wh if moved else 0.0) or 0.0
        return _Gap(0.0, other if other > DIP else 0.0, another=False)
    arrival = (left and after.plugged) or _other_arrival(before, after, restarted=restarted)
    if wh is None or rise is None or (restarted and elapsed < RESTART):
        return _Gap(_grown(before, after, elapsed), 0.0, another=arrival is True)
    slack = SURE + (UNSAVED if restarted else 0.0)
    anew = rise < -DIP or (lifetime is not None and lifetime - rise > slack)
    if left and after.plugged and after.charged and lifetime is not None and lifetime - wh >= -slack:
        anew = True  # all that the counter says was given after that car left
    if running.energy_wh <= DIP and lifetime is not None and abs(lifetime - wh) + 1.0 < abs(lifetime - rise):
        anew = True  # what the last car was given was less than the two counters may be apart
    # The counter keeps the last car's energy until this one's first.
    own_begin = anew and running.energy_wh <= DIP and (lifetime is None or lifetime - wh <= slack)
    if anew and (arrival if own_begin else arrival is not False):
        return _Gap(max(0.0, (lifetime or 0.0) - wh), wh, another=bool(after.plugged))
    return _Gap(wh if own_begin else _grown(before, after, elapsed), 0.0, another=arrival is True)


def _other_arrival(before: Counters, after: Counters, *, restarted: bool) -> bool | None:
    """Return whether the car that is there came at another time; None where the charger does not say, or forgot."""
    if not after.plugged or restarted or before.plugged_at_s is None or after.plugged_at_s is None:
        return None
    return abs(after.plugged_at_s - before.plugged_at_s) > SAME_MOMENT


def _grown(before: Counters, after: Counters, elapsed: float) -> float:
    """Return the energy in Wh that a car was given between two looks at it.

    The session's counter is the finer one. Where it moves and the lifetime counter does not, it was wrong before or is
    now: some chargers tell 0 for a moment after a restart.
    """
    rise, lifetime = _rise(before.session_wh, after.session_wh), _rise(before.lifetime_wh, after.lifetime_wh)
    if rise is None or after.session_wh is None:
        if lifetime is not None:
            return max(0.0, lifetime)
        return (after.power_w or 0.0) * elapsed / HOUR if elapsed < HOLE else 0.0
    told = rise if rise >= 0 else after.session_wh
    if lifetime is None:
        return told
    lifetime = max(0.0, lifetime)
    if told > lifetime + (UNSAVED if _restarted(before, after, elapsed) else SURE):
        return lifetime
    return told if rise >= 0 else max(told, lifetime)


def _seen_charging(session: Session, after: Counters, elapsed: float) -> Session:
    """Return the running session with its time and its highest power."""
    peak = max(session.peak_w, after.power_w or 0.0)
    charging = elapsed if after.charging and elapsed < HOLE else 0.0
    if not charging and peak == session.peak_w:
        return session
    return replace(session, peak_w=peak, charging_s=session.charging_s + charging)


def _grown_parts(before: Counters, after: Counters) -> Parts | None:
    """Return by how much the charger's own parts rose, in Wh."""
    if before.parts_wh is None or after.parts_wh is None:
        return None
    first, second, third = (
        new - old if new >= old else new for old, new in zip(before.parts_wh, after.parts_wh, strict=True)
    )
    return (first, second, third)


def _given(session: Session, energy: float, sources: Parts | None, before: Counters, after: Counters) -> Session:
    return _with(session, energy, sources, _grown_parts(before, after)) if energy > 0 else session


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
