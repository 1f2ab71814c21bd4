"""Images of an inverter's registers, and what firmware, radio and carelessness make of them."""

import asyncio
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
from random import Random

from modbus_connection import (
    IllegalDataAddressError,
    IllegalFunctionError,
    ModbusConnectionError,
    ModbusDesyncError,
    ModbusError,
    ModbusProtocolError,
    ModbusTimeoutError,
    ServerDeviceBusyError,
    ServerDeviceFailureError,
)
from modbus_connection.mock import MockModbusConnection, MockModbusUnit

from simulator import BatteryConfig, HomeConfig, InverterConfig, PvConfig, running_home
from simulator.registers import build

type Words = dict[int, int]

SERIAL = "7E000001"
_SERIAL_AT = 40052
_SENTINELS = (0x8000, 0xFFFF, 0x7FFF, 0, 1, 0x7FC0, 0x7F80, 0xFF80, 0x7F7F, 0xFF7F)
_SCALES = (-32768, -11, -10, -3, -1, 0, 1, 4, 10, 11, 0x7FFF)
_MODELS = (0, 1, 64, 101, 102, 103, 160, 201, 202, 203, 204, 213, 713, 0xFFFF, 0x8000)
# Where an inverter says what follows and how to read it; what is broken here hurts most.
_HEADERS = (40000, 40002, 40003, 40069, 40070, 40121, 40122, 40129, 40188, 40189, 40362, 40536, 57666, 57667, 57734)
_SCALE_AT = (40075, 40082, 40084, 40095, 40101, 40194, 40203, 40210, 40242, 40368, 40384, 40416)
_IDENTITY = range(_SERIAL_AT, _SERIAL_AT + 16)
_REFUSALS: tuple[type[ModbusError], ...] = (
    IllegalDataAddressError,
    IllegalFunctionError,
    ServerDeviceBusyError,
    ServerDeviceFailureError,
    ModbusTimeoutError,
    ModbusProtocolError,
    ModbusDesyncError,
    ModbusConnectionError,
)


@dataclass(kw_only=True)
class Damaged:
    """What a damaged inverter answers.

    Attributes:
        words: By address.
        refusals: What a request that touches an address is answered with.
        missing: Whether an address without a word is refused, else it reads 0.
        garbage: Bytes on the wire in the place of answers.
    """

    words: Words
    refusals: dict[int, type[ModbusError]] = field(default_factory=dict)
    missing: bool = True
    garbage: bytes = b""

    def answer(self, address: int, count: int) -> list[int]:
        """Return registers, or raise what comes instead."""
        addresses = range(address, address + count)
        for at, refusal in self.refusals.items():
            if at in addresses:
                raise refusal
        if self.missing and not all(at in self.words for at in addresses):
            raise IllegalDataAddressError
        return [self.words.get(at, 0) for at in addresses]


class DamagedUnit(MockModbusUnit):
    """A unit in this process with the registers of a damaged inverter, which may change between requests."""

    def __init__(self, damaged: Damaged) -> None:
        super().__init__(MockModbusConnection(), 1)
        self.damaged = damaged

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Answer at once."""
        return self.damaged.answer(address, count)


async def images() -> list[Words]:
    """Return whole images: of virtual inverters, and of recorded ones where the recordings are there."""
    homes = [
        HomeConfig(pv=PvConfig(constant_w=6000), battery=battery, inverter=inverter, chargers=(), speed=0)
        for battery, inverter in (
            (None, InverterConfig()),
            (BatteryConfig(), InverterConfig(meters=("Production", "Export+Import", "Consumption"))),
            (BatteryConfig(), InverterConfig(phases=1, synergy_units=2, end_marker=False)),
        )
    ]
    found = []
    for home in homes:
        async with running_home(home) as simulation:
            await simulation.advance(30)
            config = home.inverter or InverterConfig()
            found.append(build(simulation.home, config, SERIAL).words)
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("PVLM_DATA", default)) / "solaredge_dumps"
    for path in await asyncio.to_thread(lambda: sorted(folder.glob("*.json"))):
        text = await asyncio.to_thread(path.read_text, encoding="utf-8")
        words = {int(address): word for address, word in json.loads(text)["holding"].items()}
        # Serial numbers were taken out of the recordings.
        words |= dict(zip(_IDENTITY, [0x3745, 0x3030, 0x3030, 0x3031, *[0] * 12], strict=True))
        found.append(words)
    return found


def damage(words: Words, random: Random) -> Damaged:
    """Return a damaged inverter; the same state of ``random`` damages in the same way."""
    image = Damaged(words=dict(words), missing=random.random() < 0.7)
    addresses = list(words)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        match random.randrange(10):
            case 0 | 1:
                image.words[random.choice(addresses)] = random.randrange(0x10000)
            case 2:
                image.words[random.choice(addresses)] = random.choice(_SENTINELS)
            case 3:
                start, sentinel = random.choice(addresses), random.choice(_SENTINELS)
                image.words |= dict.fromkeys(range(start, start + random.choice((2, 5, 40, 120))), sentinel)
            case 4:
                image.words[random.choice(_HEADERS)] = random.choice((*_MODELS, random.randrange(0x10000)))
            case 5:
                image.words[random.choice(_SCALE_AT)] = random.choice(_SCALES) & 0xFFFF
            case 6:
                start = random.choice(addresses)
                for at in range(start, start + random.choice((1, 8, 100, 400))):
                    image.words.pop(at, None)
            case 7:
                image.refusals[random.choice((*_HEADERS, random.choice(addresses)))] = random.choice(_REFUSALS)
            case 8:
                start, shift = random.choice(addresses), random.choice((-20, -1, 1, 2, 50))
                moved = {at + shift: image.words[at] for at in range(start, start + 60) if at in image.words}
                image.words |= moved
            case _:
                start = random.choice(addresses)
                image.words |= {at: random.randrange(0x10000) for at in range(start, start + 30)}
    if random.random() < 0.1:
        head = bytes(
            (0, random.choice((0, 1, 2, 3, 200)), 0, random.choice((0, 0, 0, 7)), 0, random.choice((0, 3, 7, 250)))
        )
        image.garbage = head + random.randbytes(random.choice((0, 1, 3, 9, 300)))
    return image
