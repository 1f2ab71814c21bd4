"""What happens when a part of the house fails: never too much current, and the rest goes on."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import time

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from simulator import HomeConfig

from .conftest import OURS, BuildSite, sunny
from .site import CONTROL_TIMINGS, Site, eventually
from .watching import TWO, draws, gives, holds, repeated, stops, watched

STAGES = replace(CONTROL_TIMINGS, protection_stale=1.5, protection_fallback=4, protection_dead=6, surplus_stale=1.5)
WITHOUT_METER = HomeConfig(inverter=None, chargers=TWO, speed=10)


async def press_gone(site: Site, charger: MockConfigEntry) -> None:
    """Say that a charger is gone, as a user does."""
    button = {ATTR_ENTITY_ID: site.entity_id("button", charger, "gone")}
    await site.hass.services.async_call("button", "press", button, blocking=True)


async def two_without_meter(build_site: BuildSite) -> tuple[Site, MockConfigEntry, MockConfigEntry, MockConfigEntry]:
    """Return a house without a meter whose two cars charge fast and share 20 A."""
    site = await build_site(WITHOUT_METER)
    first, second, manager = await site.set_up_all()
    await site.set_number(manager, "maximum_total_current", 20)
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    for entry in (first, second):
        await eventually(lambda entry=entry: site.value(entry, "reason") == "limited_by_available_current")
    await eventually(lambda: draws(site) > 9 and draws(site, 1) > 9)
    return site, first, second, manager


@pytest.mark.parametrize("fault", ["silent", "lost_meter", "stopped"])
async def test_grid_meter_fails(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A late meter allows reductions only, a lost one nothing at all; when it is back, everything is."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", STAGES)
    site = await build_site(sunny())
    _, charger, manager = await site.set_up_all()
    await site.set_number(manager, "available_current", 10)
    await site.select(manager, "fast")
    await eventually(gives(site, 10))
    before = len(list(site.written()))
    inverter = site.home.inverter
    if fault == "stopped":
        await inverter.stop()
    else:
        setattr(inverter.faults, fault, True)
    await eventually(lambda: site.value(charger, "reason") == "meter_stale")
    await site.set_number(manager, "available_current", 16)
    await site.set_number(manager, "available_current", 8)
    await eventually(gives(site, 8), within=0.5)
    await site.set_number(manager, "available_current", 16)
    await asyncio.sleep(0.5)
    assert gives(site, 8)()
    await eventually(holds(site))
    await eventually(lambda: site.value(charger, "reason") == "meter_lost")
    assert site.value(manager, "state") == "fault"
    assert max(value for key, value in list(site.written())[before:] if key == "amp") <= 10
    if fault == "stopped":
        await inverter.start()
    else:
        setattr(inverter.faults, fault, False)
    await eventually(gives(site, 16), within=12)


async def test_grid_meter_fails_with_a_fallback(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fallback current all cars together go on with that, however long the meter is gone."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", STAGES)
    site = await build_site(sunny(*TWO))
    first, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(fallback_current=13)
    await site.set_up(site.inverter_entry(), first, second, manager)
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 16)() and gives(site, 16, 1)())
    await site.home.inverter.stop()
    await eventually(lambda: site.settings(0)["amp"] + site.settings(1)["amp"] <= 13)
    await asyncio.sleep(STAGES.protection_dead)
    assert sorted(site.settings(index)["amp"] for index in (0, 1)) == [6, 7]
    assert not holds(site)()
    assert not holds(site, 1)()


async def test_charger_lost_while_charging(build_site: BuildSite) -> None:
    """What a lost charger draws stays its own; the other goes on, and the lost one is taken up where it is."""
    site, first, second, _ = await two_without_meter(build_site)
    stopped = stops(site), stops(site, 1)
    async with watched(site) as peak:
        await site.home.chargers[0].stop()
        await eventually(lambda: site.value(first, "reason") == "unreachable")
        site.home.chargers[0].unplug()
        await asyncio.sleep(1.5)
        assert gives(site, 10, 1)()
        assert draws(site, 1) > 9
        site.home.chargers[0].plug()
        await eventually(lambda: draws(site) > 9)
        assert peak.chargers < 20.5
        await site.home.chargers[0].start()
        await eventually(lambda: site.value(first, "reason") != "unreachable", within=2)
        await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    assert peak.chargers < 20.5
    assert (stops(site), stops(site, 1)) == stopped
    assert site.value(second, "reason") == "limited_by_available_current"


async def test_charger_lost_right_after_an_increase(build_site: BuildSite) -> None:
    """A charger that goes silent before it was heard to have more keeps what it was just told."""
    site, _, _, manager = await two_without_meter(build_site)
    await site.set_number(manager, "available_current", 12)
    await eventually(lambda: gives(site, 6)() and gives(site, 6, 1)())
    await eventually(lambda: draws(site) < 7 and draws(site, 1) < 7)
    async with watched(site) as peak:
        await site.set_number(manager, "available_current", 20)
        await eventually(gives(site, 10))
        await site.home.chargers[0].stop()
        await asyncio.sleep(2)
    assert peak.chargers < 20.5


async def test_lost_charger_was_changed_meanwhile(build_site: BuildSite) -> None:
    """What somebody sets at a lost charger is what counts when it is back, also for the others."""
    site, first, _, _ = await two_without_meter(build_site)
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(first, "reason") == "unreachable")
    site.settings()["amp"] = 6
    async with watched(site) as peak:
        await site.home.chargers[0].start()
        await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    assert peak.chargers < 20.5


async def test_charger_lost_while_idle(build_site: BuildSite) -> None:
    """A lost charger without a car may start one by itself: that much is kept free under the meter."""
    site = await build_site(sunny(*TWO, pv_w=0, house_w=0))
    first, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(main_fuse=20)
    site.home.chargers[0].unplug()
    await site.set_up(site.inverter_entry(), first, second, manager)
    await site.select(manager, "fast")
    await eventually(lambda: draws(site, 1) > 9)
    await eventually(holds(site))
    await asyncio.sleep(0.5)  # until the core has heard it
    left = site.settings()["amp"]
    assert left >= 6
    async with watched(site) as peak:
        await site.home.chargers[0].stop()
        await eventually(lambda: site.value(first, "reason") == "unreachable")
        await eventually(lambda: draws(site, 1) > 9)
        await asyncio.sleep(1)
        assert draws(site, 1) == pytest.approx(20 - left, abs=0.5)
        site.settings()["frc"] = 0
        site.home.chargers[0].plug()
        await eventually(lambda: draws(site) == pytest.approx(left, abs=0.5))
        await asyncio.sleep(1.5)
        await site.home.chargers[0].start()
        await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    assert peak.grid < 20.5


async def test_charger_that_is_gone(build_site: BuildSite) -> None:
    """A user can give a lost charger up: its share goes to the others until it answers again."""
    site, first, _, _ = await two_without_meter(build_site)
    assert site.value(first, "gone", "button") == "unavailable"
    site.home.chargers[0].unplug()
    await eventually(holds(site))
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(first, "gone", "button") == "unknown")
    kept = 20 - site.settings()["amp"]
    await eventually(gives(site, kept, 1))
    await asyncio.sleep(0.5)
    assert gives(site, kept, 1)()
    await press_gone(site, first)
    await eventually(gives(site, 16, 1))
    assert site.value(first, "allocated_current") == "unavailable"
    site.home.chargers[0].plug()
    async with watched(site) as peak:
        await site.home.chargers[0].start()
        await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
        await eventually(lambda: site.value(first, "gone", "button") == "unavailable")
        await eventually(lambda: draws(site) > 9)
        peak.chargers = 0.0
        await asyncio.sleep(0.5)
    assert peak.chargers < 20.5
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(first, "reason") == "unreachable")
    await asyncio.sleep(0.5)
    assert gives(site, 10, 1)()


async def test_gone_outlives_a_restart(build_site: BuildSite) -> None:
    """A charger that was given up is not waited for after a restart, and is adopted when it comes back."""
    site, first, second, manager = await two_without_meter(build_site)
    site.home.chargers[0].unplug()
    await eventually(holds(site))
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(first, "reason") == "unreachable")
    await press_gone(site, first)
    await eventually(gives(site, 16, 1))
    for entry in (manager, second, first):
        assert await site.hass.config_entries.async_unload(entry.entry_id)
    await site.fail_to_set_up(first)
    await site.set_up(second, manager)
    await asyncio.sleep(CONTROL_TIMINGS.hear_all)
    assert gives(site, 16, 1)()
    site.home.chargers[0].plug()
    await site.home.chargers[0].start()
    assert await site.hass.config_entries.async_reload(first.entry_id)
    await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())


async def test_charger_that_is_loaded_late(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart nobody gets more before all chargers were heard, or had their time to be."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", replace(CONTROL_TIMINGS, hear_all=60))
    site = await build_site(WITHOUT_METER)
    late, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(main_fuse=63)
    await site.home.chargers[0].stop()
    await site.fail_to_set_up(late)
    await site.set_up(second, manager)
    await site.set_number(manager, "maximum_total_current", 48)
    await site.select(manager, "fast")
    await asyncio.sleep(2)
    assert draws(site, 1) == 0
    assert ("frc", 0) not in site.written(1)
    async with watched(site) as peak:
        await site.home.chargers[0].start()
        assert await site.hass.config_entries.async_reload(late.entry_id)
        await site.set_number(manager, "available_current", 20)
        await eventually(lambda: gives(site, 10)() and gives(site, 10, 1)())
    assert peak.chargers < 20.5


async def test_charger_that_is_never_loaded(build_site: BuildSite) -> None:
    """A charger that was never heard could draw 32 A; the others get the rest after the wait."""
    site = await build_site(WITHOUT_METER)
    missing, second = site.charger_entry(0), site.charger_entry(1)
    manager = site.manager_entry(main_fuse=63)
    await site.home.chargers[0].stop()
    await site.fail_to_set_up(missing)
    await site.set_up(second, manager)
    await site.set_number(manager, "maximum_total_current", 40)
    await site.select(manager, "fast")
    started = asyncio.get_running_loop().time()
    await eventually(lambda: draws(site, 1) > 7)
    assert asyncio.get_running_loop().time() - started > CONTROL_TIMINGS.hear_all / 2
    await asyncio.sleep(1)
    assert gives(site, 40 - 32, 1)()


@pytest.mark.parametrize("jump", [timedelta(hours=3), timedelta(hours=-3)])
async def test_clock_on_the_wall_jumps(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, jump: timedelta) -> None:
    """A clock that is put right moves no timer: the car charges on, with an inverter and with sensors as meter."""
    site = await build_site(sunny())
    charger = site.charger_entry()
    inverter, manager = site.inverter_entry(), site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid")
    watts = {"unit_of_measurement": "W"}

    def report() -> None:
        site.hass.states.async_set("sensor.grid", str(round(site.home.home.flow.grid_w)), watts)

    async with repeated(report, every=0.2):
        await asyncio.sleep(0)
        await site.set_up(inverter, charger, manager)
        await site.select(manager, "pv")
        await eventually(lambda: site.value(charger, "reason") == "charging_surplus" and draws(site) > 6)
        before, stopped = site.number(manager, "surplus"), stops(site)
        assert before is not None
        clock = time.time
        monkeypatch.setattr(time, "time", lambda: clock() + jump.total_seconds())
        monkeypatch.setattr(dt_util, "utcnow", lambda: datetime.now(UTC) + jump)
        await asyncio.sleep(3)
        assert draws(site) > 6
        assert stops(site) == stopped
        assert site.number(manager, "surplus") == pytest.approx(before, abs=1500)
        site.home.home.house_override = (4000.0, 4000.0, 4000.0)
        await eventually(lambda: site.value(charger, "reason") in {"waiting_for_surplus", "stop_delay"})
        await eventually(holds(site))


async def test_restart_while_charging(
    hass: HomeAssistant, build_site: BuildSite, hass_storage: dict[str, dict[str, object]]
) -> None:
    """After a restart the car charges on where it is found: it is never stopped, and gets its full current again."""
    site = await build_site(sunny(pv_w=0))
    entries = await site.set_up_all()
    manager = entries[-1]
    await site.set_number(manager, "maximum_total_current", 14)
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 13)
    stopped = stops(site)
    await hass.async_stop(force=True)
    assert hass_storage[DOMAIN]["data"]
    assert stops(site) == stopped
    for entry in entries:  # a process that ends closes its connections
        assert await hass.config_entries.async_unload(entry.entry_id)
    async with async_test_home_assistant() as again:
        again.data.pop(DATA_CUSTOM_COMPONENTS)
        restarted = Site(hass=again, home=site.home, config=site.config)
        site.home.chargers[0].writes.clear()
        _, charger, manager = await restarted.set_up_all()
        assert restarted.value(manager, "charge_mode", "select") == "fast"
        await eventually(lambda: restarted.value(charger, "reason").startswith(("charging_", "limited_")))
        await asyncio.sleep(2 * CONTROL_TIMINGS.hear_all)
        assert draws(site) == pytest.approx(14, abs=0.5)
        assert stops(site) == 0
        assert site.writes() == []
        for entry in again.config_entries.async_loaded_entries(DOMAIN):
            assert await again.config_entries.async_unload(entry.entry_id)
        await again.async_stop(force=True)
