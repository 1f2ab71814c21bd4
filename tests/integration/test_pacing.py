"""When a write goes out to a charger, and when somebody else is at work."""

from typing import Any

import pytest

from custom_components.pv_load_manager.control import Command
from custom_components.pv_load_manager.coordinators.contested import CONTESTED
from custom_components.pv_load_manager.coordinators.pacing import HOLD, Pacing, PacingTimings
from custom_components.pv_load_manager.wattpilot import WattpilotStatus, Write, takeover_writes

from .code import load

FULL = Write("amp", 16)
FREE = Write("frc", 0)
THREE = Write("psm", 2)


class Charger:
    """A charger that does what it is told, and its pacing."""

    def __init__(self, **settings: Any) -> None:
        self.settings = {"amp": 16, "frc": 0, "psm": 2, "lmo": 3} | settings
        self.pacing = Pacing(PacingTimings())

    def status(self) -> WattpilotStatus:
        """Return what it reports."""
        return WattpilotStatus.of(self.settings)

    def has(self, **settings: Any) -> None:
        """Let it report other settings."""
        self.settings |= settings
        self.pacing.heard(settings, self.status())

    def take(self, write: Write, now: float) -> str | None:
        """Let it take a write and confirm it; return the key where that overwrites a foreign value."""
        overwritten = self.pacing.sent(write, now)
        self.has(**{write.key: write.value})
        return overwritten

    def due(self, *wanted: Write, now: float) -> list[Write]:
        """Return what may go out."""
        return self.pacing.due(wanted, self.status(), now)


def test_first_writes_go_out_at_once() -> None:
    """A charger that was never written gets everything at once, in order."""
    charger = Charger(amp=6, frc=1, psm=1)
    assert charger.due(THREE, FULL, FREE, now=0) == [THREE, FULL, FREE]


@pytest.mark.parametrize(
    ("ours", "theirs"), [(FULL, {"amp": 8}), (FREE, {"frc": 1}), (THREE, {"psm": 1}), (Write("lmo", 3), {"lmo": 4})]
)
def test_increase_waits(ours: Write, theirs: dict[str, int]) -> None:
    """What somebody else took away is given back 10 s after the last write of the same key."""
    charger = Charger()
    charger.take(ours, 100)
    charger.has(**theirs)
    assert charger.due(ours, now=109.9) == []
    assert charger.due(ours, now=110) == [ours]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(Write("amp", 8), {"amp": 16}), (HOLD, {"frc": 0}), (HOLD, {"frc": 2}), (Write("psm", 1), {"psm": 2})],
)
def test_reduction_does_not_wait(ours: Write, theirs: dict[str, int]) -> None:
    """What somebody else added is taken back at once, every time."""
    charger = Charger()
    for now in (100.0, 100.1, 100.2):
        charger.take(ours, now)
        charger.has(**theirs)
        assert charger.due(ours, now=now + 0.05) == [ours]


def test_reduction_that_is_not_taken() -> None:
    """A reduction without an echo is repeated every second, not with every frame."""
    charger = Charger()
    charger.pacing.sent(HOLD, 100)
    assert charger.due(HOLD, now=100.9) == []
    assert charger.due(HOLD, now=101) == [HOLD]


def test_other_value_goes_out_at_once() -> None:
    """Another current is no repetition."""
    charger = Charger()
    charger.take(FULL, 100)
    assert charger.due(Write("amp", 20), now=100.1) == [Write("amp", 20)]


def test_target_that_came_back_goes_out_at_once() -> None:
    """A target that was another one meanwhile is no repetition, although the value is the last written one."""
    charger = Charger()
    charger.pacing.follow(Command(charge=True, current_a=16, phases=3))
    charger.take(FULL, 100)
    charger.has(amp=8)
    charger.pacing.follow(Command(charge=True, current_a=16, phases=3))
    assert charger.due(FULL, now=101) == []
    charger.pacing.follow(Command(charge=True, current_a=8, phases=3))
    charger.pacing.follow(Command(charge=True, current_a=16, phases=3))
    assert charger.due(FULL, now=102) == [FULL]


def test_nothing_overtakes_what_waits() -> None:
    """Nothing is raised or started before the write that has to come first; only reductions pass it."""
    charger = Charger(frc=1)
    charger.pacing.sent(Write("amp", 8), 100)
    assert charger.due(Write("amp", 8), FREE, now=100.1) == []
    charger.take(THREE, 100)
    charger.has(psm=1)
    assert charger.due(THREE, Write("amp", 20), FREE, now=101) == []
    charger.has(frc=0)
    assert charger.due(THREE, Write("amp", 10), HOLD, now=101) == [Write("amp", 10), HOLD]


def test_numbers_as_text() -> None:
    """Firmware that quotes its numbers does not make a reduction of an increase."""
    charger = Charger(amp="8", frc="0", psm="1")
    charger.pacing.sent(THREE, 100)
    assert charger.due(THREE, Write("amp", 20), now=101) == []
    assert charger.due(THREE, Write("amp", 6), now=101) == [Write("amp", 6)]


def test_foreign_logic_does_not_make_the_current_swing() -> None:
    """While the charger's own logic waits to be taken back, its current is lowered and not raised again."""
    charger = Charger(lmo=4, car=3)
    logic = Write("lmo", 3)
    charger.take(logic, 100)
    charger.take(FULL, 100)
    charger.has(lmo=4)
    status = charger.status()
    assert takeover_writes(status) == (Write("amp", 6), logic)
    assert charger.due(*takeover_writes(status), now=101) == [Write("amp", 6)]
    charger.take(Write("amp", 6), 101)
    assert charger.due(*takeover_writes(charger.status()), FULL, now=102) == []
    assert charger.due(*takeover_writes(charger.status()), FULL, now=110) == [logic, FULL]


def test_hold_after_the_car_left() -> None:
    """The charger itself drops its hold when the car leaves: it is asserted at once, and nobody is blamed."""
    charger = Charger()
    charger.take(HOLD, 100)
    charger.has(frc=0)
    charger.pacing.dropped_hold()
    assert charger.due(HOLD, now=100.1) == [HOLD]
    assert charger.take(HOLD, 100.1) is None


def test_new_connection() -> None:
    """A charger that was away is written as if for the first time, and what it has is nobody's doing."""
    charger = Charger()
    charger.take(FULL, 100)
    charger.pacing.reset()
    charger.has(amp=8)
    assert charger.due(FULL, now=101) == [FULL]
    assert charger.take(FULL, 101) is None


def fight(charger: Charger, *times: float) -> list[bool]:
    """Let somebody lower the current before each time, give it back, and tell after each whether it is a contest."""
    charger.take(FULL, times[0] - 10)
    contested = []
    for now in times:
        charger.has(amp=8)
        assert charger.take(FULL, now) == "amp"
        contested.append(charger.pacing.contested())
    return contested


def test_another_controller() -> None:
    """Three overwritten changes within ten minutes are another controller; slower ones are a user."""
    assert fight(Charger(), 100, 110, 120) == [False, False, True]
    assert fight(Charger(), 100, 400, 700) == [False, False, True]
    assert fight(Charger(), 100, 400, 701, 900) == [False, False, False, True]


def test_contest_ends() -> None:
    """Half an hour without a change ends it."""
    charger = Charger()
    assert charger.pacing.contest_over(0)
    fight(charger, 100, 110, 120)
    assert not charger.pacing.contest_over(120 + 1799)
    assert charger.pacing.contest_over(120 + 1800)


def test_own_changes_are_no_contest() -> None:
    """What the charger took from us is nobody else's change, however often it is."""
    charger = Charger()
    for now in range(10):
        assert charger.take(Write("amp", 6 + now), now) is None
    assert not charger.pacing.contested()


def test_write_that_is_not_followed() -> None:
    """A write that was confirmed and is not followed is said again every 10 s; one that was never made is not."""
    charger = Charger()
    assert not charger.pacing.repeats(FULL, 100)
    assert charger.pacing.repeats(HOLD, 100)
    charger.take(HOLD, 100)
    assert not charger.pacing.repeats(HOLD, 109)
    assert charger.pacing.repeats(HOLD, 110)


def test_texts() -> None:
    """Every key that is fought for has its text."""
    assert set(CONTESTED.values()) <= set(load("translations/en.json")["issues"])


def test_write_that_is_never_shown() -> None:
    """A write that is confirmed and does not show is repeated ever more slowly, and named after three times."""
    charger = Charger()
    wanted, now, waits = Write("amp", 20), 100.0, []
    for _ in range(8):
        charger.pacing.sent(wanted, now)
        sent, now = now, now + 1
        while not charger.due(wanted, now=now):
            now += 1
        waits.append(now - sent)
    assert waits == [10, 20, 40, 80, 160, 320, 320, 320]
    assert charger.pacing.ignored([wanted]) == wanted
    assert charger.pacing.ignored([Write("amp", 12), FREE]) is None
    charger.take(wanted, now)
    assert charger.pacing.ignored([wanted]) is None
    charger = Charger()
    for at in (100, 101):
        charger.pacing.sent(wanted, at)
    assert charger.pacing.ignored([wanted]) is None


def test_reduction_that_is_never_shown() -> None:
    """It goes on to be said at least every 10 s, for the fuse's sake."""
    charger = Charger()
    now, waits = 100.0, []
    for _ in range(7):
        charger.pacing.sent(HOLD, now)
        sent, now = now, now + 1
        while not charger.due(HOLD, now=now):
            now += 1
        waits.append(now - sent)
    assert waits == [1, 2, 4, 8, 10, 10, 10]
    charger.pacing.sent(HOLD, now)
    assert charger.due(HOLD, now=now + 1) == []
    charger.has(frc=2)
    assert charger.due(HOLD, now=now + 1) == [HOLD]
