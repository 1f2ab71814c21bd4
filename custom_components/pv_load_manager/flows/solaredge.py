"""The steps that set up an inverter."""

from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigFlowResult

from ..const import CONF_ENTRY_TYPE, CONF_SERIAL, EntryType
from . import forms
from .probe import async_probe_inverter
from .steps import Steps


class SolarEdgeSteps(Steps):
    """Adds or reconfigures an inverter."""

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
