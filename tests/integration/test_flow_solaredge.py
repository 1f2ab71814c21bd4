"""The config flow of an inverter."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.components.modbus.connection import DATA_MODBUS_CONNECTIONS
from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    SOURCE_ZEROCONF,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from modbus_connection import ModbusTcpParams
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from tmodbus.pdu import ReadHoldingRegistersPDU
from tmodbus.server import AsyncTcpServer, ModbusRequestRouter

from custom_components.pv_load_manager.const import DOMAIN, EntryType
from custom_components.pv_load_manager.solaredge import EvChargerError, SolarEdgeReader
from simulator import HomeConfig, InverterConfig

from .conftest import BuildSite
from .flows import aborts, answer, begin, creates, defaults, shows, suggested
from .site import Site, eventually

TITLE = "SolarEdge SE10K-RWS48BEN4"


class OtherParams(ModbusTcpParams):
    """Link settings that are not equal to ours."""


def address(site: Site) -> dict[str, object]:
    """Return what a user types."""
    return {"host": "127.0.0.1", "port": site.home.inverter.port, "unit_id": 1}


@pytest.fixture(name="other_device")
async def other_device_fixture() -> AsyncIterator[int]:
    """Return the port of a Modbus device that is no inverter: all its registers are 0."""
    router = ModbusRequestRouter()

    @router.register(ReadHoldingRegistersPDU, unit_id=1)
    async def zeros(_unit: int, request: ReadHoldingRegistersPDU) -> list[int]:
        return [0] * request.quantity

    server = AsyncTcpServer("127.0.0.1", router, port=0)
    await server.start()
    assert server._server is not None
    yield server._server.sockets[0].getsockname()[1]
    await server.stop()


async def test_ok(site: Site) -> None:
    """The inverter says who it is, and its entry is set up."""
    result = await begin(site.hass, EntryType.SOLAREDGE)
    shows(result, "solaredge")
    result = await answer(site.hass, result, address(site))
    creates(result, TITLE, address(site) | {"entry_type": "solaredge", "serial": "7E000001"})
    assert result["result"].unique_id == "solaredge_7E000001"
    await site.hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_spelling_of_the_host(site: Site) -> None:
    """Spaces and capitals of a host are the same host, so that a connection is shared."""
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site) | {"host": " LOCALHOST "})
    assert result["data"]["host"] == "localhost"


async def test_unreachable(site: Site) -> None:
    """Nothing answers; when the inverter is on, the same form goes on with what was typed."""
    await site.home.inverter.stop()
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "cannot_connect_inverter"})
    assert suggested(result) == address(site)
    await site.home.inverter.start()
    await answer(site.hass, result, address(site))
    assert [entry.title for entry in site.hass.config_entries.async_entries()] == [TITLE]


async def test_closes_at_once(site: Site) -> None:
    """An inverter that serves somebody else closes every new connection."""
    site.home.inverter.faults.refuse = True
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "cannot_connect_inverter"})


async def test_meter_does_not_answer(site: Site) -> None:
    """An inverter whose meter cannot be read now is not added half."""
    site.home.inverter.faults.broken_blocks = [range(40188, 40295)]
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "cannot_connect_inverter"})


async def test_not_an_inverter(hass: HomeAssistant, other_device: int) -> None:
    """A Modbus device without SunSpec is no inverter."""
    result = await begin(hass, EntryType.SOLAREDGE)
    result = await answer(hass, result, {"host": "127.0.0.1", "port": other_device, "unit_id": 1})
    shows(result, "solaredge", {"base": "not_an_inverter"})


async def test_registers_that_do_not_exist(site: Site) -> None:
    """A device that knows none of the registers is no inverter."""
    site.home.inverter.faults.exception_blocks = [range(0x10000)]
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "not_an_inverter"})


async def test_unknown_unit(site: Site) -> None:
    """A gateway that has nothing behind the device ID is told from an inverter."""
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site) | {"unit_id": 7})
    assert result["errors"] in ({"base": "not_an_inverter"}, {"base": "cannot_connect_inverter"})


async def test_nonsense_answers(hass: HomeAssistant) -> None:
    """A web server at the address does not end in an exception."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result = await begin(hass, EntryType.SOLAREDGE)
    result = await answer(hass, result, {"host": "127.0.0.1", "port": port, "unit_id": 1})
    assert result["errors"] in ({"base": "not_an_inverter"}, {"base": "cannot_connect_inverter"})
    server.close()
    await server.wait_closed()


async def test_ev_charger(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SolarEdge charger gets a message of its own."""

    async def refuse(*_: object, **__: object) -> SolarEdgeReader:
        raise EvChargerError("this is a SolarEdge charger")

    monkeypatch.setattr(SolarEdgeReader, "async_open", refuse)
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "ev_charger"})


async def test_in_use_with_other_settings(site: Site) -> None:
    """Another integration that talks to the inverter in another way is named as the cause."""
    result = await begin(site.hass, EntryType.SOLAREDGE)
    other = OtherParams(host="127.0.0.1", port=site.home.inverter.port)
    async with async_get_temporary_unit(site.hass, other, 1):
        result = await answer(site.hass, result, address(site))
    shows(result, "solaredge", {"base": "modbus_in_use"})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("host", "", "invalid_host"),
        ("host", "   ", "invalid_host"),
        ("host", "http://10.0.0.1", "invalid_host"),
        ("host", "my inverter", "invalid_host"),
        ("port", 0, "port_out_of_range"),
        ("port", 70000, "port_out_of_range"),
        ("port", 1502.5, "port_out_of_range"),
        ("unit_id", 0, "unit_out_of_range"),
        ("unit_id", 248, "unit_out_of_range"),
    ],
)
async def test_invalid_address(site: Site, field: str, value: object, error: str) -> None:
    """What cannot be an address is refused without asking the network, with a message at the field."""
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site) | {field: value})
    shows(result, "solaredge", {field: error})
    assert site.home.inverter.reads == 0
    result = await answer(site.hass, result, address(site))
    assert result["title"] == TITLE


async def test_duplicate(site: Site) -> None:
    """An inverter that is set up already is not added again, but its address is updated."""
    inverter = site.inverter_entry(host="localhost", port=1)
    await site.fail_to_set_up(inverter)
    result = await begin(site.hass, EntryType.SOLAREDGE)
    aborts(await answer(site.hass, result, address(site)), "already_configured")
    assert inverter.data["host"] == "127.0.0.1"
    await eventually(lambda: inverter.state is ConfigEntryState.LOADED)


async def test_reconfigure(site: Site) -> None:
    """The address of a loaded inverter can be changed while its connection is in use."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    result = await inverter.start_reconfigure_flow(site.hass)
    shows(result, "solaredge")
    assert suggested(result) == address(site)
    aborts(await answer(site.hass, result, address(site)), "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert inverter.state is ConfigEntryState.LOADED


async def test_reconfigure_to_another_inverter(site: Site, build_site: BuildSite) -> None:
    """Another inverter does not take the place of the one that is set up."""
    neighbour = await build_site(HomeConfig(inverter=InverterConfig(serial="7E000002"), chargers=()))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    result = await inverter.start_reconfigure_flow(site.hass)
    aborts(await answer(site.hass, result, address(neighbour)), "wrong_device")
    assert inverter.data["port"] == site.home.inverter.port


async def discovered(site: Site, *addresses: str, unit: object = "1", port: int | None = None) -> ConfigFlowResult:
    """Let the inverter announce itself and return what comes next."""
    known = addresses or ("127.0.0.1",)
    info = ZeroconfServiceInfo(
        ip_address=ip_address(known[0]),
        ip_addresses=[ip_address(known_address) for known_address in known],
        hostname="inverter.local.",
        name="SolarEdge._solaredge-modbus._tcp.local.",
        port=site.home.inverter.port if port is None else port,
        properties={"MODBUS_ID": unit} if unit is not None else {},
        type="_solaredge-modbus._tcp.local.",
    )
    return await site.hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=info)


async def confirm(site: Site, result: ConfigFlowResult) -> ConfigFlowResult:
    """Say yes."""
    shows(result, "solaredge_confirm")
    return await site.hass.config_entries.flow.async_configure(result["flow_id"], {})


async def test_discovery(site: Site) -> None:
    """An inverter that announces itself is asked who it is, and added when the user says so."""
    result = await discovered(site)
    assert result["description_placeholders"] == {"name": TITLE, "host": "127.0.0.1"}
    (flow,) = site.hass.config_entries.flow.async_progress()
    assert flow["context"]["title_placeholders"] == {"name": TITLE}
    result = await confirm(site, result)
    creates(result, TITLE, address(site) | {"entry_type": "solaredge", "serial": "7E000001"})
    await site.hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(
    ("announced", "unit"), [(None, 1), ("2", 2), ("0", 1), ("248", 1), ("9" * 40, 1), ("x", 1), (b"2", 1)]
)
async def test_announced_device_id(build_site: BuildSite, announced: object, unit: int) -> None:
    """The device ID comes from the announcement; what cannot be one is the usual one."""
    config = HomeConfig(inverter=InverterConfig(followers=("7E000002",)), chargers=())
    site = await build_site(config)
    result = await confirm(site, await discovered(site, unit=announced))
    assert (result["data"]["unit_id"], result["data"]["serial"]) == (unit, f"7E00000{unit}")


async def test_ipv4_is_preferred(site: Site) -> None:
    """A link-local address of the newer kind may be announced first."""
    result = await discovered(site, "fe80::1", "127.0.0.1")
    assert result["description_placeholders"] == {"name": TITLE, "host": "127.0.0.1"}


async def test_discovery_twice(site: Site) -> None:
    """The same inverter is offered once, and the user who adds it by hand meanwhile goes first."""
    await discovered(site)
    aborts(await discovered(site), "already_in_progress")
    result = await begin(site.hass, EntryType.SOLAREDGE)
    await answer(site.hass, result, address(site))
    assert not site.hass.config_entries.flow.async_progress()


async def test_discovery_of_a_known_inverter(site: Site) -> None:
    """One that works is left alone: asked no more, its address unchanged however it is announced."""
    inverter = site.inverter_entry(host="localhost")
    await site.set_up(inverter)
    aborts(await discovered(site), "already_configured")
    assert inverter.data["host"] == "localhost"
    site.hass.config_entries.async_update_entry(inverter, data={**inverter.data, "host": "127.0.0.1"})
    await site.hass.config_entries.async_reload(inverter.entry_id)
    aborts(await discovered(site), "already_configured")
    assert site.home.inverter.refused == 0


async def test_discovery_leaves_nothing_on_the_connection(site: Site) -> None:
    """Whoever announces itself again and again does not fill the memory of the connection that is in use."""
    await site.set_up(site.inverter_entry(host="localhost"))
    (shared,) = site.hass.data[DATA_MODBUS_CONNECTIONS].values()
    before = len(shared.connection._lost_callbacks._callbacks)
    for _ in range(2):
        aborts(await discovered(site), "already_configured")
    assert len(shared.connection._lost_callbacks._callbacks) == before


async def test_rediscovery_at_another_address(site: Site) -> None:
    """An inverter that does not answer where it was and announces itself elsewhere is followed, and loaded at once."""
    inverter = site.inverter_entry(host="localhost", port=1, unit_id=1)
    await site.fail_to_set_up(inverter)
    aborts(await discovered(site), "already_configured")
    assert (inverter.data["host"], inverter.data["port"]) == ("127.0.0.1", site.home.inverter.port)
    await eventually(lambda: inverter.state is ConfigEntryState.LOADED)


async def test_followers_move_with_the_one_that_announces_itself(build_site: BuildSite) -> None:
    """Only the leader is announced; who is reached through it moves with it, and nobody else does."""
    site = await build_site(HomeConfig(inverter=InverterConfig(followers=("7E000002",)), chargers=()))
    leader = site.inverter_entry(port=1)
    follower = site.inverter_entry(port=1, unit_id=2, serial="7E000002")
    stranger = site.inverter_entry(port=2, unit_id=2, serial="7E000003")
    await site.fail_to_set_up(leader)
    assert follower.state is ConfigEntryState.SETUP_RETRY
    aborts(await discovered(site), "already_configured")
    await eventually(lambda: leader.state is follower.state is ConfigEntryState.LOADED)
    assert follower.data["unit_id"] == 2
    assert stranger.data["port"] == 2
    assert site.home.inverter.refused == 0


async def test_discovery_of_something_else(site: Site) -> None:
    """What announces itself and does not answer, or is no inverter, is not offered; later it is."""
    site.home.inverter.faults.refuse = True
    aborts(await discovered(site), "cannot_connect_inverter")
    site.home.inverter.faults.refuse = False
    site.home.inverter.faults.exception_blocks = [range(0x10000)]
    aborts(await discovered(site), "not_an_inverter")
    site.home.inverter.faults.exception_blocks = []
    shows(await discovered(site), "solaredge_confirm")


def core_entry(site: Site, **data: Any) -> None:
    """Let Home Assistant's own integration know the inverter."""
    known = {"type": "tcp", "host": "localhost", "port": site.home.inverter.port, "unit_id": 1}
    MockConfigEntry(domain="solaredge_modbus", unique_id="7E000001", data=known | data).add_to_hass(site.hass)


@pytest.mark.parametrize("by_hand", [True, False])
async def test_spelling_of_the_other_integration(site: Site, *, by_hand: bool) -> None:
    """The host is spelled as Home Assistant's own integration does, so that both share the one connection."""
    core_entry(site)
    if by_hand:
        result = await answer(site.hass, await begin(site.hass, EntryType.SOLAREDGE), address(site))
    else:
        result = await confirm(site, await discovered(site))
    assert result["data"]["host"] == "localhost"


@pytest.mark.parametrize("other", [{"host": "127.0.0.2"}, {"host": "gone.local"}, {"port": 1}])
async def test_another_inverter_of_the_other_integration(
    site: Site, monkeypatch: pytest.MonkeyPatch, other: dict[str, object]
) -> None:
    """What is not the same inverter, or has a name that nobody knows, changes nothing."""
    core_entry(site, **other)
    look_up = site.hass.loop.getaddrinfo

    async def known(host: str, *args: Any, **kwargs: Any) -> Any:
        if host == "gone.local":
            raise OSError("no such name")
        return await look_up(host, *args, **kwargs)

    monkeypatch.setattr(site.hass.loop, "getaddrinfo", known)
    result = await answer(site.hass, await begin(site.hass, EntryType.SOLAREDGE), address(site))
    assert result["data"]["host"] == "127.0.0.1"


async def test_follower(build_site: BuildSite) -> None:
    """A second inverter behind the same port is added over the connection of the first, however its host is typed."""
    site = await build_site(HomeConfig(inverter=InverterConfig(followers=("7E000002",)), chargers=()))
    await site.set_up(site.inverter_entry())
    result = await begin(site.hass, EntryType.SOLAREDGE)
    result = await answer(site.hass, result, address(site) | {"host": "localhost", "unit_id": 2})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert (result["data"]["host"], result["data"]["serial"]) == ("127.0.0.1", "7E000002")
    await site.hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    assert site.home.inverter.refused == 0


async def test_reconfigure_the_spelling(site: Site) -> None:
    """The user may spell the host of the only inverter in another way."""
    inverter = site.inverter_entry()
    result = await inverter.start_reconfigure_flow(site.hass)
    aborts(await answer(site.hass, result, address(site) | {"host": "localhost"}), "reconfigure_successful")
    assert inverter.data["host"] == "localhost"
    await eventually(lambda: inverter.state is ConfigEntryState.LOADED)


async def test_another_inverter_at_the_address(site: Site) -> None:
    """Another inverter that answers at the address of a known one is told, offered once, and can be added."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    site.home.inverter.faults.serial = "7E000077"
    flows = site.hass.config_entries.flow.async_progress
    await eventually(flows)
    await eventually(lambda: site.value(inverter, "pv_power") == "unavailable")
    (flow,) = flows()
    assert flow["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    await asyncio.sleep(1.2)
    assert len(flows()) == 1
    result = await site.hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert (result["title"], result["data"]["serial"]) == (TITLE, "7E000077")
    await site.hass.config_entries.async_unload(result["result"].entry_id)
    site.home.inverter.faults.serial = None
    await eventually(lambda: site.number(inverter, "pv_power") is not None)


async def test_options(site: Site) -> None:
    """How often the grid meter is read and what it is can be chosen, and is in force at once."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    await eventually(lambda: (site.number(inverter, "grid_power") or 0) < -5000)
    result = await site.hass.config_entries.options.async_init(inverter.entry_id)
    shows(result, "inverter")
    values = defaults(result)
    assert values == {"grid_interval": 2, "meter_1_role": "automatic", "meter_1_inverted": False}
    for wrong in (0, 31, 2.5):
        result = await site.hass.config_entries.options.async_configure(
            result["flow_id"], values | {"grid_interval": wrong}
        )
        shows(result, "inverter", {"grid_interval": "grid_interval_out_of_range"})
    result = await site.hass.config_entries.options.async_configure(
        result["flow_id"], values | {"grid_interval": 3, "meter_1_inverted": True}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await eventually(lambda: (site.number(inverter, "grid_power") or 0) > 5000)
    assert inverter.runtime_data.grid_cadence == 3
    result = await site.hass.config_entries.options.async_init(inverter.entry_id)
    assert suggested(result) == {"grid_interval": 3, "meter_1_role": "automatic", "meter_1_inverted": True}


async def test_options_of_two_meters(build_site: BuildSite) -> None:
    """Only one meter can be the grid's; another one can take its place."""
    config = HomeConfig(inverter=InverterConfig(meters=("Export+Import", "Consumption")), chargers=())
    site = await build_site(config)
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    result = await site.hass.config_entries.options.async_init(inverter.entry_id)
    values = defaults(result)
    both = {"meter_1_role": "grid", "meter_2_role": "grid"}
    result = await site.hass.config_entries.options.async_configure(result["flow_id"], values | both)
    shows(result, "inverter", {"base": "two_grid_meters"})
    chosen = {"meter_1_role": "ignore", "meter_2_role": "grid"}
    result = await site.hass.config_entries.options.async_configure(result["flow_id"], values | chosen)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await eventually(lambda: (site.number(inverter, "grid_power") or 0) > 0)


async def test_options_of_an_inverter_that_is_off(site: Site) -> None:
    """What was chosen can be changed while the inverter does not answer; unknown meters are not asked for."""
    inverter = site.inverter_entry(port=1)
    await site.fail_to_set_up(inverter)
    result = await site.hass.config_entries.options.async_init(inverter.entry_id)
    assert set(defaults(result)) == {"grid_interval"}
