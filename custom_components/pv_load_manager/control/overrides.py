"""Currents that somebody chose for single chargers, and when they end."""

from dataclasses import replace
from datetime import datetime

from .model import Override
from .state import ChargerState, ControlState


def begin(state: ControlState, charger_id: str, override: Override) -> ControlState:
    """Return the state with an override of one charger; the last one counts.

    Raises:
        KeyError: there is no such charger.
    """
    return _with(state, charger_id, override)


def end(state: ControlState, charger_id: str) -> ControlState:
    """Return the state without an override of a charger."""
    return _with(state, charger_id, None) if charger_id in state.chargers else state


def end_all(state: ControlState) -> ControlState:
    """Return the state without any override."""
    for charger_id, charger in state.chargers.items():
        if charger.override is not None:
            state = _with(state, charger_id, None)
    return state


def expire(state: ControlState, moment: datetime | None) -> ControlState:
    """Return the state without the overrides that are over by time or energy.

    Args:
        state: the state.
        moment: now, aware; None = nobody knows, and none ends by time.
    """
    for charger_id, charger in state.chargers.items():
        override = charger.override
        if override is None:
            continue
        late = override.until is not None and moment is not None and moment >= override.until
        if late or (override.energy_wh is not None and state.energy(charger_id) >= override.energy_wh):
            state = _with(state, charger_id, None)
    return state


def _with(state: ControlState, charger_id: str, override: Override | None) -> ControlState:
    charger: ChargerState = replace(state.chargers[charger_id], override=override)
    return replace(state, chargers={**state.chargers, charger_id: charger})
