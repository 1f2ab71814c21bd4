"""Nobody starves: whatever cars hang on whatever too small circuits, each has its turn."""

from dataclasses import replace
from math import ceil

from hypothesis import Phase, given, settings, strategies as st

from custom_components.pv_load_manager.control import (
    ROOT_CIRCUIT,
    ChargerConfig,
    CircuitConfig,
    Mode,
    PhasePolicy,
)

from .house import Car, House, house
from .trees import ROTATIONS, checked

SLOT = 120.0
HANDOVER = 30.0
"""s in which the one that gives way is seen to have stopped and the other one is set to its phases."""
HOURS = 16 * int(SLOT)
"""s of a story: as many slots as four hours have of the usual length."""


@st.composite
def crowds(draw: st.DrawFn) -> tuple[House, int]:
    """Draw a house with too many cars, and how many of them can always charge side by side."""
    places = draw(st.integers(1, 2))
    count = draw(st.integers(places + 1, 3 * places))
    floors = [draw(st.sampled_from([6, 6, 8])) for _ in range(count)]
    largest = max(floors)
    fuse = largest * places + draw(st.sampled_from([0.0, 0.7, 3.9]))
    home = house(*"abcdef"[:count], fuse=fuse, mode=Mode.FAST)
    garage = CircuitConfig(
        circuit_id="garage", parent_id=ROOT_CIRCUIT, limit_a=largest * places + 0.3, metered=draw(st.booleans())
    )
    chargers = []
    for key, least in zip(home.cars, floors, strict=True):
        wires = draw(st.sampled_from(ROTATIONS))
        rotation = (wires[0] + 1, wires[1] + 1, wires[2] + 1)
        chargers.append(
            ChargerConfig(
                charger_id=key,
                circuit_id=draw(st.sampled_from([ROOT_CIRCUIT, "garage"])),
                rotation=rotation if draw(st.booleans()) else None,
                phase_policy=draw(st.sampled_from(PhasePolicy)),
                min_current_a=least,
            )
        )
        home.cars[key] = Car(phases=draw(st.sampled_from([1, 1, 2, 3])), rotation=rotation)
    home.config = replace(
        home.config,
        circuits=(*home.config.circuits, garage),
        chargers=tuple(chargers),
        timings=replace(home.config.timings, rotation_slot=SLOT, welcome=draw(st.sampled_from([0.0, 40.0]))),
    )
    return home, places


@settings(checked(12), phases=(Phase.explicit, Phase.generate))  # to shrink a story takes minutes
@given(crowds(), st.integers(0, 200))
def test_everybody_has_a_turn(crowd: tuple[House, int], later: int) -> None:
    """Every ready car is served again and again, and none waits longer than the turns of the others take."""
    home, places = crowd
    limits = {circuit.circuit_id: circuit.limit_a for circuit in home.config.circuits}
    home.cars["a"].plugged = False
    waiting = dict.fromkeys(home.cars, 0)
    charged = dict.fromkeys(home.cars, 0.0)
    longest = max(2, ceil(len(home.cars) / places) - 1) * SLOT + HANDOVER

    def look() -> None:
        for circuit_id, limit in limits.items():
            assert max(home.chargers_a(circuit_id)) <= limit + 0.05
        for key, car in home.cars.items():
            waiting[key] = 0 if home.allocated(key) or not car.plugged else waiting[key] + 1
            charged[key] += sum(car.currents)
            assert waiting[key] <= longest, (key, home.now, home.plan.chargers)

    home.run(later, each=look)
    home.cars["a"].plugged = True
    home.run(HOURS - later, each=look)
    assert all(charged.values())
