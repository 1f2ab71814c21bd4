"""What counts and tells may fail: the chargers are controlled all the same."""

from typing import Any

import pytest

from custom_components.pv_load_manager.coordinators.distribution import Distribution
from custom_components.pv_load_manager.coordinators.issues import ConfigIssues
from custom_components.pv_load_manager.coordinators.sessions import ChargerSessions
from custom_components.pv_load_manager.coordinators.tally import ChargerTally
from simulator import ChargerConfig

from .conftest import QUICK_CAR, BuildSite, sunny
from .site import eventually


def fail(*_args: Any, **_more: Any) -> None:
    """Fail as nobody expects."""
    raise RuntimeError("a fault of its own")


def faults(caplog: pytest.LogCaptureFixture) -> int:
    """Return how often that is in the log."""
    return sum(bool(record.exc_info) and "a fault of its own" in str(record.exc_info) for record in caplog.records)


FAULTS = {
    "sessions": (ChargerSessions, "heard"),
    "tally": (ChargerTally, "look"),
    "repairs": (ConfigIssues, "check"),
    "log": (Distribution, "follow"),
}


@pytest.mark.parametrize("what", FAULTS)
async def test_off_works(
    build_site: BuildSite, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """Off stops every car, the fault is in the log once, and what it was is over when it is."""
    one, two = (ChargerConfig(serial=serial, car=QUICK_CAR) for serial in ("10000001", "10000002"))
    site = await build_site(sunny(one, two))
    chargers, manager = (site.charger_entry(0), site.charger_entry(1)), site.manager_entry()
    await site.set_up(site.inverter_entry(), *chargers, manager)
    await site.select(manager, "fast")
    cars = [charger.charger for charger in site.home.chargers]
    await eventually(lambda: all(car.power_w > 3000 for car in cars))
    caplog.clear()
    with monkeypatch.context() as broken:
        broken.setattr(*FAULTS[what], fail)
        await site.select(manager, "off")
        await eventually(lambda: all(car.power_w == 0 for car in cars))
        await eventually(lambda: faults(caplog) > 0)  # the car has stopped before its charger says so
        assert faults(caplog) <= len(chargers)
    await site.select(manager, "fast")
    await eventually(lambda: all(car.power_w > 3000 for car in cars))
    await eventually(lambda: chargers[0].runtime_data.tally.given.energy_wh > 0)
