"""Asking who answers at an address."""

from .address import local_address
from .model import DeviceInfo, Timings
from .session import Session


async def identify(host: str, *, port: int = 80, timings: Timings = Timings()) -> DeviceInfo:  # noqa: B008 - immutable
    """Return who answers at an address. Only the greeting is read; no password is needed.

    Args:
        host: Name or address.
        port: TCP port.
        timings: Every wait.

    Raises:
        WattpilotConnectionError: Nobody there, or no greeting in time.
        WattpilotProtocolError: Not a Wattpilot.
    """
    session = await Session.greet(local_address(host, port), timings=timings, reported=set())
    await session.close()
    return session.hello.info
