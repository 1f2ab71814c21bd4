"""Reads one SolarEdge inverter over a Modbus unit that somebody else owns."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
import time
from typing import Final

from modbus_connection import IllegalDataAddressError, IllegalFunctionError, ModbusError, ModbusUnit
from modbus_connection.model.sunspec import SunSpecError
from solaredged import Meter, SolarEdge, SolarEdgeConnectionError, SolarEdgeError

from .blocks import Block, ReaderTimings
from .decoding import battery_data, grid_data, has_three_phases, meter_data, meter_roles, pv_data, says_nothing
from .errors import (
    EvChargerError,
    InverterError,
    InverterUnreachableError,
    NoFiguresError,
    NotAnInverterError,
    WrongInverterError,
)
from .layout import NOT_NEEDED, Layout
from .models import InverterData, InverterInfo, MeterRole, MeterSetting, OtherMeter

NO_SETTINGS: Final[Mapping[int, MeterSetting]] = {}
DEFAULT_TIMINGS: Final = ReaderTimings()


class SolarEdgeReader:
    """Polls the parts of one inverter one by one and keeps the last of each, with its own age."""

    def __init__(
        self,
        unit: ModbusUnit,
        device: SolarEdge,
        info: InverterInfo,
        *,
        meters: Mapping[int, MeterSetting],
        timings: ReaderTimings,
        clock: Callable[[], float],
    ) -> None:
        """Use ``async_open`` instead: it knows what is attached."""
        self.data = InverterData(info=info)
        self._device = device
        self._clock = clock
        self._timings = timings
        self._settings = meters
        self._layout = Layout(unit, device, timings, now=clock())
        self._identified = True
        self._alive = True
        self._grid_has_phases = False
        self._names = [(meter.option, meter.serial_number) for meter in device.meters]
        roles = meter_roles(device.meters, meters)
        self._grid_slot = roles.index(MeterRole.GRID) + 1 if MeterRole.GRID in roles else None
        self.other_meters = tuple(
            OtherMeter(slot=slot, key=self._meter_key(slot), role=role, three_phase=has_three_phases(meter))
            for slot, (meter, role) in enumerate(zip(device.meters, roles, strict=True), start=1)
            if role not in {MeterRole.GRID, MeterRole.IGNORE}
        )
        """The meters beside the grid's."""
        # Without these two nothing else counts: they may take all the time that an answer can take.
        patient = replace(timings, again=timings.answer)
        self._identity = Block("identity", self._ask_identity, patient)
        self._batteries = [
            self._block(f"battery {number}", partial(self._ask_battery, number - 1))
            for number in range(1, len(device.batteries) + 1)
        ]
        # The batteries directly before the inverter: what the roof makes is worked out from both.
        self._rest = [
            self._identity,
            *(self._block(f"meter {meter.slot}", partial(self._ask_meter, meter)) for meter in self.other_meters),
            *self._batteries,
            self._block("inverter", self._ask_inverter),
        ]
        self._grid: Block | None = None
        if self._grid_slot is not None:
            ask = partial(self._ask_grid, self._grid_slot)
            self._grid = Block("grid meter", ask, replace(patient, rest=0.0))
        self.close = unit.on_connection_lost(self._distrust)
        """Ends the reader; the unit goes on."""

    @classmethod
    async def async_open(
        cls,
        unit: ModbusUnit,
        *,
        serial: str | None = None,
        meters: Mapping[int, MeterSetting] = NO_SETTINGS,
        timings: ReaderTimings = DEFAULT_TIMINGS,
        clock: Callable[[], float] = time.monotonic,
    ) -> SolarEdgeReader:
        """Return a reader for the inverter behind ``unit``, all parts read once.

        Args:
            unit: borrowed; it is never closed here.
            serial: the inverter that must answer; None = any.
            meters: what the user says about meters, by slot 1..3.
            timings: when to read what.
            clock: monotonic seconds.

        Raises:
            InverterUnreachableError: nothing answers, or not everything that has to.
            NotAnInverterError: something else answers.
            WrongInverterError: another inverter answers.
        """
        device = await _async_probe(unit)
        try:
            await device.common.async_update()
        except (ModbusError, SunSpecError) as err:
            raise InverterUnreachableError(f"the inverter did not tell who it is: {err}") from err
        found = device.common.serial_number
        if device.is_ev_charger:
            raise EvChargerError("this is a SolarEdge charger, not an inverter")
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
        await _async_read_roles(device, meters)
        reader = cls(unit, device, info, meters=meters, timings=timings, clock=clock)
        try:
            await reader._async_read_all()
        except InverterError:
            reader.close()
            raise
        return reader

    @property
    def has_grid_meter(self) -> bool:
        """Return whether a meter sits at the house connection."""
        return self._grid_slot is not None

    @property
    def grid_slot(self) -> int | None:
        """Return the slot (1..3) of that meter."""
        return self._grid_slot

    @property
    def grid_meter_has_phases(self) -> bool:
        """Return whether that meter measures three phases; one that was seen to do so and says nonsense is dead."""
        if self._grid_slot is not None and has_three_phases(self._meter(self._grid_slot)):
            self._grid_has_phases = True
        return self._grid_has_phases

    @property
    def has_battery(self) -> bool:
        """Return whether a battery is attached."""
        return bool(self._device.batteries)

    @property
    def silent(self) -> frozenset[str]:
        """Return the names of the parts that do not answer, also not when they are asked again."""
        return frozenset(block.name for block in self._blocks if block.misses > 1)

    @property
    def changed(self) -> bool:
        """Return whether other meters or batteries are attached now: then the inverter has to be opened anew."""
        return self._layout.changed

    async def async_poll(self) -> InverterData:
        """Read the grid meter, and before it what else is due as long as that is quick.

        A part that does not answer keeps its last data and its age.

        Raises:
            InverterUnreachableError: the link is broken, or no part answered.
            WrongInverterError: another inverter answers now.
        """
        try:
            answered = await self._async_round()
        except InverterUnreachableError:
            self._distrust()
            if not self._alive:
                raise
            self._alive = False
            # A link that was good until now is often good again at once.
            answered = await self._async_round()
        self._alive = answered
        if not answered:
            self._distrust()
            raise InverterUnreachableError("no part of the inverter answers")
        return self.data

    async def _async_round(self) -> bool:
        """Read what is due; return whether anything answered."""
        started = self._clock()
        answers: list[bool] = []
        if not self._identified:
            if await self._identity.read(self._clock) is not None:
                return False
            self._identified = True
            answers.append(True)
        for block in sorted((block for block in self._rest if block.due_at <= started), key=_due_at):
            answers.append(await block.read(self._clock) is None)
            if self._clock() - started > self._timings.patience:
                break  # the grid meter comes first
        if self._grid is not None:
            answers.append(await self._grid.read(self._clock) is None)
        if len(answers) < 2 and not any(answers):
            answers.append(await self._identity.read(self._clock) is None)
        if answers[-1]:
            # A grid meter that cannot be found is dead; without it the inverter would be opened as one that has none.
            await self._layout.async_look(self._clock, losses=self._grid is None or self._grid.fresh)
        return any(answers)

    async def _async_read_all(self) -> None:
        """Read everything once; the inverter and the grid meter have to answer."""
        errors = {block.name: await block.read(self._clock) for block in self._blocks}
        for name in ("identity", "inverter", "grid meter"):
            error = errors.get(name)
            if error is not None and (name != "grid meter" or self.data.grid is None):
                raise InverterUnreachableError(f"{name}: {error}")

    def _distrust(self) -> None:
        """Trust no meter before the right inverter answered again: another one may have the address meanwhile."""
        self._identified = False
        self._layout.look_soon()

    @property
    def _blocks(self) -> list[Block]:
        return self._rest if self._grid is None else [*self._rest, self._grid]

    def _block(self, name: str, ask: Callable[[], Awaitable[None]]) -> Block:
        return Block(name, ask, self._timings)

    def _meter(self, slot: int) -> Meter:
        return self._device.meters[slot - 1]

    def _meter_key(self, slot: int) -> str:
        serials = [serial for _, serial in self._names]
        serial = (serials[slot - 1] or "").strip()
        return serial if serial.isalnum() and serials.count(serials[slot - 1]) == 1 else f"slot_{slot}"

    async def _ask_identity(self) -> None:
        common, expected = self._device.common, self.data.info.serial
        await common.async_update()
        if common.serial_number != expected:
            self._identified = False
            raise WrongInverterError(expected, common.serial_number or "?")
        firmware = self.data.info.firmware
        if (common.version or firmware) != firmware:
            self._layout.moved(0)  # new firmware may have other registers
        else:
            self._layout.stayed(0)

    async def _read_meter(self, slot: int) -> Meter:
        meter = self._meter(slot)
        await meter.async_update()
        if (meter.option, meter.serial_number) != self._names[slot - 1]:
            self._layout.moved(slot)
            raise NoFiguresError("another meter answers in this place")
        self._layout.stayed(slot)
        return meter

    def _is_inverted(self, slot: int) -> bool:
        return slot in self._settings and self._settings[slot].inverted

    async def _ask_grid(self, slot: int) -> None:
        at = self._clock()
        meter = await self._read_meter(slot)
        self.data = replace(self.data, grid=grid_data(meter, at, inverted=self._is_inverted(slot)))
        _expect_figures(meter)

    async def _ask_meter(self, other: OtherMeter) -> None:
        at = self._clock()
        meter = await self._read_meter(other.slot)
        shown = meter_data(meter, at, other.role, inverted=self._is_inverted(other.slot))
        self.data = replace(self.data, meters={**self.data.meters, other.slot: shown})
        _expect_figures(meter)

    async def _ask_battery(self, index: int) -> None:
        at = self._clock()
        batteries = self._device.batteries
        await batteries[index].async_update()
        others = [block for block in self._batteries if block is not self._batteries[index]]
        if all(block.fresh for block in others):
            oldest = min([at, *(block.answered_at for block in others)])
            self.data = replace(self.data, battery=battery_data(batteries, oldest))

    async def _ask_inverter(self) -> None:
        at = self._clock()
        inverter = self._device.inverter
        await inverter.async_update()
        if inverter.did is None:
            raise NoFiguresError("no registers of an inverter")
        # Without the batteries' present share nobody knows what the roof makes.
        if all(block.fresh for block in self._batteries):
            oldest = min([at, *(block.answered_at for block in self._batteries)])
            self.data = replace(self.data, pv=pv_data(inverter, self._device.batteries, oldest))


def _expect_figures(meter: Meter) -> None:
    """Tell of a lost meter: that its values are not known is known, so it is not silent."""
    if says_nothing(meter):
        raise NoFiguresError("the inverter has lost the meter")


def _due_at(block: Block) -> float:
    return block.due_at


async def _async_probe(unit: ModbusUnit) -> SolarEdge:
    try:
        return await SolarEdge.async_probe(unit, assume_absent=NOT_NEEDED)
    except SolarEdgeConnectionError as err:
        if isinstance(err.__cause__, IllegalDataAddressError | IllegalFunctionError):
            # Somebody answers, and does not know the registers that every inverter has.
            raise NotAnInverterError(str(err)) from err
        raise InverterUnreachableError(str(err)) from err
    except SolarEdgeError as err:
        raise NotAnInverterError(str(err)) from err


async def _async_read_roles(device: SolarEdge, settings: Mapping[int, MeterSetting]) -> None:
    """Read every meter once: each says itself where it sits.

    Raises:
        InverterUnreachableError: a meter whose role nobody knows does not answer.
    """
    for slot, meter in enumerate(device.meters, start=1):
        try:
            await meter.async_update()
        except (ModbusError, SunSpecError) as err:
            if slot not in settings or settings[slot].role is None:
                raise InverterUnreachableError(f"meter {slot}: {err}") from err
