"""Home Assistant is stopped and started again while cars charge: everything is as before, and they charge on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from homeassistant import loader
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, circuits, configuration, eventually
from .test_circuits import add_circuit

FIRST, SECOND = "10000001", "10000002"


async def act(site: Site, action: str, **data: Any) -> None:
    """Call an action of the integration."""
    await site.hass.services.async_call(DOMAIN, action, data, blocking=True)


def same(entry: MockConfigEntry) -> MockConfigEntry:
    """Return an entry as the next Home Assistant finds it, sub-entries and their ids among it."""
    known = entry.as_dict()
    return MockConfigEntry(
        domain=DOMAIN,
        entry_id=entry.entry_id,
        title=entry.title,
        unique_id=entry.unique_id,
        data=dict(entry.data),
        options=dict(entry.options),
        version=entry.version,
        minor_version=entry.minor_version,
        subentries_data=known["subentries"],
    )


@asynccontextmanager
async def restarted(site: Site, storage: dict[str, Any]) -> AsyncIterator[tuple[Site, tuple[MockConfigEntry, ...]]]:
    """Stop Home Assistant as it does itself, and start another one on what the first one had written."""
    before = site.hass.config_entries.async_entries(DOMAIN)
    await site.hass.async_stop(force=True)
    written = deepcopy(storage)
    for entry in before:  # a process that ends closes its connections
        await site.hass.config_entries.async_unload(entry.entry_id)
    storage.clear()
    storage.update(written)
    async with async_test_home_assistant(config_dir=site.hass.config.config_dir) as hass:
        hass.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        later = replace(site, hass=hass)
        entries = tuple(same(entry) for entry in before)  # type: ignore[arg-type]
        for entry in entries:
            entry.add_to_hass(hass)
        try:
            yield later, entries
        finally:
            for entry in hass.config_entries.async_loaded_entries(DOMAIN):
                await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


def chosen(site: Site, first: MockConfigEntry, second: MockConfigEntry, manager: MockConfigEntry) -> dict[str, Any]:
    """Return what people chose, as they see it, and what is kept of the past."""
    shared = site.hass.data[SHARED]
    found: dict[str, Any] = {
        f"{owner.title} {key}": site.value(owner, key, platform)
        for owner, platform, key in (
            (manager, "select", "charge_mode"),
            (first, "select", "charge_mode"),
            (second, "select", "charge_mode"),
            (first, "select", "priority"),
            (first, "select", "phase_policy"),
            (second, "select", "priority"),
            (first, "switch", "keep_charge_mode"),
            (first, "number", "maximum_current"),
            (manager, "number", "target_grid_power"),
            (second, "sensor", "override"),
            (second, "sensor", "last_session"),
        )
    }
    for entry in (manager, first):
        found[f"{entry.title} until"] = site.state("select", entry, "charge_mode").attributes["until"]
    override = shared.load_manager.override(SECOND)
    config = configuration(site.hass)
    return found | {
        "mode before": shared.memory.site["mode_before"],
        "override": (override.current_a, override.source, override.until),
        "circuits": config.circuits,
        "chargers": config.chargers,
        "ledger": [
            (serial, known.began, known.ended, round(known.energy_wh)) for serial, known in shared.ledger.sessions()
        ],
        "former": [shared.memory.charger(serial)["former"] for serial in (FIRST, SECOND)],
        "began": [shared.chargers[serial].sessions.session.began for serial in (FIRST, SECOND)],
    }


COUNTERS = ("solar_today", "grid_today", "lifetime_solar", "commands_today", "charging_time_today", "starts_today")


def counted(site: Site, *chargers: MockConfigEntry) -> dict[str, float]:
    """Return what only rises."""
    found = {f"{charger.title} {key}": site.number(charger, key) or 0.0 for charger in chargers for key in COUNTERS}
    control = site.hass.data[SHARED].load_manager.inside()[1]
    for charger in chargers:
        found[f"{charger.title} override energy"] = control.energy(charger.data["serial"])
    return found


async def wish(
    site: Site, first: MockConfigEntry, second: MockConfigEntry, manager: MockConfigEntry, place: str
) -> None:
    """Choose everything that can be chosen, after a first car came and went."""
    house = site.entity_id("select", manager, "charge_mode")
    await act(site, "set_charge_mode", entity_id=house, mode="fast", duration={"hours": 3})
    await eventually(lambda: site.home.chargers[1].charger.session_wh > 15)
    site.home.chargers[1].charger.unplug()
    await eventually(lambda: site.value(second, "last_session") != "unknown")
    site.home.chargers[1].charger.plug()
    own = site.entity_id("select", first, "charge_mode")
    await act(site, "set_charge_mode", entity_id=own, mode="min_pv", duration={"hours": 2})
    await site.turn(first, "keep_charge_mode", on=True)
    await site.select(first, "high", key="priority")
    await site.select(first, "three", key="phase_policy")
    await site.set_number(first, "maximum_current", 13)
    await site.set_number(manager, "target_grid_power", -200)
    await act(site, "set_circuit_limit", circuit=place, current=14)
    target = site.entity_id("sensor", second, "reason")
    until = (dt_util.now() + timedelta(hours=1)).isoformat()
    await act(site, "set_override", entity_id=target, current=9, energy=40, until=until)
    await eventually(lambda: site.settings(1)["amp"] == 9 and site.home.chargers[1].charger.power_w > 5000)
    await eventually(lambda: site.value(first, "state") == "charging")


@pytest.mark.usefixtures("all_enabled")
async def test_everything_is_as_before(build_site: BuildSite, hass_storage: dict[str, Any]) -> None:
    """Modes with their ends, override, priorities, limits, sessions, ledger and counters; nobody's car is stopped."""
    cars = (
        ChargerConfig(serial=FIRST, name="Garage", car=QUICK_CAR),
        ChargerConfig(serial=SECOND, name="Carport", car=QUICK_CAR),
    )
    site = await build_site(sunny(*cars))
    manager = site.manager_entry()
    place = add_circuit(site.hass, manager, "Yard", limit=25)
    inverter, first = site.inverter_entry(), site.charger_entry(0)
    second = site.charger_entry(1, options={"circuit": place})
    await site.set_up(inverter, first, second, manager)
    await wish(site, first, second, manager, place)
    before, counts = chosen(site, first, second, manager), counted(site, first, second)
    assert len(before["ledger"]) == 1
    assert circuits(site.hass)[0].demand_limit_a == 14
    stops = [site.written(index).count(("frc", 1)) for index in (0, 1)]
    async with restarted(site, hass_storage) as (later, entries):
        # Nobody is there: what is safe without Home Assistant is what the chargers were left at.
        assert later.settings(1)["amp"] <= 9
        given = [charger.charger.session_wh for charger in later.home.chargers]
        await eventually(
            lambda: all(c.charger.session_wh > g + 5 for c, g in zip(later.home.chargers, given, strict=True))
        )
        await later.set_up(*entries)
        by_title = {entry.title: entry for entry in entries}
        first, second, manager = by_title["Garage"], by_title["Carport"], by_title["PV Load Manager"]
        await eventually(lambda: later.value(second, "override") == "9", within=1)
        assert chosen(later, first, second, manager) == before
        after = counted(later, first, second)
        assert {key: after[key] for key in counts if after[key] < counts[key]} == {}
        await eventually(lambda: later.settings(1)["amp"] == 9)
        await eventually(lambda: later.home.chargers[0].charger.power_w > 4000)
        await eventually(lambda: later.home.chargers[1].charger.power_w > 5000)
        for index, serial in enumerate((FIRST, SECOND)):
            real, known = later.home.chargers[index].charger, later.hass.data[SHARED].chargers[serial].sessions
            await eventually(
                lambda real=real, known=known: known.session.energy_wh == pytest.approx(real.session_wh, abs=6)
            )
        assert chosen(later, first, second, manager) == before
        assert [later.written(index).count(("frc", 1)) for index in (0, 1)] == stops


@pytest.mark.parametrize("default", ["off", "pv", "last"])
async def test_default_mode(site: Site, hass_storage: dict[str, Any], default: str) -> None:
    """A configured default mode is above what was chosen before, its end among it; off also ends overrides."""
    _, charger, manager = await site.set_up_all()
    house = site.entity_id("select", manager, "charge_mode")
    await site.select(manager, default, key="default_mode")
    await act(site, "set_charge_mode", entity_id=house, mode="fast", duration={"hours": 3})
    await act(site, "set_override", entity_id=site.entity_id("sensor", charger, "reason"), current=10)
    await eventually(lambda: site.home.chargers[0].charger.power_w > 6000)
    began = site.hass.data[SHARED].chargers[FIRST].sessions.session.began
    async with restarted(site, hass_storage) as (later, entries):
        await later.set_up(*entries)
        charger, manager = entries[1:]
        shown = later.state("select", manager, "charge_mode")
        assert shown.state == ("fast" if default == "last" else default)
        assert ("until" in shown.attributes) is (default == "last")
        assert (later.hass.data[SHARED].load_manager.override(FIRST) is None) is (default == "off")
        if default == "off":
            await eventually(lambda: later.settings()["frc"] == 1)
            await eventually(lambda: later.home.chargers[0].charger.power_w == 0)
        else:
            await eventually(lambda: later.home.chargers[0].charger.power_w > 6000)
            assert later.settings()["amp"] == 10
        assert later.hass.data[SHARED].chargers[FIRST].sessions.session.began == began


async def test_nothing_without_home_assistant(site: Site, hass_storage: dict[str, Any]) -> None:
    """Where the current without Home Assistant is 0, the car waits for it, and charges on afterwards."""
    options = {"limit_current_without_ha": True, "current_without_ha": 0}
    inverter, charger, manager = site.inverter_entry(), site.charger_entry(options=options), site.manager_entry()
    await site.set_up(inverter, charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 9000)
    session = site.hass.data[SHARED].chargers[FIRST].sessions.session
    async with restarted(site, hass_storage) as (later, entries):
        await eventually(lambda: later.home.chargers[0].charger.power_w == 0)
        assert later.settings()["frc"] == 1
        await later.set_up(*entries)
        await eventually(lambda: later.home.chargers[0].charger.power_w > 9000)
        again = later.hass.data[SHARED].chargers[FIRST].sessions.session
        assert again.began == session.began
        assert again.energy_wh >= session.energy_wh
        assert later.hass.data[SHARED].ledger.sessions() == []


async def test_a_charger_that_comes_late(site: Site, hass_storage: dict[str, Any]) -> None:
    """A mode, an override and the session wait for a charger that is not there when Home Assistant starts."""
    charger = (await site.set_up_all())[1]
    await site.select(charger, "fast")
    await act(site, "set_override", entity_id=site.entity_id("sensor", charger, "reason"), current=8)
    await eventually(lambda: site.home.chargers[0].charger.power_w > 5000)
    began = site.hass.data[SHARED].chargers[FIRST].sessions.session.began
    async with restarted(site, hass_storage) as (later, (inverter, charger, manager)):
        await later.home.chargers[0].stop()
        await later.set_up(inverter, manager)
        assert charger.state is ConfigEntryState.SETUP_RETRY
        await eventually(lambda: later.hass.data[SHARED].load_manager is not None, within=1)
        await later.home.chargers[0].start()
        await later.hass.config_entries.async_reload(charger.entry_id)
        await eventually(lambda: later.value(charger, "state") == "charging")
        assert later.value(charger, "charge_mode", "select") == "fast"
        await eventually(lambda: later.value(charger, "override") == "8", within=1)
        await eventually(lambda: later.settings()["amp"] == 8)
        assert later.hass.data[SHARED].chargers[FIRST].sessions.session.began == began


async def test_saved_where_something_always_changes(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many chargers something changes every second; what was set is in the file all the same after a crash."""
    monkeypatch.setattr(f"{OURS}.memory.SAVE_DELAY", 0.2)
    memory, count = Memory(hass), 0
    memory.set_site(mode="fast")

    def change() -> bool:
        nonlocal count
        count += 1
        memory.set_charger(SECOND, sessions={"count": count})
        return DOMAIN in hass_storage

    await eventually(change, within=1.0)
    assert hass_storage[DOMAIN]["data"]["site"] == {"mode": "fast"}
    assert count > 5
    memory.set_site(mode="off")
    await eventually(lambda: change() and hass_storage[DOMAIN]["data"]["site"] == {"mode": "off"}, within=1.0)
    await memory.async_remove()
