"""Opening and closing the socket to a charger, and turning every failure of it into an error of this package."""

import asyncio
import logging

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)

from .address import Address
from .errors import WattpilotConnectionError, WattpilotError, WattpilotProtocolError

_MAX_FRAME = 2**20
_PING_INTERVAL = 20.0
_PING_TIMEOUT = 20.0


class _NoDebug(logging.LoggerAdapter[logging.Logger]):
    """A logger without debug level: the library would print every frame there, Wi-Fi passwords included."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name is that of the standard library
        """Return whether a level is logged, never for debug."""
        return level > logging.DEBUG and super().isEnabledFor(level)


class _Direct(connect):
    """A connection that stays where it was sent: a charger redirects nobody, something else might."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Return the refusal itself instead of a new address."""
        return exc


_LIBRARY_LOGGER = _NoDebug(logging.getLogger(f"{__name__}.websockets"))


async def open_socket(address: Address, *, close_timeout: float) -> ClientConnection:
    """Return an open WebSocket. The caller limits the time.

    Args:
        address: Where to.
        close_timeout: How long a later closing handshake may take, in seconds.

    Raises:
        WattpilotConnectionError: Nobody there, or not ready.
        WattpilotProtocolError: Something else than a WebSocket answers.
    """
    try:
        return await _Direct(
            address.url,
            host=address.host,
            port=address.port,
            ssl=address.ssl,
            # A charger is in the same network; a proxy from the environment would get its password's hash.
            proxy=None,
            compression=None,
            open_timeout=None,
            ping_interval=_PING_INTERVAL,
            ping_timeout=_PING_TIMEOUT,
            close_timeout=close_timeout,
            max_size=_MAX_FRAME,
            logger=_LIBRARY_LOGGER,
        )
    except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed, ValueError, EOFError) as err:
        raise _opening_error(err, address.where) from err


def _opening_error(err: Exception, where: str) -> WattpilotError:
    """Return what a failure to open the socket means."""
    if isinstance(err, InvalidStatus):
        code = err.response.status_code
        # A charger that restarts, or has too many sessions, answers with a server error for a while.
        kind = WattpilotConnectionError if code >= 500 else WattpilotProtocolError
        return kind(f"{where} answers with HTTP status {code} instead of a WebSocket")
    if isinstance(err, OSError):
        return WattpilotConnectionError(f"cannot connect to {where}: {err.strerror or type(err).__name__}")
    if isinstance(err, InvalidURI | UnicodeError):
        return WattpilotConnectionError(f"{where} is no valid address")
    if isinstance(err, ConnectionClosed | EOFError) or (
        isinstance(err, InvalidMessage) and isinstance(err.__cause__, EOFError | OSError)
    ):
        return WattpilotConnectionError(f"{where} closed the connection during the handshake")
    return WattpilotProtocolError(f"{where} does not speak WebSocket")


async def close_socket(socket: ClientConnection) -> None:
    """Close a socket politely, and for certain: also when the other end is dead or the task is being cancelled."""
    try:
        await socket.close()
    finally:
        socket.transport.abort()


def closed_error(err: ConnectionClosed) -> WattpilotConnectionError:
    """Return the error for a socket the other end closed; its reason text is not ours to log."""
    code = None if err.rcvd is None else err.rcvd.code
    how = "was lost" if code is None else f"was closed by the charger (code {code})"
    return WattpilotConnectionError(f"the connection {how}")


def timeout_error(what: str, seconds: float) -> WattpilotConnectionError:
    """Return the error for something that did not happen in time."""
    return WattpilotConnectionError(f"{what} within {seconds:g} s")


def loop_time() -> float:
    """Return the monotonic clock of the running loop in seconds."""
    return asyncio.get_running_loop().time()
