"""Charge modes of the site and of each charger, and settings with a few choices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import PRIORITIES
from .control import BatteryPriority, ChargerMode, CloudFilter, ExternalPhases, Mode, PhasePolicy, Rounding
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.settings import (
    LAST_MODE,
    read_charger_mode,
    read_default_mode,
    read_phase_policy,
    read_priority,
)
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SiteSelectDescription(SelectEntityDescription):
    """A setting of the site with a few choices; it is saved under its key."""

    value_fn: Callable[[LoadManagerCoordinator], str]


@dataclass(frozen=True, kw_only=True)
class ChargerSelectDescription(SelectEntityDescription):
    """A setting of a charger with a few choices; it is saved under its key."""

    value_fn: Callable[[Mapping[str, Any]], str]
    """From the saved settings of the charger."""


SITE_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="site_charge_mode", options=[mode.value for mode in Mode]
)
CHARGER_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="charger_charge_mode", options=[mode.value for mode in ChargerMode]
)
PHASE_REQUEST = SelectEntityDescription(key="phase_request", translation_key="phase_request", options=["0", "1", "3"])

SITE_SELECTS = (
    SiteSelectDescription(
        key="default_mode",
        translation_key="default_mode",
        entity_category=EntityCategory.CONFIG,
        options=[LAST_MODE, *(mode.value for mode in Mode)],
        value_fn=lambda manager: read_default_mode(manager.settings),
    ),
    SiteSelectDescription(
        key="cloud_filter",
        translation_key="cloud_filter",
        entity_category=EntityCategory.CONFIG,
        options=[choice.value for choice in CloudFilter],
        value_fn=lambda manager: manager.strategy.cloud_filter.value,
    ),
    SiteSelectDescription(
        key="rounding",
        translation_key="rounding",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        options=[choice.value for choice in Rounding],
        value_fn=lambda manager: manager.strategy.rounding.value,
    ),
)
BATTERY_PRIORITY = SiteSelectDescription(
    key="battery_priority",
    translation_key="battery_priority",
    entity_category=EntityCategory.CONFIG,
    options=[choice.value for choice in BatteryPriority],
    value_fn=lambda manager: manager.strategy.battery_priority.value,
)

CHARGER_SELECTS = (
    ChargerSelectDescription(
        key="priority",
        translation_key="priority",
        entity_category=EntityCategory.CONFIG,
        options=list(PRIORITIES),
        value_fn=read_priority,
    ),
    ChargerSelectDescription(
        key="phase_policy",
        translation_key="phase_policy",
        entity_category=EntityCategory.CONFIG,
        options=[policy.value for policy in PhasePolicy],
        value_fn=lambda saved: read_phase_policy(saved).value,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the modes and choices of one entry; what concerns a house battery only where there is one."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        choices = [SiteSelect(coordinator, description) for description in SITE_SELECTS]
        async_add_entities(
            [SiteModeSelect(coordinator, SITE_MODE), *choices, PhaseRequestSelect(coordinator, PHASE_REQUEST)]
        )
        coordinator.once_with_battery(partial(async_add_entities, [SiteSelect(coordinator, BATTERY_PRIORITY)]))
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([ChargerModeSelect(coordinator, CHARGER_MODE)])
        async_add_entities(ChargerSelect(coordinator, description) for description in CHARGER_SELECTS)


def _in_force(mode: str, offered: Sequence[str]) -> str:
    """Return how a mode charges: without charging from surplus a chosen surplus mode is like fast, until it is back."""
    return mode if mode in offered else Mode.FAST.value


def _end(until: datetime | None) -> dict[str, Any] | None:
    """Return when a mode ends, for those that do."""
    return None if until is None else {"until": until.isoformat()}


class SiteModeSelect(PvLoadManagerEntity[LoadManagerCoordinator], SelectEntity):
    """How the site charges."""

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return when the mode before is in force again, where that is to be."""
        return _end(self.coordinator.modes.until)

    @override
    def refresh(self) -> tuple[str, list[str]]:
        """Take the mode from the settings; what can be chosen is published with it."""
        self._attr_options = [mode.value for mode in Mode if self.coordinator.offered(mode)]
        self._attr_current_option = _in_force(self.coordinator.strategy.mode.value, self._attr_options)
        return self._attr_current_option, self._attr_options

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of all chargers that follow the site."""
        self.coordinator.check_mode(option)
        self.coordinator.choose_mode(option)


class SiteSelect(PvLoadManagerEntity[LoadManagerCoordinator], SelectEntity):
    """A setting of the site with a few choices, in force at once."""

    entity_description: SiteSelectDescription

    @override
    def refresh(self) -> str:
        """Take the choice from the settings."""
        self._attr_current_option = self.entity_description.value_fn(self.coordinator)
        return self._attr_current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the setting."""
        self.coordinator.change(**{self.entity_description.key: option})


class PhaseRequestSelect(PvLoadManagerEntity[LoadManagerCoordinator], SelectEntity):
    """The number of phases that is requested from outside."""

    @property
    @override
    def available(self) -> bool:
        """Return whether external phase control is on."""
        return self.coordinator.data.external is not ExternalPhases.DISABLED

    @override
    def refresh(self) -> str | None:
        """Take the request from the settings; nothing while there is none."""
        wanted = self.coordinator.strategy.phases_wanted
        self._attr_current_option = None if wanted is None else str(wanted)
        return self._attr_current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Request a number of phases for all chargers."""
        self.coordinator.request_phases(int(option))


class ChargerModeSelect(ManagedChargerEntity, SelectEntity):
    """How one charger charges."""

    @property
    @override
    def extra_state_attributes(self) -> dict[str, Any] | None:
        """Return when the mode before is in force again, and the current in A that somebody chose past all modes."""
        if not self.available:
            return None
        attributes = _end(self.manager.modes.until_of(self.coordinator.serial)) or {}
        chosen = self.manager.override(self.coordinator.serial)
        return attributes if chosen is None else attributes | {"override": chosen.current_a}

    @override
    def refresh(self) -> tuple[str, list[str]]:
        """Take the mode from the settings; what can be chosen is published with it."""
        chosen = read_charger_mode(self.hass.data[SHARED].memory.charger(self.coordinator.serial))
        self._attr_options = [mode.value for mode in ChargerMode if self.manager.offered(mode)]
        self._attr_current_option = _in_force(chosen.value, self._attr_options)
        return self._attr_current_option, self._attr_options

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of this charger until its car leaves."""
        self.manager.check_mode(option)
        mode = None if option == ChargerMode.FOLLOW_SITE else option
        self.manager.choose_charger_mode(self.coordinator.serial, mode)


class ChargerSelect(ManagedChargerEntity, SelectEntity):
    """A setting of a charger with a few choices, in force at once."""

    entity_description: ChargerSelectDescription

    @override
    def refresh(self) -> str:
        """Take the choice from the settings."""
        saved = self.hass.data[SHARED].memory.charger(self.coordinator.serial)
        self._attr_current_option = self.entity_description.value_fn(saved)
        return self._attr_current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the setting."""
        self.manager.change_charger(self.coordinator.serial, **{self.entity_description.key: option})
