"""Progressive filling as one would write it first: raise everybody together to the next event, count everything anew.

It says what the core's allocation has to come to within whole amps, and what its speed is measured beside.
"""

from collections.abc import Sequence

from custom_components.pv_load_manager.control.allocation import Claim

EPSILON = 1e-6


def fill(claims: Sequence[Claim], room: Sequence[float]) -> list[float]:
    """Return the max-min fair current of each claim in A, all of them of one priority and in need of no surplus.

    Args:
        claims: who asks; minimum currents are given in this order.
        room: what is left of every limit, in A or W.
    """
    weights = [
        [(bound, 1.0) for bound in claim.bounds] + [(bound, claim.watts_per_amp) for bound in claim.power_bounds]
        for claim in claims
    ]
    given = [0.0] * len(claims)
    for index, claim in enumerate(claims):
        left = _left(room, weights, given)
        if all(left[bound] >= claim.floor_a * weight - EPSILON for bound, weight in weights[index]):
            given[index] = float(claim.floor_a)
    free = {index for index, amps in enumerate(given) if amps > 0.0}
    while free:
        _freeze(claims, weights, given, free, _left(room, weights, given))
        if free:
            _raise(claims, weights, given, free, _left(room, weights, given))
    return given


def _left(room: Sequence[float], weights: Sequence[Sequence[tuple[int, float]]], given: Sequence[float]) -> list[float]:
    left = list(room)
    for own, amps in zip(weights, given, strict=True):
        for bound, weight in own:
            left[bound] -= amps * weight
    return left


def _freeze(
    claims: Sequence[Claim],
    weights: Sequence[Sequence[tuple[int, float]]],
    given: Sequence[float],
    free: set[int],
    left: Sequence[float],
) -> None:
    for index in list(free):
        if given[index] >= claims[index].cap_a - EPSILON or any(left[bound] <= EPSILON for bound, _ in weights[index]):
            free.discard(index)


def _raise(
    claims: Sequence[Claim],
    weights: Sequence[Sequence[tuple[int, float]]],
    given: list[float],
    free: set[int],
    left: Sequence[float],
) -> None:
    """Raise those with the least to the next event: one of them has all it may, or meets the next one, or a limit."""
    level = min(given[index] for index in free)
    lowest = [index for index in free if given[index] <= level + EPSILON]
    above = [given[index] for index in free if given[index] > level + EPSILON]
    step = min(claims[index].cap_a - given[index] for index in lowest)
    if above:
        step = min(step, min(above) - level)
    growth = [0.0] * len(left)
    for index in lowest:
        for bound, weight in weights[index]:
            growth[bound] += weight
    step = min(step, *(left[bound] / rate for bound, rate in enumerate(growth) if rate > 0.0))
    for index in lowest:
        given[index] += step
