"""Options of an inverter: how often its grid meter is read, and where its meters sit."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers.selector import BooleanSelector, SelectSelector, SelectSelectorConfig
import probatio

from ..const import (
    CONF_GRID_INTERVAL,
    CONF_METER_ROLES,
    CONF_METERS_INVERTED,
    CONF_SERIAL,
    DEFAULT_GRID_INTERVAL,
    MAX_GRID_INTERVAL,
    MIN_GRID_INTERVAL,
)
from ..coordinators.solaredge import SolarEdgeCoordinator
from ..shared import SHARED
from ..solaredge import MeterRole
from .numbers import number, whole

AUTOMATIC: Final = "automatic"
ROLES: Final = (
    AUTOMATIC,
    MeterRole.GRID.value,
    MeterRole.PRODUCTION.value,
    MeterRole.EXTERNAL_PRODUCTION.value,
    MeterRole.CONSUMPTION.value,
    MeterRole.IGNORE.value,
)
RANGES: Final = {"min_interval": str(MIN_GRID_INTERVAL), "max_interval": str(MAX_GRID_INTERVAL)}


def inverter_options_schema(meters: int) -> probatio.Schema:
    """Return the form of an inverter with so many meters."""
    fields: dict[Any, Any] = {probatio.Required(CONF_GRID_INTERVAL, default=DEFAULT_GRID_INTERVAL): number("s")}
    for role, inverted in list(zip(CONF_METER_ROLES, CONF_METERS_INVERTED, strict=True))[:meters]:
        fields[probatio.Required(role, default=AUTOMATIC)] = SelectSelector(
            SelectSelectorConfig(options=list(ROLES), translation_key="meter_role")
        )
        fields[probatio.Required(inverted, default=False)] = BooleanSelector()
    return probatio.Schema(fields)


class SolarEdgeOptionsFlow(OptionsFlowWithReload):
    """Changes the options of an inverter that is read over Modbus."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go to the one form."""
        return await self.async_step_inverter(user_input)

    async def async_step_inverter(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for everything; only meters that are there are asked for."""
        errors: dict[str, str] = {}
        options = self.config_entry.options
        if user_input is not None:
            if not whole(user_input[CONF_GRID_INTERVAL], MIN_GRID_INTERVAL, MAX_GRID_INTERVAL):
                errors[CONF_GRID_INTERVAL] = "grid_interval_out_of_range"
            if [user_input.get(role) for role in CONF_METER_ROLES].count(MeterRole.GRID) > 1:
                errors["base"] = "two_grid_meters"
            if not errors:
                interval = int(user_input[CONF_GRID_INTERVAL])
                return self.async_create_entry(data={**options, **user_input, CONF_GRID_INTERVAL: interval})
        return self.async_show_form(
            step_id="inverter",
            data_schema=self.add_suggested_values_to_schema(
                inverter_options_schema(self._meters(options)), user_input or options
            ),
            errors=errors,
            description_placeholders=RANGES,
        )

    def _meters(self, options: Mapping[str, Any]) -> int:
        """Return how many meters to ask for: those that are attached, or as many as are remembered."""
        coordinator = getattr(self.config_entry, "runtime_data", None)
        if isinstance(coordinator, SolarEdgeCoordinator):
            return coordinator.info.meters
        known = self.hass.data[SHARED].memory.grid_slot(self.config_entry.data[CONF_SERIAL]) or 0
        return max(known, sum(role in options for role in CONF_METER_ROLES))
