"""What is inside the load manager as documents for people: pure, and safe to be made in another thread.

``state`` and ``low_level_state`` have the names of WARP's ``power_manager`` API, so that whoever knows them finds their
way. WARP moves all chargers together; here every charger has its own phases and delays, so those figures speak of any
charger, and what has no counterpart is None (the reasons are in :data:`WITHOUT_MEANING`).
"""

from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from math import isfinite
from typing import Any, Final

from ..control import CarState, Configuration, ControlState, Plan, Reason, Snapshot
from ..control.chargers import is_switching
from ..control.model import NOMINAL_VOLTAGE
from ..control.phases import Options
from ..control.sequence import hearing

_NO_THRESHOLD: Final = "What a wrong number of phases has cost is weighed against the price of a switch instead."
WITHOUT_MEANING: Final[Mapping[str, str]] = {
    "threshold_3to1": _NO_THRESHOLD,
    "threshold_1to3": _NO_THRESHOLD,
    "wants_3phase_last": "Nothing is decided by what was wanted one step before.",
}
"""Figures of WARP's ``low_level_state`` that are always None here, and why."""

DELAYED: Final = frozenset({Reason.START_DELAY, Reason.STOP_DELAY})
BLOCKED: Final = frozenset(
    {
        Reason.METER_LOST,
        Reason.EXTERNAL_NO_PHASES,
        Reason.WAITING_FOR_WATCHDOG,
        Reason.CONFIGURATION_ERROR,
        Reason.INTERNAL_ERROR,
    }
)
"""Reasons for which nobody charges although there may be cars and power."""


def plain(value: Any) -> Any:
    """Return a value as what any JSON writer takes; figures that are not finite become None."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and (names := getattr(value, "_fields", None)) is not None:
        return {name: plain(item) for name, item in zip(names, value, strict=True)}
    if isinstance(value, Sequence | AbstractSet):
        return [plain(item) for item in value]
    return str(value)


def power_manager_state(plan: Plan) -> dict[str, Any]:
    """Return the document ``state``."""
    return {"config_error_flags": int(plan.errors), "external_control": int(plan.external)}


def low_level_state(
    plan: Plan, config: Configuration, state: ControlState, snapshot: Snapshot, now: float
) -> dict[str, Any]:
    """Return the document ``low_level_state``: W, mA and ms as there, import +.

    Args:
        plan: the last plan.
        config: what it was made with.
        state: what the core remembers since then.
        snapshot: what the devices last said.
        now: monotonic seconds.
    """
    window, target = config.timings.surplus_window, config.strategy.target_grid_power_w
    grid = [sample.value for sample in state.grid if state.grid[-1].at - sample.at <= window]
    meter_w = snapshot.grid.power_w if snapshot.grid is not None else None
    commands = {key: charger.command for key, charger in plan.chargers.items()}
    promised = {key for key, charger in state.chargers.items() if charger.promised_at is not None}
    on = {key for key, command in commands.items() if command is not None and command.charge}
    three = {key for key, command in commands.items() if command is not None and command.phases == 3}
    reasons = {charger.explanation.reason for charger in plan.chargers.values()}
    delays = [
        max(0.0, (charger.explanation.next_change_at or now) - now)
        for charger in plan.chargers.values()
        if charger.explanation.reason in DELAYED
    ]
    dwells = [
        remaining
        for key in on
        if (charger := state.chargers.get(key)) is not None
        and charger.phases_switched_at is not None
        and (remaining := config.timings.phase_dwell - (now - charger.phases_switched_at)) > 0.0
    ]
    charging = [reading for reading in snapshot.chargers.values() if reading.car is CarState.CHARGING]
    switching = any(is_switching(config, charger, now) for charger in state.chargers.values())
    return {
        "power_at_meter": meter_w,
        "power_at_meter_filtered": round(sum(grid) / len(grid)) if grid else None,
        "power_available": round(state.surplus[-1].value + target) if state.surplus else None,
        "power_available_filtered": None if plan.surplus_w is None else round(plan.surplus_w),
        "overall_min_power": _least_power(config, state),
        "threshold_3to1": None,
        "threshold_1to3": None,
        "charge_manager_available_current": round(plan.available_a * 1000),
        "charge_manager_allocated_current": 1000 * sum(charger.allocated_a for charger in plan.chargers.values()),
        "max_current_limited": _limited(plan),
        "uptime_past_hysteresis": not hearing(config, state, snapshot, now),
        "is_3phase": any(reading.phases == 3 for reading in charging),
        "wants_3phase": bool(three & (on | promised)),
        "wants_3phase_last": None,
        "is_on_last": bool(on),
        "wants_on_last": bool(on | promised),
        "phase_state_change_blocked": bool(dwells),
        "phase_state_change_delay": round(1000 * max(dwells, default=0.0)),
        "on_state_change_blocked": bool(delays),
        "on_state_change_delay": round(1000 * max(delays, default=0.0)),
        "charging_blocked": int(bool(reasons & BLOCKED) and not on),
        "switching_state": int(switching or any(reading.switching for reading in snapshot.chargers.values())),
    }


def _least_power(config: Configuration, state: ControlState) -> int | None:
    """Return the least power in W with which any charger can charge from surplus, at the nominal voltage."""
    options = [
        Options.of(config, charger, state.chargers[charger.charger_id], solar=True)
        for charger in config.chargers
        if charger.charger_id in state.chargers
    ]
    return min((round(item.least_power(NOMINAL_VOLTAGE)) for item in options if not item.impossible), default=None)


def _limited(plan: Plan) -> int | None:
    """Return what the house connection leaves for all chargers on its fullest phase, in mA."""
    root = next(iter(plan.circuits.values()), None)
    if root is None:
        return None
    house = max((0.0, *root.house_a)) if root.house_a is not None else 0.0
    return round(1000 * max(0.0, min(plan.available_a, root.limit_a - house)))
