"""Asks SolarEdge's cloud for the powers of a site, over aiohttp; knows nothing of Home Assistant.

Version 1 was to be switched off on 3 November 2026 and answers 410 since then; version 2 tells means over quarters of
an hour. Of version 2 an installer's key and an access token are taken as they are; the OAuth sign-in of homeowners,
whose access tokens live for two hours, is not made here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import json
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from . import cloud_v1, cloud_v2
from .cloud_errors import (
    CloudAuthenticationError,
    CloudError,
    CloudNoDataError,
    CloudNonsenseError,
    CloudRateLimitError,
    CloudRetiredError,
    CloudServerError,
    CloudUnknownSiteError,
    CloudUnreachableError,
)
from .cloud_models import CloudAccess, CloudApi, CloudReading, CloudSite

BASE_URL = "https://monitoringapi.solaredge.com"
TIMEOUT_S = 30.0
V1_DELAY_S: Final = 300.0
"""The power flow of version 1 has no time. Nobody documents its age; 3 to 15 minutes were seen, mostly about this."""
SPAN: Final = timedelta(hours=2)
"""Of the series that are asked for: a site that sends late is still heard."""
PRODUCTION_EVERY: Final = 4
"""Production costs a call of its own where no meter measures it, and nothing is decided by it."""
BATTERY_EVERY: Final = 96
"""So rarely a site without a battery is asked whether it has one now."""
LARGEST: Final = 1_000_000  # bytes of an answer
RETRY_AFTER_S: Final = 60.0  # where the cloud names a time that nobody understands


class CloudClient:
    """Reads one site."""

    def __init__(self, session: ClientSession, access: CloudAccess, *, on_call: Callable[[], None]) -> None:
        """Prepare; ``on_call`` is called right before every call, for each counts against a quota."""
        self._session = session
        self._access = access
        self._on_call = on_call
        self._asked = 0
        self._has_battery = True
        self._production: cloud_v2.Series = {}

    async def async_site(self) -> CloudSite:
        """Return who the site is; takes one call.

        Raises:
            CloudError: see there.
        """
        site_id = self._access.site_id
        if self._access.api is CloudApi.V1:
            return cloud_v1.parse_site(await self._get("details"), site_id)
        return cloud_v2.parse_site(await self._get(), site_id)

    async def async_read(self, now: datetime) -> CloudReading:
        """Return the last powers that the cloud knows; takes one call of version 1, up to three of version 2.

        Args:
            now: aware, in the time zone of the site.

        Raises:
            CloudError: see there.
        """
        if self._access.api is CloudApi.V1:
            body = await self._get("currentPowerFlow")
            return cloud_v1.parse_power_flow(body, now - timedelta(seconds=V1_DELAY_S))
        turn, self._asked = self._asked, self._asked + 1
        grid, production = cloud_v2.parse_meters(await self._series("meters/telemetry", now), now)
        storage = None
        if self._has_battery or turn % BATTERY_EVERY == 0:
            storage = await self._storage(now)
        if not production:
            if turn % PRODUCTION_EVERY == 0:
                self._production = cloud_v2.parse_power(await self._series("power", now, unit="W"), now)
            production = self._production
        reading = cloud_v2.combine(grid, production, storage)
        if reading is None:
            raise CloudNoDataError("the cloud has nothing of this site from the last two hours")
        return reading

    async def _storage(self, now: datetime) -> tuple[cloud_v2.Series, cloud_v2.Series] | None:
        try:
            storage = cloud_v2.parse_storage(await self._series("storage/telemetry", now), now)
        except CloudUnknownSiteError:
            # The meters of the site were just read: it is only the battery that does not exist.
            storage = None
        self._has_battery = storage is not None
        return storage

    async def _series(self, path: str, now: datetime, **more: str) -> dict[str, Any]:
        begin, end = (moment.replace(tzinfo=None, microsecond=0).isoformat() for moment in (now - SPAN, now))
        return await self._get(path, {"from": begin, "to": end, "resolution": cloud_v2.RESOLUTION, **more})

    async def _get(self, path: str = "", params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Make a call and return the object that it answers."""
        status, headers, body = await self._call(path, params or {})
        if status != 200:
            raise _refusal(status, headers, body)
        answer = _json(body)
        if not isinstance(answer, dict):
            raise CloudNonsenseError("the cloud did not answer with a JSON object")
        return answer

    async def _call(self, path: str, params: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        access = self._access
        url = URL(BASE_URL)
        headers = {"Accept": "application/json"}
        if access.api is CloudApi.V1:
            url = url / "site" / access.site_id
            params = {**params, "api_key": access.api_key or ""}
        else:
            url = url / "v2" / "sites" / access.site_id
            headers |= _credentials(access)
        for part in path.split("/") if path else ():
            url = url / part
        self._on_call()
        failure: str
        try:
            async with self._session.get(
                url, params=params, headers=headers, timeout=ClientTimeout(total=TIMEOUT_S), allow_redirects=False
            ) as response:
                body = await response.content.read(LARGEST + 1)
                while len(body) <= LARGEST and (more := await response.content.read(LARGEST + 1)):
                    body += more
                return response.status, response.headers, body
        except TimeoutError:
            failure = "the cloud did not answer in time"
        except (ClientError, OSError, ValueError) as err:
            failure = f"the cloud cannot be reached ({type(err).__name__})"
        # Raised out here: the error of aiohttp holds the address, and with it the key.
        raise CloudUnreachableError(failure)


def _credentials(access: CloudAccess) -> dict[str, str]:
    if access.token is not None:
        return {"Authorization": f"Bearer {access.token}"}
    headers = {"X-API-Key": access.api_key or ""}
    if access.account_key is not None:
        headers["X-Account-Key"] = access.account_key
    return headers


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if len(body) <= LARGEST else None
    except ValueError, RecursionError:
        return None


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> CloudError:
    """Return what an answer that is none means."""
    match status:
        case 401 | 403 if isinstance(_json(body), dict):
            return CloudAuthenticationError(f"the cloud refuses the access ({status})")
        case 404:
            return CloudUnknownSiteError("the cloud does not know the site")
        case 410:
            return CloudRetiredError("this version of the cloud's interface is switched off")
        case 429:
            return CloudRateLimitError(_retry_after(headers.get("retry-after")))
        case 401 | 403:
            # A web page says this: whoever sits in front of the cloud, not the cloud that knows the key.
            return CloudServerError(f"a gateway of the cloud refuses to answer ({status})")
        case _ if status >= 500:
            return CloudServerError(f"the cloud has an internal error ({status})")
    return CloudNonsenseError(f"the cloud answered with the status {status}")


def _retry_after(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return min(max(float(text), 1.0), 86_400.0)
    except ValueError:
        return RETRY_AFTER_S
