"""Actions for modes that end by themselves, priorities, and to distribute anew."""

from datetime import timedelta
from typing import Any

from homeassistant.util import dt as dt_util
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.shared import SHARED

from .conftest import BuildSite, sunny
from .site import Site, configuration, eventually
from .test_actions import act, add_circuit, device, override, refuse
from .watching import TWO, gives, holds

SOON = {"milliseconds": 1500}


async def test_mode_of_the_site_for_a_while(site: Site) -> None:
    """At its end the mode before is in force again, also after a second one with an end; the entity says when."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(holds(site))
    target = {"entity_id": site.entity_id("select", manager, "charge_mode")}
    await act(site, "set_charge_mode", **target, mode="pv", duration={"hours": 1})
    await act(site, "set_charge_mode", **target, mode="fast", duration=SOON)
    shown = site.state("select", manager, "charge_mode")
    assert shown.state == "fast"
    until = dt_util.parse_datetime(shown.attributes["until"])
    assert until is not None
    assert timedelta() < until - dt_util.utcnow() < timedelta(seconds=2)
    await eventually(gives(site, 16), within=1.4)
    await eventually(holds(site))
    shown = site.state("select", manager, "charge_mode")
    assert shown.state == "off"
    assert "until" not in shown.attributes


async def test_a_later_choice_counts(site: Site) -> None:
    """Whoever picks a mode while another one has an end, has chosen for good."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "pv")
    both = [device(site, charger), device(site, manager)]
    await act(site, "set_charge_mode", device_id=both, mode="off", until=dt_util.now() + timedelta(hours=1))
    await eventually(holds(site))
    for entry in (charger, manager):
        assert "until" in site.state("select", entry, "charge_mode").attributes
        assert site.value(entry, "charge_mode", "select") == "off"
    await site.select(manager, "fast")
    await site.select(charger, "fast")
    for entry in (charger, manager):
        assert "until" not in site.state("select", entry, "charge_mode").attributes
    await eventually(gives(site, 16))


async def test_mode_of_a_charger_for_a_while(build_site: BuildSite) -> None:
    """At its end the mode before is in force again; what was overridden before is over, others are left alone."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, manager = await site.set_up_all()
    await site.select(manager, "off")
    await eventually(lambda: holds(site)() and holds(site, 1)())
    target = {"entity_id": site.entity_id("sensor", first, "reason")}
    await act(site, "set_charge_mode", **target, mode="off")
    assert site.value(first, "charge_mode", "select") == "off"
    await act(site, "set_charge_mode", **target, mode="pv", duration={"hours": 1})
    await act(site, "set_charge_mode", **target, mode="fast", duration=SOON)
    assert site.value(first, "charge_mode", "select") == "fast"
    assert site.value(second, "charge_mode", "select") == "follow_site"
    await eventually(lambda: site.value(first, "charge_mode", "select") == "off")
    await act(site, "set_charge_mode", **target, mode="follow_site")
    await act(site, "set_charge_mode", **target, mode="fast", duration=SOON)
    assert site.value(first, "charge_mode", "select") == "fast"
    await eventually(lambda: site.value(first, "charge_mode", "select") == "follow_site")
    await site.select(first, "min_pv")
    await act(site, "set_charge_mode", **target, mode="follow_site")
    assert site.value(first, "charge_mode", "select") == "follow_site"


async def test_modes_that_are_refused(site: Site) -> None:
    """What cannot be is named, and nothing is changed, not even for other targets."""
    inverter, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    here, house = {"device_id": device(site, charger)}, {"device_id": device(site, manager)}
    both = {"device_id": [here["device_id"], house["device_id"]]}
    past = (dt_util.now() - timedelta(seconds=1)).isoformat()
    assert "already be over" in await refuse(site, "set_charge_mode", **both, mode="off", until=past)
    assert "Only chargers" in await refuse(site, "set_charge_mode", **both, mode="follow_site")
    assert "no end" in await refuse(site, "set_charge_mode", **here, mode="follow_site", duration={"hours": 1})
    nobody = {"device_id": device(site, inverter)}
    assert "load manager or one" in await refuse(site, "set_charge_mode", **nobody, mode="off")
    await site.turn(manager, "excess_charging", on=False)
    assert "PV surplus charging" in await refuse(site, "set_charge_mode", **both, mode="pv")
    assert await site.hass.config_entries.async_unload(charger.entry_id)
    assert "Garage" in await refuse(site, "set_charge_mode", **both, mode="fast", duration={"hours": 1})
    assert configuration(site.hass).strategy.mode == "fast"
    assert configuration(site.hass).chargers[0].mode == "follow_site"


async def test_off_for_chargers_that_are_away(build_site: BuildSite) -> None:
    """Off stops all that it reaches, and the others when they are back; one that is not managed is left alone."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(gives(site, 16))
    both = [device(site, first), device(site, second)]
    assert await site.hass.config_entries.async_unload(second.entry_id)
    await act(site, "set_charge_mode", device_id=both, mode="off")
    await eventually(holds(site))
    assert await site.hass.config_entries.async_setup(second.entry_id)
    await eventually(holds(site, 1))
    await act(site, "set_charge_mode", device_id=both, mode="follow_site")
    await eventually(lambda: gives(site, 16)() and gives(site, 16, 1)())
    site.hass.config_entries.async_update_entry(second, options={"managed": False})
    await site.hass.async_block_till_done()
    await act(site, "set_charge_mode", device_id=both, mode="off")
    await eventually(holds(site))
    assert "mode" not in site.hass.data[SHARED].memory.charger("10000002")
    assert "Carport" in await refuse(site, "set_charge_mode", device_id=both[1], mode="off")


async def test_a_circuit_is_not_the_site(site: Site) -> None:
    """Whoever targets the device of a circuit does not mean the whole site."""
    manager = site.manager_entry()
    circuit = add_circuit(site, manager, "Garage")
    await site.set_up(site.inverter_entry(), site.charger_entry(), manager)
    number = site.entity_id("number", manager, f"circuit_limit_{circuit}")
    assert "load manager or one" in await refuse(site, "set_charge_mode", entity_id=number, mode="off")


def saved(storage: dict[str, Any], *, site: dict[str, Any], charger: dict[str, Any] | None = None) -> None:
    """Put into the storage what was chosen before the restart."""
    data = {"site": site, "chargers": {} if charger is None else {"10000001": charger}, "control": {}}
    storage[DOMAIN] = {"version": 1, "minor_version": 1, "key": DOMAIN, "data": data}


@pytest.mark.parametrize("away", [False, True])
async def test_ends_outlive_a_restart(site: Site, hass_storage: dict[str, Any], *, away: bool) -> None:
    """A mode with an end goes on after a restart, and ends then; one that ended meanwhile is over at once."""
    until = dt_util.utcnow() + timedelta(seconds=-5 if away else 600)
    end = {"mode_until": until.isoformat()}
    saved(hass_storage, site={"mode": "off", "mode_before": "fast", **end}, charger={"mode": "off", **end})
    _, charger, manager = await site.set_up_all()
    if away:
        await eventually(gives(site, 16))
    for entry, after in ((charger, "follow_site"), (manager, "fast")):
        assert site.value(entry, "charge_mode", "select") == (after if away else "off")
        assert ("until" in site.state("select", entry, "charge_mode").attributes) is not away
    memory = site.hass.data[SHARED].memory
    assert (memory.site["mode_until"] is None) is away


async def test_an_end_that_cannot_be_read(site: Site, hass_storage: dict[str, Any]) -> None:
    """Where nobody knows when a mode ends, or to which one it goes back, the chosen one stays and has no end."""
    saved(hass_storage, site={"mode": "fast", "mode_until": 7, "mode_before": "turbo"})
    *_, manager = await site.set_up_all()
    await eventually(gives(site, 16))
    shown = site.state("select", manager, "charge_mode")
    assert shown.state == "fast"
    assert "until" not in shown.attributes


async def test_default_mode_has_no_end(site: Site, hass_storage: dict[str, Any]) -> None:
    """A default for the time after a restart is a choice for good."""
    until = (dt_util.utcnow() + timedelta(hours=1)).isoformat()
    saved(hass_storage, site={"mode": "off", "mode_before": "pv", "mode_until": until, "default_mode": "fast"})
    *_, manager = await site.set_up_all()
    shown = site.state("select", manager, "charge_mode")
    assert shown.state == "fast"
    assert "until" not in shown.attributes


async def test_off_at_the_end_is_the_last_word(site: Site) -> None:
    """Where a mode goes back to off, an override does not outlive that."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "off")
    house, here = {"device_id": device(site, manager)}, {"device_id": device(site, charger)}
    await act(site, "set_charge_mode", **house, mode="fast", duration=SOON)
    await act(site, "set_override", **here, current=10)
    assert override(site) is not None
    await eventually(lambda: override(site) is None)
    await eventually(holds(site))


async def test_set_priority(build_site: BuildSite) -> None:
    """Who is more important gets what there is; the entity shows it."""
    site = await build_site(sunny(*TWO, pv_w=0))
    _, first, second, manager = await site.set_up_all()
    await site.set_number(manager, "maximum_total_current", 16)
    await site.select(manager, "fast")
    await eventually(lambda: gives(site, 8)() and gives(site, 8, 1)())
    await act(site, "set_priority", device_id=device(site, second), priority="high")
    assert site.value(second, "priority", "select") == "high"
    await eventually(gives(site, 10, 1))
    assert gives(site, 6)()
    assert site.value(first, "priority", "select") == "normal"


async def test_redistribute(site: Site) -> None:
    """What is allocated before and after is answered, by charger."""
    *_, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(gives(site, 16))
    told = {"charge": True, "current_a": 16, "phases": 3}
    assert await act(site, "redistribute") == {"before": {"10000001": told}, "after": {"10000001": told}}
