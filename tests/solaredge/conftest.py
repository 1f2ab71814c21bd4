"""Inverters to read: recorded registers, registers by hand, and a simulated one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
import json
from pathlib import Path

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.mock import MockModbusConnection, MockModbusUnit
from modbus_connection.tmodbus import ModbusConnection
import pytest

from simulator import HomeConfig, Simulation, running_home

SERIAL = "7E123456"
SERIAL_AT = 40052
OPTION_AT = 40155
METER_STRIDE = 174

type LoadDump = Callable[..., MockModbusUnit]


def text(value: str, length: int) -> list[int]:
    """Return the registers of a text."""
    raw = value.encode().ljust(2 * length, b"\0")
    return [int.from_bytes(raw[index : index + 2]) for index in range(0, 2 * length, 2)]


@pytest.fixture(name="load_dump")
def load_dump_fixture(recorded_data: Path) -> LoadDump:
    """Return what loads the registers of a real inverter; serial numbers and options of the meters were taken out."""

    def load(name: str, *options: str) -> MockModbusUnit:
        path = recorded_data / "solaredge_dumps" / f"{name}.json"
        if not path.is_file():
            pytest.skip(f"the recording {name} is not here: set PVLM_DATA")
        unit = MockModbusConnection().for_unit(1)
        words = json.loads(path.read_text(encoding="utf-8"))["holding"]
        unit.holding.update({int(address): word for address, word in words.items()})
        unit.holding.update(enumerate(text(SERIAL, 16), start=SERIAL_AT))
        for slot, option in enumerate(options):
            unit.holding.update(enumerate(text(option, 8)[:8], start=OPTION_AT + slot * METER_STRIDE))
        return unit

    return load


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let sockets reach 127.0.0.1."""


type Connect = Callable[[HomeConfig], Awaitable[tuple[Simulation, ModbusUnit]]]


@pytest.fixture(name="connect")
async def connect_fixture() -> AsyncIterator[Connect]:
    """Return what starts a virtual home, in which time stands still, and connects to its inverter."""
    async with AsyncExitStack() as stack:

        async def connect(config: HomeConfig) -> tuple[Simulation, ModbusUnit]:
            home = await stack.enter_async_context(running_home(config))
            await home.advance(30)
            connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=home.inverter.port))
            stack.push_async_callback(connection.close)
            unit = connection.for_unit(1)
            unit.require_timeout(0.3)
            return home, unit

        yield connect
