"""Values out of the cloud's JSON, where anything may be missing, null, a text or no number."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from .cloud_errors import CloudNonsenseError

POWER_UNITS: Final = {"W": 1.0, "KW": 1e3, "MW": 1e6}
ENERGY_UNITS: Final = {"WH": 1.0, "KWH": 1e3, "MWH": 1e6, "GWH": 1e9}
MOST: Final = 1e9
"""W; no site has more, and nothing that is computed from it overflows."""


def as_number(value: object) -> float | None:
    """Return a finite number, also from a text; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError, OverflowError:
        return None
    return number if isfinite(number) and abs(number) <= MOST else None


def number_of(values: Mapping[str, Any], key: str, *, most: float) -> float | None:
    """Return a number from 0 to ``most``, None where there is none."""
    number = as_number(values.get(key))
    return number if number is not None and 0.0 <= number <= most else None


def as_text(value: object) -> str | None:
    """Return a text that is not empty, or None."""
    return value.strip() or None if isinstance(value, str) else None


def object_of(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return an object inside an answer.

    Raises:
        CloudNonsenseError: there is none.
    """
    value = body.get(key)
    if not isinstance(value, dict):
        raise CloudNonsenseError(f"the answer has no {key}")
    return value
