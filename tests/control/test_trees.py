"""Sharing on random circuit trees: within every limit, as fair as linear programs find it, to the right ones."""

from collections.abc import Sequence
from math import floor, inf
from unittest.mock import patch

from hypothesis import given
import numpy as np

from custom_components.pv_load_manager.control import allocation
from custom_components.pv_load_manager.control.allocation import HYSTERESIS, SURPLUS_BOUND, Allocation, Kind, allocate
from custom_components.pv_load_manager.control.circuits import LimitKind

from .lexicographic import Problem, Stage, minimums, sun_beyond_minimums, walk
from .trees import Site, checked, sites

CLOSE = 1e-4
"""A between the shares and the optimum of the linear programs."""


def share(site: Site) -> Allocation:
    """Return what everybody gets."""
    return allocate(site.claims, site.by_limit(site.room), site.surplus_w, site.by_limit(site.lasting))


class Rounds:
    """Every filling of an allocation: its group, its exact shares, and the whole amps after it."""

    def __init__(self) -> None:
        """Begin without any."""
        self.seen: list[tuple[dict[int, float], list[int]]] = []

    def watch(self, site: Site) -> Allocation:
        """Share while looking at every filling before its shares are rounded."""
        seen = self.seen

        class Watched(allocation._Share):
            def _to_whole_amps(self, group: Sequence[int], value: Sequence[float], highest: Sequence[int]) -> None:
                exact = {index: value[index] for index in group}
                super()._to_whole_amps(group, value, highest)
                seen.append((exact, list(self.given)))

        with patch.object(allocation, "_Share", Watched):
            return share(site)


def raised(amps: Sequence[int], index: int) -> list[int]:
    """Return the same with one A more for one."""
    return [current + (position == index) for position, current in enumerate(amps)]


def check_whole_amps(problem: Problem, stage: Stage, after: Sequence[int]) -> None:
    """Check what became of exact shares: nothing is lost by more than an amp, nothing taken that is not there."""
    claims, before = problem.claims, stage.before
    assert problem.fits(after)
    sun, rise, tolerance = inf if stage.sun_w is None else stage.sun_w, 0.0, 0.0
    for position, index in enumerate(stage.group):
        least = max(before[index], floor(stage.exact[position] - CLOSE))
        assert least <= after[index] <= stage.highest[position], (stage, after)
        if claims[index].used_w is None:
            rise += (after[index] - before[index]) * claims[index].watts_per_amp
            if before[index] < after[index] <= claims[index].present_a:
                tolerance = max(tolerance, HYSTERESIS * claims[index].watts_per_amp)
    assert rise <= max(0.0, sun) + tolerance + 1e-3
    assert all(after[index] == before[index] for index in range(len(claims)) if index not in stage.group)
    for position, index in enumerate(stage.group):
        if after[index] < stage.highest[position] and problem.fits(raised(after, index)):
            assert claims[index].used_w is None
            assert rise + claims[index].watts_per_amp > sun - 1e-3, (stage, after)


@checked(400)
@given(sites())
def test_every_filling_is_the_lexicographic_optimum(site: Site) -> None:
    """Before rounding the shares are those of the linear programs; after it each has at least its whole amps."""
    rounds = Rounds()
    result = rounds.watch(site)
    problem = site.problem()
    waiting = iter(rounds.seen)

    def whole(stage: Stage) -> list[int]:
        exact, after = next(waiting)
        assert exact.keys() == set(stage.group)
        for index, best in zip(stage.group, stage.exact, strict=True):
            assert abs(exact[index] - best) < CLOSE, (stage, exact)
        check_whole_amps(problem, stage, after)
        return after

    assert walk(problem, whole) == list(result.amps)
    assert next(waiting, None) is None


@checked(600)
@given(sites())
def test_no_limit_is_exceeded(site: Site) -> None:
    """Whatever is drawn: circuits and surplus hold, and what is named as the limit of a charger is full."""
    result = share(site)
    for claim, current in zip(site.claims, result.amps, strict=True):
        assert current == 0 or claim.floor_a <= current <= claim.cap_a
    check_circuits(site, result.amps)
    check_surplus(site, result.amps)
    check_bounds(site, result)


def check_circuits(site: Site, amps: Sequence[int]) -> None:
    """Current, power and imbalance of every circuit hold wherever the chargers really are."""
    for (circuit_id, kind, line), room in site.room.items():
        if kind is LimitKind.CURRENT:
            assert site.currents(amps, circuit_id)[line] <= max(0.0, room) + 1e-5
        elif kind is LimitKind.POWER:
            assert site.power(amps, circuit_id) <= room + 1e-2
        else:
            currents = site.currents(amps, circuit_id)
            assert max(currents) - min(currents) <= room + 1e-5


def check_surplus(site: Site, amps: Sequence[int]) -> None:
    """Beyond minimums and guarantees nobody buys, but for the quarter of an amp that keeps a current from toggling.

    The guarantee of a lower priority may be bought while a higher one has the sun.
    """
    beyond = minimum = tolerance = 0.0
    for claim, current in zip(site.claims, amps, strict=True):
        if claim.used_w is None and current:
            least = min(current, max(claim.floor_a, claim.guaranteed_a))
            minimum += claim.floor_a * claim.watts_per_amp
            beyond += (current - least) * claim.watts_per_amp
            if least < current <= claim.present_a:
                tolerance = max(tolerance, HYSTERESIS * claim.watts_per_amp)
    if beyond:
        assert site.surplus_w is not None
        assert beyond + minimum <= site.surplus_w + tolerance + 1e-3


def check_bounds(site: Site, result: Allocation) -> None:
    """Where a limit is named one amp more (or the minimum) would exceed it; where none is the circuits have room."""
    problem, keys = site.problem(), list(site.room)
    for index, (claim, bound) in enumerate(zip(site.claims, result.bounds, strict=True)):
        amps = [*result.amps]
        amps[index] += 1 if amps[index] else claim.floor_a
        if bound is None or bound == SURPLUS_BOUND:
            assert result.amps[index] or claim.floor_a > claim.cap_a
            assert result.amps[index] in {0, claim.cap_a} or problem.fits(amps)
            continue
        limit = site.tree.limits[bound]
        row = keys.index((limit.circuit_id, limit.kind, limit.line))
        assert problem.weights[row, index] > 0
        waits = not result.amps[index] and not claim.present_a
        lasts_not = waits and problem.taken(problem.floors(amps))[row] > problem.lasting[row] - 1e-5
        assert lasts_not or problem.taken(amps)[row] > problem.room[row] - 1e-5


@checked(600)
@given(sites())
def test_the_right_ones_charge(site: Site) -> None:
    """A minimum goes to the first in line who finds room, all that is there is used, a higher priority has more."""
    problem, amps = site.problem(), share(site).amps
    for index, claim in enumerate(site.claims):
        if amps[index] and not claim.idle:
            check_raised_first(problem, amps, index)
        if claim.floor_a <= claim.cap_a:
            check_place(problem, amps, index)


def check_place(problem: Problem, amps: Sequence[int], index: int) -> None:
    """Whoever has a minimum found room behind those before it in the line; whoever has none did not.

    Then none of those behind it could have given it theirs, and it does not fit beside what all got, either. Cars that
    take nothing stand behind all others, and behind what these need.
    """
    claim, floors = problem.claims[index], problem.floors(amps)
    own = problem.column(index) > 0
    before = [
        least if other.idle < claim.idle or (other.idle is claim.idle and position < index) else 0
        for position, (other, least) in enumerate(zip(problem.claims, floors, strict=True))
    ]
    before[index] = claim.floor_a
    taken = problem.taken(before)[own]
    lasts = np.full(taken.shape, True) if claim.present_a else taken <= problem.lasting[own] + 1e-5
    if amps[index]:
        assert (lasts & (taken <= problem.room[own] + 1e-5)).all()
        return
    assert claim.idle or not (lasts & (taken <= problem.room[own] - 1e-5)).all()
    beside = [*amps] if claim.idle else [*floors]
    beside[index] = claim.floor_a
    assert not (lasts & (problem.taken(beside)[own] <= problem.room[own] - 1e-5)).all()


def check_raised_first(problem: Problem, amps: Sequence[int], index: int) -> None:
    """Whoever has less than its car uses could not have more even if all of lower priority had their minimum."""
    claim = problem.claims[index]
    if amps[index] >= min(claim.cap_a, claim.demand_a):
        return
    floors = minimums(problem)
    less = [
        least if other.idle or other.priority < claim.priority else current
        for other, least, current in zip(problem.claims, floors, amps, strict=True)
    ]
    if not problem.fits(raised(less, index)):
        return
    assert claim.kind in {Kind.SURPLUS, Kind.GUARANTEED}
    assert amps[index] >= claim.guaranteed_a
    assert claim.used_w is None
    left = sun_beyond_minimums(problem, floors) - sum(
        (current - least) * other.watts_per_amp
        for other, least, current in zip(problem.claims, floors, less, strict=True)
        if other.used_w is None
    )
    assert left < claim.watts_per_amp + 1e-3, (index, amps)
