"""Charging sessions: every car gets the energy that it was given, whatever the counters of its charger do."""

from dataclasses import replace
from datetime import timedelta
import json

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control.counters import Counters, Parts
from custom_components.pv_load_manager.control.reasons import Reason
from custom_components.pv_load_manager.control.session import End, Session
from custom_components.pv_load_manager.control.sessions import Circumstances, Given, Sessions, sources_of

from .session_watch import NOON, Charger, Watch, watched

WATT_HOURS = st.floats(50.0, 20_000.0)


@st.composite
def stories(draw: st.DrawFn) -> Watch:
    """Draw days of a charger, watched with gaps; no gap hides more than the counters can tell."""
    watch = watched(
        tells_arrival=draw(st.booleans()),
        forgets_session=draw(st.booleans()),
        begins_at_energy=draw(st.booleans()),
    )
    charger = watch.charger
    for _ in range(draw(st.integers(3, 12))):
        event = draw(st.sampled_from(("car", "charge", "away", "reboot", "dip", "leaves", "mute")))
        if event == "car" and not charger.plugged:
            charger.plug()
            watch.look()
        elif event == "charge" and charger.plugged:
            watch.charge(draw(WATT_HOURS))
        elif event == "leaves" and charger.plugged:
            charger.unplug()
            watch.look()
        elif event == "dip":
            charger.wait(1)
            watch.look(dip=0.007)
        elif event == "reboot":
            charger.reboot()
            watch.look(away=draw(st.booleans()))
        elif event == "away":
            unwatched(charger, draw)
            watch.look(away=True)
        elif event == "mute":
            without_counters(watch, draw)
    return watch


def unwatched(charger: Charger, draw: st.DrawFn) -> None:
    """Let something happen that the counters can tell afterwards."""
    charger.wait(draw(st.floats(7200, 90_000)))
    if not charger.plugged:
        if draw(st.booleans()):
            charger.plug()
            energy = draw(WATT_HOURS)
            charger.charge(energy if abs(energy - charger.wh) > 2 else energy + 5)
    else:
        charger.charge(draw(WATT_HOURS))
        if draw(st.booleans()):
            charger.unplug()
            charger.wait(draw(st.floats(10, 90_000)))
            charger.plug()
            charger.charge(draw(WATT_HOURS))
    if charger.plugged and draw(st.booleans()):
        charger.unplug()


def without_counters(watch: Watch, draw: st.DrawFn) -> None:
    """Let a car charge, leave and be followed by another one while the counters cannot be used for some minutes."""
    charger = watch.charger
    there, charger.mute = charger.plugged, True
    watch.look()
    if not there and draw(st.booleans()):
        charger.plug()
        watch.look()
        watch.charge(draw(WATT_HOURS))
    elif charger.plugged and draw(st.booleans()):
        watch.charge(draw(WATT_HOURS))
    if draw(st.booleans()):
        charger.wait(5)
        watch.look(away=True)
    if charger.plugged and draw(st.booleans()):
        charger.unplug()
        watch.look()
        if there and draw(st.booleans()):
            charger.plug()
            watch.look()
            watch.charge(draw(WATT_HOURS))
    charger.mute = False
    charger.wait(1)
    watch.look()


@settings(
    max_examples=400, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(stories())
def test_every_car_gets_its_energy(watch: Watch) -> None:
    """Within 1 %, over restarts of the charger and of Home Assistant and over changes of cars that nobody watched."""
    assert watch.energies == [pytest.approx(energy, rel=0.01, abs=3.0) for energy in watch.charger.truth]
    totals = [given.energy_wh for given in watch.given]
    assert totals == sorted(totals)
    assert totals[-1] == pytest.approx(sum(watch.energies), abs=0.01)


def test_after_unplugging_the_last_session_stays() -> None:
    """Until the next car comes, of which the charger still tells the last one's energy."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(5000.0)
    watch.charger.unplug()
    watch.look()
    session = watch.sessions.session
    assert session == watch.finished[0]
    assert session is not None
    assert session.energy_wh == pytest.approx(5000.0)
    assert session.watched
    assert session.ended == watch.charger.now
    watch.charger.plug()
    watch.look()
    assert watch.charger.wh == pytest.approx(5000.0)
    assert watch.energies[1:] == [0.0]


def test_a_car_that_is_found() -> None:
    """A car that was there first of all has what the charger says, unless it never charged."""
    charger = Charger()
    charger.plug()
    charger.charge(4000.0)
    charger.wait(3600)
    watch = Watch(charger=charger)
    watch.look()
    session = watch.sessions.session
    assert session is not None
    assert session.energy_wh == 4000.0
    assert session.began == charger.came
    assert not session.watched
    charger = Charger()
    charger.plug()
    watch = Watch(charger=charger)
    watch.look()
    assert watch.energies == [0.0]


def test_sources() -> None:
    """Energy is counted by where it comes from at that moment; what nobody saw is of unknown origin."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(4000.0, sources=(1.0, 0.0, 0.0))
    watch.charge(1000.0, sources=(0.0, 0.5, 0.5))
    session = watch.sessions.session
    assert session is not None
    assert session.solar_share == pytest.approx(0.8)
    assert (session.solar_wh, session.battery_wh, session.grid_wh) == pytest.approx((4000.0, 500.0, 500.0))
    assert session.charging_s == pytest.approx(400.0)
    watch.charger.charge(6000.0)
    watch.charger.wait(3600)
    watch.look(away=True, sources=(1.0, 0.0, 0.0))
    session = watch.sessions.session
    assert session is not None
    assert session.energy_wh == pytest.approx(11_000.0)
    assert session.solar_wh == pytest.approx(4000.0)
    assert session.solar_share is None


def test_the_chargers_own_split_counts_without_a_house() -> None:
    """Also over a time without a look, in which the house does not know."""
    before = Counters(plugged=True, charged=True, session_wh=1000.0, lifetime_wh=9000.0, parts_wh=(900.0, 0.0, 100.0))
    sessions = Sessions().after(before, NOON).sessions
    after = replace(before, session_wh=3000.0, lifetime_wh=11_000.0, parts_wh=(1900.0, 500.0, 600.0))
    session = sessions.after(after, NOON + timedelta(hours=1), away=True).sessions.session
    assert session is not None
    assert (session.solar_wh, session.battery_wh, session.grid_wh) == pytest.approx((1900.0, 500.0, 600.0))


@pytest.mark.parametrize(
    ("chargers", "grid", "battery", "sources"),
    [
        (4000.0, -500.0, None, (1.0, 0.0, 0.0)),
        (4000.0, 1000.0, None, (0.75, 0.0, 0.25)),
        (4000.0, 1000.0, 2000.0, (0.25, 0.5, 0.25)),
        (4000.0, 9000.0, 2000.0, (0.0, 0.0, 1.0)),
        (4000.0, 0.0, -2000.0, (1.0, 0.0, 0.0)),
        (0.0, 500.0, 500.0, (0.0, 0.0, 0.0)),
    ],
)
def test_where_the_power_comes_from(chargers: float, grid: float, battery: float | None, sources: Parts) -> None:
    """What would not be taken from grid and battery without the cars is theirs."""
    assert sources_of(chargers_w=chargers, grid_w=grid, battery_w=battery) == pytest.approx(sources)


def test_another_car_while_away() -> None:
    """The same car is never taken for another one; another one is told by its arrival, or by the counters."""
    for tells_arrival in (True, False):
        watch = watched(tells_arrival=tells_arrival)
        charger = watch.charger
        charger.plug()
        watch.look()
        watch.charge(2000.0)
        charger.charge(500.0)
        charger.wait(3600)
        watch.look(away=True)
        assert watch.changes == 0
        charger.reboot()
        watch.look(away=True)
        assert watch.changes == 0
        charger.unplug()
        charger.plug()
        charger.charge(8000.0)
        charger.wait(3600)
        watch.look(away=True)
        assert watch.changes == 1
        assert not watch.finished[0].watched


def test_counters_that_are_missing() -> None:
    """Without the session's counter the lifetime counts, without any the power; an error is no unplugging."""
    life = Counters(plugged=True, lifetime_wh=1000.0)
    sessions = Sessions().after(life, NOON).sessions
    sessions = sessions.after(replace(life, lifetime_wh=1500.0), NOON + timedelta(hours=1)).sessions
    sessions = sessions.after(replace(life, plugged=None, lifetime_wh=None), NOON + timedelta(hours=1)).sessions
    assert sessions.session is not None
    assert sessions.session.ended is None
    assert sessions.session.energy_wh == 500.0
    power = Counters(plugged=True, power_w=3600.0, charging=True)
    sessions = Sessions().after(power, NOON).sessions
    for second in range(1, 11):
        sessions = sessions.after(power, NOON + timedelta(seconds=second)).sessions
    sessions = sessions.after(power, NOON + timedelta(hours=1)).sessions
    assert sessions.session is not None
    assert sessions.session.energy_wh == pytest.approx(10.0)
    lone = Counters(plugged=True, charged=True, session_wh=100.0)
    sessions = Sessions().after(lone, NOON).sessions
    for second, wh in enumerate((105.0, 1e9, 110.0), start=1):
        sessions = sessions.after(replace(lone, session_wh=wh), NOON + timedelta(seconds=second)).sessions
    assert sessions.session is not None
    assert sessions.session.energy_wh == pytest.approx(110.0)


def test_nonsense_of_a_counter() -> None:
    """What nobody can have charged meanwhile is not believed, and does not begin a session anew when it is over."""
    watch = watched()
    watch.charger.plug()
    watch.look()
    watch.charge(3000.0)
    said = watch.charger.counters(charging=True)
    nonsense: list[dict[str, float | None]] = [
        {key: value} for key in ("session_wh", "lifetime_wh") for value in (4_294_967_295.0, 0.0, None)
    ]
    for wrong in nonsense:
        watch.look()
        watch.charger.wait(1)
        watch.sessions = watch.sessions.after(replace(said, **wrong), watch.charger.now).sessions
    watch.charge(1000.0)
    assert watch.energies == [pytest.approx(4000.0)]


def test_what_all_cars_were_given() -> None:
    """It goes on with the next car and over a restart, by where it came from; what was there before is not in it."""
    charger = Charger()
    charger.plug()
    charger.charge(9000.0)
    watch = Watch(charger=charger)
    watch.look()
    assert watch.sessions.given == Given()
    watch.charge(1000.0, sources=(0.5, 0.3, 0.2))
    charger.unplug()
    watch.look()
    charger.plug()
    watch.look()
    watch.charge(2000.0, sources=(1.0, 0.0, 0.0))
    charger.charge(4000.0)
    charger.wait(3600)
    watch.look(away=True)
    given = watch.sessions.given
    assert (given.solar_wh, given.battery_wh, given.grid_wh, given.unknown_wh) == pytest.approx((2500, 300, 200, 4000))
    assert given.energy_wh == pytest.approx(7000)
    saved = watch.sessions.as_dict() | {"session": "damaged"}
    assert Sessions.from_dict(saved) == Sessions(given=given)
    assert Sessions.from_dict(saved | {"given": {"solar_wh": "7"}}) == Sessions()
    assert Sessions.from_dict(saved | {"given": {"solar_wh": -7.0}}) == Sessions()


def test_how_a_car_charged() -> None:
    """Power, phases and modes weigh by energy; a limit that was met once is told at the end."""
    watch = watched()
    charger = watch.charger
    charger.plug()
    watch.look()
    session = watch.sessions.session
    assert session is not None
    assert (session.mean_w, session.phases, session.mode, session.end) == (None, None, None, None)
    pv, fuse = Circumstances("pv", Reason.CHARGING_SURPLUS), Circumstances("fast", Reason.LIMITED_BY_FUSE)
    charger.wait(20)
    watch.charge(500.0, phases=1, told=pv)
    assert watch.sessions.session is not None
    assert (watch.sessions.session.phases, watch.sessions.session.mode) == ("1", "pv")
    assert watch.sessions.session.limits == ()
    watch.charge(1500.0, phases=3, told=fuse)
    charger.wait(20)
    watch.look(phases=0, charging=False, told=Circumstances("fast", Reason.WAITING_FOR_PEAK))
    charger.wait(40)
    watch.look(phases=0, charging=False, told=Circumstances("fast", Reason.CAR_FULL))
    charger.unplug()
    watch.look(told=Circumstances("fast", Reason.CAR_FULL))
    (session,) = watch.finished
    # Twice ten looks of 20 s, and the 20 s before the first of them.
    assert session.charging_s == pytest.approx(420)
    assert session.mean_w == pytest.approx(2000 * 3600 / 420, rel=0.001)
    assert session.phases == "mixed"
    assert session.modes_wh == pytest.approx({"pv": 500.0, "fast": 1500.0}, rel=0.002)
    assert session.mode == "fast"
    assert session.limits == ("fuse", "peak")
    assert session.end is End.FULL
    assert Session.from_dict(json.loads(json.dumps(session.as_dict()))) == session


def test_how_a_session_ended() -> None:
    """Unplugged before it was full, or while nobody watched."""
    watch = watched()
    charger = watch.charger
    for unseen in (False, True):
        charger.plug()
        watch.look()
        watch.charge(1000.0)
        charger.unplug()
        watch.look(away=unseen)
    charger.plug()
    charger.wait(3600)
    charger.charge(3000.0)
    charger.unplug()
    watch.look(away=True)
    assert [session.end for session in watch.finished] == [End.UNPLUGGED, End.UNSEEN, End.UNSEEN]


def test_a_clock_that_is_set_back() -> None:
    """No session ends before it began, and its energy counts."""
    watch = watched()
    charger = watch.charger
    charger.plug()
    watch.look()
    watch.charge(1000.0)
    charger.wait(-7200)
    watch.charge(1000.0)
    charger.unplug()
    watch.look()
    (session,) = watch.finished
    assert session.ended == session.began
    assert session.energy_wh == pytest.approx(2000, abs=1)


def test_a_session_of_an_earlier_version() -> None:
    """It knew neither phases nor modes; its mean power is at most the highest."""
    saved = {
        "began": "2026-06-01T08:00:00+00:00",
        "ended": None,
        "energy_wh": 5000.0,
        "solar_wh": 4000.0,
        "battery_wh": 0.0,
        "grid_wh": 1000.0,
        "peak_w": 4000.0,
        "charging_s": 3600.0,
        "watched": True,
    }
    session = Session.from_dict(saved)
    assert (session.energy_wh, session.solar_share, session.mean_w) == (5000.0, 0.8, 4000.0)
    assert (session.phases, session.mode, session.limits, session.end) == (None, None, (), None)
    seen = {
        "plugged": True,
        "charging": True,
        "charged": True,
        "power_w": 4000.0,
        "session_wh": 5000.0,
        "lifetime_wh": 9000.0,
        "uptime_s": None,
        "reboots": None,
        "plugged_at_s": None,
        "parts_wh": None,
    }
    sessions = Sessions.from_dict({"session": saved, "seen": seen, "seen_at": "2026-06-01T09:00:00+00:00"})
    assert sessions.session == session
    assert sessions.given == Given()


@pytest.mark.parametrize(
    "damage",
    [
        {"began": "2026-06-01T08:00:00"},
        {"ended": "2026-06-01T08:00:00"},
        {"began": 7},
        {"energy_wh": "5"},
        {"energy_wh": True},
        {"energy_wh": -1.0},
        {"energy_wh": float("nan")},
        {"phases_wh": [1.0, 2.0]},
        {"modes_wh": {"pv": None}},
        {"modes_wh": 7},
        {"limits": 7},
        {"end": "somehow"},
    ],
    ids=str,
)
def test_no_session(damage: dict[str, object]) -> None:
    """What cannot be a session is told, not shown."""
    saved = Session(began=NOON).as_dict()
    assert Session.from_dict(saved) == Session(began=NOON)
    with pytest.raises((AttributeError, TypeError, ValueError)):
        Session.from_dict(saved | damage)


@pytest.mark.parametrize(
    "saved", [None, 7, {}, {"seen": None}, {"seen": {"parts_wh": [1]}}, {"seen": {"parts_wh": None}, "session": 3}]
)
def test_nonsense_that_was_saved(saved: object) -> None:
    """What cannot be read is forgotten."""
    assert Sessions.from_dict(saved) == Sessions()
