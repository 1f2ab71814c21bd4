"""The control core: pure functions from what is known about the house to what every charger shall do.

No clock, no I/O, nothing of Home Assistant: time is an argument, and so is everything else.
"""

from .circuits import fuse_target
from .engine import ChargerPlan, Plan, decide, safe_currents, stop_plan
from .flags import ConfigError, asks_too_much, config_errors, useless_circuits
from .model import (
    HIGHEST_CURRENT,
    LOWEST_CURRENT,
    ROOT_CIRCUIT,
    BatteryPriority,
    BatteryReading,
    CarState,
    ChargerConfig,
    ChargerMode,
    ChargerReading,
    CircuitConfig,
    CloudFilter,
    Command,
    Configuration,
    GridReading,
    Mode,
    PhasePolicy,
    PvReading,
    Rounding,
    Snapshot,
    Strategy,
    Timings,
)
from .protection import Stage
from .reasons import Explanation, Reason, SiteStatus
from .state import ControlState
from .texts import render

__all__ = [
    "HIGHEST_CURRENT",
    "LOWEST_CURRENT",
    "ROOT_CIRCUIT",
    "BatteryPriority",
    "BatteryReading",
    "CarState",
    "ChargerConfig",
    "ChargerMode",
    "ChargerPlan",
    "ChargerReading",
    "CircuitConfig",
    "CloudFilter",
    "Command",
    "ConfigError",
    "Configuration",
    "ControlState",
    "Explanation",
    "GridReading",
    "Mode",
    "PhasePolicy",
    "Plan",
    "PvReading",
    "Reason",
    "Rounding",
    "SiteStatus",
    "Snapshot",
    "Stage",
    "Strategy",
    "Timings",
    "asks_too_much",
    "config_errors",
    "decide",
    "fuse_target",
    "render",
    "safe_currents",
    "stop_plan",
    "useless_circuits",
]
