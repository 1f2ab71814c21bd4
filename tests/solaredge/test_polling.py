"""When the parts of an inverter are read, and what becomes of those that fall silent, come back or change."""

import asyncio
from typing import Any

from modbus_connection import IllegalDataAddressError, ModbusConnectionError, ModbusTimeoutError
from modbus_connection.mock import MockModbusConnection, MockModbusUnit
import pytest

from custom_components.pv_load_manager.solaredge import (
    EvChargerError,
    InverterUnreachableError,
    MeterRole,
    MeterSetting,
    ReaderTimings,
    SolarEdgeReader,
    WrongInverterError,
)
from simulator import BatteryConfig, HomeConfig, InverterConfig, PvConfig, running_home
from simulator.registers import build

from .conftest import Connect, text
from .test_reader import Clock

GRID, PV, LOAD = "Export+Import", "Production", "Consumption"
METER, SECOND_METER, BATTERY, INVERTER, COMMON = 40188, 40362, 57716, 40083, 40052
GRID_READS = {40297, 40425}
"""The grid meter is the second one: two reads, because a request has an end."""
TIMINGS = ReaderTimings(answer=0.2, again=0.1)


class Home:
    """An inverter in this process, a clock, and the reader between them."""

    def __init__(self, words: dict[int, int]) -> None:
        """Begin with registers."""
        self.connection = MockModbusConnection()
        self.unit: MockModbusUnit = self.connection.for_unit(1)
        self.unit.holding.update(words)
        self.clock = Clock()
        self._reader: SolarEdgeReader | None = None

    @property
    def reader(self) -> SolarEdgeReader:
        """Return the open reader."""
        assert self._reader is not None
        return self._reader

    async def open(self, **settings: Any) -> SolarEdgeReader:
        """Open the inverter."""
        self._reader = await SolarEdgeReader.async_open(self.unit, clock=self.clock, timings=TIMINGS, **settings)
        return self._reader

    async def poll(self, passed: float) -> set[int]:
        """Let time pass, poll, and return the starts of what was read."""
        self.clock.now += passed
        self.unit.read_events.clear()
        await self.reader.async_poll()
        return {event.address for event in self.unit.read_events}

    def put(self, address: int, *words: int) -> None:
        """Change registers."""
        self.unit.holding.update(enumerate(words, start=address))

    def silence(self, address: int, *, ends: bool = False) -> None:
        """Let reads of a register never be answered."""
        self.unit.fail_read(address, None if ends else ModbusTimeoutError("silent"))


@pytest.fixture(name="home")
async def home_fixture() -> Home:
    """Return a sunny home with a battery and three meters."""
    return await made(meters=(PV, GRID, LOAD))


async def made(battery: BatteryConfig | None = None, **inverter: Any) -> Home:
    """Return an inverter with the registers of a virtual one, time standing still."""
    config = HomeConfig(
        pv=PvConfig(constant_w=6000),
        battery=battery or BatteryConfig(soc=0.5, max_charge_w=1000),
        inverter=InverterConfig(**inverter),
        chargers=(),
        speed=0,
    )
    async with running_home(config) as simulation:
        await simulation.advance(30)
        assert config.inverter is not None
        return Home(build(simulation.home, config.inverter, "7E000001").words)


async def test_meters_and_their_roles(home: Home) -> None:
    """Every meter says where it sits; production counts as positive, everything else as import."""
    reader = await home.open()
    assert [(meter.slot, meter.key, meter.role) for meter in reader.other_meters] == [
        (1, "7E0000011", MeterRole.PRODUCTION),
        (3, "7E0000013", MeterRole.CONSUMPTION),
    ]
    production, load = reader.data.meters[1], reader.data.meters[3]
    assert production.power_w == pytest.approx(5000, abs=100)
    assert load.power_w is not None
    assert load.power_w > 0
    assert all(amps is not None and amps > 0 for amps in production.currents_a)
    assert all(amps is not None and amps >= 0 for amps in load.currents_a)


async def test_chosen_roles(home: Home) -> None:
    """What the user says counts more than what a meter says; an ignored one is not read."""
    reader = await home.open(
        meters={
            1: MeterSetting(role=MeterRole.EXTERNAL_PRODUCTION),
            2: MeterSetting(role=MeterRole.IGNORE),
            3: MeterSetting(role=MeterRole.GRID, inverted=True),
        }
    )
    assert [(meter.slot, meter.role) for meter in reader.other_meters] == [(1, MeterRole.EXTERNAL_PRODUCTION)]
    grid = reader.data.grid
    assert grid is not None
    assert grid.power_w is not None
    assert grid.power_w < 0  # the load, the wrong way round
    assert all(amps is not None and amps <= 0 for amps in grid.currents_a)
    assert 40297 not in await home.poll(10)


async def test_inverted_counters() -> None:
    """Where the transformers are the wrong way round, import and export change places, too."""
    home = await made(meters=(GRID,))
    right = (await home.open()).data.grid
    wrong = (await home.open(meters={1: MeterSetting(inverted=True)})).data.grid
    assert right is not None
    assert wrong is not None
    assert (wrong.imported_wh, wrong.exported_wh) == (right.exported_wh, right.imported_wh)
    assert right.power_w is not None
    assert wrong.power_w == -right.power_w


async def test_two_grid_meters() -> None:
    """Of two meters that name both directions the first is the grid's."""
    reader = await (await made(meters=(LOAD, GRID, GRID))).open()
    assert [(meter.slot, meter.role) for meter in reader.other_meters] == [
        (1, MeterRole.CONSUMPTION),
        (3, MeterRole.UNKNOWN),
    ]


@pytest.mark.parametrize("synergy_units", [0, 2, 3])
async def test_synergy(synergy_units: int) -> None:
    """The meters of a Synergy inverter are found where they are."""
    reader = await (await made(meters=(PV, GRID), synergy_units=synergy_units)).open()
    assert reader.data.grid is not None
    assert reader.data.grid.power_w == pytest.approx(-4500, abs=500)


async def test_cadences(home: Home) -> None:
    """The grid meter is read in every poll, the rest every 10 s."""
    await home.open()
    assert await home.poll(2) == GRID_READS
    assert await home.poll(2) == GRID_READS
    assert INVERTER - 14 in await home.poll(6)
    assert await home.poll(2) == GRID_READS


async def test_silent_block(home: Home) -> None:
    """A silent part is asked again at once, and then less and less often; the others go on."""
    reader = await home.open()
    home.silence(BATTERY)
    asked = [57708 in await home.poll(passed) for passed in (10, 2, 2, 10, 2, 2, 8, 10, 12, 10, 10, 10, 10)]
    assert asked == [True, True, False, True, False, False, False, True, False, False, False, True, False]
    assert reader.silent == {"battery 1"}
    assert reader.data.grid is not None
    assert reader.data.grid.at == home.clock.now
    assert reader.data.battery is not None
    assert reader.data.battery.at == 100
    home.silence(BATTERY, ends=True)
    await home.poll(40)
    assert reader.silent == frozenset()
    assert reader.data.battery.at == home.clock.now


async def test_silent_grid_meter(home: Home) -> None:
    """A silent grid meter is asked in every poll, and the rest is read meanwhile."""
    reader = await home.open()
    home.silence(40386)
    for passed in (2, 2, 10):
        assert 40297 in await home.poll(passed)
    assert reader.silent == {"grid meter"}
    assert reader.data.grid is not None
    assert reader.data.grid.at == 100
    assert reader.data.pv is not None
    assert reader.data.pv.at == home.clock.now


async def test_everything_is_silent(home: Home) -> None:
    """Where nothing answers the inverter is unreachable; then the identity comes first."""
    reader = await home.open()
    home.unit.fail_requests(ModbusTimeoutError("silent"))
    for _ in range(3):
        with pytest.raises(InverterUnreachableError):
            await home.poll(2)
    home.unit.fail_requests(None)
    home.put(COMMON, *text("7E000099", 16))
    home.clock.now += 2
    before = reader.data
    with pytest.raises(WrongInverterError):
        await reader.async_poll()
    assert reader.data is before
    home.put(COMMON, *text("7E000001", 16))
    await home.poll(2)
    assert reader.data.grid is not None
    assert reader.data.grid.at == home.clock.now


async def test_one_broken_answer(home: Home) -> None:
    """A link that breaks once is used again in the same poll; the inverter says who it is before its meters count."""
    reader = await home.open()
    home.connection.simulate_connection_lost()
    home.clock.now += 2
    home.unit.read_events.clear()
    await reader.async_poll()
    assert home.unit.read_events[0].address == 40004
    home.unit.fail_read(40297, ModbusConnectionError("cut"))
    with pytest.raises(InverterUnreachableError):
        await home.poll(2)
    tries = [event.address for event in home.unit.read_events].count(40297)
    assert tries == 2
    with pytest.raises(InverterUnreachableError):
        await home.poll(2)
    assert [event.address for event in home.unit.read_events].count(40297) == 1


async def test_slow_parts_wait_for_the_grid_meter(connect: Connect) -> None:
    """Where answers are slow the grid meter is read between the others, so that it is never long ago."""
    config = HomeConfig(battery=BatteryConfig(), inverter=InverterConfig(meters=(PV, GRID)), chargers=(), speed=0)
    home, unit = await connect(config)
    timings = ReaderTimings(patience=0.05, rest=0.5, answer=1.0)
    loop = asyncio.get_running_loop()
    reader = await SolarEdgeReader.async_open(unit, timings=timings, clock=loop.time)
    home.inverter.faults.slow_s = 0.04
    ages: list[float] = []
    pv_at: set[float] = set()
    end = loop.time() + 2.5
    while loop.time() < end:
        data = await reader.async_poll()
        assert data.grid is not None
        assert data.pv is not None
        ages.append(loop.time() - data.grid.at)
        pv_at.add(data.pv.at)
    assert max(ages) < 0.4
    assert len(pv_at) >= 3


@pytest.mark.parametrize("word", [0x8000, 0xFFFF, 0])
async def test_lost_meter(home: Home, word: int) -> None:
    """A meter that the inverter lost says nothing: its values are not known, and that is told."""
    reader = await home.open()
    home.put(40364, *[word] * 105)
    await home.poll(2)
    await home.poll(2)
    assert reader.data.grid is not None
    assert reader.data.grid.power_w is None
    assert reader.data.grid.currents_a == (None, None, None)
    assert reader.silent == {"grid meter"}


async def test_idle_meter(home: Home) -> None:
    """A meter through which nothing flows is not lost: it sees the voltage."""
    reader = await home.open()
    home.put(40364, 0, 0, 0, 0, 0)
    home.put(40380, 0, 0, 0, 0, 0)
    await home.poll(2)
    assert reader.data.grid is not None
    assert (reader.data.grid.power_w, reader.data.grid.currents_a) == (0, (0, 0, 0))
    assert not reader.silent


async def test_battery_that_starts_up(home: Home) -> None:
    """While a battery starts up nothing that it says counts, and neither does a charge above 100 %."""
    reader = await home.open()
    home.put(57732, 0x0000, 0x4316, 2, 0)  # 150 %, starting up
    await home.poll(10)
    battery, pv = reader.data.battery, reader.data.pv
    assert battery is not None
    assert pv is not None
    assert (battery.power_w, battery.state_of_charge, pv.power_w) == (None, None, None)
    home.put(57734, 3)
    await home.poll(10)
    assert reader.data.battery is not None
    assert reader.data.battery.power_w == pytest.approx(-1000, abs=20)
    assert reader.data.battery.state_of_charge is None


async def test_night_without_figures(home: Home) -> None:
    """A sleeping inverter that shows no figures makes nothing."""
    reader = await home.open()
    home.unit.holding.update({40107: 2, 40083: 0x8000, 40100: 0x8000})
    await home.poll(10)
    assert reader.data.pv is not None
    assert (reader.data.pv.power_w, reader.data.pv.status) == (0, "sleeping")


async def test_new_battery_and_new_meter() -> None:
    """What is attached later is found when it is time to look."""
    home = await made(meters=(GRID,))
    reader = await home.open()
    await home.poll(890)
    await home.poll(20)
    assert not reader.changed
    later = (await made(meters=(GRID, PV))).unit.holding
    home.unit.holding.update(later)
    await home.poll(905)
    assert reader.changed


async def test_battery_that_vanishes() -> None:
    """After a restart a battery that is not found at first may still come; a minute later it is gone."""
    home = await made(meters=(GRID,))
    reader = await home.open()
    home.unit.holding.update(dict.fromkeys(range(57600, 57736), 0))
    home.connection.simulate_connection_lost()
    await home.poll(2)
    await home.poll(50)
    assert not reader.changed
    await home.poll(20)
    assert reader.changed


async def test_battery_that_comes_back_in_time() -> None:
    """A battery that is found again counts as never gone."""
    home = await made(meters=(GRID,))
    reader = await home.open()
    home.unit.fail_read(57666, IllegalDataAddressError("not yet"))
    home.connection.simulate_connection_lost()
    await home.poll(2)
    home.unit.fail_read(57666, None)
    for _ in range(4):
        await home.poll(40)
    assert not reader.changed


async def test_silence_is_not_the_end_of_a_meter(home: Home) -> None:
    """A meter that is silent while the inverter is asked what it has is not gone."""
    reader = await home.open()
    home.silence(METER)
    for _ in range(5):
        await home.poll(1000)
    assert not reader.changed


async def test_hole_instead_of_the_grid_meter() -> None:
    """An inverter that denies its grid meter is not opened anew without it: the meter is dead, and all else goes on."""
    home = await made(meters=(GRID,))
    reader = await home.open()
    denied = IllegalDataAddressError("no meter")
    home.unit.fail_read(METER, denied)
    for _ in range(3):
        await home.poll(905)
        assert 40000 in await home.poll(2)  # it looks what is attached
    assert reader.silent == {"grid meter"}
    assert not reader.changed
    assert reader.data.pv is not None
    assert reader.data.pv.at == home.clock.now - 2
    home.unit.fail_read(METER, None)
    await home.poll(2)
    assert reader.data.grid is not None
    assert reader.data.grid.at == home.clock.now


async def test_meters_that_change_places(home: Home) -> None:
    """When another meter answers where the grid's was, its values do not count, and the inverter is opened anew."""
    reader = await home.open()
    before = reader.data.grid
    home.put(40155 + 174, *text(PV, 8))
    await home.poll(2)
    assert reader.data.grid is before
    assert not reader.changed
    await home.poll(2)
    assert reader.data.grid is before
    assert reader.changed


async def test_silent_meter_at_the_start(home: Home) -> None:
    """A meter of which nobody knows where it sits has to answer; one that the user placed may be silent."""
    home.silence(40297)
    with pytest.raises(InverterUnreachableError):
        await home.open()
    home.silence(40297, ends=True)
    home.silence(40123)
    with pytest.raises(InverterUnreachableError):
        await home.open()
    reader = await home.open(meters={1: MeterSetting(role=MeterRole.IGNORE)})
    assert reader.data.grid is not None


async def test_scale_factors_change(home: Home) -> None:
    """A scale factor that changes between two polls counts for the values beside it; without it there are none."""
    reader = await home.open()
    home.put(40380, 100, 30, 30, 40, 1)
    await home.poll(2)
    assert reader.data.grid is not None
    assert reader.data.grid.power_w == -1000
    home.put(40384, 0xFFFF)
    await home.poll(2)
    assert reader.data.grid.power_w == -10
    home.put(40384, 0x8000)
    await home.poll(2)
    assert reader.data.grid.power_w is None


async def test_closed_reader(home: Home) -> None:
    """A closed reader is told nothing more by its link."""
    reader = await home.open()
    reader.close()
    home.connection.simulate_connection_lost()
    assert await home.poll(2) == GRID_READS


async def test_half_answers(home: Home) -> None:
    """An inverter that does not say who it is, or whose registers are no inverter's, says nothing about the roof."""
    home.silence(40004)
    with pytest.raises(InverterUnreachableError):
        await home.open()
    home.silence(40004, ends=True)
    reader = await home.open()
    before = reader.data.pv
    home.put(40069, 999)
    await home.poll(10)
    await home.poll(2)
    assert reader.data.pv is before
    assert reader.silent == {"inverter"}


async def test_look_that_fails(home: Home) -> None:
    """Where the inverter does not say what it has, nothing changes, and it is asked again a minute later."""
    reader = await home.open()
    home.silence(40000)
    assert 40000 in await home.poll(905)
    assert 40000 not in await home.poll(30)
    home.silence(40000, ends=True)
    assert 40000 in await home.poll(40)
    assert not reader.changed


async def test_new_firmware(home: Home) -> None:
    """With new firmware the inverter is opened anew; one broken answer is none."""
    reader = await home.open()
    known = reader.data.info.firmware
    assert known is not None
    for version in ("0004.0024.0001", known, "", "0004.0024.0001"):
        home.put(40044, *text(version, 8))
        await home.poll(10)
        assert not reader.changed
    await home.poll(10)
    assert reader.changed


async def test_back_and_slow(connect: Connect) -> None:
    """An inverter that was silent and answers late then is read again, all parts of it."""
    config = HomeConfig(battery=BatteryConfig(), chargers=(), speed=0)
    home, unit = await connect(config)
    timings = ReaderTimings(patience=0.05, rest=0.2, answer=0.25, again=0.03, longest=0.4)
    loop = asyncio.get_running_loop()
    reader = await SolarEdgeReader.async_open(unit, timings=timings, clock=loop.time)
    home.inverter.faults.silent = True
    for _ in range(2):
        with pytest.raises(InverterUnreachableError):
            await reader.async_poll()
    home.inverter.faults.silent = False
    home.inverter.faults.slow_s = 0.06
    back = loop.time()
    while loop.time() < back + 6:
        data = await reader.async_poll()
        parts = (data.grid, data.pv, data.battery)
        if all(part is not None and part.at > back for part in parts):
            return
    pytest.fail("a part did not come back")


async def test_two_batteries() -> None:
    """Two batteries count as one; while one of them is silent nobody knows their sum, nor what the roof makes."""
    home = await made(meters=(GRID,))
    first = home.unit.holding
    home.unit.holding.update({at + 256: first[at] for at in range(57600, 57736)})
    reader = await home.open()
    battery, pv = reader.data.battery, reader.data.pv
    assert battery is not None
    assert pv is not None
    assert battery.power_w == pytest.approx(-2000, abs=20)
    assert battery.state_of_charge == pytest.approx(50, abs=1)
    home.silence(BATTERY + 256)
    for passed in (10, 2, 10):
        await home.poll(passed)
    assert reader.silent == {"battery 2"}
    assert (reader.data.battery, reader.data.pv) == (battery, pv)
    home.silence(BATTERY + 256, ends=True)
    await home.poll(40)
    await home.poll(10)
    assert reader.data.battery is not None
    assert reader.data.battery.at == home.clock.now


async def test_what_meters_say() -> None:
    """An only meter without a role is the grid's, and of two such nobody knows; a name may be cut off."""
    reader = await (await made(meters=("",))).open()
    assert reader.has_grid_meter
    reader = await (await made(meters=("External Product", GRID))).open()
    assert [meter.role for meter in reader.other_meters] == [MeterRole.EXTERNAL_PRODUCTION]
    reader = await (await made(meters=("", ""))).open()
    assert not reader.has_grid_meter
    assert [meter.role for meter in reader.other_meters] == [MeterRole.UNKNOWN, MeterRole.UNKNOWN]


async def test_charger(home: Home) -> None:
    """A SolarEdge charger looks like an inverter but for its name."""
    home.put(40020, *text("SE-EV-SA-US-40P", 16))
    with pytest.raises(EvChargerError):
        await home.open()
