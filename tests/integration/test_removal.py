"""What is removed leaves nothing behind, whatever state it was in, and whoever adds it again begins anew."""

import asyncio
from functools import partial
import gc
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HassJob, HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import CONF_CIRCUIT, DOMAIN
from custom_components.pv_load_manager.control import OverrideSource
from custom_components.pv_load_manager.coordinators.charger_issue import ChargerIssue
from custom_components.pv_load_manager.coordinators.ledger import KEY
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotClient
from simulator import ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, circuits, configuration, eventually
from .test_circuits import add_circuit
from .test_ledger import write_now
from .test_ledger_files import ours, storage

SERIAL = "10000001"
LIVING = (DataUpdateCoordinator, Entity, WattpilotClient)


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Keep the files of each test apart."""
    return hass_tmp_config_dir


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Let Home Assistant write its files, where a test elsewhere only sees what it would write."""
    return {}


def is_ours(target: object) -> bool:
    """Return whether something that will be called is of the integration."""
    if isinstance(target, HassJob):
        return is_ours(target.target)
    if isinstance(target, partial):
        return is_ours(target.func) or any(is_ours(argument) for argument in target.args)
    owner = getattr(target, "__self__", None)
    module = getattr(target, "__module__", None) or ""
    return module.startswith(OURS) or (owner is not None and type(owner).__module__.startswith(OURS))


def timers(hass: HomeAssistant) -> list[str]:
    """Return what the event loop will call of the integration."""
    waiting = [handle for handle in hass.loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    return [
        repr(handle)
        for handle in waiting
        if any(is_ours(target) for target in (handle._callback, *(handle._args or ())))
    ]


def listeners(hass: HomeAssistant) -> list[str]:
    """Return what is called at events and dispatcher signals of the integration."""
    found = [f"{event}: {job}" for event, jobs in hass.bus._listeners.items() for job, *_ in jobs if is_ours(job)]
    signals = hass.data.get("dispatcher", {})
    found += [f"{signal}: {target}" for signal, targets in signals.items() for target in targets if is_ours(target)]
    for key, tracked in hass.data.items():
        callbacks = getattr(tracked, "callbacks", None)
        if str(key).startswith("track_") and callbacks:
            found += [f"{key}: {jobs}" for jobs in callbacks.values() if any(is_ours(job) for job in jobs)]
    return found


def living() -> list[str]:
    """Return the coordinators, entities and clients that still exist."""
    gc.collect()
    return sorted(
        f"{type(thing).__name__}"
        for thing in gc.get_objects()
        if issubclass(type(thing), LIVING) and type(thing).__module__.startswith(OURS)
    )


def known(hass: HomeAssistant) -> dict[str, list[str]]:
    """Return everything of the integration that somebody could come across."""
    entities = [entity.entity_id for entity in er.async_get(hass).entities.values() if entity.platform == DOMAIN]
    devices = [
        f"{device.name} {device.identifiers}"
        for device in dr.async_get(hass).devices
        if any(domain == DOMAIN for domain, _ in device.identifiers)
    ]
    return {
        "entities": entities,
        "devices": devices,
        "repairs": [issue_id for domain, issue_id in ir.async_get(hass).issues if domain == DOMAIN],
        "tasks": [
            str(task) for task in asyncio.all_tasks() if OURS in str(task.get_coro()) or DOMAIN in task.get_name()
        ],
        "timers": timers(hass),
        "listeners": listeners(hass),
        "data": sorted(str(key) for key in hass.data if str(key) in {f"{DOMAIN}_tally", f"{DOMAIN}_distribution"}),
        "living": living(),
    }


async def nothing_is_left(hass: HomeAssistant, *, but: str | None = None) -> None:
    """Fail where anything of the integration is left ``but`` one kind."""
    await hass.async_block_till_done()
    await asyncio.sleep(0.3)
    await write_now(hass)
    left = {kind: found for kind, found in (known(hass) | {"files": ours(hass)}).items() if found and kind != but}
    assert left == {}
    shared = hass.data[SHARED]
    assert (shared.chargers, shared.inverters, shared.load_manager) == ({}, {}, None)
    assert (shared.available_a, shared.available_set_at) == (None, None)
    assert shared.memory._as_dict() == Memory(hass)._as_dict()
    assert shared.ledger.sessions() == []


async def remove(hass: HomeAssistant, *entries: MockConfigEntry) -> None:
    """Remove entries as a user does."""
    for entry in entries:
        assert not (await hass.config_entries.async_remove(entry.entry_id))["require_restart"]
        await hass.async_block_till_done()


def lived(speed: float = 10.0) -> Any:
    """Describe a house with two cars."""
    return sunny(
        ChargerConfig(serial=SERIAL, car=QUICK_CAR),
        ChargerConfig(serial="10000002", name="Carport", car=QUICK_CAR),
        speed=speed,
    )


async def live(site: Site, charger: MockConfigEntry, manager: MockConfigEntry) -> None:
    """Do in a house whatever leaves traces."""
    shared, real = site.hass.data[SHARED], site.home.chargers[0].charger
    await site.turn(manager, "external_current", on=True)
    await site.set_number(manager, "available_current", 20)
    await site.select(manager, "fast")
    await site.select(charger, "fast")
    await site.select(charger, "high", key="priority")
    await site.turn(charger, "keep_charge_mode", on=True)
    await eventually(lambda: real.session_wh > 10)
    real.unplug()
    await eventually(lambda: site.value(charger, "last_session") != "unknown")
    real.plug()
    await eventually(lambda: site.value(charger, "state") == "charging")
    shared.load_manager.begin_override(SERIAL, 8, source=OverrideSource.USER, energy_wh=5000.0)
    ChargerIssue(site.hass, SERIAL, "charger_disobeys").begin(name="Garage")
    await write_now(site.hass)
    assert ours(site.hass) == [DOMAIN, KEY]


@pytest.mark.usefixtures("all_enabled")
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 3, 1, 0)], ids=["inverter", "manager", "charger"])
async def test_everything(build_site: BuildSite, order: tuple[int, ...]) -> None:
    """Entries, one after the other in any order, and the house that is set up again knows nothing of before."""
    site = await build_site(lived())
    entries = await site.set_up_all()
    _, charger, _, manager = entries
    await live(site, charger, manager)
    folder = storage(site.hass)
    for name in (DOMAIN, KEY):  # what Home Assistant calls a file that is no JSON
        (folder / f"{name}.corrupt.2026-01-01T00:00:00+00:00").write_text("{", encoding="utf-8")
    assert all(known(site.hass).values())
    total = site.number(manager, "total_energy") or 0.0
    assert total > 0
    charger = manager = None  # type: ignore[assignment]
    await remove(site.hass, *(entries[index] for index in order))
    del entries
    await nothing_is_left(site.hass)
    assert [charger.clients for charger in site.home.chargers] == [0, 0]
    # A house that is built anew.
    _, charger, _, manager = await site.set_up_all()
    assert site.value(manager, "charge_mode", "select") == "pv"
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    assert site.value(charger, "priority", "select") == "normal"
    assert site.value(charger, "keep_charge_mode", "switch") == "off"
    assert site.value(charger, "last_session") == "unknown"
    assert site.hass.data[SHARED].load_manager.override(SERIAL) is None
    assert site.number(manager, "total_energy") != total
    given = sum(known.sessions.given.energy_wh for known in site.hass.data[SHARED].chargers.values())
    assert (site.number(manager, "total_energy") or 0.0) <= given / 1000 + 0.001
    assert (
        configuration(site.hass).strategy.available_current_a
        == configuration(site.hass).strategy.maximum_total_current_a
    )


async def test_all_at_once(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever removes everything need not wait for one thing before the next."""
    site = await build_site(lived())
    entries = await site.set_up_all()
    await live(site, entries[1], entries[-1])
    memory = site.hass.data[SHARED].memory
    former = [memory.charger(entry.data["serial"])["former"] for entry in entries[1:3]]
    await asyncio.gather(*(site.hass.config_entries.async_remove(entry.entry_id) for entry in reversed(entries)))
    await nothing_is_left(site.hass, but="living")  # the test's log holds errors, and they hold clients
    assert [{key: site.settings(index)[key] for key in former[index]} for index in (0, 1)] == former
    assert "Error calling entry remove callback" not in caplog.text
    assert [server.clients for server in site.home.chargers] == [0, 0]


async def test_the_load_manager_alone(site: Site) -> None:
    """Chargers go on without it; one that is added later begins without mode, override, limits, counters and log."""
    _, charger, manager = await site.set_up_all()
    await live(site, charger, manager)
    shared = site.hass.data[SHARED]
    former = shared.memory.charger(SERIAL)["former"]
    assert site.settings()["amp"] != former["amp"]
    await remove(site.hass, manager)
    left = known(site.hass)
    assert left["repairs"] == []
    assert left["data"] == []
    assert "LoadManagerCoordinator" not in left["living"]
    assert not [entity for entity in left["entities"] if "load_manager" in entity]
    assert shared.memory.site == {}
    assert shared.memory.control == {}
    assert {"mode", "mode_until", "former"}.isdisjoint(shared.memory.charger(SERIAL))
    assert shared.memory.charger(SERIAL)["priority"] == "high"
    assert {key: site.settings()[key] for key in former} == former
    assert site.value(charger, "state") != "unavailable"
    again = site.manager_entry()
    await site.set_up(again)
    assert site.value(again, "charge_mode", "select") == "pv"
    assert shared.load_manager.override(SERIAL) is None
    assert (site.number(again, "total_energy") or 0.0) < 0.02
    assert len(site.hass.data[SHARED].ledger.sessions()) == 1  # of the charger, which is still there


async def test_one_charger(build_site: BuildSite) -> None:
    """The other one charges on; what is left speaks of the other one only."""
    site = await build_site(lived())
    _, charger, other, manager = await site.set_up_all()
    await live(site, charger, manager)
    await eventually(lambda: site.value(other, "state") == "charging")
    stops = site.written(1).count(("frc", 1))
    await remove(site.hass, charger)
    await asyncio.sleep(0.5)
    left, memory = known(site.hass), site.hass.data[SHARED].memory
    assert not [text for found in left.values() for text in found if SERIAL in text or "garage" in text.lower()]
    assert [entry.data["serial"] for entry in site.hass.config_entries.async_entries(DOMAIN) if "serial" in entry.data][
        1:
    ] == ["10000002"]
    await write_now(site.hass)
    for name in ours(site.hass):
        assert SERIAL not in (storage(site.hass) / name).read_text(encoding="utf-8")
    assert SERIAL not in memory.control["chargers"]
    assert site.home.chargers[0].clients == 0
    assert site.written(1).count(("frc", 1)) == stops
    again = site.charger_entry()
    await site.set_up(again)
    assert site.value(again, "charge_mode", "select") == "follow_site"
    assert site.value(again, "priority", "select") == "normal"
    assert site.value(again, "last_session") == "unknown"
    assert site.hass.data[SHARED].load_manager.override(SERIAL) is None


async def test_another_charger_of_the_same_name(build_site: BuildSite) -> None:
    """Home Assistant remembers states by name; a total of the charger that was there before is not the new one's."""
    new = ChargerConfig(serial="10000002", car=QUICK_CAR)
    site = await build_site(sunny(ChargerConfig(serial=SERIAL, car=QUICK_CAR), new))
    site.home.chargers[0].charger.lifetime_wh += 300.0
    old = site.charger_entry()
    await site.set_up(old)
    name = site.entity_id("sensor", old, "lifetime_energy")
    shown = site.number(old, "lifetime_energy") or 0.0
    await remove(site.hass, old)
    charger = site.charger_entry(1)
    await site.set_up(charger)
    assert site.entity_id("sensor", charger, "lifetime_energy") == name
    expected = site.home.chargers[1].charger.lifetime_wh / 1000
    assert expected < shown - 0.2
    assert site.number(charger, "lifetime_energy") == pytest.approx(expected, abs=0.05)


@pytest.mark.usefixtures("all_enabled")
async def test_one_circuit(build_site: BuildSite) -> None:
    """Device, entities and limit of a circuit go with it; one that is added later under the same name is unlimited."""
    site = await build_site(lived())
    manager = site.manager_entry()
    inverter, other = site.inverter_entry(), site.charger_entry(1)
    await site.set_up(inverter, other, manager)
    before = known(site.hass)
    subentry_id = add_circuit(site.hass, manager, "Garage", limit=16)
    await site.hass.async_block_till_done()
    charger = site.charger_entry(options={CONF_CIRCUIT: subentry_id})
    await site.set_up(charger)
    load_manager = site.hass.data[SHARED].load_manager
    load_manager.set_circuit_limit(subentry_id, 10)
    assert [circuit.circuit_id for circuit in circuits(site.hass)] == [subentry_id]
    load_manager = None
    site.hass.config_entries.async_remove_subentry(manager, subentry_id)
    await site.hass.async_block_till_done()
    await eventually(lambda: site.hass.data[SHARED].load_manager is not None)
    assert circuits(site.hass) == ()
    assert site.hass.data[SHARED].memory.site["circuit_limits"] == {}
    # Somebody has to say where the charger hangs now.
    await eventually(lambda: "circuits" in known(site.hass)["repairs"])
    assert await site.hass.config_entries.options.async_init(charger.entry_id)
    await remove(site.hass, charger)
    await asyncio.sleep(1.5)
    after = known(site.hass)
    for kind in ("entities", "devices", "repairs", "data", "living"):
        assert sorted(after[kind]) == sorted(before[kind]), kind
    await write_now(site.hass)
    assert subentry_id not in (storage(site.hass) / DOMAIN).read_text(encoding="utf-8")


async def test_disabled(build_site: BuildSite) -> None:
    """Disabled entries are removed like others."""
    site = await build_site(lived())
    entries = await site.set_up_all()
    await live(site, entries[1], entries[-1])
    for entry in entries:
        await site.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
        await site.hass.async_block_till_done()
    left = known(site.hass)
    assert left["repairs"] == []
    for kind in ("tasks", "timers", "living"):
        assert left[kind] == [], kind
    await remove(site.hass, *entries)
    del entries
    await nothing_is_left(site.hass)


async def test_without_an_answer(build_site: BuildSite) -> None:
    """Devices that are away, set up or not, cannot be given back, and keep nothing here."""
    site = await build_site(lived())
    inverter, charger, other, manager = entries = await site.set_up_all()
    await live(site, charger, manager)
    assert await site.hass.config_entries.async_unload(other.entry_id)
    for server in site.home.chargers:
        await server.stop()
    await site.home.inverter.stop()
    assert await site.hass.config_entries.async_unload(inverter.entry_id)
    for entry in (inverter, other):
        await site.fail_to_set_up(entry)
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    assert (other.state, charger.state) == (ConfigEntryState.SETUP_RETRY, ConfigEntryState.LOADED)
    # Ignored by somebody before a restart: known to the registry only.
    ChargerIssue(site.hass, "10000002", "other_controller").begin("other_controller_current", name="Carport")
    inverter = charger = other = manager = None  # type: ignore[assignment]
    await remove(site.hass, *entries)
    del entries
    await nothing_is_left(site.hass, but="living")  # the test's log holds errors, and they hold clients


async def test_nothing_ever_set_up(site: Site) -> None:
    """Entries that were never loaded since the start take the files with them, too."""
    folder: Path = storage(site.hass)
    (folder / DOMAIN).write_text(
        '{"version": 1, "minor_version": 1, "key": "pv_load_manager", "data": {"site": {"mode": "fast"}}}',
        encoding="utf-8",
    )
    charger, manager = site.charger_entry(), site.manager_entry()
    await remove(site.hass, charger, manager)
    await nothing_is_left(site.hass)
