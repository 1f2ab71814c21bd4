"""Forms of the config flows and the checks of what was typed into them.

Ranges are checked here and not by the schema, so that each gets a message of its own instead of a refused request.
"""

from collections.abc import Mapping
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
from ..shared import loaded_inverter
from .meter_forms import present_reading
from .numbers import number, whole

NOT_KNOWN: Final = "–"
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
_PASSWORD_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password"))
PASSWORD: Final = probatio.Schema({probatio.Required(CONF_PASSWORD): _PASSWORD_FIELD})


def connection_schema() -> probatio.Schema:
    """Return the form for the house connection."""
    return probatio.Schema(
        {
            probatio.Required(CONF_PHASES, default="3"): SelectSelector(
                SelectSelectorConfig(options=["1", "3"], translation_key="phases", mode=SelectSelectorMode.LIST)
            ),
            probatio.Required(CONF_MAIN_FUSE, default=DEFAULT_MAIN_FUSE): number("A"),
            probatio.Required(CONF_EXPECTED_CHARGERS, default=1): number(),
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


def meter_schema(inverters: Mapping[str, str]) -> probatio.Schema:
    """Return the form for the grid meter; ``inverters`` is title by serial number."""
    options = [SelectOptionDict(value=serial, label=title) for serial, title in inverters.items()]
    options += [SelectOptionDict(value=choice, label=choice) for choice in (*SENSOR_KINDS, MeterSource.NONE)]
    return probatio.Schema(
        {
            probatio.Required(CONF_METER): SelectSelector(
                SelectSelectorConfig(options=options, translation_key=CONF_METER, mode=SelectSelectorMode.LIST)
            )
        }
    )


def meter_values(data: Mapping[str, Any], inverters: Mapping[str, str]) -> dict[str, Any]:
    """Return the present choice of a grid meter; at first the only inverter."""
    source = data.get(CONF_METER_SOURCE)
    if source is None:
        return {CONF_METER: next(iter(inverters))} if inverters else {}
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
    inverter = loaded_inverter(hass, data[CONF_METER_ENTRY])
    return inverter is None or inverter.protects(data[CONF_PHASES])


def confirm_step(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Return the step that says what the choices mean."""
    if data[CONF_METER_SOURCE] == MeterSource.NONE:
        return "confirm_no_meter"
    if not sees_phases(hass, data):
        return "confirm_surplus_only"
    if not data[CONF_DYNAMIC]:
        return "confirm_static"
    return "confirm_sensor" if data[CONF_METER_SOURCE] == MeterSource.SENSOR else "confirm"


def confirm_placeholders(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
    """Return what the last step says about the choice, the present import among it."""
    placeholders = {
        "fuse": str(data[CONF_MAIN_FUSE]),
        "phases": str(data[CONF_PHASES]),
        "chargers": str(data[CONF_EXPECTED_CHARGERS]),
        "meter": NOT_KNOWN,
        "power": NOT_KNOWN,
    }
    meter = MeterConfig.from_data(data, data[CONF_PHASES])
    if data[CONF_METER_SOURCE] == MeterSource.SENSOR and meter is not None:
        names = {entity_id: hass.states.get(entity_id) for entity_id in meter.needed}
        placeholders["meter"] = ", ".join(state.name if state else entity_id for entity_id, state in names.items())
        reading = present_reading(hass, meter)
        placeholders["power"] = _power(reading) + _currents(reading)
    elif data[CONF_METER_SOURCE] == MeterSource.SOLAREDGE:
        entries = hass.config_entries.async_entries(DOMAIN)
        serial = data[CONF_METER_ENTRY]
        placeholders["meter"] = next((e.title for e in entries if e.data.get(CONF_SERIAL) == serial), serial)
        inverter = loaded_inverter(hass, serial)
        placeholders["power"] = _power(inverter.grid_reading() if inverter is not None else None)
    return placeholders


def _power(reading: GridReading | None) -> str:
    return NOT_KNOWN if reading is None or reading.power_w is None else f"{reading.power_w:.0f} W"


def _currents(reading: GridReading | None) -> str:
    """Return the currents of the phases for the eye, nothing where there is only one."""
    known = [current for current in reading.currents_a if current is not None] if reading is not None else []
    named = [f"L{line} {current:.1f} A" for line, current in enumerate(known, start=1)]
    return f" ({', '.join(named)})" if len(named) == 3 else ""


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
            probatio.Required(CONF_PASSWORD): _PASSWORD_FIELD,
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
