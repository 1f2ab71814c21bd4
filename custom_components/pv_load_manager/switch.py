"""What a user turns on and off while the house runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.modes import KEEP
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SiteSwitchDescription(SwitchEntityDescription):
    """A setting of the site that is on or off; it is saved under its key."""

    value_fn: Callable[[LoadManagerCoordinator], bool]
    available_fn: Callable[[LoadManagerCoordinator], bool] = lambda _: True
    forgets: str | None = None
    """Another setting that is over when this one is turned off."""


SITE_SWITCHES = (
    SiteSwitchDescription(
        key="dynamic_load_management",
        translation_key="dynamic_load_management",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.dynamic_configured and not manager.dynamic_switched_off,
        available_fn=lambda manager: manager.dynamic_configured,
    ),
    SiteSwitchDescription(
        key="external_current",
        translation_key="external_current",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.external_current,
    ),
    SiteSwitchDescription(
        key="watchdog",
        translation_key="watchdog",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.watchdog,
        available_fn=lambda manager: manager.strategy.external_current,
    ),
    SiteSwitchDescription(
        key="external_phases",
        translation_key="external_phases",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.external_phases,
        forgets="phases_wanted",
    ),
    SiteSwitchDescription(
        key="peak_follow_month",
        translation_key="peak_follow_month",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.peak_follow_month,
        available_fn=lambda manager: manager.has_power_meter,
    ),
    SiteSwitchDescription(
        key="excess_charging",
        translation_key="excess_charging",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.excess_charging,
    ),
    SiteSwitchDescription(
        key="solar_only",
        translation_key="solar_only",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: manager.strategy.solar_only,
    ),
    SiteSwitchDescription(
        key="weigh_efficiency",
        translation_key="weigh_efficiency",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        value_fn=lambda manager: manager.strategy.weigh_efficiency,
    ),
    SiteSwitchDescription(
        key="distribution_log",
        translation_key="distribution_log",
        entity_category=EntityCategory.CONFIG,
        value_fn=lambda manager: bool(manager.settings.get("distribution_log", False)),
    ),
)

KEEP_MODE = SwitchEntityDescription(
    key="keep_charge_mode", translation_key="keep_charge_mode", entity_category=EntityCategory.CONFIG
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the switches of a load manager or a charger."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteSwitch(coordinator, description) for description in SITE_SWITCHES)
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([KeepModeSwitch(coordinator, KEEP_MODE)])


class SiteSwitch(PvLoadManagerEntity[LoadManagerCoordinator], SwitchEntity):
    """A setting of the site, in force at once."""

    entity_description: SiteSwitchDescription

    @property
    @override
    def available(self) -> bool:
        """Return whether the setting has an effect."""
        return self.entity_description.available_fn(self.coordinator)

    @override
    def refresh(self) -> bool:
        """Take the value from the settings."""
        value = self.entity_description.value_fn(self.coordinator)
        self._attr_is_on = value
        return value

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Turn the setting on."""
        self.coordinator.change(**{self.entity_description.key: True})

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Turn the setting off."""
        forgotten = self.entity_description.forgets
        self.coordinator.change(**{self.entity_description.key: False}, **({forgotten: None} if forgotten else {}))


class KeepModeSwitch(ManagedChargerEntity, SwitchEntity):
    """Whether a charger's own mode stays when its car leaves."""

    @override
    def refresh(self) -> bool:
        """Take the value from the settings."""
        value = bool(self.hass.data[SHARED].memory.charger(self.coordinator.serial).get(KEEP, False))
        self._attr_is_on = value
        return value

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Keep the mode."""
        self.manager.change_charger(self.coordinator.serial, **{KEEP: True})

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Let the charger follow the site again when its car leaves."""
        self.manager.change_charger(self.coordinator.serial, **{KEEP: None})
