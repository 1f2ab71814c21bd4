"""Gives a charger back to its owner, also when its entry is removed and no connection is open any more."""

from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..const import CONF_SERIAL, LOGGER
from ..memory import Memory
from ..wattpilot import FormerValues, WattpilotClient, WattpilotError, restore_writes
from .clients import charger_client


async def async_release_charger(memory: Memory, entry: ConfigEntry) -> None:
    """Write back the former values of a charger that was managed; errors are logged, not raised."""
    serial = entry.data[CONF_SERIAL]
    former = memory.charger(serial).get("former")
    if former is None:
        return
    client = charger_client(entry.data, serial=serial)
    try:
        await client.connect()
        await async_restore(client, former, entry.title)
    except WattpilotError as err:
        LOGGER.warning("%s could not be given back its former settings: %s", entry.title, err)
    finally:
        await client.close()


async def async_restore(client: WattpilotClient, former: dict[str, Any], name: str) -> bool:
    """Write back a charger's former values; return whether all were taken."""
    try:
        for write in restore_writes(FormerValues.from_dict(former), client.status):
            await client.set_value(write.key, write.value)
    except WattpilotError as err:
        LOGGER.warning("%s could not be given back its former settings: %s", name, err)
        return False
    return True
