"""Forms for what protects a circuit: dynamic load management, reserve, margin, imbalance and fallback."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.selector import BooleanSelector
import probatio

from ..const import (
    CONF_DYNAMIC,
    CONF_FALLBACK,
    CONF_IMBALANCE,
    CONF_LARGEST_CONSUMER,
    CONF_SAFETY_MARGIN,
    DEFAULT_IMBALANCE,
    DEFAULT_LARGEST_CONSUMER,
    MAX_FUSE,
    MAX_MARGIN,
)
from ..control import LOWEST_CURRENT, CircuitConfig, fuse_target
from .numbers import number, whole

PROTECTION_RANGES: Final = {
    "max_margin": str(MAX_MARGIN),
    "max_imbalance": str(MAX_FUSE),
    "lowest": str(LOWEST_CURRENT),
}


def protection_schema(*, limit: int, phases: int, sees_phases: bool) -> probatio.Schema:
    """Return the form for the house connection, with the fields that make sense for its meter.

    Args:
        limit: rating of the main fuse in A.
        phases: phases of the house.
        sees_phases: whether the meter knows the current of every phase.
    """
    fields: dict[probatio.Marker, Any] = {
        probatio.Required(CONF_DYNAMIC, default=sees_phases): BooleanSelector(),
        probatio.Required(CONF_SAFETY_MARGIN, default=0): number("%"),
    }
    if phases > 1:
        fields[probatio.Required(CONF_IMBALANCE, default=DEFAULT_IMBALANCE)] = number("A")
    if sees_phases:
        fields |= reserve_fields(default_largest_consumer(limit))
    return probatio.Schema(fields)


def reserve_fields(largest_consumer: int) -> dict[probatio.Marker, Any]:
    """Return the fields that only a circuit with a meter needs."""
    return {
        probatio.Required(CONF_LARGEST_CONSUMER, default=largest_consumer): number("A"),
        probatio.Required(CONF_FALLBACK, default=0): number("A"),
    }


def default_largest_consumer(limit: int) -> int:
    """Return the reserve for a house of which nothing is known, in A; a small fuse still has room for one car."""
    return max(0, min(DEFAULT_LARGEST_CONSUMER, limit, int(1.4 * limit - LOWEST_CURRENT)))


def protection_errors(
    user_input: Mapping[str, Any], *, limit: int, margin: float = 0, sees_phases: bool = True
) -> dict[str, str]:
    """Return what is wrong with the protection of a circuit, by field.

    Args:
        user_input: what was typed.
        limit: the circuit's limit in A.
        margin: its safety margin in %, where that is no field of this form.
        sees_phases: whether the meter knows the current of every phase.
    """
    errors: dict[str, str] = {}
    dynamic = user_input.get(CONF_DYNAMIC, True)
    if dynamic and not sees_phases:
        errors[CONF_DYNAMIC] = "no_phase_currents"
    margin = user_input.get(CONF_SAFETY_MARGIN, margin)
    largest = user_input.get(CONF_LARGEST_CONSUMER, 0)
    if not whole(margin, 0, MAX_MARGIN):
        errors[CONF_SAFETY_MARGIN] = "margin_out_of_range"
    if not whole(user_input.get(CONF_IMBALANCE, 0), 0, MAX_FUSE):
        errors[CONF_IMBALANCE] = "imbalance_out_of_range"
    if not whole(largest, 0, limit):
        errors[CONF_LARGEST_CONSUMER] = "largest_out_of_range"
    if not whole(user_input.get(CONF_FALLBACK, 0), 0, limit):
        errors[CONF_FALLBACK] = "fallback_out_of_range"
    if not errors:
        reserve = float(largest) if dynamic else 0.0
        circuit = CircuitConfig(limit_a=float(limit), largest_consumer_a=reserve, safety_margin=margin / 100)
        if fuse_target(circuit) < LOWEST_CURRENT:
            errors[CONF_LARGEST_CONSUMER if reserve else CONF_SAFETY_MARGIN] = "no_room_left"
    return errors


def protection_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protection of a circuit as it is stored."""
    return {key: value if isinstance(value, bool) else int(value) for key, value in user_input.items()}
