"""Staying connected: losses, returns and the end."""

import asyncio
import logging

import pytest

from custom_components.pv_load_manager.wattpilot import (
    ConnectionState,
    WattpilotAuthenticationError,
    WattpilotClient,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotWrongDeviceError,
)

from .conftest import MakeClient
from .scripted import KEY, SECRET, ScriptedCharger, delta, hello, serving, until


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
    assert "no status within 0.5 s" in str(client.last_error)
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


async def test_backoff_resets_only_after_a_connection_that_stays(
    charger: ScriptedCharger, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An accepted socket is no success, nor is a connection that ends at once; one that lasts is."""
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
    assert waits[count] >= 0.08
    await until(lambda: client.state is ConnectionState.CONNECTED)
    await asyncio.sleep(0.3)
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
