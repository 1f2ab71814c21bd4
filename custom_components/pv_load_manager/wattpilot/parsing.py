"""Reading values that come from a network: what is missing, of the wrong type or absurd is ``None``, never an error."""

import math
import re
from typing import cast

MAX_CURRENT = 1000.0
MAX_VOLTAGE = 1000.0
MAX_POWER = 1e6
MAX_ENERGY = 1e12
MAX_MILLISECONDS = 1e15

# Some firmware quotes its numbers. Only plain ones are taken: no "0x10", no "1,5", no digits of other scripts.
_QUOTED_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{0,18})?([eE][+-]?[0-9]{1,3})?")
_QUOTED_FLAGS = {"true": True, "false": False, "1": True, "0": False}


def number(value: object, *, low: float, high: float) -> float | None:
    """Return a number between two bounds, also one sent as text; truth values are no numbers."""
    if isinstance(value, str) and _QUOTED_NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # The comparison is also false for NaN, and works for whole numbers that are too large for a float.
    return float(value) if low <= value <= high else None


def whole(value: object, *, low: float = 0, high: float = 2**31) -> int | None:
    """Return a whole number between two bounds, rounded down: 8.9 A of permission are 8 A."""
    found = number(value, low=low, high=high)
    return None if found is None else math.floor(found)


def flag(value: object) -> bool | None:
    """Return a truth value; 0 and 1 count, as older firmware sends them, and both also as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _QUOTED_FLAGS.get(value)
    return bool(value) if isinstance(value, int) and value in {0, 1} else None


def text(value: object) -> str | None:
    """Return a text that is not empty, without what cannot be printed (or stored); a whole number becomes text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return "".join(character for character in value if character.isprintable()).strip() or None


def items(value: object) -> list[object]:
    """Return a list, an empty one for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else []


def at(value: object, index: int, *, low: float, high: float) -> float | None:
    """Return one number of a list, ``None`` where the list is too short."""
    found = items(value)
    return number(found[index], low=low, high=high) if index < len(found) else None


def version(value: object) -> tuple[int, ...] | None:
    """Return a version like ``42.5`` as numbers that can be compared, ``None`` for anything else."""
    parts = value.split(".") if isinstance(value, str) else []
    plain = bool(parts) and all(part.isascii() and part.isdecimal() and len(part) <= 9 for part in parts)
    return tuple(map(int, parts)) if plain else None
