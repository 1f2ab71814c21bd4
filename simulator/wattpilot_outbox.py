"""What a slow Wattpilot has yet to say to one client."""

import asyncio
from collections import deque

from websockets.asyncio.server import ServerConnection, broadcast


class Outbox:
    """Messages for one client that come late, in their order."""

    def __init__(self, client: ServerConnection) -> None:
        self._client = client
        self._waiting: deque[tuple[float, str]] = deque()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def holds(self) -> bool:
        """Whether a message waits."""
        return bool(self._waiting)

    def put(self, due: float, text: str) -> None:
        """Keep a message until `due`, home time."""
        self._waiting.append((due, text))
        self._empty.clear()

    def send_due(self, now: float) -> None:
        """Send what is due at home time `now`."""
        while self._waiting and self._waiting[0][0] <= now + 1e-9:
            # `broadcast` never waits, so a client that does not read cannot hold up the home.
            broadcast([self._client], self._waiting.popleft()[1])
        if not self._waiting:
            self._empty.set()

    async def emptied(self) -> None:
        """Wait until everything is sent, or the client has left."""
        waits = {asyncio.create_task(self._empty.wait()), asyncio.create_task(self._client.wait_closed())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
