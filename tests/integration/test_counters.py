"""Counters of the chargers and of the house: by the local day, by source, and over a restart."""

from collections.abc import Callable
from datetime import date, timedelta
from math import inf
from typing import Any

from homeassistant.components.sensor import DOMAIN as SENSOR, SensorDeviceClass
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)

from custom_components.pv_load_manager.const import CONF_MAIN_FUSE, DOMAIN
from custom_components.pv_load_manager.control.sessions import Counters, Given, Session, Sessions
from custom_components.pv_load_manager.control.tally import Limit
from custom_components.pv_load_manager.coordinators.sessions import ChargerSessions
from custom_components.pv_load_manager.coordinators.tally import HOUSE, ChargerTally, house_tally, local_day
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.pace import PACES, STEADY, Pace
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotStatus
from simulator import BatteryConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, eventually

SERIAL = "10000001"
SOURCES = ("solar", "grid", "unknown")


@pytest.fixture(autouse=True)
def _soon_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let energies, which are shown seldom, be shown like all figures."""
    monkeypatch.setitem(PACES, SensorDeviceClass.ENERGY, STEADY)


@pytest.fixture(name="turn_day")
def turn_day_fixture(monkeypatch: pytest.MonkeyPatch) -> Callable[[], date]:
    """Return what lets the next day begin."""
    days = [local_day()]
    monkeypatch.setattr(f"{OURS}.coordinators.tally.local_day", lambda: days[-1])

    def turn() -> date:
        days.append(days[-1] + timedelta(days=1))
        return days[-1]

    return turn


async def charging(site: Site) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Let the car charge from roof and grid; return the entries of charger and load manager."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.session_wh > 60)
    return charger, manager


def energies(site: Site, owner: MockConfigEntry) -> dict[str, float]:
    """Return the day's energies of a charger or the house in kWh."""
    return {source: site.number(owner, f"{source}_today") or 0.0 for source in SOURCES}


async def stop(site: Site, manager: MockConfigEntry) -> None:
    """Let nobody charge any more."""
    await site.select(manager, "off")
    await eventually(lambda: site.home.chargers[0].charger.power_w == 0)


async def all_counted(site: Site, owner: MockConfigEntry) -> None:
    """Wait until the parts of the day are what the charger gave its car."""
    real = site.home.chargers[0].charger
    await eventually(lambda: sum(energies(site, owner).values()) == pytest.approx(real.session_wh / 1000, abs=0.0025))


def kept(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is remembered of the charger's day."""
    found: dict[str, Any] = hass.data[SHARED].memory.charger(SERIAL)["tally"]
    return found


async def restart(site: Site, *entries: MockConfigEntry) -> None:
    """Let everything begin anew with what was saved."""
    hass = site.hass
    for entry in entries:
        await hass.config_entries.async_unload(entry.entry_id)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    memory = Memory(hass)
    await memory.async_load()
    hass.data[SHARED].memory = memory
    hass.data.pop(HOUSE)
    await site.set_up(*entries)


@pytest.mark.usefixtures("all_enabled")
async def test_energy_by_source(site: Site) -> None:
    """What the car is given counts for its charger, for the house, for the day and for all time."""
    charger, manager = await charging(site)
    await stop(site, manager)
    for owner in (charger, manager):
        await all_counted(site, owner)
    await eventually(lambda: energies(site, manager) == energies(site, charger))
    today = energies(site, charger)
    assert today["solar"] > today["grid"] > 0
    for source in ("solar", "grid"):
        await eventually(lambda source=source: site.number(charger, f"lifetime_{source}") == today[source])
    await eventually(lambda: site.number(manager, "total_energy") == pytest.approx(sum(today.values()), abs=0.002))
    share = 100 * today["solar"] / (today["solar"] + today["grid"])
    await eventually(lambda: site.number(charger, "solar_share_today") == pytest.approx(share, abs=1))
    await eventually(lambda: site.number(manager, "solar_share_today") == pytest.approx(share, abs=1))
    state = site.state("sensor", charger, "solar_today")
    assert state.attributes["last_reset"] == dt_util.start_of_local_day().isoformat()
    assert "last_reset" not in site.state("sensor", charger, "solar_share_today").attributes
    assert site.number(charger, "commands_today") == len(site.written())
    with pytest.raises(AssertionError, match="no sensor"):
        site.entity_id(SENSOR, charger, "battery_today")


@pytest.mark.usefixtures("all_enabled")
async def test_restart_while_charging(site: Site) -> None:
    """Counters go on where they were, and the car's energy of the time between is not lost."""
    charger, manager = await charging(site)
    await eventually(lambda: sum(energies(site, manager).values()) > 0.03)
    keys = ("lifetime_solar", "lifetime_grid", "solar_today", "grid_today", "commands_today")
    before = {key: site.number(charger, key) or 0.0 for key in keys}
    house = energies(site, manager)
    total = site.number(manager, "total_energy") or 0.0
    real = site.home.chargers[0].charger
    await restart(site, charger, manager)
    assert all((site.number(charger, key) or 0.0) >= value > 0 for key, value in before.items())
    assert (site.number(charger, "commands_today") or 0) <= before["commands_today"] + 6
    assert all(value >= house[source] for source, value in energies(site, manager).items())
    assert (site.number(manager, "total_energy") or 0) >= total > 0
    await stop(site, manager)
    for owner in (charger, manager):
        await all_counted(site, owner)
    assert site.number(manager, "total_energy") == pytest.approx(real.session_wh / 1000, abs=0.005)


@pytest.mark.usefixtures("all_enabled")
async def test_midnight(site: Site, turn_day: Callable[[], date], monkeypatch: pytest.MonkeyPatch) -> None:
    """However seldom figures are shown, the last one of the day is, right before the first one of the next."""
    monkeypatch.setitem(PACES, SensorDeviceClass.ENERGY, Pace(step=inf, longest=10_000))
    charger, manager = await charging(site)
    await stop(site, manager)
    tally, real = charger.runtime_data.tally, site.home.chargers[0].charger
    await eventually(lambda: tally.today.energy_wh == pytest.approx(real.session_wh, abs=0.01))
    solar = round(tally.today.solar_wh) / 1000
    assert solar > 0.02
    events = async_capture_events(site.hass, "state_changed")
    tomorrow = turn_day()
    await eventually(lambda: tally.day == tomorrow == house_tally(site.hass).day)
    for owner in (charger, manager):
        entity_id = site.entity_id(SENSOR, owner, "solar_today")
        shown: list[State] = [event.data["new_state"] for event in events if event.data["entity_id"] == entity_id]
        assert [float(state.state) for state in shown] == [solar, 0]
        today = tomorrow - timedelta(days=1)
        resets = [dt_util.start_of_local_day(day).isoformat() for day in (today, tomorrow)]
        assert [state.attributes["last_reset"] for state in shown] == resets
    assert tally.given.energy_wh == pytest.approx(real.session_wh, abs=0.01)
    assert tally.today.energy_wh == 0
    assert kept(site.hass)["commands"] == 0


@pytest.mark.usefixtures("all_enabled")
async def test_away_over_midnight(build_site: BuildSite, hass_storage: dict[str, Any]) -> None:
    """What the charger gave since the last look belongs to the day that it is now; yesterday's counts are over."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, mode=3)))
    real = site.home.chargers[0].charger
    began = dt_util.utcnow() - timedelta(hours=20)
    seen = Counters(
        plugged=True, charged=True, session_wh=0.0, lifetime_wh=real.lifetime_wh, uptime_s=237_000.0, reboots=48
    )
    given = Given(solar_wh=9000.0, grid_wh=1000.0)
    sessions = Sessions(session=Session(began=began), seen=seen, seen_at=began, given=given)
    yesterday = local_day() - timedelta(days=1)
    tally = {"day": {"date": yesterday.isoformat(), "begin": {"solar_wh": 2000.0}}, "commands": 7}
    house = {"total": {"solar_wh": 19000.0, "grid_wh": 1000.0}, "day": tally["day"]}
    hass_storage[DOMAIN] = {
        "version": 1,
        "key": DOMAIN,
        "data": {
            "site": {"tally": house},
            "chargers": {SERIAL: {"sessions": sessions.as_dict(), "tally": tally}},
        },
    }
    await eventually(lambda: real.session_wh > 20)
    charger, manager = site.charger_entry(), site.manager_entry()
    await site.set_up(charger, manager)
    for owner in (charger, manager):
        await eventually(
            lambda owner=owner: site.number(owner, "unknown_today") == pytest.approx(real.session_wh / 1000, abs=0.02)
        )
        assert site.number(owner, "solar_today") == 0
    assert site.number(charger, "lifetime_solar") == 9
    assert site.number(charger, "commands_today") == 0
    assert (site.number(manager, "total_energy") or 0) > 20


@pytest.mark.usefixtures("all_enabled")
async def test_a_charger_that_was_away(site: Site) -> None:
    """What a charger gave while it was not connected counts, of unknown origin; its counters stay known meanwhile."""
    charger, _ = await charging(site)
    real = site.home.chargers[0]
    await eventually(lambda: (site.number(charger, "solar_today") or 0) > 0.02)
    await real.stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    before = energies(site, charger)
    assert before["solar"] > 0.02
    given = real.charger.session_wh
    await eventually(lambda: real.charger.session_wh > given + 30)
    await real.start()
    await eventually(lambda: energies(site, charger)["unknown"] > before["unknown"] + 0.025)
    await eventually(
        lambda: sum(energies(site, charger).values()) == pytest.approx(real.charger.session_wh / 1000, abs=0.02)
    )


@pytest.mark.usefixtures("all_enabled")
async def test_without_a_load_manager(site: Site) -> None:
    """A plain charger counts as well; where the energy came from nobody knows, and nobody limits it."""
    charger = site.charger_entry()
    await site.set_up(charger)
    real = site.home.chargers[0].charger
    real.write("lmo", 3)
    await eventually(lambda: real.session_wh > 20)
    await eventually(lambda: site.number(charger, "unknown_today") == pytest.approx(real.session_wh / 1000, abs=0.02))
    assert site.value(charger, "solar_share_today") == "unknown"
    await site.hass.config_entries.async_unload(charger.entry_id)
    assert kept(site.hass)["charging_s"] > 0
    assert kept(site.hass)["limited_s"] == {}
    assert "tally" not in site.hass.data[SHARED].memory.site


async def test_removal(site: Site) -> None:
    """A removed charger is forgotten, but what it gave stays in the house; without a load manager nothing stays."""
    charger, manager = await charging(site)
    await eventually(lambda: (site.number(manager, "total_energy") or 0) > 0.03)
    memory = site.hass.data[SHARED].memory
    total = site.number(manager, "total_energy") or 0.0
    await site.hass.config_entries.async_remove(charger.entry_id)
    await site.hass.async_block_till_done()
    assert "tally" not in memory.charger(SERIAL)
    assert memory.site["tally"]["total"]["solar_wh"] > 0
    await eventually(lambda: (site.number(manager, "total_energy") or 0) >= total)
    again = site.charger_entry()
    await site.set_up(again)
    assert (site.number(manager, "total_energy") or 0) >= total
    await site.hass.config_entries.async_remove(manager.entry_id)
    await site.hass.async_block_till_done()
    assert "tally" not in memory.site
    another = site.manager_entry()
    await site.set_up(another)
    await eventually(lambda: (site.number(another, "total_energy") or total) < total)
    await site.hass.config_entries.async_remove(another.entry_id)
    await site.hass.async_block_till_done()
    await site.hass.config_entries.async_unload(again.entry_id)
    assert "tally" not in memory.site


async def test_time_limited_by_the_fuse(build_site: BuildSite) -> None:
    """As long as the fuse holds a car below what it could get, that is counted; and so is the charging time."""
    site = await build_site(sunny(pv_w=0.0, house_w=6000.0))
    entries = (site.inverter_entry(), site.charger_entry(), site.manager_entry(**{CONF_MAIN_FUSE: 20}))
    await site.set_up(*entries)
    await site.select(entries[2], "fast")
    await eventually(lambda: site.value(entries[1], "reason") == "limited_by_fuse")
    await eventually(lambda: site.value(entries[1], "state") == "charging")
    tally = entries[1].runtime_data.tally
    await eventually(lambda: tally.charging_s > 0.5 and tally.limited_s(Limit.FUSE) > 0.5)
    await site.hass.config_entries.async_unload(entries[1].entry_id)
    assert kept(site.hass)["limited_s"]["fuse"] >= 0.5
    assert kept(site.hass)["charging_s"] >= 0.5


async def test_house_battery(build_site: BuildSite, entity_registry: er.EntityRegistry) -> None:
    """Where a house battery gives, that is counted; its counters come with the battery, and stay when it is gone."""
    site = await build_site(
        HomeConfig(
            pv=PvConfig(constant_w=0),
            house=HouseConfig(constant_w=500),
            battery=BatteryConfig(soc=0.9, max_discharge_w=5000),
            chargers=(ChargerConfig(car=QUICK_CAR),),
            speed=10,
        )
    )
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    for owner in (charger, manager):
        await eventually(lambda owner=owner: (site.number(owner, "battery_today") or 0) > 0.02)
    await eventually(lambda: (site.number(charger, "lifetime_battery") or 0) > 0.02)
    for entry in (charger, manager, inverter):
        await site.hass.config_entries.async_unload(entry.entry_id)
    await site.set_up(charger)
    assert (site.number(charger, "lifetime_battery") or 0) > 0.02


async def test_saved_sparingly(hass: HomeAssistant, freezer: Any) -> None:
    """Writes are saved within a minute, seconds every few minutes, and nothing where nothing happened."""
    assert await async_setup_component(hass, DOMAIN, {})
    memory = hass.data[SHARED].memory
    tally = ChargerTally(hass, SERIAL, ChargerSessions(hass, SERIAL))
    end = tally.start()

    async def minute() -> None:
        freezer.tick(60)
        async_fire_time_changed(hass, dt_util.utcnow())
        await hass.async_block_till_done()

    await minute()
    assert "tally" not in memory.charger(SERIAL)
    tally.commanded()
    await minute()
    assert memory.charger(SERIAL)["tally"]["commands"] == 1
    tally.commanded()
    end()
    await minute()
    assert memory.charger(SERIAL)["tally"]["commands"] == 1
    tally.keep()
    assert memory.charger(SERIAL)["tally"]["commands"] == 2
    await minute()
    MockConfigEntry(domain=DOMAIN, data={"entry_type": "load_manager"}).add_to_hass(hass)
    end = tally.start()
    house_tally(hass).look(Given(grid_wh=200))
    await minute()
    assert "tally" not in memory.site
    house_tally(hass).look(Given(grid_wh=100))
    await minute()
    assert memory.site["tally"]["total"]["grid_wh"] == 300
    end()


async def test_a_silent_night(hass: HomeAssistant, turn_day: Callable[[], date], freezer: Any) -> None:
    """The day turns within a minute where the charger says nothing, and tells whoever shows its figures twice."""
    assert await async_setup_component(hass, DOMAIN, {})
    MockConfigEntry(domain=DOMAIN, data={"entry_type": "load_manager"}).add_to_hass(hass)
    sessions = ChargerSessions(hass, SERIAL)
    tally, house = ChargerTally(hass, SERIAL, sessions), house_tally(hass)
    for energy in (0.0, 100.0, 900.0):
        sessions.heard(WattpilotStatus.of({"car": 2, "wh": energy, "eto": 5000 + energy}))
        tally.look(None, None)
    assert tally.today.energy_wh == house.today.energy_wh == 900
    told: list[tuple[date, float, float]] = []

    @callback
    def listen() -> None:
        told.append((tally.day, tally.today.energy_wh, house.today.energy_wh))

    end, today = tally.on_turn(listen), tally.day
    stop = tally.start()
    tomorrow = turn_day()
    sessions.heard(WattpilotStatus.of({"car": 2, "wh": 950.0, "eto": 5950.0}))
    freezer.tick(60)
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done()
    assert told == [(today, 900, 900), (tomorrow, 50, 50)]
    saved = hass.data[SHARED].memory
    assert saved.charger(SERIAL)["tally"]["day"]["date"] == tomorrow.isoformat()
    assert saved.site["tally"]["total"]["unknown_wh"] == 950
    stop()
    end()
    turn_day()
    tally.look(None, None)
    assert len(told) == 2
