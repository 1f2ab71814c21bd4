"""Recorded days are aligned by local time of day."""

from datetime import time
from pathlib import Path

import pytest

from simulator import Home, HomeConfig, HouseConfig, PvConfig, load_trace

_NREL = """measured_on,ac_power__752
2022-03-18 04:33:00-07:00,-2.7
2022-03-18 11:00:00-07:00,3000
2022-03-18 11:01:00-07:00,3600
2022-03-19 04:00:00-07:00,5
2022-03-19 11:00:00-07:00,1000
"""
_UCI = """Date;Time;Global_active_power;Voltage
01/02/2007;0:00:00;0.326;243
01/02/2007;11:00:00;1.500;243
01/02/2007;11:01:00;?;?
01/02/2007;11:02:00;2.500;243
"""


def test_pv_trace_by_local_time(tmp_path: Path) -> None:
    """The value at 11:00 is the file's, between minutes it is interpolated, negatives are 0."""
    path = tmp_path / "pv.csv"
    path.write_text(_NREL)
    home = Home(HomeConfig(pv=PvConfig(csv=path), start_at=time(11, 0), chargers=()))
    assert home.flow.pv_w == pytest.approx(3000)
    assert home.step(30).pv_w == pytest.approx(3300)
    assert load_trace(path).watts(4.55 * 3600) == 0


def test_the_first_day_that_covers_the_start(tmp_path: Path) -> None:
    """A start before the recording begins uses its second day, and the last day repeats at the end."""
    path = tmp_path / "pv.csv"
    path.write_text(_NREL)
    trace = load_trace(path)
    start = trace.start_for(4 * 3600)
    assert start == 28 * 3600
    assert trace.watts(start) == 5
    assert trace.watts(35 * 3600 + 60) == pytest.approx(3600)


def test_house_trace_carries_missing_values(tmp_path: Path) -> None:
    """Values in kW become W, and a missing value repeats the one before."""
    path = tmp_path / "house.csv"
    path.write_text(_UCI)
    home = Home(HomeConfig(house=HouseConfig(csv=path), start_at=time(11, 0), chargers=()))
    assert home.flow.house_w == pytest.approx(1500)
    assert home.step(60).house_w == pytest.approx(1500)
    assert home.step(60).house_w == pytest.approx(2500)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "measured_on,x\nnever,1\n", "measured_on,x\n"])
def test_unknown_files_are_refused(tmp_path: Path, text: str) -> None:
    """A file in another format is an error that names the file."""
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"other\.csv"):
        load_trace(path)


def test_recorded_days(data: Path) -> None:
    """The recorded days start at the value that the files show for 11:00."""
    pv, house = data / "nrel_pv/serf_east_1min_ac_power.csv", data / "uci_household/household_power_2007-02-01_02.csv"
    home = Home(HomeConfig(pv=PvConfig(csv=pv), house=HouseConfig(csv=house), start_at=time(11, 0), chargers=()))
    pv_row = next(line for line in pv.read_text().splitlines() if line.startswith("2022-03-18 11:00:00"))
    house_row = next(line for line in house.read_text().splitlines() if line.startswith("01/02/2007;11:00:00"))
    assert home.flow.pv_w == pytest.approx(float(pv_row.split(",")[1]))
    assert home.flow.house_w == pytest.approx(1000 * float(house_row.split(";")[2]))
