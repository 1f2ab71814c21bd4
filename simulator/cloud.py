"""The cloud of the inverter on the network: an HTTP server for version 1 and version 2 of its interface."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web

from .cloud_answers import V1, Json, Telemetry, day, site
from .cloud_record import CloudRecord
from .config import CloudConfig
from .home import Home

type _Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LONGEST_QUARTERS = timedelta(hours=12)
_HTML = "<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>"


@dataclass(kw_only=True)
class CloudFaults:
    """What goes wrong with the cloud.

    Attributes:
        refusals: HTTP statuses that every call is answered with; the last one counts.
        retry_after_s: What a 429 says about the time until the next try; None = nothing, as at the end of a month.
        html: A web page with the status 200 instead of JSON.
        malformed: JSON that breaks off.
        empty_flow: Nothing is known of the site.
        silent: No call is answered.
        drop: The connection is cut instead of an answer.
        slow_s: Each answer takes this long, wall clock seconds.
        hidden: Ends of paths of version 2 that do not exist for this site.
    """

    refusals: list[int] = field(default_factory=list)
    retry_after_s: float | None = None
    html: bool = False
    malformed: bool = False
    empty_flow: bool = False
    silent: bool = False
    drop: bool = False
    slow_s: float = 0.0
    hidden: list[str] = field(default_factory=list)


class CloudServer:
    """Serves one site.

    Attributes:
        faults: What goes wrong.
        calls: Path of every call that came, the oldest first.
    """

    def __init__(self, home: Home, config: CloudConfig, host: str = "127.0.0.1") -> None:
        self.config = config
        self.faults = CloudFaults()
        self.calls: list[str] = []
        self._home = home
        self._host = host
        self._port = config.port
        self._record = CloudRecord(home, config)
        self._counted: dict[str, deque[datetime]] = {"v1": deque(), "v2": deque()}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens, to be put in the place of the real cloud's address."""
        return f"http://{self._host}:{self._port}"

    def record(self) -> None:
        """Take what the home does now."""
        self._record.record()

    async def start(self) -> None:
        """Listen; the port stays the same."""
        app = web.Application(middlewares=[self._fail])
        app.router.add_get("/site/{site}/{what}", self._v1)
        app.router.add_get("/v2/sites/{site}", self._v2)
        app.router.add_get("/v2/sites/{site}/{what:.+}", self._v2)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _fail(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let happen what goes wrong."""
        self.calls.append(request.path)
        faults = self.faults
        if faults.slow_s:
            await asyncio.sleep(faults.slow_s)
        if faults.silent:
            await asyncio.Event().wait()
        if faults.drop and request.transport is not None:
            request.transport.abort()
        if faults.html:
            return web.Response(text=_HTML, content_type="text/html")
        if faults.malformed:
            return web.Response(text='{"siteCurrentPowerFlow": {"unit": "kW", "GRID', content_type="application/json")
        if faults.refusals:
            return self._refuse(faults.refusals[-1], "A fault of the virtual home")
        return await handler(request)

    async def _v1(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("api_key") != self.config.api_key or request.match_info["site"] != self.config.site_id:
            return self._refuse(403, "Invalid API key")
        if self._is_over("v1", timedelta(days=1), self.config.day_quota):
            return self._refuse(429, "Too many requests")
        what = request.match_info["what"]
        if what not in V1:
            return self._refuse(404, "Unknown endpoint")
        if self.faults.empty_flow and what == "currentPowerFlow":
            return web.json_response({"siteCurrentPowerFlow": {}})
        return web.json_response(V1[what](self._home, self._record, self.config))

    async def _v2(self, request: web.Request) -> web.StreamResponse:
        config = self.config
        opened = request.headers.get("X-API-Key") == config.fleet_key
        if not opened and request.headers.get("Authorization") != f"Bearer {config.token}":
            return self._refuse(401, "Invalid credentials")
        if self._is_over("v2", timedelta(days=30), config.month_quota):
            return self._refuse(429, "Monthly credits used up")
        if self._is_over("v2", timedelta(minutes=1), config.minute_quota, count=False):
            return self._refuse(429, "Too many requests", retry_after_s=60.0)
        if request.match_info["site"] != config.site_id:
            return self._refuse(404, "Unknown site")
        try:
            body = self._v2_body(request.match_info.get("what", ""), request)
        except ValueError as error:
            return self._refuse(400, str(error))
        return self._refuse(404, "Unknown endpoint") if body is None else web.json_response(body)

    def _v2_body(self, what: str, request: web.Request) -> Json | None:
        """Return the answer; raises ValueError where the times cannot be, None where there is no such endpoint."""
        if what in {"", "overview"}:
            return (day if what else site)(self._home, self._record, self.config)
        if what not in {"power", "meters/telemetry", "storage/telemetry"}.difference(self.faults.hidden):
            return None
        now = self._record.now
        # Times without an offset are the site's own.
        begin, end = (
            datetime.fromisoformat(request.query[key]).replace(tzinfo=now.tzinfo) if key in request.query else default
            for key, default in (("from", now.replace(hour=0, minute=0, second=0, microsecond=0)), ("to", now))
        )
        if end - begin > _LONGEST_QUARTERS:
            raise ValueError("QUARTER_HOUR allows at most 12 hours")
        telemetry = Telemetry(self._record, self.config, begin, begin if self.faults.empty_flow else end)
        if what == "power":
            return telemetry.power()
        if what == "meters/telemetry":
            return telemetry.meters(meter=self.config.meter)
        return telemetry.storage(battery=self._home.battery is not None)

    def _is_over(self, version: str, span: timedelta, quota: int, *, count: bool = True) -> bool:
        """Return whether more was asked within a time than is allowed, this call included."""
        times, now = self._counted[version], self._record.now.astimezone(UTC)
        if count:
            times.append(now)
            while times[0] <= now - span:
                times.popleft()
        return sum(1 for at in times if at > now - span) > quota

    def _refuse(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """Return an error as RFC 9457 shapes it."""
        headers = {"x-ratelimit-limit-minute": str(self.config.minute_quota)}
        wait = self.faults.retry_after_s if retry_after_s is None else retry_after_s
        if status == 429 and wait is not None:
            headers["retry-after"] = f"{wait:g}"
        return web.json_response(
            {"type": "about:blank", "title": "Refused", "status": status, "detail": detail},
            status=status,
            headers=headers,
            content_type="application/problem+json",
        )
