"""The cloud of the virtual home: read by a client that others wrote, and by bare calls."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from aiohttp import ClientConnectionError, ClientSession
import aiosolaredge
import pytest
import yarl

from simulator import BatteryConfig, CloudConfig, HomeConfig, HouseConfig, PvConfig, Simulation, running_home
from simulator.cloud_faults import CLOUD_FAULTS

from .control import Control

CLOUD = CloudConfig(delay_s=60.0, starts_at=datetime(2026, 6, 21, 9, 0, tzinfo=UTC), minute_quota=1000)
CONFIG = HomeConfig(
    pv=PvConfig(constant_w=6000.0),
    house=HouseConfig(constant_w=1000.0),
    cloud=CLOUD,
    chargers=(),
    speed=0,
    control_port=0,
)
SITE = CLOUD.site_id


@pytest.fixture(name="control")
async def control_fixture() -> AsyncIterator[Control]:
    """Run a home with a cloud, with a client of its control endpoint."""
    async with running_home(CONFIG) as simulation, ClientSession() as session:
        yield Control(simulation, session)


async def ask(simulation: Simulation, path: str, **headers: str) -> tuple[int, Any]:
    """Make a call and return status and body."""
    assert simulation.cloud is not None
    async with (
        ClientSession() as session,
        session.get(f"{simulation.cloud.url}{path}", headers={k.replace("_", "-"): v for k, v in headers.items()}) as r,
    ):
        return r.status, await r.json()


async def ask_v1(simulation: Simulation, what: str = "currentPowerFlow") -> tuple[int, Any]:
    """Make a call of version 1."""
    return await ask(simulation, f"/site/{SITE}/{what}?api_key={CLOUD.api_key}")


async def ask_v2(simulation: Simulation, what: str = "", query: str = "") -> tuple[int, Any]:
    """Make a call of version 2."""
    return await ask(simulation, f"/v2/sites/{SITE}{what}{query}", X_API_Key=CLOUD.fleet_key)


async def test_a_foreign_client_reads_version_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client that Home Assistant's own integration uses gets everything that it asks for."""
    battery = BatteryConfig(soc=0.5, max_charge_w=2000.0)
    async with running_home(HomeConfig(**{**vars(CONFIG), "battery": battery})) as simulation:
        assert simulation.cloud is not None
        monkeypatch.setattr("aiosolaredge.solaredge._BASE_URL", yarl.URL(simulation.cloud.url))
        await simulation.advance(300)
        api = aiosolaredge.SolarEdge(CLOUD.api_key)
        flow = (await api.get_current_power_flow(SITE))["siteCurrentPowerFlow"]
        assert flow["PV"] == {"status": "Active", "currentPower": 6.0}
        assert flow["GRID"]["currentPower"] == pytest.approx(3.0, abs=0.05)
        assert {"from": "LOAD", "to": "Grid"} in flow["connections"]
        assert flow["STORAGE"]["status"] == "Charging"
        details = (await api.get_details(SITE))["details"]
        assert (details["status"], details["location"]["timeZone"]) == ("Active", "Europe/Berlin")
        overview = (await api.get_overview(SITE))["overview"]
        assert overview["lifeTimeData"]["energy"] > overview["currentPower"]["power"] > 0
        assert (await api.get_inventory(SITE))["Inventory"]["batteries"]
        now = datetime(2026, 6, 21, 11, 5)
        storage = (await api.get_storage_data(SITE, now, now))["storageData"]["batteries"][0]["telemetries"][0]
        assert storage["power"] == pytest.approx(2000.0, abs=10.0)
        energies = (await api.get_energy_details(SITE, now, now))["energyDetails"]["meters"]
        assert {meter["type"] for meter in energies} == {"Production", "FeedIn", "Purchased"}
        await api.close()


async def test_the_flow_comes_late(control: Control) -> None:
    """What the home does now is seen in the cloud after its delay."""
    simulation = control.simulation
    await simulation.advance(100)
    simulation.home.pv_override_w = 0.0
    await simulation.advance(50)
    assert (await ask_v1(simulation))[1]["siteCurrentPowerFlow"]["PV"]["currentPower"] == 6.0
    await simulation.advance(20)
    flow = (await ask_v1(simulation))[1]["siteCurrentPowerFlow"]
    assert flow["PV"] == {"status": "Idle", "currentPower": 0.0}
    assert {"from": "GRID", "to": "Load"} in flow["connections"]


async def test_version_2_tells_means_of_quarters_that_are_over(control: Control) -> None:
    """Half a quarter with sun is the mean of half the sun; the quarter under way has no value."""
    simulation = control.simulation
    await simulation.advance(450)
    simulation.home.pv_override_w = 0.0
    await simulation.advance(450 + 70 + 300)
    body = (await ask_v2(simulation, "/meters/telemetry", "?from=2026-06-21T11:00:00&resolution=QUARTER_HOUR"))[1]
    series = body["meters"]["M-GRID-001"]
    exported, imported = series["exportPower"]["values"], series["importPower"]["values"]
    assert exported[0]["timestamp"] == "2026-06-21T11:00:00+02:00"
    assert exported[0]["value"] == pytest.approx(2500.0, rel=0.01)
    assert imported[0]["value"] == pytest.approx(500.0, rel=0.01)
    assert exported[1]["value"] is None
    status, power = await ask_v2(simulation, "/power", "?from=2026-06-21T11:00:00")
    assert (status, power["unit"]) == (200, "W")
    assert power["values"][0]["value"] == pytest.approx(3000.0, rel=0.01)
    assert (await ask_v2(simulation, "/storage/telemetry"))[1]["storage"] == {}
    assert (await ask_v2(simulation))[1]["location"]["timezone"] == "Europe/Berlin"
    assert (await ask_v2(simulation, "/overview"))[1]["production"]["unit"] == "WH"


async def test_refusals(control: Control) -> None:
    """Wrong keys, sites, paths and times are told apart."""
    simulation = control.simulation
    assert (await ask(simulation, f"/site/{SITE}/details?api_key=wrong"))[0] == 403
    assert (await ask(simulation, f"/v2/sites/{SITE}"))[0] == 401
    assert (await ask(simulation, f"/v2/sites/{SITE}", Authorization=f"Bearer {CLOUD.token}"))[0] == 200
    assert (await ask(simulation, "/v2/sites/1", X_API_Key=CLOUD.fleet_key))[0] == 404
    assert (await ask_v1(simulation, "version"))[0] == 404
    assert (await ask_v2(simulation, "/powerFlow"))[0] == 404
    assert (await ask_v2(simulation, "/power", "?from=2026-06-20T11:00:00"))[0] == 400
    status, body = await ask_v2(simulation, "/power", "?from=yesterday")
    assert (status, body["title"]) == (400, "Refused")


async def test_quotas() -> None:
    """The day of version 1, and the minute and the month of version 2."""
    cloud = CloudConfig(day_quota=3, minute_quota=2, month_quota=4)
    async with running_home(HomeConfig(**{**vars(CONFIG), "cloud": cloud})) as simulation:
        assert [(await ask_v1(simulation))[0] for _ in range(4)] == [200, 200, 200, 429]
        await simulation.advance(86_400)
        assert (await ask_v1(simulation))[0] == 200
        assert [(await ask_v2(simulation))[0] for _ in range(3)] == [200, 200, 429]
        await simulation.advance(61)
        assert [(await ask_v2(simulation))[0] for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("fault", "status"), [("unauthorized", 401), ("forbidden", 403), ("gone", 410), ("broken", 500)]
)
async def test_statuses(control: Control, fault: str, status: int) -> None:
    """A fault is the answer to every call until it ends."""
    await control.post("/cloud/faults", fault=fault, for_s=10)
    assert (await ask_v1(control.simulation))[0] == (await ask_v2(control.simulation))[0] == status
    await control.post("/advance", seconds=10)
    assert (await ask_v1(control.simulation))[0] == 200


async def test_rate_limited(control: Control) -> None:
    """A 429 says when to come back, or not."""
    assert control.simulation.cloud is not None
    url = f"{control.simulation.cloud.url}/site/{SITE}/details"
    for parameters, told in (({"retry_after": 30}, "30"), ({}, None)):
        await control.post("/cloud/faults", fault="rate_limited", **parameters)
        async with ClientSession() as session, session.get(url) as response:
            assert (response.status, response.headers.get("retry-after")) == (429, told)
    await control.call("DELETE", "/cloud/faults/rate_limited")
    assert (await ask_v1(control.simulation))[0] == 200


async def test_answers_that_are_none(control: Control) -> None:
    """A web page, broken JSON, an empty flow, silence, a cut, a closed port, slowness; then all is well."""
    simulation = control.simulation
    cloud = simulation.cloud
    assert cloud is not None
    url = f"{cloud.url}/site/{SITE}/currentPowerFlow?api_key={CLOUD.api_key}"
    async with ClientSession() as session:
        for fault, text in (
            ("html", "<!DOCTYPE"),
            ("malformed", '{"site'),
            ("empty_flow", '{"siteCurrentPowerFlow": {}'),
        ):
            await control.post("/cloud/faults", fault=fault)
            async with session.get(url) as response:
                assert (await response.text()).startswith(text)
            await control.call("DELETE", f"/cloud/faults/{fault}")
        for fault in ("drop", "offline"):
            await control.post("/cloud/faults", fault=fault)
            with pytest.raises(ClientConnectionError):
                await session.get(url)
            await control.call("DELETE", f"/cloud/faults/{fault}")
        for fault, parameters in (("silent", {}), ("slow", {"seconds": 5})):
            await control.post("/cloud/faults", fault=fault, **parameters)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.get(url), 0.1)
            await control.call("DELETE", f"/cloud/faults/{fault}")
        async with session.get(url) as response:
            assert response.status == 200
    assert (await control.get("/cloud/faults"))["possible"].keys() == CLOUD_FAULTS.keys()


async def test_no_cloud() -> None:
    """A home without a cloud says so."""
    async with running_home(HomeConfig(**{**vars(CONFIG), "cloud": None})) as simulation, ClientSession() as session:
        answer = await Control(simulation, session).call("GET", "/cloud/faults", expect=404)
        assert "cloud" in answer["error"]
