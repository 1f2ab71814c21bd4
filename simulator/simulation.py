"""A virtual home with its devices on the network."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import math

from .cloud import CloudServer
from .config import FaultConfig
from .faults import FaultBoard, FaultError
from .home import Home
from .solaredge import SolarEdgeServer
from .wattpilot import WattpilotServer

INVERTER, CLOUD = "inverter", "cloud"
"""What names these among the devices that can fail; the others are named by their serial numbers."""


@dataclass(kw_only=True)
class Simulation:
    """A running virtual home.

    Attributes:
        home: The physics.
        chargers: The Wattpilots in the order of the configuration.
        solaredge: The inverter's Modbus server, or None without an inverter.
        charger_faults: What goes wrong with each Wattpilot, by the serial number of its configuration.
        inverter_faults: What goes wrong with the inverter; None without one.
        control_url: Where the control endpoint listens; None without one.
        cloud: What the inverter also sends to; None without one.
        cloud_faults: What goes wrong with the cloud; None without one.
    """

    home: Home
    chargers: tuple[WattpilotServer, ...]
    solaredge: SolarEdgeServer | None
    charger_faults: Mapping[str, FaultBoard[WattpilotServer]]
    inverter_faults: FaultBoard[SolarEdgeServer] | None
    control_url: str | None = None
    cloud: CloudServer | None = None
    cloud_faults: FaultBoard[CloudServer] | None = None

    @property
    def inverter(self) -> SolarEdgeServer:
        """The inverter's Modbus server; raises LookupError in a home without one."""
        if self.solaredge is None:
            raise LookupError("this home has no inverter")
        return self.solaredge

    async def break_down(self, fault: FaultConfig) -> None:
        """Let something go wrong.

        Raises:
            FaultError: There is no such device or fault, or it does not take these parameters.
        """
        now, given = self.home.now, dict(fault.parameters)
        numbered = {str(number): serial for number, serial in enumerate(self.charger_faults, start=1)}
        serial = numbered.get(fault.device, fault.device)
        if fault.device == INVERTER and self.inverter_faults is not None:
            await self.inverter_faults.start(fault.name, given, now=now, for_s=fault.for_s)
        elif fault.device == CLOUD and self.cloud_faults is not None:
            await self.cloud_faults.start(fault.name, given, now=now, for_s=fault.for_s)
        elif serial in self.charger_faults:
            await self.charger_faults[serial].start(fault.name, given, now=now, for_s=fault.for_s)
        else:
            raise FaultError(f"no device {fault.device!r}; there are: {', '.join(self._devices())}")

    def _devices(self) -> list[str]:
        others = {INVERTER: self.inverter_faults, CLOUD: self.cloud_faults}
        return [*self.charger_faults, *(name for name, board in others.items() if board is not None)]

    async def advance(self, seconds: float) -> None:
        """Let home time pass at once; the chargers publish at every full second of it."""
        end = self.home.now + seconds
        while (now := self.home.now) < end - 1e-9:
            due = math.floor(now + 1e-9) + 1
            self.home.step(min(end, due, self._next_fault_end()) - now)
            await self._end_faults()
            if self.cloud is not None:
                self.cloud.record()
            for charger in self.chargers:
                charger.send_late()
            if self.home.now >= due - 1e-9:
                for charger in self.chargers:
                    await charger.publish()
                # Clients and servers get their turn also while a long time passes at once.
                await asyncio.sleep(0)

    def _next_fault_end(self) -> float:
        ends = [board.next_end for board in self.charger_faults.values()]
        if self.inverter_faults is not None:
            ends.append(self.inverter_faults.next_end)
        if self.cloud_faults is not None:
            ends.append(self.cloud_faults.next_end)
        return min(ends, default=math.inf)

    async def _end_faults(self) -> None:
        for board in self.charger_faults.values():
            await board.end_due(self.home.now)
        if self.inverter_faults is not None:
            await self.inverter_faults.end_due(self.home.now)
        if self.cloud_faults is not None:
            await self.cloud_faults.end_due(self.home.now)
