"""Finds out with one charging car whether the meter of the house connection sees it, and how.

The car's current is changed between two levels several times, each held for another while, so that nothing else in the
house keeps the same beat. What charger and meter say meanwhile is kept; ``result`` then compares both. The check only
says which current it would like (``wanted_a``): what the charger is really given is up to all limits of the house, and
only what it measured counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from .electrics import DRAWING_A, measured_draw
from .findings import NOTHING_HEARD, CheckResult, Outcome, Record, conclude, used_phases
from .meter_fit import Level, Point, cadence
from .model import HIGHEST_CURRENT, LOWEST_CURRENT, BatteryReading, CarState, ChargerReading, GridReading

SWING_A = 10  # A between the two levels, where the charger can do that
LEAST_SWING_A = 3.0
LEVEL_A = 0.6  # A; a current that strays less is steady


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckTimings:
    """How long everything may take, in seconds."""

    start: float = 45.0
    """Until the car draws."""
    follow: float = 20.0
    """Until the car follows another current."""
    rest: float = 4.0
    """A current that strays little for so long is steady."""
    holds: tuple[float, ...] = (9.0, 7.0, 11.0, 8.0, 12.0, 7.0, 10.0)
    """How long each level is held; one more than there are steps."""
    beats: float = 1.3
    """A level is held at least for so many values of the meter."""
    silence: float = 30.0
    """Without a word for so long the meter is silent."""
    longest: float = 115.0
    """Then what is known has to suffice."""
    lags: tuple[float, float] = (-3.0, 12.0)
    """How much later than the charger the meter may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What the devices said last."""

    charger: ChargerReading | None
    grid: GridReading | None
    battery: BatteryReading | None = None
    others_w: float = 0.0
    """What all other chargers together draw."""


class Stage(StrEnum):
    """How far a check is."""

    START = "start"
    """The car takes up charging with the higher current."""
    STEPS = "steps"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterCheck:
    """One check at one moment; ``after`` returns the next one."""

    began_at: float
    low_a: int
    high_a: int
    site_phases: int
    timings: CheckTimings
    wanted_a: int
    """The current per phase that the charger shall be given."""
    stage: Stage = Stage.START
    failure: Outcome | None = None
    record: Record = NOTHING_HEARD
    asked_at: float = 0.0
    """When the present current was asked for."""
    level_a: float = 0.0
    """The last steady current."""
    steady_at: float | None = None
    """Since when the present one is."""

    @classmethod
    def begin(
        cls, now: float, *, low_a: int, most_a: int, site_phases: int, timings: CheckTimings | None = None
    ) -> Self:
        """Return a new check.

        Args:
            now: monotonic seconds.
            low_a: the least current of car and charger, in A per phase.
            most_a: the most that the charger may give, in A per phase.
            site_phases: phases of the house connection, 1 or 3.
            timings: other times than usual.
        """
        low_a = max(LOWEST_CURRENT, low_a)
        high_a = min(most_a, low_a + SWING_A, HIGHEST_CURRENT)
        failed = high_a - low_a < LEAST_SWING_A
        return cls(
            began_at=now,
            low_a=low_a,
            high_a=high_a,
            site_phases=site_phases,
            timings=timings or CheckTimings(),
            wanted_a=high_a,
            asked_at=now,
            stage=Stage.OVER if failed else Stage.START,
            failure=Outcome.NO_ROOM if failed else None,
        )

    @property
    def over(self) -> bool:
        """Return whether nothing more has to be heard."""
        return self.stage is Stage.OVER

    @property
    def steps(self) -> int:
        """Return how many changes of the current are planned."""
        return len(self.timings.holds) - 1

    def progress(self, now: float) -> float:
        """Return how much of it is done, 0..1."""
        levels = len(self.record.levels) / len(self.timings.holds)
        return 1.0 if self.over else min(0.99, max(levels, (now - self.began_at) / self.timings.longest))

    def result(self) -> CheckResult:
        """Return what was found out; it takes some milliseconds."""
        if self.failure is not None:
            return CheckResult(outcome=self.failure)
        return conclude(self.record, site_phases=self.site_phases, lags=self.timings.lags)

    def after(self, heard: Heard, now: float) -> MeterCheck:
        """Return the check after another moment, with monotonic seconds."""
        if self.over:
            return self
        check = replace(self, record=_recorded(self.record, heard))
        failure = _missing(check, heard, now)
        if failure is not None:
            return _ended(check, failure)
        steady_a = _steady(check.record.charger, now, self.timings.rest)
        if self.stage is Stage.START:
            return _started(check, heard.charger, steady_a, now)
        return _stepped(check, steady_a, now)


def _missing(check: MeterCheck, heard: Heard, now: float) -> Outcome | None:
    """Return what of it is lost without which nothing can be learned."""
    if heard.charger is None or not heard.charger.online:
        return Outcome.CHARGER_LOST
    if heard.charger.car is CarState.NO_CAR:
        return Outcome.CAR_LEFT
    grid = check.record.grid
    told_at = max(check.began_at, grid[-1].at) if grid else check.began_at
    return Outcome.METER_SILENT if now - told_at > check.timings.silence else None


def _started(check: MeterCheck, charger: ChargerReading | None, steady_a: float | None, now: float) -> MeterCheck:
    """Wait until the car draws what it can of the higher current."""
    elapsed = now - check.began_at
    drawn_a = 0.0 if steady_a is None else steady_a
    full = drawn_a >= check.high_a - LEVEL_A
    if drawn_a > DRAWING_A and (full or elapsed >= check.timings.follow):
        if drawn_a - check.low_a >= LEAST_SWING_A:
            return replace(check, stage=Stage.STEPS, level_a=drawn_a, steady_at=now - check.timings.rest)
        return _ended(check, _why_little(charger, check.high_a))
    if elapsed < check.timings.start:
        return check
    return _ended(check, Outcome.NO_ROOM if charger is not None and charger.holding else Outcome.CAR_IDLE)


def _why_little(charger: ChargerReading | None, high_a: int) -> Outcome:
    offered = None if charger is None else charger.setting_a
    return Outcome.NO_ROOM if offered is not None and offered < high_a else Outcome.CAR_TAKES_LITTLE


def _stepped(check: MeterCheck, steady_a: float | None, now: float) -> MeterCheck:
    """Hold a level for its time, then ask for the other one."""
    if now - check.began_at >= check.timings.longest:
        return _ended(_left(check, now), None)
    if check.steady_at is None:
        if steady_a is not None and abs(steady_a - check.level_a) >= LEAST_SWING_A / 2:
            return replace(check, level_a=steady_a, steady_at=now - check.timings.rest)
        # The limits of the house did not allow it, or the car did not want it.
        return _asked(check, now) if now - check.asked_at >= check.timings.follow else check
    if now - check.steady_at < _hold(check):
        return check
    check = _left(check, now)
    return _ended(check, None) if len(check.record.levels) == len(check.timings.holds) else _asked(check, now)


def _hold(check: MeterCheck) -> float:
    """Return how long the present level is held, in s."""
    pace = cadence([reading.at for reading in check.record.grid]) or 0.0
    return max(check.timings.holds[len(check.record.levels)], check.timings.beats * pace)


def _left(check: MeterCheck, now: float) -> MeterCheck:
    """End the present level."""
    if check.steady_at is None:
        return check
    level, known = Level(check.steady_at, now), check.record.levels
    readings = check.record.charger
    same = not known or used_phases(readings, known[-1]) == used_phases(readings, level)
    levels = (*known, level) if same else (level,)  # on another number of phases everything begins anew
    return replace(check, steady_at=None, record=replace(check.record, levels=levels))


def _asked(check: MeterCheck, now: float) -> MeterCheck:
    """Ask for the other current."""
    wanted = check.high_a if check.wanted_a == check.low_a else check.low_a
    return replace(check, wanted_a=wanted, asked_at=now, steady_at=None)


def _ended(check: MeterCheck, failure: Outcome | None) -> MeterCheck:
    return replace(check, stage=Stage.OVER, failure=failure)


def _recorded(record: Record, heard: Heard) -> Record:
    """Return the record with what is new."""
    charger, grid, battery = heard.charger, heard.grid, heard.battery
    if charger is not None and charger.online and (not record.charger or charger.at > record.charger[-1].at):
        others = (*record.others, Point(charger.at, heard.others_w))
        record = replace(record, charger=(*record.charger, charger), others=others)
    if grid is not None and (not record.grid or grid.at > record.grid[-1].at):
        record = replace(record, grid=(*record.grid, grid))
    if battery is not None and battery.power_w is not None:
        known = record.battery
        if not known or battery.at > known[-1].at:
            record = replace(record, battery=(*known, Point(battery.at, battery.power_w)))
    return record


def _steady(readings: Sequence[ChargerReading], now: float, rest: float) -> float | None:
    """Return the charger's current in A if it has been steady for a while, else None."""
    if not readings or readings[0].at > now - rest:
        return None
    recent = [measured_draw(reading) for reading in readings if reading.at > now - rest]
    # A charger that says nothing new draws what it drew.
    before = next(measured_draw(reading) for reading in reversed(readings) if reading.at <= now - rest)
    values = [before, *recent]
    return values[-1] if max(values) - min(values) <= LEVEL_A else None
