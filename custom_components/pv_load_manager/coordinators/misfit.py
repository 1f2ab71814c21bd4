"""Chargers that may be set to more than their circuit carries: pure, nothing of Home Assistant in it."""

from math import floor
from typing import NamedTuple

from ..control import LOWEST_CURRENT, Configuration, Snapshot
from ..control.circuits import Tree


class Misfit(NamedTuple):
    """A charger that will never get what it is set to."""

    charger_id: str
    maximum_a: int
    """What it may draw at most by its own setting, per phase in A."""
    circuit_id: str
    """The weakest circuit that it hangs on."""
    fitting_a: int
    """The highest setting that this circuit carries, in whole A."""


def misfits(config: Configuration, snapshot: Snapshot) -> list[Misfit]:
    """Return the chargers whose maximum current is above the limit of a circuit that feeds them.

    What the installer set is a maximum, too. A circuit that carries too little for any car is an error of its own.
    """
    tree = Tree.of(config.circuits)
    found = []
    for charger in config.chargers:
        reading = snapshot.chargers.get(charger.charger_id)
        installer = reading.installer_limit_a if reading is not None else None
        maximum = min(charger.max_current_a, installer) if installer else charger.max_current_a
        feeding = [tree.circuits[index] for index in tree.chains.get(charger.circuit_id, ())]
        weakest = min(feeding, key=lambda circuit: circuit.limit_a, default=None)
        if weakest is not None and LOWEST_CURRENT < weakest.limit_a < maximum:
            found.append(Misfit(charger.charger_id, maximum, weakest.circuit_id, floor(weakest.limit_a)))
    return found
