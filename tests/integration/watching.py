"""What chargers are told and what cars really draw, now and over a while."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from simulator import ChargerConfig

from .conftest import QUICK_CAR
from .site import Site

TWO = (ChargerConfig(car=QUICK_CAR), ChargerConfig(serial="10000002", name="Carport", car=QUICK_CAR))


def holds(site: Site, index: int = 0) -> Callable[[], bool]:
    """Return whether a charger is told not to charge."""
    return lambda: site.settings(index)["frc"] == 1


def gives(site: Site, amps: int, index: int = 0) -> Callable[[], bool]:
    """Return whether a charger is released with a current."""
    return lambda: {"frc": 0, "amp": amps}.items() <= site.settings(index).items()


def draws(site: Site, index: int = 0) -> float:
    """Return what a car really draws on its strongest phase, in A."""
    return max(site.home.chargers[index].charger.currents)


def stops(site: Site, index: int = 0) -> int:
    """Return how often a charger was told to stop."""
    return site.written(index).count(("frc", 1))


@dataclass(kw_only=True)
class Peak:
    """The largest current on any phase of a running watch, in A."""

    site: Site
    chargers: float = 0.0
    grid: float = 0.0

    def look(self) -> None:
        """Take a sample."""
        cars = [server.charger.currents for server in self.site.home.chargers]
        self.chargers = max(self.chargers, *(sum(phase) for phase in zip(*cars, strict=True)))
        self.grid = max(self.grid, *self.site.home.home.flow.grid_currents)


@asynccontextmanager
async def repeated(what: Callable[[], None], *, every: float) -> AsyncIterator[None]:
    """Do something again and again for as long as the context lasts."""

    async def repeat() -> None:
        while True:
            what()
            await asyncio.sleep(every)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def watched(site: Site) -> AsyncIterator[Peak]:
    """Measure at the cars and at the house connection for as long as the context lasts."""
    peak = Peak(site=site)

    async with repeated(peak.look, every=0.02):
        yield peak
