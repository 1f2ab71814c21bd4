"""The network side of one Wattpilot: its local WebSocket protocol (firmware 42.5)."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
import json
import logging
import math
from random import Random
import secrets

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from .charger import Charger, RefusedWriteError, Write
from .config import CarConfig
from .home import Home
from .wattpilot_auth import derive_key, login_hash, signature
from .wattpilot_dialect import cloud_serial, hello, snapshot
from .wattpilot_distortion import distorted, half_a_frame, malformed
from .wattpilot_faults import WattpilotFaults
from .wattpilot_keys import Json
from .wattpilot_outbox import Outbox
from .wattpilot_status import build_status

_LOGGER = logging.getLogger(__name__)

_MAX_BACKLOG = 1_000_000
"""A client that lets this many bytes pile up is dropped."""

_ABSENT = object()


class WattpilotServer:
    """One Wattpilot on the network.

    Attributes:
        charger: Its logic and electrics.
        faults: What goes wrong.
        host: Address it listens on.
        port: TCP port it listens on; known after `start`.
    """

    def __init__(self, home: Home, charger: Charger, host: str) -> None:
        self.charger = charger
        self.faults = WattpilotFaults()
        self.host = host
        self.port = charger.config.port
        self._home = home
        self._server: Server | None = None
        self._opening = asyncio.Lock()
        self._clients: dict[ServerConnection, Outbox] = {}
        self._seen: dict[ServerConnection, dict[str, Json]] = {}
        self._written: set[str] = set()
        self._deafened: set[ServerConnection] = set()
        self._on_network = False
        self._random = Random(f"{home.config.seed} {charger.config.serial}")

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"ws://{self.host}:{self.port}/ws"

    @property
    def cloud_url(self) -> str:
        """Where clients connect to as if it were the cloud; a template for the serial."""
        return f"ws://{self.host}:{self.port}/app/{{serial}}?version=1.2.9"

    @property
    def serial(self) -> str:
        """The serial that it announces."""
        return self.faults.serial or self.charger.config.serial

    @property
    def writes(self) -> list[Write]:
        """Every applied write, oldest first."""
        return self.charger.writes

    @property
    def clients(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def plug(self, car: CarConfig | None = None) -> None:
        """Plug in the car that belongs here, or another one."""
        self.charger.plug(car)

    def unplug(self) -> None:
        """Unplug the car."""
        self.charger.unplug()

    def status(self) -> dict[str, Json]:
        """Return the status that clients see."""
        clock = self._home.local_time + timedelta(seconds=self.faults.clock_s)
        status = build_status(self.charger, self.serial, clock, self._home.flow.frequency)
        return distorted(status, self.faults, self._home.now)

    def stick(self, *keys: str) -> None:
        """Let keys keep their present values in everything that clients see; raises KeyError for an unknown one."""
        status = self.status()
        self.faults.stuck |= {key: status[key] for key in keys}

    async def start(self) -> None:
        """Listen, as soon as no reboot is under way."""
        self._on_network = True
        if self.charger.online:
            await self._open()

    async def stop(self) -> None:
        """Disconnect everybody and stop listening: gone from the network, the car goes on charging."""
        self._on_network = False
        await self._close()

    async def _open(self) -> None:
        # Whoever starts it and the clock of the home may both want it to listen, at the same moment.
        async with self._opening:
            if self._server is None and self._on_network:
                self._server = await serve(
                    self._serve_client,
                    self.host,
                    self.port,
                    process_request=self._check_request,
                    # The charger is the passive side: it pings nobody.
                    ping_interval=None,
                    close_timeout=1,
                    compression=None,
                    server_header=None,
                )
                self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _close(self) -> None:
        self.drop()
        async with self._opening:
            if self._server is not None:
                server, self._server = self._server, None
                server.close()
                await server.wait_closed()

    def drop(self) -> None:
        """Cut all connections without a closing handshake."""
        for client in list(self._clients):
            client.transport.abort()

    async def publish(self) -> None:
        """Send what changed since the last time to all clients; due once per second of home time."""
        if self._on_network:
            await (self._open() if self.charger.online else self._close())
        self.apply_deafness()
        if self.faults.quiet or not self._seen:
            return
        status, written = self.status(), self._written
        self._written = set()
        for client, seen in list(self._seen.items()):
            if client.transport.get_write_buffer_size() > _MAX_BACKLOG:
                client.transport.abort()
                continue
            # Everybody hears of what was written, also where the value has changed back within the second.
            changed = {key: value for key, value in status.items() if key in written or seen.get(key, _ABSENT) != value}
            self._seen[client] = status
            if self.faults.unknown_messages:
                self._post(client, {"type": "updateSomethingNew", "status": {"amp": 1}})
            if self.faults.truncated:
                self._cut_short(client, {"type": "deltaStatus", "status": changed})
                continue
            self._post(client, {"type": "deltaStatus", "status": changed})
            for number in range(self.faults.flood):
                more = {"nrg": status.get("nrg"), "rssi": -40 - number % 50}
                self._post(client, {"type": "deltaStatus", "status": more})

    @staticmethod
    def _cut_short(client: ServerConnection, frame: dict[str, Json]) -> None:
        """Send the first half of a frame and end the connection, as a charger does that loses its power."""
        client.transport.write(half_a_frame(frame))
        client.transport.close()

    def send_late(self) -> None:
        """Send what a slow charger owes by now."""
        if self.faults.quiet:
            return
        for client, outbox in self._clients.items():
            if client.transport.get_write_buffer_size() <= _MAX_BACKLOG:
                # What is still on its way when the charger is fast again comes at once.
                outbox.send_due(self._home.now if self.faults.slow_s else math.inf)

    def _post(self, client: ServerConnection, frame: dict[str, Json]) -> None:
        """Send a frame without ever waiting: a client that does not read cannot hold up the home."""
        if not self._put_off(client, frame):
            for message in self._messages(frame):
                broadcast([client], message)

    def _messages(self, frame: dict[str, Json]) -> Iterator[str | bytes]:
        """Return what goes over the wire for a frame."""
        how = self.faults.malformed
        if how is not None:
            yield malformed(frame, how)
        if how is None or self.faults.malformed_beside:
            yield json.dumps(frame)

    def _put_off(self, client: ServerConnection, frame: dict[str, Json]) -> bool:
        """Keep a frame for later where the charger is slow, or where earlier ones still wait."""
        outbox = self._clients[client]
        if not self.faults.slow_s and not outbox.holds:
            return False
        late = self._random.uniform(self.faults.slow_s, max(self.faults.slow_s, self.faults.slow_to_s))
        outbox.put(self._home.now + late, json.dumps(frame))
        return True

    def _check_request(self, client: ServerConnection, request: Request) -> Response | None:
        """Answer the HTTP upgrade: only `/ws` exists, and the path of the cloud."""
        if self.faults.refuse:
            client.transport.abort()
        if request.path.partition("?")[0] != "/ws" and cloud_serial(request.path) is None:
            return client.respond(HTTPStatus.NOT_FOUND, "")
        return None

    def apply_deafness(self) -> None:
        """Stop or go on reading as the fault `deaf` says; a fault that is set is applied at the next second anyway."""
        deaf = self.faults.deaf
        for client in self._clients:
            if deaf:
                client.transport.pause_reading()
            elif client in self._deafened:
                client.transport.resume_reading()
        self._deafened = set(self._clients) if deaf else set()

    async def _serve_client(self, client: ServerConnection) -> None:
        self._clients[client] = Outbox(client)
        try:
            key = await self._login(client)
            if key is None:
                return
            self._seen[client] = await self._send_snapshot(client)
            async for raw in client:
                message = _parse(raw)
                if message is not None:
                    await self._answer(client, key, message)
        except ConnectionClosed:
            _LOGGER.debug("%s: a client left", self.serial)
        finally:
            del self._clients[client]
            self._seen.pop(client, None)
            self._deafened.discard(client)

    async def _login(self, client: ServerConnection) -> bytes | None:
        """Go through hello and authentication; return the key, or None where nothing comes of it."""
        config, serial, asked_for = self.charger.config, self.serial, _asked_for(client)
        # The cloud does not know that serial.
        if asked_for not in {None, serial}:
            return None
        await self._send(client, hello(self.charger, serial, secured=asked_for is None))
        token1, token2 = secrets.token_hex(16), secrets.token_hex(16)
        required = {"type": "authRequired", "token1": token1, "token2": token2}
        kdf = config.auth
        if kdf == "omit":
            kdf = "bcrypt" if config.flex else "pbkdf2"
        else:
            required["hash"] = kdf
        await self._send(client, required)
        message: dict[str, Json] | None = None
        while message is None or message.get("type") != "auth":
            message = _parse(await client.recv())
        key = await asyncio.to_thread(derive_key, self.faults.password or config.password, serial, kdf)
        expected = login_hash(key, token1, token2, str(message.get("token3")))
        if message.get("hash") != expected or self.faults.wrong_password:
            await self._send(client, {"type": "authError", "message": "Wrong password"})
            await self._clients[client].emptied()
            return None
        await self._send(client, {"type": "authSuccess"})
        return key

    async def _send_snapshot(self, client: ServerConnection) -> dict[str, Json]:
        """Send the frames of a connect; return the status in them."""
        status, flex, faults = self.status(), self.charger.config.flex, self.faults
        for frame in snapshot(status, flex=flex, half=faults.half_snapshot, delta=faults.delta_in_snapshot):
            await self._send(client, frame)
        return status

    async def _send(self, client: ServerConnection, frame: dict[str, Json]) -> None:
        if self.faults.quiet or self._put_off(client, frame):
            return
        fragmented = (self.faults.fragmented or self.charger.config.flex) and frame["type"] == "fullStatus"
        for message in self._messages(frame):
            await client.send(_fragments(message) if fragmented and isinstance(message, str) else message)

    async def _answer(self, client: ServerConnection, key: bytes, message: dict[str, Json]) -> None:
        """Answer one message of a logged-in client."""
        match message.get("type"):
            case "securedMsg":
                data = str(message.get("data"))
                inner = _parse(data)
                request_id = str(message.get("requestId", "")).removesuffix("sm")
                signed = message.get("hmac") == signature(key, data) and not self.faults.bad_signatures
                if not signed or inner is None:
                    await self._refuse(client, request_id, "hmac mismatch")
                elif inner.get("type") == "setValue":
                    await self._set_value(client, inner)
                else:
                    await self._answer_plain(client, inner)
            case "setValue" if _asked_for(client) is not None:
                await self._set_value(client, message)
            case "setValue":
                await self._refuse(client, message.get("requestId"), "message must be secured")
            case _:
                await self._answer_plain(client, message)

    async def _answer_plain(self, client: ServerConnection, message: dict[str, Json]) -> None:
        kind = message.get("type")
        if kind == "requestFullStatus":
            await self._send_snapshot(client)
        else:
            await self._refuse(client, message.get("requestId"), f'unknown message type="{kind}"')

    async def _set_value(self, client: ServerConnection, message: dict[str, Json]) -> None:
        request_id, name, value = message.get("requestId"), str(message.get("key")), message.get("value")
        faults = self.faults
        if name in faults.rejected_keys:
            await self._refuse(client, request_id, faults.rejected_keys[name])
            return
        try:
            self.charger.check(name, value)
            if name not in faults.ignored_keys:
                self.charger.write(name, value)
                self._written.add(name)
        except RefusedWriteError as refusal:
            await self._refuse(client, request_id, str(refusal))
            return
        if faults.answer_delay_s:
            await asyncio.sleep(faults.answer_delay_s)
        # A reboot is the one command that a Wattpilot does not answer.
        if faults.no_response or name == "rst":
            return
        response = {"type": "response", "requestId": str(request_id), "success": True}
        await self._send(client, response | {"status": {name: value}})

    async def _refuse(self, client: ServerConnection, request_id: Json, text: str) -> None:
        response: dict[str, Json] = {"type": "response", "success": False, "message": text}
        if request_id is not None:
            response["requestId"] = str(request_id)
        await self._send(client, response)


def _asked_for(client: ServerConnection) -> str | None:
    """Return the serial that a client asked the cloud for, None for one in the house."""
    return None if client.request is None else cloud_serial(client.request.path)


def _parse(raw: str | bytes) -> dict[str, Json] | None:
    """Return the JSON object in a frame, or None for anything else."""
    try:
        message = json.loads(raw)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _fragments(text: str) -> Iterator[str]:
    """Cut a message into four WebSocket frames, as a Wattpilot Flex does."""
    size = max(1, -(-len(text) // 4))
    return (text[start : start + size] for start in range(0, len(text), size))
