"""The running home and its command line."""

import asyncio
import json
from pathlib import Path
import signal
import sys

from aiohttp import ClientSession
import pytest
from websockets.asyncio.client import connect

from simulator import ChargerConfig, Home, HomeConfig, InverterConfig, running_home
from simulator.__main__ import main
from tests.simulator.raw import logged_in


async def test_time_passes_at_its_speed() -> None:
    """Home time follows the wall clock times `speed`, and deltas follow home time."""
    async with running_home(HomeConfig(speed=20)) as simulation, logged_in(simulation.chargers[0]) as client:
        start = simulation.home.now
        for _ in range(8):
            await client.next("deltaStatus")
        assert 6 <= simulation.home.now - start <= 12


async def test_nothing_is_left_behind() -> None:
    """After the context no task runs and the ports are closed, even with clients connected."""
    async with running_home(HomeConfig(speed=10)) as simulation:
        charger, inverter = simulation.chargers[0], simulation.inverter
        stranger = await connect(charger.url)
        reader, writer = await asyncio.open_connection("127.0.0.1", inverter.port)
        await asyncio.sleep(0.1)
        assert inverter.connected
        assert charger.clients == 1
    assert await reader.read() == b""
    await stranger.wait_closed()
    writer.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for port in (charger.port, inverter.port):
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


async def test_a_failure_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks while time passes is raised at the end of the context."""

    def broken(_home: Home, _dt: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Home, "step", broken)
    with pytest.raises(ZeroDivisionError):
        async with running_home(HomeConfig(speed=10)):
            await asyncio.sleep(0.2)


async def test_a_port_in_use() -> None:
    """When one server cannot start, the others are closed again."""
    async with running_home(HomeConfig(speed=0)) as simulation:
        taken = InverterConfig(port=simulation.inverter.port)
        with pytest.raises(OSError, match="address"):
            async with running_home(HomeConfig(inverter=taken, chargers=(ChargerConfig(),), speed=0)):
                pytest.fail("started")


async def test_a_home_without_inverter() -> None:
    """Without an inverter there is neither sun nor meter."""
    async with running_home(HomeConfig(inverter=None, speed=0)) as simulation:
        await simulation.advance(1)
        assert simulation.home.flow.pv_w == 0
        assert simulation.solaredge is None
        with pytest.raises(LookupError):
            _ = simulation.inverter


async def test_command_line(tmp_path: Path) -> None:
    """The program prints where everything listens, and SIGTERM ends it cleanly."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "simulator", "--wattpilots", "2", "--cars", "3x16,none", "--mode", "3", "--json"),
        *("--speed", "10", "--status-every", "0.2", "--no-battery"),
        *("--circuits", "garage:25:2", "--main-fuse", "35", "--control-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        lines = [(await process.stdout.readline()).decode() for _ in range(7)]
    assert "circuit garage" in lines[2]
    found = json.loads(lines[5])
    assert [pilot["serial"] for pilot in found["wattpilots"]] == ["10000001", "10000002"]
    assert "grid" in lines[6]
    assert "garage 0.0/0.0/0.0 of 25 A" in lines[6]
    async with ClientSession() as session, session.get(f"{found['control']}/circuits/garage") as response:
        assert (await response.json())["chargers"] == ["10000002"]
    _, writer = await asyncio.open_connection("127.0.0.1", found["solaredge"]["port"])
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        _, errors = await process.communicate()
    writer.close()
    assert process.returncode == 0
    assert errors == b""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--trace", "missing.csv"], "no such file"),
        (["--start-at", "25:00"], "not a time of day"),
        (["--cars", "4x16"], "not a car"),
        (["--wattpilots", "0"], "not a number"),
        (["--ports", "1,2"], "2 ports"),
        (["--speed", "0"], "above 0"),
        (["--soc", "2"], "from 0 to 1"),
        (["--trace", "pyproject.toml"], "not a known trace format"),
        (["--wired", "2"], "not 1 or 3 phases"),
        (["--circuits", "a=3"], "not a circuit"),
        (["--circuits", "a:0"], "above 0"),
        (["--circuits", "a:5:1-"], "not a circuit (for example left@garage:32:1-8): a:5:1-"),
        (["--circuits", "a:5:2-1"], "runs upwards: 2-1"),
        (["--circuits", "a:5:2"], "there is no Wattpilot 2 of 1"),
        (["--circuits", "a:5:1,b:5:1"], "on two circuits: a and b"),
        (["--circuits", "a@b:5"], "unknown parent: b"),
        (["--circuits", "a@b:5,b@a:5"], "in a loop: a, b"),
        (["--main-fuse", "0"], "above 0"),
        (["--stand-still"], "needs --control-port"),
    ],
)
def test_command_line_errors(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is one clear line and exit code 2."""
    with pytest.raises(SystemExit) as ended:
        sys.exit(main(arguments))
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert text in line
