"""A test Home Assistant with real sockets to virtual homes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
import pytest
from websockets.asyncio.server import ServerConnection, serve

from custom_components.pv_load_manager.wattpilot import WattpilotClient
from simulator import CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig, running_home

from .site import APP_TIMINGS, CLIENT_TIMINGS, CONTROL_TIMINGS, Site
from .texts_shown import texts_are_complete_fixture  # noqa: F401 - pytest finds a fixture where it is imported

OURS = "custom_components.pv_load_manager"

type BuildSite = Callable[[HomeConfig], Awaitable[Site]]

QUICK_CAR = CarConfig(start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0)


@pytest.fixture(autouse=True)
def _real_integration(socket_enabled: None, enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration, and let sockets reach 127.0.0.1."""


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale every wait down."""
    client = partial(WattpilotClient, timings=CLIENT_TIMINGS)
    monkeypatch.setattr(f"{OURS}.coordinators.clients.WattpilotClient", client)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", CONTROL_TIMINGS)
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.APP", APP_TIMINGS)
    monkeypatch.setattr(f"{OURS}.coordinators.solaredge.GRID_INTERVAL", 1.0)
    monkeypatch.setattr(f"{OURS}.coordinators.solaredge.SLOW_INTERVAL", 1.0)
    monkeypatch.setattr(f"{OURS}.coordinators.solaredge.ANSWER_TIMEOUT", 1.0)
    monkeypatch.setattr(f"{OURS}.entity.PUBLISH_INTERVAL", 0.02)
    monkeypatch.setattr(f"{OURS}.tables.inverter.STALE", 2.5)


@pytest.fixture(name="all_enabled")
def all_enabled_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the entities, too, that a user has to enable first."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.fixture(name="build_site")
async def build_site_fixture(hass: HomeAssistant) -> AsyncIterator[BuildSite]:
    """Return a factory of virtual homes; their servers outlive Home Assistant's entries."""
    async with AsyncExitStack() as stack:

        async def build(config: HomeConfig) -> Site:
            home = await stack.enter_async_context(running_home(config))
            return Site(hass=hass, home=home, config=config)

        yield build
        for entry in hass.config_entries.async_loaded_entries("pv_load_manager"):
            await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture(name="site")
async def site_fixture(build_site: BuildSite) -> Site:
    """Return a sunny home with an inverter, its meter and one charger with a three-phase car; ten times as fast."""
    return await build_site(sunny())


@pytest.fixture(name="other_server")
async def other_server_fixture() -> AsyncIterator[int]:
    """Return the port of a WebSocket server that is no Wattpilot."""

    async def chat(client: ServerConnection) -> None:
        await client.send('{"type": "welcome", "serial": 7}')
        await client.wait_closed()

    async with serve(chat, "127.0.0.1", 0) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def sunny(*chargers: ChargerConfig, pv_w: float = 8000.0, house_w: float = 500.0, speed: float = 10.0) -> HomeConfig:
    """Describe a home with constant sun."""
    return HomeConfig(
        pv=PvConfig(constant_w=pv_w),
        house=HouseConfig(constant_w=house_w),
        chargers=chargers or (ChargerConfig(car=QUICK_CAR),),
        speed=speed,
    )
