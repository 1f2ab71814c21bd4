"""Actions: overrides of single chargers, and what the whole site is told from outside."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_extract_config_entry_ids
from homeassistant.util import dt as dt_util
import probatio

from .const import CONF_ENTRY_TYPE, CONF_MANAGED, CONF_SERIAL, DOMAIN, MAX_FUSE, EntryType
from .control import HIGHEST_CURRENT, LOWEST_CURRENT, OverrideSource
from .coordinators.errors import refused
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.meter_check import prepare_meter_check
from .coordinators.meter_report import as_dict, async_sentences
from .shared import SHARED, charger_entries

SET_OVERRIDE: Final = "set_override"
CLEAR_OVERRIDE: Final = "clear_override"
SET_AVAILABLE_CURRENT: Final = "set_available_current"
REQUEST_PHASES: Final = "request_phases"
SET_CIRCUIT_LIMIT: Final = "set_circuit_limit"
CHECK_METER: Final = "check_meter"

CURRENT: Final = "current"
DURATION: Final = "duration"
UNTIL: Final = "until"
ENERGY: Final = "energy"
PHASES: Final = "phases"
CIRCUIT: Final = "circuit"

MAX_DURATION: Final = timedelta(days=31)
MAX_ENERGY: Final = 500.0  # kWh; more than any battery of a car
AMPS: Final = probatio.All(probatio.Coerce(float), probatio.Range(min=0, max=MAX_FUSE))


def whole_number(value: object) -> int:
    """Return a whole number, also where it came as text or as 16.0."""
    number = float(value) if isinstance(value, str | int | float) else None
    if number is None or isinstance(value, bool) or not number.is_integer():
        raise ValueError("expected a whole number")
    return int(number)


CHARGER_CURRENT: Final = probatio.All(
    whole_number, probatio.Any(0, probatio.Range(min=LOWEST_CURRENT, max=HIGHEST_CURRENT))
)
SET_OVERRIDE_SCHEMA: Final = probatio.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        probatio.Required(CURRENT): CHARGER_CURRENT,
        probatio.Exclusive(DURATION, "end"): probatio.All(cv.positive_time_period, probatio.Range(max=MAX_DURATION)),
        probatio.Exclusive(UNTIL, "end"): cv.datetime,
        probatio.Optional(ENERGY): probatio.All(
            probatio.Coerce(float), probatio.Range(min=0, max=MAX_ENERGY, min_included=False)
        ),
    }
)
CLEAR_OVERRIDE_SCHEMA: Final = probatio.Schema({**cv.TARGET_SERVICE_FIELDS})
CHECK_METER_SCHEMA: Final = probatio.Schema({**cv.TARGET_SERVICE_FIELDS})
SET_AVAILABLE_CURRENT_SCHEMA: Final = probatio.Schema({probatio.Required(CURRENT): AMPS})
REQUEST_PHASES_SCHEMA: Final = probatio.Schema(
    {probatio.Required(PHASES): probatio.All(whole_number, probatio.In([0, 1, 3]))}
)
SET_CIRCUIT_LIMIT_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CIRCUIT): cv.string, probatio.Optional(CURRENT): AMPS}
)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register all actions; they are there before any entry is loaded, and say what is missing."""
    for name, handler, schema in (
        (SET_OVERRIDE, _async_set_override, SET_OVERRIDE_SCHEMA),
        (CLEAR_OVERRIDE, _async_clear_override, CLEAR_OVERRIDE_SCHEMA),
        (SET_AVAILABLE_CURRENT, _async_set_available_current, SET_AVAILABLE_CURRENT_SCHEMA),
        (REQUEST_PHASES, _async_request_phases, REQUEST_PHASES_SCHEMA),
        (SET_CIRCUIT_LIMIT, _async_set_circuit_limit, SET_CIRCUIT_LIMIT_SCHEMA),
    ):
        hass.services.async_register(DOMAIN, name, handler, schema=schema)
    hass.services.async_register(
        DOMAIN,
        CHECK_METER,
        _async_check_meter,
        schema=CHECK_METER_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


async def _async_set_override(call: ServiceCall) -> None:
    manager = _manager(call.hass)
    until = _until(call.data)
    serials = await _async_chargers(call)
    manager.check_override(serials, call.data[CURRENT])
    energy = call.data.get(ENERGY)
    for serial in serials:
        manager.begin_override(
            serial,
            call.data[CURRENT],
            source=OverrideSource.USER,
            until=until,
            energy_wh=None if energy is None else energy * 1000,
        )


async def _async_clear_override(call: ServiceCall) -> None:
    manager = _manager(call.hass)
    for serial in await _async_chargers(call):
        manager.end_override(serial)


async def _async_set_available_current(call: ServiceCall) -> None:
    _manager(call.hass).set_available_current(call.data[CURRENT])


async def _async_request_phases(call: ServiceCall) -> None:
    _manager(call.hass).request_phases(call.data[PHASES])


async def _async_set_circuit_limit(call: ServiceCall) -> None:
    manager = _manager(call.hass)
    manager.set_circuit_limit(_circuit(manager, call.data[CIRCUIT]), call.data.get(CURRENT))


async def _async_check_meter(call: ServiceCall) -> ServiceResponse:
    """Check the meter with one charger; answers when it is over."""
    hass = call.hass
    manager = _manager(hass)
    serials = await _async_chargers(call)
    if len(serials) > 1:
        raise refused("meter_check_one_charger")
    result = await prepare_meter_check(hass, manager, serials[0]).async_run()
    sentences = await async_sentences(hass, result, manager.config_entry, charger_entries(hass)[serials[0]])
    return {**as_dict(result), "message": " ".join(sentences)}


def _manager(hass: HomeAssistant) -> LoadManagerCoordinator:
    """Return the load manager.

    Raises:
        ServiceValidationError: there is none.
    """
    manager = hass.data[SHARED].load_manager
    if manager is None:
        raise refused("no_load_manager")
    return manager


async def _async_chargers(call: ServiceCall) -> list[str]:
    """Return the serial numbers of the chargers that an action is for, all of them ready for it.

    Raises:
        ServiceValidationError: there is none, or one that the load manager cannot command.
    """
    hass = call.hass
    targets = await async_extract_config_entry_ids(call)
    entries = [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.entry_id in targets and entry.data[CONF_ENTRY_TYPE] == EntryType.WATTPILOT
    ]
    if not entries:
        raise refused("no_charger_chosen")
    for entry in entries:
        if entry.state is not ConfigEntryState.LOADED:
            raise refused("charger_not_loaded", name=entry.title)
        if not entry.options.get(CONF_MANAGED, True):
            raise refused("charger_managed_by_nobody", name=entry.title)
    return [entry.data[CONF_SERIAL] for entry in entries]


def _until(data: dict[str, Any]) -> datetime | None:
    """Return when an override ends by time, in UTC; None = not by time.

    Raises:
        ServiceValidationError: that is over.
    """
    now = dt_util.utcnow()
    if (duration := data.get(DURATION)) is not None:
        until: datetime = now + duration
    elif (chosen := data.get(UNTIL)) is not None:
        try:
            until = dt_util.as_utc(chosen)  # without a time zone it is local time
        except OverflowError:  # the first or the last day that there is
            raise refused("override_in_the_past") from None
    else:
        return None
    if until <= now:
        raise refused("override_in_the_past")
    return until


def _circuit(manager: LoadManagerCoordinator, wanted: str) -> str:
    """Return the id of a circuit that is called by its id or its name.

    Raises:
        ServiceValidationError: there is none, or several have that name.
    """
    names = manager.circuit_names
    if wanted in names:
        return wanted
    found = [circuit_id for circuit_id, name in names.items() if name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise refused("circuit_not_unique", name=wanted)
    raise refused("circuit_not_found", name=wanted, circuits=", ".join(names.values()))
