"""Chargers, cars, loads and meters in steps of one second, fast enough for 32 chargers and a day.

A charger takes a command over after its dead time; its car begins to draw after its own delay and follows with a
limited rate. A meter tells every few seconds what flowed a little earlier. Nothing here knows who is in control.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf

VOLTS = 230.0
LEAST_A = 6.0
FULL_A = 1.0  # a car that could take less than this is full
DRAWING_A = 0.5
START = 86_400.0  # monotonic seconds of the first step: a full day, so that slots of time are aligned with the clock

type Three = tuple[float, float, float]
type Steps = Sequence[tuple[int, Three]]

NOTHING: Three = (0.0, 0.0, 0.0)


class CarSays(Enum):
    """What a charger tells about its car."""

    NO_CAR = 0
    WAITING = 1
    CHARGING = 2
    COMPLETE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a policy tells a charger."""

    charge: bool
    amps: float = 0.0
    phases: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CarModel:
    """A car as it arrives."""

    phases: int = 3
    max_a: float = 16.0
    energy_wh: float = inf
    taper_wh: float = 0.0
    """From this much energy missing on, the current falls in proportion to it."""
    start_delay_s: float = 12.0
    ramp_up_a: float = 4.0
    """A/s."""
    ramp_down_a: float = 8.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxModel:
    """A charger as it is installed."""

    key: str
    circuit_id: str = "root"
    rotation: tuple[int, int, int] = (1, 2, 3)
    rotation_known: bool = True
    """Whether the policies are told the rotation."""
    wired: int = 3
    max_a: int = 16
    dead_s: int = 1
    """From a command to its effect."""
    pause_s: int = 10
    """How long a switch of phases interrupts the car."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CircuitModel:
    """A circuit, its breaker, its meter, and what else draws from it."""

    circuit_id: str = "root"
    parent_id: str | None = None
    limit_a: float
    largest_a: float = 0.0
    metered: bool = False
    interval_s: int = 2
    lag_s: int = 0
    load: Steps = ((0, NOTHING),)
    """Other loads directly on this circuit, in A per phase: (from this second on, amps)."""

    @property
    def target_a(self) -> float:
        """Return the current up to which it may be filled, the largest consumer being able to start any time."""
        return max(0.0, min(1.4 * self.limit_a - self.largest_a, self.limit_a))


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happens to a charger."""

    at: int
    key: str
    kind: str
    """``plug``, ``unplug``, ``lose`` or ``find``."""
    car: CarModel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Make:
    """What differs between makes of chargers."""

    forgets_hold: bool = False
    """Whether it forgets at unplugging that it shall not charge."""
    watchdog_s: float = inf
    """It stops by itself when it was not reachable for this long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One installation with its day."""

    circuits: tuple[CircuitModel, ...]
    """Parents before their children."""
    boxes: tuple[BoxModel, ...]
    events: tuple[Event, ...] = ()
    seconds: int


@dataclass(slots=True)
class BoxView:
    """The last that was heard of a charger."""

    at: float
    online: bool = True
    car: CarSays = CarSays.NO_CAR
    holding: bool = True
    setting_a: float = LEAST_A
    phases: int = 3
    switching: bool = False
    currents_a: Three = NOTHING
    """On the charger's own phases."""


@dataclass(slots=True)
class MeterView:
    """The last that a meter said."""

    at: float
    currents_a: Three


@dataclass(slots=True)
class Observation:
    """What a policy can know."""

    meters: dict[str, MeterView] = field(default_factory=dict)
    boxes: dict[str, BoxView] = field(default_factory=dict)


class Box:
    """One charger with the car at it."""

    def __init__(self, model: BoxModel, path: tuple[int, ...], make: Make) -> None:
        self.model = model
        self.path = path
        self.forgets, self.watchdog_s = make.forgets_hold, make.watchdog_s
        self.lost_at = 0.0
        self.lines = tuple(line - 1 for line in model.rotation)
        self.queue: deque[tuple[float, Order]] = deque()
        self.holding, self.setting_a, self.phases = True, LEAST_A, model.wired
        self.car: CarModel | None = None
        self.drawn_a = self.missing_wh = self.energy_wh = 0.0
        self.full, self.online = False, True
        self.pause_until = 0.0
        self.wake_at: float | None = None
        self.openings = self.starts = 0
        self.view = BoxView(at=START, phases=model.wired)

    @property
    def used(self) -> int:
        """Return the number of phases that its car draws from."""
        return min(self.car.phases, self.model.wired, self.phases) if self.car is not None else 0

    @property
    def ready(self) -> bool:
        """Return whether a car is there that would charge if it may."""
        return self.car is not None and not self.full

    @property
    def capacity_a(self) -> float:
        """Return what its car could take per phase now."""
        car = self.car
        if car is None or self.full:
            return 0.0
        most = min(car.max_a, float(self.model.max_a))
        if self.missing_wh < car.taper_wh:
            most *= self.missing_wh / car.taper_wh
        return most

    @property
    def given_a(self) -> float:
        """Return what it is allowed per phase now, 0 while it must not charge."""
        return 0.0 if self.holding or self.car is None else self.setting_a

    def send(self, order: Order, now: float) -> None:
        """Take an order in, unless it changes nothing; nobody hears what is said to a lost charger."""
        if not self.online:
            return
        charge, amps, phases = not self.holding, self.setting_a, self.phases
        if self.queue:
            last = self.queue[-1][1]
            charge = last.charge
            amps, phases = (last.amps if last.charge else amps), last.phases or phases
        same = order.charge == charge and (not order.charge or order.amps == amps)
        if not same or order.phases not in {None, phases}:
            self.queue.append((now + self.model.dead_s, order))

    def plug(self, car: CarModel) -> None:
        """Let a car come."""
        self.car, self.missing_wh, self.full, self.wake_at = car, car.energy_wh, False, None

    def unplug(self) -> None:
        """Let the car go; some chargers forget then that they shall not charge."""
        self.car, self.drawn_a, self.full, self.wake_at = None, 0.0, False, None
        if self.forgets:
            self.holding = False

    def step(self, now: float) -> None:
        """Let a second pass."""
        queue = self.queue
        while queue and queue[0][0] <= now:
            self._take(queue.popleft()[1], now)
        car = self.car
        if not self.online and not self.holding and now - self.lost_at >= self.watchdog_s:
            self._take(Order(charge=False), now)
        if car is None:
            return
        goal = 0.0
        if not self.holding and not self.full and now >= self.pause_until:
            if self.wake_at is None:
                self.wake_at = now + car.start_delay_s
            if now >= self.wake_at:
                goal = min(self.setting_a, self.capacity_a)
        drawn = self.drawn_a
        if goal != drawn:
            if drawn <= DRAWING_A < goal:
                self.starts += 1
            drawn = min(goal, drawn + car.ramp_up_a) if goal > drawn else max(goal, drawn - car.ramp_down_a)
            self.drawn_a = drawn
        if drawn > 0.0:
            energy = drawn * self.used * VOLTS / 3600.0
            self.energy_wh += energy
            self.missing_wh -= energy
            if self.missing_wh <= 0.0 or self.capacity_a < FULL_A:
                self.full, self.drawn_a = True, 0.0

    def _take(self, order: Order, now: float) -> None:
        if order.charge:
            self.setting_a = order.amps
        if order.phases is not None and order.phases != self.phases:
            self.phases = order.phases
            if self.drawn_a > DRAWING_A:
                self.drawn_a, self.pause_until, self.wake_at = 0.0, now + self.model.pause_s, None
                self.openings += 1
        if order.charge == self.holding:
            self.holding = not order.charge
            if self.holding:
                self.openings += self.drawn_a > DRAWING_A
                self.wake_at = None

    def report(self, now: float) -> None:
        """Tell what a charger tells."""
        view = self.view
        view.online = self.online
        if not self.online:
            return
        drawn, used = self.drawn_a, self.used
        view.at = now
        view.holding, view.setting_a, view.phases = self.holding, self.setting_a, self.phases
        view.switching = now < self.pause_until
        view.currents_a = (drawn, drawn if used > 1 else 0.0, drawn if used > 2 else 0.0)
        if self.car is None:
            view.car = CarSays.NO_CAR
        elif drawn > DRAWING_A:
            view.car = CarSays.CHARGING
        else:
            view.car = CarSays.COMPLETE if self.full else CarSays.WAITING


class Plant:
    """The whole installation."""

    def __init__(self, site: Site, make: Make) -> None:
        self.site = site
        self.now = START
        self.second = 0
        index = {circuit.circuit_id: number for number, circuit in enumerate(site.circuits)}
        self._parents = [index[circuit.parent_id] if circuit.parent_id else -1 for circuit in site.circuits]
        self.boxes = {model.key: Box(model, self._path(index[model.circuit_id]), make) for model in site.boxes}
        self.totals: list[Three] = [NOTHING for _ in site.circuits]
        """What flows through every circuit, per grid phase in A."""
        self.loads: list[Three] = list(self.totals)
        """The part of that which is no charger of ours."""
        self.seen = Observation(boxes={key: box.view for key, box in self.boxes.items()})
        self._history: deque[list[Three]] = deque(maxlen=max(circuit.lag_s for circuit in site.circuits) + 1)
        self._events = deque(sorted(site.events, key=lambda event: event.at))
        self._changes = [[at for at, _ in circuit.load] for circuit in site.circuits]

    def _path(self, circuit: int) -> tuple[int, ...]:
        path = []
        while circuit >= 0:
            path.append(circuit)
            circuit = self._parents[circuit]
        return tuple(path)

    def command(self, orders: Mapping[str, Order]) -> None:
        """Send orders to the chargers."""
        for key, order in orders.items():
            self.boxes[key].send(order, self.now)

    def step(self) -> list[Event]:
        """Let a second pass; return what happened at its beginning."""
        self.second += 1
        self.now = now = START + self.second
        happened = []
        while self._events and self._events[0].at <= self.second:
            happened.append(event := self._events.popleft())
            self._happen(event)
        for box in self.boxes.values():
            box.step(now)
            box.report(now)
        self._flow()
        self._measure()
        return happened

    def _happen(self, event: Event) -> None:
        box = self.boxes[event.key]
        if event.kind == "plug" and event.car is not None:
            box.plug(event.car)
        elif event.kind == "unplug":
            box.unplug()
        else:
            box.online = event.kind == "find"
            box.lost_at = self.now

    def _flow(self) -> None:
        circuits = self.site.circuits
        flows = []
        for number, circuit in enumerate(circuits):
            flows.append(list(circuit.load[bisect_right(self._changes[number], self.second) - 1][1]))
        loads = [list(flow) for flow in flows]
        for box in self.boxes.values():
            if box.drawn_a > 0.0:
                flow = flows[box.path[0]]
                for line in box.lines[: box.used]:
                    flow[line] += box.drawn_a
        for number in range(len(circuits) - 1, 0, -1):
            for tree in (flows, loads):
                above, below = tree[self._parents[number]], tree[number]
                for line in range(3):
                    above[line] += below[line]
        self.totals = [(flow[0], flow[1], flow[2]) for flow in flows]
        self.loads = [(load[0], load[1], load[2]) for load in loads]

    def _measure(self) -> None:
        self._history.append(self.totals)
        for number, circuit in enumerate(self.site.circuits):
            if circuit.metered and self.second % circuit.interval_s == 0:
                late = self._history[max(0, len(self._history) - 1 - circuit.lag_s)]
                self.seen.meters[circuit.circuit_id] = MeterView(at=self.now, currents_a=late[number])
