"""What a check of the meter found out, concluded from everything that was heard during it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from .electrics import DRAWING_A, voltage
from .meter_fit import Lag, Level, Point, Seen, cadence, compare, find_lag
from .model import NOMINAL_VOLTAGE, ChargerReading, GridReading

type MaybeLines = tuple[int | None, int | None, int | None]

SLOWEST_S = 12.0  # s; a meter that speaks more seldom says too little within the check
LIVELY = 0.3  # of the step; what else controls itself may move by so much
NOISE_A = 0.3  # A; chargers and meters differ by so much
NOISE = 0.02  # of the largest current, and by so much more
CLOCKWISE = ((1, 2, 3), (2, 3, 1), (3, 1, 2))
"""The ways to wire a charger that keep the order of the phases."""


class Outcome(StrEnum):
    """How a check ended."""

    LEARNED = "learned"
    CAR_NOT_SEEN = "car_not_seen"
    HOUSE_NOT_SEEN = "house_not_seen"
    TOO_NOISY = "too_noisy"
    BATTERY = "battery"
    """The house battery balanced what the car did."""
    OTHER_CHARGER = "other_charger"
    """Another charger moved, too."""
    METER_SLOW = "meter_slow"
    METER_SILENT = "meter_silent"
    NO_ROOM = "no_room"
    CAR_TAKES_LITTLE = "car_takes_little"
    CAR_IDLE = "car_idle"
    CAR_LEFT = "car_left"
    CHARGER_LOST = "charger_lost"
    INTERRUPTED = "interrupted"
    """Somebody or something else took the charger over."""


class Sign(StrEnum):
    """Which way round the meter counts."""

    RIGHT = "right"
    TURNED = "turned"
    MIXED = "mixed"
    """Some phases are turned."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Everything that was heard, oldest first."""

    charger: tuple[ChargerReading, ...] = ()
    grid: tuple[GridReading, ...] = ()
    battery: tuple[Point, ...] = ()
    """W, discharge +."""
    others: tuple[Point, ...] = ()
    """What the other chargers drew, W."""
    levels: tuple[Level, ...] = ()


NOTHING_HEARD = Record()


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """How the meter sees the car."""

    sign: Sign
    lines: MaybeLines
    """By grid phase: 1 = right, -1 = turned, 0 = it does not see the car, None = not known."""
    missing: int
    """How many phases of the car the meter does not see."""
    own_phases: tuple[int, ...]
    """Which of the charger's own phases (1..3) the car uses."""
    rotation: MaybeLines
    """The grid phase (1..3) of the charger's own L1, L2, L3, as far as the car shows them."""
    likely_rotation: tuple[int, int, int] | None
    """The only way to wire the charger so that its phases follow each other as those of the house do."""
    dead_time_s: float
    """How much later than the charger the meter tells a change."""
    dead_time_within_s: float
    """How far that may be off."""
    cadence_s: float
    step_a: float
    """By how much the car's current was changed, per phase."""

    def fits(self, rotation: tuple[int, int, int]) -> bool:
        """Return whether a charger wired in this way would load the phases that were seen to follow it."""
        if None in self.lines or self.missing:
            return True
        seen = {index + 1 for index, line in enumerate(self.lines) if line}
        return {rotation[own - 1] for own in self.own_phases} == seen


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckResult:
    """How a check ended, and what was found out."""

    outcome: Outcome
    findings: Findings | None = None
    """With the outcomes ``LEARNED`` and ``HOUSE_NOT_SEEN``."""

    @property
    def worth_storing(self) -> Findings | None:
        """Return what settings may be made of: of a meter in the wrong place nothing is."""
        return self.findings if self.outcome is Outcome.LEARNED else None


def conclude(record: Record, *, site_phases: int, lags: tuple[float, float]) -> CheckResult:
    """Return what the values of charger and meter say.

    Args:
        record: of the whole check.
        site_phases: phases of the house connection, 1 or 3.
        lags: least and most in s that the meter may be later than the charger.
    """
    pace = cadence([reading.at for reading in record.grid])
    if pace is None or pace > SLOWEST_S:
        return CheckResult(outcome=Outcome.METER_SLOW)
    used = used_phases(record.charger, record.levels[0]) if record.levels else ()
    if not used:
        return CheckResult(outcome=Outcome.TOO_NOISY)
    charger = _charger_current(record, used, site_phases)
    step_a = _range(_within(charger, record))
    meter = _meter(record, site_phases, phases=1 if site_phases == 1 else len(used))
    moved = _moved(record)
    if moved is not None:
        return CheckResult(outcome=moved)
    lag = find_lag(charger, meter, lags) or Lag(seconds=0.0, within=lags[1])
    seen = [compare(charger, points, record.levels, lag.seconds) for points in meter]
    if any(line is None for line in seen):
        return CheckResult(outcome=Outcome.METER_SLOW if pace > SLOWEST_S / 4 else Outcome.TOO_NOISY)
    known = [line for line in seen if line is not None]
    if any(line.sees is None for line in known):
        return CheckResult(outcome=Outcome.TOO_NOISY)
    if not any(line.sees for line in known):
        return _not_seen(charger, meter, record, lags)
    expected = len(used) if len(known) == 3 else 1
    found = sum(line.sees != 0 for line in known)
    # That a phase is missing has to be beyond doubt, somebody will open a cabinet for it.
    if found > expected or (found < expected and not all(line.clear for line in known)):
        return CheckResult(outcome=Outcome.TOO_NOISY)
    findings = Findings(
        sign=_sign(known),
        lines=_lines(known, site_phases),
        missing=expected - found,
        own_phases=tuple(line + 1 for line in used),
        rotation=_rotation(known, used),
        likely_rotation=_likely(known, used),
        dead_time_s=max(0.0, lag.seconds),
        dead_time_within_s=lag.within,
        cadence_s=pace,
        step_a=step_a,
    )
    alone = not any(_shows_more(line, points) for line, points in zip(known, meter, strict=True))
    return CheckResult(outcome=Outcome.HOUSE_NOT_SEEN if alone else Outcome.LEARNED, findings=findings)


def used_phases(readings: Sequence[ChargerReading], level: Level) -> tuple[int, ...]:
    """Return the charger's own phases (0..2) that the car used all the time, none where that changed."""
    found = {
        tuple(line for line, current in enumerate(reading.currents_a) if (current or 0.0) > DRAWING_A)
        for reading in readings
        if level.begin <= reading.at <= level.end
    }
    return found.pop() if len(found) == 1 else ()


def _charger_current(record: Record, used: Sequence[int], site_phases: int) -> list[Point]:
    """Return the current of one phase of the car; in a house with one phase that of all together."""
    share = 1.0 if site_phases == 1 else 1.0 / len(used)
    return [
        Point(reading.at, share * sum(reading.currents_a[line] or 0.0 for line in used)) for reading in record.charger
    ]


def _meter(record: Record, site_phases: int, *, phases: int) -> list[list[Point]]:
    """Return the current of every phase; where the meter does not know them its power as a current of the car's."""
    lines: list[list[Point]] = [[] for _ in range(site_phases)]
    total: list[Point] = []
    for reading in record.grid:
        for line in range(site_phases):
            current = reading.currents_a[line]
            if current is not None:
                lines[line].append(Point(reading.at, current))
        if reading.power_w is not None:
            volts = voltage(record.charger[-1] if record.charger else None, reading)
            total.append(Point(reading.at, reading.power_w / volts / phases))
    known = min(len(points) for points in lines)
    return lines if known >= len(record.grid) / 2 else [total]


def _moved(record: Record) -> Outcome | None:
    """Return what else moved so much that nothing can be said about the car."""
    powers = [Point(reading.at, _power(reading)) for reading in record.charger]
    step_w = _range(_within(powers, record))
    for points, outcome in ((record.others, Outcome.OTHER_CHARGER), (record.battery, Outcome.BATTERY)):
        if _range(_within(points, record)) > LIVELY * step_w:
            return outcome
    return None


def _not_seen(
    charger: Sequence[Point], meter: Sequence[Sequence[Point]], record: Record, lags: tuple[float, float]
) -> CheckResult:
    """Return that the meter does not see the car, if that is so whatever its lag."""
    step = 1.0
    for index in range(int((lags[1] - lags[0]) / step) + 1):
        for points in meter:
            line = compare(charger, points, record.levels, lags[0] + step * index)
            if line is not None and line.sees != 0:
                return CheckResult(outcome=Outcome.TOO_NOISY)
    return CheckResult(outcome=Outcome.CAR_NOT_SEEN)


def _sign(lines: Sequence[Seen]) -> Sign:
    signs = {line.sees for line in lines if line.sees}
    if len(signs) > 1:
        return Sign.MIXED
    return Sign.RIGHT if signs == {1} else Sign.TURNED


def _lines(lines: Sequence[Seen], site_phases: int) -> MaybeLines:
    if len(lines) < site_phases:
        return (None, None, None)
    padded = [*(line.sees for line in lines), None, None]
    return (padded[0], padded[1], padded[2])


def _rotation(lines: Sequence[Seen], used: Sequence[int]) -> MaybeLines:
    """Return the grid phases that a car on one phase shows; more of them change alike and cannot be told apart."""
    found: list[int | None] = [None, None, None]
    where = [index + 1 for index, line in enumerate(lines) if line.sees]
    if len(lines) == 3 and len(used) == len(where) == 1:
        found[used[0]] = where[0]
    return (found[0], found[1], found[2])


def _likely(lines: Sequence[Seen], used: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the order that fits among those that nearly every electrician keeps; None where several do, or none."""
    where = {index + 1 for index, line in enumerate(lines) if line.sees}
    if len(lines) < 3 or len(where) != len(used):
        return None
    fitting = [order for order in CLOCKWISE if {order[own] for own in used} == where]
    return fitting[0] if len(fitting) == 1 else None


def _shows_more(line: Seen, points: Sequence[Point]) -> bool:
    """Return whether a phase shows something besides the car."""
    noise = NOISE_A + NOISE * max(abs(point.value) for point in points)
    return abs(line.rest) > noise or line.wobble > 2 * noise


def _power(reading: ChargerReading) -> float:
    if reading.power_w is not None:
        return reading.power_w
    pairs = zip(reading.currents_a, reading.voltages_v, strict=True)
    return sum((amps or 0.0) * (volts or NOMINAL_VOLTAGE) for amps, volts in pairs)


def _range(points: Sequence[Point]) -> float:
    values = [point.value for point in points]
    return max(values, default=0.0) - min(values, default=0.0)


def _within(points: Sequence[Point], record: Record) -> list[Point]:
    """Return what belongs to the time between the first and the last level."""
    begin, end = record.levels[0].begin, record.levels[-1].end
    return [point for point in points if begin <= point.at <= end]
