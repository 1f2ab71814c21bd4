"""The meters of the house as WARP's numbered slots: they are chosen over HTTP, and only where there is one."""

from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.const import CONF_METER_ENTRY, CONF_METER_SOURCE
from custom_components.pv_load_manager.coordinators.meter_report import METER_LAG
from custom_components.pv_load_manager.shared import SHARED
from simulator import BatteryConfig, InverterConfig

from .conftest import BuildSite, sunny
from .site import Site, configuration, eventually
from .test_meters import say
from .test_power_manager import House, house_fixture
from .test_sources import battery, seen, with_options

__all__ = ["house_fixture"]

NONE = 255


def grid(house: House) -> float | None:
    """Return what the control core is told of the house connection, in W."""
    reading = seen(house.site.hass).grid
    return None if reading is None else reading.power_w


async def test_grid_slot(house: House) -> None:
    """Another meter is in force when the answer comes; going back is possible, the sensors are not forgotten."""
    memory = house.site.hass.data[SHARED].memory
    memory.set_site(**{METER_LAG: 3.0})
    for slot, source in ((0, "sensor"), (NONE, "none"), (3, "solaredge")):
        answer = await house.write("config", {"meter_slot_grid_power": slot, "guaranteed_power": 1000 + slot})
        assert answer["meter_slot_grid_power"] == slot
        assert house.manager.data[CONF_METER_SOURCE] == source
        assert house.manager.state is ConfigEntryState.LOADED
        assert configuration(house.site.hass).has_power_meter is (slot != NONE)
        assert configuration(house.site.hass).strategy.guaranteed_power_w == 1000 + slot
        currents = (await house.read("dynamic_load_config"))["meter_slot_grid_currents"]
        assert currents == slot, "it knows every phase"
        assert memory.site.get(METER_LAG) is None, "found out for the meter before"
        if slot == 0:
            assert grid(house) == 300
    assert house.manager.data[CONF_METER_ENTRY] == house.inverter.data["serial"]
    await eventually(lambda: grid(house) not in {None, 300})


@pytest.mark.parametrize("field", ["meter_slot_grid_power", "meter_slot_battery_power"])
async def test_slots_without_a_meter(house: House, field: str) -> None:
    """A slot that is empty, and one of an inverter that is disabled, are refused; the other fields do not count."""
    before = dict(house.manager.data)
    for slot in (1, 2, 4, 254):
        answer = await house.write("config", {"guaranteed_power": 2000, field: slot}, status=400)
        assert answer["field"] == field
        assert str(slot) in answer["message"]
    assert house.manager.data == before
    assert configuration(house.site.hass).strategy.guaranteed_power_w == 1380


async def test_no_sensors(site: Site, hass_client: ClientSessionGenerator) -> None:
    """Slot 0 is empty where no sensors were chosen, or not all of them."""
    manager = site.manager_entry(meter_kind="phase_power", meter_l1="sensor.l1")
    await site.set_up(site.inverter_entry(), manager)
    client = await hass_client()
    for slot, status in ((0, 400), (1, 200)):
        answer = await client.post("/api/pv_load_manager/power_manager/config", json={"meter_slot_grid_power": slot})
        assert answer.status == status
    assert [meter["slot"] for meter in await meters(client)] == [1]


async def meters(client: Any) -> list[dict[str, Any]]:
    """Return what is in which slot."""
    found: list[dict[str, Any]] = (await (await client.get("/api/pv_load_manager/power_manager/meters")).json())[
        "meters"
    ]
    return found


async def test_an_inverter_keeps_its_slot(build_site: BuildSite, hass_client: ClientSessionGenerator) -> None:
    """Slots follow the serial numbers; one that is not loaded keeps its number, its meter and its battery."""
    site = await build_site(replace(sunny(), battery=BatteryConfig()))
    other = await build_site(replace(sunny(), inverter=InverterConfig(serial="7FFFFFFF")))
    first, second = site.inverter_entry(), other.inverter_entry()
    await site.set_up(second, first, site.manager_entry())
    client = await hass_client()
    before = await meters(client)
    kinds = [(meter["slot"], meter["grid_power"], meter["battery_power"]) for meter in before]
    assert kinds == [(1, True, True), (2, True, False)]
    for entry in (first, second):
        await site.hass.config_entries.async_unload(entry.entry_id)
        assert await meters(client) == before


async def test_a_disabled_inverter_is_no_meter(build_site: BuildSite, hass_client: ClientSessionGenerator) -> None:
    """An inverter that somebody disabled keeps its number, but nobody can choose its meter."""
    site = await build_site(sunny())
    other = await build_site(replace(sunny(), inverter=InverterConfig(serial="7FFFFFFF")))
    first, second = site.inverter_entry(), other.inverter_entry()
    manager = site.manager_entry()
    await site.set_up(second, first, manager)
    client = await hass_client()
    url = "/api/pv_load_manager/power_manager/config"
    before = await (await client.get(url)).json()
    away = next(meter for meter in await meters(client) if meter["name"] == "7FFFFFFF")
    await site.hass.config_entries.async_set_disabled_by(second.entry_id, ConfigEntryDisabler.USER)
    assert away not in await meters(client)
    answer = await client.post(url, json={"meter_slot_grid_power": away["slot"]})
    assert answer.status == 400
    assert (await answer.json())["field"] == "meter_slot_grid_power"
    await site.hass.config_entries.async_set_disabled_by(first.entry_id, ConfigEntryDisabler.USER)
    assert await (await client.get(url)).json() == before, "its number stays what it is"
    assert (await client.post(url, json=before)).status == 200
    assert manager.data[CONF_METER_ENTRY] == first.data["serial"]


async def test_battery_slot(house: House) -> None:
    """The battery is that of the inverters, the chosen sensors, or none; the sensors are not forgotten."""
    hass = house.site.hass
    await eventually(lambda: battery(hass)[1] is not None)
    for slot in (0, NONE, 3, 0):
        answer = await house.write("config", {"meter_slot_battery_power": slot})
        assert answer["meter_slot_battery_power"] == slot
        assert configuration(hass).has_battery is (slot != NONE)
        power, level = battery(hass)
        assert (power == 100) is (slot == 0), power
        assert level is None or slot == 3
        if slot == NONE:
            assert power is None


async def test_the_form_has_the_last_word(house: House) -> None:
    """Who chooses the sources in the options means what the form says."""
    flows = house.site.hass.config_entries.options
    await house.write("config", {"meter_slot_battery_power": NONE})
    result = await flows.async_init(house.manager.entry_id)
    for answers in ({"next_step_id": "sources"}, {"sources": "inverters"}):
        result = await flows.async_configure(result["flow_id"], answers)
    assert result["type"] == "create_entry"
    await house.site.hass.async_block_till_done()
    assert (await house.read("config"))["meter_slot_battery_power"] == 3


async def test_no_battery(site: Site, hass_client: ClientSessionGenerator) -> None:
    """Without a battery there is no slot of one."""
    await site.set_up(site.inverter_entry(), site.manager_entry())
    answer = await (await hass_client()).get("/api/pv_load_manager/power_manager/config")
    assert (await answer.json())["meter_slot_battery_power"] == NONE


@pytest.mark.parametrize("slot", [3, 0], ids=["inverter", "sensors"])
async def test_battery_sign(house: House, slot: int) -> None:
    """True means a source that is negative while charging: what comes from it is taken as it is; false turns it."""
    hass = house.site.hass
    await house.write("config", {"meter_slot_battery_power": slot})
    for negative in (False, True):
        answer = await house.write("config", {"battery_inverted": negative})
        assert answer["battery_inverted"] is negative
        assert (await house.read("config"))["battery_inverted"] is negative
        if slot == 0:
            # The sensor says 100 W: discharging where charging is negative, else charging.
            assert battery(hass)[0] == (100 if negative else -100)
            assert not configuration(hass).battery_inverted, "it is turned already"
        else:
            assert configuration(hass).battery_inverted is not negative
            assert house.manager.options["battery_inverted"] is not negative


async def test_battery_and_sign_at_once(house: House) -> None:
    """The sign is that of the battery that is written beside it, also where the one before had the same."""
    for slot, other in ((0, 3), (3, 0)):
        for negative in (False, True):
            await house.write("config", {"meter_slot_battery_power": slot, "battery_inverted": not negative})
            await house.write("config", {"meter_slot_battery_power": other, "battery_inverted": negative})
            wanted = {"meter_slot_battery_power": slot, "battery_inverted": negative}
            assert wanted.items() <= (await house.write("config", wanted)).items()


async def test_sign_of_two_sensors(site: Site, hass_client: ClientSessionGenerator) -> None:
    """Where charging has a sensor of its own there is no sign that could be wrong."""
    say(site.hass, "sensor.giving", 0)
    say(site.hass, "sensor.taking", 700)
    sources = {
        "battery_sensors": ["sensor.giving"],
        "battery_charge_sensors": ["sensor.taking"],
        "battery_direction": "separate",
    }
    await site.set_up(site.inverter_entry())
    manager = await with_options(site, **sources)
    client = await hass_client()
    url = "/api/pv_load_manager/power_manager/config"
    assert battery(site.hass)[0] == -700
    assert (await (await client.get(url)).json())["battery_inverted"] is True
    answer = await client.post(url, json={"battery_inverted": False, "guaranteed_power": 2000})
    assert answer.status == 400
    assert (await answer.json())["field"] == "battery_inverted"
    assert configuration(site.hass).strategy.guaranteed_power_w == 1380
    assert (await client.post(url, json={"battery_inverted": True})).status == 200
    assert battery(site.hass)[0] == -700
    assert manager.options == sources
