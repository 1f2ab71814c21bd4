"""Circuits in a running home: their limits are kept, their meters act below them, and a broken tree stays safe."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import ConfigError
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig, HomeConfig

from .conftest import OURS, QUICK_CAR, BuildSite
from .site import CONTROL_TIMINGS, Site, circuits, eventually

NAMES = ("Garage", "Carport", "Yard")
SENSORS = {f"meter_l{line}": f"sensor.circuit_l{line}" for line in (1, 2, 3)}
METERED = {"meter_kind": "phase_current", **SENSORS}


def house(count: int = 2) -> HomeConfig:
    """Describe a house without an inverter, and with cars."""
    chargers = tuple(
        ChargerConfig(serial=f"1000000{index}", name=name, car=QUICK_CAR)
        for index, name in enumerate(NAMES[:count], start=1)
    )
    return HomeConfig(inverter=None, chargers=chargers, speed=10)


def add_circuit(hass: HomeAssistant, manager: ConfigEntry, name: str, **data: Any) -> str:
    """Add a circuit, as its flow does, and return its id."""
    stored = {"parent": "root", "limit": 20, "safety_margin": 0, "imbalance": 0, **data}
    circuit = ConfigSubentry(data=MappingProxyType(stored), subentry_type="circuit", title=name, unique_id=None)
    hass.config_entries.async_add_subentry(manager, circuit)
    return circuit.subentry_id


async def set_up(site: Site, manager: MockConfigEntry, *places: str) -> list[MockConfigEntry]:
    """Set up the chargers on their circuits, and the load manager; everybody charges fast."""
    chargers = [site.charger_entry(index, options={"circuit": place}) for index, place in enumerate(places)]
    await site.set_up(*chargers, manager)
    await site.set_number(manager, "maximum_total_current", manager.data["main_fuse"])
    await site.set_number(manager, "available_current", manager.data["main_fuse"])
    await site.select(manager, "fast")
    return chargers


def charges(site: Site, *amps: int) -> Callable[[], bool]:
    """Return whether the chargers are released with these currents; 0 = held."""

    def check() -> bool:
        for index, current in enumerate(amps):
            settings = site.settings(index)
            if (settings["frc"] == 1) if current == 0 else (settings["frc"], settings["amp"]) == (0, current):
                continue
            return False
        return True

    return check


@asynccontextmanager
async def speaking(hass: HomeAssistant, currents: Callable[[], tuple[float, ...]]) -> AsyncIterator[None]:
    """Let the meter of the circuit speak five times a second."""

    async def speak() -> None:
        while True:
            measure(hass, currents())
            await asyncio.sleep(0.2)

    task = asyncio.create_task(speak())
    await asyncio.sleep(0)
    yield
    task.cancel()


def measure(hass: HomeAssistant, currents: tuple[float, ...]) -> None:
    """Let the sensors of the circuit's meter speak."""
    for entity_id, current in zip(SENSORS.values(), currents, strict=True):
        hass.states.async_set(entity_id, str(round(current, 2)), {"unit_of_measurement": "A"}, force_update=True)


def drawn(site: Site, *indices: int, other: float = 0.0) -> Callable[[], tuple[float, ...]]:
    """Return what some chargers and another load draw on each phase."""

    def currents() -> tuple[float, ...]:
        total = sum(site.home.chargers[index].charger.power_w for index in indices)
        return (total / 690 + other,) * 3

    return currents


def issues(hass: HomeAssistant) -> dict[str, Mapping[str, str]]:
    """Return the repairs about the configuration, with the placeholders of their texts."""
    return {
        issue_id: issue.translation_placeholders or {}
        for (domain, issue_id), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN
    }


def flags(site: Site, manager: MockConfigEntry) -> ConfigError:
    """Return the configuration errors that the site shows."""
    return ConfigError(int(site.number(manager, "error_flags") or 0))


async def test_limit_of_a_circuit(build_site: BuildSite) -> None:
    """Two chargers share the limit of their circuit, a third one on the house connection does not take part."""
    site = await build_site(house(3))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20)
    await set_up(site, manager, circuit, circuit, "root")
    await eventually(charges(site, 10, 10, 15))
    assert not flags(site, manager) & ConfigError.CIRCUITS
    site.home.chargers[0].unplug()
    await eventually(lambda: site.settings(1)["amp"] == 16)


async def test_power_limit(build_site: BuildSite) -> None:
    """A limit in watts is kept as well."""
    site = await build_site(house())
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=32, limit_power=11040)
    await set_up(site, manager, circuit, circuit)
    await eventually(charges(site, 8, 8))


async def test_nested_circuits(build_site: BuildSite) -> None:
    """Each level counts: what is below shares with what is beside it."""
    site = await build_site(house())
    manager = site.manager_entry()
    outer = add_circuit(site.hass, manager, "Outer", limit=20)
    inner = add_circuit(site.hass, manager, "Inner", limit=8, parent=outer)
    await set_up(site, manager, outer, inner)
    await eventually(charges(site, 12, 8))


async def test_change_is_in_force_at_once(build_site: BuildSite) -> None:
    """A circuit that is added or changed is in force without a restart, and the cars charge on meanwhile."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    (charger,) = await set_up(site, manager, "root")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    site.writes().clear()
    circuit = add_circuit(site.hass, manager, "Garage", limit=10)
    await site.hass.async_block_till_done()
    site.hass.config_entries.async_update_entry(charger, options={"circuit": circuit})
    await eventually(charges(site, 10))
    site.hass.config_entries.async_update_subentry(
        manager, manager.subentries[circuit], data={**manager.subentries[circuit].data, "limit": 8}
    )
    await eventually(charges(site, 8))
    assert ("frc", 1) not in site.written()
    assert manager.state is ConfigEntryState.LOADED


async def test_removed_circuit(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """A circuit removed while in use stops what charged on it and raises a repair; nothing else, and no error."""
    site = await build_site(house())
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=16)
    garage, _ = await set_up(site, manager, circuit, "root")
    await eventually(charges(site, 16, 16))
    assert issues(site.hass) == {}
    site.hass.config_entries.async_remove_subentry(manager, circuit)
    await eventually(charges(site, 0, 16))
    await eventually(lambda: site.value(garage, "reason") == "configuration_error")
    assert flags(site, manager) == ConfigError.CIRCUITS
    assert issues(site.hass) == {"circuits": {"chargers": "Garage", "circuits": "–"}}
    issue = ir.async_get(site.hass).async_get_issue(DOMAIN, "circuits")
    assert issue is not None
    assert (issue.severity, issue.is_fixable, issue.translation_key) == ("error", False, "circuits")
    site.hass.config_entries.async_update_entry(garage, options={"circuit": "root"})
    await site.hass.config_entries.async_reload(garage.entry_id)
    await eventually(lambda: site.settings(0)["frc"] == 0)
    assert issues(site.hass) == {}
    await eventually(lambda: flags(site, manager) == 0)
    assert "Traceback" not in caplog.text


async def test_removed_parent(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """A circuit whose parent was removed carries nothing, and the repair names it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    outer = add_circuit(site.hass, manager, "Outer", limit=20)
    inner = add_circuit(site.hass, manager, "Inner", limit=16, parent=outer)
    await set_up(site, manager, inner)
    await eventually(charges(site, 16))
    site.hass.config_entries.async_remove_subentry(manager, outer)
    await eventually(charges(site, 0))
    assert issues(site.hass) == {"circuits": {"chargers": "Garage", "circuits": "Inner"}}
    assert "Traceback" not in caplog.text


async def test_stored_loop_and_weak_circuit(build_site: BuildSite) -> None:
    """A stored loop, and a circuit too weak for any car, are flags; the rest charges on."""
    site = await build_site(house())
    manager = site.manager_entry()
    first = add_circuit(site.hass, manager, "First", limit=16)
    second = add_circuit(site.hass, manager, "Second", limit=16, parent=first)
    site.hass.config_entries.async_update_subentry(
        manager, manager.subentries[first], data={**manager.subentries[first].data, "parent": second}
    )
    weak = add_circuit(site.hass, manager, "Weak", limit=5)
    await set_up(site, manager, second, "root")
    await eventually(charges(site, 0, 16))
    assert issues(site.hass) == {"circuits": {"chargers": "Garage", "circuits": "First, Second, Weak"}}
    assert {circuit.circuit_id for circuit in circuits(site.hass)} == {first, second, weak}


async def test_load_on_a_circuit(build_site: BuildSite) -> None:
    """What else the circuit feeds is left to it, and its meter reaches the chargers within a quarter second."""
    site = await build_site(house())
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20, **METERED)
    await set_up(site, manager, circuit, "root")
    other = 0.0

    def currents() -> tuple[float, ...]:
        return drawn(site, 0, other=other)()

    async with speaking(site.hass, currents):
        await eventually(charges(site, 16, 16))
        await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
        await asyncio.sleep(1.5)
        other = 10.0
        measure(site.hass, currents())
        await eventually(lambda: site.settings(0)["amp"] == 10, within=0.5)
        assert site.settings(1)["amp"] == 16


async def test_overload_is_decided_at_once(build_site: BuildSite) -> None:
    """An overload on one phase, of which alone the meter speaks, is decided within a quarter second."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20, **METERED)
    await set_up(site, manager, circuit)
    async with speaking(site.hass, drawn(site, 0)):
        await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
        await asyncio.sleep(1.5)
    coordinator = site.hass.data[SHARED].load_manager
    assert coordinator is not None
    before = coordinator.data.chargers["10000001"].allocated_a
    begin = asyncio.get_running_loop().time()
    site.hass.states.async_set(SENSORS["meter_l2"], "29", {"unit_of_measurement": "A"})
    await eventually(lambda: coordinator.data.chargers["10000001"].allocated_a < before, within=0.3)
    assert asyncio.get_running_loop().time() - begin < 0.25


async def test_house_connection_with_sensors(build_site: BuildSite) -> None:
    """Current sensors protect the main fuse, and leave room for the largest consumer."""
    site = await build_site(house(1))
    measure(site.hass, (0.0, 0.0, 0.0))
    manager = site.manager_entry(MeterSource.SENSOR, **METERED, main_fuse=25, largest_consumer=20)
    (charger,) = await set_up(site, manager, "root")
    async with speaking(site.hass, drawn(site, 0, other=-6.0)):
        # min(1.4 x 25 A - 20 A, 25 A) = 15 A, and 6 A of export come on top.
        await eventually(lambda: site.home.chargers[0].charger.power_w > 10500)
    async with speaking(site.hass, drawn(site, 0, other=5.0)):
        await eventually(lambda: site.settings()["amp"] == 10)
        await eventually(lambda: site.value(charger, "reason") == "limited_by_fuse")


async def test_stale_meter_of_a_circuit(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circuit whose meter is silent stops its own chargers, or leaves them the fallback; others charge on."""
    timings = replace(CONTROL_TIMINGS, protection_stale=1.0, protection_fallback=1.5, protection_dead=2.0)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    site = await build_site(house(3))
    manager = site.manager_entry()
    stopped = add_circuit(site.hass, manager, "Garage", limit=20, **METERED)
    other = {f"meter_l{line}": f"sensor.other_l{line}" for line in (1, 2, 3)}
    left = add_circuit(site.hass, manager, "Yard", limit=20, **(METERED | other), fallback_current=8)
    for entity_id in other.values():
        site.hass.states.async_set(entity_id, "0", {"unit_of_measurement": "A"})
    async with speaking(site.hass, drawn(site, 0)):
        await set_up(site, manager, stopped, "root", left)
        await eventually(lambda: charges(site, 13, 12)() or site.settings(0)["amp"] > 6)
        await eventually(lambda: site.home.chargers[0].charger.power_w > 4000)
        await eventually(lambda: site.settings(2)["amp"] == 8)
    await eventually(lambda: site.settings(0)["frc"] == 1)
    assert site.settings(1)["frc"] == 0
    assert (site.settings(2)["frc"], site.settings(2)["amp"]) == (0, 8)
    async with speaking(site.hass, drawn(site, 0)):
        await eventually(lambda: site.settings(0)["frc"] == 0)


async def test_maximum_age(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that may be silent for long is trusted for as long as was said."""
    timings = replace(CONTROL_TIMINGS, protection_stale=0.5, protection_fallback=0.6, protection_dead=0.7)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    site = await build_site(house())
    manager = site.manager_entry()
    sensors = {f"meter_l{line}": f"sensor.quiet_l{line}" for line in (1, 2, 3)}
    patient = add_circuit(site.hass, manager, "Garage", **METERED, meter_max_age=60)
    other = add_circuit(site.hass, manager, "Yard", **(METERED | sensors))
    for entity_id in (*SENSORS.values(), *sensors.values()):
        site.hass.states.async_set(entity_id, "0", {"unit_of_measurement": "A"})
    await set_up(site, manager, patient, other)
    await asyncio.sleep(3)
    assert site.settings(0)["frc"] == 0
    assert site.settings(1)["frc"] == 1


async def test_stored_dynamic_without_phase_currents(build_site: BuildSite) -> None:
    """Stored, dynamic load management without phase currents is a flag and a repair, and its meter is a dead one."""
    site = await build_site(house(1))
    site.hass.states.async_set("sensor.grid", "0", {"unit_of_measurement": "W"})
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid", dynamic=True)
    await site.set_up(site.charger_entry(), manager)
    await eventually(lambda: flags(site, manager) == ConfigError.NO_PHASE_CURRENTS)
    assert set(issues(site.hass)) == {"no_phase_currents"}
    await site.select(manager, "fast")
    await asyncio.sleep(1)
    assert site.settings()["frc"] == 1
    site.hass.config_entries.async_update_entry(manager, data={**manager.data, "dynamic": False})
    await eventually(lambda: issues(site.hass) == {})
    await eventually(lambda: site.settings()["frc"] == 0)


async def test_stored_nonsense_stops_the_chargers(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """An option that nobody understands leaves no charger alone with the fuse: all stop until it is mended."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    (charger,) = await set_up(site, manager, "root")
    await eventually(charges(site, 16))
    options = dict(charger.options)
    site.hass.config_entries.async_update_entry(charger, options={**options, "wired_phases": "all"})
    await eventually(lambda: site.settings()["frc"] == 1)
    await asyncio.sleep(1)
    assert caplog.text.count("The control core failed") == 1
    load_manager = site.hass.data[SHARED].load_manager
    assert load_manager is not None
    assert load_manager.data.status == "fault"
    site.hass.config_entries.async_update_entry(charger, options=options)
    await eventually(lambda: site.settings()["frc"] == 0)


async def test_command_into_a_connection_that_just_broke(build_site: BuildSite) -> None:
    """A write that fails before it waits for anything does not keep all later ones from being sent."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    (charger,) = await set_up(site, manager, "root")
    await eventually(charges(site, 16))
    coordinator, load_manager = charger.runtime_data, site.hass.data[SHARED].load_manager
    assert load_manager is not None

    def command() -> None:
        assert coordinator.connected  # nobody has read the end of the connection yet
        load_manager.set_available_current(10)

    coordinator.client._session._socket.transport.abort()
    asyncio.get_running_loop().call_soon(command)
    await eventually(lambda: site.settings()["amp"] == 10, within=10)


@pytest.mark.parametrize(("dynamic", "metered", "maximum"), [(None, True, 35), (True, True, 35), (False, False, 17)])
async def test_dynamic(build_site: BuildSite, dynamic: bool | None, metered: bool, maximum: int) -> None:
    """Without dynamic load management the meter serves the surplus only; nobody asked = as far as the meter goes."""
    site = await build_site(house(1))
    measure(site.hass, (1.0, 2.0, 3.0))
    asked = {} if dynamic is None else {"dynamic": dynamic}
    protection = {"largest_consumer": 32, "safety_margin": 10, "imbalance": 16, "fallback_current": 6}
    manager = site.manager_entry(MeterSource.SENSOR, **METERED, **asked, **protection)
    await site.set_up(manager)
    assert site.number(manager, "maximum_total_current", "number") == maximum
    coordinator = site.hass.data[SHARED].load_manager
    assert coordinator is not None
    config = coordinator.configuration()
    (root,) = config.circuits
    assert config.dynamic is metered is root.metered
    assert (root.safety_margin, root.imbalance_a) == (0.1, 16)
    assert (root.largest_consumer_a, root.fallback_a) == ((32, 6) if metered else (0, 0))
    assert config.has_power_meter


async def test_entry_without_the_newer_settings(build_site: BuildSite) -> None:
    """An entry that was stored before there were such settings works as it did."""
    site = await build_site(house(1))
    measure(site.hass, (1.0, 2.0, 3.0))
    manager = site.manager_entry(MeterSource.SENSOR, **METERED)
    await site.set_up(manager)
    coordinator = site.hass.data[SHARED].load_manager
    assert coordinator is not None
    (root,) = coordinator.configuration().circuits
    assert (root.limit_a, root.limit_w, root.imbalance_a, root.meter_max_age_s) == (35, None, None, None)
    assert (root.largest_consumer_a, root.safety_margin, root.fallback_a) == (0, 0, 0)


async def test_two_entries_for_one_charger(build_site: BuildSite) -> None:
    """A charger that is stored twice is a flag and a repair, and is connected once."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    charger = site.charger_entry()
    await site.set_up(charger, manager)
    twin = MockConfigEntry(domain=DOMAIN, title="Twin", unique_id="twin", data=dict(charger.data))
    twin.add_to_hass(site.hass)
    await site.hass.config_entries.async_setup(twin.entry_id)
    assert twin.state is ConfigEntryState.SETUP_ERROR
    assert twin.error_reason_translation_key == "duplicate_charger"
    assert site.home.chargers[0].clients == 1
    await eventually(lambda: ConfigError.DUPLICATE_CHARGER in flags(site, manager))
    names = {"Garage, Twin", "Twin, Garage"}
    assert issues(site.hass)["duplicate_charger"]["chargers"] in names
    memory, serial = site.hass.data[SHARED].memory, site.home.chargers[0].serial
    await eventually(lambda: "former" in memory.charger(serial))
    await site.hass.config_entries.async_remove(twin.entry_id)
    await eventually(lambda: issues(site.hass) == {})
    assert memory.charger(serial)["former"]
    assert site.home.chargers[0].clients == 1


async def test_twin_takes_over(build_site: BuildSite) -> None:
    """Of two entries for one charger the one that works is removed: the other one goes on where it was."""
    site = await build_site(house(1))
    charger = site.charger_entry()
    await site.set_up(charger, site.manager_entry())
    twin = MockConfigEntry(domain=DOMAIN, title="Twin", unique_id="twin", data=dict(charger.data))
    twin.add_to_hass(site.hass)
    await site.hass.config_entries.async_setup(twin.entry_id)
    memory, serial = site.hass.data[SHARED].memory, site.home.chargers[0].serial
    await eventually(lambda: "former" in memory.charger(serial))
    former = memory.charger(serial)["former"]
    await site.hass.config_entries.async_remove(charger.entry_id)
    await eventually(lambda: twin.state is ConfigEntryState.LOADED)
    assert memory.charger(serial)["former"] == former
    await site.hass.config_entries.async_unload(twin.entry_id)


async def test_minimum_above_maximum(build_site: BuildSite) -> None:
    """A charger that may draw less than its car needs is named."""
    site = await build_site(house())
    manager = site.manager_entry()
    first = site.charger_entry(0, options={"min_current": 6, "min_current_three": 20})
    await site.set_up(first, site.charger_entry(1), manager)
    await eventually(lambda: flags(site, manager) == ConfigError.CURRENTS)
    assert issues(site.hass)["currents"]["chargers"] == "Garage"
    await site.hass.config_entries.async_remove(manager.entry_id)
    assert issues(site.hass) == {}
