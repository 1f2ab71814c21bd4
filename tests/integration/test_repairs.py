"""Repairs that one press mends, those about what happens again and again, and that none is left behind."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from aiohttp.test_utils import TestClient
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import ConfigError, Configuration, Plan, Snapshot
from custom_components.pv_load_manager.coordinators.issues import ConfigIssues
from custom_components.pv_load_manager.shared import SHARED

from .conftest import OURS, BuildSite, sunny
from .site import CONTROL_TIMINGS, Site, eventually
from .test_circuits import add_circuit, house, issues
from .test_flags import GRID, charge_and_stop, grid_meter

FIX = "/api/repairs/issues/fix"


@dataclass(frozen=True)
class Repairs:
    """The page on which a user presses "Submit"."""

    hass: HomeAssistant
    client: TestClient[Any, Any]

    async def open(self, issue_id: str) -> dict[str, Any]:
        """Open a repair and return its form, or why there is none."""
        answer = await self.client.post(FIX, json={"handler": DOMAIN, "issue_id": issue_id})
        assert answer.status == HTTPStatus.OK, await answer.text()
        return dict(await answer.json())

    async def submit(self, form: dict[str, Any]) -> dict[str, Any]:
        """Press the button."""
        assert form["type"] == "form", form
        answer = await self.client.post(f"{FIX}/{form['flow_id']}", json={})
        assert answer.status == HTTPStatus.OK, await answer.text()
        await self.hass.async_block_till_done()
        return dict(await answer.json())

    async def mend(self, issue_id: str) -> dict[str, str]:
        """Open a repair, press the button, expect that it is done, and return what the form said."""
        form = await self.open(issue_id)
        assert (form["type"], form["step_id"]) == ("form", "confirm"), form
        done = await self.submit(form)
        assert done["type"] == "create_entry", done
        return dict(form["description_placeholders"])


@pytest.fixture(name="repairs")
async def repairs_fixture(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Repairs:
    """Return the page with the repairs."""
    for component in ("repairs", DOMAIN):  # views are registered before the server starts
        assert await async_setup_component(hass, component, {})
    return Repairs(hass, await hass_client())


@pytest.fixture(name="impatient")
def impatient_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let missing chargers be missing at once, and one observation tell the sign of a meter."""
    monkeypatch.setattr(f"{OURS}.control.flags.PATIENCE", 0.3)
    monkeypatch.setattr(f"{OURS}.control.meter_sign.LAG", 0.2)
    monkeypatch.setattr(f"{OURS}.control.meter_sign.VOTES", 1)


def raised(site: Site, *issue_ids: str) -> Callable[[], bool]:
    """Return what finds out whether exactly these repairs are raised."""
    return lambda: set(issues(site.hass)) == set(issue_ids)


def texts_of(hass: HomeAssistant, issue_id: str) -> str | None:
    """Return the key of the texts of a repair."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.is_fixable is (issue.translation_key not in {"phase_switching", "meter_sign_cloud", "watchdog_trips"})
    return issue.translation_key


async def test_phase_requests(build_site: BuildSite, repairs: Repairs) -> None:
    """Phase requests that nobody can follow are turned off; what the wiring cannot do has to be mended by hand."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(0, options={"wired_phases": "1"}), manager)
    await site.turn(manager, "external_phases", on=True)
    await eventually(raised(site, "phase_switching"))
    assert texts_of(site.hass, "phase_switching") == "phase_requests"
    assert await repairs.mend("phase_switching") == {"chargers": "Garage"}
    assert site.value(manager, "external_phases", "switch") == "off"
    assert raised(site)()
    manager_now = site.hass.data[DOMAIN].load_manager
    manager_now.change_charger("10000001", phase_policy="three")
    await eventually(raised(site, "phase_switching"))
    assert texts_of(site.hass, "phase_switching") == "phase_switching"


async def test_what_is_left_is_told(build_site: BuildSite, repairs: Repairs) -> None:
    """What no button can mend is told once the requests are off: Home Assistant deletes the mended repair itself."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(0, options={"wired_phases": "1"}), manager)
    await site.turn(manager, "external_phases", on=True)
    site.hass.data[DOMAIN].load_manager.change_charger("10000001", phase_policy="three")
    await eventually(raised(site, "phase_switching"))
    await repairs.mend("phase_switching")
    await eventually(raised(site, "phase_switching"))
    assert texts_of(site.hass, "phase_switching") == "phase_switching"


@pytest.mark.usefixtures("impatient")
async def test_fewer_chargers(build_site: BuildSite, repairs: Repairs) -> None:
    """The number of chargers becomes what is there; what is there is said anew where it changed meanwhile."""
    site = await build_site(house())
    manager = site.manager_entry(expected_chargers=3)
    await site.set_up(site.charger_entry(0), manager)
    await eventually(raised(site, "fewer_chargers"))
    form = await repairs.open("fewer_chargers")
    assert form["description_placeholders"] == {"expected": "3", "found": "1"}
    await site.set_up(site.charger_entry(1))
    await eventually(lambda: issues(site.hass)["fewer_chargers"]["found"] == "2")
    form = await repairs.submit(form)
    assert form["description_placeholders"] == {"expected": "3", "found": "2"}
    assert manager.data["expected_chargers"] == 3
    assert (await repairs.submit(form))["type"] == "create_entry"
    assert manager.data["expected_chargers"] == 2
    await eventually(lambda: site.number(manager, "error_flags") == 0)
    assert raised(site)()


@pytest.mark.usefixtures("impatient")
async def test_sign_of_a_sensor(build_site: BuildSite, repairs: Repairs) -> None:
    """The direction of a meter that is a sensor is turned, and the form says what that makes of its power."""
    site = await build_site(house(1))
    grid_meter(site, wrong=True)
    manager = site.manager_entry(MeterSource.SENSOR, meter_entity=GRID, dynamic=False)
    await site.set_up(site.charger_entry(), manager)
    await site.set_number(manager, "maximum_total_current", 16)
    for _ in range(4):
        await charge_and_stop(site, manager, wrong=True, seconds=1.2)
        if not raised(site)():
            break
    assert raised(site, "meter_sign")()
    about = await repairs.mend("meter_sign")
    assert about["now"] == str(-int(about["afterwards"]))
    assert int(about["now"]) < -250
    assert manager.data["meter_direction"] == "export_positive"
    await eventually(lambda: site.value(manager, "state") != "unavailable")
    assert raised(site)()


@pytest.mark.usefixtures("impatient")
async def test_sign_of_an_inverter(build_site: BuildSite, repairs: Repairs) -> None:
    """The meter of an inverter is turned in the inverter's own options, and stays right."""
    site = await build_site(sunny(pv_w=0.0))
    inverter, charger, manager = site.inverter_entry(), site.charger_entry(), site.manager_entry(dynamic=False)
    site.hass.config_entries.async_update_entry(inverter, options={"meter_1_inverted": True, "grid_interval": 1})
    await site.set_up(inverter, charger, manager)
    await site.select(manager, "off")
    core = site.hass.data[DOMAIN].load_manager
    await eventually(lambda: len(core.inside()[1].sign.rest) >= 2)
    await site.select(manager, "fast")
    await eventually(raised(site, "meter_sign"), within=12)
    assert texts_of(site.hass, "meter_sign") == "meter_sign"
    await repairs.mend("meter_sign")
    assert inverter.options == {"meter_1_inverted": False, "grid_interval": 1}
    await eventually(lambda: (site.number(inverter, "grid_power") or 0) > 0)
    assert raised(site)()


async def test_pressed_twice(site: Site, repairs: Repairs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second press while the devices are loaded anew does not turn the meter back."""
    inverter, _, manager = await site.set_up_all()
    turn = asyncio.Event()

    async def slow(_entry_id: str) -> bool:
        await turn.wait()
        return True

    told = ConfigIssues(site.hass, manager)
    told.check(Configuration(), Snapshot(), Plan(errors=ConfigError.METER_SIGN), {})
    form = await repairs.open("meter_sign")
    monkeypatch.setattr(site.hass.config_entries, "async_reload", slow)
    first = asyncio.create_task(repairs.client.post(f"{FIX}/{form['flow_id']}", json={}))
    await eventually(lambda: bool(inverter.options.get("meter_1_inverted")))
    second = asyncio.create_task(repairs.client.post(f"{FIX}/{form['flow_id']}", json={}))
    await asyncio.sleep(0.2)
    turn.set()
    await asyncio.gather(first, second)
    assert inverter.options["meter_1_inverted"] is True


async def test_meter_that_counts_is_named(site: Site) -> None:
    """Sensors that were chosen once and count no more are not what a repair is about."""
    inverter, manager = site.inverter_entry(), site.manager_entry(meter_kind="total_power", meter_entity=GRID)
    assert await async_setup_component(site.hass, "http", {})
    assert await async_setup_component(site.hass, DOMAIN, {})
    told = ConfigIssues(site.hass, manager)
    told.check(Configuration(), Snapshot(), Plan(errors=ConfigError.METER_SIGN), {})
    assert issues(site.hass) == {"meter_sign": {"meter": inverter.title}}
    told.clear()


async def test_sign_of_a_cloud(site: Site) -> None:
    """A meter that is read from the cloud cannot be turned; the repair says what else can be done."""
    inverter, manager = site.inverter_entry(connection="cloud"), site.manager_entry()
    assert await async_setup_component(site.hass, "http", {})
    assert await async_setup_component(site.hass, DOMAIN, {})
    site.hass.data[SHARED].memory.set_grid_slot(inverter.data["serial"], 1)
    told = ConfigIssues(site.hass, manager)
    told.check(Configuration(), Snapshot(), Plan(errors=ConfigError.METER_SIGN), {})
    assert texts_of(site.hass, "meter_sign") == "meter_sign_cloud"
    assert issues(site.hass) == {"meter_sign": {"meter": inverter.title}}
    told.clear()
    assert issues(site.hass) == {}


async def test_charger_above_circuit(build_site: BuildSite, repairs: Repairs) -> None:
    """Two chargers that may draw more than their circuit carries are lowered, the third is left alone."""
    site = await build_site(house())
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garden", limit=12.5)
    chargers = [site.charger_entry(index, options={"circuit": circuit}) for index in (0, 1)]
    await site.set_up(*chargers, manager)
    await site.set_number(chargers[1], "maximum_current", 12)
    above = "charger_above_circuit"
    await eventually(lambda: issues(site.hass).get(above) == {"chargers": "- Garage: Garden, 16 A → 12 A"})
    await repairs.mend(above)
    await eventually(lambda: [site.number(charger, "maximum_current", "number") for charger in chargers] == [12, 12])
    assert above not in issues(site.hass)


async def test_cause_is_gone(build_site: BuildSite, repairs: Repairs) -> None:
    """Who presses too late is told that nothing is left to do; without a load manager nothing can be done."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garden", limit=12)
    charger = site.charger_entry(options={"circuit": circuit})
    await site.set_up(charger, manager)
    above = "charger_above_circuit"
    await eventually(lambda: above in issues(site.hass))
    form = await repairs.open(above)
    await site.set_number(charger, "maximum_current", 10)
    answer = await repairs.submit(form)
    assert (answer["type"], answer["reason"]) == ("abort", "not_needed")
    await eventually(lambda: site.number(charger, "maximum_current", "number") == 10)
    await site.set_number(charger, "maximum_current", 16)
    await eventually(lambda: above in issues(site.hass))
    form = await repairs.open(above)
    assert await site.hass.config_entries.async_unload(manager.entry_id)
    answer = await repairs.submit(form)
    assert (answer["type"], answer["reason"]) == ("abort", "not_possible")


async def test_watchdog_trips(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that pauses again and again is told; the repair goes when the watchdog is turned off."""
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", replace(CONTROL_TIMINGS, watchdog=0.3))
    site = await build_site(house(1))
    manager = site.manager_entry()
    await site.set_up(site.charger_entry(), manager)
    await site.turn(manager, "external_current", on=True)
    await site.turn(manager, "watchdog", on=True)

    def expired(state: str) -> bool:
        return site.value(manager, "watchdog", "binary_sensor") == state

    for already in range(3):
        await eventually(partial(expired, "on"))
        assert raised(site, *(["watchdog_trips"] if already == 2 else []))()
        await site.set_number(manager, "available_current", 10)
        await eventually(partial(expired, "off"))
    assert texts_of(site.hass, "watchdog_trips") == "watchdog_trips"
    await site.turn(manager, "watchdog", on=False)
    await eventually(raised(site))


@pytest.mark.parametrize("how", ["disable", "remove"])
async def test_nothing_is_left(build_site: BuildSite, how: str) -> None:
    """Repairs of a load manager that is disabled or removed are gone."""
    site = await build_site(house(1))
    manager = site.manager_entry()
    circuit = add_circuit(site.hass, manager, "Garden", limit=12)
    charger = site.charger_entry(options={"circuit": circuit, "wired_phases": "1"})
    await site.set_up(charger, manager)
    await site.turn(manager, "external_phases", on=True)
    await eventually(lambda: {"charger_above_circuit", "phase_switching"} <= set(issues(site.hass)))
    await end(site, manager, how)
    assert raised(site)()


async def end(site: Site, entry: MockConfigEntry, how: str) -> None:
    """Disable or remove an entry."""
    if how == "disable":
        await site.hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    else:
        await site.hass.config_entries.async_remove(entry.entry_id)
    await site.hass.async_block_till_done()
