"""The keys of a Wattpilot that can be written: defaults and what the device accepts."""

from collections.abc import Callable
from typing import Any

type Json = Any
"""A JSON value as it goes over the wire."""

type Check = Callable[[Json], bool]


def integer(low: int, high: int) -> Check:
    """Accept a JSON integer within bounds."""
    return lambda value: type(value) is int and low <= value <= high


def optional(check: Check) -> Check:
    """Accept null or what `check` accepts."""
    return lambda value: value is None or check(value)


def _boolean(value: Json) -> bool:
    return isinstance(value, bool)


def _number(value: Json) -> bool:
    return type(value) in {int, float}


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _mapping(value: Json) -> bool:
    return isinstance(value, dict)


def _anything(_value: Json) -> bool:
    return True


WRITABLE: dict[str, tuple[Json, Check]] = {
    # what the charging logic looks at
    "amp": (16, integer(6, 32)),
    "ama": (16, integer(6, 32)),
    "mca": (6, integer(6, 32)),
    "tcl": (None, optional(integer(6, 32))),
    "frc": (0, integer(0, 2)),
    "psm": (0, integer(0, 2)),
    "lmo": (4, integer(3, 5)),
    "acs": (0, integer(0, 2)),
    "trx": (None, optional(integer(0, 10))),
    "dwo": (None, optional(_number)),
    "psmd": (10000, integer(0, 600_000)),
    # what is kept and shown, without an effect here
    "fup": (True, _boolean),
    "fst": (1600, _number),
    "spl3": (4200, _number),
    "fmt": (900_000, integer(0, 2**31 - 1)),
    "mci": (0, integer(0, 2**31 - 1)),
    "mcpd": (120_000, integer(0, 2**31 - 1)),
    "mcpea": (None, optional(integer(0, 2**63))),
    "mpwst": (300_000, integer(0, 2**31 - 1)),
    "mptwt": (600_000, integer(0, 2**31 - 1)),
    "fap": (True, _boolean),
    "frm": (1, integer(0, 2)),
    "fzf": (False, _boolean),
    "zfo": (200, _number),
    "sh": (200, _number),
    "psh": (500, _number),
    "po": (-300, _number),
    "su": (False, _boolean),
    "sua": (False, _boolean),
    "sumd": (10000, integer(0, 600_000)),
    "fam": (20, integer(0, 100)),
    "fot": (20, integer(0, 100)),
    "pdte": (False, _boolean),
    "pdt": (100, integer(0, 100)),
    "ebe": (False, _boolean),
    "fte": (25000, _number),
    "ftt": (27000, integer(0, 86400)),
    "fre": (True, _boolean),
    "esk": (True, _boolean),
    "awp": (50, _number),
    "awc": (1, integer(0, 65535)),
    "ful": (False, _boolean),
    "clp": ([6, 10, 12, 14, 16], lambda value: isinstance(value, list) and len(value) <= 5),
    "al1": (6, integer(6, 32)),
    "al2": (10, integer(6, 32)),
    "al3": (12, integer(6, 32)),
    "al4": (14, integer(6, 32)),
    "al5": (16, integer(6, 32)),
    "bac": (3, integer(0, 3)),
    "ust": (1, integer(0, 2)),
    "upo": (False, _boolean),
    "lbr": (150, integer(0, 255)),
    "loe": (False, _boolean),
    "log": ("", _text),
    "lop": (50, integer(0, 99)),
    "lopr": (False, _boolean),
    "lof": (0, integer(0, 32)),
    "lot": ({"amp": 32, "dyn": 32, "sta": 32, "ts": 0}, _mapping),
    "loty": (1, integer(0, 1)),
    "map": ([1, 2, 3], lambda value: isinstance(value, list) and len(value) == 3),
    "ocppe": (False, _boolean),
    "ocppf": (None, optional(integer(0, 32))),
    "cae": (False, _boolean),
    "fna": ("", _text),
    "tof": (60, integer(-720, 840)),
    "tds": (1, integer(0, 3)),
    "wae": (True, _boolean),
    "rst": (None, _anything),
}
"""Key -> (default, check). `rst` is a trigger: it is never part of the status."""
