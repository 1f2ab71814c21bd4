"""Sensors of the whole site."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfPower,
    UnitOfRatio,
)
from homeassistant.helpers.typing import StateType

from ..control import CapKind, CarState, ChargerReading, ExternalPhases, SiteStatus
from ..coordinators.balance import charging_power, grid_power, house_power, pv_power
from ..coordinators.load_manager import LoadManagerCoordinator
from ..entity import PvLoadManagerEntity
from .figures import CURRENT, POWER, rounded

EXPERT: dict[str, Any] = {"entity_category": EntityCategory.DIAGNOSTIC, "entity_registry_enabled_default": False}
NO_CAP = "none"


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A figure of the whole site."""

    value_fn: Callable[[LoadManagerCoordinator], StateType]
    has_fn: Callable[[LoadManagerCoordinator], bool] = lambda _: True
    """Whether the site has it at all, as far as that is known by now."""


def _chargers(manager: LoadManagerCoordinator) -> list[ChargerReading]:
    """Return what the managed chargers say that answer."""
    readings = [manager.seen.chargers.get(serial) for serial in manager.data.chargers]
    return [reading for reading in readings if reading is not None and reading.online]


def _house_power(manager: LoadManagerCoordinator) -> float | None:
    return house_power(manager.data, manager.seen, manager.hass.loop.time(), has_battery=manager.has_battery)


def _measures_house(manager: LoadManagerCoordinator) -> bool:
    # A roof that nobody measures would make the house look smaller.
    return manager.has_power_meter and manager.seen.pv is not None


def _cars(manager: LoadManagerCoordinator, *states: CarState) -> int:
    return sum(reading.car in states for reading in _chargers(manager))


SITE_SENSORS = (
    SiteSensorDescription(
        key="state",
        translation_key="site_state",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in SiteStatus],
        value_fn=lambda manager: manager.data.status.value,
    ),
    SiteSensorDescription(
        key="surplus",
        translation_key="surplus",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.surplus_w, 0),
    ),
    SiteSensorDescription(
        key="surplus_now",
        translation_key="surplus_now",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.surplus_now_w, 0),
    ),
    SiteSensorDescription(
        key="charging_power",
        translation_key="charging_power",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(charging_power(manager.data, manager.seen), 0),
    ),
    SiteSensorDescription(
        key="house_power",
        translation_key="house_power",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(_house_power(manager), 0),
        has_fn=_measures_house,
    ),
    SiteSensorDescription(
        key="cars_charging",
        translation_key="cars_charging",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda manager: _cars(manager, CarState.CHARGING),
    ),
    SiteSensorDescription(
        key="cars_plugged",
        translation_key="cars_plugged",
        state_class=SensorStateClass.MEASUREMENT,
        value_fn=lambda manager: _cars(manager, CarState.CHARGING, CarState.WAITING, CarState.COMPLETE),
    ),
    SiteSensorDescription(
        key="allocated_current",
        translation_key="total_allocated_current",
        **CURRENT,
        suggested_display_precision=0,
        value_fn=lambda manager: sum(charger.allocated_a for charger in manager.data.chargers.values()),
    ),
    SiteSensorDescription(
        key="available_current_in_force",
        translation_key="available_current_in_force",
        **CURRENT,
        **EXPERT,
        suggested_display_precision=1,
        value_fn=lambda manager: rounded(manager.data.available_a, 1),
    ),
    SiteSensorDescription(
        key="quarter_mean",
        translation_key="quarter_mean",
        device_class=SensorDeviceClass.POWER,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.quarter_mean_w, 0),
    ),
    SiteSensorDescription(
        key="month_peak",
        translation_key="month_peak",
        **POWER,
        entity_registry_enabled_default=False,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.month_peak_w, 0),
    ),
    SiteSensorDescription(
        key="peak_limit_in_force",
        translation_key="peak_limit_in_force",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.peak_limit_w or None, 0),
        has_fn=lambda manager: manager.has_power_meter,
    ),
    SiteSensorDescription(
        key="power_limit",
        translation_key="power_limit",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: None if manager.data.cap is None else rounded(manager.data.cap.power_w, 0),
    ),
    SiteSensorDescription(
        key="power_limit_cause",
        translation_key="power_limit_cause",
        **EXPERT,
        device_class=SensorDeviceClass.ENUM,
        options=[NO_CAP, *(kind.value for kind in CapKind)],
        value_fn=lambda manager: NO_CAP if manager.data.cap is None else manager.data.cap.kind.value,
    ),
    SiteSensorDescription(
        key="grid_power",
        translation_key="grid_power",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(grid_power(manager.data, manager.seen), 0),
        has_fn=lambda manager: manager.has_power_meter,
    ),
    SiteSensorDescription(
        key="pv_power",
        translation_key="pv_power",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(pv_power(manager.data, manager.seen, manager.hass.loop.time()), 0),
        has_fn=lambda manager: manager.seen.pv is not None,
    ),
    SiteSensorDescription(
        key="battery_power",
        translation_key="battery_power",
        **POWER,
        **EXPERT,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.battery_w, 0),
        has_fn=lambda manager: manager.has_battery,
    ),
    SiteSensorDescription(
        key="battery_state_of_charge",
        translation_key="battery_state_of_charge",
        **EXPERT,
        device_class=SensorDeviceClass.BATTERY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda manager: rounded(manager.data.soc, 1),
        has_fn=lambda manager: manager.has_battery,
    ),
    SiteSensorDescription(
        key="error_flags",
        translation_key="error_flags",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda manager: int(manager.data.errors),
    ),
)

# "unavailable" is what Home Assistant says of an entity that has nothing to say.
EXTERNAL_STATES = {state: state.name.lower() for state in ExternalPhases} | {ExternalPhases.UNAVAILABLE: "impossible"}
EXTERNAL_CONTROL = SiteSensorDescription(
    key="external_control",
    translation_key="external_control",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=list(EXTERNAL_STATES.values()),
    value_fn=lambda manager: EXTERNAL_STATES[manager.data.external],
)


class SiteSensor(PvLoadManagerEntity[LoadManagerCoordinator], SensorEntity):
    """A figure of the whole site."""

    entity_description: SiteSensorDescription

    @override
    def refresh(self) -> StateType:
        """Take the figure from the plan, or from what it was made of."""
        value = self.entity_description.value_fn(self.coordinator)
        self._attr_native_value = value
        return value


class ExternalControlSensor(SiteSensor):
    """Whether a number of phases may be requested, and if not, why."""

    _attr_extra_state_attributes: dict[str, Any]

    @override
    def refresh(self) -> StateType:
        """Take state and cause from the plan."""
        self._attr_extra_state_attributes = {"cause": self.coordinator.data.external_cause.name.lower()}
        return super().refresh()
