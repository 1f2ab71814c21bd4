"""The tree of circuits, and the limits that its branches set to the chargers on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Self

from .model import CircuitConfig


class LimitKind(IntEnum):
    """What a limit limits."""

    CURRENT = 0
    """Current on one phase, in A."""
    POWER = 1
    """Power of all phases, in W."""
    IMBALANCE = 2
    """Current on one phase of chargers that do not load all three alike, in A."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """One limit that the chargers below a circuit share."""

    circuit_id: str
    kind: LimitKind
    line: int = 0
    """The grid phase (0..2); 0 for a power."""


def fuse_target(circuit: CircuitConfig) -> float:
    """Return the current per phase in A up to which a circuit may be filled.

    A breaker carries 1.4 times its rating for the seconds that a cut takes, so the largest consumer may start into that
    reserve (DESIGN.md 3.1, the rule of WARP's dynamic load management).
    """
    limit = circuit.limit_a
    reserve = min(1.4 * limit - circuit.largest_consumer_a, limit)
    return min(max(reserve, 0.0), limit) * (1.0 - circuit.safety_margin)


def target(circuit: CircuitConfig) -> float:
    """Return up to what current per phase in A a circuit may be filled for now."""
    rated = fuse_target(circuit)
    return rated if circuit.demand_limit_a is None else min(rated, circuit.demand_limit_a)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """The circuits that hang on the house connection, parents before their children."""

    circuits: tuple[CircuitConfig, ...]
    chains: Mapping[str, tuple[int, ...]]
    """By circuit id: the indices of the circuit and of all above it, up to the house connection."""
    targets: tuple[float, ...]
    """Up to what each circuit may be filled, in A per phase."""
    limits: tuple[Limit, ...]
    first: tuple[tuple[int, int | None, int | None], ...]
    """By circuit: the index of its first current limit, of its power limit, of its first imbalance limit."""
    _bounds: dict[object, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict, compare=False)

    @classmethod
    @lru_cache(maxsize=8)  # it changes when somebody configures something, and is asked for in every step
    def of(cls, circuits: tuple[CircuitConfig, ...], *, power_capped: bool = False) -> Self:
        """Return the tree; a circuit in a loop, or whose parent does not exist, is left out.

        Args:
            circuits: all circuits.
            power_capped: whether the power of all chargers together may be limited, too.
        """
        by_id = {circuit.circuit_id: circuit for circuit in reversed(circuits)}
        roots = [circuit for circuit in circuits if circuit.parent_id is None]
        # Without a configured connection nothing is known to be safe.
        order = [roots[0] if roots else CircuitConfig(limit_a=0.0)]
        chains: dict[str, tuple[int, ...]] = {order[0].circuit_id: (0,)}
        waiting = [circuit for circuit in by_id.values() if circuit.circuit_id not in chains]
        while fed := [circuit for circuit in waiting if circuit.parent_id in chains]:
            for circuit in fed:
                chains[circuit.circuit_id] = (len(order), *chains[circuit.parent_id or ""])
                order.append(circuit)
            waiting = [circuit for circuit in waiting if circuit.circuit_id not in chains]
        limits: list[Limit] = []
        first = []
        for circuit in order:
            current = len(limits)
            limits += [Limit(circuit_id=circuit.circuit_id, kind=LimitKind.CURRENT, line=line) for line in range(3)]
            power = imbalance = None
            if circuit.limit_w is not None or (power_capped and circuit is order[0]):
                power = len(limits)
                limits.append(Limit(circuit_id=circuit.circuit_id, kind=LimitKind.POWER))
            if circuit.imbalance_a is not None:
                imbalance = len(limits)
                limits += [
                    Limit(circuit_id=circuit.circuit_id, kind=LimitKind.IMBALANCE, line=line) for line in range(3)
                ]
            first.append((current, power, imbalance))
        return cls(
            circuits=tuple(order),
            chains=chains,
            targets=tuple(target(circuit) for circuit in order),
            limits=tuple(limits),
            first=tuple(first),
        )

    def bounds(
        self, circuit_id: str, lines: tuple[int, ...], *, balanced: bool
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the indices of the limits in A and of those in W that a charger counts against.

        Args:
            circuit_id: its circuit.
            lines: the grid phases (0..2) it loads, or may load where its phase rotation is not known.
            balanced: whether it loads all three phases alike.
        """
        key = (circuit_id, lines, balanced)
        found = self._bounds.get(key)
        if found is None:
            amps: list[int] = []
            watts: list[int] = []
            for index in self.chains[circuit_id]:
                current, power, imbalance = self.first[index]
                amps += [current + line for line in lines]
                if power is not None:
                    watts.append(power)
                if imbalance is not None and not balanced:
                    amps += [imbalance + line for line in lines]
            found = self._bounds[key] = (tuple(amps), tuple(watts))
        return found
