"""Whether a change of a charger's values is somebody's wish or an echo of what was written."""

from typing import Any

import pytest

from custom_components.pv_load_manager.control import HIGHEST_CURRENT, Override, OverrideSource
from custom_components.pv_load_manager.coordinators.app import AppTimings, AppWatch, Wish
from custom_components.pv_load_manager.wattpilot import WattpilotStatus, Write

STOPPED = Override(current_a=0, source=OverrideSource.APP)
NOTHING = None


class Charger:
    """What a charger with a plugged car says, second by second."""

    def __init__(self, **values: Any) -> None:
        self.values = {"amp": 16, "frc": 0, "car": 2, "ama": 32, "rbt": 10**8} | values
        self.watch = AppWatch(AppTimings())
        self.watch.adopt(self.status(), 0)

    def status(self) -> WattpilotStatus:
        """Return what it reports."""
        return WattpilotStatus.of(self.values)

    def says(
        self,
        now: float,
        *,
        charge: bool = True,
        in_charge: bool = True,
        override: Override | None = None,
        **values: Any,
    ) -> Wish | None:
        """Let it report other values and return what somebody wants by them."""
        self.values |= values
        return self.watch.heard(self.status(), now, in_charge=in_charge, charge=charge, override=override)

    def write(self, now: float, key: str, value: int) -> None:
        """Write to it; it says so when it is asked to."""
        self.watch.sent(Write(key, value), now)


def amps(current_a: int) -> Wish:
    """Return the wish of a current."""
    return Wish(key="amp", current_a=current_a)


def force(current_a: int | None) -> Wish:
    """Return the wish of a force state."""
    return Wish(key="frc", current_a=current_a)


@pytest.mark.parametrize(
    ("values", "wish"),
    [
        ({"amp": 10}, amps(10)),
        ({"amp": 32}, amps(32)),
        ({"frc": 1}, force(0)),
        ({"frc": 2}, force(HIGHEST_CURRENT)),
        ({"frc": 1, "amp": 10}, force(0)),
        ({"psm": 1, "lmo": 4, "fup": True}, NOTHING),
        ({"amp": 5}, NOTHING),
        ({"amp": 40}, NOTHING),
        ({"amp": None}, NOTHING),
        ({"amp": "x", "frc": []}, NOTHING),
    ],
)
def test_change_by_somebody_else(values: dict[str, Any], wish: Wish | None) -> None:
    """Another current, a stop and a forced start are wishes; what is no current and what else changes is none."""
    charger = Charger()
    assert charger.says(1) is None
    assert charger.says(2, **values) == wish
    assert charger.says(3) is None


def test_several_wishes() -> None:
    """Every change counts, also one back to where it came from."""
    charger = Charger()
    assert charger.says(1, amp=10) == amps(10)
    assert charger.says(2, amp=16) == amps(16)
    assert charger.says(3, amp=10) == amps(10)


def test_own_write() -> None:
    """The echo of a write is no wish, whenever it comes; it counts once."""
    charger = Charger()
    charger.write(1, "amp", 10)
    assert charger.says(2) is None
    assert charger.says(40, amp=10) is None
    assert charger.says(50, amp=12) == amps(12)
    assert charger.says(60, amp=10) == amps(10)


def test_late_frame() -> None:
    """A frame that was on its way when a write was answered tells the old value once more."""
    charger = Charger()
    charger.write(1, "amp", 10)
    assert charger.says(1.1, amp=10) is None
    assert charger.says(1.2, amp=16) is None
    assert charger.says(1.3, amp=10) is None
    assert charger.says(5, amp=16) == amps(16)


def test_superseded_write() -> None:
    """A write is known again that shows after the one that replaced it."""
    charger = Charger()
    charger.write(1, "amp", 10)
    charger.write(2, "amp", 8)
    assert charger.says(4, amp=8) is None
    assert charger.says(4.1, amp=10) is None
    assert charger.says(4.2, amp=8) is None


def test_write_that_was_swallowed() -> None:
    """A charger tells once a second: what was replaced within it may never show, and is a wish soon afterwards."""
    charger = Charger()
    charger.write(1, "amp", 9)
    charger.write(1.2, "amp", 12)
    assert charger.says(2, amp=12) is None
    assert charger.says(10, amp=9) == amps(9)


def test_write_that_shows_nothing() -> None:
    """A hold that is written to a charger that has it already excuses no stop that somebody wants later."""
    charger = Charger(frc=1, car=1)
    charger.write(1, "frc", 1)
    charger.write(10, "frc", 0)
    assert charger.says(10.5, frc=0, car=2) is None
    assert charger.says(20, frc=1) == force(0)


def test_write_that_crosses_a_wish() -> None:
    """A wish is followed although a write is under way; the write that shows afterwards is no other wish."""
    charger = Charger()
    charger.write(1, "amp", 10)
    assert charger.says(1.5, amp=12) == amps(12)
    assert charger.says(1.6, amp=10) is None
    assert charger.says(1.7, amp=16) == amps(16)


def test_start_and_stop_of_ours() -> None:
    """Neither our hold nor our start is a wish, and a stop is one only while the car may charge."""
    charger = Charger()
    charger.write(1, "frc", 1)
    assert charger.says(1.5, frc=1, charge=False) is None
    charger.write(10, "frc", 0)
    assert charger.says(10.5, frc=0) is None
    assert charger.says(10.6, frc=1) is None
    assert charger.says(10.7, frc=0) is None
    assert charger.says(20, frc=1, charge=False) is None
    assert charger.says(21, frc=0) is None
    assert charger.says(22, frc=1) == force(0)


def test_stop_is_taken_back() -> None:
    """Neutral means something only to whoever stopped the car in the app; a current does not start it."""
    charger = Charger()
    assert charger.says(1, frc=1) == force(0)
    assert charger.says(2, amp=10, charge=False, override=STOPPED) is None
    assert charger.says(3, frc=0, charge=False, override=STOPPED) == force(None)
    assert charger.says(4, frc=1) == force(0)
    assert charger.says(5, frc=2, charge=False, override=STOPPED) == force(HIGHEST_CURRENT)
    assert charger.says(6, frc=1) == force(0)
    by_user = Override(current_a=0, source=OverrideSource.USER)
    assert charger.says(7, frc=0, charge=False, override=by_user) is None


@pytest.mark.parametrize("wishes", [{"amp": 10}, {"frc": 1}, {"frc": 2}])
def test_nobody_wants_anything(wishes: dict[str, int]) -> None:
    """Without a car, and where nobody commands the charger, a change is none of our business, also later."""
    charger = Charger()
    assert charger.says(1, in_charge=False, **wishes) is None
    assert charger.says(2) is None
    charger = Charger(car=1)
    assert charger.says(1, **wishes) is None
    assert charger.says(2, car=3) is None


@pytest.mark.parametrize("values", [{"amp": 10}, {"frc": 1}, {"frc": 2}])
def test_new_connection(values: dict[str, int]) -> None:
    """What a charger has when it comes back is its state and nobody's wish."""
    charger = Charger()
    charger.values |= values
    charger.watch.adopt(charger.status(), 10)
    assert charger.says(11) is None
    assert charger.says(12, amp=12) == amps(12)


def test_restart() -> None:
    """After a restart, seen by its uptime, a charger tells what it has; some time later changes count again."""
    charger = Charger()
    assert charger.says(10, rbt=2000, frc=2, amp=10) is None
    assert charger.says(20, amp=12) is None
    assert charger.says(39, amp=14, rbt=31_000) == amps(14)


def test_uptime_that_is_told_once() -> None:
    """A charger that tells its uptime only at the beginning is believed some time later, too."""
    charger = Charger(rbt=1000)
    assert charger.says(28, amp=10) is None
    assert charger.says(30, amp=12) == amps(12)


@pytest.mark.parametrize(
    "limit", [{"ama": 10}, {"cll": {"cableCurrentLimit": 10}}, {"cll": {"temperatureCurrentLimit": 10}}, {"cbl": 10}]
)
def test_clamp(limit: dict[str, Any]) -> None:
    """A limit that comes down takes the current with it; a current below the limit is a wish."""
    charger = Charger()
    assert charger.says(1, amp=10, **limit) is None
    assert charger.says(2, amp=8) == amps(8)
    assert charger.says(3, amp=10) == amps(10)
    charger = Charger()
    assert charger.says(1, amp=9, **limit) == amps(9)


def test_clamp_of_a_write() -> None:
    """Nor is it a wish when a limit comes down while a higher current is on its way."""
    charger = Charger(amp=10)
    charger.write(1, "amp", 16)
    assert charger.says(1.5, amp=13, ama=13) is None
    assert charger.says(10, amp=11) == amps(11)
