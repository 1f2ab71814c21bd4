"""Entities that a user chose as meters: a new name is followed, and one that is gone raises a repair."""

import asyncio

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .conftest import OURS
from .site import Site, eventually
from .test_circuits import add_circuit
from .test_meters import add_sensor, say
from .test_presets import by_phase
from .test_sources import production, seen

PATIENCE = 0.3
POWERS = ("sensor.power_1", "sensor.power_2", "sensor.power_3")


def repair(hass: HomeAssistant) -> str | None:
    """Return what the repair names, None where there is none."""
    issue = ir.async_get(hass).async_get_issue("pv_load_manager", "meter_entity_gone")
    return None if issue is None else (issue.translation_placeholders or {})["entities"]


@pytest.fixture(name="manager")
async def manager_fixture(site: Site, monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return a loaded load manager with a grid meter, a circuit with a meter, a roof, and an input that dims."""
    monkeypatch.setattr(f"{OURS}.coordinators.meter_entities.PATIENCE", PATIENCE)
    for entity_id in (*POWERS, "sensor.grid", "sensor.roof"):
        add_sensor(site.hass, entity_id, device="A")
        say(site.hass, entity_id, 230)
    er.async_get(site.hass).async_get_or_create("binary_sensor", "relay", "dimmer", suggested_object_id="dimmer")
    site.hass.states.async_set("binary_sensor.dimmer", "off")
    manager = site.manager_entry(meter_source="sensor", meter_entry=None, meter_entity="sensor.grid")
    options = {"pv_sensors": ["sensor.roof"], "dimming_entity": "binary_sensor.dimmer"}
    site.hass.config_entries.async_update_entry(manager, options=options)
    add_circuit(site.hass, manager, "Garage", meter_kind="phase_power", **by_phase(*POWERS))
    await site.set_up(manager)
    return manager


@pytest.mark.parametrize("entity_id", ["sensor.grid", "sensor.roof", POWERS[1]])
async def test_gone(hass: HomeAssistant, manager: MockConfigEntry, entity_id: str) -> None:
    """An entity without any state raises a repair, but not at once, and takes it away when it is back."""
    assert repair(hass) is None
    hass.states.async_remove(entity_id)
    assert repair(hass) is None
    await eventually(lambda: repair(hass) == entity_id)
    hass.states.async_remove(POWERS[0])
    say(hass, entity_id, 100)
    assert repair(hass) == entity_id
    say(hass, POWERS[0], 100)
    assert repair(hass) is None


async def test_gone_for_a_moment(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """An integration that is reloaded, or a sensor that is unavailable, raises none."""
    hass.states.async_remove("sensor.grid")
    say(hass, "sensor.grid", "unavailable")
    hass.states.async_remove("binary_sensor.dimmer")
    await asyncio.sleep(PATIENCE + 0.1)
    assert repair(hass) is None


async def test_repair_outlives_a_reload(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A reload neither takes it away nor raises it anew; a start with all entities, or no load manager, does."""
    hass.states.async_remove("sensor.roof")
    await eventually(lambda: repair(hass) is not None)
    await hass.config_entries.async_reload(manager.entry_id)
    assert repair(hass) == "sensor.roof"
    await hass.config_entries.async_unload(manager.entry_id)
    say(hass, "sensor.roof", 1)
    assert repair(hass) == "sensor.roof", "nobody looks"
    await hass.config_entries.async_setup(manager.entry_id)
    assert repair(hass) is None
    hass.states.async_remove("sensor.roof")
    await eventually(lambda: repair(hass) is not None)
    await hass.config_entries.async_remove(manager.entry_id)
    assert repair(hass) is None


async def test_nothing_is_left_after_the_stop(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A stopped load manager raises no repair."""
    hass.states.async_remove("sensor.roof")
    await hass.config_entries.async_unload(manager.entry_id)
    await asyncio.sleep(PATIENCE + 0.1)
    assert repair(hass) is None


async def test_new_name(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """A renamed entity goes on being the meter, wherever it was chosen."""
    registry = er.async_get(hass)
    names = {
        "sensor.grid": "sensor.house",
        "sensor.roof": "sensor.solar",
        POWERS[2]: "sensor.phase_3",
        "binary_sensor.dimmer": "binary_sensor.grid_operator",
    }
    for old, new in names.items():
        registry.async_update_entity(old, new_entity_id=new)
        await hass.async_block_till_done()
        assert manager.state is ConfigEntryState.LOADED
        hass.states.async_remove(old)
        say(hass, new, 4600)
    assert manager.data["meter_entity"] == "sensor.house"
    assert manager.options["pv_sensors"] == ["sensor.solar"]
    assert manager.options["dimming_entity"] == "binary_sensor.grid_operator"
    (circuit,) = manager.subentries.values()
    assert circuit.data.items() >= by_phase(*POWERS[:2], "sensor.phase_3").items()
    assert production(hass) == 4600
    grid = seen(hass).grid
    assert grid is not None
    assert grid.power_w == 4600
    await eventually(lambda: seen(hass).circuits[circuit.subentry_id].currents_a[2] == 20)
    await asyncio.sleep(PATIENCE + 0.1)
    assert repair(hass) is None


async def test_other_changes_in_the_registry(hass: HomeAssistant, manager: MockConfigEntry) -> None:
    """Another icon of an entity changes nothing here; an entity that is removed stays what was chosen."""
    before = manager.data, manager.options
    registry = er.async_get(hass)
    registry.async_update_entity("sensor.grid", icon="mdi:flash")
    registry.async_remove("sensor.roof")
    hass.states.async_remove("sensor.roof")
    await hass.async_block_till_done()
    assert (manager.data, manager.options) == before
    await eventually(lambda: repair(hass) == "sensor.roof")
