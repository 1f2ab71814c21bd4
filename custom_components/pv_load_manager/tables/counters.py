"""What a figure of the day has in common, whether it is a charger's or the whole house's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import PERCENTAGE, EntityCategory, UnitOfEnergy
from homeassistant.core import CALLBACK_TYPE
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator
from homeassistant.util import dt as dt_util

from ..control.sessions import Given
from ..control.tally import solar_share
from ..entity import PvLoadManagerEntity
from .figures import rounded

# A total with the time of its reset: one that only increases would take a smaller day for a dip of the last one.
ENERGY_OF_DAY: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.ENERGY,
    "state_class": SensorStateClass.TOTAL,
    "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
    "suggested_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
    "suggested_display_precision": 2,
}
EXPERT: Final[dict[str, Any]] = {
    "entity_category": EntityCategory.DIAGNOSTIC,
    "entity_registry_enabled_default": False,
}


class OfDay(Protocol):
    """What counts by local days."""

    @property
    def day(self) -> date:
        """Return the local date."""

    @property
    def today(self) -> Given:
        """Return the energy of the day by where it came from."""

    def on_turn(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call back with the last figures of a day, and again with the first ones of the next."""


@dataclass(frozen=True, kw_only=True)
class DayDescription[TallyT: OfDay](SensorEntityDescription):
    """A figure of the day."""

    value_fn: Callable[[TallyT], StateType]


class DaySensor[CoordinatorT: DataUpdateCoordinator[Any]](PvLoadManagerEntity[CoordinatorT], SensorEntity):
    """A figure that begins anew at midnight; known as long as Home Assistant counts, charger or not."""

    @property
    def tally(self) -> OfDay:
        """Return what counts it."""
        raise NotImplementedError

    def value(self) -> StateType:
        """Return the present figure."""
        raise NotImplementedError

    @property
    @override
    def available(self) -> bool:
        """Return that it is known: a charger that does not answer takes nothing back."""
        return True

    @property
    @override
    def last_reset(self) -> datetime | None:
        """Return when the day began; what is a share of something has no sum that could be reset."""
        if self.state_class is not SensorStateClass.TOTAL:
            return None
        return dt_util.start_of_local_day(self.tally.day)

    @override
    async def async_added_to_hass(self) -> None:
        """Show the last figure of a day before the first one of the next, however seldom it is shown else."""
        await super().async_added_to_hass()
        self.async_on_remove(self.tally.on_turn(lambda: self._publish(self.hass.loop.time())))

    @override
    def refresh(self) -> StateType:
        """Take the figure from the tally."""
        self._attr_native_value = self.value()
        return self._attr_native_value


def _share(tally: OfDay) -> StateType:
    share = solar_share(tally.today)
    return None if share is None else rounded(100 * share, 0)


def _energy(key: str, part: Callable[[Given], float], **more: Any) -> DayDescription[OfDay]:
    return DayDescription(
        key=key, translation_key=key, **ENERGY_OF_DAY, **more, value_fn=lambda tally: rounded(part(tally.today), 0)
    )


def share_today(**more: Any) -> DayDescription[OfDay]:
    """Return the solar share of the day in %."""
    return DayDescription(
        key="solar_share_today",
        translation_key="solar_share_today",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_share,
        **more,
    )


ENERGIES_TODAY = (
    _energy("solar_today", lambda given: given.solar_wh),
    _energy("grid_today", lambda given: given.grid_wh),
    _energy("unknown_today", lambda given: given.unknown_wh, **EXPERT),
)
BATTERY_TODAY = _energy("battery_today", lambda given: given.battery_wh)
