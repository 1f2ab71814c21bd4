"""Turns the sign of the meter at the house connection."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from ..const import (
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_METERS_INVERTED,
    CONF_SERIAL,
    DOMAIN,
    EntryType,
    InverterConnection,
    MeterSource,
)
from ..shared import SHARED
from .meter_config import other_way_round


def turnable(hass: HomeAssistant, manager: ConfigEntry) -> bool:
    """Return whether the sign of the load manager's meter can be turned: of the cloud's it cannot."""
    if manager.data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        return True
    inverter = _inverter(hass, manager)
    return inverter is not None and hass.data[SHARED].memory.grid_slot(inverter.data[CONF_SERIAL]) is not None


async def async_turn(hass: HomeAssistant, manager: ConfigEntry) -> None:
    """Let the load manager's meter count the other way round, and begin to judge its sign anew."""
    entries = hass.config_entries
    if manager.data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        # The entry's own listener reloads the load manager.
        entries.async_update_entry(manager, data={**manager.data, **other_way_round(manager.data)})
        return
    inverter = _inverter(hass, manager)
    slot = None if inverter is None else hass.data[SHARED].memory.grid_slot(inverter.data[CONF_SERIAL])
    if inverter is None or slot is None:
        return
    option = CONF_METERS_INVERTED[slot - 1]
    entries.async_update_entry(inverter, options={**inverter.options, option: not inverter.options.get(option, False)})
    await entries.async_reload(inverter.entry_id)
    await entries.async_reload(manager.entry_id)


def _inverter(hass: HomeAssistant, manager: ConfigEntry) -> ConfigEntry | None:
    """Return the inverter with the meter of the house connection, where it is read over Modbus."""
    serial = manager.data.get(CONF_METER_ENTRY)
    inverters = (
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE and entry.data[CONF_SERIAL] == serial
    )
    return next((entry for entry in inverters if entry.data.get(CONF_CONNECTION) != InverterConnection.CLOUD), None)
