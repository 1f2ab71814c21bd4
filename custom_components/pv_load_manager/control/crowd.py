"""How much current a charger could have beside all others that load the same limits."""

from collections.abc import Sequence
from math import inf


class Crowd:
    """Who loads which limits of a tree, and with how much at most."""

    def __init__(self, room: Sequence[float]) -> None:
        """Begin with nobody.

        Args:
            room: what all may draw together, by limit of the tree, in A.
        """
        self._room = room
        self._members: dict[int, list[float]] = {}
        self._known: dict[tuple[int, int], float] = {}

    def join(self, bounds: Sequence[int], most_a: float) -> None:
        """Let one in.

        Args:
            bounds: the limits in A that it counts against, by index.
            most_a: what it draws at most, in A per phase.
        """
        for bound in bounds:
            self._members.setdefault(bound, []).append(most_a)
        self._known.clear()

    def share_a(self, bounds: Sequence[int], joining: Sequence[int] = ()) -> float:
        """Return the equal share under the tightest of some limits in A per phase; who draws less leaves the rest.

        Args:
            bounds: the limits in A, by index.
            joining: those that one more would count against.
        """
        return min((self._share_of(bound, int(bound in joining)) for bound in bounds), default=inf)

    def _share_of(self, bound: int, more: int) -> float:
        known = self._known.get((bound, more))
        if known is None:
            known = self._known[bound, more] = _level(self._members.get(bound, ()), self._room[bound], more)
        return known


def _level(most: Sequence[float], left: float, more: int) -> float:
    count = len(most) + more
    for amps in sorted(most):
        if amps * count >= left:
            break
        left -= amps
        count -= 1
    return max(left, 0.0) / count if count else inf
