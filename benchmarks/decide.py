"""How long one decision of the control core takes, by the number of chargers."""

import argparse
import statistics
import time

from custom_components.pv_load_manager.control import Mode
from simulator import CarConfig, ChargerConfig, Home, HomeConfig

from .rig import Rig, configuration


def measure(arguments: list[str]) -> dict[str, float]:
    """Return the median and the 99th percentile of a step in ms; the simulator's own time is not in it."""
    parser = argparse.ArgumentParser(prog="scripts/bench decide", description=__doc__)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args(arguments)
    result = {}
    for count in (1, 2, 8, 32):
        home = HomeConfig(
            chargers=tuple(ChargerConfig(serial=str(10_000_000 + n), car=CarConfig()) for n in range(count))
        )
        rig = Rig(home=Home(home), config=configuration(home, mode=Mode.PV, fuse_a=63.0))
        rig.run(120)
        times = []
        for _ in range(options.steps):
            snapshot = rig.snapshot()
            begin = time.perf_counter()
            rig.decide(snapshot)
            times.append((time.perf_counter() - begin) * 1000)
        times.sort()
        result[f"median_ms_{count}"] = round(statistics.median(times), 3)
        result[f"p99_ms_{count}"] = round(times[int(len(times) * 0.99)], 3)
    return result
