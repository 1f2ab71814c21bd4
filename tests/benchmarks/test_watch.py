"""The figures mean what their names say."""

from dataclasses import replace

import pytest

from benchmarks.plant import BoxModel, CarModel, CircuitModel, Event, Make, Order, Plant
from benchmarks.watch import GRACE_S, Watch, floor_s, jain

from .sites import even, plug, site

QUICK = CarModel(start_delay_s=0.0)


def watched(limit_a: float, *cars: CarModel, load_from: int = 10_000, load_a: float = 0.0) -> tuple[Plant, Watch]:
    """Return a plant on one circuit with a car at each charger, and who watches it."""
    circuit = CircuitModel(limit_a=limit_a, metered=True, load=((0, even(0.0)), (load_from, even(load_a))))
    keys = [f"c{number}" for number in range(len(cars))]
    events: tuple[Event, ...] = tuple(plug(key, car) for key, car in zip(keys, cars, strict=True))
    plant = Plant(site(*(BoxModel(key=key) for key in keys), events=events, circuits=(circuit,)), Make())
    return plant, Watch(plant)


def run(plant: Plant, watch: Watch, seconds: int) -> None:
    """Let time pass, watched."""
    for _ in range(seconds):
        plant.step()
        watch.see()


def test_jain() -> None:
    """Equal shares are 1, and one who has it all is 1/n."""
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([0.0, 0.0]) == 1.0


def test_floor_is_meter_dead_time_and_ramp() -> None:
    """Two cars of 8 A that shed 8 A/s each need 0.5 s for 8 A, after 2 s of meter and 3 s of dead time."""
    boxes = (BoxModel(key="a", dead_s=3), BoxModel(key="b", dead_s=3))
    home = site(*boxes, events=(plug("a", CarModel()), plug("b", CarModel())))
    home = replace(home, circuits=(CircuitModel(limit_a=63.0, metered=True, interval_s=2),))
    assert floor_s(home, (8.0, 8.0), 8.0) == pytest.approx(5.5)
    lagging = replace(home, circuits=(CircuitModel(limit_a=63.0, metered=True, interval_s=2, lag_s=1),))
    assert floor_s(lagging, (8.0, 8.0), 8.0) == pytest.approx(6.5)


def test_overload_is_counted_per_phase_and_excused_after_a_step_of_a_load() -> None:
    """Seconds and A*s above the rating; late are those that neither meter nor ramp explain."""
    plant, watch = watched(20.0, QUICK, load_from=30, load_a=12.0)
    run(plant, watch, 1)
    plant.command({"c0": Order(charge=True, amps=16.0)})
    run(plant, watch, 28)
    assert watch.over_s == 0
    run(plant, watch, 10)
    assert watch.over_s == 10
    assert watch.over_longest_s == 10
    assert watch.over_as == pytest.approx(10 * 3 * 8.0)
    assert watch.peak_a == pytest.approx(8.0)
    assert watch.late_s == 10 - (2 + 1 + 2)  # meter, dead time, 16 A at 8 A/s
    assert watch.late_first == "root L1 at 35: 8.0 A"


def test_wait_is_counted_while_ready_and_given_nothing() -> None:
    """A car that nobody serves waits; one that charges does not."""
    plant, watch = watched(63.0, QUICK, QUICK)
    run(plant, watch, 1)
    plant.command({"c0": Order(charge=True, amps=16.0)})
    run(plant, watch, 99)
    assert watch.longest_wait_s == 100
    assert watch.longest_wait == "c1 at 100"


def test_unused_counts_only_what_a_ready_car_could_have_had() -> None:
    """The grace is left out, the target and the car's own maximum are respected, less than an amp does not count."""
    plant, watch = watched(20.0, QUICK)
    run(plant, watch, 1)
    plant.command({"c0": Order(charge=True, amps=10.0)})
    run(plant, watch, 9)
    run(plant, watch, GRACE_S)
    before = watch.unused_as
    run(plant, watch, 100)
    assert watch.unused_as - before == pytest.approx(100 * 3 * 6.0)
    plant.command({"c0": Order(charge=True, amps=15.5)})
    run(plant, watch, 5)
    before = watch.unused_as
    run(plant, watch, 200)
    assert watch.unused_as == before


def test_what_the_minimum_of_a_nearly_full_car_holds_is_not_unused() -> None:
    """Nobody else can have what a car that charges must be allowed at least."""
    nearly = CarModel(max_a=3.0, start_delay_s=0.0)
    plant, watch = watched(16.0, nearly, QUICK)
    run(plant, watch, 1)
    plant.command({"c0": Order(charge=True, amps=6.0), "c1": Order(charge=True, amps=10.0)})
    run(plant, watch, 300)
    assert watch.unused_as == 0.0
    plant.command({"c1": Order(charge=True, amps=8.0)})
    run(plant, watch, 300)
    assert watch.unused_as > 0.0
    assert watch.longest_idle is not None
    assert watch.longest_idle.startswith("c1 ")
