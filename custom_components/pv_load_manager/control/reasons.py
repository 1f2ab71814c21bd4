"""Why a charger gets what it gets: an enum, the numbers behind it, and when it can change."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

NO_NUMBERS: Mapping[str, float] = MappingProxyType({})


class Reason(StrEnum):
    """Why a charger is in the state it is in. The values are part of the stable interface."""

    STARTING_UP = "starting_up"
    UNREACHABLE = "unreachable"
    CHARGER_ERROR = "charger_error"
    UNTOUCHED = "untouched"
    SITE_OFF = "site_off"
    CHARGER_OFF = "charger_off"
    NO_CAR = "no_car"
    WAITING_FOR_AUTHORISATION = "waiting_for_authorisation"
    CHARGER_LIMIT = "charger_limit"
    CAR_FULL = "car_full"
    CAR_NOT_DRAWING = "car_not_drawing"
    NO_POWER_METER = "no_power_meter"
    SURPLUS_UNKNOWN = "surplus_unknown"
    WAITING_FOR_SURPLUS = "waiting_for_surplus"
    START_DELAY = "start_delay"
    STOP_DELAY = "stop_delay"
    BATTERY_FIRST = "battery_first"
    BATTERY_SUPPORT = "battery_support"
    CHARGING_SURPLUS = "charging_surplus"
    MORE_PHASES_DELAY = "more_phases_delay"
    FEWER_PHASES_DELAY = "fewer_phases_delay"
    PHASE_DWELL = "phase_dwell"
    PHASE_BUDGET = "phase_budget"
    FEELING_UPWARDS = "feeling_upwards"
    CHARGING_GUARANTEED = "charging_guaranteed"
    CHARGING_FAST = "charging_fast"
    LIMITED_BY_FUSE = "limited_by_fuse"
    LIMITED_BY_AVAILABLE_CURRENT = "limited_by_available_current"
    WAITING_FOR_FUSE = "waiting_for_fuse"
    WAITING_FOR_AVAILABLE_CURRENT = "waiting_for_available_current"
    WAITING_FOR_OTHERS = "waiting_for_others"
    LIMITED_BY_CIRCUIT = "limited_by_circuit"
    WAITING_FOR_CIRCUIT = "waiting_for_circuit"
    LIMITED_BY_IMBALANCE = "limited_by_imbalance"
    WAITING_FOR_IMBALANCE = "waiting_for_imbalance"
    WAITING_FOR_TURN = "waiting_for_turn"
    WAITING_FOR_TURN_PV = "waiting_for_turn_pv"
    FUSE_PAUSE = "fuse_pause"
    METER_STALE = "meter_stale"
    METER_LOST = "meter_lost"
    PHASE_SWITCH = "phase_switch"
    OVERRIDE = "override"
    OVERRIDE_OFF = "override_off"
    APP_OVERRIDE = "app_override"
    APP_OFF = "app_off"
    APP_FAST = "app_fast"
    EXTERNAL_NO_PHASES = "external_no_phases"
    LIMITED_BY_WATCHDOG = "limited_by_watchdog"
    WAITING_FOR_WATCHDOG = "waiting_for_watchdog"
    LIMITED_BY_PEAK = "limited_by_peak"
    WAITING_FOR_PEAK = "waiting_for_peak"
    LIMITED_BY_DIMMING = "limited_by_dimming"
    WAITING_FOR_DIMMING = "waiting_for_dimming"
    LIMITED_ON_DEMAND = "limited_on_demand"
    WAITING_ON_DEMAND = "waiting_on_demand"
    CONFIGURATION_ERROR = "configuration_error"
    INTERNAL_ERROR = "internal_error"


class SiteStatus(StrEnum):
    """The house in one word."""

    OFF = "off"
    STARTING = "starting"
    IDLE = "idle"
    WAITING = "waiting"
    CHARGING = "charging"
    LIMITED = "limited"
    FAULT = "fault"


class Explanation(NamedTuple):
    """A reason with its arithmetic."""

    reason: Reason
    numbers: Mapping[str, float] = NO_NUMBERS
    """The figures the text needs; the names end in their unit (_w, _a, _s)."""
    circuit_id: str | None = None
    """The circuit that binds, where one does."""
    next_change_at: float | None = None
    """Monotonic seconds of the earliest moment at which this can change by itself; None = not by time."""
