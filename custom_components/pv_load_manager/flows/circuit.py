"""The flow of a circuit: a sub-entry of the load manager, with a limit of its own and perhaps a meter."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigSubentry, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import probatio

from ..const import (
    CIRCUIT_SUBENTRY,
    CONF_CIRCUIT,
    CONF_IMBALANCE,
    CONF_LIMIT,
    CONF_LIMIT_POWER,
    CONF_METER,
    CONF_METER_DIRECTION,
    CONF_METER_KIND,
    CONF_PARENT,
    CONF_PHASES,
    CONF_SAFETY_MARGIN,
    MAX_CIRCUIT_POWER,
    MAX_FUSE,
    MIN_CIRCUIT_POWER,
    MIN_FUSE,
    MeterDirection,
    MeterKind,
    MeterSource,
)
from ..control import ROOT_CIRCUIT
from ..coordinators.meter_config import MeterConfig
from .live import shown_reading
from .meter_forms import (
    METER_RANGES,
    chosen_sensors,
    export_schema,
    present_reading,
    sensor_errors,
    sensors_data,
    sensors_schema,
)
from .numbers import number, whole
from .presets import Preset, disabled_names, meter_presets, preset_error
from .protection_forms import PROTECTION_RANGES, protection_data, protection_errors, reserve_fields

RANGES: Final = PROTECTION_RANGES | {
    "min_limit": str(MIN_FUSE),
    "max_limit": str(MAX_FUSE),
    "min_power": str(MIN_CIRCUIT_POWER),
    "max_power": str(MAX_CIRCUIT_POWER),
}
METERS: Final = (MeterSource.NONE.value, MeterKind.PHASE_POWER.value, MeterKind.PHASE_CURRENT.value)
RESERVE: Final = probatio.Schema(reserve_fields(0))


def circuit_schema(parents: Mapping[str, str], phases: int, presets: Sequence[Preset] = ()) -> probatio.Schema:
    """Return the form for a circuit.

    Args:
        parents: title by sub-entry.
        phases: phases of the house.
        presets: meters that other integrations read.
    """
    choices = [SelectOptionDict(value=ROOT_CIRCUIT, label=ROOT_CIRCUIT)]
    choices += [SelectOptionDict(value=key, label=title) for key, title in parents.items()]
    fields: dict[probatio.Marker, Any] = {
        probatio.Required(CONF_NAME): TextSelector(),
        probatio.Required(CONF_PARENT, default=ROOT_CIRCUIT): SelectSelector(
            SelectSelectorConfig(options=choices, translation_key=CONF_CIRCUIT)
        ),
        probatio.Required(CONF_LIMIT): number("A"),
        probatio.Optional(CONF_LIMIT_POWER): number("W"),
        probatio.Required(CONF_SAFETY_MARGIN, default=0): number("%"),
    }
    if phases > 1:
        fields[probatio.Required(CONF_IMBALANCE, default=0)] = number("A")
    meters = [SelectOptionDict(value=meter, label=meter) for meter in METERS]
    meters += [SelectOptionDict(value=preset.key, label=preset.label) for preset in presets]
    fields[probatio.Required(CONF_METER, default=MeterSource.NONE.value)] = SelectSelector(
        SelectSelectorConfig(options=meters, translation_key="circuit_meter", mode=SelectSelectorMode.LIST)
    )
    return probatio.Schema(fields)


def below(circuits: Mapping[str, str], top: str | None) -> set[str]:
    """Return a circuit and all that hang on it; ``circuits`` is parent by id."""
    found = set() if top is None else {top}
    while more := {circuit for circuit, parent in circuits.items() if parent in found} - found:
        found |= more
    return found


class CircuitFlow(ConfigSubentryFlow):
    """Adds or changes a circuit."""

    def __init__(self) -> None:
        """Begin without any answer."""
        self._data: dict[str, Any] = {}
        self._former: Mapping[str, Any] = {}
        self._name = ""
        self._kind = MeterKind.PHASE_CURRENT
        self._proposed: Mapping[str, Any] = {}

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Add a circuit."""
        return await self.async_step_circuit()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change a circuit."""
        circuit = self._get_reconfigure_subentry()
        meter = circuit.data.get(CONF_METER_KIND, MeterSource.NONE.value)
        self._former = {**circuit.data, CONF_NAME: circuit.title, CONF_METER: meter}
        return await self.async_step_circuit()

    async def async_step_circuit(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the circuit itself."""
        presets = {preset.key: preset for preset in meter_presets(self.hass, self._phases, by_phase=True)}
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = self._circuit_errors(user_input)
            error = preset_error(presets, user_input[CONF_METER], METERS)
            if error is not None:
                errors[CONF_METER] = error
            if not errors:
                return await self._async_after_circuit(user_input, presets.get(user_input[CONF_METER]))
        parents = self._circuits()
        excluded = below({key: circuit.data[CONF_PARENT] for key, circuit in parents.items()}, self._own_id)
        titles = {key: circuit.title for key, circuit in parents.items() if key not in excluded}
        suggested = dict(user_input or self._former)
        if suggested.get(CONF_PARENT) not in {ROOT_CIRCUIT, *titles}:
            suggested.pop(CONF_PARENT, None)
        return self.async_show_form(
            step_id="circuit",
            data_schema=self.add_suggested_values_to_schema(
                circuit_schema(titles, self._phases, tuple(presets.values())), suggested
            ),
            errors=errors,
            description_placeholders=RANGES | {"disabled": disabled_names(presets, suggested.get(CONF_METER))},
        )

    async def _async_after_circuit(self, user_input: Mapping[str, Any], preset: Preset | None) -> SubentryFlowResult:
        self._name = user_input[CONF_NAME].strip()
        numbers = {
            key: int(value) for key, value in user_input.items() if key not in {CONF_NAME, CONF_PARENT, CONF_METER}
        }
        self._data = {CONF_PARENT: user_input[CONF_PARENT], **numbers}
        if user_input[CONF_METER] == MeterSource.NONE:
            return self._finish()
        self._kind = MeterKind(user_input[CONF_METER]) if preset is None else preset.kind
        self._proposed = {} if preset is None else preset.values
        return await self._async_sensors()

    async def _async_sensors(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the sensors that measure the circuit."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = sensor_errors(self.hass, self._kind, user_input)
            if not errors:
                self._data |= sensors_data(self._kind, user_input)
                if user_input[CONF_METER_DIRECTION] == MeterDirection.SEPARATE:
                    return await self.async_step_export()
                return await self.async_step_reserve()
        return self.async_show_form(
            step_id=self._kind.value,
            data_schema=self.add_suggested_values_to_schema(
                sensors_schema(self._kind, self._phases, total=False),
                user_input or self._proposed or self._former,
            ),
            errors=errors,
            description_placeholders=METER_RANGES,
        )

    async_step_phase_power = _async_sensors
    async_step_phase_current = _async_sensors

    async def async_step_export(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the sensors of what flows back out of the circuit."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = sensor_errors(self.hass, self._kind, user_input, chosen_sensors(self._data))
            if not errors:
                self._data |= user_input
                return await self.async_step_reserve()
        return self.async_show_form(
            step_id="export",
            data_schema=self.add_suggested_values_to_schema(
                export_schema(self._kind, self._phases), user_input or self._proposed or self._former
            ),
            errors=errors,
        )

    async def async_step_reserve(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for what else the circuit feeds, and what is left without its meter."""
        errors: dict[str, str] = {}
        limit = self._data[CONF_LIMIT]
        if user_input is not None:
            errors = protection_errors(user_input, limit=limit, margin=self._data[CONF_SAFETY_MARGIN])
            if not errors:
                self._data |= protection_data(user_input)
                return self._finish()
        meter = MeterConfig.from_data(self._data, self._phases)
        reading = None if meter is None else present_reading(self.hass, meter)
        return self.async_show_form(
            step_id="reserve",
            data_schema=self.add_suggested_values_to_schema(RESERVE, user_input or self._former),
            errors=errors,
            description_placeholders=RANGES | {"limit": str(limit), "power": shown_reading(reading)},
        )

    def _finish(self) -> SubentryFlowResult:
        if self.source == SOURCE_USER:
            return self.async_create_entry(title=self._name, data=self._data)
        # The entry's own listener reloads it.
        return self.async_update_and_abort(
            self._get_entry(), self._get_reconfigure_subentry(), title=self._name, data=self._data
        )

    def _circuit_errors(self, user_input: Mapping[str, Any]) -> dict[str, str]:
        """Return what is wrong with a circuit, by field; the tree may have changed since the form was shown."""
        circuits = self._circuits()
        name, limit = user_input[CONF_NAME].strip(), user_input[CONF_LIMIT]
        others = {circuit.title.casefold() for key, circuit in circuits.items() if key != self._own_id}
        errors: dict[str, str] = {}
        if not name:
            errors[CONF_NAME] = "name_missing"
        elif name.casefold() in others:
            errors[CONF_NAME] = "name_taken"
        parent = user_input[CONF_PARENT]
        if parent not in {ROOT_CIRCUIT, *circuits}:
            errors[CONF_PARENT] = "unknown_parent"
        elif parent in below({key: circuit.data[CONF_PARENT] for key, circuit in circuits.items()}, self._own_id):
            errors[CONF_PARENT] = "circuit_loop"
        if not whole(limit, MIN_FUSE, MAX_FUSE):
            errors[CONF_LIMIT] = "limit_out_of_range"
        if not whole(user_input.get(CONF_LIMIT_POWER, MIN_CIRCUIT_POWER), MIN_CIRCUIT_POWER, MAX_CIRCUIT_POWER):
            errors[CONF_LIMIT_POWER] = "power_out_of_range"
        if not errors:
            known = {key: user_input[key] for key in (CONF_SAFETY_MARGIN, CONF_IMBALANCE) if key in user_input}
            errors = protection_errors(known, limit=int(limit))
        return errors

    def _circuits(self) -> dict[str, ConfigSubentry]:
        return {circuit.subentry_id: circuit for circuit in self._get_entry().get_subentries_of_type(CIRCUIT_SUBENTRY)}

    @property
    def _own_id(self) -> str | None:
        return None if self.source == SOURCE_USER else self._reconfigure_subentry_id

    @property
    def _phases(self) -> int:
        return int(self._get_entry().data[CONF_PHASES])
