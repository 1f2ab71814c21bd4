"""The actions: what they do, what they refuse, and how they are described."""

from datetime import timedelta
import json
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import load_yaml_dict
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import CIRCUIT_SUBENTRY, DOMAIN
from custom_components.pv_load_manager.control import Override
from custom_components.pv_load_manager.services import ACTIONS
from custom_components.pv_load_manager.services.charging import SET_OVERRIDE_SCHEMA
from custom_components.pv_load_manager.shared import SHARED

from .code import ROOT, load
from .conftest import BuildSite, sunny
from .site import Site, circuits, configuration, eventually
from .watching import TWO, gives, holds

SCHEMAS = {action.name: action.schema for action in ACTIONS}
TARGETS = {"entity_id", "device_id", "area_id", "floor_id", "label_id"}


async def act(site: Site, action: str, **data: Any) -> dict[str, Any]:
    """Call an action; return its answer, an empty one where it has none."""
    answers = site.hass.services.supports_response(DOMAIN, action) is not SupportsResponse.NONE
    answer = await site.hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=answers)
    return dict(answer or {})


async def refuse(site: Site, action: str, **data: Any) -> str:
    """Call an action, expect that it is refused, and return the message for the user."""
    with pytest.raises(ServiceValidationError) as refusal:
        await act(site, action, **data)
    message = await translated(site.hass, refusal.value)
    assert "{" not in message
    return message


async def translated(hass: HomeAssistant, refusal: ServiceValidationError) -> str:
    """Return the message of an error in English, its placeholders filled."""
    assert refusal.translation_domain == DOMAIN
    texts = await async_get_translations(hass, "en", "exceptions", {DOMAIN})
    text = texts[f"component.{DOMAIN}.exceptions.{refusal.translation_key}.message"]
    return text.format(**(refusal.translation_placeholders or {}))


def device(site: Site, entry: MockConfigEntry) -> str:
    """Return the id of the device of an entry."""
    (found,) = dr.async_entries_for_config_entry(dr.async_get(site.hass), entry.entry_id)
    return found.id


def override(site: Site, serial: str = "10000001") -> Override | None:
    """Return what somebody chose for a charger."""
    manager = site.hass.data[SHARED].load_manager
    assert manager is not None
    return manager.override(serial)


async def test_every_action_is_described(hass: HomeAssistant) -> None:
    """Every action has its texts in every language, its icon and its form, for all of its fields and no others."""
    assert await async_setup_component(hass, DOMAIN, {})
    forms = load_yaml_dict(str(ROOT / "services.yaml"))
    assert set(hass.services.async_services_for_domain(DOMAIN)) == set(SCHEMAS) == set(forms)
    assert set(load("icons.json")["services"]) == set(SCHEMAS)
    for language in ("en", "de"):
        texts = load(f"translations/{language}.json")["services"]
        assert set(texts) == set(SCHEMAS)
        for action, schema in SCHEMAS.items():
            allowed = {str(key) for key in schema.schema}
            fields = forms[action].get("fields") or {}
            assert set(fields) == set(texts[action].get("fields", {})) == allowed - TARGETS, action
            assert ("target" in forms[action]) == bool(allowed & TARGETS), action
            required = {str(key) for key in schema.schema if isinstance(key, probatio.Required)}
            assert {name for name, field in fields.items() if field.get("required")} == required, action
            for field in fields.values():
                assert "selector" in field
            for text in (texts[action], *texts[action].get("fields", {}).values()):
                assert text["name"]
                assert text["description"].endswith(".")
    # The values that the form gives as an example are taken.
    for action, form in forms.items():
        examples = {name: field["example"] for name, field in (form.get("fields") or {}).items()}
        examples.pop("until", None)
        target = {"entity_id": "select.garage_charge_mode"} if "target" in form else {}
        SCHEMAS[action](json.loads(json.dumps({**target, **examples})))


@pytest.mark.parametrize("action", sorted(set(SCHEMAS) - {"export_sessions"}))
async def test_without_a_load_manager(site: Site, action: str) -> None:
    """Without a load manager every action that is about one says so, also before any entry is set up."""
    assert await async_setup_component(site.hass, DOMAIN, {})
    data = {
        "set_override": {"entity_id": "select.garage_charge_mode", "current": 10},
        "clear_override": {"entity_id": "select.garage_charge_mode"},
        "set_charge_mode": {"entity_id": "select.garage_charge_mode", "mode": "fast"},
        "set_priority": {"entity_id": "select.garage_charge_mode", "priority": "high"},
        "redistribute": {},
        "explain": {},
        "check_meter": {"entity_id": "select.garage_charge_mode"},
        "learn_phase_rotation": {"entity_id": "select.garage_charge_mode"},
        "set_available_current": {"current": 10},
        "request_phases": {"phases": 1},
        "set_circuit_limit": {"circuit": "root"},
    }[action]
    assert "There is no load manager" in await refuse(site, action, **data)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"current": 5},
        {"current": -1},
        {"current": 33},
        {"current": 10.5},
        {"current": "much"},
        {"current": True},
        {"current": None},
        {"current": 10, "duration": {"hours": 1}, "until": "2030-01-01 00:00:00"},
        {"current": 10, "duration": {"days": 400}},
        {"current": 10, "duration": {"hours": -1}},
        {"current": 10, "energy": 0},
        {"current": 10, "energy": 501},
        {"current": 10, "until": "tomorrow"},
        {"current": 10, "phases": 1},
    ],
)
def test_set_override_takes_only_what_makes_sense(data: dict[str, Any]) -> None:
    """A current that no charger offers, two ends of time, and what is no energy are refused."""
    with pytest.raises(probatio.Invalid):
        SET_OVERRIDE_SCHEMA({"entity_id": "select.garage_charge_mode", **data})


@pytest.mark.parametrize(("given", "taken"), [(0, 0), ("16", 16), (6.0, 6), (32, 32)])
def test_currents_that_are_taken(given: object, taken: int) -> None:
    """Currents may come as text or with a decimal point, as templates and forms give them."""
    assert SET_OVERRIDE_SCHEMA({"entity_id": "select.garage", "current": given})["current"] == taken


async def test_targets(build_site: BuildSite) -> None:
    """Chargers are chosen by entity or device, other devices beside them do no harm, and no charger is an error."""
    site = await build_site(sunny(*TWO, pv_w=0))
    inverter, first, second, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: holds(site)() and holds(site, 1)())
    await act(site, "set_override", device_id=[device(site, first)], current=8)
    assert (override(site), override(site, "10000002")) == (Override(current_a=8), None)
    everything = [device(site, entry) for entry in (inverter, first, second, manager)]
    await act(site, "set_override", device_id=everything, current=10)
    assert override(site) == override(site, "10000002") == Override(current_a=10)
    await act(site, "clear_override", entity_id=site.entity_id("sensor", second, "reason"))
    assert (override(site), override(site, "10000002")) == (Override(current_a=10), None)
    for target in ({"device_id": [device(site, inverter)]}, {"entity_id": "light.kitchen"}, {"entity_id": []}):
        assert "Choose at least one charger" in await refuse(site, "set_override", current=8, **target)
    assert override(site) == Override(current_a=10)


async def test_chargers_that_cannot_be_overridden(build_site: BuildSite) -> None:
    """A charger that is not managed, or not loaded, is named; then nothing is done to the others either."""
    site = await build_site(sunny(*TWO, pv_w=0))
    first, second, manager = site.charger_entry(0), site.charger_entry(1), site.manager_entry()
    await site.set_up(site.inverter_entry(), first, second, manager)
    await site.select(manager, "pv")
    both = [device(site, first), device(site, second)]
    site.hass.config_entries.async_update_entry(second, options={"managed": False})
    await site.hass.async_block_till_done()
    message = await refuse(site, "set_override", device_id=both, current=8)
    assert "Carport" in message
    assert "managed" in message
    site.hass.config_entries.async_update_entry(second, options={"managed": True})
    assert await site.hass.config_entries.async_unload(second.entry_id)
    message = await refuse(site, "set_override", device_id=both, current=8)
    assert "Carport" in message
    assert override(site) is None


async def test_charger_that_is_gone(build_site: BuildSite) -> None:
    """A charger that the user said is gone cannot be overridden; then nothing is done to the others either."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await site.home.chargers[1].stop()
    gone = site.entity_id("button", second, "gone")
    await eventually(lambda: site.value(second, "gone", "button") != "unavailable")
    await site.hass.services.async_call("button", "press", {"entity_id": gone}, blocking=True)
    both = [device(site, first), device(site, second)]
    await refuse(site, "set_override", device_id=both, current=8)
    await refuse(site, "set_override", device_id=both[1], current=0)
    assert override(site) is None
    await act(site, "set_override", device_id=both, current=0)
    assert override(site) == Override(current_a=0)


async def test_ends_that_are_over(site: Site) -> None:
    """An override that would be over already is refused."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    target = {"device_id": device(site, charger), "current": 10}
    past = (dt_util.now() - timedelta(seconds=1)).isoformat()
    assert "already be over" in await refuse(site, "set_override", **target, until=past)
    assert "already be over" in await refuse(site, "set_override", **target, duration={"seconds": 0})
    assert "already be over" in await refuse(site, "set_override", **target, until="0001-01-01T00:00:00+14:00")
    assert override(site) is None
    await act(site, "set_override", **target, until=(dt_util.now() + timedelta(minutes=1)).isoformat())
    found = override(site)
    assert found is not None
    assert found.until is not None
    assert found.until.tzinfo is not None


async def test_override_while_the_site_is_off(site: Site) -> None:
    """Off is above every override."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    target = {"device_id": device(site, charger), "current": 10}
    assert "mode is off" in await refuse(site, "set_override", **target)
    assert override(site) is None
    assert holds(site)()


async def test_set_available_current(site: Site) -> None:
    """The current for all chargers is in force at once; more than the maximum is refused and changes nothing."""
    *_, manager = await site.set_up_all()
    await site.set_number(manager, "maximum_total_current", 14)
    await site.select(manager, "fast")
    await eventually(gives(site, 14))
    await act(site, "set_available_current", current=9.7)
    await eventually(gives(site, 9))
    assert site.number(manager, "available_current", "number") == pytest.approx(9.7)
    assert "14" in await refuse(site, "set_available_current", current=15)
    assert configuration(site.hass).strategy.available_current_a == pytest.approx(9.7)
    await act(site, "set_available_current", current=0)
    await eventually(holds(site))


async def test_request_phases(site: Site) -> None:
    """The number of phases is requested where that is switched on; a wrong state is named."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 16)() and site.settings()["psm"] == 2)
    assert await refuse(site, "request_phases", phases=1)
    assert site.settings()["psm"] == 2
    await site.turn(manager, "external_phases", on=True)
    await act(site, "request_phases", phases="1")
    await eventually(lambda: site.settings()["psm"] == 1)


def add_circuit(site: Site, manager: MockConfigEntry, name: str) -> str:
    """Add a circuit of 16 A to the house connection and return its id."""
    data = MappingProxyType({"parent": "root", "limit": 16})
    circuit = ConfigSubentry(data=data, subentry_type=CIRCUIT_SUBENTRY, title=name, unique_id=None)
    site.hass.config_entries.async_add_subentry(manager, circuit)
    return circuit.subentry_id


async def test_set_circuit_limit(build_site: BuildSite) -> None:
    """A circuit is called by its name or its id; its limit is lowered for now, and is its rating again without one."""
    site = await build_site(sunny())
    manager = site.manager_entry()
    garage = add_circuit(site, manager, "Garage")
    await site.set_up(site.inverter_entry(), site.charger_entry(options={"circuit": garage}), manager)
    await site.select(manager, "fast")
    await eventually(gives(site, 16))
    await act(site, "set_circuit_limit", circuit=" garage", current=10)
    await eventually(gives(site, 10))
    await act(site, "set_circuit_limit", circuit=garage, current=8)
    await eventually(gives(site, 8))
    message = await refuse(site, "set_circuit_limit", circuit="Garage", current=20)
    assert "Garage" in message
    assert "16" in message
    message = await refuse(site, "set_circuit_limit", circuit="Carport", current=8)
    assert "Carport" in message
    assert "Garage" in message
    assert gives(site, 8)()
    await act(site, "set_circuit_limit", circuit="Garage")
    await eventually(gives(site, 16))
    await act(site, "set_circuit_limit", circuit="House connection", current=9)
    await eventually(lambda: site.settings()["amp"] <= 9)


async def test_circuits_of_one_name(site: Site) -> None:
    """Where several circuits have a name it has to be the id."""
    manager = site.manager_entry()
    first, _ = add_circuit(site, manager, "Garage"), add_circuit(site, manager, "garage")
    await site.set_up(site.inverter_entry(), site.charger_entry(), manager)
    assert "Several" in await refuse(site, "set_circuit_limit", circuit="Garage", current=8)
    await act(site, "set_circuit_limit", circuit=first, current=8)
    assert [circuit.demand_limit_a for circuit in circuits(site.hass)] == [8, None]
