"""The action that learns with a car to which phases of the house a charger is connected."""

import asyncio
from typing import Any

from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.pv_load_manager.const import DOMAIN, MeterSource
from custom_components.pv_load_manager.shared import SHARED
from simulator import CarConfig, ChargerConfig

from .conftest import OURS, QUICK_CAR, BuildSite, sunny
from .site import Site, configuration, eventually
from .test_actions import act, device, refuse
from .test_meter_check import SCALED, TRIES, metered
from .test_meters import PHASE_CURRENT
from .watching import TWO, draws, gives, holds

TWO_PHASES = CarConfig(phases=2, start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0)


@pytest.fixture(autouse=True)
def _short_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{OURS}.coordinators.meter_check.TIMINGS", SCALED)
    monkeypatch.setattr(f"{OURS}.coordinators.rotation_check.LOOK", 0.05)
    monkeypatch.setattr(f"{OURS}.coordinators.rotation_check.SWITCH", 6.0)


async def charging(site: Site, **options: str) -> tuple[MockConfigEntry, MockConfigEntry]:
    """Set up a charger and a meter that knows every phase; return the entries when the car charges."""
    charger = site.charger_entry(options=dict(options))
    manager = site.manager_entry(MeterSource.SENSOR, **PHASE_CURRENT)
    await site.set_up(charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.value(manager, "state") != "starting" and site.settings()["psm"] > 0)
    await eventually(lambda: draws(site) > 15 and gives(site, 16)())
    return charger, manager


async def learn(site: Site, charger: MockConfigEntry) -> dict[str, Any]:
    """Call the action; a busy machine may be too restless for the short steps of a test."""
    for _ in range(TRIES):
        answer = await act(site, "learn_phase_rotation", device_id=device(site, charger))
        if answer["result"] != "too_noisy":
            break
    return answer


async def test_first_phase_of_a_three_phase_car(build_site: BuildSite) -> None:
    """The charger goes to one phase for it and back; two ways remain, so it stays unknown with its L1 known."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, rotation=(2, 3, 1)), pv_w=0))
    async with metered(site):
        charger, _ = await charging(site, rotation="unknown")
        assert site.settings()["psm"] == 2
        answer = await learn(site, charger)
        message = answer.pop("message")
        assert answer == {
            "result": "learned",
            "grid_phase_of_l1": 2,
            "possible_rotations": ["l2_l1_l3", "l2_l3_l1"],
            "usual_rotation": "l2_l3_l1",
            "rotation": None,
            "configured": "unknown",
            "fits": None,
            "stored": False,
        }
        assert "L1 of the charger is L2 of the house." in message
        assert "L2-L1-L3, L2-L3-L1. Usual is L2-L3-L1." in message
        assert charger.options["rotation"] == "unknown"
        manager = site.hass.data[SHARED].load_manager
        assert manager is not None
        _, state, _ = manager.inside()
        assert state.chargers["10000001"].first_line == 1
        assert ("psm", 1) in site.written()
        await eventually(lambda: site.settings()["psm"] == 2 and gives(site, 16)())
        assert configuration(site.hass).chargers[0].phase_policy == "auto"


async def test_whole_rotation_with_a_two_phase_car(build_site: BuildSite) -> None:
    """What a car shows on two phases and on one is everything; it is stored where it was unknown."""
    site = await build_site(sunny(ChargerConfig(car=TWO_PHASES, rotation=(3, 2, 1)), pv_w=0))
    async with metered(site):
        charger, manager = await charging(site, rotation="unknown")
        running = manager.runtime_data
        await eventually(lambda: running.inside()[1].chargers["10000001"].car_phases == 2)
        answer = await learn(site, charger)
        assert answer["possible_rotations"] == ["l3_l2_l1"]
        assert answer["usual_rotation"] is None
        assert (answer["rotation"], answer["configured"], answer["stored"]) == ("l3_l2_l1", "l3_l2_l1", True)
        assert "That is stored" in answer["message"]
        assert charger.options["rotation"] == "l3_l2_l1"
        assert configuration(site.hass).chargers[0].rotation == (3, 2, 1)


@pytest.mark.parametrize(("configured", "fits"), [("l2_l1_l3", True), ("l1_l2_l3", False)])
async def test_a_rotation_that_is_set(build_site: BuildSite, configured: str, *, fits: bool) -> None:
    """It is compared, in Home Assistant's language, and never changed; a charger with one wire needs no more."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, wired_phases=1, rotation=(2, 3, 1)), pv_w=0))
    site.hass.config.language = "de"
    async with metered(site):
        charger, _ = await charging(site, rotation=configured, wired_phases="1")
        answer = await learn(site, charger)
        assert (answer["fits"], answer["stored"], answer["configured"]) == (fits, False, configured)
        assert answer["rotation"] == "l2_l3_l1"
        assert ("Das passt nicht zur" in answer["message"]) is not fits
        assert charger.options["rotation"] == configured


async def test_a_charger_that_does_not_switch(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the charger stays on three phases nothing is said about them."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, rotation=(2, 3, 1)), pv_w=0))
    async with metered(site):
        charger, _ = await charging(site, rotation="unknown")
        site.home.chargers[0].faults.ignored_keys = {"psm"}
        monkeypatch.setattr(f"{OURS}.coordinators.rotation_check.SWITCH", 1.5)
        answer = await learn(site, charger)
        assert (answer["result"], answer["grid_phase_of_l1"], answer["possible_rotations"]) == (
            "not_switched",
            None,
            [],
        )
        assert "did not change to one phase" in answer["message"]
        assert configuration(site.hass).chargers[0].phase_policy == "auto"


async def test_what_is_refused(build_site: BuildSite) -> None:
    """Several chargers, a second check, and meters that could never tell are named."""
    site = await build_site(sunny(*TWO, pv_w=0))
    async with metered(site):
        first, second = site.charger_entry(0), site.charger_entry(1)
        manager = site.manager_entry(MeterSource.SENSOR, **PHASE_CURRENT)
        await site.set_up(first, second, manager)
        await site.select(manager, "fast")
        await eventually(lambda: site.value(manager, "state") != "starting")
        both = [device(site, first), device(site, second)]
        assert "one single charger" in await refuse(site, "learn_phase_rotation", device_id=both)
        running = manager.runtime_data
        running.fixed_phases["10000001"] = "one"
        assert "runs already" in await refuse(site, "learn_phase_rotation", device_id=both[0])
        running.fixed_phases.clear()
        await site.select(manager, "off")
        await eventually(holds(site))
        assert "mode is off" in await refuse(site, "learn_phase_rotation", device_id=both[0])
        assert running.fixed_phases == {}
        site.hass.config_entries.async_update_entry(manager, data={**manager.data, "meter_kind": "total_power"})
        await site.hass.async_block_till_done()
        assert "every phase" in await refuse(site, "learn_phase_rotation", device_id=both[0])
        site.hass.config_entries.async_update_entry(manager, data={**manager.data, "phases": 1})
        await site.hass.async_block_till_done()
        assert "one phase" in await refuse(site, "learn_phase_rotation", device_id=both[0])


async def test_a_stop_in_the_middle(build_site: BuildSite) -> None:
    """When the load manager is unloaded meanwhile, the answer says so and the charger may use all phases again."""
    site = await build_site(sunny(ChargerConfig(car=QUICK_CAR, rotation=(2, 3, 1)), pv_w=0))
    async with metered(site):
        charger, manager = await charging(site, rotation="unknown")
        asked = asyncio.create_task(act(site, "learn_phase_rotation", device_id=device(site, charger)))
        await eventually(lambda: site.settings()["psm"] == 1)
        assert await site.hass.config_entries.async_reload(manager.entry_id)
        answer = await asked
        assert (answer["result"], answer["grid_phase_of_l1"], answer["stored"]) == ("interrupted", None, False)
        await eventually(lambda: site.settings()["psm"] == 2)


async def test_only_for_administrators(hass: HomeAssistant, site: Site, hass_admin_user: MockUser) -> None:
    """A wrong phase rotation can overload a fuse, so other users may not learn one; everything else they may."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    user = await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_USER])
    target = {"device_id": device(site, charger)}
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, "learn_phase_rotation", target, blocking=True, context=Context(user_id=user.id)
        )
    await hass.services.async_call(
        DOMAIN, "set_override", {**target, "current": 8}, blocking=True, context=Context(user_id=user.id)
    )
    await eventually(gives(site, 8))
