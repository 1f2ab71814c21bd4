"""Faults of frames and registers: what a bare client sees of them, and what can begin with the home."""

import asyncio
from collections.abc import AsyncIterator
import json
import math
import sys
from typing import Any

from aiohttp import ClientSession
from modbus_connection import (
    GatewayPathUnavailableError,
    GatewayTargetError,
    ModbusConnectionError,
    ModbusTcpParams,
    ModbusUnit,
)
from modbus_connection.tmodbus import ModbusConnection
import pytest
from websockets.exceptions import ConnectionClosed

from simulator import (
    CarConfig,
    ChargerConfig,
    FaultConfig,
    FaultError,
    HomeConfig,
    HouseConfig,
    PvConfig,
    WattpilotServer,
    running_home,
)
from simulator.__main__ import main
from simulator.options import parse
from tests.simulator.control import Control
from tests.simulator.raw import RawClient, logged_in, raw_client

_CONFIG = HomeConfig(
    pv=PvConfig(constant_w=0),
    house=HouseConfig(constant_w=690),
    chargers=(ChargerConfig(mode=3, auth="bcrypt", car=CarConfig(start_delay_s=0)),),
    speed=0,
    control_port=0,
)
_CHARGER, _INVERTER = "/chargers/10000001/faults", "/inverter/faults"


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


@pytest.fixture(name="unit")
async def unit_fixture(control: Control) -> AsyncIterator[ModbusUnit]:
    """Return the inverter's registers."""
    unit = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=control.simulation.inverter.port)).for_unit(1)
    unit.require_timeout(1)
    yield unit
    await unit.disconnect()


async def _raw(control: Control, client: RawClient) -> str | bytes:
    """Let a second pass and return the next message as it came."""
    await control.post("/advance", seconds=1)
    return await asyncio.wait_for(client.connection.recv(), 3)


async def _delta(control: Control, client: RawClient) -> dict[str, Any]:
    """Let a second pass and return what the next delta says."""
    await control.post("/advance", seconds=1)
    status: dict[str, Any] = (await client.next("deltaStatus"))["status"]
    return status


async def test_malformed(control: Control, client: RawClient) -> None:
    """Messages are no JSON, no object or no text; good ones come beside them where that was said."""
    await control.post(_CHARGER, fault="malformed")
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(await _raw(control, client))
    await control.post(_CHARGER, fault="malformed", form="no_object")
    assert isinstance(json.loads(await _raw(control, client)), list)
    await control.post(_CHARGER, fault="malformed", form="binary", beside=True)
    assert isinstance(await _raw(control, client), bytes)
    assert (await client.next())["type"] == "deltaStatus"
    await control.call("DELETE", f"{_CHARGER}/malformed")
    assert "rbt" in await _delta(control, client)


async def test_truncated(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """A frame ends in its middle, and the connection with it; who comes later is treated the same way."""
    await control.post(_CHARGER, fault="truncated")
    with pytest.raises(ConnectionClosed):
        await _raw(control, client)
    async with logged_in(server) as second:
        with pytest.raises(ConnectionClosed):
            await _raw(control, second)
    await control.call("DELETE", f"{_CHARGER}/truncated")
    async with logged_in(server) as third:
        assert "rbt" in await _delta(control, third)


async def test_flood(control: Control, client: RawClient) -> None:
    """Hundreds of messages come within one second, each a proper one."""
    await control.post(_CHARGER, fault="flood", count=400)
    await _delta(control, client)
    signals = {(await client.next("deltaStatus"))["status"]["rssi"] for _ in range(400)}
    assert len(signals) == 50


async def test_signatures_and_passwords(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """No signature is right any more; with another password nobody stays connected."""
    await control.post(_CHARGER, fault="bad_signatures")
    answer = await client.write("amp", 8)
    assert (answer["success"], answer["message"]) == (False, "hmac mismatch")
    assert server.writes == []
    await control.post(_CHARGER, fault="password_changed", password="other")
    with pytest.raises(ConnectionClosed):
        await client.next("response")
    async with raw_client(server) as stranger:
        assert (await stranger.login("virtual-home"))["type"] == "authError"
    async with raw_client(server) as owner:
        assert (await owner.login("other"))["type"] == "authSuccess"
    await control.call("DELETE", f"{_CHARGER}/password_changed")
    async with logged_in(server):
        pass


async def test_strange_values(control: Control, client: RawClient) -> None:
    """Unknown keys, numbers as text, and what is no number: all as it was said, and all good again afterwards."""
    before = client.status
    await control.post(_CHARGER, fault="unknown_keys", count=250)
    delta = await _delta(control, client)
    assert sum(key.startswith("zz") for key in delta) == 250
    assert delta["modelStatus"] >= 900
    await control.post(_CHARGER, fault="text_numbers")
    delta = await _delta(control, client)
    assert (delta["amp"], delta["car"], delta["nrg"][4]) == ("16", "2", "16")
    assert delta["cll"]["currentLimitMax"] == "16"
    await control.call("DELETE", f"{_CHARGER}/text_numbers")
    for name, expected in (("nan", math.nan), ("-infinity", -math.inf), ("null", None), ("-1", -1), ("1e308", 1e308)):
        await control.post(_CHARGER, fault="sentinels", value=name)
        delta = await _delta(control, client)
        assert delta["nrg"] == [expected] * 16 or (name == "nan" and all(map(math.isnan, delta["nrg"])))
    for fault in ("sentinels", "unknown_keys"):
        await control.call("DELETE", f"{_CHARGER}/{fault}")
    delta = await _delta(control, client)
    assert (delta["modelStatus"], delta["acu"]) == (before["modelStatus"], before["acu"])


async def test_clock_jumps(control: Control, client: RawClient, server: WattpilotServer) -> None:
    """The clock and the time since the boot jump together, and back."""
    before = server.status()
    await control.post(_CHARGER, fault="clock_jump", seconds=-86_400)
    delta = await _delta(control, client)
    assert delta["rbt"] == before["rbt"] + 1000 - 86_400_000
    assert delta["loc"].startswith("2026-06-20T11:00:11")
    await control.call("DELETE", f"{_CHARGER}/clock_jump")
    assert (await _delta(control, client))["loc"].startswith("2026-06-21T11:00:12")


async def test_slow_by_chance(control: Control, client: RawClient) -> None:
    """Each message is late by another time between the two, and none overtakes another."""
    await control.post(_CHARGER, fault="slow_answer", seconds=[2, 15])
    await control.post("/advance", seconds=40)
    times = []
    while True:
        try:
            frame = json.loads(await asyncio.wait_for(client.connection.recv(), 0.1))
        except TimeoutError:
            break
        times.append(frame["status"]["rbt"])
    assert 20 < len(times) < 39
    assert times == sorted(times)


async def test_registers(control: Control, unit: ModbusUnit) -> None:
    """Exceptions by their code, sentinels, a meter the wrong way round, and an answer that ends in its middle."""
    power = 40206
    (before,) = await unit.read_holding_registers(power, 1)
    await control.post(_INVERTER, fault="exception", code=10)
    with pytest.raises(GatewayPathUnavailableError):
        await unit.read_holding_registers(power, 1)
    await control.post(_INVERTER, fault="exception", code=11, blocks=[[40000, 100]])
    with pytest.raises(GatewayTargetError):
        await unit.read_holding_registers(40004, 1)
    assert await unit.read_holding_registers(power, 1) == [before]
    await control.post(_INVERTER, fault="exception", expect=400, code=7)
    await control.call("DELETE", f"{_INVERTER}/exception")
    await control.post(_INVERTER, fault="sign_flip")
    assert await unit.read_holding_registers(power, 1) == [-before & 0xFFFF]
    await control.call("DELETE", f"{_INVERTER}/sign_flip")
    await control.post(_INVERTER, fault="sentinels", value="float_min", blocks=[[power, 4]])
    assert await unit.read_holding_registers(power, 4) == [0xFFFF, 0xFF7F] * 2
    await control.post(_INVERTER, fault="sentinels")
    assert await unit.read_holding_registers(power, 1) == [0x8000]
    assert await unit.read_holding_registers(40083, 1) == [0x8000]
    await control.call("DELETE", f"{_INVERTER}/sentinels")
    await control.post(_INVERTER, fault="truncated")
    with pytest.raises(ModbusConnectionError):
        await unit.read_holding_registers(power, 1)
    await control.call("DELETE", f"{_INVERTER}/truncated")
    assert await unit.read_holding_registers(power, 1) == [before]


async def test_restart_of_the_inverter(control: Control, unit: ModbusUnit) -> None:
    """The connection is cut and every new one refused, until the restart is over."""
    await unit.read_holding_registers(40000, 2)
    await control.post(_INVERTER, fault="restart", for_s=30)
    for _ in range(2):
        with pytest.raises(ModbusConnectionError):
            await unit.read_holding_registers(40000, 2)
    await control.post("/advance", seconds=30)
    assert len(await unit.read_holding_registers(40000, 2)) == 2


async def test_faults_from_the_start() -> None:
    """A home may begin with faults, named by number, serial or `inverter`; they end as they were told."""
    options = parse(
        [
            *("--fault", "1:malformed", "--fault", '10000002:error:{"code": 8}'),
            *("--fault", 'inverter:slow:{"seconds": [2, 15], "for_s": 60}'),
            *("--wattpilots", "2"),
        ]
    )
    async with running_home(options.home) as simulation:
        assert simulation.chargers[0].faults.malformed == "no_json"
        assert simulation.chargers[1].charger.error == 8
        inverter = simulation.inverter
        assert (inverter.faults.slow_s, inverter.faults.slow_to_s) == (2, 15)
        await simulation.advance(60)
        assert (inverter.faults.slow_s, inverter.faults.slow_to_s) == (0, 0)


@pytest.mark.parametrize("device", ["7", "inverter"])
async def test_fault_of_nobody(device: str) -> None:
    """A fault of a device that is not there is refused with the names of those that are."""
    config = HomeConfig(inverter=None, faults=(FaultConfig(device=device, name="drop"),))
    with pytest.raises(FaultError, match=f"no device '{device}'; there are: 10000001"):
        async with running_home(config):
            pytest.fail("started")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("flood", "not DEVICE:NAME"),
        ("1:flood:[1]", "not DEVICE:NAME"),
        ("1:flood:{", "not DEVICE:NAME"),
        ('1:flood:{"for_s": 0}', "'for_s' is a number of seconds above 0"),
        ("1:fire", "unknown fault 'fire'"),
        ('1:flood:{"count": 0}', "needs 'count'"),
        ('inverter:slow:{"seconds": [3, 2]}', "needs 'seconds'"),
    ],
)
def test_faults_that_cannot_be(fault: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in a fault is one clear line."""
    try:
        code: object = main(["--fault", fault])
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert text in capsys.readouterr().err.splitlines()[-1]


async def test_program_with_a_fault() -> None:
    """The program begins with the fault and says so."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--fault", "1:refuse", "--control-port", "0", "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        lines = [(await process.stdout.readline()).decode() for _ in range(5)]
    async with ClientSession() as session, session.get(f"{json.loads(lines[4])['control']}/state") as response:
        (charger,) = (await response.json())["chargers"]
    process.terminate()
    await process.wait()
    assert [fault["fault"] for fault in charger["faults"]] == ["refuse"]
