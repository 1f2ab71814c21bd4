"""Learns the grid phase of a charger whose phase rotation nobody knows.

When a car that charges on one phase changes its current, the meter of the house connection shows the same change on one
of its phases. Three changes in a row that speak for the same phase are believed; one against it makes it unknown again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .electrics import DRAWING_A, complete, draw_at
from .model import Configuration, Snapshot, Three
from .state import ChargerState, ControlState, DrawSample, PhaseSample

STEP_A = 4.0  # A; a smaller change could be a kettle
TOLERANCE_A = 1.5  # A between what the charger and what the meter saw
BEFORE = 16.0  # s; before and after the change charger and meter must both be at rest
AT_REST = 6.0  # s
VOTES = 3


def remember(config: Configuration, samples: tuple[PhaseSample, ...], snapshot: Snapshot) -> tuple[PhaseSample, ...]:
    """Return the history of the grid's phases, while there is somebody to learn about."""
    if config.phases != 3 or all(charger.rotation is not None for charger in config.chargers):
        return ()
    grid = snapshot.grid
    if grid is None or (samples and grid.at <= samples[-1].at):
        return samples
    currents = complete(grid.currents_a, 3)
    if currents is None:
        return samples
    kept = (old for old in samples if grid.at - old.at <= BEFORE + AT_REST)
    return (*kept, PhaseSample(at=grid.at, currents_a=currents))


def learn(config: Configuration, state: ControlState, snapshot: Snapshot) -> Mapping[str, ChargerState]:
    """Return the states of the chargers with what the last change of their currents says about their phase."""
    unknown = [charger for charger in config.chargers if charger.rotation is None]
    if not unknown or config.phases != 3 or not state.phases:
        return state.chargers
    latest = state.phases[-1]
    earlier = [sample for sample in state.phases if BEFORE - AT_REST <= latest.at - sample.at <= BEFORE]
    recent = [sample for sample in state.phases if latest.at - sample.at <= AT_REST]
    if not earlier or len(recent) < 2:
        return state.chargers
    change = _steady_change(earlier, recent)
    if change is None:
        return state.chargers
    chargers = dict(state.chargers)
    for charger in unknown:
        own = chargers[charger.charger_id]
        reading = snapshot.chargers.get(charger.charger_id)
        if reading is None or not reading.online or _only_first(reading.currents_a) is False:
            continue
        if own.voted_at is not None and latest.at - own.voted_at < BEFORE + AT_REST:
            continue
        step = _step(state.draws.get(charger.charger_id, ()), earlier[0].at, earlier[-1].at, recent[0].at, latest.at)
        if step is None or abs(step) < STEP_A or not _others_rest(state, charger.charger_id, earlier[0].at, latest.at):
            continue
        lines = [line for line in range(3) if abs(change[line] - step) <= TOLERANCE_A]
        still = [line for line in range(3) if abs(change[line]) <= TOLERANCE_A]
        if len(lines) == 1 and len(still) == 2:
            chargers[charger.charger_id] = _vote(own, lines[0], latest.at)
    return chargers


def known(state: ControlState, charger_id: str, line: int) -> ControlState:
    """Return the state in which the grid phase (0..2) of a charger's own L1 is known; changes that differ undo it."""
    own = replace(state.chargers[charger_id], first_line=line, line_votes=(line,) * VOTES)
    return replace(state, chargers={**state.chargers, charger_id: own})


def _only_first(currents_a: tuple[float | None, float | None, float | None]) -> bool:
    """Return whether the car draws from the charger's own L1 alone, or not at all."""
    return all((current or 0.0) <= DRAWING_A for current in currents_a[1:])


def _steady_change(earlier: list[PhaseSample], recent: list[PhaseSample]) -> Three | None:
    """Return how much every phase changed, None while one of them does not rest."""
    for samples in (earlier, recent):
        for line in range(3):
            values = [sample.currents_a[line] for sample in samples]
            if max(values) - min(values) > TOLERANCE_A:
                return None
    before, after = earlier[-1].currents_a, recent[-1].currents_a
    return (after[0] - before[0], after[1] - before[1], after[2] - before[2])


def _step(draws: Sequence[DrawSample], *times: float) -> float | None:
    """Return the change of a charger's current between two rests, None where it did not rest."""
    drawn = [draw_at(draws, at) for at in times]
    amps = [max(sample.currents_a) for sample in drawn if sample is not None]
    if len(amps) < len(times) or abs(amps[1] - amps[0]) > DRAWING_A or abs(amps[3] - amps[2]) > DRAWING_A:
        return None
    return amps[3] - amps[0]


def _others_rest(state: ControlState, charger_id: str, begin: float, end: float) -> bool:
    """Return whether no other charger changed meanwhile."""
    for key, draws in state.draws.items():
        if key == charger_id:
            continue
        about = [sample.currents_a for sample in draws if begin <= sample.at <= end]
        if about and any(max(line) - min(line) > DRAWING_A for line in zip(*about, strict=True)):
            return False
    return True


def _vote(state: ChargerState, line: int, at: float) -> ChargerState:
    votes = (*state.line_votes, line)[-VOTES:]
    agreed = len(votes) == VOTES and len(set(votes)) == 1
    keeps = state.first_line == line
    return replace(state, line_votes=votes, voted_at=at, first_line=line if agreed or keeps else None)
