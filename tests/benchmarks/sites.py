"""Small sites to look at closely."""

from benchmarks.plant import BoxModel, CarModel, CircuitModel, Event, Make, Plant, Site, Three

ROOT = CircuitModel(limit_a=63.0, metered=True, interval_s=1)


def plug(key: str, car: CarModel, at: int = 1) -> Event:
    """Return the arrival of a car."""
    return Event(at=at, key=key, kind="plug", car=car)


def site(
    *boxes: BoxModel, events: tuple[Event, ...] = (), circuits: tuple[CircuitModel, ...] = (ROOT,), seconds: int = 60
) -> Site:
    """Return a site with these chargers."""
    return Site(circuits=circuits, boxes=boxes, events=events, seconds=seconds)


def plant(*boxes: BoxModel, events: tuple[Event, ...] = (), make: Make | None = None) -> Plant:
    """Return a plant on one metered circuit."""
    return Plant(site(*boxes, events=events), make or Make())


def run(plant: Plant, seconds: int) -> None:
    """Let time pass."""
    for _ in range(seconds):
        plant.step()


def even(amps: float) -> Three:
    """Return the same current on all phases."""
    return (amps, amps, amps)
