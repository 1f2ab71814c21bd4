"""How long one whole decision of the control core takes, in us, by the number of chargers.

The chargers hang on a tree of three levels whose limits bind here and there; every decision sees fresh readings that
differ a little from the last. Beside it the allocation alone, and the same by the simplest method.
"""

import argparse
from collections.abc import Callable
from functools import partial
from random import Random
import time

from custom_components.pv_load_manager.control import decide
from custom_components.pv_load_manager.control.allocation import Claim, Kind, allocate
from custom_components.pv_load_manager.control.circuits import Tree

from .plant import BoxModel, CarModel, CircuitModel, Event, Make, Plant, Site
from .policies.ours import Ours, configuration
from .reference import fill
from .scenarios import ROTATIONS

COUNTS = (2, 8, 32, 128, 1024)
BRANCHES = 4
SETTLE_S = 90
"""s until all cars of the plant follow, before anything is measured."""
SHARE_A = 8.0
"""What the house connection carries per charger."""
TIGHT_A = 5.0
"""What a tight circuit carries per charger: not everybody gets a minimum."""
NOISE_A = 0.15


def tree(count: int, seconds: int) -> Site:
    """Return a site of so many chargers: a house connection, four circuits, four more below each of them."""
    random = Random(count)  # noqa: S311 (no secret)
    names = [f"{first}.{second}" for second in range(BRANCHES) for first in range(BRANCHES)]
    boxes = tuple(
        BoxModel(key=f"c{number}", circuit_id=names[number % len(names)], rotation=ROTATIONS[number % len(ROTATIONS)])
        for number in range(count)
    )
    load = tuple(
        (second, (random.uniform(4.0, 6.0), random.uniform(4.0, 6.0), random.uniform(4.0, 6.0)))
        for second in range(0, seconds, 2)
    )
    circuits = [CircuitModel(limit_a=max(20.0, SHARE_A * count + 6.0), metered=True, load=load)]
    for first in range(BRANCHES):
        inside = sum(box.circuit_id.startswith(f"{first}.") for box in boxes)
        circuits.append(
            CircuitModel(circuit_id=str(first), parent_id="root", limit_a=max(16.0, inside * (7.0 + first)))
        )
    for name in names:
        inside = sum(box.circuit_id == name for box in boxes)
        share = TIGHT_A if name.endswith(".0") else SHARE_A + 1.0
        circuits.append(
            CircuitModel(circuit_id=name, parent_id=name.partition(".")[0], limit_a=max(10.0, inside * share))
        )
    events = tuple(
        Event(at=1, key=box.key, kind="plug", car=CarModel(phases=(3, 3, 2, 1)[number % 4]))
        for number, box in enumerate(boxes)
    )
    return Site(circuits=tuple(circuits), boxes=boxes, events=events, seconds=seconds)


def problem(site: Site) -> tuple[list[Claim], list[float]]:
    """Return the allocation that a site asks for: everybody fast, all cars known."""
    config = configuration(site)
    circuits = Tree.of(config.circuits)
    cars = {event.key: event.car for event in site.events}
    claims = []
    for charger in config.chargers:
        car = cars[charger.charger_id]
        phases = car.phases if car is not None else 3
        lines = tuple(line - 1 for line in (charger.rotation or (1, 2, 3))[:phases])
        bounds, power_bounds = circuits.bounds(charger.circuit_id, lines, balanced=phases == 3)
        claims.append(
            Claim(
                charger_id=charger.charger_id,
                kind=Kind.FAST,
                floor_a=charger.min_current_a,
                demand_a=charger.max_current_a,
                cap_a=charger.max_current_a,
                phases=3,
                lines=lines,
                watts_per_amp=230.0 * phases,
                bounds=bounds,
                power_bounds=power_bounds,
            )
        )
    by_id = {circuit.circuit_id: circuit for circuit in site.circuits}
    return claims, [by_id[limit.circuit_id].limit_a for limit in circuits.limits]


def measure(arguments: list[str]) -> dict[str, object]:
    """Return median and 99th percentile of a decision, and the medians of the allocation alone, in us."""
    parser = argparse.ArgumentParser(prog="scripts/bench tick", description=__doc__)
    parser.add_argument("--chargers", type=int, action="append")
    parser.add_argument("--steps", type=int, help="decisions per number of chargers")
    options = parser.parse_args(arguments)
    result: dict[str, dict[str, float]] = {
        "p50_us": {}, "p99_us": {}, "allocate_p50_us": {}, "reference_p50_us": {}
    }  # fmt: skip
    for count in options.chargers or COUNTS:
        steps = options.steps or max(100, min(1000, 30_000 // count))
        times = decisions(count, steps)
        key = str(count)
        result["p50_us"][key] = _percentile(times, 0.5)
        result["p99_us"][key] = _percentile(times, 0.99)
        claims, room = problem(tree(count, 2))
        result["allocate_p50_us"][key] = _percentile(_times(partial(allocate, claims, room, None), steps), 0.5)
        result["reference_p50_us"][key] = _percentile(_times(partial(fill, claims, room), steps // 20), 0.5)
    return dict(result)


def decisions(count: int, steps: int) -> list[float]:
    """Return the times of so many decisions in us; what the plant and the readings take is not in it."""
    random = Random(count)  # noqa: S311 (no secret)
    site = tree(count, SETTLE_S + steps)
    plant, ours = Plant(site, Make(forgets_hold=True)), Ours(site)
    times = []
    for second in range(site.seconds):
        plant.step()
        for view in plant.seen.boxes.values():
            first, two, three = view.currents_a
            if first > 0.0:
                noise = random.uniform(-NOISE_A, NOISE_A)
                view.currents_a = (first + noise, two + noise if two else 0.0, three + noise if three else 0.0)
        if second < SETTLE_S:
            plant.command(ours.step(plant.now, plant.seen))
            continue
        snapshot = ours.snapshot(plant.seen)
        begin = time.perf_counter()
        ours.state, ours.plan = decide(ours.config, ours.state, snapshot, plant.now)
        times.append((time.perf_counter() - begin) * 1e6)
        plant.command(ours.orders())
    return times


def _times(call: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(max(5, count)):
        begin = time.perf_counter()
        call()
        times.append((time.perf_counter() - begin) * 1e6)
    return times


def _percentile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)
