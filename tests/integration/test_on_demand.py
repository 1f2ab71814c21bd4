"""Limits on demand through Home Assistant: a number for each circuit, kept over a restart."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import safe_currents
from custom_components.pv_load_manager.shared import SHARED

from .conftest import BuildSite
from .site import Site, configuration, eventually
from .test_circuits import add_circuit, charges, house, set_up


def limit_id(site: Site, manager: MockConfigEntry, circuit: str) -> str:
    """Return the entity of a circuit's limit."""
    return site.entity_id("number", manager, f"circuit_limit_{circuit}")


async def set_limit(hass: HomeAssistant, entity_id: str, value: float) -> None:
    """Set a limit, as a user does."""
    await hass.services.async_call("number", "set_value", {"entity_id": entity_id, "value": value}, blocking=True)


def demands(hass: HomeAssistant) -> dict[str, float | None]:
    """Return what the core is told, by circuit."""
    return {circuit.circuit_id: circuit.demand_limit_a for circuit in configuration(hass).circuits}


@pytest.mark.usefixtures("all_enabled")
async def test_limits(build_site: BuildSite) -> None:
    """A circuit and the house connection are limited at once, with their names; their ratings take it away."""
    site = await build_site(house(3))
    manager = site.manager_entry(main_fuse=63)
    circuit = add_circuit(site.hass, manager, "Garage", limit=40)
    chargers = await set_up(site, manager, circuit, circuit, "root")
    await eventually(charges(site, 16, 16, 16))
    safe = safe_currents(configuration(site.hass))
    garage, root = (limit_id(site, manager, key) for key in (circuit, "root"))
    assert (site.hass.states.get(garage).state, site.hass.states.get(root).state) == ("40.0", "63.0")  # type: ignore[union-attr]
    await set_limit(site.hass, garage, 20)
    await eventually(charges(site, 10, 10, 16))
    await eventually(lambda: site.value(chargers[0], "reason") == "limited_on_demand")
    attributes = site.state("sensor", chargers[0], "reason").attributes
    assert attributes["text"].startswith("Garage:")
    assert "20 A" in attributes["text"]
    await set_limit(site.hass, root, 0)
    await eventually(charges(site, 0, 0, 0))
    await eventually(lambda: site.value(chargers[2], "reason") == "waiting_on_demand")
    assert site.state("sensor", chargers[2], "reason").attributes["text"].startswith("House connection:")
    assert safe_currents(configuration(site.hass)) == safe
    await set_limit(site.hass, root, 63)
    await set_limit(site.hass, garage, 40)
    assert demands(site.hass) == {"root": None, circuit: None}
    await eventually(charges(site, 16, 16, 16), within=20)


@pytest.mark.usefixtures("all_enabled")
async def test_above_the_rating(build_site: BuildSite) -> None:
    """More than the rating is refused by the entity and by the load manager, and nothing is changed."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20)
    await set_up(site, manager, circuit)
    garage = limit_id(site, manager, circuit)
    await set_limit(site.hass, garage, 12)
    with pytest.raises(ServiceValidationError):
        await set_limit(site.hass, garage, 21)
    for wrong in (20.5, -1.0, float("nan")):
        with pytest.raises(ServiceValidationError) as error:
            manager.runtime_data.set_circuit_limit(circuit, wrong)
        assert error.value.translation_key == "circuit_limit_out_of_range"
        assert error.value.translation_placeholders == {"circuit": "Garage", "maximum": "20"}
    with pytest.raises(ServiceValidationError) as error:
        manager.runtime_data.set_circuit_limit("cellar", 6.0)
    assert error.value.translation_key == "unknown_circuit"
    assert demands(site.hass) == {"root": None, circuit: 12}


async def test_entities(
    build_site: BuildSite, entity_registry: er.EntityRegistry, device_registry: dr.DeviceRegistry
) -> None:
    """Each circuit has its number, disabled at first; below the house connection it is a device that goes with it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20)
    await set_up(site, manager, circuit)
    root = entity_registry.async_get(limit_id(site, manager, "root"))
    garage = entity_registry.async_get(limit_id(site, manager, circuit))
    assert root is not None
    assert garage is not None
    assert root.disabled
    assert garage.disabled
    assert (root.config_subentry_id, garage.config_subentry_id) == (None, circuit)
    device = device_registry.async_get(garage.device_id or "")
    assert device is not None
    assert (device.name, device.config_entry_id) == ("Garage", manager.entry_id)
    assert device.via_device_id == root.device_id
    site.hass.config_entries.async_remove_subentry(manager, circuit)
    await site.hass.async_block_till_done()
    assert entity_registry.async_get(garage.entity_id) is None
    assert device_registry.async_get(garage.device_id or "") is None
    assert entity_registry.async_get(root.entity_id) is not None


async def test_outlives_a_restart(site: Site, hass_storage: dict[str, Any]) -> None:
    """What was demanded holds after a restart; what cannot be read, or is of no circuit, is nothing."""
    limits = {"root": 16, "gone": 8, "strange": "x"}
    hass_storage[DOMAIN] = {
        "version": 1,
        "key": DOMAIN,
        "data": {"site": {"mode": "fast", "circuit_limits": limits}, "chargers": {}},
    }
    manager = site.manager_entry()
    await site.set_up(manager)
    assert demands(site.hass) == {"root": 16}
    manager.runtime_data.set_circuit_limit("root", 10.0)
    assert site.hass.data[SHARED].memory.site["circuit_limits"] == {"root": 10}
    assert await site.hass.config_entries.async_reload(manager.entry_id)
    assert demands(site.hass) == {"root": 10}


async def test_gone_circuit(build_site: BuildSite) -> None:
    """A circuit that is removed takes its limit along."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garage", limit=20)
    await set_up(site, manager, "root")
    manager.runtime_data.set_circuit_limit(circuit, 7.0)
    manager.runtime_data.set_circuit_limit("root", 20.0)
    assert demands(site.hass) == {"root": 20, circuit: 7}
    site.hass.config_entries.async_remove_subentry(manager, circuit)
    await site.hass.async_block_till_done()
    assert demands(site.hass) == {"root": 20}
    assert site.hass.data[SHARED].memory.site["circuit_limits"] == {"root": 20}


async def test_rating_that_comes_down(build_site: BuildSite) -> None:
    """A limit above a new, smaller rating is the rating."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await set_up(site, manager, "root")
    manager.runtime_data.set_circuit_limit("root", 30.0)
    site.hass.config_entries.async_update_entry(manager, data=manager.data | {"main_fuse": 16})
    await site.hass.async_block_till_done()
    assert configuration(site.hass).circuits[0].allowed_a == 16
