"""Registers of real inverters, as their owners reported them."""

import pytest

from custom_components.pv_load_manager.solaredge import EvChargerError, SolarEdgeReader

from .conftest import SERIAL, LoadDump

GRID = "Export+Import"
PV = "Production"


async def test_import(load_dump: LoadDump) -> None:
    """The grid meter of issue 565 says -12246 W while the house imports 12246 W; it is the second meter."""
    reader = await SolarEdgeReader.async_open(load_dump("issue565_u1", PV, GRID))
    assert reader.data.info.serial == SERIAL
    assert reader.data.info.meters == 2
    assert reader.data.grid is not None
    assert reader.data.grid.power_w == 12246
    assert reader.grid_meter_has_phases
    assert reader.data.pv is not None
    assert reader.data.pv.power_w == pytest.approx(184, abs=1)
    assert not reader.has_battery


async def test_export(load_dump: LoadDump) -> None:
    """The grid meter of issue 944 says +28.2 W while the house exports; its two batteries discharge 66 W each."""
    reader = await SolarEdgeReader.async_open(load_dump("issue944_u1", GRID))
    grid, battery, pv = reader.data.grid, reader.data.battery, reader.data.pv
    assert grid is not None
    assert battery is not None
    assert pv is not None
    assert grid.power_w == pytest.approx(-28.2, abs=0.05)
    assert battery.power_w == 132
    assert battery.state_of_charge == pytest.approx(95.2, abs=0.1)
    assert pv.power_w == pytest.approx(260.46 - 132, abs=0.1)


async def test_battery_charges_from_the_grid(load_dump: LoadDump) -> None:
    """The battery of issue 827 charges with 5002 W from AC: that is no production."""
    reader = await SolarEdgeReader.async_open(load_dump("issue827_u1", "Consumption", PV, GRID))
    grid, battery, pv = reader.data.grid, reader.data.battery, reader.data.pv
    assert battery is not None
    assert pv is not None
    assert grid is not None
    assert battery.power_w == -5002
    assert battery.state_of_charge == pytest.approx(66.7, abs=0.1)
    assert pv.power_w == pytest.approx(0, abs=1)
    assert pv.status == "off"
    assert grid.power_w == pytest.approx(-2739.7, abs=0.1)


@pytest.mark.parametrize(
    ("options", "power_w"),
    [
        ((GRID, PV), -595.1),
        ((PV, GRID), 50.83),
        ((PV, "Export + Import"), 50.83),
        (("Import+Export", PV), -595.1),
        (("Consumption", PV), None),
        ((), None),
    ],
)
async def test_choice_of_the_grid_meter(load_dump: LoadDump, options: tuple[str, ...], power_w: float | None) -> None:
    """The grid meter is the one whose option names both directions; without one there is none."""
    reader = await SolarEdgeReader.async_open(load_dump("issue929_u1", *options))
    assert reader.has_grid_meter is (power_w is not None)
    if power_w is not None:
        assert reader.data.grid is not None
        assert reader.data.grid.power_w == pytest.approx(power_w, abs=0.05)


async def test_only_meter_without_a_role(load_dump: LoadDump) -> None:
    """An only meter that does not name its role is the grid's; an idle battery shows 0 W and not -0."""
    reader = await SolarEdgeReader.async_open(load_dump("issue913_u1"))
    grid, battery, pv = reader.data.grid, reader.data.battery, reader.data.pv
    assert grid is not None
    assert battery is not None
    assert pv is not None
    assert grid.power_w == -5279
    assert pv.power_w == 9635
    assert str(battery.power_w) == "0.0"


async def test_only_meter_with_another_role(load_dump: LoadDump) -> None:
    """An only meter that counts production is not taken for the grid's."""
    reader = await SolarEdgeReader.async_open(load_dump("issue913_u1", PV))
    assert not reader.has_grid_meter
    assert reader.data.grid is None
    assert await reader.async_read_grid() is reader.data


async def test_without_meter(load_dump: LoadDump) -> None:
    """An inverter without a meter and battery still tells its production."""
    reader = await SolarEdgeReader.async_open(load_dump("se17k_3phase"))
    assert not reader.has_grid_meter
    assert not reader.grid_meter_has_phases
    assert reader.data.info.model == "SE17K-RW0T0BNN4"
    assert reader.data.info.firmware == "0004.0021.0023"
    assert reader.data.pv is not None
    assert (reader.data.pv.power_w, reader.data.pv.status) == (865, "producing")


async def test_ev_charger(load_dump: LoadDump) -> None:
    """A SolarEdge charger is told from an inverter."""
    with pytest.raises(EvChargerError):
        await SolarEdgeReader.async_open(load_dump("issue565_u3"))


@pytest.mark.parametrize("name", ["issue565_u1", "issue755_u1", "issue827_u2", "issue929_u1"])
async def test_every_dump_can_be_polled(load_dump: LoadDump, name: str) -> None:
    """Every recorded inverter can be opened and polled again."""
    reader = await SolarEdgeReader.async_open(load_dump(name), serial=SERIAL)
    await reader.async_read_grid()
    data = await reader.async_read_slow()
    assert data.pv is not None
    assert data.pv.power_w is not None
    assert data.pv.power_w >= 0
