"""Counters of the whole house: what all chargers together gave."""

from collections.abc import Iterator
from functools import partial
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from ..coordinators.load_manager import LoadManagerCoordinator
from ..coordinators.tally import HouseTally, house_tally
from .counters import BATTERY_TODAY, ENERGIES_TODAY, DayDescription, DaySensor, OfDay, share_today
from .figures import ENERGY, SteadyEnergySensor

HOUSE_DAY_SENSORS = (*ENERGIES_TODAY, share_today())
TOTAL_ENERGY = SensorEntityDescription(
    key="total_energy",
    translation_key="total_energy",
    **ENERGY,
    suggested_display_precision=1,
)


class HouseDaySensor(DaySensor[LoadManagerCoordinator]):
    """A figure of the day of the whole house."""

    entity_description: DayDescription[OfDay]

    @property
    @override
    def tally(self) -> HouseTally:
        """Return what counts for all chargers."""
        return house_tally(self.hass)

    @override
    def value(self) -> StateType:
        """Return the present figure."""
        return self.entity_description.value_fn(self.tally)

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        self.tally.look()
        super()._handle_coordinator_update()


class TotalEnergySensor(SteadyEnergySensor[LoadManagerCoordinator]):
    """What all chargers gave since the load manager is there; after a power failure it waits until it is so far."""

    @override
    def refresh(self) -> StateType:
        """Take the energy from the tally."""
        value = self._total.after(house_tally(self.hass).total.energy_wh, self.hass.loop.time())
        self._attr_native_value = None if value is None else round(value)
        return self._attr_native_value


def house_counters(manager: LoadManagerCoordinator) -> Iterator[SensorEntity]:
    """Return the counters that every house has."""
    yield from (HouseDaySensor(manager, description) for description in HOUSE_DAY_SENSORS)
    yield TotalEnergySensor(manager, TOTAL_ENERGY)


@callback
def once_with_battery(manager: LoadManagerCoordinator, async_add_entities: AddConfigEntryEntitiesCallback) -> None:
    """Add the counter of the house battery as soon as one is known."""
    manager.once_with_battery(partial(async_add_entities, [HouseDaySensor(manager, BATTERY_TODAY)]))
