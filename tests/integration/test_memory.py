"""What is remembered over a restart: soon enough for a power failure, and no oftener than needed."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
import json
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.control.session import Session
from custom_components.pv_load_manager.control.sessions import Given
from custom_components.pv_load_manager.coordinators.ledger import KEY, Ledger
from custom_components.pv_load_manager.coordinators.sessions import ChargerSessions
from custom_components.pv_load_manager.coordinators.tally import HOUSE, ChargerTally, house_tally
from custom_components.pv_load_manager.memory import SAVE_DELAY, Memory
from custom_components.pv_load_manager.shared import SHARED
from custom_components.pv_load_manager.wattpilot import WattpilotStatus

from .conftest import OURS
from .site import eventually

SERIAL = "10000001"

type Writes = list[dict[str, Any]]


@pytest.fixture(name="writes")
def writes_fixture(hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Writes]:
    """Return what is written of the memory, a second of the tests being more than a minute."""
    writes: Writes = []
    write: Callable[..., Any] = Store._async_write_data

    async def seen(store: Store[Any], data: dict[str, Any]) -> None:
        await write(store, data)
        if store.key == DOMAIN:
            writes.append(json.loads(json.dumps(data["data"])))

    monkeypatch.setattr(f"{OURS}.memory.SAVE_DELAY", 0.05)
    monkeypatch.setattr(f"{OURS}.memory.COUNT_DELAY", 0.4)
    with patch.object(Store, "_async_write_data", seen):
        yield writes


async def test_settings_are_saved_while_others_change(hass: HomeAssistant, writes: Writes) -> None:
    """Whoever chooses off finds it after a power failure, however much is remembered all the time."""
    memory = Memory(hass)
    memory.set_site(mode="off")
    for count in range(15):
        memory.set_charger(SERIAL, count=count)
        await asyncio.sleep(0.02)
    assert writes
    assert writes[0]["site"] == {"mode": "off"}


async def test_counts_are_saved_once_a_minute(hass: HomeAssistant, writes: Writes) -> None:
    """Many chargers that count do not wear out a card; a setting among them does not wait, nor do they then."""
    memory, began = Memory(hass), hass.loop.time()
    for count in range(50):
        memory.count_charger(str(count % 32), energy=count)
        memory.count_site(energy=count)
        await asyncio.sleep(0.01)
    seldom = len(writes)
    assert 1 <= seldom <= (hass.loop.time() - began) / 0.4
    memory.set_site(mode="off")
    memory.count_site(energy=99)
    await eventually(lambda: len(writes) > seldom, within=0.3)
    assert writes[-1]["site"] == {"mode": "off", "energy": 99}
    await asyncio.sleep(0.45)
    assert len(writes) == seldom + 1


async def test_the_same_again(hass: HomeAssistant, writes: Writes) -> None:
    """Who says the same every second has nothing written."""
    memory = Memory(hass)
    memory.set_site(mode="off", limits={"a": 6.0})
    memory.set_charger(SERIAL, priority="high")
    await eventually(lambda: writes)
    memory.set_site(mode="off", limits={"a": 6.0})
    memory.set_charger(SERIAL, priority="high", mode=None)
    await asyncio.sleep(0.1)
    assert len(writes) == 1
    memory.set_charger(SERIAL, priority=None)
    await eventually(lambda: len(writes) > 1)
    assert writes[1:] == [{**writes[0], "chargers": {SERIAL: {}}}]


async def test_one_moment(hass: HomeAssistant, writes: Writes) -> None:
    """What is written of charger, day and house is of one moment: after a power failure nothing counts twice."""
    assert await async_setup_component(hass, DOMAIN, {})
    MockConfigEntry(domain=DOMAIN, data={"entry_type": "load_manager"}).add_to_hass(hass)
    sessions = ChargerSessions(hass, SERIAL)
    tally = ChargerTally(hass, SERIAL, sessions)
    end = tally.start()

    def look(energy: float) -> None:
        sessions.heard(WattpilotStatus.of({"car": 2, "wh": energy, "eto": 5000 + energy}))
        tally.look(None, None)

    for energy in (0.0, 240.0):
        look(energy)
    house_tally(hass).keep()
    hass.data[SHARED].memory.set_site(mode="off")
    await eventually(lambda: writes)
    look(245.0)
    saved = writes[-1]
    assert saved["site"]["tally"]["total"]["unknown_wh"] == 240
    assert saved["chargers"][SERIAL]["sessions"]["given"]["unknown_wh"] == 240
    # What comes after all was kept for the stop of Home Assistant is in its last write.
    tally.keep()
    look(400.0)
    hass.bus.async_fire_internal(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    end()
    assert writes[-1]["chargers"][SERIAL]["sessions"]["given"]["unknown_wh"] == 400
    assert writes[-1]["site"]["tally"]["total"]["unknown_wh"] == 400
    hass.data[SHARED].memory = Memory(hass)
    await hass.data[SHARED].memory.async_load()
    hass.data.pop(HOUSE)
    sessions = ChargerSessions(hass, SERIAL)
    tally = ChargerTally(hass, SERIAL, sessions)
    look(500.0)
    assert house_tally(hass).total == Given(unknown_wh=500) == tally.given


async def test_cars_that_come_and_go(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger is saved soon, however often another session ends."""
    monkeypatch.setattr(f"{OURS}.coordinators.ledger.SAVE_DELAY", 0.05)
    ledger = Ledger(hass)
    for second in range(15):
        began = datetime(2026, 6, 1, 8, 0, second, tzinfo=UTC)
        assert ledger.add(SERIAL, Session(began=began, ended=began + timedelta(seconds=1)))
        await asyncio.sleep(0.02)
    assert KEY in hass_storage
    await eventually(lambda: len(hass_storage[KEY]["data"]["chargers"][SERIAL]) == 15)


async def test_the_next_car_and_a_power_failure(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """As soon as the memory knows the next car only, the ledger knows the last one."""
    assert await async_setup_component(hass, DOMAIN, {})
    sessions = ChargerSessions(hass, SERIAL)
    for car, energy in ((1, 0.0), (2, 0.0), (2, 100.0), (1, 100.0), (2, 100.0)):
        sessions.heard(WattpilotStatus.of({"car": car, "wh": energy, "eto": 5000 + energy}))
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SAVE_DELAY + 1))
    await hass.async_block_till_done()
    assert hass_storage[DOMAIN]["data"]["chargers"][SERIAL]["sessions"]["session"]["ended"] is None
    (last,) = hass_storage[KEY]["data"]["chargers"][SERIAL]
    assert last["energy_wh"] == 100


async def test_counts_that_cannot_be_kept(
    hass: HomeAssistant, writes: Writes, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails there, settings are saved, again and again."""
    memory = Memory(hass)
    end = memory.before_saving(partial(next, iter(())))
    for mode in ("fast", "off"):
        memory.set_site(mode=mode)
        await eventually(lambda mode=mode: writes and writes[-1]["site"] == {"mode": mode})
    assert caplog.text.count("What was counted cannot be saved") == 2
    end()
    memory.set_site(mode="pv")
    await eventually(lambda: writes[-1]["site"] == {"mode": "pv"})
    assert caplog.text.count("What was counted cannot be saved") == 2
