"""How lively the sun is: by how much the surplus strays from its own mean."""

from math import exp
from typing import NamedTuple

MEAN_SECONDS = 600.0
SPREAD_SECONDS = 1800.0


class Liveliness(NamedTuple):
    """The memory of the surplus of the last half hour."""

    at: float
    mean_w: float
    spread_w: float = 0.0
    """Mean distance from the mean, in W."""

    def after(self, at: float, surplus_w: float) -> Liveliness:
        """Return the memory with a further moment."""
        seconds = max(0.0, at - self.at)
        mean = self.mean_w + (surplus_w - self.mean_w) * (1.0 - exp(-seconds / MEAN_SECONDS))
        spread = self.spread_w + (abs(surplus_w - mean) - self.spread_w) * (1.0 - exp(-seconds / SPREAD_SECONDS))
        return Liveliness(at, mean, spread)
