"""What of a charger is set while the house runs: priority, phases, and how long its own mode lasts."""

from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.shared import SHARED

from .site import Site, configuration, eventually
from .watching import gives, holds


async def test_priority_and_phases_are_in_force_at_once(site: Site) -> None:
    """A choice reaches the control core at once, is there again after a reload, and nonsense in the file is none."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 16)() and site.settings()["psm"] == 2)
    assert (site.value(charger, "priority", "select"), site.value(charger, "phase_policy", "select")) == (
        "normal",
        "auto",
    )
    await site.select(charger, "high", key="priority")
    await site.select(charger, "one", key="phase_policy")
    (told,) = configuration(site.hass).chargers
    assert (told.priority, told.phase_policy) == (1, "one")
    await eventually(lambda: site.settings()["psm"] == 1)
    for entry in (charger, manager):
        assert await site.hass.config_entries.async_reload(entry.entry_id)
    assert site.value(charger, "priority", "select") == "high"
    assert configuration(site.hass).chargers == (told,)
    site.hass.data[SHARED].memory.set_charger("10000001", priority="highest", phase_policy="sometimes")
    (told,) = configuration(site.hass).chargers
    assert (told.priority, told.phase_policy) == (0, "auto")


async def test_a_choice_is_shown_at_once(site: Site) -> None:
    """Also where it changes nothing of the plan, and a charger that says nothing at the moment."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    with patch.object(charger.runtime_data, "async_set_updated_data"):
        await site.select(charger, "low", key="priority")
        assert site.value(charger, "priority", "select") == "low"
        await site.turn(charger, "keep_charge_mode", on=True)
        assert site.value(charger, "keep_charge_mode", "switch") == "on"
        await site.select(charger, "off")
        assert site.value(charger, "charge_mode", "select") == "off"


async def test_without_a_load_manager_nothing_can_be_set(site: Site) -> None:
    """A charger alone has nobody who would care."""
    charger = site.charger_entry()
    await site.set_up(charger)
    for platform, key in (("select", "priority"), ("select", "phase_policy"), ("switch", "keep_charge_mode")):
        assert site.value(charger, key, platform) == "unavailable"


@pytest.mark.parametrize(("keep", "after"), [(False, "follow_site"), (True, "off")])
async def test_mode_of_a_charger_after_its_car(site: Site, *, keep: bool, after: str) -> None:
    """The own mode of a charger ends when its car leaves, unless it is kept."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(gives(site, 16))
    await site.turn(charger, "keep_charge_mode", on=True)
    assert site.value(charger, "keep_charge_mode", "switch") == "on"
    if not keep:
        await site.turn(charger, "keep_charge_mode", on=False)
    await site.select(charger, "off")
    await eventually(holds(site))
    site.home.chargers[0].unplug()
    await eventually(lambda: site.value(charger, "state") == "no_car")
    await eventually(lambda: site.value(charger, "charge_mode", "select") == after)
    assert configuration(site.hass).chargers[0].mode == after


async def test_entries_of_the_first_version(site: Site) -> None:
    """Options that are settings now are moved, a setting that is there already counts, and nothing else changes."""
    options = {"wired_phases": "1", "phase_policy": "one", "priority": "high", "rotation": "l2_l3_l1"}
    inverter, charger, manager = site.inverter_entry(), site.charger_entry(options=options), site.manager_entry()
    data = [dict(entry.data) for entry in (inverter, charger, manager)]
    for entry in (inverter, charger, manager):
        assert (entry.version, entry.minor_version) == (1, 1)
    await site.set_up(inverter, charger, manager)
    for entry, before in zip((inverter, charger, manager), data, strict=True):
        assert (entry.version, entry.minor_version, dict(entry.data)) == (1, 2, before)
    assert dict(charger.options) == {"wired_phases": "1", "rotation": "l2_l3_l1"}
    (told,) = configuration(site.hass).chargers
    assert (told.priority, told.phase_policy, told.wired_phases) == (1, "one", 1)
    assert site.value(charger, "priority", "select") == "high"
    # Somebody restored an old entry beside newer settings.
    assert await site.hass.config_entries.async_unload(charger.entry_id)
    site.hass.config_entries.async_update_entry(
        charger, options={"phase_policy": "three", "priority": "low"}, minor_version=1
    )
    await site.hass.config_entries.async_setup(charger.entry_id)
    assert (charger.minor_version, dict(charger.options)) == (2, {})
    (told,) = configuration(site.hass).chargers
    assert (told.priority, told.phase_policy) == (1, "one")


async def test_moved_options_are_safe_at_once(site: Site, hass_storage: dict[str, Any]) -> None:
    """The settings are written before the entry, which has them no more: there is no moment without them."""
    charger = site.charger_entry(options={"phase_policy": "one", "priority": "high"})
    await site.set_up(charger)
    kept = hass_storage[DOMAIN]["data"]["chargers"][site.home.chargers[0].serial]
    assert (kept["phase_policy"], kept["priority"]) == ("one", "high")


async def test_entries_of_a_later_version(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A major version of the future is not touched; a minor one of the future still works."""
    charger, manager, inverter = site.charger_entry(), site.manager_entry(), site.inverter_entry()
    entries = site.hass.config_entries
    entries.async_update_entry(charger, version=2)
    await entries.async_setup(charger.entry_id)
    await site.hass.async_block_till_done()
    assert charger.state is ConfigEntryState.MIGRATION_ERROR
    assert "higher than the current version" in caplog.text
    for entry in (inverter, manager):
        entries.async_update_entry(entry, minor_version=3)
    await site.hass.async_block_till_done()  # a changed load manager is loaded anew
    await site.set_up(inverter, manager)
    assert (inverter.minor_version, manager.minor_version) == (3, 3)
