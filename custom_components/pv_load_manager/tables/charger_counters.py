"""Counters of one charger: what it gave by where it came from, and what happened to it today."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.const import UnitOfTime
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from ..control.tally import Limit
from ..coordinators.tally import ChargerTally
from ..coordinators.wattpilot import WattpilotCoordinator
from ..shared import SHARED
from .charger import ChargerSensorDescription, LifetimeEnergySensor
from .counters import BATTERY_TODAY, ENERGIES_TODAY, EXPERT, DayDescription, DaySensor, OfDay, share_today
from .figures import ENERGY

type ChargerDayDescription = DayDescription[ChargerTally]


def _count(key: str, value_fn: Callable[[ChargerTally], StateType]) -> ChargerDayDescription:
    return DayDescription(key=key, translation_key=key, state_class=SensorStateClass.TOTAL, value_fn=value_fn, **EXPERT)


def _time(key: str, value_fn: Callable[[ChargerTally], float]) -> ChargerDayDescription:
    return DayDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.TOTAL,
        native_unit_of_measurement=UnitOfTime.MINUTES,
        value_fn=lambda tally: int(value_fn(tally) // 60),
        **EXPERT,
    )


def _limited(limit: Limit) -> ChargerDayDescription:
    return _time(f"limited_by_{limit}_today", lambda tally: tally.limited_s(limit))


def _lifetime(key: str, value_fn: Callable[[WattpilotCoordinator], StateType]) -> ChargerSensorDescription:
    return ChargerSensorDescription(
        key=key, translation_key=key, **ENERGY, suggested_display_precision=1, value_fn=value_fn
    )


DAY_SENSORS: tuple[ChargerDayDescription | DayDescription[OfDay], ...] = (
    *ENERGIES_TODAY,
    share_today(**EXPERT),
    _count("commands_today", lambda tally: tally.commands),
    _time("charging_time_today", lambda tally: tally.charging_s),
    *(_limited(limit) for limit in Limit),
)
LIFETIME_SENSORS = (
    _lifetime("lifetime_solar", lambda charger: charger.tally.given.solar_wh),
    _lifetime("lifetime_grid", lambda charger: charger.tally.given.grid_wh),
)
LIFETIME_BATTERY = _lifetime("lifetime_battery", lambda charger: charger.tally.given.battery_wh)


class ChargerDaySensor(DaySensor[WattpilotCoordinator]):
    """A figure of the day of one charger."""

    entity_description: ChargerDayDescription | DayDescription[OfDay]

    @property
    @override
    def tally(self) -> ChargerTally:
        """Return what counts for this charger."""
        return self.coordinator.tally

    @override
    def value(self) -> StateType:
        """Return the present figure."""
        return self.entity_description.value_fn(self.tally)


class LifetimeSourceSensor(LifetimeEnergySensor):
    """What all cars were given from one source; known whether the charger answers or not."""

    @property
    @override
    def available(self) -> bool:
        """Return that it is known."""
        return True


def counters(charger: WattpilotCoordinator) -> Iterator[SensorEntity]:
    """Return the counters that every charger has."""
    yield from (ChargerDaySensor(charger, description) for description in DAY_SENSORS)
    yield from (LifetimeSourceSensor(charger, description) for description in LIFETIME_SENSORS)


@callback
def once_with_battery(charger: WattpilotCoordinator, async_add_entities: AddConfigEntryEntitiesCallback) -> None:
    """Add the counters of the house battery as soon as one is known: its inverter may be loaded later, or be gone."""
    waiting: list[CALLBACK_TYPE] = []

    @callback
    def look() -> None:
        manager = charger.hass.data[SHARED].load_manager
        if not charger.tally.given.battery_wh and (manager is None or not manager.has_battery):
            return
        while waiting:
            waiting.pop()()
        async_add_entities([ChargerDaySensor(charger, BATTERY_TODAY), LifetimeSourceSensor(charger, LIFETIME_BATTERY)])

    waiting.append(charger.async_add_listener(look))
    charger.config_entry.async_on_unload(partial(_end, waiting))
    look()


def _end(waiting: list[CALLBACK_TYPE]) -> None:
    while waiting:
        waiting.pop()()
