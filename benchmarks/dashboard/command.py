"""What the dashboard costs a browser in a home with 32 Wattpilots that tell news every second.

The virtual home, a real Home Assistant and a real Chromium run on this machine at the same time. What Home Assistant's
own frontend costs is told beside it: the same with a dashboard that shows one word.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
import json
from pathlib import Path
from statistics import median
import sys
from typing import Any
from unittest.mock import patch

from playwright.async_api import Browser, CDPSession, Page

from demo.browser import Tokens, logged_in, login, running_browser
from demo.stage import PASSWORD, USER, Stage, staged
from simulator.wattpilot_auth import derive_key
from tests.browser.chromium import MISSING, find_chromium

from ..footprint.command import GUARANTEED, MAIN_FUSE, cloudy_home

CHARGERS = 32
SECONDS = 60.0
SETTLE = 15.0  # s; the first decisions and the first pages are over by then
TIMES = 5
PATIENCE = 60_000  # ms
VIEWPORT = {"width": 1280, "height": 900}
PROBE = Path(__file__).parent / "probe.js"
EMPTY, HOUSE = "bench-empty", "bench-house"
DASHBOARDS: dict[str, Any] = {
    EMPTY: {"views": [{"path": "now", "type": "panel", "cards": [{"type": "markdown", "content": "empty"}]}]},
    HOUSE: {"strategy": {"type": "custom:pv-load-manager"}},
}
GOALS = {"render_s": 2.0, "cpu_percent": 20.0}

type Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What is measured with."""

    stage: Stage
    browser: Browser
    tokens: Tokens
    lanes: int

    def url(self, name: str) -> str:
        """Return the address of a dashboard."""
        return f"{self.stage.hass.url}/{name}/now"

    def expected(self, name: str) -> int:
        """Return how many lanes a dashboard shows."""
        return self.lanes if name == HOUSE else 0


def measure(arguments: list[str]) -> Figures:
    """Return times in s, shares of one core in %, memory in MB (2**20 bytes)."""
    parser = argparse.ArgumentParser(prog="scripts/bench dashboard", description=__doc__)
    parser.add_argument("--chargers", type=int, default=CHARGERS, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="window for the CPU (default: %(default)s)")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="also write a CPU profile for Chromium's DevTools")
    values = parser.parse_args(arguments)
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit(MISSING)
    figures, profile = asyncio.run(_measure(chromium, values.chargers, values.seconds, profiled=bool(values.profile)))
    if values.profile is not None:
        values.profile.write_text(json.dumps(profile), encoding="utf-8")
    return figures


async def _measure(chromium: Path, chargers: int, seconds: float, *, profiled: bool) -> tuple[Figures, Any]:
    async with _bench(chromium, chargers) as bench:
        await asyncio.sleep(min(SETTLE, seconds))
        _say("from an address in an empty browser")
        cold = {name: [await _cold(bench, name) for _ in range(TIMES)] for name in DASHBOARDS}
        async with _page(bench, EMPTY) as page:
            _say("from another dashboard, first and then again")
            first = await _switch(bench, page, HOUSE)
            back, again = [], []
            for _ in range(TIMES):
                back.append(await _switch(bench, page, EMPTY))
                again.append(await _switch(bench, page, HOUSE))
        _say("while numbers come")
        running = {}
        for name in DASHBOARDS:
            async with _page(bench, name) as page:
                running[name] = await _run(bench, page, seconds)
        profile = None
        if profiled:
            async with _page(bench, HOUSE) as page:
                profile = await _profile(page, seconds)
    figures = {
        "chargers": chargers,
        "render_s": round(first, 2),
        "render_again_s": round(median(again), 2),
        "render_empty_s": round(median(back), 2),
        "cold_s": round(median(cold[HOUSE]), 2),
        "cold_empty_s": round(median(cold[EMPTY]), 2),
        "cold_all_s": {name: [round(value, 2) for value in values] for name, values in cold.items()},
        "seconds": seconds,
        **running[HOUSE],
        "empty": running[EMPTY],
        "goals": {"render_s": first < GOALS["render_s"], "cpu": _cpu(running[HOUSE]) < GOALS["cpu_percent"]},
    }
    return figures, profile


def _cpu(page: Figures) -> float:
    """Return the CPU of a page with what draws it: without a GPU that process computes, too."""
    cpu: float = page["cpu_percent"] + page["cpu_gpu_process_percent"]
    return cpu


@asynccontextmanager
async def _bench(chromium: Path, chargers: int) -> AsyncIterator[Bench]:
    """Run the home with all its cars charging, Home Assistant with both dashboards, and the browser."""
    config = cloudy_home(chargers)
    _say(f"a home with {chargers} chargers")
    # A real charger has its key; here that would take time of the cores that all run on.
    with patch("simulator.wattpilot.derive_key", cache(derive_key)):
        async with staged(config, main_fuse=MAIN_FUSE) as stage, running_browser(chromium) as browser:
            guaranteed = stage.entity("number", stage.manager, "guaranteed_power")
            await stage.client.call("number", "set_value", entity_id=guaranteed, value=GUARANTEED)
            policies = [stage.entity("select", charger.serial, "phase_policy") for charger in config.chargers]
            await stage.client.call("select", "select_option", entity_id=policies, option="three")
            await stage.choose("min_pv")
            for name, content in DASHBOARDS.items():
                await stage.client.command("lovelace/dashboards/create", url_path=name, title=name, mode="storage")
                await stage.client.command("lovelace/config/save", url_path=name, config=content)
            tokens = await login(stage.hass.url, user=USER, password=PASSWORD)
            yield Bench(stage=stage, browser=browser, tokens=tokens, lanes=chargers)


@asynccontextmanager
async def _page(bench: Bench, name: str) -> AsyncIterator[Page]:
    """Open a dashboard in a browser that has seen nothing before, and wait until it is complete."""
    context = await logged_in(bench.browser, bench.tokens, viewport=VIEWPORT)
    await context.add_init_script(f"{PROBE.read_text(encoding='utf-8')}; pvlmProbe.watch({bench.expected(name)});")
    page = await context.new_page()
    await page.goto(bench.url(name), wait_until="commit")
    await _done(page)
    yield page
    await context.close()


async def _done(page: Page) -> float:
    """Wait for the probe and return its time, s on the page's own clock."""
    handle = await page.wait_for_function("window.pvlmProbe?.done", timeout=PATIENCE)
    done: float = await handle.json_value()
    return done / 1000


async def _cold(bench: Bench, name: str) -> float:
    """Return the time from the navigation to the complete view."""
    async with _page(bench, name) as page:
        return await _done(page)


async def _switch(bench: Bench, page: Page, name: str) -> float:
    """Go to a dashboard like a click in the sidebar does, and return the time until it is complete."""
    await page.wait_for_timeout(1000)
    await page.evaluate(
        "([path, lanes]) => { history.pushState(null, '', path); pvlmProbe.watch(lanes);"
        " window.dispatchEvent(new CustomEvent('location-changed', { detail: { replace: false } })); }",
        [f"/{name}/now", bench.expected(name)],
    )
    done = await _done(page)
    begin: float = await page.evaluate("pvlmProbe.begin")
    return done - begin / 1000


async def _run(bench: Bench, page: Page, seconds: float) -> Figures:
    """Look at a page for a while."""
    await page.wait_for_timeout(5000)
    session = await page.context.new_cdp_session(page)
    system = await bench.browser.new_browser_cdp_session()
    await session.send("Performance.enable")
    await session.send("HeapProfiler.collectGarbage")
    before, processes = await _metrics(session), await _processes(system)
    await asyncio.sleep(seconds)
    after, processes_after = await _metrics(session), await _processes(system)
    await session.send("HeapProfiler.collectGarbage")
    heap = (await _metrics(session))["JSHeapUsedSize"]
    passed = after["Timestamp"] - before["Timestamp"]

    def share(name: str) -> float:
        return round(100 * (after[name] - before[name]) / passed, 2)

    def of_process(kind: str) -> float:
        return round(100 * (processes_after.get(kind, 0.0) - processes.get(kind, 0.0)) / passed, 2)

    return {
        "cpu_percent": of_process("renderer"),
        "cpu_gpu_process_percent": of_process("GPU"),
        "main_thread_percent": share("TaskDuration"),
        "script_percent": share("ScriptDuration"),
        "layout_percent": share("LayoutDuration"),
        "style_percent": share("RecalcStyleDuration"),
        "layouts_per_s": round((after["LayoutCount"] - before["LayoutCount"]) / passed, 2),
        "styles_per_s": round((after["RecalcStyleCount"] - before["RecalcStyleCount"]) / passed, 2),
        "nodes": round(after["Nodes"]),
        "heap_mb": round(heap / 2**20, 1),
        "heap_growth_mb": round((heap - before["JSHeapUsedSize"]) / 2**20, 2),
    }


async def _metrics(session: CDPSession) -> dict[str, float]:
    answer = await session.send("Performance.getMetrics")
    return {metric["name"]: metric["value"] for metric in answer["metrics"]}


async def _processes(system: CDPSession) -> dict[str, float]:
    """Return the CPU time by kind of the browser's processes, s."""
    found: dict[str, float] = {}
    for process in (await system.send("SystemInfo.getProcessInfo"))["processInfo"]:
        found[process["type"]] = found.get(process["type"], 0.0) + process["cpuTime"]
    return found


async def _profile(page: Page, seconds: float) -> Any:
    """Return what the page's time goes into, as Chromium's DevTools read it."""
    session = await page.context.new_cdp_session(page)
    await session.send("Profiler.enable")
    await session.send("Profiler.start")
    await asyncio.sleep(seconds)
    return (await session.send("Profiler.stop"))["profile"]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
