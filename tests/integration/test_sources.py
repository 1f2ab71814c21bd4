"""Production and battery of the house: from all inverters, or from sensors that somebody chose."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, flush_store

from custom_components.pv_load_manager.control import BatteryReading, Snapshot
from custom_components.pv_load_manager.coordinators.sources import combined_battery, combined_pv
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.shared import SHARED
from simulator import BatteryConfig, InverterConfig

from .conftest import OURS, BuildSite, sunny
from .site import Site, configuration, eventually
from .test_meters import say

SEPARATE = {"battery_direction": "separate", "battery_charge_sensors": ["sensor.charging"]}


def seen(hass: HomeAssistant) -> Snapshot:
    """Return what the control core is told."""
    manager = hass.data[SHARED].load_manager
    assert manager is not None
    return manager.inside()[2]


def production(hass: HomeAssistant) -> float | None:
    """Return the production that the control core is told, in W."""
    pv = seen(hass).pv
    return None if pv is None else pv.power_w


def battery(hass: HomeAssistant) -> tuple[float | None, float | None]:
    """Return power and state of charge of the battery that the control core is told."""
    reading = seen(hass).battery
    return (None, None) if reading is None else (reading.power_w, reading.state_of_charge)


async def with_options(site: Site, **options: Any) -> MockConfigEntry:
    """Set a load manager without a grid meter up."""
    manager = site.manager_entry()
    site.hass.config_entries.async_update_entry(manager, options=options)
    await site.set_up(manager)
    return manager


async def test_one_inverter(build_site: BuildSite) -> None:
    """The only inverter tells production and battery, also where the grid meter is another one."""
    site = await build_site(replace(sunny(), battery=BatteryConfig()))
    site.hass.states.async_set("sensor.grid", "100", {"unit_of_measurement": "W"})
    manager = site.manager_entry(meter_source="sensor", meter_entry=None, meter_entity="sensor.grid")
    inverter = site.inverter_entry()
    await site.set_up(inverter, manager)
    await eventually(lambda: production(site.hass) == pytest.approx(8000, rel=0.05))
    await eventually(lambda: (battery(site.hass)[0] or 0.0) < 0)
    assert battery(site.hass)[1] is not None
    assert configuration(site.hass).has_battery
    await site.hass.config_entries.async_unload(inverter.entry_id)
    assert production(site.hass) is None, "what is not loaded is not known, never 0"


async def test_battery_of_an_inverter_that_is_not_loaded(build_site: BuildSite) -> None:
    """A battery is there although its inverter is loaded anew or does not answer: else its power were taken for sun."""
    site = await build_site(replace(sunny(), battery=BatteryConfig()))
    other = await build_site(replace(sunny(pv_w=3000.0), inverter=InverterConfig(serial="7E000002")))
    hybrid, grid = site.inverter_entry(), other.inverter_entry()
    manager = site.manager_entry(meter_entry="7E000002")
    await site.set_up(hybrid, grid, manager)
    assert seen(site.hass).battery is not None
    await site.hass.config_entries.async_unload(hybrid.entry_id)
    assert configuration(site.hass).has_battery
    assert seen(site.hass).battery is None, "what is not loaded is not known"
    await flush_store(site.hass.data[SHARED].memory._store)
    restarted = Memory(site.hass)
    await restarted.async_load()
    assert restarted.has_battery("7E000001"), "also after a restart"
    assert not restarted.has_battery("7E000002")
    await site.hass.config_entries.async_remove(hybrid.entry_id)
    assert not configuration(site.hass).has_battery, "one that is removed is gone"


async def test_two_inverters(build_site: BuildSite) -> None:
    """Two roofs are added up, as old as the older one; while one of them was not heard the sum is not known."""
    site = await build_site(sunny())
    other = await build_site(replace(sunny(pv_w=3000.0), inverter=InverterConfig(serial="7E000002")))
    first, second = site.inverter_entry(), other.inverter_entry()
    await site.set_up(first, second, site.manager_entry())
    await eventually(lambda: production(site.hass) == pytest.approx(11000, rel=0.05))
    parts = [inverter.pv_reading() for inverter in site.hass.data[SHARED].inverters.values()]
    pv = seen(site.hass).pv
    assert pv is not None
    assert pv.at == min(part.at for part in parts if part is not None)
    await site.hass.config_entries.async_unload(second.entry_id)
    assert production(site.hass) is None
    await site.hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert production(site.hass) == pytest.approx(8000, rel=0.05), "a disabled inverter does not count"


async def test_cloud_beside_modbus(site: Site) -> None:
    """A cloud that knows the same roof, minutes later, does not count it twice."""
    await site.set_up(site.inverter_entry(), site.manager_entry())
    cloud = MockConfigEntry(
        domain="pv_load_manager",
        data={"entry_type": "solaredge", "serial": "site-1", "connection": "cloud"},
        unique_id="solaredge_site-1",
    )
    cloud.add_to_hass(site.hass)
    assert production(site.hass) == pytest.approx(8000, rel=0.05)


async def test_battery_of_the_cloud(build_site: BuildSite) -> None:
    """A battery that only the cloud knows counts beside the meter of the cloud, not beside one that is faster."""
    site = await build_site(replace(sunny(), battery=BatteryConfig()))
    inverter = site.inverter_entry()
    manager = site.manager_entry()
    await site.set_up(inverter, manager)
    site.hass.config_entries.async_update_entry(inverter, data=inverter.data | {"connection": "cloud"})
    assert configuration(site.hass).has_battery
    site.hass.states.async_set("sensor.grid", "100", {"unit_of_measurement": "W"})
    sensor = {"meter_source": "sensor", "meter_entry": None, "meter_entity": "sensor.grid"}
    site.hass.config_entries.async_update_entry(manager, data=manager.data | sensor)
    await site.hass.async_block_till_done()
    assert not configuration(site.hass).has_battery
    assert battery(site.hass) == (None, None)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, 900.0), ({"battery_direction": "charge_positive"}, -900.0), (SEPARATE, 700.0)],
)
async def test_sensors(site: Site, options: dict[str, Any], expected: float) -> None:
    """Sensors in any unit are added up in the chosen direction; the option for inverters does not touch them."""
    hass = site.hass
    say(hass, "sensor.roof", 3.5, "kW")
    say(hass, "sensor.garage", 500, "W")
    say(hass, "sensor.battery_1", 0.4, "kW")
    say(hass, "sensor.battery_2", 500, "W")
    say(hass, "sensor.charging", 200, "W")
    say(hass, "sensor.level_1", 40, "%")
    say(hass, "sensor.level_2", 60, "%")
    sensors = {
        "pv_sensors": ["sensor.roof", "sensor.garage"],
        "battery_sensors": ["sensor.battery_1", "sensor.battery_2"],
        "battery_soc_sensors": ["sensor.level_1", "sensor.level_2"],
        "battery_inverted": True,
    }
    await site.set_up(site.inverter_entry())
    await with_options(site, **sensors, **options)
    assert production(hass) == pytest.approx(4000)
    assert battery(hass) == (pytest.approx(expected), 50)
    config = configuration(hass)
    assert config.has_battery
    assert not config.battery_inverted
    say(hass, "sensor.roof", -5, "W")
    say(hass, "sensor.garage", 0, "W")
    assert production(hass) == 0


async def test_inverted_battery_of_an_inverter(site: Site) -> None:
    """Without sensors of its own the battery's sign is turned round by the option."""
    await with_options(site, battery_inverted=True)
    assert configuration(site.hass).battery_inverted


@pytest.mark.parametrize("useless", [("unavailable", "W"), ("unknown", "W"), ("nan", "W"), ("7", "kWh")])
async def test_sensor_that_says_nothing(site: Site, monkeypatch: pytest.MonkeyPatch, useless: tuple[str, str]) -> None:
    """A part that was never heard makes the sum unknown; one that is silent makes it old."""
    hass = site.hass
    say(hass, "sensor.roof", 3000)
    say(hass, "sensor.garage", *useless)
    say(hass, "sensor.battery", *useless)
    say(hass, "sensor.level", 101, "%")
    await with_options(
        site,
        pv_sensors=["sensor.roof", "sensor.garage"],
        battery_sensors=["sensor.battery"],
        battery_soc_sensors=["sensor.level"],
    )
    assert production(hass) is None
    assert battery(hass) == (None, None)
    assert configuration(hass).has_battery
    say(hass, "sensor.garage", 0.5, "kW")
    say(hass, "sensor.battery", 100)
    assert production(hass) == 3500
    assert battery(hass) == (100, None)
    then = hass.loop.time()
    say(hass, "sensor.garage", *useless)
    say(hass, "sensor.roof", 4000)
    pv = seen(hass).pv
    assert pv is not None
    assert pv.power_w == 4500
    assert pv.at < then, "it is as old as its oldest part"
    say(hass, "sensor.level", 80, "%")
    assert battery(hass)[1] == 80
    monkeypatch.setattr(f"{OURS}.coordinators.sources.FORGOTTEN", -1.0)
    assert battery(hass)[1] == 80, "a level that still stands there counts"
    say(hass, "sensor.level", "unavailable", "%")
    assert battery(hass)[1] is None


async def test_sensor_that_restarts_in_another_unit(site: Site) -> None:
    """A sensor that comes back in kW means the same as before in W."""
    say(site.hass, "sensor.roof", 3000, "W")
    await with_options(site, pv_sensors=["sensor.roof"])
    say(site.hass, "sensor.roof", "unavailable")
    say(site.hass, "sensor.roof", 2.5, "kW")
    assert production(site.hass) == 2500


async def test_silent_sensor_that_is_believed(site: Site) -> None:
    """With a maximum age a silent sensor is as young as now until it is that old, or says itself that it is gone."""
    hass = site.hass
    say(hass, "sensor.battery", 0, "W", ago=50)
    manager = await with_options(site, battery_sensors=["sensor.battery"])

    def age() -> float:
        reading = seen(hass).battery
        assert reading is not None
        return hass.loop.time() - reading.at

    assert age() == pytest.approx(50, abs=2)
    options = dict(manager.options)
    for max_age, expected in ((100, 0.0), (40, 50.0)):
        hass.config_entries.async_update_entry(manager, options=options | {"sources_max_age": max_age})
        await hass.async_block_till_done()
        assert age() == pytest.approx(expected, abs=2)
    hass.config_entries.async_update_entry(manager, options=options | {"sources_max_age": 100})
    await hass.async_block_till_done()
    say(hass, "sensor.battery", "unavailable")
    assert age() == pytest.approx(50, abs=2)


async def test_sensors_reach_the_surplus(build_site: BuildSite) -> None:
    """What the chosen battery takes is surplus for the cars."""
    site = await build_site(sunny())
    for sensor, power in (("grid", 0), ("battery", -3000)):
        say(site.hass, f"sensor.{sensor}", power)
    manager = site.manager_entry(meter_source="sensor", meter_entry=None, meter_entity="sensor.grid")
    site.hass.config_entries.async_update_entry(manager, options={"battery_sensors": ["sensor.battery"]})
    await site.set_up(manager)

    def surplus() -> float | None:
        for sensor, power in (("grid", 0), ("battery", -3000)):
            say(site.hass, f"sensor.{sensor}", power)
        return site.number(manager, "surplus")

    await eventually(lambda: surplus() == pytest.approx(3000, abs=1))


def test_sums_of_nothing() -> None:
    """Without any inverter nothing is known."""
    assert combined_pv([]) is None
    assert combined_battery([]) is None
    assert combined_battery([None]) is None


@pytest.mark.parametrize(("capacities", "level"), [((10_000.0, 30_000.0), 65.0), ((10_000.0, None), 50.0)])
def test_level_of_two_batteries(capacities: tuple[float, float | None], level: float) -> None:
    """The larger battery counts for more, where both say how large they are; the age is that of the oldest."""
    small, large = (
        BatteryReading(at=at, power_w=power, state_of_charge=charge, capacity_wh=capacity)
        for at, power, charge, capacity in zip((5.0, 7.0), (-500.0, 800.0), (20.0, 80.0), capacities, strict=True)
    )
    both = combined_battery([small, large])
    assert both is not None
    assert (both.at, both.power_w, both.state_of_charge) == (5.0, 300.0, level)
