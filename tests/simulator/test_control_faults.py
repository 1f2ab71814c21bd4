"""Each fault switched on and off over HTTP, while a bare client watches."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientSession
from modbus_connection import (
    IllegalDataAddressError,
    ModbusConnectionError,
    ModbusTcpParams,
    ModbusUnit,
    ServerDeviceFailureError,
)
from modbus_connection.tmodbus import ModbusConnection
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from simulator import (
    CarConfig,
    ChargerConfig,
    HomeConfig,
    HouseConfig,
    PvConfig,
    Timings,
    WattpilotServer,
    running_home,
)
from simulator.fault_kinds import INVERTER_FAULTS, WATTPILOT_FAULTS
from tests.simulator.control import Control
from tests.simulator.raw import RawClient, logged_in, raw_client

_CONFIG = HomeConfig(
    pv=PvConfig(constant_w=0),
    house=HouseConfig(constant_w=690),
    # The cheaper of the two key derivations.
    chargers=(ChargerConfig(mode=3, auth="bcrypt", car=CarConfig(start_delay_s=0)),),
    timings=Timings(reboot_drop_s=2, reboot_down_s=3),
    speed=0,
    control_port=0,
)
_FAULTS = "/chargers/10000001/faults"


@pytest.fixture(name="control")
async def control_fixture() -> AsyncIterator[Control]:
    """Run a home whose charger charges, with a client of its control endpoint."""
    async with running_home(_CONFIG) as simulation, ClientSession() as session:
        await simulation.advance(10)
        yield Control(simulation, session)


@pytest.fixture(name="server")
def server_fixture(control: Control) -> WattpilotServer:
    """Return the charger."""
    return control.simulation.chargers[0]


@pytest.fixture(name="client")
async def client_fixture(server: WattpilotServer) -> AsyncIterator[RawClient]:
    """Return a client that is logged in."""
    async with logged_in(server) as client:
        yield client


async def _mend(control: Control, fault: str) -> None:
    await control.call("DELETE", f"{_FAULTS}/{fault}")


async def _delta(control: Control, client: RawClient, seconds: int = 1) -> dict[str, Any]:
    """Let time pass and return what the deltas of it say."""
    await control.post("/advance", seconds=seconds)
    said: dict[str, Any] = {}
    for _ in range(seconds):
        said |= (await client.next("deltaStatus"))["status"]
    return said


async def _nothing(client: RawClient) -> None:
    """Check that nothing comes."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.connection.recv(), 0.05)


async def test_refuse(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """New connections are cut, the old one stays; afterwards all is well."""
    await control.post(_FAULTS, fault="refuse")
    with pytest.raises((OSError, WebSocketException, EOFError)):
        await connect(server.url)
    assert "rbt" in await _delta(control, client)
    await _mend(control, "refuse")
    async with logged_in(server) as second:
        assert second.status["amp"] == 16


async def test_drop(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """The connection is lost, and a new one works at once."""
    answer = await control.post(_FAULTS, fault="drop")
    assert answer["active"] == []
    with pytest.raises(ConnectionClosed):
        await client.next("response")
    async with logged_in(server):
        assert server.clients == 1


async def test_offline(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """The port is closed for as long as it was said, and a reboot meanwhile does not open it."""
    await control.post(_FAULTS, fault="offline", for_s=10)
    with pytest.raises(ConnectionClosed):
        await client.next("response")
    await control.post(_FAULTS, fault="reboot")
    await control.post("/advance", seconds=9)
    assert server.charger.online
    with pytest.raises(ConnectionRefusedError):
        await connect(server.url)
    await control.post("/advance", seconds=1)
    async with logged_in(server) as second:
        assert second.status["rbc"] == 49


async def test_silence(control: Control, client: RawClient) -> None:
    """Nothing is sent for the time it was said, pings are answered, then what changed comes at once."""
    await control.post(_FAULTS, fault="silence", for_s=5)
    await control.post("/advance", seconds=4)
    await client.send_write("amp", 8)
    await _nothing(client)
    await asyncio.wait_for(await client.connection.ping(), 1)
    delta = await _delta(control, client)
    assert (delta["amp"], delta["acu"]) == (8, 8)


async def test_deaf(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """A half-open socket answers no ping and takes no write, from the moment it was said."""
    await control.post(_FAULTS, fault="deaf")
    pong = await client.connection.ping()
    await client.send_write("amp", 8)
    await control.post("/advance", seconds=3)
    await _nothing(client)
    assert not pong.done()
    assert server.writes == []
    await _mend(control, "deaf")
    await asyncio.wait_for(pong, 1)
    assert (await client.next("response"))["success"]
    assert (await _delta(control, client))["amp"] == 8


async def test_deaf_inside_silence(control: Control, client: RawClient) -> None:
    """Two faults that have the same effect end on their own."""
    await control.post(_FAULTS, fault="silence")
    await control.post(_FAULTS, fault="deaf", for_s=2)
    await control.post("/advance", seconds=3)
    await _nothing(client)
    await asyncio.wait_for(await client.connection.ping(), 1)
    await _mend(control, "silence")
    assert "rbt" in await _delta(control, client)


async def test_stuck_value(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """Stuck keys keep the values they had, whatever happens; the truth comes out afterwards."""
    before = client.status
    await control.post(_FAULTS, fault="stuck_value", keys=["amp", "nrg", "car"])
    assert (await client.write("amp", 7))["success"]
    assert (await _delta(control, client, 5))["amp"] == 16
    await control.post("/chargers/10000001/car", action="unplug")
    await control.post("/advance", seconds=3)
    async with logged_in(server) as second:
        assert [second.status[key] for key in ("amp", "nrg", "car")] == [before[key] for key in ("amp", "nrg", "car")]
        assert second.status["acu"] is None
    await _mend(control, "stuck_value")
    await control.post("/advance", seconds=1)
    while client.status["car"] != 1:
        await client.next("deltaStatus")
    assert (client.status["amp"], client.status["nrg"][11]) == (7, 0)


async def test_ignored_command(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """Writes to some keys, or to all, succeed and do nothing."""
    await control.post(_FAULTS, fault="ignored_command", keys=["amp"])
    answer = await client.write("amp", 8)
    assert (answer["success"], answer["status"]) == (True, {"amp": 8})
    assert (await client.write("lmo", 4))["success"]
    await _delta(control, client, 5)
    assert (server.charger.settings["amp"], server.charger.currents[0]) == (16, 0)
    assert [write.key for write in server.writes] == ["lmo"]
    await control.post(_FAULTS, fault="ignored_command")
    assert (await client.write("lmo", 3))["success"]
    assert server.charger.settings["lmo"] == 4
    assert not (await client.write("amp", 99))["success"]
    await _mend(control, "ignored_command")
    assert (await client.write("amp", 8))["success"]
    assert server.charger.settings["amp"] == 8


async def test_rejected_command(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """Writes are refused with the text that was given."""
    await control.post(_FAULTS, fault="rejected_command", keys=["amp"], message="busy")
    answer = await client.write("amp", 8)
    assert (answer["success"], answer["message"]) == (False, "busy")
    assert (await client.write("psm", 1))["success"]
    await _mend(control, "rejected_command")
    assert (await client.write("amp", 8))["success"]
    assert [write.key for write in server.writes] == ["psm", "amp"]


async def test_no_response(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """Writes work and are not answered."""
    await control.post(_FAULTS, fault="no_response")
    await client.send_write("amp", 8)
    await _nothing(client)
    assert server.charger.settings["amp"] == 8
    await _mend(control, "no_response")
    assert (await client.write("amp", 9))["success"]


async def test_slow_answer(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """Responses and status come late, in order and as they were; in the end the rest comes at once."""
    await control.post(_FAULTS, fault="slow_answer", seconds=3)
    await client.send_write("amp", 8)
    await control.post("/advance", seconds=2.5)
    await _nothing(client)
    assert server.charger.settings["amp"] == 8
    await control.post("/advance", seconds=0.5)
    assert (await client.next())["type"] == "response"
    late = await _delta(control, client)
    # It is the state of three seconds ago: the first one after the write.
    assert (late["amp"], late["rbt"]) == (8, client.status["rbt"])
    assert server.status()["rbt"] - late["rbt"] == 3000
    await _mend(control, "slow_answer")
    await control.post("/advance", seconds=1)
    frames = [await client.next("deltaStatus") for _ in range(4)]
    assert [server.status()["rbt"] - frame["status"]["rbt"] for frame in frames] == [3000, 2000, 1000, 0]


async def test_slow_login(control: Control, server: WattpilotServer) -> None:
    """A slow charger is slow from its first word on, also when it turns somebody away."""
    await control.post(_FAULTS, fault="slow_answer", seconds=1)
    async with raw_client(server) as stranger:
        await _nothing(stranger)
        login = asyncio.create_task(stranger.login("wrong"))
        while not login.done():
            await control.post("/advance", seconds=0.5)
            await asyncio.sleep(0.01)
        assert login.result() == {"type": "authError", "message": "Wrong password"}


async def test_a_slow_farewell_does_not_keep_the_home_open() -> None:
    """A home ends while a verdict is still on its way."""
    async with running_home(_CONFIG) as simulation:
        server = simulation.chargers[0]
        stranger = RawClient(await connect(server.url, close_timeout=1))
        hello = await stranger.next("hello")
        assert hello["serial"] == "10000001"
        await stranger.next("authRequired")
        server.faults.slow_s = 100
        await stranger.send({"type": "auth", "token3": "00", "hash": "00"})
        await _nothing(stranger)
    await stranger.connection.wait_closed()


async def test_reboot(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """The socket is lost after a while, and a rebooted charger is back."""
    await control.post(_FAULTS, fault="reboot")
    assert "rbt" in await _delta(control, client)
    await control.post("/advance", seconds=2)
    with pytest.raises(ConnectionClosed):
        await client.next("response")
    await control.post("/advance", seconds=4)
    async with logged_in(server) as second:
        assert second.status["rbc"] == client.status["rbc"] + 1


async def test_error_and_derating(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """A hot charger gives less, one with an error gives nothing; then it charges again."""
    await control.post(_FAULTS, fault="derating", current=9)
    await _delta(control, client, 5)
    assert server.charger.currents == (9, 9, 9)
    await control.post(_FAULTS, fault="error", code=8)
    delta = await _delta(control, client, 5)
    assert (delta["err"], delta["acu"]) == (8, None)
    assert server.charger.power_w == 0
    await _mend(control, "error")
    await _mend(control, "derating")
    await _delta(control, client, 15)
    assert server.charger.currents == (16, 16, 16)


async def test_faults_of_the_login(control: Control, server: WattpilotServer) -> None:
    """Another identity, a password that is not taken any more, a snapshot without end, in pieces, with extras."""
    await control.post(_FAULTS, fault="identity", serial="10009999")
    await control.post(_FAULTS, fault="missing_keys", keys=["nrg"])
    await control.post(_FAULTS, fault="override", values={"car": 99})
    async with logged_in(server) as client:
        assert client.frames[0]["serial"] == "10009999"
        assert client.status["car"] == 99
        assert "nrg" not in client.status
        await control.post(_FAULTS, fault="unknown_messages")
        await control.post("/advance", seconds=1)
        await client.next("updateSomethingNew")
    for fault in ("identity", "missing_keys", "override", "unknown_messages"):
        await _mend(control, fault)
    for fault in ("half_snapshot", "delta_in_snapshot", "fragmented"):
        await control.post(_FAULTS, fault=fault)
    async with raw_client(server) as client:
        await client.login("virtual-home")
        await client.next("deltaStatus")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.snapshot(), 0.1)
        for fault in ("half_snapshot", "delta_in_snapshot", "fragmented"):
            await _mend(control, fault)
    async with logged_in(server) as client:
        assert client.status["car"] == 2
        assert client.types.count("fullStatus") == 5
        assert "deltaStatus" not in client.types
    await control.post(_FAULTS, fault="wrong_password")
    async with raw_client(server) as client:
        assert (await client.login("virtual-home"))["type"] == "authError"
    await _mend(control, "wrong_password")
    async with logged_in(server):
        pass


async def test_every_fault_can_end(control: Control) -> None:
    """All faults at once, all ended: the devices are as they were."""
    simulation = control.simulation
    given: dict[str, dict[str, Any]] = {
        "stuck_value": {"keys": ["amp"]},
        "slow_answer": {"seconds": [1, 2]},
        "error": {"code": 3},
        "derating": {"current": 6},
        "identity": {"serial": "1"},
        "override": {"values": {"car": 0}},
        "missing_keys": {"keys": ["wh"]},
        "silent_blocks": {"blocks": [[1, 2]]},
        "exception_blocks": {"blocks": [[1, 2]]},
        "broken_blocks": {"blocks": [[1, 2]]},
        "slow": {"seconds": [0.1, 0.2]},
    }
    for path, kinds in ((_FAULTS, WATTPILOT_FAULTS), ("/inverter/faults", INVERTER_FAULTS)):
        lasting = [name for name, kind in kinds.items() if kind.end is not None]
        before = repr(simulation.chargers[0].faults) + repr(simulation.inverter.faults)
        for name in lasting:
            answer = await control.post(path, fault=name, for_s=2, **given.get(name, {}))
        assert [fault["fault"] for fault in answer["active"]] == lasting
        await control.post("/advance", seconds=2)
        assert (await control.get(path))["active"] == []
        assert repr(simulation.chargers[0].faults) + repr(simulation.inverter.faults) == before


async def _modbus(control: Control) -> ModbusUnit:
    params = ModbusTcpParams(host="127.0.0.1", port=control.simulation.inverter.port)
    unit = ModbusConnection(params).for_unit(1)
    unit.require_timeout(1)
    return unit


async def test_inverter_blocks(control: Control) -> None:
    """Blocks of registers are silent, missing or broken, and fine again."""
    path, client = "/inverter/faults", await _modbus(control)
    await control.post(path, fault="exception_blocks", blocks=[[40188, 105]])
    with pytest.raises(IllegalDataAddressError):
        await client.read_holding_registers(40190, 2)
    await control.call("DELETE", f"{path}/exception_blocks")
    await control.post(path, fault="broken_blocks", blocks=[[40188, 105]], for_s=1)
    with pytest.raises(ServerDeviceFailureError):
        await client.read_holding_registers(40190, 2)
    await control.post("/advance", seconds=1)
    assert len(await client.read_holding_registers(40190, 2)) == 2
    await client.disconnect()


async def test_inverter_meter_freezes(control: Control) -> None:
    """A frozen meter shows the moment of the fault, also when nobody had asked it since."""
    client = await _modbus(control)
    before = await client.read_holding_registers(40206, 5)
    for load in (6900, 3450):
        await control.post("/inverter/faults", fault="frozen_meter")
        await control.post("/house", load_w=[load, 0, 0])
        await control.post("/advance", seconds=2)
        assert await client.read_holding_registers(40206, 5) == before
        await control.call("DELETE", "/inverter/faults/frozen_meter")
        after = await client.read_holding_registers(40206, 5)
        assert after != before
        before = after
    await client.disconnect()


async def test_inverter_link(control: Control) -> None:
    """The inverter drops the link, refuses new ones, and is gone from the network."""
    path, client = "/inverter/faults", await _modbus(control)
    await client.read_holding_registers(40000, 2)
    await control.post(path, fault="refuse")
    await control.post(path, fault="drop")
    for _ in range(2):
        # The first request finds the link lost, the next one is turned away.
        with pytest.raises(ModbusConnectionError):
            await client.read_holding_registers(40000, 2)
    assert control.simulation.inverter.refused >= 1
    await control.call("DELETE", f"{path}/refuse")
    assert len(await client.read_holding_registers(40000, 2)) == 2
    await control.post(path, fault="offline", for_s=1)
    with pytest.raises(ModbusConnectionError):
        await client.read_holding_registers(40000, 2)
    await control.post("/advance", seconds=1)
    assert len(await client.read_holding_registers(40000, 2)) == 2
    await client.disconnect()
