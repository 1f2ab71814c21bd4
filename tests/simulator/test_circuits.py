"""Circuits: what flows through them, and for how long it is too much."""

from itertools import pairwise
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from simulator import (
    HOUSE_CONNECTION,
    BatteryConfig,
    CarConfig,
    ChargerConfig,
    CircuitConfig,
    Home,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PvConfig,
)

_DARK = PvConfig(constant_w=0)
_EMPTY = HouseConfig(constant_w=0)


def _home(*circuits: CircuitConfig, **values: Any) -> Home:
    defaults: dict[str, Any] = {"pv": _DARK, "house": _EMPTY, "chargers": (), "voltage_drop": 0.0}
    return Home(HomeConfig(circuits=circuits, **defaults | values))


def _charger(number: int, circuit: str | None, **values: Any) -> ChargerConfig:
    return ChargerConfig(serial=str(10_000_001 + number), mode=3, circuit=circuit, **values)


def test_currents_add_up_along_the_tree() -> None:
    """A circuit carries its chargers, its own load and everything below it, on the right grid phases."""
    home = _home(
        CircuitConfig(name="row", parent="garage", limit_a=32),
        CircuitConfig(name="garage", limit_a=63, load_a=(1, 2, 3), load_w=(230, 0, 0)),
        chargers=(
            _charger(0, "row", rotation=(2, 3, 1), car=CarConfig(phases=1)),
            _charger(1, "garage", amp=10),
            _charger(2, None, amp=6, car=CarConfig(phases=2)),
        ),
    )
    home.step(30)
    assert home.circuits["row"].currents == pytest.approx((0, 16, 0))
    assert home.circuits["garage"].currents == pytest.approx((12, 28, 13))
    assert home.circuits[HOUSE_CONNECTION].currents == pytest.approx((18, 34, 13))
    assert home.circuits["garage"].power_w == pytest.approx(53 * 230)
    assert home.flow.grid_currents == pytest.approx(home.circuits[HOUSE_CONNECTION].currents)
    assert [charger.config.serial for charger in home.chargers_on("row")] == ["10000001"]
    assert list(home.circuits) == [HOUSE_CONNECTION, "garage", "row"]


def test_loads_change_at_run_time() -> None:
    """The load of a circuit may change while the home runs, and the grid meter sees it at once."""
    home = _home(CircuitConfig(name="garage"))
    assert home.step(1).grid_w == 0
    home.circuits["garage"].load_a = (5, 0, 0)
    home.circuits["garage"].load_w = (0, 460, 0)
    assert home.step(1).grid == pytest.approx((5 * 230, 460, 0))
    assert home.circuits["garage"].currents == pytest.approx((5, 2, 0))
    assert home.flow.house_w == pytest.approx(5 * 230 + 460)


def test_the_household_may_be_behind_circuits() -> None:
    """A circuit carries its share of the household; together it stays the same household."""
    home = _home(
        CircuitConfig(name="flat", house_share=0.75),
        house=HouseConfig(constant_w=2300, shares=(1, 0, 0)),
    )
    home.step(1)
    assert home.circuits["flat"].currents == pytest.approx((7.5, 0, 0))
    assert home.flow.grid_currents == pytest.approx((10, 0, 0))


def test_a_circuit_may_export() -> None:
    """The currents of a circuit with the inverter on it are negative, and still warm its fuse."""
    home = _home(
        CircuitConfig(name="barn", limit_a=8),
        pv=PvConfig(constant_w=6900),
        inverter=InverterConfig(circuit="barn"),
    )
    home.step(10)
    assert home.circuits["barn"].currents == pytest.approx((-10, -10, -10))
    assert home.circuits["barn"].over_s == pytest.approx([10, 10, 10])
    assert home.flow.grid_w == pytest.approx(-6900)


def test_time_above_the_limit_is_counted() -> None:
    """Every phase of every limited circuit counts s and A*s above its limit; the limit itself is fine."""
    home = _home(CircuitConfig(name="garage", limit_a=10, load_a=(10, 9.9, 14)), main_fuse_a=12.0)
    home.step(5)
    garage, root = home.circuits["garage"], home.circuits[HOUSE_CONNECTION]
    assert garage.over_s == pytest.approx([0, 0, 5])
    assert garage.over_as == pytest.approx([0, 0, 20])
    assert garage.peak_a == pytest.approx(14)
    assert root.over_as == pytest.approx([0, 0, 10])
    garage.load_a = (11, 0, 0)
    home.step(2)
    assert garage.over_s == pytest.approx([2, 0, 5])
    garage.reset()
    assert garage.over_s == garage.over_as == [0, 0, 0]
    assert garage.peak_a == 0
    assert root.over_s == pytest.approx([0, 0, 5])


def test_without_a_limit_nothing_is_counted() -> None:
    """A circuit without a limit is never above it; without a meter there is nothing to read."""
    home = _home(CircuitConfig(name="garage", load_a=(500, 0, 0), metered=False), CircuitConfig(name="shed"))
    home.step(5)
    assert home.circuits["garage"].over_s == [0, 0, 0]
    assert home.circuits["garage"].meter is None
    assert home.circuits["shed"].meter == (0, 0, 0)


@pytest.mark.parametrize(
    ("circuits", "values", "text"),
    [
        ([CircuitConfig(name="a", parent="b"), CircuitConfig(name="b", parent="a")], {}, "in a loop: a, b"),
        ([CircuitConfig(name="a", parent="a")], {}, "in a loop: a"),
        ([CircuitConfig(name="a", parent="x")], {}, "circuit a has an unknown parent: x"),
        ([CircuitConfig(name="a"), CircuitConfig(name="a")], {}, "more than one circuit is called a"),
        ([CircuitConfig(name=HOUSE_CONNECTION)], {}, "needs a name other than 'house'"),
        ([CircuitConfig(name="")], {}, "needs a name"),
        ([CircuitConfig(name="a", limit_a=0)], {}, "limit of circuit a is not above 0 A"),
        ([], {"main_fuse_a": -1.0}, "limit of circuit house is not above 0 A"),
        ([CircuitConfig(name="a", house_share=0.6), CircuitConfig(name="b", house_share=0.6)], {}, "shares"),
        ([], {"chargers": (_charger(0, "x"),)}, "a charger is on an unknown circuit: x"),
        ([], {"inverter": InverterConfig(circuit="x")}, "the inverter is on an unknown circuit: x"),
        ([CircuitConfig(name="a", load_w=(0, 1, 0))], {"phases": 1}, "L1 only"),
    ],
)
def test_circuits_that_cannot_be(circuits: list[CircuitConfig], values: dict[str, Any], text: str) -> None:
    """A mistake in the circuits is refused at construction and named."""
    with pytest.raises(ValueError, match=text):
        _home(*circuits, **values)


@settings(max_examples=25, deadline=None)
@given(
    parents=st.lists(st.integers(0, 9), min_size=1, max_size=9),
    places=st.lists(st.tuples(st.integers(0, 9), st.permutations((1, 2, 3)), st.integers(1, 3)), max_size=6),
    load=st.tuples(*[st.floats(-20, 20)] * 3),
    battery=st.booleans(),
)
def test_any_tree_is_balanced(
    parents: list[int],
    places: list[tuple[int, list[int], int]],
    load: tuple[float, float, float],
    battery: bool,
) -> None:
    """Whatever the tree and wherever the chargers are, every circuit is the sum of what is on it."""
    names = [None, *(f"c{number}" for number in range(len(parents)))]
    # A circuit's parent is one that was named before it, so there is no loop.
    circuits = [
        CircuitConfig(name=f"c{number}", parent=names[parent % (number + 1)], load_a=load, house_share=0.1)
        for number, parent in enumerate(parents)
    ]
    chargers = tuple(
        _charger(
            number,
            names[place % len(names)],
            rotation=(rotation[0], rotation[1], rotation[2]),
            car=CarConfig(phases=phases, start_delay_s=0),
        )
        for number, (place, rotation, phases) in enumerate(places)
    )
    home = _home(
        *reversed(circuits),
        chargers=chargers,
        pv=PvConfig(),
        house=HouseConfig(),
        battery=BatteryConfig() if battery else None,
    )
    flow = home.step(8)
    assert home.circuits[HOUSE_CONNECTION].watts == pytest.approx(flow.grid, abs=1e-6)
    assert home.circuits[HOUSE_CONNECTION].currents == pytest.approx(flow.grid_currents, abs=1e-6)
    for circuit in home.circuits.values():
        if circuit.name == HOUSE_CONNECTION:
            continue
        below = [other for other in home.circuits.values() if other.parent is circuit]
        for phase in range(3):
            cars = sum(
                charger.voltages[own] * charger.currents[own]
                for charger in home.chargers_on(circuit.name)
                for own in range(3)
                if charger.config.rotation[own] == phase + 1
            )
            own_w = load[phase] * 230
            household = 0.1 * (flow.house[phase] - len(circuits) * own_w)
            expected = cars + own_w + household + sum(other.watts[phase] for other in below)
            assert circuit.watts[phase] == pytest.approx(expected, abs=1e-6)


def test_128_chargers_of_mixed_kinds() -> None:
    """The physics of many chargers on many circuits: all charge, and the sums are right at every level."""
    circuits = [CircuitConfig(name="garage", limit_a=400)]
    circuits += [CircuitConfig(name=f"row {row}", parent="garage", limit_a=100) for row in range(8)]
    rotations = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2))
    chargers = tuple(
        _charger(
            number,
            f"row {number % 8}",
            rotation=rotations[number % 4],
            wired_phases=1 if number % 5 == 0 else 3,
            car=CarConfig(phases=1 + number % 3, max_current=6 + number % 11),
        )
        for number in range(128)
    )
    home = _home(*circuits, chargers=chargers, main_fuse_a=500.0)
    home.step(30)
    assert all(charger.power_w > 0 for charger in home.chargers)
    for charger in home.chargers:
        config = charger.config
        assert config.car is not None
        used = min(config.wired_phases, config.car.phases)
        assert charger.currents == pytest.approx([config.car.max_current] * used + [0] * (3 - used))
    rows = [home.circuits[f"row {row}"] for row in range(8)]
    for phase in range(3):
        total = sum(row.currents[phase] for row in rows)
        assert home.circuits["garage"].currents[phase] == pytest.approx(total)
        assert home.flow.grid_currents[phase] == pytest.approx(total)
    assert sum(row.power_w for row in rows) == pytest.approx(home.flow.cars_w)
    over = [phase > 0 for phase in home.circuits["garage"].over_s]
    assert over == [current > 400 for current in home.circuits["garage"].currents]


def test_a_deep_chain() -> None:
    """There may be any number of levels."""
    names = [f"c{level}" for level in range(300)]
    links = [CircuitConfig(name=below, parent=above) for above, below in pairwise(names)]
    home = _home(*reversed(links), CircuitConfig(name=names[0]))
    home.circuits[names[-1]].load_a = (1, 0, 0)
    home.step(0.5)
    assert all(circuit.currents[0] == pytest.approx(1) for circuit in home.circuits.values())
