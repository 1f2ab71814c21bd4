"""One socket to one charger, from the greeting to the end: authentication, snapshot, frames and commands."""

import asyncio
from collections.abc import Callable, Iterator
import itertools
import logging
from typing import Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from .address import Address
from .auth import KeyRing, hash_name
from .errors import (
    WattpilotAuthenticationError,
    WattpilotCommandError,
    WattpilotCommandTimeoutError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotProtocolError,
    WattpilotSnapshotError,
    WattpilotWrongDeviceError,
)
from .model import JsonObject, JsonValue, Timings
from .protocol import (
    IGNORED_TYPES,
    REBOOT_KEYS,
    STATUS_TYPES,
    Hello,
    auth_frame,
    command_frame,
    frame_type,
    parse_frame,
    parse_hello,
    printable_type,
    refusal,
    response_id,
)
from .redact import is_secret
from .transport import close_socket, closed_error, loop_time, open_socket, timeout_error

_LOGGER = logging.getLogger(__name__)
_MAX_REMEMBERED_TYPES = 32
# A Flex has 558. Without an end, a charger that invents names would fill the memory over the years.
_MAX_KEYS = 2000

type OnFrame = Callable[[frozenset[str]], None]


class Session:
    """One socket to one charger.

    Attributes:
        hello: The charger's greeting.
        values: The merged status. **Contains secrets.**
        last_frame_at: Loop time of the last frame that carried a status, in seconds.
    """

    def __init__(self, socket: ClientConnection, timings: Timings, reported: set[str]) -> None:
        self.values: JsonObject = {}
        self.last_frame_at = loop_time()
        self._socket = socket
        self._timings = timings
        self._signing_key: bytes | None = None
        self._pending: dict[int, asyncio.Future[JsonObject]] = {}
        self._sending = asyncio.Lock()
        self._logged: set[str] = set()
        self._reported = reported
        self.hello: Hello

    @classmethod
    async def greet(cls, address: Address, *, timings: Timings, reported: set[str]) -> Self:
        """Return a session after the greeting; no password was used.

        Args:
            address: Where to.
            timings: Every wait.
            reported: What nonsense was reported already, by sessions before this one, too.

        Raises:
            WattpilotConnectionError: Nobody there, no greeting in time, or closed at once.
            WattpilotProtocolError: Not a Wattpilot.
        """
        session = None
        try:
            async with asyncio.timeout(timings.connect):
                socket = await open_socket(address, close_timeout=timings.close)
                session = cls(socket, timings, reported)
                session.hello = parse_hello(await session._receive())
        except BaseException as err:
            if session is not None:
                await session.close()
            if isinstance(err, TimeoutError):
                # Frames without meaning and silence are different things to a user who looks for the mistake.
                if session is not None and session._logged:
                    raise WattpilotProtocolError("the device does not greet like a Wattpilot") from err
                raise timeout_error(f"{address.where} did not greet", timings.connect) from err
            raise
        session._timings = timings.for_device(session.hello.info.device_type)
        return session

    async def log_in(self, keys: KeyRing, *, expected_serial: str | None) -> None:
        """Answer the charger's challenge and wait for the first complete status.

        Who it is gets checked before the password is used in any form: at a foreign device its hash would be a gift.

        Args:
            keys: Where the key comes from.
            expected_serial: Who it has to be, ``None`` for anybody.

        Raises:
            WattpilotWrongDeviceError: It is another charger.
            WattpilotAuthenticationError: The password is wrong.
            WattpilotSnapshotError: The first status stayed incomplete.
            WattpilotProtocolError: The charger does something unexpected or unsupported.
            WattpilotConnectionError: No answer, or closed.
        """
        found = self.hello.info.serial
        if expected_serial is not None and found != expected_serial:
            raise WattpilotWrongDeviceError(expected_serial, found)
        try:
            async with asyncio.timeout(self._timings.authenticate):
                first = await self._authenticate(keys)
        except TimeoutError as err:
            raise timeout_error("no verdict on the password", self._timings.authenticate) from err
        try:
            async with asyncio.timeout(self._timings.snapshot):
                await self._complete_snapshot(first)
        except TimeoutError as err:
            raise WattpilotSnapshotError(
                f"the first status stayed incomplete for {self._timings.snapshot:g} s"
            ) from err
        except WattpilotConnectionError as err:
            raise WattpilotSnapshotError(f"before the first status was complete {err}") from err

    async def _authenticate(self, keys: KeyRing) -> JsonObject | None:
        """Log in; return the status frame that took the place of a verdict where no password was asked for."""
        info = self.hello.info
        key: bytes | None = None
        while True:
            frame = await self._receive()
            match frame_type(frame):
                case "authRequired":
                    name = hash_name(frame.get("hash"), info.device_type)
                    key = await keys.key(info.serial, name)
                    await self._send(auth_frame(key, frame))
                    _LOGGER.debug("Answered the challenge of the charger")
                case "authSuccess":
                    return self._logged_in(key, None)
                case "authError":
                    raise WattpilotAuthenticationError("the charger refused the password")
                case kind if kind in STATUS_TYPES and not self.hello.secured:
                    # The unprotected ports of a Flex send the status without asking.
                    return self._logged_in(key, frame)
                case _:
                    self._log_ignored(frame)

    def _logged_in(self, key: bytes | None, first: JsonObject | None) -> JsonObject | None:
        """Keep the key where commands must be signed."""
        if self.hello.secured and key is None:
            raise WattpilotProtocolError("the charger wants signed commands but never asked for the password")
        self._signing_key = key if self.hello.secured else None
        return first

    async def _complete_snapshot(self, first: JsonObject | None) -> None:
        """Merge frames until a full status says that it is the last part.

        A delta may come between the parts (recorded by Varitras) and completes nothing.
        """
        frame = await self._receive() if first is None else first
        while frame_type(frame) != "fullStatus" or frame.get("partial") or _status(frame) is None:
            self._handle(frame)
            frame = await self._receive()
        self._handle(frame)
        _LOGGER.debug("The first status is complete: %d keys", len(self.values))

    async def pump(self, on_frame: OnFrame) -> None:
        """Handle frames until the socket ends, which always is an error.

        Only frames with a status are signs of life: nonsense says nothing about a charger, however often it comes.

        Args:
            on_frame: Called once per frame with a status, with the keys that changed.

        Raises:
            WattpilotConnectionError: Closed by the other end, lost, or silent for too long.
        """
        while True:
            changed = None
            try:
                async with asyncio.timeout(self._timings.silence):
                    while changed is None:
                        changed = self._handle(await self._receive())
            except TimeoutError as err:
                raise timeout_error("no status", self._timings.silence) from err
            on_frame(changed)

    async def write(self, request_id: int, key: str, value: JsonValue) -> None:
        """Write one value and wait for the charger's response.

        Raises:
            WattpilotCommandError: The charger refused it, or it is not JSON.
            WattpilotCommandTimeoutError: No response in time.
            WattpilotConnectionError: The socket is closed or was lost meanwhile.
        """
        try:
            text = command_frame(request_id, key, value, self._signing_key)
        except (TypeError, ValueError) as err:
            raise WattpilotCommandError(key, "the value cannot be written as JSON") from err
        reply = self._pending[request_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._timings.command):
                # The lock is fair, so the charger sees commands in the order in which they were given.
                async with self._sending:
                    await self._send(text)
                response = await self._reply_to(reply, key)
        except TimeoutError as err:
            if key in REBOOT_KEYS:
                return
            raise WattpilotCommandTimeoutError(key, f"no response within {self._timings.command:g} s") from err
        finally:
            del self._pending[request_id]
            if reply.done() and not reply.cancelled():
                # The socket may end before this command was sent; then nobody asks for that error.
                reply.exception()
        if response is not None and response.get("success") is not True:
            raise WattpilotCommandError(key, "refused" if is_secret(key) else refusal(response))

    @staticmethod
    async def _reply_to(reply: asyncio.Future[JsonObject], key: str) -> JsonObject | None:
        """Return the response; ``None`` where the charger restarted instead, as it was told."""
        try:
            return await reply
        except WattpilotConnectionError:
            if key in REBOOT_KEYS:
                return None
            raise

    async def close(self, reason: WattpilotError | None = None) -> None:
        """Close the socket; commands that wait for a response fail."""
        for reply in self._waiting():
            reply.set_exception(WattpilotConnectionError(str(reason or "the connection was closed")))
        await close_socket(self._socket)

    def _waiting(self) -> Iterator[asyncio.Future[JsonObject]]:
        """Return the responses that are still due."""
        return (reply for reply in self._pending.values() if not reply.done())

    def _handle(self, frame: JsonObject) -> frozenset[str] | None:
        """Act on a frame; return the keys it changed, ``None`` where it carried no status."""
        kind = frame_type(frame)
        if kind == "response":
            reply = self._pending.get(response_id(frame) or 0)
            if reply is not None and not reply.done():
                reply.set_result(frame)
            return self._merge(_status(frame)) if frame.get("success") is True else None
        if kind in STATUS_TYPES:
            return self._merge(_status(frame))
        self._log_ignored(frame)
        return None

    def _merge(self, status: JsonObject | None) -> frozenset[str] | None:
        """Merge a status; return the keys whose values changed."""
        if status is None:
            return None
        self.last_frame_at = loop_time()
        if len(self.values) + len(status) > _MAX_KEYS:
            room = _MAX_KEYS - len(self.values)
            new = set(itertools.islice((key for key in status if key not in self.values), room))
            status = {key: value for key, value in status.items() if key in self.values or key in new}
            self._log_once("more keys than a charger has")
        changed = frozenset(key for key, value in status.items() if key not in self.values or self.values[key] != value)
        self.values.update(status)
        return changed

    async def _receive(self) -> JsonObject:
        """Return the next JSON object."""
        while True:
            try:
                message = await self._socket.recv()
            except ConnectionClosed as err:
                raise closed_error(err) from err
            if isinstance(message, bytes):
                # go-e firmware 60 may send msgpack to those who ask for it; no Wattpilot has been seen doing so.
                self._log_once("a binary frame")
                continue
            frame = parse_frame(message)
            if frame is not None:
                return frame
            self._log_once("a frame that is no JSON object")

    async def _send(self, text: str) -> None:
        """Send a text frame."""
        try:
            await self._socket.send(text)
        except ConnectionClosed as err:
            raise closed_error(err) from err

    def _log_once(self, what: str) -> None:
        """Report nonsense once per client, never its content: who connects again and again would fill the log."""
        self._logged.add(what)
        if what not in self._reported:
            self._reported.add(what)
            _LOGGER.warning("Ignored %s from the charger", what)

    def _log_ignored(self, frame: JsonObject) -> None:
        """Report a frame of an unknown type once per type; the list of types grows with the firmware."""
        kind = printable_type(frame)
        if kind in IGNORED_TYPES or kind in self._logged or len(self._logged) >= _MAX_REMEMBERED_TYPES:
            return
        self._logged.add(kind)
        _LOGGER.debug("Ignored a frame of type %s", kind)


def _status(frame: JsonObject) -> JsonObject | None:
    """Return the status a frame carries."""
    status = frame.get("status")
    return status if isinstance(status, dict) else None
