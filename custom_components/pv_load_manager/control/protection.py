"""How much current our chargers may draw together on each phase, whatever they want it for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from .electrics import NOTHING, add, higher, lower, subtract
from .model import CircuitConfig, Configuration, GridReading, Three
from .state import ControlState


class Stage(IntEnum):
    """How far the protection meter can be trusted."""

    FRESH = 0
    STALE = 1
    """Decreases only."""
    FALLBACK = 2
    """All chargers together at most the fallback current, and never more than now."""
    DEAD = 3
    """Only the fallback current."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """What the chargers of the house may draw together, per grid phase in A."""

    stage: Stage
    now_a: Three
    """Binding at once: whatever exceeds it is cut in the same step."""
    lasting_a: Three
    """What was there for the whole recovery time: increases count on this."""
    fuse_a: Three
    """The part of ``now_a`` that comes from the circuit alone, without the user's own caps."""
    house_a: Three | None
    """What the house itself draws, for the explanation."""
    target_a: float
    """What the circuit may carry, after reserve and margin."""
    meter_age_s: float | None


def fuse_target(circuit: CircuitConfig) -> float:
    """Return the current per phase in A up to which a circuit may be filled.

    A breaker carries 1.4 times its rating for the seconds that a cut takes, so the largest consumer may start into that
    reserve (DESIGN.md 3.1, the rule of WARP's dynamic load management).
    """
    limit = circuit.limit_a
    reserve = min(1.4 * limit - circuit.largest_consumer_a, limit)
    return min(max(reserve, 0.0), limit) * (1.0 - circuit.safety_margin)


def stage(config: Configuration, state: ControlState, grid: GridReading | None, now: float) -> tuple[Stage, float]:
    """Return how far the meter can be trusted, and its age in s.

    A meter that is slow by nature is not lost before it is stale.
    Before the first value the age counts from the start, so that a restart does not stop anybody.
    """
    timings = config.timings
    sampled = state.house[-1].at if state.house else None
    age = now - (sampled if sampled is not None else state.started_at)
    cadence = grid.cadence_s if grid is not None and grid.cadence_s is not None else 0.0
    patience = max(timings.protection_stale, 2.5 * cadence)
    if age > max(timings.protection_dead, patience):
        return Stage.DEAD, age
    if age > max(timings.protection_fallback, patience):
        return Stage.FALLBACK, age
    if age > patience or sampled is None:
        return Stage.STALE, age
    return Stage.FRESH, age


def room(
    config: Configuration,
    circuit: CircuitConfig,
    state: ControlState,
    grid: GridReading | None,
    present: Mapping[str, Three],
    now: float,
) -> Room:
    """Return the room under the house connection.

    Args:
        config: the configuration.
        circuit: the house connection.
        state: the state, the current snapshot taken in.
        grid: the last reading of the grid meter.
        present: what every charger can draw now, per grid phase in A.
        now: monotonic seconds.
    """
    caps = min(config.strategy.available_current_a, config.strategy.maximum_total_current_a)
    target = fuse_target(circuit)
    if not circuit.metered:
        fuse = _flat(target)
        total = lower(fuse, _flat(caps))
        return Room(
            stage=Stage.FRESH,
            now_a=total,
            lasting_a=total,
            fuse_a=fuse,
            house_a=None,
            target_a=target,
            meter_age_s=None,
        )
    trust, age = stage(config, state, grid, now)
    latest = state.house[-1] if state.house else None
    fuse = _fuse_room(circuit, trust, latest.least_a if latest is not None else None, target, _sum(present.values()))
    total = lower(fuse, _flat(caps))
    lasting = total
    for sample in state.house:
        if now - sample.at <= config.timings.recover:
            lasting = lower(lasting, _under(circuit, subtract(_flat(target), sample.currents_a)))
    return Room(
        stage=trust,
        now_a=total,
        lasting_a=lasting,
        fuse_a=fuse,
        house_a=latest.currents_a if latest is not None else None,
        target_a=target,
        meter_age_s=age,
    )


def _fuse_room(circuit: CircuitConfig, trust: Stage, house: Three | None, target: float, present: Three) -> Three:
    if trust is Stage.DEAD:
        return _flat(min(circuit.fallback_a, circuit.limit_a))
    if trust is Stage.FALLBACK:
        return lower(present, _flat(circuit.fallback_a))
    if house is None:
        return lower(present, _flat(target))
    measured = _under(circuit, subtract(_flat(target), house))
    return lower(present, measured) if trust is Stage.STALE else measured


def _under(circuit: CircuitConfig, free: Three) -> Three:
    """Room that comes from the roof's export never exceeds what the circuit may carry without sun."""
    return higher(NOTHING, lower(free, _flat(circuit.limit_a)))


def _flat(current_a: float) -> Three:
    return (current_a, current_a, current_a)


def _sum(values: Iterable[Three]) -> Three:
    total = NOTHING
    for value in values:
        total = add(total, value)
    return total
