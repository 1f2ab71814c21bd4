"""Finds the spelling of a host under which others hold the one connection that an inverter allows.

Home Assistant shares a Modbus connection by the host's name as typed, so an address and a name of the same inverter
would be two connections, and the second one is refused.
"""

from collections.abc import Iterable
import socket
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant

CORE_DOMAIN: Final = "solaredge_modbus"


async def async_shared_host(hass: HomeAssistant, host: str, port: int, others: Iterable[ConfigEntry] = ()) -> str:
    """Return how Home Assistant's own integration spells a host, else how ``others`` do, else the host as it is."""
    host = host.lower()
    core = hass.config_entries.async_entries(CORE_DOMAIN, include_ignore=False, include_disabled=False)
    spellings = [
        str(entry.data[CONF_HOST]).lower()
        for entry in (*core, *others)
        if CONF_HOST in entry.data and entry.data.get(CONF_PORT) == port
    ]
    if not spellings or host == spellings[0]:
        return host
    addresses = await _addresses(hass, host)
    for other in dict.fromkeys(spellings):
        if other == host or addresses & await _addresses(hass, other):
            return other
    return host


async def _addresses(hass: HomeAssistant, host: str) -> set[str]:
    try:
        found = await hass.loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError, UnicodeError:
        return set()
    return {str(address[0]) for *_, address in found}
