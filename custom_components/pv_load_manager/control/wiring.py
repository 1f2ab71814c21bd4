"""How a charger can be wired to the phases of the house, from what checks with a charging car showed.

A car on one phase shows the phase of the charger's L1. Two more ways to connect the others remain then, one of which
nearly every electrician chooses. A car on two phases shows which phase of the house is left for L3; together that is
everything. A car on three phases shows nothing: all of them change alike.
"""

from collections.abc import Sequence
from itertools import permutations

from .findings import CLOCKWISE, Findings

type Order = tuple[int, int, int]
ORDERS: tuple[Order, ...] = tuple((order[0], order[1], order[2]) for order in permutations((1, 2, 3)))


def possible_orders(findings: Sequence[Findings], first_line: int | None) -> tuple[Order, ...]:
    """Return the grid phases (1..3) to which a charger's own L1, L2, L3 can be connected.

    Args:
        findings: of checks with the same charger.
        first_line: the grid phase (0..2) of its own L1, where that is known from elsewhere; what was just found counts
            more.
    """
    orders = tuple(order for order in ORDERS if all(found.fits(order) for found in findings))
    known = tuple(order for order in orders if first_line is None or order[0] - 1 == first_line)
    return known or orders


def usual_order(orders: Sequence[Order]) -> Order | None:
    """Return the only one of some orders that keeps that of the phases of the house, None where that is not one."""
    usual = [order for order in orders if order in CLOCKWISE]
    return usual[0] if len(usual) == 1 else None
