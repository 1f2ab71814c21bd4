"""Settings that a user changes while the house runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberEntityDescription, NumberMode
from homeassistant.const import EntityCategory, UnitOfElectricCurrent, UnitOfPower, UnitOfRatio, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo, async_get_device_id_by_identifier
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN, MAX_CIRCUIT_POWER
from .control import HIGHEST_CURRENT, LOWEST_CURRENT, ROOT_CIRCUIT
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.site import DEFAULT_CHARGER_CURRENT
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SiteNumberDescription(NumberEntityDescription):
    """A setting of the site."""

    value_fn: Callable[[LoadManagerCoordinator], float]
    """In the unit of the setting."""
    setting: str
    scale: float = 1
    """How many units of the setting one unit of the entity has."""
    max_fn: Callable[[LoadManagerCoordinator], float] | None = None
    available_fn: Callable[[LoadManagerCoordinator], bool] = lambda _: True


AVAILABLE_CURRENT = NumberEntityDescription(
    key="available_current",
    translation_key="available_current",
    device_class=NumberDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=0,
    native_step=0.1,
    mode=NumberMode.BOX,
)
CIRCUIT_LIMIT = NumberEntityDescription(
    key="circuit_limit",
    translation_key="circuit_limit",
    device_class=NumberDeviceClass.CURRENT,
    entity_registry_enabled_default=False,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=0,
    native_step=1,
    mode=NumberMode.BOX,
)
SITE_NUMBERS = (
    SiteNumberDescription(
        key="default_available_current",
        translation_key="default_available_current",
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        native_min_value=0,
        native_step=1,
        mode=NumberMode.BOX,
        setting="default_available_current_a",
        value_fn=lambda manager: manager.strategy.default_available_current_a,
        max_fn=lambda manager: manager.maximum_total_current,
    ),
    SiteNumberDescription(
        key="peak_limit",
        translation_key="peak_limit",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=MAX_CIRCUIT_POWER,
        native_step=10,
        mode=NumberMode.BOX,
        setting="peak_limit_w",
        value_fn=lambda manager: manager.strategy.peak_limit_w,
        available_fn=lambda manager: manager.has_power_meter,
    ),
    SiteNumberDescription(
        key="maximum_total_current",
        translation_key="maximum_total_current",
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        native_min_value=0,
        native_step=1,
        mode=NumberMode.BOX,
        setting="maximum_total_current_a",
        value_fn=lambda manager: manager.strategy.maximum_total_current_a,
        max_fn=lambda manager: manager.main_fuse,
    ),
    SiteNumberDescription(
        key="minimum_current",
        translation_key="minimum_current",
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        native_min_value=LOWEST_CURRENT,
        native_max_value=HIGHEST_CURRENT,
        native_step=1,
        setting="minimum_current_a",
        value_fn=lambda manager: manager.strategy.minimum_current_a,
    ),
    SiteNumberDescription(
        key="guaranteed_power",
        translation_key="guaranteed_power",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=22080,
        native_step=10,
        mode=NumberMode.BOX,
        setting="guaranteed_power_w",
        value_fn=lambda manager: manager.strategy.guaranteed_power_w,
    ),
    SiteNumberDescription(
        key="target_grid_power",
        translation_key="target_grid_power",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=-20000,
        native_max_value=20000,
        native_step=10,
        mode=NumberMode.BOX,
        setting="target_grid_power_w",
        value_fn=lambda manager: manager.strategy.target_grid_power_w,
    ),
    SiteNumberDescription(
        key="demand_margin",
        translation_key="demand_margin",
        device_class=NumberDeviceClass.CURRENT,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        native_min_value=0.5,
        native_max_value=10,
        native_step=0.5,
        mode=NumberMode.BOX,
        setting="demand_margin_a",
        value_fn=lambda manager: manager.strategy.demand_margin_a,
    ),
    SiteNumberDescription(
        key="start_phase",
        translation_key="start_phase",
        device_class=NumberDeviceClass.DURATION,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        native_min_value=10,
        native_max_value=600,
        native_step=1,
        mode=NumberMode.BOX,
        setting="start_phase_s",
        value_fn=lambda manager: manager.timings.start_phase,
    ),
    SiteNumberDescription(
        key="rotation_slot",
        translation_key="rotation_slot",
        device_class=NumberDeviceClass.DURATION,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=1,
        native_max_value=1440,
        native_step=1,
        mode=NumberMode.BOX,
        setting="rotation_slot_s",
        scale=60,
        value_fn=lambda manager: manager.timings.rotation_slot,
    ),
    SiteNumberDescription(
        key="grid_weight",
        translation_key="grid_weight",
        entity_category=EntityCategory.CONFIG,
        native_min_value=1,
        native_max_value=20,
        native_step=0.1,
        mode=NumberMode.BOX,
        setting="grid_weight",
        value_fn=lambda manager: manager.strategy.grid_weight,
    ),
    SiteNumberDescription(
        key="start_threshold",
        translation_key="start_threshold",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=22080,
        native_step=10,
        mode=NumberMode.BOX,
        setting="start_threshold_w",
        value_fn=lambda manager: manager.strategy.start_threshold_w,
    ),
    SiteNumberDescription(
        key="grid_backup",
        translation_key="grid_backup",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=22080,
        native_step=10,
        mode=NumberMode.BOX,
        setting="grid_backup_w",
        value_fn=lambda manager: manager.strategy.grid_backup_w,
    ),
    SiteNumberDescription(
        key="phase_switches_per_day",
        translation_key="phase_switches_per_day",
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        mode=NumberMode.BOX,
        setting="phase_switches_per_day",
        value_fn=lambda manager: manager.strategy.phase_switches_per_day,
    ),
    SiteNumberDescription(
        key="phase_dwell",
        translation_key="phase_dwell",
        device_class=NumberDeviceClass.DURATION,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        native_min_value=0,
        native_max_value=120,
        native_step=1,
        mode=NumberMode.BOX,
        setting="phase_dwell_s",
        scale=60,
        value_fn=lambda manager: manager.timings.phase_dwell,
    ),
)


def _state_of_charge(key: str, value_fn: Callable[[LoadManagerCoordinator], float]) -> SiteNumberDescription:
    return SiteNumberDescription(
        key=key,
        translation_key=key,
        entity_category=EntityCategory.CONFIG,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        native_min_value=0,
        native_max_value=100,
        native_step=1,
        setting=key,
        value_fn=value_fn,
    )


BATTERY_NUMBERS = (
    _state_of_charge("battery_target_soc", lambda manager: manager.strategy.battery_target_soc),
    _state_of_charge("battery_start_soc", lambda manager: manager.strategy.battery_start_soc),
    _state_of_charge("battery_hold_soc", lambda manager: manager.strategy.battery_hold_soc),
    SiteNumberDescription(
        key="battery_dead_zone",
        translation_key="battery_dead_zone",
        device_class=NumberDeviceClass.POWER,
        entity_category=EntityCategory.CONFIG,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfPower.WATT,
        native_min_value=0,
        native_max_value=9999,
        native_step=1,
        mode=NumberMode.BOX,
        setting="battery_dead_zone_w",
        value_fn=lambda manager: manager.strategy.battery_dead_zone_w,
    ),
)

MAXIMUM_CURRENT = NumberEntityDescription(
    key="maximum_current",
    translation_key="maximum_current",
    device_class=NumberDeviceClass.CURRENT,
    entity_category=EntityCategory.CONFIG,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=LOWEST_CURRENT,
    native_max_value=HIGHEST_CURRENT,
    native_step=1,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the settings of one entry; those of a house battery only where there is one."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteNumber(coordinator, description) for description in SITE_NUMBERS)
        async_add_entities([AvailableCurrentNumber(coordinator, AVAILABLE_CURRENT)])
        for circuit_id in coordinator.circuit_ratings:
            async_add_entities(
                [CircuitLimitNumber(coordinator, CIRCUIT_LIMIT, circuit_id)],
                config_subentry_id=None if circuit_id == ROOT_CIRCUIT else circuit_id,
            )
        for_battery = [SiteNumber(coordinator, description) for description in BATTERY_NUMBERS]
        coordinator.once_with_battery(partial(async_add_entities, for_battery))
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([MaximumCurrentNumber(coordinator, MAXIMUM_CURRENT)])


class SiteNumber(PvLoadManagerEntity[LoadManagerCoordinator], NumberEntity):
    """A setting of the site, in force at once."""

    entity_description: SiteNumberDescription

    @property
    @override
    def available(self) -> bool:
        """Return whether the setting can have an effect."""
        return self.entity_description.available_fn(self.coordinator)

    @property
    @override
    def native_max_value(self) -> float:
        """Return the upper end, which for currents depends on other settings."""
        if self.entity_description.max_fn is None:
            return super().native_max_value
        return float(self.entity_description.max_fn(self.coordinator))

    @override
    def refresh(self) -> tuple[float, float]:
        """Take the value from the settings; its upper end is published with it."""
        value = self.entity_description.value_fn(self.coordinator) / self.entity_description.scale
        self._attr_native_value = value
        return value, self.native_max_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the setting."""
        self.coordinator.change(**{self.entity_description.setting: value * self.entity_description.scale})


class AvailableCurrentNumber(PvLoadManagerEntity[LoadManagerCoordinator], NumberEntity):
    """What all chargers together may draw, set from outside."""

    @property
    @override
    def available(self) -> bool:
        """Return whether it is used at all."""
        return self.coordinator.strategy.external_current

    @property
    @override
    def native_max_value(self) -> float:
        """Return the maximum total current."""
        return self.coordinator.maximum_total_current

    @override
    def refresh(self) -> tuple[float, float]:
        """Take the value in force; its upper end is published with it."""
        plan = self.coordinator.data
        value = plan.available_a if plan.watchdog_expired else self.coordinator.strategy.available_current_a
        self._attr_native_value = value
        return value, self.native_max_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set what is available; the watchdog begins anew."""
        self.coordinator.set_available_current(value)


class CircuitLimitNumber(PvLoadManagerEntity[LoadManagerCoordinator], NumberEntity):
    """What one circuit may carry for now; its rating where nobody asks for less."""

    def __init__(
        self, coordinator: LoadManagerCoordinator, description: NumberEntityDescription, circuit_id: str
    ) -> None:
        """Attach the entity to one circuit; each below the house connection is a device that goes with its circuit."""
        super().__init__(coordinator, description)
        self._circuit_id = circuit_id
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}_{circuit_id}"
        self._attr_native_max_value = coordinator.circuit_ratings[circuit_id]
        if circuit_id == ROOT_CIRCUIT:
            self._attr_translation_key = "connection_limit"
        else:
            self._attr_device_info = DeviceInfo(
                identifiers={(DOMAIN, f"{entry.entry_id}_{circuit_id}")},
                name=coordinator.circuit_names[circuit_id],
                manufacturer="PV Load Manager",
                entry_type=DeviceEntryType.SERVICE,
                via_device_id=async_get_device_id_by_identifier(
                    coordinator.hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id
                ),
            )

    @override
    def refresh(self) -> float:
        """Take the limit from the settings."""
        value = self.coordinator.circuit_limits.get(self._circuit_id, self.native_max_value)
        self._attr_native_value = min(value, self.native_max_value)
        return self._attr_native_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the limit; the rating takes it away."""
        self.coordinator.set_circuit_limit(self._circuit_id, value)


class MaximumCurrentNumber(ManagedChargerEntity, NumberEntity):
    """The most that one charger may draw per phase, within what its hardware allows."""

    @property
    @override
    def native_max_value(self) -> float:
        """Return what the installer allows in the charger."""
        limit = self.coordinator.client.status.ama
        return float(min(max(limit, LOWEST_CURRENT), HIGHEST_CURRENT)) if limit is not None else HIGHEST_CURRENT

    @override
    def refresh(self) -> tuple[float, float]:
        """Take the value from the settings; its upper end is published with it."""
        saved = self.hass.data[SHARED].memory.charger(self.coordinator.serial)
        value = float(saved.get("max_current_a", DEFAULT_CHARGER_CURRENT))
        self._attr_native_value = value
        return value, self.native_max_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the maximum of this charger."""
        self.manager.change_charger(self.coordinator.serial, max_current_a=int(value))
