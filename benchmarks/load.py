"""Load management in a loop with chargers, cars, loads and meters: ours beside what WARP and evcc do.

Seconds above a limit are counted against the breaker's rating, the number of chargers that could stay on against the
target below it. Nothing is known of the peers but their description (their own systems may do better or worse).
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
import os

from . import scenarios
from .plant import DRAWING_A, LEAST_A, Make, Plant, Site
from .policies import Policy
from .policies.evcc import Evcc
from .policies.ours import Ours
from .policies.warp import UNREACHABLE, Warp
from .watch import Watch, floor_s, jain

# A charger of Fronius forgets at unplugging that it is on hold; one of WARP stops when its manager is silent.
POLICIES: Mapping[str, tuple[Callable[[Site], Policy], Make]] = {
    "ours": (Ours, Make(forgets_hold=True)),
    "warp": (Warp, Make(watchdog_s=UNREACHABLE - 2.0)),
    "evcc": (Evcc, Make()),
}
BACK_A = 1.0
"""So near to what it had, a car counts as back."""
SETTLED = 5
"""s before a step in which the state before it is read."""

type Figures = dict[str, object]


def run(site: Site, policy: str, *, trace: bool = True, window: tuple[int, int] | None = None) -> tuple[Watch, Figures]:
    """Let a site's time pass under a policy; with a window also return how fair its equal cars were served in it."""
    make_policy, make = POLICIES[policy]
    control = make_policy(site)
    plant = Plant(site, make)
    watch = Watch(plant, trace=trace)
    served: dict[str, float] = {}
    for _ in range(site.seconds):
        plant.step()
        plant.command(control.step(plant.now, plant.seen))
        watch.see()
        if window is not None and plant.second in window:
            served = {key: box.energy_wh - served.get(key, 0.0) for key, box in plant.boxes.items()}
    figures = watch.figures() | {"setup": control.setup}
    if window is not None:
        indices = [jain(served[key] for key in group) for group in scenarios.equals(site, window)]
        figures |= {"jain_index": round(min(indices), 4), "jain_groups": len(indices)}
    return watch, figures


def heater_step(policy: str) -> Figures:
    """A heater starts and stops: who stays on, and when is everybody back."""
    site = scenarios.heater_step()
    on, off = scenarios.HEATER_ON, scenarios.HEATER_OFF
    watch, figures = run(site, policy)
    drawn = watch.trace or []
    before = drawn[on - SETTLED]
    kept = [box for box in range(len(before)) if all(now[box] > DRAWING_A for now in drawn[on - 1 : off])]
    possible = int((site.circuits[0].target_a - _load(site, on)) / LEAST_A)
    excess = sum(before) + _load(site, on) - site.circuits[0].limit_a
    figures |= {
        "floor_s": round(floor_s(site, before, excess), 1),
        "before_a": round(sum(before), 1),
        "chargers_kept": len(kept),
        "chargers_possible": possible,
        "running_back_s": _since(drawn, off, lambda now: all(now[box] > before[box] - BACK_A for box in kept))
        if kept
        else None,
        "recovered_s": _since(drawn, off, lambda now: sum(now) > sum(before) - BACK_A),
        "drawing_for_good_since_s": [_last_stretch([now[box] for now in drawn]) for box in range(len(before))],
    }
    return figures


def two_cars(policy: str) -> Figures:
    """A car that is nearly full leaves what it cannot use to the other one."""
    return run(scenarios.two_cars(), policy)[1]


def lost_charger(policy: str) -> Figures:
    """A charger is lost while it charges, and found again: the others go on, it is taken back at once."""
    site = scenarios.lost_charger()
    lost, found = scenarios.LOST, scenarios.FOUND
    watch, figures = run(site, policy)
    drawn = watch.trace or []
    fair = (site.circuits[0].target_a - _load(site, found)) / len(site.boxes)
    figures |= {
        "others_stopped_s": sum(not any(amps > DRAWING_A for amps in now[1:]) for now in drawn[lost:found]),
        "others_mean_a": round(sum(sum(now[1:]) for now in drawn[lost:found]) / (found - lost), 1),
        "lost_mean_a": round(sum(now[0] for now in drawn[lost:found]) / (found - lost), 1),
        "adopted_s": _since(watch.given, found, lambda given: LEAST_A <= given[0] <= fair + BACK_A),
        "fair_again_s": _since(drawn, found, lambda now: max(now) - min(now) <= 1.5 and min(now) > DRAWING_A),
    }
    return figures


def oven(policy: str) -> Figures:
    """An oven goes on and off every 30 s for an hour: nobody's contactor wears out."""
    return run(scenarios.oven(), policy)[1]


def day32(policy: str, seed: int) -> Figures:
    """A day of 32 chargers on three sub-circuits: limits, waits, fairness."""
    return run(scenarios.day32(seed), policy, trace=False, window=scenarios.CONTENDED)[1]


def _load(site: Site, second: int) -> float:
    return max([amps for at, amps in site.circuits[0].load if at <= second][-1])


def _since(series: Sequence[tuple[float, ...]], begin: int, holds: Callable[[tuple[float, ...]], bool]) -> int | None:
    """Return how many seconds after a moment something holds first, None where it never does."""
    for second in range(begin, len(series) + 1):
        if holds(series[second - 1]):
            return second - begin
    return None


def _last_stretch(amps: Sequence[float]) -> int | None:
    """Return the second since which a car draws until the end, None where it does not."""
    if amps[-1] <= DRAWING_A:
        return None
    return next((second + 1 for second in range(len(amps), 0, -1) if amps[second - 1] <= DRAWING_A), 1)


SCENARIOS: Mapping[str, Callable[[str], Figures]] = {
    "heater_step": heater_step,
    "two_cars": two_cars,
    "lost_charger": lost_charger,
    "oven": oven,
}
DAY = "day32"


def work(task: tuple[str, str, int]) -> Figures:
    """Run one scenario under one policy."""
    scenario, policy, seed = task
    return day32(policy, seed) if scenario == DAY else SCENARIOS[scenario](policy)


def measure(arguments: list[str]) -> dict[str, object]:
    """Return the figures by scenario and policy."""
    parser = argparse.ArgumentParser(prog="scripts/bench load", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=[*SCENARIOS, DAY])
    parser.add_argument("--policy", action="append", choices=list(POLICIES))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tasks = [
        (scenario, policy, options.seed)
        for scenario in options.scenario or [*SCENARIOS, DAY]
        for policy in options.policy or POLICIES
    ]
    longest_first = tasks[::-1]
    if len(tasks) == 1:
        done = {tasks[0]: work(tasks[0])}
    else:
        with ProcessPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
            done = dict(zip(longest_first, pool.map(work, longest_first), strict=True))
    results: dict[str, dict[str, object]] = {}
    for task in tasks:
        scenario, policy, _ = task
        result, figures = results.setdefault(scenario, {}), done[task]
        if (floor := figures.pop("floor_s", None)) is not None:
            result.setdefault("floor_s", floor)
        result[policy] = figures
    return {"seed": options.seed, "scenarios": results}
