"""The check of the meter: what it learns in a calm house, and that it never says what is wrong in any other."""

from dataclasses import replace
import itertools

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control.findings import CheckResult, Findings, Outcome, Sign, conclude
from custom_components.pv_load_manager.control.meter_check import CheckTimings, Heard, MeterCheck
from custom_components.pv_load_manager.control.model import CarState, ChargerReading, GridReading

from .meter_check_house import Noise, Played, nothing, quiet

ROTATIONS = list(itertools.permutations((1, 2, 3)))
SIGNS = [(1, 1, 1), (-1, -1, -1), (1, -1, 1), (-1, 1, 1), (1, 1, -1)]


def learned(result: CheckResult) -> Findings:
    """Return what was learned."""
    assert result.outcome is Outcome.LEARNED
    assert result.findings is not None
    return result.findings


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_one_phase_shows_the_wiring(rotation: tuple[int, int, int]) -> None:
    """The phase of a one-phase car is that of the charger's L1; the others follow where the order is the usual one."""
    found = learned(Played(car_phases=1, rotation=rotation).run())
    assert found.rotation == (rotation[0], None, None)
    assert found.likely_rotation is not None
    assert found.likely_rotation[0] == rotation[0]
    assert found.likely_rotation in {(1, 2, 3), (2, 3, 1), (3, 1, 2)}
    assert found.fits(rotation)
    assert not found.fits((rotation[1], rotation[0], rotation[2]))
    assert found.sign is Sign.RIGHT
    assert found.missing == 0


def test_two_and_three_phases() -> None:
    """Two phases show which one is not used; three show nothing of the wiring, and every wiring fits."""
    two = learned(Played(car_phases=2, rotation=(3, 1, 2)).run())
    assert two.lines == (1, 0, 1)
    assert two.rotation == (None, None, None)
    assert two.likely_rotation == (3, 1, 2)
    assert not two.fits((1, 2, 3))
    three = learned(Played(car_phases=3, rotation=(3, 1, 2)).run())
    assert three.lines == (1, 1, 1)
    assert three.likely_rotation is None
    assert three.fits((1, 2, 3))


@pytest.mark.parametrize(
    ("signs", "car_phases", "sign"),
    [((-1, -1, -1), 3, Sign.TURNED), ((1, -1, 1), 3, Sign.MIXED), ((1, -1, 1), 1, Sign.RIGHT)],
)
def test_sign(signs: tuple[int, int, int], car_phases: int, sign: Sign) -> None:
    """The sign is that of the phases that the car uses."""
    found = learned(Played(signs=signs, car_phases=car_phases).run())
    assert found.sign is sign
    assert found.lines == tuple(way if line < car_phases else 0 for line, way in enumerate(signs))


def test_a_phase_without_transformer() -> None:
    """A phase of the car that the meter does not see is missing."""
    found = learned(Played(signs=(1, 0, 1)).run())
    assert found.missing == 1
    assert found.lines == (1, 0, 1)
    assert found.sign is Sign.RIGHT
    assert found.fits((2, 1, 3))


@pytest.mark.parametrize("lag", [0.0, 0.75, 3.0, 10.0])
@pytest.mark.parametrize("pace", [1.0, 4.0, 10.0])
def test_dead_time_and_cadence(lag: float, pace: float) -> None:
    """Both are found, and the doubt about the dead time is told."""
    played = Played(lag=lag, pace=pace)
    found = learned(played.run())
    assert found.cadence_s == pytest.approx(pace)
    assert found.dead_time_s == pytest.approx(lag, abs=found.dead_time_within_s + 0.25)
    assert found.dead_time_within_s <= max(1.0, pace / 2)
    assert played.lasted <= 116


def test_a_charger_that_is_slower_than_the_meter() -> None:
    """A meter cannot know before the charger: the dead time is 0 then."""
    found = learned(Played(lag=0.0, charger_pace=4.0).run())
    assert found.dead_time_s <= 0.5


def test_what_the_meter_does_not_see() -> None:
    """A meter that does not move with the car, or shows nothing else, is told apart."""
    assert Played(sees_car=False).run().outcome is Outcome.CAR_NOT_SEEN
    assert Played(sees_car=False, house=nothing).run().outcome is Outcome.CAR_NOT_SEEN
    alone = Played(house=nothing).run()
    assert alone.outcome is Outcome.HOUSE_NOT_SEEN
    assert alone.findings is not None
    assert alone.findings.sign is Sign.RIGHT
    assert Played(house=lambda _at: (0.0, 0.0, 1.0)).run().outcome is Outcome.LEARNED


def test_a_car_that_may_hide_behind_a_lag() -> None:
    """That the car is not seen is said only where that is so at every lag that the meter may have."""
    house = Noise(seed=4, per_minute=3.0, load_a=6.0, ripple_a=0.1)
    assert Played(sees_car=False, house=house).run().outcome is Outcome.TOO_NOISY


def test_total_power() -> None:
    """A meter of the total power tells the sign and the times, and nothing of phases."""
    found = learned(Played(knows_phases=False, signs=(-1, -1, -1), car_phases=1).run())
    assert found.sign is Sign.TURNED
    assert found.lines == (None, None, None)
    assert found.likely_rotation is None
    assert found.dead_time_s == pytest.approx(1.5, abs=0.5)


@pytest.mark.parametrize("knows_phases", [True, False])
@pytest.mark.parametrize("car_phases", [1, 3])
def test_house_with_one_phase(car_phases: int, *, knows_phases: bool) -> None:
    """There the meter sees everything on its one phase."""
    found = learned(Played(phases=1, car_phases=car_phases, knows_phases=knows_phases).run())
    assert found.lines == (1, None, None)
    assert found.likely_rotation is None
    assert found.fits((2, 3, 1))


def test_currents_stay_within_what_is_possible() -> None:
    """Only the two levels are asked for, both within what charger and car allow."""
    played = Played(most_a=10, car_phases=1)
    learned(played.run())
    assert set(played.asked) == {6, 10}
    assert MeterCheck.begin(0.0, low_a=10, most_a=32, site_phases=3).high_a == 20
    assert MeterCheck.begin(0.0, low_a=6, most_a=8, site_phases=3).failure is Outcome.NO_ROOM


def test_no_room() -> None:
    """Where a limit leaves less than 3 A nothing is tried; where the car takes less, either."""
    assert Played(room_a=8.0).run().outcome is Outcome.NO_ROOM
    assert Played(car_most_a=8.0).run().outcome is Outcome.CAR_TAKES_LITTLE
    assert Played(car_most_a=0.0).run().outcome is Outcome.CAR_IDLE
    assert learned(Played(room_a=10.0).run()).step_a == pytest.approx(4.0)


def test_a_limit_that_comes_and_goes() -> None:
    """A current that is refused for a while costs a step, not the answer."""
    played = Played(car_phases=1, rotation=(2, 3, 1), allowed=lambda at: 6.0 if 30 < at < 62 else 16.0)
    assert learned(played.run()).rotation[0] == 2
    assert played.lasted <= 116


def test_other_things_that_move() -> None:
    """A battery that balances the car, or another charger that moves, forbids every conclusion."""
    assert Played(battery_gain=1.0).run().outcome is Outcome.BATTERY
    assert Played(battery_gain=0.5).run().outcome is Outcome.BATTERY
    busy = Played(others=lambda _at, amps: 11000.0 - 690 * amps)
    assert busy.run().outcome is Outcome.OTHER_CHARGER
    assert Played(others=lambda at, _amps: 5000.0 + 100 * (at % 3)).run().outcome is Outcome.LEARNED


@pytest.mark.parametrize("after", [10.0, 60.0])
def test_losses(after: float) -> None:
    """A charger or a car that is lost ends the check at once."""
    gone = Played(disturb=lambda at, reading: replace(reading, online=at < after))
    assert gone.run().outcome is Outcome.CHARGER_LOST
    assert gone.lasted == pytest.approx(after, abs=1.5)
    left = Played(disturb=lambda at, reading: reading if at < after else replace(reading, car=CarState.NO_CAR))
    assert left.run().outcome is Outcome.CAR_LEFT
    unknown = Played(disturb=lambda at, reading: reading if at < after else None)
    assert unknown.run().outcome is Outcome.CHARGER_LOST


def test_held_charger() -> None:
    """A charger that is not allowed to charge has no room."""
    held = Played(car_most_a=0.0, disturb=lambda _at, reading: replace(reading, holding=True))
    assert held.run().outcome is Outcome.NO_ROOM


def test_meter_that_says_too_little() -> None:
    """A meter that is silent ends the check, one that speaks twice a minute teaches nothing."""
    silent = Played(pace=1000.0)
    assert silent.run().outcome is Outcome.METER_SILENT
    assert silent.lasted == pytest.approx(30, abs=1)
    assert Played(pace=25.0).run().outcome is Outcome.METER_SLOW
    check = MeterCheck.begin(0.0, low_a=6, most_a=16, site_phases=3)
    charger = ChargerReading(at=0.0, car=CarState.CHARGING)
    assert check.after(Heard(charger=charger, grid=None), 29.0).failure is None
    assert check.after(Heard(charger=charger, grid=None), 31.0).failure is Outcome.METER_SILENT
    old = GridReading(at=-20.0, power_w=0.0)
    assert check.after(Heard(charger=charger, grid=old), 29.0).failure is None


def test_a_car_that_changes_its_phases() -> None:
    """When the number of phases changes the levels before count no more, and there may be too few left."""

    def early(at: float, reading: ChargerReading) -> ChargerReading:
        return reading if at < 20 else replace(reading, currents_a=(reading.currents_a[0], 0.0, 0.0), power_w=None)

    def often(at: float, reading: ChargerReading) -> ChargerReading:
        return reading if at // 20 % 2 else replace(reading, currents_a=(reading.currents_a[0], 0.0, 0.0))

    played = Played(disturb=early, car_phases=3)
    assert played.run().outcome is not Outcome.LEARNED  # the meter of this house goes on to see three
    assert played.check.record.levels[0].begin > 16
    assert Played(disturb=often).run().outcome is not Outcome.LEARNED


def test_it_is_over_in_time() -> None:
    """The progress grows to 1, nothing happens after the end, and a car that never follows ends it, too."""
    played = Played(allowed=lambda _at: 16.0 if _at < 20 else 6.0)
    assert played.run().outcome in {Outcome.TOO_NOISY, Outcome.METER_SLOW}
    assert played.lasted == pytest.approx(115, abs=1)
    assert played.check.progress(200.0) == 1.0
    assert played.check.after(Heard(charger=None, grid=None), 300.0) is played.check
    fresh = MeterCheck.begin(0.0, low_a=6, most_a=16, site_phases=3)
    assert fresh.steps == 6
    assert fresh.progress(0.0) == 0.0
    assert 0.4 < fresh.progress(57.0) < 0.6


def test_too_little_was_heard() -> None:
    """Where the car was never steady, or a phase was not heard, nothing is concluded."""
    played = Played()
    played.run()
    record = played.check.record
    assert conclude(replace(record, levels=()), site_phases=3, lags=(-3.0, 12.0)).outcome is Outcome.TOO_NOISY
    assert conclude(replace(record, grid=()), site_phases=3, lags=(-3.0, 12.0)).outcome is Outcome.METER_SLOW
    short = replace(record, levels=record.levels[:3])
    assert conclude(short, site_phases=3, lags=(-3.0, 12.0)).outcome is Outcome.TOO_NOISY
    mute = tuple(replace(reading, power_w=None, currents_a=(None, None, None)) for reading in record.grid)
    assert conclude(replace(record, grid=mute), site_phases=3, lags=(-3.0, 12.0)).outcome is Outcome.TOO_NOISY


def test_own_times() -> None:
    """Times are an argument."""
    played = Played()
    timings = CheckTimings(longest=10.0)
    check = MeterCheck.begin(0.0, low_a=6, most_a=16, site_phases=3, timings=timings)
    assert check.timings.longest == 10.0
    assert played.run().outcome is Outcome.LEARNED


houses = st.builds(
    Noise,
    seed=st.integers(0, 100_000),
    per_minute=st.sampled_from([0.0, 1.0, 3.0, 8.0, 20.0]),
    load_a=st.floats(0.5, 14.0),
    ripple_a=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)
cases = st.builds(
    Played,
    house=houses,
    rotation=st.sampled_from(ROTATIONS),
    car_phases=st.integers(1, 3),
    signs=st.sampled_from(SIGNS),
    lag=st.floats(0.0, 10.0),
    pace=st.floats(1.0, 10.0),
    sees_car=st.booleans(),
    ramp_a=st.sampled_from([1.0, 2.0, 16.0]),
    charger_pace=st.sampled_from([0.5, 1.0, 2.0]),
)


@settings(max_examples=60, deadline=None)
@given(cases)
def test_never_sure_and_wrong(played: Played) -> None:
    """Whatever the house does: what is said about phases and signs is true, and otherwise nothing is said."""
    result = played.run()
    assert played.lasted <= 116
    if result.outcome is Outcome.CAR_NOT_SEEN:
        assert not played.sees_car
    assert result.outcome is not Outcome.HOUSE_NOT_SEEN
    if result.findings is None:
        return
    found = result.findings
    assert played.sees_car
    used = played.rotation[: played.car_phases]
    assert found.lines == tuple(way if line in used else 0 for line, way in enumerate(played.signs, start=1))
    assert found.missing == 0
    assert found.fits(played.rotation)
    assert found.dead_time_s == pytest.approx(played.lag, abs=max(1.0, found.dead_time_within_s + 0.5))


@settings(max_examples=30, deadline=None)
@given(cases, st.integers(0, 1000), st.floats(1.0, 8.0))
def test_an_answer_in_a_calm_house(played: Played, seed: int, pace: float) -> None:
    """With a few small loads only the check always has an answer."""
    played.house = Noise(seed=seed, per_minute=1.0, load_a=1.5, ripple_a=0.05)
    played.pace = pace
    expected = Outcome.LEARNED if played.sees_car else Outcome.CAR_NOT_SEEN
    assert played.run().outcome is expected


def test_a_quiet_house_is_the_same_for_everybody() -> None:
    """The houses of these tests are what they say."""
    assert Noise(seed=1, per_minute=0.0, load_a=1.0, ripple_a=0.0)(17.0) == quiet(17.0)
