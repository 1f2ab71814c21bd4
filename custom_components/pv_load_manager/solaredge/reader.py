"""Reads one SolarEdge inverter over a Modbus unit that somebody else owns.

Registers, signs and sentinels are those of SolarEdge's "SunSpec Logging" note, decoded by the library ``solaredged``.
"""

from collections.abc import Callable
from dataclasses import replace
import time

from modbus_connection import (
    IllegalDataAddressError,
    IllegalFunctionError,
    ModbusConnectionError,
    ModbusError,
    ModbusUnit,
)
from modbus_connection.model import Component
from modbus_connection.model.sunspec import SunSpecError
from solaredged import Battery, Inverter, Meter, SolarEdge, SolarEdgeConnectionError, SolarEdgeError, SunSpecDID

from .errors import EvChargerError, InverterUnreachableError, NotAnInverterError, WrongInverterError
from .models import BatteryData, GridData, InverterData, InverterInfo, MaybeThree, PvData

THREE_PHASE_METERS = frozenset({SunSpecDID.THREE_PHASE_WYE_METER, SunSpecDID.THREE_PHASE_DELTA_METER})


class SolarEdgeReader:
    """Polls the parts of one inverter one by one and keeps the last of each."""

    def __init__(self, device: SolarEdge, data: InverterData, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Use ``async_open`` instead: it knows what is attached."""
        self._device = device
        self._clock = clock
        self._grid_meter = _find_grid_meter(device.meters)
        self.data = data

    @classmethod
    async def async_open(
        cls, unit: ModbusUnit, *, serial: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> SolarEdgeReader:
        """Return a reader for the inverter behind ``unit``, all parts read once.

        Args:
            unit: borrowed; it is never closed here.
            serial: the inverter that must answer; None = any.
            clock: monotonic seconds.

        Raises:
            InverterUnreachableError: nothing answers.
            NotAnInverterError: something else answers.
            WrongInverterError: another inverter answers.
        """
        try:
            device = await SolarEdge.async_probe(unit)
            at = clock()
            report = await device.async_update_readings()
        except SolarEdgeConnectionError as err:
            if isinstance(err.__cause__, IllegalDataAddressError | IllegalFunctionError):
                # Somebody answers, and does not know the registers that every inverter has.
                raise NotAnInverterError(str(err)) from err
            raise InverterUnreachableError(str(err)) from err
        except SolarEdgeError as err:
            raise NotAnInverterError(str(err)) from err
        if device.is_ev_charger:
            raise EvChargerError("this is a SolarEdge charger, not an inverter")
        if {"common", "inverter"} & report.failed.keys():
            raise InverterUnreachableError("the inverter did not tell who it is")
        found = device.common.serial_number
        if not found:
            raise NotAnInverterError("the inverter has no serial number")
        if serial is not None and found != serial:
            raise WrongInverterError(serial, found)
        info = InverterInfo(
            serial=found,
            model=device.common.model,
            firmware=device.common.version,
            meters=len(device.meters),
            batteries=len(device.batteries),
        )
        data = InverterData(info=info, pv=_pv_data(device.inverter, device.batteries, at))
        if device.batteries and not any(part.startswith("batteries") for part in report.failed):
            data = replace(data, battery=_battery_data(device.batteries, at))
        reader = cls(device, data, clock=clock)
        await reader.async_read_grid()
        return reader

    @property
    def has_grid_meter(self) -> bool:
        """Return whether a meter sits at the house connection."""
        return self._grid_meter is not None

    @property
    def grid_meter_has_phases(self) -> bool:
        """Return whether that meter measures three phases."""
        return self._grid_meter is not None and self._grid_meter.did in THREE_PHASE_METERS

    @property
    def has_battery(self) -> bool:
        """Return whether a battery is attached."""
        return bool(self._device.batteries)

    async def async_read_grid(self) -> InverterData:
        """Read the grid meter alone, in one request.

        Raises:
            InverterUnreachableError: no answer; the last data stays as it is, with its age.
        """
        meter = self._grid_meter
        if meter is None:
            return self.data
        at = self._clock()
        try:
            await meter.async_update()
        except (ModbusError, SunSpecError) as err:
            raise InverterUnreachableError(str(err)) from err
        self.data = replace(self.data, grid=_grid_data(meter, at))
        return self.data

    async def async_read_slow(self) -> InverterData:
        """Read identity, inverter and batteries one by one; a silent part keeps its last data and age.

        Raises:
            InverterUnreachableError: the link is dead or nothing answered.
            WrongInverterError: another inverter answers now.
        """
        device = self._device
        errors: list[str] = []
        if await self._try(device.common, errors) and device.common.serial_number != self.data.info.serial:
            raise WrongInverterError(self.data.info.serial, device.common.serial_number or "?")
        at = self._clock()
        batteries = [battery for battery in device.batteries if await self._try(battery, errors)]
        all_answered = len(batteries) == len(device.batteries)
        if batteries and all_answered:
            self.data = replace(self.data, battery=_battery_data(batteries, at))
        at = self._clock()
        # Without the battery's present share nobody knows what the roof makes.
        if await self._try(device.inverter, errors) and all_answered:
            self.data = replace(self.data, pv=_pv_data(device.inverter, device.batteries, at))
        if len(errors) == 2 + len(device.batteries):
            raise InverterUnreachableError(errors[0])
        return self.data

    @staticmethod
    async def _try(part: Component, errors: list[str]) -> bool:
        """Read one part; False and a noted error when it stays silent while the link lives."""
        try:
            await part.async_update()
        except ModbusConnectionError as err:
            raise InverterUnreachableError(str(err)) from err
        except (ModbusError, SunSpecError) as err:
            errors.append(str(err))
            return False
        return True


def _find_grid_meter(meters: list[Meter]) -> Meter | None:
    """Return the meter at the house connection: its option names both directions."""
    for meter in meters:
        option = (meter.option or "").lower()
        if "export" in option and "import" in option:
            return meter
    # An only meter without a role is taken for the grid's: that is how SolarEdge delivers it.
    return meters[0] if len(meters) == 1 and not (meters[0].option or "").strip() else None


def _grid_data(meter: Meter, at: float) -> GridData:
    """Turn the meter's signs round: it says export +, and so do its phases.

    The direction of a phase current follows the power of its own phase, because some firmware leaves the current
    unsigned; the total current is a sum over phases and says nothing about a breaker.
    """
    powers = (meter.ac_power_a, meter.ac_power_b, meter.ac_power_c)
    currents = (meter.ac_current_a, meter.ac_current_b, meter.ac_current_c)
    if meter.did not in THREE_PHASE_METERS:
        powers = (meter.ac_power, None, None)
        currents = (meter.ac_current_a if meter.ac_current_a is not None else meter.ac_current, None, None)
    return GridData(
        at=at,
        power_w=_inverted(meter.ac_power),
        currents_a=_three([_directed(current, power) for current, power in zip(currents, powers, strict=True)]),
        voltages_v=(
            meter.ac_voltage_an if meter.ac_voltage_an is not None else meter.ac_voltage_ln,
            meter.ac_voltage_bn,
            meter.ac_voltage_cn,
        ),
        imported_wh=meter.energy_imported,
        exported_wh=meter.energy_exported,
    )


def _directed(current: float | None, power: float | None) -> float | None:
    """Return the current as import +, from its size and the raw power (export +) of its phase."""
    if current is None or power is None:
        return None if current is None else abs(current)  # without a direction: import, the safe reading
    return 0.0 - abs(current) if power > 0 else abs(current)


def _three(values: list[float | None]) -> MaybeThree:
    return (values[0], values[1], values[2])


def _inverted(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def _pv_data(inverter: Inverter, batteries: list[Battery], at: float) -> PvData:
    """PV = DC power + battery charging on a hybrid, AC power else (SolarEdge: the battery sits on the DC side)."""
    if batteries:
        stored = [battery.dc_power for battery in batteries]
        known = inverter.dc_power is not None and all(value is not None for value in stored)
        power = (inverter.dc_power or 0.0) + sum(value or 0.0 for value in stored) if known else None
    else:
        power = inverter.ac_power
    return PvData(
        at=at,
        power_w=None if power is None else max(power, 0.0),
        energy_wh=inverter.ac_energy,
        status=None if inverter.status is None else inverter.status.name.lower(),
    )


def _battery_data(batteries: list[Battery], at: float) -> BatteryData:
    powers = [battery.dc_power for battery in batteries]
    charges = [
        (battery.state_of_energy, battery.rated_energy or 1.0)
        for battery in batteries
        if battery.state_of_energy is not None
    ]
    capacity = sum(rated for _, rated in charges)
    return BatteryData(
        at=at,
        power_w=None if any(power is None for power in powers) else 0.0 - sum(power or 0.0 for power in powers),
        state_of_charge=sum(charge * rated for charge, rated in charges) / capacity if capacity else None,
    )
