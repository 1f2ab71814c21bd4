"""What users build on: every entity of a complete house, with its ids, classes, units and defaults.

A change here is a change for users. After an intended one: ``python -m pytest tests/integration/test_snapshots.py
--snapshot-update``.
"""

from dataclasses import replace
import json
from typing import Any

from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

from custom_components.pv_load_manager.const import DOMAIN
from simulator import BatteryConfig, ChargerConfig, InverterConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, eventually
from .test_circuits import METERED, add_circuit

PLATFORMS = ("binary_sensor", "button", "event", "number", "select", "sensor", "switch")
CHARGERS = tuple(
    ChargerConfig(serial=f"1000000{number}", name=name, car=QUICK_CAR)
    for number, name in enumerate(("Garage", "Carport"), start=1)
)
HOUSE = replace(
    sunny(*CHARGERS),
    battery=BatteryConfig(),
    inverter=InverterConfig(meters=("Export+Import", "Consumption")),
)


@pytest.fixture(name="snapshot")
def snapshot_fixture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return the snapshots in the form of Home Assistant's own."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


async def complete_house(build_site: BuildSite) -> tuple[Site, dict[str, str]]:
    """Set up everything there is; return the home and how ids that change with every run are shown."""
    site = await build_site(HOUSE)
    manager = site.manager_entry()
    metered = add_circuit(site.hass, manager, "Metered", **METERED)
    plain = add_circuit(site.hass, manager, "Plain", parent=metered)
    chargers = [site.charger_entry(0, options={"circuit": metered}), site.charger_entry(1, options={"circuit": plain})]
    await site.set_up(site.inverter_entry(), *chargers, manager)
    await eventually(lambda: all(_known(site, owner, "battery_today") for owner in (manager, *chargers)))
    await eventually(lambda: _known(site, manager, "house_power") and _known(site, manager, "battery_power"))
    return site, {manager.entry_id: "MANAGER", metered: "METERED", plain: "PLAIN"}


def _known(site: Site, owner: MockConfigEntry, key: str) -> bool:
    name = owner.data.get("serial", owner.entry_id)
    return er.async_get(site.hass).async_get_entity_id("sensor", DOMAIN, f"{name}_{key}") is not None


def _shown(entry: er.RegistryEntry, names: dict[str, str]) -> dict[str, Any]:
    """Return what of an entity users, statistics and automations depend on."""
    unique_id = entry.unique_id
    for random, name in names.items():
        unique_id = unique_id.replace(random, name)
    figures = {
        "unique_id": unique_id,
        "name": entry.original_name,
        "translation_key": entry.translation_key,
        "device_class": entry.original_device_class,
        "unit": entry.unit_of_measurement,
        "category": entry.entity_category,
        "capabilities": dict(entry.capabilities or {}),
        "precision": entry.options.get("sensor", {}).get("suggested_display_precision"),
        "features": entry.supported_features or None,
        "subentry": names.get(entry.config_subentry_id or ""),
        "disabled": entry.disabled or None,
    }
    shown = {key: value for key, value in figures.items() if value not in (None, {})}
    plain: dict[str, Any] = json.loads(json.dumps(shown))  # words instead of enumerations
    return plain


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_entities(
    build_site: BuildSite, entity_registry: er.EntityRegistry, snapshot: SnapshotAssertion, platform: str
) -> None:
    """Every entity is there, and none more."""
    _, names = await complete_house(build_site)
    entries = [entry for entry in entity_registry.entities.values() if entry.platform == DOMAIN]
    assert {entry.domain for entry in entries} == set(PLATFORMS)
    shown = {entry.entity_id: _shown(entry, names) for entry in entries if entry.domain == platform}
    assert dict(sorted(shown.items())) == snapshot


async def test_devices(build_site: BuildSite, device_registry: dr.DeviceRegistry, snapshot: SnapshotAssertion) -> None:
    """Every entry is one device, and every circuit one below that of the load manager."""
    site, _ = await complete_house(build_site)
    entries = [entry.entry_id for entry in site.hass.config_entries.async_entries(DOMAIN)]
    devices = [
        device for entry_id in entries for device in dr.async_entries_for_config_entry(device_registry, entry_id)
    ]
    by_id = {device.id: device.name for device in devices}
    shown = {
        str(device.name): {
            "manufacturer": device.manufacturer,
            "model": device.model,
            "model_id": device.model_id,
            "hardware": device.hw_version,
            "firmware": device.sw_version,
            "serial_number": device.serial_number,
            "entry_type": device.entry_type,
            "via": by_id.get(device.via_device_id or ""),
        }
        for device in devices
    }
    assert dict(sorted(shown.items())) == snapshot
