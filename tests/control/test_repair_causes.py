"""What a repair is raised for, besides the errors of a configuration: pure, without Home Assistant."""

from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import (
    ChargerConfig,
    ChargerReading,
    CircuitConfig,
    Configuration,
    Snapshot,
)
from custom_components.pv_load_manager.coordinators.misfit import Misfit, misfits
from custom_components.pv_load_manager.coordinators.trips import PERIOD, Trips

HOUSE = CircuitConfig(limit_a=35)
GARDEN = CircuitConfig(circuit_id="garden", parent_id=HOUSE.circuit_id, limit_a=13.5)
SHED = CircuitConfig(circuit_id="shed", parent_id="garden", limit_a=20)


def site(*circuits: CircuitConfig, place: str, maximum: int = 16) -> Configuration:
    """Describe a house with one charger."""
    charger = ChargerConfig(charger_id="a", circuit_id=place, max_current_a=maximum)
    return Configuration(circuits=(HOUSE, *circuits), chargers=(charger,))


@pytest.mark.parametrize(
    ("place", "maximum", "expected"),
    [
        (HOUSE.circuit_id, 32, []),
        ("garden", 16, [Misfit("a", 16, "garden", 13)]),
        ("garden", 13, []),
        ("shed", 16, [Misfit("a", 16, "garden", 13)]),
        ("nowhere", 16, []),
    ],
)
def test_weakest_circuit(place: str, maximum: int, expected: list[Misfit]) -> None:
    """The weakest circuit on the way to the house connection counts; a charger without a circuit is another matter."""
    assert misfits(site(GARDEN, SHED, place=place, maximum=maximum), Snapshot()) == expected


def test_circuit_for_no_car() -> None:
    """A circuit that carries too little for any car is an error of its own: no setting of a charger mends it."""
    assert misfits(site(replace(GARDEN, limit_a=6), place="garden"), Snapshot()) == []


def test_installer_limit() -> None:
    """What the installer allows is a maximum, too; a charger that has not said it has its own setting only."""
    config = site(GARDEN, place="garden", maximum=32)
    reading = ChargerReading(at=0.0, online=True)
    assert misfits(config, Snapshot(chargers={"a": replace(reading, installer_limit_a=10)})) == []
    assert misfits(config, Snapshot(chargers={"a": replace(reading, installer_limit_a=16)})) == [
        Misfit("a", 16, "garden", 13)
    ]
    assert misfits(config, Snapshot(chargers={"a": reading})) == [Misfit("a", 32, "garden", 13)]


def test_trips_within_an_hour() -> None:
    """Three times within an hour are often; how long each lasts does not matter, nor does an hour with two."""
    trips, now = Trips(), 100.0
    for _ in range(2):
        assert not trips.follow(watched=True, expired=True, now=now)
        assert not trips.follow(watched=True, expired=True, now=now + 600)
        assert not trips.follow(watched=True, expired=False, now=now + 1000)
        now += PERIOD / 2
    assert not trips.follow(watched=True, expired=True, now=now)
    assert not trips.follow(watched=True, expired=False, now=now + 1)
    assert trips.follow(watched=True, expired=True, now=now + 2)


def often(trips: Trips) -> None:
    """Let the watchdog run out three times within five seconds."""
    for now in (0.0, 2.0, 4.0):
        told = trips.follow(watched=True, expired=True, now=now)
        trips.follow(watched=True, expired=False, now=now + 1)
    assert told


def test_quiet_hour() -> None:
    """It stays too often until an hour after the last time, and begins anew then."""
    trips = Trips()
    often(trips)
    assert trips.follow(watched=True, expired=False, now=PERIOD + 3)
    assert not trips.follow(watched=True, expired=False, now=PERIOD + 4)
    assert not trips.follow(watched=True, expired=True, now=PERIOD + 5)


def test_watchdog_off() -> None:
    """A watchdog that is off runs out no more, and what it did before is forgotten."""
    trips = Trips()
    often(trips)
    assert not trips.follow(watched=False, expired=False, now=6.0)
    assert not trips.follow(watched=True, expired=True, now=7.0)
