"""Everything that can go wrong with an inverter, by name: what Home Assistant shows, logs and does about it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from modbus_connection import ModbusError, ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection
import pytest

from simulator import BatteryConfig

from .conftest import BuildSite
from .faulty import BACK_WITHIN, GONE_WITHIN, SCALE, TOLD_WITHIN, Fault, Faulty, faulty_home, scale_down
from .site import eventually

DROP: Fault = ("drop", {})
METER = [[40188, 107]]

type Charging = Callable[..., Awaitable[Faulty]]


@pytest.fixture(autouse=True)
def _scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    scale_down(monkeypatch)


@pytest.fixture(name="charging")
def charging_fixture(build_site: BuildSite, caplog: pytest.LogCaptureFixture) -> Charging:
    """Return a factory of homes in Home Assistant whose car charges."""

    async def charging(*, mode: str = "fast", battery: bool = False, **settings: Any) -> Faulty:
        config = faulty_home(**settings)
        config = replace(config, battery=BatteryConfig() if battery else None)
        return await Faulty.charging(await build_site(config), caplog, mode=mode)

    return charging


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param((("offline", {}),), id="offline"),
        pytest.param((("refuse", {}), DROP), id="refuse"),
        pytest.param((("restart", {}),), id="restart_after_new_firmware"),
        pytest.param((("silent", {}),), id="half_open"),
        pytest.param((("slow", {"seconds": 15 / SCALE}),), id="slow_15_s"),
        pytest.param((("truncated", {}),), id="truncated_frame"),
        *(pytest.param((("exception", {"code": code}),), id=f"exception_{code}") for code in (1, 2, 4, 6, 10, 11)),
    ],
)
async def test_inverter_falls_silent(charging: Charging, faults: tuple[Fault, ...]) -> None:
    """All is unavailable, the core trusts the meter no more, one line says so; afterwards everything is back."""
    home = await charging()
    await home.breaks(*faults, device="inverter")
    await eventually(lambda: not home.meter_trusted(), within=TOLD_WITHIN)
    await eventually(lambda: not home.meter_available(), within=GONE_WITHIN)
    await eventually(lambda: home.site.value(home.inverter, "pv_power") == "unavailable", within=GONE_WITHIN)
    await asyncio.sleep(0.5)
    assert not home.meter_available()
    assert len(home.log.down()) == 1, home.log.down()
    assert home.log.up() == []
    await home.mends(*faults, device="inverter")
    await _is_back(home)
    assert (len(home.log.down()), len(home.log.up())) == (1, 1), (home.log.down(), home.log.up())
    home.log.check_no_exception()


async def test_connection_is_lost_once(charging: Charging) -> None:
    """A link that breaks is made again at once: nobody notices, and nothing is written about it."""
    home = await charging()
    for _ in range(3):
        await home.breaks(DROP, device="inverter")
        await asyncio.sleep(4 / SCALE)
        assert home.meter_available()
    assert home.told() == "charging_fast"
    assert home.log.down() == []
    await _is_back(home)
    home.log.check_no_exception()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(("silent_blocks", {"blocks": METER}), id="silent_meter"),
        pytest.param(("exception_blocks", {"blocks": METER}), id="hole_instead_of_the_meter"),
        pytest.param(("exception", {"code": 4, "blocks": METER}), id="broken_meter"),
        pytest.param(("lost_meter", {}), id="lost_meter"),
        *(
            pytest.param(("sentinels", {"value": value, "blocks": [[40190, 105]]}), id=f"meter_of_{value}")
            for value in ("int16", "uint16")
        ),
        pytest.param(("sentinels", {"value": "int16", "blocks": METER}), id="no_meter_at_all"),
    ],
)
async def test_meter_alone_fails(charging: Charging, fault: Fault) -> None:
    """What is still known stays: production is shown, the meter is not, and nobody trusts it."""
    home = await charging()
    await home.breaks(fault, device="inverter")
    await eventually(lambda: not home.meter_trusted(), within=TOLD_WITHIN)
    unknown = {"unavailable", "unknown"}
    await eventually(lambda: home.site.value(home.inverter, "grid_power") in unknown, within=GONE_WITHIN)
    await asyncio.sleep(10 / SCALE)
    assert home.site.number(home.inverter, "pv_power") == pytest.approx(8000, abs=100)
    assert home.site.value(home.inverter, "grid_power") in unknown
    assert len(home.log.down()) <= 1, home.log.down()
    await home.mends(fault, device="inverter")
    await _is_back(home)
    assert len(home.log.down()) == len(home.log.up()), (home.log.down(), home.log.up())
    home.log.check_no_exception()


async def test_figures_that_are_none(charging: Charging) -> None:
    """Sentinels in the registers of inverter and battery are no figures: nothing absurd is shown or acted on."""
    home = await charging(battery=True)
    for value in ("int16", "uint16", "float_max", "float_min", "nan"):
        spoilt = {"value": value, "blocks": [[40071, 30], [57708, 26]]}
        await home.breaks(("sentinels", spoilt), device="inverter")
        await asyncio.sleep(12 / SCALE)
        for key in ("pv_power", "battery_power", "battery_state_of_charge"):
            figure = home.site.number(home.inverter, key)
            assert figure is None or abs(figure) < 20_000, (value, key, figure)
        assert home.meter_available(), value
        assert home.meter_trusted(), value
    await home.mends(("sentinels", {}), device="inverter")
    await _is_back(home)
    home.log.check_no_exception()


async def test_slow_answers(charging: Charging) -> None:
    """Answers that take some seconds are late, not lost: the car charges on within its limits."""
    home = await charging()
    await home.breaks(("slow", {"seconds": [0.5 / SCALE, 2 / SCALE]}), device="inverter")
    await asyncio.sleep(20 / SCALE)
    assert home.meter_available()
    assert home.draws() > 5
    await home.works()
    await home.mends(("slow", {}), device="inverter")
    await _is_back(home)
    assert home.log.down() == []
    home.log.check_no_exception()


async def test_another_inverter_at_the_address(charging: Charging) -> None:
    """The meter of another inverter is never taken for the own one; the user is offered to add it, once."""
    home = await charging()
    await home.breaks(("identity", {"serial": "7E009999"}), DROP, device="inverter")
    await eventually(lambda: not home.meter_trusted(), within=TOLD_WITHIN)
    await eventually(lambda: not home.meter_available(), within=GONE_WITHIN)
    at = home.site.hass.data["pv_load_manager"].inverters["7E000001"].grid_reading().at
    await eventually(home.flows)
    await asyncio.sleep(1)
    assert home.site.hass.data["pv_load_manager"].inverters["7E000001"].grid_reading().at == at
    assert len(home.log.down()) == 1, home.log.down()
    (flow,) = home.flows()
    assert flow["step_id"] == "solaredge_confirm"
    await home.mends(("identity", {}), device="inverter")
    await _is_back(home)
    assert (len(home.log.down()), len(home.log.up())) == (1, 1)
    home.log.check_no_exception()


async def test_meter_the_wrong_way_round(charging: Charging) -> None:
    """A meter that begins to count the wrong way round does no harm to the fuse, and is right again afterwards."""
    home = await charging()
    await home.breaks(("sign_flip", {}), device="inverter")
    await eventually(lambda: _differs(home))
    assert home.meter_available()
    limit = 35
    await asyncio.sleep(1)
    assert max(home.site.home.home.flow.grid_currents) < limit
    assert home.log.down() == []
    await home.mends(("sign_flip", {}), device="inverter")
    await _is_back(home)
    home.log.check_no_exception()


async def test_meter_is_stuck(charging: Charging) -> None:
    """A meter that repeats itself is answered like any other, and is right again afterwards."""
    home = await charging()
    await home.breaks(("frozen_meter", {}), device="inverter")
    await asyncio.sleep(20 / SCALE)
    assert home.meter_available()
    assert home.draws() > 5
    await home.mends(("frozen_meter", {}), device="inverter")
    await _is_back(home)
    assert home.log.down() == []
    home.log.check_no_exception()


async def test_somebody_else_at_the_inverter(charging: Charging) -> None:
    """An inverter serves one client: another one is turned away again and again, and ours goes on."""
    home = await charging()
    inverter = home.site.home.inverter
    stranger = ModbusConnection(ModbusTcpParams(host="127.0.0.1", port=inverter.port))
    unit = stranger.for_unit(1)
    unit.require_timeout(0.3)
    for _ in range(3):
        with pytest.raises(ModbusError):
            await unit.read_holding_registers(40000, 2)
    await stranger.disconnect()
    assert inverter.refused >= 3
    assert home.log.down() == []
    await _is_back(home)
    home.log.check_no_exception()


def _differs(home: Faulty) -> bool:
    """Return whether the shown grid power is not the real one."""
    shown = home.site.number(home.inverter, "grid_power")
    return shown is not None and abs(shown - home.site.home.home.flow.grid_w) > 1000


async def _is_back(home: Faulty) -> None:
    """Check that the meter is right, and that the car charges and can be commanded."""
    await eventually(home.meter_available, within=BACK_WITHIN)
    await eventually(home.meter_trusted, within=BACK_WITHIN)
    await home.works()
    await eventually(lambda: not _differs(home), within=BACK_WITHIN)
    await eventually(lambda: home.site.number(home.inverter, "pv_power") == pytest.approx(8000, abs=100))
