"""The sun beside circuits, guarantees, batteries and restarts: what one of them forbids is for the others."""

from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import CircuitConfig, ControlState, Mode, Reason, law
from custom_components.pv_load_manager.control.model import ChargerMode
from custom_components.pv_load_manager.control.sunshares import Part, shares

from .house import House, house
from .test_stories import only_one_phase


def behind_a_full_circuit(sun_w: float) -> House:
    """Return a house whose charger "a" hangs on a circuit that other loads fill, and "b" on the house connection."""
    home = house("a", "b", fuse=63.0, mode=Mode.PV, surplus_w=lambda _: sun_w + 3 * 14.0 * 230.0)
    root = home.config.circuits[0]
    sub = CircuitConfig(circuit_id="sub", parent_id=root.circuit_id, limit_a=16.0, metered=True)
    home.config = replace(home.config, circuits=(root, sub))
    home.charger("a", circuit_id="sub")
    home.circuit_load_a = {"sub": (14.0, 14.0, 14.0)}
    return home


def test_a_car_that_its_circuit_keeps_from_starting_takes_no_sun_from_another_one() -> None:
    """The circuit of one car is full: the other one charges on, and gets all of the sun."""
    home = behind_a_full_circuit(2000.0)
    home.cars["a"].plugged = False
    home.run(600)
    assert home.allocated("b") == 9
    home.cars["a"].plugged = True
    given: list[int] = []
    home.run(1200, each=lambda: given.append(home.allocated("b")))
    assert min(given) == 9
    assert home.allocated("a") == 0
    assert home.reason("a") in {Reason.WAITING_FOR_CIRCUIT, Reason.WAITING_FOR_TURN_PV}


def test_beside_a_car_that_cannot_start_the_other_one_goes_to_three_phases() -> None:
    """A share for nobody would leave half of the sun to the grid."""
    home = behind_a_full_circuit(8000.0)
    home.run(1800)
    assert home.cars["b"].set_phases == 3
    assert home.allocated("b") in {11, 12}


def test_a_battery_that_gives_leaves_no_hidden_sun() -> None:
    """In the evening the battery feeds the house, the grid is at its limit of 0 W: no car is tried on the battery."""
    home = house(mode=Mode.PV, fuse=63.0, pv_w=lambda _: 500.0, house_w=lambda _: 1500.0, feed_in_w=0.0)
    home.config = replace(home.config, has_battery=True, export_limit_w=0.0)
    home.battery_w, home.battery_limit_w = 0.0, 5000.0
    home.run(3600)
    assert home.starts() == 0


def test_nobody_is_held_above_his_guarantee_by_the_budget_of_switches() -> None:
    """Without any switch left a car on three phases goes back to its 1,380 W all the same when the sun sets."""
    sun = [8000.0]
    home = house(mode=Mode.MIN_PV, fuse=63.0, surplus_w=lambda _: sun[0])
    home.set(phase_switches_per_day=0)
    home.run(1200)
    assert home.cars["a"].set_phases == 3
    sun[0] = -300.0
    home.run(3600)
    assert home.cars["a"].set_phases == 1
    assert home.allocated() == 6


def test_a_guarantee_takes_the_sun_before_a_pv_car_of_higher_priority() -> None:
    """1,500 W are enough for one: the guaranteed car has them, the other one waits although it is more important."""
    home = house("a", "b", fuse=63.0, mode=Mode.PV, surplus_w=lambda _: 1500.0)
    only_one_phase(home)
    home.charger("a", priority=1)
    home.charger("b", mode=ChargerMode.MIN_PV)
    home.run(1800)
    assert home.allocated("b") == 6
    assert home.allocated("a") == 0


def test_a_restart_before_the_charger_is_heard_forgets_nothing() -> None:
    """After a restart the house is decided on before the first charger has spoken; what it was about to do is kept."""
    sun = [2500.0]
    home = house(mode=Mode.PV, surplus_w=lambda _: sun[0])
    only_one_phase(home)
    home.run(300)
    sun[0] = 900.0
    home.run(60)
    before = home.state.chargers["a"].regrets
    assert before[law.OFF] > 0.0
    car = home.cars.pop("a")
    home.restart()
    home.run(5)
    assert home.state.chargers["a"].regrets == before
    home.cars["a"] = car
    home.run(2)
    assert home.state.chargers["a"].regrets[law.OFF] >= before[law.OFF]
    assert home.allocated() > 0


def test_a_long_restart_stops_no_car_before_the_meter_had_its_chance() -> None:
    """What was saved is old when Home Assistant was away for five minutes: that is no silent meter yet."""
    home = house(mode=Mode.PV, metered=False, surplus_w=lambda _: 2500.0)
    only_one_phase(home)
    home.run(300)
    saved = home.state.as_dict(home.now)
    home.now += 300.0
    home.state = ControlState.from_dict(saved, home.now, away=300.0)
    home.meter_alive = False
    home.grid = None
    home.run(100)
    assert home.allocated() > 0
    home.run(40)
    assert home.allocated() == 0


def test_choices_that_cost_the_same_never_change() -> None:
    """The dust of arithmetic is no alternative in a hundred million years."""
    costs = [0.0, -3680.0, -3680.0000000000005]
    verdict = law.weigh(law.ONE, (0.0, 0.0, 1.0), costs, (92.0, 0.0, 115.0), law.Wear(set_to=law.ONE), seconds=1.0)
    assert verdict.next is None
    assert verdict.seconds is None


@pytest.mark.parametrize(("weight", "charges"), [(1.2, True), (6.0, False)])
def test_dear_power_from_the_grid_stops_earlier(weight: float, *, charges: bool) -> None:
    """900 W of sun and 480 W from the grid: worth it where both cost nearly the same, not where the grid is dear."""
    sun = [2500.0]
    home = house(mode=Mode.PV, surplus_w=lambda _: sun[0])
    only_one_phase(home)
    home.set(grid_weight=weight)
    home.run(200)
    sun[0] = 900.0
    home.run(900)
    assert (home.allocated() > 0) is charges


def test_solar_only_ends_a_small_import_within_about_the_window() -> None:
    """20 W from the grid for the minimum are too many where nothing may come from it."""
    sun = [1500.0]
    home = house(mode=Mode.PV, surplus_w=lambda _: sun[0])
    only_one_phase(home)
    home.set(solar_only=True)
    home.run(300)
    assert home.allocated() == 6
    sun[0] = 1360.0
    home.run(400)
    assert home.allocated() == 0


@pytest.mark.parametrize("count", [2, 50])
def test_shares_of_cars_with_their_own_voltages_are_nearly_the_same(count: int) -> None:
    """A few volts more are a few watts more, not another place in the sun."""
    parts = [Part(0, 1380.0 + 5.0 * index, 11040.0 + 40.0 * index) for index in range(count)]
    found = shares(parts, 3000.0 * count)
    assert max(found) - min(found) < 1.0
    assert found[0] == pytest.approx(3000.0)
