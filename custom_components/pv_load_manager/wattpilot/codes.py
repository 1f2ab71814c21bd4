"""What the codes of a charger mean."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class CarState(StrEnum):
    """What the car does (``car``; go-e API keys, firmware 60 added the last one)."""

    UNKNOWN = "unknown"
    NO_CAR = "no_car"
    CHARGING = "charging"
    WAITING = "waiting"
    COMPLETE = "complete"
    ERROR = "error"
    INITIALISING = "initialising"


CAR_STATES: Mapping[int, CarState] = MappingProxyType(
    {
        0: CarState.UNKNOWN,
        1: CarState.NO_CAR,
        2: CarState.CHARGING,
        3: CarState.WAITING,
        4: CarState.COMPLETE,
        5: CarState.ERROR,
        6: CarState.INITIALISING,
    }
)

MODEL_STATUS_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "no_charge_control_data",
        1: "overtemperature",
        2: "access_control",
        3: "force_on",
        4: "force_off",
        5: "scheduler",
        6: "energy_limit",
        7: "price_low",
        8: "auto_stop_test",
        9: "auto_stop_not_enough_time",
        10: "auto_stop",
        11: "auto_stop_no_clock",
        12: "pv_surplus",
        13: "fallback_go_e_default",
        14: "fallback_go_e_scheduler",
        15: "fallback_default",
        16: "fallback_go_e_price",
        17: "fallback_price",
        18: "fallback_auto_stop",
        19: "keep_alive",
        20: "pause_not_allowed",
        22: "simulate_unplug",
        23: "phase_switch",
        24: "min_pause_duration",
        26: "error",
        27: "load_management",
        28: "ocpp",
        29: "reconnect_delay",
        30: "adapter_blocking",
        31: "underfrequency",
        32: "unbalanced_load",
        33: "discharging_pv_battery",
        34: "grid_monitoring",
        35: "ocpp_fallback",
        36: "floor_detected",
        37: "ocpp_inoperable",
        38: "undervoltage",
        39: "zero_setpoint",
        40: "initialising",
        41: "failsafe_limit",
    }
)
"""Why the charger charges or not (``modelStatus``; go-e API keys of firmware 60.4)."""

ERROR_NAMES: Mapping[int, str] = MappingProxyType(
    {
        0: "none",
        1: "residual_current_ac",
        2: "residual_current_dc",
        3: "phase",
        4: "overvoltage",
        5: "overcurrent",
        6: "diode",
        7: "pp_invalid",
        8: "ground_invalid",
        9: "contactor_stuck",
        10: "contactor_missing",
    }
)
"""What is wrong with the charger (``err``): only the codes on which both tables of the go-e API keys (the undated one
and that of firmware 60.4) agree; from 11 on the same code means different things."""

CABLE_LOCK_NAMES: Mapping[int, str] = MappingProxyType(
    {0: "undetermined", 1: "unlocked", 2: "unlock_failed", 3: "locked", 4: "lock_failed", 5: "power_out"}
)
"""State of the lock of the cable (``cus``; go-e API keys). The Flex has none."""

ACCESS_NAMES: Mapping[int, str] = MappingProxyType({0: "open", 1: "authorisation", 2: "ev_charge_management"})
"""Who may charge (``acs``; go-e API keys of firmware 60.4)."""


def name_of(code: int | None, names: Mapping[int, str], unknown: str = "unknown") -> str | None:
    """Return the name of a code, ``<unknown>_<code>`` where nobody documented it, ``None`` where there is no code."""
    return None if code is None else names.get(code, f"{unknown}_{code}")
