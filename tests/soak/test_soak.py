"""Twenty minutes of charging with many faults in fast motion; and whether what the soak looks at can be seen at all."""

import asyncio
import json
import logging
from pathlib import Path
import socket
import subprocess
import sys
import time
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from soak.findings import Findings, LogWatch
from soak.leftovers import Memory, holdings
from soak.pace import LONGEST_STEP, PacedLoop
from soak.run import check_memory

PROJECT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run the soak in a process of its own, because its clock is another one."""
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "soak", "--json", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(400)
def test_twenty_minutes() -> None:
    """Two chargers, a fault every other minute."""
    code, found = run("--hours", "0.35", "--chargers", "2", "--pause", "60", "--seed", "1")
    assert found["violations"] == []
    assert code == 0
    assert found["sessions"] >= 2
    assert found["charged_kwh"] > 0.1
    assert sum(found["faults"].values()) >= 8
    assert found["reloads"] >= 1


async def test_leftovers_are_seen(hass: HomeAssistant) -> None:
    """A task, a listener, a timer and a socket that were not there before are told by their names."""
    before = holdings(hass)

    async def forgotten() -> None:
        await asyncio.Event().wait()

    task = hass.loop.create_task(forgotten())
    unlisten = hass.bus.async_listen("something", lambda _: None)
    timer = hass.loop.call_later(60.0, print)
    ends = socket.socketpair()
    await asyncio.sleep(0)
    found = holdings(hass).more_than(before, timers=True)
    assert any(text.startswith("tasks") and "forgotten" in text for text in found)
    assert "listeners: something (+1)" in found
    assert any(text.startswith("timers") and "print" in text for text in found)
    assert any(text.startswith("sockets") for text in found)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    unlisten()
    timer.cancel()
    for end in ends:
        end.close()


def test_exceptions_in_the_log_are_violations() -> None:
    """A plain warning is counted, an exception is a violation."""
    findings = Findings()
    logger = logging.Logger("soaked")  # noqa: LOG001 - nobody else shall hear of it
    logger.addHandler(LogWatch(findings))
    logger.warning("the charger is gone")
    assert not findings.violations
    for _ in range(3):
        logger.error("failed", exc_info=KeyError("frc"))
    (told,) = findings.as_dict()["violations"]
    assert "KeyError" in told
    assert "3 times" in told


@pytest.mark.parametrize(
    ("last", "flat"),
    [
        (Memory(rss_mb=102.0, blocks=1020), True),
        (Memory(rss_mb=106.0, blocks=1020), False),
        (Memory(rss_mb=102.0, blocks=1060), False),
    ],
)
def test_growing_memory_is_a_violation(last: Memory, *, flat: bool) -> None:
    """More than 5 % after the first quarter is too much, by either measure."""
    findings = Findings()
    samples = [Memory(rss_mb=50.0, blocks=500), *[Memory(rss_mb=100.0, blocks=1000)] * 3, last]
    check_memory(samples, findings)
    assert (not findings.violations) is flat


def test_the_clock_is_fast_and_never_jumps() -> None:
    """A minute passes in a second, and a callback that takes long does not let it pass at once."""
    loop = PacedLoop(60.0)
    try:
        began, wall = loop.time(), time.monotonic()
        loop.run_until_complete(asyncio.sleep(60.0))
        assert loop.time() - began >= 60.0
        assert 0.9 < time.monotonic() - wall < 10.0
        before = loop.time()

        async def stall() -> None:
            time.sleep(0.1)  # noqa: ASYNC251 - this is the point
            await asyncio.sleep(0)

        loop.run_until_complete(stall())
        assert loop.time() - before <= 4 * LONGEST_STEP
    finally:
        loop.close()
