"""The room of the circuits while candidates find their places in it, one after the other."""

from collections.abc import Sequence
from math import inf

from . import solar
from .allocation import Claim
from .candidates import Candidate
from .chargers import is_switching
from .circuits import Tree
from .crowd import Crowd
from .electrics import grid_phases, phase_count
from .law import ONE
from .model import Configuration
from .ranking import is_promised
from .space import Space

type Bounds = tuple[tuple[int, ...], tuple[int, ...]]
"""The limits in A and those in W that a charger counts against, by index."""


class Places:
    """Who has a place in the circuits, and who could have one."""

    def __init__(
        self, config: Configuration, tree: Tree, room: Sequence[float], candidates: Sequence[Candidate], now: float
    ) -> None:
        """Keep the minimum currents of all that run or are about to.

        Args:
            config: the configuration.
            tree: its circuits.
            room: what all candidates may draw, by limit of the tree, in A or W.
            candidates: all of them.
            now: monotonic seconds.
        """
        self._config = config
        self._tree = tree
        self._now = now
        self._room = Space(room)
        self._open = Space(room)
        """The room without what was given so far; no minimum of those that come later is kept free in it."""
        self._crowd = Crowd(room)
        self._held: dict[str, tuple[Bounds, float, float]] = {}
        for candidate in candidates:
            self._hold(candidate)

    def release(self, candidate: Candidate) -> None:
        """Give back what is kept for a candidate: it is asked now."""
        held = self._held.pop(candidate.charger.charger_id, None)
        if held is not None:
            bounds, floor_a, watts = held
            self._room.take(*bounds, -floor_a, watts)

    def take(self, candidate: Candidate, claim: Claim) -> None:
        """Give the minimum current of a claim away."""
        for space in (self._open, self._room):
            space.take(claim.bounds, claim.power_bounds, claim.floor_a, claim.watts_per_amp)
        if not candidate.running and not candidate.idle:
            self._crowd.join(claim.bounds, claim.cap_a)

    def is_open(self, claim: Claim) -> bool:
        """Return whether those that came before leave room for a claim."""
        return self._open.has(claim.bounds, claim.power_bounds, claim.floor_a, claim.watts_per_amp)

    def is_free(self, claim: Claim) -> bool:
        """Return whether there is room for a claim beside all that run."""
        return self._room.has(claim.bounds, claim.power_bounds, claim.floor_a, claim.watts_per_amp)

    def is_blocked(self, candidate: Candidate) -> bool:
        """Return whether the circuits have no room for a candidate, whatever its number of phases."""
        return not candidate.running and not any(
            self._open.has(*self.bounds(candidate, count), candidate.floor_a(count), watts_per_amp(candidate, count))
            for count in candidate.options.allowed
        )

    def fits(self, candidate: Candidate, count: int) -> bool:
        """Return whether there is room for a candidate on a number of phases beside all others that run."""
        if count not in candidate.options.allowed:
            return False
        held = self._held.get(candidate.charger.charger_id)
        self.release(candidate)
        found = self._room.has(
            *self.bounds(candidate, count), candidate.floor_a(count), watts_per_amp(candidate, count)
        )
        if held is not None:
            self._keep(candidate, *held)
        return found

    def one_a(self, candidate: Candidate, joining: Sequence[int] = ()) -> float:
        """Return a candidate's equal part of what the circuits have on its one phase, in A.

        Args:
            candidate: the candidate.
            joining: the limits in A that one more would count against.
        """
        if len(candidate.options.allowed) == 1:
            return inf
        bounds = self.bounds(candidate, 1)[0]
        return self._crowd.share_a(bounds, joining if solar.choice_of(candidate) == ONE else bounds)

    def lines(self, candidate: Candidate, count: int) -> tuple[int, ...]:
        """Return the grid phases (0..2) that a candidate loads, or may load, on a number of phases."""
        used, state = candidate.options.used(count), candidate.state
        if phase_count(candidate.reading) > used and not is_switching(self._config, state, self._now):
            used = candidate.charger.wired_phases  # it draws on more phases than it was told: so it is there
        return grid_phases(candidate.charger, self._config.phases, used, state.first_line)

    def bounds(self, candidate: Candidate, count: int) -> Bounds:
        """Return the limits that a candidate counts against on a number of phases."""
        return self._tree.bounds(
            candidate.charger.circuit_id, self.lines(candidate, count), balanced=candidate.options.used(count) == 3
        )

    def _hold(self, candidate: Candidate) -> None:
        command = candidate.state.command
        if command is None or not (command.charge or is_promised(self._config, candidate.state, self._now)):
            return
        count = command.phases or 3
        bounds, floor, watts = self.bounds(candidate, count), candidate.floor_a(count), watts_per_amp(candidate, count)
        self._keep(candidate, bounds, floor, watts)
        if command.charge and not candidate.idle:
            most, demand = candidate.cap_a(count), candidate.state.demand_a
            self._crowd.join(bounds[0], most if demand is None else min(most, demand))

    def _keep(self, candidate: Candidate, bounds: Bounds, floor_a: float, watts: float) -> None:
        self._room.take(*bounds, floor_a, watts)
        self._held[candidate.charger.charger_id] = bounds, floor_a, watts


def watts_per_amp(candidate: Candidate, count: int) -> float:
    """Return the power in W of a candidate per A on a number of phases."""
    return candidate.volts * candidate.options.used(count)
