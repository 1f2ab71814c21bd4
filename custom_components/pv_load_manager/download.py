"""The ledger of charging sessions as a table to download."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinators.ledger import async_export
from .shared import charger_names

PARAMETERS: Final = ("charger", "since", "until")


@callback
def async_register_sessions_view(hass: HomeAssistant) -> None:
    """Offer the download; anybody who may sign in may have it."""
    hass.http.register_view(SessionsView())


class SessionsView(HomeAssistantView):
    """Finished sessions as CSV.

    ``charger`` is a serial number and may be there several times; ``since`` and ``until`` are dates or ISO 8601 times,
    local where they have no offset: the sessions that began from the one to before the other, a date being the whole
    day.
    """

    url = f"/api/{DOMAIN}/sessions.csv"
    name = f"api:{DOMAIN}:sessions"

    async def get(self, request: web.Request) -> web.Response:
        """Return the table."""
        hass, query = request.app[KEY_HASS], request.query
        for name in query:
            if name not in PARAMETERS:
                return self._refused(name, f"unknown; there are {', '.join(PARAMETERS)}")
        for name in ("since", "until"):
            if len(query.getall(name, [])) > 1:
                return self._refused(name, "more than one")
        chargers: list[str] | None = query.getall("charger", None)
        names = charger_names(hass)
        for charger in chargers or ():
            if charger not in names:
                return self._refused("charger", f"no serial number of a charger: {charger}")
        since, until = moment_of(query.get("since")), moment_of(query.get("until"), end=True)
        for name, moment in (("since", since), ("until", until)):
            if moment is None and name in query:
                return self._refused(name, "neither a date nor an ISO 8601 time (a + in a URL is %2B)")
        if since is not None and until is not None and until < since:
            return self._refused("until", "earlier than since")
        table, _ = await async_export(hass, chargers, since, until)
        return web.Response(
            text=table,
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{DOMAIN}_sessions.csv"'},
        )

    def _refused(self, field: str, why: str) -> web.Response:
        return self.json({"field": field, "message": f"{field}: {why}"}, HTTPStatus.BAD_REQUEST)


def moment_of(text: str | None, *, end: bool = False) -> datetime | None:
    """Return the moment that a user means, aware; None where it is none.

    Args:
        text: a date or an ISO 8601 time, local where it has no offset.
        end: whether a date means its end, as the last day of a time does.
    """
    if text is None:
        return None
    try:
        if (day := dt_util.parse_date(text)) is not None:
            return dt_util.start_of_local_day(day + timedelta(days=1) if end else day)
        moment = dt_util.parse_datetime(text)
        return None if moment is None else dt_util.as_utc(moment)
    except OverflowError, ValueError:
        return None
