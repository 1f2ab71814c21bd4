"""PV Load Manager: electric cars charge from the roof, and the fuse never trips."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, UnsupportedStorageVersionError
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.typing import ConfigType

from .const import (
    CONF_CONNECTION,
    CONF_ENTRY_TYPE,
    CONF_PHASE_POLICY,
    CONF_PRIORITY,
    CONF_SERIAL,
    DOMAIN,
    LOGGER,
    PLATFORMS,
    EntryType,
    InverterConnection,
)
from .coordinators.charger_issue import forget_issues
from .coordinators.distribution import forget_distribution
from .coordinators.inverter import InverterCoordinator
from .coordinators.issues import ConfigIssues
from .coordinators.ledger import Ledger
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.release import async_release_charger
from .coordinators.solaredge import SolarEdgeCoordinator
from .coordinators.solaredge_cloud import SolarEdgeCloudCoordinator, async_forget_cloud
from .coordinators.tally import forget_house
from .coordinators.wattpilot import WattpilotCoordinator
from .dashboard import async_setup_dashboard, show_dashboard, withdraw_dashboard
from .download import async_register_sessions_view
from .entity import device_info
from .languages import async_templates
from .memory import Memory
from .power_manager import async_register_views
from .services import async_setup_actions
from .shared import SHARED, PvLoadManagerConfigEntry, Shared, charger_entries
from .websocket import async_setup_websocket

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
INVERTERS: Final[dict[InverterConnection, Callable[[HomeAssistant, ConfigEntry], InverterCoordinator]]] = {
    InverterConnection.MODBUS: SolarEdgeCoordinator,
    InverterConnection.CLOUD: SolarEdgeCloudCoordinator,
}


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Read what the integration remembers, before any entry needs it."""
    # A dashboard says what is wrong also where nothing can be set up.
    async_setup_websocket(hass)
    await async_setup_dashboard(hass)
    if SHARED not in hass.data:
        try:
            await _async_share(hass)
        except UnsupportedStorageVersionError as err:
            LOGGER.error("%s", err)
            return False
    async_setup_actions(hass)
    async_register_sessions_view(hass)
    async_register_views(hass)
    return True


async def _async_share(hass: HomeAssistant) -> None:
    """Read what is saved."""
    memory, ledger = Memory(hass), Ledger(hass)
    await memory.async_load()
    await ledger.async_load()
    hass.data[SHARED] = Shared(memory=memory, templates=await async_templates(hass), ledger=ledger)


async def async_migrate_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Bring an entry of an earlier version up to date.

    1.2: what a user changes while the house runs is no option of a charger any more, but a setting with an entity.
    """
    if entry.minor_version < 2:
        options = dict(entry.options)
        if entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT:
            memory, serial = hass.data[SHARED].memory, entry.data[CONF_SERIAL]
            moved = {name: options.pop(name) for name in (CONF_PHASE_POLICY, CONF_PRIORITY) if name in options}
            if missing := {name: value for name, value in moved.items() if name not in memory.charger(serial)}:
                memory.set_charger(serial, **missing)
                await memory.async_save()  # before the entry, which has them no more, is saved a second later
        hass.config_entries.async_update_entry(entry, options=options, minor_version=2)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> bool:
    """Set up one entry of any kind; what is to be undone at its end is undone, too, where this fails midway."""
    shared = hass.data[SHARED]
    show_dashboard(hass)
    kind = EntryType(entry.data[CONF_ENTRY_TYPE])
    manager: LoadManagerCoordinator | None = None
    if kind is EntryType.LOAD_MANAGER:
        manager = LoadManagerCoordinator(hass, entry)
        entry.runtime_data = manager
        shared.load_manager = manager
        entry.async_on_unload(manager.async_stop)
        entry.async_on_unload(entry.add_update_listener(_async_reload))
    elif kind is EntryType.SOLAREDGE:
        connection = InverterConnection(entry.data.get(CONF_CONNECTION, InverterConnection.MODBUS))
        inverter = INVERTERS[connection](hass, entry)
        await inverter.async_connect()
        entry.runtime_data = inverter
        shared.inverters[inverter.serial] = inverter
        entry.async_on_unload(partial(_forget_loaded, shared.inverters, inverter.serial))
        shared.memory.set_battery(inverter.serial, attached=inverter.has_battery)
        # A coordinator polls only while somebody listens; the control core needs it without any entity, too.
        entry.async_on_unload(inverter.async_add_listener(partial(_decide_now, shared)))
    else:
        _refuse_a_second_entry(shared, entry)
        charger = WattpilotCoordinator(hass, entry)
        entry.async_on_unload(charger.async_close)
        await charger.async_connect()
        entry.runtime_data = charger
        shared.chargers[charger.serial] = charger
        entry.async_on_unload(partial(_forget_loaded, shared.chargers, charger.serial))
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **device_info(entry))
    async with _turn(shared):
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if manager is not None:
        async with _turn(shared):
            manager.async_start()
    elif kind is EntryType.SOLAREDGE:
        _decide_now(shared)
    elif shared.load_manager is not None:
        # Soon, not at once: at the start of Home Assistant there are many.
        shared.load_manager.charger_changed()
    return True


@asynccontextmanager
async def _turn(shared: Shared) -> AsyncIterator[None]:
    """Give one entry after the other a step of the event loop: dozens that wait for the same would block it."""
    async with shared.turn:
        await asyncio.sleep(0)
        yield


async def async_unload_entry(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> bool:
    """Unload one entry; chargers and cars stay as they are."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    if isinstance(entry.runtime_data, WattpilotCoordinator):
        # Before its task is cancelled, which would not say goodbye to the charger.
        await entry.runtime_data.async_close()
    return True


@callback
def _forget_loaded(coordinators: dict[str, Any], serial: str) -> None:
    """Take out a coordinator of an entry that is unloaded, or whose set-up failed."""
    coordinators.pop(serial, None)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Give chargers back to their owners when the load manager or they themselves are removed."""
    if SHARED not in hass.data:
        await _async_share(hass)  # a disabled entry may be removed before anything was ever set up
    shared = hass.data[SHARED]
    kind = EntryType(entry.data[CONF_ENTRY_TYPE])
    if kind is EntryType.LOAD_MANAGER:
        await asyncio.gather(*(charger.async_release() for charger in shared.chargers.values()))
        _forget_site(hass, shared)
        ConfigIssues(hass, entry).clear()
    elif kind is EntryType.SOLAREDGE:
        async_forget_cloud(hass, entry)
        shared.memory.set_battery(entry.data[CONF_SERIAL], attached=False)
        shared.memory.set_grid_slot(entry.data[CONF_SERIAL], None)
    elif (twin := charger_entries(hass).get(entry.data[CONF_SERIAL])) is not None:
        # What is known of the charger goes on there; it was refused while this one was loaded.
        if twin.state is not ConfigEntryState.LOADED:
            hass.config_entries.async_schedule_reload(twin.entry_id)
    else:
        await async_release_charger(shared.memory, entry)
        shared.memory.forget_charger(entry.data[CONF_SERIAL])
        shared.ledger.forget(entry.data[CONF_SERIAL])
        forget_issues(hass, entry.data[CONF_SERIAL])
        _decide_now(shared)
    if not hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        withdraw_dashboard(hass)
        forget_house(hass)  # chargers that were removed after the load manager began it anew
        await shared.memory.async_remove()
        await shared.ledger.async_remove()


@callback
def _forget_site(hass: HomeAssistant, shared: Shared) -> None:
    """Forget all that the next load manager must not begin with."""
    shared.memory.forget_site()
    shared.available_a = shared.available_set_at = None
    forget_house(hass)
    forget_distribution(hass)


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
