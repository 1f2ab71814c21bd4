"""What is left under the limits of a tree while it is given away bit by bit."""

from collections.abc import Sequence

from .filling import EPSILON


class Space:
    """Room by limit of the tree, in A or W."""

    def __init__(self, room: Sequence[float]) -> None:
        """Begin with all of it."""
        self._left = list(room)

    def take(self, bounds: Sequence[int], power_bounds: Sequence[int], current_a: float, watts_per_amp: float) -> None:
        """Give a current in A per phase away; a negative one gives it back.

        Args:
            bounds: the limits in A that it counts against, by index.
            power_bounds: the limits in W that it counts against.
            current_a: A per phase.
            watts_per_amp: W of all its phases per A.
        """
        for bound in bounds:
            self._left[bound] -= current_a
        for bound in power_bounds:
            self._left[bound] -= current_a * watts_per_amp

    def has(self, bounds: Sequence[int], power_bounds: Sequence[int], current_a: float, watts_per_amp: float) -> bool:
        """Return whether a current in A per phase is left; the arguments are those of ``take``."""
        left = self._left
        return all(left[bound] >= current_a - EPSILON for bound in bounds) and all(
            left[bound] >= current_a * watts_per_amp - EPSILON for bound in power_bounds
        )
