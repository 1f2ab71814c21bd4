"""A real Home Assistant process with the virtual home: set up over REST, commanded by actions, stopped by SIGTERM."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import json
from pathlib import Path
import signal
import sys
from typing import Any

import pytest

from demo.process import free_port
from demo.stage import Stage, staged
from simulator import SECRET_MARK, CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig, WattpilotServer

PROJECT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("socket_enabled"), pytest.mark.timeout(400)]


@asynccontextmanager
async def two_cars(*, pv_w: float, main_fuse: int = 25, level: str = "warning") -> AsyncIterator[Stage]:
    """Two plugged cars under a constant sun, in a house that draws 300 W."""
    config = HomeConfig(
        pv=PvConfig(constant_w=pv_w),
        house=HouseConfig(constant_w=300.0),
        chargers=(
            ChargerConfig(serial="10000001", password=PASSWORD, name="Garage", car=CarConfig(start_delay_s=2.0)),
            ChargerConfig(serial="10000002", password=PASSWORD, name="Carport", car=CarConfig(start_delay_s=2.0)),
        ),
    )
    async with staged(config, main_fuse=main_fuse, level=level) as stage:
        yield stage


async def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for a condition of the home."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        if condition():
            return True
        await asyncio.sleep(0.1)
    return condition()


def written(charger: WattpilotServer, key: str, value: object) -> bool:
    """Return whether the charger acknowledged this write."""
    return any(write.key == key and write.value == value for write in charger.writes)


async def reason(stage: Stage, serial: str) -> dict[str, Any]:
    """Return the reason's state with its attributes."""
    return await stage.client.state(stage.entity("sensor", serial, "reason"))


async def test_modes_are_acknowledged_explained_and_left_safe() -> None:
    """Each mode reaches the chargers within 5 s, pv says what it waits for, SIGTERM leaves the safe current."""
    async with two_cars(pv_w=500.0, level="debug") as stage:
        chargers = stage.home.chargers

        await stage.choose("off")
        assert await within(5, lambda: all(written(charger, "frc", 1) for charger in chargers))

        for charger in chargers:
            charger.writes.clear()
        await stage.choose("fast")
        assert await within(5, lambda: all(written(charger, "frc", 0) for charger in chargers))
        assert await within(60, lambda: all(charger.charger.power_w > 4000 for charger in chargers))
        # 25 A for two: each gets 12 A, which is also what it may draw when nobody watches.
        assert all(charger.charger.settings["amp"] <= 13 for charger in chargers)

        await stage.choose("pv")
        await asyncio.sleep(5)
        state = await reason(stage, "10000001")
        assert state["state"] == "waiting_for_surplus"
        assert state["attributes"]["needed_w"] > 1300
        assert state["attributes"]["missing_w"] > 0
        assert str(state["attributes"]["missing_w"]) in state["attributes"]["text"]
        assert await within(5, lambda: all(charger.charger.settings["frc"] == 1 for charger in chargers))

        chargers[1].unplug()
        await stage.choose("fast")
        assert await within(30, lambda: chargers[0].charger.settings["amp"] == 16)
        assert await within(30, lambda: chargers[0].charger.power_w > 9000)
        assert await stage.hass.stop() == 0
        assert chargers[0].charger.settings["amp"] == 12
        assert chargers[0].charger.settings["frc"] == 0

        log = stage.hass.log.read_text(encoding="utf-8")
        assert PASSWORD not in log
        assert SECRET_MARK not in log
        ours = [line for line in log.splitlines() if "pv_load_manager" in line and " ERROR " in line]
        assert not ours
        assert not [line for line in log.splitlines() if line.lstrip().startswith('File "') and "pv_load" in line]


async def test_check_prints_one_line_of_json() -> None:
    """The demo's check succeeds when a car charges from surplus, and says so in one JSON object."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo", "--check", "240", "--json", cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert process.returncode == 0
    assert result["ok"] is True
    assert set(result) == {
        "ok",
        "seconds_to_ready",
        "seconds_to_charging",
        "allocated_a",
        "charger_power_w",
        "grid_power_w",
        "reason",
    }
    assert result["allocated_a"] >= 6
    assert result["charger_power_w"] > 1000


async def test_interrupted_demo_leaves_nothing_behind() -> None:
    """Ctrl-C ends the demo, its Home Assistant and its ports."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo", "--port", str(port), cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    while b"Ctrl-C" not in (line := await process.stdout.readline()):
        assert line, "the demo ended by itself"
    children = _children(process.pid)
    assert children
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    assert not _alive(children)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_demo_names_a_port_in_use() -> None:
    """A port that somebody else uses is one clear line, not somebody else's Home Assistant."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "demo",
            "--port",
            str(port),
            cwd=PROJECT,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode() == f"demo: port {port} is in use; choose another one with --port\n"


def _children(pid: int) -> list[int]:
    """Return the direct children of a process (Linux)."""
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to see child processes")
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8")
            except OSError:
                continue  # it ended meanwhile
            if int(stat.rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def _alive(pids: list[int]) -> list[int]:
    """Return those of the processes that still exist."""
    return [pid for pid in pids if (Path("/proc") / str(pid)).exists()]
