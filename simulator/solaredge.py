"""The network side of a SolarEdge inverter: Modbus TCP for one client at a time."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
import struct

from tmodbus.exceptions import (
    IllegalDataAddressError,
    ServerDeviceFailureError,
    SuppressResponseError,
    error_code_to_exception_map,
)
from tmodbus.pdu import ReadHoldingRegistersPDU, WriteMultipleRegistersPDU, WriteSingleRegisterPDU
from tmodbus.server import AsyncTcpServer, ModbusRequestRouter

from .config import InverterConfig
from .home import Home
from .register_faults import flip_sign, measured, put_sentinels
from .registers import METER_COMMON, METER_STRIDE, POWER_CONTROL, SITE_CONTROL, build, build_follower, meter_shift

_WRITABLE = (range(SITE_CONTROL, SITE_CONTROL + 20), range(POWER_CONTROL, POWER_CONTROL + 4))
_REMOTE_CONTROL = 4


@dataclass(frozen=True, kw_only=True)
class RegisterWrite:
    """A write that the inverter took.

    Attributes:
        at: Home time, s.
        address: First register.
        values: Words.
    """

    at: float
    address: int
    values: tuple[int, ...]


@dataclass(kw_only=True)
class SolarEdgeFaults:
    """What goes wrong; set the attributes while the inverter runs.

    Attributes:
        silent: No request is answered.
        silent_blocks: Requests that touch one of these register ranges are never answered.
        exception_blocks: Requests that touch one of these register ranges are answered with exception 2.
        broken_blocks: Requests that touch one of these register ranges are answered with exception 4.
        refuse: A new connection is closed at once.
        frozen_meter: The meters show what they showed at the first request after this was set.
        lost_meter: The measured values of the meters are all "not implemented".
        slow_s: Extra time for each answer, wall clock seconds.
        slow_to_s: Where this is more than `slow_s`, each answer takes another time between both.
        serial: Another serial number.
        exception: Code of the exception that takes the place of answers; None = answers.
        exception_on: Only requests that touch one of these register ranges get it; empty = all.
        sign_flip: The meters count the wrong way round.
        sentinel: Name of what takes the place of measured values (see `register_faults.SENTINELS`).
        sentinel_on: Only in these register ranges; empty = everywhere.
        truncated: The answer ends in the middle, and so does the connection.
    """

    silent: bool = False
    silent_blocks: list[range] = field(default_factory=list)
    exception_blocks: list[range] = field(default_factory=list)
    broken_blocks: list[range] = field(default_factory=list)
    refuse: bool = False
    frozen_meter: bool = False
    lost_meter: bool = False
    slow_s: float = 0.0
    slow_to_s: float = 0.0
    serial: str | None = None
    exception: int | None = None
    exception_on: list[range] = field(default_factory=list)
    sign_flip: bool = False
    sentinel: str | None = None
    sentinel_on: list[range] = field(default_factory=list)
    truncated: bool = False


class SolarEdgeServer(AsyncTcpServer):
    """One SolarEdge inverter on the network.

    Attributes:
        faults: What goes wrong.
        port: TCP port it listens on; known after `start`.
        unit_id: Modbus unit.
        reads: How many read requests came.
        refused: How many connections were turned away.
        writes: Every write it took, oldest first.
    """

    def __init__(self, home: Home, config: InverterConfig, host: str) -> None:
        router = ModbusRequestRouter()
        super().__init__(host, router, port=config.port)
        router.register(ReadHoldingRegistersPDU, unit_id=config.unit_id)(self._read)
        for number in range(len(config.followers)):
            router.register(ReadHoldingRegistersPDU, unit_id=config.unit_id + 1 + number)(self._read_follower)
        router.register(WriteSingleRegisterPDU, unit_id=config.unit_id)(self._write_one)
        router.register(WriteMultipleRegistersPDU, unit_id=config.unit_id)(self._write_many)
        self.faults = SolarEdgeFaults()
        self.unit_id = config.unit_id
        self.reads = 0
        self.refused = 0
        self.writes: list[RegisterWrite] = []
        self._home = home
        self._config = config
        self._written: dict[int, int] = {}
        self._frozen: dict[int, int] = {}
        self._client: asyncio.StreamWriter | None = None
        self._client_task: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._stopping = False
        self._random = Random(f"{home.config.seed} {config.serial}")

    @property
    def serial(self) -> str:
        """The serial number that it announces."""
        return self.faults.serial or self._config.serial

    @property
    def connected(self) -> bool:
        """Whether a client holds the one connection."""
        return self._client is not None

    async def start(self) -> None:
        """Listen."""
        self._stopping = False
        await super().start()
        if self._server is not None:
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Disconnect the client and stop listening; who comes meanwhile is turned away."""
        self._stopping = True
        self.drop()
        if self._client_task is not None:
            self._client_task.cancel()
            await asyncio.wait([self._client_task])
        await super().stop()

    def drop(self) -> None:
        """Cut the connection, as a firmware update does."""
        if self._client is not None:
            self._client.transport.abort()

    def freeze_meter(self) -> None:
        """Set the fault `frozen_meter` and keep the values of this moment, not those of the next request."""
        self.faults.frozen_meter = True
        self._frozen = {}
        self._image()

    async def handle_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve the one client; turn every other away."""
        if self._client is not None or self.faults.refuse or self._stopping:
            self.refused += 1
            writer.transport.abort()
            return
        self._client, self._client_task = writer, asyncio.current_task()
        self._watch_idle()
        try:
            await super().handle_client(reader, writer)
        finally:
            self._client = self._client_task = None
            if self._idle is not None:
                self._idle.cancel()

    def _watch_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._config.idle_close_s, self._close_idle)

    def _close_idle(self) -> None:
        if self._client is not None:
            self._client.close()

    async def _read(self, _unit: int, request: ReadHoldingRegistersPDU) -> list[int]:
        return await self._answer(request, self._image)

    async def _read_follower(self, unit: int, request: ReadHoldingRegistersPDU) -> list[int]:
        number = unit - self.unit_id - 1
        return await self._answer(request, lambda: build_follower(self._home, self._config, number).words)

    async def _answer(self, request: ReadHoldingRegistersPDU, registers: Callable[[], dict[int, int]]) -> list[int]:
        self.reads += 1
        addresses = range(request.start_address, request.start_address + request.quantity)
        await self._before_answer(addresses, request.function_code)
        image = registers()
        if any(address not in image for address in addresses):
            raise IllegalDataAddressError(request.function_code)
        return [image[address] for address in addresses]

    async def _write_one(self, _unit: int, request: WriteSingleRegisterPDU) -> int:
        await self._write(request.address, [request.value], request.function_code)
        return request.value

    async def _write_many(self, _unit: int, request: WriteMultipleRegistersPDU) -> int:
        await self._write(request.start_address, request.values, request.function_code)
        return len(request.values)

    async def _write(self, address: int, values: list[int], function_code: int) -> None:
        addresses = range(address, address + len(values))
        await self._before_answer(addresses, function_code)
        if not any(addresses[0] in block and addresses[-1] in block for block in _WRITABLE):
            raise IllegalDataAddressError(function_code)
        self._written.update(zip(addresses, values, strict=True))
        self.writes.append(RegisterWrite(at=self._home.now, address=address, values=tuple(values)))
        self._limit_battery()

    async def _before_answer(self, addresses: range, function_code: int) -> None:
        """Take the time that an answer takes, and play the faults."""
        self._watch_idle()
        faults = self.faults
        delay = self._config.latency_s + self._random.uniform(faults.slow_s, max(faults.slow_s, faults.slow_to_s))
        if delay:
            await asyncio.sleep(delay)
        if faults.silent or _touches(addresses, faults.silent_blocks):
            raise SuppressResponseError
        if faults.truncated:
            self._cut_short(function_code)
        if faults.exception is not None and _touches(addresses, faults.exception_on or [range(0x10000)]):
            raise error_code_to_exception_map[faults.exception](function_code)
        if _touches(addresses, faults.exception_blocks):
            raise IllegalDataAddressError(function_code)
        if _touches(addresses, faults.broken_blocks):
            raise ServerDeviceFailureError(function_code)

    def _cut_short(self, function_code: int) -> None:
        """Begin an answer and end the connection in the middle of it."""
        if self._client is not None:
            self._client.write(bytes((0, 1, 0, 0, 0, 0x30, self.unit_id, function_code, 0x2D, 0, 1)))
            self._client.close()
        raise SuppressResponseError

    def _image(self) -> dict[int, int]:
        """Return all registers: one moment of the home for the whole request."""
        words = build(self._home, self._config, self.serial).words | self._written
        first = METER_COMMON + meter_shift(self._config)
        meters = range(first, first + METER_STRIDE * len(self._config.meters))
        if self.faults.frozen_meter:
            self._frozen = self._frozen or {address: words[address] for address in meters if address in words}
            words |= self._frozen
        else:
            self._frozen = {}
        if self.faults.lost_meter:
            for start in meters[::METER_STRIDE]:
                words |= dict.fromkeys(range(start + 69, start + 105), 0x8000)
        if self.faults.sign_flip:
            flip_sign(words, self._config)
        if self.faults.sentinel is not None:
            put_sentinels(words, self.faults.sentinel, self.faults.sentinel_on or measured(self._config))
        return words

    def _limit_battery(self) -> None:
        """Let the limits of remote storage control act on the battery (57358 charge, 57360 discharge)."""
        battery = self._home.battery
        if battery is None:
            return
        image = self._image()
        remote = image[SITE_CONTROL + 4] == _REMOTE_CONTROL
        battery.charge_limit_w = _float(image, SITE_CONTROL + 14) if remote else None
        battery.discharge_limit_w = _float(image, SITE_CONTROL + 16) if remote else None


def _touches(addresses: range, blocks: Iterable[range]) -> bool:
    return any(addresses[0] < block.stop and block.start <= addresses[-1] for block in blocks)


def _float(image: dict[int, int], address: int) -> float:
    """Decode a 32-bit float, low word first."""
    value: float = struct.unpack(">f", struct.pack(">HH", image[address + 1], image[address]))[0]
    return value
