"""Circuits: cables with a limit, what flows through them, and for how long it was too much."""

from collections.abc import Iterable, Sequence
import math

from .charger import Charger
from .config import CircuitConfig, HomeConfig, PhaseValues

HOUSE_CONNECTION = "house"
"""Name of the circuit that everything is behind."""

_ROUNDING_A = 1e-6


class Circuit:
    """One circuit with its present values.

    Attributes:
        config: What it was built from.
        load_w: Its own load per phase, W; may be set at any time.
        load_a: The same as a current per phase, A; counts in addition to `load_w`.
        watts: Everything behind it per phase, import +, W.
        currents: Everything behind it per phase, import +, A.
        over_s: How long each phase was above the limit, s.
        over_as: By how much: the integral of the current above the limit per phase, A*s.
        peak_a: Highest current so far on any phase, A.
    """

    def __init__(self, config: CircuitConfig, parent: Circuit | None = None) -> None:
        self.config = config
        self.parent = parent
        self.load_w = config.load_w
        self.load_a = config.load_a
        self.watts = [0.0, 0.0, 0.0]
        self.currents: PhaseValues = (0.0, 0.0, 0.0)
        self.reset()

    @property
    def name(self) -> str:
        """Its name."""
        return self.config.name

    @property
    def power_w(self) -> float:
        """Everything behind it, import +, W."""
        return sum(self.watts)

    @property
    def meter(self) -> PhaseValues | None:
        """What its meter shows per phase, import +, A; None where nobody measures."""
        return self.currents if self.config.metered else None

    def reset(self) -> None:
        """Forget how long it was above its limit."""
        self.over_s = [0.0, 0.0, 0.0]
        self.over_as = [0.0, 0.0, 0.0]
        self.peak_a = 0.0

    def own_load(self, voltages: PhaseValues) -> PhaseValues:
        """Return its own load per phase, W, without its part of the household."""
        first, second, third = (
            watts + amps * volts for watts, amps, volts in zip(self.load_w, self.load_a, voltages, strict=True)
        )
        return first, second, third

    def measure(self, voltages: PhaseValues) -> None:
        """Turn the power on the phases into currents."""
        first, second, third = (
            watts / volts if volts else 0.0 for watts, volts in zip(self.watts, voltages, strict=True)
        )
        self.currents = (first, second, third)

    def count(self, dt: float) -> None:
        """Count `dt` seconds of the present currents as a fuse sees them: whatever their direction."""
        limit = math.inf if self.config.limit_a is None else self.config.limit_a
        for phase, current in enumerate(self.currents):
            strength = abs(current)
            self.peak_a = max(self.peak_a, strength)
            if strength > limit + _ROUNDING_A:
                self.over_s[phase] += dt
                self.over_as[phase] += (strength - limit) * dt


class CircuitTree:
    """All circuits of a home and the chargers on them.

    Attributes:
        by_name: Every circuit, the house connection first, parents before what they feed.
    """

    def __init__(self, config: HomeConfig, chargers: Sequence[Charger]) -> None:
        _check(config)
        self._root = Circuit(CircuitConfig(name=HOUSE_CONNECTION, limit_a=config.main_fuse_a))
        self.by_name = {HOUSE_CONNECTION: self._root}
        for circuit in _parents_first(config.circuits):
            self.by_name[circuit.name] = Circuit(circuit, self.by_name[circuit.parent or HOUSE_CONNECTION])
        self._places = [(charger, self._at("a charger", charger.config.circuit)) for charger in chargers]
        self._source = self._at("the inverter", config.inverter.circuit if config.inverter else None)
        shares = [(circuit, circuit.config.house_share) for circuit in self.by_name.values()]
        rest = 1.0 - sum(share for _, share in shares)
        self._household = [(self._root, rest), *((circuit, share) for circuit, share in shares if share)]

    def chargers(self, name: str) -> list[Charger]:
        """Return the chargers that hang on a circuit itself."""
        return [charger for charger, circuit in self._places if circuit.name == name]

    def own_loads(self, voltages: PhaseValues) -> PhaseValues:
        """Return what the circuits draw besides chargers and household, per phase, W."""
        total = [0.0, 0.0, 0.0]
        for circuit in self.by_name.values():
            _add(total, circuit.own_load(voltages))
        return total[0], total[1], total[2]

    def measure(self, voltages: PhaseValues, household: PhaseValues, inverter: PhaseValues) -> None:
        """Work out what flows through every circuit."""
        for circuit in self.by_name.values():
            circuit.watts = list(circuit.own_load(voltages))
        for circuit, share in self._household:
            _add(circuit.watts, household, share)
        _add(self._source.watts, inverter, -1.0)
        for charger, circuit in self._places:
            for own, grid_phase in enumerate(charger.config.rotation):
                circuit.watts[grid_phase - 1] += charger.voltages[own] * charger.currents[own]
        for circuit in reversed(self.by_name.values()):
            circuit.measure(voltages)
            if circuit.parent is not None:
                _add(circuit.parent.watts, circuit.watts)

    def count(self, dt: float) -> None:
        """Let every circuit count `dt` seconds of its present currents."""
        for circuit in self.by_name.values():
            circuit.count(dt)

    def _at(self, what: str, name: str | None) -> Circuit:
        circuit = self.by_name.get(name or HOUSE_CONNECTION)
        if circuit is None:
            raise ValueError(f"{what} is on an unknown circuit: {name}")
        return circuit


def _add(total: list[float], values: Iterable[float], factor: float = 1.0) -> None:
    for phase, value in enumerate(values):
        total[phase] += value * factor


def _check(config: HomeConfig) -> None:
    """Raise ValueError for circuits that cannot be."""
    names = [circuit.name for circuit in config.circuits]
    for name in names:
        if not name or name == HOUSE_CONNECTION:
            raise ValueError(f"a circuit needs a name other than {HOUSE_CONNECTION!r}: {name!r}")
        if names.count(name) > 1:
            raise ValueError(f"more than one circuit is called {name}")
    limits = [(circuit.name, circuit.limit_a) for circuit in config.circuits]
    for name, limit in [(HOUSE_CONNECTION, config.main_fuse_a), *limits]:
        if limit is not None and not 0 < limit < math.inf:
            raise ValueError(f"the limit of circuit {name} is not above 0 A: {limit}")
    shares = [circuit.house_share for circuit in config.circuits]
    if any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise ValueError("the circuits' shares of the household are not from 0 to 1 in total")
    for circuit in config.circuits:
        check_load(config.phases, circuit.load_w)
        check_load(config.phases, circuit.load_a)


def check_load(phases: int, load: PhaseValues) -> None:
    """Raise ValueError for a load on a phase that the home does not have."""
    if phases == 1 and any(load[1:]):
        raise ValueError("a home with one phase has loads on L1 only")


def _parents_first(circuits: Sequence[CircuitConfig]) -> list[CircuitConfig]:
    """Sort circuits so that each comes after what feeds it."""
    waiting = {circuit.name: circuit for circuit in circuits}
    for circuit in circuits:
        if circuit.parent not in {None, HOUSE_CONNECTION, *waiting}:
            raise ValueError(f"circuit {circuit.name} has an unknown parent: {circuit.parent}")
    ordered: list[CircuitConfig] = []
    while waiting:
        ready = [circuit for circuit in waiting.values() if circuit.parent not in waiting]
        if not ready:
            raise ValueError(f"circuits feed each other in a loop: {', '.join(waiting)}")
        ordered += ready
        for circuit in ready:
            del waiting[circuit.name]
    return ordered
