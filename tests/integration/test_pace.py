"""How often figures are published: what matters at once, the rest seldom, and always the last value in the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockEntityPlatform

from custom_components.pv_load_manager.const import CONF_ENTRY_TYPE, DOMAIN, LOGGER, EntryType
from custom_components.pv_load_manager.entity import PvLoadManagerEntity
from custom_components.pv_load_manager.pace import TOTAL, Pace, pace_of
from custom_components.pv_load_manager.tables.charger import CHARGER_SENSORS, REASON

from .clock import Clock, simulated_time

type Coordinator = DataUpdateCoordinator[Any]

POWER = SensorEntityDescription(key="power", device_class=SensorDeviceClass.POWER)
CURRENT = SensorEntityDescription(key="current", device_class=SensorDeviceClass.CURRENT)
ENERGY = SensorEntityDescription(key="energy", device_class=SensorDeviceClass.ENERGY)
WORD = SensorEntityDescription(key="word")


@pytest.fixture(autouse=True)
def _real_pace(_short_times: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish as seldom as in a house."""
    monkeypatch.setattr("custom_components.pv_load_manager.entity.PUBLISH_INTERVAL", 5.0)


class Shown(PvLoadManagerEntity[Coordinator], SensorEntity):
    """Shows what the coordinator has; a pair is a value with a number in the attributes."""

    @override
    def refresh(self) -> object:
        data = self.coordinator.data
        self._attr_native_value, number = data if isinstance(data, tuple) else (data, None)
        self._attr_extra_state_attributes = {} if number is None else {"number": number}
        return self._attr_native_value


class Watched:
    """An entity, and every state of it that was written with its time."""

    def __init__(self, hass: HomeAssistant, clock: Clock, coordinator: Coordinator, entity: Shown) -> None:
        self.clock, self.coordinator, self.entity = clock, coordinator, entity
        self.written: list[tuple[float, str, Any]] = []
        self._begin = clock.time()
        self.stop: Callable[[], None] = hass.bus.async_listen("state_changed", self._changed)

    @callback
    def _changed(self, event: Event[Any]) -> None:
        if (state := event.data["new_state"]) is not None:
            at = round(self.clock.time() - self._begin)
            self.written.append((at, state.state, state.attributes.get("number")))

    async def tell(self, *values: object) -> None:
        """Let one second pass with each value."""
        for value in values:
            self.coordinator.async_set_updated_data(value)
            await self.clock.forward(1)

    @property
    def values(self) -> list[str]:
        """Return the states in their order."""
        return [state for _, state, _ in self.written]


@asynccontextmanager
async def shown(hass: HomeAssistant, description: EntityDescription, first: object) -> AsyncIterator[Watched]:
    """Add an entity whose first value has been shown for long."""
    entry = MockConfigEntry(domain=DOMAIN, data={CONF_ENTRY_TYPE: EntryType.LOAD_MANAGER.value})
    entry.add_to_hass(hass)
    coordinator: Coordinator = DataUpdateCoordinator(hass, LOGGER, config_entry=entry, name="Test")
    coordinator.async_set_updated_data(first)
    platform = MockEntityPlatform(hass, domain="sensor", platform_name=DOMAIN)
    platform.config_entry = entry
    with simulated_time(hass) as clock:
        entity = Shown(coordinator, description)
        await platform.async_add_entities([entity])
        coordinator.async_set_updated_data(first)
        await clock.forward(400)
        watched = Watched(hass, clock, coordinator, entity)
        try:
            yield watched
        finally:
            watched.stop()
            await platform.async_reset()


async def test_power(hass: HomeAssistant) -> None:
    """A power that changes much is shown after ten seconds, one that flickers after sixty, each at its last value."""
    async with shown(hass, POWER, 3000.0) as watched:
        await watched.tell(3700.0, 4500.0, 5500.0)
        assert watched.values == ["3700.0"]
        await watched.clock.forward(10)
        assert watched.written == [(0, "3700.0", None), (10, "5500.0", None)]
        await watched.tell(*(5500.0 + index for index in range(120)))
        assert [at for at, _, _ in watched.written[2:]] == pytest.approx([70, 130], abs=2)
        await watched.clock.forward(70)
        assert watched.values[-1] == "5619.0"


async def test_a_large_change_overtakes(hass: HomeAssistant) -> None:
    """What waits for its time because it is small is shown early with a large change that follows."""
    async with shown(hass, POWER, 3000.0) as watched:
        await watched.tell(4000.0, 4010.0)
        await watched.clock.forward(11)
        assert watched.values == ["4000.0"]
        await watched.tell(5000.0)
        assert watched.values == ["4000.0", "5000.0"]
        await watched.clock.forward(120)
        assert watched.values == ["4000.0", "5000.0"]


async def test_current(hass: HomeAssistant) -> None:
    """An ampere more or less is shown soon, tenths every two minutes."""
    async with shown(hass, CURRENT, 6.0) as watched:
        await watched.tell(7.0, *(7.0 + index / 1000 for index in range(250)))
        assert [at for at, _, _ in watched.written] == pytest.approx([0, 120, 240], abs=3)


async def test_energy(hass: HomeAssistant) -> None:
    """An energy that always rises is shown every five minutes, and at its end when it ends."""
    async with shown(hass, ENERGY, 0) as watched:
        await watched.tell(*range(3, 1803, 3))
        assert len(watched.written) == 3
        await watched.clock.forward(300)
        assert watched.values[-1] == "1800"
        await watched.tell(1803, 0)
        assert watched.values[-1] == "0"  # it begins anew


async def test_words_are_shown_at_once(hass: HomeAssistant) -> None:
    """A change of a word waits for nothing, and takes its numbers along."""
    async with shown(hass, WORD, ("a", 1)) as watched:
        await watched.tell(("b", 2), ("c", 3), ("a", 4))
        assert [state[1:] for state in watched.written] == [("b", 2), ("c", 3), ("a", 4)]


async def test_attributes(hass: HomeAssistant) -> None:
    """While a word stays the same its numbers are shown every five seconds; those of a reason every minute."""
    async with shown(hass, WORD, ("a", 0)) as plain:
        await plain.tell(*(("a", number) for number in range(1, 31)))
        assert len(plain.written) == pytest.approx(6, abs=1)
    assert [pace_of(REASON).wait("a", "a"), pace_of(REASON).wait("a", "b")] == [12, 0]


async def test_availability_is_shown_at_once(hass: HomeAssistant) -> None:
    """An entity that cannot be reached says so at once, and so when it is back."""
    async with shown(hass, ENERGY, 10) as watched:
        await watched.tell(20)
        watched.coordinator.async_set_update_error(TimeoutError())
        await watched.clock.forward(1)
        await watched.tell(21)
        assert watched.values == ["20", "unavailable", "21"]


async def test_nothing_outlives_the_entity(hass: HomeAssistant) -> None:
    """An entity that is removed while a value waits writes nothing any more."""
    async with shown(hass, ENERGY, 10) as watched:
        await watched.tell(20, 30)
        await watched.entity.async_remove(force_remove=True)
        await watched.clock.forward(400)
        assert watched.values == ["20"]
        assert hass.states.get(watched.entity.entity_id) is None


def test_paces() -> None:
    """Each kind of figure has its pace."""
    by_key = {description.key: pace_of(description) for description in CHARGER_SENSORS}
    power, told = by_key["power"], by_key["allocated_current"]
    assert [power.wait(11000, value) for value in (12000, 14000)] == [power.longest, power.soonest]
    assert [power.wait(0, value) for value in (99, 100)] == [power.longest, power.soonest]
    assert told.wait(6, 16) < told.wait(6, 7) < by_key["current_l1"].longest
    assert power.wait(None, 5) == 0
    assert by_key["state"].wait("charging", "waiting") == 0
    assert pace_of(ENERGY) is TOTAL
    assert Pace(step=1.0).wait(False, True) == 0
    chosen = by_key.get("session_energy")
    assert chosen is None or chosen.longest < TOTAL.longest
