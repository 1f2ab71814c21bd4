"""Damaged frames against the Wattpilot client: only its own errors come out, and nothing stays behind."""

import asyncio
from collections import Counter
from contextlib import suppress
import gc
import inspect
import json
import math
import os
from pathlib import Path
import time
from typing import Any

from custom_components.pv_load_manager.wattpilot import (
    ConnectionState,
    FormerValues,
    Target,
    Timings,
    WattpilotClient,
    WattpilotError,
    WattpilotStatus,
    restore_writes,
    takeover_writes,
    writes_for,
)

from .damaged_charger import DamagedCharger
from .transcripts import Transcript, transcripts

_LANES = 6
_WARM_UP = 0.2
# Generous to the allocator, small against one kept frame in a thousand.
_MAX_GROWTH_MB = 8.0
_TIMINGS = Timings(connect=2, authenticate=2, snapshot=2, flex=2, command=0.05, silence=2, close=0.2)
_TARGET = Target(charge=True, current_a=10, phases=3)
_PROPERTIES = [name for name, item in inspect.getmembers(WattpilotStatus) if isinstance(item, property)]
_FORMER = FormerValues.from_status(WattpilotStatus.of({"amp": 16, "lmo": 4, "frc": 0, "psm": 0, "fup": True}))


def measure(count: int, seed: int) -> dict[str, Any]:
    """Send some damaged frames.

    Args:
        count: How many at least.
        seed: The same seed damages in the same way.

    Returns:
        ``frames``, ``connections``, ``seconds``, ``updates`` (that listeners got), ``errors`` by type, ``growth_mb`` of
        the process and ``growth_objects`` after the first fifth, and ``failures``: what should not have happened.
    """
    return asyncio.run(_Run(seed).measure(count))


class _Run:
    """One run.

    Attributes:
        failures: What should not have happened, each kind once.
    """

    def __init__(self, seed: int) -> None:
        self.failures: Counter[str] = Counter()
        self._seed = seed
        self._errors: Counter[str] = Counter()
        self._updates = 0
        self._connections = 0

    async def measure(self, count: int) -> dict[str, Any]:
        """Return the figures of `measure`."""
        asyncio.get_running_loop().set_exception_handler(self._on_stray_error)
        said = await transcripts()
        tasks_before = asyncio.all_tasks()
        chargers = [DamagedCharger(said[lane % len(said)], f"{self._seed}/{lane}") for lane in range(_LANES)]
        clients = [await self._client(charger, said[lane % len(said)]) for lane, charger in enumerate(chargers)]
        started = time.monotonic()
        await self._until(int(count * _WARM_UP), chargers, clients)
        warm = _footprint()
        await self._until(count, chargers, clients)
        growth = [after - before for after, before in zip(_footprint(), warm, strict=True)]
        seconds = time.monotonic() - started
        for client in clients:
            await client.close()
        for charger in chargers:
            await charger.stop()
        await asyncio.sleep(0.1)
        gc.collect()
        for task in asyncio.all_tasks() - tasks_before:
            self._fail(f"left over: {task.get_coro()}")
        if growth[0] > _MAX_GROWTH_MB:
            self._fail(f"memory grew by {growth[0]:.1f} MB")
        return {
            "frames": sum(charger.sent for charger in chargers),
            "connections": self._connections,
            "seconds": round(seconds, 1),
            "updates": self._updates,
            "errors": dict(self._errors.most_common()),
            "growth_mb": round(growth[0], 2),
            "growth_objects": int(growth[1]),
            "failures": dict(self.failures),
        }

    async def _client(self, charger: DamagedCharger, transcript: Transcript) -> WattpilotClient:
        await charger.start()
        client = WattpilotClient(
            "127.0.0.1",
            "a password",
            port=charger.port,
            serial=transcript.serial,
            timings=_TIMINGS,
            derive_key=lambda _password, _serial, /: b"a key that nobody has to derive",
        )
        client.on_update(self._on_update)
        return client

    async def _until(self, count: int, chargers: list[DamagedCharger], clients: list[WattpilotClient]) -> None:
        """Connect again and again until so many frames were sent."""
        async with asyncio.TaskGroup() as group:
            for charger, client in zip(chargers, clients, strict=True):
                group.create_task(self._lane(count / len(chargers), charger, client))

    async def _lane(self, count: float, charger: DamagedCharger, client: WattpilotClient) -> None:
        ended = asyncio.Event()
        leave = client.on_state(lambda state: ended.set() if state is ConnectionState.DISCONNECTED else None)
        while charger.sent < count:
            self._connections += 1
            ended.clear()
            try:
                await client.connect()
            except WattpilotError as err:
                self._errors[type(err).__name__] += 1
                continue
            except Exception as err:  # noqa: BLE001 - finding these is what it is for
                self._fail(f"connect raised {err!r}")
                continue
            await asyncio.gather(*(self._write(client) for _ in range(3)))
            await ended.wait()
            if client.last_error is None:
                self._fail("the connection ended without a reason")
            else:
                self._errors[type(client.last_error).__name__] += 1
        leave()

    async def _write(self, client: WattpilotClient) -> None:
        try:
            await client.set_value("amp", 6)
        except WattpilotError as err:
            self._errors[f"set_value: {type(err).__name__}"] += 1
        except Exception as err:  # noqa: BLE001 - finding these is what it is for
            self._fail(f"set_value raised {err!r}")

    def _on_update(self, status: WattpilotStatus, changed: frozenset[str]) -> None:
        self._updates += 1
        try:
            for name in _PROPERTIES:
                if name != "raw" and not _is_well_formed(getattr(status, name)):
                    self._fail(f"{name} is malformed")
            takeover_writes(status)
            writes_for(_TARGET, status, safe_current_a=8)
            restore_writes(_FORMER, status)
            FormerValues.from_status(status)
            if self._updates % 20 == 0:
                json.dumps(status.redacted(), allow_nan=False)
            if not all(isinstance(key, str) for key in changed):
                self._fail("a changed key is no text")
        except Exception as err:  # noqa: BLE001 - finding these is what it is for
            self._fail(f"a listener met {err!r}")

    def _on_stray_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._fail(f"the event loop met {context.get('exception') or context['message']!r}")

    def _fail(self, what: str) -> None:
        if len(self.failures) < 50:
            self.failures[what[:300]] += 1


def _is_well_formed(value: object) -> bool:
    """Tell whether a value may be shown: finite, and a text that can be written down."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return value.isprintable() and value.encode(errors="replace").decode() == value
    if isinstance(value, tuple):
        return all(map(_is_well_formed, value))
    return value is None or isinstance(value, bool | int)


def _footprint() -> tuple[float, int]:
    """Return the memory of this process in MB and the number of objects in it."""
    for _ in range(3):
        gc.collect()
    pages = 0
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(gc.get_objects())
