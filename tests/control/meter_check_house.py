"""A house with one charger and a meter, played through a whole check of the meter."""

from collections.abc import Callable
from dataclasses import dataclass, field
import math
from random import Random

from custom_components.pv_load_manager.control.findings import CheckResult
from custom_components.pv_load_manager.control.meter_check import Heard, MeterCheck
from custom_components.pv_load_manager.control.model import (
    BatteryReading,
    CarState,
    ChargerReading,
    GridReading,
    MaybeThree,
    Three,
)

VOLTS = 230.0
TICK = 0.25

type House = Callable[[float], Three]


def quiet(_at: float) -> Three:
    """Return a house that always draws the same, in A."""
    return (2.0, 1.2, 0.7)


def nothing(_at: float) -> Three:
    """Return a house that draws nothing."""
    return (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A house with loads that come and go, and with a ripple of each phase."""

    seed: int
    per_minute: float
    """How often a load is switched, on all phases together."""
    load_a: float
    """The largest of them."""
    ripple_a: float
    switched: list[tuple[float, int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Draw the lots."""
        chance = Random(self.seed)  # noqa: S311 - a house to play with
        at = 0.0
        on: list[tuple[int, float]] = []
        while self.per_minute and at < 200.0:
            at += chance.expovariate(self.per_minute / 60.0)
            if on and chance.random() < 0.5:
                line, amps = on.pop(chance.randrange(len(on)))
                self.switched.append((at, line, -amps))
            else:
                load = (chance.randrange(3), chance.uniform(0.2, 1.0) * self.load_a)
                on.append(load)
                self.switched.append((at, *load))

    def __call__(self, at: float) -> Three:
        """Return what the house draws, in A."""
        lines = list(quiet(at))
        for when, line, amps in self.switched:
            if when <= at:
                lines[line] += amps
        chance = Random(self.seed * 1_000_003 + math.floor(at / TICK))  # noqa: S311 - the same
        lines = [amps + chance.gauss(0.0, self.ripple_a) for amps in lines]
        return (lines[0], lines[1], lines[2])


@dataclass(kw_only=True)
class Played:
    """The house; ``run`` plays the whole check."""

    house: House = quiet
    rotation: tuple[int, int, int] = (1, 2, 3)
    car_phases: int = 3
    signs: tuple[int, int, int] = (1, 1, 1)
    """0 = the meter does not see this phase of the grid."""
    lag: float = 1.5
    pace: float = 1.0
    phases: int = 3
    knows_phases: bool = True
    sees_car: bool = True
    room_a: float = 32.0
    car_most_a: float = 16.0
    most_a: int = 16
    ramp_a: float = 2.0
    charger_pace: float = 1.0
    battery_gain: float = 0.0
    others: Callable[[float, float], float] = lambda _at, _car: 0.0
    disturb: Callable[[float, ChargerReading], ChargerReading | None] = lambda _at, reading: reading
    check: MeterCheck = field(default_factory=lambda: MeterCheck.begin(0.0, low_a=6, most_a=16, site_phases=3))
    asked: list[int] = field(default_factory=list)
    lasted: float = 0.0
    allowed: Callable[[float], float] = lambda _at: 32.0

    def run(self) -> CheckResult:
        """Play it until it is over."""
        self.check = MeterCheck.begin(0.0, low_a=6, most_a=self.most_a, site_phases=self.phases)
        drawn: list[float] = []
        shown: ChargerReading | None = None
        grid: GridReading | None = None
        battery: BatteryReading | None = None
        now, amps, asked_at, asked = 0.0, 0.0, 0.0, 0
        while not self.check.over:
            if self.check.wanted_a != asked:
                asked, asked_at = self.check.wanted_a, now
                self.asked.append(asked)
            target = min(asked, self.room_a, self.car_most_a, self.allowed(now))
            if now - asked_at >= 1.0:
                amps += max(-4 * self.ramp_a * TICK, min(self.ramp_a * TICK, target - amps))
            drawn.append(amps)
            index = len(drawn) - 1
            if shown is None or math.floor(now / self.charger_pace) != math.floor((now - TICK) / self.charger_pace):
                reading = ChargerReading(
                    at=now,
                    car=CarState.CHARGING,
                    setting_a=int(min(asked, self.room_a)),
                    currents_a=tuple(amps if own < self.car_phases else 0.0 for own in range(3)),
                    power_w=amps * VOLTS * self.car_phases,
                )
                shown = self.disturb(now, reading)
            if math.floor(now / self.pace) != math.floor((now - TICK) / self.pace):
                grid = self._grid(now, drawn[max(0, index - round(self.lag / TICK))])
                if self.battery_gain:
                    battery = BatteryReading(at=now, power_w=self.battery_gain * amps * VOLTS * self.car_phases)
            heard = Heard(charger=shown, grid=grid, battery=battery, others_w=self.others(now, amps))
            self.check = self.check.after(heard, now)
            now += TICK
            assert now < 130
        self.lasted = now
        return self.check.result()

    def _grid(self, now: float, car_a: float) -> GridReading:
        lines = list(self.house(now - self.lag))
        for own in range(self.car_phases):
            line = 0 if self.phases == 1 else self.rotation[own] - 1
            lines[line] += car_a * self.sees_car * (1 - self.battery_gain)
        lines = [amps * sign for amps, sign in zip(lines, self.signs, strict=True)][: self.phases]
        currents: MaybeThree = (None, None, None)
        if self.knows_phases:
            currents = (lines[0], lines[1], lines[2]) if self.phases == 3 else (lines[0], None, None)
        return GridReading(at=now, power_w=sum(lines) * VOLTS, currents_a=currents)
