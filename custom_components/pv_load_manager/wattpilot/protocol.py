"""The frames of a Wattpilot: one JSON object per WebSocket text message.

Sources: joscha82/wattpilot ``API.md``, Varitras/ha-wattpilot recorded sessions (firmware 42.5), FHEM
``docs/WATTPILOT-FLEX-JSON-API.md`` (Flex 43.4).
"""

from dataclasses import dataclass
import json
import re
from typing import cast

from .auth import answer, new_token, sign
from .errors import WattpilotProtocolError
from .model import DeviceInfo, JsonObject, JsonValue
from .parsing import text

# What is shown in logs and used as identity must not be anything a network feels like sending.
_SERIAL = re.compile(r"[A-Za-z0-9_-]{1,32}")

STATUS_TYPES = frozenset({"fullStatus", "deltaStatus"})
"""Frames that carry keys and values."""

IGNORED_TYPES = frozenset({"hello", "authSuccess", "clearInverters", "updateInverter", "clearSmips"})
"""Frames that are known and of no use after the greeting: paired inverters and smart meters."""

REBOOT_KEYS = frozenset({"rst", "oct"})
"""Writing these restarts the charger: it answers nothing and drops the socket (recorded: 17 s later)."""


@dataclass(frozen=True, kw_only=True)
class Hello:
    """The first frame of a charger.

    Attributes:
        info: Who it is.
        secured: Commands have to be signed. Falsy or absent only where something else guards the connection.
    """

    info: DeviceInfo
    secured: bool


def parse_frame(message: str) -> JsonObject | None:
    """Return the JSON object in a text message, ``None`` for anything else."""
    try:
        frame = json.loads(message)
    except ValueError, RecursionError:
        return None
    return cast("JsonObject", frame) if isinstance(frame, dict) else None


def frame_type(frame: JsonObject) -> str:
    """Return the type of a frame, an empty text where it has none."""
    kind = frame.get("type")
    return kind if isinstance(kind, str) else ""


def printable_type(frame: JsonObject) -> str:
    """Return the type of a frame in a form that may go to a log."""
    kind = frame_type(frame)
    return kind if kind.isidentifier() and len(kind) <= 32 else "unnamed"


def parse_hello(frame: JsonObject) -> Hello:
    """Return the greeting of a charger.

    Raises:
        WattpilotProtocolError: This is no greeting, or not that of a Wattpilot. A go-e charger speaks the same language
            and is refused here.
    """
    if frame_type(frame) != "hello":
        raise WattpilotProtocolError("the device does not greet like a Wattpilot")
    serial = text(frame.get("serial"))
    device_type = text(frame.get("devicetype")) or text(frame.get("devicefamily")) or ""
    if serial is None or not _SERIAL.fullmatch(serial) or not device_type.startswith("wattpilot"):
        raise WattpilotProtocolError("the device is not a Wattpilot")
    protocol = frame.get("protocol", frame.get("proto"))
    hostname = text(frame.get("hostname"))
    return Hello(
        info=DeviceInfo(
            serial=serial,
            name=text(frame.get("friendly_name")) or hostname or f"Wattpilot {serial}",
            model=device_type,
            device_type=device_type,
            firmware=text(frame.get("version")),
            hostname=hostname,
            protocol=protocol if isinstance(protocol, int) and not isinstance(protocol, bool) else None,
        ),
        secured=bool(frame.get("secured")),
    )


def auth_frame(key: bytes, required: JsonObject) -> str:
    """Return the answer to ``authRequired``.

    Args:
        key: The derived key.
        required: The frame with the two tokens of the charger.

    Raises:
        WattpilotProtocolError: The tokens are missing.
    """
    token1, token2 = required.get("token1"), required.get("token2")
    if not isinstance(token1, str) or not isinstance(token2, str):
        raise WattpilotProtocolError("the charger asks for the password without a challenge")
    token3 = new_token()
    return json.dumps({"type": "auth", "token3": token3, "hash": answer(key, token1, token2, token3)})


def command_frame(request_id: int, key: str, value: JsonValue, signing_key: bytes | None) -> str:
    """Return the frame that writes one value.

    The charger checks the signature over the text it received, so the white space of ``data`` is free.

    Args:
        request_id: Comes back in the response.
        key: What to write.
        value: The value.
        signing_key: The derived key, ``None`` where commands are not signed.

    Raises:
        ValueError: The value is not JSON (NaN, an infinite number).
        TypeError: The value is not JSON (some object).
    """
    data = json.dumps({"type": "setValue", "requestId": request_id, "key": key, "value": value}, allow_nan=False)
    if signing_key is None:
        return data
    return json.dumps(
        {
            "type": "securedMsg",
            "data": data,
            "requestId": f"{request_id}sm",
            "hmac": sign(signing_key, data),
        }
    )


def response_id(frame: JsonObject) -> int | None:
    """Return the request a response belongs to.

    It is the inner number, as text in every recording; a number and the outer form ``7sm`` are accepted too.
    """
    raw = frame.get("requestId")
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, str) and (digits := raw.removesuffix("sm")).isdecimal() and len(digits) <= 18:
        return int(digits)
    return None


def refusal(frame: JsonObject) -> str:
    """Return why the charger refused a value, in a form that may go to a log."""
    message = frame.get("message")
    if isinstance(message, str) and message.isprintable() and 0 < len(message) <= 120:
        return message
    return "the charger gave no reason"
