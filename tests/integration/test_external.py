"""The available current with its watchdog and the number of phases, told from outside through Home Assistant."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control import Mode
from custom_components.pv_load_manager.coordinators.load_manager import LoadManagerCoordinator
from custom_components.pv_load_manager.shared import SHARED
from simulator import ChargerConfig, HomeConfig

from .clock import Clock, simulated_time
from .conftest import QUICK_CAR, BuildSite, sunny
from .site import Site, configuration, eventually


def saved(hass_storage: dict[str, Any], **site: object) -> None:
    """Let the load manager find settings of the last run."""
    hass_storage[DOMAIN] = {"version": 1, "key": DOMAIN, "data": {"site": site, "chargers": {}}}


def available(hass: HomeAssistant) -> float:
    """Return the available current that the core is told."""
    return configuration(hass).strategy.available_current_a


async def lone_manager(site: Site) -> tuple[MockConfigEntry, LoadManagerCoordinator]:
    """Set up a load manager without any device."""
    entry = site.manager_entry()
    await site.set_up(entry)
    coordinator: LoadManagerCoordinator = entry.runtime_data
    return entry, coordinator


async def test_number(site: Site) -> None:
    """A number reaches the core at once; more than the maximum is refused, and nothing is changed."""
    entry, manager = await lone_manager(site)
    assert site.number(entry, "available_current", "number") == 35
    await site.set_number(entry, "available_current", 12.5)
    assert available(site.hass) == 12.5
    assert site.number(entry, "available_current", "number") == 12.5
    await site.set_number(entry, "maximum_total_current", 20)
    with pytest.raises(ServiceValidationError):
        await site.set_number(entry, "available_current", 20.1)
    for wrong in (20.1, -1.0, float("nan"), float("inf")):
        with pytest.raises(ServiceValidationError) as error:
            manager.set_available_current(wrong)
        assert error.value.translation_key == "available_current_out_of_range"
        assert error.value.translation_placeholders == {"maximum": "20"}
    assert available(site.hass) == 12.5
    await site.set_number(entry, "available_current", 0)
    assert available(site.hass) == 0
    assert manager.data.available_a == 0
    await site.set_number(entry, "available_current", 18)
    await site.set_number(entry, "maximum_total_current", 10)
    assert available(site.hass) == 10
    assert site.state("number", entry, "available_current").attributes["max"] == 10


@pytest.mark.parametrize(("default", "expected"), [(None, 35), (0, 0), (8, 8), (99, 35)])
async def test_default_after_a_restart(
    site: Site, hass_storage: dict[str, Any], default: float | None, expected: float
) -> None:
    """After a restart the default is available, never more than the maximum; a reload of the entry keeps the value."""
    settings = {} if default is None else {"default_available_current_a": default}
    saved(hass_storage, mode="fast", **settings)
    entry, _ = await lone_manager(site)
    assert available(site.hass) == expected
    assert site.number(entry, "available_current", "number") == expected
    await site.set_number(entry, "available_current", 7)
    assert await site.hass.config_entries.async_reload(entry.entry_id)
    assert available(site.hass) == 7
    assert site.number(entry, "available_current", "number") == 7


@pytest.mark.usefixtures("all_enabled")
async def test_default_is_set(site: Site) -> None:
    """The default is for the time after a restart: what is in force now does not change with it."""
    entry, _ = await lone_manager(site)
    await site.set_number(entry, "available_current", 9)
    await site.set_number(entry, "default_available_current", 0)
    assert available(site.hass) == 9
    assert configuration(site.hass).strategy.default_available_current_a == 0
    with pytest.raises(ServiceValidationError):
        await site.set_number(entry, "default_available_current", 36)


async def watched(site: Site, clock: Clock, hass_storage: dict[str, Any]) -> tuple[MockConfigEntry, Any]:
    """Return a load manager whose available current was just set to 12 A and is watched; its default is 6 A."""
    saved(hass_storage, mode="fast", watchdog=True, default_available_current_a=6)
    entry, manager = await lone_manager(site)
    await site.set_number(entry, "available_current", 12)
    await clock.forward(1)
    return entry, manager


async def test_watchdog(site: Site, hass_storage: dict[str, Any]) -> None:
    """Set every 10 s it holds; after 31 s of silence the default is in force and shown; the next value is back."""
    with simulated_time(site.hass) as clock:
        entry, manager = await watched(site, clock, hass_storage)
        for _ in range(30):
            await clock.forward(9)
            assert manager.data.available_a == 12
            assert not manager.data.watchdog_expired
            await site.set_number(entry, "available_current", 12)
            await clock.forward(1)
        await clock.forward(28)
        assert manager.data.available_a == 12
        assert site.value(entry, "watchdog", "binary_sensor") == "off"
        await clock.forward(3)
        assert manager.data.available_a == 6
        assert manager.data.watchdog_expired
        assert site.value(entry, "watchdog", "binary_sensor") == "on"
        await eventually(lambda: site.number(entry, "available_current", "number") == 6)
        await clock.forward(600)
        assert manager.data.available_a == 6
        await site.set_number(entry, "available_current", 12)
        assert manager.data.available_a == 12
        assert site.value(entry, "watchdog", "binary_sensor") == "off"
        assert site.number(entry, "available_current", "number") == 12


async def test_watchdog_that_is_turned_off(site: Site, hass_storage: dict[str, Any]) -> None:
    """Without the watchdog silence is nothing, and one that has run out is over at once."""
    with simulated_time(site.hass) as clock:
        entry, manager = await watched(site, clock, hass_storage)
        await clock.forward(40)
        assert manager.data.watchdog_expired
        await site.turn(entry, "watchdog", on=False)
        assert not manager.data.watchdog_expired
        assert manager.data.available_a == 12
        await clock.forward(300)
        assert manager.data.available_a == 12


async def test_a_refused_value_is_none(site: Site, hass_storage: dict[str, Any]) -> None:
    """A value that is refused does not feed the watchdog."""
    with simulated_time(site.hass) as clock:
        _, manager = await watched(site, clock, hass_storage)
        for _ in range(4):
            await clock.forward(10)
            with pytest.raises(ServiceValidationError):
                manager.set_available_current(99.0)
        assert manager.data.watchdog_expired


async def test_external_current_that_is_turned_off(site: Site, hass_storage: dict[str, Any]) -> None:
    """Turned off it is not used at all: the maximum counts, its number and watchdog are unavailable, nobody sets it."""
    with simulated_time(site.hass) as clock:
        entry, manager = await watched(site, clock, hass_storage)
        await site.turn(entry, "external_current", on=False)
        assert manager.data.available_a == 35
        assert site.value(entry, "available_current", "number") == "unavailable"
        assert site.value(entry, "watchdog", "switch") == "unavailable"
        with pytest.raises(ServiceValidationError) as error:
            manager.set_available_current(10.0)
        assert error.value.translation_key == "external_current_off"
        await clock.forward(60)
        assert manager.data.available_a == 35
        assert not manager.data.watchdog_expired
        await site.turn(entry, "external_current", on=True)
        await site.set_number(entry, "available_current", 12)
        assert manager.data.available_a == 12


async def test_silence_reaches_the_charger(site: Site) -> None:
    """The default is what the charger really gets, the reason says so with its numbers, and the value is back later."""
    hass = site.hass
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.set_number(manager, "available_current", 12)
    hass.data[SHARED].memory.set_site(default_available_current_a=6.0)
    await eventually(lambda: site.settings()["amp"] == 12 and site.settings()["frc"] == 0)
    await site.turn(manager, "watchdog", on=True)
    at = hass.data[SHARED].available_set_at
    assert at is not None
    hass.data[SHARED].available_set_at = at - 31.0  # as if it had been silent for so long
    await eventually(lambda: site.settings()["amp"] == 6)
    await eventually(lambda: site.value(charger, "reason") == "limited_by_watchdog")
    attributes = site.state("sensor", charger, "reason").attributes
    assert attributes["silent_s"] >= 31
    assert f"{attributes['room_a']:g} A" in attributes["text"]
    await site.set_number(manager, "available_current", 12)
    await eventually(lambda: site.settings()["amp"] == 12)
    await eventually(lambda: site.value(charger, "reason") == "limited_by_available_current")


async def phases_of(site: Site) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Set up a home that charges fast on three phases, with external phase control."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: (site.settings()["psm"], site.settings()["frc"]) == (2, 0))
    await eventually(lambda: site.home.chargers[0].charger.power_w > 9000)
    await site.turn(manager, "external_phases", on=True)
    await eventually(lambda: site.value(manager, "external_control") == "ready")
    return charger, manager


async def refused_request(site: Site, manager: MockConfigEntry, key: str) -> None:
    """Request a number of phases, expect the refusal, and that nothing was changed."""
    before = configuration(site.hass).strategy.phases_wanted
    with pytest.raises(ServiceValidationError) as error:
        manager.runtime_data.request_phases(1)
    assert error.value.translation_key == key
    assert configuration(site.hass).strategy.phases_wanted == before


async def test_phases(site: Site) -> None:
    """1, 3 and 0 phases reach the charger; while it switches another request is refused with that state."""
    charger, manager = await phases_of(site)
    await site.select(manager, "1", key="phase_request")
    assert site.value(manager, "external_control") == "switching"
    await refused_request(site, manager, "phase_request_switching")
    await eventually(lambda: site.settings()["psm"] == 1)
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(3680, abs=150))
    await eventually(lambda: site.value(manager, "external_control") == "ready")
    assert site.value(manager, "phase_request", "select") == "1"
    await site.select(manager, "0", key="phase_request")
    await eventually(lambda: site.settings()["frc"] == 1)
    await eventually(lambda: site.value(charger, "reason") == "external_no_phases")
    assert site.settings()["frc"] == 1
    await eventually(lambda: site.value(manager, "external_control") == "ready")
    await site.select(manager, "3", key="phase_request")
    await eventually(lambda: (site.settings()["psm"], site.settings()["frc"]) == (2, 0))
    await eventually(lambda: site.home.chargers[0].charger.power_w > 9000)


async def test_phases_are_forgotten(site: Site) -> None:
    """Turned off everything is as before, and when it is turned on again nothing is requested."""
    _, manager = await phases_of(site)
    await site.select(manager, "0", key="phase_request")
    await eventually(lambda: site.settings()["frc"] == 1)
    await site.turn(manager, "external_phases", on=False)
    await eventually(lambda: site.settings()["frc"] == 0)
    assert site.value(manager, "phase_request", "select") == "unavailable"
    assert site.value(manager, "external_control") == "disabled"
    await refused_request(site, manager, "phase_request_disabled")
    await site.turn(manager, "external_phases", on=True)
    assert site.value(manager, "phase_request", "select") == "unknown"
    assert configuration(site.hass).strategy.phases_wanted is None


async def test_request_outlives_a_reload_and_a_restart(site: Site, hass_storage: dict[str, Any]) -> None:
    """What is requested stays until somebody requests something else."""
    saved(hass_storage, mode="fast", external_phases=True, phases_wanted=1)
    _, _, manager = await site.set_up_all()
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(3680, abs=150))
    assert site.settings()["psm"] == 1
    assert await site.hass.config_entries.async_reload(manager.entry_id)
    assert configuration(site.hass).strategy.phases_wanted == 1


async def test_phases_without_chargers(site: Site) -> None:
    """Without chargers it is unavailable, with that cause."""
    entry, _ = await lone_manager(site)
    await site.turn(entry, "external_phases", on=True)
    state = site.state("sensor", entry, "external_control")
    assert (state.state, state.attributes["cause"]) == ("impossible", "no_charger")
    await refused_request(site, entry, "phase_request_no_charger")


async def test_phases_with_a_silent_charger(build_site: BuildSite) -> None:
    """A charger that does not answer makes it unavailable, with that cause, until it is back."""
    cars = tuple(ChargerConfig(serial=f"1000000{number}", name=f"Car {number}", car=QUICK_CAR) for number in (1, 2))
    site = await build_site(sunny(*cars))
    *_, manager = await site.set_up_all()
    await site.turn(manager, "external_phases", on=True)
    await eventually(lambda: site.value(manager, "external_control") == "ready")
    site.home.chargers[1].faults.silent = True
    await eventually(lambda: site.state("sensor", manager, "external_control").attributes["cause"] == "unreachable")
    await refused_request(site, manager, "phase_request_unreachable")
    site.home.chargers[1].faults.silent = False
    await eventually(lambda: site.value(manager, "external_control") == "ready")


async def test_phases_of_a_fixed_charger(build_site: BuildSite) -> None:
    """A charger that its options keep on three phases makes it unavailable, with that cause."""
    site = await build_site(HomeConfig(chargers=(ChargerConfig(car=QUICK_CAR),), speed=10))
    charger = site.charger_entry(options={"phase_policy": "three"})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.turn(manager, "external_phases", on=True)
    await eventually(lambda: site.state("sensor", manager, "external_control").attributes["cause"] == "fixed")
    await refused_request(site, manager, "phase_request_fixed")


@pytest.mark.parametrize("default", ["last", "off", "fast", "pv", "min_pv"])
async def test_default_mode(site: Site, hass_storage: dict[str, Any], default: str) -> None:
    """After a restart the site charges by the default mode, or as before; a reload is no restart."""
    saved(hass_storage, mode="min_pv", default_mode=default)
    entry, _ = await lone_manager(site)
    expected = "min_pv" if default == "last" else default
    assert configuration(site.hass).strategy.mode == expected
    assert site.value(entry, "charge_mode", "select") == expected
    await site.select(entry, "off" if expected == "fast" else "fast")
    chosen = configuration(site.hass).strategy.mode
    assert await site.hass.config_entries.async_reload(entry.entry_id)
    assert configuration(site.hass).strategy.mode == chosen


async def test_default_mode_is_chosen(site: Site) -> None:
    """To choose it changes nothing now."""
    entry, _ = await lone_manager(site)
    assert site.value(entry, "default_mode", "select") == "last"
    await site.select(entry, "fast")
    await site.select(entry, "off", key="default_mode")
    assert site.value(entry, "default_mode", "select") == "off"
    assert configuration(site.hass).strategy.mode is Mode.FAST


async def test_restart_into_off_ends_overrides(site: Site, hass_storage: dict[str, Any]) -> None:
    """Off is the last word, also the one after a restart: no override from before comes back with the next mode."""
    chosen = {"current_a": 16, "source": "user", "until": None, "energy_wh": None}
    saved(hass_storage, mode="pv", default_mode="off")
    hass_storage[DOMAIN]["data"]["control"] = {"chargers": {"10000001": {"plugged": True, "override": chosen}}}
    _, manager = await lone_manager(site)
    assert manager.override("10000001") is None


async def test_dynamic_load_management_off_and_on(site: Site) -> None:
    """Off, all share a fixed current of half the fuse, whatever the house draws; on again as before."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await site.set_number(manager, "maximum_total_current", 30)
    await eventually(lambda: site.settings()["amp"] == 16 and site.settings()["frc"] == 0)
    site.home.home.house_override = (9000.0, 9000.0, 9000.0)
    await eventually(lambda: site.value(charger, "reason") == "limited_by_fuse" and site.settings()["amp"] < 12)
    await site.turn(manager, "dynamic_load_management", on=False)
    assert configuration(site.hass).circuits[0].metered is False
    assert configuration(site.hass).strategy.maximum_total_current_a == 17
    assert site.number(manager, "maximum_total_current", "number") == 17
    await eventually(lambda: site.settings()["amp"] == 16)
    await site.set_number(manager, "maximum_total_current", 9)
    await eventually(lambda: site.settings()["amp"] == 9)
    await site.set_number(manager, "maximum_total_current", 30)
    await eventually(lambda: site.settings()["amp"] == 16)
    await site.turn(manager, "dynamic_load_management", on=True)
    assert configuration(site.hass).strategy.maximum_total_current_a == 30
    await eventually(lambda: site.value(charger, "reason") == "limited_by_fuse" and site.settings()["amp"] < 12)


async def test_dynamic_load_management_without_a_meter(build_site: BuildSite) -> None:
    """Where nothing measures the phases there is nothing to turn off."""
    site = await build_site(HomeConfig(inverter=None, chargers=(ChargerConfig(car=QUICK_CAR),), speed=10))
    _, manager = await site.set_up_all()
    assert site.value(manager, "dynamic_load_management", "switch") == "unavailable"
    assert configuration(site.hass).strategy.maximum_total_current_a == 17
