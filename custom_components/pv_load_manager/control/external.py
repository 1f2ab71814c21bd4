"""What is told from outside while the house runs: the available current with its watchdog, and the number of phases."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from .chargers import is_switching
from .model import ChargerConfig, Configuration, PhasePolicy, Snapshot, Strategy
from .state import ChargerState, ControlState

FIXED = frozenset({PhasePolicy.ONE, PhasePolicy.THREE})
REQUESTS: Mapping[int | None, PhasePolicy] = {1: PhasePolicy.ONE, 3: PhasePolicy.THREE}


class Available(NamedTuple):
    """What all chargers together may draw, as far as it is told from outside."""

    current_a: float
    """Per phase."""
    expired: bool
    """Whether nobody has set it for too long, so that it is the default."""
    silent_s: float
    """Since when nobody has set it."""


def available(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> Available:
    """Return the available current, the default where the watchdog has run out.

    Until the first value the watchdog counts from the start, so that a restart is no silence.
    """
    strategy = config.strategy
    set_at = snapshot.available_set_at
    silent = now - (state.started_at if set_at is None else set_at)
    if not strategy.external_current:
        return Available(strategy.maximum_total_current_a, False, silent)
    expired = strategy.watchdog and silent > config.timings.watchdog
    amps = strategy.default_available_current_a if expired else strategy.available_current_a
    return Available(min(amps, strategy.maximum_total_current_a), expired, silent)


class ExternalPhases(IntEnum):
    """Whether a number of phases may be requested; the values are those of WARP's ``power_manager/state``."""

    READY = 0
    DISABLED = 1
    UNAVAILABLE = 2
    SWITCHING = 3


class ExternalCause(IntEnum):
    """Why no number of phases can be requested."""

    NONE = 0
    NO_CHARGER = 1
    UNREACHABLE = 2
    """A charger does not answer."""
    FIXED = 3
    """A charger cannot change its number of phases, by its wiring or by its options."""


def requested_policy(strategy: Strategy, charger: ChargerConfig) -> PhasePolicy:
    """Return which number of phases a charger may use, the request from outside in it."""
    wanted = REQUESTS.get(strategy.phases_wanted) if strategy.external_phases else None
    return charger.phase_policy if wanted is None or charger.phase_policy in FIXED else wanted


def can_switch(config: Configuration, charger: ChargerConfig) -> bool:
    """Return whether the installation lets a charger change its number of phases."""
    return min(config.phases, charger.wired_phases) > 1 and charger.phase_policy not in FIXED


def phase_control(
    config: Configuration, states: Mapping[str, ChargerState], snapshot: Snapshot, now: float
) -> tuple[ExternalPhases, ExternalCause]:
    """Return whether a number of phases may be requested now, and if not, why."""
    if not config.strategy.external_phases:
        return ExternalPhases.DISABLED, ExternalCause.NONE
    if not config.chargers:
        return ExternalPhases.UNAVAILABLE, ExternalCause.NO_CHARGER
    if not all(can_switch(config, charger) for charger in config.chargers):
        return ExternalPhases.UNAVAILABLE, ExternalCause.FIXED
    readings = [snapshot.chargers.get(charger.charger_id) for charger in config.chargers]
    if any(reading is None or not reading.online for reading in readings):
        return ExternalPhases.UNAVAILABLE, ExternalCause.UNREACHABLE
    switching = any(reading is not None and reading.switching for reading in readings)
    if switching or any(is_switching(config, state, now) for state in states.values()):
        return ExternalPhases.SWITCHING, ExternalCause.NONE
    return ExternalPhases.READY, ExternalCause.NONE
