"""Makes the client of a charger from what its entry says, and says what went wrong with its first connection."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.util.ssl import get_default_context

from ..const import CONF_CONNECTION, CONF_SERIAL, DOMAIN, ChargerConnection, EntryType
from ..wattpilot import (
    CLOUD_URL,
    CloudAccess,
    DeviceInfo,
    WattpilotAuthenticationError,
    WattpilotClient,
    WattpilotError,
    WattpilotProtocolError,
    WattpilotUnsupportedError,
    WattpilotWrongDeviceError,
)

CLOUD: Final = CLOUD_URL


def is_cloud(data: Mapping[str, Any]) -> bool:
    """Return whether a charger is reached through the cloud, from the data of its entry."""
    return bool(data.get(CONF_CONNECTION) == ChargerConnection.CLOUD)


def where(data: Mapping[str, Any]) -> str:
    """Return where a charger is reached, for people, from the data of its entry."""
    return "app.wattpilot.io" if is_cloud(data) else str(data[CONF_HOST])


def configuration_url(data: Mapping[str, Any]) -> str | None:
    """Return the page of a charger in the house, None over the cloud."""
    if is_cloud(data):
        return None
    host, port = data[CONF_HOST], data[CONF_PORT]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}" + ("" if port == 80 else f":{port}")


def update_device(hass: HomeAssistant, entry: ConfigEntry, info: DeviceInfo | None) -> None:
    """Show on its device page what a charger is, also when it has updated itself."""
    devices = dr.async_get(hass)
    identifier = (DOMAIN, f"{EntryType.WATTPILOT}_{entry.data[CONF_SERIAL]}")
    device = devices.async_get_device_by_identifier(identifier, entry.entry_id)
    if device is not None and info is not None and (device.sw_version, device.model) != (info.firmware, info.model):
        devices.async_update_device(device.id, sw_version=info.firmware, model=info.model)


def charger_client(data: Mapping[str, Any], *, serial: str | None) -> WattpilotClient:
    """Return the client of a charger; nothing is opened.

    Args:
        data: of its entry.
        serial: who it has to be, None = anybody.
    """
    if not is_cloud(data):
        return WattpilotClient(data[CONF_HOST], data[CONF_PASSWORD], port=data[CONF_PORT], serial=serial)
    secure = CLOUD.startswith("wss:")
    cloud = CloudAccess(serial=data[CONF_SERIAL], ssl=get_default_context() if secure else None, url=CLOUD)
    return WattpilotClient(where(data), data[CONF_PASSWORD], serial=serial, cloud=cloud)


def setup_error(err: WattpilotError, placeholders: Mapping[str, str]) -> HomeAssistantError:
    """Return what the failure of the first connection means for the entry.

    Args:
        err: the failure.
        placeholders: name and host of the charger, for the text.
    """
    texts = dict(placeholders)
    match err:
        case WattpilotAuthenticationError():
            return ConfigEntryAuthFailed(
                translation_domain=DOMAIN, translation_key="wrong_password", translation_placeholders=texts
            )
        case WattpilotWrongDeviceError():
            # Addresses wander; discovery may bring the right one any minute, so this is worth another try.
            return ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="wrong_charger",
                translation_placeholders=texts | {"expected": err.expected, "found": err.found},
            )
        case WattpilotUnsupportedError():
            return ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="charger_unsupported",
                translation_placeholders=texts | {"feature": err.feature},
            )
        case WattpilotProtocolError():
            return ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="not_a_wattpilot", translation_placeholders=texts
            )
    return ConfigEntryNotReady(
        translation_domain=DOMAIN, translation_key="charger_unreachable", translation_placeholders=texts
    )
