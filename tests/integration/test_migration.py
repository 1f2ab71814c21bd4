"""What earlier versions stored is read and kept, what later ones stored is left alone, and damage stops nobody."""

from collections.abc import Mapping
from datetime import timedelta
import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.util import dt as dt_util
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.shared import SHARED

from .site import Site, configuration, eventually
from .test_ledger import write_now
from .test_ledger_files import ours, storage

SERIAL = "10000001"
SITE = {
    "target_grid_power_w": -250.0,
    "maximum_total_current_a": 20.0,
    "guaranteed_power_w": 1500.0,
    "minimum_current_a": 7.0,
    "mode": "min_pv",
}
FORMER = {"lmo": 4, "fup": True, "frc": 0, "psm": 0, "amp": 16}
CHARGER = {"former": FORMER, "max_current_a": 11, "mode": "fast"}
CONTROL = {"full": False, "plugged": True, "car_phases": None, "reserved_a": 9.0, "phases_switched_age": None}
LATER_CONTROL = CONTROL | {
    "energy_wh": 3.4,
    "first_line": None,
    "plugged_age": None,
    "served_age": 2.1,
    "waiting_age": None,
    "declined_age": None,
    "fuse_stop_ages": [],
    "regrets": [0.0, 0.0, 0.0],
    "error_wh": 0.0,
    "command": [True, 9, 3],
    "changed_age": 0.5,
    "surplus_command_age": 0.5,
    "charging_age": 1.9,
    "idle_age": None,
    "less_age": None,
    "demand_a": None,
    "mode": "fast",
    "starts_today": 1,
    "switches_today": 0,
    "override": {"current_a": 9, "source": "user", "until": None, "energy_wh": None},
}
PEAK = {
    "quarter": 1994762,
    "imported_j": 119,
    "covered_s": 2.0,
    "month": "2026-11",
    "month_peak_w": 0.0,
    "cap_w": None,
    "grid_age": 0.9,
    "house": {"days": []},
}
OPTIONS = {
    "managed": True,
    "circuit": "root",
    "wired_phases": "3",
    "rotation": "l2_l3_l1",
    "vehicle": "none",
    "limit_current_without_ha": False,
    "current_without_ha": 6.0,
}


def later_control(saved_at: float) -> dict[str, Any]:
    """Return the state of the control core since it remembers overrides and peaks."""
    return {
        "chargers": {SERIAL: LATER_CONTROL},
        "day": 739941,
        "peak": PEAK,
        "stepped_age": 0.2,
        "surplus": [[2.2, 7500.0]],
        "lively": {"age": 2.2, "mean_w": 7500.0, "spread_w": 0.0},
        "saved_at": saved_at,
    }


def with_sessions(**more: Any) -> dict[str, Any]:
    """Return what is remembered of a charger since its sessions are followed."""
    now = dt_util.utcnow()
    sessions = {
        "session": {
            "began": (now - timedelta(minutes=10)).isoformat(),
            "ended": None,
            "energy_wh": 37.4,
            "solar_wh": 36.2,
            "battery_wh": 0.0,
            "grid_wh": 0.2,
            "peak_w": 7589.6,
            "charging_s": 20.0,
            "watched": False,
        },
        "seen": {
            "plugged": True,
            "charging": True,
            "charged": True,
            "power_w": 6214.6,
            "session_wh": 37.4,
            "lifetime_wh": 2680840.0,
            "uptime_s": 237023.0,
            "reboots": 48,
            "plugged_at_s": 237000.0,
            "parts_wh": None,
        },
        "seen_at": (now - timedelta(seconds=30)).isoformat(),
    }
    return CHARGER | {"sessions": sessions | more}


def stored(version: str) -> dict[str, Any]:
    """Return the file as an earlier version wrote it."""
    now = dt_util.utcnow().timestamp() - 30
    match version:
        case "first":
            site, charger, rest = SITE | {"available_current_a": 12.0}, CHARGER, {}
            control: dict[str, Any] = {"chargers": {SERIAL: CONTROL}}
        case "overrides":
            site, charger, control, rest = SITE, CHARGER, later_control(now), {}
        case "sessions":
            site, charger, control, rest = SITE, with_sessions(), later_control(now), {"clouds": {}}
        case _:
            site, charger, control = SITE, with_sessions(left_at=None), later_control(now)
            rest = {"clouds": {}, "batteries": [], "grid_slots": {"7E000001": 1}}
    data = {"site": site, "chargers": {SERIAL: charger}, "control": control} | rest
    return {"version": 1, "minor_version": 1, "key": DOMAIN, "data": data}


@pytest.mark.parametrize("version", ["first", "overrides", "sessions", "batteries"])
async def test_what_earlier_versions_stored(
    site: Site, hass_storage: dict[str, Any], caplog: pytest.LogCaptureFixture, version: str
) -> None:
    """Settings, modes, override, session, former values, priority and phases: all is there and in force."""
    real = site.home.chargers[0].charger
    real.write("lmo", 3)
    await eventually(lambda: real.session_wh > 45)
    hass_storage[DOMAIN] = stored(version)
    inverter, manager = site.inverter_entry(), site.manager_entry()
    charger = site.charger_entry(options=OPTIONS | {"phase_policy": "three", "priority": "high"})
    assert {(entry.version, entry.minor_version) for entry in (inverter, charger, manager)} == {(1, 1)}
    await site.set_up(inverter, charger, manager)
    assert {(entry.version, entry.minor_version) for entry in (inverter, charger, manager)} == {(1, 2)}
    assert dict(charger.options) == OPTIONS
    await eventually(lambda: site.value(charger, "state") == "charging")
    told = configuration(site.hass)
    assert told.strategy.mode == "min_pv"
    assert told.strategy.target_grid_power_w == -250
    assert told.strategy.maximum_total_current_a == 20
    assert told.strategy.guaranteed_power_w == 1500
    assert told.strategy.minimum_current_a == 7
    (car,) = told.chargers
    assert (car.mode, car.max_current_a, car.priority, car.phase_policy) == ("fast", 11, 1, "three")
    assert car.rotation == (2, 3, 1)
    assert site.value(charger, "charge_mode", "select") == "fast"
    assert site.value(charger, "priority", "select") == "high"
    shared = site.hass.data[SHARED]
    override = shared.load_manager.override(SERIAL)
    if version == "first":
        assert override is None
        await eventually(lambda: site.settings()["amp"] == 11)
    else:
        assert (override.current_a, override.source) == (9, "user")
        await eventually(lambda: site.settings()["amp"] == 9)
    if version in {"sessions", "batteries"}:
        session = shared.chargers[SERIAL].sessions.session
        assert session.solar_wh >= 36.2
        assert session.energy_wh == pytest.approx(real.session_wh, rel=0.1, abs=8)
        assert session.began < dt_util.utcnow() - timedelta(minutes=9)
    assert not [
        record for record in caplog.records if DOMAIN in record.name and record.levelname in {"WARNING", "ERROR"}
    ]
    await write_now(site.hass)
    found = hass_storage[DOMAIN]["data"]
    assert found["site"].items() >= stored(version)["data"]["site"].items()
    assert found["chargers"][SERIAL].items() >= (CHARGER | {"priority": "high", "phase_policy": "three"}).items()
    assert found["grid_slots"] == {"7E000001": 1}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Keep the files of each test apart."""
    return hass_tmp_config_dir


class TestFiles:
    """With Home Assistant's own files."""

    @pytest.fixture
    def hass_storage(self) -> dict[str, Any]:
        """Let Home Assistant write its files."""
        return {}

    async def test_a_later_version(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Its file stops the integration with Home Assistant's own message, and nothing of it is touched."""
        later = json.dumps({"version": 2, "minor_version": 1, "key": DOMAIN, "data": {"house": {"mode": "fast"}}})
        path = storage(site.hass) / DOMAIN
        path.write_text(later, encoding="utf-8")
        charger, manager = site.charger_entry(), site.manager_entry()
        assert not await site.hass.config_entries.async_setup(charger.entry_id)
        await site.hass.async_block_till_done()
        assert {charger.state, manager.state} <= {ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_ERROR}
        assert "has version 2 which is newer than the max supported version 1" in caplog.text
        assert "Traceback" not in caplog.text
        await write_now(site.hass)
        assert path.read_text(encoding="utf-8") == later
        assert ours(site.hass) == [DOMAIN]
        assert site.home.chargers[0].clients == 0

    @pytest.mark.parametrize(
        ("content", "kept"),
        [
            ({"version": 0, "minor_version": 1, "key": DOMAIN, "data": {}}, "damaged"),
            ({"version": 1, "minor_version": 1, "key": DOMAIN, "data": ["site"]}, "damaged"),
            ({"key": DOMAIN}, "damaged"),
            ([], "damaged"),
            ("{", "corrupt"),
            ("", "corrupt"),
            ("\0\0\0\0", "corrupt"),
        ],
        ids=["older", "other", "bare", "list", "cut", "empty", "zeros"],
    )
    async def test_a_damaged_file(
        self, site: Site, caplog: pytest.LogCaptureFixture, content: object, kept: str
    ) -> None:
        """It is kept aside, the house begins anew, and what comes is written; removal takes both files."""
        folder, text = storage(site.hass), content if isinstance(content, str) else json.dumps(content)
        (folder / DOMAIN).write_text(text, encoding="utf-8")
        _, charger, manager = entries = await site.set_up_all()
        (aside,) = folder.glob(f"{DOMAIN}.{kept}.*")
        assert aside.read_text(encoding="utf-8") == text
        assert str(aside) in caplog.text
        await site.select(manager, "fast")
        await eventually(lambda: site.value(charger, "state") == "charging")
        await write_now(site.hass)
        later = Memory(site.hass)
        await later.async_load()
        assert later.site["mode"] == "fast"
        for entry in entries:
            await site.hass.config_entries.async_remove(entry.entry_id)
        assert ours(site.hass) == []

    @pytest.mark.parametrize(
        ("damage", "left"),
        [
            ({"site": 7}, {"charger": "fast"}),
            ({"chargers": {SERIAL: ["fast"], "10000002": {"mode": "off"}}}, {"site": "min_pv"}),
            ({"chargers": None}, {"site": "min_pv"}),
            ({"control": [1]}, {"site": "min_pv", "charger": "fast"}),
            ({"clouds": {"1_v1": 7}, "batteries": 3}, {"site": "min_pv", "charger": "fast"}),
            ({"grid_slots": {"7E000001": "first"}}, {"site": "min_pv", "charger": "fast"}),
        ],
        ids=["site", "charger", "chargers", "control", "clouds", "slots"],
    )
    async def test_a_damaged_part(self, site: Site, damage: Mapping[str, Any], left: Mapping[str, str]) -> None:
        """What can be read counts, and the whole file is kept aside."""
        folder, content = storage(site.hass), stored("batteries")
        content["data"] |= damage
        text = json.dumps(content)
        (folder / DOMAIN).write_text(text, encoding="utf-8")
        memory = Memory(site.hass)
        await memory.async_load()
        found = {"site": memory.site.get("mode"), "charger": memory.charger(SERIAL).get("mode")}
        assert {key: value for key, value in found.items() if value is not None} == left
        assert [aside.read_text(encoding="utf-8") for aside in folder.glob(f"{DOMAIN}.damaged.*")] == [text]
        await write_now(site.hass)
        again = Memory(site.hass)
        await again.async_load()
        assert again.site == memory.site
        assert len(ours(site.hass)) == 2
