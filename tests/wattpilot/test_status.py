"""The typed view of a status, above all of a bad one."""

import inspect
import json
import math
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.pv_load_manager.wattpilot import MODEL_STATUS_NAMES, SECRET_KEYS, CarState, WattpilotStatus
from custom_components.pv_load_manager.wattpilot.parsing import flag, text

from .scripted import SECRET

NRG = [237.46, 234.67, 234.98, 1.55, 8.55, 8.66, 8.70, 2010.5, 2001.9, 2022.0, 0, 6034.4, 99.0, 98.5, 98.9, 100]
PROPERTIES = [name for name, item in inspect.getmembers(WattpilotStatus) if isinstance(item, property)]


def status(**values: Any) -> WattpilotStatus:
    """Return a status with some keys."""
    return WattpilotStatus.of(values)


def test_everything_is_read() -> None:
    """Each key ends up in its property."""
    found = status(
        sse="123", fna="Garage", fwv="42.5", grp="Home 11 J", car=2, frc=1, amp=10, ama=16, psm=2, lmo=3, fup=False,
        alw=True, modelStatus=23, err=0, nrg=NRG, wh=1.5, eto=2680803, rbt=237120167, rbc=48, psmd=10000,
        pha=[False, False, False, True, True, True], tma=[None, 35, 36.5], acu=9, fsp=False,
    )  # fmt: skip
    assert (found.serial, found.name, found.firmware, found.model) == ("123", "Garage", "42.5", "Home 11 J")
    assert (found.car_state, found.car_raw, found.force_state, found.amp, found.ama) == (
        CarState.CHARGING,
        2,
        1,
        10,
        16,
    )
    assert (found.phase_mode, found.logic_mode, found.pv_surplus_enabled, found.allowed) == (2, 3, False, True)
    assert (found.model_status, found.model_status_name, found.error_code) == (23, "phase_switch", 0)
    assert found.voltages == (237.46, 234.67, 234.98)
    assert found.currents == (8.55, 8.66, 8.70)
    assert found.powers == (2010.5, 2001.9, 2022.0)
    assert (found.power_w, found.phases_in_use, found.session_energy_wh) == (6034.4, 3, 1.5)
    assert (found.lifetime_energy_wh, found.uptime_ms, found.reboot_count) == (2680803, 237120167, 48)
    assert (found.phase_switch_pause_ms, found.temperature, found.offered_current_a) == (10000, 36.5, 9)
    assert found.pha == (False, False, False, True, True, True)
    assert found.single_phase_forced is False


def test_nothing_is_known_of_an_empty_status() -> None:
    """Absent keys are not known, which is not the same as zero."""
    found, counted = status(), {"phases_in_use", "hears_inverter", "switches_phases"}
    for name in PROPERTIES:
        value = getattr(found, name)
        assert value in (None, CarState.UNKNOWN, (None, None, None)) or name in counted, name
    assert found.phases_in_use == 0
    assert not found.hears_inverter
    assert not found.switches_phases
    assert status(fbuf_pGrid=-1520.5).hears_inverter
    assert status(modelStatus=23).switches_phases


def test_fallbacks_of_names() -> None:
    """The factory name and the device type stand in for missing ones."""
    found = status(ffna="Wattpilot_1", typ="wattpilot_V2", sse=123, tmp=20)
    assert (found.name, found.model, found.serial, found.temperature) == ("Wattpilot_1", "wattpilot_V2", "123", 20)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, "unknown"),
        (1, "no_car"),
        (3, "waiting"),
        (4, "complete"),
        (5, "error"),
        (6, "initialising"),
        (99, "unknown"),
    ],
)
def test_car_states(code: int, state: str) -> None:
    """Every documented code has a name, any other is unknown but stays readable."""
    assert status(car=code).car_state == state
    assert status(car=code).car_raw == code


def test_unknown_model_status_keeps_its_code() -> None:
    """A code of a future firmware is shown as such."""
    assert status(modelStatus=77).model_status_name == "unknown_77"
    assert status(modelStatus=12).model_status_name == "pv_surplus"
    assert len(MODEL_STATUS_NAMES) == 40


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        ({"ama": 16}, 16),
        ({"ama": 32, "cll": {"currentLimitMax": 32, "requestedCurrent": 6, "pvSurplus": 6}}, 32),
        ({"ama": 32, "cll": {"temperatureCurrentLimit": 10.9}}, 10),
        ({"ama": 32, "cll": {"cableCurrentLimit": 20, "adapterCurrentLimit": 16}}, 16),
        ({"ama": 32, "cll": {"cableCurrentLimit": 0}}, 32),
        ({"ama": 32, "cll": {"unsymetryCurrentLimit": 20}}, 20),
        ({"ama": 32, "cll": {"loadLimit": 8}}, 8),
        ({"ama": 32, "cll": {"accessControl": 0}}, 0),
        ({"ama": 32, "cll": {"accessControl": None, "loadLimit": "x", "temperatureCurrentLimit": -3}}, 32),
        ({"ama": 32, "cll": [1]}, 32),
        ({"ama": 32, "cbl": 20}, 20),
        ({"ama": 32, "cbl": None, "amt": 13}, 13),
        ({"var": 11}, 16),
        ({"var": 22}, 32),
        ({"var": 99}, None),
        # Home 11 J, Home 22 J with a cable for 20 A, Go 22 J at a 16 A socket, and one that is too warm
        ({"var": 11, "ama": 32, "adi": True, "cll": {"currentLimitMax": 32}}, 16),
        ({"var": 22, "ama": 32, "adi": False, "cbl": 20, "amt": 32}, 20),
        ({"var": 22, "ama": 32, "adi": True, "cll": {"adapterCurrentLimit": 16}}, 16),
        ({"var": "22", "ama": "32", "amt": 12}, 12),
        ({}, None),
    ],
)
def test_current_limit(values: dict[str, Any], limit: int | None) -> None:
    """Hard limits count, wishes do not."""
    assert WattpilotStatus.of(values).current_limit_a == limit


def test_absurd_measurements_are_not_known() -> None:
    """Numbers that cannot be are dropped one by one."""
    found = status(nrg=[1e9, "23x", None, 0, 2000.0, math.nan, 7, math.inf, True, 5, 0, 1e7])
    assert found.voltages == (None, None, None)
    assert found.currents == (None, None, 7)
    assert found.powers == (None, None, 5)
    assert found.power_w is None
    assert status(nrg=[230]).voltages == (230, None, None)
    assert status(amp=10**400, eto=-1, wh="1").amp is None


def test_phases_in_use_needs_more_than_noise() -> None:
    """One ampere is noise."""
    assert status(nrg=[230, 230, 230, 0, 16, 0.9, 1.0]).phases_in_use == 1


def test_what_a_charger_says_about_itself() -> None:
    """Firmware, limits, energies, radio, lock and access end up in their properties."""
    found = status(
        fwv="42.5", onv="42.10", amt=32, cbl=20, adi=True, err=9, whs=9356.1, whb=34.3, whg=0.03, who=-1.5e-07,
        wh_mid=9390, eto_mid=5000, etop=2680790, rssi=-71, fhz=49.96, su=False, trx=0, acs=1, cus=3, var=22,
        cll={"adapterCurrentLimit": 16, "cableCurrentLimit": 32, "temperatureCurrentLimit": 10},
    )  # fmt: skip
    assert (found.newest_firmware, found.update_available, found.variant_kw) == ("42.10", True, 22)
    assert (found.temperature_limit_a, found.cable_limit_a, found.adapter_limit_a, found.adapter_in_use) == (
        32,
        20,
        16,
        True,
    )
    assert (found.error_code, found.error_name) == (9, "contactor_stuck")
    assert (found.session_solar_wh, found.session_battery_wh, found.session_grid_wh) == (9356.1, 34.3, 0.03)
    assert found.session_other_wh == 0
    assert (found.session_mid_wh, found.lifetime_mid_wh, found.lifetime_saved_wh) == (9390, 5000, 2680790)
    assert (found.rssi_dbm, found.frequency_hz, found.simulates_unplug) == (-71, 49.96, False)
    assert (found.transaction, found.access_name, found.cable_lock_name) == (0, "authorisation", "locked")


def test_limits_of_a_flex() -> None:
    """A Flex has no key of its own for the cable, and 0 means that none is plugged in."""
    assert status(cll={"cableCurrentLimit": 32, "temperatureCurrentLimit": 13}).cable_limit_a == 32
    assert status(cll={"temperatureCurrentLimit": 13}).temperature_limit_a == 13
    assert status(cbl=0, cll={"cableCurrentLimit": 0}).cable_limit_a is None
    assert status(var=22, ama=32, adi=True, cll={"adapterCurrentLimit": 32}).current_limit_a == 32


@pytest.mark.parametrize(
    ("code", "name"), [(0, "none"), (1, "residual_current_ac"), (11, "error_11"), (12, "error_12"), (99, "error_99")]
)
def test_errors_are_named_where_the_tables_agree(code: int, name: str) -> None:
    """A code on which two published tables contradict each other keeps its number."""
    assert status(err=code).error_name == name


def test_unknown_codes_stay_readable() -> None:
    """What future firmware invents is shown with its number."""
    found = status(cus=9, acs=7)
    assert (found.cable_lock_name, found.access_name) == ("unknown_9", "unknown_7")


@pytest.mark.parametrize(
    ("installed", "newest", "available"),
    [
        ("42.5", "42.5", False),
        ("42.5", "43.4", True),
        ("42.10", "42.5", False),
        ("43.4", "43.4-RC1", None),
        (42, "x", None),
        ("42.5", None, None),
        ("42.5", "", None),
        ("4²", "43", None),
    ],
)
def test_update_available(installed: Any, newest: Any, available: bool | None) -> None:
    """Versions are compared as numbers; what is none is not compared."""
    assert status(fwv=installed, onv=newest).update_available is available


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("16", 16),
        ("16.0", 16),
        ("+6", 6),
        ("1.6e1", 16),
        ("NaN", None),
        ("Infinity", None),
        ("1e999", None),
        ("", None),
        ("16 A", None),
        ("0x10", None),
        ("1_0", None),
        ("١٦", None),
        ("9" * 5000, None),
        (math.nan, None),
        (math.inf, None),
        (-16, None),
        (10**400, None),
        ([16], None),
        (True, None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_numbers_sent_as_text(sent: Any, read: int | None) -> None:
    """A quoted number is one where there is no doubt; nonsense is not known."""
    assert status(amp=sent).amp == read
    assert status(ama=sent).current_limit_a == read


def test_flags_and_texts() -> None:
    """0 and 1 are truth values, other numbers are not; unprintable characters go."""
    assert [flag(item) for item in (True, 0, 1, 2, "x", None, "true", "0")] == [
        True, False, True, None, None, None, True, False,
    ]  # fmt: skip
    assert [text(item) for item in ("Ga\x00rage\ud800", "\n", "", None, 5, True)] == [
        "Garage",
        None,
        None,
        None,
        "5",
        None,
    ]
    assert status(pha=[True, True]).pha is None
    assert status(pha=[True] * 5 + ["x"]).pha is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=18) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)
KEYS = st.sampled_from(
    [
        *("amp", "ama", "car", "nrg", "cll", "pha", "tma", "var", "modelStatus", "rbt", "fna", "wifis", "x", "fwv"),
        *("onv", "err", "cus", "acs", "trx", "su", "adi", "amt", "cbl", "rssi", "fhz", "wh", "whs", "who", "alw"),
    ]
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON))
def test_no_status_ever_raises(values: dict[str, Any]) -> None:
    """Whatever a charger sends, every property and the redacted form can be read."""
    found = WattpilotStatus.of(values)
    for name in PROPERTIES:
        getattr(found, name)
    json.dumps(found.redacted(), allow_nan=False)


def test_status_is_immutable_and_does_not_show_its_secrets() -> None:
    """Neither the source nor the view can change it, and its representation is empty of content."""
    source = {"wak": SECRET, "amp": 6}
    found = WattpilotStatus.of(source)
    source["amp"] = 32
    assert found.amp == 6
    with pytest.raises(TypeError):
        found.raw["amp"] = 32  # type: ignore[index]
    assert SECRET not in repr(found)
    assert SECRET not in str(found)


def test_redacted_has_no_secret() -> None:
    """Secret keys, nested ones, patterns and links with credentials lose their values; the rest stays."""
    values: dict[str, Any] = dict.fromkeys(SECRET_KEYS, SECRET)
    values |= {
        "c0n": SECRET, "c12i": SECRET, "ocppfck": SECRET, "ocppfu": SECRET, "newPassword": SECRET, "apiToken": SECRET,
        "nested": {"a": [{"key": SECRET, "fine": 1}]}, "link": f"https://u:{SECRET}@h/", "export": f"https://h/x?e={SECRET}",
        "amp": 16, "cch": "#00FFFF", "cak": None, "nan": math.nan, "list": [1, math.inf], "c0e": 5, "pha": [True],
    }  # fmt: skip
    found = WattpilotStatus.of(values).redacted()
    assert SECRET not in json.dumps(found, allow_nan=False)
    assert (found["amp"], found["cch"], found["cak"], found["nan"], found["c0e"]) == (16, "#00FFFF", None, None, 5)
    assert found["nested"] == {"a": [{"key": "**REDACTED**", "fine": 1}]}
    assert found["list"] == [1, None]
    assert SECRET in json.dumps(values["wak"])


def test_endless_nesting_is_cut() -> None:
    """A status that nests for ever is not followed for ever."""
    values: Any = 1
    for _ in range(5000):
        values = [values]
    assert "REDACTED" in json.dumps(status(x=values).redacted())
