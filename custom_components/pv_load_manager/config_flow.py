"""Config flows: one menu for the three kinds of entries; the steps of each are in ``flows``."""

from typing import Any, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult, ConfigSubentryFlow, OptionsFlow
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import callback

from .const import CIRCUIT_SUBENTRY, CONF_ENTRY_TYPE, CONF_UNIT_ID, DOMAIN, EntryType
from .flows.circuit import CircuitFlow
from .flows.load_manager import LoadManagerSteps
from .flows.load_manager_options import LoadManagerOptionsFlow
from .flows.solaredge import SolarEdgeSteps
from .flows.wattpilot import WattpilotSteps
from .flows.wattpilot_options import WattpilotOptionsFlow


class PvLoadManagerConfigFlow(LoadManagerSteps, SolarEdgeSteps, WattpilotSteps, domain=DOMAIN):
    """Adds a load manager, an inverter or a charger."""

    VERSION = 1

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
