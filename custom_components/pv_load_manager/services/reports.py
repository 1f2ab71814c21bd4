"""Actions that only answer: why everything is as it is, and the charging sessions so far."""

from datetime import datetime
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import probatio

from ..const import CONF_SERIAL
from ..coordinators.decisions import Decisions
from ..coordinators.errors import refused
from ..coordinators.ledger import async_export
from ..languages import async_templates
from ..shared import charger_names
from .common import UNTIL, async_entries, load_manager, moment_of, only_chargers, whole_number

LANGUAGE: Final = "language"
DECISIONS: Final = "decisions"
SINCE: Final = "since"

SOME_DECISIONS: Final = 20
MOST_DECISIONS: Final = 200
EXPLAIN_SCHEMA: Final = probatio.Schema(
    {
        **cv.TARGET_SERVICE_FIELDS,
        probatio.Optional(LANGUAGE): cv.string,
        probatio.Optional(DECISIONS, default=SOME_DECISIONS): probatio.All(
            whole_number, probatio.Range(min=0, max=MOST_DECISIONS)
        ),
    }
)
EXPORT_SESSIONS_SCHEMA: Final = probatio.Schema(
    {**cv.TARGET_SERVICE_FIELDS, probatio.Optional(SINCE): cv.datetime, probatio.Optional(UNTIL): cv.datetime}
)


async def async_explain(call: ServiceCall) -> ServiceResponse:
    """Return the last decision about some chargers, or all, and what it was made of."""
    hass, manager = call.hass, load_manager(call.hass)
    names = charger_names(hass)
    chosen = await _async_serials(call)
    templates = await async_templates(hass, call.data.get(LANGUAGE))
    decisions = Decisions.of(manager, names, templates)
    serials = list(decisions.plan.chargers) if chosen is None else chosen
    for serial in serials:
        if serial not in decisions.plan.chargers:
            raise refused("charger_managed_by_nobody", name=names.get(serial, serial))
    log = manager.distribution.log.excerpt()
    records = await hass.async_add_executor_job(log.of, serials, call.data[DECISIONS])
    chargers: list[Any] = [{**decisions.charger(serial), "decisions": records[serial]} for serial in serials]
    return {"site": decisions.site(), "chargers": chargers}


async def async_export_sessions(call: ServiceCall) -> ServiceResponse:
    """Return the finished charging sessions of some chargers, or all, as a table and as data."""
    since, until = (_moment(call.data.get(name)) for name in (SINCE, UNTIL))
    if since is not None and until is not None and until <= since:
        raise refused("period_turned")
    table, sessions = await async_export(call.hass, await _async_serials(call), since, until)
    rows: list[Any] = list(sessions)
    return {"csv": table, "sessions": rows}


async def _async_serials(call: ServiceCall) -> list[str] | None:
    """Return the serial numbers of the chosen chargers, loaded or not; None = no target was given.

    Raises:
        ServiceValidationError: none of the targets is a charger.
    """
    if not any(call.data.get(str(key)) for key in cv.TARGET_SERVICE_FIELDS):
        return None
    chargers = only_chargers(await async_entries(call))
    if not chargers:
        raise refused("no_charger_chosen")
    return [entry.data[CONF_SERIAL] for entry in chargers]


def _moment(chosen: datetime | None) -> datetime | None:
    """Return one end of a period in UTC.

    Raises:
        ServiceValidationError: it is outside of all times.
    """
    known = None if chosen is None else moment_of(chosen)
    if chosen is not None and known is None:
        raise refused("period_turned")
    return known
