"""Shares the room and the surplus: max-min fair in whole amps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from .electrics import spread, subtract
from .model import HIGHEST_CURRENT, Three

UNLIMITED: Three = (1e9, 1e9, 1e9)
EPSILON = 1e-6
# An amp that a charger has is taken away only when this much of it is missing, so that noise does not toggle it.
HYSTERESIS = 0.25


class Kind(IntEnum):
    """What a charger charges for; the order is the order in which minimum currents are given."""

    UNTOUCHED = 0
    FAST = 1
    GUARANTEED = 2
    SURPLUS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What one charger asks for."""

    charger_id: str
    kind: Kind
    floor_a: int
    """It runs with at least this or not at all."""
    guaranteed_a: int = 0
    """Up to this it needs no surplus."""
    cap_a: int
    phases: int
    """The number of phases it is set to."""
    lines: tuple[int, ...]
    """The grid phases (0..2) it loads."""
    watts_per_amp: float
    present_a: int = 0
    """What it has now; 0 = it does not run."""
    used_w: float | None = None
    """What it takes of the surplus whatever it is given; None = what it is given."""


def allocate(claims: Sequence[Claim], room_a: Three, surplus_w: float | None) -> dict[str, int]:
    """Return the current per charger in A, 0 for those that get nothing.

    Minimum currents come first (running chargers before waiting ones within a kind), then what is guaranteed, then amp
    by amp to whoever has least. Fast chargers take from the surplus before the others do; pv chargers and the part of
    min+pv above its guarantee never take more than what is left of it. ``surplus_w`` None = nothing is known, so nobody
    gets more than a minimum.
    """
    given = dict.fromkeys((claim.charger_id for claim in claims), 0)
    for claim in sorted(claims, key=lambda item: (item.kind, item.present_a == 0)):
        wanted = spread(claim.floor_a, claim.lines)
        if claim.floor_a <= claim.cap_a and fits(wanted, room_a):
            given[claim.charger_id] = claim.floor_a
            room_a = subtract(room_a, wanted)
    guaranteed = [
        replace(claim, kind=Kind.FAST, cap_a=min(claim.cap_a, claim.guaranteed_a))
        for claim in claims
        if claim.kind is Kind.GUARANTEED
    ]
    room_a = _raise(guaranteed, given, room_a, 0.0)
    _raise(claims, given, room_a, 0.0 if surplus_w is None else surplus_w - _taken(claims, given))
    return given


def _raise(claims: Sequence[Claim], given: dict[str, int], room_a: Three, left_w: float) -> Three:
    """Raise those that have anything amp by amp, always the one that has least; return the room that is left."""
    open_claims = [claim for claim in claims if given[claim.charger_id]]
    least_refused = HIGHEST_CURRENT
    while open_claims:
        claim = min(open_claims, key=lambda item: given[item.charger_id])
        amps = given[claim.charger_id] + 1
        step = spread(1.0, claim.lines)
        if amps > claim.cap_a or not fits(step, room_a):
            open_claims.remove(claim)
            continue
        if claim.kind in {Kind.GUARANTEED, Kind.SURPLUS}:
            # Keeping an amp must not put a charger more than one above another that was refused.
            keeps = amps <= claim.present_a and amps <= least_refused + 1
            tolerance = HYSTERESIS * claim.watts_per_amp if keeps else 0.0
            if left_w + tolerance < claim.watts_per_amp - EPSILON:
                least_refused = min(least_refused, amps - 1)
                open_claims.remove(claim)
                continue
            left_w -= claim.watts_per_amp
        given[claim.charger_id] = amps
        room_a = subtract(room_a, step)
    return room_a


def _taken(claims: Sequence[Claim], given: Mapping[str, int]) -> float:
    """Surplus in W that is gone before anybody gets more than a minimum."""
    return sum(
        claim.used_w if claim.used_w is not None else given[claim.charger_id] * claim.watts_per_amp for claim in claims
    )


def fits(wanted: Three, room_a: Three) -> bool:
    """Return whether there is room on every phase that is wanted."""
    return all(want <= EPSILON or want <= room + EPSILON for want, room in zip(wanted, room_a, strict=True))
