"""A real Home Assistant is stopped, or killed, while a car charges, and started again: everything is as before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
from typing import Any

import pytest

from demo.client import HassClient
from demo.process import HassProcess, free_port, prepare, running_hass
from demo.stage import PASSWORD, USER, add_entries
from simulator import CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig, Simulation, running_home

from .test_home_assistant import within

SERIAL = "10000001"
HOME = HomeConfig(
    pv=PvConfig(constant_w=500.0),
    house=HouseConfig(constant_w=300.0),
    chargers=(
        ChargerConfig(serial=SERIAL, name="Garage", car=CarConfig(start_delay_s=2.0)),
        ChargerConfig(serial="10000002", name="Carport", car=CarConfig(start_delay_s=2.0)),
    ),
)

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("socket_enabled"), pytest.mark.timeout(400)]


@asynccontextmanager
async def again(folder: Path, port: int, client: HassClient) -> AsyncIterator[HassProcess]:
    """Run Home Assistant anew on the folder of a former run; the user's token is still good."""
    async with running_hass(folder, port=port) as hass:
        assert await all_there(client)
        yield hass


async def all_there(client: HassClient) -> bool:
    """Wait until every entry is loaded."""
    for _ in range(600):
        try:
            if {entry["state"] for entry in await client.entries()} == {"loaded"}:
                return True
        except Exception:  # noqa: BLE001 - it listens before it answers
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.1)
    return False


def stored(folder: Path, key: str) -> Any:
    """Return the data of a file of the integration, nothing where it was not written yet."""
    path = folder / ".storage" / key
    return json.loads(path.read_text(encoding="utf-8"))["data"] if path.exists() else {}


def sessions(folder: Path) -> dict[str, Any]:
    """Return what was written of the sessions of the charger with a car."""
    found: dict[str, Any] = stored(folder, "pv_load_manager")["chargers"][SERIAL]["sessions"]
    return found


class House:
    """What a user sees and does."""

    def __init__(self, client: HassClient, entities: dict[str, str], manager: str) -> None:
        """Know the entities."""
        self.client, self.entities, self.manager = client, entities, manager

    def entity(self, domain: str, owner: str, key: str) -> str:
        """Return an entity id."""
        return self.entities[f"{domain}.{owner}_{key}"]

    async def shown(self) -> dict[str, Any]:
        """Return what has to be the same after a restart."""
        found = {}
        for domain, owner, key in (
            ("select", self.manager, "charge_mode"),
            ("select", SERIAL, "charge_mode"),
            ("select", SERIAL, "priority"),
            ("select", SERIAL, "phase_policy"),
            ("switch", SERIAL, "keep_charge_mode"),
            ("select", "10000002", "charge_mode"),
            ("number", self.manager, "target_grid_power"),
            ("sensor", SERIAL, "override"),
            ("sensor", "10000002", "last_session"),
        ):
            state = await self.client.state(self.entity(domain, owner, key))
            found[f"{owner} {key}"] = (state["state"], state["attributes"].get("until"))
        return found

    async def choose(self, home: Simulation) -> None:
        """Set everything that can be set while a car charges, and let another one end its session."""
        call, car = self.client.call, self.entity("select", SERIAL, "charge_mode")
        site = self.entity("select", self.manager, "charge_mode")
        await call("pv_load_manager", "set_charge_mode", entity_id=site, mode="fast", duration={"hours": 3})
        assert await within(60, lambda: all(charger.charger.power_w > 4000 for charger in home.chargers))
        home.chargers[1].unplug()
        await call("pv_load_manager", "set_charge_mode", entity_id=car, mode="min_pv", duration={"hours": 2})
        await call("switch", "turn_on", entity_id=self.entity("switch", SERIAL, "keep_charge_mode"))
        for key, option in (("priority", "high"), ("phase_policy", "three")):
            await call("select", "select_option", entity_id=self.entity("select", SERIAL, key), option=option)
        await call(
            "number", "set_value", entity_id=self.entity("number", self.manager, "target_grid_power"), value=-200
        )
        await call("pv_load_manager", "set_override", entity_id=car, current=9, energy=40, duration={"hours": 1})
        assert await within(30, lambda: home.chargers[0].charger.settings["amp"] == 9)


async def test_stopped_and_killed(tmp_path: Path) -> None:
    """After SIGTERM and after SIGKILL the same session goes on, by the same modes and override; nobody stopped it."""
    async with running_home(HOME) as home:
        port = free_port()
        prepare(tmp_path, port=port)
        charger = home.chargers[0]
        async with (
            running_hass(tmp_path, port=port) as hass,
            HassClient.logged_in(hass.url, user=USER, password=PASSWORD) as client,
        ):
            manager = await add_entries(client, home, HOME, 16)
            house = House(client, await client.entity_ids(), manager["entry_id"])
            await house.choose(home)
            await asyncio.sleep(2)
            before = await house.shown()
            assert before["10000002 last_session"][0] not in {"unknown", "unavailable"}
            assert await hass.stop() == 0
            left = charger.charger.settings["amp"]
            assert left <= 9
            assert stored(tmp_path, "pv_load_manager.sessions")["chargers"].keys() == {"10000002"}
            first = sessions(tmp_path)
            charger.writes.clear()

            async with again(tmp_path, port, client) as second:
                assert await within(30, lambda: charger.charger.settings["amp"] == 9)
                await asyncio.sleep(5)
                assert await house.shown() == before
                # What is set now has to be on disk some seconds later.
                number = house.entity("number", house.manager, "target_grid_power")
                await client.call("number", "set_value", entity_id=number, value=-300)
                option = {"entity_id": house.entity("select", SERIAL, "priority"), "option": "low"}
                await client.call("select", "select_option", **option)
                before = await house.shown()
                await asyncio.sleep(10)
                second.process.kill()
                await second.process.wait()
            assert charger.charger.settings["frc"] == 0

            async with again(tmp_path, port, client) as third:
                assert await within(30, lambda: charger.charger.settings["amp"] == 9)
                await asyncio.sleep(3)
                assert await house.shown() == before
                assert await third.stop() == 0
            assert ("frc", 1) not in [(write.key, write.value) for write in charger.writes]
            assert charger.charger.power_w > 3000
            last = sessions(tmp_path)
            assert last["session"]["began"] == first["session"]["began"]
            assert last["session"]["ended"] is None
            assert sum(last["given"].values()) > sum(first["given"].values())
            assert sum(last["given"].values()) == pytest.approx(charger.charger.session_wh, rel=0.1, abs=20)
            assert len(stored(tmp_path, "pv_load_manager.sessions")["chargers"]["10000002"]) == 1
