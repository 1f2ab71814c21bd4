"""What the chargers may draw together on every limit of the tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from .circuits import LimitKind, Tree
from .electrics import NOTHING, voltage
from .filling import EPSILON
from .model import NOMINAL_VOLTAGE, ChargerConfig, Configuration, Snapshot, Three


@dataclass(kw_only=True, slots=True)
class Load:
    """What the chargers may draw together, by limit of the tree; kept up to date while commands are made."""

    tree: Tree
    drawn: dict[str, Three] = field(default_factory=dict)
    """By charger, per grid phase in A."""
    totals: list[float] = field(default_factory=list)
    """By limit, in A or W; nothing for an imbalance, which may be too large for the seconds of a change."""
    volts: Mapping[str, float] = field(default_factory=dict)
    """By charger, where powers are limited; nominal where one is not named."""

    @classmethod
    def of(cls, config: Configuration, tree: Tree, drawn: Mapping[str, Three], snapshot: Snapshot) -> Load:
        """Return the load of all chargers."""
        volts = {}
        if any(power is not None for _, power, _ in tree.first):
            volts = {key: voltage(snapshot.chargers.get(key), snapshot.grid) for key in drawn}
        load = cls(tree=tree, totals=[0.0] * len(tree.limits), volts=volts)
        for charger in config.chargers:
            load.set(charger, drawn[charger.charger_id])
        return load

    def empty(self) -> Load:
        """Return the load of nobody in the same house."""
        return Load(tree=self.tree, totals=[0.0] * len(self.totals), volts=self.volts)

    def set(self, charger: ChargerConfig, drawn: Three) -> None:
        """Take over what one charger may draw."""
        before = self.drawn.get(charger.charger_id, NOTHING)
        if drawn == before:
            return
        self.drawn[charger.charger_id] = drawn
        one, two, three = drawn[0] - before[0], drawn[1] - before[1], drawn[2] - before[2]
        totals = self.totals
        for index in self.tree.chains.get(charger.circuit_id, (0,)):
            current, power, _ = self.tree.first[index]
            totals[current] += one
            totals[current + 1] += two
            totals[current + 2] += three
            if power is not None:
                totals[power] += (one + two + three) * self.volts.get(charger.charger_id, NOMINAL_VOLTAGE)

    def circuit(self, index: int) -> Three:
        """Return the total of one circuit per grid phase in A."""
        current = self.tree.first[index][0]
        return (self.totals[current], self.totals[current + 1], self.totals[current + 2])

    def free(
        self, key: str, bounds: Sequence[int], power_bounds: Sequence[int], room: Sequence[float], watts_per_amp: float
    ) -> float:
        """Return what one charger may draw per phase beside all others, in A."""
        own, limits = self.drawn.get(key, NOTHING), self.tree.limits
        least = inf
        for bound in bounds:
            limit = limits[bound]
            if limit.kind is LimitKind.CURRENT:
                least = min(least, room[bound] - self.totals[bound] + own[limit.line])
        for bound in power_bounds:
            mine = sum(own) * self.volts.get(key, NOMINAL_VOLTAGE)
            least = min(least, (room[bound] - self.totals[bound] + mine) / watts_per_amp)
        return least

    def over(self, room: Sequence[float]) -> frozenset[int]:
        """Return the limits that the chargers may exceed together."""
        return frozenset(
            index for index, (total, free) in enumerate(zip(self.totals, room, strict=True)) if total > free + EPSILON
        )
