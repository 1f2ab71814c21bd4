"""A charger that does exactly what a test tells it, also what no real one should."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import hashlib
import hmac
import json
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

PASSWORD = "correct-horse-battery"
SERIAL = "10000001"
KEY = b"not-derived-but-fixed-for-tests!"
SECRET = "TOPSECRETVALUE"

SNAPSHOT: list[dict[str, Any]] = [
    {"amp": 16, "ama": 16, "lmo": 3, "frc": 0, "psm": 2, "fup": False, "wak": SECRET},
    {"car": 2, "grp": "Wattpilot Home 11 J 2.0", "fna": "Garage", "wifis": [{"ssid": SECRET, "key": SECRET}]},
    {"eto": 1000, "rbt": 5000},
]


def derive_fixed(password: str, serial: str, /) -> bytes:
    """Stand in for the slow hash."""
    return KEY if password == PASSWORD else b"wrong"


def hello(**changes: Any) -> dict[str, Any]:
    """Return the greeting of firmware 42.5 with changes."""
    return {
        "type": "hello",
        "serial": SERIAL,
        "hostname": f"Wattpilot_{SERIAL}",
        "friendly_name": "Garage",
        "manufacturer": "fronius",
        "devicefamily": "wattpilot",
        "devicetype": "wattpilot_V2",
        "version": "42.5",
        "protocol": 2,
        "proto": 3,
        "secured": True,
    } | changes


def full(status: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    """Return one part of the first status."""
    return {"type": "fullStatus", "partial": partial, "status": status}


def delta(**status: Any) -> dict[str, Any]:
    """Return a change of the status."""
    return {"type": "deltaStatus", "status": status}


class ScriptedCharger:
    """A server whose every step can be replaced.

    Attributes:
        greeting: The first frame, ``None`` for silence.
        challenge: The frame that asks for the password, ``None`` to ask for none.
        verdict: The answer to the password, ``None`` for silence; without a value the hash is checked.
        parts: What is sent after the verdict.
        respond: Makes the response to a command, ``None`` for none.
        drop_on_command: Cuts the connection when a command arrives.
        received: Every decoded command.
        sockets: The open connections.
        accepted: Number of connections so far.
        auths: Number of answers to the challenge.
    """

    def __init__(self) -> None:
        self.greeting: Any = hello()
        self.challenge: Any = {"type": "authRequired", "token1": "a" * 32, "token2": "b" * 32, "hash": "pbkdf2"}
        self.verdict: Any = "check"
        self.parts: list[Any] = [full(dict(part), partial=part is not SNAPSHOT[-1]) for part in SNAPSHOT]
        self.respond: Callable[[dict[str, Any]], Any] = self.confirm
        self.drop_on_command = False
        self.received: list[dict[str, Any]] = []
        self.sockets: set[ServerConnection] = set()
        self.accepted = 0
        self.auths = 0
        self.port = 0

    @staticmethod
    def confirm(command: dict[str, Any]) -> dict[str, Any]:
        """Return the response to a command that is accepted."""
        status = {command["key"]: command["value"]}
        return {"type": "response", "requestId": str(command["requestId"]), "success": True, "status": status}

    async def send(self, frame: Any, socket: ServerConnection | None = None) -> None:
        """Send a frame to one or all; text, bytes and lists (fragments) go out as they are."""
        data = json.dumps(frame) if isinstance(frame, dict) else frame
        for target in [socket] if socket else list(self.sockets):
            await target.send(data)

    def drop(self) -> None:
        """Cut all connections."""
        for socket in list(self.sockets):
            socket.transport.abort()

    async def serve(self, socket: ServerConnection) -> None:
        """Play the script for one connection."""
        self.accepted += 1
        self.sockets.add(socket)
        try:
            await self._play(socket)
        except ConnectionClosed:
            pass
        finally:
            self.sockets.discard(socket)

    async def _play(self, socket: ServerConnection) -> None:
        if self.greeting is not None:
            await self.send(self.greeting, socket)
        if self.challenge is not None:
            await self.send(self.challenge, socket)
            auth = json.loads(await socket.recv())
            self.auths += 1
            if self.verdict == "check":
                inner = hashlib.sha256(b"a" * 32 + KEY).hexdigest()
                expected = hashlib.sha256((auth["token3"] + "b" * 32 + inner).encode()).hexdigest()
                good = auth["hash"] == expected
                await self.send({"type": "authSuccess"} if good else {"type": "authError", "message": "Wrong"}, socket)
                if not good:
                    return
            elif self.verdict is not None:
                await self.send(self.verdict, socket)
        for part in self.parts:
            await self.send(part, socket)
        async for raw in socket:
            command = self._decode(json.loads(raw))
            self.received.append(command)
            if self.drop_on_command:
                socket.transport.abort()
                return
            response = self.respond(command)
            if response is not None:
                await self.send(response, socket)

    @staticmethod
    def _decode(frame: dict[str, Any]) -> dict[str, Any]:
        if frame["type"] == "securedMsg":
            assert frame["hmac"] == hmac.new(KEY, frame["data"].encode(), hashlib.sha256).hexdigest()
            inner = json.loads(frame["data"])
            assert frame["requestId"] == f"{inner['requestId']}sm"
            return inner
        return frame | {"plain": True}


@asynccontextmanager
async def serving(charger: ScriptedCharger) -> AsyncIterator[Server]:
    """Let a charger listen on a free port."""
    async with serve(charger.serve, "127.0.0.1", charger.port, compression=None, close_timeout=0.2) as server:
        charger.port = next(iter(server.sockets)).getsockname()[1]
        yield server


async def until(condition: Callable[[], Any], seconds: float = 3) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is anything
            await asyncio.sleep(0.005)
