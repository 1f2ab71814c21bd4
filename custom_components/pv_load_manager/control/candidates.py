"""A charger that asks for something."""

from dataclasses import dataclass

from . import phases
from .allocation import Kind
from .model import ChargerConfig, ChargerReading, Mode
from .ranking import Group
from .state import ChargerState


@dataclass(kw_only=True, slots=True)  # not frozen: there is one per charger and step, and a frozen one costs more
class Candidate:
    """A charger that may charge, before the surplus is asked."""

    charger: ChargerConfig
    state: ChargerState
    reading: ChargerReading
    kind: Kind
    mode: Mode
    volts: float
    options: phases.Options
    rank: tuple[float, ...]
    power_cap_w: float | None = None
    """What the grid operator allows it, in W; None = as much as its circuits do."""
    narrowed: bool = False
    """Whether that is too little for one of its numbers of phases."""
    released: bool = False
    """Whether that was so until just now: what the grid operator took nobody has to earn back."""

    @property
    def chosen_anew(self) -> bool:
        """Whether somebody just chose another mode: then nobody wants to wait for a delay."""
        return self.state.mode is not None and self.state.mode is not self.mode

    @property
    def idle(self) -> bool:
        """Return whether its car takes nothing although it may."""
        return self.rank[2] == Group.IDLE

    @property
    def running(self) -> bool:
        """Whether it is told to charge."""
        return self.state.command is not None and self.state.command.charge

    @property
    def phases(self) -> int:
        """Return the number of phases that it is told, or else set, to use."""
        command = self.state.command
        if command is not None and command.phases in self.options.allowed:
            return command.phases or 0
        return self.options.reading(self.reading)

    def cap_a(self, count: int) -> int:
        """Return the most in A per phase that installation, override and grid operator allow it on ``count`` phases."""
        amps = self._own_cap_a
        return amps if self.power_cap_w is None else min(amps, self._dimmed_a(count))

    def is_dimmed(self, count: int) -> bool:
        """Return whether the grid operator allows less than everybody else on ``count`` phases."""
        return self.narrowed or (self.power_cap_w is not None and self._dimmed_a(count) < self._own_cap_a)

    @property
    def _own_cap_a(self) -> int:
        amps = self.charger.max_current_a
        if self.reading.limit_a is not None:
            amps = min(amps, self.reading.limit_a)
        return amps if self.state.override is None else min(amps, self.state.override.current_a)

    def _dimmed_a(self, count: int) -> int:
        watts = self.volts * self.options.used(count)
        return int((self.power_cap_w or 0.0) / watts - max(0.0, self.state.excess_a))

    def floor_a(self, count: int) -> int:
        """Return the least current in A per phase on ``count`` phases; who chooses less himself gets less."""
        floor = self.options.floor(count)
        return floor if self.state.override is None else min(floor, self.state.override.current_a)

    @property
    def least_power(self) -> float:
        """Return the least power in W with which it can charge at all; 0 where its car takes nothing."""
        return 0.0 if self.idle else self.options.least_power(self.volts)
