"""The check of the meter with a charging car: what it finds out, and that the charger is as before afterwards."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.control import Override
from custom_components.pv_load_manager.control.meter_check import CheckTimings
from custom_components.pv_load_manager.shared import SHARED
from simulator import CarConfig, ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .flows import shows
from .site import CONTROL_TIMINGS, Site, configuration, eventually
from .test_meters import CURRENTS, PHASE_CURRENT, say_all
from .watching import TWO, draws, gives, holds, repeated

ONE_PHASE = CarConfig(phases=1, start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0)
ROTATED = ChargerConfig(car=ONE_PHASE, rotation=(2, 3, 1))
SCALED = CheckTimings(
    start=10.0,
    follow=5.0,
    rest=0.3,
    holds=(0.9, 0.7, 1.1, 0.8, 1.0),
    silence=3.0,
    longest=25.0,
    lags=(-0.5, 1.5),
)
"""The whole check within about six seconds."""

TRIES = 3
RESTLESS = ("zu stark geändert", "changed too much")
type Shown = Callable[[tuple[float, float, float]], tuple[float, ...]]


@pytest.fixture(autouse=True)
def _short_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{OURS}.coordinators.meter_check.TIMINGS", SCALED)


def right(currents: tuple[float, float, float]) -> tuple[float, ...]:
    """Show what flows."""
    return currents


def turned(currents: tuple[float, float, float]) -> tuple[float, ...]:
    """Show it the wrong way round."""
    return tuple(-amps for amps in currents)


def stuck(_currents: tuple[float, float, float]) -> tuple[float, ...]:
    """Show always the same."""
    return (3.0, 2.0, 1.0)


def metered(site: Site, shown: Shown = right) -> AbstractAsyncContextManager[None]:
    """Feed the sensors of the meter with what really flows at the house connection, as somebody shows it."""

    def speak() -> None:
        say_all(site.hass, CURRENTS, shown(site.home.home.flow.grid_currents), "A")

    speak()
    return repeated(speak, every=0.1)


async def ready(site: Site, *, mode: str = "fast", **meter: Any) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Set up a charger and a load manager with a meter of sensors; return their entries when the car charges."""
    charger = site.charger_entry()
    manager = site.manager_entry(MeterSource.SENSOR, **PHASE_CURRENT, **meter)
    await site.set_up(charger, manager)
    await site.select(manager, mode)
    await eventually(lambda: site.value(manager, "state") != "starting")
    return charger, manager


async def check(site: Site, *chargers: MockConfigEntry) -> dict[str, Any]:
    """Call the action and return its answer; a busy machine may be too restless for the short steps of a test."""
    targets = [site.entity_id("select", charger, "charge_mode") for charger in chargers]
    for _ in range(TRIES):
        answer = await site.hass.services.async_call(
            DOMAIN, "check_meter", {ATTR_ENTITY_ID: targets}, blocking=True, return_response=True
        )
        assert isinstance(answer, dict)
        if answer["result"] != "too_noisy":
            break
    return answer


def override(site: Site) -> Override | None:
    """Return what is chosen for the charger."""
    manager = site.hass.data[SHARED].load_manager
    assert manager is not None
    return manager.override("10000001")


async def test_rotated_charger(build_site: BuildSite) -> None:
    """The phase of a one-phase car is found, with sign, dead time and cadence; the former mode goes on."""
    site = await build_site(sunny(ROTATED, pv_w=0))
    async with metered(site):
        charger, _ = await ready(site)
        await eventually(lambda: draws(site) > 15)
        answer = await check(site, charger)
        assert answer["result"] == "learned"
        assert answer["sign"] == "right"
        assert answer["charger_phases"] == {"l1": 2, "l2": None, "l3": None}
        assert answer["meter_phases"] == {"l1": "unseen", "l2": "right", "l3": "unseen"}
        assert answer["likely_rotation"] == [2, 3, 1]
        assert answer["household_seen"]
        assert answer["dead_time_s"] <= 0.75
        assert answer["cadence_s"] == pytest.approx(0.15, abs=0.1)
        assert answer["step_a"] == pytest.approx(10, abs=0.6)
        assert "L1 of the charger is L2 of the house." in answer["message"]
        assert override(site) is None
        await eventually(gives(site, 16))
        amps = [value for key, value in site.written() if key == "amp"]
        assert set(amps) == {6, 16}
        assert amps.count(6) >= 2


async def open_form(hass: HomeAssistant, manager: MockConfigEntry) -> ConfigFlowResult:
    """Open the options of the load manager and choose the check."""
    result = await hass.config_entries.options.async_init(manager.entry_id)
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.options.async_configure(result["flow_id"], {"next_step_id": "check_meter"})


async def begin(hass: HomeAssistant, manager: MockConfigEntry, serial: str = "10000001") -> ConfigFlowResult:
    """Begin the check in the options; return what is shown while it runs."""
    result = await open_form(hass, manager)
    shows(result, "check_meter")
    result = await hass.config_entries.options.async_configure(result["flow_id"], {"charger": serial})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert result["progress_action"] == "check_meter"
    assert result["description_placeholders"] == {"charger": "Garage"}
    return result


async def finish(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Wait until the check is over and return the form with its result."""
    flow_id = result["flow_id"]

    def over() -> bool:
        (flow,) = hass.config_entries.options.async_progress_by_handler(result["handler"])
        return flow["step_id"] == "check_result"

    await eventually(over, within=30)
    shown = await hass.config_entries.options.async_configure(flow_id)
    shows(shown, "check_result")
    return shown


async def checked(
    hass: HomeAssistant, manager: MockConfigEntry, fractions: list[float] | None = None
) -> ConfigFlowResult:
    """Go through a whole check in the options; a busy machine may be too restless for the short steps of a test."""
    for _ in range(TRIES):
        if fractions is not None:
            fractions.clear()
        result = await finish(hass, await begin(hass, manager))
        if not any(restless in sentence for sentence in said(result) for restless in RESTLESS):
            break
    return result


def said(result: ConfigFlowResult) -> list[str]:
    """Return the sentences of a result."""
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    return placeholders["findings"].split("\n\n")


async def test_flow_stores_what_differs(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter the wrong way round, a rotation that does not fit and a late meter are stored when that is confirmed."""
    monkeypatch.setattr(f"{OURS}.coordinators.meter_report.DEFAULT_LAG", 0.0)
    site = await build_site(sunny(ROTATED, pv_w=0))
    site.hass.config.language = "de"
    async with metered(site, turned):
        charger, manager = await ready(site, dynamic=False)
        fractions: list[float] = []
        site.hass.bus.async_listen(
            "data_entry_flow_progress_update", lambda event: fractions.append(event.data["progress"])
        )
        result = await checked(site.hass, manager, fractions)
        assert fractions == sorted(fractions)
        assert 0.0 <= fractions[0] < 0.5 < fractions[-1] <= 1.0
        sentences = said(result)
        assert "Der Zähler sieht das Auto und den Haushalt." in sentences
        assert "Der Zähler zählt verkehrt herum: Mehr Last sieht aus wie mehr Einspeisung." in sentences
        assert "L1 der Wallbox ist L2 des Hauses." in sentences
        assert any("L2-L3-L1" in sentence for sentence in sentences)
        assert any("meldet sich alle 0," in sentence for sentence in sentences)
        assert override(site) is None
        options = dict(manager.options)
        result = await site.hass.config_entries.options.async_configure(result["flow_id"], {"store": True})
        await site.hass.async_block_till_done()
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert manager.options == options
        assert manager.data["meter_direction"] == "export_positive"
        assert charger.options["rotation"] == "l2_l3_l1"
        assert configuration(site.hass).chargers[0].rotation == (2, 3, 1)
        assert 0.0 < configuration(site.hass).timings.meter_lag < 2.0
        monkeypatch.setattr(f"{OURS}.coordinators.meter_report.DEFAULT_LAG", 3.0)
        await eventually(lambda: site.value(manager, "state") != "starting")
        result = await checked(site.hass, manager)
        assert "Das Vorzeichen stimmt: Mehr Last ist mehr Bezug." in said(result)
        assert "Das passt zur Phasenfolge, die für die Wallbox eingestellt ist." in said(result)
        result = await site.hass.config_entries.options.async_configure(result["flow_id"], {})
        assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_nothing_is_stored_unasked(build_site: BuildSite) -> None:
    """Who does not confirm keeps the settings as they are."""
    site = await build_site(sunny(ROTATED, pv_w=0))
    async with metered(site, turned):
        charger, manager = await ready(site, dynamic=False)
        before = dict(manager.data), dict(charger.options)
        result = await checked(site.hass, manager)
        result = await site.hass.config_entries.options.async_configure(result["flow_id"], {"store": False})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert (dict(manager.data), dict(charger.options)) == before


@pytest.mark.parametrize(("sees", "outcome"), [("car", "house_not_seen"), ("nothing", "car_not_seen")])
async def test_meter_in_the_wrong_place(build_site: BuildSite, sees: str, outcome: str) -> None:
    """A meter of the charger alone, and one that never moves, fail with a plain message."""
    site = await build_site(sunny(ROTATED, pv_w=0))

    def only_car(_currents: tuple[float, float, float]) -> tuple[float, ...]:
        return 0.0, draws(site), 0.0

    async with metered(site, only_car if sees == "car" else stuck):
        charger, manager = await ready(site)
        if sees == "car":  # a flow offers nothing to store: it would be learned from a meter in the wrong place
            result = await checked(site.hass, manager)
            assert result["data_schema"].schema == {}
        answer = await check(site, charger)
        assert answer["result"] == outcome
        assert answer["message"].startswith("The meter does not see the " + ("household" if sees == "car" else "car"))
        assert override(site) is None


async def test_meter_of_the_inverter(build_site: BuildSite) -> None:
    """The same over Modbus: a car on two phases of a rotated charger, and sun that hides nothing."""
    site = await build_site(
        sunny(
            ChargerConfig(car=CarConfig(phases=2, start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0), rotation=(2, 3, 1))
        )
    )
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: draws(site) > 15)
    await eventually(lambda: site.value(manager, "state") != "starting")
    answer = await check(site, charger)
    assert answer["result"] == "learned"
    assert answer["sign"] == "right"
    assert answer["meter_phases"] == {"l1": "unseen", "l2": "right", "l3": "right"}
    assert answer["likely_rotation"] == [2, 3, 1]
    assert answer["cadence_s"] == pytest.approx(1.0, abs=0.3)


async def stepping(site: Site) -> None:
    """Wait until the check is in the middle."""

    def lowered() -> bool:
        chosen = override(site)
        return chosen is not None and chosen.current_a == 6 and draws(site) == pytest.approx(6, abs=0.3)

    await eventually(lowered)


async def chosen_before(site: Site, charger: MockConfigEntry) -> Override:
    """Choose a current for the charger, with an end; return what is chosen then."""
    target = {ATTR_ENTITY_ID: site.entity_id("select", charger, "charge_mode")}
    data = {**target, "current": 11, "duration": {"hours": 1}, "energy": 40}
    await site.hass.services.async_call(DOMAIN, "set_override", data, blocking=True)
    await eventually(gives(site, 11))
    found = override(site)
    assert found is not None
    return found


async def test_closed_window(build_site: BuildSite) -> None:
    """Who closes the window ends the check; what was chosen before is in force again, and another check may begin."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, manager = await ready(site)
        before = await chosen_before(site, charger)
        result = await begin(site.hass, manager)
        await stepping(site)
        assert override(site) != before
        again = await open_form(site.hass, manager)
        again = await site.hass.config_entries.options.async_configure(again["flow_id"], {"charger": "10000001"})
        shows(again, "check_meter", {"base": "check_refused"})
        assert again["description_placeholders"] == {"refusal": "A check of the meter runs already."}
        site.hass.config_entries.options.async_abort(result["flow_id"])
        await eventually(lambda: override(site) == before)
        await eventually(gives(site, 11))
        again = await site.hass.config_entries.options.async_configure(again["flow_id"], {"charger": "10000001"})
        assert again["type"] is FlowResultType.SHOW_PROGRESS
        site.hass.config_entries.options.async_abort(again["flow_id"])
        await eventually(lambda: override(site) == before)


async def test_lost_charger(build_site: BuildSite) -> None:
    """A charger that is lost ends the check; when it is back it does what was chosen before."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, manager = await ready(site)
        before = await chosen_before(site, charger)
        result = await begin(site.hass, manager)
        await stepping(site)
        await site.home.chargers[0].stop()
        result = await finish(site.hass, result)
        assert said(result) == ["The charger does not answer any more."]
        assert override(site) == before
        result = await site.hass.config_entries.options.async_configure(result["flow_id"], {})
        assert result["type"] is FlowResultType.CREATE_ENTRY
        await site.home.chargers[0].start()
        await eventually(gives(site, 11))


@pytest.mark.parametrize("end", ["reload", "unload", "stop"])
async def test_end_of_the_load_manager(build_site: BuildSite, end: str) -> None:
    """Whatever ends the load manager ends the check, too, and what was chosen before is what is remembered."""
    site = await build_site(sunny(pv_w=0))
    hass = site.hass
    async with metered(site):
        charger, manager = await ready(site)
        before = await chosen_before(site, charger)
        task = hass.async_create_task(check(site, charger))
        await stepping(site)
        if end == "stop":
            await hass.async_stop(force=True)
        elif end == "unload":
            await hass.config_entries.async_unload(manager.entry_id)
        else:
            await hass.config_entries.async_reload(manager.entry_id)
        saved = hass.data[SHARED].memory.control["chargers"]["10000001"]["override"]
        assert saved["current_a"] == 11
        assert saved["energy_wh"] == pytest.approx(before.energy_wh)
        assert (await task)["result"] == "interrupted"
        if end == "unload":
            await site.set_up(manager)
        if end != "stop":
            assert override(site) == before
            await eventually(gives(site, 11))


async def test_somebody_chooses_meanwhile(build_site: BuildSite) -> None:
    """Who chooses a current, in Home Assistant or in the app, or turns the site off ends the check and is obeyed."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, manager = await ready(site)
        task = site.hass.async_create_task(check(site, charger))
        await stepping(site)
        chosen = await chosen_before(site, charger)
        assert (await task)["result"] == "interrupted"
        assert override(site) == chosen
        task = site.hass.async_create_task(check(site, charger))
        await eventually(lambda: override(site) not in {None, chosen})
        await site.select(manager, "off")
        assert (await task)["result"] == "interrupted"
        assert override(site) is None
        await eventually(holds(site))


async def test_car_that_leaves(build_site: BuildSite) -> None:
    """An unplugged car ends the check, and its override with it."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, _ = await ready(site)
        task = site.hass.async_create_task(check(site, charger))
        await stepping(site)
        site.home.chargers[0].unplug()
        assert (await task)["result"] == "car_left"
        assert override(site) is None
        await eventually(holds(site))


async def test_limits_hold(build_site: BuildSite) -> None:
    """The check gets no more than the circuits give: too little room is told, and never used."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, manager = await ready(site)
        await site.set_number(manager, "available_current", 8)
        await eventually(lambda: draws(site) == pytest.approx(8, abs=0.3))
        before = len(site.written())
        assert (await check(site, charger))["result"] == "no_room"
        assert all(value <= 8 for key, value in site.written()[before:] if key == "amp")
        assert override(site) is None


async def test_meter_that_falls_silent(build_site: BuildSite) -> None:
    """Without the meter the check ends, and the fuse is protected as ever."""
    site = await build_site(sunny(pv_w=0))
    async with metered(site):
        charger, _ = await ready(site)
        task = site.hass.async_create_task(check(site, charger))
        await stepping(site)
    assert (await task)["result"] == "meter_silent"
    assert override(site) is None


async def refusal(site: Site, *chargers: MockConfigEntry) -> str | None:
    """Return why the check cannot begin."""
    with pytest.raises(ServiceValidationError) as refused:
        await check(site, *chargers)
    return refused.value.translation_key


async def test_refusals(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said at once, and nothing is changed."""
    timings = replace(CONTROL_TIMINGS, hear_all=30.0)  # the second charger is missing for as long as that takes here
    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.TIMINGS", timings)
    site = await build_site(sunny(*TWO, pv_w=0))
    async with metered(site):
        first = site.charger_entry()
        await site.set_up(first)
        assert await refusal(site, first) == "no_load_manager"
        second = site.charger_entry(1, port=1)  # nobody answers there
        await site.fail_to_set_up(second)
        manager = site.manager_entry(MeterSource.SENSOR, **PHASE_CURRENT)
        await site.set_up(manager)
        assert await refusal(site, first) == "meter_check_starting"
        site.hass.config_entries.async_update_entry(second, data={**second.data, "port": site.home.chargers[1].port})
        await site.hass.config_entries.async_reload(second.entry_id)
        await eventually(lambda: site.value(manager, "state") != "starting")
        assert await refusal(site, first, second) == "meter_check_one_charger"
        await site.select(manager, "off")
        assert await refusal(site, first) == "meter_check_site_off"
        await site.select(manager, "fast")
        await eventually(lambda: draws(site) > 15 and (site.number(second, "power") or 0) > 10000)
        assert await refusal(site, first) == "meter_check_other_charger"
        site.home.chargers[0].unplug()
        await eventually(lambda: site.value(first, "state") == "no_car")
        assert await refusal(site, first) == "meter_check_no_car"
        await site.home.chargers[1].stop()
        await eventually(lambda: site.value(second, "state") == "unavailable")
        assert await refusal(site, second) == "meter_check_charger_lost"
        result = await open_form(site.hass, manager)
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "no_car")
        assert override(site) is None


async def test_refusals_of_the_meter(site: Site) -> None:
    """Without a meter, or with one that says nothing, nothing begins; without a load manager the form says so."""
    charger, manager = site.charger_entry(), site.manager_entry(MeterSource.NONE)
    await site.set_up(charger, manager)
    await eventually(lambda: site.value(manager, "state") != "starting")
    await site.select(manager, "fast")
    assert await refusal(site, charger) == "meter_check_no_meter"
    data = {**manager.data, **PHASE_CURRENT, "meter_source": "sensor"}
    site.hass.config_entries.async_update_entry(manager, data=data)
    await site.hass.async_block_till_done()
    await eventually(lambda: site.value(manager, "state") != "starting")
    assert await refusal(site, charger) == "meter_check_meter_silent"
    await site.hass.config_entries.async_unload(manager.entry_id)
    result = await open_form(site.hass, manager)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_loaded")


async def test_car_that_is_left_alone(build_site: BuildSite) -> None:
    """Before a mode was picked nobody touches a car that charges, the check neither."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, mode=3, psm=2), pv_w=0))
    await eventually(lambda: draws(site) > 15)
    async with metered(site):
        charger = site.charger_entry()
        manager = site.manager_entry(MeterSource.SENSOR, **PHASE_CURRENT)
        await site.set_up(charger, manager)
        await eventually(lambda: site.value(charger, "reason") == "untouched")
        assert await refusal(site, charger) == "meter_check_no_mode"
        assert site.written() == []
