"""PV Load Manager: electric cars charge from the roof, and the fuse never trips."""

from collections.abc import Callable
from functools import partial
import json
from pathlib import Path
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import (
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_SERIAL,
    DOMAIN,
    LOGGER,
    PLATFORMS,
    EntryType,
    InverterConnection,
)
from .coordinators.inverter import InverterCoordinator
from .coordinators.issues import ConfigIssues
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.release import async_release_charger
from .coordinators.solaredge import SolarEdgeCoordinator
from .coordinators.solaredge_cloud import SolarEdgeCloudCoordinator, async_forget_cloud
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import device_info
from .memory import Memory
from .services import async_setup_actions
from .shared import SHARED, PvLoadManagerConfigEntry, Shared

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
TEXTS = Path(__file__).parent / "texts"
INVERTERS: Final[dict[InverterConnection, Callable[[HomeAssistant, ConfigEntry], InverterCoordinator]]] = {
    InverterConnection.MODBUS: SolarEdgeCoordinator,
    InverterConnection.CLOUD: SolarEdgeCloudCoordinator,
}


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Read what the integration remembers, before any entry needs it."""
    memory = Memory(hass)
    await memory.async_load()
    templates = await hass.async_add_executor_job(_load_templates, hass.config.language)
    hass.data[SHARED] = Shared(memory=memory, templates=templates)
    async_setup_actions(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> bool:
    """Set up one entry of any kind."""
    shared = hass.data[SHARED]
    kind = EntryType(entry.data[CONF_ENTRY_TYPE])
    manager: LoadManagerCoordinator | None = None
    if kind is EntryType.LOAD_MANAGER:
        manager = LoadManagerCoordinator(hass, entry)
        entry.runtime_data = manager
        shared.load_manager = manager
        entry.async_on_unload(manager.async_stop)  # also where the set-up fails further down
        entry.async_on_unload(entry.add_update_listener(_async_reload))
    elif kind is EntryType.SOLAREDGE:
        connection = InverterConnection(entry.data.get(CONF_CONNECTION, InverterConnection.MODBUS))
        inverter = INVERTERS[connection](hass, entry)
        await inverter.async_connect()
        entry.runtime_data = inverter
        shared.inverters[inverter.serial] = inverter
        shared.memory.set_battery(inverter.serial, attached=inverter.has_battery)
        # A coordinator polls only while somebody listens; the control core needs it without any entity, too.
        entry.async_on_unload(inverter.async_add_listener(partial(_decide_now, shared)))
    else:
        _refuse_a_second_entry(shared, entry)
        charger = WattpilotCoordinator(hass, entry)
        await charger.async_connect()
        entry.runtime_data = charger
        shared.chargers[charger.serial] = charger
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **device_info(entry))
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if manager is not None:
        manager.async_start()
    elif kind is EntryType.SOLAREDGE:
        _decide_now(shared)
    elif shared.load_manager is not None:
        # Soon, not at once: at the start of Home Assistant there are many.
        shared.load_manager.charger_changed()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> bool:
    """Unload one entry; chargers and cars stay as they are."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    shared = hass.data[SHARED]
    coordinator = entry.runtime_data
    if isinstance(coordinator, InverterCoordinator):
        shared.inverters.pop(coordinator.serial, None)
    elif isinstance(coordinator, WattpilotCoordinator):
        shared.chargers.pop(coordinator.serial, None)
        await coordinator.async_close()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Give chargers back to their owners when the load manager or they themselves are removed."""
    if SHARED not in hass.data:
        await async_setup(hass, {})  # a disabled entry may be removed before anything was ever set up
    shared = hass.data[SHARED]
    kind = EntryType(entry.data[CONF_ENTRY_TYPE])
    if kind is EntryType.LOAD_MANAGER:
        for charger in shared.chargers.values():
            await charger.async_release()
        shared.memory.forget_site()
        ConfigIssues(hass, entry).clear()
    elif kind is EntryType.SOLAREDGE:
        async_forget_cloud(hass, entry)
        shared.memory.set_battery(entry.data[CONF_SERIAL], attached=False)
        shared.memory.set_grid_slot(entry.data[CONF_SERIAL], None)
    elif kind is EntryType.WATTPILOT:
        await async_release_charger(shared.memory, entry)
        shared.memory.forget_charger(entry.data[CONF_SERIAL])
        _decide_now(shared)


def _refuse_a_second_entry(shared: Shared, entry: PvLoadManagerConfigEntry) -> None:
    """Two connections to one charger would undo what the other one wrote."""
    serial = entry.data[CONF_SERIAL]
    charger = shared.chargers.get(serial)
    if charger is not None and charger.config_entry.entry_id != entry.entry_id:
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="duplicate_charger", translation_placeholders={"serial": serial}
        )


async def _async_reload(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> None:
    """Put a changed house connection or circuit in force; a reload is not a stop, so cars charge on."""
    hass.config_entries.async_schedule_reload(entry.entry_id)


def _decide_now(shared: Shared) -> None:
    if shared.load_manager is not None:
        shared.load_manager.decide_now()


def _load_templates(language: str) -> dict[str, str]:
    """Return the texts of the reasons in a language, English where there is none."""
    path = TEXTS / f"{language.split('-', maxsplit=1)[0]}.json"
    if not path.is_file():
        LOGGER.debug("No texts for the language %s, using English", language)
        path = TEXTS / "en.json"
    templates: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return templates
