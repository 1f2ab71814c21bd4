"""Sharing by example, and the fairness of whole amps; test_trees.py proves the exact shares on random circuits."""

from hypothesis import given, strategies as st
import pytest

from custom_components.pv_load_manager.control.allocation import SURPLUS_BOUND, Claim, Kind, allocate

from .trees import checked

LINES = [(0,), (1,), (2,), (0, 1), (0, 1, 2)]
WIDE = (32.0, 32.0, 32.0)


def claim(key: str, kind: Kind = Kind.FAST, **more: object) -> Claim:
    """Build a claim of a three-phase charger under three limits: the phases of one connection."""
    values: dict[str, object] = {"floor_a": 6, "cap_a": 16, "phases": 3, "lines": (0, 1, 2)}
    if kind in {Kind.FAST, Kind.UNTOUCHED}:
        values["used_w"] = 0.0  # the surplus that is shared is already without what these draw
    values |= more
    lines = values["lines"]
    values.setdefault("bounds", lines)
    return Claim(charger_id=key, kind=kind, watts_per_amp=230.0 * len(lines), **values)  # type: ignore[arg-type]


def shares(
    claims: list[Claim],
    room: tuple[float, ...],
    surplus_w: float | None = None,
    lasting: tuple[float, ...] | None = None,
) -> dict[str, int]:
    """Return what everybody gets."""
    found = allocate(claims, room, surplus_w, lasting)
    return {item.charger_id: amps for item, amps in zip(claims, found.amps, strict=True)}


@st.composite
def claims_and_room(draw: st.DrawFn) -> tuple[list[Claim], tuple[float, ...]]:
    """Draw a few fast claims and the room of three phases."""
    claims = [
        claim(
            key,
            floor_a=draw(st.integers(6, 10)),
            cap_a=draw(st.integers(5, 16)),
            lines=draw(st.sampled_from(LINES)),
            present_a=draw(st.sampled_from([0, 6, 10, 16])),
        )
        for key in "abcd"[: draw(st.integers(1, 4))]
    ]
    room = st.floats(0.0, 45.0)
    return claims, (draw(room), draw(room), draw(room))


def within(given_a: dict[str, int], claims: list[Claim], room_a: tuple[float, ...]) -> bool:
    """Return whether what is given fits in the room of every phase."""
    return all(
        sum(given_a[item.charger_id] for item in claims if line in item.lines) <= room_a[line] + 1e-6
        for line in range(3)
    )


@checked(300)
@given(claims_and_room())
def test_an_amp_is_only_missing_where_others_have_no_more(found: tuple[list[Claim], tuple[float, ...]]) -> None:
    """Whole amps stay fair: nobody can get one more, neither from free room nor from one who has two amps more."""
    claims, room_a = found
    given_a = shares(claims, room_a)
    for poor in claims:
        key = poor.charger_id
        if not 0 < given_a[key] < poor.cap_a:
            continue
        more = given_a | {key: given_a[key] + 1}
        assert not within(more, claims, room_a)
        for rich in claims:
            other = rich.charger_id
            if given_a[other] >= given_a[key] + 2 and given_a[other] > rich.floor_a:
                assert not within(more | {other: given_a[other] - 1}, claims, room_a)


def test_with_room_for_one_minimum_the_first_in_line_has_it() -> None:
    """The order of the claims decides, not who runs: whoever ranks them puts the running ones first."""
    assert shares([claim("a"), claim("b", present_a=6)], (10.0, 10.0, 10.0)) == {"a": 10, "b": 0}
    assert shares([claim("b", present_a=6), claim("a")], (10.0, 10.0, 10.0)) == {"a": 0, "b": 10}


def test_who_does_not_fit_is_passed_over() -> None:
    """A claim that needs more than there is does not keep the next one from charging."""
    claims = [claim("a"), claim("b", floor_a=10), claim("c")]
    assert shares(claims, (13.0, 13.0, 13.0)) == {"a": 7, "b": 0, "c": 6}


def test_nobody_gives_way_for_one_that_could_not_begin() -> None:
    """Room that is there only now keeps those that charge; a waiting one starts on what lasts."""
    claims = [claim("a"), claim("b", present_a=8)]
    assert shares(claims, (10.0, 10.0, 10.0), lasting=(4.0, 10.0, 10.0)) == {"a": 0, "b": 10}
    assert shares(claims, (20.0, 20.0, 20.0), lasting=(12.0, 12.0, 12.0)) == {"a": 10, "b": 10}
    assert shares(claims[::-1], (20.0, 20.0, 20.0), lasting=(11.9, 12.0, 12.0)) == {"a": 0, "b": 16}


def test_room_of_one_phase_binds_only_those_on_it() -> None:
    """Cars on different phases do not share; a three-phase car is bound by its fullest phase."""
    claims = [claim("a", lines=(0,)), claim("b", lines=(1,)), claim("c")]
    assert shares(claims, (14.0, 32.0, 32.0)) == {"a": 7, "b": 16, "c": 7}


def test_a_limit_of_power_is_shared_in_amps() -> None:
    """6.9 kW for one car on one phase and one on three: 7.5 A each; both halves together are 2 A on one phase."""
    claims = [claim("a", lines=(0,), power_bounds=(3,)), claim("b", power_bounds=(3,))]
    assert shares(claims, (*WIDE, 6900.0)) == {"a": 9, "b": 7}


def test_what_a_car_draws_beyond_its_current_is_not_shared_again() -> None:
    """One that takes 2.3 A more than it may leaves that much less, also for its own minimum."""
    claims = [claim("a", excess_a=2.3), claim("b")]
    assert shares(claims, (16.0, 16.0, 16.0)) == {"a": 7, "b": 6}
    assert shares(claims[:1], (8.2, 8.2, 8.2)) == {"a": 0}


def test_what_a_car_cannot_use_goes_to_others_first_and_is_allowed_to_it_last() -> None:
    """First the demands; what nobody can use is allowed to the one that does not ask for it."""
    claims = [claim("a", demand_a=7), claim("b")]
    assert shares(claims, (20.0, 20.0, 20.0)) == {"a": 7, "b": 13}
    assert shares(claims, (30.0, 30.0, 30.0)) == {"a": 14, "b": 16}


def test_a_car_that_takes_nothing_is_offered_its_minimum_last() -> None:
    """A sleeping car gets a place only beside all that the others can use, but before what they cannot."""
    claims = [claim("a", idle=True), claim("b")]
    assert shares(claims, (20.0, 20.0, 20.0)) == {"a": 0, "b": 16}
    assert shares(claims, (23.0, 23.0, 23.0)) == {"a": 7, "b": 16}
    assert shares([claims[0], claim("b", demand_a=9)], (20.0, 20.0, 20.0)) == {"a": 10, "b": 10}


def test_a_higher_priority_is_raised_first_and_the_lower_one_keeps_its_minimum() -> None:
    """All above the minimums goes to the one that counts more, of the room as of the sun."""
    claims = [claim("a"), claim("b", priority=1)]
    assert shares(claims, (20.0, 20.0, 20.0)) == {"a": 6, "b": 14}
    sunny = [claim("a", Kind.SURPLUS, lines=(0,)), claim("b", Kind.SURPLUS, lines=(1,), priority=1)]
    assert shares(sunny, WIDE, 20 * 230.0) == {"a": 6, "b": 14}


def test_what_is_guaranteed_needs_no_surplus_but_only_the_floor_has_to_fit() -> None:
    """Min+pv takes its guaranteed current without sun, and less of it where the circuit has less."""
    wish = claim("a", Kind.GUARANTEED, guaranteed_a=12)
    assert shares([wish], WIDE, 0.0) == {"a": 12}
    assert shares([wish], (8.0, 32.0, 32.0)) == {"a": 8}
    assert shares([wish], (5.0, 32.0, 32.0), 9000.0) == {"a": 0}


def test_the_guarantee_takes_from_the_surplus_before_the_others_share() -> None:
    """A pv car gets what the guaranteed current leaves of the sun."""
    claims = [
        claim("a", Kind.GUARANTEED, guaranteed_a=10, lines=(0,)),
        claim("b", Kind.SURPLUS, lines=(1,)),
    ]
    assert shares(claims, WIDE, 18 * 230.0) == {"a": 10, "b": 8}


def test_pv_cars_share_the_sun_in_watts() -> None:
    """Three phases at 6 A are already more than one phase can take: the rest is for the car on one phase."""
    claims = [claim("a", Kind.SURPLUS, cap_a=32), claim("b", Kind.SURPLUS, lines=(0,), cap_a=32)]
    assert shares(claims, (64.0, 32.0, 32.0), 20 * 230.0 + 18 * 230.0) == {"a": 6, "b": 20}
    assert shares(claims, (64.0, 32.0, 32.0), 30 * 230.0 + 30 * 230.0) == {"a": 10, "b": 30}


def test_sun_that_a_circuit_keeps_from_one_car_goes_to_the_other() -> None:
    """The half that one may not draw is not sold."""
    claims = [claim("a", Kind.SURPLUS, lines=(0,)), claim("b", Kind.SURPLUS, lines=(1,))]
    assert shares(claims, (8.0, 32.0, 32.0), 22 * 230.0) == {"a": 8, "b": 14}


def test_while_the_surplus_is_not_known_nobody_gets_more_than_a_minimum_of_it() -> None:
    """Without any idea of the sun pv waits at its minimum, min+pv at its guarantee."""
    claims = [claim("a", Kind.SURPLUS), claim("b", Kind.GUARANTEED, guaranteed_a=8)]
    assert shares(claims, WIDE) == {"a": 6, "b": 8}


@pytest.mark.parametrize(("missing_w", "expected"), [(0.0, 10), (50.0, 10), (60.0, 9)])
def test_an_amp_that_is_there_goes_only_when_a_quarter_of_it_is_missing(missing_w: float, expected: int) -> None:
    """Noise around a whole amp does not toggle the current."""
    wish = claim("a", Kind.SURPLUS, lines=(0,), present_a=10)
    assert shares([wish], WIDE, 2300.0 - missing_w) == {"a": expected}


def test_an_amp_that_is_not_there_is_not_given_on_credit() -> None:
    """The quarter of an amp is only for those that have the current already."""
    assert shares([claim("a", Kind.SURPLUS, lines=(0,), present_a=9)], WIDE, 2290.0) == {"a": 9}


def test_a_full_car_takes_nothing_of_the_surplus() -> None:
    """Its minimum is offered, but the sun goes to the other car."""
    claims = [claim("a", Kind.SURPLUS, lines=(0,), cap_a=6, used_w=0.0), claim("b", Kind.SURPLUS, lines=(1,))]
    assert shares(claims, WIDE, 2300.0) == {"a": 6, "b": 10}


def test_a_cap_below_the_minimum_gives_nothing() -> None:
    """A cable for less than the minimum current cannot be used, whatever the room."""
    assert shares([claim("a", floor_a=10, cap_a=8)], WIDE) == {"a": 0}


def test_who_could_not_begin_hears_which_limit_does_not_last() -> None:
    """There is room now on every phase, but on the first it was not there for long enough."""
    found = allocate([claim("a")], WIDE, None, (4.0, 32.0, 32.0))
    assert (found.amps, found.bounds) == ((0,), (0,))


def test_everybody_hears_what_binds() -> None:
    """The fullest phase, the sun, or nothing but its own cap."""
    claims = [claim("a"), claim("b", Kind.SURPLUS, lines=(1,)), claim("c", lines=(2,))]
    found = allocate(claims, (9.0, 32.0, 32.0), 8 * 230.0)
    assert found.amps == (9, 8, 16)
    assert found.bounds == (0, SURPLUS_BOUND, None)
