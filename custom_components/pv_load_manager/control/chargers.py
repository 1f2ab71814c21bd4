"""What the reading of one charger says about it and its car: who it is, what it wants, whether it follows."""

from dataclasses import replace
from math import ceil
from operator import attrgetter
from typing import Any

from .electrics import DRAWING_A, measured_draw, phase_count
from .law import NO_REGRET
from .model import HIGHEST_CURRENT, CarState, ChargerConfig, ChargerMode, ChargerReading, Command, Configuration
from .state import ChargerState

FOLLOWED_A = 0.7  # A; a car that draws no more than this above its allowance is believed to follow it
STEP_A = 0.1  # A; finer than any car follows
NOISE_A = 0.2  # A; a car that draws no more than this beyond its command draws what it was told
HOUR = 3600.0  # s
PLUGGED = frozenset({CarState.WAITING, CarState.CHARGING, CarState.COMPLETE})
UNSURE = frozenset({CarState.ERROR, CarState.UNKNOWN})

UPDATED = (
    "online",
    "plugged",
    "charging_since",
    "idle_since",
    "declined_at",
    "full",
    "served_at",
    "car_phases",
    "less_since",
    "demand_a",
    "unfollowed_since",
    "pending_a",
    "reserved_a",
    "excess_a",
    "fuse_stops",
)
"""What a reading may change, in the order in which ``observe_charger`` works it out."""
_PRESENT = attrgetter(*UPDATED)


def observe_charger(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    reading: ChargerReading | None,
    now: float,
) -> ChargerState:
    """Return the state of one charger with its last reading taken in."""
    if reading is None or not reading.online:
        if state.command is None and state.saved_command is not None:
            return state  # not heard since a restart: what it had been about to do is still known
        if not state.online and state.regrets == NO_REGRET and state.other_phases_since is None:
            return state
        return replace(
            state, online=False, regrets=NO_REGRET, other_phases_since=None, reserved_a=_reserve_of_lost(state)
        )
    # A charger with an error does not say that its car left.
    plugged = state.plugged if reading.car in UNSURE else reading.car in PLUGGED
    charging = reading.car is CarState.CHARGING
    if plugged != state.plugged or state.reserved_a is None:
        state = _changed_car(state, plugged=plugged, now=now)
    if state.command is None or not state.online:
        state = _adopt(config, charger, state, reading, now)
    command = state.command
    allowed = command is not None and command.charge and not reading.holding and plugged
    idle_since = (state.idle_since or now) if allowed and not charging else None
    waited = idle_since is not None and now - idle_since >= config.timings.car_idle
    charging_since = (state.charging_since or now) if charging else None
    measured = measured_draw(reading)
    started = charging_since is not None and now - charging_since >= config.timings.start_phase
    less = started and command is not None and measured < command.current_a - _near(config)
    less_since = (state.less_since or now) if less else None
    unfollowed_since = None if command is None or followed(state, reading, measured) else state.unfollowed_since or now
    stops = state.fuse_stops
    if stops and now - stops[0] >= HOUR:
        stops = tuple(at for at in stops if now - at < HOUR)
    values: tuple[Any, ...] = (
        True,
        plugged,
        charging_since,
        idle_since,
        now if waited else None if charging else state.declined_at,
        not charging and (state.full or (waited and reading.car is CarState.COMPLETE)),
        now if state.served_at is None and allowed else state.served_at,
        _car_phases(config, state, reading, charging_since, now),
        less_since,
        _demand(config, state, measured, less_since, now) if charging else state.demand_a,
        unfollowed_since,
        _pending(config, state, reading, now),
        possible_draw(state, reading, measured),
        _excess(config, state, measured, unfollowed_since, now),
        stops,
    )
    # Most seconds bring nothing new, and to make a state is what costs most here.
    return state if values == _PRESENT(state) else replace(state, **dict(zip(UPDATED, values, strict=True)))


def _reserve_of_lost(state: ChargerState) -> float | None:
    """Return what a charger that was just lost may draw: what it was told last may have reached it."""
    if state.reserved_a is None or state.command is None:
        return state.reserved_a
    return max(state.reserved_a, float(state.command.current_a), float(state.pending_a or 0))


def _updated(state: ChargerState, **values: Any) -> ChargerState:
    """Return the state with other values, the very same where none of them is new: most seconds bring nothing new."""
    for name, value in values.items():
        if getattr(state, name) != value:
            return replace(state, **values)
    return state


def _changed_car(state: ChargerState, *, plugged: bool, now: float) -> ChargerState:
    """Begin anew with another car; one that was there before anybody looked is not a new one."""
    unknown = state.reserved_a is None
    return replace(
        state,
        full=state.full and plugged,
        car_phases=state.car_phases if plugged else None,
        charging_since=None,
        idle_since=None,
        excess_a=0.0,
        override=state.override if plugged or not state.plugged else None,
        plugged_at=now if plugged and not unknown else None,
        served_at=None,
        waiting_since=None,
        declined_at=None,
        less_since=None,
        demand_a=None,
    )


def _near(config: Configuration) -> float:
    """Return how near to its allowance in A a car that wants more is."""
    return min(1.0, config.strategy.demand_margin_a / 2)


def _demand(
    config: Configuration, state: ChargerState, measured_a: float, less_since: float | None, now: float
) -> int | None:
    """Return what the car is believed to be able to use, in A per phase; None = everything.

    What is believed changes by more than an amp at a time, so that noise does not move the others.
    """
    if less_since is None or now - less_since < config.timings.less_delay:
        return None
    margin = config.strategy.demand_margin_a
    known = state.demand_a
    if known is not None and measured_a + margin - 1.0 <= known <= measured_a + margin + 1.5:
        return known
    return ceil(measured_a + margin)


def _adopt(
    config: Configuration, charger: ChargerConfig, state: ChargerState, reading: ChargerReading, now: float
) -> ChargerState:
    """Take over a charger as it is; one that charges goes on, and its delays count from now."""
    charging = reading.car is CarState.CHARGING and not reading.holding
    asked = config.strategy.mode_chosen or charger.mode is not ChargerMode.FOLLOW_SITE or state.override is not None
    managed = state.command is not None or state.saved_command is not None  # before a restart or a lost connection
    if charging and not asked and not managed:
        return replace(state, command=None)  # left alone until the user picks a mode
    # A charger that does not say what it offers is believed to offer the most.
    amps = (reading.setting_a or charger.max_current_a) if charging else 0
    command = Command(charge=charging, current_a=amps, phases=reading.phases)
    changed_at = state.changed_at if command == state.saved_command else now
    return replace(state, command=command, saved_command=None, changed_at=changed_at)


def _pending(config: Configuration, state: ChargerState, reading: ChargerReading, now: float) -> int | None:
    """Return a raised current that the charger has not shown yet: it may be on its way, even when lowered since."""
    raised = state.raised_at
    if state.pending_a is None or raised is None or now - raised >= config.timings.settle:
        return None
    return None if reading.setting_a == state.pending_a and not reading.holding else state.pending_a


def possible_draw(state: ChargerState, reading: ChargerReading, measured_a: float) -> float:
    """Return what the charger could draw per phase in A without another word from us."""
    commanded = state.command.current_a if state.command is not None else 0
    return _steady(state.reserved_a, max(measured_a, commanded, reading.setting_a or HIGHEST_CURRENT))


def _excess(
    config: Configuration, state: ChargerState, measured_a: float, unfollowed_since: float | None, now: float
) -> float:
    """Learn what a car draws too much; while it follows a change, what is known of it is kept, within reason."""
    command = state.command
    follows = unfollowed_since is not None and now - unfollowed_since < config.timings.settle
    if command is None or not command.charge or follows or not settled(config, state, now):
        return min(state.excess_a, DRAWING_A)
    excess = measured_a - command.current_a
    return _steady(state.excess_a, excess) if excess > NOISE_A else 0.0


def _steady(known_a: float | None, current_a: float) -> float:
    """Return a measured current rounded up, so that its noise is nothing new every second."""
    rounded = ceil(current_a / STEP_A) * STEP_A
    return known_a if known_a is not None and rounded <= known_a <= rounded + 2 * STEP_A else rounded


def _car_phases(
    config: Configuration,
    state: ChargerState,
    reading: ChargerReading,
    charging_since: float | None,
    now: float,
) -> int | None:
    """Learn how many phases the car uses, once it had time to use them."""
    seen = phase_count(reading)
    if (
        charging_since is None
        or seen == 0
        or reading.switching
        or reading.phases != 3
        or now - charging_since < config.timings.phase_pause
        or (state.phases_switched_at is not None and now - state.phases_switched_at < config.timings.phase_pause)
    ):
        return state.car_phases
    return seen


def followed(state: ChargerState, reading: ChargerReading, drawn_a: float) -> bool:
    """Return whether the charger and its car are seen to do what the command says."""
    command = state.command
    if command is None:
        return False
    if not command.charge:
        return reading.holding and drawn_a <= DRAWING_A
    setting = reading.setting_a if reading.setting_a is not None else command.current_a
    return (
        not reading.switching
        and setting <= command.current_a
        and drawn_a <= command.current_a + FOLLOWED_A
        and (reading.phases is None or command.phases is None or reading.phases == command.phases)
    )


def stubborn(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether the charger had the time to follow, and does not; another order does not begin that time anew."""
    since = state.unfollowed_since
    return since is not None and now - since >= config.timings.settle and not is_switching(config, state, now)


def settled(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether the charger had the time to follow its command."""
    if is_switching(config, state, now):
        return False
    return state.changed_at is None or now - state.changed_at >= config.timings.settle


def is_switching(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether a change of phases may still be under way."""
    switched = state.phases_switched_at
    return switched is not None and now - switched < config.timings.phase_pause
