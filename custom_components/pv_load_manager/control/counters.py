"""What a charger's own counters of a session say, and what they say together of a time without a look.

A charger's own counter of the session is no session: it keeps the last value after unplugging until the next car
charges, may dip by a few mWh, and may begin anew with a restart; the lifetime counter falls back a little then.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

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
    phases: int = 0
    """Over how many phases the car draws now."""


def steady(before: Counters, counters: Counters, elapsed: float) -> Counters:
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


def patience(before: Counters, counters: Counters) -> float:
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


class Gap(NamedTuple):
    """What the counters say of a time without a look."""

    energy_wh: float
    """What the car was given that was there before."""
    other_wh: float
    """What another one was given, as far as the charger still knows."""
    another: bool
    """Whether another car is there now."""


def gap(before: Counters, after: Counters, elapsed: float, running_wh: float | None, *, left: bool) -> Gap:
    """Return what happened in a time without a look, from how the counters rose together.

    Args:
        before: the last that was seen.
        after: what is seen now.
        elapsed: time between, s.
        running_wh: what the car that was there had been given, None = there was none.
        left: whether that car was seen to leave.
    """
    rise, lifetime = _rise(before.session_wh, after.session_wh), _rise(before.lifetime_wh, after.lifetime_wh)
    wh = after.session_wh
    restarted = _restarted(before, after, elapsed)
    if running_wh is None:
        # No car was there that could have moved the counter.
        moved = rise is None or abs(rise) > DIP or (lifetime or 0.0) > SURE
        if rise is not None and lifetime is not None and not restarted and (before.session_wh or 0.0) > SURE:
            # One that goes on instead of beginning anew tells late what the last car was given.
            moved = moved and (rise < 0 or abs(lifetime - rise) > SURE)
        other = (lifetime if wh is None else wh if moved else 0.0) or 0.0
        return Gap(0.0, other if other > DIP else 0.0, another=False)
    arrival = (left and after.plugged) or _other_arrival(before, after, restarted=restarted)
    if wh is None or rise is None or (restarted and elapsed < RESTART):
        return Gap(grown(before, after, elapsed), 0.0, another=arrival is True)
    slack = SURE + (UNSAVED if restarted else 0.0)
    anew = rise < -DIP or (lifetime is not None and lifetime - rise > slack)
    if left and after.plugged and after.charged and lifetime is not None and lifetime - wh >= -slack:
        anew = True  # all that the counter says was given after that car left
    if running_wh <= DIP and lifetime is not None and abs(lifetime - wh) + 1.0 < abs(lifetime - rise):
        anew = True  # what the last car was given was less than the two counters may be apart
    # The counter keeps the last car's energy until this one's first.
    own_begin = anew and running_wh <= DIP and (lifetime is None or lifetime - wh <= slack)
    if anew and (arrival if own_begin else arrival is not False):
        return Gap(max(0.0, (lifetime or 0.0) - wh), wh, another=bool(after.plugged))
    return Gap(wh if own_begin else grown(before, after, elapsed), 0.0, another=arrival is True)


def _other_arrival(before: Counters, after: Counters, *, restarted: bool) -> bool | None:
    """Return whether the car that is there came at another time; None where the charger does not say, or forgot."""
    if not after.plugged or restarted or before.plugged_at_s is None or after.plugged_at_s is None:
        return None
    return abs(after.plugged_at_s - before.plugged_at_s) > SAME_MOMENT


def grown(before: Counters, after: Counters, elapsed: float) -> float:
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


def grown_parts(before: Counters, after: Counters) -> Parts | None:
    """Return by how much the charger's own parts rose, in Wh."""
    if before.parts_wh is None or after.parts_wh is None:
        return None
    first, second, third = (
        new - old if new >= old else new for old, new in zip(before.parts_wh, after.parts_wh, strict=True)
    )
    return (first, second, third)
