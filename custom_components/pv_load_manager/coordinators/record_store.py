"""Keeps many small records in little memory: lines of JSON in compressed blocks, forgotten a whole block at a time.

Plain Python, so that benchmarks and tests use it as well. Every record is compressed when it comes, which spreads the
work evenly; nothing is ever decompressed before somebody asks for the records.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
import zlib

BLOCK: Final = 64
"""Records of one block; as many are forgotten at once."""
LEVEL: Final = 1
"""The fastest; records are so alike that a better one saves little."""


@dataclass(slots=True)
class Block:
    """Some records in a row, the newest block being still written to."""

    written: bytearray = field(default_factory=bytearray)
    count: int = 0
    length: int = 0
    """Bytes of its records before they were compressed."""
    last_at: float = 0.0
    """When its newest record was made, monotonic seconds."""
    effect: dict[str, Any] = field(default_factory=dict)
    """What is so after its records, by whatever they are about."""


@dataclass(frozen=True, slots=True)
class Copy:
    """The records of one moment, which may be read in another thread."""

    blocks: tuple[bytes, ...]

    def lines(self) -> list[bytes]:
        """Return all records, the oldest first."""
        return [line for block in self.blocks for line in zlib.decompressobj().decompress(block).splitlines()]


class RecordStore:
    """Records as lines, the oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._blocks: deque[Block] = deque()
        self._compress = zlib.compressobj(LEVEL)
        self._count = self._size = self._length = 0

    @property
    def count(self) -> int:
        """Return the number of records."""
        return self._count

    @property
    def size(self) -> int:
        """Return what they take in memory, in bytes."""
        return self._size

    @property
    def length(self) -> int:
        """Return how long they are as text, in bytes."""
        return self._length

    @property
    def oldest(self) -> Block | None:
        """Return the block that is forgotten next; the one that is written to never is."""
        return self._blocks[0] if len(self._blocks) > 1 else None

    def append(self, line: bytes, at: float, effect: Mapping[str, Any]) -> None:
        """Add a record.

        Args:
            line: the record, without line breaks.
            at: when it was made, monotonic seconds.
            effect: what is so after it, by whatever it is about.
        """
        if not self._blocks or self._blocks[-1].count >= BLOCK:
            self._blocks.append(Block())
            self._compress = zlib.compressobj(LEVEL)
        block = self._blocks[-1]
        self._write(block, self._compress.compress(line + b"\n"))
        block.count += 1
        block.length += len(line) + 1
        block.last_at = at
        block.effect |= effect
        self._count += 1
        self._length += len(line) + 1
        if block.count == BLOCK:
            self._write(block, self._compress.flush())

    def forget(self) -> Mapping[str, Any]:
        """Forget the oldest block; return what is so after it."""
        block = self._blocks.popleft()
        self._count -= block.count
        self._size -= len(block.written)
        self._length -= block.length
        return block.effect

    def copy(self) -> Copy:
        """Return all records as they are now; that is cheap, reading them is not."""
        blocks = [bytes(block.written) for block in self._blocks]
        if self._blocks and self._blocks[-1].count < BLOCK:
            blocks[-1] += self._compress.copy().flush()
        return Copy(tuple(blocks))

    def _write(self, block: Block, data: bytes) -> None:
        block.written += data
        self._size += len(data)
