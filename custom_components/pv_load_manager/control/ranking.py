"""Who comes first where not all fit: priority, kind, then turns.

Time is cut into slots. Within a slot whoever runs keeps its place; at the end of a slot everybody is ranked anew: first
those who waited for a whole slot, the longest first, then by the energy that their cars were already given. A newly
plugged car goes before those that run, for a short welcome. Cars that were offered current and took none come last.
"""

from dataclasses import dataclass
from enum import IntEnum

from .allocation import Kind
from .model import ChargerConfig, Configuration
from .state import ChargerState, ControlState

OVERDUE = 0.9  # of a slot; who waited this long at the end of a slot could have been ranked at its beginning

OFTEN = 2  # stops by the fuse within the hour


class Group(IntEnum):
    """The groups of the order inside a priority and kind."""

    WELCOME = 0
    """Newly plugged and charging for less than the welcome."""
    NEW = 1
    """Newly plugged and not served yet."""
    RUNNING = 2
    """Charging or about to, until the slot ends."""
    WAITING = 3
    """Everybody else, and at the end of a slot everybody who is no newcomer."""
    IDLE = 4
    """Full, or asleep when it was last offered current."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """The moment in the rotation."""

    slot: int
    ends_at: float
    """Monotonic seconds."""
    changes: bool
    """Whether a slot has just ended."""

    @classmethod
    def at(cls, config: Configuration, state: ControlState, now: float) -> Turn:
        """Return the turn of this step."""
        # The hand-over takes its time, too: nobody shall wait longer than whole slots because of it.
        length = max(config.timings.rotation_slot - config.timings.settle, 1.0)
        slot = int(now // length)
        return cls(slot=slot, ends_at=(slot + 1) * length, changes=state.slot is not None and state.slot != slot)


def rank(
    config: Configuration,
    charger: ChargerConfig,
    state: ChargerState,
    kind: Kind,
    turn: Turn,
    *,
    energy_wh: float,
    now: float,
) -> tuple[float, ...]:
    """Return what to sort by: the smallest comes first."""
    group = _group(config, state, turn, now)
    order: tuple[float, ...] = (1.0, energy_wh)
    if group in {Group.WELCOME, Group.NEW}:
        order = (0.0, state.plugged_at or 0.0)
    elif group is Group.WAITING and is_overdue(config, state, now):
        order = (0.0, state.waiting_since or 0.0)
    return (-charger.priority, kind, group, *order)


def is_overdue(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether a charger has waited for a slot; where the fuse stops it often, as long as two slots allow."""
    since, slot = state.waiting_since, config.timings.rotation_slot
    least = slot + config.timings.settle if len(state.fuse_stops) > OFTEN else OVERDUE * slot
    return since is not None and now - since >= least


def is_promised(config: Configuration, state: ChargerState, now: float) -> bool:
    """Return whether a charger was just given a place and is still about to begin."""
    return state.promised_at is not None and now - state.promised_at < config.timings.phase_pause


def _group(config: Configuration, state: ChargerState, turn: Turn, now: float) -> Group:
    timings = config.timings
    if state.full or (state.declined_at is not None and now - state.declined_at < timings.retry):
        return Group.IDLE
    running = state.command is not None and state.command.charge
    if state.plugged_at is not None and timings.welcome > 0:
        if state.served_at is None:
            return Group.NEW
        if running and now - state.served_at < timings.welcome:
            return Group.WELCOME
    placed = running or is_promised(config, state, now)
    return Group.RUNNING if placed and not turn.changes else Group.WAITING
