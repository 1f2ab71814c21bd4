"""What the core remembers from step to step, and how that outlives a restart.

Saved state holds ages instead of monotonic times, because a new process counts from elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from .law import NO_REGRET, Wh3
from .liveliness import Liveliness
from .meter_sign import NOTHING_SEEN, MeterSign
from .model import HIGHEST_CURRENT, LOWEST_CURRENT, Command, Mode, Override, OverrideSource, Three
from .peak import Peak
from .probing import NOTHING_TRIED, Probing

COMMAND = ("charge", "current_a", "phases")
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
    saved_command: Command | None = None
    """What it was told before a restart: who is found so was not changed since."""
    changed_at: float | None = None
    """When the command last changed."""
    raised_at: float | None = None
    """When it was told its present current, if that was more than before."""
    pending_a: int | None = None
    """A raised current that may still be on its way to the charger, in A."""
    surplus_command_at: float | None = None
    unfollowed_since: float | None = None
    """Since when it does something else than its command says."""
    regrets: Wh3 = NO_REGRET
    """What it cost in Wh not to be off, on one phase, on three phases."""
    error_wh: float = 0.0
    """What it cost not to have the current of its share: positive = too little."""
    starts_today: int = 0
    switches_today: int = 0
    charging_since: float | None = None
    idle_since: float | None = None
    """Since when it is allowed to charge and does not."""
    other_phases_since: float | None = None
    """Since when the other number of phases would be better, where no surplus is weighed."""
    phases_switched_at: float | None = None
    """When its number of phases was last changed while it charged."""
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
    override: Override | None = None
    """A current that somebody chose past all strategy, until its car leaves."""
    narrowed_at: float | None = None
    """When the grid operator last kept it from one of its numbers of phases."""


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
    grid_cadence_s: float | None = None
    """How often the grid meter speaks; kept while there is none, as when its inverter is loaded anew."""
    phases: tuple[PhaseSample, ...] = ()
    """Directional currents of the house connection; kept only while a phase rotation is to be learned."""
    house: Mapping[str, tuple[HouseSample, ...]] = field(default_factory=dict)
    """By circuit."""
    surplus: tuple[ValueSample, ...] = ()
    lively: Liveliness | None = None
    sign: MeterSign = NOTHING_SEEN
    """Not kept over a restart: somebody may have mended the meter."""
    stepped_at: float | None = None
    """When the last step was."""
    probing: Probing = NOTHING_TRIED
    peak: Peak = field(default_factory=Peak)
    day: int | None = None
    """The day to which the counts of starts and switches belong."""
    anew: bool = False
    """Whether the next step shall not wait for what only spares a change."""

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what is worth keeping over a restart, JSON-able, with ages in s instead of times."""
        return {
            "chargers": {key: _charger_as_dict(value, self.energy(key), now) for key, value in self.chargers.items()},
            "day": self.day,
            "peak": self.peak.as_dict(now),
            "stepped_age": _age(self.stepped_at, now),
            "surplus": [[now - sample.at, sample.value] for sample in self.surplus],
            "lively": None
            if self.lively is None
            else {
                "age": now - self.lively.at,
                "mean_w": self.lively.mean_w,
                "spread_w": self.lively.spread_w,
            },
        }

    def energy(self, charger_id: str) -> float:
        """Return what the car at a charger was given since it came, in Wh."""
        draws = self.draws.get(charger_id)
        return draws[-1].energy_wh if draws else self.chargers[charger_id].energy_wh

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], now: float, *, away: float = 0.0) -> Self:
        """Return the state that ``as_dict`` saved, ``away`` seconds ago; what cannot be read is left out.

        The command is adopted from the charger itself, never from the file: the charger is right about itself.
        """
        chargers = data.get("chargers") if isinstance(data, Mapping) else None
        if not isinstance(chargers, Mapping):
            return cls(started_at=now)
        day, then = data.get("day"), now - away
        return cls(
            started_at=now,
            day=day if isinstance(day, int) else None,
            lively=_lively(data.get("lively"), then),
            peak=Peak.from_dict(data.get("peak"), now, away=away),
            stepped_at=_time(data.get("stepped_age"), then),
            surplus=_samples(data.get("surplus"), then),
            chargers={
                str(key): _charger_from_dict(value, then)
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
        "regrets": list(state.regrets),
        "error_wh": state.error_wh,
        "command": None if state.command is None else [getattr(state.command, name) for name in COMMAND],
        "changed_age": _age(state.changed_at, now),
        "surplus_command_age": _age(state.surplus_command_at, now),
        "charging_age": _age(state.charging_since, now),
        "idle_age": _age(state.idle_since, now),
        "less_age": _age(state.less_since, now),
        "demand_a": state.demand_a,
        "mode": state.mode,
        "starts_today": state.starts_today,
        "switches_today": state.switches_today,
        "override": None if state.override is None else _override_as_dict(state.override),
    }


def _override_as_dict(override: Override) -> dict[str, Any]:
    return {
        "current_a": override.current_a,
        "source": override.source,
        "until": None if override.until is None else override.until.isoformat(),
        "energy_wh": override.energy_wh,
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
        regrets=_regrets(data.get("regrets")),
        error_wh=_signed(data.get("error_wh")) or 0.0,
        saved_command=_command(data.get("command")),
        changed_at=_time(data.get("changed_age"), now),
        surplus_command_at=_time(data.get("surplus_command_age"), now),
        charging_since=_time(data.get("charging_age"), now),
        idle_since=_time(data.get("idle_age"), now),
        less_since=_time(data.get("less_age"), now),
        demand_a=None if (demand := _number(data.get("demand_a"))) is None else int(demand),
        mode=next((mode for mode in Mode if mode == data.get("mode")), None),
        starts_today=int(_number(data.get("starts_today")) or 0),
        switches_today=int(_number(data.get("switches_today")) or 0),
        override=_override(data.get("override")),
    )


def _override(data: object) -> Override | None:
    """Return a saved override; one of whose end anything cannot be read is none: nobody knows when it would end."""
    if not isinstance(data, Mapping):
        return None
    amps = _number(data.get("current_a"))
    if amps is None or not amps.is_integer() or not (amps == 0 or LOWEST_CURRENT <= amps <= HIGHEST_CURRENT):
        return None
    energy, until = data.get("energy_wh"), data.get("until")
    try:
        moment = None if until is None else datetime.fromisoformat(until)
        source = OverrideSource(str(data.get("source")))
    except TypeError, ValueError:
        return None
    if (moment is not None and moment.tzinfo is None) or (energy is not None and _number(energy) is None):
        return None
    return Override(current_a=int(amps), source=source, until=moment, energy_wh=_number(energy))


def _command(values: object) -> Command | None:
    if not isinstance(values, list) or len(values) != len(COMMAND):
        return None
    charge, amps, phases = values
    known = _number(amps)
    if known is None or not isinstance(charge, bool):
        return None
    return Command(charge=charge, current_a=int(known), phases=_one_of(phases, {1, 3}))


def _regrets(values: object) -> Wh3:
    known = [_number(value) for value in values] if isinstance(values, list) else []
    if len(known) != len(NO_REGRET):
        return NO_REGRET
    off, one, three = known
    return (off or 0.0, one or 0.0, three or 0.0)


def _lively(data: object, now: float) -> Liveliness | None:
    if not isinstance(data, Mapping):
        return None
    age, spread, mean = _number(data.get("age")), _number(data.get("spread_w")), _signed(data.get("mean_w"))
    return None if age is None or spread is None or mean is None else Liveliness(now - age, mean, spread)


def _samples(values: object, now: float) -> tuple[ValueSample, ...]:
    known = []
    for pair in values if isinstance(values, list) else ():
        age, value = pair if isinstance(pair, list) and len(pair) == len(("age", "value")) else (None, None)
        at, figure = _time(age, now), _signed(value)
        if at is not None and figure is not None:
            known.append(ValueSample(at=at, value=figure))
    return tuple(sorted(known, key=lambda sample: sample.at))


def _signed(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and -LONGEST < value < LONGEST else None


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
