"""The virtual home in operation: servers up, time passing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from .cloud import CloudServer
from .cloud_faults import CLOUD_FAULTS
from .config import HomeConfig
from .control import ControlServer
from .fault_kinds import INVERTER_FAULTS, WATTPILOT_FAULTS
from .faults import FaultBoard
from .home import Home
from .simulation import Simulation
from .solaredge import SolarEdgeServer
from .wattpilot import WattpilotServer

_TICK_S = 0.05
_MAX_LAG_S = 1.0


@asynccontextmanager
async def running_home(config: HomeConfig, *, host: str = "127.0.0.1") -> AsyncIterator[Simulation]:
    """Run a virtual home: all servers listen, and time passes at `config.speed`.

    Nothing is left running after the context: sockets are closed, tasks are done.
    An error while time passes ends up in the caller at the end of the context.
    """
    serials = [charger.serial for charger in config.chargers]
    if len(set(serials)) < len(serials):
        raise ValueError(f"chargers on the network need serial numbers of their own: {', '.join(serials)}")
    home = Home(config)
    chargers = tuple(WattpilotServer(home, charger, host) for charger in home.chargers)
    solaredge = SolarEdgeServer(home, config.inverter, host) if config.inverter else None
    cloud = CloudServer(home, config.cloud, host) if config.cloud else None
    simulation = Simulation(
        home=home,
        chargers=chargers,
        solaredge=solaredge,
        charger_faults={server.charger.config.serial: FaultBoard(server, WATTPILOT_FAULTS) for server in chargers},
        inverter_faults=FaultBoard(solaredge, INVERTER_FAULTS) if solaredge else None,
        cloud=cloud,
        cloud_faults=FaultBoard(cloud, CLOUD_FAULTS) if cloud else None,
    )
    async with AsyncExitStack() as stack:
        servers: list[WattpilotServer | SolarEdgeServer | CloudServer] = [*chargers]
        if solaredge is not None:
            servers.append(solaredge)
        if cloud is not None:
            servers.append(cloud)
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        if config.control_port is not None:
            control = ControlServer(simulation)
            stack.push_async_callback(control.stop)
            simulation.control_url = await control.start(config.control_host, config.control_port)
        for fault in config.faults:
            await simulation.break_down(fault)
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
