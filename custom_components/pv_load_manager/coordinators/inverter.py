"""What every connection to an inverter offers, whatever way its figures come."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from ..const import CONF_SERIAL, LOGGER
from ..control import BatteryReading, GridReading, PvReading
from ..solaredge import InverterData, InverterInfo, MeterRole, OtherMeter


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
    def patience(self) -> float:
        """Return for how long in s a part may be silent at least before it is not shown any more."""
        return 0.0

    @property
    def usage(self) -> Mapping[str, Any]:
        """Return how much of a quota is used up; empty where there is none."""
        return {}

    @property
    def page(self) -> str | None:
        """Return the address of its own web page."""
        return None

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

    @property
    def counts_energy(self) -> bool:
        """Return whether it tells its status and counts what it makes."""
        return False

    @property
    def other_meters(self) -> tuple[OtherMeter, ...]:
        """Return the meters beside the grid's."""
        return ()

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
        """Return the last production for the control core: the inverter's own, and what meters see of others."""
        pv = self.data.pv
        if pv is None:
            return None
        others = [meter for meter in self.other_meters if meter.role is MeterRole.EXTERNAL_PRODUCTION]
        seen = [self.data.meters.get(meter.slot) for meter in others]
        power, at = pv.power_w, pv.at
        for meter in seen:
            if power is None or meter is None or meter.power_w is None:
                power = None
            else:
                power, at = power + max(meter.power_w, 0.0), min(at, meter.at)
        return PvReading(at=at, power_w=power, throttled=pv.throttled)

    def battery_reading(self) -> BatteryReading | None:
        """Return the last of the batteries for the control core."""
        battery = self.data.battery
        if battery is None:
            return None
        return BatteryReading(
            at=battery.at,
            power_w=battery.power_w,
            state_of_charge=battery.state_of_charge,
            capacity_wh=battery.capacity_wh,
        )
