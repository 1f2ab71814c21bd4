"""The config flow of the load manager."""

from dataclasses import replace

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.pv_load_manager.const import DOMAIN, LOAD_MANAGER_ID, EntryType
from simulator import InverterConfig

from .conftest import BuildSite, sunny
from .flows import aborts, answer, begin, creates, shows, suggested
from .site import Site

CONNECTION = {"phases": "3", "main_fuse": 35, "expected_chargers": 2}
STORED = {"entry_type": "load_manager", "phases": 3, "main_fuse": 35, "expected_chargers": 2}
WATT = {ATTR_UNIT_OF_MEASUREMENT: "W"}


async def to_meter(hass: HomeAssistant, **changes: object) -> ConfigFlowResult:
    """Go to the choice of the meter."""
    result = await begin(hass, EntryType.LOAD_MANAGER)
    shows(result, "connection")
    result = await answer(hass, result, CONNECTION | changes)
    shows(result, "grid_meter")
    return result


async def test_menu(hass: HomeAssistant) -> None:
    """The first question is what to add."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["load_manager", "solaredge", "wattpilot"]


async def test_solaredge_meter(site: Site) -> None:
    """The meter of the only inverter is suggested and protects the fuse."""
    await site.set_up(site.inverter_entry())
    result = await to_meter(site.hass)
    assert suggested(result) == {"meter": "7E000001"}
    result = await answer(site.hass, result, {"meter": "7E000001"})
    shows(result, "confirm")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    power = placeholders.pop("power")
    assert power.endswith(" W")
    assert float(power.removesuffix(" W")) == pytest.approx(site.home.home.flow.grid_w, abs=50)
    assert placeholders == {"fuse": "35", "phases": "3", "chargers": "2", "meter": "SolarEdge SE10K"}
    result = await answer(site.hass, result, {})
    meter = {"meter_source": "solaredge", "meter_entry": "7E000001", "meter_entity": None}
    creates(result, "PV Load Manager", STORED | meter)
    assert result["result"].unique_id == LOAD_MANAGER_ID
    await site.hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


@pytest.mark.parametrize(("phases", "step"), [("3", "confirm_surplus_only"), ("1", "confirm_sensor")])
async def test_sensor(hass: HomeAssistant, phases: str, step: str) -> None:
    """A sensor of the total power protects one phase, never three, and the last step shows its value now."""
    hass.states.async_set("sensor.grid", "1.5", {ATTR_UNIT_OF_MEASUREMENT: "kW", "friendly_name": "Grid"})
    result = await to_meter(hass, phases=phases)
    result = await answer(hass, result, {"meter": "sensor"})
    shows(result, "grid_sensor")
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    shows(result, step)
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["meter"], placeholders["power"]) == ("Grid", "1500 W")
    result = await answer(hass, result, {})
    meter = {"meter_source": "sensor", "meter_entry": None, "meter_entity": "sensor.grid", "phases": int(phases)}
    creates(result, "PV Load Manager", STORED | meter)


async def test_sensor_that_vanishes_before_the_end(hass: HomeAssistant) -> None:
    """The last step needs no value: a sensor that was removed meanwhile is shown by its id."""
    hass.states.async_set("sensor.grid", "100", WATT)
    result = await answer(hass, await to_meter(hass), {"meter": "sensor"})
    hass.states.async_set("sensor.grid", "unavailable", WATT)
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    shows(result, "grid_sensor", {"meter_entity": "not_a_power"})
    hass.states.async_set("sensor.grid", "100", WATT)
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    shows(result, "confirm_surplus_only")


async def test_no_meter(hass: HomeAssistant) -> None:
    """Without a meter the last step says what that means."""
    result = await to_meter(hass)
    result = await answer(hass, result, {"meter": "none"})
    shows(result, "confirm_no_meter")
    result = await answer(hass, result, {})
    creates(result, "PV Load Manager", STORED | {"meter_source": "none", "meter_entry": None, "meter_entity": None})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("main_fuse", 5, "fuse_out_of_range"),
        ("main_fuse", 9999, "fuse_out_of_range"),
        ("main_fuse", 12.5, "fuse_out_of_range"),
        ("main_fuse", -16, "fuse_out_of_range"),
        ("expected_chargers", 0, "chargers_out_of_range"),
        ("expected_chargers", 1000, "chargers_out_of_range"),
        ("expected_chargers", 1.5, "chargers_out_of_range"),
    ],
)
async def test_numbers_out_of_range(hass: HomeAssistant, field: str, value: float, error: str) -> None:
    """A number that cannot be gets its own message with the range, what was typed stays, and the flow goes on."""
    result = await begin(hass, EntryType.LOAD_MANAGER)
    result = await answer(hass, result, CONNECTION | {field: value})
    shows(result, "connection", {field: error})
    assert result["description_placeholders"] == {"min_fuse": "6", "max_fuse": "250", "max_chargers": "64"}
    assert suggested(result)[field] == value
    shows(await answer(hass, result, CONNECTION), "grid_meter")


async def test_two_numbers_out_of_range(hass: HomeAssistant) -> None:
    """Every wrong field has its own message."""
    result = await begin(hass, EntryType.LOAD_MANAGER)
    result = await answer(hass, result, CONNECTION | {"main_fuse": 5, "expected_chargers": 0})
    shows(result, "connection", {"main_fuse": "fuse_out_of_range", "expected_chargers": "chargers_out_of_range"})


@pytest.mark.parametrize(
    ("state", "unit", "error"),
    [
        (None, None, "entity_not_found"),
        ("12", "kWh", "not_a_power"),
        ("12", None, "not_a_power"),
        ("unavailable", "W", "not_a_power"),
        ("unknown", "W", "not_a_power"),
        ("nan", "W", "not_a_power"),
        ("inf", "W", "not_a_power"),
        ("lots", "W", "not_a_power"),
        ("9e9", "W", "not_a_power"),
    ],
)
async def test_sensor_errors(hass: HomeAssistant, state: str | None, unit: str | None, error: str) -> None:
    """A sensor without a usable power is refused, and another choice goes on."""
    if state is not None:
        hass.states.async_set("sensor.grid", state, {} if unit is None else {ATTR_UNIT_OF_MEASUREMENT: unit})
    result = await answer(hass, await to_meter(hass), {"meter": "sensor"})
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    shows(result, "grid_sensor", {"meter_entity": error})
    hass.states.async_set("sensor.grid", "-200", WATT)
    shows(await answer(hass, result, {"meter_entity": "sensor.grid"}), "confirm_surplus_only")


async def test_second_load_manager(site: Site) -> None:
    """There is one load manager per house."""
    site.manager_entry()
    aborts(await begin(site.hass, EntryType.LOAD_MANAGER), "already_configured")


async def test_reconfigure(site: Site) -> None:
    """Reconfiguring shows the present values at every step and puts the new ones in force."""
    inverter, _, manager = await site.set_up_all()
    site.hass.states.async_set("sensor.grid", "100", WATT)
    result = await manager.start_reconfigure_flow(site.hass)
    shows(result, "connection")
    assert suggested(result) == {"phases": "3", "main_fuse": 35, "expected_chargers": 1}
    result = await answer(site.hass, result, {"phases": "1", "main_fuse": 63, "expected_chargers": 3})
    shows(result, "grid_meter")
    assert suggested(result) == {"meter": inverter.data["serial"]}
    result = await answer(site.hass, result, {"meter": "sensor"})
    result = await answer(site.hass, result, {"meter_entity": "sensor.grid"})
    aborts(await answer(site.hass, result, {}), "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert manager.state is ConfigEntryState.LOADED
    assert manager.data == {
        "entry_type": "load_manager",
        "phases": 1,
        "main_fuse": 63,
        "expected_chargers": 3,
        "meter_source": "sensor",
        "meter_entry": None,
        "meter_entity": "sensor.grid",
    }
    assert float(site.state("number", manager, "available_current").attributes["max"]) == 63
    result = await manager.start_reconfigure_flow(site.hass)
    result = await answer(site.hass, result, CONNECTION)
    assert suggested(result) == {"meter": "sensor"}
    result = await answer(site.hass, result, {"meter": "sensor"})
    assert suggested(result) == {"meter_entity": "sensor.grid"}


async def test_inverter_without_grid_meter(build_site: BuildSite) -> None:
    """An inverter whose only meter counts its production cannot be chosen, and another choice can."""
    site = await build_site(replace(sunny(), inverter=InverterConfig(meters=("Production",))))
    await site.set_up(site.inverter_entry())
    result = await to_meter(site.hass)
    result = await answer(site.hass, result, {"meter": "7E000001"})
    shows(result, "grid_meter", {"meter": "inverter_without_meter"})
    result = await answer(site.hass, result, {"meter": "none"})
    shows(result, "confirm_no_meter")
