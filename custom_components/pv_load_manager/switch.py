"""What a user turns on and off while the house runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import Strategy
from .coordinators.load_manager import LoadManagerCoordinator
from .entity import PvLoadManagerEntity
from .shared import PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SiteSwitchDescription(SwitchEntityDescription):
    """A setting of the site that is on or off; it is saved under its key."""

    value_fn: Callable[[Strategy], bool]


SITE_SWITCHES = (
    SiteSwitchDescription(
        key="excess_charging",
        translation_key="excess_charging",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda strategy: strategy.excess_charging,
    ),
    SiteSwitchDescription(
        key="solar_only",
        translation_key="solar_only",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda strategy: strategy.solar_only,
    ),
    SiteSwitchDescription(
        key="weigh_efficiency",
        translation_key="weigh_efficiency",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        value_fn=lambda strategy: strategy.weigh_efficiency,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the switches of a load manager."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteSwitch(coordinator, description) for description in SITE_SWITCHES)


class SiteSwitch(PvLoadManagerEntity[LoadManagerCoordinator], SwitchEntity):
    """A setting of the site, in force at once."""

    entity_description: SiteSwitchDescription

    @override
    def refresh(self) -> bool:
        """Take the value from the settings."""
        value = self.entity_description.value_fn(self.coordinator.strategy)
        self._attr_is_on = value
        return value

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the setting on."""
        self.coordinator.change(**{self.entity_description.key: True})

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn the setting off."""
        self.coordinator.change(**{self.entity_description.key: False})
