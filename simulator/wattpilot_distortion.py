"""What a faulty Wattpilot makes of its status and of its frames."""

import json
import math
from typing import Any

from .wattpilot_faults import WattpilotFaults
from .wattpilot_keys import Json

SENTINELS: dict[str, Json] = {
    "nan": math.nan,
    "infinity": math.inf,
    "-infinity": -math.inf,
    "null": None,
    "-1": -1,
    "1e308": 1e308,
    "text": "n/a",
}
"""What firmware is known to say instead of a number, by name. The first three are no JSON, and parsers take them."""

MEASURED = ("acu", "acui", "amt", "cbl", "eto", "etop", "fhz", "nrg", "pnp", "rssi", "tma", "tpa", "wh", "whg")
"""Keys that are measured or counted."""

MALFORMED = ("no_json", "no_object", "binary")
_OPCODES = {"text": 0x81, "binary": 0x82}
_UNMASKED_16_BIT = 126


def distorted(status: dict[str, Json], faults: WattpilotFaults, now: float) -> dict[str, Json]:
    """Return a status as a charger with faults tells it.

    Args:
        status: The true one.
        faults: What goes wrong.
        now: Home time, s; what nobody knows changes with it.
    """
    told = status | faults.override | faults.stuck
    if faults.clock_s and isinstance(told.get("rbt"), int):
        told["rbt"] += round(faults.clock_s * 1000)
    told |= {key: _replaced(told[key], SENTINELS[name]) for key, name in faults.sentinels.items() if key in told}
    if faults.unknown_keys:
        told |= _unknown(faults.unknown_keys, int(now))
    if faults.text_numbers:
        told = {key: _as_text(value) for key, value in told.items()}
    return {key: value for key, value in told.items() if key not in faults.missing_keys}


def malformed(frame: dict[str, Json], how: str) -> str | bytes:
    """Return a frame that no client can use: cut JSON, JSON that is no object, or bytes instead of text."""
    text = json.dumps(frame)
    if how == "no_object":
        return json.dumps([text, None, 7])
    return text.encode() if how == "binary" else text[: -max(1, len(text) // 3)]


def half_a_frame(frame: dict[str, Json]) -> bytes:
    """Return the first half of the bytes of a WebSocket text frame from a server (RFC 6455, 5.2)."""
    payload = json.dumps(frame).encode().ljust(_UNMASKED_16_BIT)
    header = bytes((_OPCODES["text"], _UNMASKED_16_BIT)) + len(payload).to_bytes(2)
    return (header + payload)[: len(payload) // 2]


def _replaced(value: Json, sentinel: Json) -> Json:
    """Put a sentinel in the place of a value, or of each value of a list."""
    return [sentinel] * len(value) if isinstance(value, list) else sentinel


def _as_text(value: Any) -> Json:
    """Turn every number into text, however deep."""
    if isinstance(value, dict):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else str(value)


def _unknown(count: int, moment: int) -> dict[str, Json]:
    """Return keys of a firmware that does not exist, of every type and deeply nested, and codes that nobody knows."""
    made_up: tuple[Json, ...] = (
        moment,
        f"text {moment}",
        None,
        moment % 2 == 0,
        [moment, [None, {"deep": [moment]}]],
        {"a": {"b": {"c": {"d": [moment, "ü", -0.5]}}}},
    )
    keys = {f"zz{number}": made_up[number % len(made_up)] for number in range(count)}
    return keys | {"modelStatus": 900 + moment % 50, "lck": 77, "cus": 66, "ust": "sometimes"}
