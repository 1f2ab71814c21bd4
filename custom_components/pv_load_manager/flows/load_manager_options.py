"""Options of the load manager: the solar installation, production and battery, and the grid operator."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector, EntitySelector, EntitySelectorConfig
import probatio

from ..const import (
    CONF_BATTERY_INVERTED,
    CONF_BATTERY_SOURCE,
    CONF_DIMMING_ENTITY,
    CONF_DIMMING_POWER,
    CONF_DIMMING_TOTAL,
    CONF_EXPORT_LIMIT,
    CONF_INVERTER_AC,
    CONF_METER_ENTRY,
    CONF_SOURCES,
    CONF_SOURCES_RIGHT,
    DEFAULT_DIMMING_POWER,
    MAX_SOLAR_POWER,
    MIN_DIMMING_POWER,
)
from . import source_forms
from .live import Answer, shown_power
from .meter_check import MeterCheckSteps
from .numbers import number, whole
from .presets import disabled_names, preset_error, site_presets

INPUTS: Final = ["binary_sensor", "input_boolean", "switch"]
SOLAR: Final = probatio.Schema(
    {
        probatio.Optional(CONF_INVERTER_AC): number("W"),
        probatio.Optional(CONF_EXPORT_LIMIT): number("W"),
        probatio.Required(CONF_BATTERY_INVERTED, default=False): BooleanSelector(),
    }
)
GRID_OPERATOR: Final = probatio.Schema(
    {
        probatio.Optional(CONF_DIMMING_ENTITY): EntitySelector(EntitySelectorConfig(domain=INPUTS)),
        probatio.Required(CONF_DIMMING_POWER, default=DEFAULT_DIMMING_POWER): number("W"),
        probatio.Required(CONF_DIMMING_TOTAL, default=False): BooleanSelector(),
    }
)
SOLAR_RANGES: Final = {"max_solar": str(MAX_SOLAR_POWER)}
DIMMING_RANGES: Final = {"min_dimming": str(MIN_DIMMING_POWER), "max_dimming": str(MAX_SOLAR_POWER)}


class LoadManagerOptionsFlow(MeterCheckSteps):
    """Changes the options of the load manager; the entry's own listener reloads it, and cars charge on."""

    def __init__(self) -> None:
        """Begin without any answer."""
        super().__init__()
        self._proposed: Mapping[str, Any] | None = None
        self._sources: dict[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the choice of a form."""
        return await self.async_step_site()

    async def async_step_site(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what shall be changed."""
        return self.async_show_menu(step_id="site", menu_options=["solar", "sources", "grid_operator", "check_meter"])

    async def async_step_solar(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for inverter, export limit and battery."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = solar_errors(user_input)
            if not errors:
                return self._saved(SOLAR, solar_data(user_input))
        _, battery = source_forms.present(self.hass, {}, self.config_entry.data.get(CONF_METER_ENTRY))
        says = shown_power(battery.power_w if battery is not None else None)
        return self._form("solar", SOLAR, user_input, errors, SOLAR_RANGES | {"battery": says})

    async def async_step_sources(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where production and battery come from."""
        presets = {preset.key: preset for preset in site_presets(self.hass)}
        chosen = None if user_input is None else user_input[CONF_SOURCES]
        errors: dict[str, str] = {}
        if chosen == source_forms.FROM_INVERTERS:
            return self._saved(source_forms.SENSORS, {})
        if chosen is not None:
            error = preset_error(presets, chosen, {source_forms.OWN_SENSORS})
            if error is None:
                self._proposed = presets[chosen].values if chosen in presets else None
                return await self.async_step_source_sensors()
            errors[CONF_SOURCES] = error
        return self.async_show_form(
            step_id="sources",
            data_schema=self.add_suggested_values_to_schema(
                source_forms.choice_schema(tuple(presets.values())),
                user_input or source_forms.choice_values(self.config_entry.options),
            ),
            errors=errors,
            description_placeholders={"disabled": disabled_names(presets, chosen)},
        )

    async def async_step_source_sensors(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the sensors of production and battery."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = source_forms.sensor_errors(self.hass, user_input)
            if not errors:
                self._sources = source_forms.sensors_data(user_input)
                return await self.async_step_source_check()
        values = self._proposed if user_input is None else user_input
        return self._form("source_sensors", source_forms.SENSORS, values, errors, source_forms.SOURCE_RANGES)

    async def async_step_source_check(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether what the sensors say now is right."""
        answer = None if user_input is None else user_input[CONF_SOURCES_RIGHT]
        if answer == Answer.YES:
            return self._saved(source_forms.SENSORS, self._sources)
        if answer == Answer.OTHER:
            self._proposed = self._sources
            return await self.async_step_source_sensors()
        if answer == Answer.REVERSED:
            self._sources |= source_forms.other_way_round(self._sources)
        pv, battery = source_forms.present(self.hass, self._sources, self.config_entry.data.get(CONF_METER_ENTRY))
        return self.async_show_form(
            step_id="source_check",
            data_schema=source_forms.check_schema(self._sources, battery),
            description_placeholders=source_forms.check_placeholders(pv, battery),
        )

    async def async_step_grid_operator(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the input with which the grid operator dims the chargers."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._dimming_errors(user_input)
            if not errors:
                return self._saved(GRID_OPERATOR, dimming_data(user_input))
        return self._form("grid_operator", GRID_OPERATOR, user_input, errors, DIMMING_RANGES)

    def _dimming_errors(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        errors: dict[str, str] = {}
        if not whole(user_input[CONF_DIMMING_POWER], MIN_DIMMING_POWER, MAX_SOLAR_POWER):
            errors[CONF_DIMMING_POWER] = "dimming_power_out_of_range"
        entity_id = user_input.get(CONF_DIMMING_ENTITY)
        if entity_id is not None and self.hass.states.get(entity_id) is None:
            errors[CONF_DIMMING_ENTITY] = "entity_not_found"
        return errors

    def _form(
        self,
        step_id: str,
        schema: probatio.Schema,
        user_input: Mapping[str, Any] | None,
        errors: dict[str, str],
        ranges: Mapping[str, str],
    ) -> ConfigFlowResult:
        values = self.config_entry.options if user_input is None else user_input
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
            description_placeholders=dict(ranges),
        )

    def _saved(self, schema: probatio.Schema, data: Mapping[str, Any]) -> ConfigFlowResult:
        """End with what one form says; what the other one said stays."""
        asked = {str(key) for key in schema.schema}
        if schema is source_forms.SENSORS:
            asked.add(CONF_BATTERY_SOURCE)  # who fills in the form means what it says
        kept = {key: value for key, value in self.config_entry.options.items() if key not in asked}
        return self.async_create_entry(data={**kept, **data})


def solar_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the solar installation, by field."""
    errors: dict[str, str] = {}
    for field in (CONF_INVERTER_AC, CONF_EXPORT_LIMIT):
        if not whole(user_input.get(field, 0), 0, MAX_SOLAR_POWER):
            errors[field] = "solar_power_out_of_range"
    return errors


def solar_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the solar installation as it is stored; what was left empty is not known."""
    return {key: value if isinstance(value, bool) else int(value) for key, value in user_input.items()}


def dimming_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the grid operator's input as it is stored."""
    return {**user_input, CONF_DIMMING_POWER: int(user_input[CONF_DIMMING_POWER])}
