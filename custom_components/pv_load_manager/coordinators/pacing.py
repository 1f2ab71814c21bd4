"""When a write may go out to a charger, and whether somebody else writes to it as well. Pure: time is an argument."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from ..control import Command
from ..wattpilot import WattpilotStatus, Write

HOLD: Final = Write("frc", 1)
ONE_PHASE: Final = Write("psm", 1)


@dataclass(frozen=True, kw_only=True)
class PacingTimings:
    """Waits in seconds."""

    rewrite: float = 10.0
    """Between two writes of a value that nobody asked anew for."""
    reduce: float = 1.0
    """Between two writes of a reduction that the charger did not take."""
    contest_window: float = 600.0
    """So long an overwritten change counts."""
    contest_over: float = 1800.0
    """Without a change for so long nobody else writes any more."""
    gesture: float = 10.0
    """Changes within so long are one: somebody moves a slider."""


IGNORED_TRIES: Final = 3
"""So often a write may go out without being seen, before it is ignored."""
MOST_DOUBLED: Final = 5
"""A write that is ignored waits twice as long each time, so often."""
DISOBEDIENCE: Final = 1.0  # A; so much above what it was told is no inaccuracy of the charger's own meter
CONTEST_CHANGES: Final = 3
"""So many changes within the window make another controller of somebody who tried something."""


@dataclass(kw_only=True)
class _Last:
    """The last write of one key."""

    value: Any
    at: float
    confirmed: bool = False
    """The charger had this value since."""
    foreign: bool = False
    """Somebody changed it since."""
    asked_anew: bool = False
    """The target changed since, so the next write is no repetition."""
    tries: int = 1
    """How often it went out without being seen."""


class Pacing:
    """What was written to one charger, and what follows from it for the next writes.

    Reductions and new targets go out at once; whatever else has to be said again waits.
    """

    def __init__(self, timings: PacingTimings) -> None:
        """Begin with nothing written."""
        self._timings = timings
        self._last: dict[str, _Last] = {}
        self._target: dict[str, Any] = {}
        self._foreign_changes: deque[float] = deque(maxlen=CONTEST_CHANGES)

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what was written and what is wanted, for the diagnostics."""
        return {
            "target": dict(self._target),
            "written": {
                key: {
                    "value": last.value,
                    "age_s": round(now - last.at, 1),
                    "confirmed": last.confirmed,
                    "foreign": last.foreign,
                }
                for key, last in self._last.items()
            },
            "contested": self.contested(),
        }

    def reset(self) -> None:
        """Forget all writes: a charger that was away tells anew what it has."""
        self._last.clear()

    def follow(self, command: Command) -> None:
        """Take over a target; what it changes is no repetition."""
        target = {"amp": command.current_a, "frc": command.charge, "psm": command.phases}
        for key, wanted in target.items():
            if self._target.get(key) != wanted and (last := self._last.get(key)) is not None and last.confirmed:
                last.asked_anew = True
        self._target = target

    def sent(self, write: Write, now: float) -> str | None:
        """Note a write that goes out; return its key where it overwrites what somebody else had set."""
        last = self._last.get(write.key)
        again = last is not None and last.value == write.value and not last.confirmed
        tries = last.tries + 1 if last is not None and again else 1
        self._last[write.key] = _Last(value=write.value, at=now, tries=tries)
        if last is None or not last.foreign:
            return None
        self._foreign_changes.append(now)
        return write.key

    def wished(self, key: str, now: float) -> None:
        """Note that a change by somebody else is followed: what was written before is history, and it counts."""
        self._last.pop(key, None)
        changes = self._foreign_changes
        if not changes or now - changes[-1] >= self._timings.gesture:
            changes.append(now)

    def heard(self, changed: Iterable[str], status: WattpilotStatus) -> None:
        """Note what the charger says about keys that were written before."""
        for key in changed:
            if (last := self._last.get(key)) is None:
                continue
            last.tries = 1
            if status.raw.get(key) == last.value:
                last.confirmed, last.foreign = True, False
            elif last.confirmed:
                last.foreign = True

    def dropped_hold(self) -> None:
        """Note that the car left: the charger itself gave up its hold, nobody else did."""
        self._last.pop(HOLD.key, None)

    def due(self, wanted: Iterable[Write], status: WattpilotStatus, now: float) -> list[Write]:
        """Return the writes that may go out now.

        After one that has to wait only reductions follow: nothing is raised or started before what has to come first.
        """
        due: list[Write] = []
        waiting = False
        for write in wanted:
            reduces = reduction(write, status)
            if (reduces or not waiting) and now >= self._may_go_at(write, reduces=reduces):
                due.append(write)
            else:
                waiting = True
        return due

    def repeats(self, write: Write, now: float) -> bool:
        """Return whether a write that the charger took, but does not follow, is to be said again now."""
        if (last := self._last.get(write.key)) is None:
            return write == HOLD
        return last.value == write.value and now >= last.at + self._timings.rewrite

    def _may_go_at(self, write: Write, *, reduces: bool) -> float:
        last = self._last.get(write.key)
        if last is None or last.value != write.value or last.asked_anew or (reduces and last.confirmed):
            return 0.0
        # One that the charger confirms and does not show is not hammered with it.
        doubled = 2 ** min(last.tries - 1, MOST_DOUBLED) if not last.confirmed else 1
        if reduces:
            return last.at + min(self._timings.reduce * doubled, self._timings.rewrite)
        return last.at + self._timings.rewrite * doubled

    def ignored(self, wanted: Iterable[Write]) -> Write | None:
        """Return a write that went out several times, and that the charger never showed."""
        for write in wanted:
            last = self._last.get(write.key)
            if last is not None and last.value == write.value and not last.confirmed and last.tries >= IGNORED_TRIES:
                return write
        return None

    def unseen(self) -> frozenset[str]:
        """Return the keys of which the charger has not shown what was written last."""
        return frozenset(key for key, last in self._last.items() if not last.confirmed)

    def contested(self) -> bool:
        """Return whether somebody else changes this charger again and again."""
        changes = self._foreign_changes
        return len(changes) == CONTEST_CHANGES and changes[-1] - changes[0] <= self._timings.contest_window

    def contest_over(self, now: float) -> bool:
        """Return whether nobody has changed this charger for long."""
        changes = self._foreign_changes
        return not changes or now - changes[-1] >= self._timings.contest_over


def reduction(write: Write, status: WattpilotStatus) -> bool:
    """Return whether a write makes the charger draw less: a hold, one phase, or a lower current."""
    if write.key != "amp":
        return write in (HOLD, ONE_PHASE)
    return status.amp is None or (isinstance(write.value, int) and write.value < status.amp)


def disobeyed_write(command: Command, status: WattpilotStatus) -> Write | None:
    """Return the write that a charger has taken but does not follow: it is seen to give more than it says."""
    drawn = max((current for current in status.currents if current is not None), default=0.0)
    if not command.charge:
        return HOLD if drawn > DISOBEDIENCE else None
    return Write("amp", status.amp) if status.amp is not None and drawn > status.amp + DISOBEDIENCE else None
