"""Charge modes of the site and of each charger."""

from typing import override

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .control import ChargerMode, Mode
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1

SITE_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="site_charge_mode", options=[mode.value for mode in Mode]
)
CHARGER_MODE = SelectEntityDescription(
    key="charge_mode", translation_key="charger_charge_mode", options=[mode.value for mode in ChargerMode]
)
NEEDS_METER = frozenset({Mode.PV.value, Mode.MIN_PV.value})


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the mode of one entry."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities([SiteModeSelect(coordinator, SITE_MODE)])
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([ChargerModeSelect(coordinator, CHARGER_MODE)])


def _refuse_without_meter(manager: LoadManagerCoordinator, option: str) -> None:
    if option in NEEDS_METER and not manager.has_power_meter:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="mode_needs_meter")


class SiteModeSelect(PvLoadManagerEntity[LoadManagerCoordinator], SelectEntity):
    """How the site charges."""

    @override
    def refresh(self) -> str:
        """Take the mode from the settings."""
        self._attr_current_option = self.coordinator.strategy.mode.value
        return self._attr_current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of all chargers that follow the site."""
        _refuse_without_meter(self.coordinator, option)
        self.coordinator.change(mode=option)


class ChargerModeSelect(ManagedChargerEntity, SelectEntity):
    """How one charger charges."""

    @override
    def refresh(self) -> str:
        """Take the mode from the settings."""
        saved = self.hass.data[SHARED].memory.charger(self.coordinator.serial).get("mode")
        self._attr_current_option = str(saved or ChargerMode.FOLLOW_SITE.value)
        return self._attr_current_option

    @override
    async def async_select_option(self, option: str) -> None:
        """Change the mode of this charger until its car leaves."""
        _refuse_without_meter(self.manager, option)
        self.manager.change_charger(self.coordinator.serial, mode=None if option == ChargerMode.FOLLOW_SITE else option)
