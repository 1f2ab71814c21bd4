"""Options of the load manager: what surplus charging has to know about the solar installation."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import BooleanSelector
import probatio

from ..const import CONF_BATTERY_INVERTED, CONF_EXPORT_LIMIT, CONF_INVERTER_AC, MAX_SOLAR_POWER
from .numbers import number, whole

SOLAR: Final = probatio.Schema(
    {
        probatio.Optional(CONF_INVERTER_AC): number("W"),
        probatio.Optional(CONF_EXPORT_LIMIT): number("W"),
        probatio.Required(CONF_BATTERY_INVERTED, default=False): BooleanSelector(),
    }
)
SOLAR_RANGES: Final = {"max_solar": str(MAX_SOLAR_POWER)}


class LoadManagerOptionsFlow(OptionsFlow):
    """Changes the options of the load manager; the entry's own listener reloads it, and cars charge on."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Go to the only form."""
        return await self.async_step_solar()

    async def async_step_solar(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for inverter, export limit and battery."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = solar_errors(user_input)
            if not errors:
                return self.async_create_entry(data=solar_data(user_input))
        return self.async_show_form(
            step_id="solar",
            data_schema=self.add_suggested_values_to_schema(
                SOLAR, self.config_entry.options if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders=SOLAR_RANGES,
        )


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
