"""Damages JSON frames, in ways that firmware, radio and carelessness have shown, and in some that nobody has yet."""

from collections.abc import Callable
import copy
import json
import math
from random import Random
from typing import Any

type Json = Any

_SENTINELS: tuple[Json, ...] = (
    *(None, True, False, 0, -0.0, 1, -1, 16.5, 255, 65535, 2**31, 2**63, -(2**63), 10**400, -(10**400)),
    *(math.nan, math.inf, -math.inf, 1.7e308, 5e-324, -3.4028235e38),
    *(
        "",
        " ",
        "16",
        "1e999",
        "NaN",
        "null",
        "0x10",
        "\x00",
        "\ud800",
        "\udfff\ud800",
        "ß\u202e",
        "x" * 5000,
        "9" * 5000,
    ),
    *([], [[]], [None] * 20, [math.nan] * 16, ["230"] * 16, {}, {"": None}, {"amp": {"amp": {"amp": 1}}}),
)
_KEYS = ("", "amp", "car", "nrg", "cll", "type", "status", "partial", "success", "serial", "\ud800", "k" * 300)
_TYPES = (
    *("hello", "authRequired", "authSuccess", "authError", "fullStatus", "deltaStatus", "response", "clearInverters"),
    *("updateInverter", "clearSmips", "securedMsg", "setValue", "", "x" * 400, "\ud800"),
)
# JSON text that no writer of Python makes.
_RAW = (
    "1e999",
    "-1E+999",
    "0.0000000000000000001e-99999",
    "9" * 6000,
    "{" * 40,
    "[" * 3000 + "]" * 3000,
    "01",
    "+1",
    "\\u12",
)
_RAW_MARK = "\x01raw\x01"


class Mutator:
    """Damages frames; the same seed damages in the same way.

    Attributes:
        random: Where all chance comes from.
    """

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)  # noqa: S311 - damage that can be repeated is what it is for
        self._on_values: tuple[Callable[[Json], None], ...] = (
            self._put_sentinel, self._put_sentinel, self._put_raw, self._put_nest, self._drop, self._rename, self._swap,
            self._retype,
        )  # fmt: skip
        self._on_bytes: tuple[Callable[[bytearray], None], ...] = (
            self._flip, self._insert, self._delete, self._repeat, self._cut,
        )  # fmt: skip

    def damage(self, frame: Json) -> str | bytes:
        """Return a damaged frame: text, or the bytes of a text that may be no UTF-8 any more."""
        random = self.random
        frame = copy.deepcopy(frame)
        if random.random() < 0.6:
            for _ in range(random.choice((1, 1, 1, 2, 5))):
                random.choice(self._on_values)(frame)
        text = json.dumps(frame).replace(json.dumps(_RAW_MARK), random.choice(_RAW))
        if random.random() < 0.65:
            return text
        data = bytearray(text.encode())
        for _ in range(random.choice((1, 1, 2, 8))):
            random.choice(self._on_bytes)(data)
        # What is no UTF-8 ends the connection, so that it must be rare to let the others come through.
        return bytes(data) if random.random() < 0.01 else data.decode(errors="replace")

    def _place(self, value: Json) -> tuple[Json, Any]:
        """Return a container somewhere inside and one of its keys; every level is as likely."""
        holder, key = value, self._key(value)
        while isinstance(inner := holder[key], dict | list) and inner and self.random.random() < 0.7:
            holder, key = inner, self._key(inner)
        return holder, key

    def _key(self, holder: Json) -> Any:
        return self.random.choice(list(holder)) if isinstance(holder, dict) else self.random.randrange(len(holder))

    def _put(self, frame: Json, value: Json) -> None:
        if frame:
            holder, key = self._place(frame)
            holder[key] = value

    def _put_sentinel(self, frame: Json) -> None:
        self._put(frame, copy.deepcopy(self.random.choice(_SENTINELS)))

    def _put_raw(self, frame: Json) -> None:
        self._put(frame, _RAW_MARK)

    def _put_nest(self, frame: Json) -> None:
        value: Json = 16
        for _ in range(self.random.choice((3, 30, 300))):
            value = [value] if self.random.random() < 0.5 else {"amp": value}
        self._put(frame, value)

    def _drop(self, frame: Json) -> None:
        if frame:
            holder, key = self._place(frame)
            del holder[key]

    def _rename(self, frame: Json) -> None:
        if frame:
            holder, key = self._place(frame)
            if isinstance(holder, dict):
                name = self.random.choice((*_KEYS, f"new{self.random.randrange(10**9)}"))
                holder[name] = holder.pop(key)

    def _swap(self, frame: Json) -> None:
        if frame:
            one, first = self._place(frame)
            other, second = self._place(frame)
            one[first], other[second] = copy.deepcopy(other[second]), copy.deepcopy(one[first])

    def _retype(self, frame: Json) -> None:
        frame["type"] = self.random.choice(_TYPES)

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)

    def _insert(self, data: bytearray) -> None:
        at = self.random.randint(0, len(data))
        data[at:at] = self.random.randbytes(self.random.choice((1, 1, 4, 40)))

    def _delete(self, data: bytearray) -> None:
        start, end = self._slice(data)
        del data[start:end]

    def _repeat(self, data: bytearray) -> None:
        start, end = self._slice(data)
        data[end:end] = data[start:end]

    def _cut(self, data: bytearray) -> None:
        del data[self.random.randint(0, len(data)) :]

    def _slice(self, data: bytearray) -> tuple[int, int]:
        start = self.random.randint(0, len(data))
        return start, min(len(data), start + self.random.choice((1, 2, 10, 200)))
