"""The simulated inverter read by clients that others wrote."""

import asyncio
from typing import Any

from modbus_connection import ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection
import pytest
from solaredged import SolarEdge, SunSpecDID
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from simulator import BatteryConfig, HomeConfig, HouseConfig, InverterConfig, PvConfig, Simulation, running_home

GRID, PV = "Export+Import", "Production"


def home(battery: BatteryConfig | None = None, **inverter: Any) -> HomeConfig:
    """Describe a sunny home without cars in which time stands still."""
    return HomeConfig(
        pv=PvConfig(constant_w=6000),
        house=HouseConfig(constant_w=900),
        battery=battery,
        inverter=InverterConfig(**inverter),
        chargers=(),
        speed=0,
    )


async def probed(simulation: Simulation, unit_id: int = 1) -> SolarEdge:
    """Return the inverter as the library of Home Assistant's own integration sees it."""
    connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=simulation.inverter.port))
    try:
        device = await SolarEdge.async_probe(connection.for_unit(unit_id))
        report = await device.async_update_readings()
        assert report.complete, report.failed
    finally:
        await connection.close()
    return device


@pytest.mark.parametrize(("synergy_units", "base"), [(0, 0), (2, 50), (3, 70)])
async def test_synergy(synergy_units: int, base: int) -> None:
    """Model 160 of a Synergy inverter moves the meters up; the values stay the same."""
    async with running_home(home(synergy_units=synergy_units, meters=(PV, GRID))) as simulation:
        await simulation.advance(30)
        device = await probed(simulation)
        assert (device.mmppt is not None) is (synergy_units > 0)
        production, grid = device.meters
        assert (production.option, grid.option) == (PV, GRID)
        assert production.ac_power == pytest.approx(simulation.home.flow.inverter_w, abs=5)
        assert grid.ac_power == pytest.approx(-simulation.home.flow.grid_w, abs=5)
        words = await read_raw(simulation, 40188 + base, 2)
        assert words == [SunSpecDID.THREE_PHASE_WYE_METER, 105]


async def read_raw(simulation: Simulation, address: int, count: int) -> list[int]:
    """Read registers with no library in between that knows inverters."""
    connection = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=simulation.inverter.port))
    try:
        return list(await connection.for_unit(1).read_holding_registers(address, count))
    finally:
        await connection.close()


async def test_followers() -> None:
    """Inverters behind the same port share what the roof gives; the battery and the meter are the leader's."""
    config = home(BatteryConfig(soc=0.5, max_charge_w=1000), followers=("7E000002", "7E000003"))
    async with running_home(config) as simulation:
        await simulation.advance(30)
        found = [await probed(simulation, unit_id) for unit_id in (1, 2, 3)]
        assert [device.common.serial_number for device in found] == ["7E000001", "7E000002", "7E000003"]
        assert [(len(device.meters), len(device.batteries)) for device in found] == [(1, 1), (0, 0), (0, 0)]
        made = [device.inverter.ac_power or 0.0 for device in found]
        assert made == pytest.approx([1000, 2000, 2000], abs=60)
        assert sum(made) == pytest.approx(simulation.home.flow.inverter_w, abs=5)


async def test_sunspec() -> None:
    """The SunSpec Alliance's client walks the chain: common, three-phase inverter, the meter's common and its model."""
    async with running_home(home()) as simulation:
        await simulation.advance(30)
        device = await asyncio.to_thread(scanned, simulation.inverter.port)
        flow = simulation.home.flow
        assert [model.model_id for model in device.model_list] == [1, 103, 1, 203]
        assert device.models[1][0].SN.cvalue == "7E000001"
        assert device.models[103][0].W.cvalue == pytest.approx(flow.inverter_w, abs=5)
        meter = device.models[203][0]
        assert meter.W.cvalue == pytest.approx(-flow.grid_w, abs=5)
        for point, watts in zip((meter.WphA, meter.WphB, meter.WphC), flow.grid, strict=True):
            assert point.cvalue == pytest.approx(-watts, abs=5)


def scanned(port: int) -> Any:
    """Return the device with all its models read; it blocks."""
    device = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=3.0)
    try:
        device.scan()
    finally:
        device.close()
    return device
