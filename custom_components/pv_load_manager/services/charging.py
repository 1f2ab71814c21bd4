"""Actions for single chargers: overrides, charge modes, priorities."""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import ServiceCall
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.device_registry import async_get_device_id_by_identifier
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
import probatio

from ..const import CONF_ENTRY_TYPE, DOMAIN, PRIORITIES, EntryType
from ..control import HIGHEST_CURRENT, LOWEST_CURRENT, ChargerMode, OverrideSource
from ..coordinators.errors import refused
from .common import (
    CURRENT,
    END,
    async_chargers,
    async_entries,
    end_of,
    load_manager,
    only_chargers,
    ready,
    whole_number,
)

ENERGY: Final = "energy"
MODE: Final = "mode"
PRIORITY: Final = "priority"

MAX_ENERGY: Final = 500.0  # kWh; more than any battery of a car
CHARGER_CURRENT: Final = probatio.All(
    whole_number, probatio.Any(0, probatio.Range(min=LOWEST_CURRENT, max=HIGHEST_CURRENT))
)
SET_OVERRIDE_SCHEMA: Final = probatio.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        probatio.Required(CURRENT): CHARGER_CURRENT,
        **END,
        probatio.Optional(ENERGY): probatio.All(
            probatio.Coerce(float), probatio.Range(min=0, max=MAX_ENERGY, min_included=False)
        ),
    }
)
CLEAR_OVERRIDE_SCHEMA: Final = probatio.Schema({**cv.TARGET_SERVICE_FIELDS})
SET_CHARGE_MODE_SCHEMA: Final = probatio.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        probatio.Required(MODE): probatio.In([mode.value for mode in ChargerMode]),
        **END,
    }
)
SET_PRIORITY_SCHEMA: Final = probatio.Schema(
    {**cv.TARGET_SERVICE_FIELDS, probatio.Required(PRIORITY): probatio.In(list(PRIORITIES))}
)


async def async_set_override(call: ServiceCall) -> None:
    """Let chargers charge with a current."""
    manager = load_manager(call.hass)
    until = end_of(call.data, over=refused("override_in_the_past"))
    off = not call.data[CURRENT]
    serials = await async_chargers(call, off=off)
    if off:  # one that is gone keeps nobody else from stopping
        serials = [serial for serial in serials if serial in manager.data.chargers] or serials
    manager.check_override(serials, call.data[CURRENT])
    energy = call.data.get(ENERGY)
    for serial in serials:
        manager.begin_override(
            serial,
            call.data[CURRENT],
            source=OverrideSource.USER,
            until=until,
            energy_wh=None if energy is None else energy * 1000,
        )


async def async_clear_override(call: ServiceCall) -> None:
    """Let chargers charge by their modes again."""
    manager = load_manager(call.hass)
    for serial in await async_chargers(call):
        manager.end_override(serial)


async def async_set_charge_mode(call: ServiceCall) -> None:
    """Choose the mode of chargers, or of the site; with an end what was chosen before comes back."""
    manager, mode = load_manager(call.hass), call.data[MODE]
    until = end_of(call.data, over=refused("mode_in_the_past"))
    entries = await async_entries(call)
    chargers = only_chargers(entries)
    site = any(_is_site(call, entry) for entry in entries)
    if not chargers and not site:
        raise refused("no_mode_target")
    if mode == ChargerMode.FOLLOW_SITE:
        if site:
            raise refused("site_follows_nobody")
        if until is not None:
            raise refused("follow_site_without_end")
    manager.check_mode(mode)
    serials = ready(chargers, off=mode == ChargerMode.OFF)
    if site:
        manager.choose_mode(mode, until)
    for serial in serials:
        manager.choose_charger_mode(serial, None if mode == ChargerMode.FOLLOW_SITE else mode, until)


def _is_site(call: ServiceCall, entry: ConfigEntry) -> bool:
    """Return whether the load manager itself is among the targets: its circuits are devices of its entry, too."""
    if entry.data[CONF_ENTRY_TYPE] != EntryType.LOAD_MANAGER:
        return False
    hass = call.hass
    chosen = async_extract_referenced_entity_ids(hass, TargetSelection(call.data))
    entities = (er.async_get(hass).async_get(key) for key in chosen.referenced | chosen.indirectly_referenced)
    devices = chosen.referenced_devices | {entity.device_id for entity in entities if entity is not None}
    return async_get_device_id_by_identifier(hass, (DOMAIN, entry.entry_id), config_entry_id=entry.entry_id) in devices


async def async_set_priority(call: ServiceCall) -> None:
    """Choose who is served first."""
    manager = load_manager(call.hass)
    for serial in await async_chargers(call):
        manager.change_charger(serial, priority=call.data[PRIORITY])
