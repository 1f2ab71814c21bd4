"""Distributes anew at once: forgets what only spares people and cars a change, never what protects anything.

What goes: what a car was seen to need, the turns, the pace of commands for the sun, and the waiting of the law of
surplus charging. What stays: the waits after stops by the fuse, the dwell time and the daily number of phase switches,
meters that are silent, and how long an increase has to wait for its room.
"""

from dataclasses import replace

from .state import ControlState

NO_SLOT = -1
"""No moment falls into it: for the next step a slot has just ended."""


def redistribute(state: ControlState) -> ControlState:
    """Return the state from which the next step distributes as if everything had been as it is now for long."""
    chargers = {
        key: replace(
            charger,
            demand_a=None,
            less_since=None,
            declined_at=None,
            idle_since=None,
            surplus_command_at=None,
            error_wh=0.0,
        )
        for key, charger in state.chargers.items()
    }
    return replace(state, chargers=chargers, slot=NO_SLOT, anew=True)
