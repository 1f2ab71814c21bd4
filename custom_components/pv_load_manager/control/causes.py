"""What makes chargers get something else than before, in one word."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from .reasons import Reason


class Cause(StrEnum):
    """What made a distribution change, the weakest first. The values are part of the stable interface.

    Where several things happen in one step the strongest is named: who knows that a meter was lost needs no word about
    the sun.
    """

    MAXIMUM = "maximum"
    """What charger, cable and car can use."""
    SUN = "sun"
    TURN = "turn"
    AVAILABLE_CURRENT = "available_current"
    IMBALANCE = "imbalance"
    CIRCUIT = "circuit"
    FUSE = "fuse"
    DEMAND_LIMIT = "demand_limit"
    """A circuit was limited on demand."""
    PEAK = "peak"
    CAR = "car"
    """A car came, left or is full."""
    MODE = "mode"
    OVERRIDE = "override"
    EXTERNAL_PHASES = "external_phases"
    WATCHDOG = "watchdog"
    DIMMING = "dimming"
    METER = "meter"
    """A meter is silent, or speaks again."""
    CHARGER = "charger"
    """A charger is lost or found, or has an error."""
    START = "start"
    """The load manager started, and takes the chargers over as they are."""
    END = "end"
    """A charger is not managed any more."""
    FAULT = "fault"

    @property
    def rank(self) -> int:
        """Return its strength, 0 = the weakest."""
        return _RANKS[self]


_RANKS: Mapping[Cause, int] = {cause: rank for rank, cause in enumerate(Cause)}

PASSING = frozenset({Reason.CAR_NOT_DRAWING, Reason.PHASE_SWITCH, Reason.WAITING_FOR_OTHERS})
"""Reasons of chargers on their way to something: what sent them there is the cause."""

CAUSES: Mapping[Reason, Cause] = MappingProxyType(
    {
        Reason.STARTING_UP: Cause.START,
        Reason.UNREACHABLE: Cause.CHARGER,
        Reason.CHARGER_ERROR: Cause.CHARGER,
        Reason.UNTOUCHED: Cause.MODE,
        Reason.SITE_OFF: Cause.MODE,
        Reason.CHARGER_OFF: Cause.MODE,
        Reason.NO_CAR: Cause.CAR,
        Reason.WAITING_FOR_AUTHORISATION: Cause.CHARGER,
        Reason.CHARGER_LIMIT: Cause.CHARGER,
        Reason.CAR_FULL: Cause.CAR,
        Reason.NO_POWER_METER: Cause.FAULT,
        Reason.SURPLUS_UNKNOWN: Cause.METER,
        Reason.WAITING_FOR_SURPLUS: Cause.SUN,
        Reason.START_DELAY: Cause.SUN,
        Reason.STOP_DELAY: Cause.SUN,
        Reason.BATTERY_FIRST: Cause.SUN,
        Reason.BATTERY_SUPPORT: Cause.SUN,
        Reason.CHARGING_SURPLUS: Cause.SUN,
        Reason.MORE_PHASES_DELAY: Cause.SUN,
        Reason.FEWER_PHASES_DELAY: Cause.SUN,
        Reason.PHASE_DWELL: Cause.SUN,
        Reason.PHASE_BUDGET: Cause.SUN,
        Reason.FEELING_UPWARDS: Cause.SUN,
        Reason.CHARGING_GUARANTEED: Cause.SUN,
        Reason.CHARGING_FAST: Cause.MAXIMUM,
        Reason.LIMITED_BY_FUSE: Cause.FUSE,
        Reason.WAITING_FOR_FUSE: Cause.FUSE,
        Reason.FUSE_PAUSE: Cause.FUSE,
        Reason.LIMITED_BY_AVAILABLE_CURRENT: Cause.AVAILABLE_CURRENT,
        Reason.WAITING_FOR_AVAILABLE_CURRENT: Cause.AVAILABLE_CURRENT,
        Reason.LIMITED_BY_CIRCUIT: Cause.CIRCUIT,
        Reason.WAITING_FOR_CIRCUIT: Cause.CIRCUIT,
        Reason.LIMITED_BY_IMBALANCE: Cause.IMBALANCE,
        Reason.WAITING_FOR_IMBALANCE: Cause.IMBALANCE,
        Reason.WAITING_FOR_TURN: Cause.TURN,
        Reason.WAITING_FOR_TURN_PV: Cause.TURN,
        Reason.METER_STALE: Cause.METER,
        Reason.METER_LOST: Cause.METER,
        Reason.OVERRIDE: Cause.OVERRIDE,
        Reason.OVERRIDE_OFF: Cause.OVERRIDE,
        Reason.APP_OVERRIDE: Cause.OVERRIDE,
        Reason.APP_OFF: Cause.OVERRIDE,
        Reason.APP_FAST: Cause.OVERRIDE,
        Reason.EXTERNAL_NO_PHASES: Cause.EXTERNAL_PHASES,
        Reason.LIMITED_BY_WATCHDOG: Cause.WATCHDOG,
        Reason.WAITING_FOR_WATCHDOG: Cause.WATCHDOG,
        Reason.LIMITED_BY_PEAK: Cause.PEAK,
        Reason.WAITING_FOR_PEAK: Cause.PEAK,
        Reason.LIMITED_BY_DIMMING: Cause.DIMMING,
        Reason.WAITING_FOR_DIMMING: Cause.DIMMING,
        Reason.LIMITED_ON_DEMAND: Cause.DEMAND_LIMIT,
        Reason.WAITING_ON_DEMAND: Cause.DEMAND_LIMIT,
        Reason.CONFIGURATION_ERROR: Cause.FAULT,
        Reason.INTERNAL_ERROR: Cause.FAULT,
    }
)
"""What stands behind a reason."""

LIMITS = frozenset(
    {
        Cause.AVAILABLE_CURRENT,
        Cause.IMBALANCE,
        Cause.CIRCUIT,
        Cause.FUSE,
        Cause.DEMAND_LIMIT,
        Cause.PEAK,
        Cause.WATCHDOG,
        Cause.DIMMING,
        Cause.METER,
    }
)
"""What holds a charger below what it would get."""


def stronger(one: Cause, other: Cause) -> Cause:
    """Return the stronger of two causes."""
    return one if _RANKS[one] >= _RANKS[other] else other


def cause_of(reason: Reason, last: Cause | None) -> Cause:
    """Return what stands behind a reason; for a charger on its way to something, what stood behind the last one."""
    return (last or Cause.START) if reason in PASSING else CAUSES[reason]
