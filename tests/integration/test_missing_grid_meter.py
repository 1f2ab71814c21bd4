"""An inverter that is set up while its grid meter is silent: the meter protects a fuse, so it is dead, never none."""

from dataclasses import replace

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.control import ROOT_CIRCUIT
from custom_components.pv_load_manager.control.protection import Stage
from custom_components.pv_load_manager.memory import Memory
from custom_components.pv_load_manager.shared import SHARED
from simulator import HomeConfig, InverterConfig

from .conftest import BuildSite, sunny
from .faulty import TOLD_WITHIN, Fault, faulty_home, scale_down
from .flows import defaults, shows
from .site import Site, eventually

METER = [[40188, 105]]
HOLE: Fault = ("exception_blocks", {"blocks": METER})
FIRST_RETRY = 8.0
"""Home Assistant tries again after 5 s, then less and less often, s."""


async def breaks(site: Site, fault: Fault) -> None:
    """Let something go wrong with the inverter."""
    assert site.home.inverter_faults is not None
    await site.home.inverter_faults.start(fault[0], dict(fault[1]), now=site.home.home.now)


async def mends(site: Site, fault: Fault) -> None:
    """Make it good."""
    assert site.home.inverter_faults is not None
    await site.home.inverter_faults.end(fault[0])


async def reload(site: Site, entry: MockConfigEntry) -> None:
    """Load an entry anew, as after a restart."""
    await site.hass.config_entries.async_reload(entry.entry_id)
    await site.hass.async_block_till_done()


def stage(hass: HomeAssistant) -> Stage:
    """Return what the control core thinks of the grid meter."""
    manager = hass.data[SHARED].load_manager
    assert manager is not None
    return manager.data.circuits[ROOT_CIRCUIT].stage


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(HOLE, id="hole_instead_of_the_meter"),
        pytest.param(("exception", {"code": 4, "blocks": METER}), id="broken_meter"),
        pytest.param(("lost_meter", {}), id="lost_meter"),
        pytest.param(("sentinels", {"value": "int16", "blocks": METER}), id="no_meter_at_all"),
        pytest.param(("sentinels", {"value": "uint16", "blocks": METER}), id="no_register_at_all"),
    ],
)
async def test_reload_without_the_meter(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """The control core sees a dead meter, not a house without one, and the meter comes back by itself."""
    scale_down(monkeypatch)
    site = await build_site(faulty_home())
    inverter, *_, manager = await site.set_up_all()
    await eventually(lambda: stage(site.hass) is Stage.FRESH)
    await breaks(site, fault)
    await reload(site, inverter)
    await eventually(lambda: stage(site.hass) is not Stage.FRESH, within=TOLD_WITHIN)
    assert manager.runtime_data.has_power_meter
    assert manager.runtime_data.configuration().dynamic
    assert manager.runtime_data.configuration().phase_currents
    await mends(site, fault)
    await eventually(lambda: inverter.state is ConfigEntryState.LOADED, within=FIRST_RETRY)
    await eventually(lambda: site.number(inverter, "grid_power") is not None)
    await eventually(lambda: stage(site.hass) is Stage.FRESH)


async def test_told_and_remembered(site: Site) -> None:
    """What is missing is said, and a restart of Home Assistant does not forget it."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    memory = site.hass.data[SHARED].memory
    await memory._store.async_save(memory._as_dict())
    site.hass.data[SHARED].memory = after_restart = Memory(site.hass)
    await after_restart.async_load()
    await breaks(site, HOLE)
    await reload(site, inverter)
    assert inverter.state is ConfigEntryState.SETUP_RETRY
    assert inverter.error_reason_translation_key == "grid_meter_missing"
    assert inverter.reason is not None
    assert "meter 1" in inverter.reason


async def test_the_other_meter_does_not_replace_it(build_site: BuildSite) -> None:
    """A meter that is left, and sits elsewhere, makes no house without a grid meter."""
    inverters = InverterConfig(meters=("Production", "Export+Import"))
    site = await build_site(replace(sunny(), inverter=inverters, chargers=()))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    await breaks(site, ("exception_blocks", {"blocks": [[40188 + 174, 105]]}))
    await reload(site, inverter)
    assert inverter.error_reason_translation_key == "grid_meter_missing"


async def test_removed_for_good(site: Site) -> None:
    """The user can say that the meter is gone; then the inverter works without one."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    await breaks(site, HOLE)
    await reload(site, inverter)
    result = await site.hass.config_entries.options.async_init(inverter.entry_id)
    shows(result, "inverter")
    chosen = defaults(result) | {"meter_1_role": "ignore"}
    await site.hass.config_entries.options.async_configure(result["flow_id"], chosen)
    await eventually(lambda: inverter.state is ConfigEntryState.LOADED)
    assert site.number(inverter, "pv_power") == pytest.approx(8000, rel=0.02)
    assert not inverter.runtime_data.has_grid_meter
    assert site.hass.data[SHARED].memory.grid_slot("7E000001") is None


async def test_never_had_one(build_site: BuildSite) -> None:
    """An inverter without a grid meter is set up as ever, also one that was removed and added anew."""
    site = await build_site(HomeConfig(chargers=()))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    await site.hass.config_entries.async_remove(inverter.entry_id)
    await breaks(site, HOLE)
    again = site.inverter_entry()
    await site.set_up(again)
    assert not again.runtime_data.has_grid_meter
