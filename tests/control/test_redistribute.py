"""To distribute anew at once: what is forgotten, and which waits stay."""

from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import Mode, PhasePolicy, Reason, redistribute

from .house import House, house
from .test_turns import scaled


def anew(home: House) -> None:
    """Let a person ask for it."""
    home.state = redistribute(home.state)


def test_nothing_to_redistribute() -> None:
    """Where everybody has what he can get nothing moves, and what is forgotten is learned again."""
    home = house("a", "b", fuse=32.0, mode=Mode.FAST)
    home.run(120)
    before = home.commands("a"), home.commands("b")
    anew(home)
    home.run(60)
    assert (home.commands("a"), home.commands("b")) == before
    assert not home.state.anew


def test_what_a_car_needs_is_found_out_again() -> None:
    """A car that could take more now has its part at once, and the others get it back when it does not."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    home.cars["a"].maximum_a = 7.0
    home.run(200)
    assert (home.allocated("a"), home.allocated("b")) == (10, 10)
    assert home.state.chargers["a"].demand_a == 10
    home.cars["b"].maximum_a = 6.0
    home.run(100)
    assert home.state.chargers["b"].demand_a == 9
    anew(home)
    home.step()
    assert [home.state.chargers[key].demand_a for key in "ab"] == [None, None]
    home.run(100)
    assert home.state.chargers["b"].demand_a == 9


@pytest.mark.parametrize(("surplus", "charges"), [(2500.0, True), (1000.0, False)])
def test_nobody_waits_for_a_cloud(surplus: float, *, charges: bool) -> None:
    """With sun for it a waiting car begins at once, and with too little one that charges stops or goes on as before."""
    home = house(mode=Mode.PV, surplus_w=lambda _now: surplus)
    home.state = replace(home.state, chargers={})
    home.run(3)
    anew(home)
    home.run(2)
    assert bool(home.allocated()) is charges


def test_a_cloud_that_would_have_been_waited_for() -> None:
    """A car that would have stopped after the filter's window stops at once."""
    sun = [4000.0]
    home = house(mode=Mode.PV, surplus_w=lambda _now: sun[0])
    home.charger(phase_policy=PhasePolicy.ONE)
    home.run(300)
    assert home.allocated() > 6
    sun[0] = -1000.0
    home.run(30)
    assert home.reason() == Reason.STOP_DELAY
    anew(home)
    home.step()
    assert home.allocated() == 0
    assert home.reason() == Reason.WAITING_FOR_SURPLUS


def test_the_turns_begin_anew() -> None:
    """Where not all fit, whoever got less so far has the next turn without waiting for the end of the slot."""
    home = scaled(house("a", "b", fuse=10.0, mode=Mode.FAST), rotation_slot=100_000.0, welcome=0.0)
    home.cars["b"].plugged = False
    home.run(600)
    home.cars["b"].plugged = True
    home.run(600)
    assert (home.allocated("a"), home.allocated("b")) == (10, 0)
    anew(home)
    home.run(30)
    assert (home.allocated("a"), home.allocated("b")) == (0, 10)


def test_a_pause_after_stops_by_the_fuse_stays() -> None:
    """What protects contactors is not forgotten, whoever asks."""
    home = house(fuse=16.0, mode=Mode.FAST)
    home.run(60)
    for _ in range(3):
        home.load_a = (14.0, 14.0, 14.0)
        home.run(30)
        home.load_a = (0.0, 0.0, 0.0)
        home.run(60)
    assert home.reason() == Reason.FUSE_PAUSE
    stops = home.state.chargers["a"].fuse_stops
    assert len(stops) >= 2
    anew(home)
    home.run(10)
    assert home.reason() == Reason.FUSE_PAUSE
    assert home.state.chargers["a"].fuse_stops == stops


def test_the_dwell_time_of_phases_stays() -> None:
    """A charger that has just changed its phases is not switched again because somebody asks."""
    sun = [2500.0]
    home = house(mode=Mode.PV, surplus_w=lambda _now: sun[0])
    home.run(300)
    assert home.state.chargers["a"].command is not None
    assert home.state.chargers["a"].command.phases == 1
    sun[0] = 9000.0
    home.run(60)
    anew(home)
    home.run(5)
    switches = home.switches()
    assert switches == 1
    sun[0] = 2500.0
    home.run(60)
    anew(home)
    home.run(10)
    assert home.switches() == switches
    assert home.state.chargers["a"].command.charge
