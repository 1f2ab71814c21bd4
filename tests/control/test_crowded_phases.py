"""Many cars beside one imbalance limit: phases are chosen with the room of the circuits in mind."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.pv_load_manager.control import Mode, PhasePolicy, Reason
from custom_components.pv_load_manager.control.crowd import Crowd

from .house import VOLTS, Car, House, house
from .test_day_stories import drawn_w
from .trees import checked

IMBALANCE_A = 20.0
CROWD = tuple(f"c{number}" for number in range(32))
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))
THREE_W = 3 * 6 * VOLTS
"""What a car needs on three phases."""


def crowded(
    sun: Callable[[float], float] | float,
    keys: Sequence[str] = CROWD,
    *,
    fuse: float = 250.0,
    imbalance_a: float | None = IMBALANCE_A,
    mode: Mode = Mode.PV,
    rotations: Sequence[tuple[int, int, int]] = ROTATIONS[:1],
    policy: PhasePolicy = PhasePolicy.AUTO,
) -> House:
    """Build a house with cars that choose their phases, by default all of them wired alike."""
    shining = sun if callable(sun) else (lambda _: float(sun))
    home = house(*keys, mode=mode, fuse=fuse, surplus_w=shining)
    home.config = replace(home.config, circuits=(replace(home.config.circuits[0], imbalance_a=imbalance_a),))
    for number, key in enumerate(keys):
        home.charger(key, phase_policy=policy, rotation=rotations[number % len(rotations)])
        home.cars[key] = Car(pause=8, wakes_in=3)
    return home


class Look:
    """Checks every circuit limit in every second, and counts how long everybody waits and what it is given."""

    def __init__(self, home: House) -> None:
        """Begin with nothing."""
        self.home = home
        self.waits = dict.fromkeys(home.cars, 0)
        self.longest = dict.fromkeys(home.cars, 0)
        self.energy_wh = dict.fromkeys(home.cars, 0.0)

    def __call__(self) -> None:
        """Look at one second."""
        home, apart = self.home, [0.0, 0.0, 0.0]
        circuit = home.config.circuits[0]
        assert max(home.chargers_a()) <= circuit.limit_a + 0.05
        for charger in home.config.chargers:
            key = charger.charger_id
            currents = home.cars[key].currents
            if currents[2] == 0.0 and charger.rotation is not None:
                apart[charger.rotation[0] - 1] += currents[0]
            self.waits[key] = 0 if home.allocated(key) else self.waits[key] + 1
            self.longest[key] = max(self.longest[key], self.waits[key])
            self.energy_wh[key] += sum(currents) * VOLTS / 3600.0
        assert circuit.imbalance_a is None or max(apart) <= circuit.imbalance_a + 0.05

    @property
    def switches(self) -> int:
        """Return how often all cars together were switched while they charged."""
        return sum(self.home.switches(key) for key in self.home.cars)


@pytest.mark.parametrize("rotations", [ROTATIONS[:1], ROTATIONS])
def test_the_sun_of_thirty_two_cars_is_used_although_few_find_a_place_on_one_phase(
    rotations: Sequence[tuple[int, int, int]],
) -> None:
    """120 kW, each part of them below three phases: who has no place on one phase takes three, and does so at once."""
    home = crowded(120_000.0, rotations=rotations)
    look = Look(home)
    home.run(90, each=look)
    assert drawn_w(home) == pytest.approx(120_000.0, abs=1000.0)
    home.run(510, each=look)
    assert drawn_w(home) == pytest.approx(120_000.0, abs=VOLTS * 3)
    assert sum(1 for key in home.cars if home.allocated(key)) >= 30
    assert look.switches <= 2
    assert sum(home.stops(key) for key in home.cars) == 0
    assert home.imported_wh() < 10.0


def test_who_finds_no_place_because_of_the_imbalance_is_told_so() -> None:
    """250 A are free: it is not the fuse that others use, but the 20 A between the phases."""
    home = crowded(120_000.0)
    home.run(600)
    waiting = [home.explanation(key) for key in home.cars if not home.allocated(key)]
    assert waiting
    for told in waiting:
        assert told.reason is Reason.WAITING_FOR_IMBALANCE
        assert told.numbers["imbalance_a"] == IMBALANCE_A
        assert told.numbers["needed_a"] == 6
        assert told.circuit_id == "root"
        assert told.next_change_at is not None
        assert told.next_change_at > home.now


def test_six_cars_under_nine_kilowatts_take_turns_in_an_hour() -> None:
    """Three on one phase and one on three is all that fits: nobody waits longer than a slot and its hand-over."""
    home = crowded(9000.0, "abcdef", fuse=63.0)
    look = Look(home)
    home.run(3600, each=look)
    assert max(look.longest.values()) <= home.config.timings.rotation_slot + 30.0
    assert min(look.energy_wh.values()) > 900.0
    assert sum(look.energy_wh.values()) > 0.93 * 9000.0
    assert look.switches == 0


@pytest.mark.parametrize("sun_w", [6000.0, 6500.0, 7000.0, 9000.0])
def test_of_two_cars_on_one_phase_one_goes_to_three_and_stays_there(sun_w: float) -> None:
    """10 A each is all that the imbalance allows them on L1; the sun that is left over is enough for three phases."""
    home = crowded(sun_w, "ab", fuse=63.0)
    look = Look(home)
    home.run(1200, each=look)
    switched = look.switches
    assert drawn_w(home) == pytest.approx(sun_w, abs=VOLTS)
    assert switched <= 1
    home.run(2400, each=look)
    assert look.switches == switched
    assert sum(home.stops(key) for key in "ab") == 0
    assert drawn_w(home) == pytest.approx(sun_w, abs=VOLTS)


def test_where_three_phases_do_not_fit_into_the_sun_two_cars_stay_on_one() -> None:
    """400 W are left over beside 10 A each: no reason to move a contactor, and the imbalance is what limits them."""
    home = crowded(5000.0, "ab", fuse=63.0)
    look = Look(home)
    home.run(1800, each=look)
    assert [home.allocated(key) for key in "ab"] == [10, 10]
    assert look.switches == 0
    assert {home.reason(key) for key in "ab"} == {Reason.LIMITED_BY_IMBALANCE}


def test_sun_that_comes_and_goes_switches_no_car_more_than_twice() -> None:
    """A slow wave around what eight cars need: inside every limit, and without a contactor that flaps."""
    home = crowded(lambda now: 24_000.0 + 6000.0 * (abs(now % 1200.0 - 600.0) / 300.0 - 1.0), CROWD[:8], fuse=63.0)
    look = Look(home)
    home.run(5400, each=look)
    assert max(home.switches(key) for key in home.cars) <= 2
    assert min(look.energy_wh.values()) > 1000.0
    assert sum(look.energy_wh.values()) - home.imported_wh() > 0.97 * 24_000.0 * 1.5


def test_with_guaranteed_power_the_sun_is_used_as_well() -> None:
    """min+pv with 1,400 W each: on one phase three fit; the others get three phases as far as there is sun for them."""
    home = crowded(60_000.0, mode=Mode.MIN_PV)
    home.set(guaranteed_power_w=1400.0)
    look = Look(home)
    home.run(900, each=look)
    assert drawn_w(home) == pytest.approx(60_000.0, abs=VOLTS * 4)


def test_a_guarantee_of_three_phases_is_kept_on_three_phases_without_sun() -> None:
    """4.2 kW are guaranteed: nobody waits for a place on one phase."""
    home = crowded(0.0, mode=Mode.MIN_PV)
    home.set(guaranteed_power_w=4200.0)
    home.run(120, each=Look(home))
    assert all(home.cars[key].set_phases == 3 and home.allocated(key) == 6 for key in CROWD[3:])


def test_thirty_two_guaranteed_cars_under_clouds_neither_stop_nor_start() -> None:
    """The sun jumps every ten seconds between nothing and all: the currents follow, nobody stops, nobody switches."""
    home = crowded(
        lambda now: 40_000.0 + 180_000.0 * (int(now / 10.0) * 7919 % 101) / 100.0,
        mode=Mode.MIN_PV,
        policy=PhasePolicy.THREE,
        rotations=ROTATIONS,
    )
    home.set(guaranteed_power_w=4200.0)
    home.run(60)
    home.run(600, each=Look(home))
    since = 1060.0
    for key in home.cars:
        assert home.starts(key, since) == home.stops(key, since) == home.switches(key, since) == 0
    assert len({home.log[at][1].chargers["c0"].allocated_a for at in range(60, 660)}) > 1


@checked(100)
@given(st.lists(st.integers(1, 32), max_size=12), st.floats(0.0, 200.0))
def test_what_one_more_could_have_is_what_the_others_leave_when_all_have_the_same(most: list[int], room: float) -> None:
    """The share is a level: nobody has more, who wants less has less, and the room is used up."""
    crowd = Crowd([room])
    for amps in most:
        crowd.join((0,), float(amps))
    level = crowd.share_a((0,), joining=(0,))
    assert level + sum(min(float(amps), level) for amps in most) == pytest.approx(room)
    inside = crowd.share_a((0,))
    assert inside >= level
    if most and inside < max(most):
        assert sum(min(float(amps), inside) for amps in most) == pytest.approx(room)
