"""A bare client of the Wattpilot protocol; its cryptography comes from a foreign library."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from typing import Any

from wattpilot_api.auth import compute_auth_response, hash_password, sign_secured_message
from wattpilot_api.models import AuthHashType
from websockets.asyncio.client import ClientConnection, connect

from simulator import WattpilotServer

type Frame = dict[str, Any]

TOKEN = "00112233445566778899aabbccddeeff"


class RawClient:
    """One connection; keeps every frame it received."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.frames: list[Frame] = []
        self.key = b""

    @property
    def types(self) -> list[str]:
        """The types of all frames so far."""
        return [frame["type"] for frame in self.frames]

    @property
    def status(self) -> dict[str, Any]:
        """All status values so far, the newest ones win."""
        merged: dict[str, Any] = {}
        for frame in self.frames:
            if frame["type"] in {"fullStatus", "deltaStatus"}:
                merged |= frame["status"]
        return merged

    async def next(self, *types: str) -> Frame:
        """Read up to the next frame of one of these types."""
        while True:
            frame: Frame = json.loads(await asyncio.wait_for(self.connection.recv(), 3))
            self.frames.append(frame)
            if not types or frame["type"] in types:
                return frame

    async def send(self, frame: Frame) -> None:
        """Send a frame as it is."""
        await self.connection.send(json.dumps(frame))

    async def login(self, password: str, *, flex: bool = False) -> Frame:
        """Go through hello and authentication; return the verdict."""
        hello = await self.next("hello")
        required = await self.next("authRequired")
        kdf = AuthHashType(required.get("hash", "bcrypt" if flex else "pbkdf2"))
        self.key = await asyncio.to_thread(hash_password, password, hello["serial"], kdf)
        answer = compute_auth_response(required["token1"], required["token2"], TOKEN, self.key)
        await self.send({"type": "auth", "token3": TOKEN, "hash": answer})
        return await self.next("authSuccess", "authError")

    async def snapshot(self) -> dict[str, Any]:
        """Read up to the end of the first snapshot."""
        while (await self.next("fullStatus"))["partial"]:
            pass
        return self.status

    async def write(self, key: str, value: Any, number: int = 1) -> Frame:
        """Write a key and return the response."""
        await self.send_write(key, value, number)
        return await self.next("response")

    async def send_write(self, key: str, value: Any, number: int = 1) -> None:
        """Write a key without waiting."""
        inner = {"type": "setValue", "requestId": number, "key": key, "value": value}
        await self.send(sign_secured_message(inner, self.key))


@asynccontextmanager
async def raw_client(server: WattpilotServer) -> AsyncIterator[RawClient]:
    """Open a connection, nothing more."""
    async with connect(server.url, close_timeout=1) as connection:
        yield RawClient(connection)


@asynccontextmanager
async def logged_in(server: WattpilotServer) -> AsyncIterator[RawClient]:
    """Open a connection and read the first snapshot."""
    async with raw_client(server) as client:
        await client.login(server.charger.config.password, flex=server.charger.config.flex)
        await client.snapshot()
        yield client
