"""The config flow of the load manager."""

from dataclasses import replace

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.pv_load_manager.const import DOMAIN, LOAD_MANAGER_ID, EntryType, MeterSource
from custom_components.pv_load_manager.control import Timings
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig, HomeConfig, InverterConfig

from .conftest import BuildSite, sunny
from .flows import aborts, answer, begin, creates, defaults, protect, shows, suggested
from .site import Site, configuration

CONNECTION = {"phases": "3", "main_fuse": 35, "expected_chargers": 2}
STORED = {"entry_type": "load_manager", "phases": 3, "main_fuse": 35, "expected_chargers": 2}
PROTECTION = {"dynamic": True, "safety_margin": 0, "imbalance": 20, "largest_consumer": 16, "fallback_current": 0}
STATIC = {"dynamic": False, "safety_margin": 0, "imbalance": 20}
SIGNED = {"meter_kind": "total_power", "meter_direction": "import_positive"}
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
    # Devices first: the load manager offers those that are there.
    assert result["menu_options"] == ["solaredge", "solaredge_cloud", "wattpilot", "wattpilot_cloud", "load_manager"]


@pytest.mark.parametrize("chargers", [0, 2])
async def test_chargers_that_are_there(build_site: BuildSite, chargers: int) -> None:
    """As many chargers are proposed as are set up already, and one where there is none yet."""
    site = await build_site(HomeConfig(chargers=(ChargerConfig(), ChargerConfig(serial="10000002", name="Carport"))))
    for index in range(chargers):
        site.charger_entry(index)
    result = await begin(site.hass, EntryType.LOAD_MANAGER)
    shows(result, "connection")
    schema = result["data_schema"]
    assert schema is not None
    assert schema({"phases": "3", "main_fuse": 35})["expected_chargers"] == max(1, chargers)


async def test_solaredge_meter(site: Site) -> None:
    """The meter of the only inverter is suggested and protects the fuse."""
    await site.set_up(site.inverter_entry())
    result = await to_meter(site.hass)
    assert suggested(result) == {"meter": "7E000001"}
    result = await answer(site.hass, result, {"meter": "7E000001"})
    assert defaults(result) == PROTECTION
    result = await protect(site.hass, result)
    shows(result, "confirm")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    power = placeholders.pop("power")
    assert float(power.partition(" W")[0]) == pytest.approx(site.home.home.flow.grid_w, abs=50)
    assert "(L1 -" in power
    assert choices(result) == ("grid_out", ["yes", "other"]), "an inverter's meter is turned round at the inverter"
    assert placeholders == {"fuse": "35", "phases": "3", "chargers": "2", "meter": "SolarEdge SE10K"}
    result = await answer(site.hass, result, {})
    meter = {"meter_source": "solaredge", "meter_entry": "7E000001", "meter_entity": None}
    creates(result, "PV Load Manager", STORED | meter | PROTECTION)
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
    result = await protect(hass, await answer(hass, result, {"meter_entity": "sensor.grid"}))
    shows(result, step)
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["meter"], placeholders["power"]) == ("Grid", "1500 W")
    result = await answer(hass, result, {})
    meter = {"meter_source": "sensor", "meter_entry": None, "meter_entity": "sensor.grid", "phases": int(phases)}
    protection = STATIC if phases == "3" else {key: value for key, value in PROTECTION.items() if key != "imbalance"}
    creates(result, "PV Load Manager", STORED | meter | SIGNED | protection)


async def test_sensor_that_vanishes_before_the_end(hass: HomeAssistant) -> None:
    """The last step needs no value: a sensor that was removed meanwhile is shown by its id."""
    hass.states.async_set("sensor.grid", "100", WATT)
    result = await answer(hass, await to_meter(hass), {"meter": "sensor"})
    hass.states.async_set("sensor.grid", "unavailable", WATT)
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    shows(result, "grid_sensor", {"meter_entity": "not_a_power"})
    hass.states.async_set("sensor.grid", "100", WATT)
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    hass.states.async_remove("sensor.grid")
    result = await protect(hass, result)
    shows(result, "confirm_surplus_only")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert (placeholders["meter"], placeholders["power"]) == ("sensor.grid", "–")
    assert choices(result) == ("grid_silent", ["yes", "other"])


async def test_no_meter(hass: HomeAssistant) -> None:
    """Without a meter the last step says what that means."""
    result = await to_meter(hass)
    result = await protect(hass, await answer(hass, result, {"meter": "none"}))
    shows(result, "confirm_no_meter")
    assert defaults(result) == {}
    result = await answer(hass, result, {})
    meter = {"meter_source": "none", "meter_entry": None, "meter_entity": None}
    creates(result, "PV Load Manager", STORED | meter | STATIC)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("main_fuse", 5, "fuse_out_of_range"),
        ("main_fuse", 6, "fuse_out_of_range"),
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
    assert result["description_placeholders"] == {"min_fuse": "7", "max_fuse": "250", "max_chargers": "64"}
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
    assert suggested(result)["meter_entity"] == "sensor.grid"
    shows(await answer(hass, result, {"meter_entity": "sensor.grid"}), "protection")


async def test_begun_anew(hass: HomeAssistant) -> None:
    """A flow that was left behind, in a browser that was closed, keeps nobody from another one, and ends with it."""
    shows(await begin(hass, EntryType.LOAD_MANAGER), "connection")
    result = await protect(hass, await answer(hass, await to_meter(hass), {"meter": "none"}))
    result = await answer(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert hass.config_entries.flow.async_progress() == []
    await hass.async_block_till_done()


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
    result = await protect(site.hass, result, safety_margin=10)
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
        **SIGNED,
        "dynamic": True,
        "safety_margin": 10,
        "largest_consumer": 16,
        "fallback_current": 0,
    }
    assert float(site.state("number", manager, "available_current").attributes["max"]) == 63
    result = await manager.start_reconfigure_flow(site.hass)
    result = await answer(site.hass, result, CONNECTION)
    assert suggested(result) == {"meter": "sensor"}
    result = await answer(site.hass, result, {"meter": "sensor"})
    assert suggested(result) == {"meter_entity": "sensor.grid", "meter_direction": "import_positive"}
    result = await answer(site.hass, result, {"meter_entity": "sensor.grid"})
    # For three phases the sensor does not suffice: what was on stays on, and the form says why that cannot be.
    assert suggested(result) == {"dynamic": True, "safety_margin": 10}
    shows(await answer(site.hass, result, suggested(result)), "protection", {"dynamic": "no_phase_currents"})


async def test_inverter_without_grid_meter(build_site: BuildSite) -> None:
    """An inverter whose only meter counts its production cannot be chosen, and another choice can."""
    site = await build_site(replace(sunny(), inverter=InverterConfig(meters=("Production",))))
    await site.set_up(site.inverter_entry())
    result = await to_meter(site.hass)
    result = await answer(site.hass, result, {"meter": "7E000001"})
    shows(result, "grid_meter", {"meter": "inverter_without_meter"})
    result = await protect(site.hass, await answer(site.hass, result, {"meter": "none"}))
    shows(result, "confirm_no_meter")


def choices(result: ConfigFlowResult) -> tuple[str, list[str]]:
    """Return by which texts the last step asks whether the meter is right, and the answers to it."""
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    return selector.config["translation_key"], selector.config["options"]


async def test_other_way_round(hass: HomeAssistant) -> None:
    """A meter that says the opposite is turned round as often as wanted, always with what it says now."""
    hass.states.async_set("sensor.grid", "1500", WATT)
    result = await answer(hass, await to_meter(hass), {"meter": "sensor"})
    result = await protect(hass, await answer(hass, result, {"meter_entity": "sensor.grid"}))
    assert choices(result) == ("grid_in", ["yes", "reversed", "other"])
    hass.states.async_set("sensor.grid", "1600", WATT)
    result = await answer(hass, result, {"meter_right": "reversed"})
    shows(result, "confirm_surplus_only")
    assert choices(result) == ("grid_out", ["yes", "reversed", "other"])
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["power"] == "-1600 W"
    result = await answer(hass, result, {"meter_right": "reversed"})
    assert choices(result)[0] == "grid_in"
    result = await answer(hass, result, {"meter_right": "reversed"})
    result = await answer(hass, result, {"meter_right": "yes"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["meter_direction"] == "export_positive"


@pytest.mark.parametrize("kind", ["sensor", "phase_power"])
async def test_other_way_round_with_two_sensors(hass: HomeAssistant, kind: str) -> None:
    """Where import and export have sensors of their own, these change places."""
    fill(hass, grid=(0, "W"), export=(690, "W"), p1=(0, "W"), p2=(0, "W"), p3=(0, "W"))
    fill(hass, e1=(230, "W"), e2=(230, "W"), e3=(230, "W"))
    total = kind == "sensor"
    imports = {"meter_entity": "sensor.grid"} if total else phases("p")
    exports = {"meter_export_entity": "sensor.export"} if total else phases("e", key="meter_export")
    result = await answer(hass, await to_sensors(hass, kind), imports | {"meter_direction": "separate"})
    result = await protect(hass, await answer(hass, result, exports))
    assert choices(result)[0] == "grid_out"
    result = await answer(hass, result, {"meter_right": "reversed"})
    assert choices(result)[0] == "grid_in"
    result = await answer(hass, result, {})
    changed = dict(zip((*imports, *exports), (*exports.values(), *imports.values()), strict=True))
    assert result["data"].items() >= changed.items()


@pytest.mark.parametrize(("sensor", "lag"), [("sensor.grid", 8.0), ("sensor.other", Timings().meter_lag)])
async def test_another_meter_is_not_as_late(site: Site, sensor: str, lag: float) -> None:
    """How late the meter is was found out for that one; another change of the settings leaves it."""
    fill(site.hass, grid=(100, "W"), other=(100, "W"))
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid", dynamic=False)
    await site.set_up(manager)
    site.hass.data[SHARED].memory.set_site(meter_lag_s=8.0)
    result = await answer(site.hass, await manager.start_reconfigure_flow(site.hass), CONNECTION)
    result = await answer(site.hass, result, {"meter": "sensor"})
    result = await answer(site.hass, result, {"meter_entity": sensor})
    result = await answer(site.hass, await protect(site.hass, result), {})
    aborts(result, "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert configuration(site.hass).timings.meter_lag == lag


async def test_something_else(hass: HomeAssistant) -> None:
    """The way back to the choice of the meter keeps what was typed, and the new meter has no sensors of the old one."""
    fill(hass, p1=(1, "W"), p2=(1, "W"), p3=(1, "W"), grid=(100, "W"))
    result = await answer(hass, await to_sensors(hass, "phase_power"), phases("p"))
    result = await protect(hass, result, safety_margin=7)
    result = await answer(hass, result, {"meter_right": "other"})
    shows(result, "grid_meter")
    assert suggested(result) == {"meter": "phase_power"}
    result = await answer(hass, result, {"meter": "sensor"})
    result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    assert suggested(result)["safety_margin"] == 7
    result = await answer(hass, await protect(hass, result, safety_margin=7), {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not {"meter_l1", "meter_l2", "meter_l3"} & set(result["data"])
    assert result["data"]["meter_kind"] == "total_power"


async def test_a_meter_that_can_do_more(hass: HomeAssistant) -> None:
    """Protection that the meter before could not give is offered again, and one that is turned off stays off."""
    fill(hass, p1=(1, "W"), p2=(1, "W"), p3=(1, "W"), grid=(100, "W"))
    result = await answer(hass, await to_sensors(hass, "sensor"), {"meter_entity": "sensor.grid"})
    result = await protect(hass, result)
    shows(result, "confirm_surplus_only")
    result = await answer(hass, await answer(hass, result, {"meter_right": "other"}), {"meter": "phase_power"})
    result = await answer(hass, result, phases("p"))
    assert "dynamic" not in suggested(result)
    assert defaults(result)["dynamic"] is True
    result = await protect(hass, result, dynamic=False)
    shows(result, "confirm_static")
    result = await answer(hass, await answer(hass, result, {"meter_right": "other"}), {"meter": "phase_power"})
    result = await answer(hass, result, phases("p"))
    assert suggested(result)["dynamic"] is False


def fill(hass: HomeAssistant, **sensors: tuple[float, str]) -> None:
    """Give sensors a value and a unit."""
    for name, (value, unit) in sensors.items():
        hass.states.async_set(f"sensor.{name}", str(value), {ATTR_UNIT_OF_MEASUREMENT: unit, "friendly_name": name})


def phases(prefix: str, *, key: str = "meter") -> dict[str, str]:
    """Return the sensors of three phases by field."""
    return {f"{key}_l{line}": f"sensor.{prefix}{line}" for line in (1, 2, 3)}


async def to_sensors(hass: HomeAssistant, kind: str, **changes: object) -> ConfigFlowResult:
    """Go to the sensors of a kind."""
    result = await answer(hass, await to_meter(hass, **changes), {"meter": kind})
    shows(result, "grid_sensor" if kind == "sensor" else f"grid_{kind}")
    return result


async def test_power_of_each_phase(hass: HomeAssistant) -> None:
    """Powers of the phases, export apart and with voltages, protect the fuse; the last step shows the currents."""
    fill(hass, p1=(2300, "W"), p2=(0.46, "kW"), p3=(0, "W"), e1=(0, "W"), e2=(0, "W"), e3=(230, "W"))
    fill(hass, u1=(230, "V"), u2=(230, "V"), u3=(230, "V"))
    result = await to_sensors(hass, "phase_power")
    sensors = phases("p") | phases("u", key="meter_voltage") | {"meter_direction": "separate", "meter_max_age": 60}
    result = await answer(hass, result, sensors)
    shows(result, "grid_export")
    result = await answer(hass, result, phases("e", key="meter_export"))
    result = await protect(hass, result, largest_consumer=20, fallback_current=6)
    shows(result, "confirm_sensor")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["power"] == "2530 W (L1 10.0 A, L2 2.0 A, L3 -1.0 A)"
    assert placeholders["meter"] == "p1, p2, p3, e1, e2, e3"
    result = await answer(hass, result, {})
    meter = {"meter_source": "sensor", "meter_entry": None, "meter_entity": None, "meter_kind": "phase_power"}
    protection = PROTECTION | {"largest_consumer": 20, "fallback_current": 6}
    stored = STORED | meter | sensors | phases("e", key="meter_export") | protection
    creates(result, "PV Load Manager", stored)


async def test_current_of_each_phase(hass: HomeAssistant) -> None:
    """Currents of the phases protect the fuse; the total power is optional."""
    fill(hass, i1=(10, "A"), i2=(2000, "mA"), i3=(-1, "A"), total=(2.5, "kW"))
    result = await to_sensors(hass, "phase_current")
    result = await answer(hass, result, phases("i") | {"meter_entity": "sensor.total"})
    result = await protect(hass, result)
    shows(result, "confirm_sensor")
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    assert placeholders["power"] == "2500 W (L1 10.0 A, L2 2.0 A, L3 -1.0 A)"
    result = await answer(hass, result, {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["meter_entity"] == "sensor.total"


async def test_dynamic_turned_off(hass: HomeAssistant) -> None:
    """Without dynamic load management the last step says that nobody watches."""
    fill(hass, i1=(1, "A"), i2=(1, "A"), i3=(1, "A"))
    result = await answer(hass, await to_sensors(hass, "phase_current"), phases("i"))
    shows(await protect(hass, result, dynamic=False), "confirm_static")


async def test_one_sensor_for_one_phase(hass: HomeAssistant) -> None:
    """A house with one phase is asked for the sensors of one."""
    fill(hass, p1=(100, "W"), e1=(0, "W"))
    result = await to_sensors(hass, "phase_power", phases="1")
    result = await answer(hass, result, {"meter_l1": "sensor.p1", "meter_direction": "separate"})
    result = await answer(hass, result, {"meter_export_l1": "sensor.e1"})
    assert set(defaults(result)) == {"dynamic", "safety_margin", "largest_consumer", "fallback_current"}


@pytest.mark.parametrize(
    ("kind", "change", "errors"),
    [
        ("phase_power", {"meter_l2": "sensor.none"}, {"meter_l2": "entity_not_found"}),
        ("phase_power", {"meter_l2": "sensor.v1"}, {"meter_l2": "not_a_power"}),
        ("phase_power", {"meter_l3": "sensor.v2"}, {"meter_l3": "entity_used_twice"}),
        ("phase_power", {"meter_voltage_l2": "sensor.v3"}, {"meter_voltage_l2": "entity_used_twice"}),
        ("phase_power", {"meter_voltage_l1": "sensor.a"}, {"meter_voltage_l1": "not_a_voltage"}),
        ("phase_power", {"meter_voltage_l1": "sensor.low"}, {"meter_voltage_l1": "not_a_voltage"}),
        ("phase_power", {"meter_max_age": 0}, {"meter_max_age": "max_age_out_of_range"}),
        ("phase_power", {"meter_max_age": 601}, {"meter_max_age": "max_age_out_of_range"}),
        ("phase_power", {"meter_max_age": 1.5}, {"meter_max_age": "max_age_out_of_range"}),
        ("phase_current", {"meter_l1": "sensor.w"}, {"meter_l1": "not_a_current"}),
        ("phase_current", {"meter_entity": "sensor.a"}, {"meter_entity": "not_a_power"}),
        (
            "phase_current",
            {"meter_l1": "sensor.none", "meter_max_age": -5},
            {"meter_l1": "entity_not_found", "meter_max_age": "max_age_out_of_range"},
        ),
    ],
)
async def test_errors_of_sensors(
    hass: HomeAssistant, kind: str, change: dict[str, object], errors: dict[str, str]
) -> None:
    """Each wrong sensor has a message at its own field, what was chosen stays, and the flow goes on."""
    unit = "W" if kind == "phase_power" else "A"
    fill(hass, v1=(1, unit), v2=(1, unit), v3=(1, unit), a=(230, "A"), w=(230, "W"), low=(24, "V"))
    if "sensor.v1" in change.values():
        fill(hass, v1=(1, "%"), w=(1, unit))
    good = phases("v") | {"meter_direction": "import_positive"}
    if "sensor.v1" in change.values():
        good |= {"meter_l1": "sensor.w"}
    result = await to_sensors(hass, kind)
    result = await answer(hass, result, good | change)
    shows(result, f"grid_{kind}", errors)
    assert suggested(result) == good | change
    shows(await answer(hass, result, good), "protection")


async def test_errors_of_export(hass: HomeAssistant) -> None:
    """A sensor cannot be import and export at once."""
    fill(hass, grid=(100, "W"), export=(0, "W"))
    result = await to_sensors(hass, "sensor")
    result = await answer(hass, result, {"meter_entity": "sensor.grid", "meter_direction": "separate"})
    shows(result, "grid_export")
    result = await answer(hass, result, {"meter_export_entity": "sensor.grid"})
    shows(result, "grid_export", {"meter_export_entity": "entity_used_twice"})
    result = await answer(hass, result, {"meter_export_entity": "sensor.nothing"})
    shows(result, "grid_export", {"meter_export_entity": "entity_not_found"})
    assert suggested(result) == {"meter_export_entity": "sensor.nothing"}
    result = await answer(hass, result, {"meter_export_entity": "sensor.export"})
    shows(await protect(hass, result), "confirm_surplus_only")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("safety_margin", 51, "margin_out_of_range"),
        ("safety_margin", -1, "margin_out_of_range"),
        ("safety_margin", 2.5, "margin_out_of_range"),
        ("imbalance", -1, "imbalance_out_of_range"),
        ("imbalance", 251, "imbalance_out_of_range"),
        ("largest_consumer", 36, "largest_out_of_range"),
        ("largest_consumer", -1, "largest_out_of_range"),
        ("fallback_current", 36, "fallback_out_of_range"),
        ("fallback_current", -1, "fallback_out_of_range"),
        ("fallback_current", 0.5, "fallback_out_of_range"),
    ],
)
async def test_errors_of_protection(hass: HomeAssistant, field: str, value: float, error: str) -> None:
    """A number that cannot be gets its own message at its field, what was typed stays, and the flow goes on."""
    fill(hass, i1=(1, "A"), i2=(1, "A"), i3=(1, "A"))
    result = await answer(hass, await to_sensors(hass, "phase_current"), phases("i"))
    result = await answer(hass, result, PROTECTION | {field: value})
    shows(result, "protection", {field: error})
    assert suggested(result) == PROTECTION | {field: value}
    shows(await answer(hass, result, PROTECTION), "confirm_sensor")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"largest_consumer": 16}, None),
        ({"largest_consumer": 16, "safety_margin": 10}, "largest_consumer"),
        ({"largest_consumer": 0, "safety_margin": 50}, None),
    ],
)
async def test_nothing_left(hass: HomeAssistant, answers: dict[str, int], error: str | None) -> None:
    """A reserve that leaves no charger its 6 A is refused."""
    fill(hass, i1=(1, "A"), i2=(1, "A"), i3=(1, "A"))
    result = await to_sensors(hass, "phase_current", main_fuse=16)
    result = await answer(hass, result, phases("i"))
    assert defaults(result)["largest_consumer"] == 16
    result = await answer(hass, result, answers)
    if error is None:
        shows(result, "confirm_sensor")
    else:
        shows(result, "protection", {error: "no_room_left"})


async def test_margin_leaves_nothing(hass: HomeAssistant) -> None:
    """Where only the margin is too large, it is what the message names; a small fuse has a default that works."""
    fill(hass, i1=(1, "A"), i2=(1, "A"), i3=(1, "A"))
    result = await to_sensors(hass, "phase_current", main_fuse=10)
    result = await answer(hass, result, phases("i"))
    assert defaults(result)["largest_consumer"] == 8
    result = await answer(hass, result, {"safety_margin": 50, "largest_consumer": 0})
    shows(result, "protection", {"safety_margin": "no_room_left"})
    shows(await answer(hass, result, {}), "confirm_sensor")


@pytest.mark.parametrize("meter", ["none", "sensor"])
async def test_dynamic_without_phase_currents(hass: HomeAssistant, meter: str) -> None:
    """Dynamic load management without the current of every phase is refused at its field."""
    fill(hass, grid=(100, "W"))
    result = await answer(hass, await to_meter(hass), {"meter": meter})
    if meter == "sensor":
        result = await answer(hass, result, {"meter_entity": "sensor.grid"})
    assert defaults(result) == STATIC
    result = await answer(hass, result, STATIC | {"dynamic": True})
    shows(result, "protection", {"dynamic": "no_phase_currents"})
    assert suggested(result)["dynamic"] is True
    result = await answer(hass, result, STATIC)
    shows(result, "confirm_no_meter" if meter == "none" else "confirm_surplus_only")


async def test_reconfigure_sensors(site: Site) -> None:
    """Reconfiguring shows the stored sensors again, and leaves nothing behind of those that are no longer used."""
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), manager)
    fill(site.hass, p1=(1, "W"), p2=(1, "W"), p3=(1, "W"), i1=(1, "A"), i2=(1, "A"), i3=(1, "A"))
    for kind, prefix in (("phase_power", "p"), ("phase_current", "i")):
        result = await answer(site.hass, await manager.start_reconfigure_flow(site.hass), CONNECTION)
        result = await answer(site.hass, result, {"meter": kind})
        result = await answer(site.hass, result, phases(prefix) | {"meter_direction": "export_positive"})
        result = await protect(site.hass, result)
        aborts(await answer(site.hass, result, {}), "reconfigure_successful")
        await site.hass.async_block_till_done()
        result = await answer(site.hass, await manager.start_reconfigure_flow(site.hass), CONNECTION)
        assert suggested(result) == {"meter": kind}
        result = await answer(site.hass, result, {"meter": kind})
        assert suggested(result) == phases(prefix) | {"meter_direction": "export_positive"}
        site.hass.config_entries.flow.async_abort(result["flow_id"])
    result = await answer(site.hass, await manager.start_reconfigure_flow(site.hass), CONNECTION)
    result = await protect(site.hass, await answer(site.hass, result, {"meter": "none"}), **STATIC)
    aborts(await answer(site.hass, result, {}), "reconfigure_successful")
    assert manager.data == STORED | STATIC | {"meter_source": "none", "meter_entry": None, "meter_entity": None}
