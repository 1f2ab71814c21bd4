"""The reference is right, the allocation agrees with it, and the timing times something that is contended."""

from random import Random

import pytest

from benchmarks import tick
from benchmarks.plant import Make, Plant
from benchmarks.policies.ours import Ours
from benchmarks.reference import fill
from custom_components.pv_load_manager.control.allocation import Claim, Kind, allocate


def claim(number: int, *bounds: int, floor: int = 6, cap: int = 16) -> Claim:
    """Return a claim of a charger on one phase."""
    return Claim(
        charger_id=f"c{number}",
        kind=Kind.FAST,
        floor_a=floor,
        demand_a=cap,
        cap_a=cap,
        phases=1,
        lines=(0,),
        watts_per_amp=230.0,
        bounds=bounds,
    )


def test_reference_shares_by_hand() -> None:
    """Whoever is bound by the small circuit gets its share of it, and the others share what is left."""
    claims = [claim(1, 0, 1), claim(2, 0, 1), claim(3, 0), claim(4, 0, cap=7)]
    assert fill(claims, [40.0, 14.0]) == pytest.approx([7.0, 7.0, 16.0, 7.0])
    assert fill(claims, [33.0, 14.0]) == pytest.approx([7.0, 7.0, 12.0, 7.0])


def test_reference_gives_minimums_in_order_and_counts_a_large_one() -> None:
    """The third does not fit; who needs more than the level keeps its minimum and is not raised before the others."""
    claims = [claim(1, 0, floor=10), claim(2, 0), claim(3, 0, floor=8)]
    assert fill(claims, [20.0]) == pytest.approx([10.0, 10.0, 0.0])
    assert fill(claims, [17.0]) == pytest.approx([10.0, 7.0, 0.0])


@pytest.mark.parametrize("seed", range(30))
def test_allocation_agrees_with_the_reference(seed: int) -> None:
    """Within whole amps, the same claims get the same."""
    random = Random(seed)  # noqa: S311 (no secret)
    limits = random.randint(1, 6)
    claims = [
        claim(
            number,
            *sorted(random.sample(range(limits), random.randint(1, limits))),
            floor=random.choice((6, 6, 8)),
            cap=random.choice((10, 16, 32)),
        )
        for number in range(random.randint(1, 12))
    ]
    room = [random.uniform(0.0, 90.0) for _ in range(limits)]
    ours, reference = allocate(claims, room, None).amps, fill(claims, room)
    assert [amps > 0 for amps in ours] == [amps > 0 for amps in reference]
    assert min(ours, default=0) >= int(min(reference))
    for bound in range(limits):
        assert sum(a for a, c in zip(ours, claims, strict=True) if bound in c.bounds) <= room[bound] + 1e-6


def test_the_tree_is_contended() -> None:
    """Some wait, most charge, and hardly anybody has all it may."""
    site = tick.tree(32, 60)
    plant, ours = Plant(site, Make()), Ours(site)
    for _ in range(60):
        plant.step()
        plant.command(ours.step(plant.now, plant.seen))
    given = [box.given_a for box in plant.boxes.values()]
    assert 0 < sum(amps == 0.0 for amps in given) < 16
    assert sum(amps >= 16.0 for amps in given) < 8


def test_measure_has_a_figure_for_every_count() -> None:
    """Medians and tails, ours beside the reference."""
    figures = tick.measure(["--chargers", "2", "--steps", "5"])
    assert set(figures) == {"p50_us", "p99_us", "allocate_p50_us", "reference_p50_us"}
    for values in figures.values():
        assert isinstance(values, dict)
        assert values["2"] > 0
