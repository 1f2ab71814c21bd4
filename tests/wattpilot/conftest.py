"""What the tests of the Wattpilot client share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
import logging

import pytest

from custom_components.pv_load_manager.wattpilot import Timings, WattpilotClient

from .scripted import KEY, PASSWORD, SECRET, ScriptedCharger, derive_fixed, serving

FAST = Timings(
    connect=0.5,
    authenticate=0.5,
    snapshot=0.4,
    flex=0.6,
    command=0.3,
    silence=0.5,
    close=0.2,
    steady=0.2,
    backoff_start=0.02,
    backoff_max=0.1,
)

type MakeClient = Callable[..., WattpilotClient]


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Allow connections to 127.0.0.1."""


@pytest.fixture(autouse=True)
def _no_secrets_in_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail every test that makes anybody log a secret, at any level."""
    caplog.set_level(logging.DEBUG)
    # The event loop's own debug log and the test server's are not ours.
    logging.getLogger("websockets.server").setLevel(logging.INFO)
    yield
    for phase in ("setup", "call", "teardown"):
        for record in caplog.get_records(phase):
            line = record.getMessage() + str(record.exc_info or "")
            for secret in (PASSWORD, SECRET, KEY.decode(), "hmac", "token1", "token3"):
                assert secret not in line, record.name


@pytest.fixture
async def charger() -> AsyncIterator[ScriptedCharger]:
    """Return a listening charger."""
    charger = ScriptedCharger()
    async with serving(charger):
        yield charger


@pytest.fixture
async def make_client(charger: ScriptedCharger) -> AsyncIterator[MakeClient]:
    """Return a factory of clients; afterwards nothing of them may be left."""
    before = asyncio.all_tasks()
    clients: list[WattpilotClient] = []

    def make(password: str = PASSWORD, **kwargs: object) -> WattpilotClient:
        options = {"port": charger.port, "timings": FAST, "derive_key": derive_fixed} | kwargs
        clients.append(WattpilotClient("127.0.0.1", password, **options))  # type: ignore[arg-type]
        return clients[-1]

    yield make
    for client in clients:
        await client.close()
    for _ in range(100):
        ours = [t for t in asyncio.all_tasks() - before if "wattpilot/" in repr(t.get_coro()) or "keepalive" in repr(t)]
        if not charger.sockets and not ours:
            break
        await asyncio.sleep(0.01)
    assert not charger.sockets
    assert not ours
