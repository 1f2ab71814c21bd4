"""Forms of the config flows and the checks of what was typed into them.

Ranges are checked here and not by the schema, so that each gets a message of its own instead of a refused request.
"""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
import probatio

from ..const import (
    CONF_DYNAMIC,
    CONF_EXPECTED_CHARGERS,
    CONF_MAIN_FUSE,
    CONF_METER,
    CONF_METER_ENTRY,
    CONF_METER_KIND,
    CONF_METER_RIGHT,
    CONF_METER_SOURCE,
    CONF_PHASES,
    CONF_SERIAL,
    CONF_UNIT_ID,
    DEFAULT_MAIN_FUSE,
    DEFAULT_MODBUS_PORT,
    DEFAULT_UNIT_ID,
    DEFAULT_WATTPILOT_PORT,
    DOMAIN,
    MAX_CHARGERS,
    MAX_FUSE,
    MIN_FUSE,
    MeterKind,
    MeterSource,
)
from ..control import GridReading
from ..coordinators.meter_config import MeterConfig
from ..shared import inverter_protects, loaded_inverter
from .live import NOT_KNOWN, question, shown_reading
from .meter_forms import present_reading
from .numbers import number, whole
from .presets import Preset

SENSOR_KINDS: Final = {
    MeterSource.SENSOR.value: MeterKind.TOTAL_POWER,
    MeterKind.PHASE_POWER.value: MeterKind.PHASE_POWER,
    MeterKind.PHASE_CURRENT.value: MeterKind.PHASE_CURRENT,
}
"""The choices of a meter that consists of sensors."""
EMPTY: Final = probatio.Schema({})
CONNECTION_RANGES: Final = {
    "min_fuse": str(MIN_FUSE),
    "max_fuse": str(MAX_FUSE),
    "max_chargers": str(MAX_CHARGERS),
}
PASSWORD_FIELD: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
PASSWORD: Final = probatio.Schema({probatio.Required(CONF_PASSWORD): PASSWORD_FIELD})


def connection_schema(chargers: int) -> probatio.Schema:
    """Return the form for the house connection, with as many chargers as are set up already."""
    return probatio.Schema(
        {
            probatio.Required(CONF_PHASES, default="3"): SelectSelector(
                SelectSelectorConfig(options=["1", "3"], translation_key="phases", mode=SelectSelectorMode.LIST)
            ),
            probatio.Required(CONF_MAIN_FUSE, default=DEFAULT_MAIN_FUSE): number("A"),
            probatio.Required(CONF_EXPECTED_CHARGERS, default=max(1, chargers)): number(),
        }
    )


def connection_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values in the form's own shape."""
    return {**data, CONF_PHASES: str(data[CONF_PHASES])} if CONF_PHASES in data else {}


def connection_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the house connection, by field."""
    errors = {}
    if not whole(user_input[CONF_MAIN_FUSE], MIN_FUSE, MAX_FUSE):
        errors[CONF_MAIN_FUSE] = "fuse_out_of_range"
    if not whole(user_input[CONF_EXPECTED_CHARGERS], 1, MAX_CHARGERS):
        errors[CONF_EXPECTED_CHARGERS] = "chargers_out_of_range"
    return errors


def meter_schema(inverters: Mapping[str, str], presets: Sequence[Preset] = ()) -> probatio.Schema:
    """Return the form for the grid meter.

    Args:
        inverters: title by serial number.
        presets: meters that other integrations read.
    """
    options = [SelectOptionDict(value=serial, label=title) for serial, title in inverters.items()]
    options += preset_options(presets)
    options += [SelectOptionDict(value=choice, label=choice) for choice in (*SENSOR_KINDS, MeterSource.NONE)]
    return probatio.Schema(
        {
            probatio.Required(CONF_METER): SelectSelector(
                SelectSelectorConfig(options=options, translation_key=CONF_METER, mode=SelectSelectorMode.LIST)
            )
        }
    )


def preset_options(presets: Sequence[Preset]) -> list[SelectOptionDict]:
    """Return presets as choices of a form."""
    return [SelectOptionDict(value=preset.key, label=preset.label) for preset in presets]


def meter_values(
    data: Mapping[str, Any],
    inverters: Collection[str],
    presets: Sequence[Preset] = (),
    protecting: Collection[str] = (),
) -> dict[str, Any]:
    """Return the present choice of a grid meter; at first one that protects the fuse, or any that is known already.

    Args:
        data: stored so far.
        inverters: their serial numbers.
        presets: meters that other integrations read.
        protecting: inverters whose meter knows every phase.
    """
    source = data.get(CONF_METER_SOURCE)
    if source is None:
        first = [serial for serial in inverters if serial in protecting]
        ready = [*first, *(preset.key for preset in presets if not preset.disabled), *inverters]
        return {CONF_METER: ready[0]} if ready else {}
    if source == MeterSource.SENSOR:
        kind = MeterKind(data.get(CONF_METER_KIND, MeterKind.TOTAL_POWER))
        return {CONF_METER: next(choice for choice, of in SENSOR_KINDS.items() if of is kind)}
    return {CONF_METER: data[CONF_METER_ENTRY] if source == MeterSource.SOLAREDGE else source}


def sees_phases(hass: HomeAssistant, data: Mapping[str, Any]) -> bool:
    """Return whether the chosen meter knows the current of every phase of the house connection."""
    if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        meter = MeterConfig.from_data(data, data[CONF_PHASES])
        return meter is not None and meter.protects
    if data[CONF_METER_SOURCE] == MeterSource.NONE:
        return False
    return inverter_protects(hass, data[CONF_METER_ENTRY], data[CONF_PHASES])


def confirm_step(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the step that says what the choices mean."""
    if data[CONF_METER_SOURCE] == MeterSource.NONE:
        return "confirm_no_meter"
    if not sees_phases(hass, data):
        return "confirm_surplus_only"
    if not data[CONF_DYNAMIC]:
        return "confirm_static"
    return "confirm_sensor" if data[CONF_METER_SOURCE] == MeterSource.SENSOR else "confirm"


def confirm_schema(hass: HomeAssistant, data: Mapping[str, Any]) -> probatio.Schema:
    """Return the last form: where there is a meter it asks whether what it says now is right."""
    source = data[CONF_METER_SOURCE]
    if source == MeterSource.NONE:
        return EMPTY
    reading = grid_reading(hass, data)
    power = None if reading is None else reading.power_w
    return question(CONF_METER_RIGHT, "grid", power, reversible=source == MeterSource.SENSOR)


def confirm_placeholders(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
    """Return what the last step says about the choice, the present import among it."""
    reading = grid_reading(hass, data)
    return {
        "fuse": str(data[CONF_MAIN_FUSE]),
        "phases": str(data[CONF_PHASES]),
        "chargers": str(data[CONF_EXPECTED_CHARGERS]),
        "meter": _meter_name(hass, data),
        "power": shown_reading(reading),
    }


def grid_reading(hass: HomeAssistant, data: Mapping[str, Any]) -> GridReading | None:
    """Return what the chosen grid meter says now."""
    if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        meter = MeterConfig.from_data(data, data[CONF_PHASES])
        return None if meter is None else present_reading(hass, meter)
    inverter = loaded_inverter(hass, data[CONF_METER_ENTRY])
    return None if inverter is None else inverter.grid_reading()


def _meter_name(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        meter = MeterConfig.from_data(data, data[CONF_PHASES])
        needed = () if meter is None else meter.needed
        states = {entity_id: hass.states.get(entity_id) for entity_id in needed}
        return ", ".join(state.name if state else entity_id for entity_id, state in states.items())
    serial = data[CONF_METER_ENTRY]
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return next((e.title for e in entries if e.data.get(CONF_SERIAL) == serial), serial or NOT_KNOWN)


def inverter_schema() -> probatio.Schema:
    """Return the form for an inverter."""
    return probatio.Schema(
        {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=DEFAULT_MODBUS_PORT): number(),
            probatio.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): number(),
        }
    )


def inverter_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the address of an inverter; the host's spelling decides whether a connection is shared."""
    return {
        CONF_HOST: user_input[CONF_HOST].strip().lower(),
        CONF_PORT: int(user_input[CONF_PORT]),
        CONF_UNIT_ID: int(user_input[CONF_UNIT_ID]),
    }


def charger_schema() -> probatio.Schema:
    """Return the form for a charger."""
    return probatio.Schema(
        {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=DEFAULT_WATTPILOT_PORT): number(),
            probatio.Required(CONF_PASSWORD): PASSWORD_FIELD,
        }
    )


def charger_data(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the address and the password of a charger."""
    return {
        CONF_HOST: user_input[CONF_HOST].strip(),
        CONF_PORT: int(user_input[CONF_PORT]),
        CONF_PASSWORD: user_input[CONF_PASSWORD],
    }


def without_password(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return form values that may be shown again."""
    return {key: value for key, value in values.items() if key != CONF_PASSWORD}


def address_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with an address, by field."""
    errors = {}
    host = user_input[CONF_HOST].strip()
    if not host or "/" in host or any(character.isspace() for character in host):
        errors[CONF_HOST] = "invalid_host"
    if not whole(user_input[CONF_PORT], 1, 65535):
        errors[CONF_PORT] = "port_out_of_range"
    if CONF_UNIT_ID in user_input and not whole(user_input[CONF_UNIT_ID], 1, 247):
        errors[CONF_UNIT_ID] = "unit_out_of_range"
    return errors


def best_address(discovery: ZeroconfServiceInfo) -> str:
    """Return an IPv4 address where there is one: the first announced may be link-local IPv6."""
    for address in discovery.ip_addresses:
        if address.version == 4 and not address.is_link_local:
            return str(address)
    return str(ip_address(discovery.host)) if discovery.host.count(":") > 1 else discovery.host
