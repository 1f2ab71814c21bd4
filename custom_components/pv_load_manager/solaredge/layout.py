"""Notices that other meters or batteries are attached than when the inverter was opened."""

import asyncio
from collections.abc import Callable
from typing import Final

from modbus_connection import ModbusUnit
from solaredged import SolarEdge, SolarEdgeError

from .blocks import ReaderTimings

NOT_NEEDED: Final = frozenset(
    {
        "sunspec_models",
        "grid_status",
        "storage_control",
        "export_control",
        "power_control",
        "advanced_power_control",
    }
)
"""Blocks that nobody asks here: some firmware hangs on them instead of refusing."""
FOUND_BY_ASKING: Final = frozenset({"mmppt", "meters", "batteries"})

type Attached = tuple[bool, int, int]


class Layout:
    """What is attached to an inverter.

    What is new counts at once; what is not found any more has to be missing twice, because after a restart an
    inverter finds its batteries and meters one after the other.
    """

    def __init__(self, unit: ModbusUnit, device: SolarEdge, timings: ReaderTimings, *, now: float) -> None:
        """Begin with what was found when the inverter was opened."""
        self.changed = False
        self._unit = unit
        self._timings = timings
        self._known = _attached(device)
        self._missing = False
        self._moves: dict[int, int] = {}
        # Silence is not the inverter saying that there is nothing.
        certain = not FOUND_BY_ASKING & device.unresponsive_blocks
        self._look_at = now + (timings.layout if certain else timings.confirm)

    def look_soon(self) -> None:
        """Look again as soon as all answer: a restart may have brought new firmware."""
        self._look_at = 0.0

    def moved(self, slot: int) -> None:
        """Note that a meter is another one than the one in its place (0: the inverter); once may be a broken answer."""
        self._moves[slot] = self._moves.get(slot, 0) + 1
        self.changed = self.changed or self._moves[slot] > 1

    def stayed(self, slot: int) -> None:
        """Note that a meter is where it was."""
        self._moves[slot] = 0

    async def async_look(self, clock: Callable[[], float], *, losses: bool = True) -> None:
        """Look where it is time to; without ``losses`` only what is new counts."""
        if clock() < self._look_at:
            return
        self._look_at = clock() + self._timings.confirm
        try:
            async with asyncio.timeout(self._timings.answer):
                probed = await SolarEdge.async_probe(self._unit, assume_absent=NOT_NEEDED)
        except SolarEdgeError, TimeoutError:
            return  # the polls tell what is wrong
        found = _attached(probed)
        if found == self._known:
            self._missing = False
        elif FOUND_BY_ASKING & probed.unresponsive_blocks:
            return
        elif found[1] > self._known[1] or found[2] > self._known[2] or (self._missing and losses):
            self.changed = True
        else:
            self._missing = losses
            return
        self._look_at = clock() + self._timings.layout


def _attached(device: SolarEdge) -> Attached:
    return device.mmppt is not None, len(device.meters), len(device.batteries)
