"""evcc and WARP's power manager follow the sun as their descriptions say."""

from collections.abc import Mapping
from dataclasses import replace
import json
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plant import START, VOLTS, BoxModel, BoxView, CarSays, Order
from benchmarks.policies.pv_evcc import Evcc, Loadpoint
from benchmarks.policies.pv_evcc_law import (
    ELAPSED,
    Phases,
    Settings,
    Situation,
    Timers,
    effective_current,
    scale,
    site_power,
    update,
)
from benchmarks.policies.pv_warp import Warp
from benchmarks.pv.loop import run
from benchmarks.pv.model import PvPolicy
from tests.conftest import DEFAULT_DATA

from .pv_sites import plain_site, random_day, seen, steps, times, waiting

TABLES = Path(os.environ.get("PVLM_DATA", DEFAULT_DATA)) / "evcc_conformance.json"
NOW = 1000.0


def rows(table: str) -> list[Any]:
    """Return the rows of a table of what evcc does, as parameters of a test."""
    if not TABLES.is_file():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"no {TABLES.name}: set PVLM_DATA"))]
    found = json.loads(TABLES.read_text(encoding="utf-8"))[table]["rows"]
    return [pytest.param(row, id=row.get("id") or f"row{number}") for number, row in enumerate(found)]


# ---- evcc's law against the tables


@pytest.mark.parametrize("charging", [False, True])
@pytest.mark.parametrize("row", rows("pv_hysteresis"))
def test_evcc_hysteresis(row: Mapping[str, Any], *, charging: bool) -> None:
    """Starting and stopping: 100 V, three fixed phases, nothing offered, 60 s both ways; `enabled` as the row says."""
    settings = Settings(
        enable_delay_s=60.0,
        disable_delay_s=60.0,
        enable_threshold_w=row["en_thr"],
        disable_threshold_w=row["dis_thr"],
        volts=100.0,
    )
    timers = Timers()
    for sample in row["series"]:
        seen = Situation(site_w=sample["site_w"], charging=charging, enabled=row["enabled"])
        amps, to, timers = update(settings, Phases(fixed=3, told=3), seen, timers, sample["t_s"])
        assert (amps, to) == (sample["expect_a"], None), sample


@pytest.mark.parametrize("told", [0, 3])
@pytest.mark.parametrize("row", rows("pv_after_phase_switch"))
def test_evcc_current_around_a_switch(row: Mapping[str, Any], told: int) -> None:
    """The row says "three phases assumed active": unknown or told, it is the same."""
    settings = Settings(disable_delay_s=60.0, volts=100.0)
    timers = Timers()
    for sample in row["series"]:
        seen = Situation(site_w=sample["site_w"], charging=True, enabled=True)
        amps, _, timers = update(settings, Phases(told=told), seen, timers, sample["t_s"])
        assert amps == sample["expect_a"], sample


@pytest.mark.parametrize("row", rows("phases"))
def test_evcc_phases(row: Mapping[str, Any]) -> None:
    """What is known of the phases decides how many count and whether a switch could help."""
    phases = Phases(
        fixed=row["charger_fixed_phases"],
        told=row["set_phases"],
        vehicle=row["vehicle_phases"],
        measured=row["measured_phases"],
    )
    may = ("d" if phases.may_fall else "") + ("u" if phases.may_rise else "")
    expected = (row["active"], row["max"], row["min"], row["may_scale"])
    assert (phases.active, phases.most, phases.least, may or "-") == expected


@pytest.mark.parametrize("row", rows("phase_timer"))
def test_evcc_phase_timer(row: Mapping[str, Any]) -> None:
    """When phases are switched.

    Rows with the timer "-" do not say whether it runs: both an idle one and one just started are tried.
    """
    timers: Mapping[str, tuple[float | None, ...]] = {
        "-": (None, NOW),
        "idle": (None,),
        "just started": (NOW,),
        "elapsed": (NOW - 60.0, ELAPSED),
        "elapsed (disabled)": (NOW - 60.0, ELAPSED),
        "not charging": (None,),
    }
    for timer in timers[row["timer"]]:
        to, _ = scale(
            Settings(enable_delay_s=60.0, disable_delay_s=60.0),
            Phases(told=row["set"], measured=row["measured"]),
            Situation(site_w=row["site_w"], charging=row["charging"], enabled=row["enabled"]),
            timer,
            NOW,
        )
        assert to == {"none": None, "to1": 1, "to3": 3}[row["action"]]
        assert (to or row["set"]) == row["phases_after"]


@pytest.mark.parametrize("row", [row for row in rows("mode_table") if row.values[0].get("mode", "pv") == "pv"])
def test_evcc_modes(row: Mapping[str, Any]) -> None:
    """One phase, on at 6 A, no delays, 0 W; of the table only mode "pv" is played here."""
    car = {"A": CarSays.NO_CAR, "B": CarSays.WAITING, "C": CarSays.CHARGING}[row["status"]]
    drawn = 6.0 if car is CarSays.CHARGING else 0.0
    loadpoint = Loadpoint(BoxModel(key="a", wired=1), Settings(enable_delay_s=0.0, disable_delay_s=0.0))
    view = BoxView(at=NOW, car=car, holding=False, setting_a=6.0, phases=1, currents_a=(drawn, 0.0, 0.0))
    order = loadpoint.update(NOW, view, row["site_w"])
    assert (order.charge, order.amps) == {"disable": (False, 0.0), "keep 6": (True, 6.0)}[row["expect"]]


@pytest.mark.parametrize("row", rows("battery_priority"))
def test_evcc_battery_priority(row: Mapping[str, Any]) -> None:
    """Below 50 % the battery comes first; the table's adjustment is what that takes from the site power."""

    def power(priority_soc: float) -> float:
        return site_power(
            grid_w=0.0,
            battery_w=row["batt_w"],
            soc=row["soc"],
            priority_soc=priority_soc,
            excess_dc_w=row["excess_dc_w"],
        )

    assert power(50.0) == row["site_power"]
    assert power(0.0) - power(50.0) == row["priority_adjustment"]


# ---- evcc as a whole


def test_evcc_starts_from_what_the_car_draws() -> None:
    """A car that draws less than offered is taken at its draw and 2 A."""
    seen = Situation(site_w=0.0, drawn_a=9.0, offered_a=16.0, charging=True)
    assert effective_current(seen) == 11.0
    assert effective_current(replace(seen, drawn_a=15.0)) == 16.0
    assert effective_current(replace(seen, charging=False)) == 0.0


def test_evcc_switch_to_three_phases_divides_the_current() -> None:
    """After the switch up 16 A on one phase start from 5.33 A on three."""
    seen = Situation(site_w=-500.0, charge_w=3680.0, drawn_a=16.0, offered_a=16.0, charging=True, enabled=True)
    amps, to, _ = update(Settings(), Phases(told=1, measured=1), seen, Timers(phase=ELAPSED), NOW)
    assert to == 3
    assert amps == pytest.approx((3680.0 + 500.0) / 690.0)


def test_evcc_serves_a_new_car_at_once_and_the_next_start_after_its_delay() -> None:
    """Plugging in lets the timer be over; without that the surplus has to stay for 60 s."""
    policy = Evcc(plain_site("a"), 30)
    view = waiting()
    assert policy.step(START, seen(START, -1500.0, a=view))["a"] == Order(charge=True, amps=6.0, phases=1)
    policy = Evcc(plain_site("a"), 30)
    assert not policy.step(START, seen(START, 500.0, a=view))["a"].charge
    started = [second for second in range(1, 200) if _on(policy.step(START + second, seen(START, -1500.0, a=view)))]
    assert started[0] == 90


def _on(orders: Mapping[str, Order]) -> bool:
    return any(order.charge for order in orders.values())


def test_evcc_serves_one_loadpoint_per_interval() -> None:
    """Three chargers: each has its turn every third interval; a lost one loses its turn."""
    policy = Evcc(plain_site("a", "b", "c"), 10)
    views = {key: waiting() for key in "abc"}
    views["b"].online = False
    told = {}
    for second in range(60):
        for key in policy.step(START + second, seen(START, 0.0, **views)):
            told[second] = key
    assert told == {0: "a", 20: "c", 30: "a", 50: "c"}


def test_evcc_does_not_switch_again_within_a_minute() -> None:
    """A switch of phases is followed by 60 s without another one."""
    policy = Evcc(plain_site("a"), 10, enable_delay_s=0.0, disable_delay_s=0.0)
    view = waiting(phases=1)
    phases = []
    for second in range(0, 120, 10):
        surplus = 5000.0 if second == 0 else 2000.0
        phases.append(policy.step(START + second, seen(START, -surplus, a=view))["a"].phases)
    assert phases == [3] * 6 + [1] * 6


# ---- closed loops


@pytest.mark.parametrize("make", [lambda site: Evcc(site, 30), lambda site: Evcc(site, 10), Warp])
def test_peers_settle_on_a_constant_sun(make: Any) -> None:
    """5 kW: 7 A on three phases is the most without import; nobody takes more for long, nobody stops."""
    course = run(steps((1800, 5000.0)), plain_site("a"), make)
    late = course.car_w[1200:]
    assert 4140.0 <= min(late) <= 4830.0 <= max(late) <= 5520.0
    assert not times(course, "stop")
    assert sum(late) / len(late) == pytest.approx(4830.0, abs=250.0)


def test_evcc_rounds_down() -> None:
    """2,000 W are 8.7 A on one phase: 8 A, exactly, without any import."""
    course = run(steps((900, 2000.0)), plain_site("a"), lambda site: Evcc(site, 10))
    assert set(course.car_w[300:]) == {8 * VOLTS}


def test_peers_are_reproducible() -> None:
    """The same day twice is the same course."""
    for make in (Warp, Evcc):
        maker: type[PvPolicy] = make
        first, second = (run(random_day(4, 7200), plain_site("a"), maker) for _ in range(2))
        assert first.car_w == second.car_w
        assert first.moments == second.moments
