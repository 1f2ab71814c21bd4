"""A device that was found and is not wanted (ignored) is an entry without any data: it must disturb nobody."""

from homeassistant.config_entries import SOURCE_IGNORE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.coordinators.ledger import charger_names

from .site import Site, configuration, eventually


def ignored(hass: HomeAssistant, unique_id: str = "wattpilot_99999999") -> MockConfigEntry:
    """Return what Home Assistant keeps of a device that was found and is not wanted."""
    entry = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, title="Neighbour", unique_id=unique_id, data={})
    entry.add_to_hass(hass)
    return entry


async def test_the_house_beside_it(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Cars charge, options open, the meter is found, and nothing is said about it anywhere."""
    ignored(site.hass)
    ignored(site.hass, "solaredge_7E000001")
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "state") == "charging")
    assert [known.charger_id for known in configuration(site.hass).chargers] == [charger.data["serial"]]
    assert set(charger_names(site.hass)) == {charger.data["serial"]}
    for entry in (charger, manager):
        result = await site.hass.config_entries.options.async_init(entry.entry_id)
        assert result["type"] in {"form", "menu"}
        site.hass.config_entries.options.async_abort(result["flow_id"])
    assert await async_setup_component(site.hass, "system_health", {})
    await site.hass.async_block_till_done()
    assert await get_system_health_info(site.hass, DOMAIN)
    assert "KeyError" not in caplog.text


@pytest.mark.parametrize("kind", ["wattpilot", "solaredge", "load_manager"])
async def test_adding_beside_it(site: Site, kind: str) -> None:
    """Everything can be added while something is ignored."""
    ignored(site.hass)
    flow = site.hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": "user"})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": kind})
    assert result["type"] in {"form", "menu"}, result
    flow.async_abort(result["flow_id"])


async def test_the_last_wanted_one_takes_the_files(site: Site) -> None:
    """What is ignored keeps no files of the integration."""
    entry = ignored(site.hass)
    charger = site.charger_entry()
    await site.set_up(charger)
    await site.hass.config_entries.async_remove(charger.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert site.hass.config_entries.async_entries(DOMAIN) == [entry]
