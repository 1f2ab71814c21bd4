"""The physics of the virtual home: one energy balance, stepped from outside."""

from dataclasses import dataclass
from datetime import datetime, timedelta
import math

from .battery import Battery
from .charger import Charger
from .circuits import Circuit, CircuitTree
from .config import HomeConfig, InverterConfig, PhaseValues
from .profiles import house_profile, pv_profile

_MAX_STEP_S = 0.5
_NONE: PhaseValues = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """All power flows at one moment. Grid: import +. Battery: discharge +. The rest is >= 0, unless a circuit feeds in.

    On every phase: grid = house + cars - inverter; and inverter = pv + battery in total.

    Attributes:
        at: Home time, s.
        voltages: Per phase, V.
        frequency: Hz.
        pv_w: What the roof gives after curtailment, W.
        throttled: Whether the inverter takes less than the roof could give.
        battery_w: W.
        inverter: AC power of the inverter per phase, W; negative while it charges from the grid.
        house: Household and the circuits' own loads per phase, W.
        cars: Chargers per phase, W.
        grid: Per phase, W.
    """

    at: float
    voltages: PhaseValues
    frequency: float
    pv_w: float
    throttled: bool
    battery_w: float
    inverter: PhaseValues
    house: PhaseValues
    cars: PhaseValues
    grid: PhaseValues

    @property
    def inverter_w(self) -> float:
        """AC power of the inverter, W."""
        return sum(self.inverter)

    @property
    def house_w(self) -> float:
        """Household and the circuits' own loads, without cars, W."""
        return sum(self.house)

    @property
    def cars_w(self) -> float:
        """All chargers, W."""
        return sum(self.cars)

    @property
    def grid_w(self) -> float:
        """At the grid connection, import +, W."""
        return sum(self.grid)

    @property
    def grid_currents(self) -> PhaseValues:
        """At the grid connection per phase, import +, A."""
        first, second, third = (
            watt / volt if volt else 0.0 for watt, volt in zip(self.grid, self.voltages, strict=True)
        )
        return first, second, third


@dataclass(kw_only=True)
class Energies:
    """Lifetime counters, Wh.

    Attributes:
        inverter: AC energy of the inverter.
        imported: From the grid per phase.
        exported: To the grid per phase.
    """

    inverter: float
    imported: list[float]
    exported: list[float]


class Home:
    """The virtual home. Deterministic: the same configuration and steps give the same values.

    Attributes:
        config: What it was built from.
        now: Home time, seconds since the start.
        chargers: In the order of the configuration.
        circuits: Every circuit by its name with its present values; the first one is the house connection.
        battery: The battery, or None.
        flow: The flows at `now`.
        energies: Lifetime counters.
        pv_override_w: Set to a power in W to take the place of the roof's profile; None = profile.
        house_override: Set to W per phase to take the place of the household's profile; None = profile.
    """

    def __init__(self, config: HomeConfig) -> None:
        if config.phases == 1 and any(charger.wired_phases != 1 for charger in config.chargers):
            raise ValueError("a home with one phase needs chargers with wired_phases=1")
        self.config = config
        self.now = 0.0
        self.chargers = tuple(Charger(charger, config.timings) for charger in config.chargers)
        self._tree = CircuitTree(config, self.chargers)
        self.circuits: dict[str, Circuit] = self._tree.by_name
        self.battery = Battery(config.battery) if config.battery else None
        self.energies = Energies(inverter=12_345_678.0, imported=[4e6, 3e6, 2e6], exported=[2.5e6, 2.5e6, 2.5e6])
        self.pv_override_w: float | None = None
        self.house_override: PhaseValues | None = None
        self._pv_profile = pv_profile(config.pv, config.start_at, config.seed)
        self._house_profile = house_profile(config.house, config.start_at, config.seed)
        nominal = config.voltage
        self._voltages: PhaseValues = (nominal,) * 3 if config.phases == 3 else (nominal, 0.0, 0.0)
        household = self._household()
        self.flow = self._balance(self._pv_potential(), household)
        self._tree.measure(self._voltages, household, self.flow.inverter)

    @property
    def local_time(self) -> datetime:
        """The home's wall clock, without a time zone."""
        return datetime.combine(self.config.start_on, self.config.start_at) + timedelta(seconds=self.now)

    def step(self, dt: float) -> Flow:
        """Let `dt` seconds pass and return the flows at their end."""
        remaining = dt
        while remaining > 1e-9:
            part = min(remaining, _MAX_STEP_S)
            self._step(part)
            remaining -= part
        return self.flow

    def chargers_on(self, circuit: str) -> list[Charger]:
        """Return the chargers that hang on a circuit itself, not on one below it."""
        return self._tree.chargers(circuit)

    def charger_voltages(self, charger: Charger) -> PhaseValues:
        """Return the voltage on a charger's own L1, L2, L3, V."""
        wired = charger.config.wired_phases
        first, second, third = (
            self._voltages[grid_phase - 1] if own < wired else 0.0
            for own, grid_phase in enumerate(charger.config.rotation)
        )
        return first, second, third

    def _step(self, dt: float) -> None:
        self.now += dt
        for charger in self.chargers:
            charger.step(dt, self.charger_voltages(charger))
        pv, household = self._pv_potential(), self._household()
        if self.battery is not None and self.config.inverter is not None:
            before = self._balance(pv, household)
            # The battery also wants the sun that finds no way through the inverter.
            wanted = before.grid_w - (pv - before.pv_w)
            self.battery.step(dt, wanted, pv, self.config.inverter.rated_w)
        self.flow = self._balance(pv, household)
        self._tree.measure(self._voltages, household, self.flow.inverter)
        self._tree.count(dt)
        self._count(dt)
        self._sag()

    def _pv_potential(self) -> float:
        if self.config.inverter is None:
            return 0.0
        return max(0.0, self._pv_profile(self.now) if self.pv_override_w is None else self.pv_override_w)

    def _household(self) -> PhaseValues:
        if self.house_override is not None:
            return self.house_override
        total = max(0.0, self._house_profile(self.now))
        if self.config.phases == 1:
            return total, 0.0, 0.0
        first, second, third = self.config.house.shares
        return total * first, total * second, total * third

    def _house(self, household: PhaseValues) -> PhaseValues:
        loads = self._tree.own_loads(self._voltages)
        return household[0] + loads[0], household[1] + loads[1], household[2] + loads[2]

    def _cars(self) -> PhaseValues:
        watts = [0.0, 0.0, 0.0]
        for charger in self.chargers:
            for own, grid_phase in enumerate(charger.config.rotation):
                watts[grid_phase - 1] += charger.voltages[own] * charger.currents[own]
        return watts[0], watts[1], watts[2]

    def _balance(self, pv: float, household: PhaseValues) -> Flow:
        house, cars = self._house(household), self._cars()
        battery_w = self.battery.power_w if self.battery else 0.0
        inverter = self.config.inverter
        taken = pv
        if inverter is not None:
            # Curtailment acts on the sun only, never on the battery.
            ceiling = inverter.rated_w
            if inverter.export_limit_w is not None:
                ceiling = min(ceiling, inverter.export_limit_w + sum(house) + sum(cars))
            taken = min(pv, max(0.0, ceiling - battery_w))
        ac = self._over_phases(inverter, taken + battery_w)
        first, second, third = (house[phase] + cars[phase] - ac[phase] for phase in range(3))
        return Flow(
            at=self.now,
            voltages=self._voltages,
            frequency=50.0 + 0.02 * math.sin(self.now / 37),
            pv_w=taken,
            throttled=taken < pv - 1e-6,
            battery_w=battery_w,
            inverter=ac,
            house=house,
            cars=cars,
            grid=(first, second, third),
        )

    def _over_phases(self, inverter: InverterConfig | None, watts: float) -> PhaseValues:
        if inverter is None:
            return _NONE
        if inverter.phases == 1 or self.config.phases == 1:
            return watts, 0.0, 0.0
        return watts / 3, watts / 3, watts / 3

    def _count(self, dt: float) -> None:
        self.energies.inverter += self.flow.inverter_w * dt / 3600
        for phase, watts in enumerate(self.flow.grid):
            counter = self.energies.imported if watts > 0 else self.energies.exported
            counter[phase] += abs(watts) * dt / 3600

    def _sag(self) -> None:
        """Let the voltage of the next step follow the load of this one."""
        nominal, per_kw = self.config.voltage, self.config.voltage_drop
        first, second, third = (
            max(0.8 * nominal, nominal - per_kw * self.flow.grid[phase] / 1000) if phase < self.config.phases else 0.0
            for phase in range(3)
        )
        self._voltages = (first, second, third)
