"""What a Flex and the cloud say, heard by foreign clients and by bare sockets."""

import asyncio
import json
from typing import Any

import pytest
from wattpilot_api import Wattpilot
from wattpilot_api.exceptions import AuthenticationError, CommandError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from simulator import ChargerConfig, HomeConfig, running_home
from tests.simulator.raw import RawClient, logged_in

_FLEX = ChargerConfig(serial="91073352", auth="bcrypt", flex=True, password="pässwörd", mode=3)


@pytest.mark.parametrize("auth", ["bcrypt", "omit", "pbkdf2"])
@pytest.mark.parametrize("flex", [True, False])
async def test_foreign_client_with_every_hash(auth: str, flex: bool) -> None:
    """The published client logs in, writes with a signature and is refused with the wrong password."""
    config = ChargerConfig(serial="91073352", auth=auth, flex=flex, password="pässwörd")
    async with running_home(HomeConfig(chargers=(config,), speed=0)) as simulation:
        server = simulation.chargers[0]
        address = f"127.0.0.1:{server.port}"
        async with Wattpilot(address, "pässwörd", auto_reconnect=False) as client:
            assert client.serial == "91073352"
            assert client.properties_initialized
            await client.set_current(9)
            with pytest.raises(CommandError, match="not allowed"):
                await client.set_current(17)
        assert [(write.key, write.value) for write in server.writes] == [("amp", 9)]
        with pytest.raises(AuthenticationError):
            await Wattpilot(address, "wrong", auto_reconnect=False).connect()


async def test_a_flex_connects_in_its_own_way() -> None:
    """One complete status comes first, in fragments, with the keys of a Flex."""
    async with running_home(HomeConfig(chargers=(_FLEX,), speed=0)) as simulation:
        server = simulation.chargers[0]
        async with connect(server.url, close_timeout=1) as connection:
            client = RawClient(connection)
            await client.login("pässwörd")
            parts = [part async for part in connection.recv_streaming()]
            assert len([part for part in parts if part]) == 4
            frame = json.loads("".join(map(str, parts)))
            assert (frame["type"], frame["partial"]) == ("fullStatus", False)
            status = frame["status"]
            assert len(status["tma"]) == 6
            assert None in status["tma"]
            assert not {"cbl", "cus", "bac", "cards"} & status.keys()
            assert status["cll"]["cableCurrentLimit"] == 20
            for kind in ("clearInverters", "updateInverter", "clearSmips"):
                assert (await client.next())["type"] == kind
            assert client.frames[0]["devicesubtype"] == "wattpilot_flex_c6"


async def test_half_a_status_of_a_flex() -> None:
    """Where the last part never comes, the only part is not the last one."""
    async with running_home(HomeConfig(chargers=(_FLEX,), speed=0)) as simulation:
        server = simulation.chargers[0]
        server.faults.half_snapshot = True
        async with connect(server.url, close_timeout=1) as connection:
            client = RawClient(connection)
            await client.login("pässwörd")
            assert (await client.next("fullStatus"))["partial"]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.snapshot(), 0.1)


async def test_the_cloud_wants_no_signature() -> None:
    """At the path of the cloud the greeting says so, plain writes count, and only the charger's own serial is known."""
    async with running_home(HomeConfig(chargers=(_FLEX,), speed=0)) as simulation:
        server = simulation.chargers[0]
        write: dict[str, Any] = {"type": "setValue", "requestId": 9, "key": "amp", "value": 8}
        async with connect(server.cloud_url.format(serial="91073352"), close_timeout=1) as connection:
            client = RawClient(connection)
            await client.login("pässwörd")
            await client.snapshot()
            assert client.frames[0]["secured"] is False
            await client.send(write)
            assert (await client.next("response"))["success"]
            assert (await client.write("amp", 7, 10))["success"]
        async with logged_in(server) as client:
            await client.send(write)
            assert not (await client.next("response"))["success"]
        async with connect(server.cloud_url.format(serial="10000001"), close_timeout=1) as connection:
            with pytest.raises(ConnectionClosed):
                await RawClient(connection).next()
        assert [write.value for write in server.writes] == [8, 7]
