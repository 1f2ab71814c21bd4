"""The closed loop: roof, house, battery, chargers and cars in steps of a second, and one policy in control.

From a command to its effect pass 3 s; a car begins to draw 15 s after it may; a switch of phases interrupts it for 25 s
and its 15 s.
"""

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from benchmarks.plant import NOTHING, START, VOLTS, Box, BoxModel, CarModel, Make, Three

from .model import BatteryModel, Day, PvPolicy, PvSeen, PvSite

DEAD_S = 3
START_DELAY_S = 15.0
PAUSE_S = 25
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that a charger or its car did."""

    second: int
    key: str
    kind: str
    """``start``, ``resume`` (after a switch of phases), ``stop``, ``up``, ``down``, ``idle`` (no current)."""


@dataclass(kw_only=True, slots=True)
class Course:
    """What happened on a day, a value per second."""

    day: Day
    site: PvSite
    car_w: array[float] = field(default_factory=lambda: array("d"))
    """All cars together."""
    grid_w: array[float] = field(default_factory=lambda: array("d"))
    battery_w: array[float] = field(default_factory=lambda: array("d"))
    """Discharge +; empty without a battery."""
    moments: list[Moment] = field(default_factory=list)
    commands: int = 0
    soc: float | None = None
    """Of the battery in the evening, 0..100."""
    setup: str = ""


def site(cars: int = 1, *, battery: bool = False, interval_s: int = 1, lag_s: int = 0) -> PvSite:
    """Return a house with so many chargers, each with a car that always wants, on different first phases."""
    return PvSite(
        boxes=tuple(
            BoxModel(key=f"box{number + 1}", rotation=ROTATIONS[number % 3], dead_s=DEAD_S, pause_s=PAUSE_S)
            for number in range(cars)
        ),
        cars=(CarModel(start_delay_s=START_DELAY_S),) * cars,
        battery=BatteryModel() if battery else None,
        meter_interval_s=interval_s,
        meter_lag_s=lag_s,
    )


class Battery:
    """Keeps the grid power at 0 W as well as it can."""

    def __init__(self, model: BatteryModel, random: Random) -> None:
        self.model = model
        self.stored_wh = model.capacity_wh * model.soc / 100.0
        self.power_w = 0.0
        self._seen: deque[float] = deque([0.0] * model.reaction_s, maxlen=model.reaction_s)
        self._random = random

    @property
    def soc(self) -> float:
        """Return the state of charge, 0..100."""
        return 100.0 * self.stored_wh / self.model.capacity_wh

    def step(self, rest_w: float) -> float:
        """Let a second pass in which everything else draws this much; return its power, discharge +."""
        model = self.model
        wanted = self._seen[0] + self._random.gauss(0.0, model.error_w)
        self._seen.append(rest_w)
        power = max(-model.power_w, min(model.power_w, wanted))
        moved = power / 3600.0
        if power > 0.0:
            moved /= model.efficiency
            if moved > self.stored_wh:
                power = moved = 0.0
        else:
            moved *= model.efficiency
            if self.stored_wh - moved > model.capacity_wh:
                power = moved = 0.0
        self.stored_wh -= moved
        self.power_w = power
        return power


class Watched:
    """A charger, and what it and its car were seen to do."""

    def __init__(self, model: BoxModel, car: CarModel, course: Course) -> None:
        self.box = Box(model, (0,), Make())
        self.box.plug(car)
        self._course = course
        self._phases = self.box.phases
        self._drew = False
        self._switched = False

    def step(self, second: int) -> float:
        """Let a second pass; return the car's power in W."""
        box = self.box
        now = START + second
        box.step(now)
        box.report(now)
        drawn = box.drawn_a
        if box.phases != self._phases or (drawn > 0.0) != self._drew:
            self._note(second, drawing=drawn > 0.0)
        return drawn * box.used * VOLTS if drawn > 0.0 else 0.0

    def _note(self, second: int, *, drawing: bool) -> None:
        box, moments = self.box, self._course.moments
        kinds = []
        if box.phases != self._phases:
            kinds.append(("up" if box.phases > self._phases else "down") if self._drew else "idle")
            self._switched = self._drew and not box.holding
            self._phases = box.phases
        if drawing and not self._drew:
            kinds.append("resume" if self._switched else "start")
            self._switched = False
        elif self._drew and not drawing and not self._switched:
            kinds.append("stop")
        self._drew = drawing
        moments.extend(Moment(second=second, key=box.model.key, kind=kind) for kind in kinds)


def run(day: Day, house: PvSite, make: Callable[[PvSite], PvPolicy]) -> Course:
    """Let a day pass under a policy."""
    course = Course(day=day, site=house)
    policy = make(house)
    course.setup = policy.setup
    watched = {model.key: Watched(model, car, course) for model, car in zip(house.boxes, house.cars, strict=True)}
    chargers = tuple(watched.values())
    random = Random(f"battery {day.name}")  # noqa: S311 (no secret)
    battery = Battery(house.battery, random) if house.battery is not None else None
    seen = PvSeen(grid_at=START, grid_w=0.0, boxes={key: one.box.view for key, one in watched.items()})
    late: deque[tuple[float, float, Three]] = deque(maxlen=house.meter_lag_s + 1)
    interval = house.meter_interval_s
    car, grid = course.car_w, course.grid_w
    for second, (pv_w, house_w) in enumerate(zip(day.pv_w, day.house_w, strict=True)):
        now = START + second
        car_w = 0.0
        for one in chargers:
            car_w += one.step(second)
        rest_w = house_w - pv_w
        grid_w = rest_w + car_w
        if battery is not None:
            discharge_w = battery.step(grid_w)
            course.battery_w.append(discharge_w)
            rest_w -= discharge_w
            grid_w -= discharge_w
            seen.battery_w, seen.battery_soc = discharge_w, battery.soc
        car.append(car_w)
        grid.append(grid_w)
        if interval == 1 or late.maxlen != 1 or second % interval == 0:
            late.append((now, grid_w, _currents(rest_w, chargers) if car_w else _even(rest_w)))
        if second % interval == 0:
            seen.grid_at, seen.grid_w, seen.currents_a = late[0]
        orders = policy.step(now, seen)
        for key, order in orders.items():
            box = watched[key].box
            waiting = len(box.queue)
            box.send(order, now)
            course.commands += len(box.queue) > waiting
    course.soc = battery.soc if battery is not None else None
    return course


def _even(rest_w: float) -> Three:
    amps = rest_w / (3.0 * VOLTS)
    return (amps, amps, amps)


def _currents(rest_w: float, chargers: tuple[Watched, ...]) -> Three:
    amps = list(_even(rest_w)) if chargers else list(NOTHING)
    for one in chargers:
        box = one.box
        if box.drawn_a > 0.0:
            for line in box.lines[: box.used]:
                amps[line] += box.drawn_a
    return (amps[0], amps[1], amps[2])
