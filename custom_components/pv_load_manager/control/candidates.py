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

    @property
    def cap_a(self) -> int:
        """Return the most that its installation allows, in A per phase."""
        limit = self.reading.limit_a
        return self.charger.max_current_a if limit is None else min(self.charger.max_current_a, limit)

    @property
    def least_power(self) -> float:
        """Return the least power in W with which it can charge at all; 0 where its car takes nothing."""
        return 0.0 if self.idle else self.options.least_power(self.volts)
