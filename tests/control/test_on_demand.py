"""Limits on demand: somebody lets a circuit carry less than it is rated for, for now."""

from dataclasses import replace

import pytest

from custom_components.pv_load_manager.control import (
    CircuitConfig,
    Mode,
    Override,
    begin_override,
    safe_currents,
)

from .house import House, house


def garage(*, metered: bool = True, root_metered: bool = True, mode: Mode = Mode.FAST) -> House:
    """Return a house with one charger on the house connection ("a") and two in a garage ("b", "c")."""
    home = house("a", "b", "c", fuse=50.0, mode=mode, metered=root_metered)
    circuit = CircuitConfig(circuit_id="garage", parent_id="root", limit_a=40.0, metered=metered)
    home.config = replace(home.config, circuits=(*home.config.circuits, circuit))
    for key in "bc":
        home.charger(key, circuit_id="garage")
    home.run(60)
    return home


def demand(home: House, **limits: float | None) -> None:
    """Set what circuits may carry for now, in A."""
    circuits = tuple(
        replace(circuit, demand_limit_a=limits[circuit.circuit_id]) if circuit.circuit_id in limits else circuit
        for circuit in home.config.circuits
    )
    home.config = replace(home.config, circuits=circuits)


@pytest.mark.parametrize("metered", [True, False])
def test_circuit(metered: bool) -> None:
    """Only those below it give way, at once; its name and limit are in the reason; afterwards all is as before."""
    home = garage(metered=metered)
    assert {home.allocated(key) for key in "abc"} == {16}
    demand(home, garage=20.0)
    home.step()
    assert home.allocated("b") + home.allocated("c") == 20
    assert home.allocated("a") == 16
    assert home.reason("b") == "limited_on_demand"
    assert home.explanation("b").circuit_id == "garage"
    assert home.explanation("b").numbers["limit_a"] == 20.0
    demand(home, garage=None)
    home.run(60)
    assert {home.allocated(key) for key in "abc"} == {16}


@pytest.mark.parametrize("metered", [True, False])
def test_house_connection(metered: bool) -> None:
    """On the house connection it counts for all; where that is measured, the rest of the house is in it."""
    home = garage(root_metered=metered)
    demand(home, root=30.0)
    home.run(20)
    assert sum(home.allocated(key) for key in "abc") == 30
    assert home.reason("a") == "limited_on_demand"
    assert home.explanation("a").circuit_id == "root"
    home.load_a = (10.0, 10.0, 10.0)
    home.run(20)
    total = sum(home.allocated(key) for key in "abc")
    assert total == (20 if metered else 30)


@pytest.mark.parametrize("metered", [True, False])
@pytest.mark.parametrize("circuit", ["root", "garage"])
def test_zero_is_nothing(circuit: str, metered: bool) -> None:
    """0 = nobody below it charges, and each says which circuit."""
    home = garage(metered=metered, root_metered=metered)
    demand(home, **{circuit: 0.0})
    home.step()
    below = "abc" if circuit == "root" else "bc"
    for key in "abc":
        assert home.allocated(key) == (0 if key in below else 16)
    for key in below:
        assert home.reason(key) == "waiting_on_demand"
        assert home.explanation(key).circuit_id == circuit
        assert (home.explanation(key).numbers["limit_a"], home.explanation(key).numbers["needed_a"]) == (0.0, 6)


def test_too_little_for_any_car() -> None:
    """Below 6 A nobody charges, and it is said how much there is and how much is needed."""
    home = garage()
    demand(home, garage=5.0)
    home.run(10)
    assert home.allocated("b") == home.allocated("c") == 0
    assert home.reason("b") == "waiting_on_demand"
    assert home.explanation("b").numbers["room_a"] == 5.0


def test_rating_and_reserve_stay() -> None:
    """A limit above what the circuit carries anyway changes nothing, and is no reason."""
    home = garage()
    circuits = tuple(
        replace(circuit, limit_a=20.0, safety_margin=0.1, demand_limit_a=19.0)
        if circuit.circuit_id == "garage"
        else circuit
        for circuit in home.config.circuits
    )
    home.config = replace(home.config, circuits=circuits)
    home.run(20)
    assert home.allocated("b") + home.allocated("c") == 18
    assert home.reason("b") == "limited_by_circuit"


def test_limit_of_power_is_named_as_such() -> None:
    """Where the circuit's power binds, not its current, nobody speaks of a demand."""
    home = garage()
    circuits = tuple(
        replace(circuit, limit_w=14000.0, demand_limit_a=38.0) if circuit.circuit_id == "garage" else circuit
        for circuit in home.config.circuits
    )
    home.config = replace(home.config, circuits=circuits)
    home.run(20)
    assert home.allocated("b") + home.allocated("c") == 20
    assert home.reason("b") == "limited_by_circuit"


def test_export_does_not_lift_it() -> None:
    """The room that the sun makes is not more than what is allowed."""
    home = house("a", "b", fuse=50.0, mode=Mode.FAST)
    home.surplus_w = lambda _: 20000.0
    home.run(30)
    demand(home, root=18.0)
    home.run(30)
    assert home.allocated("a") + home.allocated("b") == 18


def test_dead_meter() -> None:
    """The fallback current is not more than what is allowed either."""
    home = house("a", "b", fuse=50.0, mode=Mode.FAST)
    home.config = replace(home.config, circuits=(replace(home.config.circuits[0], fallback_a=20.0),))
    home.run(30)
    demand(home, root=12.0)
    home.meter_alive = False
    home.run(200)
    assert home.allocated("a") + home.allocated("b") == 12


def test_override_below_it() -> None:
    """An override does not lift it."""
    home = garage(mode=Mode.PV)
    home.state = begin_override(home.state, "b", Override(current_a=16))
    home.run(30)
    assert home.allocated("b") == 16
    demand(home, garage=9.0)
    home.step()
    assert home.allocated("b") == 9
    assert home.reason("b") == "limited_on_demand"


def test_current_without_home_assistant_is_not_changed() -> None:
    """What the chargers may draw alone goes by the ratings: nobody could take a demand back then."""
    home = garage()
    before = safe_currents(home.config)
    demand(home, root=8.0, garage=0.0)
    assert safe_currents(home.config) == before
    home.step()
    assert {key: plan.safe_current_a for key, plan in home.plan.chargers.items()} == before
