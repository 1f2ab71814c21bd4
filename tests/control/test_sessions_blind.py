"""Charging sessions while the counters of the charger cannot be used: what they say later belongs to the right car."""

from dataclasses import replace

import pytest

from .session_watch import watched


def test_a_car_that_leaves_while_the_counters_are_away() -> None:
    """Its session is told when they are back, with all its energy and the time at which it left."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(1000.0)
    watch.charger.mute = True
    watch.charge(500.0, sources=(1.0, 0.0, 0.0))
    watch.charger.unplug()
    watch.look()
    left = watch.charger.now
    assert watch.finished == []
    watch.charger.wait(90)
    watch.charger.mute = False
    watch.look()
    (session,) = watch.finished
    assert session.energy_wh == pytest.approx(1500.0)
    assert session.ended == left
    assert session.watched
    watch.charger.wait(1)
    watch.look()
    assert len(watch.finished) == 1


@pytest.mark.parametrize("before", [4.0, 9.0, 103.0, 800.0])
@pytest.mark.parametrize("begins_at_energy", [False, True])
def test_a_car_that_begins_while_the_counters_are_away(before: float, *, begins_at_energy: bool) -> None:
    """What the session's counter still tells of the car before is not taken from its energy."""
    for comes_unseen in (False, True):
        watch = watched(begins_at_energy=begins_at_energy)
        watch.charger.plug()
        watch.look()
        watch.charge(before)
        watch.charger.unplug()
        watch.look()
        watch.charger.mute = comes_unseen
        watch.look()
        watch.charger.plug()
        watch.look()
        watch.charger.mute = True
        watch.charge(300.0)
        watch.charger.mute = False
        watch.look()
        watch.charge(755.0)
        assert watch.energies == [pytest.approx(before, abs=1.0), pytest.approx(1055.0, rel=0.003)]


@pytest.mark.parametrize("late", ["session_wh", "lifetime_wh"])
@pytest.mark.parametrize("new_car", [False, True])
def test_counters_that_come_back_one_after_the_other(late: str, *, new_car: bool) -> None:
    """What the first of them tells is not taken for a doubt of what the second tells."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(103.0)
    energies = [1055.0]
    if new_car:
        watch.charger.unplug()
        watch.look()
        watch.charger.plug()
        watch.look()
        energies = [103.0, 952.0]
    watch.charger.mute = True
    watch.charge(952.0)
    watch.charger.mute = False
    first = replace(watch.charger.counters(charging=True), **{late: None})
    watch.sessions = watch.sessions.after(first, watch.charger.now).sessions
    watch.charger.wait(0.2)
    watch.look()
    watch.charger.unplug()
    watch.look()
    assert watch.energies == [pytest.approx(energy, abs=2.0) for energy in energies]


def test_another_car_while_away_whose_counters_come_late() -> None:
    """It is told as soon as the counters are back; one that was seen to come is no news."""
    for seen_to_leave in (False, True):
        watch = watched(tells_arrival=False)
        watch.charger.plug()
        watch.look()
        watch.charge(3000.0)
        watch.charger.mute = True
        watch.look()
        watch.charger.unplug()
        if seen_to_leave:
            watch.look()
        watch.charger.plug()
        watch.charger.wait(300)
        watch.look(away=True)
        watch.charge(1000.0)
        watch.charger.mute = False
        watch.look()
        assert watch.energies == [pytest.approx(3000.0, abs=2.0), pytest.approx(1000.0, abs=2.0)]
        assert watch.changes == (not seen_to_leave)


@pytest.mark.parametrize("away", [False, True])
def test_counters_that_do_not_come_back(*, away: bool) -> None:
    """A session is told after ten minutes at last; what the counters say much later is no other car."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(1000.0)
    watch.charger.mute = True
    watch.charge(500.0)
    watch.charger.unplug()
    left = watch.charger.now
    for _ in range(60):
        watch.look()
        watch.charger.wait(20)
    assert [(session.energy_wh, session.ended) for session in watch.finished] == [(pytest.approx(1000.0), left)]
    watch.charger.mute = False
    watch.look(away=away)
    assert len(watch.finished) == 1


def test_a_car_that_stays_while_the_counters_are_away() -> None:
    """However long that takes, nothing is lost of its energy and it is no other car."""
    for minutes in (3, 120):
        watch = watched(tells_arrival=False)
        watch.charger.plug()
        watch.look()
        watch.charge(1000.0)
        watch.charger.mute = True
        watch.charge(minutes * 367.0, looks=3 * minutes)
        watch.charger.mute = False
        watch.charge(100.0)
        assert watch.energies == [pytest.approx(1100.0 + minutes * 367.0)]


def test_a_lifetime_counter_that_counts_alone() -> None:
    """The session's counter may be gone when the car leaves."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    for _ in range(5):
        watch.charger.charge(100.0)
        watch.charger.wait(20)
        watch.sessions = watch.sessions.after(
            replace(watch.charger.counters(), session_wh=None), watch.charger.now
        ).sessions
    assert watch.energies == [pytest.approx(500.0, abs=1.0)]
    watch.charge(500.0)
    assert watch.energies == [pytest.approx(1000.0, abs=2.0)]
