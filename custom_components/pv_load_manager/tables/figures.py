"""How figures are shown: their units, and totals that neither fall nor leap."""

from typing import Any, Final, override

from homeassistant.components.sensor import RestoreSensor, SensorDeviceClass, SensorStateClass
from homeassistant.const import UnitOfElectricCurrent, UnitOfEnergy, UnitOfPower
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..entity import PvLoadManagerEntity

POWER: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.POWER,
    "state_class": SensorStateClass.MEASUREMENT,
    "native_unit_of_measurement": UnitOfPower.WATT,
}
CURRENT: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.CURRENT,
    "state_class": SensorStateClass.MEASUREMENT,
    "native_unit_of_measurement": UnitOfElectricCurrent.AMPERE,
}
ENERGY: Final[dict[str, Any]] = {
    "device_class": SensorDeviceClass.ENERGY,
    "state_class": SensorStateClass.TOTAL_INCREASING,
    "native_unit_of_measurement": UnitOfEnergy.WATT_HOUR,
    "suggested_unit_of_measurement": UnitOfEnergy.KILO_WATT_HOUR,
}

FELL_A_LITTLE: Final = 1000.0  # Wh; a charger may lose so much by a power failure
FASTEST: Final = 1e6  # W; no total rises faster
PATIENCE: Final = 300.0  # s; what cannot be, and lasts, is true all the same


def rounded(value: float | None, digits: int) -> float | None:
    """Return a rounded figure; -0.0 is shown as 0."""
    return None if value is None else round(value, digits) + 0.0


async def shown_before(sensor: RestoreSensor) -> float | None:
    """Return the value that was shown before a restart, None where there is none.

    Home Assistant goes by the entity id: what one showed that was removed is another one's value.
    """
    state, data, entry = (
        await sensor.async_get_last_state(),
        await sensor.async_get_last_sensor_data(),
        sensor.registry_entry,
    )
    if state is None or data is None or (entry is not None and state.last_updated < entry.created_at):
        return None
    return float(data.native_value) if isinstance(data.native_value, int | float) else None


class SteadyEnergySensor[CoordinatorT: DataUpdateCoordinator[Any]](PvLoadManagerEntity[CoordinatorT], RestoreSensor):
    """An energy that goes on from the value that was shown last, also after a restart."""

    _total: SteadyTotal
    _patience: float = PATIENCE

    @override
    async def async_added_to_hass(self) -> None:
        """Begin with that value, before anything is shown."""
        self._total = SteadyTotal(await shown_before(self), patience=self._patience)
        await super().async_added_to_hass()


class SteadyTotal:
    """A total in Wh that never falls a little and never leaps: statistics would take either for consumption."""

    def __init__(self, shown: float | None, *, patience: float = PATIENCE) -> None:
        """Begin with what was shown before; ``patience`` in s is how long what cannot be has to last."""
        self._shown = shown
        self._patience = patience
        self._at: float | None = None
        self._odd: float | None = None
        self._odd_since = 0.0

    def after(self, value: float | None, now: float) -> float | None:
        """Return what to show.

        Args:
            value: what the device says, Wh.
            now: monotonic seconds.
        """
        shown = self._shown
        if value is None:
            return shown
        if shown is None or self._fits(value - shown, now) or self._lasts(value, now):
            self._shown = value
        elif not -FELL_A_LITTLE < value - shown < 0:
            return shown
        self._at, self._odd = now, None
        return self._shown

    def _fits(self, rise: float, now: float) -> bool:
        # How long nobody looked before a restart is not known.
        return rise >= 0 and (self._at is None or rise <= FELL_A_LITTLE + FASTEST * (now - self._at) / 3600)

    def _lasts(self, value: float, now: float) -> bool:
        """Return whether a value that does not fit has been told for a while; it may rise meanwhile."""
        if self._shown is not None and -FELL_A_LITTLE < value - self._shown < 0:
            return False
        if self._odd is None or not 0 <= value - self._odd <= FELL_A_LITTLE:
            self._odd_since = now
        self._odd = value
        return now - self._odd_since >= self._patience
