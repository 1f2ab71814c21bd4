"""Updates, listeners and commands of a connection."""

import asyncio
import logging
import math
from typing import Any

import pytest

from custom_components.pv_load_manager.wattpilot import (
    ConnectionState,
    JsonValue,
    WattpilotCommandError,
    WattpilotCommandTimeoutError,
    WattpilotConnectionError,
    WattpilotStatus,
)
from custom_components.pv_load_manager.wattpilot.listeners import Listeners

from .conftest import MakeClient
from .scripted import SECRET, ScriptedCharger, delta, until


async def test_updates_are_merged_once_per_frame(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Each frame gives one call with what changed, until the listener leaves."""
    client = make_client()
    await client.connect()
    calls: list[tuple[int | None, frozenset[str]]] = []
    leave = client.on_update(lambda status, changed: calls.append((status.amp, changed)))
    await charger.send(delta(amp=8, frc=1, lmo=3))
    await charger.send(delta(amp=8))
    await charger.send({"type": "fullStatus", "partial": True, "status": {"amp": 9}})
    await until(lambda: len(calls) == 3)
    assert calls == [(8, frozenset({"amp", "frc"})), (8, frozenset()), (9, frozenset({"amp"}))]
    leave()
    leave()
    await charger.send(delta(amp=10))
    await until(lambda: client.status.amp == 10)
    assert len(calls) == 3


async def test_raising_listeners_stop_nobody(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken listener is reported once without content, and the others go on."""
    client = make_client()
    seen: list[Any] = []

    def broken(status: WattpilotStatus, _changed: frozenset[str]) -> None:
        raise KeyError(str(status.raw))

    def broken_state(state: ConnectionState) -> None:
        raise RuntimeError(SECRET)

    client.on_update(broken)
    client.on_state(broken_state)
    client.on_update(lambda *args: seen.append(args))
    await client.connect()
    await charger.send(delta(amp=8))
    await until(lambda: len(seen) == 2)
    assert client.state is ConnectionState.CONNECTED
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len([line for line in errors if "KeyError (test_client.py" in line]) == 1
    assert len([line for line in errors if "RuntimeError (test_client.py" in line]) == 1


def test_listener_that_recovers_is_reported_again(caplog: pytest.LogCaptureFixture) -> None:
    """One line per series of failures; who leaves during a call is not called any more."""
    listeners = Listeners[int]()
    calls: list[int] = []

    def shaky(value: int) -> None:
        if value:
            raise ValueError

    def removing(_value: int) -> None:
        leave()

    listeners.add(shaky)
    listeners.add(removing)
    leave = listeners.add(calls.append)
    for value in (1, 1, 0, 1):
        listeners.call(value)
    assert not calls
    assert len([record for record in caplog.records if "ValueError" in record.getMessage()]) == 2


async def test_command_is_signed_and_confirmed(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A value is written, signed, and known when the call returns."""
    client = make_client()
    await client.connect()
    changes: list[frozenset[str]] = []
    client.on_update(lambda _status, changed: changes.append(changed))
    await client.set_value("amp", 9)
    assert charger.received == [{"type": "setValue", "requestId": 1, "key": "amp", "value": 9}]
    assert client.status.amp == 9
    assert changes == [frozenset({"amp"})]
    await client.set_value("dwo", None)
    assert charger.received[-1]["value"] is None
    assert charger.received[-1]["requestId"] == 2


async def test_many_commands_in_flight(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """They arrive in the order of the calls; responses may come in any order and form."""
    client = make_client()
    await client.connect()
    charger.respond = lambda _command: None
    writes = [asyncio.create_task(client.set_value("amp", 6 + number)) for number in range(5)]
    await until(lambda: len(charger.received) == 5)
    assert [command["value"] for command in charger.received] == [6, 7, 8, 9, 10]
    ids = [command["requestId"] for command in charger.received]
    assert len(set(ids)) == 5
    forms: list[Any] = [ids[4], f"{ids[3]}sm", str(ids[2]), ids[1], str(ids[0])]
    for form in forms:
        await charger.send({"type": "response", "requestId": form, "success": True})
        await charger.send({"type": "response", "requestId": form, "success": False})
    await asyncio.gather(*writes)


async def test_refused_commands(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """The charger's reason is passed on, except where the value was a secret; the status stays."""
    client = make_client()
    await client.connect()
    charger.respond = lambda command: {
        "type": "response", "requestId": command["requestId"], "success": False, "message": f"bad {command['value']}",
        "status": {"amp": 99},
    }  # fmt: skip
    with pytest.raises(WattpilotCommandError, match="writing amp failed: bad 99") as caught:
        await client.set_value("amp", 99)
    assert (caught.value.key, caught.value.reason) == ("amp", "bad 99")
    with pytest.raises(WattpilotCommandError) as caught:
        await client.set_value("wak", SECRET)
    assert caught.value.reason == "refused"
    assert client.status.amp == 16
    for value in (math.nan, object()):
        with pytest.raises(WattpilotCommandError, match="cannot be written as JSON"):
            await client.set_value("amp", value)  # type: ignore[arg-type]


async def test_no_response_and_a_late_one(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Silence is a time-out; the late response is merged and disturbs nobody."""
    client = make_client()
    await client.connect()
    charger.respond = lambda _command: None
    with pytest.raises(WattpilotCommandTimeoutError, match=r"no response within 0\.3 s"):
        await client.set_value("amp", 9)
    await charger.send(charger.confirm(charger.received[0]))
    await until(lambda: client.status.amp == 9)
    charger.respond = charger.confirm
    await client.set_value("amp", 10)
    assert client.status.amp == 10


async def test_commands_without_a_connection(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Before connecting, after closing and when the connection is lost meanwhile it is the same error."""
    client = make_client()
    with pytest.raises(WattpilotConnectionError, match="not connected"):
        await client.set_value("amp", 9)
    await client.connect()
    charger.drop_on_command = True
    with pytest.raises(WattpilotConnectionError, match="connection was lost"):
        await client.set_value("amp", 9)
    await until(lambda: client.state is ConnectionState.DISCONNECTED)
    charger.drop_on_command = False
    charger.respond = lambda _command: None
    await client.connect()
    write = asyncio.create_task(client.set_value("amp", 9))
    await until(lambda: len(charger.received) == 2)
    await client.close()
    with pytest.raises(WattpilotConnectionError, match="connection was closed"):
        await write


async def test_command_into_a_socket_that_just_closed(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A write that meets the closing handshake fails as a lost connection."""
    client = make_client()
    await client.connect()
    session = client._session
    assert session is not None
    await session._socket.close()
    with pytest.raises(WattpilotConnectionError):
        await session.write(77, "amp", 9)


@pytest.mark.parametrize("drop", [True, False])
async def test_restart_command(charger: ScriptedCharger, make_client: MakeClient, drop: bool) -> None:
    """A restart is never confirmed: silence and a lost connection are success, a refusal is not."""
    client = make_client()
    await client.connect()
    charger.drop_on_command = drop
    charger.respond = lambda _command: None
    await client.set_value("rst", True)
    if not drop:
        charger.respond = lambda command: {"type": "response", "requestId": command["requestId"], "success": False}
        with pytest.raises(WattpilotCommandError, match="gave no reason"):
            await client.set_value("rst", True)


async def test_cancelled_command(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A caller that gives up leaves nothing behind."""
    client = make_client()
    await client.connect()
    charger.respond = lambda _command: None
    write = asyncio.create_task(client.set_value("amp", 9))
    await until(lambda: charger.received)
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    assert client._session is not None
    assert not client._session._pending


@pytest.mark.parametrize("value", [None, True, 3, 6.9, "", "16", [1, 2], {"amp": 32, "dyn": 32, "sta": 32, "ts": 0}])
async def test_values_go_out_as_they_are(charger: ScriptedCharger, make_client: MakeClient, value: JsonValue) -> None:
    """Nothing is made of a value on its way: not 6 of 6.9, not true of 3; nothing at all can be written, too."""
    client = make_client()
    await client.connect()
    await client.set_value("x", value)
    assert charger.received[0]["value"] == value
    assert type(charger.received[0]["value"]) is type(value)
    assert client.status.raw["x"] == value
