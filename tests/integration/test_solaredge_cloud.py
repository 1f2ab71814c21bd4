"""A site in the cloud inside Home Assistant, over real sockets: values, faults, quota, repairs, secrets."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise
import logging
from traceback import walk_tb
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.coordinators import solaredge_cloud
from custom_components.pv_load_manager.coordinators.solaredge_cloud import daylight_left
from custom_components.pv_load_manager.diagnostics import async_get_config_entry_diagnostics
from custom_components.pv_load_manager.shared import SHARED, loaded_inverter
from custom_components.pv_load_manager.solaredge.cloud import CloudClient
from custom_components.pv_load_manager.solaredge.cloud_models import CloudReading
from simulator import BatteryConfig, ChargerConfig

from .clouds import BUCKET_S, CLOUD, DELAY_S, QUOTA, board, cloud_entry, cloud_home, server, shorten
from .conftest import QUICK_CAR, BuildSite
from .site import Site, eventually

ISSUE = "cloud_retired"
WAIT_S = 1.0
"""Until the next try after a failure."""


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the cloud's times down."""
    shorten(monkeypatch)


async def build(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, **home: Any) -> Site:
    """Return a home whose cloud takes the place of the real one."""
    site = await build_site(cloud_home(**home))
    monkeypatch.setattr("custom_components.pv_load_manager.solaredge.cloud.BASE_URL", server(site).url)
    return site


@pytest.fixture(name="site")
async def site_fixture(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a home with a battery."""
    return await build(build_site, monkeypatch, battery=BatteryConfig(soc=0.5, max_charge_w=2000.0))


def issues(hass: HomeAssistant) -> list[str]:
    """Return the repairs that tell of a retired interface."""
    return [issue.issue_id for issue in ir.async_get(hass).issues.values() if issue.translation_key == ISSUE]


async def test_version_1(site: Site) -> None:
    """Power flow as entities, no currents, a device that says what it is; it never protects a fuse."""
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    await eventually(lambda: site.number(entry, "battery_power") == pytest.approx(-2000.0, abs=50.0))
    await eventually(lambda: site.number(entry, "grid_power") == pytest.approx(-3000.0, abs=100.0))
    assert site.number(entry, "pv_power") == pytest.approx(6000.0, abs=10.0)
    assert site.number(entry, "battery_state_of_charge") == pytest.approx(50.0, abs=2.0)
    keys = {item.unique_id for item in er.async_entries_for_config_entry(er.async_get(site.hass), entry.entry_id)}
    assert keys == {
        f"{CLOUD.site_id}_{key}"
        for key in ("connected", "pv_power", "grid_power", "battery_power", "battery_state_of_charge")
    }
    (device,) = dr.async_entries_for_config_entry(dr.async_get(site.hass), entry.entry_id)
    assert (device.manufacturer, device.model, device.serial_number) == (
        "SolarEdge",
        "Monitoring API V1",
        CLOUD.site_id,
    )
    assert device.configuration_url is not None
    assert CLOUD.site_id in device.configuration_url
    inverter = loaded_inverter(site.hass, CLOUD.site_id)
    assert inverter is not None
    assert not inverter.protects(1)
    assert not inverter.protects(3)
    grid = inverter.grid_reading()
    assert grid is not None
    assert DELAY_S <= site.hass.loop.time() - grid.at < 3.0
    assert (grid.currents_a, grid.mean_s, grid.uncertain_s) == ((None, None, None), 0.0, DELAY_S)


async def test_version_2(site: Site) -> None:
    """Means of the last quarter that is over, at its own time."""
    entry = cloud_entry(site.hass, "v2")
    await eventually(lambda: site.home.home.now > 2 * BUCKET_S + 0.5)
    await site.set_up(entry)
    await eventually(lambda: site.number(entry, "battery_power") == pytest.approx(-2000.0, abs=100.0))
    assert site.number(entry, "pv_power") == pytest.approx(6000.0, abs=10.0)
    inverter = loaded_inverter(site.hass, CLOUD.site_id)
    assert inverter is not None
    grid = inverter.grid_reading()
    assert grid is not None
    assert (grid.mean_s, grid.uncertain_s) == (BUCKET_S, 0.0)
    assert 0.0 <= site.hass.loop.time() - grid.at <= 2 * BUCKET_S + 1.0
    # A quarter that was read twice is the same value, not a new one.
    seen = {grid.at}
    for _ in range(4):
        asked = len(server(site).calls)
        await eventually(lambda asked=asked: len(server(site).calls) > asked)  # type: ignore[misc]
        again = inverter.grid_reading()
        assert again is not None
        seen.add(again.at)
    assert len(seen) <= 4
    assert all(then - now > 1.0 for now, then in pairwise(sorted(seen)))


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("broken", {}),
        ("rate_limited", {"retry_after": 1}),
        ("rate_limited", {}),
        ("html", {}),
        ("malformed", {}),
        ("empty_flow", {}),
        ("silent", {}),
        ("slow", {"seconds": 2}),
        ("drop", {}),
        ("offline", {}),
        ("gone", {}),
    ],
)
async def test_faults(site: Site, caplog: pytest.LogCaptureFixture, fault: str, parameters: dict[str, Any]) -> None:
    """Unavailable, one line down and one up, the value grows old for the core, and all is well again by itself."""
    caplog.set_level(logging.INFO)
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    inverter = loaded_inverter(site.hass, CLOUD.site_id)
    assert inverter is not None
    before = inverter.grid_reading()
    assert before is not None
    await board(site).start(fault, parameters, now=0.0)
    await eventually(lambda: site.value(entry, "grid_power") == "unavailable")
    asked = len(server(site).calls)
    if fault != "offline":
        await eventually(lambda: len(server(site).calls) > asked)
    during = inverter.grid_reading()
    assert during is not None
    assert during.at < site.hass.loop.time() - DELAY_S
    assert issues(site.hass) == ([f"{ISSUE}_{entry.entry_id}"] if fault == "gone" else [])
    await board(site).end(fault)
    await eventually(lambda: site.number(entry, "grid_power") is not None)
    after = inverter.grid_reading()
    assert after is not None
    assert after.at > during.at
    assert issues(site.hass) == []
    told = [record for record in caplog.records if record.name == "custom_components.pv_load_manager"]
    lines = [record.getMessage() for record in told if entry.title in record.getMessage()]
    assert len([line for line in lines if line.startswith("Error fetching")]) == 1, lines
    assert len([line for line in lines if line.endswith("recovered")]) == 1, lines
    assert CLOUD.api_key not in caplog.text
    assert "Traceback" not in caplog.text
    assert entry.state is ConfigEntryState.LOADED


async def test_a_long_trouble_does_not_grow(site: Site) -> None:
    """The same error is told until the next try, for hours, and takes no more memory for that."""
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    inverter = entry.runtime_data
    inverter._trouble = UpdateFailed("trouble")
    inverter._is_due = lambda: False
    for _ in range(5):
        await inverter.async_refresh()
    assert inverter.last_exception is inverter._trouble
    assert len(list(walk_tb(inverter._trouble.__traceback__))) <= 3


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
async def test_a_withdrawn_key(site: Site, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    """A key that is not valid any more ends in a flow, and nothing is asked with it again."""
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    await board(site).start(fault, {}, now=0.0)
    await eventually(site.hass.config_entries.flow.async_progress)
    (flow,) = site.hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["step_id"]) == (SOURCE_REAUTH, "reauth_solaredge_cloud")
    assert site.value(entry, "grid_power") == "unavailable"
    asked = len(server(site).calls)
    await board(site).end(fault)
    result = await site.hass.config_entries.flow.async_configure(
        flow["flow_id"], {"access": "v1_key", "api_key": CLOUD.api_key}
    )
    assert result["reason"] == "reauth_successful"
    await eventually(lambda: site.number(entry, "grid_power") is not None)
    assert len(server(site).calls) >= asked + 2
    assert CLOUD.api_key not in caplog.text


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("broken", "cloud_server_error"),
        ("rate_limited", "cloud_rate_limited"),
        ("html", "cloud_nonsense"),
        ("empty_flow", "cloud_no_data"),
        ("offline", "cloud_unreachable"),
    ],
)
async def test_not_ready(site: Site, monkeypatch: pytest.MonkeyPatch, fault: str, message: str) -> None:
    """A cloud that does not answer at the start is tried again, each with a message of its own."""
    patient = replace(QUOTA, wanted_s=WAIT_S, idle_s=WAIT_S, night_s=WAIT_S)
    monkeypatch.setattr(solaredge_cloud, "V1_QUOTA", patient)
    await board(site).start(fault, {}, now=0.0)
    entry = cloud_entry(site.hass)
    assert await site.fail_to_set_up(entry) == message
    asked = len(server(site).calls)
    await site.hass.config_entries.async_reload(entry.entry_id)
    assert len(server(site).calls) == asked, "the next try has its time"
    assert entry.error_reason_translation_key == message
    await board(site).end(fault)
    await eventually(lambda: solaredge_due(site, entry))
    await site.hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


def solaredge_due(site: Site, entry: MockConfigEntry) -> bool:
    """Return whether the budget allows another try."""
    saved = site.hass.data[SHARED].memory.cloud(f"{CLOUD.site_id}_{entry.data['api_version']}")
    now, failed_at = dt_util.utcnow().timestamp(), saved["budget"]["failed_at"]
    return bool(saved["budget"]["blocked_until"] <= now and (failed_at is None or failed_at + WAIT_S <= now))


async def test_unknown_site(site: Site) -> None:
    """A site that was removed from the account."""
    assert await site.fail_to_set_up(cloud_entry(site.hass, "v2", serial="1")) == "cloud_unknown_site"


async def test_retired_at_the_start(site: Site) -> None:
    """The repair is there from the start, all further tries of Home Assistant cost no call, and a removal ends it."""
    await board(site).start("gone", {}, now=0.0)
    entry = cloud_entry(site.hass)
    assert await site.fail_to_set_up(entry) == "cloud_retired"
    assert issues(site.hass) == [f"{ISSUE}_{entry.entry_id}"]
    ir.async_delete_issue(site.hass, DOMAIN, f"{ISSUE}_{entry.entry_id}")  # as after a restart
    asked = len(server(site).calls)
    for _ in range(3):
        await site.hass.config_entries.async_reload(entry.entry_id)
        assert entry.error_reason_translation_key == "cloud_retired"
    assert len(server(site).calls) == asked
    assert issues(site.hass) == [f"{ISSUE}_{entry.entry_id}"]
    issue = ir.async_get(site.hass).async_get_issue(DOMAIN, f"{ISSUE}_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders == {"name": entry.title}
    await site.hass.config_entries.async_remove(entry.entry_id)
    assert issues(site.hass) == []


async def test_retired_and_disabled(site: Site) -> None:
    """The repair goes when the entry is disabled, though that was never loaded."""
    await board(site).start("gone", {}, now=0.0)
    entry = cloud_entry(site.hass)
    assert await site.fail_to_set_up(entry) == "cloud_retired"
    await site.hass.config_entries.async_reload(entry.entry_id)
    assert issues(site.hass) == [f"{ISSUE}_{entry.entry_id}"]
    await site.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await site.hass.async_block_till_done()
    assert issues(site.hass) == []


async def test_retired_before_a_restart(site: Site) -> None:
    """A repair that Home Assistant knows from before its restart goes as one that is new does."""
    await board(site).start("gone", {}, now=0.0)
    entry = cloud_entry(site.hass)
    registry, key = ir.async_get(site.hass), (DOMAIN, f"{ISSUE}_{entry.entry_id}")
    ir.async_create_issue(
        site.hass,
        *key,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE,
        translation_placeholders={"name": entry.title},
    )
    registry.issues[key] = replace(registry.issues[key], active=False)
    assert await site.fail_to_set_up(entry) == "cloud_retired"
    await site.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await site.hass.async_block_till_done()
    assert issues(site.hass) == []


async def test_the_quota_outlives_reloads(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reloads again and again gets no more calls than the quota has."""
    few = type(QUOTA)(
        calls=4, span_s=86_400.0, reserve=1, wanted_s=0.1, idle_s=0.1, night_s=0.1, exhausted_s=0.1, per_minute=None
    )
    monkeypatch.setattr(solaredge_cloud, "V1_QUOTA", few)
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    for _ in range(6):
        await site.hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cloud_waits"
    assert len(server(site).calls) == 3


async def test_a_removed_site_is_found_anew(site: Site) -> None:
    """Its calls count on, for its quota is the same; a battery that is gone is not waited for."""
    entry = cloud_entry(site.hass)
    site.manager_entry(MeterSource.NONE)  # with the last entry of all everything is forgotten
    await site.set_up(entry)
    memory, key = site.hass.data[SHARED].memory, f"{CLOUD.site_id}_v1"
    assert memory.cloud(key)["battery"]
    await site.hass.config_entries.async_remove(entry.entry_id)
    assert not memory.cloud(key).get("battery")
    assert sum(memory.cloud(key)["budget"]["hours"].values()) == len(server(site).calls)


@pytest.mark.parametrize("zone", [None, "Mars/Olympus"])
async def test_a_part_that_is_silent(site: Site, monkeypatch: pytest.MonkeyPatch, zone: str | None) -> None:
    """What the cloud does not know for a while keeps its last value and its age; it may have told nothing ever."""
    entry = cloud_entry(site.hass, time_zone=zone)
    await site.set_up(entry)
    inverter = loaded_inverter(site.hass, CLOUD.site_id)
    assert inverter is not None
    before = inverter.data
    read = CloudClient.async_read

    async def without(client: CloudClient, now: datetime) -> CloudReading:
        return replace(await read(client, now), grid_w=None, pv_w=None, battery_w=None)

    monkeypatch.setattr(CloudClient, "async_read", without)
    asked = len(server(site).calls)
    await eventually(lambda: len(server(site).calls) > asked + 1)
    after = inverter.data
    assert (after.grid, after.pv, after.battery) == (before.grid, before.pv, before.battery)
    await site.hass.config_entries.async_unload(entry.entry_id)
    await site.hass.async_block_till_done()
    site.hass.data[SHARED].memory.set_cloud(f"{CLOUD.site_id}_v1", None)
    await site.hass.config_entries.async_setup(entry.entry_id)
    await site.hass.async_block_till_done()
    inverter = loaded_inverter(site.hass, CLOUD.site_id)
    assert inverter is not None
    assert inverter.grid_reading() is None
    assert not inverter.has_grid_meter
    assert not inverter.grid_meter_has_phases


async def test_diagnostics_have_no_secret(site: Site) -> None:
    """Key, token and account are not in it; the quota is."""
    entry = cloud_entry(site.hass, "v1", account_key="account-0001", token="token-0001")
    await site.set_up(entry)
    told = await async_get_config_entry_diagnostics(site.hass, entry)  # type: ignore[arg-type]
    text = str(told)
    assert not [secret for secret in (CLOUD.api_key, "account-0001", "token-0001") if secret in text]
    assert told["quota"]["calls"] >= 1
    assert told["quota"]["quota"] == QUOTA.calls
    assert told["quota"]["retired"] is False


async def test_a_car_charges_from_the_cloud(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The load manager takes the cloud for its surplus, and without currents it protects nothing."""
    site = await build(build_site, monkeypatch, pv_w=7000.0, chargers=(ChargerConfig(car=QUICK_CAR),))
    cloud, charger = cloud_entry(site.hass), site.charger_entry()
    manager = site.manager_entry(meter_entry=CLOUD.site_id, dynamic=False)
    await site.set_up(cloud, charger, manager)
    core = site.hass.data[SHARED].load_manager
    assert core is not None
    assert core.has_power_meter
    assert not core.configuration().dynamic
    await site.select(manager, "pv")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 3000.0, within=25.0)
    assert site.home.home.flow.grid_w < 1500.0


async def test_a_cloud_that_is_not_loaded_protects_nothing_either(site: Site) -> None:
    """Nobody takes a cloud that is away for a meter that would know the phases if it were there."""
    await board(site).start("gone", {}, now=0.0)
    cloud = cloud_entry(site.hass)
    assert await site.fail_to_set_up(cloud) == "cloud_retired"
    manager = site.manager_entry(meter_entry=CLOUD.site_id)
    await site.set_up(manager)
    core = site.hass.data[SHARED].load_manager
    assert core is not None
    assert not core.configuration().phase_currents
    assert not core.dynamic_configured


@pytest.mark.parametrize(
    ("car", "plugged", "wanted"), [(QUICK_CAR, True, True), (QUICK_CAR, False, False)], ids=["plugged", "away"]
)
async def test_who_needs_a_reading(
    build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, car: Any, *, plugged: bool, wanted: bool
) -> None:
    """A car that is plugged in lets the cloud be asked more often."""
    slow = type(QUOTA)(calls=9, span_s=86_400.0, reserve=0, wanted_s=1.0, idle_s=900.0, night_s=900.0, exhausted_s=1.0)
    monkeypatch.setattr(solaredge_cloud, "V1_QUOTA", slow)
    monkeypatch.setattr(solaredge_cloud, "daylight_left", lambda *_: 4.0)
    site = await build(build_site, monkeypatch, chargers=(ChargerConfig(car=car, plugged=plugged),))
    cloud, charger = cloud_entry(site.hass), site.charger_entry()
    await site.set_up(charger, cloud)
    asked = len(server(site).calls)
    if wanted:
        await eventually(lambda: len(server(site).calls) > asked + 1)
    else:
        inverter = loaded_inverter(site.hass, CLOUD.site_id)
        assert inverter is not None
        await inverter.async_refresh()
        assert len(server(site).calls) == asked
        assert inverter.usage["next_in_s"] > 800


@pytest.mark.parametrize(
    ("latitude", "moment", "hours"),
    [
        (48.0, "2026-06-21T12:00:00+00:00", 7.4),
        (48.0, "2026-06-21T23:00:00+00:00", 0.0),
        (48.0, "2026-12-21T06:30:00+00:00", 0.0),
        (80.0, "2026-06-21T23:00:00+00:00", 12.0),
        (80.0, "2026-12-21T12:00:00+00:00", 12.0),
    ],
)
async def test_daylight(hass: HomeAssistant, latitude: float, moment: str, hours: float) -> None:
    """What is left of the day; where the sun does not set or rise, half a day."""
    hass.config.latitude, hass.config.longitude = latitude, 11.0
    await hass.config.async_set_time_zone("Europe/Berlin")
    now = dt_util.parse_datetime(moment)
    assert now is not None
    assert daylight_left(hass, now) / 3600.0 == pytest.approx(hours, abs=0.3)
