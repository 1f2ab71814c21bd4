"""The small types that the rest of the package shares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from .errors import WattpilotAuthenticationError, WattpilotError, WattpilotWrongDeviceError

type JsonValue = str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None
type JsonObject = dict[str, JsonValue]
type ReadOnlyJson = Mapping[str, JsonValue]


class ConnectionState(StrEnum):
    """Where a client stands.

    ``CONNECTED`` means authenticated *and* the first complete status is there; nothing less is worth the name.
    """

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    AUTH_FAILED = "auth_failed"
    WRONG_DEVICE = "wrong_device"


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Every wait of the client, in seconds (the last three are plain factors); tests scale them down.

    Attributes:
        connect: TCP, WebSocket handshake and the hello together.
        authenticate: From the hello to the verdict on the password, hashing included.
        snapshot: From the verdict to the end of the first complete status.
        flex: Least value of ``authenticate`` and ``snapshot``, and of ``connect`` where it is known beforehand what
            will answer, for a Wattpilot Flex, which is slow (mk-maddin/wattpilot-HA#86).
        command: From sending a value to its response.
        silence: No frame for this long means a dead socket. A charger sends at least one frame per second, and a
            half-open socket still answers WebSocket pings on the way (FHEM, recorded sessions). Who watches a fuse
            has to know within 15 s.
        close: The WebSocket closing handshake; afterwards the socket is torn down.
        backoff_start: First wait before connecting again.
        backoff_max: Longest wait before connecting again, jitter included.
        steady: A connection that lasts so long ends the waits that grow; one that ends sooner is one more failure.
        backoff_factor: How the wait grows from attempt to attempt.
        jitter: Random part of the wait, as a fraction: chargers behind one access point must not come back together.
        cloud: How much longer than in the house everything may take that waits for the charger.
    """

    connect: float = 10.0
    authenticate: float = 15.0
    snapshot: float = 30.0
    flex: float = 60.0
    command: float = 5.0
    silence: float = 12.0
    close: float = 1.0
    backoff_start: float = 1.0
    backoff_max: float = 45.0
    steady: float = 10.0
    backoff_factor: float = 2.0
    jitter: float = 0.2
    cloud: float = 1.5

    def for_device(self, device_type: str | None) -> Timings:
        """Return the timings that fit a device type; only the Flex gets more time."""
        if not is_flex(device_type):
            return self
        return replace(
            self,
            connect=max(self.connect, self.flex),
            authenticate=max(self.authenticate, self.flex),
            snapshot=max(self.snapshot, self.flex),
        )

    def for_cloud(self) -> Timings:
        """Return the timings for a charger that is reached through the cloud."""
        return replace(
            self,
            connect=self.connect * self.cloud,
            authenticate=self.authenticate * self.cloud,
            snapshot=self.snapshot * self.cloud,
            command=self.command * self.cloud,
            silence=self.silence * self.cloud,
        )


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    """Who a charger says it is.

    Attributes:
        serial: Serial number; the only identity that is unique.
        name: The name the user gave it.
        model: Marketing name (``grp``) once the status is there, before that the device type.
        device_type: ``wattpilot``, ``wattpilot_V2``, ``wattpilot_flex``, ...
        firmware: Version of the firmware.
        hostname: Network name, ``None`` where it sends none.
        protocol: Version of the protocol, ``None`` where it sends none.
    """

    serial: str
    name: str
    model: str
    device_type: str
    firmware: str | None = None
    hostname: str | None = None
    protocol: int | None = None


def is_flex(device_type: str | None) -> bool:
    """Tell whether a device type (``hello.devicetype``) is a Wattpilot Flex."""
    return device_type is not None and device_type.startswith("wattpilot_flex")


def state_after(err: WattpilotError) -> ConnectionState:
    """Return the state a failed attempt leads to."""
    if isinstance(err, WattpilotAuthenticationError):
        return ConnectionState.AUTH_FAILED
    if isinstance(err, WattpilotWrongDeviceError):
        return ConnectionState.WRONG_DEVICE
    return ConnectionState.DISCONNECTED
