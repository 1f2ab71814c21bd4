"""Charge modes of the site and of each charger, and settings with a few choices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .control import BatteryPriority, ChargerMode, CloudFilter, ExternalPhases, Mode, Rounding
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.settings import LAST_MODE
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SiteSelectDescription(SelectEntityDescription):
    """A setting of the site with a few choices; it is saved under its key."""

    value_fn: Callable[[LoadManagerCoordinator], str]


SITE_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="site_charge_mode", options=[mode.value for mode in Mode]
)
CHARGER_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="charger_charge_mode", options=[mode.value for mode in ChargerMode]
)
SURPLUS_MODES = frozenset({Mode.PV.value, Mode.MIN_PV.value})

PHASE_REQUEST = SelectEntityDescription(key="phase_request", translation_key="phase_request", options=["0", "1", "3"])

SITE_SELECTS = (
    SiteSelectDescription(
        key="default_mode",
        translation_key="default_mode",
        entity_category=EntityCategory.CONFIG,
        options=[LAST_MODE, *(mode.value for mode in Mode)],
        value_fn=lambda manager: str(manager.settings.get("default_mode", LAST_MODE)),
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


def _refuse_without_meter(manager: LoadManagerCoordinator, option: str) -> None:
    if option in SURPLUS_MODES and not manager.has_power_meter:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="mode_needs_meter")


def _offered(modes: Sequence[str], manager: LoadManagerCoordinator) -> list[str]:
    """Return the modes that can be chosen."""
    return [mode for mode in modes if mode not in SURPLUS_MODES or manager.strategy.excess_charging]


def _in_force(mode: str, offered: Sequence[str]) -> str:
    """Return how a mode charges: without charging from surplus a chosen surplus mode is like fast, until it is back."""
    return mode if mode in offered else Mode.FAST.value


class SiteModeSelect(PvLoadManagerEntity[LoadManagerCoordinator], SelectEntity):
    """How the site charges."""

    @override
    def refresh(self) -> tuple[str, list[str]]:
        """Take the mode from the settings; what can be chosen is published with it."""
        self._attr_options = _offered(list(Mode), self.coordinator)
        self._attr_current_option = _in_force(self.coordinator.strategy.mode.value, self._attr_options)
        return self._attr_current_option, self._attr_options

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of all chargers that follow the site."""
        _refuse_without_meter(self.coordinator, option)
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

    @override
    def refresh(self) -> tuple[str, list[str]]:
        """Take the mode from the settings; what can be chosen is published with it."""
        saved = self.hass.data[SHARED].memory.charger(self.coordinator.serial).get("mode")
        self._attr_options = _offered(list(ChargerMode), self.manager)
        self._attr_current_option = _in_force(str(saved or ChargerMode.FOLLOW_SITE.value), self._attr_options)
        return self._attr_current_option, self._attr_options

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of this charger until its car leaves."""
        _refuse_without_meter(self.manager, option)
        mode = None if option == ChargerMode.FOLLOW_SITE else option
        self.manager.choose_charger_mode(self.coordinator.serial, mode)
