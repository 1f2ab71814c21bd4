"""Client of one Fronius Wattpilot, in the house or through the cloud; knows nothing of Home Assistant."""

from .address import CLOUD_URL, CloudAccess
from .auth import KEY_DERIVATIONS, KeyDerivation
from .client import WattpilotClient
from .codes import ACCESS_NAMES, CABLE_LOCK_NAMES, ERROR_NAMES, MODEL_STATUS_NAMES, CarState
from .control import FormerValues, Target, Write, restore_writes, takeover_writes, writes_for
from .discovery import identify
from .errors import (
    WattpilotAuthenticationError,
    WattpilotCommandError,
    WattpilotCommandTimeoutError,
    WattpilotConnectionError,
    WattpilotError,
    WattpilotProtocolError,
    WattpilotSnapshotError,
    WattpilotUnsupportedError,
    WattpilotWrongDeviceError,
)
from .model import ConnectionState, DeviceInfo, JsonObject, JsonValue, Timings
from .redact import SECRET_KEYS
from .status import WattpilotStatus

__all__ = [
    "ACCESS_NAMES",
    "CABLE_LOCK_NAMES",
    "CLOUD_URL",
    "ERROR_NAMES",
    "KEY_DERIVATIONS",
    "MODEL_STATUS_NAMES",
    "SECRET_KEYS",
    "CarState",
    "CloudAccess",
    "ConnectionState",
    "DeviceInfo",
    "FormerValues",
    "JsonObject",
    "JsonValue",
    "KeyDerivation",
    "Target",
    "Timings",
    "WattpilotAuthenticationError",
    "WattpilotClient",
    "WattpilotCommandError",
    "WattpilotCommandTimeoutError",
    "WattpilotConnectionError",
    "WattpilotError",
    "WattpilotProtocolError",
    "WattpilotSnapshotError",
    "WattpilotStatus",
    "WattpilotUnsupportedError",
    "WattpilotWrongDeviceError",
    "Write",
    "identify",
    "restore_writes",
    "takeover_writes",
    "writes_for",
]
