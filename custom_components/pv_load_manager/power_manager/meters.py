"""The meters that are configured, as the numbered slots that WARP knows.

Slot 0 are the sensors of Home Assistant that were chosen as meters, 1 and following the inverters in the order of their
serial numbers, with or without a meter: so a number stays what it is while an inverter does not answer.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_BATTERY_SENSORS,
    CONF_BATTERY_SOURCE,
    CONF_ENTRY_TYPE,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_PHASES,
    CONF_SERIAL,
    DOMAIN,
    BatterySource,
    EntryType,
    MeterSource,
)
from ..coordinators.meter_config import MeterConfig
from ..coordinators.sources import inverters_with_battery
from ..shared import SHARED, inverter_protects
from .fields import NO_METER, Meter

SENSORS = 0
"""The slot of the sensors of Home Assistant."""


@callback
def all_meters(hass: HomeAssistant, entry: ConfigEntry) -> tuple[Meter, ...]:
    """Return every slot with a meter; ``entry`` is the load manager's."""
    own = _sensors(entry)
    inverters = (_inverter(hass, entry, slot, serial) for slot, serial in inverter_slots(hass).items())
    return tuple(meter for meter in (own, *inverters) if meter.grid_power or meter.battery_power)


@callback
def inverter_slots(hass: HomeAssistant) -> dict[int, str]:
    """Return the serial numbers of all configured inverters by their slots."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    serials = {entry.data[CONF_SERIAL] for entry in entries if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE}
    return dict(enumerate(sorted(serials), start=1))


@callback
def grid_slot(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Return the slot of the meter at the house connection."""
    match entry.data[CONF_METER_SOURCE]:
        case MeterSource.SENSOR:
            return SENSORS
        case MeterSource.SOLAREDGE:
            return _slot_of(hass, entry.data[CONF_METER_ENTRY])
        case _:
            return NO_METER


@callback
def battery_slot(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Return the slot of the house battery that counts."""
    source = entry.options.get(CONF_BATTERY_SOURCE)
    if source == BatterySource.NONE:
        return NO_METER
    if source is None and entry.options.get(CONF_BATTERY_SENSORS):
        return SENSORS
    serial = _first_with_battery(hass, entry.data.get(CONF_METER_ENTRY))
    return NO_METER if serial is None else _slot_of(hass, serial)


@callback
def grid_source(hass: HomeAssistant, slot: int) -> dict[str, Any]:
    """Return what the data of the load manager's entry says with the meter of a slot as the grid's."""
    if slot == NO_METER:
        return {CONF_METER_SOURCE: MeterSource.NONE.value, CONF_METER_ENTRY: None}
    if slot == SENSORS:
        return {CONF_METER_SOURCE: MeterSource.SENSOR.value, CONF_METER_ENTRY: None}
    return {CONF_METER_SOURCE: MeterSource.SOLAREDGE.value, CONF_METER_ENTRY: inverter_slots(hass)[slot]}


def with_battery_source(options: Mapping[str, Any], slot: int) -> dict[str, Any]:
    """Return the options of the load manager with the battery of a slot; its sensors stay known for another time."""
    others = {key: value for key, value in options.items() if key != CONF_BATTERY_SOURCE}
    if slot == NO_METER:
        return others | {CONF_BATTERY_SOURCE: BatterySource.NONE.value}
    if slot != SENSORS and options.get(CONF_BATTERY_SENSORS):
        return others | {CONF_BATTERY_SOURCE: BatterySource.INVERTERS.value}
    return others


def _sensors(entry: ConfigEntry) -> Meter:
    config = MeterConfig.from_data(entry.data, entry.data[CONF_PHASES])
    battery: tuple[str, ...] = tuple(entry.options.get(CONF_BATTERY_SENSORS) or ())
    grid = config is not None and config.complete
    names = (*(config.needed if config is not None and grid else ()), *battery)
    return Meter(
        slot=SENSORS,
        name=", ".join(names),
        grid_power=grid,
        grid_currents=config is not None and config.protects,
        battery_power=bool(battery),
    )


def _inverter(hass: HomeAssistant, entry: ConfigEntry, slot: int, serial: str) -> Meter:
    """Return an inverter; of one that is not loaded counts what was known of it."""
    shared = hass.data[SHARED]
    inverter, grid_meter = shared.inverters.get(serial), entry.data.get(CONF_METER_ENTRY)
    if inverter is not None:
        grid = inverter.has_grid_meter
    else:
        grid = serial == grid_meter or (_enabled(hass, serial) and shared.memory.grid_slot(serial) is not None)
    return Meter(
        slot=slot,
        name=serial,
        grid_power=grid,
        grid_currents=grid and inverter_protects(hass, serial, entry.data[CONF_PHASES]),
        battery_power=serial == _first_with_battery(hass, grid_meter),
    )


def _first_with_battery(hass: HomeAssistant, grid_meter: str | None) -> str | None:
    """Return the first inverter whose battery counts: all of them count together, so one slot stands for all."""
    serials = [entry.data[CONF_SERIAL] for entry, _ in inverters_with_battery(hass, grid_meter)]
    return min(serials, default=None)


def _enabled(hass: HomeAssistant, serial: str) -> bool:
    entries = hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    return any(entry.data.get(CONF_SERIAL) == serial for entry in entries)


def _slot_of(hass: HomeAssistant, serial: str) -> int:
    return next((slot for slot, known in inverter_slots(hass).items() if known == serial), NO_METER)
