"""Settings that a user changes while the house runs; names, units and ranges are in ``tables``."""

from functools import partial
from typing import override

from homeassistant.components.number import NumberEntity, NumberEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import HIGHEST_CURRENT, LOWEST_CURRENT, ROOT_CIRCUIT
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.settings import read_max_current
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import CircuitEntity, ManagedChargerEntity, PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry
from .tables.numbers import (
    AVAILABLE_CURRENT,
    BATTERY_NUMBERS,
    CIRCUIT_LIMIT,
    MAXIMUM_CURRENT,
    SITE_NUMBERS,
    SiteNumberDescription,
)

PARALLEL_UPDATES = 1


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


class CircuitLimitNumber(CircuitEntity, NumberEntity):
    """What one circuit may carry for now; its rating where nobody asks for less."""

    def __init__(
        self, coordinator: LoadManagerCoordinator, description: NumberEntityDescription, circuit_id: str
    ) -> None:
        """Attach the entity to one circuit."""
        super().__init__(coordinator, description, circuit_id)
        self._attr_native_max_value = coordinator.circuit_ratings[circuit_id]

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
        value = float(read_max_current(self.hass.data[SHARED].memory.charger(self.coordinator.serial)))
        self._attr_native_value = value
        return value, self.native_max_value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Change the maximum of this charger."""
        self.manager.change_charger(self.coordinator.serial, max_current_a=int(value))
