"""Lexicographic max-min shares by linear programs, written from the definition: the yardstick of the allocation.

Shares are lexicographically max-min when the smallest is as large as can be, then the second smallest, and so on. One
program raises the common level of all that are still free. Whoever has a positive dual value is at that level in every
optimum, so it is fixed there; the others go on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from scipy.optimize import linprog

from custom_components.pv_load_manager.control.allocation import Claim, Kind

TOLERANCE = 1e-6
HELD = 1e-5  # the dual values of a program sum up to 1, so one of n claims has at least 1 / n


def max_min(
    weights: np.ndarray, capacity: Sequence[float] | np.ndarray, low: Sequence[float], high: Sequence[float]
) -> list[float]:
    """Return the lexicographic max-min point x with ``low <= x <= high`` and ``weights @ x <= capacity``.

    Args:
        weights: one row per limit, one column per claim.
        capacity: of each limit; what ``low`` needs is always allowed.
        low: the least of each claim.
        high: the most of each claim.
    """
    value = np.array(low, dtype=float)
    most = np.maximum(np.array(high, dtype=float), value)
    limits = np.maximum(np.array(capacity, dtype=float), weights @ value)
    free = [index for index in range(len(value)) if most[index] > value[index] + TOLERANCE]
    fixed = np.ones(len(value), dtype=bool)
    fixed[free] = False
    while free:
        rest = limits - weights[:, fixed] @ value[fixed]
        level, duals = _highest_level(weights[:, free], rest, value[free], most[free])
        held = [index for index, dual in zip(free, duals, strict=True) if dual > HELD]
        assert held
        for index in held:
            value[index], fixed[index] = level, True
        free = [index for index in free if not fixed[index]]
    return [float(item) for item in value]


def _highest_level(
    weights: np.ndarray, capacity: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the largest level that all can reach together, and by how much each holds it down."""
    limits, count = weights.shape
    rows = np.zeros((limits + count, count + 1))
    rows[:limits, :count] = weights
    rows[limits:, :count] = -np.eye(count)  # level <= x
    rows[limits:, count] = 1.0
    found = linprog(
        np.append(np.zeros(count), -1.0),
        A_ub=rows,
        b_ub=np.append(capacity, np.zeros(count)),
        bounds=[*zip(low, high, strict=True), (None, None)],
        method="highs",
    )
    assert found.status == 0, found.message
    return float(found.x[count]), -found.ineqlin.marginals[limits:]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What is to be shared, in the words of linear programs."""

    claims: Sequence[Claim]
    weights: np.ndarray
    """What one amp of each claim (column) takes of each limit (row)."""
    room: np.ndarray
    lasting: np.ndarray
    surplus_w: float | None

    def column(self, index: int) -> np.ndarray:
        """Return what one amp of a claim takes of each limit."""
        return np.asarray(self.weights[:, index])

    def taken(self, amps: Sequence[float]) -> np.ndarray:
        """Return what these amps take of each limit, with what cars draw beyond them."""
        drawn = [amp + claim.excess_a if amp else 0.0 for claim, amp in zip(self.claims, amps, strict=True)]
        return np.asarray(self.weights @ np.array(drawn))

    def floors(self, amps: Sequence[float]) -> list[int]:
        """Return the minimums of those that have something."""
        return [claim.floor_a if amp else 0 for claim, amp in zip(self.claims, amps, strict=True)]

    def fits(self, amps: Sequence[float]) -> bool:
        """Return whether all of it fits into the room."""
        return bool(np.all(self.taken(amps) <= self.room + 1e-5))


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """One filling: who was raised, from where, to where at most, and the exact optimum."""

    group: tuple[int, ...]
    before: tuple[int, ...]
    """Of all claims."""
    exact: tuple[float, ...]
    """Of the group."""
    highest: tuple[int, ...]
    """Of the group."""
    sun_w: float | None
    """Surplus that the group may take; None = it needs none."""


type Whole = Callable[[Stage], Sequence[int]]
"""Gives the whole amps of all claims after a stage."""


def minimums(problem: Problem, given: Sequence[int] | None = None) -> list[int]:
    """Return the amps after all got their minimum who still find room for it, in the order of the claims.

    Args:
        problem: what is to be shared.
        given: what the others got before the cars that take nothing have their turn; None = these have to wait.
    """
    result = [0] * len(problem.claims) if given is None else [*given]
    for index, claim in enumerate(problem.claims):
        if claim.floor_a > claim.cap_a or claim.idle is (given is None):
            continue
        tried = [*result]
        tried[index] = claim.floor_a
        own = problem.column(index) > 0
        fits = problem.taken(tried)[own] <= problem.room[own] + TOLERANCE
        if not claim.present_a:
            fits &= problem.taken(problem.floors(tried))[own] <= problem.lasting[own] + TOLERANCE
        if fits.all():
            result[index] = claim.floor_a
    return result


def sun_beyond_minimums(problem: Problem, given: Sequence[int]) -> float:
    """Return the surplus in W that nobody's minimum takes."""
    if problem.surplus_w is None:
        return 0.0
    taken = (
        (amps + claim.excess_a) * claim.watts_per_amp if claim.used_w is None else claim.used_w
        for claim, amps in zip(problem.claims, given, strict=True)
        if amps or claim.used_w is not None
    )
    return problem.surplus_w - sum(taken)


def walk(problem: Problem, whole: Whole) -> list[int]:
    """Go through all stages; each begins with the whole amps that ``whole`` makes of the one before.

    First up to what the cars can use, then, after the minimums of cars that take nothing, up to what the chargers may
    have; by priority; what needs no surplus before what needs it.
    """
    claims = problem.claims
    given = minimums(problem)
    sun = sun_beyond_minimums(problem, given)
    caps = [claim.cap_a for claim in claims]
    demands = [min(claim.cap_a, max(claim.demand_a, claim.floor_a)) for claim in claims]
    idle = any(claim.idle for claim in claims)
    for highest in (demands, caps) if idle or demands != caps else (caps,):
        if idle and highest is caps:
            given = minimums(problem, given)
        for priority in sorted({claim.priority for claim in claims}, reverse=True):
            same = [index for index, claim in enumerate(claims) if given[index] and claim.priority == priority]
            for stage_of in (_free_stage, _surplus_stage):
                stage = stage_of(problem, same, given, highest, sun)
                if stage is not None:
                    after = list(whole(stage))
                    sun -= _sun_taken(claims, given, after)
                    given = after
    return given


def _sun_taken(claims: Sequence[Claim], before: Sequence[int], after: Sequence[int]) -> float:
    return sum(
        (new - old) * claim.watts_per_amp
        for claim, old, new in zip(claims, before, after, strict=True)
        if claim.used_w is None
    )


def _free_stage(
    problem: Problem, same: Sequence[int], given: Sequence[int], highest: Sequence[int], _sun: float
) -> Stage | None:
    """Return the stage of fast claims and guarantees: evenly in A."""
    most = {}
    for index in same:
        claim = problem.claims[index]
        if claim.kind is not Kind.SURPLUS:
            guaranteed = claim.kind is Kind.GUARANTEED
            most[index] = min(highest[index], claim.guaranteed_a) if guaranteed else highest[index]
    group = [index for index in most if most[index] > given[index]]
    if not group:
        return None
    ends = [most[index] for index in group]
    exact = max_min(problem.weights[:, group], _rest(problem, given, group), [given[i] for i in group], ends)
    return Stage(group=tuple(group), before=tuple(given), exact=tuple(exact), highest=tuple(ends), sun_w=None)


def _surplus_stage(
    problem: Problem, same: Sequence[int], given: Sequence[int], highest: Sequence[int], sun: float
) -> Stage | None:
    """Return the stage of pv claims: equal watts, within the circuits, then what is left of the surplus in A."""
    claims = problem.claims
    group = [
        index
        for index in same
        if claims[index].kind in {Kind.GUARANTEED, Kind.SURPLUS} and highest[index] > given[index]
    ]
    if not group:
        return None
    low, ends = [given[index] for index in group], [highest[index] for index in group]
    price = np.array([claims[i].watts_per_amp if claims[i].used_w is None else 0.0 for i in group])
    available = max(0.0, sun)
    weights, rest = problem.weights[:, group], _rest(problem, given, group)
    if available < inf:
        weights = np.vstack([weights, price / 1000.0])
        rest = np.append(rest, (available + price @ np.array(low)) / 1000.0)
    fair = max_min(weights, rest, low, _equal_watts(price, low, ends, available))
    exact = max_min(weights, rest, fair, ends)
    return Stage(group=tuple(group), before=tuple(given), exact=tuple(exact), highest=tuple(ends), sun_w=sun)


def _equal_watts(price: np.ndarray, low: Sequence[int], high: Sequence[int], available: float) -> list[float]:
    """Return the amps at which all who pay have the same power, whatever the circuits say."""
    result: list[float] = [float(amps) for amps in high]
    paying = [index for index, watts in enumerate(price) if watts > 0]
    if available == inf or not paying:
        return result
    kilowatts = price[paying] / 1000.0
    least = kilowatts * np.array([low[index] for index in paying])
    most = kilowatts * np.array([high[index] for index in paying])
    shares = max_min(np.ones((1, len(paying))), [available / 1000.0 + float(least.sum())], list(least), list(most))
    for index, share, per_amp in zip(paying, shares, kilowatts, strict=True):
        result[index] = share / float(per_amp)
    return result


def _rest(problem: Problem, given: Sequence[int], group: Sequence[int]) -> np.ndarray:
    """Return what all but the amps of the group leave of every limit."""
    own = np.array([amps if index in group else 0 for index, amps in enumerate(given)])
    return np.asarray(problem.room - problem.taken(given) + problem.weights @ own)
