"""What the integration tells of energy, beside what the cars took."""

from collections import defaultdict

from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, callback
from homeassistant.helpers.event import async_track_state_change_event

from .findings import Findings
from .stage import NOTHING, Stage

TOLERANCE = 0.01
"""By how much of its energy a session may be off."""
LEAST_WH = 5.0
"""Figures are rounded to whole Wh."""
SESSION_ENDED = "session_ended"


class Ledger:
    """Follows lifetime energies and finished sessions from state to state."""

    def __init__(self, stage: Stage, findings: Findings) -> None:
        self._stage = stage
        self._findings = findings
        self._highest: dict[str, float] = {}
        self._ended: dict[str, dict[str, float]] = defaultdict(dict)
        """Of each event entity the energy of its sessions in Wh, by the time at which they ended."""
        self._compared: dict[str, str] = {}
        """When the last session ended that was compared; a reload shows it once more."""
        self._unsubscribe: list[CALLBACK_TYPE] = []

    def start(self) -> None:
        """Begin to follow."""
        hass, chargers = self._stage.hass, self._stage.entries[1:-1]
        lifetimes = [self._stage.entity_id("sensor", entry, "lifetime_energy") for entry in chargers]
        events = [self._stage.entity_id("event", entry, "charging") for entry in chargers]
        self._unsubscribe = [
            async_track_state_change_event(hass, lifetimes, self._lifetime),
            async_track_state_change_event(hass, events, self._happened),
        ]

    def stop(self) -> None:
        """Follow no longer."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()

    @callback
    def _lifetime(self, event: Event[EventStateChangedData]) -> None:
        """Take a lifetime energy that falls for a violation."""
        state, entity_id = event.data["new_state"], event.data["entity_id"]
        if state is None or state.state in NOTHING:
            return
        value = float(state.state)
        if value < self._highest.get(entity_id, value):
            self._findings.violation(f"{entity_id} fell from {self._highest[entity_id]} to {value}")
        self._highest[entity_id] = value

    @callback
    def _happened(self, event: Event[EventStateChangedData]) -> None:
        """Keep the energy of a finished session; after a reload its state comes again."""
        state = event.data["new_state"]
        if state is None or state.attributes.get("event_type") != SESSION_ENDED:
            return
        if state.state > self._compared.get(state.entity_id, ""):
            self._ended[state.entity_id][state.state] = 1000.0 * state.attributes["energy"]

    def compare(self, index: int, taken_wh: float, happened: str) -> None:
        """Compare what is told of the last session of a charger with what its car took, and what happened meanwhile."""
        findings, entry = self._findings, self._stage.charger(index)
        findings.sessions += 1
        findings.charged_wh += taken_wh
        told = self._stage.energy_wh(entry, "session_energy")
        took = f"{entry.title}: the car took {taken_wh:.0f} Wh with {happened}, its session"
        self._judge(f"{took} energy is {told} Wh", told, taken_wh)
        entity_id = self._stage.entity_id("event", entry, "charging")
        ended = self._ended.pop(entity_id, {})
        self._compared[entity_id] = max(ended, default=self._compared.get(entity_id, ""))
        if len(ended) != 1:
            findings.violation(f"{entry.title}: one car left, {len(ended)} sessions ended with {happened}: {ended}")
        total = sum(ended.values())
        self._judge(
            f"{entry.title}: the car took {taken_wh:.0f} Wh, its session is told {total:.0f} Wh", total, taken_wh
        )

    def _judge(self, text: str, told: float | None, taken_wh: float) -> None:
        off = abs((told or 0.0) - taken_wh)
        if taken_wh > 20 * LEAST_WH:
            self._findings.session_error = max(self._findings.session_error, off / taken_wh)
        if told is None or off > max(LEAST_WH, TOLERANCE * taken_wh):
            self._findings.violation(text)
