"""From shares to commands: decreases at once, increases when there really is room, phase switches in safe order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from .allocation import SURPLUS_BOUND, Claim, Kind
from .chargers import followed, settled
from .claims import effective_mode
from .electrics import DRAWING_A, grid_phases, higher, measured_draw, on_grid, spread
from .filling import EPSILON
from .law import NO_REGRET
from .load import Load
from .model import HIGHEST_CURRENT, ChargerConfig, ChargerReading, Command, Configuration, Mode, Snapshot, Three
from .protection import Rooms
from .state import ChargerState, ControlState

HOLD = Command(charge=False)
SOLAR = frozenset({Kind.GUARANTEED, Kind.SURPLUS})
COMMAND_WH = (
    1.0  # Wh; what a command costs: the car's charger, the contactor's coil and the log all have a life of theirs
)


class Wish(NamedTuple):
    """What a charger should get when everything has settled."""

    claim: Claim
    target_a: int
    """What it should get; 0 = nothing."""
    bound: int | None
    """What keeps it from more, as ``Allocation.bounds`` says."""


def could_draw(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    reading: ChargerReading | None,
    now: float,
) -> Three:
    """Return what a charger may draw on each grid phase in A until it is heard to have followed its command.

    A silent charger keeps the most it could draw when it was last heard; one never heard counts in full. So does one
    that is not held, also without a car: the next car would start by itself.
    """
    every_line = grid_phases(charger, config.phases, charger.wired_phases)
    if reading is None or not reading.online:
        reserved = state.reserved_a if state.reserved_a is not None else float(HIGHEST_CURRENT)
        return spread(reserved, every_line)
    measured = on_grid(charger, config.phases, reading.currents_a, state.first_line)
    command = state.command
    if command is not None and followed(state, reading, measured_draw(reading)):
        amps = max(command.current_a, state.pending_a or 0)
        return higher(spread(amps, _lines(config, charger, state, command.phases, now)), measured)
    offered = 0 if reading.holding else reading.setting_a or HIGHEST_CURRENT
    if command is None:
        return spread(max(float(offered), *measured), every_line)
    known = reading.phases is not None and command.phases is not None and not reading.switching
    widest = max(reading.phases or 0, command.phases or 0) if known else None
    lines = _lines(config, charger, state, widest, now)
    return higher(spread(max(float(offered), float(command.current_a), *measured), lines), measured)


def hearing(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> bool:
    """Return whether the first words of some charger are still waited for after the start."""
    return now - state.started_at < config.timings.hear_all and any(
        charger.charger_id not in snapshot.chargers for charger in config.chargers
    )


def carry_out(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    wishes: Mapping[str, Wish],
    load: Load,
    room: Rooms,
    now: float,
) -> tuple[dict[str, ChargerState], set[str]]:
    """Return the new charger states (with their commands), and who waits for others to give way.

    Args:
        config: the configuration.
        state: the state, with this step's observations.
        snapshot: what is known of the chargers.
        wishes: by charger, the first in line first; a charger without one is told to stop.
        load: what all chargers may draw now; kept up to date.
        room: what they may draw, by limit of the tree.
        now: monotonic seconds.
    """
    states = dict(state.chargers)
    waiting: set[str] = set()
    unheard = hearing(config, state, snapshot, now)
    overloaded, fuse = load.over(room.now), load.over(room.fuse)
    chargers = {charger.charger_id: charger for charger in config.chargers}
    for key, charger in chargers.items():
        reading = snapshot.chargers.get(key)
        if reading is None or not reading.online:
            if effective_mode(config, charger, states[key])[0] is Mode.OFF:  # the first that it hears when it is back
                states[key] = _hold(states[key], None, now)
            continue
        before = states[key]
        states[key] = _decrease(
            before, wishes.get(key), reading, overloaded=overloaded, fuse=fuse, room=room, now=now, config=config
        )
        if states[key] is not before:
            load.set(charger, could_draw(config, charger, states[key], reading, now))
    owed_w = _owed(states, wishes)
    for key, wish in wishes.items():
        charger, reading = chargers[key], snapshot.chargers[key]
        if not _wants_more(states[key], wish) or not _may_rise(config, states[key], wish, reading, now):
            continue
        current = states[key].command
        had = current.current_a if current is not None else 0
        bounds, power_bounds = wish.claim.bounds, wish.claim.power_bounds
        if had == 0 and reading.phases not in {None, wish.claim.phases}:
            # It starts when it is seen to be set to the right number of phases; what never is counts on all of them.
            states[key] = _command(states[key], replace(HOLD, phases=wish.claim.phases), wish, now)
            if not settled(config, states[key], now):
                waiting.add(key)
                continue
            lines = grid_phases(charger, config.phases, charger.wired_phases)
            bounds, power_bounds = load.tree.bounds(charger.circuit_id, lines, balanced=True)
        free = load.free(key, bounds, power_bounds, room.lasting, wish.claim.watts_per_amp)
        target = wish.target_a
        if owed_w and wish.claim.kind in SOLAR:
            target = int(target - owed_w / wish.claim.watts_per_amp)
        amps = min(target, int(max(free, 0.0) + EPSILON))
        if unheard or amps <= had or amps < wish.claim.floor_a:
            waiting.add(key)
            continue
        states[key] = _command(
            states[key],
            Command(charge=True, current_a=amps, phases=_phases_now(states[key], wish)),
            wish,
            now,
        )
        load.set(charger, could_draw(config, charger, states[key], reading, now))
    return states, waiting


def _owed(states: Mapping[str, ChargerState], wishes: Mapping[str, Wish]) -> float:
    """Return the sun in W that pv chargers are still allowed beyond their share: nobody else can have it yet."""
    owed = 0.0
    for key, wish in wishes.items():
        command = states[key].command
        if wish.claim.kind in SOLAR and wish.claim.used_w is None and command is not None and command.charge:
            owed += max(0, command.current_a - wish.target_a) * wish.claim.watts_per_amp
    return owed


def _decrease(
    state: ChargerState,
    wish: Wish | None,
    reading: ChargerReading,
    *,
    overloaded: frozenset[int],
    fuse: frozenset[int],
    room: Rooms,
    now: float,
    config: Configuration,
) -> ChargerState:
    command = state.command
    over = (
        bool(overloaded)
        and wish is not None
        and not overloaded.isdisjoint((*wish.claim.bounds, *wish.claim.power_bounds))
    )
    if wish is None or wish.target_a == 0:
        if wish is not None and wish.claim.kind is Kind.UNTOUCHED and not over:
            return state
        stopped = wish is not None and command is not None and command.charge
        # Once the fuse has begun to stop it, every opening of its contactor counts; so does a car that takes too much.
        if (
            wish is not None
            and stopped
            and (
                (state.fuse_stops and not _is_capped(wish, room))
                or wish.claim.excess_a > DRAWING_A
                or not fuse.isdisjoint((*wish.claim.bounds, *wish.claim.power_bounds))
            )
        ):
            state = replace(state, fuse_stops=(*state.fuse_stops, now), room_since=None)
        return _hold(state, wish, now)
    if command is None:  # a car that is left alone, unless the fuse needs it to give way
        if not wish.claim.dimmed and (not over or wish.target_a >= wish.claim.present_a):
            return state
        return _command(state, Command(charge=True, current_a=wish.target_a, phases=reading.phases), wish, now)
    if not command.charge:
        return state
    if command.phases != wish.claim.phases:
        return _switch(config, state, command, wish, reading, now)
    if wish.target_a >= command.current_a:
        return state
    if not _is_urgent(command, wish, over=over) and not (_rested(state, config, now) and _is_due(state)):
        return state
    return _command(state, replace(command, current_a=wish.target_a), wish, now)


def _is_capped(wish: Wish, room: Rooms) -> bool:
    """Return whether what somebody allows keeps a charger from more, and not a fuse."""
    bound = wish.bound
    return bound is not None and bound >= 0 and room.now[bound] + EPSILON < room.fuse[bound]


def _is_urgent(command: Command, wish: Wish, *, over: bool) -> bool:
    """Return whether a decrease is for a limit or for somebody, not for the sun alone."""
    claim = wish.claim
    return (
        over
        or wish.bound not in {None, SURPLUS_BOUND}
        or claim.kind in {Kind.UNTOUCHED, Kind.FAST}
        or command.current_a > claim.cap_a
    )


def _is_due(state: ChargerState) -> bool:
    """Return whether the present current has cost more than a command is worth."""
    return abs(state.error_wh) >= COMMAND_WH


def _hold(state: ChargerState, wish: Wish | None, now: float) -> ChargerState:
    return _command(state, replace(HOLD, phases=state.command.phases if state.command else None), wish, now)


def _switch(
    config: Configuration, state: ChargerState, command: Command, wish: Wish, reading: ChargerReading, now: float
) -> ChargerState:
    """Change the number of phases: upwards lower first and read it back; downwards switch first and raise later."""
    low = min(command.current_a, wish.target_a)
    lowered = followed(state, reading, measured_draw(reading)) or (
        # A car that draws too much is never seen to follow.
        reading.setting_a is not None and reading.setting_a <= low and settled(config, state, now)
    )
    if wish.claim.phases == 3 and (command.current_a > low or not lowered):
        return _command(state, replace(command, current_a=low), wish, now)
    switched = _command(state, Command(charge=True, current_a=low, phases=wish.claim.phases), wish, now)
    counted = state.switches_today + (wish.claim.kind in SOLAR)
    return replace(switched, phases_switched_at=now, switches_today=counted, regrets=NO_REGRET, error_wh=0.0)


def _wants_more(state: ChargerState, wish: Wish) -> bool:
    command = state.command
    return command is not None and wish.target_a > command.current_a


def _may_rise(config: Configuration, state: ChargerState, wish: Wish, reading: ChargerReading, now: float) -> bool:
    """Whether the time has come to give a charger more, if there is room."""
    command = state.command
    if command is None or not command.charge:
        return True
    if command.phases != wish.claim.phases:
        return False
    switched = state.phases_switched_at
    if switched is not None and now - switched < config.timings.phase_pause:
        settled = reading.phases == command.phases and not reading.switching
        drawing = any(current is not None and current > DRAWING_A for current in reading.currents_a)
        if not (settled and drawing):
            return False
    return _rested(state, config, now) and (wish.claim.kind in {Kind.UNTOUCHED, Kind.FAST} or _is_due(state))


def _rested(state: ChargerState, config: Configuration, now: float) -> bool:
    last = state.surplus_command_at
    return last is None or now - last >= config.timings.surplus_pause


def _phases_now(state: ChargerState, wish: Wish) -> int:
    command = state.command
    if command is not None and command.charge and command.phases is not None:
        return command.phases
    return wish.claim.phases


def _lines(
    config: Configuration, charger: ChargerConfig, state: ChargerState, phases: int | None, now: float
) -> tuple[int, ...]:
    """Grid phases that a charger may load; around a phase switch all of them."""
    switched = state.phases_switched_at
    if phases is None or (switched is not None and now - switched < config.timings.phase_pause):
        return grid_phases(charger, config.phases, charger.wired_phases)
    return grid_phases(charger, config.phases, min(phases, state.car_phases or phases), state.first_line)


def _command(state: ChargerState, command: Command, wish: Wish | None, now: float) -> ChargerState:
    if command == state.command:
        return state
    before = state.command
    started = command.charge and (before is None or not before.charge)
    stopped = not command.charge and before is not None and before.charge
    raised = command.current_a > (before.current_a if before is not None else 0)
    kept = state.raised_at if state.pending_a is not None else None
    return replace(
        state,
        command=command,
        changed_at=now,
        raised_at=now if raised else kept,
        pending_a=max(command.current_a, state.pending_a or 0) if raised else state.pending_a,
        surplus_command_at=now if wish is not None else None,
        regrets=NO_REGRET if started or stopped else state.regrets,
        error_wh=0.0,
        starts_today=state.starts_today + (started and _is_start(wish)),
    )


def _is_start(wish: Wish | None) -> bool:
    """Return whether the sun lets a car begin; turns and modes that somebody chose are nobody's restlessness."""
    return wish is not None and wish.claim.kind is Kind.SURPLUS and not wish.claim.is_turn
