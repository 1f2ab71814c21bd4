"""The client and its control against the simulated charger, with the real password hash."""

import asyncio
from dataclasses import replace
import json

import pytest

from custom_components.pv_load_manager.wattpilot import (
    CarState,
    ConnectionState,
    FormerValues,
    Target,
    WattpilotAuthenticationError,
    WattpilotClient,
    WattpilotCommandError,
    Write,
    restore_writes,
    takeover_writes,
    writes_for,
)

from .conftest import FAST
from .scripted import until

simulator = pytest.importorskip("simulator")

# The real hash takes its time on a busy machine.
PATIENT = replace(FAST, connect=5, authenticate=10, snapshot=5, command=3, silence=30)
SERIAL, PASSWORD = "10000007", "simulated password"


def home(**charger: object) -> object:
    """Return a virtual home with one charger, whose time stands still until it is told to go on."""
    return simulator.HomeConfig(
        pv=simulator.PvConfig(peak_w=0),
        chargers=(simulator.ChargerConfig(serial=SERIAL, password=PASSWORD, **charger),),
        speed=0.0,
    )


async def send(client: WattpilotClient, writes: tuple[Write, ...]) -> None:
    """Send writes one after the other, as they have to be."""
    for write in writes:
        await client.set_value(write.key, write.value)


async def test_a_charging_session(caplog: pytest.LogCaptureFixture) -> None:
    """Taking over, holding, charging, switching the phases and giving back have the effect they promise."""
    async with simulator.running_home(home()) as simulation:
        server = simulation.chargers[0]
        client = WattpilotClient(server.host, PASSWORD, port=server.port, serial=SERIAL, timings=PATIENT)
        await client.connect()
        assert client.info is not None
        assert client.info.serial == SERIAL
        assert simulator.SECRET_MARK in json.dumps(dict(client.status.raw))
        assert simulator.SECRET_MARK not in json.dumps(client.status.redacted())

        former = FormerValues.from_status(client.status)
        await send(client, takeover_writes(client.status))
        assert (client.status.logic_mode, client.status.phase_mode) == (3, 2)
        assert takeover_writes(client.status) == ()

        async def bring_to(target: Target) -> None:
            for _ in range(3):
                await send(client, writes_for(target, client.status, safe_current_a=8))
                await simulation.advance(45)
                await asyncio.sleep(0.05)
            assert writes_for(target, client.status, safe_current_a=8) == ()

        await bring_to(Target(charge=False, current_a=0))
        assert client.status.car_state is not CarState.CHARGING
        assert client.status.amp is not None
        assert client.status.amp <= 8
        await bring_to(Target(charge=True, current_a=10, phases=3))
        assert client.status.car_state is CarState.CHARGING
        assert (client.status.amp, client.status.phases_in_use) == (10, 3)
        assert client.status.power_w == pytest.approx(6900, rel=0.1)
        await bring_to(Target(charge=True, current_a=14, phases=1))
        assert (client.status.amp, client.status.phases_in_use) == (14, 1)
        await send(client, restore_writes(former, client.status))
        assert FormerValues.from_status(client.status) == former

        server.faults.rejected_keys["amp"] = "not now"
        with pytest.raises(WattpilotCommandError, match="not now"):
            await client.set_value("amp", 6)
        await client.close()
    for secret in (PASSWORD, simulator.SECRET_MARK):
        assert secret not in caplog.text


async def test_faults_of_the_network() -> None:
    """A charger that leaves and comes back, with disorder in its first status, is found again."""
    async with simulator.running_home(home()) as simulation:
        server = simulation.chargers[0]
        server.faults.delta_in_snapshot = server.faults.fragmented = server.faults.unknown_messages = True
        client = WattpilotClient(server.host, PASSWORD, port=server.port, timings=PATIENT)
        task = asyncio.create_task(client.run())
        await until(lambda: client.state is ConnectionState.CONNECTED, 10)
        await server.stop()
        await until(lambda: client.state is not ConnectionState.CONNECTED, 10)
        await server.start()
        await until(lambda: client.state is ConnectionState.CONNECTED, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: server.clients == 0)


async def test_wrong_password() -> None:
    """The real hash of a wrong password is refused."""
    async with simulator.running_home(home()) as simulation:
        server = simulation.chargers[0]
        with pytest.raises(WattpilotAuthenticationError):
            await WattpilotClient(server.host, "wrong", port=server.port, timings=PATIENT).connect()
