"""Connecting to a charger, and everything that can go wrong with it."""

import asyncio
import json
import os
from pathlib import Path
import socket
from typing import Any

import pytest
from websockets.exceptions import InvalidURI

from custom_components.pv_load_manager.wattpilot import (
    CarState,
    ConnectionState,
    WattpilotAuthenticationError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotProtocolError,
    WattpilotSnapshotError,
    WattpilotUnsupportedError,
    WattpilotWrongDeviceError,
    identify,
)
from custom_components.pv_load_manager.wattpilot.transport import _opening_error

from .conftest import FAST, MakeClient
from .scripted import SECRET, SERIAL, SNAPSHOT, ScriptedCharger, delta, full, hello, until

RECORDING = Path(os.environ.get("PVLM_DATA", "../shared/data")) / "wattpilot" / "connect-fw42.5.json"


async def test_connect_gives_a_complete_status(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """After connecting everything is known, and one socket is open."""
    client = make_client()
    states: list[ConnectionState] = []
    updates: list[frozenset[str]] = []
    client.on_state(states.append)
    client.on_update(lambda _status, changed: updates.append(changed))
    assert client.info is None
    assert client.last_frame_at is None
    assert client.status.amp is None
    await client.connect()
    assert states == [ConnectionState.CONNECTING, ConnectionState.CONNECTED]
    assert client.state is ConnectionState.CONNECTED
    assert client.last_error is None
    assert client.info is not None
    assert (client.info.serial, client.info.name, client.info.model) == (SERIAL, "Garage", "Wattpilot Home 11 J 2.0")
    assert client.status.amp == 16
    assert client.status.car_state is CarState.CHARGING
    assert updates == [frozenset().union(*SNAPSHOT)]
    assert client.last_frame_at is not None
    assert client.last_frame_at <= asyncio.get_running_loop().time()
    await client.close()
    await client.close()
    assert client.state is ConnectionState.DISCONNECTED
    assert client.last_frame_at is not None
    await until(lambda: not charger.sockets)


async def test_connect_twice_opens_one_socket(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Two at once share one connection, and a third finds it open."""
    client = make_client()
    await asyncio.gather(client.connect(), client.connect())
    await client.connect()
    assert charger.accepted == len(charger.sockets) == 1


async def test_recorded_frames(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A recorded session of firmware 42.5 is understood."""
    if not RECORDING.exists():
        pytest.skip(f"no recording at {RECORDING}")
    frames = [entry["frame"] for entry in json.loads(RECORDING.read_text())["frames"]]
    charger.greeting, charger.challenge, charger.verdict, *charger.parts = frames
    client = make_client()
    counts: list[int] = []
    client.on_update(lambda _status, changed: counts.append(len(changed)))
    await client.connect()
    await until(lambda: len(counts) == 1 + sum(frame["type"] == "deltaStatus" for frame in frames))
    status = client.status
    assert client.info is not None
    assert (client.info.serial, client.info.firmware) == ("123456", "42.5")
    assert (status.serial, status.model, status.firmware) == ("123456", "Wattpilot Home 11 J 2.0", "42.5")
    assert (status.car_state, status.model_status_name, status.logic_mode) == ("charging", "pv_surplus", 4)
    assert (status.amp, status.ama, status.current_limit_a, status.offered_current_a) == (16, 16, 16, 9)
    assert (status.phases_in_use, status.error_code, status.temperature) == (3, 0, 35)
    assert status.lifetime_energy_wh == 2680808
    assert status.uptime_ms == 237122962
    assert status.power_w == pytest.approx(6023.43, abs=0.01)
    assert status.voltages == pytest.approx((237.46, 234.67, 234.98), abs=0.01)
    assert status.currents == pytest.approx((8.55, 8.626, 8.702), abs=0.001)
    assert status.powers == pytest.approx((2004.58, 1997.77, 2021.07), abs=0.01)
    assert status.pha == (True,) * 6
    assert status.session_energy_wh == pytest.approx(9393.80, abs=0.01)
    parts = (status.session_solar_wh, status.session_battery_wh, status.session_grid_wh, status.session_other_wh)
    assert parts == pytest.approx((9359.50, 34.27, 0.03, 0), abs=0.01)
    assert sum(part or 0 for part in parts) == pytest.approx(status.session_energy_wh)
    assert (status.temperature_limit_a, status.cable_limit_a, status.adapter_limit_a) == (32, 20, 16)
    assert (status.adapter_in_use, status.variant_kw, status.error_name) == (True, 11, "none")
    assert (status.access_name, status.transaction, status.cable_lock_name) == ("open", None, "locked")
    assert (status.rssi_dbm, status.frequency_hz) == (-71, pytest.approx(49.961))
    assert (status.newest_firmware, status.update_available, status.reboot_count) == ("42.5", False, 48)
    assert (status.lifetime_saved_wh, status.lifetime_mid_wh) == (2680790, None)
    assert (status.simulates_unplug, status.phase_switch_pause_ms, status.phase_mode) == (False, 10000, 0)
    assert status.redacted()["cards"] == "**REDACTED**"


async def test_delta_does_not_complete_the_snapshot(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A change between the parts is merged, and the last part is still waited for."""
    first, second, last = charger.parts
    charger.parts = [first, delta(amp=7), {"type": "fullStatus", "partial": False}, second, delta(rbt=1), last]
    client = make_client()
    await client.connect()
    assert client.status.amp == 7
    assert client.status.uptime_ms == 5000
    assert client.status.car_state is CarState.CHARGING


async def test_half_a_snapshot(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Without its last part a status is not complete, and that is an error."""
    charger.parts.pop()
    client = make_client()
    updates: list[Any] = []
    client.on_update(lambda *args: updates.append(args))
    with pytest.raises(WattpilotSnapshotError, match=r"incomplete for 0\.4 s"):
        await client.connect()
    assert isinstance(client.last_error, WattpilotSnapshotError)
    assert client.state is ConnectionState.DISCONNECTED
    assert client.status.amp is None
    assert not updates
    await until(lambda: not charger.sockets)


async def test_drop_during_the_snapshot(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A connection lost in the middle is a snapshot error too."""
    charger.parts.pop()
    client = make_client()
    attempt = asyncio.create_task(client.connect())
    await until(lambda: charger.auths)
    await asyncio.sleep(0.05)
    charger.drop()
    with pytest.raises(WattpilotSnapshotError, match="connection was lost"):
        await attempt


async def test_flex_gets_its_longer_limit(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """The limit of the Flex holds as soon as it has said what it is."""
    charger.greeting = hello(devicetype="wattpilot_flex")
    charger.parts.pop()
    with pytest.raises(WattpilotSnapshotError, match=r"incomplete for 0\.6 s"):
        await make_client().connect()


async def test_wrong_password(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A refused password is an error of its own and a state."""
    client = make_client(password="not the right one")
    with pytest.raises(WattpilotAuthenticationError) as caught:
        await client.connect()
    assert client.state is ConnectionState.AUTH_FAILED
    assert "not the right one" not in str(caught.value)
    await client.close()
    assert client.state is ConnectionState.DISCONNECTED
    await until(lambda: not charger.sockets)


async def test_wrong_device_never_sees_the_password(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """The identity is checked before anything is made of the password."""
    derived: list[str] = []

    def derive(_password: str, serial: str, /) -> bytes:
        derived.append(serial)
        return b""

    client = make_client(serial="99999999", derive_key=derive)
    with pytest.raises(WattpilotWrongDeviceError) as caught:
        await client.connect()
    assert (caught.value.expected, caught.value.found) == ("99999999", SERIAL)
    assert client.state is ConnectionState.WRONG_DEVICE
    assert not derived
    assert charger.auths == 0


async def test_expected_device(make_client: MakeClient) -> None:
    """The right serial passes."""
    client = make_client(serial=SERIAL)
    await client.connect()
    assert client.state is ConnectionState.CONNECTED


async def test_unknown_hash_is_named(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A hash that is not supported is named, and is a kind of protocol error."""
    charger.challenge |= {"hash": "argon2"}
    with pytest.raises(WattpilotUnsupportedError, match="argon2") as caught:
        await make_client(derive_key=None).connect()
    assert isinstance(caught.value, WattpilotProtocolError)


@pytest.mark.parametrize(
    "greeting",
    [{"type": "auth_required"}, hello(devicetype="go-eCharger", devicefamily=None), "what?", b"\x00\x01", "[]"],
)
async def test_not_a_wattpilot(charger: ScriptedCharger, make_client: MakeClient, greeting: Any) -> None:
    """Another device, or one that talks nonsense, is told apart from silence."""
    charger.greeting, charger.challenge, charger.parts = greeting, None, []
    with pytest.raises(WattpilotProtocolError):
        await make_client().connect()


async def test_silence_instead_of_a_greeting(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A peer that accepts and says nothing is given up in time."""
    charger.greeting, charger.challenge, charger.parts = None, None, []
    with pytest.raises(WattpilotConnectionError, match=r"did not greet within 0\.5 s"):
        await make_client().connect()


async def test_silence_instead_of_a_verdict(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A charger that never answers the password is given up in time."""
    charger.verdict, charger.parts = None, []
    with pytest.raises(WattpilotConnectionError, match="no verdict"):
        await make_client().connect()


async def test_close_instead_of_a_verdict(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A connection that is closed instead is a connection error, not a wrong password."""
    attempt = asyncio.create_task(make_client().connect())
    charger.verdict, charger.parts = None, []
    await until(lambda: charger.auths)
    for connection in list(charger.sockets):
        await connection.close(1000, SECRET)
    with pytest.raises(WattpilotConnectionError, match=r"closed by the charger \(code 1000\)$"):
        await attempt


async def test_no_password_asked_but_signatures_wanted(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Without a password there is nothing to sign with."""
    charger.challenge, charger.parts = None, [{"type": "authSuccess"}]
    with pytest.raises(WattpilotProtocolError, match="never asked"):
        await make_client().connect()


async def test_unsecured_charger_without_a_challenge(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A status without a challenge is accepted where the greeting announced no security; commands go out plain."""
    charger.greeting, charger.challenge = hello(secured=False), None
    charger.parts.insert(0, {"type": "clearSmips"})
    client = make_client()
    await client.connect()
    await client.set_value("amp", 8)
    assert charger.received[0]["plain"]


async def test_status_before_the_verdict_is_ignored(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Where a password is needed, a status without it counts for nothing."""
    charger.challenge, charger.parts = None, [full({"amp": 32}, partial=False)]
    with pytest.raises(WattpilotConnectionError, match="no verdict"):
        await make_client().connect()


async def test_refused_connection(charger: ScriptedCharger, make_client: MakeClient, unused_tcp_port: int) -> None:
    """Nobody at the port is a connection error."""
    client = make_client(port=unused_tcp_port)
    with pytest.raises(WattpilotConnectionError, match="cannot connect to 127"):
        await client.connect()
    assert client.state is ConnectionState.DISCONNECTED
    assert charger.accepted == 0


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", WattpilotProtocolError),
        (b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", WattpilotProtocolError),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", WattpilotConnectionError),
        (b"SSH-2.0-OpenSSH\r\n", WattpilotProtocolError),
        (b"", WattpilotConnectionError),
    ],
)
async def test_other_servers(make_client: MakeClient, answer: bytes, error: type[WattpilotError]) -> None:
    """Web servers, other services and a closed door are told apart."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        with pytest.raises(WattpilotError) as caught:
            await make_client(port=server.sockets[0].getsockname()[1]).connect()
    assert type(caught.value) is error


@pytest.mark.parametrize("host", ["", "::1%nowhere", "[x", "[::1"])
async def test_bad_hosts(host: str) -> None:
    """A host that cannot be is an error of this package, too."""
    with pytest.raises(WattpilotError):
        await identify(host, timings=FAST)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (socket.gaierror(-2, "Name or service not known"), "cannot connect to nobody:80: Name or service not known"),
        (UnicodeError("label empty"), "nobody:80 is no valid address"),
    ],
)
async def test_names_that_do_not_resolve(monkeypatch: pytest.MonkeyPatch, failure: Exception, text: str) -> None:
    """A name nobody knows, or that cannot be one, is a connection error that says so."""

    def getaddrinfo(*_args: object, **_kwargs: object) -> None:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(WattpilotConnectionError) as caught:
        await identify("nobody", timings=FAST)
    assert str(caught.value) == text


async def test_no_proxy_of_the_environment(
    charger: ScriptedCharger, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy of the environment is not used: it would see the challenge and its answer."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ws_proxy", "http://127.0.0.1:1")
    client = make_client()
    await client.connect()
    assert charger.accepted == 1


def test_bad_link_is_a_bad_host() -> None:
    """What the library calls a link is a host to the user."""
    assert "no valid address" in str(_opening_error(InvalidURI("ws://x", "bad"), "x:80"))


async def test_close_while_connecting(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Closing ends an attempt, whoever waits for it, and leaves nothing."""
    charger.parts.pop()
    client = make_client()
    attempts = [asyncio.create_task(client.connect()) for _ in range(2)]
    await until(lambda: charger.auths)
    await client.close()
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results] == [WattpilotConnectionError] * 2
    assert client.state is ConnectionState.DISCONNECTED
    assert charger.accepted == 1
    await until(lambda: not charger.sockets)


async def test_cancelled_connect(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A cancelled attempt leaves nothing, and a later one works."""
    parts = charger.parts
    charger.parts = []
    client = make_client()
    attempt = asyncio.create_task(client.connect())
    await until(lambda: charger.auths)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert client.state is ConnectionState.DISCONNECTED
    await until(lambda: not charger.sockets)
    charger.parts = parts
    await client.connect()
    assert client.state is ConnectionState.CONNECTED


async def test_identify(charger: ScriptedCharger) -> None:
    """Who it is can be asked without a password, and the socket is closed again."""
    info = await identify("127.0.0.1", port=charger.port, timings=FAST)
    assert (info.serial, info.name, info.model, info.firmware) == (SERIAL, "Garage", "wattpilot_V2", "42.5")
    assert (info.hostname, info.protocol) == (f"Wattpilot_{SERIAL}", 2)
    assert charger.auths == 0
    await until(lambda: not charger.sockets)
    charger.greeting = {"type": "other"}
    with pytest.raises(WattpilotProtocolError):
        await identify("127.0.0.1", port=charger.port, timings=FAST)
    await until(lambda: not charger.sockets)
