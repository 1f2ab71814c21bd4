"""The config flow of an inverter."""

import asyncio
from collections.abc import AsyncIterator

from homeassistant.components.modbus import async_get_temporary_unit
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from modbus_connection import ModbusTcpParams
import pytest
from tmodbus.pdu import ReadHoldingRegistersPDU
from tmodbus.server import AsyncTcpServer, ModbusRequestRouter

from custom_components.pv_load_manager.const import EntryType
from custom_components.pv_load_manager.solaredge import EvChargerError, SolarEdgeReader
from simulator import HomeConfig, InverterConfig

from .conftest import BuildSite
from .flows import aborts, answer, begin, creates, shows, suggested
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
