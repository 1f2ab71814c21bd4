"""Circuits below the house connection: every limit holds, whatever hangs where."""

from dataclasses import replace
from itertools import permutations

import pytest

from custom_components.pv_load_manager.control import (
    ChargerConfig,
    CircuitConfig,
    ConfigError,
    Mode,
    PhasePolicy,
    Reason,
    config_errors,
    safe_currents,
)

from .house import Car, House, house


def tree(home: House, circuits: tuple[CircuitConfig, ...], where: dict[str, str]) -> House:
    """Put circuits below the house connection and chargers on them."""
    home.config = replace(
        home.config,
        circuits=(home.config.circuits[0], *circuits),
        chargers=tuple(
            replace(charger, circuit_id=where.get(charger.charger_id, "root")) for charger in home.config.chargers
        ),
    )
    return home


def garage(**more: object) -> House:
    """A house of 35 A, a garage of 20 A in it, and a corner of the garage with 13 A."""
    home = house("a", "b", "c", "d", fuse=35.0, mode=Mode.FAST)
    circuits = (
        CircuitConfig(circuit_id="garage", parent_id="root", limit_a=20.0, **more),  # type: ignore[arg-type]
        CircuitConfig(circuit_id="corner", parent_id="garage", limit_a=13.0),
    )
    return tree(home, circuits, {"b": "garage", "c": "corner", "d": "corner"})


def change(home: House, key: str, **changes: object) -> None:
    """Change the configuration of one charger."""
    home.config = replace(
        home.config,
        chargers=tuple(
            replace(charger, **changes) if charger.charger_id == key else charger  # type: ignore[arg-type]
            for charger in home.config.chargers
        ),
    )


def test_every_circuit_of_the_tree_holds_at_once() -> None:
    """The corner, the garage and the house are all full, and none is over."""
    home = garage()
    home.run(100)
    assert sum(home.allocated(key) for key in "cd") == 13
    assert sum(home.allocated(key) for key in "bcd") == 20
    assert sum(home.allocated(key) for key in "abcd") == 35
    assert home.reason("c") == Reason.LIMITED_BY_CIRCUIT
    assert home.plan.chargers["c"].explanation.circuit_id == "corner"
    assert home.plan.chargers["b"].explanation.circuit_id == "garage"
    assert home.reason("a") == Reason.LIMITED_BY_FUSE


def test_a_measured_circuit_gives_way_to_its_other_loads() -> None:
    """A saw in the garage takes from the chargers in the garage, on its phase, and from nobody else."""
    home = garage(metered=True)
    home.run(100)
    home.circuit_load_a = {"garage": (8.0, 0.0, 0.0)}
    home.run(6)
    assert home.circuit_a("garage")[0] <= 20.0
    assert home.allocated("a") == 15
    home.circuit_load_a = {}
    home.run(90)
    assert sum(home.allocated(key) for key in "bcd") == 20


def test_a_stale_circuit_meter_acts_only_below_it() -> None:
    """First nobody in the garage gets more, then the fallback, and the house goes on."""
    home = garage(metered=True, fallback_a=6.0)
    home.run(100)
    before = {key: home.allocated(key) for key in "abcd"}
    home.circuit_meters = {"garage": False}
    home.run(25)
    assert {key: home.allocated(key) for key in "abcd"} == before
    assert home.reason("b") == Reason.METER_STALE
    assert home.plan.chargers["b"].explanation.circuit_id == "garage"
    home.run(15)
    assert max(home.circuit_a("garage")) <= 6.0
    assert home.allocated("a") == 16
    home.run(120)
    assert max(home.circuit_a("garage")) <= 6.0
    assert any(home.allocated(key) for key in "bcd")
    home.circuit_meters = {}
    home.run(200)
    assert sum(home.allocated(key) for key in "bcd") >= 19


def test_a_dead_circuit_meter_without_fallback_stops_its_chargers_only() -> None:
    """Without a fallback current nothing below a dead meter charges; it starts again when the meter is back."""
    home = garage(metered=True)
    home.run(100)
    home.circuit_meters = {"garage": False}
    home.run(60)
    assert [home.allocated(key) for key in "bcd"] == [0, 0, 0]
    assert home.reason("b") == Reason.METER_LOST
    assert home.allocated("a") == 16
    home.circuit_meters = {}
    home.run(60)
    assert all(home.allocated(key) for key in "bcd")


def test_a_maximum_age_of_its_own_makes_a_meter_stale_earlier_or_later() -> None:
    """The age that somebody set for a source counts, not the common one."""
    home = garage(metered=True, meter_max_age_s=25.0)
    home.run(100)
    home.circuit_meters = {"garage": False}
    home.run(20)
    assert home.reason("b") != Reason.METER_STALE
    home.run(8)
    assert home.reason("b") == Reason.METER_STALE


def test_a_limit_of_power_holds_beside_that_of_current() -> None:
    """9 kW for two cars on three phases are 13 A in all, although the current would allow 20."""
    home = house("a", "b", fuse=35.0, mode=Mode.FAST)
    tree(
        home,
        (CircuitConfig(circuit_id="garage", parent_id="root", limit_a=20.0, limit_w=9000.0),),
        {"a": "garage", "b": "garage"},
    )
    home.run(60)
    assert sum(home.allocated(key) for key in "ab") == 13
    assert home.reason("a") == Reason.LIMITED_BY_CIRCUIT


def test_an_imbalance_limit_holds_one_phase_cars_and_leaves_three_phase_cars_alone() -> None:
    """Two 32 A cars on L1 may be 20 A apart from the other phases; a three-phase car does not count."""
    home = house("a", "b", "c", fuse=63.0, mode=Mode.FAST)
    home.config = replace(home.config, circuits=(replace(home.config.circuits[0], imbalance_a=20.0),))
    for key in "ab":
        change(home, key, phase_policy=PhasePolicy.ONE, max_current_a=32)
        home.cars[key].maximum_a = 32.0
    home.run(60)
    one, two, three = home.chargers_a()
    assert max(one, two, three) - min(one, two, three) <= 20.0
    assert home.allocated("a") + home.allocated("b") == 20
    assert home.allocated("c") == 16
    assert home.reason("a") == Reason.LIMITED_BY_IMBALANCE


def test_a_charger_on_no_circuit_gets_nothing_and_says_why() -> None:
    """A circuit that was removed is no licence: its charger waits for a new one, the others go on."""
    home = garage()
    home.run(60)
    home.config = replace(home.config, circuits=home.config.circuits[:2])  # the corner is gone
    home.run(20)
    assert home.allocated("c") == home.allocated("d") == 0
    assert home.reason("c") == Reason.CONFIGURATION_ERROR
    assert home.allocated("b") == 16
    assert home.plan.errors & ConfigError.CIRCUITS
    assert safe_currents(home.config)["c"] == 0


@pytest.mark.parametrize(
    "circuits",
    [
        (
            CircuitConfig(circuit_id="x", parent_id="y", limit_a=20),
            CircuitConfig(circuit_id="y", parent_id="x", limit_a=9),
        ),
        (CircuitConfig(circuit_id="x", parent_id="nowhere", limit_a=20),),
        (CircuitConfig(circuit_id="x", parent_id="x", limit_a=20),),
        (CircuitConfig(circuit_id="x", parent_id="root", limit_a=6),),
    ],
)
def test_circuits_that_cannot_work_are_a_flag(circuits: tuple[CircuitConfig, ...]) -> None:
    """A loop, an unknown parent, or less than any car needs."""
    home = tree(house("a", mode=Mode.FAST), circuits, {"a": "x"})
    home.run(30)
    assert home.plan.errors & ConfigError.CIRCUITS
    assert home.allocated() <= 6


def test_chargers_that_cannot_work_are_a_flag() -> None:
    """A least current above the largest, one serial number twice, and load management without phase currents."""
    home = house("a", mode=Mode.FAST)
    assert config_errors(home.config) == ConfigError(0)
    change(home, "a", min_current_a=20)
    assert config_errors(home.config) == ConfigError.CURRENTS
    home.run(30)
    assert home.reason() == Reason.CONFIGURATION_ERROR
    assert home.allocated() == 0
    twice = replace(home.config, chargers=(ChargerConfig(charger_id="a"), ChargerConfig(charger_id="a")))
    assert config_errors(twice) == ConfigError.DUPLICATE_CHARGER
    static = replace(house("a", metered=False).config, dynamic=True)
    assert config_errors(static) == ConfigError.NO_PHASE_CURRENTS


def test_the_current_without_home_assistant_is_the_share_of_the_smallest_circuit() -> None:
    """Two in the corner share 13 A; the others are bound by the garage and the house."""
    assert safe_currents(garage().config) == {"a": 8, "b": 6, "c": 6, "d": 6}


@pytest.mark.parametrize("rotation", list(permutations((1, 2, 3))))
def test_an_unknown_rotation_counts_everywhere_until_it_is_learned(rotation: tuple[int, int, int]) -> None:
    """Until then no phase is exceeded wherever the car is; three starts tell which phase it is."""
    home = house("a", "b", fuse=20.0, mode=Mode.FAST)
    change(home, "a", rotation=None, phase_policy=PhasePolicy.ONE)
    home.cars["a"].rotation = rotation
    home.cars["b"].plugged = False
    home.load_a = (1.0, 2.0, 0.5)
    for _ in range(3):
        home.cars["a"].unplug()
        home.run(40)
        home.cars["a"].plugged = True
        home.run(40)
        assert max(home.total_a()) <= 20.0
    assert home.state.chargers["a"].first_line == rotation[0] - 1
    home.restart()
    home.run(40)
    others = [0.0, 0.0, 0.0]
    others[rotation[1] - 1] = 18.0
    home.load_a = (others[0], others[1], others[2])
    home.run(30)
    assert home.allocated("a") == 16  # the full phase is not its own


def test_one_contrary_observation_makes_a_learned_rotation_unknown_again() -> None:
    """An electrician may have changed the wires: in doubt the worst case counts."""
    home = house("a", fuse=20.0, mode=Mode.FAST)
    change(home, "a", rotation=None, phase_policy=PhasePolicy.ONE)
    for turn in range(4):
        home.cars["a"].rotation = (1, 2, 3) if turn < 3 else (2, 1, 3)
        home.cars["a"].unplug()
        home.run(40)
        home.cars["a"].plugged = True
        home.run(15 if turn == 3 else 40)
        if turn == 2:
            assert home.state.chargers["a"].first_line == 0
    home.run(15)
    assert home.state.chargers["a"].first_line is None


def test_a_two_phase_car_behind_an_unknown_rotation_may_be_anywhere() -> None:
    """Wherever a load comes, no phase is exceeded; one on the phase that the car leaves free takes nothing from it."""
    home = house("a", fuse=16.0, mode=Mode.FAST)
    change(home, "a", rotation=None, phase_policy=PhasePolicy.THREE)
    home.cars["a"] = Car(phases=2, rotation=(3, 1, 2))
    home.run(60)
    assert home.allocated() == 16
    for load, expected in (((0.0, 9.0, 0.0), 16), ((0.0, 9.0, 9.0), 7), ((9.0, 0.0, 0.0), 7)):
        home.load_a = load
        home.run(40)
        assert home.allocated() == expected
        assert max(home.total_a()) <= 16.0
