"""What the cloud's answers mean: shapes that were captured or documented, and any JSON at all."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.solaredge import cloud_v1, cloud_v2
from custom_components.pv_load_manager.solaredge.cloud_errors import CloudError, CloudNoDataError, CloudNonsenseError
from custom_components.pv_load_manager.solaredge.cloud_models import CloudReading

NOW = datetime(2026, 9, 29, 12, 50, tzinfo=UTC)


def flow(
    *links: tuple[str, str],
    grid: float | None = None,
    pv: float | None = None,
    storage: dict[str, Any] | None = None,
    **more: Any,
) -> CloudReading:
    """Return what a power flow in kW means."""
    body: dict[str, Any] = {
        "updateRefreshRate": 3,
        "unit": "kW",
        "connections": [{"from": source, "to": sink} for source, sink in links],
    }
    if grid is not None:
        body["GRID"] = {"status": "Active", "currentPower": grid}
    if pv is not None:
        body["PV"] = {"status": "Active", "currentPower": pv}
    if storage is not None:
        body["STORAGE"] = storage
    return cloud_v1.parse_power_flow({"siteCurrentPowerFlow": body | more}, NOW)


def test_import() -> None:
    """The grid gives."""
    reading = flow(("GRID", "Load"), ("PV", "Load"), grid=1.6, pv=3.1)
    assert (reading.grid_w, reading.pv_w, reading.battery_w) == (1600.0, 3100.0, None)


@pytest.mark.parametrize(("load", "grid"), [("LOAD", "Grid"), ("LOAD", "GRID"), ("Load", "grid")])
def test_export(load: str, grid: str) -> None:
    """The grid takes, in whatever case its name is written."""
    assert flow(("PV", "Load"), (load, grid), grid=3.6, pv=4.0).grid_w == -3600.0


def test_battery_charges() -> None:
    """Charging is negative."""
    storage = {"status": "Charging", "currentPower": 1.5, "chargeLevel": 55, "critical": False}
    reading = flow(("PV", "Load"), ("PV", "Storage"), ("LOAD", "Grid"), grid=1.0, pv=4.0, storage=storage)
    assert (reading.grid_w, reading.battery_w, reading.state_of_charge) == (-1000.0, -1500.0, 55.0)


@pytest.mark.parametrize("status", ["Discharging", "Active"])
def test_battery_discharges_at_night(status: str) -> None:
    """Discharging is positive; some batteries say nothing but that they are active."""
    storage = {"status": status, "currentPower": 1.36, "chargeLevel": 38, "critical": False}
    pv = {"status": "Idle", "currentPower": 0.0}
    reading = flow(("STORAGE", "Load"), ("GRID", "Load"), grid=0.01, storage=storage, PV=pv)
    assert (reading.grid_w, reading.pv_w, reading.battery_w) == (10.0, 0.0, 1360.0)


def test_nothing_has_no_direction() -> None:
    """Zero is zero without any connection; a power without a direction is not known, never guessed."""
    assert flow(grid=0.0, pv=0.0).grid_w == 0.0
    assert flow(("PV", "Load"), grid=2.0, pv=3.0).grid_w is None
    assert flow(("GRID", "Load"), ("LOAD", "Grid"), grid=2.0).grid_w is None
    assert flow(grid=2.0, connections=None).grid_w is None
    assert flow(grid=2.0, connections=["GRID", {"to": 7}]).grid_w is None


def test_units() -> None:
    """The unit is what the answer says."""
    assert flow(("GRID", "Load"), grid=1600.0, unit="W").grid_w == 1600.0
    assert flow(("GRID", "Load"), grid=0.0016, unit="MW").grid_w == pytest.approx(1600.0)


@pytest.mark.parametrize(
    "part",
    [
        {"status": "Disabled", "currentPower": 1.0},
        {"status": "Active"},
        {"status": "Active", "currentPower": None},
        {"status": "Active", "currentPower": float("nan")},
        {"status": "Active", "currentPower": "much"},
        {"status": "Active", "currentPower": -1.0},
        {"status": "Active", "currentPower": True},
        "Active",
    ],
)
def test_a_part_that_says_nothing(part: object) -> None:
    """What is no power is not known, and the other parts count."""
    reading = flow(("GRID", "Load"), pv=3.0, GRID=part)
    assert (reading.grid_w, reading.pv_w) == (None, 3000.0)
    assert flow(("GRID", "Load"), GRID={"status": "Active", "currentPower": "1.5"}).grid_w == 1500.0


@pytest.mark.parametrize("body", [{"siteCurrentPowerFlow": {}}, {"siteCurrentPowerFlow": None}])
def test_an_empty_flow(body: dict[str, Any]) -> None:
    """A site without a meter, or in an outage."""
    with pytest.raises(CloudNoDataError):
        cloud_v1.parse_power_flow(body, NOW)


def values(*numbers: float | None, unit: str = "W", first: int = 15) -> dict[str, Any]:
    """Return a series of quarters from a quarter past twelve on."""
    start = NOW.replace(minute=first)
    stamps = [(start + timedelta(minutes=15 * index)).isoformat() for index in range(len(numbers))]
    pairs = zip(stamps, numbers, strict=True)
    return {"unit": unit, "values": [{"timestamp": stamp, "value": value} for stamp, value in pairs]}


def test_meters() -> None:
    """Import and export are two series; the quarter under way does not count."""
    body = {"meters": {"M1": {"importPower": values(100.0, 0.0, 9000.0), "exportPower": values(0.0, 2500.0, 0.0)}}}
    grid, production = cloud_v2.parse_meters(body, NOW)
    assert list(grid.values()) == [100.0, -2500.0]
    assert production == {}
    reading = cloud_v2.combine(grid, production, None)
    assert reading is not None
    assert (reading.at, reading.mean_s, reading.grid_w) == (NOW.replace(minute=45), 900.0, -2500.0)


def test_a_meter_that_tells_energy_only() -> None:
    """The energy of a quarter is a quarter of its mean power."""
    meter = {"importEnergy": values(0.0, unit="WH"), "exportEnergy": values(0.75, unit="KWH")}
    grid, _ = cloud_v2.parse_meters({"meters": {"M1": meter}}, NOW)
    assert list(grid.values()) == [-3000.0]


def test_a_production_meter_is_no_grid_meter() -> None:
    """The documented example: the second quarter counts."""
    meter = {"productionEnergy": values(1500, 1620.5, unit="WH"), "productionPower": values(6000, 6480)}
    grid, production = cloud_v2.parse_meters({"meters": {"M-PROD-001": meter}}, NOW)
    assert grid == {}
    reading = cloud_v2.combine(grid, production, None)
    assert reading is not None
    assert (reading.grid_w, reading.pv_w, reading.pv_at) == (None, 6480.0, reading.at)


def test_storage() -> None:
    """Two batteries add up, and a series that is missing is no power; what they charge with is negative."""
    body = {
        "storage": {
            "B1": {"chargePower": values(3000, 2750), "stateOfEnergy": values(60.0, 67.8, unit="PERCENTAGE")},
            "B2": {
                "dischargePower": values(0.5, 0.0, unit="KW"),
                "stateOfEnergy": values(40.0, 32.2, unit="PERCENTAGE"),
            },
        }
    }
    storage = cloud_v2.parse_storage(body, NOW)
    assert storage is not None
    assert list(storage[0].values()) == [-2500.0, -2750.0]
    assert list(storage[1].values()) == [50.0, 50.0]
    assert cloud_v2.parse_storage({"storage": {}}, NOW) is None


def test_parts_of_one_quarter_belong_together() -> None:
    """A battery that sends later than the meter: the last quarter that both know."""
    grid, _ = cloud_v2.parse_meters({"meters": {"M1": {"importPower": values(100.0, 4000.0)}}}, NOW)
    late = cloud_v2.parse_storage({"storage": {"B1": {"dischargePower": values(3900.0)}}}, NOW)
    reading = cloud_v2.combine(grid, {}, late)
    assert reading is not None
    assert (reading.grid_w, reading.battery_w, reading.at) == (100.0, 3900.0, NOW.replace(minute=30))
    gone = cloud_v2.parse_storage({"storage": {"B1": {"dischargePower": values(900.0, first=0)}}}, NOW)
    reading = cloud_v2.combine(grid, {}, gone)
    assert reading is not None
    assert (reading.grid_w, reading.battery_w) == (4000.0, None)


def test_times_without_an_offset_are_the_sites_own() -> None:
    """And a time that is none is no value."""
    item = {"unit": "W", "values": [{"timestamp": "2026-09-29T12:15:00", "value": 5.0}, {"timestamp": 7, "value": 6.0}]}
    assert cloud_v2.parse_power(item, NOW) == {NOW.replace(minute=15): 5.0}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn, body: Any) -> Any:
    """Return an answer in which anything may be anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(ANY_JSON)
    if isinstance(body, dict):
        return {key: draw(mutated(value)) for key, value in body.items() if draw(st.integers(0, 15))}
    if isinstance(body, list):
        return [draw(mutated(value)) for value in body]
    return body


FLOW = {
    "unit": "kW",
    "connections": [{"from": "PV", "to": "Load"}, {"from": "LOAD", "to": "Grid"}],
    "GRID": {"status": "Active", "currentPower": 3.6},
    "PV": {"status": "Active", "currentPower": 4.0},
    "STORAGE": {"status": "Charging", "currentPower": 1.5, "chargeLevel": 55},
}
SERIES = {
    "meters": {"M1": {"importPower": values(1.0, 2.0), "exportEnergy": values(3.0, unit="WH")}},
    "storage": {"B1": {"chargePower": values(1.0), "stateOfEnergy": values(50.0, unit="PERCENTAGE")}},
    **values(4.0, 5.0),
}


def check(reading: CloudReading | None) -> None:
    """Check that every figure is one."""
    if reading is not None:
        figures = (reading.grid_w, reading.pv_w, reading.battery_w, reading.state_of_charge)
        assert all(figure is None or isfinite(figure) for figure in figures)
        assert reading.at <= NOW


@given(body=mutated({"siteCurrentPowerFlow": FLOW, "details": {"name": "x", "location": {"timeZone": "UTC"}}}))
@settings(max_examples=1000, deadline=None)
def test_any_answer_of_version_1(body: Any) -> None:
    """A reading or one of our own errors."""
    if isinstance(body, dict):
        for parse in (lambda: cloud_v1.parse_power_flow(body, NOW), lambda: cloud_v1.parse_site(body, "1")):
            try:
                result = parse()
            except CloudError as error:
                assert isinstance(error, CloudNoDataError | CloudNonsenseError)  # noqa: PT017
            else:
                check(result if isinstance(result, CloudReading) else None)


@given(body=mutated(SERIES))
@settings(max_examples=1000, deadline=None)
def test_any_answer_of_version_2(body: Any) -> None:
    """A reading, nothing, or one of our own errors."""
    if isinstance(body, dict):
        cloud_v2.parse_site(body, "1")
        try:
            grid, production = cloud_v2.parse_meters(body, NOW)
            storage = cloud_v2.parse_storage(body, NOW)
        except CloudNonsenseError:
            return
        check(cloud_v2.combine(grid, production or cloud_v2.parse_power(body, NOW), storage))
