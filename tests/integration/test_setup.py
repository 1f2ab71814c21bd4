"""Setting up, unloading and removing entries of every kind."""

import asyncio
from itertools import permutations
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, EntryType, MeterSource
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotClient
from simulator import ChargerConfig, HomeConfig, InverterConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, eventually
from .watching import holds

FORMER = {"amp": 13, "lmo": 4, "fup": True, "psm": 0, "frc": 0}


def running_tasks() -> list[str]:
    """Return the names of the integration's tasks."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(DOMAIN)]


def values(site: Site, index: int = 0) -> dict[str, object]:
    """Return the settings of a charger that the load manager touches."""
    return {key: site.settings(index)[key] for key in FORMER}


@pytest.mark.parametrize("order", permutations(EntryType), ids="-".join)
async def test_any_order(site: Site, order: tuple[EntryType, ...]) -> None:
    """Entries find each other in any order of loading, and can be unloaded in the same order without a trace."""
    make = {
        EntryType.LOAD_MANAGER: site.manager_entry,
        EntryType.SOLAREDGE: site.inverter_entry,
        EntryType.WATTPILOT: site.charger_entry,
    }
    entries = {kind: make[kind]() for kind in order}
    await site.set_up(*entries.values())
    charger, manager = entries[EntryType.WATTPILOT], entries[EntryType.LOAD_MANAGER]
    await eventually(lambda: site.value(charger, "reason") in {"start_delay", "charging_surplus", "car_not_drawing"})
    assert site.number(manager, "surplus") == pytest.approx(7500, abs=50)
    for entry in entries.values():
        assert await site.hass.config_entries.async_unload(entry.entry_id)
        assert entry.state is ConfigEntryState.NOT_LOADED
    await eventually(lambda: not site.home.inverter.connected and site.home.chargers[0].clients == 0)
    assert running_tasks() == []
    written = len(site.writes())
    await asyncio.sleep(0.3)
    assert len(site.writes()) == written
    await site.set_up(*entries.values())
    await eventually(lambda: site.value(charger, "state") != "unavailable")


@pytest.mark.parametrize("kind", EntryType)
async def test_set_up_that_fails_midway(site: Site, kind: EntryType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an entry whose platforms cannot be set up goes on, and the next attempt finds nothing in its way."""
    make = {
        EntryType.LOAD_MANAGER: site.manager_entry,
        EntryType.SOLAREDGE: site.inverter_entry,
        EntryType.WATTPILOT: site.charger_entry,
    }
    entry = make[kind]()
    forward = site.hass.config_entries.async_forward_entry_setups

    async def fail(*_: object) -> None:
        raise RuntimeError("no platform")

    monkeypatch.setattr(site.hass.config_entries, "async_forward_entry_setups", fail)
    assert not await site.hass.config_entries.async_setup(entry.entry_id)
    await site.hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    shared = site.hass.data[SHARED]
    assert (shared.load_manager, shared.chargers, shared.inverters) == (None, {}, {})
    await eventually(lambda: not site.home.inverter.connected and site.home.chargers[0].clients == 0)
    assert running_tasks() == []
    monkeypatch.setattr(site.hass.config_entries, "async_forward_entry_setups", forward)
    assert await site.hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


async def test_set_ups_take_turns(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of entries that begin together do not add all their entities in one step of the event loop."""
    site = await build_site(sunny(*(ChargerConfig(serial=f"1000000{number}") for number in range(4))))
    entries = [site.inverter_entry(), site.manager_entry(), *(site.charger_entry(number) for number in range(4))]
    config_entries = site.hass.config_entries
    forward, at_once, busy = config_entries.async_forward_entry_setups, [], 0

    async def watched(*args: Any) -> None:
        nonlocal busy
        busy += 1
        at_once.append(busy)
        await forward(*args)
        await asyncio.sleep(0.01)  # a platform that is imported for the first time
        busy -= 1

    monkeypatch.setattr(config_entries, "async_forward_entry_setups", watched)
    # Setting up one sets up all of the same integration.
    await config_entries.async_setup(entries[0].entry_id)
    await site.hass.async_block_till_done()
    assert {entry.state for entry in entries} == {ConfigEntryState.LOADED}
    assert at_once == [1] * len(entries)


async def test_charger_alone(site: Site) -> None:
    """A charger without a load manager is a plain charger, which nobody commands."""
    charger = site.charger_entry()
    await site.set_up(charger)
    assert site.value(charger, "state") == "waiting"
    assert site.value(charger, "reason") == "unavailable"
    assert site.value(charger, "charge_mode", "select") == "unavailable"
    assert site.value(charger, "maximum_current", "number") == "unavailable"
    assert site.writes() == []


async def test_load_manager_alone(hass: HomeAssistant, site: Site) -> None:
    """A load manager without devices says so and waits for them."""
    manager = site.manager_entry()
    await site.set_up(manager)
    assert site.value(manager, "charge_mode", "select") == "pv"
    assert site.value(manager, "surplus") == "unknown"
    assert site.number(manager, "allocated_current") == 0


async def test_devices(site: Site, device_registry: dr.DeviceRegistry) -> None:
    """Every entry has one device that says what it is."""
    inverter, charger, manager = await site.set_up_all()
    found = {}
    for entry in (inverter, charger, manager):
        (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        found[entry.title] = (device.manufacturer, device.model, device.serial_number, device.sw_version)
    assert found == {
        "SolarEdge SE10K": ("SolarEdge", "SE10K-RWS48BEN4", "7E000001", "0004.0023.0029"),
        "Garage": ("Fronius", "Wattpilot Home 11 J 2.0", "10000001", "42.5"),
        "PV Load Manager": ("PV Load Manager", None, None, None),
    }
    (device,) = dr.async_entries_for_config_entry(device_registry, charger.entry_id)
    assert device.configuration_url == f"http://127.0.0.1:{site.home.chargers[0].port}"


async def test_charger_unreachable(site: Site) -> None:
    """A charger that is off is tried again, with a reason in plain words."""
    charger = site.charger_entry()
    await site.home.chargers[0].stop()
    assert await site.fail_to_set_up(charger) == "charger_unreachable"
    assert charger.reason is not None
    assert "Garage at 127.0.0.1 does not answer" in charger.reason
    await site.home.chargers[0].start()
    await site.hass.config_entries.async_reload(charger.entry_id)
    assert charger.state is ConfigEntryState.LOADED


async def test_charger_half_snapshot(site: Site) -> None:
    """A charger that never tells everything is not set up half."""
    site.home.chargers[0].faults.half_snapshot = True
    assert await site.fail_to_set_up(site.charger_entry()) == "charger_unreachable"
    assert site.home.chargers[0].clients == 0


async def test_wrong_charger(site: Site) -> None:
    """Another charger at the address is named, and the right one is waited for."""
    charger = site.charger_entry()
    site.home.chargers[0].faults.serial = "10000099"
    assert await site.fail_to_set_up(charger) == "wrong_charger"
    placeholders = charger.error_reason_translation_placeholders
    assert placeholders is not None
    assert (placeholders["expected"], placeholders["found"]) == ("10000001", "10000099")


async def test_not_a_wattpilot(site: Site, other_server: int) -> None:
    """Something else at the address is waited out, too."""
    assert await site.fail_to_set_up(site.charger_entry(port=other_server)) == "not_a_wattpilot"


async def test_unsupported_charger(build_site: BuildSite) -> None:
    """A charger with an unknown kind of login cannot be set up, and is not asked again and again."""
    site = await build_site(sunny(ChargerConfig(auth="argon2")))
    charger = site.charger_entry()
    await site.hass.config_entries.async_setup(charger.entry_id)
    assert charger.state is ConfigEntryState.SETUP_ERROR
    assert charger.error_reason_translation_key == "charger_unsupported"


async def test_password_changed_while_running(site: Site) -> None:
    """A password that stops working makes Home Assistant ask for the new one, once."""
    charger = site.charger_entry()
    await site.set_up(charger)
    site.home.chargers[0].faults.wrong_password = True
    site.home.chargers[0].drop()
    await eventually(site.hass.config_entries.flow.async_progress)
    (flow,) = site.hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["context"]["entry_id"]) == ("reauth", charger.entry_id)
    assert site.value(charger, "state") == "unavailable"


async def test_inverter_unreachable(site: Site) -> None:
    """An inverter that is off is tried again, with a reason in plain words."""
    inverter = site.inverter_entry()
    await site.home.inverter.stop()
    assert await site.fail_to_set_up(inverter) == "inverter_unreachable"
    await site.home.inverter.start()
    await site.hass.config_entries.async_reload(inverter.entry_id)
    assert inverter.state is ConfigEntryState.LOADED


async def test_wrong_inverter(site: Site) -> None:
    """Another inverter at the address is named, and the right one is waited for."""
    inverter = site.inverter_entry()
    site.home.inverter.faults.serial = "7E000099"
    assert await site.fail_to_set_up(inverter) == "wrong_inverter"
    placeholders = inverter.error_reason_translation_placeholders
    assert placeholders is not None
    assert (placeholders["expected"], placeholders["found"]) == ("7E000001", "7E000099")


async def test_not_an_inverter(site: Site) -> None:
    """A device that knows no register of an inverter is waited out: addresses wander."""
    site.home.inverter.faults.exception_blocks = [range(0x10000)]
    assert await site.fail_to_set_up(site.inverter_entry()) == "not_an_inverter"


async def test_another_inverter_while_running(site: Site) -> None:
    """The meter of another inverter at the address is never taken for the own one."""
    site.home.chargers[0].unplug()
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    coordinator = site.hass.data[DOMAIN].inverters["7E000001"]
    site.home.inverter.faults.serial = "7E000099"
    await eventually(lambda: not coordinator.last_update_success)
    at = coordinator.grid_reading().at
    site.home.home.house_override = (2000.0, 0.0, 0.0)
    await asyncio.sleep(2.5)
    assert coordinator.grid_reading().at == at
    assert site.value(inverter, "grid_power") == "unavailable"
    site.home.inverter.faults.serial = None
    await eventually(lambda: site.number(inverter, "grid_power") == pytest.approx(-6000, abs=50))


async def test_unload_and_reload_leave_the_car_alone(site: Site) -> None:
    """An unload is not a stop of Home Assistant: the car charges on, untouched, through unload and reload."""
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    before = site.written()
    for entry in (charger, manager, inverter):
        await site.hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    for entry in (manager, charger, inverter):
        await site.hass.config_entries.async_unload(entry.entry_id)
    await asyncio.sleep(0.3)
    assert site.written() == before
    assert site.home.chargers[0].charger.power_w > 10000


async def test_a_reload_keeps_what_nobody_chose(site: Site) -> None:
    """The mode that the set-up brought counts after a change of options, too: no car of ours is left alone."""
    _, charger, manager = await site.set_up_all()
    assert site.value(manager, "charge_mode", "select") == "pv"
    await eventually(lambda: site.home.chargers[0].charger.power_w > 1000)
    await site.hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: site.value(charger, "reason") not in {"unknown", "unavailable", "starting_up"})
    assert site.value(charger, "reason") != "untouched"
    site.home.home.pv_override_w = 0
    await eventually(holds(site))


async def take_over(build_site: BuildSite) -> tuple[Site, tuple[MockConfigEntry, ...]]:
    """Return a home whose charger had settings of its own before it was managed."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, amp=13)))
    assert values(site) == FORMER
    entries = await site.set_up_all()
    await site.select(entries[-1], "fast")
    await eventually(lambda: values(site) == {"amp": 16, "lmo": 3, "fup": False, "psm": 2, "frc": 0})
    return site, entries


async def test_remove_load_manager(build_site: BuildSite) -> None:
    """Without the load manager the chargers are what they were before; its settings are forgotten."""
    site, (_, charger, manager) = await take_over(build_site)
    await site.hass.config_entries.async_remove(manager.entry_id)
    assert values(site) == FORMER
    assert site.value(charger, "reason") == "unavailable"
    again = site.manager_entry()
    await site.set_up(again)
    assert site.value(again, "charge_mode", "select") == "pv"


async def test_remove_charger(build_site: BuildSite) -> None:
    """A removed charger is what it was before, and its settings are forgotten."""
    site, (_, charger, manager) = await take_over(build_site)
    await site.set_number(charger, "maximum_current", 10)
    await site.hass.config_entries.async_remove(charger.entry_id)
    assert values(site) == FORMER
    await eventually(lambda: site.number(manager, "allocated_current") == 0)
    again = site.charger_entry()
    await site.set_up(again)
    assert site.number(again, "maximum_current", "number") == 16


async def test_remove_unreachable_charger(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """A charger that is gone can be removed; that it could not be given back is said once."""
    site, (_, charger, _) = await take_over(build_site)
    await site.home.chargers[0].stop()
    await site.hass.config_entries.async_remove(charger.entry_id)
    assert caplog.text.count("Garage could not be given back its former settings") == 1
    assert "Traceback" not in caplog.text


async def test_charger_refuses_its_former_values(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> None:
    """Former values that a charger does not take now are kept, and written when it comes back."""
    site, (_, charger, manager) = await take_over(build_site)
    site.home.chargers[0].faults.rejected_keys = {"lmo": "not now"}
    await site.hass.config_entries.async_remove(manager.entry_id)
    assert caplog.text.count("Garage could not be given back its former settings") == 1
    site.home.chargers[0].faults.rejected_keys = {}
    await site.hass.config_entries.async_reload(charger.entry_id)
    await eventually(lambda: values(site) == FORMER)


async def test_remove_load_manager_while_a_charger_is_away(build_site: BuildSite) -> None:
    """A charger that is not there when the load manager goes is given back when it returns."""
    site, (_, charger, manager) = await take_over(build_site)
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    await site.hass.config_entries.async_remove(manager.entry_id)
    assert values(site) != FORMER
    await site.home.chargers[0].start()
    await eventually(lambda: values(site) == FORMER)


async def test_charger_is_not_managed_any_more(build_site: BuildSite) -> None:
    """A charger whose option says that it is not managed is given back at once, and left alone."""
    site, (_, charger, manager) = await take_over(build_site)
    site.hass.config_entries.async_update_entry(charger, options={"managed": False})
    await site.hass.config_entries.async_reload(charger.entry_id)
    await eventually(lambda: values(site) == FORMER)
    written = len(site.writes())
    await site.select(manager, "off")
    await asyncio.sleep(0.3)
    assert len(site.writes()) == written


async def test_restart_leaves_a_managed_charger_alone(build_site: BuildSite) -> None:
    """A managed charger that is loaded before its load manager is not given back in between."""
    site, (_, charger, manager) = await take_over(build_site)
    await site.hass.config_entries.async_unload(manager.entry_id)
    await site.hass.config_entries.async_unload(charger.entry_id)
    written = len(site.writes())
    await site.set_up(charger)
    await asyncio.sleep(0.3)
    assert len(site.writes()) == written


async def test_remove_never_managed_charger(site: Site) -> None:
    """A charger that was never commanded is not written at its removal."""
    charger = site.charger_entry()
    await site.set_up(charger)
    await site.hass.config_entries.async_remove(charger.entry_id)
    assert site.writes() == []


async def test_remove_disabled_entry(hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
    """An entry can be removed although nothing of the integration was ever set up."""
    data = {"entry_type": "wattpilot", "serial": "1", "host": "127.0.0.1", "port": 1, "password": "p"}
    entry = MockConfigEntry(domain=DOMAIN, data=data, disabled_by=ConfigEntryDisabler.USER)
    entry.add_to_hass(hass)
    await hass.config_entries.async_remove(entry.entry_id)
    assert "Error calling" not in caplog.text


async def test_disabled_charger(build_site: BuildSite) -> None:
    """A disabled charger is left alone and nothing is reserved for it."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR), ChargerConfig(serial="10000002", name="Carport")))
    first, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(MeterSource.NONE)
    await site.set_up(first, second, manager)
    await site.set_number(manager, "available_current", 16)
    await site.hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    written = len(site.writes(1))
    await site.select(manager, "fast")
    await eventually(lambda: site.settings()["amp"] == 16 and site.settings()["frc"] == 0)
    assert len(site.writes(1)) == written


async def test_failed_set_up_leaves_nothing_behind(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A load manager that cannot start is not set up half: no timer and nobody that calls it remains."""

    def fail(*_: object) -> None:
        raise ArithmeticError("a bug")

    charger = site.charger_entry()
    await site.set_up(charger)
    with monkeypatch.context() as broken:
        broken.setattr(f"{OURS}.coordinators.load_manager.LoadManagerCoordinator.decide_now", fail)
        manager = site.manager_entry()
        await site.hass.config_entries.async_setup(manager.entry_id)
    assert manager.state is ConfigEntryState.SETUP_ERROR
    assert site.value(charger, "charge_mode", "select") == "unavailable"
    caplog.clear()
    await asyncio.sleep(0.5)
    assert "a bug" not in caplog.text
    assert site.writes() == []


async def test_ipv6_charger(site: Site, monkeypatch: pytest.MonkeyPatch, device_registry: dr.DeviceRegistry) -> None:
    """A charger with an IPv6 address gets a link that a browser understands."""

    def client(_host: str, password: str, **kwargs: Any) -> WattpilotClient:
        return WattpilotClient("127.0.0.1", password, **kwargs)

    monkeypatch.setattr(f"{OURS}.coordinators.clients.WattpilotClient", client)
    charger = site.charger_entry(host="2001:db8::7")
    await site.set_up(charger)
    (device,) = dr.async_entries_for_config_entry(device_registry, charger.entry_id)
    assert device.configuration_url == f"http://[2001:db8::7]:{site.home.chargers[0].port}"


async def test_home_without_meter(build_site: BuildSite) -> None:
    """An inverter without a meter and battery has only its status and its production."""
    config = HomeConfig(inverter=InverterConfig(meters=()), chargers=(), speed=10)
    site = await build_site(config)
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    assert site.number(inverter, "pv_power") == pytest.approx(site.home.home.flow.pv_w, abs=50)
    ours = site.hass.states.async_entity_ids("sensor")
    assert {name.removeprefix("sensor.solaredge_se10k_") for name in ours} == {"status", "pv_power", "pv_energy"}
