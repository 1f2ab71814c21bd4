"""Tiny days made by hand, and policies that do as told."""

from array import array
from collections.abc import Mapping, Sequence

from benchmarks.plant import Order
from benchmarks.pv.model import Day, PvSeen


def day(pv_w: Sequence[float], house_w: Sequence[float] | float = 0.0, *, kind: str = "hand") -> Day:
    """Return a day of the given powers in W, a value per second."""
    house = [house_w] * len(pv_w) if isinstance(house_w, float) else list(house_w)
    return Day(name=kind, kind=kind, start_s=43_200, pv_w=array("d", pv_w), house_w=array("d", house))


class Script:
    """Gives orders at fixed seconds, to the only charger."""

    setup = "a script"

    def __init__(self, orders: Mapping[int, Order]) -> None:
        self._orders = orders
        self._second = -1
        self.seen: list[tuple[float, float]] = []

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Say what the script has for this second."""
        del now
        self._second += 1
        self.seen.append((seen.grid_at, seen.grid_w))
        order = self._orders.get(self._second)
        return {"box1": order} if order is not None else {}
