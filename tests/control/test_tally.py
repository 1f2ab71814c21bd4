"""What is counted at a charger on a local day: nothing is lost at midnight, whatever the clock does."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
import json
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.pv_load_manager.control import Reason
from custom_components.pv_load_manager.control.causes import CAUSES, LIMITS as LIMITING
from custom_components.pv_load_manager.control.sessions import Given
from custom_components.pv_load_manager.control.tally import (
    LIMITS,
    NOTHING,
    REASONS,
    Day,
    Limit,
    Tally,
    plus,
    rise,
    solar_share,
)

MONDAY = date(2026, 11, 2)
TUESDAY = MONDAY + timedelta(days=1)
HERE = ZoneInfo("Europe/Vienna")

WATT_HOURS = st.floats(0.0, 20_000.0)
GIVEN = st.builds(Given, solar_wh=WATT_HOURS, battery_wh=WATT_HOURS, grid_wh=WATT_HOURS, unknown_wh=WATT_HOURS)


def on(day: date, begin: Given = NOTHING) -> Tally:
    """Return the tally of a day."""
    return Tally(day=Day(on=day, begin=begin))


def saved(tally: Tally) -> Tally:
    """Return a tally after a restart."""
    again = Tally.from_dict(json.loads(json.dumps(tally.as_dict())))
    assert again is not None
    return again


def parts(energy: Given) -> list[float]:
    """Return an energy as numbers."""
    return list(asdict(energy).values())


def test_every_reason_has_at_most_one_group() -> None:
    """No reason counts twice, and every cause that is a limit is counted."""
    assert sum(len(reasons) for reasons in REASONS.values()) == len(LIMITS)
    assert set(REASONS) == set(Limit)
    assert all(REASONS.values())
    assert {reason for reason in Reason if CAUSES.get(reason) in LIMITING} <= set(LIMITS)


def test_what_limits_nobody() -> None:
    """Whoever adds a reason has to say whether it limits."""
    assert set(Reason) - set(LIMITS) == {
        Reason.STARTING_UP,
        Reason.UNREACHABLE,
        Reason.CHARGER_ERROR,
        Reason.UNTOUCHED,
        Reason.SITE_OFF,
        Reason.CHARGER_OFF,
        Reason.NO_CAR,
        Reason.WAITING_FOR_AUTHORISATION,
        Reason.CHARGER_LIMIT,
        Reason.CAR_FULL,
        Reason.CAR_NOT_DRAWING,
        Reason.NO_POWER_METER,
        Reason.WAITING_FOR_SURPLUS,
        Reason.BATTERY_SUPPORT,
        Reason.CHARGING_SURPLUS,
        Reason.FEELING_UPWARDS,
        Reason.CHARGING_GUARANTEED,
        Reason.CHARGING_FAST,
        Reason.WAITING_FOR_OTHERS,
        Reason.WAITING_FOR_TURN,
        Reason.WAITING_FOR_TURN_PV,
        Reason.PHASE_SWITCH,
        Reason.OVERRIDE,
        Reason.OVERRIDE_OFF,
        Reason.APP_OVERRIDE,
        Reason.APP_OFF,
        Reason.APP_FAST,
        Reason.CONFIGURATION_ERROR,
        Reason.INTERNAL_ERROR,
    }


@given(
    looks=st.lists(st.tuples(GIVEN, st.integers(0, 3), st.booleans()), min_size=1, max_size=20),
    begin=GIVEN,
)
def test_the_days_are_all_that_was_given(looks: Sequence[tuple[Given, int, bool]], begin: Given) -> None:
    """All days together are the rise of what was given, each part for itself; a restart changes nothing."""
    total, tally, past = begin, on(MONDAY, begin), NOTHING
    day = MONDAY
    for more, days, restart in looks:
        day += timedelta(days=days)
        before, total = total, plus(total, more)
        finished = tally.day.given(before)
        turned = tally.after(day, before, total)
        if days:
            past = plus(past, finished)
            assert parts(turned.day.given(total)) == pytest.approx(parts(more), abs=1e-6)
        tally = saved(turned) if restart else turned
        assert min(parts(tally.day.given(total))) >= 0
        assert parts(plus(past, tally.day.given(total))) == pytest.approx(parts(rise(begin, total)), abs=1e-6)


@given(begin=GIVEN, now=GIVEN, later=GIVEN)
def test_less_than_was_saved(begin: Given, now: Given, later: Given) -> None:
    """After a power failure less may be known as given than when the day began: nothing is negative, and it goes on."""
    tally = on(MONDAY, begin).after(MONDAY, now, now)
    known = tally.day.given(now)
    assert min(parts(known)) >= 0
    total = plus(now, later)
    tally = tally.after(MONDAY, now, total)
    assert parts(tally.day.given(total)) == pytest.approx(parts(plus(known, later)), abs=1e-6)


def test_away_over_midnight() -> None:
    """What came while nobody looked belongs to the day on which it is seen; the counts of the last day are over."""
    tally = on(MONDAY).commanded().passed(30, charging=True, limit=Limit.FUSE)
    last = Given(solar_wh=5000)
    tally = saved(tally.after(MONDAY, NOTHING, last))
    now = Given(solar_wh=5000, unknown_wh=7000)
    tally = tally.after(TUESDAY + timedelta(days=2), last, now)
    assert tally.day.given(now) == Given(unknown_wh=7000)
    assert (tally.commands, tally.charging_s, dict(tally.limited_s)) == (0, 0, {})


def test_a_clock_that_is_set_back() -> None:
    """Over midnight by a little: the new day goes on. By more: the old date was wrong, and a day begins."""
    tally = on(TUESDAY).commanded()
    given = Given(grid_wh=1000)
    assert tally.after(MONDAY, NOTHING, given) == tally
    assert tally.after(TUESDAY, given, given) == tally
    back = on(date(2036, 1, 1)).commanded().after(MONDAY, given, given)
    assert back == on(MONDAY, given)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (MONDAY, 24)], ids=["spring", "autumn", "any"]
)
def test_days_on_which_the_clock_is_changed(day: date, hours: int) -> None:
    """A day lasts from midnight to midnight, however long that is."""
    tally, given, last = on(day - timedelta(days=1)), NOTHING, NOTHING
    moment = datetime(day.year, day.month, day.day, tzinfo=HERE).astimezone(UTC)
    for _ in range(hours * 60):
        given = plus(given, Given(solar_wh=100))
        tally = tally.after(moment.astimezone(HERE).date(), last, given).passed(60, charging=True, limit=None)
        moment, last = moment + timedelta(minutes=1), given
    assert tally.day.on == day
    assert tally.day.given(given).solar_wh == pytest.approx(hours * 6000)
    assert tally.charging_s == hours * 3600
    tally = tally.after(moment.astimezone(HERE).date(), last, given)
    assert tally == on(day + timedelta(days=1), given)


def test_times() -> None:
    """Seconds count for charging and for one limit; a hole, or a clock that stands still, counts nothing."""
    tally = on(MONDAY)
    tally = tally.passed(10, charging=True, limit=None).passed(5, charging=True, limit=Limit.FUSE)
    tally = tally.passed(20, charging=False, limit=Limit.FUSE).passed(1, charging=False, limit=Limit.BATTERY)
    for nothing in (0.0, -5.0, 3600.0):
        tally = tally.passed(nothing, charging=True, limit=Limit.FILTER)
    tally = tally.passed(10, charging=False, limit=None)
    assert tally.charging_s == 15
    assert dict(tally.limited_s) == {Limit.FUSE: 25, Limit.BATTERY: 1}
    assert saved(tally) == tally


def test_of_another_version() -> None:
    """What another version did not save begins at 0, what it saved on top is left out, nonsense counts nothing."""
    day = {"date": "2026-11-02", "begin": {"solar_wh": 5.0, "moon_wh": 7.0}}
    assert Tally.from_dict({"day": day}) == on(MONDAY, Given(solar_wh=5))
    assert Tally.from_dict({"day": {"date": "2026-11-02"}}) == on(MONDAY)
    strange = {"day": day, "commands": -3, "charging_s": "many", "limited_s": {"moon": 4.0, "fuse": 5.0}, "more": 1}
    tally = Tally.from_dict(strange)
    assert tally is not None
    assert (tally.commands, tally.charging_s, dict(tally.limited_s)) == (0, 0, {Limit.FUSE: 5.0})
    for nonsense in (None, [], {}, {"day": 7}, {"day": {}}, {"day": {"date": 7}}, {"day": {"date": "today"}}):
        assert Tally.from_dict(nonsense) is None
    assert saved(on(MONDAY)) == on(MONDAY)
    listed = Tally.from_dict({"day": day, "limited_s": [1, 2]})
    assert listed is not None
    assert dict(listed.limited_s) == {}


def test_solar_share() -> None:
    """It is known where at least half of the energy is of known origin."""
    assert solar_share(NOTHING) is None
    assert solar_share(Given(solar_wh=3, grid_wh=1)) == 0.75
    assert solar_share(Given(solar_wh=3, battery_wh=1, unknown_wh=4)) == 0.75
    assert solar_share(Given(solar_wh=3, unknown_wh=4)) is None
    assert solar_share(Given(unknown_wh=4)) is None
