"""The circuit rules of evcc: one loadpoint per interval, whoever is first takes what there is.

Per turn a loadpoint wants its maximum; every circuit on its path allows what it has now plus what the circuit has left
by its meter, or by the sum of the loadpoints below it where there is no meter. Phases are not told apart: the largest
of three counts. Nobody gives anything back for another one.
"""

from collections.abc import Mapping
from math import floor

from benchmarks.plant import LEAST_A, CarSays, CircuitModel, Observation, Order, Site

INTERVAL = 30
STALE = 60.0


class Evcc:
    """All loadpoints of a site in mode "now"."""

    setup = "the tree as circuits with our targets as limits, the meters where they are, interval 30 s"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._circuits = {circuit.circuit_id: circuit for circuit in site.circuits}
        self._below: dict[str, list[str]] = {circuit.circuit_id: [] for circuit in site.circuits}
        self._paths: dict[str, list[CircuitModel]] = {}
        for box in site.boxes:
            path = self._paths[box.key] = []
            name: str | None = box.circuit_id
            while name is not None:
                path.append(self._circuits[name])
                self._below[name].append(box.key)
                name = self._circuits[name].parent_id
        self._ticks = 0
        self._turn = 0

    def step(self, now: float, seen: Observation) -> Mapping[str, Order]:
        """Return the order of the loadpoint whose turn it is."""
        self._ticks += 1
        if self._ticks % INTERVAL:
            return {}
        box = self._site.boxes[self._turn % len(self._site.boxes)]
        self._turn += 1
        view = seen.boxes[box.key]
        if not view.online:  # an error of the charger ends the turn, and nothing changes
            return {}
        given = 0.0
        if view.car is not CarSays.NO_CAR:
            given = float(floor(self._allowed(box.key, float(box.max_a), now, seen) + 1e-6))
        if given < LEAST_A:
            given = 0.0
        return {box.key: Order(charge=given > 0, amps=given)}

    def _allowed(self, key: str, wanted: float, now: float, seen: Observation) -> float:
        view = seen.boxes[key]
        # What counts as the old current of a car that charges is what it draws, else nothing.
        old = max(view.currents_a) if view.car is CarSays.CHARGING else 0.0
        for circuit in self._paths[key]:
            wanted = min(wanted, max(0.0, old + circuit.target_a - self._measured(circuit, now, seen)))
        return wanted

    def _measured(self, circuit: CircuitModel, now: float, seen: Observation) -> float:
        if circuit.metered:
            meter = seen.meters.get(circuit.circuit_id)
            return max(meter.currents_a) if meter is not None and now - meter.at <= STALE else float("inf")
        return sum(max(seen.boxes[key].currents_a) for key in self._below[circuit.circuit_id])
