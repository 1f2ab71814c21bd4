"""The steps that set up a charger: by hand, discovered, over the cloud, with a new password."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.helpers.selector import TextSelector
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio

from ..const import (
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_SERIAL,
    DEFAULT_WATTPILOT_PORT,
    DOMAIN,
    ChargerConnection,
    EntryType,
)
from ..coordinators.clients import is_cloud, where
from ..wattpilot import DeviceInfo
from . import forms
from .probe import async_probe_wattpilot
from .steps import Steps

CLOUD_FORM: Final = probatio.Schema(
    {probatio.Required(CONF_SERIAL): TextSelector(), probatio.Required(CONF_PASSWORD): forms.PASSWORD_FIELD}
)


class WattpilotSteps(Steps):
    """Adds or reconfigures a charger."""

    async def async_step_wattpilot(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where a charger answers and for its password, and try both."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := forms.address_errors(user_input)):
            data = forms.charger_data(user_input)
            errors, info = await async_probe_wattpilot(data)
            if info is not None:
                return await self._async_finish(data, info)
        return self.async_show_form(
            step_id="wattpilot",
            data_schema=self.add_suggested_values_to_schema(
                forms.charger_schema(), forms.without_password(user_input or self._data)
            ),
            errors=errors,
        )

    async def async_step_wattpilot_cloud(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the serial number and the password of a charger that cannot be reached in the house."""
        errors: dict[str, str] = {}
        if user_input is not None:
            serial = user_input[CONF_SERIAL].strip()
            data = {
                CONF_CONNECTION: ChargerConnection.CLOUD.value,
                CONF_SERIAL: serial,
                CONF_PASSWORD: user_input[CONF_PASSWORD],
            }
            info = None
            if not (serial.isascii() and serial.isdecimal()):
                errors[CONF_SERIAL] = "invalid_serial"
            else:
                errors, info = await async_probe_wattpilot(data, serial=serial)
            if info is not None:
                return await self._async_finish(data, info)
        return self.async_show_form(
            step_id="wattpilot_cloud",
            data_schema=self.add_suggested_values_to_schema(
                CLOUD_FORM, forms.without_password(user_input or self._data)
            ),
            errors=errors,
        )

    async def async_step_reconfigure_wattpilot(self) -> ConfigFlowResult:
        """Ask how a charger is reached from now on."""
        entry = self._get_reconfigure_entry()
        self._data[CONF_SERIAL] = entry.data[CONF_SERIAL]
        return self.async_show_menu(
            step_id="reconfigure_wattpilot",
            menu_options=["wattpilot", "wattpilot_cloud"],
            description_placeholders={CONF_NAME: entry.title},
        )

    async def _async_finish(self, data: dict[str, Any], info: DeviceInfo) -> ConfigFlowResult:
        """Make or change the entry of a charger that took the password."""
        # Whoever knows the password goes ahead of what was discovered meanwhile; Home Assistant then ends that.
        await self.async_set_unique_id(f"{EntryType.WATTPILOT}_{info.serial}", raise_on_progress=False)
        data |= {CONF_ENTRY_TYPE: EntryType.WATTPILOT.value, CONF_SERIAL: info.serial}
        if self.source == SOURCE_RECONFIGURE:
            self._abort_if_unique_id_mismatch(reason="wrong_device")
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data=data)
        # Whoever adds a charger over the cloud that is there already in the house shall not lose that way.
        local = data | {CONF_CONNECTION: ChargerConnection.LOCAL.value}
        self._abort_if_unique_id_configured(updates=None if is_cloud(data) else local)
        return self.async_create_entry(title=info.name or f"Wattpilot {info.serial}", data=data)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up a charger that announced itself."""
        serial = discovery_info.properties.get(CONF_SERIAL)
        if not serial:
            return self.async_abort(reason="not_a_wattpilot")
        host = forms.best_address(discovery_info)
        port = discovery_info.port or DEFAULT_WATTPILOT_PORT
        await self.async_set_unique_id(f"{EntryType.WATTPILOT}_{serial}")
        known = self.hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, self.unique_id or "")
        # A charger over the cloud was not reachable in the house; only its owner knows whether it is now.
        over_cloud = known is not None and is_cloud(known.data)
        self._abort_if_unique_id_configured(updates=None if over_cloud else {CONF_HOST: host, CONF_PORT: port})
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
            description_placeholders={CONF_NAME: entry.title, CONF_HOST: where(entry.data)},
        )
