"""Many chargers at once, over real sockets."""

import asyncio
from contextlib import AsyncExitStack

from aiohttp import ClientSession
import pytest

from simulator import HOUSE_CONNECTION, running_home
from simulator.options import parse
from simulator.wattpilot_auth import derive_key
from tests.simulator.control import Control
from tests.simulator.raw import RawClient, logged_in

_ARGUMENTS = (
    *("--wattpilots", "32", "--mode", "3", "--auth", "bcrypt", "--wired", "3,3,3,1", "--no-battery"),
    *("--circuits", "garage:150,left@garage:80:1-16,right@garage:80:17-31", "--main-fuse", "200"),
    *("--control-port", "0", "--stand-still"),
)


async def test_32_chargers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them serves its own client, takes a write, and loads the phases and circuits that it is on."""
    # The simulator's own derivation, checked against the foreign one elsewhere, is done only once per charger.
    monkeypatch.setattr("tests.simulator.raw.hash_password", derive_key)
    config = parse(_ARGUMENTS).home
    async with running_home(config) as simulation, ClientSession() as session, AsyncExitStack() as stack:
        clients: list[RawClient] = await asyncio.gather(
            *(stack.enter_async_context(logged_in(server)) for server in simulation.chargers)
        )
        answers = await asyncio.gather(*(client.write("amp", 6 + n % 5) for n, client in enumerate(clients)))
        assert all(answer["success"] for answer in answers)
        control = Control(simulation, session)
        state = await control.post("/advance", seconds=30)
        expected: dict[str | None, list[float]] = {place: [0.0, 0.0, 0.0] for place in ("left", "right", None)}
        for n, (client, charger) in enumerate(zip(clients, config.chargers, strict=True)):
            for _ in range(30):
                await client.next("deltaStatus")
            assert client.status["sse"] == charger.serial
            assert charger.car is not None
            phases = min(charger.car.phases, charger.wired_phases)
            currents = [float(6 + n % 5)] * phases + [0.0] * (3 - phases)
            assert client.status["nrg"][4:7] == currents
            for own, grid_phase in enumerate(charger.rotation):
                expected[charger.circuit][grid_phase - 1] += currents[own]
    circuits = state["circuits"]
    assert len({charger.rotation for charger in config.chargers}) == 6
    for name in ("left", "right"):
        assert circuits[name]["currents_a"] == pytest.approx(expected[name])
    garage = [left + right for left, right in zip(expected["left"], expected["right"], strict=True)]
    assert circuits["garage"]["currents_a"] == pytest.approx(garage)
    flow = state["flow"]
    for phase in range(3):
        house_a, inverter_a = (flow[key][phase] / flow["voltages"][phase] for key in ("house", "inverter"))
        grid_a = garage[phase] + expected[None][phase] + house_a - inverter_a
        assert circuits[HOUSE_CONNECTION]["currents_a"][phase] == pytest.approx(grid_a, rel=0.01)
