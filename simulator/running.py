"""The virtual home in operation: servers up, time passing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import math

from .config import HomeConfig
from .home import Home
from .solaredge import SolarEdgeServer
from .wattpilot import WattpilotServer

_TICK_S = 0.05
_MAX_LAG_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """A running virtual home.

    Attributes:
        home: The physics.
        chargers: The Wattpilots in the order of the configuration.
        solaredge: The inverter's Modbus server, or None without an inverter.
    """

    home: Home
    chargers: tuple[WattpilotServer, ...]
    solaredge: SolarEdgeServer | None

    @property
    def inverter(self) -> SolarEdgeServer:
        """The inverter's Modbus server; raises LookupError in a home without one."""
        if self.solaredge is None:
            raise LookupError("this home has no inverter")
        return self.solaredge

    async def advance(self, seconds: float) -> None:
        """Let home time pass at once; the chargers publish at every full second of it."""
        end = self.home.now + seconds
        while (now := self.home.now) < end - 1e-9:
            due = math.floor(now + 1e-9) + 1
            self.home.step(min(end, due) - now)
            if self.home.now >= due - 1e-9:
                for charger in self.chargers:
                    await charger.publish()
                # Clients and servers get their turn also while a long time passes at once.
                await asyncio.sleep(0)


@asynccontextmanager
async def running_home(config: HomeConfig, *, host: str = "127.0.0.1") -> AsyncIterator[Simulation]:
    """Run a virtual home: all servers listen, and time passes at `config.speed`.

    Nothing is left running after the context: sockets are closed, tasks are done.
    An error while time passes ends up in the caller at the end of the context.
    """
    home = Home(config)
    chargers = tuple(WattpilotServer(home, charger, host) for charger in home.chargers)
    solaredge = SolarEdgeServer(home, config.inverter, host) if config.inverter else None
    simulation = Simulation(home=home, chargers=chargers, solaredge=solaredge)
    async with AsyncExitStack() as stack:
        servers: list[WattpilotServer | SolarEdgeServer] = [*chargers]
        if solaredge is not None:
            servers.append(solaredge)
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        driver = asyncio.create_task(_drive(simulation, config.speed)) if config.speed else None
        try:
            yield simulation
        finally:
            if driver is not None:
                await _finish(driver)


async def _drive(simulation: Simulation, speed: float) -> None:
    """Tie home time to the wall clock."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    while True:
        await asyncio.sleep(_TICK_S)
        now = loop.time()
        # After a stall (a suspended machine) home time goes on from where it was.
        await simulation.advance(min(now - before, _MAX_LAG_S) * speed)
        before = now


async def _finish(driver: asyncio.Task[None]) -> None:
    """End the task, and raise what it died of."""
    driver.cancel()
    try:
        await driver
    except asyncio.CancelledError:
        # Only the driver's own cancellation ends here.
        if not driver.cancelled():
            raise
