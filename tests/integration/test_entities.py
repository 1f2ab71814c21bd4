"""What the entities show, and what they refuse; which there are is in ``test_snapshots``."""

from dataclasses import replace
from datetime import timedelta
import re

from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import Timings as ControlTimings
from custom_components.pv_load_manager.shared import SHARED
from simulator import BatteryConfig, CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig, Timings

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import CONTROL_TIMINGS, Site, eventually

WITH_BATTERY = HomeConfig(
    pv=PvConfig(constant_w=8000),
    house=HouseConfig(constant_w=500),
    battery=BatteryConfig(soc=0.5, max_charge_w=3000),
    chargers=(ChargerConfig(car=QUICK_CAR),),
    speed=10,
)


@pytest.mark.usefixtures("all_enabled")
async def test_values(build_site: BuildSite) -> None:
    """What the entities show is what happens in the home."""
    site = await build_site(WITH_BATTERY)
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    real = site.home.chargers[0].charger
    await eventually(lambda: site.number(charger, "power") == pytest.approx(real.power_w, rel=0.01))
    home = site.home.home
    battery = home.battery
    assert battery is not None
    await eventually(lambda: site.value(charger, "state") == "charging")
    await eventually(lambda: site.number(inverter, "pv_power") == pytest.approx(home.flow.pv_w, abs=150))
    await eventually(lambda: site.number(inverter, "grid_power") == pytest.approx(home.flow.grid_w, abs=100))
    await eventually(lambda: site.number(inverter, "battery_power") == pytest.approx(home.flow.battery_w, abs=100))
    await eventually(
        lambda: site.number(inverter, "battery_state_of_charge") == pytest.approx(battery.soc * 100, abs=1)
    )

    def phases(owner: MockConfigEntry, key: str) -> list[float | None]:
        return [site.number(owner, f"{key}_l{phase}") for phase in (1, 2, 3)]

    await eventually(lambda: phases(charger, "current") == pytest.approx(list(real.currents), abs=0.2))
    await eventually(lambda: phases(inverter, "grid_current") == pytest.approx(list(home.flow.grid_currents), abs=0.5))
    await eventually(lambda: site.number(charger, "allocated_current") == 16)
    await eventually(lambda: site.number(manager, "allocated_current") == 16)
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    await eventually(lambda: site.value(manager, "state") == "charging")
    await eventually(lambda: site.number(charger, "session_energy") == pytest.approx(real.session_wh / 1000, abs=0.02))
    await eventually(
        lambda: site.number(charger, "lifetime_energy") == pytest.approx(real.lifetime_wh / 1000, abs=0.02)
    )


async def test_silent_charger(site: Site) -> None:
    """A charger that goes silent is unavailable, its reason says why, and everything comes back with it."""
    _, charger, manager = await site.set_up_all()
    site.home.chargers[0].faults.silent = True
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    assert site.value(charger, "power") == "unavailable"
    await eventually(lambda: site.value(charger, "reason") == "unreachable")
    assert "does not answer" in site.state("sensor", charger, "reason").attributes["text"]
    assert site.value(manager, "state") == "fault"
    site.home.chargers[0].faults.silent = False
    await eventually(lambda: site.value(charger, "state") not in {"unavailable", "unknown"})
    await eventually(lambda: site.value(charger, "reason") != "unreachable")


async def test_manual_refresh(site: Site) -> None:
    """A user may ask for an update: a connected charger shows what it says, a silent one stays unavailable."""
    await async_setup_component(site.hass, "homeassistant", {})
    charger = site.charger_entry()
    await site.set_up(charger)
    state = {"entity_id": site.entity_id("sensor", charger, "state")}
    await site.hass.services.async_call("homeassistant", "update_entity", state, blocking=True)
    assert site.value(charger, "state") == "waiting"
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    await site.hass.services.async_call("homeassistant", "update_entity", state, blocking=True)
    assert site.value(charger, "state") == "unavailable"


async def test_stopped_inverter(site: Site) -> None:
    """An inverter that stops to answer is unavailable, and comes back by itself."""
    site.home.chargers[0].unplug()
    inverter, *_ = await site.set_up_all()
    await site.home.inverter.stop()
    await eventually(lambda: site.value(inverter, "grid_power") == "unavailable")
    assert site.value(inverter, "pv_power") == "unavailable"
    await site.home.inverter.start()
    await eventually(lambda: site.number(inverter, "grid_power") == pytest.approx(-7500, abs=50))
    await eventually(lambda: site.number(inverter, "pv_power") is not None)


async def test_part_of_an_inverter(build_site: BuildSite) -> None:
    """Only the part of an inverter that does not answer is unavailable."""
    site = await build_site(WITH_BATTERY)
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    site.home.inverter.faults.broken_blocks = [range(57708, 57736)]
    await eventually(lambda: site.value(inverter, "battery_power") == "unavailable")
    assert site.value(inverter, "battery_state_of_charge") == "unavailable"
    assert site.number(inverter, "grid_power") is not None
    site.home.inverter.faults.broken_blocks = []
    await eventually(lambda: site.number(inverter, "battery_power") is not None)


async def test_lost_meter(site: Site) -> None:
    """A meter that the inverter lost is unknown, not 0."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    site.home.inverter.faults.lost_meter = True
    await eventually(lambda: site.value(inverter, "grid_power") == "unknown")
    assert site.value(inverter, "grid_current_l2") == "unknown"


async def test_reason(site: Site) -> None:
    """The reason has a sentence and its numbers as attributes, which the recorder leaves out."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    state = site.state("sensor", charger, "reason")
    assert state.attributes["allocated_a"] == 16
    assert state.attributes["phases"] == 3
    assert state.attributes["text"] == "Fast: 16 A 3-phase, the most that charger and cable allow."
    assert state.state_info is not None
    assert state.state_info["unrecorded_attributes"] >= {"*"}


async def test_reason_in_german(hass: HomeAssistant, site: Site) -> None:
    """The sentence is in Home Assistant's language."""
    hass.config.language = "de-CH"
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    text = site.state("sensor", charger, "reason").attributes["text"]
    assert text == "Der Lademodus des Hauses ist aus."


async def test_reason_in_another_language(hass: HomeAssistant, site: Site) -> None:
    """Where a language has no texts they are English."""
    hass.config.language = "fi"
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    assert site.state("sensor", charger, "reason").attributes["text"] == "The site's charge mode is off."


async def test_missing_surplus(site: Site) -> None:
    """A car that waits for the sun says how much is missing."""
    _, charger, manager = await site.set_up_all()
    await site.set_number(manager, "target_grid_power", -20000)
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")
    state = site.state("sensor", charger, "reason")
    assert state.attributes["missing_w"] > 10000
    assert f"{state.attributes['missing_w']} W are missing" in state.attributes["text"]
    assert "next_change" not in state.attributes


async def test_countdown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that ends by itself says when."""
    timings = replace(CONTROL_TIMINGS, cloud_windows=(0, 3600, 7200, 14400))
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    _, charger, _ = await site.set_up_all()
    await eventually(lambda: site.value(charger, "reason") == "start_delay")
    attributes = site.state("sensor", charger, "reason").attributes
    told = re.search(r"This can change in (\d+) s\.$", attributes["text"])
    assert told is not None
    left = dt_util.parse_datetime(attributes["next_change"], raise_on_error=True) - dt_util.utcnow()
    assert left.total_seconds() > 30
    assert left.total_seconds() == pytest.approx(int(told[1]), abs=5)


async def test_lifetime_energy_never_falls(build_site: BuildSite) -> None:
    """After a reboot a charger counts from a few Wh earlier; the sensor waits until it has caught up."""
    config = sunny()
    site = await build_site(
        HomeConfig(
            pv=config.pv,
            house=config.house,
            chargers=config.chargers,
            speed=10,
            timings=Timings(reboot_drop_s=1, reboot_down_s=5),
        )
    )
    _, charger, manager = await site.set_up_all()
    real = site.home.chargers[0].charger
    await site.select(manager, "fast")
    await eventually(lambda: real.lifetime_wh - real.saved_wh > 15)
    await site.select(manager, "off")
    await eventually(lambda: real.power_w == 0)
    await eventually(
        lambda: site.number(charger, "lifetime_energy") == pytest.approx(real.lifetime_wh / 1000, abs=1e-3)
    )
    shown = site.number(charger, "lifetime_energy")
    assert shown is not None
    real.reboot()
    await eventually(lambda: site.value(charger, "lifetime_energy") == "unavailable")
    await eventually(lambda: site.number(charger, "lifetime_energy") is not None)
    assert real.lifetime_wh < shown * 1000 - 5
    assert site.number(charger, "lifetime_energy") == shown
    await site.select(manager, "fast")
    await eventually(lambda: (site.number(charger, "lifetime_energy") or 0) > shown)


async def test_lifetime_energy_after_a_restart(site: Site) -> None:
    """The highest value that was ever shown outlives a restart of Home Assistant."""
    charger = site.charger_entry()
    extra = {"native_value": 2680900, "native_unit_of_measurement": "Wh"}
    # What was shown before the sensor was registered would be another one's, and here it is registered anew.
    later = dt_util.utcnow() + timedelta(minutes=1)
    shown = State("sensor.garage_lifetime_energy", "2680.900", {"unit_of_measurement": "kWh"}, last_updated=later)
    mock_restore_cache_with_extra_data(site.hass, ((shown, extra),))
    await site.set_up(charger)
    assert site.number(charger, "lifetime_energy") == pytest.approx(2680.9)


@pytest.mark.parametrize(
    ("key", "refused"),
    [
        ("available_current", (-1, 36, 1000)),
        ("maximum_total_current", (-1, 36)),
        ("minimum_current", (5, 33)),
        ("guaranteed_power", (-1, 30000)),
        ("target_grid_power", (-30000, 30000)),
        ("demand_margin", (0, 10.5)),
        ("start_phase", (9, 601)),
        ("rotation_slot", (0, 1441)),
    ],
)
async def test_number_out_of_range(site: Site, key: str, refused: tuple[float, ...]) -> None:
    """A number out of its range is refused, and nothing changes."""
    manager = site.manager_entry()
    await site.set_up(manager)
    before = site.value(manager, key, "number")
    for value in refused:
        with pytest.raises(ServiceValidationError):
            await site.set_number(manager, key, value)
    assert site.value(manager, key, "number") == before


@pytest.mark.parametrize(
    ("key", "shown", "value", "told"),
    [
        ("demand_margin", 3, 1.5, 1.5),
        ("start_phase", 60, 90, 90),
        ("rotation_slot", 15, 30, 1800),
    ],
)
async def test_how_current_is_passed_on(
    site: Site, monkeypatch: pytest.MonkeyPatch, key: str, shown: float, value: float, told: float
) -> None:
    """Margin, start phase and rotation slot are what the control core works with, from the change on."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", ControlTimings())
    manager = site.manager_entry()
    await site.set_up(manager)

    def core() -> float:
        coordinator = site.hass.data[SHARED].load_manager
        assert coordinator is not None
        config = coordinator.configuration()
        return {
            "demand_margin": config.strategy.demand_margin_a,
            "start_phase": config.timings.start_phase,
            "rotation_slot": config.timings.rotation_slot,
        }[key]

    assert site.number(manager, key, "number") == shown
    await site.set_number(manager, key, value)
    await eventually(lambda: site.number(manager, key, "number") == value)
    assert core() == told
    assert await site.hass.config_entries.async_reload(manager.entry_id)
    assert site.number(manager, key, "number") == value
    assert core() == told


async def test_available_current_stays_below_the_maximum(site: Site) -> None:
    """More than the maximum total current is refused with both values; a lower maximum caps what was accepted."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.set_number(manager, "available_current", 12)
    await eventually(lambda: site.settings()["amp"] == 12)
    await site.set_number(manager, "maximum_total_current", 9)
    await eventually(lambda: site.number(manager, "available_current", "number") == 9)
    await eventually(lambda: site.settings()["amp"] == 9)
    with pytest.raises(ServiceValidationError) as refusal:
        await site.set_number(manager, "available_current", 10)
    assert refusal.value.translation_key is not None
    placeholders = refusal.value.translation_placeholders
    assert placeholders is not None
    assert (float(placeholders["value"]), float(placeholders["max_value"])) == (10, 9)
    assert site.number(manager, "available_current", "number") == 9
    assert site.state("number", manager, "available_current").attributes["max"] == 9
    await site.set_number(manager, "maximum_total_current", 20)
    await eventually(lambda: site.number(manager, "available_current", "number") == 12)
    await eventually(lambda: site.settings()["amp"] == 12)


async def test_maximum_total_current_stays_below_the_fuse(site: Site) -> None:
    """More than the main fuse is refused with both values."""
    manager = site.manager_entry(main_fuse=25)
    await site.set_up(manager)
    with pytest.raises(ServiceValidationError) as refusal:
        await site.set_number(manager, "maximum_total_current", 26)
    placeholders = refusal.value.translation_placeholders
    assert placeholders is not None
    assert (float(placeholders["value"]), float(placeholders["max_value"])) == (26, 25)
    assert site.number(manager, "maximum_total_current", "number") == 25


async def test_end_of_a_range_is_published(site: Site) -> None:
    """The upper end follows the maximum total current, also where the value itself stays."""
    manager = site.manager_entry()
    await site.set_up(manager)
    await site.set_number(manager, "available_current", 10)
    await site.set_number(manager, "maximum_total_current", 20)
    await eventually(lambda: site.state("number", manager, "available_current").attributes["max"] == 20)
    assert site.number(manager, "available_current", "number") == 10


async def test_maximum_current_of_a_charger(site: Site) -> None:
    """A charger's maximum ends at what its installer allows."""
    _, charger, manager = await site.set_up_all()
    assert site.state("number", charger, "maximum_current").attributes["max"] == 16
    with pytest.raises(ServiceValidationError):
        await site.set_number(charger, "maximum_current", 17)
    await site.set_number(charger, "maximum_current", 9)
    await site.select(manager, "fast")
    await eventually(lambda: site.number(charger, "allocated_current") == 9)
    await eventually(lambda: site.settings()["amp"] == 9)


@pytest.mark.parametrize("mode", ["pv", "min_pv"])
async def test_pv_needs_a_meter(site: Site, mode: str) -> None:
    """Without a meter the modes that need one are refused with a text, at the site and at a charger."""
    charger, manager = site.charger_entry(), site.manager_entry(MeterSource.NONE)
    await site.set_up(charger, manager)
    for entry in (manager, charger):
        before = site.value(entry, "charge_mode", "select")
        with pytest.raises(ServiceValidationError) as refusal:
            await site.select(entry, mode)
        assert refusal.value.translation_key == "mode_needs_meter"
        assert site.value(entry, "charge_mode", "select") == before
    assert site.value(manager, "charge_mode", "select") == "off"


async def test_mode_of_a_charger_ends_at_unplugging(site: Site) -> None:
    """A charger's own mode lasts until its car leaves; then it follows the site again."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.select(charger, "off")
    assert site.value(charger, "charge_mode", "select") == "off"
    await eventually(lambda: site.value(charger, "reason") == "charger_off" and site.settings()["frc"] == 1)
    assert site.value(manager, "charge_mode", "select") == "fast"
    site.home.chargers[0].unplug()
    await eventually(lambda: site.value(charger, "charge_mode", "select") == "follow_site")
    site.home.chargers[0].plug()
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")


async def test_follow_site_again(site: Site) -> None:
    """A user can end a charger's own mode."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.select(charger, "off")
    await eventually(lambda: site.value(charger, "reason") == "charger_off")
    await site.select(charger, "follow_site")
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")


async def test_charger_without_load_manager_refuses(site: Site) -> None:
    """What nobody could carry out is refused with a text, also at the moment the load manager goes."""
    _, charger, manager = await site.set_up_all()
    component = site.hass.data["entity_components"]
    mode = component["select"].get_entity(site.entity_id("select", charger, "charge_mode"))
    number = component["number"].get_entity(site.entity_id("number", charger, "maximum_current"))
    await site.hass.config_entries.async_unload(manager.entry_id)
    for action in (mode.async_select_option("fast"), number.async_set_native_value(10)):
        with pytest.raises(ServiceValidationError) as refusal:
            await action
        assert refusal.value.translation_key == "no_load_manager"


async def test_settings_outlive_a_restart(
    site: Site, hass_storage: dict[str, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Modes and numbers are stored, and in force from the start."""
    monkeypatch.setattr(f"{OURS}.memory.SAVE_DELAY", 0.1)
    hass_storage[DOMAIN] = {
        "version": 1,
        "key": DOMAIN,
        "data": {"site": {"mode": "fast", "guaranteed_power_w": 2000.0}, "chargers": {"10000001": {"mode": "off"}}},
    }
    _, charger, manager = await site.set_up_all()
    assert site.value(manager, "charge_mode", "select") == "fast"
    assert site.value(charger, "charge_mode", "select") == "off"
    assert site.number(manager, "guaranteed_power", "number") == 2000
    await site.set_number(manager, "target_grid_power", -100)
    await eventually(lambda: "-100" in str(hass_storage[DOMAIN]["data"]))


@pytest.mark.usefixtures("all_enabled")
async def test_single_phase_car(build_site: BuildSite) -> None:
    """The phases that a car does not use show 0 A."""
    car = CarConfig(phases=1, start_delay_s=1, ramp_up=16, ramp_down=64)
    site = await build_site(sunny(ChargerConfig(car=car)))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.number(charger, "current_l1") == pytest.approx(16, abs=0.3))
    assert site.number(charger, "current_l2") == 0
    assert site.number(charger, "current_l3") == 0
