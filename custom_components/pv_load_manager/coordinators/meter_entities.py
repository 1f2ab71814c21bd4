"""Looks after the entities that a user chose as meters: follows a new name, and says when one is gone."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import (
    async_call_later,
    async_track_entity_registry_updated_event,
    async_track_state_change_event,
)

from ..const import DOMAIN

PATIENCE: Final = 60.0  # s; a restart, or an integration that is reloaded
ISSUE: Final = "meter_entity_gone"


class ChosenEntities:
    """The entities that the configuration of the load manager names.

    One that is unavailable is a matter of its own integration. One without any state was removed or disabled: that
    nobody but the user can mend.
    """

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry, entities: Collection[str], others: Collection[str]
    ) -> None:
        """Prepare; ``entities`` are those that have to be there, of ``others`` only the names are followed."""
        self._hass = hass
        self._entry = entry
        self._entities = tuple(sorted(entities))
        self._named = {*entities, *others}
        self._waiting: CALLBACK_TYPE | None = None

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Begin to look; return what ends that. A repair outlives a reload."""
        changed = async_track_state_change_event(self._hass, self._entities, self._on_change)
        renamed = async_track_entity_registry_updated_event(self._hass, self._named, self._on_registry)
        self._look()

        @callback
        def stop() -> None:
            changed()
            renamed()
            self._cancel()

        return stop

    def _gone(self) -> list[str]:
        return [entity_id for entity_id in self._entities if self._hass.states.get(entity_id) is None]

    @callback
    def _on_change(self, event: Event[EventStateChangedData]) -> None:
        if event.data["old_state"] is None or event.data["new_state"] is None:
            self._look()

    @callback
    def _look(self) -> None:
        if not self._gone():
            self._cancel()
            forget(self._hass)
        elif self._waiting is None:
            self._waiting = async_call_later(self._hass, PATIENCE, self._tell)

    @callback
    def _tell(self, _now: object) -> None:
        self._waiting = None
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            ISSUE,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ISSUE,
            translation_placeholders={"entities": ", ".join(self._gone())},
        )

    @callback
    def _on_registry(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        data = event.data
        if data["action"] == "update" and "old_entity_id" in data:
            self._rename(data["old_entity_id"], data["entity_id"])

    @callback
    def _rename(self, old: str, new: str) -> None:
        """Take over the new name everywhere; the entry's own listener reloads it."""
        entries = self._hass.config_entries
        for subentry in tuple(self._entry.subentries.values()):
            if (data := _renamed(subentry.data, old, new)) != dict(subentry.data):
                entries.async_update_subentry(self._entry, subentry, data=data)
        entries.async_update_entry(
            self._entry,
            data=_renamed(self._entry.data, old, new),
            options=_renamed(self._entry.options, old, new),
        )

    @callback
    def _cancel(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None


@callback
def forget(hass: HomeAssistant) -> None:
    """Delete the repair."""
    ir.async_delete_issue(hass, DOMAIN, ISSUE)


def _renamed(values: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return values in which an entity has its new name."""

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(item) for item in value]
        return new if value == old else value

    return {key: renamed(value) for key, value in values.items()}
