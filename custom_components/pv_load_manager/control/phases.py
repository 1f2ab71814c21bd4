"""How many phases a charger should use."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from .model import ChargerConfig, ChargerReading, Configuration, PhasePolicy, Timings
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
    def of(cls, config: Configuration, charger: ChargerConfig, state: ChargerState) -> Self:
        """Return the options of one charger with the car that is plugged."""
        if config.phases == 1 or charger.wired_phases == 1 or charger.phase_policy is PhasePolicy.ONE:
            allowed: tuple[int, ...] = (1,)
        elif charger.phase_policy is PhasePolicy.THREE:
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
    volts: float,
    available_w: float | None,
    fits_three: bool,
    at_once: bool,
    timings: Timings,
    now: float,
) -> tuple[int, ChargerState]:
    """Return the number of phases to charge with, and the state with its timer.

    A charger that does not charge takes what suits the power. A charging one changes when the other number was
    better for ``phase_delay`` and the last switch is ``phase_dwell`` ago: every switch interrupts the car and wears
    a contactor.

    Args:
        options: what the charger can be set to.
        state: the charger's state.
        reading: the last that was heard of it.
        volts: the voltage of one phase.
        available_w: what it may take; None = nobody knows, so a charging one stays as it is.
        fits_three: whether the circuit has room for its minimum on three phases.
        at_once: whether somebody waits for it (fast): then it goes to three phases without a delay.
        timings: the time constants.
        now: monotonic seconds.
    """
    command = state.command
    present = command.phases if command is not None and command.phases in options.allowed else None
    if present is None:
        present = options.reading(reading)
    three_helps = options.used(3) > 1
    if command is None or not command.charge:
        enough = fits_three and available_w is not None and available_w >= options.power(3, volts)
        return (3 if enough and three_helps else 1), _wish(state, None)
    if available_w is None:
        return present, _wish(state, None)
    enough_for_three = fits_three and available_w >= options.power(3, volts)
    up = present == 1 and enough_for_three and available_w > options.maximum_a * volts
    down = present == 3 and not enough_for_three
    if not three_helps or not (up or down):
        return present, _wish(state, None)
    since = state.other_phases_since or now
    switched = state.phases_switched_at
    rested = switched is None or now - switched >= timings.phase_dwell
    # The timer is kept: the switch may take several steps, until the current was lowered and read back.
    waited = (at_once and up) or (rested and now - since >= timings.phase_delay)
    return (4 - present if waited else present), _wish(state, since)


def _wish(state: ChargerState, since: float | None) -> ChargerState:
    return state if state.other_phases_since == since else replace(state, other_phases_since=since)
