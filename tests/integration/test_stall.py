"""Cars that do not go on after a switch of phases."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.pv_load_manager.coordinators.pacing import HOLD
from custom_components.pv_load_manager.coordinators.stall import StallTimings, StallWatch
from custom_components.pv_load_manager.wattpilot import WattpilotStatus, Write
from simulator import CarConfig, ChargerConfig

from .conftest import OURS, BuildSite, sunny
from .site import eventually

WANTED = (Write("frc", 0),)
CHARGES: dict[str, Any] = {"car": 2, "psm": 2, "modelStatus": 15, "alw": True, "frc": 0, "su": False}


class Charger:
    """A charger that says something, and who watches it."""

    def __init__(self, **status: Any) -> None:
        self.now = 0.0
        self.watch = StallWatch(StallTimings())
        self.said = CHARGES | status
        self.says()

    def says(self, after: float = 0.0, **status: Any) -> None:
        """Let it say something after some seconds."""
        self.now += after
        self.said |= status
        self.watch.heard(self.status, self.now)

    @property
    def status(self) -> WattpilotStatus:
        """Return all that it says."""
        return WattpilotStatus.of(self.said)

    def stalls(self, after: float, *, charge: bool = True) -> bool:
        """Return whether its car has to be woken after some seconds."""
        self.says(after)
        return self.watch.stalls(self.status, self.now, charge=charge)

    def writes(self, after: float = 0.0) -> tuple[Write, ...]:
        """Return what is to be written after some seconds."""
        self.says(after)
        return self.watch.writes(WANTED, self.status, self.now)

    def switch(self, psm: int, car: int) -> None:
        """Switch the phases of a charging car, which then does something."""
        self.says(60, car=2)
        self.says(1, psm=psm)
        self.says(1, modelStatus=23, car=3)
        self.says(10, modelStatus=15, car=car)


def test_wakes_a_stalled_car() -> None:
    """It is held for a moment while it is to seem unplugged; then everything is as before."""
    charger = Charger()
    charger.switch(1, car=4)
    assert not charger.stalls(30)
    assert charger.writes() == WANTED
    assert charger.stalls(20)
    assert not charger.stalls(0)
    assert charger.writes() == (Write("su", value=True), HOLD)
    charger.says(1, su=True, frc=1, alw=False)
    assert charger.writes() == ()
    assert charger.writes(6) == WANTED
    charger.says(2, car=2, frc=0, alw=True)
    assert charger.writes() == WANTED
    assert charger.writes(25) == (*WANTED, Write("su", value=False))
    charger.says(1, su=False)
    assert charger.writes() == WANTED
    assert charger.writes(600) == WANTED


def test_home_assistant_stops_meanwhile() -> None:
    """What was set for the car only is taken back, and nothing that somebody else had set."""
    charger = Charger()
    assert charger.watch.left() == ()
    charger.switch(1, car=4)
    assert charger.stalls(50)
    assert charger.watch.left() == (Write("su", value=False),)
    charger.says(1, su=True, frc=1, alw=False)
    assert charger.writes(40) == (*WANTED, Write("su", value=False))
    charger.says(1, su=False)
    charger.writes()
    assert charger.watch.left() == ()
    owners = Charger(su=True)
    owners.switch(1, car=4)
    assert owners.stalls(50)
    assert owners.watch.left() == ()


@pytest.mark.parametrize("su", [None, True])
def test_where_unplugging_cannot_be_simulated(su: bool | None) -> None:
    """A charger without the key is held only, and one whose owner has set it keeps it."""
    charger = Charger(su=su)
    if su is None:
        del charger.said["su"]
    charger.switch(1, car=3)
    assert charger.stalls(50)
    assert charger.writes() == (HOLD,)
    charger.says(1, frc=1)
    assert charger.writes(6) == WANTED
    charger.says(1, frc=0)
    assert charger.writes(60) == WANTED


def test_no_stall() -> None:
    """A car that goes on, that shall not charge, that is gone, or that did not charge before is left alone."""
    charger = Charger()
    charger.switch(1, car=2)
    assert not charger.stalls(100)
    charger.switch(2, car=4)
    assert not charger.stalls(50, charge=False)
    assert not charger.stalls(50)
    charger.switch(1, car=3)
    charger.says(1, car=1)
    assert not charger.stalls(100)
    idle = Charger(car=4)
    idle.says(1, psm=1)
    assert not idle.stalls(100)


def test_twice_per_car() -> None:
    """A car that stalls again and again is full, or wants to be left alone; the next one is another one."""
    charger = Charger()
    for psm, stalls in ((1, True), (2, True), (1, False)):
        charger.switch(psm, car=4)
        assert charger.stalls(50) is stalls
        charger.writes(60)
    charger.says(1, car=1)
    charger.switch(2, car=4)
    assert charger.stalls(50)


async def test_stop_while_it_is_woken(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops Home Assistant then finds a charger that is set as it was."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.STALL", StallTimings(stalled=1.0, hold=2.0, wake=60.0))
    car = CarConfig(start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0, stalls_after_switch=True)
    site = await build_site(sunny(ChargerConfig(car=car), speed=10.0))
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 10_000)
    await site.turn(manager, "external_phases", on=True)
    await site.select(manager, "1", key="phase_request")
    await eventually(lambda: ("su", True) in site.written())
    await site.hass.async_stop()
    assert [value for key, value in site.written() if key == "su"] == [True, False]


async def test_car_goes_on(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A car that takes the switch for the end of the charge is woken, and that is told."""
    monkeypatch.setattr(f"{OURS}.coordinators.wattpilot.STALL", StallTimings(stalled=1.0, hold=0.4, wake=1.0))
    car = CarConfig(start_delay_s=1.0, ramp_up=16.0, ramp_down=64.0, stalls_after_switch=True)
    site = await build_site(sunny(ChargerConfig(car=car), speed=10.0))
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    real = site.home.chargers[0].charger
    await eventually(lambda: real.power_w > 10_000)
    events = async_capture_events(site.hass, "state_changed")
    await site.turn(manager, "external_phases", on=True)
    await site.select(manager, "1", key="phase_request")
    await eventually(lambda: real.contactor_phases == 1 and real.car is not None and real.car.stalled)
    await eventually(lambda: 1000 < real.power_w < 4000)
    told = [event.data["new_state"] for event in events if event.data["entity_id"] == "event.garage_charging"]
    assert "car_woken" in {state.attributes.get("event_type") for state in told if state}
    writes = site.written()
    assert writes.index(("su", True)) < len(writes) - 1 - writes[::-1].index(("frc", 0))
    await eventually(lambda: ("su", False) in site.written())
    assert site.value(charger, "state") == "charging"
