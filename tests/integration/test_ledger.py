"""The ledger of charging sessions in Home Assistant: over restarts and removals, as a sensor and as a download."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
import io
from typing import Any

from homeassistant import loader
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_test_home_assistant,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.const import CONF_MAIN_FUSE, DOMAIN
from custom_components.pv_load_manager.control.counters import Counters
from custom_components.pv_load_manager.control.ledger import Book, saved_of
from custom_components.pv_load_manager.control.session import End, Session
from custom_components.pv_load_manager.control.sessions import Given, Sessions
from custom_components.pv_load_manager.coordinators.ledger import KEY, Ledger, async_export
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, eventually
from .test_charger_sessions import ended

SERIAL = "10000001"
URL = "/api/pv_load_manager/sessions.csv"
BEGAN = datetime(2026, 6, 1, 8, tzinfo=UTC)


def session(day: int, **more: Any) -> Session:
    """Return a session of a day in June."""
    began = BEGAN + timedelta(days=day - 1)
    return replace(Session(began=began, ended=began + timedelta(hours=2), energy_wh=1000.0 * day), **more)


def saved(*sessions: Any) -> dict[str, Any]:
    """Return the ledger's file; what is no session is damage."""
    kept = [
        saved_of({SERIAL: [item]})["chargers"][SERIAL][0] if isinstance(item, Session) else item for item in sessions
    ]
    return {"version": 1, "minor_version": 1, "key": KEY, "data": {"chargers": {SERIAL: kept}}}


def days(hass: HomeAssistant) -> list[int]:
    """Return the days of the sessions in the ledger."""
    return [known.began.day for _, known in hass.data[SHARED].ledger.sessions()]


async def written(hass: HomeAssistant, storage: dict[str, Any]) -> Any:
    """Return what of the ledger would be found after a stop."""
    await write_now(hass)
    return storage[KEY]["data"]["chargers"]


async def write_now(hass: HomeAssistant) -> None:
    """Let Home Assistant write all its files, as it does at the end."""
    hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()


@asynccontextmanager
async def after_restart(site: Site) -> AsyncIterator[Site]:
    """Leave one Home Assistant and begin another one with what the first had written."""
    for entry in site.hass.config_entries.async_loaded_entries(DOMAIN):
        await site.hass.config_entries.async_unload(entry.entry_id)
    await write_now(site.hass)
    async with async_test_home_assistant(config_dir=site.hass.config.config_dir) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        try:
            yield replace(site, hass=hass)
        finally:
            for entry in hass.config_entries.async_loaded_entries(DOMAIN):
                await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


async def test_two_sessions_and_a_restart(site: Site, hass_storage: dict[str, Any]) -> None:
    """Each is in the ledger once, the sensor shows the last one, and a restart in between changes nothing."""
    _, charger, manager = await site.set_up_all()
    real, events = site.home.chargers[0].charger, async_capture_events(site.hass, "state_changed")
    assert site.value(charger, "last_session") == "unknown"
    await site.select(manager, "fast")
    await eventually(lambda: real.session_wh > 60)
    real.unplug()
    await eventually(lambda: site.value(charger, "last_session") != "unknown")
    shown = site.state("sensor", charger, "last_session")
    assert float(shown.state) == pytest.approx(real.session_wh / 1000, abs=0.01)
    assert shown.attributes["device_class"] == "energy"
    assert "state_class" not in shown.attributes
    (event,) = ended(site, charger, events)
    for attributes in (shown.attributes, event):
        assert attributes["mode"] == "fast"
        assert attributes["modes"] == ["fast"]
        assert attributes["phases"] == "3"
        assert attributes["ended_by"] == "unplugged"
        assert attributes["mean_power"] == pytest.approx(110_000, rel=0.2)  # the home is ten times as fast
        assert attributes["unknown_energy"] == pytest.approx(
            attributes["energy"]
            - attributes["solar_energy"]
            - attributes["battery_energy"]
            - attributes["grid_energy"],
            abs=0.003,
        )
    real.plug()
    await eventually(lambda: real.session_wh > 30 and site.value(charger, "state") == "charging")
    async with after_restart(site) as later:
        await eventually(lambda: real.session_wh > 60)
        _, charger, _ = await later.set_up_all()
        assert len(later.hass.data[SHARED].ledger.sessions()) == 1
        assert later.number(charger, "last_session") == pytest.approx(float(shown.state), abs=0.001)
        given = later.hass.data[SHARED].chargers[SERIAL].sessions.given
        assert given.energy_wh > 60
        real.unplug()
        await eventually(lambda: len(later.hass.data[SHARED].ledger.sessions()) == 2)
        (_, first), (_, second) = later.hass.data[SHARED].ledger.sessions()
        assert first.ended is not None
        assert first.ended <= second.began
        assert second.energy_wh == pytest.approx(real.session_wh, rel=0.02, abs=3)
        assert second.watched
        await eventually(
            lambda: later.number(charger, "last_session") == pytest.approx(second.energy_wh / 1000, abs=0.002)
        )
        found = await written(later.hass, hass_storage)
        assert [item["end"] for item in found[SERIAL]] == ["unplugged", "unplugged"]


async def test_limits_and_override(site: Site) -> None:
    """What held a car back is kept with its session, and that somebody chose its current."""
    charger, manager = site.charger_entry(), site.manager_entry(**{CONF_MAIN_FUSE: 10})
    await site.set_up(site.inverter_entry(), charger, manager)
    real = site.home.chargers[0].charger
    await site.select(manager, "fast")
    sessions = site.hass.data[SHARED].chargers[SERIAL].sessions
    await eventually(lambda: real.session_wh > 20)
    await eventually(lambda: sessions.session is not None and "fuse" in sessions.session.limits)
    await site.hass.services.async_call(
        DOMAIN,
        "set_override",
        {"entity_id": site.entity_id("select", charger, "charge_mode"), "current": 7},
        blocking=True,
    )
    await eventually(lambda: sessions.session is not None and "override" in sessions.session.modes_wh)
    assert sessions.session is not None
    assert set(sessions.session.modes_wh) == {"fast", "override"}


async def test_without_a_load_manager(site: Site) -> None:
    """A plain charger has a ledger as well; by which mode it charged nobody decides."""
    charger = site.charger_entry()
    await site.set_up(charger)
    real = site.home.chargers[0].charger
    real.write("lmo", 3)
    await eventually(lambda: real.session_wh > 20)
    real.unplug()
    await eventually(lambda: site.value(charger, "last_session") != "unknown")
    attributes = site.state("sensor", charger, "last_session").attributes
    assert (attributes["mode"], attributes["modes"], attributes["limits"]) == (None, [], [])
    assert attributes["phases"] == "3"


async def test_a_car_that_is_left_alone(build_site: BuildSite) -> None:
    """It charges by no mode as long as nobody has chosen one."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, mode=3)))
    real = site.home.chargers[0].charger
    await eventually(lambda: real.session_wh > 20)
    _, charger, _ = await site.set_up_all()
    await eventually(lambda: site.value(charger, "reason") == "untouched")
    sessions = site.hass.data[SHARED].chargers[SERIAL].sessions
    before = real.session_wh
    await eventually(lambda: sessions.session is not None and sessions.session.energy_wh > before + 30)
    assert sessions.session is not None
    assert sessions.session.modes_wh == {}
    assert sessions.session.phases == "3"


async def test_known_without_the_charger(site: Site, hass_storage: dict[str, Any]) -> None:
    """The last session stays known while the charger is not reachable."""
    hass_storage[KEY] = saved(session(1), session(2, end=End.FULL))
    charger = site.charger_entry()
    await site.set_up(charger)
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    assert site.number(charger, "last_session") == 2
    assert site.state("sensor", charger, "last_session").attributes["ended_by"] == "full"


def remembered(**more: Any) -> dict[str, Any]:
    """Return the memory with a charger that saw a car."""
    seen = Counters(plugged=True, charged=True, session_wh=0.0, lifetime_wh=2_680_000.0)
    sessions = Sessions(session=session(3, **more), seen=seen, seen_at=BEGAN, given=Given(solar_wh=7000.0))
    return {
        "version": 1,
        "key": DOMAIN,
        "data": {"site": {}, "chargers": {SERIAL: {"sessions": sessions.as_dict()}}},
    }


async def test_after_a_power_failure(site: Site, hass_storage: dict[str, Any]) -> None:
    """What the ledger had written and the memory not is told once; what only the memory has is in the ledger, too."""
    site.home.chargers[0].charger.unplug()
    hass_storage[DOMAIN], hass_storage[KEY] = remembered(ended=None), saved(session(3, energy_wh=3333.0))
    charger = site.charger_entry()
    events = async_capture_events(site.hass, "state_changed")
    await site.set_up(charger)
    assert days(site.hass) == [3]
    assert site.number(charger, "last_session") == pytest.approx(3.333)
    assert ended(site, charger, events) == []
    assert site.hass.data[SHARED].chargers[SERIAL].sessions.given.energy_wh >= 7000


async def test_the_first_session_of_the_ledger(site: Site, hass_storage: dict[str, Any]) -> None:
    """The last session of an earlier version, which had no ledger."""
    hass_storage[DOMAIN] = remembered()
    charger = site.charger_entry()
    await site.set_up(charger)
    assert days(site.hass)[0] == 3


async def test_removing_a_charger(site: Site, hass_storage: dict[str, Any]) -> None:
    """It takes its sessions with it, and nobody else's."""
    hass_storage[KEY] = saved(session(1))
    hass_storage[KEY]["data"]["chargers"]["10000002"] = saved(session(2))["data"]["chargers"][SERIAL]
    charger, manager = site.charger_entry(), site.manager_entry()
    await site.set_up(charger, manager)
    await site.hass.config_entries.async_remove(charger.entry_id)
    assert days(site.hass) == [2]
    assert set(await written(site.hass, hass_storage)) == {"10000002"}


async def download(client: Any, **query: Any) -> list[dict[str, str]]:
    """Return the rows of the download."""
    answer = await client.get(URL, params=query)
    assert answer.status == HTTPStatus.OK, await answer.text()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="pv_load_manager_sessions.csv"'
    return list(csv.DictReader(io.StringIO((await answer.read()).decode(), newline=""), strict=True))


async def with_ledger(site: Site, storage: dict[str, Any]) -> MockConfigEntry:
    """Set up a charger with a ledger of four days, and one that is not loaded any more with one of one day."""
    await site.hass.config.async_set_time_zone("Europe/Vienna")
    storage[KEY] = saved(*(session(day) for day in (1, 2, 3, 4)))
    storage[KEY]["data"]["chargers"]["10000002"] = saved(session(2))["data"]["chargers"][SERIAL]
    charger = site.charger_entry()
    await site.set_up(charger)
    return charger


async def test_download(
    site: Site,
    hass_storage: dict[str, Any],
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Whoever may sign in gets the table, in local times; the names of chargers are those that people gave."""
    charger = await with_ledger(site, hass_storage)
    assert (await (await hass_client_no_auth()).get(URL)).status == HTTPStatus.UNAUTHORIZED
    client = await hass_client()
    rows = await download(client)
    assert [row["start"] for row in rows if row["serial"] == SERIAL] == [
        f"2026-06-0{day}T10:00:00+02:00" for day in (1, 2, 3, 4)
    ]
    assert {row["charger"] for row in rows} == {charger.title, "10000002"}
    devices = dr.async_get(site.hass)
    (device,) = dr.async_entries_for_config_entry(devices, charger.entry_id)
    devices.async_update_device(device.id, name_by_user="Garage")
    assert {row["charger"] for row in await download(client, charger=SERIAL)} == {"Garage"}
    table, records = await async_export(site.hass, ["10000002"])
    assert [record["serial"] for record in records] == ["10000002"]
    assert table.count("\r\n") == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"since": "2026-06-03"}, [3, 4]),
        ({"until": "2026-06-02"}, [1, 2]),
        ({"since": "2026-06-02", "until": "2026-06-03"}, [2, 3]),
        ({"since": "2026-06-02T10:00:00"}, [2, 3, 4]),
        ({"since": "2026-06-02T10:00:01"}, [3, 4]),
        ({"until": "2026-06-02T08:00:00+00:00"}, [1]),
        ({"until": "2026-06-02T08:00:01Z"}, [1, 2]),
        ({"since": "2026-06-09"}, []),
    ],
    ids=str,
)
async def test_a_time(
    site: Site,
    hass_storage: dict[str, Any],
    hass_client: ClientSessionGenerator,
    query: dict[str, str],
    found: list[int],
) -> None:
    """A date is the whole local day; a time without an offset is local."""
    await with_ledger(site, hass_storage)
    rows = await download(await hass_client(), charger=SERIAL, **query)
    assert [float(row["energy_kwh"]) for row in rows] == found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ([("since", "yesterday")], "since"),
        ([("until", "2026-13-01")], "until"),
        ([("until", "")], "until"),
        ([("since", "2026-02-30T10:00:00")], "since"),
        ([("since", "9999-12-31"), ("until", "9999-12-31")], "until"),
        ([("since", "2026-06-03"), ("until", "2026-06-01")], "until"),
        ([("since", "2026-06-03"), ("since", "2026-06-01")], "since"),
        ([("charger", "10000009")], "charger"),
        ([("charger", SERIAL), ("charger", "Garage")], "charger"),
        ([("from", "2026-06-03")], "from"),
    ],
    ids=str,
)
async def test_bad_parameters(
    site: Site,
    hass_storage: dict[str, Any],
    hass_client: ClientSessionGenerator,
    query: list[tuple[str, str]],
    field: str,
) -> None:
    """The one that is wrong is named."""
    await with_ledger(site, hass_storage)
    answer = await (await hass_client()).get(URL, params=query)
    assert answer.status == HTTPStatus.BAD_REQUEST
    body = await answer.json()
    assert body["field"] == field
    assert field in body["message"]


async def test_a_large_ledger(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Years of two chargers are read, and written without one that is too old."""
    book = Book()
    for hour in range(2000):
        book.add(SERIAL, Session(began=BEGAN + timedelta(hours=hour), energy_wh=float(hour)))
    hass_storage[KEY] = saved(*book.last(SERIAL, 2000))
    ledger = Ledger(hass)
    await ledger.async_load()
    assert ledger.add(SERIAL, session(365))
    rows = ledger.sessions(SERIAL)
    assert len(rows) == 2000
    assert rows[0][1].energy_wh == 1
    assert ledger.latest(SERIAL, 2)[-1] == ledger.last(SERIAL) == session(365)
