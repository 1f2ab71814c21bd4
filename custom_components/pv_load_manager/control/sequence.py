"""From shares to commands: decreases at once, increases when there really is room, phase switches in safe order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .allocation import EPSILON, Claim, Kind
from .claims import effective_mode
from .electrics import DRAWING_A, NOTHING, add, grid_phases, higher, measured_draw, on_grid, spread
from .model import ChargerConfig, ChargerReading, Command, Configuration, Mode, Snapshot, Three
from .observe import settled
from .state import ChargerState, ControlState

HOLD = Command(charge=False)
FOLLOWED_A = 0.7  # A; a car that draws no more than this above its allowance is believed to follow it


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a charger should get when everything has settled."""

    claim: Claim
    target_a: int
    """What it should get; 0 = nothing."""
    allowed_a: int
    """What the circuit lets it have, whatever the surplus says."""


def could_draw(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    reading: ChargerReading | None,
    now: float,
) -> Three:
    """Return what a charger may draw on each grid phase in A until it is heard to have followed its command.

    A silent charger keeps the most it could draw when it was last heard; one never heard counts in full.
    """
    every_line = grid_phases(charger, config.phases, charger.wired_phases)
    if reading is None or not reading.online:
        reserved = state.reserved_a if state.reserved_a is not None else float(charger.max_current_a)
        return spread(reserved, every_line)
    measured = on_grid(charger, config.phases, reading.currents_a)
    command = state.command
    if command is not None and followed(state, reading):
        return higher(spread(command.current_a, _lines(config, charger, state, command.phases, now)), measured)
    offered = 0 if reading.holding or not state.plugged else reading.setting_a or charger.max_current_a
    if command is None:
        return spread(max(float(offered), *measured), every_line)
    known = reading.phases is not None and command.phases is not None and not reading.switching
    widest = max(reading.phases or 0, command.phases or 0) if known else None
    lines = _lines(config, charger, state, widest, now)
    return higher(spread(max(float(offered), float(command.current_a), *measured), lines), measured)


def followed(state: ChargerState, reading: ChargerReading) -> bool:
    """Return whether the charger and its car are seen to do what the command says."""
    command = state.command
    if command is None:
        return False
    drawn = measured_draw(reading)
    if not command.charge:
        return (reading.holding or not state.plugged) and drawn <= DRAWING_A
    setting = reading.setting_a if reading.setting_a is not None else command.current_a
    return (
        not reading.switching
        and setting <= command.current_a
        and drawn <= command.current_a + FOLLOWED_A
        and (reading.phases is None or command.phases is None or reading.phases == command.phases)
    )


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
    room: tuple[Three, Three],
    now: float,
) -> tuple[dict[str, ChargerState], set[str]]:
    """Return the new charger states (with their commands), and who waits for others to give way.

    Args:
        config: the configuration.
        state: the state, with this step's observations.
        snapshot: what is known of the chargers.
        wishes: by charger; a charger without one is told to stop.
        room: what our chargers may draw together per grid phase in A: binding now, and for increases.
        now: monotonic seconds.
    """
    states = dict(state.chargers)
    waiting: set[str] = set()
    unheard = hearing(config, state, snapshot, now)
    overloaded = _overloaded(config, states, snapshot, room[0], now)
    for charger in config.chargers:
        key = charger.charger_id
        reading = snapshot.chargers.get(key)
        if reading is None or not reading.online:
            if effective_mode(config, charger)[0] is Mode.OFF:  # the first that it hears when it is back
                states[key] = _hold(states[key], None, now)
            continue
        states[key] = _decrease(states[key], wishes.get(key), reading, overloaded=overloaded, now=now, config=config)
    for charger in _most_wanted_first(config.chargers, wishes):
        key = charger.charger_id
        wish, reading = wishes[key], snapshot.chargers[key]
        if not _wants_more(states[key], wish) or not _may_rise(config, states[key], wish, reading, now):
            continue
        others = NOTHING
        for other in config.chargers:
            if other is not charger:
                other_reading = snapshot.chargers.get(other.charger_id)
                others = add(others, could_draw(config, other, states[other.charger_id], other_reading, now))
        current = states[key].command
        had = current.current_a if current is not None else 0
        lines = wish.claim.lines
        if had == 0 and reading.phases not in {None, wish.claim.phases}:
            # It starts when it is seen to be set to the right number of phases; what never is counts on all of them.
            states[key] = _command(states[key], replace(HOLD, phases=wish.claim.phases), wish, now)
            if not settled(config, states[key], now):
                waiting.add(key)
                continue
            lines = grid_phases(charger, config.phases, charger.wired_phases)
        free = min(room[1][line] - others[line] for line in lines)
        amps = min(wish.target_a, int(free + EPSILON))
        if unheard or amps <= had or amps < wish.claim.floor_a:
            waiting.add(key)
            continue
        states[key] = _command(
            states[key],
            Command(charge=True, current_a=amps, phases=_phases_now(states[key], wish)),
            wish,
            now,
        )
    return states, waiting


def _overloaded(
    config: Configuration, states: Mapping[str, ChargerState], snapshot: Snapshot, room: Three, now: float
) -> bool:
    """Whether what the chargers may draw exceeds the room: then every reduction goes out at once."""
    total = NOTHING
    for charger in config.chargers:
        reading = snapshot.chargers.get(charger.charger_id)
        total = add(total, could_draw(config, charger, states[charger.charger_id], reading, now))
    return any(drawn > free + EPSILON for drawn, free in zip(total, room, strict=True))


def _decrease(
    state: ChargerState,
    wish: Wish | None,
    reading: ChargerReading,
    *,
    overloaded: bool,
    now: float,
    config: Configuration,
) -> ChargerState:
    command = state.command
    if wish is None or wish.target_a == 0:
        if wish is not None and wish.claim.kind is Kind.UNTOUCHED and not overloaded:
            return state
        return _hold(state, wish, now)
    if command is None:  # a car that is left alone, unless the fuse needs it to give way
        if not overloaded or wish.target_a >= wish.claim.present_a:
            return state
        return _command(state, Command(charge=True, current_a=wish.target_a, phases=reading.phases), wish, now)
    if not command.charge:
        return state
    if command.phases != wish.claim.phases:
        return _switch(state, command, wish, reading, now)
    if wish.target_a >= command.current_a:
        return state
    urgent = overloaded or wish.allowed_a < command.current_a or wish.claim.kind is not Kind.SURPLUS
    if not urgent and not _rested(state, config, now):
        return state
    return _command(state, replace(command, current_a=wish.target_a), wish, now)


def _hold(state: ChargerState, wish: Wish | None, now: float) -> ChargerState:
    return _command(state, replace(HOLD, phases=state.command.phases if state.command else None), wish, now)


def _switch(state: ChargerState, command: Command, wish: Wish, reading: ChargerReading, now: float) -> ChargerState:
    """Change the number of phases: upwards lower first and read it back; downwards switch first and raise later."""
    low = min(command.current_a, wish.target_a)
    if wish.claim.phases == 3 and (command.current_a > low or not followed(state, reading)):
        return _command(state, replace(command, current_a=low), wish, now)
    switched = _command(state, Command(charge=True, current_a=low, phases=wish.claim.phases), wish, now)
    return replace(switched, phases_switched_at=now)


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
    return _rested(state, config, now)


def _rested(state: ChargerState, config: Configuration, now: float) -> bool:
    last = state.surplus_command_at
    return last is None or now - last >= config.timings.surplus_pause


def _phases_now(state: ChargerState, wish: Wish) -> int:
    command = state.command
    if command is not None and command.charge and command.phases is not None:
        return command.phases
    return wish.claim.phases


def _most_wanted_first(chargers: Sequence[ChargerConfig], wishes: Mapping[str, Wish]) -> list[ChargerConfig]:
    wishing = [charger for charger in chargers if charger.charger_id in wishes]
    return sorted(wishing, key=lambda charger: wishes[charger.charger_id].claim.kind)


def _lines(
    config: Configuration, charger: ChargerConfig, state: ChargerState, phases: int | None, now: float
) -> tuple[int, ...]:
    """Grid phases that a charger may load; around a phase switch all of them."""
    switched = state.phases_switched_at
    if phases is None or (switched is not None and now - switched < config.timings.phase_pause):
        return grid_phases(charger, config.phases, charger.wired_phases)
    return grid_phases(charger, config.phases, min(phases, state.car_phases or phases))


def _command(state: ChargerState, command: Command, wish: Wish | None, now: float) -> ChargerState:
    if command == state.command:
        return state
    before = state.command
    started = command.charge and (before is None or not before.charge)
    return replace(
        state,
        command=command,
        changed_at=now,
        raised_at=now if command.current_a > (before.current_a if before is not None else 0) else None,
        surplus_command_at=now if wish is not None else None,
        enough_since=None if started else state.enough_since,
    )
