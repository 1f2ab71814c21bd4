"""The options for production and battery: the inverters, a source that is found, or sensors of one's own."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import BatteryConfig, HomeConfig

from .conftest import BuildSite
from .flows import defaults, shows, suggested
from .site import Site
from .test_flow_load_manager import choices
from .test_flow_load_manager_options import answer
from .test_meters import say
from .test_presets import Foreign
from .test_sources import battery, production

STORED = {"battery_direction": "discharge_positive"}


async def begin(hass: HomeAssistant, entry: MockConfigEntry, **choice: str) -> ConfigFlowResult:
    """Open the form for the sources, and choose there."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "sources" in result["menu_options"]
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "sources"})
    shows(result, "sources")
    return await answer(hass, result, **choice) if choice else result


@pytest.fixture(name="manager")
async def manager_fixture(site: Site) -> MockConfigEntry:
    """Return a loaded load manager beside sensors of a roof and a battery, without an inverter."""
    say(site.hass, "sensor.roof", 4, "kW")
    say(site.hass, "sensor.battery", 500)
    say(site.hass, "sensor.charging", 200)
    say(site.hass, "sensor.level", 60, "%")
    manager = site.manager_entry()
    site.hass.config_entries.async_update_entry(manager, options={"export_limit": 7000})
    await site.set_up(manager)
    return manager


async def test_from_the_inverters(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """The inverters are the first choice; going back to them forgets the sensors and nothing else."""
    result = await begin(hass, manager)
    assert suggested(result) == {"sources": "inverters"}
    hass.config_entries.async_update_entry(
        manager, options={**manager.options, "pv_sensors": ["sensor.roof"], "sources_max_age": 60}
    )
    await hass.async_block_till_done()
    assert production(hass) == 4000
    result = await begin(hass, manager)
    assert suggested(result) == {"sources": "sensors"}
    result = await answer(hass, result, sources="inverters")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert manager.options == {"export_limit": 7000}
    assert production(hass) is None


async def test_own_sensors(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Sensors are shown with what they say now, turned round where that is wrong, and in force at once."""
    result = await begin(hass, manager, sources="sensors")
    shows(result, "source_sensors")
    assert defaults(result) == STORED
    assert result["description_placeholders"] == {"max_age": "600"}
    sensors = {
        "pv_sensors": ["sensor.roof"],
        "battery_sensors": ["sensor.battery"],
        "battery_soc_sensors": ["sensor.level"],
        "battery_charge_sensors": [],
        "sources_max_age": 60,
    }
    result = await answer(hass, result, **sensors)
    shows(result, "source_check")
    assert choices(result) == ("battery_in", ["yes", "reversed", "other"])
    assert result["description_placeholders"] == {"pv": "4000 W", "battery": "500 W", "level": "60 %"}
    result = await answer(hass, result, sources_right="reversed")
    assert choices(result)[0] == "battery_out"
    assert (result["description_placeholders"] or {})["battery"] == "-500 W"
    result = await answer(hass, result, sources_right="other")
    shows(result, "source_sensors")
    shown = {key: value for key, value in sensors.items() if value} | {"battery_direction": "charge_positive"}
    assert suggested(result) == shown
    result = await answer(hass, await answer(hass, result, **shown))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert manager.options == {"export_limit": 7000, **shown}
    assert (production(hass), battery(hass)) == (4000, (-500, 60))
    result = await begin(hass, manager, sources="sensors")
    assert suggested(result) == shown
    await answer(hass, await answer(hass, result, pv_sensors=["sensor.roof"]), sources_right="yes")
    assert manager.options == {"export_limit": 7000, "pv_sensors": ["sensor.roof"], **STORED}


async def test_separate_sensors(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Discharging and charging have sensors of their own, which change places where they are the wrong way round."""
    result = await begin(hass, manager, sources="sensors")
    sensors = {
        "battery_direction": "separate",
        "battery_sensors": ["sensor.battery"],
        "battery_charge_sensors": ["sensor.charging"],
    }
    result = await answer(hass, result, **sensors)
    assert result["description_placeholders"] == {"pv": "–", "battery": "300 W", "level": "–"}
    result = await answer(hass, result, sources_right="reversed")
    assert (result["description_placeholders"] or {})["battery"] == "-300 W"
    await answer(hass, result, sources_right="yes")
    assert manager.options["battery_sensors"] == ["sensor.charging"]
    assert manager.options["battery_charge_sensors"] == ["sensor.battery"]
    assert battery(hass) == (-300, None)


async def test_production_only(build_site: BuildSite) -> None:
    """Beside sensors of the production the battery stays the inverter's, and is turned round elsewhere."""
    site = await build_site(HomeConfig(battery=BatteryConfig(), chargers=()))
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), manager)
    say(site.hass, "sensor.roof", 4000)
    result = await begin(site.hass, manager, sources="sensors")
    result = await answer(site.hass, result, pv_sensors=["sensor.roof"])
    shows(result, "source_check")
    assert choices(result) == ("battery_silent", ["yes", "other"])
    placeholders = result["description_placeholders"] or {}
    assert placeholders["pv"] == "4000 W"
    assert placeholders["battery"].endswith(" W")
    result = await site.hass.config_entries.options.async_init(manager.entry_id)
    result = await site.hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "solar"})
    assert (result["description_placeholders"] or {})["battery"].endswith(" W")


@pytest.mark.parametrize(
    ("sensors", "errors"),
    [
        ({}, {"pv_sensors": "sensor_missing"}),
        ({"battery_soc_sensors": ["sensor.level"]}, {"pv_sensors": "sensor_missing"}),
        ({"pv_sensors": ["sensor.roof", "sensor.nowhere"]}, {"pv_sensors": "entity_not_found"}),
        ({"pv_sensors": ["sensor.level"]}, {"pv_sensors": "not_a_power"}),
        ({"battery_sensors": ["sensor.gone"]}, {"battery_sensors": "not_a_power"}),
        (
            {"pv_sensors": ["sensor.roof"], "battery_soc_sensors": ["sensor.roof"]},
            {"battery_soc_sensors": "not_a_percentage"},
        ),
        (
            {"battery_sensors": ["sensor.battery"], "battery_direction": "separate"},
            {"battery_charge_sensors": "sensor_missing"},
        ),
        (
            {"battery_charge_sensors": ["sensor.charging"], "battery_direction": "separate"},
            {"battery_sensors": "sensor_missing"},
        ),
        (
            {
                "battery_sensors": ["sensor.battery"],
                "battery_charge_sensors": ["sensor.battery"],
                "battery_direction": "separate",
            },
            {"battery_charge_sensors": "entity_used_twice"},
        ),
        ({"pv_sensors": ["sensor.roof"], "sources_max_age": 0}, {"sources_max_age": "max_age_out_of_range"}),
        ({"pv_sensors": ["sensor.roof"], "sources_max_age": 601}, {"sources_max_age": "max_age_out_of_range"}),
        ({"pv_sensors": ["sensor.roof"], "sources_max_age": 1.5}, {"sources_max_age": "max_age_out_of_range"}),
    ],
)
async def test_wrong_sensors(
    hass: HomeAssistant, manager: MockConfigEntry, sensors: dict[str, Any], errors: dict[str, str]
) -> None:
    """What cannot be gets a message at its field, what was typed stays, and the flow goes on."""
    say(hass, "sensor.gone", "unavailable")
    result = await begin(hass, manager, sources="sensors")
    result = await answer(hass, result, **sensors)
    shows(result, "source_sensors", errors)
    assert suggested(result).items() >= sensors.items()
    result = await answer(hass, result, pv_sensors=["sensor.roof"])
    result = await answer(hass, result, sources_right="yes")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_found_solaredge(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Behind a hybrid inverter the roof makes what goes through its DC side and into its battery."""
    foreign = Foreign(hass, "solaredge_modbus", "SE10K")
    (side,) = foreign.add("7E0001_", "dc_power", device="SE10K")
    foreign.add("7E0001_", "ac_power", device="SE10K")
    power, level = foreign.add("7E0001_battery_slot_1_", "dc_power", "state_of_energy", device="Battery 1")
    say(hass, side, 2000)
    say(hass, power, 1500)
    say(hass, level, 30, "%")
    result = await begin(hass, manager, sources=f"solaredge_modbus/{foreign.entry.entry_id}")
    shows(result, "source_sensors")
    proposed = suggested(result)
    assert proposed == {
        "pv_sensors": [side, power],
        "battery_sensors": [power],
        "battery_direction": "charge_positive",
        "battery_soc_sensors": [level],
    }
    result = await answer(hass, result, **proposed)
    assert result["description_placeholders"] == {"pv": "3500 W", "battery": "-1500 W", "level": "30 %"}
    assert choices(result)[0] == "battery_out"


async def test_found_fronius(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Its power flow has discharging and charging apart; what is disabled has to be enabled first."""
    foreign = Foreign(hass, "fronius", "SolarNet")
    Foreign(hass, "fronius", "Meter only")
    flow = "solar_net_1-power_flow-"
    keys = ("power_photovoltaics", "power_battery_discharge", "power_battery_charge")
    pv, given, taken = foreign.add(flow, *keys)
    foreign.add(flow, "power_battery", disabled=True)
    (level,) = foreign.add("4711-", "state_of_charge", device="Storage", disabled=True)
    for power, entity_id in ((3000, pv), (0, given), (800, taken)):
        say(hass, entity_id, power)
    say(hass, level, 55, "%")
    key = f"fronius/{foreign.entry.entry_id}"
    result = await begin(hass, manager, sources=key)
    shows(result, "sources", {"sources": "preset_disabled"})
    assert result["description_placeholders"] == {"disabled": "Name of state_of_charge"}
    er.async_get(hass).async_update_entity(level, disabled_by=None)
    result = await answer(hass, result, sources=key)
    proposed = suggested(result)
    assert proposed == {
        "pv_sensors": [pv],
        "battery_sensors": [given],
        "battery_charge_sensors": [taken],
        "battery_soc_sensors": [level],
        "battery_direction": "separate",
    }
    result = await answer(hass, result, **proposed)
    assert result["description_placeholders"] == {"pv": "3000 W", "battery": "-800 W", "level": "55 %"}
    result = await answer(hass, result, sources_right="yes")
    assert manager.options == {"export_limit": 7000, **proposed}


async def test_found_source_that_vanishes(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A source that is removed while the form is open is refused, and another choice goes on."""
    foreign = Foreign(hass, "fronius", "SolarNet")
    (pv,) = foreign.add("solar_net_1-power_flow-", "power_photovoltaics")
    result = await begin(hass, manager)
    er.async_get(hass).async_remove(pv)
    result = await answer(hass, result, sources=f"fronius/{foreign.entry.entry_id}")
    shows(result, "sources", {"sources": "preset_gone"})
    result = await answer(hass, result, sources="inverters")
    assert result["type"] is FlowResultType.CREATE_ENTRY
