"""Shares rooms and surplus: who gets a minimum at all, then max-min fair shares, then whole amps.

Every limit (a phase of a circuit, its power, its imbalance) is one bound: a capacity and the claims that use it. Claims
are raised evenly until a bound or their own cap stops them ("progressive filling", Bertsekas and Gallager, Data
Networks, 6.5.2); that is the max-min fair optimum, and it takes one pass over the events instead of one per amp.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf

from .filling import EPSILON, Filling
from .model import HIGHEST_CURRENT, ROOT_CIRCUIT

# An amp that a charger has is taken away only when this much of it is missing, so that noise does not toggle it.
HYSTERESIS = 0.25
SURPLUS_BOUND = -1
"""What ``Allocation.bounds`` says where the surplus is what binds."""


class Kind(IntEnum):
    """What a charger charges for; the order is the order in which minimum currents are given."""

    UNTOUCHED = 0
    FAST = 1
    GUARANTEED = 2
    SURPLUS = 3


@dataclass(kw_only=True, slots=True)  # not frozen: there is one per charger and step, and a frozen one costs more
class Claim:
    """What one charger asks for."""

    charger_id: str
    circuit_id: str = ROOT_CIRCUIT
    kind: Kind
    priority: int = 0
    """Claims of a higher number are raised first; nobody loses a minimum for that."""
    floor_a: int
    """It runs with at least this or not at all."""
    guaranteed_a: int = 0
    """Up to this it needs no surplus."""
    demand_a: int = HIGHEST_CURRENT
    """What its car is believed to use; what is above it goes to others first."""
    cap_a: int
    phases: int
    """The number of phases it is set to."""
    lines: tuple[int, ...]
    """The grid phases (0..2) it loads."""
    watts_per_amp: float
    present_a: int = 0
    """What it has now; 0 = it does not run."""
    idle: bool = False
    """Its car was offered current and took none: it gets its minimum from what all others leave."""
    excess_a: float = 0.0
    """What its car draws beyond whatever it is given, per phase."""
    used_w: float | None = None
    """What it takes of the surplus whatever it is given; None = what it is given. Always 0 where it needs none of it:
    the surplus is already without what such chargers draw."""
    bounds: tuple[int, ...] = ()
    """The limits in A that each of its amps counts against."""
    power_bounds: tuple[int, ...] = ()
    """The limits in W that each of its watts counts against."""
    margin_a: int = 0
    """The part of the demand that its car is not seen to draw: no sun is set aside for that."""
    dimmed: bool = False
    """Whether its cap is what the grid operator allows."""
    is_turn: bool = False
    """Whether it begins because it takes the turn of another one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """What everybody gets, in the order of the claims."""

    amps: tuple[int, ...]
    """Whole A per phase; 0 = nothing."""
    bounds: tuple[int | None, ...]
    """The limit that keeps a claim from more: an index, ``SURPLUS_BOUND``, or None = its own cap."""


def allocate(
    claims: Sequence[Claim],
    room: Sequence[float],
    surplus_w: float | None,
    lasting: Sequence[float] | None = None,
    round_up: float = 0.0,
) -> Allocation:
    """Return the current per claim in A.

    Minimum currents come first, in the order of the claims: whoever does not fit gets nothing. Then, by priority: fast
    claims and guarantees are raised evenly in A; after them pv claims, and min+pv above its guarantee, share what is
    left of the surplus evenly in W. What cars cannot use is given away first, and only then allowed to them again; so
    are the minimum currents of cars that take nothing.

    Args:
        claims: who asks, the first in line first.
        room: what is left of every limit, in A or W, by index.
        surplus_w: surplus for pv and min+pv in W; None = nothing is known, so nobody gets more than a minimum of it.
        lasting: what is left of every limit for those that do not charge yet: nobody gives way for one that could not
            begin; None = the same.
        round_up: the part of an amp that may be missing in the surplus when it is given all the same.
    """
    share = _Share(claims, room, lasting, round_up)
    share.minimums(idle=False)
    share.sun_w = 0.0 if surplus_w is None else surplus_w - share.taken()
    priorities = sorted({claim.priority for claim in claims}, reverse=True)
    demands = [min(claim.cap_a, max(claim.demand_a - claim.margin_a, claim.floor_a)) for claim in claims]
    caps = [claim.cap_a for claim in claims]
    idle = any(claim.idle for claim in claims)
    for highest in (demands, caps) if idle or demands != caps else (caps,):
        if idle and highest is caps:
            share.minimums(idle=True)
        for priority in priorities:
            group = [index for index in share.active if claims[index].priority == priority]
            share.raise_free(group, highest)
            share.raise_surplus(group, highest)
    share.raise_margins()
    return Allocation(amps=tuple(share.given), bounds=tuple(share.binding(index) for index in range(len(claims))))


class _Share:
    """The state of one allocation."""

    def __init__(
        self, claims: Sequence[Claim], room: Sequence[float], lasting: Sequence[float] | None, round_up: float
    ) -> None:
        self._claims = claims
        self._round_up = round_up
        self._lasting = list(lasting) if lasting is not None else None
        self._surplus = len(room)
        self._left = [max(0.0, value) for value in room]
        self._left.append(inf)
        weights: dict[tuple[tuple[int, ...], tuple[int, ...], float], list[tuple[int, float]]] = {}
        self._base: list[list[tuple[int, float]]] = []
        """Per claim what an amp of it takes of which limit; many claims have the same."""
        for claim in claims:
            key = (claim.bounds, claim.power_bounds, claim.watts_per_amp if claim.power_bounds else 0.0)
            if key not in weights:
                weights[key] = [(bound, 1.0) for bound in claim.bounds]
                weights[key] += [(bound, claim.watts_per_amp) for bound in claim.power_bounds]
            self._base.append(weights[key])
        self.given = [0] * len(claims)
        self.active: list[int] = []
        self.sun_w = 0.0

    def minimums(self, *, idle: bool) -> None:
        """Give everybody its minimum who still finds room for it."""
        left, lasting = self._left, self._lasting
        for index, claim in enumerate(self._claims):
            floor = claim.floor_a
            if floor > claim.cap_a or claim.idle is not idle:
                continue
            weights, draw = self._base[index], floor + claim.excess_a
            if not _has_room(left, weights, draw):
                continue
            if lasting is not None and not claim.present_a and not _has_room(lasting, weights, draw):
                continue
            for bound, weight in weights:
                left[bound] -= weight * draw
                if lasting is not None:
                    lasting[bound] -= weight * draw
            self.given[index] = floor
            self.active.append(index)

    def taken(self) -> float:
        """Surplus in W that is gone before anybody gets more than a minimum."""
        return sum(
            claim.used_w if claim.used_w is not None else (self.given[index] + claim.excess_a) * claim.watts_per_amp
            for index, claim in enumerate(self._claims)
            if self.given[index] or claim.used_w is not None
        )

    def raise_free(self, group: Iterable[int], highest: Sequence[int]) -> None:
        """Raise what needs no surplus: fast claims to their cap, min+pv to its guarantee."""
        claims, raised = self._claims, []
        high = list(highest)
        for index in group:
            claim = claims[index]
            if claim.kind is Kind.SURPLUS:
                continue
            if claim.kind is Kind.GUARANTEED:
                high[index] = min(high[index], claim.guaranteed_a)
            if high[index] > self.given[index]:
                raised.append(index)
        before = {index: self.given[index] for index in raised if claims[index].kind is Kind.GUARANTEED}
        self._raise(raised, high)
        for index, amps in before.items():
            if claims[index].used_w is None:
                self.sun_w -= (self.given[index] - amps) * claims[index].watts_per_amp

    def raise_surplus(self, group: Iterable[int], highest: Sequence[int]) -> None:
        """Raise what the surplus pays for: equal watts first, then what is left to whoever has room for it."""
        claims, given = self._claims, self.given
        raised = [
            index
            for index in group
            if claims[index].kind in {Kind.GUARANTEED, Kind.SURPLUS} and highest[index] > given[index]
        ]
        if not raised:
            return
        left, surplus = self._left, self._surplus
        left[surplus] = max(0.0, self.sun_w)
        paying = [index for index in raised if claims[index].used_w is None]
        value: list[float] = list(given)
        high: list[float] = list(highest)
        for index, watts in zip(paying, self._equal_watts(paying, highest), strict=True):
            high[index] = watts / claims[index].watts_per_amp
        self._fill(raised, value, high)
        self._fill(raised, value, list(highest))
        self._to_whole_amps(raised, value, highest)
        self.sun_w = left[surplus]
        left[surplus] = inf

    def raise_margins(self) -> None:
        """Let cars that have all they draw have a little more, so that they can show when they want it."""
        claims, given, high = self._claims, self.given, list(self.given)
        raised = []
        for index in self.active:
            claim = claims[index]
            if claim.margin_a and given[index] >= claim.demand_a - claim.margin_a:
                high[index] = min(claim.cap_a, max(claim.demand_a, given[index]))
                raised.append(index)
        self._raise([index for index in raised if high[index] > given[index]], high)

    def _equal_watts(self, paying: Sequence[int], highest: Sequence[int]) -> list[float]:
        """Return the power in W of each at which all have the same, within what each can take."""
        claims = self._claims
        lows = [self.given[index] * claims[index].watts_per_amp for index in paying]
        highs = [highest[index] * claims[index].watts_per_amp for index in paying]
        left = self._left[self._surplus]
        if left == inf or sum(highs) - sum(lows) <= left:
            return highs
        events = sorted([(low, 1) for low in lows] + [(high, -1) for high in highs])
        level, rising = events[0][0], 0
        for at, step in events:
            if rising and level + left / rising <= at:
                break
            left -= rising * (at - level)
            level, rising = at, rising + step
        if rising:
            level += left / rising
        return [min(high, max(low, level)) for low, high in zip(lows, highs, strict=True)]

    def _raise(self, group: Sequence[int], highest: Sequence[int]) -> None:
        if not group:
            return
        value: list[float] = list(self.given)
        self._fill(group, value, list(highest))
        self._to_whole_amps(group, value, highest)

    def _weights(self, index: int) -> list[tuple[int, float]]:
        if self._left[self._surplus] == inf:
            return self._base[index]
        claim = self._claims[index]
        return (
            self._base[index]
            if claim.used_w is not None
            else [*self._base[index], (self._surplus, claim.watts_per_amp)]
        )

    def _take(self, index: int, amps: float) -> None:
        for bound, weight in self._weights(index):
            self._left[bound] -= weight * amps

    def _fill(self, group: Iterable[int], value: list[float], high: Sequence[float]) -> None:
        """Raise all from their value towards their high evenly, until a bound stops them; exact, not whole."""
        left = self._left
        raised = [index for index in group if high[index] > value[index] + EPSILON]
        weights = {index: self._weights(index) for index in raised}
        need: dict[int, float] = {}
        for index in raised:
            rise = high[index] - value[index]
            for bound, weight in weights[index]:
                need[bound] = need.get(bound, 0.0) + weight * rise
        # Only a bound that cannot carry everybody can ever stop somebody.
        scarce = {bound for bound, amount in need.items() if left[bound] < amount}
        low = {index: value[index] for index in raised}
        bounded = []
        for index in raised:
            if any(bound in scarce for bound, _ in weights[index]):
                bounded.append(index)
            else:
                value[index] = high[index]
        if bounded:
            Filling(bounded, weights, left, scarce).run(value, high)
        for index in raised:
            rise = value[index] - low[index]
            for bound, weight in weights[index]:
                if bound not in scarce:
                    left[bound] -= weight * rise

    def _to_whole_amps(self, group: Sequence[int], value: Sequence[float], highest: Sequence[int]) -> None:
        """Round down, and give what that leaves over in single amps: first to those that were rounded down.

        Among them those come first that already have the amp, so that noise does not move it from one to another.
        """
        claims, given, left = self._claims, self.given, self._left
        watts = {}
        for index in group:
            given[index] = whole = max(given[index], int(value[index] + EPSILON))
            spare = value[index] - whole
            if spare:
                for bound, weight in self._weights(index):
                    left[bound] += weight * spare
            watts[index] = claims[index].watts_per_amp
        waiting = [index for index in group if given[index] < highest[index]]
        waiting.sort(
            key=lambda index: (
                value[index] - given[index] <= EPSILON,
                given[index] >= claims[index].present_a,
                given[index] - value[index],
            )
        )
        while waiting:
            raised = []
            for index in waiting:
                part = self._round_up
                if given[index] < claims[index].present_a:
                    part = max(part, HYSTERESIS)
                if self._fits_one_more(index, part * watts[index]):
                    self._take(index, 1.0)
                    given[index] += 1
                    if given[index] < highest[index]:
                        raised.append(index)
            waiting = sorted(raised, key=given.__getitem__)

    def _fits_one_more(self, index: int, tolerance_w: float) -> bool:
        left = self._left
        for bound, weight in self._base[index]:
            if left[bound] < weight - EPSILON:
                return False
        claim = self._claims[index]
        return claim.used_w is not None or left[self._surplus] + tolerance_w >= claim.watts_per_amp - EPSILON

    def binding(self, index: int) -> int | None:
        """Return what keeps a claim from one amp more, or from its minimum."""
        claim, given = self._claims[index], self.given[index]
        if given >= claim.cap_a:
            return None
        more = 1.0 if given else claim.floor_a + claim.excess_a
        left, lasting = self._left, self._lasting
        if lasting is not None and not given and not claim.present_a:
            left = [min(now, later) for now, later in zip(left, lasting, strict=False)]
        slack, tightest = inf, None
        for bound in claim.bounds:
            if left[bound] < min(slack, more - EPSILON):
                slack, tightest = left[bound], bound
        if tightest is not None:
            return tightest
        for bound in claim.power_bounds:
            if left[bound] < more * claim.watts_per_amp - EPSILON:
                return bound
        return SURPLUS_BOUND if claim.kind in {Kind.GUARANTEED, Kind.SURPLUS} else None


def _has_room(room: Sequence[float], weights: Iterable[tuple[int, float]], amps: float) -> bool:
    return not [bound for bound, weight in weights if room[bound] < weight * amps - EPSILON]
