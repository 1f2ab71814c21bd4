"""Sensors of one inverter."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfPower,
    UnitOfRatio,
)
from homeassistant.helpers.typing import StateType

from ..coordinators.inverter import InverterCoordinator
from ..entity import PvLoadManagerEntity
from ..solaredge import InverterData
from .figures import rounded


@dataclass(frozen=True, kw_only=True)
class InverterSensorDescription(SensorEntityDescription):
    """A figure of one inverter."""

    value_fn: Callable[[InverterData], StateType]
    age_fn: Callable[[InverterData], float | None]
    """When the part was last asked with success, monotonic seconds; None = it never answered."""
    has_fn: Callable[[InverterCoordinator], bool] = lambda _: True


STALE = 30.0  # s; a part of an inverter that is silent for three polls is shown as unavailable


def _grid_at(data: InverterData) -> float | None:
    return data.grid.at if data.grid is not None else None


def _pv_at(data: InverterData) -> float | None:
    return data.pv.at if data.pv is not None else None


def _battery_at(data: InverterData) -> float | None:
    return data.battery.at if data.battery is not None else None


def _grid_current(index: int) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"grid_current_l{index + 1}",
        translation_key=f"grid_current_l{index + 1}",
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
        value_fn=lambda data: rounded(data.grid.currents_a[index], 2) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.has_grid_meter and (index == 0 or inverter.grid_meter_has_phases),
    )


INVERTER_SENSORS = (
    InverterSensorDescription(
        key="pv_power",
        translation_key="pv_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.pv.power_w, 0) if data.pv is not None else None,
        age_fn=_pv_at,
    ),
    InverterSensorDescription(
        key="grid_power",
        translation_key="grid_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.grid.power_w, 0) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.has_grid_meter,
    ),
    _grid_current(0),
    _grid_current(1),
    _grid_current(2),
    InverterSensorDescription(
        key="battery_power",
        translation_key="battery_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.battery.power_w, 0) if data.battery is not None else None,
        age_fn=_battery_at,
        has_fn=lambda inverter: inverter.has_battery,
    ),
    InverterSensorDescription(
        key="battery_state_of_charge",
        translation_key="battery_state_of_charge",
        device_class=SensorDeviceClass.BATTERY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.battery.state_of_charge, 1) if data.battery is not None else None,
        age_fn=_battery_at,
        has_fn=lambda inverter: inverter.has_battery,
    ),
)


class InverterSensor(PvLoadManagerEntity[InverterCoordinator], SensorEntity):
    """A figure of one inverter."""

    entity_description: InverterSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Return whether this part of the inverter still answers."""
        at = self.entity_description.age_fn(self.coordinator.data)
        return super().available and at is not None and self.hass.loop.time() - at < STALE

    @override
    def refresh(self) -> StateType:
        """Take the figure from the inverter."""
        value = self.entity_description.value_fn(self.coordinator.data)
        self._attr_native_value = value
        return value
