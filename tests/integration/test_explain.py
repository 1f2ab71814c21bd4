"""The whole decision as data: the action, the WebSocket commands, and the downloads of a charger."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import Reason
from custom_components.pv_load_manager.diagnostics import async_get_config_entry_diagnostics
from custom_components.pv_load_manager.languages import async_templates
from simulator import BatteryConfig

from .code import load
from .conftest import OURS, BuildSite, sunny
from .site import Site, configuration, eventually
from .test_actions import act, add_circuit, device, refuse
from .watching import TWO, gives, holds

FAST = "Fast: 16 A 3-phase, the most that charger and cable allow."
SCHNELL = "Schnell: 16 A 3-phasig"


@pytest.fixture(name="client")
async def client_fixture(hass_ws_client: WebSocketGenerator, site: Site) -> MockHAClientWebSocket:
    """Return a client of Home Assistant, beside a site of which nothing is set up yet."""
    assert await async_setup_component(site.hass, DOMAIN, {})
    return await hass_ws_client()


async def ask(client: MockHAClientWebSocket, command: str, **data: Any) -> Any:
    """Send a command and return its result, or the code of its error."""
    await client.send_json_auto_id({"type": f"{DOMAIN}/{command}", **data})
    answer = await client.receive_json()
    return answer["result"] if answer["success"] else answer["error"]["code"]


async def test_explain(site: Site) -> None:
    """A charging charger with its command, its car, its limits and the account of the surplus."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 16)() and site.value(charger, "reason") == "charging_fast")
    await eventually(lambda: (manager.runtime_data.seen.chargers["10000001"].power_w or 0) > 10_900)
    answer = await act(site, "explain", device_id=device(site, charger))
    json.dumps(answer)
    (told,) = answer["chargers"]
    assert (told["charger"], told["name"], told["reason"], told["text"]) == (
        "10000001",
        "Garage",
        "charging_fast",
        FAST,
    )
    assert told["allocated"] == {"charge": True, "current_a": 16, "phases": 3}
    assert told["numbers"]["allocated_a"] == 16
    assert (told["circuit"], told["next_change"], told["override"]) == (None, None, None)
    assert told["mode"] == {"chosen": "follow_site", "in_force": "fast", "from_site": True, "until": None}
    measured = told["measured"]
    assert measured["car"] == "charging"
    assert measured["online"]
    assert measured["charge_released"]
    assert measured["power_w"] == pytest.approx(16 * 690, rel=0.05)
    assert measured["currents_a"] == pytest.approx([16, 16, 16], abs=0.5)
    assert told["limits"] == {
        "minimum_a": 6,
        "maximum_a": 16,
        "charger_and_cable_a": 16,
        "without_home_assistant_a": 16,
        "phase_policy": "auto",
        "priority": "normal",
        "rotation": [1, 2, 3],
        "circuits": ["root"],
    }
    assert told["car"].keys() == {"full", "phases_used", "current_needed_a", "energy_wh"}
    assert not told["car"]["full"]
    site_answer = answer["site"]
    assert site_answer["status"] == "charging"
    assert site_answer["mode"] == {"chosen": "fast", "until": None}
    assert 0 <= site_answer["grid_meter_age_s"] < 3
    surplus = site_answer["surplus"]
    assert surplus["pv_w"] == pytest.approx(8000, rel=0.05)
    assert surplus["chargers_w"] == pytest.approx(measured["power_w"], rel=0.05)
    (root,) = site_answer["circuits"]
    assert (root["id"], root["name"], root["rated_a"], root["stage"]) == ("root", "House connection", 35, "fresh")
    assert root["chargers_a"] == pytest.approx([16, 16, 16], abs=0.5)


async def test_names_that_people_gave(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A charger is called as its device is called, in every answer; nothing outdated is asked for that."""
    _, charger, _ = await site.set_up_all()
    chosen = device(site, charger)
    dr.async_get(site.hass).async_update_device(chosen, name_by_user="Left bay")
    (told,) = (await act(site, "explain", device_id=chosen))["chargers"]
    assert told["name"] == "Left bay"
    await act(site, "export_sessions")
    assert "deprecated" not in caplog.text
    assert "will stop working" not in caplog.text


async def test_last_decisions(site: Site) -> None:
    """The last changes of a charger come with the answer, the newest first, as many as are asked for."""
    _, charger, manager = await site.set_up_all()
    for mode, there in (("off", holds(site)), ("fast", gives(site, 16)), ("off", holds(site))):
        await site.select(manager, mode)
        await eventually(there)
    (told,) = (await act(site, "explain"))["chargers"]
    decisions = told["decisions"]
    assert [item["after"]["charge"] for item in decisions[:2]] == [False, True]
    assert decisions[0]["reason"] == "site_off"
    assert decisions[0]["before"]["current_a"] == 16
    assert dt_util.parse_datetime(decisions[0]["time"]) is not None
    times = [item["time"] for item in decisions]
    assert times == sorted(times, reverse=True)
    (told,) = (await act(site, "explain", decisions=1))["chargers"]
    assert told["decisions"] == decisions[:1]
    (told,) = (await act(site, "explain", decisions=0))["chargers"]
    assert told["decisions"] == []
    found = await async_get_config_entry_diagnostics(site.hass, charger)
    assert found["decisions"] == decisions
    assert found["explain"]["reason"] == "site_off"


async def test_explain_in_other_languages(site: Site) -> None:
    """Sentences and names in the language that is asked for, English where there is none, never another file."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    for language, text, root in (
        ("de", SCHNELL, "Hausanschluss"),
        ("de-CH", SCHNELL, "Hausanschluss"),
        ("fr", FAST, "House connection"),
        ("../../manifest", FAST, "House connection"),
    ):
        answer = await act(site, "explain", language=language)
        assert answer["chargers"][0]["text"].startswith(text), language
        assert answer["site"]["circuits"][0]["name"] == root


async def test_explain_chargers_that_are_not_there(build_site: BuildSite) -> None:
    """A charger that is not loaded is explained as well; one that nobody manages cannot be."""
    site = await build_site(sunny(*TWO, pv_w=0))
    inverter, first, second, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: holds(site)() and holds(site, 1)())
    await act(site, "set_override", device_id=device(site, first), current=10)
    assert await site.hass.config_entries.async_unload(second.entry_id)
    await eventually(lambda: "10000002" not in manager.runtime_data.seen.chargers)
    answer = await act(site, "explain")
    one, two = answer["chargers"]
    assert one["override"] == {"current_a": 10, "source": "user", "until": None, "energy_wh": None}
    assert one["mode"]["in_force"] == "fast"
    assert (two["measured"], two["name"]) == (None, "Carport")
    both = [device(site, first), device(site, second)]
    site.hass.config_entries.async_update_entry(second, options={"managed": False})
    await eventually(lambda: len(site.hass.data[DOMAIN].load_manager.data.chargers) == 1)
    assert "Carport" in await refuse(site, "explain", device_id=both)
    assert "at least one charger" in await refuse(site, "explain", device_id=device(site, inverter))


async def test_explain_while_the_core_fails(site: Site) -> None:
    """Where the control core never worked, the answer is that it stopped everything."""
    charger, manager = site.charger_entry(options={"wired_phases": "all"}), site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await eventually(lambda: manager.runtime_data.data.chargers)
    (told,) = (await act(site, "explain"))["chargers"]
    assert told["reason"] == "internal_error"
    assert told["allocated"]["charge"] is False
    assert (told["limits"], told["override"]) == (None, None)


async def test_battery_of_the_other_sign(build_site: BuildSite) -> None:
    """A charging battery is negative in the account, whatever its inverter says."""
    site = await build_site(replace(sunny(), battery=BatteryConfig(soc=0.5)))
    *_, manager = await site.set_up_all()
    await site.select(manager, "off")
    account: dict[str, Any] = {}
    for _ in range(40):
        account = (await act(site, "explain"))["site"]["surplus"]
        if (account["battery_w"] or 0.0) < -500:
            break
        await asyncio.sleep(0.1)
    charging = account["battery_w"]
    assert charging < -500
    site.hass.config_entries.async_update_entry(manager, options={"battery_inverted": True})
    await site.hass.async_block_till_done()
    await eventually(lambda: configuration(site.hass).battery_inverted)
    assert (await act(site, "explain"))["site"]["surplus"]["battery_w"] == pytest.approx(-charging, rel=0.3)


async def test_limits_of_circuits(site: Site) -> None:
    """The chain of circuits above a charger is among its limits, and the one that binds is named."""
    manager = site.manager_entry()
    garage = add_circuit(site, manager, "Garage circuit")
    charger = site.charger_entry(options={"circuit": garage})
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await act(site, "set_circuit_limit", circuit=garage, current=10)
    await eventually(gives(site, 10))
    await eventually(lambda: site.value(charger, "reason") == "limited_on_demand")
    answer = await act(site, "explain")
    (told,) = answer["chargers"]
    assert told["limits"]["circuits"] == [garage, "root"]
    assert told["circuit"] == {"id": garage, "name": "Garage circuit"}
    below = next(circuit for circuit in answer["site"]["circuits"] if circuit["id"] == garage)
    assert (below["rated_a"], below["limit_a"], below["house_a"]) == (16, 10, None)
    # What is free is the same everywhere.
    assert (below["chargers_a"], below["free_a"]) == ([10, 10, 10], [0, 0, 0])
    plan = manager.runtime_data.data.circuits[garage]
    assert below["free_a"] == [round(amps, 1) for amps in plan.free_a]


async def test_texts(client: MockHAClientWebSocket, site: Site) -> None:
    """The sentences come in the language that is asked for."""
    await site.set_up_all()
    german = await ask(client, "texts", language="de")
    assert german == {"language": "de", "templates": load("texts/de.json")}
    assert set(german["templates"]) > set(Reason)
    assert (await ask(client, "texts"))["templates"] == load("texts/en.json")


async def test_explain_over_the_websocket(client: MockHAClientWebSocket, site: Site) -> None:
    """One charger or all; what is not there is an error, for every user."""
    assert await ask(client, "explain") == "not_found"
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    answer = await ask(client, "explain", language="de", charger="10000001")
    assert answer["chargers"][0]["text"].startswith(SCHNELL)
    assert answer["site"]["status"] == "charging"
    assert await ask(client, "explain", charger="4711") == "not_found"


@asynccontextmanager
async def subscribed(client: MockHAClientWebSocket, **data: Any) -> AsyncIterator[int]:
    """Subscribe to the live figures for a while."""
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe", **data})
    answer = await client.receive_json()
    assert answer["success"]
    yield answer["id"]
    await client.send_json_auto_id({"type": "unsubscribe_events", "subscription": answer["id"]})
    while (await client.receive_json())["type"] != "result":
        pass


async def test_live_figures(
    hass: HomeAssistant, client: MockHAClientWebSocket, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A subscription begins at once, tells what changes, survives a reload, and nothing is left after it."""
    monkeypatch.setattr(f"{OURS}.websocket.INTERVAL", timedelta(seconds=0.1))
    async with subscribed(client, language="de"):
        assert (await client.receive_json())["event"] is None
        *_, manager = await site.set_up_all()
        await site.select(manager, "fast")
        last = await until(client, lambda live: live is not None and "charging_fast" in reasons(live))
        assert abs(dt_util.utcnow() - datetime.fromisoformat(last["at"])) < timedelta(seconds=20)
        (told,) = last["chargers"]
        assert told["text"].startswith(SCHNELL)
        assert set(told) == {
            *("charger", "name", "reason", "text", "numbers", "circuit", "next_change", "allocated", "measured"),
            *("mode", "limits", "rotation", "override", "session"),
        }
        assert set(last["site"]) == {"status", "mode", "dimmed", "surplus", "circuits"}
        assert await hass.config_entries.async_reload(manager.entry_id)
        await site.select(manager, "off")
        last = await until(client, lambda live: live is not None and reasons(live) == {"site_off"})
        assert last["site"]["status"] == "off"
    await site.select(manager, "fast")
    await eventually(gives(site, 16))
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


async def test_who_hangs_up_leaves_nothing(hass: HomeAssistant, client: MockHAClientWebSocket, site: Site) -> None:
    """When the connection closes nobody looks any more."""
    looks: list[None] = []

    def counted(*args: Any) -> None:
        looks.append(None)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(f"{OURS}.websocket.INTERVAL", timedelta(seconds=0.05))
        patched.setattr(f"{OURS}.websocket.live_figures", counted)
        await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe"})
        await eventually(lambda: len(looks) > 3)
        await client.close()
        await hass.async_block_till_done()
        known = len(looks)
        await asyncio.sleep(0.3)
        assert len(looks) == known


async def test_who_hangs_up_at_once_leaves_nothing(
    hass: HomeAssistant, client: MockHAClientWebSocket, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Home Assistant starts, a page may be gone before the sentences are read."""
    asked, read = asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> Any:
        asked.set()
        await read.wait()
        return await async_templates(*args)

    looks: list[None] = []
    monkeypatch.setattr(f"{OURS}.websocket.INTERVAL", timedelta(seconds=0.05))
    monkeypatch.setattr(f"{OURS}.websocket.live_figures", lambda *_: looks.append(None))
    monkeypatch.setattr(f"{OURS}.websocket.async_templates", slow)
    await client.send_json_auto_id({"type": f"{DOMAIN}/subscribe"})
    await asked.wait()
    await client.close()
    await hass.async_block_till_done()
    read.set()
    await asyncio.sleep(0.3)
    assert len(looks) <= 1


def reasons(live: dict[str, Any]) -> set[str]:
    """Return the reasons of all chargers."""
    return {charger["reason"] for charger in live["chargers"]}


async def until(client: MockHAClientWebSocket, what: Any) -> dict[str, Any]:
    """Read events until one fits, and return it."""
    while True:
        message = await client.receive_json()
        if message["type"] == "event" and what(message["event"]):
            found: dict[str, Any] = message["event"]
            return found
