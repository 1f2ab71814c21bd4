"""A charger that talks nonsense: nothing is believed, kept or logged that should not be."""

import asyncio
from contextlib import suppress
import itertools

import pytest
from websockets.exceptions import ConnectionClosed

from custom_components.pv_load_manager.wattpilot import (
    ConnectionState,
    WattpilotConnectionError,
    WattpilotError,
)

from .conftest import MakeClient
from .scripted import SECRET, ScriptedCharger, delta, until


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


async def test_nonsense_is_no_sign_of_life(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """Who only talks, but says nothing about the charger any more, is given up like one who is silent."""
    client = make_client()
    await client.connect()
    confirmed_at = client.last_frame_at
    frames = itertools.cycle([SECRET, b"\x00\x01", {"type": "updateSomethingNew", "status": {"amp": 6}}, "[]", {}])
    while client.state is ConnectionState.CONNECTED:
        with suppress(ConnectionClosed):
            await charger.send(next(frames))
        await asyncio.sleep(0.02)
    assert "no status within 0.5 s" in str(client.last_error)
    assert client.last_frame_at == confirmed_at
    assert client.status.amp == 16


async def test_failed_attempts_confirm_nothing(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """A greeting, or half a status, does not make an old status newer."""
    client = make_client()
    await client.connect()
    charger.parts.pop()
    charger.drop()
    await until(lambda: client.state is ConnectionState.DISCONNECTED)
    confirmed_at = client.last_frame_at
    with pytest.raises(WattpilotError):
        await client.connect()
    assert client.last_frame_at == confirmed_at


async def test_nonsense_is_reported_once_for_all_connections(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A charger that connects and talks nonsense again and again does not fill the log."""
    charger.parts.insert(0, "nonsense")
    client = make_client()
    for _ in range(3):
        await client.connect()
        charger.drop()
        await until(lambda: client.state is ConnectionState.DISCONNECTED)
    assert sum("no JSON object" in record.getMessage() for record in caplog.records) == 1


async def test_a_charger_that_invents_keys(
    charger: ScriptedCharger, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    """What is kept has an end; the keys that are known already go on changing."""
    client = make_client()
    await client.connect()
    for number in range(30):
        await charger.send(delta(**{f"new{number}_{index}": index for index in range(100)}, amp=6 + number % 10))
    await charger.send(delta(amp=31, one_more=1))
    await until(lambda: client.status.amp == 31)
    assert len(client.status.raw) == 2000
    assert "one_more" not in client.status.raw
    assert sum("more keys" in record.getMessage() for record in caplog.records) == 1


async def test_oversized_frame_ends_the_connection(charger: ScriptedCharger, make_client: MakeClient) -> None:
    """More than a mebibyte in one frame is not read into memory."""
    client = make_client()
    await client.connect()
    await charger.send(delta(junk="x" * 2**20))
    await until(lambda: client.state is ConnectionState.DISCONNECTED)
    assert isinstance(client.last_error, WattpilotConnectionError)
