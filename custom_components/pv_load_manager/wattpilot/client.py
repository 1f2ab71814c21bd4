"""A client that stays connected to one Wattpilot."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import itertools
import logging

from .address import CloudAccess, cloud_address, local_address
from .auth import KeyDerivation, KeyRing
from .backoff import Backoff, pause
from .errors import (
    WattpilotAuthenticationError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotUnsupportedError,
    WattpilotWrongDeviceError,
)
from .listeners import Listeners
from .model import ConnectionState, DeviceInfo, JsonValue, Timings, state_after
from .session import Session
from .status import WattpilotStatus
from .transport import loop_time

_LOGGER = logging.getLogger(__name__)


class WattpilotClient:
    """Talks to one charger over its local WebSocket, or through the cloud.

    Either `connect` once, or let `run` keep the connection for ever. All methods belong to one event loop.

    Attributes:
        host: Name or address of the charger; in the cloud only what it is called in logs.
        port: TCP port; of no use in the cloud.
    """

    def __init__(
        self,
        host: str,
        password: str,
        *,
        port: int = 80,
        serial: str | None = None,
        device_type: str | None = None,
        cloud: CloudAccess | None = None,
        timings: Timings = Timings(),  # noqa: B008 - immutable
        derive_key: KeyDerivation | None = None,
    ) -> None:
        """Prepare a client; nothing is opened yet.

        Args:
            host: Name or address of the charger.
            password: The password set in the Solar.wattpilot app.
            port: TCP port.
            serial: Who it has to be. ``None`` accepts anybody the first time, and then only the same one again.
            device_type: What it is, where that is known beforehand: a Flex gets more time from the start.
            cloud: The way through the cloud, instead of the host and port.
            timings: Every wait.
            derive_key: Turns the password into the key, instead of the hash the charger names.

        Raises:
            ValueError: The cloud's address and its SSL context do not fit together.
        """
        self.host = host
        self.port = port
        self._cloud = None if cloud is None else cloud_address(cloud)
        # In the cloud the address itself asks for a charger.
        self._serial = cloud.serial if serial is None and cloud is not None else serial
        self._device_type = device_type
        self._timings = timings if cloud is None else timings.for_cloud()
        self._keys = KeyRing(password, derive_key)
        self._state = ConnectionState.DISCONNECTED
        self._last_error: WattpilotError | None = None
        self._info: DeviceInfo | None = None
        self._status = WattpilotStatus.of({})
        self._last_frame_at: float | None = None
        self._session: Session | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._reported: set[str] = set()
        self._connecting = asyncio.Lock()
        # Set by `close`, which leaves a new one to those who start later.
        self._closed = asyncio.Event()
        self._running = False
        # Over all connections, so that a late response can never belong to another command.
        self._request_ids = itertools.count(1)
        self._update_listeners = Listeners[WattpilotStatus, frozenset[str]]()
        self._state_listeners = Listeners[ConnectionState]()

    @property
    def state(self) -> ConnectionState:
        """Where the client stands."""
        return self._state

    @property
    def last_error(self) -> WattpilotError | None:
        """Why the client is not connected; ``None`` while it is."""
        return self._last_error

    @property
    def info(self) -> DeviceInfo | None:
        """Who the charger is; ``None`` before the first connection."""
        return self._info

    @property
    def status(self) -> WattpilotStatus:
        """The last known status; empty before the first connection, kept when the connection is lost."""
        return self._status

    @property
    def last_frame_at(self) -> float | None:
        """Loop time in seconds at which `status` was last confirmed or changed; ``None`` before the first time."""
        return self._last_frame_at if self._session is None else self._session.last_frame_at

    def on_update(self, callback: Callable[[WattpilotStatus, frozenset[str]], None]) -> Callable[[], None]:
        """Call back once per frame with the merged status and the keys that changed.

        The first call after a connection is made with the complete status and everything that differs from what was
        known before; it comes also when nothing differs.

        Returns:
            What ends it; may be called more than once.
        """
        return self._update_listeners.add(callback)

    def on_state(self, callback: Callable[[ConnectionState], None]) -> Callable[[], None]:
        """Call back when the state changes.

        Returns:
            What ends it; may be called more than once.
        """
        return self._state_listeners.add(callback)

    async def connect(self) -> None:
        """Try once to connect; return when connected. Nothing stays open after a failure.

        Raises:
            WattpilotConnectionError: Unreachable, no answer in time, or `close` was called meanwhile.
            WattpilotSnapshotError: The first status stayed incomplete.
            WattpilotAuthenticationError: The password is wrong.
            WattpilotWrongDeviceError: Another charger answers.
            WattpilotProtocolError: Not a Wattpilot, or one this client does not support.
        """
        closed = self._closed
        async with self._connecting:
            if self._session is not None:
                return
            # The socket before this one may still be closing.
            await self._disconnection()
            if closed.is_set():
                raise WattpilotConnectionError("the client was closed")
            # A task of its own, so that `close` can end the attempt without cancelling the caller.
            self._attempt = asyncio.create_task(self._open())
            try:
                await self._attempt
            except asyncio.CancelledError:
                if closed.is_set() and not _being_cancelled():
                    raise WattpilotConnectionError("the client was closed") from None
                raise
            finally:
                self._attempt = None

    async def run(self) -> None:
        """Connect and stay connected until `close` or cancellation; both leave nothing open.

        A lost connection is made again after a wait that grows up to ``Timings.backoff_max``; a charger that is the
        wrong one, or that cannot be supported, is asked again at that slow pace.

        Raises:
            WattpilotAuthenticationError: The password is wrong. Trying it again would not help.
            RuntimeError: It runs already.
        """
        if self._running:
            raise RuntimeError("the client runs already")
        self._running = True
        closed = self._closed
        backoff = Backoff(self._timings)
        try:
            while not closed.is_set():
                try:
                    await self.connect()
                    since = loop_time()
                    await self._disconnection()
                    if loop_time() - since >= self._timings.steady:
                        backoff.reset()
                    delay = backoff.delay()
                except WattpilotAuthenticationError:
                    raise
                except WattpilotWrongDeviceError, WattpilotUnsupportedError:
                    delay = backoff.slow()
                except WattpilotError:
                    delay = backoff.delay()
                await pause(closed, delay)
        finally:
            self._running = False
            await self._drop()

    async def close(self) -> None:
        """Close the connection and end `run`; may be called more than once, also while connecting."""
        self._closed.set()
        self._closed = asyncio.Event()
        await self._drop()
        self._set_state(ConnectionState.DISCONNECTED)

    async def set_value(self, key: str, value: JsonValue) -> None:
        """Write one value and wait until the charger confirms it; then `status` holds what it confirmed.

        Several may wait at the same time; the charger gets them in the order of the calls. A restart (``rst``) is
        never confirmed: silence and the loss of the connection count as success.

        Args:
            key: What to write, for instance ``amp``.
            value: A JSON value of the type the charger expects; ``amp`` wants a whole number.

        Raises:
            WattpilotConnectionError: Not connected, or the connection was lost meanwhile.
            WattpilotCommandError: The charger refused the value.
            WattpilotCommandTimeoutError: No answer in time; whether the charger took the value is not known.
        """
        session = self._session
        if session is None:
            raise WattpilotConnectionError("not connected")
        await session.write(next(self._request_ids), key, value)

    async def _open(self) -> None:
        """Open a session and start to handle its frames."""
        # A wrong device that is asked again stays one until something else is known.
        if self._state is not ConnectionState.WRONG_DEVICE:
            self._set_state(ConnectionState.CONNECTING)
        try:
            session = await self._open_session()
        except WattpilotError as err:
            self._last_error = err
            _LOGGER.debug("No connection to %s: %s", self.host, err)
            self._set_state(state_after(err))
            raise
        except BaseException:
            self._set_state(ConnectionState.DISCONNECTED)
            raise
        self._session = session
        self._serial = session.hello.info.serial
        self._last_error = None
        before = self._status.raw
        changed = frozenset(
            key
            for key in before.keys() | session.values.keys()
            if key not in before or key not in session.values or before[key] != session.values[key]
        )
        self._pump = asyncio.create_task(self._handle_frames(session))
        self._take_status(session)
        self._set_state(ConnectionState.CONNECTED)
        self._update_listeners.call(self._status, changed)

    async def _open_session(self) -> Session:
        """Return a session with a complete status, or nothing open."""
        timings = self._timings.for_device(self._device_type)
        # Made anew each time: a charger may get another address while this client lives.
        address = self._cloud or local_address(self.host, self.port)
        session = await Session.greet(address, timings=timings, reported=self._reported)
        try:
            await session.log_in(self._keys, expected_serial=self._serial)
        except BaseException:
            await session.close()
            raise
        return session

    async def _handle_frames(self, session: Session) -> None:
        """Handle the frames of a session until it ends."""

        def on_frame(changed: frozenset[str]) -> None:
            self._take_status(session)
            self._update_listeners.call(self._status, changed)

        reason: WattpilotError | None = None
        try:
            await session.pump(on_frame)
        except WattpilotError as err:
            reason = err
            _LOGGER.debug("The connection to %s ended: %s", self.host, err)
        finally:
            await self._end(session, reason)

    async def _end(self, session: Session, reason: WattpilotError | None) -> None:
        """Forget and close the session."""
        self._session = None
        self._last_frame_at = session.last_frame_at
        self._last_error = reason
        self._set_state(ConnectionState.DISCONNECTED)
        await session.close(reason)

    def _take_status(self, session: Session) -> None:
        """Make the merged values of a session the current status."""
        self._status = status = WattpilotStatus.of(session.values)
        info = session.hello.info
        self._device_type = info.device_type
        self._info = replace(info, name=status.name or info.name, model=status.model or info.model)

    async def _disconnection(self) -> None:
        """Wait until the connection is gone."""
        if self._pump is not None:
            await asyncio.wait([self._pump])

    async def _drop(self) -> None:
        """End whatever is open or being opened."""
        while tasks := [task for task in (self._attempt, self._pump) if task is not None and not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if self._session is not None:
            # A task that is cancelled before its first step never reaches its own ending.
            await self._end(self._session, None)

    def _set_state(self, state: ConnectionState) -> None:
        """Change the state and tell everybody, on change only."""
        if state is not self._state:
            self._state = state
            self._state_listeners.call(state)


def _being_cancelled() -> bool:
    """Tell whether the present task was asked to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
