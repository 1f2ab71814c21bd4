"""What part of the surplus each charger would have if it could take any power."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple


class Part(NamedTuple):
    """What a charger takes of the surplus at present, in W."""

    priority: int
    least_w: float
    """0 where it does not charge."""
    most_w: float


def shares(parts: Sequence[Part], surplus_w: float) -> list[float]:
    """Return the share of each in W: as all others are, equal power for all, itself without any limit.

    Higher priorities take what they can, but leave the others the least power of those that charge. A share is below
    the least power of a charger where the surplus does not suffice.

    Args:
        parts: what the chargers take.
        surplus_w: what there is for all.
    """
    result = [0.0] * len(parts)
    above = 0.0
    for priority in sorted({part.priority for part in parts}, reverse=True):
        members = [index for index, part in enumerate(parts) if part.priority == priority]
        below = sum(part.least_w for part in parts if part.priority < priority)
        budget = surplus_w - above - below
        own = [parts[index] for index in members]
        for index, share in zip(members, _equal(own, budget), strict=True):
            result[index] = share
        above += max(sum(part.least_w for part in own), min(sum(part.most_w for part in own), budget))
    return result


def _equal(parts: Sequence[Part], budget: float) -> list[float]:
    least = sum(part.least_w for part in parts)
    if budget <= least:
        # Who takes more than the others could have is not better off because the sun does not suffice.
        enough = _above(parts, least, least)
        return [budget - least + min(part.least_w, share) for part, share in zip(parts, enough, strict=True)]
    return _above(parts, least, budget)


def _above(parts: Sequence[Part], least: float, budget: float) -> list[float]:
    """Return the shares where the sun suffices for what all take at least."""
    at, taken, slopes = _course(parts, least)

    def needed(index: int, part: Part) -> float:
        """What all others take at a level, and the charger itself without its limits."""
        level = at[index]
        return taken[index] + level - min(max(level, part.least_w), part.most_w)

    result = []
    for part in parts:
        index = bisect_right(range(len(at)), budget, key=partial(needed, part=part)) - 1
        if index < 0:
            result.append(max(0.0, budget - (least - part.least_w)))
            continue
        own = part.least_w <= at[index] < part.most_w
        result.append(at[index] + (budget - needed(index, part)) / (slopes[index] + 1 - own))
    return result


def _course(parts: Sequence[Part], least_w: float) -> tuple[list[float], list[float], list[int]]:
    """Return where the limits of the parts lie, what all take together there, and how many take more from there on."""
    ends = [(part.least_w, 1) for part in parts] + [(part.most_w, -1) for part in parts]
    events = sorted(ends, key=_beginnings_first)
    at: list[float] = []
    taken: list[float] = []
    slopes: list[int] = []
    total, rising, level = least_w, 0, events[0][0]
    for where, step in events:
        total += rising * (where - level)
        level, rising = where, rising + step
        at.append(where)
        taken.append(total)
        slopes.append(rising)
    return at, taken, slopes


def _beginnings_first(event: tuple[float, int]) -> tuple[float, int]:
    return event[0], -event[1]
