"""Whether what the footprint measures can be seen: CPU, memory, blocks of the loop, rows of the recorder."""

import asyncio
import os
from pathlib import Path
import sqlite3
import sys
import time

from homeassistant.core import HomeAssistant
import pytest

from benchmarks.footprint.block_probe import Probe
from benchmarks.footprint.command import measure
from benchmarks.footprint.process import cost, rows

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has /proc")


@linux
def test_cpu_and_memory_of_a_process() -> None:
    """Half a second of work counts as such, and so do 50 MB."""
    before = cost(os.getpid())
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass
    held = b"x" * 50 * 2**20
    after = cost(os.getpid())
    assert 0.4 < after.cpu_s - before.cpu_s < 1.0
    assert 40.0 < after.rss_mb - before.rss_mb < 80.0
    assert len(held)


async def test_a_block_is_seen(hass: HomeAssistant) -> None:
    """A callback that works for 60 ms is a block of CPU time, one that waits is none of it."""
    probe = Probe(hass)
    probe.tick()
    await asyncio.sleep(0.05)
    probe.reset()
    time.sleep(0.06)  # noqa: ASYNC251 - this is the block
    await asyncio.sleep(0.02)
    assert max(late for _, late, _ in probe.blocks) > 0.05
    assert max(cpu for _, _, cpu in probe.blocks) < 0.03
    probe.reset()
    end = time.thread_time() + 0.06
    while time.thread_time() < end:
        pass
    await asyncio.sleep(0.02)
    assert max(cpu for _, _, cpu in probe.blocks) > 0.05
    assert probe.as_dict()["ticks"] == probe.ticks > 0
    probe.stop()


async def test_a_profile_tells_where_the_time_goes(hass: HomeAssistant) -> None:
    """Functions that ran meanwhile are in it."""
    probe = Probe(hass)
    assert probe.profiled() == ""
    probe.profile()
    probe.tick()
    await asyncio.sleep(0.02)
    assert "tick" in probe.profiled()
    probe.stop()


def test_rows_of_a_time(tmp_path: Path) -> None:
    """States are counted by entity, within the time only."""
    database = tmp_path / "recorder.db"
    with sqlite3.connect(database) as connection:
        connection.executescript(
            "CREATE TABLE states_meta (metadata_id INTEGER, entity_id TEXT);"
            "CREATE TABLE states (metadata_id INTEGER, last_updated_ts REAL);"
            "INSERT INTO states_meta VALUES (1, 'sensor.power'), (2, 'sensor.reason');"
            "INSERT INTO states VALUES (1, 9.0), (1, 10.0), (1, 11.0), (2, 12.0), (2, 13.5);"
        )
    assert rows(database, 10.0, 13.0) == {"sensor.power": 2, "sensor.reason": 1}


@linux
@pytest.mark.e2e
@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.timeout(400)
def test_one_charger() -> None:
    """A real Home Assistant with one charger is measured."""
    found = measure(["--chargers", "1", "--seconds", "4"])
    assert found["without"]["rss_mb"] > 100.0
    one = found["chargers"]["1"]
    assert {"cpu_percent", "rss_mb", "max_block_ms", "setup_s"} <= one.keys()
    assert -2.0 < one["cpu_percent"] < 20.0
    assert 0.0 < one["rss_mb"] < 60.0
    assert 0.0 < one["setup_s"] < 60.0
    assert one["entities"] > 30
    assert one["rows_per_charger_and_minute"] > 0
    assert one["rows_per_hour"] == pytest.approx(60 * one["rows_per_charger_and_minute"], abs=1)
    assert sum(one["rows_of"].values()) == pytest.approx(one["rows_per_charger_and_minute"], abs=0.1)
    assert one["rows_of"].keys() == {"chargers", "inverter", "site"}
