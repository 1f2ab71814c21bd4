"""The days of a benchmark, named so that every worker can make them again."""

from dataclasses import dataclass
from functools import lru_cache
import os
from pathlib import Path

from . import recorded, sky, steps
from .model import Day

SEEDS = (1, 2, 3)
DATA = Path(os.environ.get("PVLM_DATA", Path(__file__).parents[3] / "shared" / "data"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a day comes from."""

    name: str
    kind: str
    """A type of generated days, ``recorded``, or ``csv``."""
    seed: int = 1
    pv: Path | None = None
    house: Path | None = None
    kwp: float | None = None
    number: int = 0
    """Which of the days of the file."""


def generated(kinds: tuple[str, ...], seeds: tuple[int, ...]) -> list[Source]:
    """Return generated days."""
    return [Source(name=f"{kind}-{seed}", kind=kind, seed=seed) for kind in kinds for seed in seeds]


def files(kind: str, pv: Path, house: Path | None, kwp: float | None, seed: int, *, name: str) -> list[Source]:
    """Return the days of a recording."""
    count = len(recorded.spans(pv, kwp))
    return [
        Source(
            name=name if count == 1 else f"{name}-{number + 1}",
            kind=kind,
            seed=seed,
            pv=pv,
            house=house,
            kwp=kwp,
            number=number,
        )
        for number in range(count)
    ]


def recordings(folder: Path, seed: int) -> tuple[list[Source], list[str]]:
    """Return the recorded days that are there, and what is not."""
    house = folder / "uci_household" / "household_power_2007-02-01_02.csv"
    found: list[Source] = []
    missing = [] if house.is_file() else [house.name]
    for name, path in (
        ("serf", folder / "nrel_pv" / "serf_east_1min_ac_power.csv"),
        ("midc", folder / "nrel_pv" / "midc_bms_ghi_20220120.csv"),
    ):
        if path.is_file():
            found += files("recorded", path, house if house.is_file() else None, None, seed, name=name)
        else:
            missing.append(path.name)
    return found, missing


@lru_cache(maxsize=2)
def load(source: Source) -> Day:
    """Return a day."""
    if source.kind == steps.STEPS:
        return steps.steady_day()
    if source.pv is None:
        return sky.generate(source.kind, source.seed)
    return recorded.day(
        source.pv,
        source.house,
        kwp=source.kwp,
        number=source.number,
        seed=source.seed,
        name=source.name,
        kind=source.kind,
    )
