"""Watches a plant and counts: seconds above a breaker's rating, capacity that nobody was given, waits, switches."""

from collections.abc import Iterable, Sequence
from math import ceil

from .plant import LEAST_A, Box, Plant, Site

GRACE_S = 60
"""So long capacity may lie idle after it became free."""
SAMPLE_S = 5
EPSILON = 1e-6


def floor_s(site: Site, before: Sequence[float], excess_a: float) -> float:
    """Return how long a circuit stays above its rating at best, in s, whoever is in control.

    The step comes right after a reading; all cars are told to stop at the next one, and each follows after its
    charger's dead time as fast as it can.

    Args:
        site: the site; the meter of its house connection is what sees the step.
        before: what every charger's car draws before the step, in A, in the order of the chargers.
        excess_a: how far the step goes above the rating, in A.
    """
    root = site.circuits[0]
    cars = {event.key: event.car for event in site.events if event.car is not None}
    tenths = 0
    while True:
        shed = 0.0
        for box, drawn in zip(site.boxes, before, strict=True):
            car = cars.get(box.key)
            if car is not None:
                shed += min(drawn, max(0.0, tenths / 10 - box.dead_s) * car.ramp_down_a)
        if shed >= min(excess_a, sum(before)) - EPSILON:
            return root.interval_s + root.lag_s + tenths / 10
        tenths += 1


def slowest_s(site: Site) -> int:
    """Return how long any overload may last at most by a step of a load, in s."""
    meters = [circuit.interval_s + circuit.lag_s for circuit in site.circuits if circuit.metered]
    cars = [event.car for event in site.events if event.car is not None]
    ramp = max((car.max_a / car.ramp_down_a for car in cars), default=0.0)
    return max(meters, default=0) + max(box.dead_s for box in site.boxes) + ceil(ramp)


def jain(values: Iterable[float]) -> float:
    """Return Jain's index of fairness: 1 = everybody has the same, 1/n = one has it all."""
    known = list(values)
    squares = sum(value * value for value in known)
    return sum(known) ** 2 / (len(known) * squares) if squares else 1.0


class Watch:
    """Counts what happens in one run."""

    def __init__(self, plant: Plant, *, trace: bool = False) -> None:
        self._plant = plant
        self._slowest = slowest_s(plant.site)
        self._limits = [circuit.limit_a for circuit in plant.site.circuits]
        self._targets = [circuit.target_a for circuit in plant.site.circuits]
        self._loads = list(plant.loads)
        self._grown_at = [0] * len(self._limits)
        self._waits = dict.fromkeys(plant.boxes, 0)
        self._idle = dict.fromkeys(plant.boxes, 0)
        self.over_s = 0
        self.over_as = 0.0
        self.over_longest_s = 0
        """The longest time that some circuit or other was above its rating without a break."""
        self._over_run = 0
        self.late_s = 0
        """Seconds above a rating that no step of a load and no ramp explains."""
        self.late_first: str | None = None
        self.peak_a = 0.0
        """The most that any circuit carried above its rating."""
        self.longest_wait_s = 0
        self.longest_wait: str | None = None
        self.unused_as = 0.0
        self.longest_idle_s = 0
        """The longest that a car could have had more and was not given it."""
        self.longest_idle: str | None = None
        self.delivered_as = 0.0
        self.trace: list[tuple[float, ...]] | None = [] if trace else None
        """Per second what every car draws."""
        self.given: list[tuple[float, ...]] = []

    def see(self) -> None:
        """Count the second that just passed."""
        self._count_overload()
        second = self._plant.second
        boxes = self._plant.boxes
        for key, box in boxes.items():
            if box.drawn_a > 0.0:
                self.delivered_as += box.drawn_a * box.used
            if box.ready and box.given_a == 0.0:
                self._waits[key] += 1
                if self._waits[key] > self.longest_wait_s:
                    self.longest_wait_s, self.longest_wait = self._waits[key], f"{key} at {second}"
            else:
                self._waits[key] = 0
        if second % SAMPLE_S == 0:
            self._count_unused()
        if self.trace is not None:
            self.trace.append(tuple(box.drawn_a for box in boxes.values()))
            self.given.append(tuple(box.given_a for box in boxes.values()))

    def _count_overload(self) -> None:
        plant = self._plant
        over = late = False
        for number, limit in enumerate(self._limits):
            load = plant.loads[number]
            if load is not self._loads[number] and any(
                new > old + EPSILON for new, old in zip(load, self._loads[number], strict=True)
            ):
                self._grown_at[number] = plant.second
            self._loads[number] = load
            total = plant.totals[number]
            if max(total) <= limit + EPSILON:
                continue
            over = True
            excess = [max(0.0, amps - limit) for amps in total]
            self.over_as += sum(excess)
            self.peak_a = max(self.peak_a, *excess)
            if plant.second - self._grown_at[number] >= self._slowest:
                late = True
                line = excess.index(max(excess)) + 1
                name = plant.site.circuits[number].circuit_id
                self.late_first = self.late_first or f"{name} L{line} at {plant.second}: {max(excess):.1f} A"
        self.over_s += over
        self._over_run = self._over_run + 1 if over else 0
        self.over_longest_s = max(self.over_longest_s, self._over_run)
        self.late_s += late

    def _count_unused(self) -> None:
        free = [[target - amps for amps in load] for target, load in zip(self._targets, self._plant.loads, strict=True)]
        boxes = self._plant.boxes
        for box in boxes.values():
            _take(free, box, promised(box))
        for key, box in boxes.items():
            more = _could_take(free, box)
            self._idle[key] = self._idle[key] + SAMPLE_S if more > 0.0 else 0
            if self._idle[key] <= GRACE_S:
                continue
            if self._idle[key] > self.longest_idle_s:
                self.longest_idle_s = self._idle[key]
                self.longest_idle = f"{key} at {self._plant.second}: {more:.1f} A on {box.used} phases"
            self.unused_as += more * box.used * SAMPLE_S
            _take(free, box, more)

    def figures(self) -> dict[str, object]:
        """Return what was counted."""
        boxes = self._plant.boxes.values()
        used = self.delivered_as + self.unused_as
        return {
            "over_limit_s": self.over_s,
            "over_limit_as": round(self.over_as, 1),
            "over_limit_longest_s": self.over_longest_s,
            "over_limit_peak_a": round(self.peak_a, 1),
            "over_limit_late_s": self.late_s,
            "over_limit_late_first": self.late_first,
            "unused_ah": round(self.unused_as / 3600, 2),
            "unused_share": round(self.unused_as / used, 4) if used else 0.0,
            "longest_idle_s": self.longest_idle_s,
            "longest_idle": self.longest_idle,
            "longest_wait_s": self.longest_wait_s,
            "longest_wait": self.longest_wait,
            "charged_kwh": round(sum(box.energy_wh for box in boxes) / 1000, 2),
            "delivered_ah": round(self.delivered_as / 3600, 2),
            "switches": sum(box.openings for box in boxes),
            "switches_max": max(box.openings for box in boxes),
        }


def promised(box: Box) -> float:
    """Return what nobody else may have of a charger's current: what its car draws or soon will, and its minimum."""
    if not box.ready or box.holding:
        return box.drawn_a
    return max(box.drawn_a, min(box.setting_a, max(box.capacity_a, LEAST_A)))


def _take(free: list[list[float]], box: Box, amps: float) -> None:
    if amps <= 0.0:
        return
    for circuit in box.path:
        for line in box.lines[: box.used]:
            free[circuit][line] -= amps


def _could_take(free: list[list[float]], box: Box) -> float:
    """Return what a car could be given more, in A per phase; 0 where it is less than one or than it needs to start."""
    if not box.ready:
        return 0.0
    lines = box.lines[: box.used]
    room = min(free[circuit][line] for circuit in box.path for line in lines)
    more = min(room, box.capacity_a - box.given_a)
    return more if more >= (LEAST_A if box.given_a == 0.0 else 1.0) - EPSILON else 0.0
