"""Damaged registers against the SolarEdge reader: only its own errors come out, and no figure that cannot be."""

import asyncio
from collections import Counter
from collections.abc import Iterator
import dataclasses
import gc
import math
import os
from pathlib import Path
from random import Random
import time
from typing import Any

from modbus_connection import ModbusError, ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection
from tmodbus.exceptions import IllegalDataAddressError, SuppressResponseError
from tmodbus.pdu import ReadHoldingRegistersPDU
from tmodbus.server import AsyncTcpServer, ModbusRequestRouter

from custom_components.pv_load_manager.solaredge import (
    InverterData,
    InverterError,
    MeterData,
    ReaderTimings,
    SolarEdgeReader,
)

from .damaged_registers import Damaged, DamagedUnit, Words, damage, images

_WARM_UP = 0.2
_MAX_GROWTH_MB = 8.0
_ON_SOCKETS = 40  # every so many-th inverter is behind a real socket
_POLLS = 3  # of every inverter that could be opened, each with new damage
_TIMINGS = ReaderTimings(rest=1.0, answer=0.2, again=0.1, confirm=1.0, layout=2.0)
_STATUSES = {None, "off", "sleeping", "starting", "producing", "throttled", "shutting_down", "fault", "standby"}


def measure(count: int, seed: int) -> dict[str, Any]:
    """Read some damaged register images.

    Args:
        count: How many at least.
        seed: The same seed damages in the same way.

    Returns:
        ``images``, ``opened`` (inverters that took the damage), ``sockets`` (inverters behind real ones), ``seconds``,
        ``errors`` by type, ``growth_mb`` of the process after the first fifth, and ``failures``: what should not have
        happened.
    """
    return asyncio.run(_Run(seed).measure(count))


class Clock:
    """Time that passes by itself between two polls."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return monotonic seconds."""
        return self.now


class _Run:
    def __init__(self, seed: int) -> None:
        self.failures: Counter[str] = Counter()
        self._random = Random(seed)  # noqa: S311 - damage that can be repeated is what it is for
        self._errors: Counter[str] = Counter()
        self._images = self._opened = self._sockets = 0
        # One for all: the server's library never forgets a handler.
        self._server = _Server()

    async def measure(self, count: int) -> dict[str, Any]:
        """Return the figures of `measure`."""
        asyncio.get_running_loop().set_exception_handler(self._on_stray_error)
        whole = await images()
        await self._server.start()
        tasks_before = asyncio.all_tasks()
        started = time.monotonic()
        await self._until(int(count * _WARM_UP), whole)
        warm = _memory_mb()
        await self._until(count, whole)
        growth = _memory_mb() - warm
        seconds = time.monotonic() - started
        await self._server.stop()
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks() - tasks_before:
            self._fail(f"left over: {task.get_coro()}")
        if growth > _MAX_GROWTH_MB:
            self._fail(f"memory grew by {growth:.1f} MB")
        return {
            "images": self._images,
            "opened": self._opened,
            "sockets": self._sockets,
            "seconds": round(seconds, 1),
            "errors": dict(self._errors.most_common()),
            "growth_mb": round(growth, 2),
            "failures": dict(self.failures),
        }

    async def _until(self, count: int, whole: list[Words]) -> None:
        number = 0
        while self._images < count:
            number += 1
            words = self._random.choice(whole)
            if number % _ON_SOCKETS == 0:
                await self._over_socket(words)
            else:
                unit = DamagedUnit(self._damaged(words, whole=0.7))
                await self._read(unit, words, lambda damaged, unit=unit: setattr(unit, "damaged", damaged))

    def _damaged(self, words: Words, *, whole: float = 0.1) -> Damaged:
        self._images += 1
        # The first image is often whole, so that what follows meets an open reader.
        is_whole = self._random.random() < whole
        return Damaged(words=words, missing=False) if is_whole else damage(words, self._random)

    async def _over_socket(self, words: Words) -> None:
        self._sockets += 1
        server = self._server
        server.damaged = self._damaged(words, whole=0.7)
        connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=server.port), timeout=0.2)
        try:
            await self._read(connection.for_unit(1), words, lambda damaged: setattr(server, "damaged", damaged))
        finally:
            await connection.close()

    async def _read(self, unit: Any, words: Words, put: Any) -> None:
        """Open an inverter and poll it, every time with other damage."""
        clock = Clock()
        try:
            reader = await SolarEdgeReader.async_open(unit, timings=_TIMINGS, clock=clock)
        except InverterError as err:
            self._errors[f"open: {type(err).__name__}"] += 1
            return
        except Exception as err:  # noqa: BLE001 - finding these is what it is for
            self._fail(f"open raised {err!r}")
            return
        self._opened += 1
        self._check(reader.data)
        for _ in range(_POLLS):
            put(self._damaged(words))
            clock.now += self._random.choice((0.2, 1.1, 3.0))
            try:
                await reader.async_poll()
            except InverterError as err:
                self._errors[f"poll: {type(err).__name__}"] += 1
            except Exception as err:  # noqa: BLE001 - finding these is what it is for
                self._fail(f"poll raised {err!r}")
            self._check(reader.data)
        reader.close()

    def _check(self, data: InverterData) -> None:
        for what in impossible(data):
            self._fail(what)

    def _on_stray_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._fail(f"the event loop met {context.get('exception') or context['message']!r}")

    def _fail(self, what: str) -> None:
        if len(self.failures) < 50:
            self.failures[what[:300]] += 1


class _Server(AsyncTcpServer):
    """A damaged inverter on a real socket."""

    def __init__(self) -> None:
        router = ModbusRequestRouter()
        super().__init__("127.0.0.1", router, port=0)
        router.register(ReadHoldingRegistersPDU, unit_id=1)(self._answer)
        self.damaged = Damaged(words={})
        self._wire: asyncio.StreamWriter | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        await super().start()
        if self._server is not None:
            self.port = self._server.sockets[0].getsockname()[1]

    async def handle_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client and keep its wire."""
        self._wire = writer
        await super().handle_client(reader, writer)

    async def _answer(self, _unit: int, request: ReadHoldingRegistersPDU) -> list[int]:
        if self.damaged.garbage and self._wire is not None:
            self._wire.write(self.damaged.garbage)
            if len(self.damaged.garbage) % 2:
                self._wire.close()
            raise SuppressResponseError
        try:
            return self.damaged.answer(request.start_address, request.quantity)
        except TimeoutError as err:
            raise SuppressResponseError from err
        except ModbusError as err:
            raise IllegalDataAddressError(request.function_code) from err


def impossible(data: InverterData) -> Iterator[str]:
    """Yield what data says that no inverter can mean."""
    for path, value in _figures(data, "data"):
        if not math.isfinite(value) or abs(value) > 1e12:
            yield f"{path} is {value}"
    if data.pv is not None:
        if data.pv.power_w is not None and not 0 <= data.pv.power_w <= 1e8:
            yield f"the roof makes {data.pv.power_w} W"
        if data.pv.status not in _STATUSES:
            yield f"the status is {data.pv.status!r}"
    charge = None if data.battery is None else data.battery.state_of_charge
    if charge is not None and not 0 <= charge <= 100.000001:
        yield f"the battery is at {charge} %"
    for meter in (data.grid, *data.meters.values()):
        if meter is not None:
            yield from _impossible_meter(meter)


def _impossible_meter(meter: MeterData) -> Iterator[str]:
    if meter.power_w is not None and abs(meter.power_w) > 1e6:
        yield f"a meter shows {meter.power_w} W"
    if any(current is not None and abs(current) > 5000 for current in meter.currents_a):
        yield f"a meter shows {meter.currents_a} A"
    if any(energy is not None and energy <= 0 for energy in (meter.imported_wh, meter.exported_wh)):
        yield "a counter counts backwards"


def _figures(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Yield every number inside, with where it stands."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for entry in dataclasses.fields(value):
            yield from _figures(getattr(value, entry.name), f"{path}.{entry.name}")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _figures(inner, f"{path}[{key}]")
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _figures(inner, f"{path}[{index}]")
    elif isinstance(value, float | int) and not isinstance(value, bool):
        yield path, float(value)


def _memory_mb() -> float:
    """Return the memory of this process in MB."""
    for _ in range(3):
        gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
