"""What the system information page says about this integration."""

from importlib.metadata import version
from typing import Any, Final

from homeassistant.components.system_health import SystemHealthRegistration, async_check_can_reach_url
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import CONF_CONNECTION, CONF_ENTRY_TYPE, DOMAIN, ChargerConnection, EntryType, InverterConnection
from .coordinators.clients import CLOUD
from .shared import SHARED
from .solaredge.cloud import BASE_URL

LIBRARIES: Final = ("websockets", "solaredged")
CHARGER_CLOUD: Final = CLOUD.partition("/app/")[0].replace("wss://", "https://")


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return whether devices and control core are alive, and which libraries talk to the devices."""
    shared, entries = (
        hass.data[SHARED],
        hass.config_entries.async_entries(DOMAIN, include_ignore=False, include_disabled=False),
    )
    chargers = [entry for entry in entries if entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT]
    inverters = [entry for entry in entries if entry.data[CONF_ENTRY_TYPE] == EntryType.SOLAREDGE]
    connected = sum(charger.connected for charger in shared.chargers.values())
    answering = sum(inverter.last_update_success for inverter in shared.inverters.values())
    info: dict[str, Any] = {
        "chargers": f"{connected}/{len(chargers)}",
        "inverters": f"{answering}/{len(inverters)}",
    }
    manager = shared.load_manager
    if manager is not None:
        info["control_core"] = "failed" if manager.failed else "ok"
        # The weakest link: how far the meter of a circuit is behind.
        stage = max((circuit.stage for circuit in manager.data.circuits.values()), default=None)
        info["protection"] = "none" if stage is None else stage.name.lower()
        info["last_decision"] = round(hass.loop.time() - manager.decided_at, 1)
    info["repairs"] = sum(
        issue.domain == DOMAIN and issue.active and issue.dismissed_version is None
        for issue in ir.async_get(hass).issues.values()
    )
    # Nobody is asked whom this house does not need.
    if _any(chargers, ChargerConnection.CLOUD):
        info["charger_cloud"] = async_check_can_reach_url(hass, CHARGER_CLOUD)
    if _any(inverters, InverterConnection.CLOUD):
        info["inverter_cloud"] = async_check_can_reach_url(hass, BASE_URL)
    return info | await hass.async_add_executor_job(_versions)


def _any(entries: list[ConfigEntry], connection: str) -> bool:
    return any(entry.data.get(CONF_CONNECTION) == connection for entry in entries)


def _versions() -> dict[str, str]:
    return {library: version(library) for library in LIBRARIES}
