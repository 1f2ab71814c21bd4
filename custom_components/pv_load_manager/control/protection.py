"""How much current our chargers may draw together on each phase of each circuit, whatever they want it for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache
from math import inf
from typing import NamedTuple

from .circuits import LimitKind, Tree, fuse_target, target
from .electrics import NOTHING, higher, lower, subtract
from .filling import EPSILON
from .model import NOMINAL_VOLTAGE, CircuitConfig, Configuration, GridReading, Snapshot, Three
from .state import ControlState, HouseSample

SAMPLE = 2.0  # s between two values of the usual meter
UNLIMITED_W = 1e7  # W; more than any house has


class Stage(IntEnum):
    """How far the protection meter can be trusted."""

    FRESH = 0
    STALE = 1
    """Decreases only."""
    FALLBACK = 2
    """All chargers together at most the fallback current, and never more than now."""
    DEAD = 3
    """Only the fallback current."""


class Room(NamedTuple):
    """What the chargers below one circuit may draw together."""

    circuit_id: str
    stage: Stage
    now_a: Three
    """Per grid phase in A, binding at once: whatever exceeds it is cut in the same step."""
    lasting_a: Three
    """What was there for the whole recovery time: increases count on this."""
    fuse_a: Three
    """The part of ``now_a`` that comes from the circuit alone, without the user's own caps."""
    rated_a: Three
    """The same without what somebody allows the circuit for now: what its fuse leaves."""
    power_w: float | None
    """What they may draw in W, where the circuit has a limit of power."""
    lasting_w: float | None
    """What of that was there for the whole recovery time."""
    fuse_w: float | None
    """The part of ``power_w`` that comes from the circuit alone."""
    imbalance_a: float | None
    house_a: Three | None
    """What everything else on the circuit draws, for the explanation."""
    target_a: float
    """What the circuit may carry, after reserve and margin."""
    meter_age_s: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rooms:
    """What all chargers may draw together, by limit of the tree, in A or W."""

    now: Sequence[float]
    lasting: Sequence[float]
    """What increases may count on."""
    fuse: Sequence[float]
    """What a measured circuit has, whatever the user allows; without end where it is not known."""


def stage(
    config: Configuration,
    circuit: CircuitConfig,
    samples: Sequence[HouseSample],
    started_at: float,
    meter: GridReading | None,
    now: float,
) -> tuple[Stage, float]:
    """Return how far the meter of a circuit can be trusted, and its age in s.

    A meter that is slow by nature is not lost before it is stale.
    Before the first value the age counts from the start, so that a restart does not stop anybody.
    """
    timings = config.timings
    age = now - (samples[-1].at if samples else started_at)
    cadence = meter.cadence_s if meter is not None and meter.cadence_s is not None else 0.0
    patience = circuit.meter_max_age_s or max(timings.protection_stale, 2.5 * cadence)
    if age > max(timings.protection_dead, patience):
        return Stage.DEAD, age
    if age > max(timings.protection_fallback, patience):
        return Stage.FALLBACK, age
    if age > patience or not samples:
        return Stage.STALE, age
    return Stage.FRESH, age


def rooms(
    config: Configuration,
    tree: Tree,
    state: ControlState,
    snapshot: Snapshot,
    present: Sequence[Three],
    now: float,
    *,
    cap_w: float | None = None,
) -> tuple[Room, ...]:
    """Return the room under every circuit of the tree.

    Args:
        config: the configuration.
        tree: its circuits.
        state: the state, the current snapshot taken in.
        snapshot: the last readings.
        present: what the chargers below each circuit can draw now, per grid phase in A.
        now: monotonic seconds.
        cap_w: what all chargers together may draw in W, where the tree has a limit for that; None = no limit.
    """
    caps = min(config.strategy.available_current_a, config.strategy.maximum_total_current_a)
    found = []
    for circuit, drawn in zip(tree.circuits, present, strict=True):
        room = static_room(circuit)
        if circuit.metered:
            room = _metered_room(room, config, circuit, state, meter_of(snapshot, circuit), drawn, now)
        if circuit.parent_id is None:
            cap = _flat(caps)
            room = room._replace(
                now_a=lower(room.now_a, cap),
                lasting_a=lower(room.lasting_a, cap),
                power_w=_lower_power(room.power_w, cap_w),
                lasting_w=_lower_power(room.lasting_w, cap_w),
            )
        found.append(room)
    return tuple(found)


@lru_cache(maxsize=1024)
def static_room(circuit: CircuitConfig) -> Room:
    """Return the room under a circuit as far as nobody measures it: always the same."""
    limit = target(circuit)
    room = _flat(limit)
    return Room(
        circuit_id=circuit.circuit_id,
        stage=Stage.FRESH,
        now_a=room,
        lasting_a=room,
        fuse_a=room,
        rated_a=_flat(fuse_target(circuit)),
        power_w=circuit.limit_w,
        lasting_w=circuit.limit_w,
        fuse_w=circuit.limit_w,
        imbalance_a=circuit.imbalance_a,
        house_a=None,
        target_a=limit,
        meter_age_s=None,
    )


def meter_of(snapshot: Snapshot, circuit: CircuitConfig) -> GridReading | None:
    """Return the last reading of a circuit's own meter."""
    return snapshot.grid if circuit.parent_id is None else snapshot.circuits.get(circuit.circuit_id)


def _metered_room(
    static: Room,
    config: Configuration,
    circuit: CircuitConfig,
    state: ControlState,
    meter: GridReading | None,
    present: Three,
    now: float,
) -> Room:
    """Return what the meter of a circuit leaves of its room."""
    samples = state.house.get(circuit.circuit_id, ())
    trust, age = stage(config, circuit, samples, state.started_at, meter, now)
    house = _house(config, circuit, state, samples) if samples else None
    fuse = lasting = rated = _fuse_room(circuit, trust, house, static.target_a, present)
    if circuit.demand_limit_a is not None:
        rated = _fuse_room(replace(circuit, demand_limit_a=None), trust, house, static.rated_a[0], present)
    power = lasting_w = circuit.limit_w
    if house is not None:
        recover, volts, limit = config.timings.recover, _volts(meter), _flat(static.target_a)
        recent = [sample.currents_a for sample in samples if now - sample.at <= recover]
        for currents in recent:
            lasting = lower(lasting, _under(circuit, subtract(limit, currents)))
        if circuit.limit_w is not None:
            power = _power_left(circuit.limit_w, house, volts)
            lasting_w = min([power, *(_power_left(circuit.limit_w, currents, volts) for currents in recent)])
        first = samples[0].at
        if samples[-1].at - first < recover and first - state.started_at > config.timings.protection_fallback:
            lasting = lower(lasting, present)  # the meter is just back from a silence: one value is no lasting room
    return static._replace(
        stage=trust,
        now_a=fuse,
        lasting_a=lasting,
        fuse_a=fuse,
        rated_a=rated,
        power_w=power,
        lasting_w=lasting_w,
        fuse_w=power,
        house_a=samples[-1].currents_a if samples else None,
        meter_age_s=age,
    )


def _house(config: Configuration, circuit: CircuitConfig, state: ControlState, samples: Sequence[HouseSample]) -> Three:
    """Return what the rest of the circuit is believed to draw now.

    A car that ramps looks like a load of the house as long as meter and charger are apart in time; what looks like one
    for longer is one. Where the circuit carries too much although nothing is on its way down, nobody asks who it is.
    """
    latest, lag = samples[-1], config.timings.meter_lag
    lasting, begin = latest.currents_a, latest.at
    for sample in reversed(samples):
        if latest.at - sample.at > lag + SAMPLE:
            break
        lasting, begin = lower(lasting, sample.currents_a), sample.at
    house = higher(latest.least_a, lasting) if latest.at - begin >= lag else latest.least_a
    lowered = state.lowered_at
    if lowered is not None and latest.at - lowered < lag + SAMPLE:
        return house
    over = [total > circuit.allowed_a + EPSILON for total in latest.total_a]
    return (
        max(house[0], latest.currents_a[0]) if over[0] else house[0],
        max(house[1], latest.currents_a[1]) if over[1] else house[1],
        max(house[2], latest.currents_a[2]) if over[2] else house[2],
    )


def _lower_power(power_w: float | None, cap_w: float | None) -> float | None:
    if power_w is None or cap_w is None:
        return power_w if cap_w is None else cap_w
    return min(power_w, cap_w)


def _power_left(limit_w: float, house_a: Three, volts: float) -> float:
    """Return what is left of a limit of power; what the roof exports gives no more than the limit."""
    return max(0.0, min(limit_w, limit_w - sum(house_a) * volts))


def _volts(meter: GridReading | None) -> float:
    known = [volts for volts in meter.voltages_v if volts] if meter is not None else []
    return sum(known) / len(known) if known else NOMINAL_VOLTAGE


def capacities(tree: Tree, found: Sequence[Room]) -> Rooms:
    """Return what all chargers may draw together, by limit of the tree."""
    now: list[float] = []
    lasting: list[float] = []
    fuse: list[float] = []
    by_id = {room.circuit_id: room for room in found}
    for limit in tree.limits:
        room = by_id[limit.circuit_id]
        measured = room.house_a is not None and room.stage is Stage.FRESH
        if limit.kind is LimitKind.CURRENT:
            now.append(room.now_a[limit.line])
            lasting.append(room.lasting_a[limit.line])
            fuse.append(room.rated_a[limit.line] if measured else inf)
        elif limit.kind is LimitKind.POWER:
            now.append(UNLIMITED_W if room.power_w is None else room.power_w)
            lasting.append(UNLIMITED_W if room.lasting_w is None else room.lasting_w)
            fuse.append(room.fuse_w if measured and room.fuse_w is not None else inf)
        else:
            now.append(room.imbalance_a or 0.0)
            lasting.append(room.imbalance_a or 0.0)
            fuse.append(inf)
    return Rooms(now=now, lasting=lasting, fuse=fuse)


def _fuse_room(circuit: CircuitConfig, trust: Stage, house: Three | None, limit: float, present: Three) -> Three:
    if trust is Stage.DEAD:
        return _flat(min(circuit.fallback_a, circuit.allowed_a))
    if trust is Stage.FALLBACK:
        return lower(present, _flat(min(circuit.fallback_a, circuit.allowed_a)))
    if house is None:
        return lower(present, _flat(limit))
    measured = _under(circuit, subtract(_flat(limit), house))
    return lower(present, measured) if trust is Stage.STALE else measured


def _under(circuit: CircuitConfig, free: Three) -> Three:
    """Room that comes from the roof's export never exceeds what the circuit may carry without sun."""
    return higher(NOTHING, lower(free, _flat(circuit.allowed_a)))


def _flat(current_a: float) -> Three:
    return (current_a, current_a, current_a)
