"""Keeps a stored file aside that cannot be read, and removes such files with the integration."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from .const import LOGGER

DAMAGED: Final = ".damaged"
CORRUPT: Final = ".corrupt"
"""What Home Assistant itself calls a file that is no JSON."""


async def async_keep_aside(hass: HomeAssistant, store: Store[dict[str, Any]]) -> None:
    """Rename the file, so that what is written next does not replace it."""
    path = Path(store.path)
    aside = path.with_name(f"{path.name}{DAMAGED}.{dt_util.utcnow():%Y-%m-%dT%H%M%S}")
    try:
        await hass.async_add_executor_job(path.replace, aside)
    except FileNotFoundError:
        pass  # Home Assistant has put it aside itself
    except OSError as err:
        LOGGER.error("The damaged file %s could not be kept as %s: %s", path, aside, err)
    else:
        LOGGER.warning("The damaged file is kept as %s", aside)


async def async_remove_all(hass: HomeAssistant, store: Store[dict[str, Any]]) -> None:
    """Remove the file, and those that were kept aside."""
    await store.async_remove()
    await hass.async_add_executor_job(_remove_asides, Path(store.path))


def _remove_asides(path: Path) -> None:
    for aside in (*path.parent.glob(f"{path.name}{DAMAGED}.*"), *path.parent.glob(f"{path.name}{CORRUPT}.*")):
        with suppress(OSError):
            aside.unlink()
