"""What the actions have in common: how their fields are read, and whom they are for."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_extract_config_entry_ids
from homeassistant.util import dt as dt_util
import probatio

from ..const import CONF_ENTRY_TYPE, CONF_MANAGED, CONF_SERIAL, DOMAIN, MAX_FUSE, EntryType
from ..coordinators.errors import refused
from ..coordinators.load_manager import LoadManagerCoordinator
from ..shared import SHARED

CURRENT: Final = "current"
DURATION: Final = "duration"
UNTIL: Final = "until"

MAX_DURATION: Final = timedelta(days=31)
AMPS: Final = probatio.All(probatio.Coerce(float), probatio.Range(min=0, max=MAX_FUSE))
END: Final = {
    probatio.Exclusive(DURATION, "end"): probatio.All(cv.positive_time_period, probatio.Range(max=MAX_DURATION)),
    probatio.Exclusive(UNTIL, "end"): cv.datetime,
}
"""The fields of an end."""


def whole_number(value: object) -> int:
    """Return a whole number, also where it came as text or as 16.0."""
    number = float(value) if isinstance(value, str | int | float) else None
    if number is None or isinstance(value, bool) or not number.is_integer():
        raise ValueError("expected a whole number")
    return int(number)


def load_manager(hass: HomeAssistant) -> LoadManagerCoordinator:
    """Return the load manager.

    Raises:
        ServiceValidationError: there is none.
    """
    manager = hass.data[SHARED].load_manager
    if manager is None:
        raise refused("no_load_manager")
    return manager


async def async_entries(call: ServiceCall) -> list[ConfigEntry]:
    """Return the entries of this integration that the targets of an action belong to."""
    targets = await async_extract_config_entry_ids(call)
    return [
        entry
        for entry in call.hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.entry_id in targets
    ]


async def async_chargers(call: ServiceCall, *, off: bool = False) -> list[str]:
    """Return the serial numbers of the chargers that an action is for, all of them ready for it, see ``ready``."""
    chargers = only_chargers(await async_entries(call))
    if not chargers:
        raise refused("no_charger_chosen")
    return ready(chargers, off=off)


def only_chargers(entries: list[ConfigEntry]) -> list[ConfigEntry]:
    """Return those entries that are chargers."""
    return [entry for entry in entries if entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT]


def ready(chargers: list[ConfigEntry], *, off: bool = False) -> list[str]:
    """Return the serial numbers of chargers.

    Args:
        chargers: their entries.
        off: whether they shall stop. One that is away stops when it is back, and keeps nobody else from stopping.

    Raises:
        ServiceValidationError: the load manager cannot command one of them.
    """
    if off and (managed := [entry for entry in chargers if entry.options.get(CONF_MANAGED, True)]):
        return [entry.data[CONF_SERIAL] for entry in managed]
    for entry in chargers:
        if entry.state is not ConfigEntryState.LOADED:
            raise refused("charger_not_loaded", name=entry.title)
        if not entry.options.get(CONF_MANAGED, True):
            raise refused("charger_managed_by_nobody", name=entry.title)
    return [entry.data[CONF_SERIAL] for entry in chargers]


def end_of(data: dict[str, Any], *, over: ServiceValidationError) -> datetime | None:
    """Return when something ends by time, in UTC; None = not by time.

    Args:
        data: of the action.
        over: what is raised where that is over already.

    Raises:
        ServiceValidationError: that is over.
    """
    now = dt_util.utcnow()
    if (duration := data.get(DURATION)) is not None:
        until: datetime = now + duration
    elif (chosen := data.get(UNTIL)) is not None:
        known = moment_of(chosen)
        if known is None:
            raise over
        until = known
    else:
        return None
    if until <= now:
        raise over
    return until


def moment_of(chosen: datetime) -> datetime | None:
    """Return a chosen moment in UTC, without a time zone it is local time; None = outside of all times."""
    try:
        return dt_util.as_utc(chosen)
    except OverflowError:  # the first or the last day that there is
        return None
