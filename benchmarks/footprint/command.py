"""What the integration costs a real Home Assistant with 1, 4 and 32 Wattpilots that tell news every second.

The virtual home runs in this process, Home Assistant in one of its own, first without the integration: CPU and memory
are what is on top of that. The entries are added as a user does it, then Home Assistant is started anew and measured.
All chargers speak at the same moment, which is the worst that can be for the event loop.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
import os
from pathlib import Path
import sys
import tempfile
import time
from typing import Any
from unittest.mock import patch

from demo.client import DOMAIN, HassClient
from demo.process import HassProcess, free_port, prepare, running_hass
from demo.stage import PASSWORD, USER, add_entries
from simulator import BatteryConfig, CarConfig, ChargerConfig, HomeConfig, InverterConfig, PvConfig, running_home
from simulator.wattpilot_auth import derive_key

from .block_probe import WATCH
from .process import Cost, cost, require_linux, rows

SIZES = (1, 4, 32)
SECONDS = 60.0
SETTLE = 20.0  # s, or as long as the window; Home Assistant's own start and the first decisions are over by then
MOST_ROWS = 12
PATIENCE = 120.0  # s
MAIN_FUSE = 250  # A, the largest there is; as many cars as possible charge
PEAK_W = 7000.0  # per car; clouds leave enough that the currents of all move
GUARANTEED = 4200  # W; of each car in min_pv
PROBE = Path(__file__).parent / "block_probe"
PROBE_PATH = "/api/block_probe"

type Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for."""

    sizes: Sequence[int]
    seconds: float
    mode: str
    profile: bool


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One Home Assistant over one window.

    Attributes:
        cpu_share: CPU time per time, 1 = one core.
        rss_mb: Memory at the end.
        start: What the probe saw from the start to the window.
        window: What the probe saw in the window.
        seconds: Length of the window.
        rows: States of the integration's entities that the recorder kept of the window, by the figure's name.
        owners: The same by what they tell of: a charger, the inverter or the site.
        charging: Cars that charged at the end.
        entities: Entities of the integration.
    """

    cpu_share: float
    rss_mb: float
    start: Figures
    window: Figures
    seconds: float
    rows: Counter[str]
    owners: Counter[str]
    charging: int
    entities: int


def measure(arguments: list[str]) -> Figures:
    """Return the figures by number of chargers."""
    parser = argparse.ArgumentParser(prog="scripts/bench footprint", description=__doc__)
    parser.add_argument("--chargers", type=int, action="append", metavar="N", help="how many (default: 1, 4 and 32)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="window of each (default: %(default)s)")
    parser.add_argument(
        "--mode", default="min_pv", choices=("pv", "min_pv", "fast"), help="of the site; in min_pv every car charges"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="also tell on stderr where the time goes and what blocks; the figures are worse for it",
    )
    values = parser.parse_args(arguments)
    require_linux()
    if values.profile:
        os.environ[WATCH] = "1"
    options = Options(sizes=values.chargers or SIZES, seconds=values.seconds, mode=values.mode, profile=values.profile)
    return asyncio.run(_measure(options))


async def _measure(options: Options) -> Figures:
    """Measure without the integration, then with each number of chargers."""
    _say("Home Assistant without the integration")
    bare = await _run(0, options)
    found: Figures = {}
    for size in options.sizes:
        _say(f"{size} charger{'s' if size > 1 else ''}")
        found[str(size)] = _figures(await _run(size, options), bare, size)
    baseline = {
        "cpu_percent": round(100 * bare.cpu_share, 2),
        "rss_mb": round(bare.rss_mb, 1),
        "max_block_ms": _worst(bare.window["blocks"]),
        "max_block_start_ms": _worst(bare.start["blocks"]),
    }
    return {"seconds": options.seconds, "mode": options.mode, "without": baseline, "chargers": found}


def _figures(run: Measured, bare: Measured, size: int) -> Figures:
    begin, end = run.start["entries"][DOMAIN]
    per_minute = 60 / run.seconds / size
    during = [block for block in run.start["blocks"] if block[0] >= begin and block[0] - block[1] <= end]
    return {
        "cpu_percent": round(100 * (run.cpu_share - bare.cpu_share), 2),
        "rss_mb": round(run.rss_mb - bare.rss_mb, 1),
        "max_block_ms": _worst(run.window["blocks"]),
        "max_block_cpu_ms": _worst(run.window["blocks"], 2),
        "mean_late_ms": round(1000 * run.window["mean_late"], 2),
        "setup_s": round(end - begin, 2),
        "max_block_setup_ms": _worst(during),
        "max_block_setup_cpu_ms": _worst(during, 2),
        "rows_per_charger_and_minute": round(run.rows.total() * per_minute, 2),
        "rows_per_hour": round(run.rows.total() * 3600 / run.seconds),
        "rows_of": {owner: round(count * per_minute, 2) for owner, count in run.owners.most_common()},
        "rows_most": {key: round(count * per_minute, 2) for key, count in run.rows.most_common(MOST_ROWS)},
        "entities": run.entities,
        "charging": run.charging,
    }


def _worst(blocks: Sequence[Sequence[float]], figure: int = 1) -> float:
    """Return the longest of some blocks in ms, 0 where none was worth telling."""
    return round(1000 * max((block[figure] for block in blocks), default=0.0), 1)


async def _run(size: int, options: Options) -> Measured:
    """Measure one Home Assistant with so many chargers; 0 = without the integration."""
    async with AsyncExitStack() as stack:
        config = cloudy_home(size)
        home = await stack.enter_async_context(running_home(config))
        # A real charger has its key; here that would take time of the cores that Home Assistant runs on.
        stack.enter_context(patch("simulator.wattpilot.derive_key", cache(derive_key)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pv-load-manager-footprint-")))
        port = free_port()
        prepare(folder, port=port)
        _add_probe(folder)
        async with running_hass(folder, port=port) as first:
            client = await stack.enter_async_context(HassClient.logged_in(first.url, user=USER, password=PASSWORD))
            await _wait_for_start(client)
            if size:
                manager = await add_entries(client, home, config, MAIN_FUSE)
                entities = await client.entity_ids()
                selector = entities[f"select.{manager['entry_id']}_charge_mode"]
                guaranteed = entities[f"number.{manager['entry_id']}_guaranteed_power"]
                await client.call("number", "set_value", entity_id=guaranteed, value=GUARANTEED)
                # On one phase the imbalance would allow a few only.
                policies = [entities[f"select.{charger.serial}_phase_policy"] for charger in config.chargers]
                await client.call("select", "select_option", entity_id=policies, option="three")
                await client.call("select", "select_option", entity_id=selector, option=options.mode)
        async with running_hass(folder, port=port) as hass:
            await _wait_for_start(client)
            await _wait_for_setup(client, size)
            await asyncio.sleep(min(SETTLE, options.seconds))
            start = await client.request("GET", PROBE_PATH)
            _tell_stacks(start)
            async with _window(client, hass, options) as window:
                pass
            charging = sum(server.charger.power_w > 0 for server in home.chargers)
            entities = await client.entity_ids()
        # The recorder has written everything when Home Assistant is gone.
        counts = rows(folder / "home-assistant_v2.db", window.began, window.ended)
    kept, owners = Counter[str](), Counter[str]()
    names = dict.fromkeys((charger.serial for charger in config.chargers), "chargers")
    if config.inverter is not None:
        names[config.inverter.serial] = "inverter"
    for unique_id, entity_id in entities.items():  # like sensor.10000001_power
        owner, _, figure = unique_id.partition("_")
        domain, _, serial = owner.partition(".")
        count = counts.get(entity_id, 0)
        kept[f"{domain}.{figure}"] += count
        owners[names.get(serial, "site")] += count
    return Measured(
        cpu_share=(window.after.cpu_s - window.before.cpu_s) / window.seconds,
        rss_mb=window.after.rss_mb,
        start=start,
        window=window.seen,
        seconds=window.seconds,
        rows=kept,
        owners=owners,
        charging=charging,
        entities=len(entities),
    )


@dataclass(frozen=True, kw_only=True)
class _Window:
    """What was measured between two moments; `began` and `ended` in s since 1970."""

    began: float
    ended: float
    before: Cost
    after: Cost
    seen: Figures
    seconds: float


@asynccontextmanager
async def _window(client: HassClient, hass: HassProcess, options: Options) -> AsyncIterator[_Window]:
    """Measure for a while; a profile gets a time of its own afterwards because it costs most itself."""
    await client.request("POST", PROBE_PATH, {})
    began, clock, before = time.time(), time.monotonic(), cost(hass.process.pid)
    await asyncio.sleep(options.seconds)
    after = cost(hass.process.pid)
    seconds, ended = time.monotonic() - clock, time.time()
    seen = await client.request("GET", PROBE_PATH)
    _tell_stacks(seen)
    if options.profile:
        await client.request("POST", PROBE_PATH, {"do": "profile"})
        await asyncio.sleep(options.seconds)
        answer = await client.request("POST", PROBE_PATH, {"do": "profiled"})
        _say(answer["text"])
    yield _Window(began=began, ended=ended, before=before, after=after, seen=seen, seconds=seconds)


def cloudy_home(size: int) -> HomeConfig:
    """Return a home with so many chargers on a day with clouds."""
    peak_w = PEAK_W * max(1, size)
    return HomeConfig(
        pv=PvConfig(peak_w=peak_w, clouds=0.5),
        battery=BatteryConfig(),
        inverter=InverterConfig(rated_w=max(10_000.0, peak_w)),
        chargers=tuple(
            ChargerConfig(
                serial=str(10_000_001 + number),
                name=f"Charger {number + 1}",
                car=CarConfig(soc=0.1, capacity_wh=90_000.0),
                rotation=((1, 2, 3), (2, 3, 1), (3, 1, 2))[number % 3],
            )
            for number in range(max(1, size))
        ),
    )


def _add_probe(folder: Path) -> None:
    """Let Home Assistant load the probe."""
    components = folder / "custom_components"
    (components / PROBE.name).symlink_to(PROBE)
    # A package of this name in the working directory would hide one without this file.
    (components / "__init__.py").touch()
    with (folder / "configuration.yaml").open("a", encoding="utf-8") as configuration:
        configuration.write(f"{PROBE.name}:\n")


async def _wait_for_start(client: HassClient) -> None:
    """Wait until Home Assistant has set up everything; before that a stop would save nothing."""
    await _wait(lambda: _is_started(client))


async def _is_started(client: HassClient) -> bool:
    return bool((await client.request("GET", "/api/config"))["state"] == "RUNNING")


async def _wait_for_setup(client: HassClient, size: int) -> None:
    """Wait until the entries of inverter, load manager and all chargers are loaded."""
    if size:
        await _wait(lambda: _is_set_up(client, size + 2))


async def _is_set_up(client: HassClient, entries: int) -> bool:
    states = [entry["state"] for entry in await client.entries()]
    return len(states) == entries and set(states) == {"loaded"}


async def _wait(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError("Home Assistant takes too long")
        await asyncio.sleep(0.2)


def _tell_stacks(seen: Figures) -> None:
    """Tell what the loop was at while it was blocked, where somebody looked."""
    for late, stack in seen["stacks"]:
        _say("\n    ".join([f"blocked for {1000 * late:.0f} ms so far in", *stack]))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
