"""What the core remembers from step to step, and how that outlives a restart.

Saved state holds ages instead of monotonic times, because a new process counts from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from .model import Command, Mode, Three

LONGEST = 1e9  # s, A or Wh; nothing that was saved is larger
HISTORY_SECONDS = 40.0  # longer than any meter lag plus the time between two of its samples


class DrawSample(NamedTuple):  # one per charger and second: a tuple costs a third of a frozen dataclass
    """What one charger drew at a moment, on grid phases."""

    at: float
    currents_a: Three
    power_w: float
    energy_wh: float = 0.0
    """What its car was given since it came."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HouseSample:
    """Current per grid phase that no managed charger drew."""

    at: float
    currents_a: Three
    least_a: Three
    """The least that it can have been: meter and chargers may see the same change some seconds apart."""
    total_a: Three
    """What the meter measured, our chargers in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseSample:
    """A current per grid phase and its time."""

    at: float
    currents_a: Three


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
    pending_a: int | None = None
    """A raised current that may still be on its way to the charger, in A."""
    surplus_command_at: float | None = None
    unfollowed_since: float | None = None
    """Since when it does something else than its command says."""
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
    online: bool = False
    """Whether it was reachable at the last step; who comes back is adopted, not assumed."""
    plugged_at: float | None = None
    """When its car came; None = nobody saw it."""
    energy_wh: float = 0.0
    """What its car was given before the first of the draws that are remembered."""
    served_at: float | None = None
    """When its car was first allowed to charge since it came."""
    waiting_since: float | None = None
    """Since when it could charge if others did not."""
    promised_at: float | None = None
    """Since when it has a place, although it does not charge yet: others may have to give way, or phases to be set."""
    declined_at: float | None = None
    """When its car last was allowed to charge and did not."""
    less_since: float | None = None
    """Since when its car uses clearly less than it may."""
    demand_a: int | None = None
    """What its car is believed to be able to use, in A per phase; None = everything."""
    fuse_stops: tuple[float, ...] = ()
    """When a circuit stopped it within the last hour."""
    room_since: float | None = None
    """Since when there is room for its minimum, while it waits for that to last."""
    first_line: int | None = None
    """The grid phase (0..2) of its own L1 that was learned, where its phase rotation is not configured."""
    line_votes: tuple[int, ...] = ()
    """The grid phases that the last changes of its current spoke for."""
    voted_at: float | None = None
    reserved_a: float | None = None
    """What it could draw per phase when it was last heard, in A; counts while it is silent."""
    excess_a: float = 0.0
    """What its car was seen to draw beyond its command, in A per phase."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlState:
    """All that the core remembers."""

    started_at: float
    chargers: Mapping[str, ChargerState] = field(default_factory=dict)
    draws: Mapping[str, tuple[DrawSample, ...]] = field(default_factory=dict)
    """By charger, the oldest first."""
    lowered_at: float | None = None
    """When a charger was last told less."""
    slot: int | None = None
    """The slot of the rotation that the last step fell into."""
    grid: tuple[ValueSample, ...] = ()
    phases: tuple[PhaseSample, ...] = ()
    """Directional currents of the house connection; kept only while a phase rotation is to be learned."""
    house: Mapping[str, tuple[HouseSample, ...]] = field(default_factory=dict)
    """By circuit."""
    surplus: tuple[ValueSample, ...] = ()

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what is worth keeping over a restart, JSON-able, with ages in s instead of times."""
        return {
            "chargers": {key: _charger_as_dict(value, self.energy(key), now) for key, value in self.chargers.items()}
        }

    def energy(self, charger_id: str) -> float:
        """Return what the car at a charger was given since it came, in Wh."""
        draws = self.draws.get(charger_id)
        return draws[-1].energy_wh if draws else self.chargers[charger_id].energy_wh

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], now: float) -> Self:
        """Return the state that ``as_dict`` saved; what cannot be read is left out.

        The command is adopted from the charger itself, never from the file: the charger is right about itself.
        """
        chargers = data.get("chargers") if isinstance(data, Mapping) else None
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


def _charger_as_dict(state: ChargerState, energy_wh: float, now: float) -> dict[str, Any]:
    return {
        "full": state.full,
        "plugged": state.plugged,
        "car_phases": state.car_phases,
        "reserved_a": state.reserved_a,
        "energy_wh": energy_wh,
        "first_line": state.first_line,
        "phases_switched_age": _age(state.phases_switched_at, now),
        "plugged_age": _age(state.plugged_at, now),
        "served_age": _age(state.served_at, now),
        "waiting_age": _age(state.waiting_since, now),
        "declined_age": _age(state.declined_at, now),
        "fuse_stop_ages": [now - at for at in state.fuse_stops],
    }


def _charger_from_dict(data: Mapping[str, Any], now: float) -> ChargerState:
    stops = data.get("fuse_stop_ages")
    ages = [_number(age) for age in stops] if isinstance(stops, list) else []
    return ChargerState(
        full=data.get("full") is True,
        plugged=data.get("plugged") is True,
        car_phases=_one_of(data.get("car_phases"), {1, 2, 3}),
        first_line=_one_of(data.get("first_line"), {0, 1, 2}),
        reserved_a=_number(data.get("reserved_a")),
        energy_wh=_number(data.get("energy_wh")) or 0.0,
        phases_switched_at=_time(data.get("phases_switched_age"), now),
        plugged_at=_time(data.get("plugged_age"), now),
        served_at=_time(data.get("served_age"), now),
        waiting_since=_time(data.get("waiting_age"), now),
        declined_at=_time(data.get("declined_age"), now),
        fuse_stops=tuple(sorted(now - age for age in ages if age is not None)),
    )


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else now - at


def _time(age: object, now: float) -> float | None:
    known = _number(age)
    return None if known is None else now - known


def _one_of(value: object, allowed: set[int]) -> int | None:
    return value if isinstance(value, int) and value in allowed else None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or not 0 <= value < LONGEST:
        return None
    return float(value)
