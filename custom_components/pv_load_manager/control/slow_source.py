"""A meter that tells late, as a mean, or without a time: what cars drew at the time that its values are of.

The cloud of an inverter tells minutes later what was, as a mean over a quarter of an hour or with a time that is only
assumed. What is left for the cars is then known only beside what they drew in the very same time.
"""

from collections.abc import Sequence
from itertools import pairwise

from .electrics import draw_at
from .model import GridReading
from .state import HISTORY_SECONDS, DrawSample

REACH = 3600.0  # s; older values of a meter are of no use
STEP = 15.0  # s between two samples of the past; their energies still tell the exact mean between them
MOST = 400  # samples until the past is thinned out again
STEADY_W = 300.0
"""Cars that stray less can be set beside a value whose time is not known exactly."""
HOUR = 3600.0  # s


def is_slow(meter: GridReading | None) -> bool:
    """Return whether a meter needs a long memory of the cars."""
    return meter is not None and meter.mean_s + meter.uncertain_s > 0.0


def remember(draws: Sequence[DrawSample], sample: DrawSample) -> tuple[DrawSample, ...]:
    """Return a long history: every sample of the last seconds, and of the time before one every few seconds."""
    if len(draws) < MOST:
        return (*draws, sample)
    kept: list[DrawSample] = []
    for old in draws:
        age = sample.at - old.at
        if age <= HISTORY_SECONDS or (age <= REACH and (not kept or old.at - kept[-1].at >= STEP)):
            kept.append(old)
    return (*kept, sample)


def is_steady(draws: Sequence[DrawSample], meter: GridReading) -> bool:
    """Return whether a car draws the same all the time that a value may be of; of a mean every time is known."""
    if not meter.uncertain_s:
        return True
    powers = _powers(draws, meter)
    return not powers or max(powers) - min(powers) <= STEADY_W


def drawn_w(draws: Sequence[DrawSample], meter: GridReading, at: float) -> float:
    """Return what a car drew in the time that a value is of, in W; where nobody can tell, the least that it can be.

    Args:
        draws: of one charger, the oldest first.
        meter: the reading with its kind of time.
        at: the time of the value that is looked for.
    """
    if meter.mean_s:
        return _mean_w(draws, at - meter.mean_s, at)
    if not is_steady(draws, meter):
        return min(_powers(draws, meter))
    draw = draw_at(draws, at)
    return draw.power_w if draw is not None else 0.0


def _powers(draws: Sequence[DrawSample], meter: GridReading) -> list[float]:
    """Return what a car drew in all the time that a value may be of."""
    begin, end = meter.at - meter.uncertain_s, meter.at + meter.uncertain_s
    before = draw_at(draws, begin)
    powers = [sample.power_w for sample in draws if begin < sample.at <= end]
    return powers if before is None else [before.power_w, *powers]


def _mean_w(draws: Sequence[DrawSample], begin: float, end: float) -> float:
    """Return the mean power between two times in W, as far back as it is known."""
    total_wh = seconds = 0.0
    for first, last in pairwise(draws):
        span = last.at - first.at
        overlap = min(last.at, end) - max(first.at, begin)
        if span <= 0.0 or overlap <= 0.0:
            continue
        # Another car begins to count at 0.
        energy = last.energy_wh - first.energy_wh if last.energy_wh >= first.energy_wh else last.energy_wh
        total_wh += energy * overlap / span
        seconds += overlap
    if seconds > 0.0:
        return total_wh * HOUR / seconds
    draw = draw_at(draws, end)
    return draw.power_w if draw is not None else 0.0
