"""Staying connected: updates, commands, losses and returns."""

import asyncio
import logging
import math
from typing import Any

import pytest

from custom_components.pv_load_manager.wattpilot import (
    ConnectionState,
    WattpilotAuthenticationError,
    WattpilotClient,
    WattpilotCommandError,
    WattpilotCommandTimeoutError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotStatus,
    WattpilotWrongDeviceError,
)
from custom_components.pv_load_manager.wattpilot.listeners import Listeners

from .conftest import MakeClient
from .scripted import KEY, SECRET, ScriptedCharger, delta, hello, serving, until


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


async def test_fragmented_frames_and_nonsense(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Fragments are put together; nonsense is ignored with one line, unknown types with a quieter one."""
    client = make_client()
    await client.connect()
    for _ in range(3):
        await charger.send("{" + SECRET)
        await charger.send(f'["{SECRET}"]')
        await charger.send(SECRET.encode())
        await charger.send({"type": "brandNew", "status": {"amp": 31}})
        await charger.send({"type": SECRET + " x"})
        await charger.send({"type": "deltaStatus", "status": SECRET})
        await charger.send({"type": "clearInverters"})
        await charger.send({"type": "response", "requestId": "999", "success": True})
    await charger.send(['{"type": "deltaStatus", ', '"status": {"am', 'p": 11}}'])
    await until(lambda: client.status.amp == 11)
    for line in ("no JSON object", "binary", "brandNew", "unnamed"):
        assert sum(line in record.getMessage() for record in caplog.records) == 1
    assert client.state is ConnectionState.CONNECTED


async def test_too_many_unknown_types_are_not_remembered(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A charger that invents types does not fill memory or log."""
    client = make_client()
    await client.connect()
    for number in range(60):
        await charger.send({"type": f"new{number}"})
    await charger.send(delta(amp=11))
    await until(lambda: client.status.amp == 11)
    assert sum("type new" in record.getMessage() for record in caplog.records) == 32


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


def start(client: WattpilotClient) -> tuple[asyncio.Task[None], list[ConnectionState]]:
    """Start to run a client; return the task and the states it will go through."""
    states: list[ConnectionState] = []
    client.on_state(states.append)
    return asyncio.create_task(client.run()), states


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for it."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_run_comes_back_after_a_loss(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A lost connection returns; the key is not derived again, and what changed meanwhile is reported."""
    derived: list[str] = []

    def derive(_password: str, serial: str, /) -> bytes:
        derived.append(serial)
        return KEY

    client = make_client(derive_key=derive)
    task, states = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    with pytest.raises(RuntimeError, match="runs already"):
        await client.run()
    changes: list[frozenset[str]] = []
    client.on_update(lambda _status, changed: changes.append(changed))
    del charger.parts[1]["status"]["grp"]
    charger.parts[0]["status"] |= {"amp": 6, "new": 1}
    charger.drop()
    await until(lambda: states.count(ConnectionState.CONNECTED) == 2)
    assert changes == [frozenset({"amp", "new", "grp"})]
    assert client.status.amp == 6
    assert client.status.model is None
    assert states[1:4] == [ConnectionState.CONNECTED, ConnectionState.DISCONNECTED, ConnectionState.CONNECTING]
    assert len(derived) == 1
    await client.set_value("amp", 7)
    await cancel(task)
    assert client.state is ConnectionState.DISCONNECTED
    await until(lambda: not charger.sockets)


async def test_run_survives_a_charger_that_is_off(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """It keeps trying while nobody answers, half-way stages included, and connects when it can."""
    client = make_client()
    whole = list(charger.parts)
    charger.parts = whole[:-1]
    task, states = start(client)
    await until(lambda: isinstance(client.last_error, WattpilotError))
    charger.greeting = None
    await until(lambda: charger.accepted >= 3)
    charger.greeting, charger.parts = hello(), whole
    await until(lambda: client.state is ConnectionState.CONNECTED)
    assert client.last_error is None
    assert states.count(ConnectionState.CONNECTED) == 1
    await cancel(task)


async def test_run_after_the_server_was_away(make_client: MakeClient) -> None:
    """A charger without power for a while is found again at the same port."""
    charger = ScriptedCharger()
    async with serving(charger):
        client = make_client(port=charger.port)
        task, _ = start(client)
        await until(lambda: client.state is ConnectionState.CONNECTED)
    await until(lambda: "cannot connect" in str(client.last_error))
    assert client.status.amp == 16
    async with serving(charger):
        await until(lambda: client.state is ConnectionState.CONNECTED)
        await cancel(task)


async def test_silence_is_a_dead_socket(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A connection that answers pings and says nothing is given up and made again."""
    client = make_client()
    task, states = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    for _ in range(8):
        await asyncio.sleep(0.1)
        await charger.send(delta(amp=7))
    assert charger.accepted == 1
    await until(lambda: ConnectionState.DISCONNECTED in states)
    assert "no frame within 0.5 s" in str(client.last_error)
    await until(lambda: charger.accepted == 2 and client.state is ConnectionState.CONNECTED)
    await cancel(task)


async def test_half_open_socket_does_not_hold_up_closing(make_client: MakeClient) -> None:
    """A charger that reads nothing any more cannot keep a client from closing."""
    charger = ScriptedCharger()
    async with serving(charger):
        client = make_client(port=charger.port)
        await client.connect()
        for socket in charger.sockets:
            socket.transport.pause_reading()
        async with asyncio.timeout(1):
            await client.close()
        charger.drop()


async def test_oversized_frame_ends_the_connection(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """More than a mebibyte in one frame is not read into memory."""
    client = make_client()
    await client.connect()
    await charger.send(delta(junk="x" * 2**20))
    await until(lambda: client.state is ConnectionState.DISCONNECTED)
    assert isinstance(client.last_error, WattpilotConnectionError)


async def test_run_gives_up_on_a_wrong_password(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A wrong password is tried once, also when it turned wrong later."""
    client = make_client()
    task, states = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    charger.verdict = {"type": "authError", "message": "Wrong password"}
    charger.drop()
    with pytest.raises(WattpilotAuthenticationError):
        await task
    assert client.state is states[-1] is ConnectionState.AUTH_FAILED
    assert charger.auths == 2


async def test_run_keeps_asking_a_wrong_device_slowly(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Whoever took over the address is asked again without flapping; the right one is taken back."""
    client = make_client()
    task, states = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    charger.greeting = hello(serial="10000002")
    charger.drop()
    await until(lambda: charger.accepted >= 4)
    assert client.state is ConnectionState.WRONG_DEVICE
    assert states.count(ConnectionState.WRONG_DEVICE) == 1
    assert isinstance(client.last_error, WattpilotWrongDeviceError)
    assert charger.auths == 1
    charger.greeting = hello()
    await until(lambda: client.state is ConnectionState.CONNECTED)
    await cancel(task)


async def test_backoff_resets_only_after_a_complete_connection(
    charger: ScriptedCharger, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An accepted socket is no success; a complete status is."""
    waits: list[float] = []

    async def pause(closed: asyncio.Event, seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("custom_components.pv_load_manager.wattpilot.client.pause", pause)
    good = charger.greeting
    charger.greeting, charger.challenge = {"type": "other"}, charger.challenge
    client = make_client()
    task, _ = start(client)
    await until(lambda: len(waits) >= 5)
    assert waits[0] < 0.03
    assert waits[4] >= 0.08
    charger.greeting = good
    await until(lambda: client.state is ConnectionState.CONNECTED)
    count = len(waits)
    charger.drop()
    await until(lambda: len(waits) > count)
    assert waits[count] < 0.03
    await cancel(task)


async def test_close_ends_run(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Closing ends it connected and while it waits; it can run again."""
    client = make_client()
    task, _ = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    await client.close()
    await asyncio.wait_for(task, 5)
    charger.greeting = {"type": "other"}
    task = asyncio.create_task(client.run())
    await until(lambda: charger.accepted >= 3)
    await client.close()
    await asyncio.wait_for(task, 5)
    charger.greeting = hello()
    task = asyncio.create_task(client.run())
    await until(lambda: client.state is ConnectionState.CONNECTED)
    await cancel(task)


async def test_close_at_the_very_moment_of_connecting(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Closing before the first frame was waited for leaves no socket behind, and the client can run again."""
    client = make_client()
    task, _ = start(client)
    while client.state is not ConnectionState.CONNECTED:  # noqa: ASYNC110 - no event comes as early as this
        await asyncio.sleep(0)
    await client.close()
    await asyncio.wait_for(task, 5)
    await until(lambda: not charger.sockets)
    assert client.state is ConnectionState.DISCONNECTED
    with pytest.raises(WattpilotConnectionError):
        await client.set_value("amp", 6)
    await client.connect()
    assert charger.accepted == 2
    assert client.state is ConnectionState.CONNECTED


async def test_connect_right_after_a_loss(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Connecting in reaction to a loss waits for the old socket and opens one new one."""
    client = make_client()
    await client.connect()
    tasks: list[asyncio.Task[None]] = []

    def again(state: ConnectionState) -> None:
        if state is ConnectionState.DISCONNECTED and not tasks:
            tasks.append(asyncio.create_task(client.connect()))

    client.on_state(again)
    charger.drop()
    await until(lambda: tasks)
    await tasks[0]
    assert client.state is ConnectionState.CONNECTED
    assert charger.accepted == 2
    assert len(charger.sockets) == 1


async def test_debug_log_of_everything_has_no_secret(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """At debug level, the library's included, a whole life is logged without one secret."""
    logging.getLogger("websockets").setLevel(logging.DEBUG)
    client = make_client()
    task, _ = start(client)
    await until(lambda: client.state is ConnectionState.CONNECTED)
    await client.set_value("wak", SECRET)
    await charger.send(delta(cak=SECRET))
    await until(lambda: client.status.raw.get("cak") == SECRET)
    charger.drop()
    await until(lambda: charger.accepted == 2 and client.state is ConnectionState.CONNECTED)
    await cancel(task)
    names = {record.name for record in caplog.records}
    assert any(name.endswith("wattpilot.session") for name in names)
    assert "websockets.client" not in names
    assert SECRET not in repr(vars(client).get("_status"))
