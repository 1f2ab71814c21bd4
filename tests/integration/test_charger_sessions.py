"""Charging sessions in Home Assistant: what each car was given, and where it came from."""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import Event, EventStateChangedData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control.counters import Counters
from custom_components.pv_load_manager.control.session import Session
from custom_components.pv_load_manager.control.sessions import Sessions
from custom_components.pv_load_manager.coordinators.sessions import ChargerSessions
from custom_components.pv_load_manager.coordinators.translate import session_counters
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotStatus
from simulator import ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, eventually


async def charging(site: Site, mode: str = "fast") -> tuple[MockConfigEntry, MockConfigEntry]:
    """Let the car charge; return the entries of charger and load manager."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, mode)
    await eventually(lambda: site.home.chargers[0].charger.session_wh > 10)
    return charger, manager


def ended(site: Site, charger: MockConfigEntry, events: list[Event[EventStateChangedData]]) -> list[dict[str, Any]]:
    """Return the attributes of the sessions that ended."""
    entity_id = site.entity_id("event", charger, "charging")
    states = [event.data["new_state"] for event in events if event.data["entity_id"] == entity_id]
    return [
        dict(state.attributes) for state in states if state and state.attributes.get("event_type") == "session_ended"
    ]


async def test_from_plug_to_plug(site: Site) -> None:
    """A session is what one car was given; it stays until the next car, and is told when it ends."""
    charger, _ = await charging(site)
    events = async_capture_events(site.hass, "state_changed")
    real = site.home.chargers[0].charger
    await eventually(lambda: real.session_wh > 50)
    sessions = site.hass.data[SHARED].chargers["10000001"].sessions
    early = sessions.session
    await eventually(lambda: real.session_wh > 100)
    late = sessions.session
    assert early is not None
    assert late is not None
    # 8 kW of sun, 0.5 kW for the house, 11 kW for the car
    share = (late.solar_wh - early.solar_wh) / (late.energy_wh - early.energy_wh)
    assert share == pytest.approx(0.68, abs=0.04)
    assert site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.02)
    real.unplug()
    given = real.session_wh
    await eventually(lambda: ended(site, charger, events))
    (session,) = ended(site, charger, events)
    assert session["energy"] == pytest.approx(given / 1000, rel=0.01, abs=0.001)
    assert session["watched"] is False  # the car was there before Home Assistant
    assert session["peak_power"] == pytest.approx(11_000, rel=0.05)
    known = session["solar_energy"] + session["grid_energy"]
    assert session["energy"] / 2 < known < session["energy"] + 0.002
    assert session["solar_share"] == pytest.approx(100 * session["solar_energy"] / known, abs=3)
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(given / 1000, abs=0.001))
    assert site.number(charger, "session_solar_share") == pytest.approx(session["solar_share"], abs=1)
    real.plug()
    await eventually(lambda: (site.number(charger, "session_energy") or 1) < given / 2000)
    await eventually(lambda: real.session_wh > 20)
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.02))
    assert len(ended(site, charger, events)) == 1


async def test_the_last_figures_are_shown_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Energies are shown every two minutes while they rise; with the car gone nobody waits for what it was given."""
    monkeypatch.setattr(f"custom_components.{DOMAIN}.entity.PUBLISH_INTERVAL", 5.0)
    charger, _ = await charging(site)
    real = site.home.chargers[0].charger
    await eventually(lambda: real.session_wh > 100)
    assert (site.number(charger, "session_energy") or 0.0) < real.session_wh / 2000
    sessions = site.hass.data[SHARED].chargers["10000001"].sessions
    real.unplug()
    await eventually(lambda: sessions.session.ended is not None)
    given, solar = real.session_wh / 1000, sessions.session.solar_wh / 1000
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(given, abs=0.001))
    await eventually(lambda: site.number(charger, "session_solar_energy") == pytest.approx(solar, abs=0.001))


@pytest.mark.parametrize("value", ["nan", "-1", "text", "1e308"])
async def test_a_car_that_leaves_without_numbers(site: Site, value: str) -> None:
    """Its session ends when the counters are back, with what the car took before and after they were lost."""
    charger, _ = await charging(site)
    events = async_capture_events(site.hass, "state_changed")
    real, home = site.home.chargers[0].charger, site.home
    faults = home.charger_faults["10000001"]
    await eventually(lambda: site.number(charger, "session_energy") not in {None, 0.0})
    await faults.start("sentinels", {"value": value}, now=home.home.now)
    before = real.session_wh
    await eventually(lambda: real.session_wh > 2 * before + 20)
    real.unplug()
    await eventually(lambda: site.value(charger, "state") == "no_car")
    assert ended(site, charger, events) == []
    await faults.end("sentinels")
    await eventually(lambda: ended(site, charger, events))
    (session,) = ended(site, charger, events)
    assert session["energy"] == pytest.approx(real.session_wh / 1000, rel=0.01, abs=0.001)
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.001))


async def test_over_a_restart_and_a_reboot(build_site: BuildSite) -> None:
    """Neither Home Assistant's absence nor a restart of the charger loses anything of a session."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR), speed=20.0))
    charger, _ = await charging(site)
    real = site.home.chargers[0].charger
    await eventually(lambda: site.number(charger, "session_energy") not in {None, 0.0})
    await site.hass.config_entries.async_unload(charger.entry_id)
    before = real.session_wh
    await eventually(lambda: real.session_wh > before + 50)
    await site.set_up(charger)
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.03))
    real.reboot()
    await eventually(lambda: site.value(charger, "session_energy") == "unavailable")
    await eventually(lambda: site.value(charger, "session_energy") != "unavailable")
    session = site.hass.data[SHARED].chargers["10000001"].sessions.session
    assert session is not None
    assert session.ended is None
    assert session.energy_wh == pytest.approx(real.session_wh, rel=0.01, abs=30)


@pytest.mark.parametrize("everything", [False, True], ids=["charger", "everything"])
async def test_a_car_that_changes_unseen(site: Site, *, everything: bool) -> None:
    """What was chosen for a car does not count for another one that came while nobody watched."""
    charger, manager = await charging(site)
    await site.select(charger, "fast")
    await site.hass.services.async_call(
        "pv_load_manager",
        "set_override",
        {"entity_id": site.entity_id("select", charger, "charge_mode"), "current": 7},
        blocking=True,
    )
    await eventually(lambda: site.number(charger, "override") == 7)
    events = async_capture_events(site.hass, "state_changed")
    real = site.home.chargers[0].charger
    away = (charger, manager) if everything else (charger,)
    for entry in away:
        await site.hass.config_entries.async_unload(entry.entry_id)
    given = real.session_wh
    real.unplug()
    await eventually(lambda: real.now > (real.plugged_at or 0) + 1)
    real.plug()
    await eventually(lambda: real.session_wh > 15)
    await site.set_up(*away)
    await eventually(lambda: ended(site, charger, events))
    (session,) = ended(site, charger, events)
    assert session["energy"] == pytest.approx(given / 1000, rel=0.05, abs=0.003)
    assert session["watched"] is False
    await eventually(lambda: site.value(charger, "override") == "unknown")
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    await eventually(lambda: site.number(charger, "allocated_current") == 16)


async def test_the_same_car_after_a_reload(site: Site) -> None:
    """What was chosen for a car still counts when Home Assistant looks again."""
    charger, _ = await charging(site)
    await site.select(charger, "min_pv")
    await site.hass.config_entries.async_reload(charger.entry_id)
    await site.hass.async_block_till_done()
    await eventually(lambda: site.value(charger, "charge_mode", "select") == "min_pv")
    await eventually(lambda: site.value(charger, "state") == "charging")
    assert site.value(charger, "charge_mode", "select") == "min_pv"


async def test_without_a_load_manager(site: Site) -> None:
    """A plain charger counts its sessions as well; where the energy came from nobody knows."""
    charger = site.charger_entry()
    await site.set_up(charger)
    real = site.home.chargers[0].charger
    real.write("lmo", 3)
    await eventually(lambda: real.session_wh > 20)
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.02))
    assert site.value(charger, "session_solar_share") == "unknown"


async def test_goes_on_after_a_restart_of_home_assistant(build_site: BuildSite, hass_storage: dict[str, Any]) -> None:
    """What a car was given before the restart counts, its sources too; the charger tells what came meanwhile."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, mode=3)))
    real = site.home.chargers[0].charger
    began = datetime(2026, 6, 1, 8, tzinfo=UTC)
    session = Session(began=began, energy_wh=5000.0, solar_wh=4000.0, grid_wh=1000.0, peak_w=7000.0)
    seen = Counters(
        plugged=True, charged=True, session_wh=0.0, lifetime_wh=real.lifetime_wh, uptime_s=237_000.0, reboots=48
    )
    sessions = Sessions(session=session, seen=seen, seen_at=began)
    hass_storage[DOMAIN] = {
        "version": 1,
        "key": DOMAIN,
        "data": {"site": {}, "chargers": {"10000001": {"sessions": sessions.as_dict()}}},
    }
    await eventually(lambda: real.session_wh > 20)
    charger = site.charger_entry()
    await site.set_up(charger)
    await eventually(
        lambda: site.number(charger, "session_energy") == pytest.approx(5 + real.session_wh / 1000, abs=0.02)
    )
    assert site.number(charger, "session_solar_energy") == 4
    assert site.number(charger, "session_solar_share") == 80
    await site.hass.config_entries.async_unload(charger.entry_id)
    kept = site.hass.data[SHARED].memory.charger("10000001")["sessions"]["session"]
    assert (kept["began"], kept["ended"]) == (began.isoformat(), None)
    assert kept["energy_wh"] > 5020


def test_the_chargers_own_split() -> None:
    """It counts only while a paired inverter tells the charger what the house takes from the grid."""
    said = {"car": 2, "wh": 3000.0, "whs": 2000.0, "whb": 600.0, "whg": 400.0, "rbt": 237_122_962, "lccfi": 86_757_615}
    assert session_counters(WattpilotStatus.of(said)).parts_wh is None
    counters = session_counters(WattpilotStatus.of(said | {"fbuf_pGrid": 15.6}))
    assert counters.parts_wh == (2000.0, 600.0, 400.0)
    assert counters.plugged
    assert counters.plugged_at_s == 86_757.615
    assert session_counters(WattpilotStatus.of({"car": 5})).plugged is None


async def test_nobody_listens(site: Site) -> None:
    """Sessions that nobody is told of are told once to who comes later, and do not pile up over the years."""
    await site.set_up(site.charger_entry())
    sessions = ChargerSessions(site.hass, "10000099")
    for plug in range(100):
        for car in (2, 1):
            sessions.heard(WattpilotStatus.of({"car": car, "wh": 100.0 * plug, "eto": 100.0 * plug}))
    told: list[Session] = []
    sessions.on_end(told.append)
    assert 1 <= len(told) <= 20
    again: list[Session] = []
    sessions.on_end(again.append)
    assert again == []
