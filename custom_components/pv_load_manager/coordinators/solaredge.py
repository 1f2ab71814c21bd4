"""Polls one SolarEdge inverter: the grid meter fast, the rest slower."""

from typing import Final, override

from homeassistant.components.modbus import async_get_unit
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers.update_coordinator import UpdateFailed
from modbus_connection import ModbusTcpParams

from ..const import CONF_UNIT_ID, DOMAIN
from ..solaredge import (
    InverterData,
    InverterError,
    InverterUnreachableError,
    NotAnInverterError,
    SolarEdgeReader,
    WrongInverterError,
)
from .inverter import InverterCoordinator

GRID_INTERVAL: Final = 2.0  # s; the fuse is watched through this meter
SLOW_INTERVAL: Final = 10.0  # s; what core's own integration asks for, too


class SolarEdgeCoordinator(InverterCoordinator):
    """Reads an inverter over Modbus; every part has its own age."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is read before ``async_connect``."""
        super().__init__(hass, entry, interval=GRID_INTERVAL)
        self._reader: SolarEdgeReader | None = None
        self._slow_at = 0.0

    @property
    def reader(self) -> SolarEdgeReader:
        """Return the reader of the connected inverter."""
        if self._reader is None:
            raise RuntimeError("the inverter was never connected")
        return self._reader

    @override
    async def async_connect(self) -> None:
        """Borrow the unit from the shared connection and find out what is attached.

        Raises:
            ConfigEntryNotReady: nothing or something else answers; addresses wander, so Home Assistant tries again.
        """
        data = self.config_entry.data
        placeholders = {"name": self.config_entry.title, "host": data[CONF_HOST]}
        try:
            unit = async_get_unit(
                self.hass,
                self.config_entry,
                ModbusTcpParams(host=data[CONF_HOST], port=data[CONF_PORT]),
                data[CONF_UNIT_ID],
            )
            self._reader = await SolarEdgeReader.async_open(unit, serial=self.serial, clock=self.hass.loop.time)
        except WrongInverterError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="wrong_inverter",
                translation_placeholders=placeholders | {"expected": err.expected, "found": err.found},
            ) from err
        except NotAnInverterError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="not_an_inverter", translation_placeholders=placeholders
            ) from err
        except (InverterError, HomeAssistantError) as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="inverter_unreachable",
                translation_placeholders=placeholders,
            ) from err
        self._slow_at = self.hass.loop.time()
        self.async_set_updated_data(self._reader.data)

    @override
    async def _async_update_data(self) -> InverterData:
        """Read the grid meter, and every few rounds the rest directly before it, so that both fit together."""
        now = self.hass.loop.time()
        placeholders = {"name": self.config_entry.title, "host": self.config_entry.data[CONF_HOST]}
        try:
            if now - self._slow_at >= SLOW_INTERVAL - 0.5 or not self.reader.has_grid_meter:
                self._slow_at = now
                await self.reader.async_read_slow()
            data = await self.reader.async_read_grid()
        except WrongInverterError as err:
            self._ask_identity_first(now)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="wrong_inverter",
                translation_placeholders=placeholders | {"expected": err.expected, "found": err.found},
            ) from err
        except InverterUnreachableError as err:
            self._ask_identity_first(now)
            # What still answered counts, with its own age.
            self.data = self.reader.data
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="inverter_unreachable",
                translation_placeholders=placeholders,
            ) from err
        return data

    def _ask_identity_first(self, now: float) -> None:
        """Trust no meter before the right inverter answered again: another one may have the address meanwhile."""
        self._slow_at = now - SLOW_INTERVAL

    @property
    @override
    def grid_cadence(self) -> float:
        """Return how often the grid meter is read in s."""
        return GRID_INTERVAL

    @property
    @override
    def has_grid_meter(self) -> bool:
        """Return whether a meter sits at the house connection."""
        return self.reader.has_grid_meter

    @property
    @override
    def grid_meter_has_phases(self) -> bool:
        """Return whether that meter measures three phases."""
        return self.reader.grid_meter_has_phases

    @property
    @override
    def has_battery(self) -> bool:
        """Return whether a battery is attached."""
        return self.reader.has_battery
