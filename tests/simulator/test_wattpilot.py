"""The WebSocket protocol of the Wattpilots."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest
from wattpilot_api import Wattpilot
from wattpilot_api.exceptions import AuthenticationError, CommandError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from simulator import SECRET_MARK, ChargerConfig, HomeConfig, Simulation, Timings, running_home
from tests.simulator.raw import logged_in, raw_client

_CHARGERS = (
    ChargerConfig(mode=3),
    ChargerConfig(serial="10000002", auth="bcrypt", flex=True, password="pässwörd"),
    ChargerConfig(serial="10000003", auth="omit", flex=True),
    ChargerConfig(serial="10000004", auth="omit"),
)


@pytest.fixture(name="simulation")
async def simulation_fixture() -> AsyncIterator[Simulation]:
    """Run a home whose time only passes when a test says so."""
    async with running_home(HomeConfig(chargers=_CHARGERS, speed=0)) as simulation:
        yield simulation


@pytest.mark.parametrize("index", range(4))
async def test_foreign_client_reads(simulation: Simulation, index: int) -> None:
    """The published client logs in with every kind of key derivation and reads what the home plays."""
    await simulation.advance(20)
    server = simulation.chargers[index]
    password = server.charger.config.password
    async with Wattpilot(f"127.0.0.1:{server.port}", password, auto_reconnect=False) as client:
        assert client.serial == server.charger.config.serial
        assert client.power == pytest.approx(server.charger.power_w / 1000, abs=1e-5)
        assert client.amps1 == pytest.approx(server.charger.currents[0], abs=1e-3)
        assert client.voltage2 == pytest.approx(simulation.home.flow.voltages[1], abs=0.1)
        assert client.car_state == server.charger.car_state
        assert client.allow_charging == server.charger.allowed
        assert client.energy_counter_total == int(server.charger.lifetime_wh)


async def test_foreign_client_writes(simulation: Simulation) -> None:
    """A write of the published client is acknowledged, recorded and changes the car's current."""
    server = simulation.chargers[0]
    await simulation.advance(20)
    async with Wattpilot(f"127.0.0.1:{server.port}", "virtual-home", auto_reconnect=False) as client:
        await client.set_current(9)
        assert [(write.key, write.value, write.at) for write in server.writes] == [("amp", 9, pytest.approx(20))]
        await simulation.advance(5)
        assert server.charger.currents == (9, 9, 9)
        async with asyncio.timeout(3):
            while client.amps1 != 9:  # noqa: ASYNC110 - the foreign client has nothing to wait on
                await asyncio.sleep(0.01)
        with pytest.raises(CommandError, match="not allowed"):
            await client.set_current(17)


async def test_a_start_while_time_passes_listens_once(simulation: Simulation) -> None:
    """The home's clock opens what should listen, too: both at the same moment are no port in use."""
    server = simulation.chargers[0]
    for _ in range(20):
        await server.stop()
        await asyncio.gather(server.start(), server.publish(), server.start())
        async with Wattpilot(f"127.0.0.1:{server.port}", "virtual-home", auto_reconnect=False) as client:
            assert client.serial == server.charger.config.serial


async def test_wrong_password(simulation: Simulation) -> None:
    """A wrong password is answered and the connection is closed."""
    server = simulation.chargers[0]
    with pytest.raises(AuthenticationError, match="Wrong password"):
        async with Wattpilot(f"127.0.0.1:{server.port}", "wrong", auto_reconnect=False):
            pytest.fail("logged in")
    async with raw_client(server) as client:
        assert (await client.login("wrong"))["type"] == "authError"
        with pytest.raises(ConnectionClosed):
            await client.next()


async def test_connect_like_a_recorded_one(simulation: Simulation, data: Path) -> None:
    """Frame types come in the recorded order, and the keys of every frame cover the recorded ones."""
    recording = json.loads((data / "wattpilot/connect-fw42.5.json").read_text())
    recorded = [entry["frame"] for entry in recording["frames"]]
    async with logged_in(simulation.chargers[0]) as client:
        await simulation.advance(1)
        await client.next("deltaStatus")
        frames = client.frames
    assert [frame["type"] for frame in frames] == [frame["type"] for frame in recorded[: len(frames)]]
    for ours, theirs in zip(frames, recorded, strict=False):
        assert theirs.keys() <= ours.keys()
        if ours["type"] == "fullStatus":
            assert ours["partial"] == theirs["partial"]
            assert theirs["status"].keys() <= ours["status"].keys()
    ours, theirs = client.status, {}
    for frame in recorded:
        theirs |= frame.get("status", {})
    for key in theirs.keys() & ours.keys():
        if theirs[key] is not None and ours[key] is not None:
            assert _shape(ours[key]) == _shape(theirs[key]), key


def _shape(value: Any) -> Any:
    """Reduce a JSON value to its kind; int and float are the same on the wire."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    return "number" if type(value) in {int, float} else type(value).__name__


async def test_deltas_hold_what_changed(simulation: Simulation) -> None:
    """Once per second of home time every client gets the changed keys, and only those."""
    server = simulation.chargers[0]
    async with logged_in(server) as first, logged_in(server) as second:
        await simulation.advance(30)
        for client in (first, second):
            deltas = [await client.next("deltaStatus") for _ in range(30)]
            assert {"utc", "rbt"} <= deltas[-1]["status"].keys()
            assert "amp" not in deltas[-1]["status"]
            assert client.status["nrg"] == server.status()["nrg"]
            assert client.status["car"] == 2
            assert client.status["wh"] > 0
        assert server.clients == 2


async def test_nothing_is_lost_while_joining(simulation: Simulation) -> None:
    """What changes between a client's snapshot and its first delta is in that delta."""
    server = simulation.chargers[0]
    async with logged_in(server) as client, logged_in(server):
        server.charger.write("amp", 8)
        async with logged_in(server) as late:
            server.charger.write("amp", 7)
            await simulation.advance(1)
            await late.next("deltaStatus")
            assert late.status["amp"] == 7
        await client.next("deltaStatus")
        assert client.status["amp"] == 7


async def test_responses(simulation: Simulation) -> None:
    """The inner request number comes back as a string, with the value or with a reason."""
    async with logged_in(simulation.chargers[0]) as client:
        accepted = await client.write("amp", 8, 7)
        assert accepted == {"type": "response", "requestId": "7", "success": True, "status": {"amp": 8}}
        refused = await client.write("amp", 99, 8)
        assert (refused["requestId"], refused["success"]) == ("8", False)
        assert "message" in refused
        await client.send({"type": "PING"})
        assert await client.next("response") == {
            "type": "response",
            "success": False,
            "message": 'unknown message type="PING"',
        }
        await client.send({"type": "setValue", "requestId": 9, "key": "amp", "value": 6})
        assert not (await client.next("response"))["success"]
        client.key = b"0" * 32
        assert not (await client.write("amp", 6, 10))["success"]
        assert [write.value for write in simulation.chargers[0].writes] == [8]


async def test_a_write_is_told_to_everybody(simulation: Simulation) -> None:
    """The next delta of every client names what was written, also where the car's leaving has taken it back."""
    server = simulation.chargers[0]
    async with logged_in(server) as writer, logged_in(server) as other:
        assert (await writer.write("amp", 9))["success"]
        assert (await writer.write("frc", 1, 2))["success"]
        assert not (await writer.write("psm", 7, 3))["success"]
        server.unplug()
        await simulation.advance(2)
        for client in (writer, other):
            first, second = [(await client.next("deltaStatus"))["status"] for _ in range(2)]
            assert (first["amp"], first["frc"]) == (9, 0)
            assert "psm" not in first
            assert not {"amp", "frc"} & second.keys()


async def test_full_status_on_request(simulation: Simulation) -> None:
    """A client may ask for the whole status once more; nonsense in between is ignored."""
    async with logged_in(simulation.chargers[0]) as client:
        before = len(client.frames)
        await client.connection.send("not json")
        await client.send({"type": "requestFullStatus", "requestId": 5})
        await client.snapshot()
        assert client.types[before:].count("fullStatus") == 5


async def test_only_one_path(simulation: Simulation) -> None:
    """The WebSocket lives at /ws and nowhere else."""
    with pytest.raises(InvalidStatus):
        await connect(simulation.chargers[0].url.replace("/ws", "/other"))


async def test_reboot_has_no_response() -> None:
    """`rst` is not answered; the socket is lost, the port refuses, and then it is back."""
    timings = Timings(reboot_drop_s=2, reboot_down_s=3)
    async with running_home(HomeConfig(chargers=(ChargerConfig(),), timings=timings, speed=0)) as simulation:
        server = simulation.chargers[0]
        async with logged_in(server) as client:
            before = client.status
            await client.send_write("rst", True)
            await client.send({"type": "PING"})
            assert "PING" in (await client.next("response"))["message"]
            await simulation.advance(3)
            with pytest.raises(ConnectionClosed):
                await client.next("response")
        with pytest.raises(ConnectionRefusedError):
            await connect(server.url)
        await simulation.advance(3)
        async with logged_in(server) as client:
            assert client.status["rbt"] < before["rbt"]
            assert client.status["rbc"] == before["rbc"] + 1


async def test_secrets_are_recognisable(simulation: Simulation) -> None:
    """The status holds secrets, so that tests can search a client's logs for them."""
    async with logged_in(simulation.chargers[0]) as client:
        assert SECRET_MARK in client.status["cak"]
        assert SECRET_MARK in json.dumps(client.status["wifis"])


async def test_fault_silent(simulation: Simulation) -> None:
    """A silent charger sends nothing and stays connected; later it goes on."""
    server = simulation.chargers[0]
    async with logged_in(server) as client:
        server.faults.silent = True
        await simulation.advance(5)
        await client.send_write("amp", 7)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 0.1)
        async with asyncio.timeout(1):
            await (await client.connection.ping())
        server.faults.deaf = True
        await simulation.advance(1)
        pong = await client.connection.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.1)
        server.faults.silent = server.faults.deaf = False
        await simulation.advance(1)
        assert "rbt" in (await client.next("deltaStatus"))["status"]
        async with asyncio.timeout(1):
            await pong


async def test_fault_drop_and_refuse(simulation: Simulation) -> None:
    """Connections can be cut and new ones turned away."""
    server = simulation.chargers[0]
    async with logged_in(server) as client:
        server.faults.refuse = True
        server.drop()
        with pytest.raises(ConnectionClosed):
            await client.next("response")
    with pytest.raises((OSError, WebSocketException, EOFError)):
        await connect(server.url)
    server.faults.refuse = False
    async with logged_in(server) as client:
        assert client.status["amp"] == 16


async def test_fault_power_cut(simulation: Simulation) -> None:
    """A charger that is off refuses at TCP level and comes back at the same port."""
    server = simulation.chargers[0]
    port = server.port
    await server.stop()
    await simulation.advance(3)
    with pytest.raises(ConnectionRefusedError):
        await connect(server.url)
    await server.start()
    assert server.port == port
    async with logged_in(server) as client:
        assert client.status["amp"] == 16


async def test_fault_snapshot(simulation: Simulation) -> None:
    """The snapshot can stay unfinished, have a delta inside, and come in fragments."""
    faults = simulation.chargers[0].faults
    faults.half_snapshot = faults.delta_in_snapshot = faults.fragmented = True
    async with raw_client(simulation.chargers[0]) as client:
        await client.login("virtual-home")
        await client.next("deltaStatus")
        assert client.types.count("fullStatus") == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.snapshot(), 0.1)
        assert client.types.count("fullStatus") == 4


async def test_fault_identity(simulation: Simulation) -> None:
    """Another serial shows in hello and status, and is the salt of the login."""
    server = simulation.chargers[0]
    server.faults.serial = "10009999"
    async with logged_in(server) as client:
        assert client.frames[0]["serial"] == client.status["sse"] == "10009999"


async def test_fault_wrong_password(simulation: Simulation) -> None:
    """The right password can be turned away, as after a change in the app."""
    simulation.chargers[0].faults.wrong_password = True
    async with raw_client(simulation.chargers[0]) as client:
        assert (await client.login("virtual-home"))["type"] == "authError"


async def test_fault_unknown_values(simulation: Simulation) -> None:
    """Message types and enum values that nobody knows yet, and keys that are missing."""
    server = simulation.chargers[0]
    server.faults.unknown_messages = True
    server.faults.missing_keys = {"nrg"}
    async with logged_in(server) as client:
        assert "nrg" not in client.status
        server.faults.override = {"car": 99, "modelStatus": 200}
        await simulation.advance(1)
        await client.next("updateSomethingNew")
        await client.next("deltaStatus")
        assert (client.status["car"], client.status["modelStatus"]) == (99, 200)


async def test_fault_commands(simulation: Simulation) -> None:
    """Commands can be ignored, rejected, unanswered and answered late."""
    server = simulation.chargers[0]
    faults = server.faults
    async with logged_in(server) as client:
        faults.ignored_keys = {"amp"}
        assert (await client.write("amp", 9))["success"]
        assert server.charger.settings["amp"] == 16
        assert server.writes == []
        faults.rejected_keys = {"frc": "not now"}
        assert (await client.write("frc", 1))["message"] == "not now"
        faults.ignored_keys = set()
        faults.no_response = True
        await client.send_write("amp", 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.connection.recv(), 0.1)
        assert server.charger.settings["amp"] == 10
        faults.no_response = False
        faults.answer_delay_s = 0.2
        started = asyncio.get_running_loop().time()
        assert (await client.write("amp", 11))["success"]
        assert asyncio.get_running_loop().time() - started >= 0.19
