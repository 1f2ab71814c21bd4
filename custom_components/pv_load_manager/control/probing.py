"""Feels for sun that nobody measures: behind a throttled inverter, or where nothing more may be fed in.

What is seen there is only what is drawn. So the chargers try one ampere more at a time until power comes from the grid
or the export falls; what was once held without that is believed for a while, also while a car pauses for a switch of
phases. After an answer of no nothing is tried for some time, and to begin at all each time longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .candidates import Candidate

BELIEVED = 300.0  # s; so long it is believed that there is as much sun as was once drawn
PAUSE, LONGEST_PAUSE = 120.0, 960.0  # s without a further try after the grid had to help, the first time and later
MOVED_W = 500.0  # W by which the sun must have changed to make earlier answers worthless
OPEN = 60.0  # s for which a beginning is offered
FIRST_WAIT, LONGEST_WAIT = 300.0, 1800.0  # s between two beginnings that came to nothing
PROVEN = 300.0  # s of charging that make a beginning a success
NEAR = 0.95
HOPE_W = 1500.0  # W above the least power on three phases; where one phase is full there is hardly less


@dataclass(frozen=True, kw_only=True, slots=True)
class Probing:
    """What was tried, and how it ended."""

    believed_w: float | None = None
    """The most that was drawn without an objection, in W."""
    believed_at: float = 0.0
    refused_at: float | None = None
    """When it last was too much."""
    refused_w: float = 0.0
    """What there was then, in W."""
    refusals: int = 0
    """How often in a row about that much was all there was."""
    begun_at: float | None = None
    """When a charger was last offered to begin."""
    begins: int = 0
    """How often in a row that came to nothing."""


NOTHING_TRIED = Probing()


def feel(
    known: Probing, watts: float, candidates: Sequence[Candidate], *, curtailed: bool, now: float
) -> tuple[float, Probing]:
    """Return the surplus in W to reckon with, and what to remember.

    Args:
        known: what was tried before.
        watts: the surplus that is measured.
        candidates: the chargers that may charge from the sun.
        curtailed: whether there may be more.
        now: monotonic seconds.
    """
    if any(_is_proven(item, now) for item in candidates) and known.begins:
        known = replace(known, begins=0)
    if not curtailed:
        if known.believed_w is not None:
            same = known.refused_at is not None and abs(watts - known.refused_w) <= MOVED_W
            refusals = known.refusals + 1 if same else 1
            known = replace(known, believed_w=None, refused_at=now, refused_w=watts, refusals=refusals)
        return watts, known
    if known.believed_w is None or watts >= NEAR * known.believed_w:
        known = replace(known, believed_w=max(watts, known.believed_w or watts), believed_at=now)
    elif now - known.believed_at > BELIEVED:
        known = replace(known, believed_w=watts, believed_at=now)
    believed = known.believed_w if known.believed_w is not None else watts
    asking = [item for item in candidates if not item.idle]
    running = [item for item in asking if item.running]
    if running:
        pause = min(PAUSE * 2 ** max(known.refusals - 1, 0), LONGEST_PAUSE)
        tried = known.refused_at is not None and now - known.refused_at < pause
        tried = tried and abs(believed - known.refused_w) <= MOVED_W
        return believed + (0.0 if tried else _step(running, believed)), known
    if not asking:
        return watts, known
    wait = min(FIRST_WAIT * 2 ** max(known.begins - 1, 0), LONGEST_WAIT)
    if known.begun_at is None or now - known.begun_at >= wait:
        known = replace(known, begun_at=now, begins=known.begins + 1)
    if known.begun_at is not None and now - known.begun_at < OPEN:
        return max(watts, min(item.least_power for item in asking)), known
    return watts, known


def _is_proven(candidate: Candidate, now: float) -> bool:
    since = candidate.state.charging_since
    return candidate.running and since is not None and now - since >= PROVEN


def _step(running: Sequence[Candidate], believed_w: float) -> float:
    """Return the least worth a try in W: an ampere, or what a charger at its end on one phase needs on three."""
    steps = []
    for item in running:
        options = item.options
        amp = item.volts * options.used(item.phases)
        command = item.state.command
        most = item.cap_a(item.phases)
        at_end = believed_w >= NEAR * most * amp
        if item.phases == 1 and at_end and 3 in options.allowed and options.used(3) > 1:
            # Also while its current is lowered for the switch.
            steps.append(max(0.0, options.power(3, item.volts) - most * amp) + HOPE_W)
        elif command is not None and command.current_a < most:
            steps.append(amp)
    return min(steps, default=0.0)
