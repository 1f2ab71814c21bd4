"""The Modbus side of the SolarEdge inverter."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path

from modbus_connection import (
    IllegalDataAddressError,
    ModbusConnectionError,
    ModbusTcpParams,
    ModbusTimeoutError,
    ModbusUnit,
    ServerDeviceFailureError,
)
from modbus_connection.tmodbus import ModbusConnection
import pytest
from solaredged import SolarEdge
from solaredged.const import BatteryStatus, InverterStatus, StorageControlMode, SunSpecDID

from simulator import (
    BatteryConfig,
    ChargerConfig,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PvConfig,
    Simulation,
    running_home,
)

_CONFIG = HomeConfig(
    pv=PvConfig(constant_w=7000), battery=BatteryConfig(), chargers=(ChargerConfig(mode=3, amp=6),), speed=0
)


async def _unit(simulation: Simulation, patience_s: float = 3.0) -> ModbusUnit:
    params = ModbusTcpParams(host="127.0.0.1", port=simulation.inverter.port)
    unit = ModbusConnection(params).for_unit(1)
    unit.require_timeout(patience_s)
    return unit


@pytest.fixture(name="simulation")
async def simulation_fixture() -> AsyncIterator[Simulation]:
    """Run a home with a battery and a charging car."""
    async with running_home(_CONFIG) as simulation:
        await simulation.advance(20)
        yield simulation


@pytest.fixture(name="unit")
async def unit_fixture(simulation: Simulation) -> AsyncIterator[ModbusUnit]:
    """Hold the one connection to the inverter."""
    connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=simulation.inverter.port))
    yield connection.for_unit(1)
    await connection.close()


async def test_foreign_client_reads(simulation: Simulation, unit: ModbusUnit) -> None:
    """The library of Home Assistant's own integration finds every block and reads what the home plays."""
    device = await SolarEdge.async_probe(unit)
    assert device.unresponsive_blocks == frozenset()
    assert simulation.inverter.reads < 25
    report = await device.async_update()
    assert report.complete
    flow, battery = simulation.home.flow, simulation.home.battery
    assert battery is not None
    assert device.common.manufacturer == "SolarEdge"
    assert device.common.serial_number == "7E000001"
    assert device.inverter.did is SunSpecDID.THREE_PHASE_INVERTER
    assert device.inverter.status is InverterStatus.PRODUCING
    assert device.inverter.on_grid
    assert device.inverter.ac_power == pytest.approx(flow.inverter_w, abs=0.6)
    assert device.inverter.dc_power == pytest.approx(flow.pv_w + flow.battery_w, abs=0.6)
    assert device.inverter.ac_voltage_an == pytest.approx(flow.voltages[0], abs=0.06)
    assert device.inverter.ac_frequency == pytest.approx(flow.frequency, abs=0.006)
    (meter,) = device.meters
    assert meter.option == "Export+Import"
    assert meter.ac_power == pytest.approx(-flow.grid_w, abs=0.6)
    assert meter.ac_power_a == pytest.approx(-flow.grid[0], abs=0.6)
    assert meter.ac_current_b == pytest.approx(-flow.grid_currents[1], abs=0.006)
    assert meter.ac_voltage_cn == pytest.approx(flow.voltages[2], abs=0.006)
    assert meter.energy_imported == pytest.approx(sum(simulation.home.energies.imported), abs=1)
    (pack,) = device.batteries
    assert pack.dc_power == pytest.approx(-flow.battery_w, abs=0.01)
    assert pack.state_of_energy == pytest.approx(100 * battery.soc, abs=0.01)
    assert pack.rated_energy == battery.config.capacity_wh
    assert device.export_control is not None
    assert device.export_control.site_limit is None


async def test_signs(simulation: Simulation, unit: ModbusUnit) -> None:
    """On the wire export is positive and charging is positive."""
    device = await SolarEdge.async_probe(unit)
    home = simulation.home
    home.pv_override_w, home.house_override = 10_000.0, (100.0, 100.0, 100.0)
    await simulation.advance(20)
    await device.async_update_readings()
    exported = device.meters[0].ac_power
    assert exported is not None
    assert exported > 0
    assert device.batteries[0].status is BatteryStatus.CHARGE
    assert (device.batteries[0].dc_power or 0) > 0
    assert (device.batteries[0].dc_current or 0) < 0
    home.pv_override_w, home.house_override = 0.0, (9000.0, 100.0, 100.0)
    await simulation.advance(20)
    await device.async_update_readings()
    imported, current = device.meters[0].ac_power, device.meters[0].ac_current_a
    assert imported is not None
    assert imported < 0
    assert current is not None
    assert current < 0
    assert device.batteries[0].status is BatteryStatus.DISCHARGE
    assert (device.batteries[0].dc_power or 0) < 0


async def test_night_and_throttling(simulation: Simulation, unit: ModbusUnit) -> None:
    """The status says sleeping without sun and throttled with too much of it."""
    device = await SolarEdge.async_probe(unit)
    home = simulation.home
    assert home.battery is not None
    home.battery.energy_wh = 0
    home.pv_override_w = 0.0
    await simulation.advance(20)
    await device.async_update_readings()
    assert device.inverter.status is InverterStatus.SLEEPING
    home.battery.energy_wh = home.battery.config.capacity_wh
    home.pv_override_w = 20_000.0
    await simulation.advance(20)
    await device.async_update_readings()
    assert device.inverter.status is InverterStatus.THROTTLED
    assert device.inverter.ac_power == pytest.approx(10_000, abs=1)


async def test_several_meters_without_battery() -> None:
    """Up to three meters follow each other; without a battery its block does not exist."""
    inverter = InverterConfig(meters=("Export+Import", "Production", "Consumption"), end_marker=False)
    config = HomeConfig(pv=PvConfig(constant_w=3000), house=HouseConfig(constant_w=900), inverter=inverter, speed=0)
    async with running_home(config) as simulation:
        unit = await _unit(simulation)
        device = await SolarEdge.async_probe(unit)
        await device.async_update_readings()
        assert [meter.option for meter in device.meters] == ["Export+Import", "Production", "Consumption"]
        assert [meter.ac_power for meter in device.meters] == [2100, 3000, -900]
        assert device.batteries == []
        with pytest.raises(IllegalDataAddressError):
            await unit.read_holding_registers(57666, 2)
        await unit.disconnect()


async def test_one_phase() -> None:
    """A home with one phase has model 101 and a meter that does not know the other phases."""
    config = HomeConfig(
        phases=1,
        pv=PvConfig(constant_w=3000),
        house=HouseConfig(constant_w=900),
        chargers=(ChargerConfig(wired_phases=1),),
        speed=0,
    )
    async with running_home(config) as simulation:
        unit = await _unit(simulation)
        device = await SolarEdge.async_probe(unit)
        await device.async_update_readings()
        assert device.inverter.did is SunSpecDID.SINGLE_PHASE_INVERTER
        assert device.inverter.ac_current_b is None
        assert device.inverter.ac_voltage_an == pytest.approx(230, abs=2)
        assert device.meters[0].did is SunSpecDID.SINGLE_PHASE_METER
        assert device.meters[0].ac_power_a == 2100
        assert device.meters[0].ac_power_b is None
        await unit.disconnect()


async def test_same_layout_as_real_inverters(unit: ModbusUnit, data: Path) -> None:
    """Headers, lengths and fixed words are those of a dump, and every dumped register exists."""
    dump = json.loads((data / "solaredge_dumps/se17k_3phase.json").read_text())["holding"]
    real = {int(address): word for address, word in dump.items()}
    for address in (40000, 40001, 40002, 40003, 40068, 40069, 40070, 40095, 40102, 40104, 40107):
        if address in real:
            assert await unit.read_holding_registers(address, 1) == [real[address]]
    metered = json.loads((data / "solaredge_dumps/issue944_u1.json").read_text())["holding"]
    assert await unit.read_holding_registers(40188, 1) == [metered["40188"]]
    second_battery = range(57856, 58112)
    wanted = {address for address in {*real, *map(int, metered)} if address not in second_battery}
    for address in sorted(wanted):
        assert len(await unit.read_holding_registers(address, 1)) == 1
    assert await unit.read_holding_registers(40295, 2) == [0xFFFF, 0]
    for hole in (39999, 40297, 50000, 57736, 61444):
        with pytest.raises(IllegalDataAddressError):
            await unit.read_holding_registers(hole, 1)


async def test_storage_control(simulation: Simulation, unit: ModbusUnit) -> None:
    """In remote control the discharge limit acts on the battery; identity cannot be written."""
    device = await SolarEdge.async_probe(unit)
    await device.async_update_settings()
    assert device.storage_control is not None
    assert device.storage_control.control_mode is StorageControlMode.MAXIMIZE_SELF_CONSUMPTION
    simulation.home.pv_override_w = 0.0
    await device.storage_control.set_control_mode(StorageControlMode.REMOTE_CONTROL)
    await device.storage_control.set_discharge_limit(1000)
    await simulation.advance(20)
    assert simulation.home.flow.battery_w == pytest.approx(1000)
    assert [write.address for write in simulation.inverter.writes] == [57348, 57360]
    await device.async_update_settings()
    assert device.storage_control.discharge_limit == 1000
    with pytest.raises(IllegalDataAddressError):
        await unit.write_register(40004, 1)


async def test_one_client_at_a_time(simulation: Simulation, unit: ModbusUnit) -> None:
    """A second connection is closed at once, the first one does not notice; then it is free again."""
    await unit.read_holding_registers(40000, 2)
    reader, writer = await asyncio.open_connection("127.0.0.1", simulation.inverter.port)
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()
    assert simulation.inverter.refused == 1
    assert await unit.read_holding_registers(40000, 2) == [0x5375, 0x6E53]


async def test_idle_connection_is_closed() -> None:
    """Who asks nothing is disconnected; who asks stays."""
    config = HomeConfig(chargers=(), inverter=InverterConfig(idle_close_s=0.3), speed=0)
    async with running_home(config) as simulation:
        unit = await _unit(simulation)
        for _ in range(4):
            await unit.read_holding_registers(40000, 2)
            await asyncio.sleep(0.1)
        assert simulation.inverter.connected
        await asyncio.sleep(0.4)
        assert not simulation.inverter.connected
        await unit.read_holding_registers(40000, 2)
        await unit.disconnect()


async def test_fault_blocks(simulation: Simulation) -> None:
    """A block can stay silent, not exist or fail, while the others go on answering."""
    unit = await _unit(simulation, 0.3)
    faults = simulation.inverter.faults
    faults.silent_blocks = [range(40188, 40295)]
    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(40188, 55)
    assert (await unit.read_holding_registers(40069, 2))[0] == 103
    faults.silent_blocks = []
    faults.exception_blocks = [range(57600, 57736)]
    with pytest.raises(IllegalDataAddressError):
        await unit.read_holding_registers(57708, 28)
    faults.exception_blocks = []
    faults.broken_blocks = [range(40188, 40189)]
    with pytest.raises(ServerDeviceFailureError):
        await unit.read_holding_registers(40188, 55)
    await unit.disconnect()


async def test_fault_link(simulation: Simulation) -> None:
    """The whole device can be silent, slow, refuse, drop the link and be off."""
    unit = await _unit(simulation, 0.3)
    server = simulation.inverter
    await unit.read_holding_registers(40000, 2)
    server.faults.silent = True
    with pytest.raises(ModbusTimeoutError):
        await unit.read_holding_registers(40000, 2)
    server.faults.silent = False
    server.faults.slow_s = 0.1
    started = asyncio.get_running_loop().time()
    await unit.read_holding_registers(40000, 2)
    assert asyncio.get_running_loop().time() - started >= 0.09
    server.faults.slow_s = 0.0
    server.faults.refuse = True
    server.drop()
    with pytest.raises(ModbusConnectionError):
        await unit.read_holding_registers(40000, 2)
    server.faults.refuse = False
    await unit.read_holding_registers(40000, 2)
    port = server.port
    await server.stop()
    with pytest.raises(ModbusConnectionError):
        await unit.read_holding_registers(40000, 2)
    await server.start()
    assert server.port == port
    await unit.read_holding_registers(40000, 2)
    await unit.disconnect()


async def test_fault_values(simulation: Simulation, unit: ModbusUnit) -> None:
    """The meter can freeze or lose its measurement, and the inverter can be another one."""
    device = await SolarEdge.async_probe(unit)
    faults = simulation.inverter.faults
    faults.frozen_meter = True
    await device.async_update_readings()
    before = device.meters[0].ac_power
    simulation.home.house_override = (3000.0, 3000.0, 3000.0)
    simulation.home.pv_override_w = 0.0
    await simulation.advance(10)
    await device.async_update_readings()
    assert device.meters[0].ac_power == before
    assert device.inverter.ac_power == pytest.approx(simulation.home.flow.inverter_w, abs=1)
    faults.frozen_meter = False
    await device.async_update_readings()
    assert device.meters[0].ac_power == pytest.approx(-simulation.home.flow.grid_w, abs=1)
    faults.lost_meter = True
    faults.serial = "7E00FFFF"
    await device.async_update_readings()
    assert device.meters[0].ac_power is None
    assert device.common.serial_number == "7E00FFFF"
