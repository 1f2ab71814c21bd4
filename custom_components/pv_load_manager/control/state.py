"""What the core remembers from step to step, and how that outlives a restart.

Saved state holds ages instead of monotonic times, because a new process counts from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from typing import Any, Self

from .model import Command, Mode, Three

HISTORY_SECONDS = 40.0  # longer than any meter lag plus the time between two of its samples


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawSample:
    """What one charger drew at a moment, on grid phases."""

    at: float
    currents_a: Three
    power_w: float


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseSample:
    """Current per grid phase that no managed charger drew."""

    at: float
    currents_a: Three
    least_a: Three
    """The least that it can have been: meter and chargers may see the same change some seconds apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueSample:
    """One figure and its time."""

    at: float
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargerState:
    """What is remembered of one charger."""

    command: Command | None = None
    """What it was last told; None until its first reading was adopted."""
    changed_at: float | None = None
    """When the command last changed."""
    raised_at: float | None = None
    """When it was told its present current, if that was more than before."""
    surplus_command_at: float | None = None
    enough_since: float | None = None
    """Since when the surplus suffices for it to start."""
    short_since: float | None = None
    """Since when the surplus is too small for it to go on."""
    charging_since: float | None = None
    idle_since: float | None = None
    """Since when it is allowed to charge and does not."""
    other_phases_since: float | None = None
    """Since when the other number of phases would be better."""
    phases_switched_at: float | None = None
    car_phases: int | None = None
    """How many phases the plugged car was seen to use."""
    mode: Mode | None = None
    """The mode it was last asked to charge by; None = it was not asked to charge, or nobody knows since a restart."""
    full: bool = False
    plugged: bool = False
    reserved_a: float | None = None
    """What it could draw per phase when it was last heard, in A; counts while it is silent."""
    excess_a: float = 0.0
    """What its car was seen to draw beyond its command, in A per phase."""
    draws: tuple[DrawSample, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlState:
    """All that the core remembers."""

    started_at: float
    chargers: Mapping[str, ChargerState] = field(default_factory=dict)
    grid: tuple[ValueSample, ...] = ()
    house: tuple[HouseSample, ...] = ()
    surplus: tuple[ValueSample, ...] = ()

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what is worth keeping over a restart, JSON-able, with ages in s instead of times."""
        return {"chargers": {key: _charger_as_dict(value, now) for key, value in self.chargers.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], now: float) -> Self:
        """Return the state that ``as_dict`` saved; what cannot be read is left out.

        The command is adopted from the charger itself, never from the file: the charger is right about itself.
        """
        chargers = data.get("chargers")
        if not isinstance(chargers, Mapping):
            return cls(started_at=now)
        return cls(
            started_at=now,
            chargers={
                str(key): _charger_from_dict(value, now)
                for key, value in chargers.items()
                if isinstance(value, Mapping)
            },
        )


def _charger_as_dict(state: ChargerState, now: float) -> dict[str, Any]:
    switched = state.phases_switched_at
    return {
        "full": state.full,
        "plugged": state.plugged,
        "car_phases": state.car_phases,
        "reserved_a": state.reserved_a,
        "phases_switched_age": None if switched is None else now - switched,
    }


def _charger_from_dict(data: Mapping[str, Any], now: float) -> ChargerState:
    car_phases = data.get("car_phases")
    switched_age = _number(data.get("phases_switched_age"))
    return ChargerState(
        full=data.get("full") is True,
        plugged=data.get("plugged") is True,
        car_phases=car_phases if isinstance(car_phases, int) and car_phases in {1, 2, 3} else None,
        reserved_a=_number(data.get("reserved_a")),
        phases_switched_at=None if switched_age is None else now - switched_age,
    )


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and 0 <= value < math.inf:
        return float(value)
    return None
