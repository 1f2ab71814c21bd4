"""The ledger of charging sessions: nothing twice, nothing lost but the oldest, and a table that anybody can read."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import io
import json
from zoneinfo import ZoneInfo

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.control.causes import LIMITS
from custom_components.pv_load_manager.control.ledger import COLUMNS, FORMULA, MOST, Book, csv_of, saved_of
from custom_components.pv_load_manager.control.session import End, Session

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
VIENNA = ZoneInfo("Europe/Vienna")
FIGURE = st.floats(0.0, 100_000.0).map(lambda value: round(value, 3))
MOMENT = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@st.composite
def sessions(draw: st.DrawFn) -> Session:
    """Draw a session that ended."""
    began, parts = draw(MOMENT), [draw(FIGURE) for _ in range(4)]
    return Session(
        began=began,
        ended=began + timedelta(seconds=draw(st.integers(1, 10**6))),
        energy_wh=round(sum(parts), 3),
        solar_wh=parts[0],
        battery_wh=parts[1],
        grid_wh=parts[2],
        peak_w=draw(FIGURE),
        charging_s=draw(FIGURE),
        charging_wh=draw(FIGURE),
        phases_wh=(draw(FIGURE), draw(FIGURE), draw(FIGURE)),
        modes_wh=draw(st.dictionaries(st.sampled_from(("fast", "pv", "min_pv", "override")), FIGURE)),
        limits=tuple(sorted(draw(st.sets(st.sampled_from([limit.value for limit in LIMITS]))))),
        watched=draw(st.booleans()),
        end=draw(st.sampled_from((None, *End))),
    )


def read(table: str) -> list[dict[str, str]]:
    """Return a table as anybody else reads it."""
    return list(csv.DictReader(io.StringIO(table, newline=""), strict=True))


def at(hour: int, **more: object) -> Session:
    """Return a session that began some hours after noon."""
    began = NOON + timedelta(hours=hour)
    return replace(Session(began=began, ended=began + timedelta(minutes=30)), **more)


def test_a_loose_plug() -> None:
    """Cars that were given nothing push out nobody who was; where all were given something the oldest goes."""
    book = Book()
    for hour in range(MOST):
        book.add("1", at(hour, energy_wh=0.0 if hour in {5, 7} else 1000.0))
    for hour in (MOST, MOST + 1):
        assert book.add("1", at(hour, energy_wh=0.0))
    kept = book.last("1", MOST)
    assert len(kept) == MOST
    assert [session for session in kept if not session.energy_wh] == [
        at(MOST, energy_wh=0.0),
        at(MOST + 1, energy_wh=0.0),
    ]
    for hour in range(MOST + 2, MOST + 5):
        book.add("1", at(hour, energy_wh=1000.0))
    kept = book.last("1", MOST)
    assert len(kept) == MOST
    assert kept[0] == at(1, energy_wh=1000.0)


def test_every_session_once() -> None:
    """Whoever tells it again, at whatever time; the first word counts."""
    book = Book()
    assert book.add("1", at(2, energy_wh=5000.0))
    assert not book.add("1", at(2, energy_wh=4000.0))
    assert book.add("2", at(2))
    assert book.add("1", at(1))
    assert [(serial, session.began.hour) for serial, session in book.rows()] == [("1", 13), ("1", 14), ("2", 14)]
    assert [session.energy_wh for session in book.last("1")] == [5000.0]
    assert book.last("3") == []


def test_the_oldest_are_dropped() -> None:
    """Of each charger by itself."""
    book = Book()
    book.add("2", at(0))
    for hour in range(MOST + 5):
        book.add("1", at(hour))
    rows = book.rows(["1"])
    assert len(rows) == MOST
    assert rows[0][1] == at(5)
    assert len(book.rows(["2"])) == 1
    assert book.forget("1")
    assert not book.forget("1")
    assert book.rows() == [("2", at(0))]


def test_sessions_of_a_time() -> None:
    """Each belongs to the time in which it began, so that two months never share one."""
    book = Book()
    for hour in range(4):
        book.add("1", at(hour))
    edge = NOON + timedelta(hours=2)
    assert [session for _, session in book.rows(since=edge)] == [at(2), at(3)]
    assert [session for _, session in book.rows(until=edge)] == [at(0), at(1)]
    assert book.rows(["1", "7"], since=NOON, until=NOON + timedelta(hours=1)) == [("1", at(0))]
    assert book.rows(["7"]) == []


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(st.lists(sessions(), max_size=5))
def test_over_a_restart(known: list[Session]) -> None:
    """What is saved is read as it was, to a thousandth."""
    book = Book()
    for session in known:
        book.add("1", session)
    saved = json.loads(json.dumps(saved_of(book.copy())))
    again, damaged = Book.from_saved(saved)
    assert damaged == 0
    assert again.rows() == book.rows()


def test_a_short_file() -> None:
    """A session that knows little takes little."""
    book = Book()
    book.add("1", Session(began=NOON, ended=NOON))
    (short,) = saved_of(book.copy())["chargers"]["1"]
    assert short == {"began": NOON.isoformat(), "ended": NOON.isoformat(), "charging_wh": 0.0}


@pytest.mark.parametrize(
    ("saved", "left", "damaged"),
    [
        (None, 0, 0),
        ({"chargers": {}}, 0, 0),
        ([], 0, 1),
        ({"chargers": 7}, 0, 1),
        ({"chargers": {"1": 7}}, 0, 1),
        ({"chargers": {"1": [None, 7, {}, {"began": "x"}, {"began": NOON.isoformat()}]}}, 1, 4),
        ({"chargers": {"1": [{"began": NOON.isoformat(), "energy_wh": "many"}]}}, 0, 1),
    ],
    ids=str,
)
def test_a_damaged_file(saved: object, left: int, damaged: int) -> None:
    """What can be read is kept."""
    book, count = Book.from_saved(saved)
    assert (len(book.rows()), count) == (left, damaged)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(("10000001", "10000002")), sessions()), max_size=4), st.text(max_size=12))
def test_a_table_that_anybody_reads(rows: list[tuple[str, Session]], name: str) -> None:
    """Every session is a row, every figure is where its header says, and no name breaks the table."""
    table = csv_of(rows, {"10000001": name}, VIENNA)
    assert table.split("\r\n", maxsplit=1)[0] == ",".join(COLUMNS)
    found = read(table)
    assert len(found) == len(rows)
    for row, (serial, session) in zip(found, rows, strict=True):
        expected = name if serial == "10000001" else serial
        assert row["charger"] == (f"'{expected}" if expected.startswith(FORMULA) else expected)
        start = datetime.fromisoformat(row["start"])
        assert start == session.began.replace(microsecond=0)
        assert start.utcoffset() == session.began.astimezone(VIENNA).utcoffset()
        parts = [float(row[f"{part}_kwh"]) for part in ("solar", "battery", "grid", "unknown")]
        assert float(row["energy_kwh"]) == pytest.approx(session.energy_wh / 1000, abs=0.001)
        assert sum(parts) == pytest.approx(float(row["energy_kwh"]), abs=0.003)
        assert set(row["modes"].split()) == set(session.modes_wh)
        assert tuple(row["limits"].split()) == session.limits
        assert row["mode"] in {"", *session.modes_wh}
        assert row["ended_by"] == ("" if session.end is None else session.end.value)
        assert row["watched"] == str(session.watched).lower()
        assert not any(cell.startswith(FORMULA) for cell in row.values())


def test_one_row() -> None:
    """As a person finds it in a spreadsheet; local times, on the day on which the clock is changed as well."""
    session = Session(
        began=datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
        ended=datetime(2026, 10, 25, 2, 0, tzinfo=UTC),
        energy_wh=10_000.0,
        solar_wh=6000.0,
        battery_wh=1000.0,
        grid_wh=1000.0,
        peak_w=7401.4,
        charging_s=7200.0,
        charging_wh=9000.0,
        phases_wh=(100.0, 0.0, 8900.0),
        modes_wh={"pv": 4000.0, "min_pv": 5000.0},
        limits=("fuse", "peak"),
        end=End.FULL,
    )
    (row,) = read(csv_of([("10000001", session)], {"10000001": '=cmd|" /C calc"'}, VIENNA))
    assert row == {
        "charger": '\'=cmd|" /C calc"',
        "serial": "10000001",
        "start": "2026-10-25T01:30:00+02:00",
        "end": "2026-10-25T03:00:00+01:00",
        "duration_s": "9000",
        "charging_time_s": "7200",
        "energy_kwh": "10.0",
        "solar_kwh": "6.0",
        "battery_kwh": "1.0",
        "grid_kwh": "1.0",
        "unknown_kwh": "2.0",
        "solar_share_percent": "75",
        "mean_power_w": "4500",
        "peak_power_w": "7401",
        "phases": "3",
        "mode": "min_pv",
        "modes": "min_pv pv",
        "limits": "fuse peak",
        "ended_by": "full",
        "watched": "true",
    }
    (row,) = read(csv_of([("10000001", Session(began=NOON))], {}))
    assert (row["end"], row["duration_s"], row["mean_power_w"], row["solar_share_percent"]) == ("", "", "", "")
