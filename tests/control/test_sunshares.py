"""The shares of the surplus against a brute-force filling that adds watt after watt."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control.sunshares import Part, shares

EXAMPLES = settings(max_examples=150, deadline=None, database=None, derandomize=True)
GRAIN = 4.0  # W; how finely the brute force fills

whole = st.integers(0, 12).map(lambda value: value * 230.0)
surpluses = st.integers(-20, 200).map(lambda value: value * 115.0)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """Draw what one charger takes: nothing yet, or from its least to its most."""
    least = draw(whole)
    return Part(draw(st.integers(0, 2)), least, least + draw(whole))


def filled(members: list[Part], budget: float) -> list[float]:
    """Fill from the least up to the most, always the one that has the least, a grain at a time."""
    given_w = [part.least_w for part in members]
    left = budget - sum(given_w)
    while left > 0.0:
        open_ones = [index for index, part in enumerate(members) if given_w[index] < part.most_w]
        if not open_ones:
            break
        lowest = min(open_ones, key=lambda index: given_w[index])
        step = min(GRAIN, left, members[lowest].most_w - given_w[lowest])
        given_w[lowest] += step
        left -= step
    return given_w


def without_limit(members: list[Part], index: int, budget: float) -> float:
    """Return what a member would have if it had neither a least nor a most power; the others stay as they are."""
    least = sum(part.least_w for part in members)
    if budget < least:
        return budget - least + min(members[index].least_w, without_limit(members, index, least))
    free = [Part(0, 0.0, 1e9) if other == index else part for other, part in enumerate(members)]
    return filled(free, budget)[index]


@EXAMPLES
@given(st.integers(0, 3), whole, whole, surpluses)
def test_a_single_charger_has_the_whole_surplus(priority: int, least: float, more: float, surplus: float) -> None:
    """Whatever it takes at present."""
    assert shares([Part(priority, least, least + more)], surplus) == [pytest.approx(surplus)]


@EXAMPLES
@given(
    st.lists(parts(), min_size=1, max_size=4).map(lambda members: [part._replace(priority=0) for part in members]),
    surpluses,
)
def test_equals_share_like_water(members: list[Part], surplus: float) -> None:
    """Each share is what the brute force gives one that knows no limits, beside the others with theirs."""
    found = shares(members, surplus)
    for index, share in enumerate(found):
        assert share == pytest.approx(without_limit(members, index, surplus), abs=GRAIN * len(members) + 0.01)


@EXAMPLES
@given(st.lists(parts(), min_size=1, max_size=5), surpluses)
def test_shares_within_the_limits_never_give_more_than_there_is(members: list[Part], surplus: float) -> None:
    """What the chargers can really take of their shares adds up to the surplus at most, above their least powers."""
    found = shares(members, surplus)
    taken = [min(part.most_w, max(part.least_w, share)) for part, share in zip(members, found, strict=True)]
    assert sum(taken) <= max(surplus, sum(part.least_w for part in members)) + 0.01


def test_sun_for_all_is_not_less_than_sun_for_nearly_all() -> None:
    """A one-phase car beside a three-phase car does not lose half its share when one watt more is there."""
    cars = [Part(0, 1380.0, 3680.0), Part(0, 4140.0, 11040.0)]
    assert shares(cars, 14719.0)[0] == pytest.approx(7359.5, abs=1.0)
    assert shares(cars, 14721.0)[0] == pytest.approx(7360.5, abs=1.0)


@EXAMPLES
@given(st.lists(parts(), min_size=1, max_size=5), surpluses, st.integers(1, 20).map(lambda value: value * 115.0))
def test_more_sun_is_less_for_nobody(members: list[Part], surplus: float, more: float) -> None:
    """Each share rises with the surplus."""
    before, after = shares(members, surplus), shares(members, surplus + more)
    assert all(one <= two + 0.01 for one, two in zip(before, after, strict=True))


@EXAMPLES
@given(st.lists(parts(), min_size=2, max_size=5), surpluses, st.integers(0, 4), st.integers(0, 4))
def test_the_order_of_the_chargers_does_not_matter(members: list[Part], surplus: float, one: int, two: int) -> None:
    """Two that change places change their shares."""
    one, two = one % len(members), two % len(members)
    changed = list(members)
    changed[one], changed[two] = changed[two], changed[one]
    before, after = shares(members, surplus), shares(changed, surplus)
    before[one], before[two] = before[two], before[one]
    assert after == pytest.approx(before, abs=0.01)


@EXAMPLES
@given(st.lists(parts(), min_size=2, max_size=5), surpluses)
def test_equal_chargers_have_equal_shares(members: list[Part], surplus: float) -> None:
    """Nobody is first among those of one priority."""
    found = shares([*members, members[0]], surplus)
    assert found[-1] == pytest.approx(found[0], abs=0.01)


def test_the_higher_priority_takes_what_it_can_and_leaves_the_others_their_least() -> None:
    """Of 8 kW the first may have all but the 1,380 W with which the second runs; the second has what is left."""
    first, second = shares([Part(1, 1380.0, 3680.0), Part(0, 1380.0, 3680.0)], 8000.0)
    assert first == pytest.approx(8000.0 - 1380.0)
    assert second == pytest.approx(8000.0 - 3680.0)


def test_a_lower_priority_that_is_off_gets_only_what_is_left() -> None:
    """4 kW: the first can take 11 kW, so there is nothing for one that does not charge yet."""
    first, second = shares([Part(1, 4140.0, 11040.0), Part(0, 0.0, 3680.0)], 4000.0)
    assert first == pytest.approx(4000.0)
    assert second <= 0.0


def test_too_little_for_all_is_missing_for_each() -> None:
    """Two at 1,380 W and 2 kW: each lacks 760 W if the other goes on."""
    assert shares([Part(0, 1380.0, 3680.0), Part(0, 1380.0, 3680.0)], 2000.0) == [
        pytest.approx(620.0),
        pytest.approx(620.0),
    ]


def test_nobody_and_nothing() -> None:
    """No chargers have no shares."""
    assert shares([], 5000.0) == []
