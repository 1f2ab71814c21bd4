"""What every connection to an inverter offers, whatever way its figures come."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import CONF_SERIAL, LOGGER
from ..control import BatteryReading, GridReading, PvReading
from ..solaredge import InverterData, InverterInfo


class InverterCoordinator(DataUpdateCoordinator[InverterData]):
    """Keeps the last that an inverter said; every part has its own age."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, interval: float) -> None:
        """Prepare; nothing is read before ``async_connect``. ``interval`` in seconds."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=entry.title, update_interval=timedelta(seconds=interval)
        )
        self.serial: str = entry.data[CONF_SERIAL]

    async def async_connect(self) -> None:
        """Ask for the first time.

        Raises:
            ConfigEntryNotReady: nothing or something else answers.
            ConfigEntryAuthFailed: what answers wants other credentials.
        """
        raise NotImplementedError

    @property
    def info(self) -> InverterInfo:
        """Return who the inverter is."""
        return self.data.info

    @property
    def grid_cadence(self) -> float | None:
        """Return how often the grid meter is read in s; None where that is not regular."""
        raise NotImplementedError

    @property
    def has_grid_meter(self) -> bool:
        """Return whether a meter sits at the house connection."""
        raise NotImplementedError

    @property
    def grid_meter_has_phases(self) -> bool:
        """Return whether that meter measures three phases."""
        raise NotImplementedError

    @property
    def has_battery(self) -> bool:
        """Return whether a battery is attached."""
        raise NotImplementedError

    def protects(self, phases: int) -> bool:
        """Return whether the grid meter knows the current of every phase of a house with 1 or 3 phases."""
        return self.grid_meter_has_phases if phases == 3 else self.has_grid_meter

    def grid_reading(self) -> GridReading | None:
        """Return the last reading of the grid meter for the control core."""
        grid = self.data.grid
        if grid is None:
            return None
        return GridReading(
            at=grid.at,
            power_w=grid.power_w,
            currents_a=grid.currents_a,
            voltages_v=grid.voltages_v,
            cadence_s=self.grid_cadence,
        )

    def pv_reading(self) -> PvReading | None:
        """Return the last production for the control core."""
        pv = self.data.pv
        return None if pv is None else PvReading(at=pv.at, power_w=pv.power_w, throttled=pv.throttled)

    def battery_reading(self) -> BatteryReading | None:
        """Return the last of the batteries for the control core."""
        battery = self.data.battery
        if battery is None:
            return None
        return BatteryReading(at=battery.at, power_w=battery.power_w, state_of_charge=battery.state_of_charge)
