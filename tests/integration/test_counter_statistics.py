"""What Home Assistant's long-term statistics make of the counters."""

import asyncio
from datetime import timedelta
from functools import partial

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from custom_components.pv_load_manager.pace import PACES, STEADY

from .conftest import OURS
from .site import Site, eventually


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Let there be a recorder from the start."""


@pytest.mark.usefixtures("all_enabled")
async def test_days_sum_up(
    recorder_mock: Recorder, hass: HomeAssistant, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The days together are all that was given, also where a day begins unseen above the end of the last one."""
    monkeypatch.setitem(PACES, SensorDeviceClass.ENERGY, STEADY)
    today = [dt_util.now().date()]
    monkeypatch.setattr(f"{OURS}.coordinators.tally.local_day", lambda: today[-1])
    started = dt_util.utcnow()
    real = site.home.chargers[0].charger
    charger = site.charger_entry()
    await site.set_up(charger)
    assert site.number(charger, "unknown_today") == 0
    real.write("lmo", 3)
    await eventually(lambda: (site.number(charger, "unknown_today") or 0) > 0.01)
    first = site.number(charger, "unknown_today") or 0
    today.append(today[-1] + timedelta(days=1))
    await eventually(lambda: (site.number(charger, "unknown_today") or first) < first)
    await eventually(lambda: (site.number(charger, "unknown_today") or 0) > 0.02)
    await hass.config_entries.async_unload(charger.entry_id)
    unloaded = real.session_wh
    today.append(today[-1] + timedelta(days=1))
    await eventually(lambda: real.session_wh > unloaded + 40)
    await site.set_up(charger)
    real.write("frc", 1)
    await eventually(lambda: real.power_w == 0)
    given = (real.session_wh - unloaded) / 1000
    await eventually(lambda: site.number(charger, "unknown_today") == pytest.approx(given, abs=0.03))
    await eventually(lambda: charger.runtime_data.tally.given.energy_wh == pytest.approx(real.session_wh, abs=1))
    await asyncio.sleep(0.3)
    await async_wait_recording_done(hass)
    period = started.replace(minute=started.minute - started.minute % 5, second=0, microsecond=0)
    while period < dt_util.utcnow():
        do_adhoc_statistics(hass, start=period)
        period += timedelta(minutes=5)
    await async_wait_recording_done(hass)
    entity_id = site.entity_id("sensor", charger, "unknown_today")
    begin = started - timedelta(minutes=10)
    read = partial(statistics_during_period, hass, begin, None, {entity_id}, "5minute", None, {"sum"})
    found = await recorder_mock.async_add_executor_job(read)
    assert found[entity_id][-1]["sum"] == pytest.approx(real.session_wh / 1000, abs=0.003)
