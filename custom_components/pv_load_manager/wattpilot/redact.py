"""Which values of a charger must never reach a log, a diagnostics file or a screen."""

import math
import re

from .model import JsonObject, JsonValue

REDACTED = "**REDACTED**"

SECRET_KEYS = frozenset(
    {
        # Wi-Fi: known networks with passwords, neighbours (they give the location away), own access point.
        "wifis", "scan", "ccw", "pass", "wak", "facwak", "wan", "key", "ssid", "bssid",
        # Cloud: token of the charts, download link with a token, key of the cloud API.
        "data", "dll", "cak",
        # OCPP and MQTT: keys, certificates, and addresses that may hold a user and a password.
        "ocppu", "ocppck", "ocppcc", "ocppsc", "ocppd", "mcu",
        # RFID cards: names of people, identities, the last one read, the transaction.
        "cards", "cardId", "rfid", "lri", "evt", "trxid",
    }
)  # fmt: skip
"""Keys of the status, at any depth, whose values are secret (go-e API keys, FHEM's redactions of a Flex status)."""

# Firmware grows keys every year, and the Flex spreads its cards and its second OCPP client over numbered keys.
_SECRET_PATTERN = re.compile(
    r"c\d+[in]|ocpp\w*(ck|cc|sc|pw|u)|\w*(passw|passphrase|pwd|ssid|secret|token|psk|apikey|private)\w*", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(r"://[^/\s@]+@|[?&](token|key|password|e)=", re.IGNORECASE)
# A charger nests three levels; more than this is an attempt to exhaust the stack.
_MAX_DEPTH = 16


def is_secret(key: str) -> bool:
    """Tell whether the value of a key is a secret."""
    return key in SECRET_KEYS or _SECRET_PATTERN.fullmatch(key) is not None


def redact(value: JsonValue, depth: int = 0) -> JsonValue:
    """Return a copy without secrets that any JSON writer takes: numbers that are not finite become ``None``.

    ``None`` stays ``None`` also under a secret key: that nothing is set is worth knowing.
    """
    if depth > _MAX_DEPTH:
        return REDACTED
    if isinstance(value, dict):
        return redact_object(value, depth + 1)
    if isinstance(value, list):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and _CREDENTIALS_IN_URL.search(value):
        return REDACTED
    return value


def redact_object(values: JsonObject, depth: int = 0) -> JsonObject:
    """Return a copy of an object without secrets."""
    return {
        key: REDACTED if is_secret(key) and value is not None else redact(value, depth) for key, value in values.items()
    }
