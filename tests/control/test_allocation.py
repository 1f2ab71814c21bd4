"""Sharing: fair to the last amp, against an independent optimiser."""

from itertools import product

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control.allocation import HYSTERESIS, Claim, Kind, allocate

LINES = [(0,), (1,), (2,), (0, 1), (0, 1, 2)]


def claim(key: str, kind: Kind = Kind.FAST, **more: object) -> Claim:
    """Build a claim of a three-phase charger."""
    values: dict[str, object] = {"floor_a": 6, "cap_a": 16, "phases": 3, "lines": (0, 1, 2)} | more
    lines = values["lines"]
    return Claim(charger_id=key, kind=kind, watts_per_amp=230.0 * len(lines), **values)  # type: ignore[arg-type]


@st.composite
def claims_and_room(draw: st.DrawFn, kinds: tuple[Kind, ...] = (Kind.FAST,)) -> tuple[list[Claim], tuple[float, ...]]:
    """Draw a few claims and the room of three phases."""
    claims = []
    for key in "abcd"[: draw(st.integers(1, 4))]:
        kind = draw(st.sampled_from(kinds))
        floor = draw(st.integers(6, 10))
        claims.append(
            claim(
                key,
                kind,
                floor_a=floor,
                cap_a=draw(st.integers(5, 16)),
                lines=draw(st.sampled_from(LINES)),
                present_a=draw(st.sampled_from([0, 6, 10, 16])),
                guaranteed_a=draw(st.integers(floor, 12)) if kind is Kind.GUARANTEED else 0,
            )
        )
    room = st.floats(0.0, 45.0)
    return claims, (draw(room), draw(room), draw(room))


def within(given_a: dict[str, int], claims: list[Claim], room_a: tuple[float, ...]) -> bool:
    """Return whether what is given fits in the room of every phase."""
    return all(
        sum(given_a[item.charger_id] for item in claims if line in item.lines) <= room_a[line] + 1e-6
        for line in range(3)
    )


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(claims_and_room(tuple(Kind)), st.one_of(st.none(), st.floats(-5000.0, 30000.0)))
def test_nobody_gets_what_is_not_there(found: tuple[list[Claim], tuple[float, ...]], surplus_w: float | None) -> None:
    """Room and surplus are never exceeded, and everybody gets nothing or something between floor and cap."""
    claims, room_a = found
    given_a = allocate(claims, room_a, surplus_w)  # type: ignore[arg-type]
    assert within(given_a, claims, room_a)
    for item in claims:
        assert given_a[item.charger_id] == 0 or item.floor_a <= given_a[item.charger_id] <= item.cap_a
    beyond = sum(
        max(0, given_a[item.charger_id] - max(item.floor_a, item.guaranteed_a)) * item.watts_per_amp
        for item in claims
        if item.kind in {Kind.GUARANTEED, Kind.SURPLUS}
    )
    if beyond:
        used = sum(given_a[item.charger_id] * item.watts_per_amp for item in claims if item.kind >= Kind.GUARANTEED)
        assert used <= (surplus_w or 0.0) + HYSTERESIS * max(item.watts_per_amp for item in claims) + 1e-3


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(claims_and_room())
def test_an_amp_is_only_missing_where_others_have_no_more(found: tuple[list[Claim], tuple[float, ...]]) -> None:
    """Max-min fair: nobody can get an amp more, neither from free room nor from one who has two amps more."""
    claims, room_a = found
    given_a = allocate(claims, room_a, None)  # type: ignore[arg-type]
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


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(claims_and_room())
def test_the_least_is_as_large_as_the_best_of_all_distributions(found: tuple[list[Claim], tuple[float, ...]]) -> None:
    """Among all whole-amp distributions to those that run, none gives the one with least more than ours does."""
    claims, room_a = found
    given_a = allocate(claims, room_a, None)  # type: ignore[arg-type]
    running = [item for item in claims if given_a[item.charger_id]][:3]
    others = {item.charger_id: given_a[item.charger_id] for item in claims if item not in running}
    if not running:
        return
    best = 0
    for amps in product(*(range(item.floor_a, item.cap_a + 1) for item in running)):
        tried = others | {item.charger_id: value for item, value in zip(running, amps, strict=True)}
        # Who is at its cap cannot have more: only the others are compared.
        open_amps = [value for item, value in zip(running, amps, strict=True) if value < item.cap_a]
        if within(tried, claims, room_a):
            best = max(best, min(open_amps, default=99))
    ours = [given_a[item.charger_id] for item in running if given_a[item.charger_id] < item.cap_a]
    assert min(ours, default=99) >= best


def test_running_chargers_keep_their_minimum_before_a_waiting_one_starts() -> None:
    """With room for one minimum the one that runs goes on."""
    claims = [claim("a"), claim("b", present_a=6)]
    assert allocate(claims, (10.0, 10.0, 10.0), None) == {"a": 0, "b": 10}


def test_room_of_one_phase_binds_only_those_on_it() -> None:
    """Cars on different phases do not share; a three-phase car is bound by its fullest phase."""
    claims = [claim("a", lines=(0,)), claim("b", lines=(1,)), claim("c")]
    assert allocate(claims, (14.0, 32.0, 32.0), None) == {"a": 7, "b": 16, "c": 7}


def test_what_is_guaranteed_needs_no_surplus_but_only_the_floor_has_to_fit() -> None:
    """Min+pv takes its guaranteed current without sun, and less of it where the circuit has less."""
    wish = claim("a", Kind.GUARANTEED, guaranteed_a=12)
    assert allocate([wish], (32.0, 32.0, 32.0), 0.0) == {"a": 12}
    assert allocate([wish], (8.0, 32.0, 32.0), None) == {"a": 8}
    assert allocate([wish], (5.0, 32.0, 32.0), 9000.0) == {"a": 0}


def test_the_guarantee_takes_from_the_surplus_before_the_others_share() -> None:
    """A pv car gets what the guaranteed current leaves of the sun."""
    claims = [
        claim("a", Kind.GUARANTEED, guaranteed_a=10, lines=(0,)),
        claim("b", Kind.SURPLUS, lines=(1,)),
    ]
    assert allocate(claims, (32.0, 32.0, 32.0), 18 * 230.0) == {"a": 10, "b": 8}


@pytest.mark.parametrize(("missing_w", "expected"), [(0.0, 10), (50.0, 10), (60.0, 9)])
def test_an_amp_that_is_there_goes_only_when_a_quarter_of_it_is_missing(missing_w: float, expected: int) -> None:
    """Noise around a whole amp does not toggle the current."""
    wish = claim("a", Kind.SURPLUS, lines=(0,), present_a=10)
    assert allocate([wish], (32.0, 32.0, 32.0), 2300.0 - missing_w) == {"a": expected}


def test_a_full_car_takes_nothing_of_the_surplus() -> None:
    """Its minimum is offered, but the sun goes to the other car."""
    claims = [claim("a", Kind.SURPLUS, lines=(0,), cap_a=6, used_w=0.0), claim("b", Kind.SURPLUS, lines=(1,))]
    assert allocate(claims, (32.0, 32.0, 32.0), 2300.0) == {"a": 6, "b": 10}


def test_a_cap_below_the_minimum_gives_nothing() -> None:
    """A cable for less than the minimum current cannot be used, whatever the room."""
    assert allocate([claim("a", floor_a=10, cap_a=8)], (32.0, 32.0, 32.0), None) == {"a": 0}
