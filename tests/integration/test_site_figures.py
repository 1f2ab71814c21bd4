"""What the load manager shows of the site and its circuits is what happens in the home."""

from dataclasses import replace

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.pv_load_manager.const import MeterSource
from simulator import BatteryConfig, ChargerConfig, HomeConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import CONTROL_TIMINGS, Site, eventually
from .test_circuits import METERED, add_circuit, drawn, speaking

CHARGERS = tuple(ChargerConfig(serial=f"1000000{index}", name=f"Box {index}", car=QUICK_CAR) for index in (1, 2))


@pytest.mark.usefixtures("all_enabled")
async def test_powers_and_cars(build_site: BuildSite) -> None:
    """Powers of house, roof, battery and chargers are those of the home, and the cars are counted."""
    site = await build_site(replace(sunny(*CHARGERS, house_w=900.0), battery=BatteryConfig(soc=0.5)))
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    home, boxes = site.home.home, [server.charger for server in site.home.chargers]
    await eventually(lambda: all(box.power_w > 10000 for box in boxes))
    await eventually(
        lambda: site.number(manager, "charging_power") == pytest.approx(sum(box.power_w for box in boxes), abs=300)
    )
    await eventually(lambda: site.number(manager, "house_power") == pytest.approx(900, abs=300))
    await eventually(lambda: site.number(manager, "pv_power") == pytest.approx(home.flow.pv_w, abs=100))
    await eventually(lambda: site.number(manager, "grid_power") == pytest.approx(home.flow.grid_w, abs=300))
    await eventually(lambda: site.number(manager, "battery_power") == pytest.approx(home.flow.battery_w, abs=150))
    assert home.battery is not None
    await eventually(lambda: site.number(manager, "battery_state_of_charge") == pytest.approx(50, abs=5))
    await eventually(lambda: site.number(manager, "cars_charging") == 2)
    assert site.number(manager, "cars_plugged") == 2
    assert site.number(manager, "available_current_in_force") == 35
    assert site.value(manager, "power_limit_cause") == "none"
    assert site.value(manager, "power_limit") == site.value(manager, "peak_limit_in_force") == "unknown"
    site.home.chargers[1].unplug()
    await eventually(lambda: site.number(manager, "cars_charging") == site.number(manager, "cars_plugged") == 1)


@pytest.mark.usefixtures("all_enabled")
async def test_peak_limit(site: Site) -> None:
    """The limit of the quarter hour is shown with the power it leaves, and who set it."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.set_number(manager, "peak_limit", 5000)
    await eventually(lambda: site.number(manager, "peak_limit_in_force") == 5000)
    await eventually(lambda: site.value(manager, "power_limit_cause") == "peak")
    assert site.number(manager, "power_limit") is not None


@pytest.mark.usefixtures("all_enabled")
async def test_surplus_before_the_filter(site: Site) -> None:
    """Filtered or not, a constant sun leaves the same surplus, the wished grid power in it."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: site.number(manager, "surplus_now") == pytest.approx(7500, abs=300))
    await site.set_number(manager, "target_grid_power", 1000)
    await eventually(lambda: site.number(manager, "surplus_now") == pytest.approx(8500, abs=300))
    await eventually(lambda: site.number(manager, "surplus") == pytest.approx(8500, abs=300))


@pytest.mark.usefixtures("all_enabled")
async def test_figures_of_a_silent_meter(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody measures any more is unknown: a figure that stood still would be taken for true, for hours."""
    timings = replace(CONTROL_TIMINGS, surplus_stale=1.0, surplus_dead=3.0)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    *_, manager = await site.set_up_all()
    figures = ("grid_power", "house_power", "surplus", "surplus_now")
    await eventually(lambda: None not in [site.number(manager, key) for key in figures])
    assert site.home.inverter_faults is not None
    await site.home.inverter_faults.start("silent", {}, now=site.home.home.now)
    await eventually(lambda: [site.value(manager, key) for key in figures] == ["unknown"] * 4, within=15)
    await site.home.inverter_faults.end("silent")
    await eventually(lambda: None not in [site.number(manager, key) for key in figures], within=15)


@pytest.mark.usefixtures("all_enabled")
async def test_figures_of_a_late_meter(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The grid of a while ago less the cars of now is nothing that the house draws."""
    timings = replace(CONTROL_TIMINGS, surplus_stale=1.0, surplus_dead=60.0)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    monkeypatch.setattr(f"{OURS}.coordinators.balance.LATE", 1.0)
    *_, manager = await site.set_up_all()
    figures = ("grid_power", "pv_power", "house_power", "surplus")
    await eventually(lambda: None not in [site.number(manager, key) for key in figures])
    assert site.home.inverter_faults is not None
    await site.home.inverter_faults.start("silent", {}, now=site.home.home.now)
    await eventually(lambda: [site.value(manager, key) for key in figures] == ["unknown"] * 4, within=15)


@pytest.mark.usefixtures("all_enabled")
async def test_house_connection(site: Site) -> None:
    """The connection shows what flows, what is left, and how far its meter can be trusted."""
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.number(charger, "current_l1") == pytest.approx(16, abs=0.5))
    for line in (1, 2, 3):
        await eventually(
            lambda line=line: site.number(manager, f"charging_current_l{line}_root") == pytest.approx(16, abs=0.5)
        )
        # A third of 8 kW of sun without 500 W of the house.
        await eventually(
            lambda line=line: site.number(manager, f"house_current_l{line}_root") == pytest.approx(-10.9, abs=2)
        )
    await eventually(lambda: site.number(manager, "utilisation_root") == pytest.approx(100 * 5.1 / 35, abs=6))
    assert site.number(manager, "limit_in_force_root") == 35
    await eventually(lambda: (site.number(manager, "free_current_root") or 0) > 10)
    free = site.number(manager, "free_current_l2_root")
    assert free == pytest.approx(site.number(manager, "free_current_root"), abs=1)
    assert site.value(manager, "meter_stage_root") == "fresh"
    await site.hass.config_entries.async_unload(inverter.entry_id)
    await eventually(lambda: site.value(manager, "meter_stage_root") == "stale", within=15)
    assert site.number(manager, "free_current_root") == 0


@pytest.mark.usefixtures("all_enabled")
async def test_circuit(build_site: BuildSite, device_registry: dr.DeviceRegistry) -> None:
    """A circuit below the connection is a device of its own, with what its meter and its chargers say."""
    site = await build_site(HomeConfig(inverter=None, chargers=CHARGERS, speed=10))
    manager = site.manager_entry()
    metered = add_circuit(site.hass, manager, "Garage", limit=20, **METERED)
    bare = add_circuit(site.hass, manager, "Carport", limit=25)
    chargers = [
        site.charger_entry(index, options={"circuit": circuit}) for index, circuit in enumerate((metered, bare))
    ]
    async with speaking(site.hass, drawn(site, 0, other=5.0)):
        await site.set_up(*chargers, manager)
        await site.set_number(manager, "maximum_total_current", 35)
        await site.set_number(manager, "available_current", 35)
        await site.select(manager, "fast")
        await eventually(lambda: site.number(manager, f"charging_current_l1_{metered}") == pytest.approx(15, abs=1.0))
        await eventually(lambda: site.number(manager, f"house_current_l1_{metered}") == pytest.approx(5, abs=1.0))
        await eventually(lambda: site.number(manager, f"utilisation_{metered}") == pytest.approx(100, abs=6))
        await eventually(lambda: (site.number(manager, f"free_current_{metered}") or 0) < 1.0)
        await eventually(lambda: site.value(manager, f"meter_stage_{metered}") == "fresh")
        await eventually(lambda: site.number(manager, f"utilisation_{bare}") == pytest.approx(100 * 16 / 25, abs=6))
        await eventually(lambda: site.number(manager, f"free_current_{bare}") == pytest.approx(9, abs=1))
        entity = er.async_get(site.hass).async_get(site.entity_id("sensor", manager, f"utilisation_{metered}"))
        assert entity is not None
        assert entity.config_subentry_id == metered
        assert entity.device_id is not None
        device = device_registry.async_get(entity.device_id)
        assert device is not None
        assert device.name == "Garage"
    registry = er.async_get(site.hass)
    ids = {entry.unique_id.removeprefix(f"{manager.entry_id}_") for entry in registry.entities.values()}
    assert f"meter_stage_{bare}" not in ids
    assert f"house_current_l1_{bare}" not in ids
    site.hass.config_entries.async_remove_subentry(manager, bare)
    await site.hass.async_block_till_done()
    left = [entry for entry in registry.entities.values() if bare in entry.unique_id]
    assert left == []
    assert all(device.name != "Carport" for device in device_registry.devices)


@pytest.mark.usefixtures("all_enabled")
async def test_circuit_that_hangs_on_nothing(build_site: BuildSite) -> None:
    """A circuit whose parent is gone has nothing to show."""
    site = await build_site(HomeConfig(inverter=None, chargers=CHARGERS[:1], speed=10))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", parent="nowhere")
    await site.set_up(manager)
    await eventually(lambda: site.value(manager, "free_current_root") not in {"unavailable", "unknown"})
    assert site.value(manager, f"utilisation_{circuit}") == "unavailable"


@pytest.mark.usefixtures("all_enabled")
async def test_single_phase_house(build_site: BuildSite) -> None:
    """A house with one phase shows that phase alone."""
    site = await build_site(replace(sunny(ChargerConfig(wired_phases=1, car=QUICK_CAR)), phases=1))
    *_, manager = await site.set_up_all()
    keys = {
        entry.unique_id.removeprefix(f"{manager.entry_id}_")
        for entry in er.async_get(site.hass).entities.values()
        if entry.config_entry_id == manager.entry_id
    }
    assert {f"{name}_current_l1_root" for name in ("free", "charging", "house")} <= keys
    assert not [key for key in keys if "_l2_" in key or "_l3_" in key]


async def test_roof_that_comes_later(hass: HomeAssistant, site: Site) -> None:
    """What needs a roof or a battery is there as soon as its inverter is loaded, and not before."""
    manager, charger = site.manager_entry(), site.charger_entry()
    await site.set_up(charger, manager)
    registry = er.async_get(hass)

    def known(key: str) -> bool:
        return registry.async_get_entity_id("sensor", "pv_load_manager", f"{manager.entry_id}_{key}") is not None

    assert known("charging_power")
    assert not known("house_power")
    await site.set_up(site.inverter_entry())
    await eventually(lambda: known("house_power") and known("pv_power"))
    assert not known("battery_power")
    await eventually(lambda: site.number(manager, "house_power") == pytest.approx(500, abs=200))


async def test_site_without_a_meter(build_site: BuildSite) -> None:
    """Without a meter there is nothing about grid, house and roof, and the connection still shows what is allocated."""
    site = await build_site(HomeConfig(inverter=None, chargers=CHARGERS[:1], speed=10))
    charger, manager = site.charger_entry(), site.manager_entry(MeterSource.NONE)
    await site.set_up(charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: (site.number(manager, "charging_power") or 0) > 10000)
    keys = {entry.unique_id for entry in er.async_get(site.hass).entities.values()}
    for key in ("house_power", "grid_power", "pv_power", "battery_power", "meter_stage_root"):
        assert f"{manager.entry_id}_{key}" not in keys
    await eventually(lambda: site.number(manager, "utilisation_root") == pytest.approx(100 * 16 / 35, abs=5))
