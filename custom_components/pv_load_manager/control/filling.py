"""Progressive filling: raises claims evenly until a limit that they share, or their own cap, stops them."""

from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import inf

EPSILON = 1e-6


class Filling:
    """Progressive filling by events: a claim joins at its low, leaves at its high, or when a bound of it is full."""

    def __init__(
        self,
        raised: Sequence[int],
        weights: dict[int, list[tuple[int, float]]],
        left: list[float],
        scarce: set[int],
    ) -> None:
        self._raised = raised
        self._weights = {index: [item for item in weights[index] if item[0] in scarce] for index in raised}
        self._left = left
        self._members: dict[int, list[int]] = {bound: [] for bound in scarce}
        for index, items in self._weights.items():
            for bound, _ in items:
                self._members[bound].append(index)
        self._rate = dict.fromkeys(scarce, 0.0)
        self._at = dict.fromkeys(scarce, 0.0)

    def run(self, value: list[float], high: Sequence[float]) -> None:
        """Raise the values; what is left of the scarce bounds is written back."""
        low = {index: value[index] for index in self._raised}
        rising: set[int] = set()
        starts = sorted(self._raised, key=low.__getitem__, reverse=True)
        ends = sorted(self._raised, key=high.__getitem__, reverse=True)
        full: list[tuple[float, int]] = []
        while starts or rising:
            start = low[starts[-1]] if starts else inf
            while ends and ends[-1] not in rising and (not starts or high[ends[-1]] <= start):
                ends.pop()  # it was stopped before
            end = high[ends[-1]] if ends and ends[-1] in rising else inf
            stop = self._next_full(full)
            if start <= min(end, stop):
                joining = []
                while starts and low[starts[-1]] == start:
                    joining.append(starts.pop())
                self._join(joining, start, full)
                rising.update(joining)
            elif end <= stop:
                self._leave(ends.pop(), end, value, rising)
            else:
                bound = heappop(full)[1]
                for index in self._members[bound]:
                    if index in rising:
                        self._leave(index, stop, value, rising)

    def _next_full(self, full: list[tuple[float, int]]) -> float:
        """Return the level at which the next bound is full; entries that leaving claims have outdated are renewed."""
        while full:
            level, bound = full[0]
            rate = self._rate[bound]
            if rate <= EPSILON:
                heappop(full)
                continue
            exact = self._at[bound] + max(0.0, self._left[bound]) / rate
            if exact <= level + 1e-12:
                return level
            heapreplace(full, (exact, bound))
        return inf

    def _account(self, bound: int, level: float) -> None:
        self._left[bound] -= self._rate[bound] * (level - self._at[bound])
        self._at[bound] = level

    def _join(self, joining: Iterable[int], level: float, full: list[tuple[float, int]]) -> None:
        rates, touched = self._rate, set()
        for index in joining:
            for bound, weight in self._weights[index]:
                if bound not in touched:
                    self._account(bound, level)
                    touched.add(bound)
                rates[bound] += weight
        entries = [(level + max(0.0, self._left[bound]) / self._rate[bound], bound) for bound in touched]
        if full:
            for entry in entries:
                heappush(full, entry)
        else:
            full.extend(entries)
            heapify(full)

    def _leave(self, index: int, level: float, value: list[float], rising: set[int]) -> None:
        value[index] = level
        rising.discard(index)
        left, rates, accounted = self._left, self._rate, self._at
        for bound, weight in self._weights[index]:
            rate, at = rates[bound], accounted[bound]
            if at != level:
                left[bound] -= rate * (level - at)
                accounted[bound] = level
            rates[bound] = rate - weight
