"""Options of a charger: what the installation and the car fix."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
)
import probatio

from ..const import (
    CIRCUIT_SUBENTRY,
    CONF_CIRCUIT,
    CONF_CURRENT_WITHOUT_HA,
    CONF_LIMIT_WITHOUT_HA,
    CONF_MANAGED,
    CONF_MIN_CURRENT,
    CONF_MIN_CURRENT_THREE,
    CONF_ROTATION,
    CONF_SERIAL,
    CONF_VEHICLE,
    CONF_WIRED_PHASES,
    DEFAULT_ROTATION,
    DOMAIN,
    ROTATION_UNKNOWN,
    ROTATIONS,
    VEHICLE_NONE,
    VEHICLE_OWN,
    VEHICLES,
)
from ..control import HIGHEST_CURRENT, LOWEST_CURRENT, ROOT_CIRCUIT
from ..coordinators.settings import read_max_current
from ..shared import SHARED

AMPS: Final = NumberSelector(NumberSelectorConfig(mode=NumberSelectorMode.BOX, step=1, unit_of_measurement="A"))

OWN_CURRENTS: Final = probatio.Schema(
    {
        probatio.Required(CONF_MIN_CURRENT, default=LOWEST_CURRENT): AMPS,
        probatio.Required(CONF_MIN_CURRENT_THREE, default=LOWEST_CURRENT): AMPS,
    }
)


def init_schema(circuits: Mapping[str, str], circuit: str = ROOT_CIRCUIT) -> probatio.Schema:
    """Return the form of a charger's installation.

    Args:
        circuits: title of every circuit by its sub-entry.
        circuit: what is stored; one that is gone has to be chosen anew.
    """
    known = circuit == ROOT_CIRCUIT or circuit in circuits
    choices = [SelectOptionDict(value=ROOT_CIRCUIT, label=ROOT_CIRCUIT)]
    choices += [SelectOptionDict(value=key, label=title) for key, title in circuits.items()]
    return probatio.Schema(
        {
            probatio.Required(CONF_MANAGED, default=True): BooleanSelector(),
            probatio.Required(CONF_CIRCUIT, default=circuit if known else probatio.UNDEFINED): SelectSelector(
                SelectSelectorConfig(options=choices, translation_key=CONF_CIRCUIT)
            ),
            probatio.Required(CONF_WIRED_PHASES, default="3"): _choice("phases", "1", "3"),
            probatio.Required(CONF_ROTATION, default=DEFAULT_ROTATION): _choice(
                CONF_ROTATION, *ROTATIONS, ROTATION_UNKNOWN
            ),
            probatio.Required(CONF_VEHICLE, default=VEHICLE_NONE): _choice(
                CONF_VEHICLE, VEHICLE_NONE, *VEHICLES, VEHICLE_OWN
            ),
            probatio.Required(CONF_LIMIT_WITHOUT_HA, default=False): BooleanSelector(),
            probatio.Optional(CONF_CURRENT_WITHOUT_HA, default=LOWEST_CURRENT): AMPS,
        }
    )


class WattpilotOptionsFlow(OptionsFlowWithReload):
    """Changes the options of a charger; a reload is not a stop, so its car charges on."""

    def __init__(self) -> None:
        """Begin without any answer."""
        self._answers: dict[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for everything but the currents of a car that is no preset."""
        options = self.config_entry.options
        circuits = circuit_titles(self.hass)
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._init_errors(user_input)
            if not errors:
                self._answers = user_input
                if user_input[CONF_VEHICLE] == VEHICLE_OWN:
                    return await self.async_step_own_currents()
                return self.async_create_entry(data=user_input | preset_currents(user_input[CONF_VEHICLE]))
        elif options.get(CONF_CIRCUIT, ROOT_CIRCUIT) not in {ROOT_CIRCUIT, *circuits}:
            errors[CONF_CIRCUIT] = "circuit_missing"
        shown = user_input or {key: value for key, value in options.items() if key not in errors}
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(
                init_schema(circuits, options.get(CONF_CIRCUIT, ROOT_CIRCUIT)), shown
            ),
            errors=errors,
            description_placeholders=self._placeholders(),
        )

    async def async_step_own_currents(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the least currents of the car."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._current_errors(user_input)
            if not errors:
                currents = {key: int(value) for key, value in user_input.items()}
                return self.async_create_entry(data=self._answers | currents)
        return self.async_show_form(
            step_id="own_currents",
            data_schema=self.add_suggested_values_to_schema(OWN_CURRENTS, user_input or self.config_entry.options),
            errors=errors,
            description_placeholders=self._placeholders(),
        )

    def _init_errors(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        errors: dict[str, str] = {}
        if user_input.get(CONF_CURRENT_WITHOUT_HA, LOWEST_CURRENT) not in {0, *_currents()}:
            errors[CONF_CURRENT_WITHOUT_HA] = "current_out_of_range"
        if any(current > self._maximum() for current in preset_currents(user_input[CONF_VEHICLE]).values()):
            errors[CONF_VEHICLE] = "minimum_above_maximum"
        return errors

    def _current_errors(self, user_input: Mapping[str, float]) -> dict[str, str]:
        errors: dict[str, str] = {}
        for key, current in user_input.items():
            if current not in _currents():
                errors[key] = "minimum_out_of_range"
            elif current > self._maximum():
                errors[key] = "minimum_above_maximum"
        return errors

    def _maximum(self) -> int:
        """Return the most that this charger may draw, in A; it is set by its entity."""
        shared = self.hass.data.get(SHARED)
        saved = {} if shared is None else shared.memory.charger(self.config_entry.data[CONF_SERIAL])
        return read_max_current(saved)

    def _placeholders(self) -> dict[str, str]:
        return {"low": str(LOWEST_CURRENT), "high": str(HIGHEST_CURRENT), "maximum": str(self._maximum())}


def circuit_titles(hass: HomeAssistant) -> dict[str, str]:
    """Return the title of every circuit of the house by its sub-entry."""
    return {
        subentry.subentry_id: subentry.title
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        for subentry in entry.get_subentries_of_type(CIRCUIT_SUBENTRY)
    }


def preset_currents(vehicle: str) -> dict[str, int]:
    """Return the least currents of a known car; none where the car takes what every charger offers."""
    if vehicle not in VEHICLES:
        return {}
    on_one, on_more = VEHICLES[vehicle]
    return {CONF_MIN_CURRENT: on_one, CONF_MIN_CURRENT_THREE: on_more}


def _currents() -> range:
    return range(LOWEST_CURRENT, HIGHEST_CURRENT + 1)


def _choice(translation_key: str, *options: str) -> SelectSelector:
    return SelectSelector(SelectSelectorConfig(options=list(options), translation_key=translation_key))
