"""The sites of the load benchmark and what happens there."""

from bisect import bisect_right
from dataclasses import dataclass
from random import Random

from .plant import BoxModel, CarModel, CircuitModel, Event, Site, Three

HOUR = 3600
DAY = 24 * HOUR
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2), (2, 1, 3), (3, 2, 1))

PLUGGED = 30
HEATER_ON, HEATER_OFF = 1201, 1321
LOST, FOUND, HOUSE_RISES = 600, 1500, 900
OVEN_FROM = 600
CONTENDED = (int(17.5 * HOUR), int(21 * HOUR))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A sub-circuit of the big site."""

    name: str
    limit_a: float
    count: int
    metered: bool = False


PLACES = (
    Place(name="garage", limit_a=63.0, count=12, metered=True),
    Place(name="yard", limit_a=40.0, count=8),
    Place(name="street", limit_a=32.0, count=12),
)


def _even(amps: float) -> Three:
    return (amps, amps, amps)


def _boxes(count: int) -> tuple[BoxModel, ...]:
    return tuple(BoxModel(key=f"c{number + 1}", dead_s=1 + number % 3) for number in range(count))


def _plugged(boxes: tuple[BoxModel, ...]) -> tuple[Event, ...]:
    return tuple(
        Event(at=PLUGGED + number, key=box.key, kind="plug", car=CarModel(start_delay_s=10 + number % 6))
        for number, box in enumerate(boxes)
    )


def heater_step() -> Site:
    """Return a house with 63 A, four chargers, and a heater of 39 A for two minutes."""
    boxes = _boxes(4)
    quiet, loud = _even(1.4), _even(40.4)
    root = CircuitModel(
        limit_a=63.0, largest_a=39.0, metered=True, load=((0, quiet), (HEATER_ON, loud), (HEATER_OFF, quiet))
    )
    return Site(circuits=(root,), boxes=boxes, events=_plugged(boxes), seconds=HOUR)


def two_cars() -> Site:
    """Return 16 A for two chargers, one of whose cars is nearly full."""
    boxes = _boxes(2)
    nearly = CarModel(energy_wh=3500.0, taper_wh=2000.0)
    events = (
        Event(at=PLUGGED, key="c1", kind="plug", car=nearly),
        Event(at=PLUGGED + 1, key="c2", kind="plug", car=CarModel()),
    )
    return Site(circuits=(CircuitModel(limit_a=16.0),), boxes=boxes, events=events, seconds=2 * HOUR)


def lost_charger() -> Site:
    """Return three chargers; one is lost while it charges, the house rises meanwhile, and it is found again."""
    boxes = _boxes(3)
    root = CircuitModel(limit_a=40.0, metered=True, load=((0, _even(3.0)), (HOUSE_RISES, _even(12.0))))
    events = (
        *_plugged(boxes),
        Event(at=LOST, key="c1", kind="lose"),
        Event(at=FOUND, key="c1", kind="find"),
    )
    return Site(circuits=(root,), boxes=boxes, events=events, seconds=2400)


def oven() -> Site:
    """Return three chargers and an oven of 20 A that is on for 30 s and off for 30 s, for an hour."""
    boxes = _boxes(3)
    load = [(0, _even(2.0))]
    for at in range(OVEN_FROM, OVEN_FROM + HOUR, 60):
        load += [(at, _even(22.0)), (at + 30, _even(2.0))]
    root = CircuitModel(limit_a=35.0, largest_a=20.0, metered=True, load=tuple(load))
    return Site(circuits=(root,), boxes=boxes, events=_plugged(boxes), seconds=OVEN_FROM + HOUR)


def day32(seed: int) -> Site:
    """Return 32 chargers on three sub-circuits for a day, cars coming and going.

    In the evening every car stays: more than twice as many as fit with their minimum on the smallest circuit.
    """
    random = Random(seed)  # noqa: S311 (no secret)
    circuits = [CircuitModel(limit_a=100.0, largest_a=10.0, metered=True, lag_s=1, load=_house(random))]
    boxes: list[BoxModel] = []
    for place in PLACES:
        circuits.append(
            CircuitModel(
                circuit_id=place.name,
                parent_id="root",
                limit_a=place.limit_a,
                largest_a=8.0,
                metered=place.metered,
                load=_workshop(random) if place.metered else ((0, _even(0.0)),),
            )
        )
        boxes += [
            BoxModel(
                key=f"{place.name}{number + 1}",
                circuit_id=place.name,
                rotation=ROTATIONS[(len(boxes) + number) % len(ROTATIONS)],
                rotation_known=not (number == 5 and place.name != "yard"),
                dead_s=random.randint(1, 3),
            )
            for number in range(place.count)
        ]
    events = [event for number, box in enumerate(boxes) for event in _visits(random, box, number)]
    return Site(circuits=tuple(circuits), boxes=tuple(boxes), events=tuple(events), seconds=DAY)


def _house(random: Random) -> tuple[tuple[int, Three], ...]:
    """5 to 30 A per phase: a base by the time of day, appliances of up to 10 A, and some noise."""
    steps: list[tuple[int, Three]] = []
    appliances = [0.0, 0.0, 0.0]
    at = 0
    while at < DAY:
        base = (6.0, 8.0, 12.0, 16.0, 10.0)[bisect_right((6, 9, 17, 22), at / HOUR)]
        line = random.randrange(3)
        appliances[line] = random.uniform(2.0, 10.0) if appliances[line] == 0.0 else 0.0
        amps = [min(30.0, max(5.0, base + extra + random.uniform(-1.0, 1.0))) for extra in appliances]
        steps.append((at, (amps[0], amps[1], amps[2])))
        at += random.randint(20, 400)
    return tuple(steps)


def _workshop(random: Random) -> tuple[tuple[int, Three], ...]:
    steps: list[tuple[int, Three]] = []
    at = 0
    while at < DAY:
        steps += [(at, _even(0.0)), (at + 600, _even(random.uniform(2.0, 8.0)))]
        at += random.randint(1200, 5400)
    return tuple(steps)


def _visits(random: Random, box: BoxModel, number: int) -> list[Event]:
    """Cars by day arrive by chance and go when they please; the evening's stay until the night."""
    events: list[Event] = []
    at = random.expovariate(1 / (3 * HOUR))
    evening = random.uniform(16.0, 17.0) * HOUR
    while at < evening - 1800:
        leaves = min(at + random.uniform(0.5, 5.0) * HOUR, evening - 600)
        events += _visit(box, int(at), int(leaves), _car(random, random.choice((1, 2, 3, 3)), 40_000.0))
        at = leaves + 120 + random.expovariate(1 / (2.5 * HOUR))
    # Mostly the same kind of car in the evening, so that there are equals to compare.
    phases = (3, 3, 1, 3, 2, 3)[number % 6]
    events += _visit(box, int(evening), int(random.uniform(21.5, 23.5) * HOUR), _car(random, phases, 1e9))
    return events


def _visit(box: BoxModel, arrives: int, leaves: int, car: CarModel) -> list[Event]:
    return [Event(at=arrives, key=box.key, kind="plug", car=car), Event(at=leaves, key=box.key, kind="unplug")]


def _car(random: Random, phases: int, most_wh: float) -> CarModel:
    energy = most_wh if most_wh > 1e6 else random.uniform(4_000.0, most_wh)
    return CarModel(
        phases=phases,
        max_a=16.0 if most_wh > 1e6 else random.choice((13.0, 16.0, 16.0)),
        energy_wh=energy,
        taper_wh=1_500.0,
        start_delay_s=random.randint(10, 15),
    )


def equals(site: Site, window: tuple[int, int]) -> list[tuple[str, ...]]:
    """Return the groups of chargers on one circuit whose cars are equal and plugged for the whole window."""
    groups: dict[object, list[str]] = {}
    for box in site.boxes:
        car = present(site, box.key, window)
        if car is not None:
            lines = tuple(sorted(box.rotation[: car.phases]))
            groups.setdefault((box.circuit_id, car.max_a, lines), []).append(box.key)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def present(site: Site, key: str, window: tuple[int, int]) -> CarModel | None:
    """Return the car that is plugged at a charger for the whole window."""
    car = None
    for event in site.events:
        if event.key != key:
            continue
        if event.at <= window[0]:
            car = event.car if event.kind == "plug" else car if event.kind in {"lose", "find"} else None
        elif event.at < window[1] and event.kind in {"plug", "unplug"}:
            return None
    return car
