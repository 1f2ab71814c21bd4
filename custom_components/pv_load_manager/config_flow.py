"""Config flows: the load manager step by step, an inverter, a charger by hand or discovered."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .const import (
    CIRCUIT_SUBENTRY,
    CONF_ENTRY_TYPE,
    CONF_EXPECTED_CHARGERS,
    CONF_MAIN_FUSE,
    CONF_METER,
    CONF_METER_DIRECTION,
    CONF_METER_ENTITY,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_PHASES,
    CONF_SERIAL,
    CONF_UNIT_ID,
    DEFAULT_WATTPILOT_PORT,
    DOMAIN,
    LOAD_MANAGER_ID,
    EntryType,
    MeterDirection,
    MeterKind,
    MeterSource,
)
from .flows import forms, meter_forms, protection_forms
from .flows.circuit import CircuitFlow
from .flows.load_manager_options import LoadManagerOptionsFlow
from .flows.probe import async_probe_inverter, async_probe_wattpilot
from .flows.wattpilot_options import WattpilotOptionsFlow
from .shared import loaded_inverter

SENSOR_STEPS: Final = {
    MeterKind.TOTAL_POWER: "grid_sensor",
    MeterKind.PHASE_POWER: "grid_phase_power",
    MeterKind.PHASE_CURRENT: "grid_phase_current",
}


class PvLoadManagerConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds a load manager, an inverter or a charger."""

    VERSION = 1

    def __init__(self) -> None:
        """Begin with an empty form."""
        self._data: dict[str, Any] = {}
        self._former: Mapping[str, Any] = {}
        self._kind = MeterKind.TOTAL_POWER

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of a charger or of the load manager."""
        if config_entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT:
            return WattpilotOptionsFlow()
        return LoadManagerOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Chargers and the load manager have options; an inverter is reconfigured only."""
        return bool(config_entry.data[CONF_ENTRY_TYPE] != EntryType.SOLAREDGE)

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """The house of a load manager has circuits."""
        if config_entry.data[CONF_ENTRY_TYPE] != EntryType.LOAD_MANAGER:
            return {}
        return {CIRCUIT_SUBENTRY: CircuitFlow}

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to add."""
        return self.async_show_menu(step_id="user", menu_options=[kind.value for kind in EntryType])

    # -- load manager --------------------------------------------------------------------------------------------

    async def async_step_load_manager(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin with the load manager; there is one per house."""
        await self.async_set_unique_id(LOAD_MANAGER_ID)
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
                forms.connection_schema(), user_input or forms.connection_values(self._former)
            ),
            errors=errors,
            description_placeholders=forms.CONNECTION_RANGES,
        )

    async def async_step_grid_meter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which meter sees the house connection."""
        inverters = {
            entry.data[CONF_SERIAL]: entry.title
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE
        }
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = user_input[CONF_METER]
            if chosen in forms.SENSOR_KINDS:
                self._kind = forms.SENSOR_KINDS[chosen]
                return await self._async_sensors()
            inverter = loaded_inverter(self.hass, chosen)
            if inverter is None or inverter.reader.has_grid_meter:
                source = MeterSource.NONE if chosen == MeterSource.NONE else MeterSource.SOLAREDGE
                serial = chosen if source is MeterSource.SOLAREDGE else None
                self._data |= {CONF_METER_SOURCE: source.value, CONF_METER_ENTRY: serial, CONF_METER_ENTITY: None}
                return await self.async_step_protection()
            errors[CONF_METER] = "inverter_without_meter"
        return self.async_show_form(
            step_id="grid_meter",
            data_schema=self.add_suggested_values_to_schema(
                forms.meter_schema(inverters), user_input or forms.meter_values(self._former, inverters)
            ),
            errors=errors,
        )

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
                meter_forms.sensors_schema(self._kind, phases), user_input or self._former
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
                meter_forms.export_schema(self._kind, self._data[CONF_PHASES]), user_input or self._former
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
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._former),
            errors=errors,
            description_placeholders=protection_forms.PROTECTION_RANGES | {"limit": str(fuse)},
        )

    async def async_step_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what the choice means before it counts."""
        if user_input is None:
            return self.async_show_form(
                step_id=forms.confirm_step(self.hass, self._data),
                data_schema=forms.EMPTY,
                description_placeholders=forms.confirm_placeholders(self.hass, self._data),
            )
        data = {CONF_ENTRY_TYPE: EntryType.LOAD_MANAGER.value, **self._data}
        if self.source == SOURCE_RECONFIGURE:
            # The entry's own listener reloads it.
            return self.async_update_and_abort(self._get_reconfigure_entry(), data=data)
        return self.async_create_entry(title="PV Load Manager", data=data)

    async_step_confirm_surplus_only = async_step_confirm
    async_step_confirm_no_meter = async_step_confirm
    async_step_confirm_sensor = async_step_confirm
    async_step_confirm_static = async_step_confirm

    # -- SolarEdge -----------------------------------------------------------------------------------------------

    async def async_step_solaredge(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where an inverter answers, and ask the inverter who it is."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := forms.address_errors(user_input)):
            data = forms.inverter_data(user_input)
            errors, info = await async_probe_inverter(self.hass, data)
            if info is not None:
                await self.async_set_unique_id(f"{EntryType.SOLAREDGE}_{info.serial}")
                data |= {CONF_ENTRY_TYPE: EntryType.SOLAREDGE.value, CONF_SERIAL: info.serial}
                if self.source == SOURCE_RECONFIGURE:
                    self._abort_if_unique_id_mismatch(reason="wrong_device")
                    return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data_updates=data)
                self._abort_if_unique_id_configured(updates=data)
                return self.async_create_entry(title=f"SolarEdge {info.model or info.serial}", data=data)
        return self.async_show_form(
            step_id="solaredge",
            data_schema=self.add_suggested_values_to_schema(forms.inverter_schema(), user_input or self._data),
            errors=errors,
        )

    # -- Wattpilot -----------------------------------------------------------------------------------------------

    async def async_step_wattpilot(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where a charger answers and for its password, and try both."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := forms.address_errors(user_input)):
            data = forms.charger_data(user_input)
            errors, info = await async_probe_wattpilot(data)
            if info is not None:
                await self.async_set_unique_id(f"{EntryType.WATTPILOT}_{info.serial}")
                data |= {CONF_ENTRY_TYPE: EntryType.WATTPILOT.value, CONF_SERIAL: info.serial}
                if self.source == SOURCE_RECONFIGURE:
                    self._abort_if_unique_id_mismatch(reason="wrong_device")
                    return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data_updates=data)
                self._abort_if_unique_id_configured(updates=data)
                return self.async_create_entry(title=info.name or f"Wattpilot {info.serial}", data=data)
        return self.async_show_form(
            step_id="wattpilot",
            data_schema=self.add_suggested_values_to_schema(
                forms.charger_schema(), forms.without_password(user_input or self._data)
            ),
            errors=errors,
        )

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up a charger that announced itself."""
        serial = discovery_info.properties.get(CONF_SERIAL)
        if not serial:
            return self.async_abort(reason="not_a_wattpilot")
        host = forms.best_address(discovery_info)
        port = discovery_info.port or DEFAULT_WATTPILOT_PORT
        await self.async_set_unique_id(f"{EntryType.WATTPILOT}_{serial}")
        self._abort_if_unique_id_configured(updates={CONF_HOST: host, CONF_PORT: port})
        name = discovery_info.properties.get("friendly_name") or f"Wattpilot {serial}"
        self.context["title_placeholders"] = {CONF_NAME: name}
        self._data = {CONF_HOST: host, CONF_PORT: port, CONF_SERIAL: serial, CONF_NAME: name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the password of a discovered charger."""
        errors: dict[str, str] = {}
        address = {CONF_HOST: self._data[CONF_HOST], CONF_PORT: self._data[CONF_PORT]}
        if user_input is not None:
            data = {**address, CONF_PASSWORD: user_input[CONF_PASSWORD]}
            serial = self._data[CONF_SERIAL]
            errors, info = await async_probe_wattpilot(data, serial=serial)
            if info is not None:
                data |= {CONF_ENTRY_TYPE: EntryType.WATTPILOT.value, CONF_SERIAL: info.serial}
                return self.async_create_entry(title=info.name or self._data[CONF_NAME], data=data)
        return self.async_show_form(
            step_id="zeroconf_confirm",
            data_schema=forms.PASSWORD,
            errors=errors,
            description_placeholders={CONF_NAME: self._data[CONF_NAME], CONF_HOST: self._data[CONF_HOST]},
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask for a new password."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new password and try it."""
        errors: dict[str, str] = {}
        entry = self._get_reauth_entry()
        if user_input is not None:
            data = {**entry.data, CONF_PASSWORD: user_input[CONF_PASSWORD]}
            errors, info = await async_probe_wattpilot(data, serial=entry.data[CONF_SERIAL])
            if info is not None:
                return self.async_update_reload_and_abort(
                    entry, data_updates={CONF_PASSWORD: user_input[CONF_PASSWORD]}
                )
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=forms.PASSWORD,
            errors=errors,
            description_placeholders={CONF_NAME: entry.title, CONF_HOST: entry.data[CONF_HOST]},
        )

    # -- reconfigure ---------------------------------------------------------------------------------------------

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go through the same steps as at set-up, with the present values filled in."""
        data = self._get_reconfigure_entry().data
        kind = EntryType(data[CONF_ENTRY_TYPE])
        if kind is EntryType.LOAD_MANAGER:
            self._former = {key: value for key, value in data.items() if value is not None}
            return await self.async_step_connection()
        self._data = {key: data[key] for key in (CONF_HOST, CONF_PORT, CONF_UNIT_ID) if key in data}
        if kind is EntryType.SOLAREDGE:
            return await self.async_step_solaredge()
        return await self.async_step_wattpilot()
