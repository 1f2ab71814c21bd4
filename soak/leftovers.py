"""What a process holds on to: tasks, listeners, timers, sockets, threads and memory."""

import asyncio
from collections import Counter
from dataclasses import dataclass
import gc
from pathlib import Path
import sys
import threading

from homeassistant.core import HomeAssistant
from homeassistant.util.async_ import get_scheduled_timer_handles

LOOKS = 6
LOOK_PAUSE = 1.7  # s
PAGE_MB = 4096 / 2**20
SLEEP = "_set_result_unless_cancelled"
"""The timer of a task that sleeps; tasks are counted themselves."""


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What is held at one moment, each by its name.

    Attributes:
        tasks: Tasks of the loop that are not done, by the function that they run.
        timers: Timers of the loop that are still to fire, by what they call.
        listeners: Of Home Assistant's event bus, by event.
        threads: By name, executors' workers left out: they come when they are needed and stay.
        sockets: How many.
    """

    tasks: Counter[str]
    timers: Counter[str]
    listeners: Counter[str]
    threads: Counter[str]
    sockets: int

    def lasting(self, other: Holdings) -> Holdings:
        """Return what is held at both of two moments."""
        return Holdings(
            tasks=self.tasks & other.tasks,
            timers=self.timers & other.timers,
            listeners=self.listeners & other.listeners,
            threads=self.threads & other.threads,
            sockets=min(self.sockets, other.sockets),
        )

    def more_than(self, before: Holdings, *, timers: bool = False) -> list[str]:
        """Return what is held now and was not before; timers come and go while anything is loaded."""
        kinds = ["tasks", "listeners", "threads", *(["timers"] if timers else [])]
        found = [
            f"{kind}: {name} (+{count})"
            for kind in kinds
            for name, count in (getattr(self, kind) - getattr(before, kind)).items()
        ]
        if self.sockets > before.sockets:
            found.append(f"sockets: {before.sockets} before, {self.sockets} now")
        return found


def holdings(hass: HomeAssistant) -> Holdings:
    """Count what the process holds now."""
    gc.collect()
    loop = hass.loop
    present = asyncio.current_task()
    return Holdings(
        tasks=Counter(_task_name(task) for task in asyncio.all_tasks(loop) if task is not present and not task.done()),
        timers=Counter(
            name
            for handle in get_scheduled_timer_handles(loop)
            if not handle.cancelled() and (name := _timer_name(handle)) != SLEEP
        ),
        listeners=Counter({str(name): count for name, count in hass.bus.async_listeners().items()}),
        threads=Counter(thread.name for thread in threading.enumerate() if "Worker" not in thread.name),
        sockets=sum(_is_socket(link) for link in Path("/proc/self/fd").iterdir()),
    )


async def lasting_holdings(hass: HomeAssistant) -> Holdings:
    """Count what is held for some seconds; a poll or a write is not."""
    found = holdings(hass)
    for _ in range(LOOKS):
        await asyncio.sleep(LOOK_PAUSE)
        found = found.lasting(holdings(hass))
    return found


@dataclass(frozen=True, kw_only=True)
class Memory:
    """How much memory is used after garbage is collected.

    Attributes:
        rss_mb: Memory that the process occupies, MB (2**20 bytes).
        blocks: Live blocks of Python's own allocator.
    """

    rss_mb: float
    blocks: int


def memory() -> Memory:
    """Collect garbage and return what remains."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return Memory(rss_mb=pages * PAGE_MB, blocks=sys.getallocatedblocks())


def kinds() -> Counter[str]:
    """Count the living objects that garbage collection knows, by type."""
    gc.collect()
    return Counter(f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.get_objects())


def _task_name(task: asyncio.Task[object]) -> str:
    return getattr(task.get_coro(), "__qualname__", None) or task.get_name()


def _timer_name(handle: asyncio.TimerHandle) -> str:
    callback = getattr(handle, "_callback", None)
    return getattr(callback, "__qualname__", None) or repr(type(callback))


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:  # what listed the folder is closed by now
        return False
