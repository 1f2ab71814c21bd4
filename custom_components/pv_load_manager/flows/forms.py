"""Forms of the config flows and the checks of what was typed into them.

Ranges are checked here and not by the schema, so that each gets a message of its own instead of a refused request.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
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
    CONF_EXPECTED_CHARGERS,
    CONF_MAIN_FUSE,
    CONF_METER,
    CONF_METER_ENTITY,
    CONF_METER_ENTRY,
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
    MeterSource,
)
from ..coordinators.meter import power_of
from ..shared import loaded_inverter

EMPTY: Final = probatio.Schema({})
CONNECTION_RANGES: Final = {
    "min_fuse": str(MIN_FUSE),
    "max_fuse": str(MAX_FUSE),
    "max_chargers": str(MAX_CHARGERS),
}
_PASSWORD_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password"))
PASSWORD: Final = probatio.Schema({probatio.Required(CONF_PASSWORD): _PASSWORD_FIELD})


def _number(unit: str | None = None) -> NumberSelector:
    config = NumberSelectorConfig(mode=NumberSelectorMode.BOX, step=1)
    if unit is not None:
        config["unit_of_measurement"] = unit
    return NumberSelector(config)


def connection_schema() -> probatio.Schema:
    """Return the form for the house connection."""
    return probatio.Schema(
        {
            probatio.Required(CONF_PHASES, default="3"): SelectSelector(
                SelectSelectorConfig(options=["1", "3"], translation_key="phases", mode=SelectSelectorMode.LIST)
            ),
            probatio.Required(CONF_MAIN_FUSE, default=DEFAULT_MAIN_FUSE): _number("A"),
            probatio.Required(CONF_EXPECTED_CHARGERS, default=1): _number(),
        }
    )


def connection_values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return stored values in the form's own shape."""
    return {**data, CONF_PHASES: str(data[CONF_PHASES])} if CONF_PHASES in data else {}


def connection_errors(user_input: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the house connection, by field."""
    errors = {}
    if not _whole(user_input[CONF_MAIN_FUSE], MIN_FUSE, MAX_FUSE):
        errors[CONF_MAIN_FUSE] = "fuse_out_of_range"
    if not _whole(user_input[CONF_EXPECTED_CHARGERS], 1, MAX_CHARGERS):
        errors[CONF_EXPECTED_CHARGERS] = "chargers_out_of_range"
    return errors


def meter_schema(inverters: Mapping[str, str]) -> probatio.Schema:
    """Return the form for the grid meter; ``inverters`` is title by serial number."""
    options = [SelectOptionDict(value=serial, label=title) for serial, title in inverters.items()]
    options += [SelectOptionDict(value=source, label=source) for source in (MeterSource.SENSOR, MeterSource.NONE)]
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
    return {CONF_METER: data[CONF_METER_ENTRY] if source == MeterSource.SOLAREDGE else source}


def sensor_schema() -> probatio.Schema:
    """Return the form for a sensor as grid meter."""
    return probatio.Schema(
        {
            probatio.Required(CONF_METER_ENTITY): EntitySelector(
                EntitySelectorConfig(filter=[{"domain": "sensor", "device_class": "power"}])
            )
        }
    )


def confirm_placeholders(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
    """Return what the last step says about the choice, the present import among it."""
    placeholders = {
        "fuse": str(data[CONF_MAIN_FUSE]),
        "phases": str(data[CONF_PHASES]),
        "chargers": str(data[CONF_EXPECTED_CHARGERS]),
        "meter": "–",
        "power": "–",
    }
    if data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        state = hass.states.get(data[CONF_METER_ENTITY])
        power = power_of(state)
        placeholders["meter"] = state.name if state is not None else data[CONF_METER_ENTITY]
        placeholders["power"] = "–" if power is None else f"{power:.0f} W"
    elif data[CONF_METER_SOURCE] == MeterSource.SOLAREDGE:
        entries = hass.config_entries.async_entries(DOMAIN)
        serial = data[CONF_METER_ENTRY]
        placeholders["meter"] = next((e.title for e in entries if e.data.get(CONF_SERIAL) == serial), serial)
        inverter = loaded_inverter(hass, serial)
        grid = inverter.grid_reading() if inverter is not None else None
        if grid is not None and grid.power_w is not None:
            placeholders["power"] = f"{grid.power_w:.0f} W"
    return placeholders


def inverter_schema() -> probatio.Schema:
    """Return the form for an inverter."""
    return probatio.Schema(
        {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=DEFAULT_MODBUS_PORT): _number(),
            probatio.Required(CONF_UNIT_ID, default=DEFAULT_UNIT_ID): _number(),
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
            probatio.Required(CONF_PORT, default=DEFAULT_WATTPILOT_PORT): _number(),
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
    if not _whole(user_input[CONF_PORT], 1, 65535):
        errors[CONF_PORT] = "port_out_of_range"
    if CONF_UNIT_ID in user_input and not _whole(user_input[CONF_UNIT_ID], 1, 247):
        errors[CONF_UNIT_ID] = "unit_out_of_range"
    return errors


def best_address(discovery: ZeroconfServiceInfo) -> str:
    """Return an IPv4 address where there is one: the first announced may be link-local IPv6."""
    for address in discovery.ip_addresses:
        if address.version == 4 and not address.is_link_local:
            return str(address)
    return str(ip_address(discovery.host)) if discovery.host.count(":") > 1 else discovery.host


def _whole(value: float, low: int, high: int) -> bool:
    return low <= value <= high and value == int(value)
