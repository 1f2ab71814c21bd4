"""The input with which the grid operator dims the chargers."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later, async_track_state_change_event

from ..const import (
    CONF_DIMMING_ENTITY,
    CONF_DIMMING_POWER,
    CONF_DIMMING_TOTAL,
    DEFAULT_DIMMING_POWER,
    DOMAIN,
)
from ..memory import Memory

PATIENCE: Final = 60.0  # s; a restart, or a device that is away for a moment
ISSUE: Final = "dimming_input_lost"


class DimmingInput:
    """Follows an entity that is on while the chargers have to be dimmed.

    While it says nothing its last word counts; after a minute the chargers are dimmed, because nobody knows better.
    """

    def __init__(self, hass: HomeAssistant, options: Mapping[str, Any], memory: Memory, changed: CALLBACK_TYPE) -> None:
        """Take the options of the load manager; nothing is followed before ``async_start``."""
        self._hass = hass
        self._memory = memory
        self._changed = changed
        self._entity_id: str | None = options.get(CONF_DIMMING_ENTITY) or None
        self._lost = False
        self._waiting: CALLBACK_TYPE | None = None
        self.power_w: float | None = None
        """What the chargers may draw while they are dimmed, in W; None = there is no such input."""
        self.total = bool(options.get(CONF_DIMMING_TOTAL, False))
        """Whether that is for all of them together."""
        if self._entity_id is not None:
            self.power_w = float(options.get(CONF_DIMMING_POWER, DEFAULT_DIMMING_POWER))

    @property
    def active(self) -> bool:
        """Return whether the chargers have to be dimmed now."""
        if self._entity_id is None:
            return False
        said = self._said()
        if said is not None:
            return said
        return self._lost or bool(self._memory.site.get("dimmed", False))

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Follow the entity; return what ends that."""
        if self._entity_id is None:
            forget(self._hass)
            return _nothing
        self._listen()
        unsubscribe = async_track_state_change_event(self._hass, self._entity_id, self._on_change)

        @callback
        def stop() -> None:
            unsubscribe()
            self._cancel()
            forget(self._hass)

        return stop

    @callback
    def _on_change(self, _event: Event[EventStateChangedData]) -> None:
        self._listen()
        self._changed()

    @callback
    def _listen(self) -> None:
        """Keep what the entity says; begin to wait where it says nothing."""
        said = self._said()
        if said is None:
            if self._waiting is None and not self._lost:
                self._waiting = async_call_later(self._hass, PATIENCE, self._give_up)
            return
        self._cancel()
        if self._lost:
            self._lost = False
        forget(self._hass)
        if self._memory.site.get("dimmed") is not said:
            self._memory.set_site(dimmed=said)

    @callback
    def _give_up(self, _now: object) -> None:
        self._waiting = None
        self._lost = True
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            ISSUE,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ISSUE,
            translation_placeholders={"entity": self._entity_id or ""},
        )
        self._changed()

    def _said(self) -> bool | None:
        state = self._hass.states.get(self._entity_id or "")
        return None if state is None else {STATE_ON: True, STATE_OFF: False}.get(state.state)

    @callback
    def _cancel(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None


@callback
def forget(hass: HomeAssistant) -> None:
    """Delete the repair."""
    ir.async_delete_issue(hass, DOMAIN, ISSUE)


@callback
def _nothing() -> None:
    """End what was never begun."""
