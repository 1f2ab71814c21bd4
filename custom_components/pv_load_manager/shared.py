"""Where the entries of this integration find each other, in any order of loading."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util.hass_dict import HassKey

from .const import CONF_CONNECTION, CONF_ENTRY_TYPE, CONF_SERIAL, DOMAIN, EntryType, InverterConnection
from .memory import Memory

if TYPE_CHECKING:
    from .coordinators.inverter import InverterCoordinator
    from .coordinators.ledger import Ledger
    from .coordinators.load_manager import LoadManagerCoordinator
    from .coordinators.wattpilot import WattpilotCoordinator

type PvLoadManagerConfigEntry = ConfigEntry[LoadManagerCoordinator | InverterCoordinator | WattpilotCoordinator]


@dataclass(kw_only=True)
class Shared:
    """The loaded coordinators of all entries."""

    memory: Memory
    templates: Mapping[str, str]
    """Texts of the reasons in Home Assistant's language."""
    ledger: Ledger
    """The finished charging sessions."""
    chargers: dict[str, WattpilotCoordinator] = field(default_factory=dict)
    """By serial number."""
    inverters: dict[str, InverterCoordinator] = field(default_factory=dict)
    """By serial number."""
    load_manager: LoadManagerCoordinator | None = None
    available_a: float | None = None
    """The available current that was set since Home Assistant started, in A per phase; None = none was."""
    available_set_at: float | None = None
    """When, in monotonic seconds."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Who holds it adds its entities."""
    mode_restored: bool = False
    """Whether the charge mode for the time after a restart is already in force."""


SHARED: HassKey[Shared] = HassKey(DOMAIN)


def loaded_inverter(hass: HomeAssistant, serial: str | None) -> InverterCoordinator | None:
    """Return the coordinator of an inverter, None while it is not loaded."""
    shared = hass.data.get(SHARED)
    return None if shared is None or serial is None else shared.inverters.get(serial)


def inverter_protects(hass: HomeAssistant, serial: str | None, phases: int) -> bool:
    """Return whether the meter of an inverter knows the current of every phase of a house with 1 or 3 phases.

    One that is not loaded counts as a dead meter, never as none; the cloud knows no phases, loaded or not.
    """
    inverter = loaded_inverter(hass, serial)
    if inverter is not None:
        return inverter.protects(phases)
    return not any(
        entry.data.get(CONF_SERIAL) == serial and entry.data.get(CONF_CONNECTION) == InverterConnection.CLOUD
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    )


def has_load_manager(hass: HomeAssistant) -> bool:
    """Return whether a load manager is configured, loaded or not; a disabled one does not count."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)
    return any(entry.data[CONF_ENTRY_TYPE] == EntryType.LOAD_MANAGER for entry in entries)


def charger_entries(hass: HomeAssistant) -> dict[str, ConfigEntry]:
    """Return the entries of all configured chargers by serial number, loaded or not, disabled ones left out."""
    return dict(all_charger_entries(hass))


def all_charger_entries(hass: HomeAssistant) -> list[tuple[str, ConfigEntry]]:
    """Return serial number and entry of all configured chargers in a fixed order, also where two are the same."""
    found = [
        (str(entry.data[CONF_SERIAL]), entry)
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False)
        if entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT
    ]
    return sorted(found, key=lambda charger: charger[0])


def charger_names(hass: HomeAssistant) -> dict[str, str]:
    """Return the names of all chargers as people see them, by serial number, disabled ones among them."""
    devices, names = dr.async_get(hass), {}
    for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        if entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT:
            serial = entry.data[CONF_SERIAL]
            device = devices.async_get_device_by_identifier(
                (DOMAIN, f"{EntryType.WATTPILOT}_{serial}"), config_entry_id=entry.entry_id
            )
            names[serial] = (device.name_by_user if device is not None else None) or entry.title
    return names
