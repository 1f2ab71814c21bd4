"""Registers of real inverters, as their owners reported them."""

from pathlib import Path

import pytest

from custom_components.pv_load_manager.solaredge import EvChargerError, MeterRole, SolarEdgeReader

from .conftest import SERIAL, LoadDump

GRID = "Export+Import"
PV = "Production"
EXTERNAL = "External Production"


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
    assert (grid.imported_wh, grid.exported_wh) == (1629581, 443434)
    assert battery.power_w == 132
    assert battery.state_of_charge == pytest.approx(95.2, abs=0.1)
    assert pv.power_w == pytest.approx(260.46 - 132, abs=0.1)


async def test_battery_charges_from_the_grid(load_dump: LoadDump) -> None:
    """The battery of issue 827 charges with 5002 W from AC: that is no production.

    Its house has other inverters behind two meters that hardly ever imported, and a meter at the house connection.
    """
    reader = await SolarEdgeReader.async_open(load_dump("issue827_u1", EXTERNAL, GRID, EXTERNAL))
    grid, battery, pv = reader.data.grid, reader.data.battery, reader.data.pv
    assert battery is not None
    assert pv is not None
    assert grid is not None
    assert battery.power_w == -5002
    assert battery.state_of_charge == pytest.approx(66.7, abs=0.1)
    assert pv.power_w == pytest.approx(0, abs=1)
    assert (pv.status, pv.energy_wh) == ("off", 2836303)
    assert grid.power_w == pytest.approx(-2471.3, abs=0.1)
    assert (grid.imported_wh, grid.exported_wh) == (11189440, 3089364)
    assert [(meter.slot, meter.role) for meter in reader.other_meters] == [
        (1, MeterRole.EXTERNAL_PRODUCTION),
        (3, MeterRole.EXTERNAL_PRODUCTION),
    ]
    assert [meter.power_w for meter in reader.data.meters.values()] == [3484, pytest.approx(2739.7)]


async def test_follower(load_dump: LoadDump) -> None:
    """The second inverter of issue 827 has no meter and no battery, and makes 3173 W."""
    reader = await SolarEdgeReader.async_open(load_dump("issue827_u2"))
    data = reader.data
    assert data.info.model == "SE4K-RWBTEBEN4"
    assert (data.info.meters, data.info.batteries) == (0, 0)
    assert data.pv is not None
    assert (data.pv.power_w, data.pv.energy_wh, data.pv.status) == (3173, 2867304, "producing")
    assert data.battery is None


@pytest.mark.parametrize(("name", "seen_w", "made_w"), [("issue565_u1", 178.85, 183.98), ("issue929_u1", 595.1, 587.9)])
async def test_production_meter(load_dump: LoadDump, name: str, seen_w: float, made_w: float) -> None:
    """A meter for production sees the inverter's own output once more: power and lifetime energy agree within 3 %."""
    reader = await SolarEdgeReader.async_open(load_dump(name, PV, GRID))
    pv, meter = reader.data.pv, reader.data.meters[1]
    assert pv is not None
    assert reader.other_meters[0].role is MeterRole.PRODUCTION
    assert (meter.power_w, pv.power_w) == (pytest.approx(seen_w, abs=0.01), pytest.approx(made_w, abs=0.01))
    assert meter.exported_wh == pytest.approx(pv.energy_wh, rel=0.01)


async def test_night_draw(load_dump: LoadDump) -> None:
    """The inverter of issue 755 draws 38 W itself while its battery keeps its charge: nothing is made."""
    reader = await SolarEdgeReader.async_open(load_dump("issue755_u1"))
    battery, pv = reader.data.battery, reader.data.pv
    assert battery is not None
    assert pv is not None
    assert (battery.power_w, battery.state_of_charge) == (0, 16)
    assert (pv.power_w, pv.energy_wh) == (0, 7149045)
    assert not reader.has_grid_meter


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
    assert reader.grid_meter_has_phases  # behind an inverter with one phase
    assert battery.state_of_charge == pytest.approx(99.58, abs=0.01)
    assert pv.power_w == 9635
    assert str(battery.power_w) == "0.0"


async def test_only_meter_with_another_role(load_dump: LoadDump) -> None:
    """An only meter that counts production is not taken for the grid's."""
    reader = await SolarEdgeReader.async_open(load_dump("issue913_u1", PV))
    assert not reader.has_grid_meter
    assert reader.data.grid is None
    assert await reader.async_poll() is reader.data


async def test_without_meter(load_dump: LoadDump) -> None:
    """An inverter without a meter and battery still tells its production."""
    reader = await SolarEdgeReader.async_open(load_dump("se17k_3phase"))
    assert not reader.has_grid_meter
    assert not reader.grid_meter_has_phases
    assert reader.data.info.model == "SE17K-RW0T0BNN4"
    assert reader.data.info.firmware == "0004.0021.0023"
    assert reader.data.pv is not None
    assert (reader.data.pv.power_w, reader.data.pv.status) == (865, "producing")
    assert reader.data.pv.energy_wh == 43934840


async def test_ev_charger(load_dump: LoadDump) -> None:
    """A SolarEdge charger is told from an inverter."""
    with pytest.raises(EvChargerError):
        await SolarEdgeReader.async_open(load_dump("issue565_u3"))


def names(folder: Path) -> set[str]:
    """Return the names of all recorded inverters."""
    return {path.stem for path in (folder / "solaredge_dumps").glob("*.json")}


async def test_every_dump_can_be_polled(load_dump: LoadDump, recorded_data: Path) -> None:
    """Every recorded inverter but the charger can be opened and polled again, and none was forgotten here."""
    found = names(recorded_data)
    if not found:
        pytest.skip("the recorded registers are not here: set PVLM_DATA")
    assert len(found) == 9
    for name in found - {"issue565_u3"}:
        now = [100.0]
        reader = await SolarEdgeReader.async_open(load_dump(name), serial=SERIAL, clock=lambda now=now: now[0])
        now[0] = 120.0
        data = await reader.async_poll()
        assert data.pv is not None, name
        assert data.pv.at == 120, name
        assert data.pv.power_w is not None, name
        assert data.pv.power_w >= 0, name
        assert not reader.silent, name
