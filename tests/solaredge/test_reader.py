"""The reader at a simulated inverter: phases, partial polls, and what can go wrong."""

import asyncio

from modbus_connection import ModbusUnit
from modbus_connection.mock import MockModbusConnection, MockModbusUnit
import pytest

from custom_components.pv_load_manager.solaredge import (
    GridData,
    InverterError,
    InverterUnreachableError,
    NotAnInverterError,
    SolarEdgeReader,
    WrongInverterError,
)
from simulator import BatteryConfig, HomeConfig, HouseConfig, InverterConfig, PvConfig

from .conftest import Connect, text

BATTERY_BLOCK = range(57708, 57736)
INVERTER_BLOCK = range(40069, 40121)
METER_BLOCK = range(40188, 40295)
EVERYTHING = range(0x10000)

HOME = HomeConfig(
    pv=PvConfig(constant_w=6000),
    house=HouseConfig(constant_w=900, shares=(0.0, 0.0, 1.0)),
    battery=BatteryConfig(soc=0.5, max_charge_w=1000),
    chargers=(),
    speed=0,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """Begin at 100 s."""
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def opened(unit: ModbusUnit, clock: Clock | None = None) -> SolarEdgeReader:
    """Return a reader."""
    return await SolarEdgeReader.async_open(unit, clock=clock or Clock())


def grid(reader: SolarEdgeReader) -> GridData:
    """Return what the grid meter said."""
    assert reader.data.grid is not None
    return reader.data.grid


async def test_identity(connect: Connect) -> None:
    """The reader says who the inverter is and what is attached."""
    _, unit = await connect(HOME)
    info = (await opened(unit)).data.info
    assert (info.serial, info.model, info.firmware) == ("7E000001", "SE10K-RWS48BEN4", "0004.0023.0029")
    assert (info.meters, info.batteries) == (1, 1)


async def test_flows(connect: Connect) -> None:
    """Grid, battery and roof are what flows in the home, in the project's signs."""
    home, unit = await connect(HOME)
    reader, flow = await opened(unit), home.home.flow
    data = reader.data
    assert data.pv is not None
    assert data.battery is not None
    assert grid(reader).power_w == pytest.approx(flow.grid_w, abs=5)
    assert grid(reader).power_w == pytest.approx(-4100, abs=300)
    assert data.battery.power_w == pytest.approx(-1000, abs=20)
    assert data.battery.state_of_charge == pytest.approx(50, abs=1)
    assert data.pv.power_w == pytest.approx(6000, abs=150)


async def test_phases(connect: Connect) -> None:
    """Every phase has its own direction: two export while the third imports."""
    home, unit = await connect(HOME)
    home.home.house_override = (0.0, 0.0, 4000.0)
    await home.advance(30)
    reader = await opened(unit)
    assert reader.grid_meter_has_phases
    for found, real in zip(grid(reader).currents_a, home.home.flow.grid_currents, strict=True):
        assert found == pytest.approx(real, abs=0.1)
    for found, real in zip(grid(reader).voltages_v, home.home.flow.voltages, strict=True):
        assert found == pytest.approx(real, abs=0.5)
    first, _, third = grid(reader).currents_a
    assert first is not None
    assert third is not None
    assert first < 0 < third


@pytest.mark.parametrize("signed", [True, False])
async def test_direction_follows_the_power(*, signed: bool) -> None:
    """Some firmware leaves the currents of the phases unsigned: the direction is that of the phase's power."""
    unit = by_hand()
    minus = 0xFFFF + 1 if signed else 0
    currents = [100, (minus - 50) & 0xFFFF if signed else 50, 30]
    unit.holding[40190] = [180, *currents, 0xFFFF]
    unit.holding[40206] = [1840, 2300, (0x10000 - 1150), 690, 0]
    reader = await opened(unit)
    assert grid(reader).currents_a == pytest.approx((-10, 5, -3))
    assert grid(reader).power_w == -1840


async def test_unknown_direction_is_import() -> None:
    """Where a phase's power is not known its current counts as import, and an unknown current stays unknown."""
    unit = by_hand()
    unit.holding[40190] = [180, 100, 0x8000, 30, 0xFFFF]
    unit.holding[40206] = [0x8000, 0x8000, 0x8000, 690, 0]
    reader = await opened(unit)
    assert grid(reader).currents_a == pytest.approx((10, None, -3))
    assert grid(reader).power_w is None


async def test_single_phase_meter() -> None:
    """A meter of one phase knows L1 only, from its own values or from the totals."""
    unit = by_hand(model=201)
    unit.holding[40190] = [100, 0x8000, 0x8000, 0x8000, 0xFFFF]
    unit.holding[40195] = [230, 0x8000, 0x8000, 0x8000, 0x8000, 0x8000, 0x8000, 0x8000, 0]
    unit.holding[40206] = [0x10000 - 2300, 0x8000, 0x8000, 0x8000, 0]
    reader = await opened(unit)
    assert not reader.grid_meter_has_phases
    assert grid(reader).currents_a == (10, None, None)
    assert grid(reader).voltages_v == (230, None, None)


async def test_split_phase_meter() -> None:
    """Of the two lines of an American house the one that is nearer to its breaker counts."""
    unit = by_hand(model=202)
    unit.holding[40190] = [300, 100, 200, 0x8000, 0xFFFF]
    unit.holding[40195] = [120, 120, 120, 0x8000, 240, 240, 0x8000, 0x8000, 0]
    unit.holding[40206] = [0x10000 - 1200, 1200, 0x10000 - 2400, 0x8000, 0]
    reader = await opened(unit)
    assert not reader.grid_meter_has_phases
    assert grid(reader).currents_a == (20, None, None)
    assert grid(reader).power_w == 1200


def by_hand(model: int = 203) -> MockModbusUnit:
    """Return an inverter with one meter, its registers to be set."""
    unit = MockModbusConnection().for_unit(1)
    unit.holding.update({40000: [0x5375, 0x6E53, 1, 65, *text("SolarEdge", 16), *text("SE10K", 16)]})
    unit.holding.update({40052: text("7E000001", 16), 40069: [103, 50], 40107: 4})
    unit.holding.update({40121: [1, 65], 40155: text("Export+Import", 8), 40188: [model, 105]})
    return unit


@pytest.mark.parametrize(
    ("meters", "has"),
    [
        (("Export+Import",), True),
        (("Production", "Export + Import"), True),
        (("Production", "Consumption"), False),
        ((), False),
    ],
)
async def test_meters(connect: Connect, meters: tuple[str, ...], *, has: bool) -> None:
    """The grid meter is found in any slot, and none is invented."""
    home, unit = await connect(HomeConfig(inverter=InverterConfig(meters=meters), chargers=(), speed=0))
    reader = await opened(unit)
    assert reader.has_grid_meter is has
    if has:
        assert grid(reader).power_w == pytest.approx(home.home.flow.grid_w, abs=5)


async def test_night(connect: Connect) -> None:
    """A sleeping inverter makes nothing, and its meter still sees the house."""
    _, unit = await connect(
        HomeConfig(pv=PvConfig(constant_w=0), house=HouseConfig(constant_w=400), chargers=(), speed=0)
    )
    reader = await opened(unit)
    assert reader.data.pv is not None
    assert reader.data.pv.power_w == 0
    assert grid(reader).power_w == pytest.approx(400, abs=5)


async def test_grid_alone(connect: Connect) -> None:
    """The fast poll is few requests and leaves the rest as it was, with its age."""
    home, unit = await connect(HOME)
    clock = Clock()
    reader = await opened(unit, clock)
    reads, pv = home.inverter.reads, reader.data.pv
    clock.now = 102.0
    home.home.house_override = (0.0, 0.0, 2900.0)
    await home.advance(5)
    data = await reader.async_poll()
    assert home.inverter.reads - reads <= 2
    assert data.grid is not None
    assert data.grid.at == 102
    assert data.grid.power_w == pytest.approx(home.home.flow.grid_w, abs=5)
    assert data.pv is pv


@pytest.mark.parametrize("fault", ["silent_blocks", "exception_blocks", "broken_blocks"])
async def test_partial_poll(connect: Connect, fault: str) -> None:
    """A part that does not answer keeps its last data and its age while the others go on."""
    home, unit = await connect(HOME)
    clock = Clock()
    reader = await opened(unit, clock)
    battery = reader.data.battery
    setattr(home.inverter.faults, fault, [BATTERY_BLOCK])
    clock.now = 110.0
    data = await reader.async_poll()
    assert data.battery is battery
    assert data.pv is not None
    assert data.pv.at == 100  # without the battery's share nobody knows what the roof makes
    setattr(home.inverter.faults, fault, [INVERTER_BLOCK])
    clock.now = 120.0
    data = await reader.async_poll()
    assert data.battery is not None
    assert data.battery.at == 120
    assert data.pv is not None
    assert data.pv.at == 100
    setattr(home.inverter.faults, fault, [])
    clock.now = 130.0
    data = await reader.async_poll()
    assert data.pv is not None
    assert data.pv.at == 120  # as old as the battery's share in it
    clock.now = 140.0
    data = await reader.async_poll()
    assert data.pv is not None
    assert data.pv.at == 140


async def test_silent_meter(connect: Connect) -> None:
    """A grid meter that does not answer keeps its last data and its age while the others go on."""
    home, unit = await connect(HOME)
    clock = Clock()
    reader = await opened(unit, clock)
    before = reader.data.grid
    home.inverter.faults.silent_blocks = [METER_BLOCK]
    clock.now = 110.0
    data = await reader.async_poll()
    assert data.grid is before
    assert data.pv is not None
    assert data.pv.at == 110


async def test_nothing_answers(connect: Connect) -> None:
    """When no part answers the inverter is unreachable."""
    home, unit = await connect(HOME)
    reader = await opened(unit)
    home.inverter.faults.broken_blocks = [EVERYTHING]
    with pytest.raises(InverterUnreachableError):
        await reader.async_poll()


async def test_dead_link(connect: Connect) -> None:
    """A link that broke is told at once by both polls, and used again when it is back."""
    home, unit = await connect(HOME)
    reader = await opened(unit)
    await home.inverter.stop()
    with pytest.raises(InverterUnreachableError):
        await reader.async_poll()
    with pytest.raises(InverterUnreachableError):
        await reader.async_poll()
    await home.inverter.start()
    await recovered(reader)
    assert (await reader.async_poll()).pv is not None


async def recovered(reader: SolarEdgeReader) -> None:
    """Poll until the link is back."""
    for _ in range(20):
        try:
            await reader.async_poll()
        except InverterUnreachableError:
            await asyncio.sleep(0.05)
        else:
            return
    pytest.fail("the link did not come back")


async def test_unreachable(connect: Connect) -> None:
    """An inverter that is off cannot be opened."""
    home, unit = await connect(HOME)
    await home.inverter.stop()
    with pytest.raises(InverterUnreachableError):
        await opened(unit)


async def test_silent_from_the_start(connect: Connect) -> None:
    """An inverter that takes the connection and says nothing is unreachable, not another device."""
    home, unit = await connect(HOME)
    home.inverter.faults.silent = True
    with pytest.raises(InverterUnreachableError):
        await opened(unit)


async def test_not_an_inverter(connect: Connect) -> None:
    """Somebody who does not know the registers, or answers zeros, is no inverter."""
    home, unit = await connect(HOME)
    home.inverter.faults.exception_blocks = [EVERYTHING]
    with pytest.raises(NotAnInverterError):
        await opened(unit)
    with pytest.raises(NotAnInverterError):
        await opened(MockModbusConnection().for_unit(1))


async def test_busy_inverter_is_unreachable(connect: Connect) -> None:
    """A device that fails every request may be an inverter on another day."""
    home, unit = await connect(HOME)
    home.inverter.faults.broken_blocks = [EVERYTHING]
    with pytest.raises(InverterUnreachableError):
        await opened(unit)


async def test_half_inverter_is_not_opened(connect: Connect) -> None:
    """An inverter whose main block does not answer is not opened half."""
    home, unit = await connect(HOME)
    home.inverter.faults.broken_blocks = [range(40075, 40121)]
    with pytest.raises(InverterUnreachableError):
        await opened(unit)


async def test_without_serial_number() -> None:
    """An inverter that does not say who it is cannot be told from another one."""
    unit = by_hand()
    unit.holding[40052] = text("", 16)
    with pytest.raises(NotAnInverterError):
        await opened(unit)


async def test_battery_fails_at_the_start(connect: Connect) -> None:
    """A battery that does not answer at the start is unknown until it does."""
    home, unit = await connect(HOME)
    home.inverter.faults.broken_blocks = [BATTERY_BLOCK]
    reader = await opened(unit)
    assert reader.has_battery
    assert reader.data.battery is None
    home.inverter.faults.broken_blocks = []
    assert (await reader.async_poll()).battery is not None


async def test_wrong_inverter(connect: Connect) -> None:
    """Another inverter is told from the expected one, at the start and later."""
    home, unit = await connect(HOME)
    with pytest.raises(WrongInverterError) as error:
        await SolarEdgeReader.async_open(unit, serial="7E000099")
    assert (error.value.expected, error.value.found) == ("7E000099", "7E000001")
    reader = await opened(unit)
    before = reader.data
    home.inverter.faults.serial = "7E000002"
    with pytest.raises(WrongInverterError):
        await reader.async_poll()
    assert reader.data is before


async def test_errors_have_one_root(connect: Connect) -> None:
    """Whatever goes wrong is an InverterError."""
    home, unit = await connect(HOME)
    await home.inverter.stop()
    with pytest.raises(InverterError):
        await opened(unit)
