"""A small house for stories: cars follow their chargers, the meter sees everything, time is stepped by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from custom_components.pv_load_manager.control import (
    BatteryReading,
    CarState,
    ChargerConfig,
    ChargerReading,
    CircuitConfig,
    Command,
    Configuration,
    ControlState,
    Explanation,
    GridReading,
    Mode,
    Plan,
    PvReading,
    Reason,
    Snapshot,
    Strategy,
    decide,
)

VOLTS = 230.0


@dataclass
class Car:
    """A charger with a car that follows it after a second, at a limited rate."""

    phases: int = 3
    maximum_a: float = 16.0
    plugged: bool = True
    online: bool = True
    holding: bool = True
    setting_a: int = 6
    set_phases: int = 3
    drawn_a: float = 0.0
    full: bool = False
    stuck: bool = False
    """Ignores every command."""
    lies: bool = False
    """Confirms every command, although it ignores it."""
    said_a: int | None = None
    """What it confirmed last, where that is a lie."""
    rate_a: float = 4.0
    """A/s at which the car changes its current."""
    delay: int = 0
    """s until a command reaches the charger."""
    excess_a: float = 0.0
    """What the car draws beyond its allowance."""
    pause: int = 0
    """s that a change of phases takes."""
    wakes_in: int = 0
    """s from the moment that a car may charge until it begins."""
    waking: int = 0
    """s of that which are left."""
    wired: int = 3
    rotation: tuple[int, int, int] = (1, 2, 3)
    """How the charger is really wired, where its configuration does not know."""
    switching: int = 0
    """s of the pause that are left."""
    _commands: list[Command | None] = field(default_factory=list)

    def follow(self, command: Command | None, dt: float) -> None:
        """Take a command over and move the current towards it."""
        self._commands.append(command)
        arrived = self._commands.pop(0) if len(self._commands) > self.delay else None
        if self.lies and arrived is not None and arrived.charge:
            self.said_a = arrived.current_a
        if not self.stuck and self.online and arrived is not None:
            self.holding = not arrived.charge
            if arrived.charge:
                self.setting_a = arrived.current_a
            if arrived.phases not in {None, self.set_phases}:
                self.set_phases = arrived.phases or 3
                self.switching = self.pause if self.drawn_a > 0 else 0
        goal = 0.0
        self.switching = max(0, self.switching - 1)
        wants = self.plugged and not self.holding and not self.full and not self.switching
        self.waking = max(0, self.waking - 1) if wants else self.wakes_in
        if wants and not self.waking:
            goal = min(self.setting_a + self.excess_a, self.maximum_a)
        step = self.rate_a * dt
        self.drawn_a += max(-step, min(step, goal - self.drawn_a))
        if self.switching or not self.plugged:
            self.drawn_a = 0.0

    def unplug(self) -> None:
        """Let the car leave; the charger forgets its hold then, and keeps its current."""
        self.plugged, self.full, self.drawn_a = False, False, 0.0
        if self.online:
            self.holding = False

    @property
    def currents(self) -> tuple[float, float, float]:
        """Current on the charger's own phases."""
        used = min(self.phases, self.set_phases, self.wired)
        return (self.drawn_a, self.drawn_a if used > 1 else 0.0, self.drawn_a if used > 2 else 0.0)

    def state(self) -> CarState:
        """Return what the charger would say."""
        if not self.plugged:
            return CarState.NO_CAR
        if self.drawn_a > 0.5:
            return CarState.CHARGING
        return CarState.COMPLETE if self.full else CarState.WAITING


@dataclass
class House:
    """Steps the core against the cars, one second at a time."""

    config: Configuration
    cars: dict[str, Car]
    surplus_w: Callable[[float], float] = lambda _now: 0.0
    """PV minus house load by time, in W."""
    volts: float = VOLTS
    load_a: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """More load per phase in A."""
    circuit_load_a: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Load per phase in A of each circuit below the house connection."""
    circuit_meters: dict[str, bool] = field(default_factory=dict)
    """Whether the meters of circuits are alive, where not all are."""
    meter_every: float = 2.0
    meter_lag: int = 0
    """s by which the meter's values are older than it says."""
    report_lag: int = 0
    """s by which the chargers' values are older than they say."""
    meter_alive: bool = True
    battery_w: float | None = None
    battery_every: float = 0.0
    """s between two readings of the battery; 0 = with every reading of the meter."""
    battery_limit_w: float | None = None
    """The battery keeps the grid at 0 within this power; None = its power is set by hand."""
    battery_wh: float = 10_000.0
    """What the battery holds when it is full."""
    battery_soc: float | None = None
    """%; with it the battery says how full it is, fills and empties; None = it never says."""
    pv_w: Callable[[float], float] | None = None
    """What the roof could produce by time, in W; None = nobody measures it, and ``surplus_w`` speaks of all."""
    house_w: Callable[[float], float] = lambda _now: 0.0
    """Load of the house by time, in W on all phases together."""
    feed_in_w: float | None = None
    """The inverter produces no more than what is used and this, in W; None = it may feed in everything."""
    tells_throttled: bool = False
    """Whether the inverter says that it produces less than it could."""
    available_set_at: float | None = None
    """When somebody set the available current."""
    dimmed: bool = False
    """Whether the grid operator dims the chargers."""
    began: datetime | None = None
    """What time it was at second 1000; None = nobody knows the time of day."""
    now: float = 1000.0
    state: ControlState = field(default_factory=lambda: ControlState(started_at=1000.0))
    plan: Plan = field(default_factory=Plan)
    grid: GridReading | None = None
    log: list[tuple[float, Plan]] = field(default_factory=list)
    powers: list[float] = field(default_factory=list)
    """What really came from the grid in every step of the log, before it, in W."""
    snapshot: Snapshot = field(default_factory=Snapshot)
    _circuits: dict[str, GridReading] = field(default_factory=dict)
    _battery_seen: BatteryReading | None = None
    _seen: list[GridReading] = field(default_factory=list)
    _said: list[dict[str, ChargerReading]] = field(default_factory=list)

    def run(self, seconds: float, each: Callable[[], None] | None = None) -> Plan:
        """Let time pass; ``each`` is called after every step."""
        for _ in range(int(seconds)):
            self.step()
            if each is not None:
                each()
        return self.plan

    def step(self) -> None:
        """One second."""
        self.now += 1.0
        self._seen = [*self._seen[-10:], self.meter()]
        self.powers.append(self._seen[-1].power_w or 0.0)
        if self.meter_alive and (self.grid is None or self.now - self.grid.at >= self.meter_every):
            self.grid = replace(self._seen[-1 - min(self.meter_lag, len(self._seen) - 1)], at=self.now)
        self._said = [*self._said[-10:], self.readings()]
        late = self._said[-1 - min(self.report_lag, len(self._said) - 1)]
        chargers = {key: replace(reading, at=self.now) for key, reading in late.items()}
        self._read_circuits()
        self.snapshot = Snapshot(
            grid=self.grid,
            pv=self._pv(),
            battery=self._battery(),
            circuits=dict(self._circuits),
            chargers=chargers,
            available_set_at=self.available_set_at,
            dimmed=self.dimmed,
        )
        self.state, self.plan = decide(self.config, self.state, self.snapshot, self.now, self.moment)
        self.log.append((self.now, self.plan))
        self._regulate()
        for key, car in self.cars.items():
            planned = self.plan.chargers.get(key)
            car.follow(planned.command if planned is not None else None, 1.0)

    @property
    def moment(self) -> datetime | None:
        """Return what time it is."""
        return None if self.began is None else self.began + timedelta(seconds=self.now - 1000.0)

    def _regulate(self) -> None:
        """Let the battery keep the grid at 0, as far as its power and its charge go."""
        if self.battery_limit_w is None:
            return
        present, soc = self.battery_w or 0.0, self.battery_soc
        hidden = self.hidden_w()
        wanted = present + (self.meter().power_w or 0.0) - hidden
        lowest = 0.0 if soc is not None and soc >= 100.0 else -self.battery_limit_w
        highest = 0.0 if soc is not None and soc <= 5.0 else self.battery_limit_w
        self.battery_w = max(lowest, min(highest, wanted))
        if soc is not None:
            self.battery_soc = soc - self.battery_w / 3600.0 / self.battery_wh * 100.0

    def restart(self) -> None:
        """Begin anew with what was saved."""
        self.state = ControlState.from_dict(self.state.as_dict(self.now), self.now)

    def readings(self) -> dict[str, ChargerReading]:
        """What the chargers say."""
        return {
            key: ChargerReading(
                at=self.now,
                online=car.online,
                car=car.state(),
                holding=car.holding,
                setting_a=car.said_a if car.lies and car.said_a is not None else car.setting_a,
                phases=car.set_phases,
                currents_a=car.currents,
                voltages_v=(self.volts, self.volts, self.volts),
                power_w=sum(car.currents) * self.volts,
                limit_a=32,
                switching=car.switching > 0,
            )
            for key, car in self.cars.items()
        }

    def meter(self) -> GridReading:
        """What the meter sees now."""
        phases = self.config.phases
        currents = [load - self.surplus_w(self.now) / phases / self.volts for load in self.load_a[:phases]]
        currents += [0.0] * (3 - phases)
        for load in self.circuit_load_a.values():
            currents = [current + more for current, more in zip(currents, load, strict=True)]
        currents = [current + more for current, more in zip(currents, self.chargers_a(), strict=True)]
        sun = (self.battery_w or 0.0) + self.produced_w(sum(currents) * self.volts) - self.house_w(self.now)
        currents = [amps - sun / self.volts / phases for amps in currents[:phases]] + currents[phases:]
        return GridReading(
            at=self.now,
            power_w=sum(currents) * self.volts,
            currents_a=(currents[0], currents[1], currents[2]),
            voltages_v=(self.volts, self.volts, self.volts),
            cadence_s=self.meter_every,
        )

    def produced_w(self, used_w: float | None = None) -> float:
        """Return what the roof gives, in W; ``used_w`` is what everything but house and battery draws."""
        if self.pv_w is None:
            return 0.0
        power, battery, rating = self.pv_w(self.now), self.battery_w or 0.0, self.config.inverter_ac_w
        if rating is not None:
            power = min(power, rating - battery)  # what charges the battery never sees the AC side
        if self.feed_in_w is not None:
            used = sum(self.chargers_a()) * self.volts if used_w is None else used_w
            power = min(power, used + self.house_w(self.now) - battery + self.feed_in_w)
        return max(power, 0.0)

    def hidden_w(self) -> float:
        """Return what the roof could give more, in W."""
        return self.pv_w(self.now) - self.produced_w() if self.pv_w is not None else 0.0

    def chargers_a(self, circuit_id: str | None = None) -> list[float]:
        """Current per grid phase of the chargers below a circuit; of all where none is named."""
        result = [0.0, 0.0, 0.0]
        for charger in self.config.chargers:
            if circuit_id is not None and circuit_id not in self.path(charger.circuit_id):
                continue
            car = self.cars.get(charger.charger_id)
            if car is None:
                continue
            rotation = charger.rotation or car.rotation
            for own, amps in enumerate(car.currents):
                result[rotation[own] - 1 if self.config.phases == 3 else 0] += amps
        return result

    def path(self, circuit_id: str | None) -> list[str]:
        """Return a circuit and all above it."""
        parents = {circuit.circuit_id: circuit.parent_id for circuit in self.config.circuits}
        result = []
        while circuit_id is not None:
            result.append(circuit_id)
            circuit_id = parents.get(circuit_id)
        return result

    def circuit_a(self, circuit_id: str) -> tuple[float, float, float]:
        """Current per grid phase in a circuit below the house connection."""
        result = self.chargers_a(circuit_id)
        for key, load in self.circuit_load_a.items():
            if circuit_id in self.path(key):
                result = [current + more for current, more in zip(result, load, strict=True)]
        return (result[0], result[1], result[2])

    def _read_circuits(self) -> None:
        for circuit in self.config.circuits:
            key = circuit.circuit_id
            if circuit.parent_id is None or not circuit.metered or not self.circuit_meters.get(key, True):
                continue
            before = self._circuits.get(key)
            if before is None or self.now - before.at >= self.meter_every:
                self._circuits[key] = GridReading(
                    at=self.now, currents_a=self.circuit_a(key), cadence_s=self.meter_every
                )

    def total_a(self) -> tuple[float, float, float]:
        """Current per grid phase at the house connection."""
        return self.meter().currents_a  # type: ignore[return-value]

    def _pv(self) -> PvReading | None:
        if self.pv_w is None:
            return None
        throttled = self.tells_throttled and self.hidden_w() > 1.0
        return PvReading(at=self.now, power_w=self.produced_w(), throttled=throttled)

    def _battery(self) -> BatteryReading | None:
        if self.battery_w is None:
            return None
        seen, soc = self._battery_seen, self.battery_soc
        power = -self.battery_w if self.config.battery_inverted else self.battery_w
        if self.battery_every == 0.0:
            at = self.grid.at if self.grid else self.now
            return BatteryReading(at=at, power_w=power, state_of_charge=soc)
        if seen is None or self.now - seen.at >= self.battery_every:
            self._battery_seen = BatteryReading(at=self.now, power_w=power, state_of_charge=soc)
        return self._battery_seen

    def without_protection(self) -> Configuration:
        """Return the configuration with a meter that is for the surplus only."""
        return replace(self.config, circuits=tuple(replace(circuit, metered=False) for circuit in self.config.circuits))

    def charger(self, key: str = "a", **changes: object) -> None:
        """Change what is configured of a charger."""
        chargers = tuple(
            replace(charger, **changes) if charger.charger_id == key else charger  # type: ignore[arg-type]
            for charger in self.config.chargers
        )
        self.config = replace(self.config, chargers=chargers)

    def explanation(self, key: str = "a") -> Explanation:
        """Return why a charger gets what it gets."""
        return self.plan.chargers[key].explanation

    def commands(self, key: str = "a", since: float = 0.0) -> list[tuple[float, Command]]:
        """Return the commands of a charger with the time of each, the first one as it was."""
        result: list[tuple[float, Command]] = []
        for at, plan in self.log:
            command = plan.chargers[key].command
            if command is not None and at >= since and (not result or result[-1][1] != command):
                result.append((at, command))
        return result

    def starts(self, key: str = "a", since: float = 0.0) -> int:
        """Return how often a charger was told to begin."""
        commands = [command.charge for _, command in self.commands(key, since)]
        return sum(1 for one, two in pairwise(commands) if two and not one)

    def stops(self, key: str = "a", since: float = 0.0) -> int:
        """Return how often a charger was told to stop."""
        commands = [command.charge for _, command in self.commands(key, since)]
        return sum(1 for one, two in pairwise(commands) if one and not two)

    def switches(self, key: str = "a", since: float = 0.0) -> int:
        """Return how often a charger was told another number of phases while it charged."""
        commands = [command for _, command in self.commands(key, since)]
        return sum(1 for one, two in pairwise(commands) if one.charge and two.charge and one.phases != two.phases)

    def imported_wh(self, since: float = 0.0) -> float:
        """Return what came from the grid."""
        pairs = zip(self.log, self.powers, strict=True)
        return sum(max(power, 0.0) for (at, _), power in pairs if at >= since) / 3600.0

    def seconds_until(self, reason: Reason, most: int = 1800, key: str = "a") -> int:
        """Let time pass until a charger has a reason; return how long that took."""
        for seconds in range(most):
            if seconds and self.plan.chargers[key].explanation.reason is reason:
                return seconds
            self.step()
        raise AssertionError(f"never {reason}, but {self.explanation(key)}")

    def set(self, **changes: object) -> None:
        """Change the strategy."""
        self.config = replace(self.config, strategy=replace(self.config.strategy, **changes))  # type: ignore[arg-type]

    def reason(self, key: str = "a") -> str:
        """Return the reason of a charger."""
        return self.plan.chargers[key].explanation.reason.value

    def allocated(self, key: str = "a") -> int:
        """Return what a charger is allowed now."""
        return self.plan.chargers[key].allocated_a


def house(*keys: str, fuse: float = 35.0, metered: bool = True, mode: Mode = Mode.OFF, **more: object) -> House:
    """Build a house with one three-phase charger per key (default one, "a")."""
    names = keys or ("a",)
    config = Configuration(
        has_power_meter=True,
        circuits=(CircuitConfig(limit_a=fuse, metered=metered),),
        chargers=tuple(ChargerConfig(charger_id=key, max_current_a=16) for key in names),
        strategy=Strategy(mode=mode, maximum_total_current_a=fuse, available_current_a=fuse),
    )
    return House(config=config, cars={key: Car() for key in names}, **more)  # type: ignore[arg-type]
