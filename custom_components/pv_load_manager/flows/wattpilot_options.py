"""Options of a charger: what the installation fixes."""

from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
)
import probatio

from ..const import (
    CONF_CURRENT_WITHOUT_HA,
    CONF_LIMIT_WITHOUT_HA,
    CONF_MANAGED,
    CONF_PHASE_POLICY,
    CONF_ROTATION,
    CONF_WIRED_PHASES,
    DEFAULT_ROTATION,
    ROTATIONS,
)
from ..control import HIGHEST_CURRENT, LOWEST_CURRENT, PhasePolicy

SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_MANAGED, default=True): BooleanSelector(),
        probatio.Required(CONF_WIRED_PHASES, default="3"): SelectSelector(
            SelectSelectorConfig(options=["1", "3"], translation_key="phases")
        ),
        probatio.Required(CONF_ROTATION, default=DEFAULT_ROTATION): SelectSelector(
            SelectSelectorConfig(options=list(ROTATIONS), translation_key=CONF_ROTATION)
        ),
        probatio.Required(CONF_PHASE_POLICY, default=PhasePolicy.AUTO.value): SelectSelector(
            SelectSelectorConfig(options=[policy.value for policy in PhasePolicy], translation_key=CONF_PHASE_POLICY)
        ),
        probatio.Required(CONF_LIMIT_WITHOUT_HA, default=False): BooleanSelector(),
        probatio.Optional(CONF_CURRENT_WITHOUT_HA, default=LOWEST_CURRENT): NumberSelector(
            NumberSelectorConfig(mode=NumberSelectorMode.BOX, step=1, unit_of_measurement="A")
        ),
    }
)


class WattpilotOptionsFlow(OptionsFlowWithReload):
    """Changes the options of a charger; a reload is not a stop, so its car charges on."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for everything on one page."""
        errors: dict[str, str] = {}
        if user_input is not None:
            current = user_input.get(CONF_CURRENT_WITHOUT_HA, LOWEST_CURRENT)
            if current != 0 and current not in range(LOWEST_CURRENT, HIGHEST_CURRENT + 1):
                errors[CONF_CURRENT_WITHOUT_HA] = "current_out_of_range"
            else:
                return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(SCHEMA, user_input or self.config_entry.options),
            errors=errors,
            description_placeholders={"low": str(LOWEST_CURRENT), "high": str(HIGHEST_CURRENT)},
        )
