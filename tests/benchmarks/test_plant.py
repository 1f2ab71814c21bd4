"""The plant does what it says: delays, ramps, phases, meters."""

import pytest

from benchmarks.plant import BoxModel, CarModel, CarSays, CircuitModel, Event, Make, Order, Plant

from .sites import even, plant, plug, run, site

QUICK = CarModel(start_delay_s=0.0)


def test_command_needs_its_dead_time_and_the_car_its_delay_and_ramp() -> None:
    """From the order to the full current passes what charger and car need, no less."""
    home = plant(BoxModel(key="a", dead_s=3), events=(plug("a", CarModel(start_delay_s=10.0, ramp_up_a=4.0)),))
    run(home, 1)
    home.command({"a": Order(charge=True, amps=16.0)})
    box, drawn = home.boxes["a"], []
    for _ in range(18):
        run(home, 1)
        drawn.append(box.drawn_a)
    assert drawn[:12] == [0.0] * 12
    assert drawn[12:16] == [4.0, 8.0, 12.0, 16.0]
    assert home.seen.boxes["a"].car is CarSays.CHARGING


def test_stop_ramps_down_and_counts_one_opening() -> None:
    """A car that must stop leaves as fast as it can, and its contactor has opened once."""
    home = plant(BoxModel(key="a"), events=(plug("a", QUICK),))
    run(home, 1)
    home.command({"a": Order(charge=True, amps=16.0)})
    run(home, 10)
    home.command({"a": Order(charge=False)})
    run(home, 1)
    assert home.boxes["a"].drawn_a == 8.0
    run(home, 1)
    assert home.boxes["a"].drawn_a == 0.0
    assert home.boxes["a"].openings == 1


def test_rotation_and_phases_of_the_car_decide_what_the_grid_sees() -> None:
    """A car of two phases loads the two grid phases that the charger's first two are wired to."""
    box = BoxModel(key="a", rotation=(3, 1, 2))
    home = plant(box, events=(plug("a", CarModel(phases=2, start_delay_s=0.0)),))
    run(home, 1)
    home.command({"a": Order(charge=True, amps=10.0)})
    run(home, 10)
    assert home.totals[0] == (10.0, 0.0, 10.0)
    assert home.seen.boxes["a"].currents_a == (10.0, 10.0, 0.0)


def test_tree_sums_and_the_meter_is_late() -> None:
    """A circuit's current counts in its parent, and a meter tells what flowed a little earlier."""
    circuits = (
        CircuitModel(limit_a=63.0, metered=True, interval_s=4, lag_s=2, load=((0, even(1.0)), (7, even(5.0)))),
        CircuitModel(circuit_id="b", parent_id="root", limit_a=32.0, load=((0, even(2.0)),)),
    )
    home = Plant(site(BoxModel(key="a", circuit_id="b"), circuits=circuits), Make())
    run(home, 8)
    assert home.totals == [even(7.0), even(2.0)]
    assert home.seen.meters["root"].currents_a == even(3.0)
    run(home, 3)
    assert home.seen.meters["root"].at == home.now - 3
    run(home, 1)
    assert home.seen.meters["root"].currents_a == even(7.0)
    assert "b" not in home.seen.meters


def test_car_tapers_and_is_full() -> None:
    """A nearly full car takes less and less, then says complete; it gets no more than it missed."""
    home = plant(BoxModel(key="a"), events=(plug("a", CarModel(energy_wh=400.0, taper_wh=300.0, start_delay_s=0.0)),))
    run(home, 1)
    home.command({"a": Order(charge=True, amps=16.0)})
    run(home, 60)
    assert home.boxes["a"].drawn_a < 16.0
    run(home, 600)
    assert home.seen.boxes["a"].car is CarSays.COMPLETE
    assert not home.boxes["a"].ready
    assert 350.0 < home.boxes["a"].energy_wh < 401.0


@pytest.mark.parametrize("forgets", [True, False])
def test_some_chargers_forget_their_hold_at_unplugging(*, forgets: bool) -> None:
    """Only then the next car starts by itself."""
    events = (
        plug("a", QUICK, at=1),
        Event(at=3, key="a", kind="unplug"),
        plug("a", QUICK, at=5),
    )
    home = plant(BoxModel(key="a"), events=events, make=Make(forgets_hold=forgets))
    run(home, 10)
    assert (home.boxes["a"].drawn_a > 0.0) is forgets


def test_lost_charger_keeps_its_command_and_says_nothing() -> None:
    """Nobody hears what is said to it, it goes on, and one with a watchdog stops by itself."""
    events = (plug("a", QUICK), Event(at=20, key="a", kind="lose"), Event(at=80, key="a", kind="find"))
    for watchdog, going_on in ((float("inf"), True), (30.0, False)):
        home = plant(BoxModel(key="a"), events=events, make=Make(watchdog_s=watchdog))
        run(home, 1)
        home.command({"a": Order(charge=True, amps=10.0)})
        run(home, 20)
        home.command({"a": Order(charge=True, amps=6.0)})
        run(home, 40)
        view = home.seen.boxes["a"]
        assert not view.online
        assert view.at == home.now - 42
        assert view.currents_a == even(10.0)
        assert home.boxes["a"].drawn_a == (10.0 if going_on else 0.0)
        run(home, 20)
        assert home.seen.boxes["a"].online
        assert home.seen.boxes["a"].currents_a == even(10.0 if going_on else 0.0)


def test_switch_of_phases_interrupts_the_car() -> None:
    """It draws nothing in the pause, then on the new number of phases."""
    home = plant(BoxModel(key="a", pause_s=5), events=(plug("a", QUICK),))
    run(home, 1)
    home.command({"a": Order(charge=True, amps=10.0)})
    run(home, 10)
    home.command({"a": Order(charge=True, amps=10.0, phases=1)})
    run(home, 2)
    assert home.seen.boxes["a"].switching
    assert home.totals[0] == even(0.0)
    run(home, 10)
    assert home.totals[0] == (10.0, 0.0, 0.0)
