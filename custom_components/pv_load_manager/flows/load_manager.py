"""The steps that set up the load manager: house connection, grid meter, protection."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult

from ..const import (
    CONF_DYNAMIC,
    CONF_ENTRY_TYPE,
    CONF_EXPECTED_CHARGERS,
    CONF_MAIN_FUSE,
    CONF_METER,
    CONF_METER_DIRECTION,
    CONF_METER_ENTITY,
    CONF_METER_ENTRY,
    CONF_METER_RIGHT,
    CONF_METER_SOURCE,
    CONF_PHASES,
    CONF_SERIAL,
    DOMAIN,
    LOAD_MANAGER_ID,
    EntryType,
    MeterDirection,
    MeterKind,
    MeterSource,
)
from ..coordinators.meter_config import other_way_round
from ..coordinators.meter_report import METER_LAG
from ..shared import SHARED, charger_entries, inverter_protects, loaded_inverter
from . import forms, meter_forms, protection_forms
from .live import Answer
from .presets import Preset, disabled_names, meter_presets, preset_error
from .steps import Steps

SENSOR_STEPS: Final = {
    MeterKind.TOTAL_POWER: "grid_sensor",
    MeterKind.PHASE_POWER: "grid_phase_power",
    MeterKind.PHASE_CURRENT: "grid_phase_current",
}


class LoadManagerSteps(Steps):
    """Adds or reconfigures the load manager."""

    def __init__(self) -> None:
        """Begin with a meter of one sensor."""
        super().__init__()
        self._kind = MeterKind.TOTAL_POWER
        self._proposed: Mapping[str, Any] = {}

    async def async_step_load_manager(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the load manager; there is one per house."""
        # A flow that was left behind in a closed browser is in nobody's way; it ends with the entry.
        await self.async_set_unique_id(LOAD_MANAGER_ID, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return await self.async_step_connection()

    async def async_step_connection(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the house connection."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = forms.connection_errors(user_input)
            if not errors:
                self._data |= {
                    CONF_PHASES: int(user_input[CONF_PHASES]),
                    CONF_MAIN_FUSE: int(user_input[CONF_MAIN_FUSE]),
                    CONF_EXPECTED_CHARGERS: int(user_input[CONF_EXPECTED_CHARGERS]),
                }
                return await self.async_step_grid_meter()
        return self.async_show_form(
            step_id="connection",
            data_schema=self.add_suggested_values_to_schema(
                forms.connection_schema(len(charger_entries(self.hass))),
                user_input or forms.connection_values(self._former),
            ),
            errors=errors,
            description_placeholders=forms.CONNECTION_RANGES,
        )

    async def async_step_grid_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which meter sees the house connection."""
        inverters = {
            entry.data[CONF_SERIAL]: entry.title
            for entry in self.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
            if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE
        }
        presets = {preset.key: preset for preset in meter_presets(self.hass, self._data[CONF_PHASES])}
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_METER]
            errors = self._meter_errors(chosen, presets, inverters)
            if not errors:
                return await self._async_meter(chosen, presets.get(chosen))
        choices = tuple(presets.values())
        protecting = [serial for serial in inverters if inverter_protects(self.hass, serial, self._data[CONF_PHASES])]
        return self.async_show_form(
            step_id="grid_meter",
            data_schema=self.add_suggested_values_to_schema(
                forms.meter_schema(inverters, choices),
                user_input or forms.meter_values(self._former, inverters, choices, protecting),
            ),
            errors=errors,
            description_placeholders={"disabled": disabled_names(presets, (user_input or {}).get(CONF_METER))},
        )

    def _meter_errors(self, chosen: str, presets: Mapping[str, Preset], inverters: Mapping[str, str]) -> dict[str, str]:
        errors: dict[str, str] = {}
        error = preset_error(presets, chosen, {*inverters, *forms.SENSOR_KINDS, MeterSource.NONE.value})
        inverter = loaded_inverter(self.hass, chosen)
        if error is not None:
            errors[CONF_METER] = error
        elif inverter is not None and not inverter.has_grid_meter:
            errors[CONF_METER] = "inverter_without_meter"
        return errors

    async def _async_meter(self, chosen: str, preset: Preset | None) -> ConfigFlowResult:
        """Go on with a meter; the sensors of another one count no more."""
        self._data = meter_forms.without_sensors(self._data)
        if preset is not None or chosen in forms.SENSOR_KINDS:
            self._kind = preset.kind if preset is not None else forms.SENSOR_KINDS[chosen]
            self._proposed = preset.values if preset is not None else {}
            return await self._async_sensors()
        source = MeterSource.NONE if chosen == MeterSource.NONE else MeterSource.SOLAREDGE
        serial = chosen if source is MeterSource.SOLAREDGE else None
        self._data |= {CONF_METER_SOURCE: source.value, CONF_METER_ENTRY: serial, CONF_METER_ENTITY: None}
        return await self.async_step_protection()

    async def _async_sensors(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the sensors that measure the house connection."""
        errors: dict[str, str] = {}
        phases = self._data[CONF_PHASES]
        if user_input is not None:
            errors = meter_forms.sensor_errors(self.hass, self._kind, user_input)
            if not errors:
                self._data |= {
                    CONF_METER_SOURCE: MeterSource.SENSOR.value,
                    CONF_METER_ENTRY: None,
                    CONF_METER_ENTITY: None,
                    **meter_forms.sensors_data(self._kind, user_input),
                }
                if user_input[CONF_METER_DIRECTION] == MeterDirection.SEPARATE:
                    return await self.async_step_grid_export()
                return await self.async_step_protection()
        return self.async_show_form(
            step_id=SENSOR_STEPS[self._kind],
            data_schema=self.add_suggested_values_to_schema(
                meter_forms.sensors_schema(self._kind, phases), user_input or self._proposed or self._former
            ),
            errors=errors,
            description_placeholders=meter_forms.METER_RANGES,
        )

    async_step_grid_sensor = _async_sensors
    async_step_grid_phase_power = _async_sensors
    async_step_grid_phase_current = _async_sensors

    async def async_step_grid_export(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the sensors of what the house feeds in."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = meter_forms.sensor_errors(
                self.hass, self._kind, user_input, meter_forms.chosen_sensors(self._data)
            )
            if not errors:
                self._data |= user_input
                return await self.async_step_protection()
        return self.async_show_form(
            step_id="grid_export",
            data_schema=self.add_suggested_values_to_schema(
                meter_forms.export_schema(self._kind, self._data[CONF_PHASES]),
                user_input or self._proposed or self._former,
            ),
            errors=errors,
        )

    async def async_step_protection(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the fuse is protected."""
        errors: dict[str, str] = {}
        fuse, seen = self._data[CONF_MAIN_FUSE], forms.sees_phases(self.hass, self._data)
        if user_input is not None:
            errors = protection_forms.protection_errors(user_input, limit=fuse, sees_phases=seen)
            if not errors:
                self._data |= protection_forms.protection_data(user_input)
                return await self.async_step_confirm()
        schema = protection_forms.protection_schema(limit=fuse, phases=self._data[CONF_PHASES], sees_phases=seen)
        return self.async_show_form(
            step_id="protection",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._former_protection(seen=seen)),
            errors=errors,
            description_placeholders=protection_forms.PROTECTION_RANGES | {"limit": str(fuse)},
        )

    def _former_protection(self, *, seen: bool) -> Mapping[str, Any]:
        """Return the former answers; protection that the meter before could not give is offered again."""
        former = self._former
        if not seen or CONF_METER_SOURCE not in former or forms.sees_phases(self.hass, former):
            return former
        return {key: value for key, value in former.items() if key != CONF_DYNAMIC}

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what the choice means before it counts."""
        answer = None if user_input is None else user_input.get(CONF_METER_RIGHT, Answer.YES)
        if answer == Answer.OTHER:
            self._former = {key: value for key, value in {**self._former, **self._data}.items() if value is not None}
            return await self.async_step_grid_meter()
        if answer == Answer.REVERSED:
            self._data |= other_way_round(self._data)
        if answer != Answer.YES:
            return self.async_show_form(
                step_id=forms.confirm_step(self.hass, self._data),
                data_schema=forms.confirm_schema(self.hass, self._data),
                description_placeholders=forms.confirm_placeholders(self.hass, self._data),
            )
        data = {CONF_ENTRY_TYPE: EntryType.LOAD_MANAGER.value, **self._data}
        if self.source == SOURCE_RECONFIGURE:
            entry = self._get_reconfigure_entry()
            if _meter(entry.data) != _meter(data):
                self.hass.data[SHARED].memory.set_site(**{METER_LAG: None})  # found out for the meter before
            # The entry's own listener reloads it.
            return self.async_update_and_abort(entry, data=data)
        return self.async_create_entry(title="PV Load Manager", data=data)

    async_step_confirm_surplus_only = async_step_confirm
    async_step_confirm_no_meter = async_step_confirm
    async_step_confirm_sensor = async_step_confirm
    async_step_confirm_static = async_step_confirm


def _meter(data: Mapping[str, Any]) -> set[str | None]:
    """Return what a meter is made of."""
    return {*meter_forms.chosen_sensors(data), data.get(CONF_METER_ENTRY)}
