"""Everything on stage: the virtual home runs, Home Assistant knows its devices, the load manager is set up."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import tempfile
from typing import Any

from simulator import HomeConfig, Simulation, running_home

from .client import HassClient
from .process import HassProcess, free_port, prepare, require_free, running_hass

USER = "demo"
PASSWORD = "demo"  # noqa: S105 - printed for everybody who starts the demo
MAIN_FUSE = 35


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A virtual home with a Home Assistant in it."""

    home: Simulation
    hass: HassProcess
    client: HassClient
    entities: dict[str, str]
    """Entity id by domain and unique id."""
    manager: str
    """Entry id of the load manager."""

    def entity(self, domain: str, owner: str, key: str) -> str:
        """Return the entity id of a figure; owner is a serial number or the load manager's entry id."""
        return self.entities[f"{domain}.{owner}_{key}"]

    async def value(self, domain: str, owner: str, key: str) -> str:
        """Return the state of an entity."""
        state = await self.client.state(self.entity(domain, owner, key))
        return str(state["state"])

    async def choose(self, mode: str) -> None:
        """Pick the site's charge mode."""
        entity_id = self.entity("select", self.manager, "charge_mode")
        await self.client.call("select", "select_option", entity_id=entity_id, option=mode)


@asynccontextmanager
async def staged(
    config: HomeConfig, *, port: int | None = None, main_fuse: int = MAIN_FUSE, level: str = "warning"
) -> AsyncIterator[Stage]:
    """Start a home and a Home Assistant, and add all entries through the config flow; afterwards nothing is left."""
    if port is not None:
        require_free(port)
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(running_home(config))
        # Named so that a person can tell what it was, should the machine crash before it is removed.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pv-load-manager-demo-")))
        port = port or free_port()
        prepare(folder, port=port, level=level)
        hass = await stack.enter_async_context(running_hass(folder, port=port))
        client = await stack.enter_async_context(HassClient.logged_in(hass.url, user=USER, password=PASSWORD))
        manager = await add_entries(client, home, config, main_fuse)
        yield Stage(
            home=home, hass=hass, client=client, entities=await client.entity_ids(), manager=manager["entry_id"]
        )


def protection(meter: str) -> dict[str, Any]:
    """Return how the fuse is protected: nothing in this home is larger than what is measured already."""
    answers: dict[str, Any] = {"dynamic": meter != "none"}
    return answers | {"largest_consumer": 0} if meter != "none" else answers


async def add_entries(client: HassClient, home: Simulation, config: HomeConfig, main_fuse: int) -> dict[str, Any]:
    """Add inverter, chargers and load manager like a user would; return the load manager's entry."""
    meter = "none"
    if home.solaredge is not None and config.inverter is not None:
        address = {"host": "127.0.0.1", "port": home.inverter.port, "unit_id": home.inverter.unit_id}
        await client.add_entry({"next_step_id": "solaredge"}, address)
        meter = config.inverter.serial
    for charger, settings in zip(home.chargers, config.chargers, strict=True):
        added = await client.add_entry(
            {"next_step_id": "wattpilot"},
            {"host": "127.0.0.1", "port": charger.port, "password": settings.password},
        )
        rotation = "_".join(f"l{phase}" for phase in settings.rotation)
        await client.set_options(added["result"]["entry_id"], {"rotation": rotation})
    result = await client.add_entry(
        {"next_step_id": "load_manager"},
        {"phases": str(config.phases), "main_fuse": main_fuse, "expected_chargers": len(config.chargers)},
        {"meter": meter},
        protection(meter),
        {},
    )
    entry: dict[str, Any] = result["result"]
    return entry
