"""Policies to compare with: follow the surplus on a fixed number of phases, and charge as fast as possible."""

from collections.abc import Mapping
from math import floor

from benchmarks.plant import LEAST_A, START, VOLTS, Order
from benchmarks.pv.model import PvSeen, PvSite

EVERY_S = 10
START_S, STOP_S = 60, 180


class Fixed:
    """Follows the surplus in whole amps on one number of phases; several cars take what those before them leave."""

    def __init__(self, site: PvSite, *, phases: int, start_s: int = START_S, stop_s: int = STOP_S) -> None:
        self.setup = (
            f"{phases} phase(s) always, an order every {EVERY_S} s, start after {start_s} s, stop after {stop_s} s"
        )
        self._phases, self._start_s, self._stop_s = phases, start_s, stop_s
        self._most = {box.key: float(box.max_a) for box in site.boxes}
        self._charging = dict.fromkeys(self._most, False)
        self._since: dict[str, float | None] = dict.fromkeys(self._most)
        self._due = START

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Follow the surplus every few seconds."""
        if now < self._due:
            return {}
        self._due = now + EVERY_S
        left_w = sum(sum(view.currents_a) for view in seen.boxes.values()) * VOLTS - seen.grid_w
        left_w -= seen.battery_w or 0.0
        per_amp = self._phases * VOLTS
        orders = {}
        for key, most in self._most.items():
            amps = min(most, floor(max(0.0, left_w) / per_amp))
            charging = self._decide(key, enough=amps >= LEAST_A, now=now)
            given = max(LEAST_A, amps) if charging else 0.0
            left_w -= given * per_amp
            orders[key] = Order(charge=charging, amps=given, phases=self._phases)
        return orders

    def _decide(self, key: str, *, enough: bool, now: float) -> bool:
        charging, since = self._charging[key], self._since[key]
        if enough == charging:
            self._since[key] = None
        elif since is None:
            self._since[key] = now
        elif now - since >= (self._stop_s if charging else self._start_s):
            self._charging[key], self._since[key] = not charging, None
        return self._charging[key]


class Fast:
    """Charges with all there is, sun or not."""

    def __init__(self, site: PvSite) -> None:
        self.setup = "the most the charger gives on three phases, always"
        self._orders = {box.key: Order(charge=True, amps=float(box.max_a), phases=3) for box in site.boxes}

    def step(self, now: float, seen: PvSeen) -> Mapping[str, Order]:
        """Say the same again; a charger that heard it already takes it as no order."""
        del now, seen
        return self._orders
