"""Watches the event loop of a Home Assistant from inside; the benchmark puts it into the configuration folder.

A timer rings every few milliseconds. How late it rings is how long the loop could not be used by anybody, and how
much CPU time the loop's thread had meanwhile tells a block by Home Assistant from one by a busy machine.
"""

import asyncio
import cProfile
import gc
import io
import os
import pstats
import sys
import threading
import time
import traceback
from typing import Any

from aiohttp import web
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.typing import ConfigType

DOMAIN = "block_probe"
INTERVAL = 0.005  # s
WORTH_TELLING = 0.01  # s
MOST = 2000
PROFILE_ROWS = 45
WATCH = "BLOCK_PROBE_WATCH"
"""Where this is in the environment, a thread looks what the loop is at while it is blocked; that costs a little."""
WATCH_INTERVAL = 0.01  # s
WATCHED = 0.03  # s

CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Begin to watch, before Home Assistant has set up the rest."""
    probe = Probe(hass)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, probe.entry_changed)
    hass.http.register_view(ProbeView(probe))
    probe.tick()
    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, probe.stop)
    if WATCH in os.environ:
        threading.Thread(target=probe.watch, args=(threading.get_ident(),), name=DOMAIN, daemon=True).start()
    return True


class Probe:
    """Measures the loop it runs in."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing seen."""
        self._hass = hass
        self._timer: asyncio.TimerHandle | None = None
        self._profile: cProfile.Profile | None = None
        self.entries: dict[str, list[float]] = {}
        """Per domain: when its first entry began to be set up, and when the last one was loaded; monotonic s."""
        self.reset()

    @callback
    def reset(self) -> None:
        """Forget what was measured, but not the set-up; afterwards no garbage is left that somebody else made."""
        gc.collect()
        # What that took is nobody's fault.
        self._due, self._cpu = self._hass.loop.time(), time.thread_time()
        self.blocks: list[tuple[float, float, float]] = []
        self.ticks = 0
        self.late = 0.0
        self.stacks: list[tuple[float, list[str]]] = []

    def watch(self, loop_thread: int) -> None:
        """Note the stack of the loop's thread whenever the timer is overdue."""
        while True:
            time.sleep(WATCH_INTERVAL)
            late = time.monotonic() - self._due
            frame = sys._current_frames().get(loop_thread)  # noqa: SLF001 - there is no other way
            if late > WATCHED and frame is not None and len(self.stacks) < MOST:
                stack = traceback.extract_stack(frame)
                self.stacks.append((late, [f"{at.filename}:{at.lineno} {at.name}" for at in stack[-12:]]))

    @callback
    def tick(self) -> None:
        """Take the time, and ring again."""
        loop = self._hass.loop
        now, cpu = loop.time(), time.thread_time()
        late = now - self._due
        self.ticks += 1
        self.late += late
        if late > WORTH_TELLING and len(self.blocks) < MOST:
            self.blocks.append((now, late, min(late, cpu - self._cpu)))
        self._due, self._cpu = now + INTERVAL, cpu
        self._timer = loop.call_at(self._due, self.tick)

    @callback
    def stop(self, _event: Event | None = None) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()

    @callback
    def entry_changed(self, _change: ConfigEntryChange, entry: ConfigEntry) -> None:
        """Note when the entries of each integration are set up."""
        now = self._hass.loop.time()
        if entry.state is ConfigEntryState.SETUP_IN_PROGRESS:
            self.entries.setdefault(entry.domain, [now, now])
        elif entry.state is ConfigEntryState.LOADED and entry.domain in self.entries:
            self.entries[entry.domain][1] = now

    def as_dict(self) -> dict[str, Any]:
        """Return what was measured; times in s of the monotonic clock: of each block its end, length and CPU time."""
        return {
            "now": self._hass.loop.time(),
            "ticks": self.ticks,
            "mean_late": self.late / max(1, self.ticks),
            "blocks": self.blocks,
            "entries": self.entries,
            "stacks": self.stacks,
        }

    @callback
    def profile(self) -> None:
        """Begin to count where the loop's time goes."""
        self._profile = cProfile.Profile()
        self._profile.enable()

    @callback
    def profiled(self) -> str:
        """Return where the loop's time went: by own time, then with all that was called."""
        if self._profile is None:
            return ""
        self._profile.disable()
        text = io.StringIO()
        stats = pstats.Stats(self._profile, stream=text)
        stats.sort_stats("tottime").print_stats(PROFILE_ROWS)
        stats.sort_stats("cumtime").print_stats("pv_load_manager", PROFILE_ROWS)
        self._profile = None
        return text.getvalue()


class ProbeView(HomeAssistantView):
    """Tells the benchmark what was measured."""

    url = "/api/block_probe"
    name = "api:block_probe"

    def __init__(self, probe: Probe) -> None:
        """Serve a probe."""
        self._probe = probe

    async def get(self, _request: web.Request) -> web.Response:
        """Return what was measured."""
        return self.json(self._probe.as_dict())

    async def post(self, request: web.Request) -> web.Response:
        """Reset, or begin or end a profile."""
        match (await request.json()).get("do"):
            case "profile":
                self._probe.profile()
            case "profiled":
                return self.json({"text": self._probe.profiled()})
            case _:
                self._probe.reset()
        return self.json({})
