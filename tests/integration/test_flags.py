"""Every configuration error in a running home: raised by its cause, shown, mended by the described step, gone."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import ConfigError
from custom_components.pv_load_manager.coordinators.issues import ISSUES
from simulator import ChargerConfig, HomeConfig, InverterConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .flows import aborts, answer, protect
from .site import CONTROL_TIMINGS, Site, eventually
from .test_circuits import METERED, add_circuit, house, issues, measure

FUSE = {"phases": "3", "main_fuse": 35}
GRID = "sensor.grid"

pytestmark = pytest.mark.usefixtures("all_enabled")


@dataclass(frozen=True)
class Shown:
    """What the load manager shows of its configuration errors."""

    site: Site
    manager: MockConfigEntry

    def only(self, key: str | None, **placeholders: str) -> bool:
        """Return whether exactly this error is shown everywhere; None = no error at all."""
        wrong = ConfigError(0) if key is None else ISSUES[key].error
        sensors = {name for name in ISSUES if self.site.value(self.manager, name, "binary_sensor") == "on"}
        return (
            self.site.number(self.manager, "error_flags") == int(wrong)
            and sensors == ({key} if key is not None else set())
            and issues(self.site.hass) == ({key: placeholders} if key is not None else {})
        )

    async def until(self, key: str | None, **placeholders: str) -> None:
        """Wait until exactly this error is shown, and nothing else."""
        await eventually(partial(self.only, key, **placeholders))


@pytest.fixture(name="impatient")
def impatient_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let missing chargers be missing at once."""
    monkeypatch.setattr(f"{OURS}.control.flags.PATIENCE", 0.3)


async def options(site: Site, entry: MockConfigEntry, *pages: Mapping[str, Any]) -> None:
    """Go through the options of an entry and fill in its pages."""
    result = await site.hass.config_entries.options.async_init(entry.entry_id)
    for page in pages:
        result = await site.hass.config_entries.options.async_configure(result["flow_id"], dict(page))
    assert result["type"] == "create_entry", result
    await site.hass.async_block_till_done()


async def reconfigure(
    site: Site, manager: MockConfigEntry, *pages: Mapping[str, Any], chargers: int = 1, **protection: Any
) -> None:
    """Reconfigure the load manager: its connection, these pages about the meter, and the protection."""
    result = await manager.start_reconfigure_flow(site.hass)
    result = await answer(site.hass, result, FUSE | {"expected_chargers": chargers})
    for page in pages:
        result = await answer(site.hass, result, page)
    result = await protect(site.hass, result, **protection)
    aborts(await answer(site.hass, result, {}), "reconfigure_successful")
    await site.hass.async_block_till_done()


async def test_sound(build_site: BuildSite) -> None:
    """A home that is set up well shows no error."""
    site = await build_site(sunny())
    *_, manager = await site.set_up_all()
    assert Shown(site, manager).only(None)


async def test_three_phases_of_one(build_site: BuildSite) -> None:
    """Three phases are asked for where one is wired; another choice at the charger mends it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    charger = site.charger_entry(options={"wired_phases": "1", "phase_policy": "three"})
    await site.set_up(charger, manager)
    shown = Shown(site, manager)
    await shown.until("phase_switching", chargers="Garage")
    await site.select(charger, "auto", key="phase_policy")
    await shown.until(None)


async def test_phase_requests_that_nobody_can_follow(build_site: BuildSite) -> None:
    """External phase control is on where a charger has one phase; its switch mends it."""
    site = await build_site(house())
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(0), site.charger_entry(1, options={"wired_phases": "1"}), manager)
    shown = Shown(site, manager)
    assert shown.only(None)
    await site.turn(manager, "external_phases", on=True)
    await shown.until("phase_switching", chargers="Carport")
    await site.turn(manager, "external_phases", on=False)
    await shown.until(None)


async def test_maximum_current(build_site: BuildSite) -> None:
    """A maximum total current below 6 A serves nobody; its number mends it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(), manager)
    shown = Shown(site, manager)
    await site.set_number(manager, "maximum_total_current", 5)
    await shown.until("maximum_current")
    await site.set_number(manager, "maximum_total_current", 16)
    await shown.until(None)


@pytest.mark.usefixtures("impatient")
async def test_no_chargers(build_site: BuildSite) -> None:
    """A load manager without chargers; one that is set up counts, also before it is loaded."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(manager)
    shown = Shown(site, manager)
    await shown.until("no_chargers")
    charger = site.charger_entry()
    assert charger.state is ConfigEntryState.NOT_LOADED
    await shown.until(None)


async def test_chargers_are_not_missed_at_the_start(build_site: BuildSite) -> None:
    """For the first minute nobody nags."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(manager)
    await asyncio.sleep(1.5)
    assert Shown(site, manager).only(None)


@pytest.mark.usefixtures("impatient")
async def test_fewer_chargers(build_site: BuildSite) -> None:
    """Two are expected and one is there: the other is set up, or the number is corrected."""
    site = await build_site(house())
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(0), manager)
    shown = Shown(site, manager)
    await shown.until("fewer_chargers", expected="2", found="1")
    await reconfigure(site, manager, {"meter": "none"}, chargers=1)
    await shown.until(None)
    await reconfigure(site, manager, {"meter": "none"}, chargers=2)
    await shown.until("fewer_chargers", expected="2", found="1")
    second = site.charger_entry(1)
    await site.set_up(second)
    await shown.until(None)
    await options(site, second, {"managed": False})
    await shown.until("fewer_chargers", expected="2", found="1")
    await options(site, second, {"managed": True})
    await shown.until(None)


async def test_no_power_meter(build_site: BuildSite) -> None:
    """The meter of a house that charges from surplus is taken away; another mode, the switch or a meter mends it."""
    site = await build_site(house(1))
    site.hass.states.async_set(GRID, "0", {"unit_of_measurement": "W"})
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity=GRID, dynamic=False)
    charger = site.charger_entry()
    await site.set_up(charger, manager)
    shown = Shown(site, manager)
    await site.select(manager, "pv")
    assert shown.only(None)
    await reconfigure(site, manager, {"meter": "none"})
    await shown.until("no_power_meter")
    await site.turn(manager, "excess_charging", on=False)
    await shown.until(None)
    await site.turn(manager, "excess_charging", on=True)
    await shown.until("no_power_meter")
    await site.select(manager, "fast")
    await shown.until(None)
    await reconfigure(site, manager, {"meter": "sensor"}, {"meter_entity": GRID})
    await site.select(charger, "min_pv")
    assert shown.only(None)
    await reconfigure(site, manager, {"meter": "none"})
    await shown.until("no_power_meter")
    await reconfigure(site, manager, {"meter": "sensor"}, {"meter_entity": GRID})
    await shown.until(None)


async def test_inverter_that_has_no_meter(build_site: BuildSite) -> None:
    """The inverter that was chosen as the meter has none; its repair names it."""
    site = await build_site(replace(sunny(), inverter=InverterConfig(meters=("Production",))))
    inverter, manager = site.inverter_entry(), site.manager_entry(dynamic=True)
    await site.set_up(inverter, site.charger_entry(), manager)
    await site.select(manager, "fast")
    shown = Shown(site, manager)
    await shown.until("no_phase_currents", meter="SolarEdge SE10K")
    await reconfigure(site, manager, {"meter": "none"})
    await shown.until(None)


async def test_no_phase_currents(build_site: BuildSite) -> None:
    """Dynamic load management with the total power only: turned off, or with another meter it is right."""
    site = await build_site(house(1))
    site.hass.states.async_set(GRID, "0", {"unit_of_measurement": "W", "friendly_name": "Grid"})
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity=GRID, dynamic=True)
    await site.set_up(site.charger_entry(), manager)
    shown = Shown(site, manager)
    await shown.until("no_phase_currents", meter="Grid")
    await reconfigure(site, manager, {"meter": "sensor"}, {"meter_entity": GRID}, dynamic=False)
    await shown.until(None)
    site.hass.config_entries.async_update_entry(manager, data={**manager.data, "dynamic": True})
    await shown.until("no_phase_currents", meter="Grid")
    measure(site.hass, (1.0, 2.0, 3.0))
    sensors = {key: value for key, value in METERED.items() if key != "meter_kind"}
    await reconfigure(site, manager, {"meter": "phase_current"}, sensors)
    await shown.until(None)


async def test_installer_limits(build_site: BuildSite) -> None:
    """Two chargers of 32 A at 35 A; the installer's setting in the app mends it."""
    chargers = tuple(
        ChargerConfig(serial=f"1000000{index}", name=f"Wall {index}", car=QUICK_CAR, max_current=32) for index in (1, 2)
    )
    site = await build_site(HomeConfig(inverter=None, chargers=chargers, speed=10))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(0), site.charger_entry(1), manager)
    shown = Shown(site, manager)
    await shown.until("installer_limits", chargers="Wall 1, Wall 2", circuits="House connection")
    issue = ir.async_get(site.hass).async_get_issue(DOMAIN, "installer_limits")
    assert issue is not None
    assert issue.severity == "warning"
    for index in (0, 1):
        site.home.chargers[index].charger.write("ama", 16)
    await shown.until(None)


async def test_installer_limits_of_a_circuit(build_site: BuildSite) -> None:
    """A circuit that carries less than its chargers; the right limit of the circuit mends it."""
    site = await build_site(house())
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garden", limit=10)
    charger = site.charger_entry(0, options={"circuit": circuit})
    await site.set_up(charger, site.charger_entry(1), manager)
    await site.set_number(charger, "maximum_current", 10)
    shown = Shown(site, manager)
    await shown.until("installer_limits", chargers="Garage", circuits="Garden")
    site.hass.config_entries.async_update_subentry(
        manager, manager.subentries[circuit], data={**manager.subentries[circuit].data, "limit": 16}
    )
    await shown.until(None)


def grid_meter(site: Site, *, wrong: bool) -> None:
    """Let the sensor of the grid power speak."""
    power = 300.0 + site.home.chargers[0].charger.power_w
    value = str(round(-power if wrong else power, 1))
    site.hass.states.async_set(GRID, value, {"unit_of_measurement": "W", "friendly_name": "Grid"}, force_update=True)


async def charge_and_stop(site: Site, manager: MockConfigEntry, *, wrong: bool, seconds: float) -> None:
    """Let the car charge fast and stop again, while the meter speaks five times a second."""
    for mode in ("fast", "off"):
        await site.select(manager, mode)
        for _ in range(int(seconds * 5)):
            grid_meter(site, wrong=wrong)
            await asyncio.sleep(0.2)


async def test_meter_sign(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter that goes down while the car draws more; the other direction mends it, and it stays mended."""
    monkeypatch.setattr(f"{OURS}.control.meter_sign.LAG", 0.2)
    site = await build_site(house(1))
    grid_meter(site, wrong=True)
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity=GRID, dynamic=False)
    await site.set_up(site.charger_entry(), manager)
    await site.set_number(manager, "maximum_total_current", 16)
    shown = Shown(site, manager)
    assert shown.only(None)
    for _ in range(4):
        await charge_and_stop(site, manager, wrong=True, seconds=1.5)
        if not shown.only(None):
            break
    assert shown.only("meter_sign", meter="Grid")
    issue = ir.async_get(site.hass).async_get_issue(DOMAIN, "meter_sign")
    assert issue is not None
    assert issue.severity == "error"
    await reconfigure(
        site, manager, {"meter": "sensor"}, {"meter_entity": GRID, "meter_direction": "export_positive"}, dynamic=False
    )
    await shown.until(None)
    for _ in range(2):
        await charge_and_stop(site, manager, wrong=True, seconds=1.5)
    assert shown.only(None)


async def test_right_meter(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a right meter is no error."""
    monkeypatch.setattr(f"{OURS}.control.meter_sign.LAG", 0.2)
    site = await build_site(house(1))
    grid_meter(site, wrong=False)
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity=GRID, dynamic=False)
    await site.set_up(site.charger_entry(), manager)
    await site.set_number(manager, "maximum_total_current", 16)
    for _ in range(2):
        await charge_and_stop(site, manager, wrong=False, seconds=1.5)
    assert Shown(site, manager).only(None)


async def test_circuits(build_site: BuildSite) -> None:
    """A charger whose circuit was removed; another circuit in its options mends it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    charger = site.charger_entry(options={"circuit": "gone"})
    await site.set_up(charger, manager)
    shown = Shown(site, manager)
    await shown.until("circuits", chargers="Garage", circuits="–")
    await options(site, charger, {"circuit": "root"})
    await shown.until(None)


async def test_currents(build_site: BuildSite) -> None:
    """The site's minimum is above what a charger may draw; either number mends it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    charger = site.charger_entry()
    await site.set_up(charger, manager)
    shown = Shown(site, manager)
    await site.set_number(charger, "maximum_current", 8)
    assert shown.only(None)
    await site.set_number(manager, "minimum_current", 10)
    await shown.until("currents", chargers="Garage")
    await site.set_number(charger, "maximum_current", 16)
    await shown.until(None)
    await site.set_number(charger, "maximum_current", 8)
    await shown.until("currents", chargers="Garage")
    await site.set_number(manager, "minimum_current", 6)
    await shown.until(None)


async def test_duplicate_charger(build_site: BuildSite) -> None:
    """Two entries for one charger; deleting one mends it."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    charger = site.charger_entry()
    await site.set_up(charger, manager)
    shown = Shown(site, manager)
    twin = MockConfigEntry(domain=DOMAIN, title="Garage", unique_id="twin", data=dict(charger.data))
    twin.add_to_hass(site.hass)
    await shown.until("duplicate_charger", chargers="Garage, Garage")
    await site.hass.config_entries.async_remove(twin.entry_id)
    await shown.until(None)


async def test_several_errors_at_once(build_site: BuildSite) -> None:
    """The mask is the sum, and all go when the load manager goes."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(options={"circuit": "gone"}), manager)
    await site.set_number(manager, "maximum_total_current", 3)
    await eventually(lambda: site.number(manager, "error_flags") == 0x2 | 0x100)
    await eventually(lambda: set(issues(site.hass)) == {"maximum_current", "circuits"})
    await site.hass.config_entries.async_remove(manager.entry_id)
    assert issues(site.hass) == {}


def sensor_is(site: Site, manager: MockConfigEntry, key: str, value: str) -> Callable[[], bool]:
    """Return whether a binary sensor of the load manager has a value."""
    return lambda: site.value(manager, key, "binary_sensor") == value


async def test_watchdog(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sets the available current any more: shown, and over with the next value."""
    timings = replace(CONTROL_TIMINGS, watchdog=1.0)
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(), manager)
    await asyncio.sleep(1.5)
    assert site.value(manager, "watchdog", "binary_sensor") == "off"
    await site.turn(manager, "watchdog", on=True)
    await eventually(sensor_is(site, manager, "watchdog", "on"))
    await site.set_number(manager, "available_current", 10)
    await eventually(sensor_is(site, manager, "watchdog", "off"), within=0.8)
    await eventually(sensor_is(site, manager, "watchdog", "on"))
    await site.turn(manager, "watchdog", on=False)
    await eventually(sensor_is(site, manager, "watchdog", "off"))


async def test_dimmed(build_site: BuildSite) -> None:
    """The grid operator's input is on: shown, until it is off."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    site.hass.states.async_set("binary_sensor.dim", "off")
    await site.set_up(site.charger_entry(), manager)
    site.hass.config_entries.async_update_entry(
        manager, options={"dimming_entity": "binary_sensor.dim", "dimming_power": 4200, "dimming_total": False}
    )
    await site.hass.async_block_till_done()
    await eventually(sensor_is(site, manager, "dimmed", "off"))
    site.hass.states.async_set("binary_sensor.dim", "on")
    await eventually(sensor_is(site, manager, "dimmed", "on"))
    site.hass.states.async_set("binary_sensor.dim", "off")
    await eventually(sensor_is(site, manager, "dimmed", "off"))


def test_every_error_has_a_repair() -> None:
    """No flag without its entity and its repair."""
    assert {repair.error for repair in ISSUES.values()} == set(ConfigError)


async def test_ignored_repair_stays_ignored(build_site: BuildSite) -> None:
    """A reload does not raise anew what somebody ignores; a disabled load manager has no repairs."""
    site = await build_site(HomeConfig(chargers=(ChargerConfig(serial="10000001"), ChargerConfig(serial="10000002"))))
    manager = site.manager_entry(main_fuse=16)
    await site.set_up(site.inverter_entry(), site.charger_entry(0), site.charger_entry(1), manager)
    registry = ir.async_get(site.hass)
    await eventually(lambda: registry.async_get_issue(DOMAIN, "installer_limits") is not None)
    registry.async_ignore(DOMAIN, "installer_limits", True)
    await site.hass.config_entries.async_reload(manager.entry_id)
    await eventually(lambda: manager.runtime_data.data.errors & ConfigError.INSTALLER_LIMITS)
    issue = registry.async_get_issue(DOMAIN, "installer_limits")
    assert issue is not None
    assert issue.dismissed_version is not None
    await site.hass.config_entries.async_set_disabled_by(manager.entry_id, ConfigEntryDisabler.USER)
    assert registry.async_get_issue(DOMAIN, "installer_limits") is None
