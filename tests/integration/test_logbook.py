"""What Home Assistant's logbook shows of a charger."""

from datetime import timedelta
from typing import Any

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager, WebSocketGenerator

from custom_components.pv_load_manager.control.session import Session
from custom_components.pv_load_manager.tables.charger_sessions import session_attributes

from .code import load
from .site import Site, eventually


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Let there be a recorder from the start."""


async def test_an_event_is_one_line(
    recorder_mock: Recorder, hass: HomeAssistant, site: Site, hass_ws_client: WebSocketGenerator
) -> None:
    """An event is one line of the whole logbook and of the one of its device, with a text for its kind."""
    begin = dt_util.utcnow() - timedelta(seconds=1)
    assert await async_setup_component(hass, "logbook", {})
    _, charger, manager = await site.set_up_all()
    event = site.entity_id("event", charger, "charging")
    await site.select(manager, "off")
    await eventually(lambda: site.value(charger, "reason") == "site_off")
    await site.select(manager, "fast")
    await eventually(lambda: site.state("event", charger, "charging").attributes["event_type"] == "started")
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    device = er.async_get(hass).entities[event].device_id
    selections: tuple[dict[str, Any], ...] = ({}, {"entity_ids": [event], "device_ids": [device]})
    for selection in selections:
        await client.send_json_auto_id({"type": "logbook/get_events", "start_time": begin.isoformat(), **selection})
        lines = (await client.receive_json())["result"]
        told = [line for line in lines if line.get("attributes", {}).get("event_type") == "started"]
        assert [line["entity_id"] for line in told] == [event]
        assert "pv_load_manager" not in {line.get("domain") for line in lines}
    for language in ("en", "de"):
        texts = load(f"translations/{language}.json")["entity"]["event"]["charging"]["state_attributes"]
        assert texts["event_type"]["state"]["started"]


def test_a_session_in_words() -> None:
    """Everything that is told of a session has its name."""
    told = session_attributes(Session(began=dt_util.utcnow(), ended=dt_util.utcnow(), energy_wh=1.0))
    for language in ("en", "de"):
        texts = load(f"translations/{language}.json")["entity"]["event"]["charging"]["state_attributes"]
        assert set(told) <= set(texts)
        assert all(texts[name]["name"] for name in told)
