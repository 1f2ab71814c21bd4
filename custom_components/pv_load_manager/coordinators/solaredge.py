"""Polls one SolarEdge inverter: the grid meter fast, the rest slower."""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.components.modbus import async_get_unit
from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY, ConfigEntry, ConfigFlowContext
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import discovery_flow
from homeassistant.helpers.update_coordinator import UpdateFailed
from modbus_connection import ModbusTcpParams

from ..const import (
    CONF_GRID_INTERVAL,
    CONF_METER_ROLES,
    CONF_METERS_INVERTED,
    CONF_UNIT_ID,
    DEFAULT_GRID_INTERVAL,
    DOMAIN,
    LOGGER,
)
from ..shared import SHARED
from ..solaredge import (
    InverterData,
    InverterError,
    InverterUnreachableError,
    MeterRole,
    MeterSetting,
    NotAnInverterError,
    OtherMeter,
    ReaderTimings,
    SolarEdgeReader,
    WrongInverterError,
)
from .inverter import InverterCoordinator
from .shared_host import async_shared_host

GRID_INTERVAL: Final = float(DEFAULT_GRID_INTERVAL)  # s
SLOW_INTERVAL: Final = 10.0  # s; what core's own integration asks for, too
ANSWER_TIMEOUT: Final = 10.0  # s; the link's own, which another integration may have raised for us all


class SolarEdgeCoordinator(InverterCoordinator):
    """Reads an inverter over Modbus; every part has its own age."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Prepare; nothing is read before ``async_connect``."""
        self._grid_interval = float(entry.options.get(CONF_GRID_INTERVAL, GRID_INTERVAL))
        super().__init__(hass, entry, interval=self._grid_interval)
        self._reader: SolarEdgeReader | None = None
        self._silent: frozenset[str] = frozenset()
        self._found: str | None = None
        self._reloading = False

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
            ConfigEntryNotReady: nothing or something else answers, or the grid meter is missing; addresses wander and
                meters come back, so Home Assistant tries again.
        """
        data = self.config_entry.data
        try:
            host = await async_shared_host(self.hass, data[CONF_HOST], data[CONF_PORT])
            params = ModbusTcpParams(host=host, port=data[CONF_PORT])
            unit = async_get_unit(self.hass, self.config_entry, params, data[CONF_UNIT_ID])
            reader = await SolarEdgeReader.async_open(
                unit,
                serial=self.serial,
                meters=meter_settings(self.config_entry.options),
                timings=_timings(self._grid_interval),
                clock=self.hass.loop.time,
            )
        except WrongInverterError as err:
            self._offer(err.found)
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="wrong_inverter",
                translation_placeholders=self._names | {"expected": err.expected, "found": err.found},
            ) from err
        except NotAnInverterError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="not_an_inverter", translation_placeholders=self._names
            ) from err
        except (InverterError, HomeAssistantError) as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN, translation_key="inverter_unreachable", translation_placeholders=self._names
            ) from err
        self.config_entry.async_on_unload(reader.close)
        self._expect_the_grid_meter(reader)
        self._reader = reader
        self.async_set_updated_data(reader.data)

    @override
    async def _async_update_data(self) -> InverterData:
        """Read what is due; a part that is silent keeps its last data and its age."""
        try:
            data = await self.reader.async_poll()
        except WrongInverterError as err:
            self._offer(err.found)
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="wrong_inverter",
                translation_placeholders=self._names | {"expected": err.expected, "found": err.found},
            ) from err
        except InverterUnreachableError as err:
            # What still answered counts, with its own age.
            self.data = self.reader.data
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="inverter_unreachable", translation_placeholders=self._names
            ) from err
        self._found = None
        self._tell_of_silence()
        if self.reader.changed and not self._reloading:
            self._reloading = True
            LOGGER.info("%s: other meters or batteries are attached now, it is loaded anew", self.name)
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        return data

    def _expect_the_grid_meter(self, reader: SolarEdgeReader) -> None:
        """Remember which meter protects the house; without it the inverter is not set up, so that it counts as dead.

        Only the user can say that it is gone: an inverter denies a meter that merely does not answer.

        Raises:
            ConfigEntryNotReady: there was a grid meter the last time, and there is none now.
        """
        memory = self.hass.data[SHARED].memory
        known = memory.grid_slot(self.serial)
        if known is not None and reader.grid_slot is None:
            chosen = meter_settings(self.config_entry.options)[known].role
            if chosen in {None, MeterRole.GRID}:
                raise ConfigEntryNotReady(
                    translation_domain=DOMAIN,
                    translation_key="grid_meter_missing",
                    translation_placeholders=self._names | {"slot": str(known)},
                )
        memory.set_grid_slot(self.serial, reader.grid_slot)

    def _tell_of_silence(self) -> None:
        """Write one line when parts fall silent, and one when they are back."""
        silent = self.reader.silent
        if lost := silent - self._silent:
            LOGGER.warning("%s: no answer from: %s", self.name, ", ".join(sorted(lost)))
        if back := self._silent - silent:
            LOGGER.info("%s: answers again: %s", self.name, ", ".join(sorted(back)))
        self._silent = silent

    def _offer(self, serial: str) -> None:
        """Offer to add the other inverter that answers at the address."""
        if serial == self._found:
            return
        self._found = serial
        data = self.config_entry.data
        address = {key: data[key] for key in (CONF_HOST, CONF_PORT, CONF_UNIT_ID)}
        context = ConfigFlowContext(source=SOURCE_INTEGRATION_DISCOVERY)
        # In a moment: the flow looks whether this entry works, which is not known to have ended yet.
        self.hass.loop.call_soon(discovery_flow.async_create_flow, self.hass, DOMAIN, context, address)

    @property
    def _names(self) -> dict[str, str]:
        """Return what names the inverter in messages."""
        return {"name": self.config_entry.title, "host": self.config_entry.data[CONF_HOST]}

    @property
    @override
    def patience(self) -> float:
        """Return for how long in s a part may be silent at least before it is not shown any more."""
        return 2.5 * self._grid_interval

    @property
    @override
    def grid_cadence(self) -> float:
        """Return how often the grid meter is read in s."""
        return self._grid_interval

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

    @property
    @override
    def counts_energy(self) -> bool:
        """Return whether it tells its status and counts what it makes: every inverter does over Modbus."""
        return True

    @property
    @override
    def other_meters(self) -> tuple[OtherMeter, ...]:
        """Return the meters beside the grid's."""
        return self.reader.other_meters


def _timings(grid_interval: float) -> ReaderTimings:
    return ReaderTimings(
        patience=grid_interval,
        rest=SLOW_INTERVAL,
        answer=ANSWER_TIMEOUT,
        again=0.3 * ANSWER_TIMEOUT,
        longest=4 * SLOW_INTERVAL,
        confirm=6 * SLOW_INTERVAL,
        layout=90 * SLOW_INTERVAL,
    )


def meter_settings(options: Mapping[str, Any]) -> dict[int, MeterSetting]:
    """Return what the user says about the meters, by slot from 1; nothing where the options say nothing."""
    settings: dict[int, MeterSetting] = {}
    for slot, (role, inverted) in enumerate(zip(CONF_METER_ROLES, CONF_METERS_INVERTED, strict=True), start=1):
        chosen = options.get(role)
        known = MeterRole(chosen) if chosen in set(MeterRole) else None
        settings[slot] = MeterSetting(role=known, inverted=bool(options.get(inverted)))
    return settings
