"""What "Download diagnostics" gives, and that no secret is in it."""

import json
import threading
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.control import Configuration
from custom_components.pv_load_manager.control.distribution import replay
from custom_components.pv_load_manager.coordinators.distribution import Excerpt
from custom_components.pv_load_manager.coordinators.documents import WITHOUT_MEANING, plain
from custom_components.pv_load_manager.shared import SHARED
from simulator import SECRET_MARK, BatteryConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig
from simulator.wattpilot_status import _FIXED

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, eventually

PASSWORD = "correct-horse-battery"

STATE = {"config_error_flags", "external_control"}
LOW_LEVEL = {
    "power_at_meter",
    "power_at_meter_filtered",
    "power_available",
    "power_available_filtered",
    "overall_min_power",
    "threshold_3to1",
    "threshold_1to3",
    "charge_manager_available_current",
    "charge_manager_allocated_current",
    "max_current_limited",
    "uptime_past_hysteresis",
    "is_3phase",
    "wants_3phase",
    "wants_3phase_last",
    "is_on_last",
    "wants_on_last",
    "phase_state_change_blocked",
    "phase_state_change_delay",
    "on_state_change_blocked",
    "on_state_change_delay",
    "charging_blocked",
    "switching_state",
}
"""Every name in the seed's documents ``state`` and ``low_level_state``."""

type Download = dict[str, Any]


async def download(site: Site, client: ClientSessionGenerator, entry: MockConfigEntry) -> Download:
    """Download the diagnostics of an entry as a browser does."""
    return dict(await get_diagnostics_for_config_entry(site.hass, client, entry))


async def charging(site: Site) -> tuple[MockConfigEntry, ...]:
    """Set everything up and let the car charge fast."""
    *others, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(others[1], "reason") == "charging_fast")
    return (*others, manager)


async def test_load_manager(hass: HomeAssistant, site: Site, hass_client: ClientSessionGenerator) -> None:
    """The load manager tells everything that it knows, decided and did."""
    *_, manager = await charging(site)
    data = await download(site, hass_client, manager)
    serial = site.config.chargers[0].serial
    assert data["entry"]["data"]["main_fuse"] == 35
    assert data["settings"]["mode"] == "fast"
    assert data["configuration"]["strategy"]["mode"] == "fast"
    assert data["configuration"]["chargers"][0]["charger_id"] == serial
    assert data["configuration"]["circuits"][0]["limit_a"] == 35.0
    assert data["plan"]["chargers"][serial]["command"] == {"charge": True, "current_a": 16, "phases": 3}
    assert data["plan"]["chargers"][serial]["explanation"]["reason"] == "charging_fast"
    assert data["texts"][serial].startswith("Fast: 16 A")
    assert data["snapshot"]["chargers"][serial]["car"] == "charging"
    assert data["control_state"]["chargers"][serial]["plugged"] is True
    assert data["config_errors"] == []
    log = data["distribution"]
    records = [json.loads(line) for line in log["records"]]
    assert replay(records, log["start"])[serial] == {"charge": True, "current_a": 16, "phases": 3}


async def test_documents_of_the_seed(hass: HomeAssistant, site: Site, hass_client: ClientSessionGenerator) -> None:
    """Both documents have every name of the seed; what is None there has a reason."""
    inverter, _, manager = await charging(site)
    await eventually(lambda: (site.number(inverter, "grid_power") or 0.0) > 3200)
    await eventually(lambda: site.number(manager, "surplus") == pytest.approx(7500, abs=200))
    data = await download(site, hass_client, manager)
    assert data["state"] == {"config_error_flags": 0, "external_control": 1}
    assert data["state"].keys() == STATE
    state = data["low_level_state"]
    assert state.keys() == LOW_LEVEL
    assert {name for name, value in state.items() if value is None} == set(WITHOUT_MEANING)
    flow = site.home.home.flow
    assert state["power_at_meter"] == pytest.approx(flow.grid_w, abs=400)
    assert state["power_at_meter_filtered"] == pytest.approx(flow.grid_w, abs=400)
    # 8 kW of sun, 500 W of house, and a car whose draw does not count.
    assert state["power_available"] == pytest.approx(7500, abs=400)
    assert state["power_available_filtered"] == pytest.approx(7500, abs=400)
    assert state["overall_min_power"] == 1380
    assert state["charge_manager_available_current"] == 35_000
    assert state["charge_manager_allocated_current"] == 16_000
    assert 34_000 <= state["max_current_limited"] <= 35_000
    assert (state["uptime_past_hysteresis"], state["is_3phase"], state["wants_3phase"]) == (True, True, True)
    assert (state["is_on_last"], state["wants_on_last"]) == (True, True)
    assert (state["on_state_change_blocked"], state["on_state_change_delay"]) == (False, 0)
    assert (state["charging_blocked"], state["switching_state"]) == (0, 0)


async def test_low_level_state_of_an_idle_site(
    hass: HomeAssistant, build_site: BuildSite, hass_client: ClientSessionGenerator
) -> None:
    """At night nothing is on and nothing wants to be; a wish that waits is told with its delay."""
    site = await build_site(HomeConfig(pv=PvConfig(constant_w=0.0), chargers=(ChargerConfig(car=QUICK_CAR),)))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")
    state = (await download(site, hass_client, manager))["low_level_state"]
    assert (state["is_on_last"], state["wants_on_last"], state["is_3phase"]) == (False, False, False)
    assert state["charge_manager_allocated_current"] == 0
    assert state["power_available"] < 0


async def test_charger_and_inverter(
    hass: HomeAssistant, build_site: BuildSite, hass_client: ClientSessionGenerator
) -> None:
    """A charger tells its status, what was written to it and its plan; an inverter tells its parts."""
    site = await build_site(
        HomeConfig(
            pv=PvConfig(constant_w=8000.0),
            house=HouseConfig(constant_w=500.0),
            battery=BatteryConfig(),
            chargers=(ChargerConfig(car=QUICK_CAR),),
            speed=10.0,
        )
    )
    inverter, charger, _ = await charging(site)
    data = await download(site, hass_client, charger)
    assert data["connection"] == "connected"
    assert data["managed"] is True
    assert data["status"]["amp"] == 16
    assert data["reading"]["setting_a"] == 16
    assert data["plan"]["command"]["current_a"] == 16
    assert data["pacing"]["target"]["amp"] == 16
    assert set(data["pacing"]["written"]) <= {"amp", "frc", "psm", "lmo", "fup"}
    assert data["settings"]["former"]
    data = await download(site, hass_client, inverter)
    assert data["data"]["pv"]["power_w"] > 5000
    assert 0.0 <= data["data"]["battery"]["state_of_charge"] <= 100.0
    assert data["data"]["grid"]["currents_a"][2] is not None
    assert data["has_battery"] is True


async def test_no_secret(
    hass: HomeAssistant, build_site: BuildSite, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No password, key, token, network, card, name or address of a charger or an entry is in any download."""
    inverter = {"label": f"{SECRET_MARK}-roof", "commonName": f"{SECRET_MARK}-pilot", "ip": "192.0.2.10"}
    monkeypatch.setitem(_FIXED, "cci", inverter)
    site = await build_site(sunny(ChargerConfig(name=f"{SECRET_MARK}-owner", password=PASSWORD, car=QUICK_CAR)))
    entries = await charging(site)
    raw = hass.data[SHARED].chargers[site.config.chargers[0].serial].client.status.raw
    assert SECRET_MARK in str(raw)
    for entry in entries:
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "api_key": f"{SECRET_MARK}-api-key", "token": f"{SECRET_MARK}-token"}
        )
        text = json.dumps(await download(site, hass_client, entry))
        assert SECRET_MARK not in text
        assert PASSWORD not in text
        assert "127.0.0.1" not in text
        assert "192.0.2.10" not in text
        assert "**REDACTED**" in text


async def test_large_part_is_made_elsewhere(
    hass: HomeAssistant, site: Site, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is read in another thread, so that it never holds up the chargers."""
    *_, manager = await charging(site)
    threads: list[int] = []
    original = Excerpt.as_dict

    def as_dict(excerpt: Excerpt) -> dict[str, Any]:
        threads.append(threading.get_ident())
        return original(excerpt)

    monkeypatch.setattr(Excerpt, "as_dict", as_dict)
    await download(site, hass_client, manager)
    assert threads
    assert threading.get_ident() not in threads


async def test_when_nothing_works(
    hass: HomeAssistant, site: Site, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are there when they are needed most: the core fails, an entry could not be set up."""
    _, charger, manager = await charging(site)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.LoadManagerCoordinator._snapshot", broken)
    await eventually(lambda: site.value(charger, "reason") == "internal_error")
    data = await download(site, hass_client, manager)
    assert data["plan"]["status"] == "fault"
    assert data["snapshot"]["chargers"][site.config.chargers[0].serial]["car"] == "charging"
    await site.home.chargers[0].stop()
    await hass.config_entries.async_reload(charger.entry_id)
    data = await download(site, hass_client, charger)
    assert data["state"] == "setup_retry"
    assert data["entry"]["data"]["password"] == "**REDACTED**"


def test_plain() -> None:
    """Whatever is in a document can be written as JSON by any writer."""
    document = plain({"configuration": Configuration(), "endless": float("inf"), "names": {"b"}, 3: (1, None)})
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["endless"] is None
    assert document["configuration"]["strategy"]["mode"] == "off"
    assert (document["names"], document["3"]) == (["b"], [1, None])
