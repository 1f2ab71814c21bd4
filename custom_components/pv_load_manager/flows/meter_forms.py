"""Forms for a meter that consists of sensors; the house connection and every circuit can have one."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..const import (
    CONF_METER_DIRECTION,
    CONF_METER_ENTITY,
    CONF_METER_EXPORT_ENTITY,
    CONF_METER_EXPORT_PHASES,
    CONF_METER_KIND,
    CONF_METER_MAX_AGE,
    CONF_METER_PHASES,
    CONF_METER_VOLTAGES,
    MAX_METER_AGE,
    MeterDirection,
    MeterKind,
)
from ..control import GridReading
from ..coordinators.meter import SensorMeter
from ..coordinators.meter_config import MeterConfig, current_of, power_of, voltage_of
from .numbers import number, whole

METER_RANGES: Final = {"max_age": str(MAX_METER_AGE)}
_VOLTAGE_FIELDS: Final = frozenset(CONF_METER_VOLTAGES)
_FIELDS: Final = frozenset(
    (
        CONF_METER_KIND,
        CONF_METER_DIRECTION,
        CONF_METER_MAX_AGE,
        CONF_METER_ENTITY,
        CONF_METER_EXPORT_ENTITY,
        *CONF_METER_PHASES,
        *CONF_METER_EXPORT_PHASES,
        *CONF_METER_VOLTAGES,
    )
)
_PHASE_FIELDS: Final = frozenset((*CONF_METER_PHASES, *CONF_METER_EXPORT_PHASES))


def sensors_schema(kind: MeterKind, phases: int, *, total: bool = True) -> probatio.Schema:
    """Return the form for the sensors of a meter.

    Args:
        kind: what they measure.
        phases: phases of the house.
        total: whether a total power next to phase currents is of any use.
    """
    by_phase = kind is not MeterKind.TOTAL_POWER
    measured = _sensor(SensorDeviceClass.CURRENT if kind is MeterKind.PHASE_CURRENT else SensorDeviceClass.POWER)
    directions = [MeterDirection.IMPORT_POSITIVE, MeterDirection.EXPORT_POSITIVE]
    if kind is not MeterKind.PHASE_CURRENT:
        directions.append(MeterDirection.SEPARATE)
    fields: dict[probatio.Marker, Any] = {
        probatio.Required(key): measured for key in (CONF_METER_PHASES[:phases] if by_phase else (CONF_METER_ENTITY,))
    }
    fields[probatio.Required(CONF_METER_DIRECTION, default=MeterDirection.IMPORT_POSITIVE.value)] = SelectSelector(
        SelectSelectorConfig(
            options=[direction.value for direction in directions],
            translation_key=CONF_METER_DIRECTION,
            mode=SelectSelectorMode.LIST,
        )
    )
    if kind is MeterKind.PHASE_CURRENT and total:
        fields[probatio.Optional(CONF_METER_ENTITY)] = _sensor(SensorDeviceClass.POWER)
    if by_phase:
        fields |= {probatio.Optional(key): _sensor(SensorDeviceClass.VOLTAGE) for key in CONF_METER_VOLTAGES[:phases]}
    fields[probatio.Optional(CONF_METER_MAX_AGE)] = number("s")
    return probatio.Schema(fields)


def export_schema(kind: MeterKind, phases: int) -> probatio.Schema:
    """Return the form for the sensors of the export, where it has its own."""
    keys = (CONF_METER_EXPORT_ENTITY,) if kind is MeterKind.TOTAL_POWER else CONF_METER_EXPORT_PHASES[:phases]
    return probatio.Schema({probatio.Required(key): _sensor(SensorDeviceClass.POWER) for key in keys})


def sensor_errors(
    hass: HomeAssistant, kind: MeterKind, user_input: Mapping[str, Any], used: Collection[str] = ()
) -> dict[str, str]:
    """Return what is wrong with chosen sensors, by field.

    Args:
        hass: where their states are.
        kind: what the meter measures.
        user_input: what was chosen.
        used: sensors that the meter has already.
    """
    errors: dict[str, str] = {}
    seen = set(used)
    for field, value in user_input.items():
        if field == CONF_METER_MAX_AGE:
            if not whole(value, 1, MAX_METER_AGE):
                errors[field] = "max_age_out_of_range"
            continue
        if field == CONF_METER_DIRECTION:
            continue
        state = hass.states.get(value)
        if state is None:
            errors[field] = "entity_not_found"
        elif value in seen:
            errors[field] = "entity_used_twice"
        elif field in _VOLTAGE_FIELDS:
            if voltage_of(state) is None:
                errors[field] = "not_a_voltage"
        elif field in _PHASE_FIELDS and kind is MeterKind.PHASE_CURRENT:
            if current_of(state) is None:
                errors[field] = "not_a_current"
        elif power_of(state) is None:
            errors[field] = "not_a_power"
        seen.add(value)
    return errors


def sensors_data(kind: MeterKind, user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return chosen sensors as they are stored."""
    data = {CONF_METER_KIND: kind.value, **user_input}
    if CONF_METER_MAX_AGE in data:
        data[CONF_METER_MAX_AGE] = int(data[CONF_METER_MAX_AGE])
    return data


def without_sensors(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that names no sensors of a meter."""
    return {key: value for key, value in data.items() if key not in _FIELDS}


def chosen_sensors(data: Mapping[str, Any]) -> set[str]:
    """Return the sensors that a configuration names already."""
    keys = (CONF_METER_ENTITY, *CONF_METER_PHASES, *CONF_METER_VOLTAGES)
    return {data[key] for key in keys if data.get(key)}


def present_reading(hass: HomeAssistant, meter: MeterConfig) -> GridReading | None:
    """Return what a meter says now."""
    sensors = SensorMeter(hass, meter, lambda: None)
    sensors.async_start()()
    return sensors.reading()


def _sensor(device_class: SensorDeviceClass) -> EntitySelector:
    return EntitySelector(EntitySelectorConfig(filter=[{"domain": "sensor", "device_class": device_class.value}]))
