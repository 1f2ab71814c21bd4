"""Home Assistant's own integration and this one read the same inverter, which serves one client, at the same time."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import BatteryConfig, HomeConfig, HouseConfig, InverterConfig, PvConfig

from .conftest import BuildSite
from .site import Site, eventually

CONFIG = HomeConfig(
    pv=PvConfig(constant_w=6000),
    house=HouseConfig(constant_w=900),
    battery=BatteryConfig(soc=0.5, max_charge_w=1000),
    inverter=InverterConfig(followers=("7E000002",)),
    chargers=(),
    speed=10,
)


@pytest.fixture(autouse=True)
def _no_serial_ports(hass: HomeAssistant) -> None:
    """Home Assistant's own integration also wants to know of serial ports, which nobody has here."""
    hass.config.components.add("usb")


class Connections:
    """Counts the connections that are open at the same time."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin to count."""
        self.peak = 0
        self._open = 0
        serve = site.home.inverter.handle_client

        async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open += 1
            self.peak = max(self.peak, self._open)
            await serve(reader, writer)
            self._open -= 1

        monkeypatch.setattr(site.home.inverter, "handle_client", counted)


def core_entry(site: Site, host: str, unit_id: int = 1, serial: str = "7E000001") -> MockConfigEntry:
    """Return the entry of Home Assistant's own integration, known and not set up."""
    data: dict[str, Any] = {"type": "tcp", "host": host, "port": site.home.inverter.port, "unit_id": unit_id}
    entry = MockConfigEntry(domain="solaredge_modbus", title="Core", unique_id=serial, data=data)
    entry.add_to_hass(site.hass)
    return entry


async def set_up_core(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up the entry of Home Assistant's own integration."""
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED, entry.reason


def core_power(hass: HomeAssistant) -> float:
    """Return what the other integration says about the inverter's power in W."""
    entity_id = er.async_get(hass).async_get_entity_id("sensor", "solaredge_modbus", "7E000001_ac_power")
    assert entity_id is not None
    state = hass.states.get(entity_id)
    assert state is not None
    return float(state.state)


@pytest.mark.parametrize("core_first", [True, False])
@pytest.mark.parametrize("core_host", ["127.0.0.1", "localhost"])
async def test_one_socket(
    build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, core_host: str, *, core_first: bool
) -> None:
    """Whoever comes first and however the host is spelled: both read, over one connection."""
    site = await build_site(CONFIG)
    connections = Connections(site, monkeypatch)
    await site.home.inverter.stop()
    await site.home.inverter.start()
    core, ours = core_entry(site, core_host), site.inverter_entry(host="127.0.0.1")
    if core_first:
        await set_up_core(site.hass, core)
    await site.set_up(ours)
    if not core_first:
        await set_up_core(site.hass, core)
    await eventually(lambda: (site.number(ours, "grid_power") or 0) < -3900)
    assert site.number(ours, "pv_power") == pytest.approx(3000, abs=100)
    coordinator = core.runtime_data.readings
    await coordinator.async_refresh()
    assert coordinator.last_update_success
    assert core_power(site.hass) == pytest.approx(2000, abs=100)
    await site.hass.config_entries.async_unload(core.entry_id)
    reads = site.home.inverter.reads
    await eventually(lambda: site.home.inverter.reads > reads + 3)
    assert connections.peak == 1
    assert site.home.inverter.refused == 0


async def test_followers_share_it(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two inverters behind one port are two entries and one connection."""
    site = await build_site(CONFIG)
    connections = Connections(site, monkeypatch)
    await site.home.inverter.stop()
    await site.home.inverter.start()
    leader, follower = site.inverter_entry(), site.inverter_entry(serial="7E000002", unit_id=2)
    await site.set_up(leader, follower)
    await eventually(lambda: site.number(follower, "pv_power") is not None)
    assert site.number(follower, "pv_power") == pytest.approx(3000, abs=100)
    assert site.number(leader, "pv_power") == pytest.approx(3000, abs=100)
    assert site.number(leader, "battery_power") is not None
    registry = er.async_get(site.hass)
    assert registry.async_get_entity_id("sensor", "pv_load_manager", "7E000002_grid_power") is None
    assert registry.async_get_entity_id("sensor", "pv_load_manager", "7E000002_battery_power") is None
    assert connections.peak == 1
