"""What the chargers are told, from a service call to the acknowledged write."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging
import time

from homeassistant.core import HomeAssistant
import pytest

from custom_components.pv_load_manager.const import MeterSource
from simulator import CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import CONTROL_TIMINGS, Site, eventually


def fast(site: Site, index: int = 0, *, amps: int = 16) -> Callable[[], bool]:
    """Return whether a charger is taken over and released with a current."""
    wanted = {"lmo": 3, "frc": 0, "amp": amps}
    return lambda: wanted.items() <= site.settings(index).items()


def holds(site: Site, index: int = 0) -> Callable[[], bool]:
    """Return whether a charger is told not to charge."""
    return lambda: site.settings(index)["frc"] == 1


async def test_off_fast_pv(build_site: BuildSite) -> None:
    """A mode chosen in Home Assistant is what the charger acknowledges: stop, full current, the sun's share."""
    site = await build_site(sunny(pv_w=6500))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    assert site.settings()["lmo"] == 3
    assert site.settings()["fup"] is False
    await site.select(manager, "fast")
    await eventually(fast(site))
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(11000, abs=300))
    await site.select(manager, "pv")
    await eventually(lambda: 6 <= site.settings()["amp"] <= 9)
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(5600, abs=800))
    await eventually(lambda: site.value(charger, "reason") == "charging_surplus")
    # To the nearest ampere: the grid may pay for a smaller part of one, here of 690 W.
    await eventually(lambda: -1200 < site.home.home.flow.grid_w < 300)
    keys = {key for key, _ in site.written()}
    assert keys <= {"amp", "frc", "psm", "lmo", "fup"}
    assert ("frc", 2) not in site.written()


async def test_min_pv(build_site: BuildSite) -> None:
    """Without sun min + pv gives the guaranteed power."""
    site = await build_site(sunny(pv_w=0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "min_pv")
    await eventually(lambda: site.value(charger, "reason") == "charging_guaranteed")
    assert fast(site, amps=6)()
    assert site.settings()["psm"] == 1
    assert site.home.chargers[0].charger.power_w == pytest.approx(1380, abs=60)


async def test_pv_waits_without_sun(build_site: BuildSite) -> None:
    """Without sun pv holds the car and says what is missing."""
    site = await build_site(sunny(pv_w=0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_surplus")
    await eventually(holds(site))
    assert site.state("sensor", charger, "reason").attributes["surplus_w"] == pytest.approx(-500, abs=50)


async def test_off_is_immediate(site: Site) -> None:
    """Off reaches the charger at once, whatever was written just before."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    for _ in range(3):
        await site.select(manager, "fast")
        await site.select(manager, "off")
        await eventually(holds(site), within=0.3)
    await eventually(lambda: site.home.chargers[0].charger.power_w == 0, within=2)


async def test_off_waits_for_no_answer(site: Site) -> None:
    """A charger that owes the answer to another write is stopped all the same, long before that times out."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    site.home.chargers[0].faults.no_response = True
    await site.set_number(manager, "available_current", 10)
    await eventually(lambda: site.settings()["amp"] == 10)
    await site.select(manager, "off")
    await eventually(holds(site), within=0.5)


async def test_off_beats_a_charger_of_its_own_mode(site: Site) -> None:
    """Site off stops also a charger that has a mode of its own."""
    _, charger, manager = await site.set_up_all()
    await site.select(charger, "fast")
    await eventually(fast(site))
    await site.select(manager, "off")
    await eventually(holds(site), within=0.3)
    await eventually(lambda: site.value(charger, "reason") == "site_off")


@pytest.mark.parametrize("mode", ["fast", "pv", "off"])
async def test_hold_again_after_unplugging(site: Site, mode: str) -> None:
    """Unplugging clears the hold; it is asserted again within a second, before the next car could start."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, mode)
    await eventually(holds(site) if mode == "off" else (lambda: site.home.chargers[0].charger.power_w > 1000))
    await asyncio.sleep(0.3)  # a charger tells what it did once per second of its own time
    site.home.chargers[0].unplug()
    assert site.settings()["frc"] == 0
    await eventually(holds(site), within=1)
    await eventually(lambda: site.value(charger, "reason") == ("site_off" if mode == "off" else "no_car"))
    site.home.chargers[0].plug()
    assert site.settings()["frc"] == 1  # at this instant: a moment later fast may rightly release it


async def test_charging_car_is_not_touched_before_a_choice(build_site: BuildSite) -> None:
    """A car that charges at set-up is left alone until the user chooses a mode."""
    site = await build_site(sunny(ChargerConfig(mode=3, psm=2, car=QUICK_CAR), pv_w=0))
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10000)
    _, charger, manager = await site.set_up_all()
    await eventually(lambda: site.value(charger, "reason") == "untouched")
    await asyncio.sleep(1.5)
    assert site.writes() == []
    assert site.home.chargers[0].charger.power_w > 10000
    await site.select(manager, "pv")
    await eventually(holds(site))


async def test_unmanaged_charger(build_site: BuildSite) -> None:
    """A charger that is not managed is never written, in no mode and at no stop, and cannot be commanded."""
    site = await build_site(
        sunny(ChargerConfig(car=QUICK_CAR), ChargerConfig(serial="10000002", name="Guest", mode=3, car=QUICK_CAR))
    )
    managed, guest = site.charger_entry(0), site.charger_entry(1, options={"managed": False})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), managed, guest, manager)
    for mode in ("off", "fast"):
        await site.select(manager, mode)
        await eventually(holds(site) if mode == "off" else fast(site))
    assert site.value(guest, "charge_mode", "select") == "unavailable"
    assert site.value(guest, "reason") == "unavailable"
    assert site.number(guest, "power") is not None
    await site.hass.async_stop()
    assert site.writes(1) == []


@pytest.mark.parametrize(
    ("options", "amps", "force"),
    [
        ({"limit_current_without_ha": True, "current_without_ha": 8}, 8, 0),
        ({"limit_current_without_ha": True, "current_without_ha": 0}, 6, 1),
        ({"limit_current_without_ha": False, "current_without_ha": 8}, 10, 0),
    ],
)
async def test_stop_of_home_assistant(build_site: BuildSite, options: dict[str, object], amps: int, force: int) -> None:
    """When Home Assistant stops, a charger is left with the current that is safe without it, or stopped."""
    site = await build_site(sunny())
    charger = site.charger_entry(options=options)
    manager = site.manager_entry(main_fuse=20)
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.set_number(manager, "maximum_total_current", 10 if not options["limit_current_without_ha"] else 20)
    await site.select(manager, "fast")
    await eventually(fast(site, amps=16 if options["limit_current_without_ha"] else 10))
    await site.hass.async_stop()
    assert (site.settings()["amp"], site.settings()["frc"]) == (amps, force)


async def test_stop_of_home_assistant_during_a_write(build_site: BuildSite) -> None:
    """What is on its way to a charger and not seen yet is taken back as well."""
    site = await build_site(sunny())
    charger = site.charger_entry(options={"limit_current_without_ha": True, "current_without_ha": 8})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.set_number(manager, "available_current", 8)
    await site.select(manager, "fast")
    await eventually(fast(site, amps=8))
    await asyncio.sleep(0.3)
    server = site.home.chargers[0]
    await site.home.charger_faults[server.charger.config.serial].start(
        "slow_answer", {"seconds": 5.0}, now=site.home.home.now
    )
    await site.set_number(manager, "available_current", 12)
    await eventually(lambda: site.settings()["amp"] == 12)
    await site.hass.async_stop()
    assert site.settings()["amp"] == 8


async def test_stop_of_home_assistant_with_a_dead_charger(
    build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A charger that does not answer does not keep Home Assistant from stopping."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.SHUTDOWN_TIME", 0.5)
    site = await build_site(sunny())
    charger = site.charger_entry(options={"limit_current_without_ha": True, "current_without_ha": 6})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await eventually(fast(site))
    site.home.chargers[0].faults.no_response = True
    await site.hass.async_stop()
    assert "Garage could not be left at its safe current of 6 A" in caplog.text


async def test_unknown_messages_and_values(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A newer firmware may say anything: no exception, no flood in the log, and the rest works on."""
    faults = site.home.chargers[0].faults
    _, charger, manager = await site.set_up_all()
    caplog.clear()
    faults.unknown_messages = True
    faults.override = {"car": 99, "modelStatus": 9999, "err": 77, "psm": 9, "lmo": 12, "frc": "?", "nrg": None}
    await eventually(lambda: site.value(charger, "state") == "unknown")
    await eventually(lambda: site.value(charger, "reason") == "charger_error")
    await asyncio.sleep(1)
    loud = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.name.startswith("custom_components")
    ]
    assert len(loud) <= 1, [record.getMessage() for record in loud]
    assert "Traceback" not in caplog.text
    faults.override = {}
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")


async def test_refused_command(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A charger that refuses a command is reported once, and works when it takes it."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    site.home.chargers[0].faults.rejected_keys = {"frc": "not now"}
    await site.select(manager, "off")
    await asyncio.sleep(1.5)
    assert caplog.text.count("Garage did not take a command") == 1
    site.home.chargers[0].faults.rejected_keys = {}
    await eventually(holds(site), within=12)


async def test_charger_that_forgets(site: Site) -> None:
    """A charger that has another value than it was given is given it again."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    await site.set_number(manager, "available_current", 8)
    await eventually(fast(site, amps=8))
    site.settings()["amp"] = 12
    await eventually(fast(site, amps=8), within=3)


async def test_writes_are_rare(site: Site) -> None:
    """In a steady house nothing is written."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    written = len(site.writes())
    await asyncio.sleep(2)
    assert len(site.writes()) == written


async def test_two_chargers_share(build_site: BuildSite) -> None:
    """Two cars share the available current, whatever the order of their writes, and never exceed it."""
    site = await build_site(
        sunny(ChargerConfig(car=QUICK_CAR), ChargerConfig(serial="10000002", name="Carport", car=QUICK_CAR))
    )
    _, first, second, manager = await site.set_up_all()
    await site.set_number(manager, "available_current", 20)
    await site.select(manager, "fast")
    await eventually(lambda: fast(site, 0, amps=10)() and fast(site, 1, amps=10)())
    await site.set_number(manager, "available_current", 13)
    await eventually(lambda: site.settings(0)["amp"] + site.settings(1)["amp"] <= 13, within=2)
    site.home.chargers[0].unplug()
    await eventually(fast(site, 1, amps=13))
    assert site.value(first, "reason") == "no_car"
    await eventually(lambda: site.value(second, "reason") == "limited_by_available_current")
    assert site.value(manager, "state") == "limited"


async def test_available_current_too_small(site: Site) -> None:
    """Below 6 A the car waits, and the reason says so."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    await site.set_number(manager, "available_current", 5)
    await eventually(holds(site), within=1)
    await eventually(lambda: site.value(charger, "reason") == "waiting_for_available_current")


async def test_house_load_is_protected(build_site: BuildSite) -> None:
    """When the house draws more, the car gets less within the time of one reading of the meter."""
    site = await build_site(sunny(pv_w=0))
    charger, manager = site.charger_entry(), site.manager_entry(main_fuse=25)
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10900)
    site.home.home.house_override = (14 * 230.0, 500.0, 500.0)
    await eventually(lambda: 6 <= site.settings()["amp"] <= 11, within=2.5)
    await eventually(lambda: site.value(charger, "reason") == "limited_by_fuse")

    def text() -> str:
        return str(site.state("sensor", charger, "reason").attributes["text"])

    await eventually(lambda: "the house draws 14" in text(), within=12)


async def test_dead_meter(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its meter nobody protects the fuse: after the grace times nothing is left for charging."""
    timings = replace(
        CONTROL_TIMINGS, protection_stale=1.5, protection_fallback=2, protection_dead=3, surplus_stale=1.5
    )
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    site = await build_site(sunny())
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    await site.home.inverter.stop()
    await eventually(holds(site))
    await eventually(lambda: site.value(charger, "reason") == "meter_lost")
    assert site.value(manager, "state") == "fault"
    await site.home.inverter.start()
    await eventually(fast(site))


@pytest.mark.parametrize(("unit", "factor"), [("W", 1.0), ("kW", 0.001)])
async def test_sensor_as_meter(build_site: BuildSite, unit: str, factor: float) -> None:
    """A power sensor of Home Assistant is enough for surplus charging, in any unit of power."""
    config = HomeConfig(
        pv=PvConfig(constant_w=0), house=HouseConfig(constant_w=0), chargers=(ChargerConfig(car=QUICK_CAR),), speed=10
    )
    site = await build_site(config)

    def publish() -> None:
        power = sum(charger.charger.power_w for charger in site.home.chargers) - 5200
        site.hass.states.async_set("sensor.grid", str(round(power * factor, 4)), {"unit_of_measurement": unit})

    site.hass.states.async_set("sensor.grid", "unavailable")
    charger = site.charger_entry()
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid")
    await site.set_up(charger, manager)
    await site.select(manager, "pv")
    assert site.value(manager, "surplus") == "unknown"
    await eventually(lambda: site.value(charger, "reason") in {"surplus_unknown", "starting_up"})

    async def follow() -> None:
        while True:
            publish()
            await asyncio.sleep(0.2)

    meter = asyncio.create_task(follow())
    await eventually(lambda: site.number(manager, "surplus") == pytest.approx(5200, abs=300))
    await eventually(lambda: site.settings()["frc"] == 0 and site.settings()["amp"] in {7, 8})
    meter.cancel()
    assert site.number(manager, "maximum_total_current", "number") == 17


async def test_old_value_of_a_sensor(build_site: BuildSite) -> None:
    """A sensor that said its last word long ago is no meter, also right after the start."""
    site = await build_site(HomeConfig(inverter=None, chargers=(ChargerConfig(car=QUICK_CAR),), speed=10))
    unit = {"unit_of_measurement": "W"}
    site.hass.states.async_set("sensor.grid", "-9000", unit, timestamp=time.time() - 3600)
    charger = site.charger_entry()
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity="sensor.grid")
    await site.set_up(charger, manager)
    await site.select(manager, "pv")
    await eventually(lambda: site.value(charger, "reason") == "surplus_unknown")
    await asyncio.sleep(0.5)
    assert site.settings()["frc"] == 1
    site.hass.states.async_set("sensor.grid", "-9000", unit)
    await eventually(lambda: site.settings()["frc"] == 0)


async def test_without_meter(build_site: BuildSite) -> None:
    """Without a meter fast shares half of the fuse."""
    site = await build_site(HomeConfig(inverter=None, chargers=(ChargerConfig(car=QUICK_CAR),), speed=10))
    charger, manager = await site.set_up_all()
    assert site.value(manager, "charge_mode", "select") == "off"
    assert site.number(manager, "available_current", "number") == 17
    await site.select(manager, "fast")
    await eventually(fast(site))
    assert site.value(manager, "surplus") == "unknown"
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")


async def test_reboot_of_a_charger(site: Site) -> None:
    """A charger that comes back from a reboot without its hold is told again."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")
    site.settings()["frc"] = 0
    await site.home.chargers[0].start()
    await eventually(holds(site))


async def test_one_phase(build_site: BuildSite) -> None:
    """A charger whose installation fixes one phase is switched to it and charges on it alone."""
    site = await build_site(sunny())
    charger = site.charger_entry(options={"phase_policy": "one"})
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.settings()["psm"] == 1)
    await eventually(lambda: site.home.chargers[0].charger.power_w == pytest.approx(3600, abs=200))


async def test_rotation(build_site: BuildSite) -> None:
    """A single-phase car on a rotated charger loads the grid phase that its wiring says."""
    car = CarConfig(phases=1, start_delay_s=1, ramp_up=16, ramp_down=64)
    site = await build_site(sunny(ChargerConfig(rotation=(2, 3, 1), car=car), pv_w=0))
    charger = site.charger_entry(options={"rotation": "l2_l3_l1"})
    manager = site.manager_entry(main_fuse=25)
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 3000)
    site.home.home.house_override = (20 * 230.0, 0.0, 0.0)
    await asyncio.sleep(2)
    assert site.settings()["amp"] == 16
    site.home.home.house_override = (0.0, 15 * 230.0, 0.0)
    await eventually(lambda: 6 <= site.settings()["amp"] <= 10, within=3)


async def test_no_load_manager_no_writes(hass: HomeAssistant, site: Site) -> None:
    """Chargers and inverters alone command nobody."""
    await site.set_up(site.inverter_entry(), site.charger_entry())
    await asyncio.sleep(0.5)
    await hass.async_stop()
    assert site.writes() == []


async def test_hold_is_asserted_again_even_where_nobody_reports_its_loss(site: Site) -> None:
    """A car that leaves takes the hold with it; that is mended although the charger never says so."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    charger = site.home.chargers[0]
    charger.faults.override["frc"] = 1
    await asyncio.sleep(0.3)
    charger.writes.clear()
    charger.unplug()
    await eventually(lambda: ("frc", 1) in site.written(), within=1.5)


async def test_own_mode_ends_with_a_car_that_left_unseen(hass: HomeAssistant, site: Site) -> None:
    """A charger's own mode is over when its car left while Home Assistant did not look."""
    entries = await site.set_up_all()
    _, charger, manager = entries
    await site.select(charger, "fast")
    await eventually(fast(site))
    assert await hass.config_entries.async_unload(manager.entry_id)
    site.home.chargers[0].unplug()
    await eventually(lambda: site.value(charger, "state") == "no_car")
    assert await hass.config_entries.async_setup(manager.entry_id)
    await eventually(lambda: site.value(charger, "charge_mode", "select") == "follow_site")


async def test_failing_core_stops_all_chargers(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should the core ever fail, nobody watches the fuse: all stop, the log says it once, and it goes on afterwards."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(f"{OURS}.coordinators.load_manager.decide", broken)
        await eventually(holds(site))
        await eventually(lambda: site.value(charger, "reason") == "internal_error")
        assert site.value(manager, "state") == "fault"
        await asyncio.sleep(1.2)
        assert caplog.text.count("The control core failed") == 1
    await eventually(fast(site))
    assert "The control core works again" in caplog.text


async def test_state_is_remembered_at_the_stop(
    hass: HomeAssistant, site: Site, hass_storage: dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]
) -> None:
    """What a charger could draw is saved when Home Assistant stops, for the time when it does not answer."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(fast(site))
    await hass.async_stop(force=True)
    saved = hass_storage["pv_load_manager"]["data"]
    assert saved["site"]["mode"] == "fast"
    assert saved["control"]["chargers"]["10000001"]["reserved_a"] == 16
