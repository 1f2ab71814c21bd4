"""The control core: pure functions from what is known about the house to what every charger shall do.

No clock, no I/O, nothing of Home Assistant: time is an argument, and so is everything else.
"""

from .caps import Cap, CapKind
from .circuits import fuse_target
from .claims import effective_mode
from .engine import decide, safe_currents, stop_plan
from .external import ExternalCause, ExternalPhases
from .flags import (
    ConfigError,
    asks_too_much,
    cannot_switch,
    config_errors,
    overloadable_circuits,
    useless_circuits,
)
from .model import (
    HIGHEST_CURRENT,
    LOWEST_CURRENT,
    ROOT_CIRCUIT,
    SURPLUS_MODES,
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
    Override,
    OverrideSource,
    PhasePolicy,
    PvReading,
    Rounding,
    Snapshot,
    Strategy,
    Timings,
)
from .overrides import begin as begin_override, end as end_override, end_all as end_overrides
from .plan import ChargerPlan, CircuitPlan, Plan
from .protection import Stage
from .reasons import Explanation, Reason, SiteStatus
from .redistribute import redistribute
from .rotation import known as know_line
from .state import ControlState
from .texts import render

__all__ = [
    "HIGHEST_CURRENT",
    "LOWEST_CURRENT",
    "ROOT_CIRCUIT",
    "SURPLUS_MODES",
    "BatteryPriority",
    "BatteryReading",
    "Cap",
    "CapKind",
    "CarState",
    "ChargerConfig",
    "ChargerMode",
    "ChargerPlan",
    "ChargerReading",
    "CircuitConfig",
    "CircuitPlan",
    "CloudFilter",
    "Command",
    "ConfigError",
    "Configuration",
    "ControlState",
    "Explanation",
    "ExternalCause",
    "ExternalPhases",
    "GridReading",
    "Mode",
    "Override",
    "OverrideSource",
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
    "begin_override",
    "cannot_switch",
    "config_errors",
    "decide",
    "effective_mode",
    "end_override",
    "end_overrides",
    "fuse_target",
    "know_line",
    "overloadable_circuits",
    "redistribute",
    "render",
    "safe_currents",
    "stop_plan",
    "useless_circuits",
]
