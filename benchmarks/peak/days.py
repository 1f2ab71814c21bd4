"""Whole days from midnight to midnight: a house, with or without a roof."""

from array import array
from functools import lru_cache
from pathlib import Path
from random import Random

from benchmarks.pv import recorded, sky
from benchmarks.pv.csv_series import DAY_S, read
from benchmarks.pv.house import household
from benchmarks.pv.model import Day

HOUSE = Path("uci_household") / "household_power_2007-02-01_02.csv"
ROOF = Path("nrel_pv") / "serf_east_1min_ac_power.csv"
RECORDED = 2
"""Days in the recording of the house."""


def missing(folder: Path) -> list[str]:
    """Return the recordings that are not there."""
    return [path.name for path in (HOUSE, ROOF) if not (folder / path).is_file()]


@lru_cache(maxsize=4)
def house(folder: Path, number: int, *, sunny: bool) -> Day:
    """Return a recorded day, 0 or 1; what the minutes do not tell is made up the same way every time."""
    name = f"house-{number + 1}"
    load = read(folder / HOUSE, "house")
    midnight = int(load.times[0] // DAY_S) * DAY_S + number * DAY_S
    random = Random(f"peak {name}")  # noqa: S311 (no secret)
    house_w = recorded.refine(load, midnight, DAY_S, random, jump_w=recorded.SWITCH_W, edge_s=(1.0, 1.0))
    pv_w = array("d", bytes(8 * DAY_S))
    if sunny:
        roof = recorded.roof(folder / ROOF, None)
        begin = int(roof.times[0] // DAY_S) * DAY_S + number % len(recorded.spans(folder / ROOF, None)) * DAY_S
        jump = recorded.CLOUD * max(roof.watts)
        pv_w = recorded.refine(roof, begin, DAY_S, random, jump_w=jump, edge_s=sky.EDGE_S, dark_outside=True)
    return Day(name=name + ("-sun" if sunny else ""), kind="recorded", start_s=0, pv_w=pv_w, house_w=house_w)


@lru_cache(maxsize=4)
def made(seed: int, *, sunny: bool) -> Day:
    """Return a made-up day; a sunny one has clouds."""
    random = Random(f"peak made {seed}")  # noqa: S311 (no secret)
    house_w = household(0, DAY_S, random)
    pv_w = array("d", bytes(8 * DAY_S))
    if sunny:
        sun = sky.generate("broken", seed)
        pv_w[sun.start_s : sun.start_s + sun.seconds] = sun.pv_w
    return Day(name=f"made-{seed}" + ("-sun" if sunny else ""), kind="made", start_s=0, pv_w=pv_w, house_w=house_w)
