"""The cloud client against the simulated cloud, and against answers that are none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import logging
import traceback
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, web
import pytest

from custom_components.pv_load_manager.solaredge import cloud as cloud_module
from custom_components.pv_load_manager.solaredge.cloud import CloudClient
from custom_components.pv_load_manager.solaredge.cloud_errors import (
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
from custom_components.pv_load_manager.solaredge.cloud_models import CloudAccess, CloudApi
from simulator import BatteryConfig, CloudConfig, HomeConfig, HouseConfig, PvConfig, Simulation, running_home

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 6, 21, 9, 0, tzinfo=UTC)
CLOUD = CloudConfig(delay_s=60.0, starts_at=BEGIN, minute_quota=1000)
V1 = CloudAccess(site_id=CLOUD.site_id, api=CloudApi.V1, api_key=CLOUD.api_key)
V2 = CloudAccess(site_id=CLOUD.site_id, api=CloudApi.V2, api_key=CLOUD.fleet_key)

type MakeHome = Callable[..., Awaitable[Simulation]]


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let sockets reach 127.0.0.1."""


@pytest.fixture(name="session")
async def session_fixture() -> AsyncIterator[ClientSession]:
    """Return a session for calls."""
    async with ClientSession() as session:
        yield session


@pytest.fixture(name="make_home")
async def make_home_fixture(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeHome]:
    """Return a factory of homes whose cloud takes the place of the real one; time stands still there."""
    async with AsyncExitStack() as stack:

        async def make(*, pv_w: float = 6000.0, house_w: float = 1000.0, **more: Any) -> Simulation:
            config = HomeConfig(
                pv=PvConfig(constant_w=pv_w),
                house=HouseConfig(constant_w=house_w),
                **{"cloud": CLOUD, "chargers": (), "speed": 0, **more},
            )
            home = await stack.enter_async_context(running_home(config))
            assert home.cloud is not None
            monkeypatch.setattr(cloud_module, "BASE_URL", home.cloud.url)
            return home

        yield make


class Counter:
    """A client that counts its calls."""

    def __init__(self, session: ClientSession, access: CloudAccess) -> None:
        self.calls = 0
        self.client = CloudClient(session, access, on_call=self._count)

    def _count(self) -> None:
        self.calls += 1


def site_time(home: Simulation) -> datetime:
    """Return the present time in the cloud."""
    return (BEGIN + timedelta(seconds=home.home.now)).astimezone(BERLIN)


@pytest.mark.parametrize(
    ("pv_w", "house_w", "grid_w"), [(6000.0, 1000.0, -5000.0), (500.0, 2000.0, 1500.0), (0.0, 1400.0, 1400.0)]
)
async def test_version_1(
    make_home: MakeHome, session: ClientSession, pv_w: float, house_w: float, grid_w: float
) -> None:
    """Import is positive, export negative, and the data is as old as is assumed."""
    home = await make_home(pv_w=pv_w, house_w=house_w)
    await home.advance(120)
    counter = Counter(session, V1)
    now = site_time(home)
    reading = await counter.client.async_read(now)
    assert (reading.grid_w, reading.pv_w) == (pytest.approx(grid_w, abs=10.0), pytest.approx(pv_w, abs=10.0))
    assert (reading.battery_w, reading.state_of_charge) == (None, None)
    assert (now - reading.at).total_seconds() == cloud_module.V1_DELAY_S
    assert (reading.mean_s, counter.calls) == (0.0, 1)


@pytest.mark.parametrize(("pv_w", "battery_w"), [(6000.0, -2000.0), (0.0, 1000.0)])
async def test_version_1_battery(make_home: MakeHome, session: ClientSession, pv_w: float, battery_w: float) -> None:
    """Discharging is positive, charging negative."""
    home = await make_home(pv_w=pv_w, battery=BatteryConfig(soc=0.5, max_charge_w=2000.0))
    await home.advance(240)
    reading = await Counter(session, V1).client.async_read(site_time(home))
    assert reading.battery_w == pytest.approx(battery_w, abs=10.0)
    assert reading.state_of_charge == pytest.approx(50.0, abs=2.0)
    assert reading.grid_w == pytest.approx(1000.0 - pv_w - battery_w, abs=30.0)


async def test_version_2(make_home: MakeHome, session: ClientSession) -> None:
    """The last quarter of an hour that is over, with its own end as its time."""
    home = await make_home()
    await home.advance(900)
    home.home.house_override = (3000.0, 0.0, 0.0)
    await home.advance(900 + 70)
    counter = Counter(session, V2)
    reading = await counter.client.async_read(site_time(home))
    assert reading.at == BEGIN + timedelta(minutes=30)
    assert reading.mean_s == 900.0
    assert reading.grid_w == pytest.approx(-3000.0, abs=20.0)
    assert (reading.pv_w, reading.pv_at) == (pytest.approx(6000.0, abs=10.0), reading.at)
    assert (reading.battery_w, reading.state_of_charge) == (None, None)
    assert counter.calls == 3
    # It has no battery, and the production is not asked for each time.
    later = await counter.client.async_read(site_time(home))
    assert (later, counter.calls) == (reading, 4)


async def test_version_2_battery(make_home: MakeHome, session: ClientSession) -> None:
    """Charge and discharge are two series in another unit; an access token opens the same."""
    home = await make_home(battery=BatteryConfig(soc=0.5, max_charge_w=2000.0, time_constant_s=0.1))
    await home.advance(970)
    access = replace(V2, api_key=None, token=CLOUD.token)
    reading = await Counter(session, access).client.async_read(site_time(home))
    assert reading.battery_w == pytest.approx(-2000.0, abs=20.0)
    assert reading.grid_w == pytest.approx(-3000.0, abs=20.0)
    assert reading.state_of_charge == pytest.approx(55.0, abs=2.0)


async def test_an_account_key_and_a_production_meter(make_home: MakeHome, session: ClientSession) -> None:
    """The account goes along in a header of its own; a meter that tells the production saves a call."""
    home = await make_home()
    await home.advance(970)
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("X-Account-Key"))
        begin = (BEGIN.astimezone(BERLIN)).isoformat()
        series = {"unit": "W", "values": [{"timestamp": begin, "value": 4000.0}]}
        meter = {"productionPower": series, "importPower": series}
        return web.json_response({"meters": {"M1": meter}, "storage": {}})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cloud_module.BASE_URL = f"http://127.0.0.1:{runner.addresses[0][1]}"
    counter = Counter(session, replace(V2, account_key="account"))
    reading = await counter.client.async_read(site_time(home))
    assert (reading.grid_w, reading.pv_w, counter.calls) == (4000.0, 4000.0, 2)
    assert seen == ["account", "account"]
    await runner.cleanup()


async def test_no_battery_any_more(make_home: MakeHome, session: ClientSession) -> None:
    """Where the cloud knows no storage of the site at all, that is no trouble of the site."""
    home = await make_home()
    await home.advance(970)
    assert home.cloud is not None
    counter = Counter(session, V2)
    home.cloud.faults.hidden.append("storage/telemetry")
    reading = await counter.client.async_read(site_time(home))
    assert (reading.battery_w, reading.grid_w) == (None, pytest.approx(-5000.0, abs=20.0))


async def test_identity(make_home: MakeHome, session: ClientSession) -> None:
    """Both versions tell the site's name and its time zone with one call."""
    await make_home()
    for access in (V1, V2):
        counter = Counter(session, access)
        site = await counter.client.async_site()
        assert (site.site_id, site.name, site.time_zone) == (CLOUD.site_id, "Virtual home", "Europe/Berlin")
        assert counter.calls == 1


@pytest.mark.parametrize("access", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize(
    ("fault", "parameters", "error"),
    [
        ("unauthorized", {}, CloudAuthenticationError),
        ("forbidden", {}, CloudAuthenticationError),
        ("gone", {}, CloudRetiredError),
        ("broken", {}, CloudServerError),
        ("rate_limited", {}, CloudRateLimitError),
        ("html", {}, CloudNonsenseError),
        ("malformed", {}, CloudNonsenseError),
        ("empty_flow", {}, CloudNoDataError),
        ("silent", {}, CloudUnreachableError),
        ("slow", {"seconds": 3}, CloudUnreachableError),
        ("drop", {}, CloudUnreachableError),
        ("offline", {}, CloudUnreachableError),
    ],
)
async def test_faults(
    make_home: MakeHome,
    session: ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    access: CloudAccess,
    fault: str,
    parameters: dict[str, Any],
    error: type[CloudError],
) -> None:
    """Each fault is an error of its own that tells no secret, and the next call after it works."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(cloud_module, "TIMEOUT_S", 0.3)
    home = await make_home()
    await home.advance(970)
    client = Counter(session, access).client
    assert home.cloud_faults is not None
    await home.cloud_faults.start(fault, parameters, now=0.0)
    with pytest.raises(error) as raised:
        await client.async_read(site_time(home))
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(access) + caplog.text
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None
    assert access.api_key is not None
    assert access.api_key not in told
    await home.cloud_faults.end(fault)
    assert (await client.async_read(site_time(home))).grid_w == pytest.approx(-5000.0, abs=20.0)


async def test_wrong_site_and_wrong_key(make_home: MakeHome, session: ClientSession) -> None:
    """Another site and another key are told apart where the cloud does so."""
    await make_home()
    with pytest.raises(CloudUnknownSiteError):
        await Counter(session, replace(V2, site_id="1")).client.async_site()
    for access in (replace(V1, api_key="other"), replace(V2, api_key="other"), replace(V2, api_key=None, token="old")):
        with pytest.raises(CloudAuthenticationError):
            await Counter(session, access).client.async_site()


@pytest.mark.parametrize(("seconds", "told"), [(30, 30.0), (0, None)])
async def test_rate_limit_tells_when(
    make_home: MakeHome, session: ClientSession, seconds: float, told: float | None
) -> None:
    """Whether a minute or the whole quota is used up."""
    home = await make_home()
    assert home.cloud_faults is not None
    await home.cloud_faults.start("rate_limited", {"retry_after": seconds}, now=0.0)
    with pytest.raises(CloudRateLimitError) as raised:
        await Counter(session, V2).client.async_site()
    assert raised.value.retry_after_s == told


@pytest.mark.parametrize(
    ("response", "error"),
    [
        ({"status": 200, "body": b"x" * 1_200_000}, CloudNonsenseError),
        ({"status": 200, "body": b"[" * 100_000}, CloudNonsenseError),
        ({"status": 200, "body": b"[1, 2]"}, CloudNonsenseError),
        ({"status": 200, "body": b"{}"}, CloudNonsenseError),
        ({"status": 200, "body": b'{"siteCurrentPowerFlow": {"unit": "BTU"}}'}, CloudNonsenseError),
        ({"status": 200, "body": b'{"siteCurrentPowerFlow": null}'}, CloudNoDataError),
        ({"status": 302, "headers": {"Location": "https://example.com/login"}}, CloudNonsenseError),
        ({"status": 403, "body": b"<html>Access denied</html>"}, CloudServerError),
        ({"status": 403, "body": b'{"String": "Invalid token"}'}, CloudAuthenticationError),
        ({"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}}, CloudRateLimitError),
        ({"status": 503}, CloudServerError),
    ],
)
async def test_other_answers(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch, response: dict[str, Any], error: type[CloudError]
) -> None:
    """Whatever comes, only our own errors come out."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(**response)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(cloud_module, "BASE_URL", f"http://127.0.0.1:{runner.addresses[0][1]}")
    with pytest.raises(error) as raised:
        await Counter(session, V1).client.async_read(datetime.now(UTC))
    if isinstance(raised.value, CloudRateLimitError):
        assert raised.value.retry_after_s == 60.0
    await runner.cleanup()
