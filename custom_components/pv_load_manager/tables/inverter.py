"""Sensors of one inverter."""

from collections.abc import Callable, Iterator
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
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfRatio,
)
from homeassistant.helpers.typing import StateType

from ..coordinators.inverter import InverterCoordinator
from ..entity import PvLoadManagerEntity
from ..solaredge import InverterData, MeterData, OtherMeter
from .figures import CURRENT, ENERGY, POWER, SteadyEnergySensor, rounded


@dataclass(frozen=True, kw_only=True)
class InverterSensorDescription(SensorEntityDescription):
    """A figure of one inverter."""

    value_fn: Callable[[InverterData], StateType]
    age_fn: Callable[[InverterData], float | None]
    """When the part was last asked with success, monotonic seconds; None = it never answered."""
    has_fn: Callable[[InverterCoordinator], bool] = lambda _: True


STATUSES = ["off", "sleeping", "starting", "producing", "throttled", "shutting_down", "fault", "standby"]
PATIENCE = 3600.0  # s; around sleep and restarts inverters show counters that are too low for long
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
        **CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
        value_fn=lambda data: rounded(data.grid.currents_a[index], 2) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.protects(1) and (index == 0 or inverter.grid_meter_has_phases),
    )


def _grid_voltage(index: int) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"grid_voltage_l{index + 1}",
        translation_key=f"grid_voltage_l{index + 1}",
        device_class=SensorDeviceClass.VOLTAGE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricPotential.VOLT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data: rounded(data.grid.voltages_v[index], 1) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.protects(1) and (index == 0 or inverter.grid_meter_has_phases),
    )


def _pv_energy(data: InverterData) -> float | None:
    return data.pv.energy_wh if data.pv is not None else None


def _grid_import(data: InverterData) -> float | None:
    return data.grid.imported_wh if data.grid is not None else None


def _grid_export(data: InverterData) -> float | None:
    return data.grid.exported_wh if data.grid is not None else None


def _energy(
    key: str,
    value_fn: Callable[[InverterData], float | None],
    age_fn: Callable[[InverterData], float | None],
    has_fn: Callable[[InverterCoordinator], bool],
) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=key,
        translation_key=key,
        **ENERGY,
        suggested_display_precision=1,
        value_fn=value_fn,
        age_fn=age_fn,
        has_fn=has_fn,
    )


ENERGY_SENSORS = (
    _energy("pv_energy", _pv_energy, _pv_at, lambda inverter: inverter.counts_energy),
    _energy(
        "grid_import_energy",
        _grid_import,
        _grid_at,
        lambda inverter: inverter.counts_energy and inverter.has_grid_meter,
    ),
    _energy(
        "grid_export_energy",
        _grid_export,
        _grid_at,
        lambda inverter: inverter.counts_energy and inverter.has_grid_meter,
    ),
)

INVERTER_SENSORS = (
    InverterSensorDescription(
        key="inverter_status",
        translation_key="inverter_status",
        device_class=SensorDeviceClass.ENUM,
        options=STATUSES,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda data: data.pv.status if data.pv is not None else None,
        age_fn=_pv_at,
        has_fn=lambda inverter: inverter.counts_energy,
    ),
    InverterSensorDescription(
        key="pv_power",
        translation_key="pv_power",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.pv.power_w, 0) if data.pv is not None else None,
        age_fn=_pv_at,
    ),
    InverterSensorDescription(
        key="grid_power",
        translation_key="grid_power",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda data: rounded(data.grid.power_w, 0) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.has_grid_meter,
    ),
    _grid_current(0),
    _grid_current(1),
    _grid_current(2),
    _grid_voltage(0),
    _grid_voltage(1),
    _grid_voltage(2),
    InverterSensorDescription(
        key="battery_power",
        translation_key="battery_power",
        **POWER,
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
    InverterSensorDescription(
        key="battery_capacity",
        translation_key="battery_capacity",
        device_class=SensorDeviceClass.ENERGY_STORAGE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda data: rounded(data.battery.capacity_wh, 0) if data.battery is not None else None,
        age_fn=_battery_at,
        has_fn=lambda inverter: inverter.counts_energy and inverter.has_battery,
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
        longest = max(STALE, self.coordinator.patience)
        return super().available and at is not None and self.hass.loop.time() - at < longest

    @override
    def refresh(self) -> StateType:
        """Take the figure from the inverter."""
        value = self.entity_description.value_fn(self.coordinator.data)
        self._attr_native_value = value
        return value


class InverterEnergySensor(SteadyEnergySensor[InverterCoordinator], InverterSensor):
    """A lifetime counter that neither falls nor jumps, also not over a restart."""

    _patience = PATIENCE

    @override
    def refresh(self) -> StateType:
        """Take the counter unless it shows what it cannot have counted."""
        data, description = self.coordinator.data, self.entity_description
        at = description.age_fn(data)
        value = description.value_fn(data)
        counted = value if isinstance(value, int | float) else None
        result = rounded(self._total.after(counted, at if at is not None else self.hass.loop.time()), 0)
        self._attr_native_value = result
        return result


def meter_sensors(inverter: InverterCoordinator) -> Iterator[InverterSensorDescription]:
    """Return the sensors of every meter that is not at the house connection."""
    for meter in inverter.other_meters:
        yield _meter_power(meter)
        yield from (_meter_current(meter, index) for index in range(3 if meter.three_phase else 1))


def _meter_power(meter: OtherMeter) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"meter_{meter.key}_power",
        translation_key="meter_power",
        translation_placeholders={"number": str(meter.slot)},
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda data: _of_meter(data, meter, lambda shown: rounded(shown.power_w, 0)),
        age_fn=lambda data: _of_meter(data, meter, lambda shown: shown.at),
    )


def _meter_current(meter: OtherMeter, index: int) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"meter_{meter.key}_current_l{index + 1}",
        translation_key=f"meter_current_l{index + 1}",
        translation_placeholders={"number": str(meter.slot)},
        **CURRENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=lambda data: _of_meter(data, meter, lambda shown: rounded(shown.currents_a[index], 2)),
        age_fn=lambda data: _of_meter(data, meter, lambda shown: shown.at),
    )


def meter_energies(inverter: InverterCoordinator) -> Iterator[InverterSensorDescription]:
    """Return the counters of every meter that is not at the house connection.

    What another roof makes stands in one of them and nowhere else.
    """
    for meter in inverter.other_meters:
        yield _meter_energy(meter, "imported", lambda shown: shown.imported_wh)
        yield _meter_energy(meter, "exported", lambda shown: shown.exported_wh)


def _meter_energy(
    meter: OtherMeter, direction: str, value_fn: Callable[[MeterData], float | None]
) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"meter_{meter.key}_{direction}_energy",
        translation_key=f"meter_{direction}_energy",
        translation_placeholders={"number": str(meter.slot)},
        **ENERGY,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=lambda data: _of_meter(data, meter, value_fn),
        age_fn=lambda data: _of_meter(data, meter, lambda shown: shown.at),
    )


def _of_meter(data: InverterData, meter: OtherMeter, take: Callable[[MeterData], float | None]) -> float | None:
    shown = data.meters.get(meter.slot)
    return None if shown is None else take(shown)
