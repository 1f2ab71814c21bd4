"""The scenarios are what they claim, and ours holds its lines in the short ones."""

from typing import cast

import pytest

from benchmarks import load, scenarios
from benchmarks.plant import LEAST_A


def number(figures: load.Figures, name: str) -> float:
    """Return a figure that is a number."""
    value = figures[name]
    assert isinstance(value, int | float), (name, value)
    return float(value)


def test_heater_step() -> None:
    """Above the fuse no longer than physics needs; who fits stays; everything is back within a minute."""
    figures = load.heater_step("ours")
    assert number(figures, "over_limit_s") <= number(figures, "floor_s") + 1
    assert figures["chargers_kept"] == figures["chargers_possible"] == 1
    assert number(figures, "running_back_s") <= 60


def test_lost_charger() -> None:
    """The others go on, nothing is above the fuse beyond the ramp, and it is taken back at once."""
    figures = load.lost_charger("ours")
    assert figures["others_stopped_s"] == 0
    assert figures["over_limit_late_s"] == 0
    assert number(figures, "lost_mean_a") >= LEAST_A
    assert number(figures, "adopted_s") <= 10


def test_oven() -> None:
    """At most four openings of a contactor in the hour."""
    figures = load.oven("ours")
    assert number(figures, "switches_max") <= 4
    assert figures["over_limit_late_s"] == 0


def test_day_is_the_same_for_the_same_seed_and_contended_in_the_evening() -> None:
    """Twice as many cars as fit are ready on the smallest circuit, and there are equals to compare."""
    site = scenarios.day32(7)
    assert site == scenarios.day32(7)
    assert site != scenarios.day32(8)
    assert len(site.boxes) == 32
    assert {box.rotation for box in site.boxes} == set(scenarios.ROTATIONS)
    assert sum(not box.rotation_known for box in site.boxes) == 2
    smallest = min(site.circuits, key=lambda circuit: circuit.limit_a)
    loads = [0, 0, 0]
    for box in site.boxes:
        car = scenarios.present(site, box.key, scenarios.CONTENDED)
        assert car is not None
        if box.circuit_id == smallest.circuit_id:
            for line in box.rotation[: car.phases]:
                loads[line - 1] += 1
    assert 1.8 <= max(loads) * LEAST_A / smallest.target_a <= 2.7
    groups = scenarios.equals(site, scenarios.CONTENDED)
    assert max(len(group) for group in groups) >= 4


def test_nobody_has_two_cars_at_once() -> None:
    """Arrivals and departures alternate at every charger."""
    site = scenarios.day32(3)
    for box in site.boxes:
        kinds = [event.kind for event in site.events if event.key == box.key]
        assert kinds == ["plug", "unplug"] * (len(kinds) // 2)
        times = [event.at for event in site.events if event.key == box.key]
        assert times == sorted(times)


def test_result_has_the_agreed_shape() -> None:
    """By scenario, the floor beside the policies."""
    result = load.measure(["--scenario", "heater_step", "--policy", "evcc"])
    heater = cast("dict[str, dict[str, dict[str, object]]]", result["scenarios"])["heater_step"]
    assert set(heater) == {"floor_s", "evcc"}
    assert {"over_limit_s", "over_limit_as", "chargers_kept", "chargers_possible", "recovered_s"} <= set(heater["evcc"])
    with pytest.raises(SystemExit):
        load.measure(["--scenario", "no_such"])
