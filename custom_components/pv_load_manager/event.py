"""What happens to a charger and to the house, for people and their automations.

Home Assistant's logbook shows every event of these entities as a line of its own, so the integration describes none.
"""

from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .control import render
from .control.session import Session
from .coordinators.distribution import happened
from .coordinators.happenings import ChargerEvent, Happening, SiteEvent
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.stall import car_woken
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry
from .tables.charger_sessions import session_attributes

PARALLEL_UPDATES = 0

SESSION_ENDED: Final = "session_ended"
CAR_WOKEN: Final = "car_woken"

CHARGING = EventEntityDescription(
    key="charging",
    translation_key="charging",
    event_types=[*(event.value for event in ChargerEvent), SESSION_ENDED, CAR_WOKEN],
)
LIMITS = EventEntityDescription(
    key="limits", translation_key="limits", event_types=[event.value for event in SiteEvent]
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the event entity of a load manager or a charger."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities([HappeningEvent(coordinator, LIMITS, None)])
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([ChargingEvent(coordinator, CHARGING, coordinator.serial)])


class HappeningEvent(PvLoadManagerEntity[DataUpdateCoordinator[Any]], EventEntity):
    """What happens to a charger, or to the house."""

    entity_description: EventEntityDescription

    def __init__(
        self, coordinator: DataUpdateCoordinator[Any], description: EventEntityDescription, charger_id: str | None
    ) -> None:
        """Listen for what happens to a charger, None = to the house."""
        super().__init__(coordinator, description)
        self._signal = happened(charger_id)

    @property
    @override
    def available(self) -> bool:
        """Return whether the last event is known: that it happened stays true whatever is reachable now."""
        return True

    @override
    def refresh(self) -> None:
        """Take nothing from the coordinator: events come by themselves."""

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen."""
        await super().async_added_to_hass()
        self.async_on_remove(async_dispatcher_connect(self.hass, self._signal, self._happen))

    @callback
    def _happen(self, happening: Happening) -> None:
        self._trigger_event(happening.event.value, self._attributes(happening))
        self._publish(self.hass.loop.time())

    def _attributes(self, happening: Happening) -> dict[str, Any]:
        attributes: dict[str, Any] = {"cause": happening.cause.value}
        if happening.explanation is not None:
            shared = self.hass.data[SHARED]
            circuits = shared.load_manager.circuit_names if shared.load_manager is not None else {}
            now = self.hass.loop.time()
            attributes["text"] = render(happening.explanation, shared.templates, now, circuits)
            attributes["reason"] = happening.explanation.reason.value
        if happening.command is not None:
            attributes |= {"current": happening.command.current_a, "phases": happening.command.phases}
        return attributes


class ChargingEvent(HappeningEvent):
    """What happens to a charger, the end of each of its sessions among it."""

    coordinator: WattpilotCoordinator

    @override
    async def async_added_to_hass(self) -> None:
        """Begin to listen for sessions, too."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.sessions.on_end(self._end_session))
        self.async_on_remove(async_dispatcher_connect(self.hass, car_woken(self.coordinator.serial), self._wake))

    @callback
    def _end_session(self, session: Session) -> None:
        self._trigger_event(SESSION_ENDED, session_attributes(session))
        self._publish(self.hass.loop.time())

    @callback
    def _wake(self) -> None:
        self._trigger_event(CAR_WOKEN)
        self._publish(self.hass.loop.time())
