"""Wakes a car that does not go on charging after a switch of phases. Pure: time is an argument.

Some cars take the pause for the end of the charge (go-e API-v2 issues 144 and 156: the charger shows ``car`` 4). What
helps is to look unplugged for a moment: the charger does that when it begins to charge while ``su`` is set, so it is
set, the charger is held for a moment, and what was before comes back.
"""

from dataclasses import dataclass
from typing import Final

from ..const import DOMAIN
from ..wattpilot import CarState, WattpilotStatus, Write
from ..wattpilot.parsing import flag
from .pacing import HOLD

SIMULATE: Final = "su"
PER_SESSION: Final = 2


@dataclass(frozen=True, kw_only=True)
class StallTimings:
    """Times in seconds."""

    stalled: float = 45.0
    """A car that does not charge so long after the switch has stalled; later the control core takes it for full."""
    hold: float = 6.0
    """So long it is held, as IEC 61851 gives a car time to notice."""
    wake: float = 30.0
    """So long the simulated unplugging stays set."""


def car_woken(serial: str) -> str:
    """Return the signal by which it is told that a car had to be woken."""
    return f"{DOMAIN}_woken_{serial}"


class StallWatch:
    """Finds the stalls of the car at one charger, and says what to write."""

    def __init__(self, timings: StallTimings) -> None:
        """Begin with a charger that never switched."""
        self._timings = timings
        self._charging = False
        self._phase_mode: int | None = None
        self._switched_at: float | None = None
        """When a switch was over that interrupted a car; None = none has to be watched."""
        self._woken_at: float | None = None
        self._simulates = False
        """Whether the simulated unplugging was set here, and has to be taken back."""
        self.woken = 0
        """How often this car was woken."""

    def heard(self, status: WattpilotStatus, now: float) -> None:
        """Take in what the charger says.

        Args:
            status: everything.
            now: monotonic seconds.
        """
        car = status.car_state
        if car is CarState.NO_CAR:
            self.woken, self._switched_at, self._charging = 0, None, False
        switching = status.switches_phases
        before, self._phase_mode = self._phase_mode, status.phase_mode
        if switching or (before is not None and before != status.phase_mode):
            if self._charging or self._switched_at is not None:
                self._switched_at = now
        elif car is CarState.CHARGING:
            self._switched_at = None
        self._charging = car is CarState.CHARGING or (self._charging and switching)

    def stalls(self, status: WattpilotStatus, now: float, *, charge: bool) -> bool:
        """Return whether the car has to be woken now; asked again, it says no.

        Args:
            status: everything that the charger says.
            now: monotonic seconds.
            charge: whether the car shall charge.
        """
        if self._switched_at is None or now - self._switched_at < self._timings.stalled:
            return False
        self_inflicted = not charge or status.allowed is not True
        if self_inflicted or status.car_state not in {CarState.COMPLETE, CarState.WAITING}:
            self._switched_at = None if self_inflicted else self._switched_at
            return False
        self._switched_at = None
        if self.woken >= PER_SESSION:
            return False
        self.woken += 1
        self._woken_at = now
        self._simulates = SIMULATE in status.raw and flag(status.raw[SIMULATE]) is False
        return True

    def left(self) -> tuple[Write, ...]:
        """Return what takes back what was set for the car, where nobody goes on to watch it."""
        return (Write(SIMULATE, value=False),) if self._woken_at is not None and self._simulates else ()

    def writes(self, wanted: tuple[Write, ...], status: WattpilotStatus, now: float) -> tuple[Write, ...]:
        """Return what to write while a car is woken, else what is wanted anyway."""
        if self._woken_at is None:
            return wanted
        since = now - self._woken_at
        simulate = flag(status.raw.get(SIMULATE))
        if since < self._timings.hold:
            first = (Write(SIMULATE, value=True),) if self._simulates and simulate is False else ()
            return (*first, HOLD) if status.force_state != HOLD.value else first
        if since < self._timings.wake or not self._simulates or simulate is not True:
            if since >= self._timings.wake:
                self._woken_at = None
            return wanted
        return (*wanted, Write(SIMULATE, value=False))
