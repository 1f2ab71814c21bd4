"""A car's onboard charger."""

from dataclasses import replace
from typing import Any

from .config import CarConfig, PhaseValues


class Car:
    """Draws what it is offered, after a delay, with a ramp, until it is full.

    Attributes:
        config: What it can do now.
        energy_wh: Energy in its battery, Wh.
        currents: Current on the charger's own L1, L2, L3, A.
        stalled: Whether it gave up after a switch of phases.
    """

    def __init__(self, config: CarConfig) -> None:
        self.config = config
        self.energy_wh = config.capacity_wh * config.soc
        self.currents: PhaseValues = (0.0, 0.0, 0.0)
        self._current = 0.0
        self._permitted_s = 0.0
        self.stalled = False

    @property
    def soc(self) -> float:
        """State of charge, 0 to 1."""
        return self.energy_wh / self.config.capacity_wh

    @property
    def full(self) -> bool:
        """Whether it has what it wants."""
        return self.soc >= self.config.target_soc

    @property
    def drawing(self) -> bool:
        """Whether current flows."""
        return self._current > 0.0

    def change(self, **values: Any) -> None:
        """Let it be able to do something else from now on: attributes of CarConfig; `soc` sets its energy."""
        self.config = replace(self.config, **values)
        if "soc" in values:
            self.energy_wh = self.config.capacity_wh * self.config.soc

    def fill(self) -> None:
        """Let it have what it wants."""
        self.energy_wh = max(self.energy_wh, self.config.capacity_wh * self.config.target_soc)

    def cut(self) -> None:
        """Lose the supply at once: the contactor opened."""
        self._current = 0.0
        self._permitted_s = 0.0
        self.currents = (0.0, 0.0, 0.0)

    def switched(self) -> None:
        """Lose the supply because the contactor went over to another number of phases."""
        self.cut()
        self.stalled = self.config.stalls_after_switch

    def step(self, dt: float, offered: float | None, live_phases: int, voltages: PhaseValues) -> float:
        """Charge for `dt` seconds.

        Args:
            dt: Seconds.
            offered: Current the charger signals, A; None = must not charge.
            live_phases: How many of the charger's phases are behind a closed contactor.
            voltages: Of the charger's own L1, L2, L3, V.

        Returns:
            Energy taken, Wh.
        """
        self.stalled = self.stalled and offered is not None
        usable = offered is not None and offered >= self.config.min_current and not self.full and not self.stalled
        self._permitted_s = self._permitted_s + dt if usable else 0.0
        target = 0.0
        if offered is not None and usable and self._permitted_s >= self.config.start_delay_s:
            target = min(offered, self.config.max_current)
        if self._current < target:
            # IEC 61851 knows no charging below 6 A: the first current is the minimum.
            floor = min(self.config.min_current, target)
            self._current = min(target, max(floor, self._current + self.config.ramp_up * dt))
        else:
            self._current = max(target, self._current - self.config.ramp_down * dt)
        used = min(self.config.phases, live_phases)
        first, second, third = (self._current if phase < used else 0.0 for phase in range(3))
        self.currents = (first, second, third)
        watts = sum(volt * amp for volt, amp in zip(voltages, self.currents, strict=True))
        taken_wh = watts * dt / 3600
        self.energy_wh += taken_wh
        return taken_wh
