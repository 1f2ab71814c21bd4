"""What Home Assistant shows of an inverter: its parts, each while it answers, and its counters."""

from dataclasses import replace
from datetime import timedelta
import logging

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data

from simulator import BatteryConfig, HomeConfig, InverterConfig, running_home

from .conftest import OURS, BuildSite, sunny
from .site import Site, eventually

GRID, PV, LOAD = "Export+Import", "Production", "Consumption"
METER = [range(40188, 40295)]
STATUS_LINES = ("no answer from", "answers again", "Error fetching", "data recovered")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines about who answers that a user would see."""
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    return [text for text in texts if any(mark in text for mark in STATUS_LINES)]


def with_meters(*meters: str) -> HomeConfig:
    """Describe a sunny home with meters."""
    return replace(sunny(), inverter=InverterConfig(meters=meters), chargers=())


@pytest.mark.usefixtures("all_enabled")
async def test_further_meters(build_site: BuildSite) -> None:
    """Each meter beside the grid's has its power and currents, with the sign of its role."""
    site = await build_site(with_meters(GRID, PV, LOAD))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    flow = site.home.home.flow
    assert site.number(inverter, "meter_7E0000012_power") == pytest.approx(flow.inverter_w, rel=0.05)
    assert site.number(inverter, "meter_7E0000013_power") == pytest.approx(flow.house_w, rel=0.05)
    assert site.state("sensor", inverter, "meter_7E0000012_power").name == "SolarEdge SE10K Meter 2 power"
    current = site.state("sensor", inverter, "meter_7E0000013_current_l3")
    assert current.name == "SolarEdge SE10K Meter 3 current L3"
    assert 0 < float(current.state) < 2
    assert site.value(inverter, "meter_7E0000012_exported_energy") == "unknown"  # the virtual one counts nothing
    assert site.number(inverter, "grid_voltage_l3") == pytest.approx(230, abs=15)
    # Its own output once more is no further production.
    assert inverter.runtime_data.pv_reading().power_w == pytest.approx(8000, rel=0.02)


@pytest.mark.usefixtures("all_enabled")
async def test_counters_of_further_meters(build_site: BuildSite) -> None:
    """What a further meter counts is shown; what another roof makes stands nowhere else."""
    site = await build_site(with_meters(GRID, GRID))
    inverter = site.inverter_entry()
    site.hass.config_entries.async_update_entry(inverter, options={"meter_2_role": "external_production"})
    await site.set_up(inverter)
    await eventually(lambda: (site.number(inverter, "meter_7E0000012_exported_energy") or 0) > 0)
    assert site.state("sensor", inverter, "meter_7E0000012_exported_energy").attributes["state_class"] == (
        "total_increasing"
    )


async def test_currents_are_disabled(build_site: BuildSite, entity_registry: er.EntityRegistry) -> None:
    """The currents and counters of a further meter are there for those who want them."""
    site = await build_site(with_meters(GRID, LOAD))
    await site.set_up(site.inverter_entry())
    disabled = {e.unique_id for e in entity_registry.entities.values() if e.disabled and "meter_" in e.unique_id}
    keys = ("current_l1", "current_l2", "current_l3", "imported_energy", "exported_energy")
    assert disabled == {f"7E000001_meter_7E0000012_{key}" for key in keys}


async def test_external_production(build_site: BuildSite) -> None:
    """What a meter sees of another manufacturer's inverter counts as production, while it answers."""
    site = await build_site(with_meters(GRID, PV))
    inverter = site.inverter_entry()
    site.hass.config_entries.async_update_entry(inverter, options={"meter_2_role": "external_production"})
    await site.set_up(inverter)
    coordinator = inverter.runtime_data
    # The virtual meter sees the inverter itself, which makes 8 kW, too.
    assert coordinator.pv_reading().power_w == pytest.approx(16000, rel=0.02)
    assert site.number(inverter, "pv_power") == pytest.approx(8000, rel=0.02)
    site.home.inverter.faults.lost_meter = True
    await eventually(lambda: coordinator.pv_reading().power_w is None)


async def test_one_line_down_and_one_up(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """A silent meter is told once and its return once, and everything else stays available."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    caplog.clear()
    site.home.inverter.faults.broken_blocks = METER
    await eventually(lambda: site.value(inverter, "grid_power") == "unavailable")
    assert site.number(inverter, "pv_power") is not None
    site.home.inverter.faults.broken_blocks = []
    await eventually(lambda: site.number(inverter, "grid_power") is not None)
    assert lines(caplog) == [
        "SolarEdge SE10K: no answer from: grid meter",
        "SolarEdge SE10K: answers again: grid meter",
    ]


async def test_gone_and_back(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """An inverter that is off makes everything unavailable, with one line down and one up, and comes back by itself."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    caplog.clear()
    await site.home.inverter.stop()
    await eventually(lambda: site.value(inverter, "pv_power") == "unavailable")
    assert site.value(inverter, "grid_power") == "unavailable"
    await site.home.inverter.start()
    await eventually(lambda: site.number(inverter, "grid_power") is not None)
    assert site.number(inverter, "pv_power") is not None
    told = lines(caplog)
    assert len(told) == 2
    assert "does not answer over Modbus" in told[0]
    assert "data recovered" in told[1]


async def test_new_firmware_finds_another_meter(build_site: BuildSite) -> None:
    """After a restart with more meters than before the entry is loaded anew and shows them."""
    site = await build_site(with_meters(GRID))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    port = site.home.inverter.port
    await site.home.inverter.stop()
    after = replace(with_meters(PV, GRID), inverter=InverterConfig(meters=(PV, GRID), port=port))
    async with running_home(after):
        await eventually(lambda: site.hass.states.get("sensor.solaredge_se10k_meter_1_power") is not None)
        await eventually(lambda: site.number(inverter, "grid_power") is not None)
        assert site.number(inverter, "grid_power") == pytest.approx(-7500, abs=500)
        await site.hass.config_entries.async_unload(inverter.entry_id)


async def test_no_meter_becomes_none(build_site: BuildSite) -> None:
    """An inverter whose meter is silent at the start is not added half: it is tried again until it answers."""
    site = await build_site(with_meters(GRID))
    site.home.inverter.faults.broken_blocks = METER
    inverter = site.inverter_entry()
    assert await site.fail_to_set_up(inverter) == "inverter_unreachable"
    site.home.inverter.faults.broken_blocks = []
    await site.hass.config_entries.async_reload(inverter.entry_id)
    assert inverter.state is ConfigEntryState.LOADED
    assert site.number(inverter, "grid_power") is not None


async def test_something_else_at_the_address(site: Site) -> None:
    """What answers and is no inverter is told from one that is off; Home Assistant tries again."""
    site.home.inverter.faults.exception_blocks = [range(0x10000)]
    assert await site.fail_to_set_up(site.inverter_entry()) == "not_an_inverter"


async def test_counters(site: Site) -> None:
    """The counters for the energy dashboard show what the devices counted, in kWh."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    energies = site.home.home.energies
    assert site.number(inverter, "pv_energy") == pytest.approx(energies.inverter / 1000, abs=0.1)
    assert site.number(inverter, "grid_import_energy") == pytest.approx(sum(energies.imported) / 1000, abs=0.1)
    assert site.number(inverter, "grid_export_energy") == pytest.approx(sum(energies.exported) / 1000, abs=0.1)


@pytest.mark.parametrize("odd", [0.0, 12_000.0, 4_000_000_000.0])
async def test_counter_that_glitches(site: Site, odd: float) -> None:
    """A counter that shows nonsense around sleep stays where it was, and goes on when it is right again."""
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    before = site.number(inverter, "pv_energy")
    assert before is not None
    energies = site.home.home.energies
    right, energies.inverter = energies.inverter, odd
    seen = inverter.runtime_data.data.pv.at
    await eventually(lambda: inverter.runtime_data.data.pv.at > seen + 1)
    assert site.number(inverter, "pv_energy") == pytest.approx(before, abs=0.2)
    energies.inverter = right + 700
    await eventually(lambda: (site.number(inverter, "pv_energy") or 0) > before + 0.5)
    assert site.number(inverter, "pv_energy") == pytest.approx(before + 0.7, abs=0.3)


async def test_counter_over_a_restart(hass: HomeAssistant, site: Site) -> None:
    """After a restart a counter that is lower than what was shown does not fall."""
    name = "sensor.solaredge_se10k_pv_energy"
    stored = {"native_value": 12_400_000.0, "native_unit_of_measurement": "Wh"}
    # What was shown before the sensor was registered would be another one's, and here it is registered anew.
    later = dt_util.utcnow() + timedelta(minutes=1)
    mock_restore_cache_with_extra_data(hass, [(State(name, "12400", last_updated=later), stored)])
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    assert site.home.home.energies.inverter < 12_390_000
    assert site.number(inverter, "pv_energy") == 12_400


async def test_status(build_site: BuildSite) -> None:
    """What an inverter does is shown; at night it sleeps, makes nothing, and its meter still sees the house."""
    site = await build_site(sunny(pv_w=0.0))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    assert site.value(inverter, "inverter_status") == "sleeping"
    assert site.number(inverter, "pv_power") == 0
    assert site.number(inverter, "grid_power") == pytest.approx(500, abs=50)


async def test_silent_inverter(site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """An inverter that keeps its connection and says nothing is gone, too, and is back when it speaks."""
    monkeypatch.setattr(f"{OURS}.coordinators.solaredge.ANSWER_TIMEOUT", 0.3)
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    caplog.clear()
    site.home.inverter.faults.silent = True
    await eventually(lambda: site.value(inverter, "grid_power") == "unavailable")
    site.home.inverter.faults.silent = False
    await eventually(lambda: site.number(inverter, "grid_power") is not None)
    assert len(lines(caplog)) == 2


async def test_silent_battery(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A battery that does not answer holds up nothing: the grid meter goes on in its own time."""
    monkeypatch.setattr(f"{OURS}.coordinators.solaredge.ANSWER_TIMEOUT", 0.4)
    site = await build_site(replace(sunny(), battery=BatteryConfig(soc=0.5), chargers=()))
    inverter = site.inverter_entry()
    await site.set_up(inverter)
    site.home.inverter.faults.silent_blocks = [range(57708, 57736)]
    await eventually(lambda: site.value(inverter, "battery_power") == "unavailable")
    assert site.value(inverter, "pv_power") == "unavailable"  # nobody knows the battery's share of it
    reading = inverter.runtime_data.grid_reading()
    assert reading is not None
    assert site.hass.loop.time() - reading.at < 2
    assert site.number(inverter, "grid_power") is not None
