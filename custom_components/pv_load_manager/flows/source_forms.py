"""Forms for the sensors of production and battery, beside or instead of the inverters."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
import probatio

from ..const import (
    CONF_BATTERY_CHARGE_SENSORS,
    CONF_BATTERY_DIRECTION,
    CONF_BATTERY_SENSORS,
    CONF_BATTERY_SOC_SENSORS,
    CONF_PV_SENSORS,
    CONF_SOURCES,
    CONF_SOURCES_MAX_AGE,
    CONF_SOURCES_RIGHT,
    MAX_METER_AGE,
    BatteryDirection,
)
from ..control import BatteryReading, PvReading
from ..coordinators.meter_config import percent_of, power_of
from ..coordinators.sources import Sources
from .live import NOT_KNOWN, question, shown_power
from .numbers import number, whole
from .presets import Preset

FROM_INVERTERS: Final = "inverters"
OWN_SENSORS: Final = "sensors"
SOURCE_RANGES: Final = {"max_age": str(MAX_METER_AGE)}
_POWERS: Final = EntitySelector(
    EntitySelectorConfig(filter=[{"domain": "sensor", "device_class": SensorDeviceClass.POWER.value}], multiple=True)
)
_LEVELS: Final = EntitySelector(
    EntitySelectorConfig(filter=[{"domain": "sensor", "unit_of_measurement": "%"}], multiple=True)
)
SENSORS: Final = probatio.Schema(
    {
        probatio.Optional(CONF_PV_SENSORS): _POWERS,
        probatio.Optional(CONF_BATTERY_SENSORS): _POWERS,
        probatio.Required(CONF_BATTERY_DIRECTION, default=BatteryDirection.DISCHARGE_POSITIVE.value): SelectSelector(
            SelectSelectorConfig(
                options=[direction.value for direction in BatteryDirection],
                translation_key=CONF_BATTERY_DIRECTION,
                mode=SelectSelectorMode.LIST,
            )
        ),
        probatio.Optional(CONF_BATTERY_CHARGE_SENSORS): _POWERS,
        probatio.Optional(CONF_BATTERY_SOC_SENSORS): _LEVELS,
        probatio.Optional(CONF_SOURCES_MAX_AGE): number("s"),
    }
)


def choice_schema(presets: Sequence[Preset]) -> probatio.Schema:
    """Return the form for where production and battery come from."""
    options = [SelectOptionDict(value=FROM_INVERTERS, label=FROM_INVERTERS)]
    options += [SelectOptionDict(value=preset.key, label=preset.label) for preset in presets]
    options.append(SelectOptionDict(value=OWN_SENSORS, label=OWN_SENSORS))
    return probatio.Schema(
        {
            probatio.Required(CONF_SOURCES): SelectSelector(
                SelectSelectorConfig(options=options, translation_key=CONF_SOURCES, mode=SelectSelectorMode.LIST)
            )
        }
    )


def choice_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the present choice."""
    own = options.get(CONF_PV_SENSORS) or options.get(CONF_BATTERY_SENSORS)
    return {CONF_SOURCES: OWN_SENSORS if own else FROM_INVERTERS}


def sensor_errors(hass: HomeAssistant, user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the chosen sensors, by field."""
    errors: dict[str, str] = {}
    for field in (CONF_PV_SENSORS, CONF_BATTERY_SENSORS, CONF_BATTERY_CHARGE_SENSORS, CONF_BATTERY_SOC_SENSORS):
        for state in map(hass.states.get, user_input.get(field, ())):
            if state is None:
                errors[field] = "entity_not_found"
            elif field == CONF_BATTERY_SOC_SENSORS:
                if percent_of(state) is None:
                    errors[field] = "not_a_percentage"
            elif power_of(state) is None:
                errors[field] = "not_a_power"
    return errors | _combination_errors(user_input)


def _combination_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with sensors beside each other, and with their age."""
    errors: dict[str, str] = {}
    battery, charging = user_input.get(CONF_BATTERY_SENSORS, []), user_input.get(CONF_BATTERY_CHARGE_SENSORS, [])
    separate = user_input[CONF_BATTERY_DIRECTION] == BatteryDirection.SEPARATE
    if separate and battery and not charging:
        errors[CONF_BATTERY_CHARGE_SENSORS] = "sensor_missing"
    elif separate and charging and not battery:
        errors[CONF_BATTERY_SENSORS] = "sensor_missing"
    elif set(battery) & set(charging):
        errors[CONF_BATTERY_CHARGE_SENSORS] = "entity_used_twice"
    elif not battery and not user_input.get(CONF_PV_SENSORS):
        errors[CONF_PV_SENSORS] = "sensor_missing"
    if not whole(user_input.get(CONF_SOURCES_MAX_AGE, 1), 1, MAX_METER_AGE):
        errors[CONF_SOURCES_MAX_AGE] = "max_age_out_of_range"
    return errors


def sensors_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chosen sensors as they are stored; charging has sensors only where they are of any use."""
    data = {key: value for key, value in user_input.items() if value != []}
    if data[CONF_BATTERY_DIRECTION] != BatteryDirection.SEPARATE:
        data.pop(CONF_BATTERY_CHARGE_SENSORS, None)
    if CONF_SOURCES_MAX_AGE in data:
        data[CONF_SOURCES_MAX_AGE] = int(data[CONF_SOURCES_MAX_AGE])
    return data


def other_way_round(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes when the battery's sensors count the other direction as positive."""
    direction = BatteryDirection(data[CONF_BATTERY_DIRECTION])
    if direction is BatteryDirection.SEPARATE:
        return {
            CONF_BATTERY_SENSORS: data[CONF_BATTERY_CHARGE_SENSORS],
            CONF_BATTERY_CHARGE_SENSORS: data[CONF_BATTERY_SENSORS],
        }
    charging = direction is BatteryDirection.DISCHARGE_POSITIVE
    new = BatteryDirection.CHARGE_POSITIVE if charging else BatteryDirection.DISCHARGE_POSITIVE
    return {CONF_BATTERY_DIRECTION: new.value}


def present(
    hass: HomeAssistant, options: Mapping[str, Any], grid_meter: str | None
) -> tuple[PvReading | None, BatteryReading | None]:
    """Return production and battery as they are now with some options.

    Args:
        hass: where sensors and inverters are.
        options: with the sensors that were chosen.
        grid_meter: serial number of the inverter with the grid meter.
    """
    sources = Sources(hass, options, grid_meter)
    sources.async_start()()
    return sources.pv(), sources.battery()


def check_schema(data: Mapping[str, Any], battery: BatteryReading | None) -> probatio.Schema:
    """Return the form that asks whether what the sensors say now is right."""
    own = bool(data.get(CONF_BATTERY_SENSORS))
    power = battery.power_w if own and battery is not None else None
    return question(CONF_SOURCES_RIGHT, "battery", power, reversible=own)


def check_placeholders(pv: PvReading | None, battery: BatteryReading | None) -> dict[str, str]:
    """Return what the sensors say now."""
    level = battery.state_of_charge if battery is not None else None
    return {
        "pv": shown_power(pv.power_w if pv is not None else None),
        "battery": shown_power(battery.power_w if battery is not None else None),
        "level": NOT_KNOWN if level is None else f"{level:.0f} %",
    }
