"""A charger on a real socket that damages what it says."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
import json
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from .mutate import Mutator
from .transcripts import Frame, Transcript

_STAGES = ("greeting", "login", "status", "changes")
_BURST = 150
_OVERSIZED = 2**20 + 1
_TOKEN_WAIT = 0.1
_READ_WAIT = 2.0
# What no WebSocket library sends: a reserved bit, a reserved kind of frame, a length without its content, a fragment of
# nothing, a ping that is too long, half a header.
_BROKEN = (
    b"\xc1\x01x",
    b"\x83\x01x",
    b"\x81\x7eab",
    b"\x80\x01x",
    b"\x89\x7e\x00\xff",
    b"\x81",
    b"HTTP/1.1 400\r\n\r\n",
)


class _Binary(bytes):
    """What goes into a binary frame; other bytes are the text of a text frame."""


class DamagedCharger:
    """Speaks like one transcript, damaged from one of its stages on; every connection differs.

    Attributes:
        port: Where it listens.
        sent: Frames so far.
    """

    def __init__(self, transcript: Transcript, seed: str) -> None:
        self.port = 0
        self.sent = 0
        self._transcript = transcript
        self._seed = seed
        self._connections = 0
        self._server: Any = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await serve(self._serve, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=0.5)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, socket: ServerConnection) -> None:
        self._connections += 1
        mutator = Mutator(f"{self._seed}/{self._connections}")
        listener: asyncio.Task[None] | None = None
        try:
            stage = mutator.random.choices(_STAGES, (1, 1, 2, 3))[0]
            await self._greet(socket, mutator, stage)
            listener = asyncio.create_task(self._answer(socket, mutator))
            await self._tell(socket, mutator, stage)
            # What is cut off with the connection unread would have been sent for nothing.
            with suppress(TimeoutError):
                await asyncio.wait_for(await socket.ping(), _READ_WAIT)
            await self._leave(socket, mutator)
        except ConnectionClosed:
            pass
        finally:
            if listener is not None:
                listener.cancel()
                await asyncio.wait([listener])

    async def _greet(self, socket: ServerConnection, mutator: Mutator, stage: str) -> None:
        said = self._transcript
        await self._send(socket, mutator, said.greeting, damaged=stage == "greeting")
        await self._send(socket, mutator, said.challenge, damaged=stage == "login")
        with suppress(TimeoutError):
            await asyncio.wait_for(socket.recv(), _TOKEN_WAIT)
        await self._send(socket, mutator, said.verdict, damaged=stage == "login")

    async def _tell(self, socket: ServerConnection, mutator: Mutator, stage: str) -> None:
        for part in self._transcript.parts:
            await self._send(socket, mutator, part, damaged=stage == "status")
        if stage in {"greeting", "login"}:
            return
        for _ in range(mutator.random.randint(1, _BURST)):
            await self._send(socket, mutator, mutator.random.choice(self._transcript.changes), damaged=True)

    async def _answer(self, socket: ServerConnection, mutator: Mutator) -> None:
        """Answer commands, as badly as everything else."""
        with suppress(ConnectionClosed):
            async for raw in socket:
                asked = json.loads(raw)
                inner = json.loads(asked["data"]) if asked["type"] == "securedMsg" else asked
                number = mutator.random.choice((str(inner.get("requestId")), "0", "999999", "-1", "٣", "1sm"))
                verdict = mutator.random.random() < 0.7
                status = {"amp": 6}
                answer = {
                    "type": "response",
                    "requestId": number,
                    "success": verdict,
                    "status": status,
                    "message": "no",
                }
                await self._send(socket, mutator, answer, damaged=mutator.random.random() < 0.5)

    async def _send(self, socket: ServerConnection, mutator: Mutator, frame: Frame, *, damaged: bool) -> None:
        """Send one frame; a damaged one may be lost, doubled, another one, binary or in pieces as well."""
        for message in self._messages(mutator, frame) if damaged else [json.dumps(frame)]:
            self.sent += 1
            binary = isinstance(message, _Binary)
            if mutator.random.random() < 0.1 and len(message) > 4:
                cut = mutator.random.randrange(1, len(message))
                pieces: Any = [message[:cut], message[cut:]]
                await socket.send(pieces, text=not binary)
            else:
                await socket.send(message, text=not binary)

    def _messages(self, mutator: Mutator, frame: Frame) -> Iterator[str | bytes]:
        said = self._transcript
        match mutator.random.randrange(40):
            case 0:
                return
            case 1:
                yield json.dumps(frame)
                yield json.dumps(frame)
            case 2:
                everything = (said.greeting, said.challenge, said.verdict, {"type": "authError"}, *said.parts)
                yield json.dumps(mutator.random.choice(everything))
            case 3:
                yield _Binary(mutator.random.randbytes(mutator.random.choice((0, 1, 40, 4000))))
            case 4 if mutator.random.random() < 0.02:
                yield "[" * _OVERSIZED
            case _:
                yield mutator.damage(frame)

    @staticmethod
    async def _leave(socket: ServerConnection, mutator: Mutator) -> None:
        """End the connection: with good manners, without, or with what is no WebSocket frame any more."""
        match mutator.random.randrange(4):
            case 0:
                socket.transport.abort()
            case 1:
                # The client may have hung up already.
                with suppress(RuntimeError):
                    socket.transport.write(mutator.random.choice(_BROKEN))
                socket.transport.close()
            case _:
                await socket.close(mutator.random.choice((1000, 1001, 1008, 1011, 3000)), "\x07 bye")
