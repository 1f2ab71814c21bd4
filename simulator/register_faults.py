"""What a faulty SolarEdge inverter makes of its registers."""

from collections.abc import Sequence

from .config import InverterConfig
from .registers import BATTERY, METER_MODEL, METER_STRIDE, meter_shift

type Words = dict[int, int]

SENTINELS: dict[str, tuple[int, int]] = {
    "int16": (0x8000, 0x8000),
    "uint16": (0xFFFF, 0xFFFF),
    "float_max": (0xFFFF, 0x7F7F),
    "float_min": (0xFFFF, 0xFF7F),
    "nan": (0x0000, 0x7FC0),
    "zero": (0, 0),
}
"""What stands in the place of measured values, by name: two words, as they repeat from the first register on."""

_INVERTER = range(40071, 40101)
_CURRENTS = range(2, 6)
_POWERS = range(18, 22)
_FIGURES = range(2, 105)
_NO_INT16 = 0x8000


def measured(config: InverterConfig) -> list[range]:
    """Return the blocks of measured values: inverter, meters, battery; no status, no identity."""
    return [
        _INVERTER,
        *(range(base + _FIGURES.start, base + _FIGURES.stop) for base in _meters(config)),
        range(BATTERY + 108, BATTERY + 134),
    ]


def flip_sign(words: Words, config: InverterConfig) -> None:
    """Let the currents and powers of the meters count the wrong way round."""
    for base in _meters(config):
        for address in (base + offset for offset in (*_CURRENTS, *_POWERS)):
            if words.get(address, _NO_INT16) != _NO_INT16:
                words[address] = -words[address] & 0xFFFF


def put_sentinels(words: Words, name: str, blocks: Sequence[range]) -> None:
    """Put a sentinel in the place of what is there."""
    pair = SENTINELS[name]
    for block in blocks:
        words.update({address: pair[(address - block.start) % 2] for address in block if address in words})


def _meters(config: InverterConfig) -> list[int]:
    """Return where the models of the meters begin."""
    return [METER_MODEL + meter_shift(config) + METER_STRIDE * slot for slot in range(len(config.meters))]
