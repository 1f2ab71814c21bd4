"""Random installations for the tests of the allocation: circuits, chargers on them, and who asks for what."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import inf
import os
from random import Random

from hypothesis import HealthCheck, settings, strategies as st
import numpy as np

from custom_components.pv_load_manager.control import ROOT_CIRCUIT, CircuitConfig
from custom_components.pv_load_manager.control.allocation import Claim, Kind
from custom_components.pv_load_manager.control.circuits import LimitKind, Tree

from .lexicographic import Problem, minimums

FACTOR = int(os.environ.get("PVLM_EXAMPLES", "1"))
"""More examples, each time others: 25 makes 10,000 of 400. The test run itself is always the same."""
DEPTH = 4
LOADS = [(0.0, 0.0), (0.0, 0.2), (0.1, 0.0), (0.1, 0.0), (0.35, 0.0), (0.35, 0.1), (0.5, 0.2), (1.1, 0.0)]
"""What other loads take of a limit, and what they gave free just now, as shares of it."""
ROTATIONS = list(permutations((0, 1, 2)))
KINDS = [tuple(Kind), (Kind.FAST,), (Kind.SURPLUS,), (Kind.GUARANTEED, Kind.SURPLUS), (Kind.FAST, Kind.SURPLUS)]
PRIORITIES = [(0,), (0, 0, 0, 1), (0, 1, 2, -3)]


def checked(examples: int) -> settings:
    """Return the settings of one property."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        database=None,
        derandomize=FACTOR == 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


type Key = tuple[str, LimitKind, int]
"""A limit: its circuit, what it limits, and the grid phase (0 for a power)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """One installation at one moment."""

    circuits: tuple[CircuitConfig, ...]
    claims: tuple[Claim, ...]
    wires: tuple[tuple[int, ...], ...]
    """The grid phases that each charger really loads, whatever is known of them."""
    room: dict[Key, float]
    lasting: dict[Key, float]
    surplus_w: float | None
    tree: Tree

    def path(self, circuit_id: str | None) -> Iterator[CircuitConfig]:
        """Walk from a circuit up to the house connection."""
        by_id = {circuit.circuit_id: circuit for circuit in self.circuits}
        while circuit_id is not None:
            yield by_id[circuit_id]
            circuit_id = by_id[circuit_id].parent_id

    def by_limit(self, values: dict[Key, float]) -> list[float]:
        """Return values in the order of the tree's limits."""
        return [values[limit.circuit_id, limit.kind, limit.line] for limit in self.tree.limits]

    def problem(self) -> Problem:
        """Return what is to be shared, from the circuits as they were drawn and not from the tree."""
        keys = list(self.room)
        weights = np.zeros((len(keys), len(self.claims)))
        for column, claim in enumerate(self.claims):
            above = {circuit.circuit_id for circuit in self.path(claim.circuit_id)}
            for row, (circuit_id, kind, line) in enumerate(keys):
                if circuit_id in above:
                    weights[row, column] = _weight(claim, kind, line)
        return Problem(
            claims=self.claims,
            weights=weights,
            room=np.array([max(0.0, value) for value in self.room.values()]),
            lasting=np.array([self.lasting[key] for key in keys]),
            surplus_w=self.surplus_w,
        )

    def drawn(self, amps: Sequence[int], circuit_id: str) -> Iterator[tuple[Claim, float, tuple[int, ...]]]:
        """Walk the chargers below a circuit with what they draw, and on which grid phases."""
        for claim, current, wires in zip(self.claims, amps, self.wires, strict=True):
            if current and any(circuit.circuit_id == circuit_id for circuit in self.path(claim.circuit_id)):
                yield claim, current + claim.excess_a, wires

    def currents(self, amps: Sequence[int], circuit_id: str) -> list[float]:
        """Return what the chargers below a circuit really draw on each grid phase."""
        result = [0.0, 0.0, 0.0]
        for _, current, wires in self.drawn(amps, circuit_id):
            for line in wires:
                result[line] += current
        return result

    def power(self, amps: Sequence[int], circuit_id: str) -> float:
        """Return what the chargers below a circuit draw in W."""
        return sum(current * claim.watts_per_amp for claim, current, _ in self.drawn(amps, circuit_id))


def _weight(claim: Claim, kind: LimitKind, line: int) -> float:
    if kind is LimitKind.POWER:
        return claim.watts_per_amp
    if line not in claim.lines or (kind is LimitKind.IMBALANCE and claim.watts_per_amp > 600.0):
        return 0.0  # three phases together are more than 600 W per A, and they are alike
    return 1.0


@st.composite
def sites(draw: st.DrawFn) -> Site:
    """Draw an installation: up to twelve circuits in four storeys, up to sixteen chargers.

    What may be made smaller to understand a failure is drawn by hypothesis, the hundreds of numbers by a seed: one by
    one they would all be alike, and ten times slower.
    """
    rng = Random(draw(st.integers(0, 2**32 - 1)))  # noqa: S311, no secret
    circuits = _circuits(rng, draw(st.integers(1, 12)))
    kinds, priorities = draw(st.sampled_from(KINDS)), draw(st.sampled_from(PRIORITIES))
    tree = Tree.of(circuits)
    asking = [_claim(rng, tree, circuits, f"k{index}", kinds, priorities) for index in range(draw(st.integers(1, 16)))]
    room, lasting = _rooms(rng, circuits)
    site = Site(
        circuits=circuits,
        claims=tuple(claim for claim, _ in asking),
        wires=tuple(wires for _, wires in asking),
        room=room,
        lasting=lasting,
        surplus_w=None,
        tree=tree,
    )
    return replace(site, surplus_w=_surplus(rng, site.claims, minimums(site.problem())))


def _circuits(rng: Random, count: int) -> tuple[CircuitConfig, ...]:
    result: list[CircuitConfig] = []
    depth: dict[str | None, int] = {None: 0}
    for index in range(count):
        above = [circuit.circuit_id for circuit in result if depth[circuit.circuit_id] < DEPTH]
        parent = rng.choice(above) if above else None
        name = f"c{index}" if parent is not None else ROOT_CIRCUIT
        depth[name] = depth[parent] + 1
        result.append(
            CircuitConfig(
                circuit_id=name,
                parent_id=parent,
                limit_a=rng.randint(60 if parent is not None else 250, 1000) / 10,
                limit_w=rng.choice([None, None, None, None, 9000.0, 22100.0, 41237.0]),
                imbalance_a=rng.choice([None, None, None, None, None, 16.0, 20.0, 33.3]),
            )
        )
    rng.shuffle(result)
    return tuple(result)


def _rooms(rng: Random, circuits: tuple[CircuitConfig, ...]) -> tuple[dict[Key, float], dict[Key, float]]:
    """Return what is left of every limit, and what was left of it for long enough."""
    room: dict[Key, float] = {}
    lasting: dict[Key, float] = {}
    for circuit in circuits:
        key, loaded = circuit.circuit_id, rng.random() < 0.3
        for line in range(3):
            house, recent = rng.choice(LOADS) if loaded else (0.0, 0.0)
            room[key, LimitKind.CURRENT, line] = circuit.limit_a * (1.0 - house)
            lasting[key, LimitKind.CURRENT, line] = circuit.limit_a * (1.0 - house - recent)
        if circuit.limit_w is not None:
            room[key, LimitKind.POWER, 0] = lasting[key, LimitKind.POWER, 0] = circuit.limit_w
        if circuit.imbalance_a is not None:
            for line in range(3):
                room[key, LimitKind.IMBALANCE, line] = lasting[key, LimitKind.IMBALANCE, line] = circuit.imbalance_a
    return room, lasting


def _claim(
    rng: Random,
    tree: Tree,
    circuits: tuple[CircuitConfig, ...],
    name: str,
    kinds: tuple[Kind, ...],
    priorities: tuple[int, ...],
) -> tuple[Claim, tuple[int, ...]]:
    """Return what one charger asks for, and the grid phases that it really loads."""
    circuit, kind, used = rng.choice(circuits).circuit_id, rng.choice(kinds), rng.choice([1, 1, 2, 3])
    wires = rng.choice(ROTATIONS)[:used]
    lines = wires if rng.random() < 0.85 else (0, 1, 2)  # otherwise nobody knows the rotation
    floor = rng.choice([6, 6, 6, 6, 6, 6, 6, 7, 8, 10, 13, 32])
    cap = rng.choice([16, 32, rng.randint(floor, 32), rng.randint(5, 32)])
    idle = rng.random() < 0.1
    free = idle or kind in {Kind.FAST, Kind.UNTOUCHED}
    bounds, power_bounds = tree.bounds(circuit, lines, balanced=used == 3)
    claim = Claim(
        charger_id=name,
        circuit_id=circuit,
        kind=kind,
        priority=rng.choice(priorities),
        floor_a=floor,
        guaranteed_a=rng.randint(floor, cap) if kind is Kind.GUARANTEED and floor <= cap else 0,
        demand_a=rng.choice([32, rng.randint(0, 32)]),
        cap_a=cap,
        phases=3 if used > 1 else rng.choice([1, 3]),
        lines=lines,
        watts_per_amp=rng.choice([230.0, 226.3, 241.7]) * used,
        present_a=rng.choice([0, rng.randint(0, 32)]),
        excess_a=rng.choice([0.0, 0.0, 0.0, 0.0, 0.4, 2.3]),
        idle=idle,
        used_w=0.0 if free else None,
        bounds=bounds,
        power_bounds=power_bounds,
    )
    return claim, wires


def _surplus(rng: Random, claims: Sequence[Claim], minimum: Sequence[int]) -> float | None:
    """Return a surplus: mostly more than the minimums take, and less than what all could use."""
    if rng.random() < 0.15:
        return rng.choice([None, inf, 0.0, -3000.0])
    paying = [(claim, amps) for claim, amps in zip(claims, minimum, strict=True) if amps and claim.used_w is None]
    least_w = sum(claim.watts_per_amp * amps for claim, amps in paying)
    more_w = sum(claim.watts_per_amp * (claim.cap_a - amps) for claim, amps in paying)
    return least_w + rng.uniform(-0.1, 0.9) * more_w
