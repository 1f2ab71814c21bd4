"""One run from the first set-up to the last look at what is left."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import cache
import sys
import time as wall
from typing import Any
from unittest.mock import patch

from custom_components.pv_load_manager.wattpilot.auth import KEY_DERIVATIONS
from simulator import BatteryConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig
from simulator.wattpilot_auth import derive_key

from .findings import Findings, LogWatch, clock
from .ledger import Ledger
from .leftovers import Memory, kinds, lasting_holdings, memory
from .pace import PacedLoop, paced_calendar
from .stage import Stage, staged
from .story import Story

STEP = 0.25  # s of home time
LONGEST_STEP = 1.0  # s; should the loop ever lag, the home does, too
FUSE_A = 35.0
OVERLOAD = 45.0  # s; a meter's cadence and lag, a command's way and the slowest car are over by then
FLAT = 0.05
"""By how much of it the memory may be more at the end."""
WARM = 0.25
"""Part of the run after which memory has its size."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for; hours and pause (in s between two faults of a device) are home time."""

    hours: float = 24.0
    speed: float = 60.0
    seed: int = 1
    chargers: int = 3
    pause: float = 900.0
    faults: frozenset[str] | None = None
    """Only these; None = all."""


@dataclass(kw_only=True)
class _Watch:
    """What is looked at all the time."""

    stage: Stage
    story: Story
    findings: Findings
    began: float
    samples: list[Memory] = field(default_factory=list)
    over: float = 0.0

    async def drive(self) -> None:
        """Let the home's time pass, and count how long its fuse carries too much."""
        loop = self.stage.hass.loop
        before = loop.time()
        while True:
            await asyncio.sleep(STEP)
            now = loop.time()
            step, before = min(now - before, LONGEST_STEP), now
            self.findings.now = now - self.began
            await self.stage.home.advance(step)
            self._count(step)

    def _count(self, step: float) -> None:
        highest = max(abs(current) for current in self.stage.home.home.flow.grid_currents)
        self.findings.peak_a = max(self.findings.peak_a, highest)
        if highest <= FUSE_A or not self.story.meter_alive():
            self.over = 0.0
            return
        findings = self.findings
        findings.over_total_s += step
        if self.over <= OVERLOAD < self.over + step:
            findings.violation(f"the house carries {highest:.1f} A for {OVERLOAD:.0f} s, its fuse {FUSE_A:g} A")
        self.over += step
        findings.over_s = max(findings.over_s, self.over)

    async def sample(self, every: float) -> None:
        """Measure the memory now and then; what the home remembers of its own does not count."""
        while True:
            await asyncio.sleep(every)
            for server in self.stage.home.chargers:
                server.writes.clear()
            self.stage.home.inverter.writes.clear()
            self.samples.append(memory())
            findings = self.findings
            text = f"{clock(findings.now)} {findings.sessions} sessions, {findings.faults.total()} faults"
            sys.stderr.write(f"{text}, {len(findings.violations)} violations\n")


def soak(options: Options) -> dict[str, Any]:
    """Run, and return what was found."""
    loop = PacedLoop(options.speed)
    asyncio.set_event_loop(loop)
    findings = Findings()

    def failed(_loop: object, context: dict[str, Any]) -> None:
        findings.violation(f"unhandled: {context.get('message')}: {context.get('exception')!r}")

    loop.set_exception_handler(failed)
    begin = datetime.combine(_home(options).start_on, _home(options).start_at, tzinfo=UTC)
    began = wall.monotonic()
    with paced_calendar(loop, begin), _known_keys(_home(options)):
        try:
            figures = loop.run_until_complete(_soak(options, findings))
        except AssertionError as err:  # an entry that cannot be set up; why is in the log
            findings.violation(f"it ended early: {err}")
            figures = {}
        else:
            left = [task for task in asyncio.all_tasks(loop) if not task.done()]
            for task in left:
                findings.violation(f"left over after the stop: {task!r}")
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
    took = wall.monotonic() - began
    return findings.as_dict() | figures | {"seed": options.seed, "hours": options.hours, "took_s": round(took, 1)}


@contextmanager
def _known_keys(home: HomeConfig) -> Iterator[None]:
    """Derive the chargers' keys beforehand: that takes real time, which at this speed would be too much."""
    theirs, ours = cache(derive_key), {name: cache(derive) for name, derive in KEY_DERIVATIONS.items()}
    for charger in home.chargers:
        theirs(charger.password, charger.serial, charger.auth)
        ours[charger.auth](charger.password, charger.serial)
    with patch("simulator.wattpilot.derive_key", theirs), patch.dict(KEY_DERIVATIONS, ours):
        yield


async def _soak(options: Options, findings: Findings) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    log = LogWatch(findings)
    async with staged(_home(options), log) as stage:
        log.titles = frozenset(entry.title for entry in stage.entries)
        story = Story(stage, findings, seed=options.seed, pause=options.pause, only=options.faults)
        watch = _Watch(stage=stage, story=story, findings=findings, began=loop.time())
        driver = loop.create_task(watch.drive())
        # What is set up once and stays, as Home Assistant's own platforms, is there before the first count.
        await stage.set_up(*stage.entries)
        await stage.unload_all()
        await asyncio.sleep(60.0)
        empty = await lasting_holdings(stage.hass)
        await stage.set_up(*stage.entries)
        await asyncio.sleep(60.0)
        loaded, before = await lasting_holdings(stage.hass), kinds()
        ledger = Ledger(stage, findings)
        ledger.start()
        happenings = story.start(ledger)
        sampler = loop.create_task(watch.sample(min(3600.0, options.hours * 3600 / 8)))
        await _live(options.hours * 3600, [*happenings, sampler, driver])
        await _cancel(*happenings, sampler)
        ledger.stop()
        await story.calm()
        for what in (await lasting_holdings(stage.hass)).more_than(loaded):
            findings.violation(f"more while loaded: {what}")
        grown = kinds() - before
        await stage.unload_all()
        await asyncio.sleep(60.0)
        for what in (await lasting_holdings(stage.hass)).more_than(empty, timers=True):
            findings.violation(f"left over after unloading: {what}")
        await _cancel(driver)
    check_memory(watch.samples, findings)
    return {
        "rss_mb": [round(sample.rss_mb, 1) for sample in watch.samples],
        "blocks": [sample.blocks for sample in watch.samples],
        "more_objects": dict(grown.most_common(8)),
    }


async def _live(seconds: float, tasks: list[asyncio.Task[None]]) -> None:
    """Let time pass; an error of a task ends it."""
    done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for task in done:
        task.result()


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def check_memory(samples: list[Memory], findings: Findings) -> None:
    """Compare the memory at the end with what it was when the run was warm."""
    warm = samples[int(WARM * len(samples)) :]
    if len(warm) < 2:
        return
    first, last = warm[0], warm[-1]
    if last.rss_mb > (1 + FLAT) * first.rss_mb:
        findings.violation(f"the process grew from {first.rss_mb:.1f} to {last.rss_mb:.1f} MB")
    if last.blocks > (1 + FLAT) * first.blocks:
        findings.violation(f"Python's memory grew from {first.blocks} to {last.blocks} blocks")


def _home(options: Options) -> HomeConfig:
    """Return a home whose fuse is not enough for all of its cars."""
    return HomeConfig(
        pv=PvConfig(clouds=0.7),
        house=HouseConfig(),
        battery=BatteryConfig(),
        chargers=tuple(
            ChargerConfig(
                serial=str(10_000_001 + number),
                name=f"Charger {number + 1}",
                variant=(11, 22)[number % 2],
                max_current=(16, 32)[number % 2],
                auth=("pbkdf2", "pbkdf2", "bcrypt")[number % 3],
                plugged=False,
            )
            for number in range(options.chargers)
        ),
        main_fuse_a=FUSE_A,
        start_at=time(10, 0),
        seed=options.seed,
        speed=0.0,
    )
