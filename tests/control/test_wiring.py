"""How a charger can be wired, from what cars on one, two and three phases show."""

from itertools import permutations

import pytest

from custom_components.pv_load_manager.control.findings import CLOCKWISE, Findings, MaybeLines, Sign
from custom_components.pv_load_manager.control.wiring import ORDERS, possible_orders, usual_order

type Order = tuple[int, int, int]


def seen(order: Order, phases: int, *, missing: int = 0) -> Findings:
    """Return what a check finds with a car that uses the first phases of a charger that is wired in an order."""
    lines = [0, 0, 0]
    for line in order[:phases]:
        lines[line - 1] = 1
    known: MaybeLines = (lines[0], lines[1], lines[2])
    return Findings(
        sign=Sign.RIGHT,
        lines=known,
        missing=missing,
        own_phases=tuple(range(1, phases + 1)),
        rotation=(None, None, None),
        likely_rotation=None,
        dead_time_s=0.0,
        dead_time_within_s=1.0,
        cadence_s=1.0,
        step_a=10.0,
    )


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_what_each_car_leaves_open(order: Order) -> None:
    """One phase and two phases leave two ways each, both together one; three phases show nothing."""
    one, two, three = (seen(order, phases) for phases in (1, 2, 3))
    assert possible_orders([three], None) == ORDERS
    for findings in ([one], [two], [one, three]):
        found = possible_orders(findings, None)
        assert len(found) == 2
        assert order in found
    assert possible_orders([one, two], None) == (order,)
    # What was learned from a car's own changes is as good as a check on one phase.
    assert possible_orders([two], order[0] - 1) == (order,)


def test_what_was_just_found_counts_more() -> None:
    """Another phase of L1 that was learned before does not make everything impossible."""
    assert possible_orders([seen((2, 3, 1), 1)], 0) == ((2, 1, 3), (2, 3, 1))
    assert possible_orders([seen((2, 3, 1), 2, missing=1)], None) == ORDERS


@pytest.mark.parametrize("order", CLOCKWISE)
def test_the_usual_way(order: Order) -> None:
    """Of the two ways that a one-phase car leaves, one keeps the order of the phases; of all six nobody knows."""
    assert usual_order(possible_orders([seen(order, 1)], None)) == order
    assert usual_order(ORDERS) is None
    assert usual_order([(1, 3, 2)]) is None
