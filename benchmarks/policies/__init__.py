"""Who is in control: ours, and peers written from the description of what they do."""

from collections.abc import Mapping
from typing import Protocol

from benchmarks.plant import Observation, Order


class Policy(Protocol):
    """Somebody who controls chargers."""

    setup: str
    """How it is set up for the site, for the reader of the figures."""

    def step(self, now: float, seen: Observation) -> Mapping[str, Order]:
        """Return the orders of this second; who is not named keeps what it was told."""
        ...
