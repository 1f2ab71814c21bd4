"""What a charger says of itself: its trouble, its limits, its start, and who answers in its place."""

from datetime import datetime

from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest

from custom_components.pv_load_manager.tables.figures import SteadyTotal
from simulator import ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, eventually

TOTAL = 2_680_000.0


@pytest.mark.usefixtures("all_enabled")
async def test_error(site: Site) -> None:
    """An error is a problem with a name; one that nobody documented stays readable as its code."""
    charger = site.charger_entry()
    await site.set_up(charger)
    assert site.value(charger, "problem", "binary_sensor") == "off"
    assert site.value(charger, "error") == "none"
    real = site.home.chargers[0].charger
    real.error = 1
    await eventually(lambda: site.value(charger, "problem", "binary_sensor") == "on")
    await eventually(lambda: site.value(charger, "error") == "residual_current_ac")
    await eventually(lambda: site.value(charger, "model_status") == "error")
    real.error = 14
    await eventually(lambda: site.value(charger, "error") == "unknown_code")
    assert site.state("sensor", charger, "error").attributes["code"] == 14
    real.error = 0
    await eventually(lambda: site.value(charger, "problem", "binary_sensor") == "off")


@pytest.mark.usefixtures("all_enabled")
async def test_limits(site: Site) -> None:
    """The limits are shown one by one, and what they come to."""
    charger = site.charger_entry()
    await site.set_up(charger)
    shown = {key: site.number(charger, key) for key in ("current_limit", "cable_limit", "temperature_limit")}
    assert shown == {"current_limit": 16, "cable_limit": 20, "temperature_limit": 32}
    site.home.chargers[0].charger.temperature_current = 10
    await eventually(lambda: site.number(charger, "current_limit") == 10)
    await eventually(lambda: site.number(charger, "temperature_limit") == 10)
    assert site.number(charger, "temperature") == 35
    assert site.value(charger, "cable_lock") == "locked"
    assert site.value(charger, "connection") == "local"
    assert -80 < (site.number(charger, "signal_strength") or 0) < -60


@pytest.mark.usefixtures("all_enabled")
async def test_last_restart(build_site: BuildSite) -> None:
    """The start of a charger does not jitter with its uptime, and changes when it starts again."""
    site = await build_site(sunny(speed=1.0))
    charger = site.charger_entry()
    await site.set_up(charger)
    server = site.home.chargers[0]
    first = site.value(charger, "last_restart")
    assert datetime.fromisoformat(first).tzinfo is not None
    before = server.charger.now
    await eventually(lambda: server.charger.now > before + 2.5)
    assert site.value(charger, "last_restart") == first
    server.charger.booted_at = server.charger.now - 5
    await eventually(lambda: site.value(charger, "last_restart") != first)


@pytest.mark.usefixtures("all_enabled")
async def test_flex_has_no_entity_for_what_it_lacks(build_site: BuildSite, entity_registry: er.EntityRegistry) -> None:
    """It has no lock of its cable and, on Ethernet, no Wi-Fi; the limit of its cable it has."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, flex=True, auth="bcrypt")))
    charger = site.charger_entry()
    await site.set_up(charger)
    serial = site.config.chargers[0].serial
    known = {entry.unique_id for entry in entity_registry.entities.values()}
    assert {f"{serial}_cable_limit", f"{serial}_error", f"{serial}_temperature"} <= known
    assert not {f"{serial}_cable_lock", f"{serial}_signal_strength"} & known
    assert site.number(charger, "temperature") == 35
    assert site.number(charger, "cable_limit") == 20


async def test_a_charger_that_updates_itself(site: Site, device_registry: dr.DeviceRegistry) -> None:
    """Its page shows the firmware that runs, not the one of the day it was set up."""
    charger = site.charger_entry()
    await site.set_up(charger)
    (device,) = dr.async_entries_for_config_entry(device_registry, charger.entry_id)
    assert (device.sw_version, device.hw_version, device.serial_number) == ("42.5", "11 kW", "10000001")
    server = site.home.chargers[0]
    object.__setattr__(server.charger.config, "firmware", "43.4")
    server.drop()
    await eventually(lambda: device_registry.async_get(device.id).sw_version == "43.4")  # type: ignore[union-attr]


async def test_another_charger_at_the_address(site: Site, issue_registry: ir.IssueRegistry) -> None:
    """It gets no command, the user is told who it is, and that is over when the right one is back."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 4000)
    server = site.home.chargers[0]
    server.faults.serial = "10000099"
    server.drop()
    await eventually(lambda: issue_registry.async_get_issue("pv_load_manager", "another_charger_10000001") is not None)
    issue = issue_registry.async_get_issue("pv_load_manager", "another_charger_10000001")
    assert issue is not None
    assert issue.translation_placeholders == {
        "name": "Garage",
        "host": "127.0.0.1",
        "expected": "10000001",
        "found": "10000099",
    }
    assert site.value(charger, "state") == "unavailable"
    writes = len(site.writes())
    server.faults.serial = None
    await eventually(lambda: site.value(charger, "state") == "charging")
    assert issue_registry.async_get_issue("pv_load_manager", "another_charger_10000001") is None
    assert len(site.writes()) >= writes


def test_lifetime_energy_falls_a_little() -> None:
    """After a power failure a charger counts from some Wh earlier; the total waits for it."""
    total = SteadyTotal(None)
    assert total.after(None, 0) is None
    assert total.after(TOTAL, 1) == TOTAL
    for now, value in ((2, TOTAL - 21), (400, TOTAL - 5), (800, TOTAL - 0.4)):
        assert total.after(value, now) == TOTAL
    assert total.after(TOTAL + 3, 900) == TOTAL + 3


@pytest.mark.parametrize("wrong", [0.0, 4_294_967_295.0])
def test_lifetime_energy_leaps(wrong: float) -> None:
    """What cannot be is not shown, unless it lasts: then the meter was replaced or reset."""
    total = SteadyTotal(TOTAL)
    assert total.after(TOTAL + 40_000, 1) == TOTAL + 40_000
    assert total.after(wrong, 2) == TOTAL + 40_000
    assert total.after(TOTAL + 40_001, 3) == TOTAL + 40_001
    assert total.after(None, 4) == TOTAL + 40_001
    for now in range(10, 310, 10):
        assert total.after(wrong + now, now) == TOTAL + 40_001
    assert total.after(wrong + 310, 310) == wrong + 310
    assert total.after(wrong + 311, 311) == wrong + 311
