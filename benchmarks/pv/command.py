"""Surplus charging in a closed loop: how much of the sun ours uses beside evcc and WARP, and how restless each is.

Nothing is known of the peers but their description (their own systems may do better or worse).
"""

import argparse
from collections.abc import Callable
from pathlib import Path
import sys
import tempfile

from .contenders import POLICIES
from .days import DATA, SEEDS, Source, files, generated, recordings
from .metrics import Figures
from .pool import run
from .report import plan
from .sky import SKIES
from .sweep import sweep

RECORDED = "recorded"
DRAWINGS = Path(tempfile.gettempdir()) / "bench-pv"


def measure(arguments: list[str]) -> Figures:
    """Return the figures by policy."""
    parser = argparse.ArgumentParser(prog="scripts/bench pv", description=__doc__)
    parser.add_argument("--days", type=_names(*SKIES, RECORDED), help=f"of {', '.join(SKIES)}, {RECORDED}")
    parser.add_argument("--seeds", type=_seeds, default=SEEDS, help="of the generated days, for example 1,2,3")
    parser.add_argument("--policies", type=_names(*POLICIES), help=f"of {', '.join(POLICIES)}")
    parser.add_argument("--pv-csv", type=Path, help="a recorded roof: power (W or kW) or irradiance over time")
    parser.add_argument("--house-csv", type=Path, help="the house's power over time; without it one is made up")
    parser.add_argument("--kwp", type=float, help="scale the roof's peak to this many kW")
    parser.add_argument("--quick", action="store_true", help="one car only: no batteries, no other meters, no steps")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw every day into this folder")
    parser.add_argument("--full", action="store_true", help=f"sweep the parameters of all (drawn into {DRAWINGS})")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        sources, missing = _sources(options)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for name in missing:
        print(f"not found, left out: {name} (see PVLM_DATA)", file=sys.stderr)
    report = plan(sources, options.policies or tuple(POLICIES), quick=options.quick, plot=options.plot)
    figures: Figures = {"missing_recordings": missing}
    if options.full:
        figures["full"] = sweep(sources, workers=options.workers, folder=options.plot or DRAWINGS)
    return figures | report.figures(run(report.jobs, options.workers))


def _sources(options: argparse.Namespace) -> tuple[list[Source], list[str]]:
    """Return the days to run, and which recordings are not there."""
    if options.kwp is not None and options.kwp <= 0.0:
        raise ValueError("--kwp must be more than 0")
    if options.pv_csv is not None:
        if options.days is not None:
            raise ValueError("--days does not go with --pv-csv")
        name = options.pv_csv.stem
        return files("csv", options.pv_csv, options.house_csv, options.kwp, options.seeds[0], name=name), []
    if options.house_csv is not None or options.kwp is not None:
        raise ValueError("--house-csv and --kwp need --pv-csv")
    kinds = options.days or (*SKIES, RECORDED)
    sources = generated(tuple(kind for kind in kinds if kind in SKIES), options.seeds)
    missing: list[str] = []
    if RECORDED in kinds:
        found, missing = recordings(DATA, options.seeds[0])
        sources += found
    if not sources:
        raise ValueError(f"no day is left; not found: {', '.join(missing)} (see PVLM_DATA)")
    return sources, missing


def _names(*known: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
        if not names or not set(names) <= set(known):
            raise argparse.ArgumentTypeError(f"{text!r}: expected some of {', '.join(known)}, separated by commas")
        return names

    return parse


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected whole numbers, separated by commas") from error
