"""Config flows: one menu for the three kinds of entries; the steps of each are in ``flows``."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, ConfigSubentryFlow, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .const import (
    CIRCUIT_SUBENTRY,
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_UNIT_ID,
    DOMAIN,
    EntryType,
    InverterConnection,
)
from .flows.circuit import CircuitFlow
from .flows.load_manager import LoadManagerSteps
from .flows.load_manager_options import LoadManagerOptionsFlow
from .flows.solaredge import SOLAREDGE_SERVICE, SolarEdgeSteps
from .flows.solaredge_cloud import SolarEdgeCloudSteps
from .flows.solaredge_options import SolarEdgeOptionsFlow
from .flows.wattpilot import WattpilotSteps
from .flows.wattpilot_options import WattpilotOptionsFlow


class PvLoadManagerConfigFlow(LoadManagerSteps, SolarEdgeSteps, SolarEdgeCloudSteps, WattpilotSteps, domain=DOMAIN):
    """Adds a load manager, an inverter or a charger."""

    VERSION = 1
    MINOR_VERSION = 2

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options of an entry of any kind."""
        kind = config_entry.data[CONF_ENTRY_TYPE]
        if kind == EntryType.WATTPILOT:
            return WattpilotOptionsFlow()
        if kind == EntryType.SOLAREDGE:
            return SolarEdgeOptionsFlow()
        return LoadManagerOptionsFlow()

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Everything has options but an inverter that is read through the cloud."""
        data = config_entry.data
        is_inverter = data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE
        return not is_inverter or data.get(CONF_CONNECTION) != InverterConnection.CLOUD

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
        return self.async_show_menu(
            step_id="user",
            # In the order of the set-up: the load manager offers the devices that are there.
            menu_options=[
                EntryType.SOLAREDGE.value,
                "solaredge_cloud",
                EntryType.WATTPILOT.value,
                "wattpilot_cloud",
                EntryType.LOAD_MANAGER.value,
            ],
        )

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up what announced itself; a charger announces itself as a web server."""
        if discovery_info.type == SOLAREDGE_SERVICE:
            return await self.async_step_zeroconf_solaredge(discovery_info)
        return await super().async_step_zeroconf(discovery_info)

    @override
    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Ask for what opens a charger or a site again."""
        if entry_data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE:
            return await self.async_step_reauth_solaredge_cloud()
        return await super().async_step_reauth(entry_data)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go through the same steps as at set-up, with the present values filled in."""
        data = self._get_reconfigure_entry().data
        kind = EntryType(data[CONF_ENTRY_TYPE])
        if kind is EntryType.LOAD_MANAGER:
            self._former = {key: value for key, value in data.items() if value is not None}
            return await self.async_step_connection()
        self._data = {key: data[key] for key in (CONF_HOST, CONF_PORT, CONF_UNIT_ID) if key in data}
        if kind is EntryType.SOLAREDGE:
            if data.get(CONF_CONNECTION) == InverterConnection.CLOUD:
                return await self.async_step_reconfigure_solaredge_cloud()
            return await self.async_step_solaredge()
        return await self.async_step_reconfigure_wattpilot()
