"""How many phases a charger should use."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from .external import requested_policy
from .model import STEADY, ChargerConfig, ChargerReading, Configuration, PhasePolicy, Timings
from .state import ChargerState


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """Which numbers of phases a charger may be set to, and what each costs at least."""

    allowed: tuple[int, ...]
    maximum_a: int
    _used: tuple[int, ...]
    """By the number of phases it is set to, 0..3."""
    _floors: tuple[int, ...]

    @classmethod
    def of(cls, config: Configuration, charger: ChargerConfig, state: ChargerState, *, solar: bool) -> Self:
        """Return the options of one charger with the car that is plugged, for a mode with surplus or without."""
        policy = requested_policy(config.strategy, charger)
        if policy is PhasePolicy.ONE_FOR_PV:
            policy = PhasePolicy.ONE if solar else PhasePolicy.THREE
        if config.phases == 1 or charger.wired_phases == 1 or policy is PhasePolicy.ONE:
            allowed: tuple[int, ...] = (1,)
        elif policy is PhasePolicy.THREE:
            allowed = (3,)
        else:
            allowed = (1, 3)
        return cls._made(
            allowed,
            min(charger.wired_phases, config.phases),
            state.car_phases,
            max(charger.min_current_a, config.strategy.minimum_current_a),
            max(
                charger.min_current_a if charger.min_current_three_a is None else charger.min_current_three_a,
                config.strategy.minimum_current_a,
            ),
            charger.max_current_a,
        )

    @classmethod
    @lru_cache(maxsize=256)  # most chargers of a house are alike
    def _made(
        cls, allowed: tuple[int, ...], wired: int, car_phases: int | None, one_a: int, three_a: int, maximum_a: int
    ) -> Self:
        used = tuple(min(count, wired, car_phases or count) for count in range(4))
        floors = tuple(one_a if count <= 1 else three_a for count in used)
        return cls(
            allowed=tuple(count for count in allowed if floors[count] <= maximum_a),
            maximum_a=maximum_a,
            _used=used,
            _floors=floors,
        )

    def within(self, power_w: float, volts: float, *, excess_a: float, present: int) -> Self:
        """Return the options that need no more than a power in W; a switch is only worth it with a little reserve.

        Args:
            power_w: the most that the charger may draw.
            volts: the measured voltage.
            excess_a: what its car draws beyond what it is told, in A per phase.
            present: the number of phases it is set to.
        """
        fitting = tuple(
            count
            for count in self.allowed
            if (self.floor(count) + excess_a) * volts * self.used(count) * (1.0 if count == present else STEADY)
            <= power_w
        )
        return self if fitting == self.allowed else replace(self, allowed=fitting)

    def only(self, count: int) -> Self:
        """Return the options with one number of phases alone."""
        return replace(self, allowed=(count,))

    def used(self, count: int) -> int:
        """Return on how many phases the car draws when the charger is set to ``count``."""
        return self._used[count]

    def floor(self, count: int) -> int:
        """Return the least current per phase in A."""
        return self._floors[count]

    @property
    def impossible(self) -> bool:
        """Return whether it could never charge."""
        return not self.allowed

    def least_power(self, volts: float) -> float:
        """Return the least power in W with which it can charge at all."""
        return min(self.power(count, volts) for count in self.allowed)

    def power(self, count: int, volts: float) -> float:
        """Return the least power in W on ``count`` phases."""
        return self.floor(count) * volts * self.used(count)

    def reading(self, reading: ChargerReading) -> int:
        """Return what the charger is set to, the most that it can be where it does not say."""
        return reading.phases if reading.phases in self.allowed else self.allowed[-1]


def choose(
    options: Options,
    state: ChargerState,
    reading: ChargerReading,
    *,
    fits_three: bool,
    timings: Timings,
    now: float,
) -> tuple[int, ChargerState]:
    """Return the number of phases for a charger that needs no surplus, and the state with its timer.

    It goes to three phases at once, because somebody waits for it. To one it goes only where the circuits have no room
    for three for ``phase_delay``, and the last switch is ``phase_dwell`` ago.

    Args:
        options: what the charger can be set to.
        state: the charger's state.
        reading: the last that was heard of it.
        fits_three: whether the circuits have room for its minimum on three phases.
        timings: the time constants.
        now: monotonic seconds.
    """
    command = state.command
    present = command.phases if command is not None and command.phases in options.allowed else None
    if present is None:
        present = options.reading(reading)
    three_helps = options.used(3) > 1
    if command is None or not command.charge:
        return (3 if fits_three and three_helps else 1), _wish(state, None)
    up = present == 1 and fits_three
    down = present == 3 and not fits_three
    if not three_helps or not (up or down):
        return present, _wish(state, None)
    since = state.other_phases_since or now
    switched = state.phases_switched_at
    rested = switched is None or now - switched >= timings.phase_dwell
    # The timer is kept: the switch may take several steps, until the current was lowered and read back.
    return (4 - present if up or (rested and now - since >= timings.phase_delay) else present), _wish(state, since)


def _wish(state: ChargerState, since: float | None) -> ChargerState:
    return state if state.other_phases_since == since else replace(state, other_phases_since=since)
