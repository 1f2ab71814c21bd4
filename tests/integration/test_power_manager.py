"""WARP's documents over HTTP: every field can be read, what can be written has its effect, and curl works."""

import asyncio
from dataclasses import dataclass, replace
import os
from pathlib import Path
import re
import shutil
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.control import PhasePolicy
from custom_components.pv_load_manager.power_manager.documents import DOCUMENTS
from custom_components.pv_load_manager.power_manager.fields import Kind
from custom_components.pv_load_manager.power_manager.views import URL
from custom_components.pv_load_manager.shared import SHARED
from simulator import BatteryConfig
from tests.conftest import DEFAULT_DATA
from tests.seeds.documents import api
from tests.seeds.warp_api import WARP_API

from .conftest import BuildSite, sunny
from .site import Site, configuration, eventually
from .test_meters import say

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "warp_api.md"
OURS = frozenset(f"{name}.{field.name}" for name, document in DOCUMENTS.items() for field in document.fields)
NOT_THERE = frozenset({"meters.meters"})
"""What is ours alone."""
TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.BOOL: (bool,),
    Kind.INT: (int,),
    Kind.NUMBER: (int, float),
    Kind.LIST: (list,),
}
GRID_SENSORS = {"meter_kind": "phase_power", "meter_l1": "sensor.l1", "meter_l2": "sensor.l2", "meter_l3": "sensor.l3"}
BATTERY_SENSORS = {"battery_sensors": ["sensor.battery"], "battery_direction": "discharge_positive"}
WITH_TOKEN = 'curl() { command curl --silent --show-error --fail --header "Authorization: Bearer $TOKEN" "$@"; }'
SLOT = 3
"""Of the inverter with the meter; the seed's example has this number."""


@dataclass(frozen=True, kw_only=True)
class House:
    """A house with everything that the documents know, and a client with a token."""

    site: Site
    client: TestClient[Any, Any]
    inverter: MockConfigEntry
    charger: MockConfigEntry
    manager: MockConfigEntry

    async def read(self, document: str) -> dict[str, Any]:
        """Return a document."""
        answer = await self.client.get(f"{URL}/{document}")
        assert answer.status == 200, await answer.text()
        result: dict[str, Any] = await answer.json()
        return result

    async def write(self, document: str, body: object, *, status: int = 200) -> dict[str, Any]:
        """Write a document; return the answer."""
        answer = await self.client.post(f"{URL}/{document}", json=body)
        assert answer.status == status, await answer.text()
        result: dict[str, Any] = await answer.json()
        return result

    async def shows(self, owner: MockConfigEntry, key: str, platform: str, value: str) -> None:
        """Wait until an entity says something."""
        await eventually(lambda: self.site.value(owner, key, platform) == value)

    async def ready_for_phases(self) -> None:
        """Turn on that phases can be requested from outside."""
        await self.site.turn(self.manager, "external_phases", on=True)
        await eventually(lambda: self.site.value(self.manager, "external_control") == "ready")


@pytest.fixture(name="house")
async def house_fixture(build_site: BuildSite, all_enabled: None, hass_client: ClientSessionGenerator) -> House:
    """Return a house with a grid meter and a battery behind the third inverter, and sensors for both."""
    site = await build_site(replace(sunny(), battery=BatteryConfig(soc=0.5)))
    for entity_id in ("sensor.l1", "sensor.l2", "sensor.l3", "sensor.battery"):
        say(site.hass, entity_id, 100)
    for serial in ("00000001", "00000002"):
        old = site.inverter_entry(serial=serial)
        await site.hass.config_entries.async_set_disabled_by(old.entry_id, ConfigEntryDisabler.USER)
    inverter, charger = site.inverter_entry(), site.charger_entry()
    manager = site.manager_entry(**GRID_SENSORS)
    site.hass.config_entries.async_update_entry(manager, options=BATTERY_SENSORS | {"battery_source": "inverters"})
    await site.set_up(inverter, charger, manager)
    return House(site=site, client=await hass_client(), inverter=inverter, charger=charger, manager=manager)


def seed_text() -> str | None:
    """Return the documentation of WARP, None where it is not here."""
    data = Path(os.environ.get("PVLM_DATA", DEFAULT_DATA))
    file = Path(os.environ.get("PVLM_SEEDS", data.parent / "reference" / "seeds")) / WARP_API.file
    return file.read_text(encoding="utf-8") if file.is_file() else None


def seed_fields() -> set[str]:
    """Return every field of the documentation; skip where it is missing."""
    if (text := seed_text()) is None:
        pytest.skip(f"the document {WARP_API.file} is not here: set PVLM_SEEDS")
    return {item.key for item in api(text) if re.fullmatch(r"\w+\.\w+", item.key)}


def test_no_field_is_missing() -> None:
    """Our table has every field of the documentation, and no other but what is ours alone."""
    assert seed_fields() == OURS - NOT_THERE


async def test_every_field_can_be_read(house: House) -> None:
    """Every field has its type; only figures without a counterpart may be unknown."""
    text = seed_text()
    wanted = OURS if text is None else seed_fields() | NOT_THERE
    documents = {name: await house.read(name) for name in DOCUMENTS}
    for name, document in DOCUMENTS.items():
        assert list(documents[name]) == [field.name for field in document.fields]
    for path in wanted:
        document, name = path.split(".")
        (field,) = (field for field in DOCUMENTS[document].fields if field.name == name)
        value = documents[document][name]
        unknown = value is None and document == "low_level_state"
        assert unknown or isinstance(value, TYPES[field.kind]), path
        assert isinstance(value, bool) is (field.kind is Kind.BOOL and not unknown), path
    assert documents["config"] == {
        "enabled": True,
        "default_mode": 2,
        "excess_charging_enable": True,
        "phase_switching_mode": 0,
        "target_power_from_grid": 0,
        "guaranteed_power": 1380,
        "cloud_filter_mode": 2,
        "meter_slot_grid_power": SLOT,
        "meter_slot_battery_power": SLOT,
        "battery_mode": 0,
        "battery_inverted": True,
        "battery_deadzone": 100,
    }
    assert documents["charge_mode"] == {"mode": 2}
    assert documents["state"]["external_control"] == 1
    assert documents["dynamic_load_config"] == {
        "enabled": True,
        "meter_slot_grid_currents": SLOT,
        "current_limit": 35_000,
        "largest_consumer_current": 0,
        "safety_margin_pct": 0,
    }
    inverter = {"slot": SLOT, "name": house.inverter.data["serial"], "grid_power": True, "grid_currents": True}
    assert documents["meters"]["meters"] == [
        {
            "slot": 0,
            "name": "sensor.l1, sensor.l2, sensor.l3, sensor.battery",
            "grid_power": True,
            "grid_currents": True,
            "battery_power": True,
        },
        {**inverter, "battery_power": True},
    ]


EFFECTS = {
    "default_mode": [(0, "fast"), (1, "off"), (2, "pv"), (3, "min_pv")],
    "excess_charging_enable": [(False, "off"), (True, "on")],
    "phase_switching_mode": [(1, "one"), (2, "three"), (4, "one_for_pv"), (0, "auto")],
    "target_power_from_grid": [(-20_000, "-20000.0"), (200, "200.0")],
    "guaranteed_power": [(0, "0.0"), (2000, "2000.0"), (22_080, "22080.0")],
    "cloud_filter_mode": [(0, "none"), (1, "weak"), (2, "medium"), (3, "strong")],
    "battery_mode": [(1, "battery"), (0, "chargers")],
    "battery_deadzone": [(0, "0.0"), (9999, "9999.0")],
}
"""What is written, and what the entity of that setting says then."""
ENTITIES = {
    "default_mode": ("select", "default_mode"),
    "excess_charging_enable": ("switch", "excess_charging"),
    "phase_switching_mode": ("select", "phase_policy"),
    "target_power_from_grid": ("number", "target_grid_power"),
    "guaranteed_power": ("number", "guaranteed_power"),
    "cloud_filter_mode": ("select", "cloud_filter"),
    "battery_mode": ("select", "battery_priority"),
    "battery_deadzone": ("number", "battery_dead_zone"),
}


async def test_settings_can_be_written(house: House) -> None:
    """What is written is read again, and the entity of the setting says so."""
    for name, values in EFFECTS.items():
        platform, key = ENTITIES[name]
        owner = house.charger if key == "phase_policy" else house.manager
        for value, state in values:
            assert (await house.write("config", {name: value}))[name] == value
            assert (await house.read("config"))[name] == value
            await house.shows(owner, key, platform, state)
    written = set(EFFECTS) | {"enabled", "meter_slot_grid_power", "meter_slot_battery_power", "battery_inverted"}
    assert written == {field.name for field in DOCUMENTS["config"].fields}, "the others have tests of their own"


async def test_what_is_read_can_be_written_back(house: House) -> None:
    """A whole document that is read and written back changes nothing, also what WARP has no number for."""
    await house.site.select(house.manager, "target_soc", key="battery_priority")
    assert (await house.read("config"))["battery_mode"] == 1
    before, version = await house.read("config"), house.manager.modified_at
    assert await house.write("config", before) == before
    for name in ("cloud_filter_mode", "battery_mode"):
        assert await house.write("config", {name: before[name]}) == before
    states = {key: house.site.value(house.manager, key, "select") for key in ("default_mode", "cloud_filter")}
    assert states == {"default_mode": "last", "cloud_filter": "adaptive"}
    assert house.site.value(house.manager, "battery_priority", "select") == "target_soc"
    assert house.manager.modified_at == version, "it is not even loaded anew"
    assert (await house.write("config", {"default_mode": 2}))["default_mode"] == 2
    await eventually(lambda: house.site.value(house.manager, "default_mode", "select") == "pv")
    await house.write("config", {"enabled": False})
    assert (await house.read("config"))["enabled"], "it is computed"
    await house.site.turn(house.manager, "excess_charging", on=False)
    await house.site.turn(house.manager, "dynamic_load_management", on=False)
    assert not (await house.read("config"))["enabled"]


async def test_phases_that_are_fixed_for_a_while(house: House) -> None:
    """What a test of the wiring asks of a charger is no setting: who writes back what was read does not keep it."""
    core = house.site.hass.data[SHARED].load_manager
    assert core is not None
    core.fixed_phases[house.charger.data["serial"]] = PhasePolicy.ONE
    core.decide_now()
    read = await house.read("config")
    assert read["phase_switching_mode"] == 0
    assert (await house.write("config", {**read, "phase_switching_mode": 1}))["phase_switching_mode"] == 1
    await house.shows(house.charger, "phase_policy", "select", "one")


@pytest.mark.parametrize(("mode", "option"), [(0, "fast"), (1, "off"), (2, "pv"), (3, "min_pv")])
@pytest.mark.parametrize("short", [False, True], ids=["object", "short"])
async def test_charge_mode(house: House, mode: int, option: str, *, short: bool) -> None:
    """The site's mode, also as a bare number; a written document is what a read one says."""
    await house.site.select(house.manager, "off" if option != "off" else "fast")
    assert await house.write("charge_mode", mode if short else {"mode": mode}) == {"mode": mode}
    await eventually(lambda: house.site.value(house.manager, "charge_mode", "select") == option)
    assert await house.read("charge_mode") == {"mode": mode}


async def test_charge_mode_without_surplus(house: House) -> None:
    """Modes that need the sun are not available while surplus charging is off, and one in force reads as fast."""
    await house.write("config", {"excess_charging_enable": False})
    assert await house.read("charge_mode") == {"mode": 0}
    assert (await house.read("config"))["default_mode"] == 0, "to go on as before is to go on fast"
    for document, field in (("charge_mode", "mode"), ("config", "default_mode")):
        for mode in (2, 3):
            answer = await house.write(document, {field: mode}, status=400)
            assert answer["field"] == field
            assert "excess_charging_enable" in answer["message"]
    both = {"excess_charging_enable": True, "default_mode": 3}
    assert both.items() <= (await house.write("config", both)).items()


async def test_external_control(house: House) -> None:
    """Phases are requested only while that is ready; the entity says what was requested."""
    answer = await house.write("external_control", {"phases_wanted": 1}, status=409)
    assert answer["field"] == "phases_wanted"
    assert "External phase control" in answer["message"], answer
    assert await house.read("external_control") == {"phases_wanted": 0}
    await house.ready_for_phases()
    assert (await house.read("state"))["external_control"] == 0
    for body, wanted in (({"phases_wanted": 0}, 0), (1, 1), ({"phases_wanted": 3}, 3), (0, 0)):
        await eventually(lambda: house.site.value(house.manager, "external_control") == "ready")
        assert await house.write("external_control", body) == {"phases_wanted": wanted}
        await house.shows(house.manager, "phase_request", "select", str(wanted))
    for wrong in (2, 4, -1):
        assert (await house.write("external_control", wrong, status=400))["field"] == "phases_wanted"
    assert await house.read("external_control") == {"phases_wanted": 0}


async def test_dynamic_load_config(house: House) -> None:
    """It says what was entered; writing is not offered."""
    data = {**house.manager.data, "main_fuse": 63, "largest_consumer": 39, "safety_margin": 10, "dynamic": True}
    house.site.hass.config_entries.async_update_entry(house.manager, data=data)
    await house.site.hass.async_block_till_done()
    assert await house.read("dynamic_load_config") == {
        "enabled": True,
        "meter_slot_grid_currents": SLOT,
        "current_limit": 63_000,
        "largest_consumer_current": 39_000,
        "safety_margin_pct": 10,
    }
    await house.site.turn(house.manager, "dynamic_load_management", on=False)
    switched_off = await house.read("dynamic_load_config")
    assert (switched_off["enabled"], switched_off["largest_consumer_current"]) == (False, 39_000)
    for document in ("dynamic_load_config", "state", "low_level_state", "meters"):
        assert (await house.client.post(f"{URL}/{document}", json={})).status == 405
        assert (await house.client.put(f"{URL}/{document}", json={})).status == 405


def commands(text: str) -> list[str]:
    """Return the curl commands of a text, with bodies over several lines."""
    return re.findall(r"^curl (?:[^'\n]|'[^']*')+", text, flags=re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("source", ["seed", "ours"])
async def test_curl(house: House, hass_access_token: str, source: str) -> None:
    """The examples of WARP's documentation and of ours work as they are, with our address and a token."""
    text = DOCUMENTATION.read_text(encoding="utf-8") if source == "ours" else seed_text()
    if text is None:
        pytest.skip(f"the document {WARP_API.file} is not here: set PVLM_SEEDS")
    environment = {"HOST": f"127.0.0.1:{house.client.port}/api/pv_load_manager", "TOKEN": hass_access_token}
    found = commands(text)
    assert len(found) >= 10
    await house.ready_for_phases()
    for command in found:
        if "external_control" in command:
            await house.write("config", {"phase_switching_mode": 0})
            await eventually(lambda: house.site.value(house.manager, "external_control") == "ready")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", f"{WITH_TOKEN}\n{command}", env=environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, command
        document = re.search(r"power_manager/(\w+)", command)
        assert document is not None
        fields = {field.name for field in DOCUMENTS[document[1]].fields}
        assert all(f'"{name}"'.encode() in out for name in fields), command
    assert await house.read("charge_mode") == {"mode": 2}
    assert await house.read("external_control") == {"phases_wanted": 1}
    assert configuration(house.site.hass).strategy.guaranteed_power_w == 1380
    assert house.manager.state is ConfigEntryState.LOADED
