"""The settings of surplus charging: what they show, what the control core is told, what they refuse."""

import asyncio
from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import (
    BatteryPriority,
    CloudFilter,
    Configuration,
    Mode,
    Rounding,
    Strategy,
    Timings,
)
from simulator import BatteryConfig, InverterConfig

from .conftest import OURS, BuildSite, sunny
from .site import Site, configuration, eventually

WITH_BATTERY = replace(sunny(), battery=BatteryConfig(soc=0.5))

# key: what is shown at first, another value, what is refused
NUMBERS = {
    "grid_weight": (2.2, 1.6, (0.9, 20.1)),
    "start_threshold": (0, 2500, (-10, 22090)),
    "grid_backup": (0, 500, (-10, 22090)),
    "phase_switches_per_day": (10, 4, (-1, 101)),
    "phase_dwell": (10, 25, (-1, 121)),
    "protection_stale": (10, 15, (4, 31)),
    "protection_fallback": (30, 40, (9, 61)),
    "protection_dead": (120, 60, (29, 301)),
    "surplus_stale": (30, 60, (9, 301)),
    "surplus_dead": (120, 600, (29, 1801)),
    "battery_target_soc": (80, 60, (-1, 101)),
    "battery_start_soc": (0, 90, (-1, 101)),
    "battery_hold_soc": (0, 70, (-1, 101)),
    "battery_dead_zone": (100, 50, (-1, 10000)),
}
SELECTS = {
    "cloud_filter": ("adaptive", "strong", {"none", "weak", "medium", "strong", "adaptive"}),
    "rounding": ("nearest", "down", {"down", "nearest"}),
    "battery_priority": ("chargers", "target_soc", {"chargers", "battery", "target_soc"}),
}
SWITCHES = {"excess_charging": True, "solar_only": False, "weigh_efficiency": False}

SAVED = {
    "mode": "pv",
    "excess_charging": False,
    "cloud_filter": "weak",
    "rounding": "down",
    "grid_weight": 2.5,
    "start_threshold_w": 1500.0,
    "solar_only": True,
    "grid_backup_w": 300.0,
    "phase_switches_per_day": 3.0,
    "weigh_efficiency": True,
    "battery_priority": "battery",
    "battery_target_soc": 55.0,
    "battery_dead_zone_w": 20.0,
    "battery_start_soc": 95.0,
    "battery_hold_soc": 75.0,
    "phase_dwell_s": 1200.0,
}


def told(hass: HomeAssistant, key: str) -> Any:
    """Return what the control core is told of a setting, in the entity's own unit."""
    config: Configuration = configuration(hass)
    if key == "phase_dwell":
        return config.timings.phase_dwell / 60
    if hasattr(config.timings, key):
        return getattr(config.timings, key)
    fields = {name: getattr(config.strategy, name) for name in Strategy.__dataclass_fields__}
    return fields[key] if key in fields else fields[f"{key}_w"]


@pytest.fixture(name="home")
async def home_fixture(build_site: BuildSite, all_enabled: None, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a home with a house battery, all entities enabled, with the real time constants."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", Timings())
    return await build_site(WITH_BATTERY)


@pytest.mark.parametrize("key", NUMBERS)
async def test_number(home: Site, key: str) -> None:
    """A number starts with its default, refuses what is out of range, and is in force at once and after a reload."""
    shown, value, refused = NUMBERS[key]
    manager = home.manager_entry()
    await home.set_up(home.inverter_entry(), manager)
    await eventually(lambda: home.number(manager, key, "number") == shown)
    assert told(home.hass, key) == shown
    for wrong in refused:
        with pytest.raises(ServiceValidationError):
            await home.set_number(manager, key, wrong)
    assert told(home.hass, key) == shown
    await home.set_number(manager, key, value)
    assert told(home.hass, key) == value
    await eventually(lambda: home.number(manager, key, "number") == value)
    assert await home.hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: home.number(manager, key, "number") == value)
    assert told(home.hass, key) == value


@pytest.mark.parametrize("key", SELECTS)
async def test_select(home: Site, key: str) -> None:
    """A choice starts with its default, refuses anything else, and is in force at once and after a reload."""
    shown, value, options = SELECTS[key]
    manager = home.manager_entry()
    await home.set_up(home.inverter_entry(), manager)
    await eventually(lambda: home.value(manager, key, "select") == shown)
    assert set(home.state("select", manager, key).attributes["options"]) == options
    assert told(home.hass, key) == shown
    with pytest.raises(ServiceValidationError):
        await home.select(manager, "sometimes", key=key)
    assert told(home.hass, key) == shown
    await home.select(manager, value, key=key)
    assert told(home.hass, key) == value
    await eventually(lambda: home.value(manager, key, "select") == value)
    assert await home.hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: home.value(manager, key, "select") == value)
    assert told(home.hass, key) == value


@pytest.mark.parametrize("key", SWITCHES)
async def test_switch(home: Site, key: str) -> None:
    """A switch starts with its default, and is in force at once and after a reload, in both directions."""
    manager = home.manager_entry()
    await home.set_up(manager)
    initial = SWITCHES[key]
    assert told(home.hass, key) is initial
    for on in (not initial, initial):
        await home.turn(manager, key, on=on)
        assert told(home.hass, key) is on
        assert await home.hass.config_entries.async_reload(manager.entry_id)
        assert home.value(manager, key, "switch") == ("on" if on else "off")
        assert told(home.hass, key) is on


async def test_settings_of_the_last_run(home: Site, hass_storage: dict[str, dict[str, Any]]) -> None:
    """What was saved before a restart of Home Assistant is what the core is told from the start."""
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": {"site": SAVED, "chargers": {}}}
    await home.set_up(home.inverter_entry(), home.manager_entry())
    config = configuration(home.hass)
    assert config.strategy == Strategy(
        mode=Mode.PV,
        maximum_total_current_a=35,
        available_current_a=35,
        default_available_current_a=35,
        excess_charging=False,
        cloud_filter=CloudFilter.WEAK,
        rounding=Rounding.DOWN,
        grid_weight=2.5,
        start_threshold_w=1500,
        solar_only=True,
        grid_backup_w=300,
        phase_switches_per_day=3,
        weigh_efficiency=True,
        battery_priority=BatteryPriority.BATTERY,
        battery_target_soc=55,
        battery_dead_zone_w=20,
        battery_start_soc=95,
        battery_hold_soc=75,
    )
    assert config.timings == replace(Timings(), phase_dwell=1200)


async def test_settings_are_saved(
    home: Site, hass_storage: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number, a choice and a switch are stored for the next start."""
    monkeypatch.setattr(f"{OURS}.memory.SAVE_DELAY", 0.1)
    manager = home.manager_entry()
    await home.set_up(home.inverter_entry(), manager)
    await home.set_number(manager, "phase_dwell", 20)
    await home.select(manager, "weak", key="cloud_filter")
    await home.turn(manager, "solar_only", on=True)
    saved = {"phase_dwell_s": 1200.0, "cloud_filter": "weak", "solar_only": True}
    await eventually(lambda: DOMAIN in hass_storage and saved.items() <= hass_storage[DOMAIN]["data"]["site"].items())


BATTERY_KEYS = (
    ("select", "battery_priority"),
    ("number", "battery_target_soc"),
    ("number", "battery_start_soc"),
    ("number", "battery_hold_soc"),
    ("number", "battery_dead_zone"),
)


async def test_battery_settings_need_a_battery(site: Site, entity_registry: er.EntityRegistry) -> None:
    """A house without a battery is not bothered with its settings."""
    _, _, manager = await site.set_up_all()
    assert not configuration(site.hass).has_battery
    for platform, key in BATTERY_KEYS:
        assert entity_registry.async_get_entity_id(platform, DOMAIN, f"{manager.entry_id}_{key}") is None


async def test_battery_that_is_found_later(home: Site, entity_registry: er.EntityRegistry) -> None:
    """Where the inverter answers only after the load manager was set up, the settings of its battery appear then."""
    manager = home.manager_entry()
    await home.set_up(manager)
    ids = [f"{manager.entry_id}_{key}" for _, key in BATTERY_KEYS]
    assert not {entry.unique_id for entry in entity_registry.entities.values()} & {*ids}
    await home.set_up(home.inverter_entry())
    await eventually(lambda: {*ids} <= {entry.unique_id for entry in entity_registry.entities.values()})
    await home.hass.async_block_till_done()
    await home.select(manager, "battery", key="battery_priority")
    assert configuration(home.hass).strategy.battery_priority is BatteryPriority.BATTERY


def offered(site: Site, *entries: MockConfigEntry) -> list[set[str]]:
    """Return the charge modes that each entry's entity offers."""
    return [{*site.state("select", entry, "charge_mode").attributes["options"]} for entry in entries]


async def test_without_excess_charging(build_site: BuildSite) -> None:
    """Off: the surplus modes are not offered and refused, a pv car charges like fast; on again: it follows the sun."""
    site = await build_site(sunny(pv_w=0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")
    await eventually(lambda: site.settings()["frc"] == 1)
    both, every = {"off", "fast"}, {"off", "fast", "pv", "min_pv"}
    assert offered(site, manager, charger) == [every, every | {"follow_site"}]

    await site.turn(manager, "excess_charging", on=False)
    await eventually(lambda: offered(site, manager, charger) == [both, both | {"follow_site"}])
    assert site.value(manager, "charge_mode", "select") == "fast"
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    for entry in (manager, charger):
        for mode in ("pv", "min_pv"):
            with pytest.raises(ServiceValidationError) as refusal:
                await site.select(entry, mode)
            assert refusal.value.translation_key == "not_valid_option"
    assert configuration(site.hass).strategy.mode is Mode.PV  # what was chosen stays

    await site.turn(manager, "excess_charging", on=True)
    await eventually(lambda: offered(site, manager, charger) == [every, every | {"follow_site"}])
    assert site.value(manager, "charge_mode", "select") == "pv"
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")
    await eventually(lambda: site.settings()["frc"] == 1)


async def test_a_chargers_own_pv_without_excess_charging(build_site: BuildSite) -> None:
    """A charger's own surplus mode charges like fast, too, is shown so, and is back with the switch."""
    site = await build_site(sunny(pv_w=0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.select(charger, "min_pv")
    await eventually(lambda: site.settings()["amp"] == 6 and site.settings()["psm"] == 1)
    await site.turn(manager, "excess_charging", on=False)
    await eventually(lambda: site.value(charger, "charge_mode", "select") == "fast")
    await eventually(lambda: site.settings()["amp"] == 16 and site.settings()["psm"] == 2)
    await site.turn(manager, "excess_charging", on=True)
    await eventually(lambda: site.value(charger, "charge_mode", "select") == "min_pv")
    await eventually(lambda: site.settings()["amp"] == 6)


async def test_one_phase_for_pv_three_for_fast(site: Site) -> None:
    """With this phase policy the sun of three phases goes into one, and fast uses three."""
    charger = site.charger_entry(options={"phase_policy": "one_for_pv"})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "pv")
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(3680, abs=100))
    assert (site.settings()["psm"], site.settings()["amp"]) == (1, 16)
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    assert site.settings()["psm"] == 2
    await site.select(manager, "pv")
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(3680, abs=100))
    assert site.settings()["psm"] == 1


CHARGES_BATTERY = replace(sunny(pv_w=3500), battery=BatteryConfig(soc=0.5, max_charge_w=5000))


async def seen_to_charge_the_battery(site: Site, inverter: MockConfigEntry) -> None:
    """Wait until the battery takes all the sun, and Home Assistant knows."""
    await eventually(lambda: site.number(inverter, "battery_power") == pytest.approx(-3000, abs=20))
    await eventually(lambda: site.number(inverter, "grid_power") == pytest.approx(0, abs=20))


async def test_a_car_waits_for_the_battery(build_site: BuildSite) -> None:
    """Battery first: what fills it is not for the car, which waits and says so; cars first: it is."""
    site = await build_site(CHARGES_BATTERY)
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await seen_to_charge_the_battery(site, inverter)
    await site.select(manager, "battery", key="battery_priority")
    await eventually(lambda: (site.number(manager, "surplus") or 0) < 0)
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "battery_first")
    assert site.settings()["frc"] == 1
    state = site.state("sensor", charger, "reason")
    assert state.attributes["battery_w"] > 1380
    assert "battery comes first" in state.attributes["text"]
    assert "–" not in state.attributes["text"]
    await site.select(manager, "chargers", key="battery_priority")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 2000)


async def test_a_car_waits_until_the_battery_has_its_target(build_site: BuildSite) -> None:
    """The battery, half full, comes first while its target is higher; once it has that, the car does."""
    site = await build_site(CHARGES_BATTERY)
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await seen_to_charge_the_battery(site, inverter)
    await site.set_number(manager, "battery_target_soc", 90)
    await site.select(manager, "target_soc", key="battery_priority")
    await eventually(lambda: (site.number(manager, "surplus") or 0) < 0)
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "battery_first")
    await site.set_number(manager, "battery_target_soc", 40)
    await eventually(lambda: site.home.chargers[0].charger.power_w > 2000)


async def test_a_charging_car_gives_way_to_the_battery(build_site: BuildSite) -> None:
    """Chosen while a car has the sun, battery first takes it from the car, step by step."""
    site = await build_site(CHARGES_BATTERY)
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 2000)
    before = site.number(charger, "allocated_current")
    assert before is not None
    await site.select(manager, "battery", key="battery_priority")
    await eventually(lambda: (site.number(charger, "allocated_current") or 0) <= before - 2, within=60)
    await eventually(lambda: site.home.home.flow.battery_w < -400)


async def test_throttled_inverter(build_site: BuildSite) -> None:
    """The core hears that an inverter holds back, and that it no longer does."""
    site = await build_site(replace(sunny(), inverter=InverterConfig(export_limit_w=2000)))
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "off")

    def throttled() -> bool:
        reading = inverter.runtime_data.pv_reading()
        assert reading is not None
        return bool(reading.throttled)

    await eventually(throttled)
    assert site.number(inverter, "pv_power") == pytest.approx(2500, abs=50)
    await site.select(manager, "fast")
    await eventually(lambda: not throttled())
    assert site.value(charger, "reason") == "charging_fast"


@pytest.mark.usefixtures("all_enabled")
async def test_counters_of_the_day(site: Site) -> None:
    """Experts see how often the sun let a car begin and its phases were switched today."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: site.settings()["frc"] == 1)
    await asyncio.sleep(0.3)
    before = site.number(charger, "starts_today")
    assert before is not None
    assert before <= 1  # the mode is pv until another one is chosen
    assert site.number(charger, "switches_today") is not None
    await site.select(manager, "pv")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 1000)
    await eventually(lambda: site.number(charger, "starts_today") == before + 1)
    assert await site.hass.config_entries.async_unload(manager.entry_id)
    await eventually(lambda: site.value(charger, "starts_today") == "unavailable")


@pytest.mark.parametrize("control", [None, [], {"saved_at": float("nan"), "chargers": {}}])
async def test_an_unreadable_state_is_left_out(
    site: Site, hass_storage: dict[str, dict[str, Any]], control: Any
) -> None:
    """What cannot be read of the last run keeps nobody from starting."""
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": {"site": {}, "chargers": {}, "control": control}}
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")


@pytest.mark.parametrize("setting", [{"cloud_filter": "foggy"}, {"start_threshold_w": None}, {"phase_dwell_s": "long"}])
async def test_an_unreadable_setting_is_its_default(
    site: Site, hass_storage: dict[str, dict[str, Any]], setting: dict[str, Any]
) -> None:
    """One saved value that is nonsense stops no charger, and its entity can mend it."""
    saved = {"mode": "fast"} | setting
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": {"site": saved, "chargers": {}}}
    _, charger, manager = await site.set_up_all()
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    await site.select(manager, "strong", key="cloud_filter")
    assert manager.runtime_data.strategy.cloud_filter == "strong"


async def test_an_unreadable_mode_is_none_that_was_chosen(site: Site, hass_storage: dict[str, dict[str, Any]]) -> None:
    """It is as after the set-up, for the site and for a charger, and what users choose mends it."""
    nonsense = {"mode": "foggy", "max_current_a": "much"}
    saved = {"site": {"mode": "foggy", "default_mode": "foggy"}, "chargers": {site.config.chargers[0].serial: nonsense}}
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": saved}
    _, charger, manager = await site.set_up_all()
    assert site.value(manager, "charge_mode", "select") == "pv"
    assert site.value(manager, "default_mode", "select") == "last"
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    assert site.number(charger, "maximum_current", "number") == 16
    await eventually(lambda: site.value(charger, "reason") != "internal_error")
    assert not configuration(site.hass).strategy.mode_chosen
    await site.select(manager, "fast")
    await site.set_number(charger, "maximum_current", 10)
    await eventually(lambda: site.value(charger, "reason") == "charging_fast" and site.settings()["amp"] == 10)
