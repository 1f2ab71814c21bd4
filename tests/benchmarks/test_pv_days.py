"""Generated days are what their names say; recorded ones are read whatever their make."""

from itertools import pairwise
from math import fsum
from pathlib import Path

import pytest

from benchmarks.pv import days, recorded, sky
from benchmarks.pv.csv_series import read

KINDS = list(sky.SKIES)
HOUR = 3600


def energy(watts: object) -> float:
    """Return kWh."""
    assert hasattr(watts, "__iter__")
    return fsum(watts) / 3.6e6


def test_types_are_ordered_by_their_energy() -> None:
    """From clear to overcast every type gives less, with every seed."""
    for seed in (1, 2, 3):
        found = [energy(sky.generate(kind, seed).pv_w) for kind in KINDS]
        assert found == sorted(found, reverse=True)
        assert 50.0 < found[0] < 75.0
        assert 4.0 < found[-1] < 18.0


def test_edges_pass_within_seconds_and_variable_days_have_the_most() -> None:
    """Changes of a quarter of the roof within 15 s: hundreds on a variable day, hardly any on a clear one."""

    def edges(kind: str) -> int:
        watts = sky.generate(kind, 1).pv_w
        return sum(abs(watts[at + 15] - watts[at]) > 2_000.0 for at in range(0, len(watts) - 15, 15))

    counts = {kind: edges(kind) for kind in KINDS}
    assert counts["variable"] > 100
    assert counts["variable"] > 2 * counts["broken"] > 0
    assert counts["clear"] < counts["broken"]
    assert counts["overcast"] == 0


def test_a_day_spans_the_light_and_an_hour_around_it() -> None:
    """Dark at both ends, the sun in between, the house all day."""
    made = sky.generate("clear", 1)
    assert (made.start_s, made.seconds) == (5 * HOUR, 16 * HOUR)
    assert max(made.pv_w[:HOUR]) == max(made.pv_w[-HOUR:]) == 0.0
    assert 7_000.0 < max(made.pv_w) < 10_000.0
    assert min(made.house_w) > 250.0
    assert 1_800.0 < max(made.house_w) < 9_000.0
    assert 6.0 < energy(made.house_w) < 14.0


def test_a_seed_makes_one_day() -> None:
    """The same seed the same, another another."""
    first = sky.generate("broken", 4)
    sky.generate.cache_clear()
    again, other = sky.generate("broken", 4), sky.generate("broken", 5)
    assert first is not again
    assert first == again
    assert first.pv_w != other.pv_w
    assert first.house_w != other.house_w


@pytest.mark.parametrize(
    ("text", "times", "watts"),
    [
        ("time,pv_kw\n2024-06-01T12:00:00+02:00,1.5\n2024-06-01T12:01:00+02:00,2\n", (43_200, 43_260), (1500, 2000)),
        ("Zeit;Leistung [W]\n01.06.2024 12:00;1500\n01.06.2024 12:15;90,5\n", (43_200, 44_100), (1500, 90.5)),
        ("epoch,Solar Power\n1717243200,3.5\n1717243201,4.5\n", (43_200, 43_201), (3500, 4500)),
        ("epoch_ms,solar_w\n1717243200000,3.5\n1717243201000,4.5\n", (43_200, 43_201), (3.5, 4.5)),
        ("seconds,energy_wh,voltage,ac_power\n0,1,230,800\n10,2,230,900\n20,3,231,?\n", (0, 10), (800, 900)),
        ("0,1200\n1,1300\n2,1400\n", (0, 1, 2), (1200, 1300, 1400)),
        ("Date;Time;PV\n01/06/2024;12:00:00;500\n01/06/2024;12:01:00;600\n", (43_200, 43_260), (500, 600)),
        ("time,load_w,pv_w\n12:00,400,2500\n12:05,500,2600\n", (43_200, 43_500), (2500, 2600)),
        ("time;pv\n23:59;10\n00:01;250\n", (86_340, 86_460), (10, 250)),
        ("time,solar\n2024-06-01 12:00,-1500\n2024-06-01 12:01,-1600\n", (43_200, 43_260), (1500, 1600)),
        (
            "entity_id,state,last_changed\np,unavailable,2024-06-01T10:00Z\np,8.5,2024-06-01T10:00:10.5Z\np,9,2024-06-01T10:01Z\n",
            (36_010.5, 36_060),
            (8_500, 9_000),
        ),
        ("t,soc,current_power_w\n5,80,700\n6,81,800\n", (5, 6), (700, 800)),
        ("\n# a remark\nminute,pv_w\n1,5\n2,6\n", (60, 120), (5, 6)),
    ],
)
def test_csv_of_any_make(tmp_path: Path, text: str, times: tuple[float, ...], watts: tuple[float, ...]) -> None:
    """Separators, clocks, units and the column are recognised; times count from the file's midnight here."""
    path = tmp_path / "roof.csv"
    path.write_text(text, encoding="utf-8")
    series = read(path, "pv")
    midnight = series.times[0] // 86_400 * 86_400 if series.dated else 0.0
    assert tuple(at - midnight for at in series.times) == times
    assert series.watts == pytest.approx(watts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("time\n1\n2\n", "a column of times and one of power"),
        ("time,pv\nyesterday,5\ntoday,6\n", "'yesterday' is no time"),
        ("time,pv\n2024-06-01 12:00,sun\n2024-06-01 12:01,moon\n", "no column with numbers"),
        ("time,pv\n2024-06-01 12:00,5\n", "fewer than two rows"),
        ("time,pv\n2024-06-01 12:00,5\n2024-06-01 12:01,moon\n", "row 2 .* not understood"),
        ("time,pv_w\n0,0\n10,0\n", "never gives anything"),
    ],
)
def test_csv_that_is_not_understood_says_why(tmp_path: Path, text: str, message: str) -> None:
    """The file's name is part of the message."""
    path = tmp_path / "roof.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"roof.csv: .*{message}"):
        recorded.roof(path, None)


def _write(path: Path, rows: list[tuple[str, float]], header: str) -> Path:
    path.write_text("\n".join([header, *(f"{at},{watts}" for at, watts in rows)]) + "\n", encoding="utf-8")
    return path


def test_a_recording_is_scaled_cut_to_the_light_and_split_at_nights(tmp_path: Path) -> None:
    """Two days with sun from 10 to 14 h: an hour around each, the peak as wished, the house at the same time."""
    clock = [(number, minute) for number in (1, 2) for minute in range(0, 24 * 60, 15)]
    pv = _write(
        tmp_path / "pv.csv",
        [(f"2024-06-0{n} {m // 60:02}:{m % 60:02}", 1_000.0 * n if 600 <= m <= 840 else 0.0) for n, m in clock],
        "time,pv_w",
    )
    house = _write(
        tmp_path / "house.csv",
        [(f"2024-06-0{n} {m // 60:02}:{m % 60:02}", 0.3 * n) for n, m in clock],
        "time,house_kw",
    )
    sources = days.files("csv", pv, house, 8.0, 1, name="roof")
    assert [source.name for source in sources] == ["roof-1", "roof-2"]
    first, second = (days.load(source) for source in sources)
    assert (first.start_s, first.seconds) == (9 * HOUR, 6 * HOUR)
    assert max(first.pv_w) == pytest.approx(4_000.0, rel=0.05)
    assert max(second.pv_w) == pytest.approx(8_000.0, rel=0.05)
    assert first.pv_w[0] == 0.0
    assert first.house_w[3 * HOUR] == pytest.approx(300.0)
    assert second.house_w[3 * HOUR] == pytest.approx(600.0)


def test_a_house_of_another_date_is_taken_by_the_time_of_day(tmp_path: Path) -> None:
    """And one that begins with second 0 as well."""
    pv = _write(tmp_path / "pv.csv", [("2024-06-01 12:00", 3_000.0), ("2024-06-01 13:00", 3_000.0)], "time,pv_w")
    rows = [("2020-01-01 00:00", 100.0), ("2020-01-01 12:30", 700.0), ("2020-01-01 23:59", 100.0)]
    house = _write(tmp_path / "house.csv", rows, "time,load_w")
    plain = _write(tmp_path / "plain.csv", [("0", 100.0), ("45000", 700.0), ("86000", 100.0)], "seconds,load_w")
    for path in (house, plain):
        made = recorded.day(pv, path, kwp=None, number=0, seed=1, name="x")
        assert made.house_w[5400] == pytest.approx(700.0)


def test_fine_values_are_taken_as_they_are_and_coarse_ones_get_edges(tmp_path: Path) -> None:
    """Between two minutes a cloud's edge takes 2..15 s instead of the whole minute; energy stays about the same."""
    fine = _write(tmp_path / "fine.csv", [(str(at), 1_000.0 + at % 7) for at in range(100)], "seconds,pv_w")
    made = recorded.day(fine, None, kwp=None, number=0, seed=1, name="fine")
    assert list(made.pv_w[HOUR : HOUR + 99]) == [1_000.0 + at % 7 for at in range(99)]
    minutes = [(str(60 * at), 5_000.0 if at % 2 else 1_000.0) for at in range(200)]
    coarse = _write(tmp_path / "coarse.csv", minutes, "seconds,pv_w")
    made = recorded.day(coarse, None, kwp=None, number=0, seed=1, name="coarse")
    inside = made.pv_w[HOUR : HOUR + 199 * 60]
    steep = sum(abs(later - earlier) > 200.0 for earlier, later in pairwise(inside))
    assert 199 * 2 <= steep <= 199 * 15
    assert energy(inside) == pytest.approx(3.0 * 199 / 60, rel=0.1)


def test_recordings_are_found_or_named_as_missing(tmp_path: Path) -> None:
    """Nothing is left out silently."""
    found, missing = days.recordings(tmp_path, 1)
    assert found == []
    assert len(missing) == 3


def test_the_recorded_days(recorded_data: Path) -> None:
    """Two days of a roof of up to 4.6 kW, one of irradiance on 9 kWp, each beside a real house."""
    found, missing = days.recordings(recorded_data, 1)
    assert missing == []
    assert [source.name for source in found] == ["serf-1", "serf-2", "midc"]
    for source in found:
        made = days.load(source)
        assert 9 * HOUR < made.seconds < 16 * HOUR
        assert 15.0 < energy(made.pv_w) < 45.0
        assert 4_000.0 < max(made.pv_w) < 7_500.0
        assert 3.0 < energy(made.house_w) < 40.0
