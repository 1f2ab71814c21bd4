"""The flow of a circuit, a sub-entry of the load manager."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry, SubentryFlowResult
from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from simulator import HomeConfig

from .code import load
from .conftest import BuildSite
from .site import Site, circuits

TEXTS = load("translations/en.json")["config_subentries"]["circuit"]
GARAGE = {"name": "Garage", "parent": "root", "limit": 20, "safety_margin": 0, "imbalance": 0, "meter": "none"}
STORED = {"parent": "root", "limit": 20, "safety_margin": 0, "imbalance": 0}


@pytest.fixture(name="site")
async def site_fixture(build_site: BuildSite) -> Site:
    """Return a house without devices."""
    return await build_site(HomeConfig(inverter=None, chargers=()))


@pytest.fixture(name="manager")
async def manager_fixture(site: Site) -> MockConfigEntry:
    """Return a load manager for three phases that runs."""
    manager = site.manager_entry()
    await site.set_up(manager)
    return manager


async def begin(hass: HomeAssistant, manager: ConfigEntry, circuit: str | None = None) -> SubentryFlowResult:
    """Start to add a circuit, or to change one, and expect the first form."""
    context: dict[str, Any] = {"source": SOURCE_USER}
    if circuit is not None:
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": circuit}
    result = await hass.config_entries.subentries.async_init((manager.entry_id, "circuit"), context=context)
    shows(result, "circuit")
    return result


async def answer(hass: HomeAssistant, result: SubentryFlowResult, user_input: Mapping[str, Any]) -> SubentryFlowResult:
    """Fill in the shown form and return what comes next."""
    return await hass.config_entries.subentries.async_configure(result["flow_id"], dict(user_input))


def shows(result: SubentryFlowResult, step_id: str, errors: Mapping[str, str] | None = None) -> None:
    """Expect a form; its errors have texts and stand at fields that it has."""
    assert result["type"] is FlowResultType.FORM, result
    assert result["step_id"] == step_id
    assert (result["errors"] or {}) == (errors or {})
    assert result["data_schema"] is not None
    assert set(errors or {}) <= {str(key) for key in result["data_schema"].schema}
    assert set((errors or {}).values()) <= set(TEXTS["error"])


def suggested(result: SubentryFlowResult) -> dict[str, Any]:
    """Return what the form shows before anything is typed."""
    assert result["data_schema"] is not None
    return {
        str(key): key.description["suggested_value"]
        for key in result["data_schema"].schema
        if key.description and "suggested_value" in key.description
    }


def offered(result: SubentryFlowResult) -> list[str]:
    """Return the circuits that can be chosen as parent."""
    assert result["data_schema"] is not None
    options = result["data_schema"].schema["parent"].config["options"]
    return [option["label"] for option in options]


async def add(hass: HomeAssistant, manager: ConfigEntry, **changes: Any) -> str:
    """Add a circuit and return its id."""
    before = set(manager.subentries)
    result = await answer(hass, await begin(hass, manager), GARAGE | changes)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    (circuit,) = set(manager.subentries) - before
    return circuit


def fill(hass: HomeAssistant, unit: str, *names: str) -> None:
    """Give sensors a value."""
    for name in names:
        hass.states.async_set(f"sensor.{name}", "1", {ATTR_UNIT_OF_MEASUREMENT: unit})


async def test_add(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A circuit without a meter is one form, and in force at once."""
    circuit = await add(hass, manager, name="  Garage ", limit_power=11000)
    subentry = manager.subentries[circuit]
    assert (subentry.title, subentry.subentry_type) == ("Garage", "circuit")
    assert subentry.data == STORED | {"limit_power": 11000}
    (found,) = circuits(hass)
    assert (found.circuit_id, found.parent_id, found.limit_a, found.limit_w) == (circuit, "root", 20, 11000)
    assert (found.imbalance_a, found.metered, found.safety_margin) == (None, False, 0)
    names = hass.data["pv_load_manager"].load_manager.circuit_names
    assert names[circuit] == "Garage"
    assert set(names) == {"root", circuit}


async def test_add_with_power_of_each_phase(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A circuit with a meter has a reserve, a margin and a fallback."""
    fill(hass, "W", "p1", "p2", "p3", "e1", "e2", "e3")
    result = await begin(hass, manager)
    result = await answer(hass, result, GARAGE | {"safety_margin": 10, "imbalance": 16, "meter": "phase_power"})
    shows(result, "phase_power")
    sensors = {f"meter_l{line}": f"sensor.p{line}" for line in (1, 2, 3)} | {"meter_direction": "separate"}
    result = await answer(hass, result, sensors | {"meter_max_age": 120})
    shows(result, "export")
    export = {f"meter_export_l{line}": f"sensor.e{line}" for line in (1, 2, 3)}
    hass.states.async_set("sensor.p1", "2.301", {"unit_of_measurement": "kW"})
    result = await answer(hass, result, export)
    shows(result, "reserve")
    assert result["description_placeholders"]["power"] == "2300 W (L1 10.0 A, L2 0.0 A, L3 0.0 A)"
    result = await answer(hass, result, {"largest_consumer": 10, "fallback_current": 6})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    (subentry,) = manager.subentries.values()
    assert subentry.data == STORED | sensors | export | {
        "safety_margin": 10,
        "imbalance": 16,
        "meter_kind": "phase_power",
        "meter_max_age": 120,
        "largest_consumer": 10,
        "fallback_current": 6,
    }
    (found,) = circuits(hass)
    assert found.metered
    assert (found.largest_consumer_a, found.safety_margin, found.fallback_a) == (10, 0.1, 6)
    assert (found.imbalance_a, found.meter_max_age_s) == (16, 120)


async def test_one_phase(hass: HomeAssistant, site: Site) -> None:
    """In a house with one phase there is one sensor and no imbalance."""
    manager = site.manager_entry(phases=1)
    await site.set_up(manager)
    fill(hass, "A", "i1")
    result = await begin(hass, manager)
    fields = {key: value for key, value in GARAGE.items() if key != "imbalance"}
    result = await answer(hass, result, fields | {"meter": "phase_current"})
    result = await answer(hass, result, {"meter_l1": "sensor.i1"})
    shows(result, "reserve")
    assert (await answer(hass, result, {}))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"name": " "}, {"name": "name_missing"}),
        ({"name": "house 2"}, {"name": "name_taken"}),
        ({"limit": 6}, {"limit": "limit_out_of_range"}),
        ({"limit": 251}, {"limit": "limit_out_of_range"}),
        ({"limit": 16.5}, {"limit": "limit_out_of_range"}),
        ({"limit_power": 1000}, {"limit_power": "power_out_of_range"}),
        ({"limit_power": 1e6}, {"limit_power": "power_out_of_range"}),
        ({"safety_margin": 51}, {"safety_margin": "margin_out_of_range"}),
        ({"imbalance": -1}, {"imbalance": "imbalance_out_of_range"}),
        ({"limit": 10, "safety_margin": 50}, {"safety_margin": "no_room_left"}),
        ({"name": "", "limit": 0}, {"name": "name_missing", "limit": "limit_out_of_range"}),
    ],
)
async def test_errors(
    hass: HomeAssistant, manager: MockConfigEntry, change: dict[str, Any], errors: dict[str, str]
) -> None:
    """Each wrong field has its message, what was typed stays, and the flow goes on."""
    await add(hass, manager, name="House 2")
    result = await answer(hass, await begin(hass, manager), GARAGE | change)
    shows(result, "circuit", errors)
    assert suggested(result) == GARAGE | change
    assert (await answer(hass, result, GARAGE))["type"] is FlowResultType.CREATE_ENTRY


async def test_errors_of_sensors_and_reserve(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Also the later forms name the field, keep what was typed, and go on."""
    fill(hass, "A", "i1", "i2", "i3")
    result = await answer(hass, await begin(hass, manager), GARAGE | {"meter": "phase_current"})
    sensors = {f"meter_l{line}": f"sensor.i{line}" for line in (1, 2, 3)}
    result = await answer(hass, result, sensors | {"meter_l2": "sensor.i1"})
    shows(result, "phase_current", {"meter_l2": "entity_used_twice"})
    assert suggested(result)["meter_l2"] == "sensor.i1"
    result = await answer(hass, result, sensors)
    for typed, error in (
        ({"largest_consumer": 21}, "largest_out_of_range"),
        ({"fallback_current": 21}, "fallback_out_of_range"),
    ):
        result = await answer(hass, result, {"largest_consumer": 0, "fallback_current": 0} | typed)
        shows(result, "reserve", dict.fromkeys(typed, error))
        assert suggested(result).items() >= typed.items()
    assert (await answer(hass, result, {}))["type"] is FlowResultType.CREATE_ENTRY


async def test_errors_of_export(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A sensor cannot be both directions of a circuit."""
    fill(hass, "W", "p1", "p2", "p3", "e1", "e2", "e3")
    result = await answer(hass, await begin(hass, manager), GARAGE | {"meter": "phase_power"})
    sensors = {f"meter_l{line}": f"sensor.p{line}" for line in (1, 2, 3)}
    result = await answer(hass, result, sensors | {"meter_direction": "separate"})
    export = {f"meter_export_l{line}": f"sensor.e{line}" for line in (1, 2, 3)}
    result = await answer(hass, result, export | {"meter_export_l3": "sensor.p3"})
    shows(result, "export", {"meter_export_l3": "entity_used_twice"})
    shows(await answer(hass, result, export), "reserve")


async def test_reconfigure(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Reconfiguring shows what is stored, keeps its own name, and drops a meter that is no longer wanted."""
    fill(hass, "A", "i1", "i2", "i3")
    result = await answer(hass, await begin(hass, manager), GARAGE | {"meter": "phase_current"})
    sensors = {f"meter_l{line}": f"sensor.i{line}" for line in (1, 2, 3)} | {"meter_direction": "export_positive"}
    result = await answer(hass, result, sensors)
    await answer(hass, result, {"largest_consumer": 16, "fallback_current": 8})
    await hass.async_block_till_done()
    (circuit,) = manager.subentries
    result = await begin(hass, manager, circuit)
    assert suggested(result) == GARAGE | {"meter": "phase_current"}
    result = await answer(hass, result, suggested(result) | {"limit": 25})
    assert suggested(result) == sensors
    result = await answer(hass, result, suggested(result))
    assert suggested(result) == {"largest_consumer": 16, "fallback_current": 8}
    result = await answer(hass, result, suggested(result))
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await hass.async_block_till_done()
    assert circuits(hass)[0].limit_a == 25
    result = await answer(hass, await begin(hass, manager, circuit), GARAGE | {"name": "Carport"})
    assert result["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    assert manager.subentries[circuit].title == "Carport"
    assert manager.subentries[circuit].data == STORED
    assert not circuits(hass)[0].metered


async def test_parents(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A circuit can hang on any other one but itself and what hangs on it."""
    first = await add(hass, manager, name="First")
    second = await add(hass, manager, name="Second", parent=first)
    third = await add(hass, manager, name="Third", parent=second)
    assert offered(await begin(hass, manager)) == ["root", "First", "Second", "Third"]
    assert offered(await begin(hass, manager, first)) == ["root"]
    result = await begin(hass, manager, third)
    assert offered(result) == ["root", "First", "Second"]
    result = await begin(hass, manager, second)
    assert offered(result) == ["root", "First"]
    with pytest.raises(InvalidData):
        await answer(hass, result, GARAGE | {"parent": third})


async def test_loop(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A loop is refused also where the tree changed while the form was open."""
    first = await add(hass, manager, name="First")
    second = await add(hass, manager, name="Second")
    result = await begin(hass, manager, first)
    other = await begin(hass, manager, second)
    await answer(hass, other, GARAGE | {"name": "Second", "parent": first})
    result = await answer(hass, result, GARAGE | {"name": "First", "parent": second})
    shows(result, "circuit", {"parent": "circuit_loop"})
    result = await answer(hass, result, GARAGE | {"name": "First"})
    assert result["type"] is FlowResultType.ABORT
    await hass.async_block_till_done()
    assert {circuit.circuit_id: circuit.parent_id for circuit in circuits(hass)} == {first: "root", second: first}


async def test_parent_that_is_gone(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A parent that was removed while the form was open is refused; one that is gone has to be chosen anew."""
    first = await add(hass, manager, name="First")
    result = await begin(hass, manager)
    second = await add(hass, manager, name="Second", parent=first)
    hass.config_entries.async_remove_subentry(manager, first)
    result = await answer(hass, result, GARAGE | {"parent": first})
    shows(result, "circuit", {"parent": "unknown_parent"})
    result = await begin(hass, manager, second)
    assert "parent" not in suggested(result)
    assert offered(result) == ["root"]


async def test_only_a_load_manager_has_circuits(site: Site) -> None:
    """Other entries offer none."""
    manager = site.manager_entry()
    assert list(manager.supported_subentry_types) == ["circuit"]
    charger = MockConfigEntry(domain="pv_load_manager", data={"entry_type": "wattpilot", "serial": "1"})
    charger.add_to_hass(site.hass)
    assert not charger.supported_subentry_types
