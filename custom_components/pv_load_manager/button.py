"""What a user tells the load manager about a charger with one press."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity
from .shared import PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1

CLEAR_OVERRIDE = ButtonEntityDescription(key="clear_override", translation_key="clear_override")
GONE = ButtonEntityDescription(key="gone", translation_key="gone", entity_category=EntityCategory.CONFIG)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of one entry."""
    if isinstance(entry.runtime_data, WattpilotCoordinator):
        charger = entry.runtime_data
        async_add_entities([ClearOverrideButton(charger, CLEAR_OVERRIDE), GoneButton(charger, GONE)])


class ClearOverrideButton(ManagedChargerEntity, ButtonEntity):
    """Ends the override of a charger, wherever it was made: it charges by its mode again."""

    @property
    @override
    def available(self) -> bool:
        """Return whether there is an override."""
        return super().available and self.manager.override(self.coordinator.serial) is not None

    @override
    def refresh(self) -> None:
        """A button has no value."""

    @override
    async def async_press(self) -> None:
        """End the override."""
        self.manager.end_override(self.coordinator.serial)


class GoneButton(ManagedChargerEntity, ButtonEntity):
    """Says that a charger that does not answer draws nothing, because it is no longer there.

    What it could draw is then no longer reserved for it; when it answers again it takes part as before.
    """

    @property
    @override
    def available(self) -> bool:
        """Return whether the charger is unreachable: of one that answers nobody has to say what it draws."""
        return super().available and not self.coordinator.connected

    @override
    def refresh(self) -> None:
        """A button has no value."""

    @override
    async def async_press(self) -> None:
        """End the reservation."""
        self.manager.change_charger(self.coordinator.serial, gone=True)
