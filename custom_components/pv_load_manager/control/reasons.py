"""Why a charger gets what it gets: an enum, the numbers behind it, and when it can change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a charger is in the state it is in. The values are part of the stable interface."""

    STARTING_UP = "starting_up"
    UNREACHABLE = "unreachable"
    CHARGER_ERROR = "charger_error"
    UNTOUCHED = "untouched"
    SITE_OFF = "site_off"
    CHARGER_OFF = "charger_off"
    NO_CAR = "no_car"
    CAR_FULL = "car_full"
    CAR_NOT_DRAWING = "car_not_drawing"
    NO_POWER_METER = "no_power_meter"
    SURPLUS_UNKNOWN = "surplus_unknown"
    WAITING_FOR_SURPLUS = "waiting_for_surplus"
    START_DELAY = "start_delay"
    STOP_DELAY = "stop_delay"
    CHARGING_SURPLUS = "charging_surplus"
    CHARGING_GUARANTEED = "charging_guaranteed"
    CHARGING_FAST = "charging_fast"
    LIMITED_BY_FUSE = "limited_by_fuse"
    LIMITED_BY_AVAILABLE_CURRENT = "limited_by_available_current"
    WAITING_FOR_FUSE = "waiting_for_fuse"
    WAITING_FOR_AVAILABLE_CURRENT = "waiting_for_available_current"
    WAITING_FOR_OTHERS = "waiting_for_others"
    METER_STALE = "meter_stale"
    METER_LOST = "meter_lost"
    PHASE_SWITCH = "phase_switch"
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """A reason with its arithmetic."""

    reason: Reason
    numbers: Mapping[str, float] = field(default_factory=dict)
    """The figures the text needs; the names end in their unit (_w, _a, _s)."""
    next_change_at: float | None = None
    """Monotonic seconds of the earliest moment at which this can change by itself; None = not by time."""
