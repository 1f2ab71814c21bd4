"""The user's live settings of site and chargers: from how they are saved to how the control core takes them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any, Final

from ..const import DEFAULT_PRIORITY, PRIORITIES
from ..control import BatteryPriority, ChargerMode, CloudFilter, Mode, PhasePolicy, Rounding, Strategy, Timings

DEFAULT_CHARGER_CURRENT: Final = 16
LAST_MODE: Final = "last"
"""After a restart the site charges as before."""

_STRATEGY: Final[Mapping[str, Callable[[Any], object]]] = {
    "minimum_current_a": int,
    "demand_margin_a": float,
    "guaranteed_power_w": float,
    "target_grid_power_w": float,
    "excess_charging": bool,
    "cloud_filter": CloudFilter,
    "rounding": Rounding,
    "grid_weight": float,
    "start_threshold_w": float,
    "solar_only": bool,
    "grid_backup_w": float,
    "phase_switches_per_day": int,
    "weigh_efficiency": bool,
    "battery_priority": BatteryPriority,
    "battery_target_soc": float,
    "battery_dead_zone_w": float,
    "battery_start_soc": float,
    "battery_hold_soc": float,
    "external_current": bool,
    "watchdog": bool,
    "external_phases": bool,
    "phases_wanted": int,
    "peak_limit_w": float,
    "peak_follow_month": bool,
}
"""What is saved under the name of its field, and its type."""

_TIMINGS: Final = {
    "start_phase_s": "start_phase",
    "rotation_slot_s": "rotation_slot",
    "phase_dwell_s": "phase_dwell",
    "meter_lag_s": "meter_lag",
    "protection_stale_s": "protection_stale",
    "protection_fallback_s": "protection_fallback",
    "protection_dead_s": "protection_dead",
    "surplus_stale_s": "surplus_stale",
    "surplus_dead_s": "surplus_dead",
}
"""Field by the name under which it is saved."""


def _read(kind: Callable[[Any], object], value: object) -> Any:
    """Return a saved value, None where it cannot be read: then the default holds, and its entity can mend it."""
    try:
        known = kind(value) if value is not None else None
    except TypeError, ValueError, OverflowError:
        return None
    return None if isinstance(known, float) and not isfinite(known) else known


def read_strategy(
    settings: Mapping[str, Any], *, maximum_total_current: float, available_current: float | None, default_mode: Mode
) -> Strategy:
    """Return what the user set; what was never set is as the core has it.

    Args:
        settings: as saved, by name.
        maximum_total_current: the most that all chargers may draw per phase in A.
        available_current: what was set as available since the start, in A per phase; None = nothing yet.
        default_mode: the mode until one is chosen that can be read.
    """
    chosen = {name: value for name, kind in _STRATEGY.items() if (value := _read(kind, settings.get(name))) is not None}
    default = _read(float, settings.get("default_available_current_a"))
    default = maximum_total_current if default is None else min(default, maximum_total_current)
    available = default if available_current is None else min(available_current, maximum_total_current)
    mode: Mode | None = _read(Mode, settings.get("mode"))
    return Strategy(
        mode=default_mode if mode is None else mode,
        mode_chosen=mode is not None,
        maximum_total_current_a=maximum_total_current,
        available_current_a=available,
        default_available_current_a=default,
        **chosen,
    )


def read_circuit_limits(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return what somebody allows for now per phase in A, by circuit id."""
    saved = settings.get("circuit_limits")
    if not isinstance(saved, Mapping):
        return {}
    limits = {str(key): _read(float, value) for key, value in saved.items()}
    return {key: limit for key, limit in limits.items() if limit is not None and limit >= 0.0}


def read_timings(settings: Mapping[str, Any], timings: Timings) -> Timings:
    """Return time constants with those that the user set among them."""
    chosen = {
        field: value for name, field in _TIMINGS.items() if (value := _read(float, settings.get(name))) is not None
    }
    return replace(timings, **chosen)


def read_default_mode(settings: Mapping[str, Any]) -> str:
    """Return the mode of the site after a restart, or ``LAST_MODE``."""
    mode: Mode | None = _read(Mode, settings.get("default_mode"))
    return LAST_MODE if mode is None else mode.value


def read_charger_mode(settings: Mapping[str, Any]) -> ChargerMode:
    """Return the mode of a charger."""
    mode: ChargerMode | None = _read(ChargerMode, settings.get("mode"))
    return ChargerMode.FOLLOW_SITE if mode is None else mode


def read_max_current(settings: Mapping[str, Any]) -> int:
    """Return the most that a charger may draw per phase in A."""
    current: int | None = _read(int, settings.get("max_current_a"))
    return DEFAULT_CHARGER_CURRENT if current is None else current


def read_phase_policy(settings: Mapping[str, Any]) -> PhasePolicy:
    """Return which number of phases a charger may use."""
    policy: PhasePolicy | None = _read(PhasePolicy, settings.get("phase_policy"))
    return PhasePolicy.AUTO if policy is None else policy


def read_priority(settings: Mapping[str, Any]) -> str:
    """Return the priority of a charger, one of ``PRIORITIES``."""
    priority = settings.get("priority")
    return priority if isinstance(priority, str) and priority in PRIORITIES else DEFAULT_PRIORITY
