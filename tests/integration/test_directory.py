"""Who belongs to the site, as a dashboard is told it over a real socket, and which sensors show its flows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.directory import Language, directory
from simulator import BatteryConfig, ChargerConfig

from .conftest import OURS, BuildSite, sunny
from .site import Site, eventually
from .test_actions import device
from .test_circuits import add_circuit
from .test_explain import until
from .test_removal import listeners, timers
from .watching import TWO

SERIAL = "10000001"
SOON = 0.05


@pytest.fixture(autouse=True)
def _tell_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the wait before a change is told down."""
    monkeypatch.setattr(f"{OURS}.directory.DEBOUNCE", SOON)


@pytest.fixture(name="client")
async def client_fixture(hass_ws_client: WebSocketGenerator, site: Site) -> MockHAClientWebSocket:
    """Return a client of Home Assistant, beside a site of which nothing is set up yet."""
    assert await async_setup_component(site.hass, DOMAIN, {})
    return await hass_ws_client()


@asynccontextmanager
async def subscribed(client: MockHAClientWebSocket, **data: Any) -> AsyncIterator[dict[str, Any]]:
    """Subscribe to the directory for a while; yield what is sent at once."""
    await client.send_json_auto_id({"type": f"{DOMAIN}/home", **data})
    answer = await client.receive_json()
    assert answer["success"]
    home = (await client.receive_json())["event"]
    assert abs(dt_util.utcnow() - datetime.fromisoformat(home.pop("at"))) < timedelta(seconds=20)
    yield home
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": answer["id"]})
    while (await client.receive_json())["type"] != "result":
        pass


async def home_of(hass: HomeAssistant) -> dict[str, Any]:
    """Return the directory as it is now, in English."""
    return directory(hass, await Language.async_of(hass, "en"))


async def test_a_whole_site(build_site: BuildSite, hass_ws_client: WebSocketGenerator) -> None:
    """Every entry with its device and its entities, the circuits with their chargers, in the language asked for."""
    site = await build_site(replace(sunny(*TWO), battery=BatteryConfig()))
    assert await async_setup_component(site.hass, DOMAIN, {})
    client = await hass_ws_client()
    manager = site.manager_entry()
    garage = add_circuit(site.hass, manager, "Garage circuit")
    chargers = [site.charger_entry(1), site.charger_entry(0, options={"circuit": garage})]
    inverter = site.inverter_entry()
    await site.set_up(inverter, *chargers, manager)
    await eventually(lambda: site.state("sensor", manager, "house_power"))
    async with subscribed(client, language="de") as home:
        assert set(home) == {"manager", "chargers", "inverters", "figures", "minus", "signs", "circuits"}
    first = home["chargers"][0]
    assert first | {"entities": None} == {
        "serial": SERIAL,
        "entry_id": chargers[1].entry_id,
        "device_id": device(site, chargers[1]),
        "name": "Garage",
        "state": "loaded",
        "disabled": False,
        "reason": None,
        "entities": None,
        "managed": True,
    }
    assert [charger["serial"] for charger in home["chargers"]] == [SERIAL, "10000002"]
    for domain, key in (("sensor", "reason"), ("select", "charge_mode"), ("event", "charging"), ("button", "gone")):
        assert first["entities"][f"{domain}.{key}"] == site.entity_id(domain, chargers[1], key)
    assert "sensor.starts_today" not in first["entities"]  # disabled until a user enables it
    assert "serial" not in home["manager"]
    assert home["manager"]["entities"]["sensor.free_current_root"] == site.entity_id(
        "sensor", manager, "free_current_root"
    )
    assert f"sensor.free_current_{garage}" in home["manager"]["entities"]
    assert [(found["serial"], found["has_battery"]) for found in home["inverters"]] == [("7E000001", True)]
    assert home["circuits"] == [
        {
            "id": "root",
            "name": "Hausanschluss",
            "parent": None,
            "rated_a": 35,
            "phases": [1, 2, 3],
            "chargers": ["10000002"],
        },
        {
            "id": garage,
            "name": "Garage circuit",
            "parent": "root",
            "rated_a": 20,
            "phases": [1, 2, 3],
            "chargers": [SERIAL],
        },
    ]
    every = [
        entity
        for member in (home["manager"], *home["chargers"], *home["inverters"])
        for entity in member["entities"].values()
    ]
    registry = er.async_get(site.hass).entities.values()
    assert sorted(every) == sorted(
        entity.entity_id for entity in registry if entity.platform == DOMAIN and entity.disabled_by is None
    )


async def test_every_user_may_read(
    site: Site, hass_ws_client: WebSocketGenerator, hass_read_only_access_token: str
) -> None:
    """Who may see the states may see whose they are."""
    await site.set_up_all()
    client = await hass_ws_client(site.hass, hass_read_only_access_token)
    async with subscribed(client) as home:
        assert home["manager"]["state"] == "loaded"


async def test_without_a_load_manager(client: MockHAClientWebSocket, site: Site) -> None:
    """Before the first entry there is nothing; chargers without a load manager are there, and its coming is told."""
    async with subscribed(client) as home:
        assert home == {
            "manager": None,
            "chargers": [],
            "inverters": [],
            "figures": {
                "surplus": None,
                "charging_power": None,
                "house_power": None,
                "grid_power": [],
                "pv_power": [],
                "battery_power": [],
                "battery_soc": None,
            },
            "minus": {"grid_power": [], "battery_power": []},
            "signs": {"grid_power": 1, "battery_power": 1},
            "circuits": [],
        }
        inverter, charger = site.inverter_entry(), site.charger_entry()
        await site.set_up(inverter, charger)
        told = await until(client, lambda home: home["chargers"] and home["chargers"][0]["state"] == "loaded")
        assert (told["manager"], told["circuits"]) == (None, [])
        assert told["figures"]["grid_power"] == [site.entity_id("sensor", inverter, "grid_power")]
        manager = site.manager_entry()
        await site.set_up(manager)
        told = await until(client, lambda home: home["manager"] and home["manager"]["state"] == "loaded")
        assert told["circuits"][0]["chargers"] == [SERIAL]


async def test_what_cannot_be_set_up(client: MockHAClientWebSocket, site: Site) -> None:
    """A charger that does not answer says why in the language asked for, and that it does again."""
    charger, manager = site.charger_entry(port=1), site.manager_entry()
    await site.set_up(site.inverter_entry(), manager)
    await site.fail_to_set_up(charger)
    async with subscribed(client, language="de") as home:
        (found,) = home["chargers"]
        assert (found["state"], found["device_id"], found["name"]) == ("setup_retry", None, "Garage")
        assert found["reason"].startswith("Garage unter 127.0.0.1 antwortet nicht.")
        assert home["circuits"][0]["chargers"] == [SERIAL]
        port = site.home.chargers[0].port
        site.hass.config_entries.async_update_entry(charger, data={**charger.data, "port": port})
        await site.hass.config_entries.async_reload(charger.entry_id)
        told = await until(client, lambda home: home["chargers"][0]["state"] == "loaded")
        assert told["chargers"][0]["reason"] is None
    async with subscribed(client) as home:
        assert home["circuits"][0]["name"] == "House connection"


async def test_a_reason_in_words_of_its_own(site: Site) -> None:
    """What failed without a text of ours is told as Home Assistant says it."""
    entry = site.charger_entry()
    for key, placeholders, told in (
        (None, None, "Something broke"),
        ("no_such_text", None, "Something broke"),
        ("charger_unreachable", {"name": "Garage"}, "Something broke"),
        ("charger_unreachable", {"name": "Garage", "host": "pilot"}, "Garage at pilot does not answer"),
    ):
        entry.mock_state(site.hass, ConfigEntryState.SETUP_ERROR, "Something broke")
        object.__setattr__(entry, "error_reason_translation_key", key)
        object.__setattr__(entry, "error_reason_translation_placeholders", placeholders)
        ((reason),) = [charger["reason"] for charger in (await home_of(site.hass))["chargers"]]
        assert reason.startswith(told)


async def test_changes_are_told(client: MockHAClientWebSocket, site: Site) -> None:
    """New names of entities and devices, disabled entities, options and removed entries are told soon."""
    _, charger, manager = await site.set_up_all()
    entities, power = er.async_get(site.hass), site.entity_id("sensor", charger, "power")

    def of_charger(home: dict[str, Any]) -> dict[str, Any]:
        return home["chargers"][0] if home["chargers"] else {}

    async with subscribed(client) as home:
        assert of_charger(home)["entities"]["sensor.power"] == power
        entities.async_update_entity(power, new_entity_id="sensor.wall")
        await until(client, lambda home: of_charger(home)["entities"]["sensor.power"] == "sensor.wall")
        entities.async_update_entity("sensor.wall", disabled_by=er.RegistryEntryDisabler.USER)
        await until(client, lambda home: "sensor.power" not in of_charger(home)["entities"])
        dr.async_get(site.hass).async_update_device(device(site, charger), name_by_user="Left bay")
        await until(client, lambda home: of_charger(home)["name"] == "Left bay")
        site.hass.config_entries.async_update_entry(charger, options={"managed": False})
        told = await until(client, lambda home: not of_charger(home)["managed"])
        assert told["circuits"][0]["chargers"] == []
        circuit = add_circuit(site.hass, manager, "Shed")
        await until(client, lambda home: [found["id"] for found in home["circuits"]] == ["root", circuit])
        await site.hass.config_entries.async_set_disabled_by(charger.entry_id, ConfigEntryDisabler.USER)
        told = await until(client, lambda home: of_charger(home)["state"] == "not_loaded")
        assert of_charger(told)["disabled"]
        await site.hass.config_entries.async_remove(charger.entry_id)
        await until(client, lambda home: not home["chargers"])


async def test_many_changes_are_one(client: MockHAClientWebSocket, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes at the same time is told together, and what concerns nobody here is not."""
    _, charger, _ = await site.set_up_all()
    monkeypatch.setattr(f"{OURS}.directory.DEBOUNCE", 0.3)
    made: list[dict[str, Any]] = []

    def counted(hass: HomeAssistant, language: Language) -> dict[str, Any]:
        made.append(directory(hass, language))
        return made[-1]

    monkeypatch.setattr(f"{OURS}.websocket.directory", counted)
    entities = er.async_get(site.hass)
    ours = er.async_entries_for_config_entry(entities, charger.entry_id)
    async with subscribed(client):
        for index, entity in enumerate(ours):
            entities.async_update_entity(entity.entity_id, new_entity_id=f"{entity.domain}.new_{index}")
        told = await until(client, lambda home: f"{ours[0].domain}.new_0" in home["chargers"][0]["entities"].values())
        assert all(".new_" in entity for entity in told["chargers"][0]["entities"].values())
        assert len(made) == 2
        entities.async_get_or_create("sensor", "demo", "other")
        await asyncio.sleep(0.5)
        assert len(made) == 2
        # Nothing that is shown changes, so it is looked at and not sent.
        entities.async_update_entity(f"{ours[0].domain}.new_0", icon="mdi:car")
        await eventually(lambda: len(made) == 3)
        await client.send_json_auto_id({"type": "ping"})
        assert (await client.receive_json())["type"] == "pong"


async def test_nothing_is_left(client: MockHAClientWebSocket, site: Site) -> None:
    """Who ends the subscription, or hangs up in the middle of a change, leaves nothing behind."""
    _, charger, _ = await site.set_up_all()
    await site.hass.async_block_till_done()

    def followed() -> list[str]:
        return [
            found
            for found in (*listeners(site.hass), *timers(site.hass))
            if ".directory" in found or "async_follow" in found
        ]

    assert not followed()
    async with subscribed(client):
        assert len(followed()) == 3
    assert not followed()
    await client.send_json_auto_id({"type": f"{DOMAIN}/home"})
    assert (await client.receive_json())["success"]
    er.async_get(site.hass).async_update_entity(site.entity_id("sensor", charger, "power"), name="Wall")
    await client.close()
    await eventually(lambda: not followed())


async def test_one_phase(build_site: BuildSite) -> None:
    """A house with one phase has one."""
    site = await build_site(replace(sunny(ChargerConfig(wired_phases=1)), phases=1))
    site.manager_entry()
    assert [circuit["phases"] for circuit in (await home_of(site.hass))["circuits"]] == [[1]]


async def test_battery_of_an_inverter_that_is_away(build_site: BuildSite) -> None:
    """A battery does not go away because its inverter does not answer; a disabled inverter shows nothing."""
    site = await build_site(replace(sunny(), battery=BatteryConfig()))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    assert await site.hass.config_entries.async_unload(inverter.entry_id)
    (found,) = (await home_of(site.hass))["inverters"]
    assert (found["state"], found["has_battery"]) == ("not_loaded", True)
    await site.hass.config_entries.async_set_disabled_by(inverter.entry_id, ConfigEntryDisabler.USER)
    home = await home_of(site.hass)
    assert home["inverters"][0]["disabled"]
    assert home["figures"]["pv_power"] == home["figures"]["grid_power"] == []


async def test_entries_that_are_ignored(site: Site) -> None:
    """A discovery that a user ignores is no charger."""
    MockConfigEntry(domain=DOMAIN, source="ignore", unique_id="wattpilot_10000009").add_to_hass(site.hass)
    assert (await home_of(site.hass))["chargers"] == []
