"""The module of the dashboard and its cards: Home Assistant serves it, and every page loads it.

Nothing is written into anybody's dashboards or resources. The address changes with the version and with the content,
so that no browser keeps an old one, although each may keep what it has for a month.
"""

from hashlib import sha256
from pathlib import Path
from typing import Final

from homeassistant.components.http import StaticPathConfig  # type: ignore[attr-defined]  # its documented place
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_integration
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER

FRONTEND: Final = "frontend"
MODULE: Final = Path(__file__).parent / FRONTEND / "pv-load-manager.js"
SERVED_AS: Final = f"/{DOMAIN}/{MODULE.name}"
_ADDRESS: HassKey[str] = HassKey(f"{DOMAIN}_module")
"""Under which the module is served; there from the first set-up until Home Assistant ends, as the path itself is."""


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Serve the module where there is a user interface, and have pages load it where there are entries."""
    if FRONTEND not in hass.config.components:
        return
    if _ADDRESS not in hass.data:
        try:
            content = await hass.async_add_executor_job(MODULE.read_bytes)
        except OSError as err:
            LOGGER.warning(
                "There is no dashboard, because its module cannot be read (%s): in a checkout build it with"
                " scripts/frontend, else install the integration anew; everything else works",
                err,
            )
            return
        version = (await async_get_integration(hass, DOMAIN)).version
        await hass.http.async_register_static_paths([StaticPathConfig(SERVED_AS, str(MODULE), cache_headers=True)])
        hass.data[_ADDRESS] = f"{SERVED_AS}?v={version}-{sha256(content).hexdigest()[:8]}"
    if hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        show_dashboard(hass)


@callback
def show_dashboard(hass: HomeAssistant) -> None:
    """Have every page load the module from now on, where it is served."""
    # Only where the frontend is set up: its own imports are not there in every Home Assistant.
    if (address := hass.data.get(_ADDRESS)) is None:
        return
    from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL, add_extra_js_url  # noqa: PLC0415

    if address not in hass.data[DATA_EXTRA_MODULE_URL].urls:  # open pages are told of each that is added
        add_extra_js_url(hass, address)


@callback
def withdraw_dashboard(hass: HomeAssistant) -> None:
    """Have no page load the module any more."""
    if (address := hass.data.get(_ADDRESS)) is None:
        return
    from homeassistant.components.frontend import remove_extra_js_url  # noqa: PLC0415

    remove_extra_js_url(hass, address)
