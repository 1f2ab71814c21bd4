"""Finds out whether the meter of the house connection counts the wrong way round.

Two things tell. When our cars change what they draw by much, the grid must change by the same in the same direction:
a meter that goes the other way by the same amount speaks against itself. And in the dark, when nothing is produced, a
house cannot feed in more than its battery gives. One observation may be chance, a kettle or a cloud at the same second;
three in a row are not, and a single one for the right sign ends the suspicion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from .model import NOMINAL_VOLTAGE, BatteryReading, ChargerReading, Configuration, Snapshot

LEAST_W = 1000.0  # W; a smaller change of the cars could be anything
REST_W = 150.0  # W; cars that stray less from what they drew are at rest
REST = 0.03
LAG = 5.0  # s; so long after the last change of the cars the meter, too, is believed to have seen it
LOUD = 0.2  # of the change; the rest of the house may stray by so much
CLOSE = 0.25  # of the change; so near the grid's change must be to it
NEEDED = 2  # meter values at rest, before and after
KEPT = 8
LONGEST_GAP = 40.0  # s between the two rests per ``LEAST_W`` of change, or a few values of a slow meter
PACES = 4.0
SLOWEST = 75.0  # s
DARK_W = 100.0  # W; below it nothing shines on any other roof either
ODD_W = 500.0  # W; so much neither the errors of the meters nor a battery that follows late explain
ODD = 0.1
ODD_FOR = 60.0  # s
ODD_AGAIN = 600.0  # s; one night is not a hundred observations
VOTES = 3


class Sample(NamedTuple):
    """One value of the meter, with what else was known then, in W."""

    at: float
    """The time of the oldest part."""
    grid_w: float
    """As the meter says it."""
    sources_w: float
    """Production and discharging battery, as far as they are known."""
    cars_w: float


@dataclass(frozen=True, kw_only=True, slots=True)
class MeterSign:
    """What was observed about the sign of the grid meter since the start."""

    heard_at: float | None = None
    """The time of the meter's last value."""
    cars_w: float = 0.0
    """What the cars drew when they last came to rest."""
    rested_at: float | None = None
    """Since when they have drawn that."""
    before: tuple[Sample, ...] = ()
    """The end of the rest before this one."""
    between: tuple[float, ...] = ()
    """The least and the most that the meter said since then."""
    rest: tuple[Sample, ...] = ()
    """Values of this rest, the oldest first."""
    odd: bool | None = None
    """What the last value at rest says in the dark: True = the sign is right, False = wrong, None = nothing."""
    odd_since: float = 0.0
    odd_told_at: float | None = None
    votes: tuple[bool, ...] = ()
    """The last observations: True = the sign is right."""
    proven: bool = False
    """Whether a car showed that it is right; from then on only cars can show the opposite."""

    @property
    def inverted(self) -> bool:
        """Return whether the meter is believed to count the wrong way round."""
        return len(self.votes) == VOTES and not any(self.votes)

    def after(self, config: Configuration, snapshot: Snapshot, battery: BatteryReading | None, now: float) -> MeterSign:
        """Return what is known after another moment.

        Args:
            config: chargers, and whether there is a battery.
            snapshot: the last that each device said.
            battery: in the sign of this package; None where the house has none or it was not heard.
            now: monotonic seconds.
        """
        sign, grid = self, snapshot.grid
        cars_w = _cars(config, snapshot)
        if sign.rested_at is None or abs(cars_w - sign.cars_w) > max(REST_W, REST * sign.cars_w):
            sign = _moved(sign, cars_w, now)
        if grid is None or grid.power_w is None or (sign.heard_at is not None and grid.at <= sign.heard_at):
            return sign
        pace = max(grid.cadence_s or 0.0, 0.0 if sign.heard_at is None else grid.at - sign.heard_at)
        lowest, highest = sign.between or (grid.power_w, grid.power_w)
        sign = replace(sign, heard_at=grid.at, between=(min(lowest, grid.power_w), max(highest, grid.power_w)))
        sample = _sample(config, snapshot, grid.power_w, battery, cars_w)
        if sample is None or sign.rested_at is None or sample.at - sign.rested_at < LAG + pace:
            return sign
        sign = replace(sign, rest=(*sign.rest, sample)[-KEPT:])
        if len(sign.rest) == NEEDED and sign.before:
            sign = _compared(sign, pace)
        return _in_the_dark(sign, snapshot, sample)


NOTHING_SEEN = MeterSign()


def _moved(sign: MeterSign, cars_w: float, now: float) -> MeterSign:
    """Begin another rest; the last values before the cars moved may have seen it before the charger told."""
    calm = tuple(sample for sample in sign.rest if sample.at <= now - LAG)[-NEEDED:]
    if len(calm) < NEEDED:
        return replace(sign, cars_w=cars_w, rested_at=now, rest=(), odd=None)
    later = [sample.grid_w for sample in sign.rest if sample.at >= calm[0].at]
    return replace(sign, cars_w=cars_w, rested_at=now, rest=(), odd=None, before=calm, between=(min(later), max(later)))


def _compared(sign: MeterSign, pace: float) -> MeterSign:
    """Return what the change of the cars between two rests tells."""
    before, after = sign.before, sign.rest
    cars_w = _mean([sample.cars_w for sample in after]) - _mean([sample.cars_w for sample in before])
    first, last = _mean([sample.grid_w for sample in before]), _mean([sample.grid_w for sample in after])
    sources_w = _mean([sample.sources_w for sample in after]) - _mean([sample.sources_w for sample in before])
    told = replace(sign, before=())
    expected, change = cars_w - sources_w, last - first
    loud = LOUD * abs(cars_w)
    lowest, highest = sign.between
    if (
        min(abs(cars_w), abs(expected)) < LEAST_W
        or after[0].at - before[-1].at > max(LONGEST_GAP, PACES * min(pace, SLOWEST)) * abs(cars_w) / LEAST_W
        or max(_spread(before), _spread(after)) > loud
        # A change of the house that the cars only follow goes beyond where the grid ends.
        or lowest < min(first, last) - loud
        or highest > max(first, last) + loud
    ):
        return told
    if abs(change - expected) <= CLOSE * abs(expected):
        return replace(_voted(told, right=True), proven=True)
    if abs(change + expected) <= CLOSE * abs(expected):
        return _voted(told, right=False)
    return told


def _in_the_dark(sign: MeterSign, snapshot: Snapshot, sample: Sample) -> MeterSign:
    """Return what a minute tells in which the house would have to be a power station."""
    pv = snapshot.pv
    odd = None
    if pv is not None and pv.power_w is not None and pv.power_w < DARK_W:
        margin = ODD_W + ODD * (abs(sample.sources_w) + sample.cars_w)
        house_w, turned_w = (sample.sources_w - sample.cars_w + way * sample.grid_w for way in (1.0, -1.0))
        if (house_w < -margin) is not (turned_w < -margin):
            odd = turned_w < -margin
    if odd is None or odd is not sign.odd:
        return replace(sign, odd=odd, odd_since=sample.at)
    told = sign.odd_told_at
    if sample.at - sign.odd_since < ODD_FOR or (told is not None and sample.at - told < ODD_AGAIN):
        return sign
    sign = replace(sign, odd_told_at=sample.at)
    # A generator that nobody told of feeds in at night, too: the last word has always a car.
    accused = not odd and len(sign.votes) >= VOTES - 1 and not any(sign.votes[1 - VOTES :])
    return sign if (sign.proven and not odd) or accused else _voted(sign, right=odd)


def _voted(sign: MeterSign, *, right: bool) -> MeterSign:
    return replace(sign, votes=(*sign.votes, right)[-VOTES:])


def _cars(config: Configuration, snapshot: Snapshot) -> float:
    """Return what the cars that are heard draw; one that is not is a load of the house like any other."""
    total = 0.0
    for charger in config.chargers:
        reading = snapshot.chargers.get(charger.charger_id)
        if reading is not None and reading.online:
            total += _power(reading)
    return total


def _power(reading: ChargerReading) -> float:
    if reading.power_w is not None:
        return reading.power_w
    pairs = zip(reading.currents_a, reading.voltages_v, strict=True)
    return sum((amps or 0.0) * (volts or NOMINAL_VOLTAGE) for amps, volts in pairs)


def _sample(
    config: Configuration, snapshot: Snapshot, grid_w: float, battery: BatteryReading | None, cars_w: float
) -> Sample | None:
    """Return the meter's value with what else flows; None where a part is not known."""
    grid, pv = snapshot.grid, snapshot.pv
    if grid is None:
        return None
    at, sources = grid.at, 0.0
    if config.has_battery:
        if battery is None or battery.power_w is None:
            return None
        at, sources = min(at, battery.at), battery.power_w
    if pv is not None and pv.power_w is not None:
        at, sources = min(at, pv.at), sources + pv.power_w
    return Sample(at, grid_w, sources, cars_w)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _spread(samples: Sequence[Sample]) -> float:
    """Return by how much the house strayed within some values, in W."""
    values = [sample.grid_w + sample.sources_w for sample in samples]
    return max(values) - min(values)
