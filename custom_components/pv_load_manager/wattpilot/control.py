"""What has to be written to bring a charger to a target. Pure: nothing here talks to anything.

``amp`` is persistent and a Wattpilot has no watchdog, so ``amp`` is what a charger draws when nobody is there; it is
therefore low whenever the charger does not charge. The writes of one answer must be sent in their order, each one only
after the response to the one before, and the rest dropped when one fails.
"""

from dataclasses import asdict, dataclass
from typing import Literal, Self

from .codes import CarState
from .model import JsonObject, JsonValue, ReadOnlyJson
from .parsing import flag, whole
from .status import WattpilotStatus

MIN_CURRENT = 6
"""Smallest charging current in A (IEC 61851); below it there is only "stop"."""

_MAX_CURRENT = 32
_LOGIC_DEFAULT = 3
_FORCE_NEUTRAL, _FORCE_OFF, _FORCE_ON = 0, 1, 2
_AUTO_PHASES, _ONE_PHASE, _THREE_PHASES = 0, 1, 2
_MODE_OF_PHASES = {1: _ONE_PHASE, 3: _THREE_PHASES}


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the load manager wants of a charger.

    Attributes:
        charge: The car may charge. A current below 6 A means no.
        current_a: Current in A per phase.
        phases: Number of phases, ``None`` leaves them as they are.
    """

    charge: bool
    current_a: int
    phases: Literal[1, 3] | None = None


@dataclass(frozen=True)
class Write:
    """One value to write."""

    key: str
    value: JsonValue


def takeover_writes(status: WattpilotStatus) -> tuple[Write, ...]:
    """Return what makes a charger obey: default logic, no surplus logic of its own, an explicit number of phases.

    Leaving the charger's own logic also removes the limit it set, and the car would draw ``amp`` at once. Therefore
    ``amp`` first falls to what the car is offered now, or to 6 A.
    """
    writes = []
    logic = _changed("lmo", _LOGIC_DEFAULT, status.logic_mode)
    # Firmware without a surplus logic does not know the key and would refuse it.
    surplus = _changed("fup", False, status.pv_surplus_enabled) if "fup" in status.raw else []
    if logic or surplus:
        offered = status.offered_current_a if status.car_state is CarState.CHARGING else None
        writes += _lower_amp(max(MIN_CURRENT, offered or 0), status)
    writes += logic + surplus
    if status.phase_mode == _AUTO_PHASES:
        writes.append(Write("psm", _present_phase_mode(status)))
    return tuple(writes)


def writes_for(target: Target, status: WattpilotStatus, *, safe_current_a: int) -> tuple[Write, ...]:
    """Return what brings a charger from its present state to a target, as few and as safe as possible.

    Never writes ``frc`` 2, ``ama`` or ``loe``. A charger the user forced on (``frc`` 2) goes on without a pause when
    that is taken back, because its logic (`takeover_writes`) charges as well.

    Args:
        target: What is wanted.
        status: What the charger reports.
        safe_current_a: What it may draw when nobody controls it, in A per phase; 6 A at least.
    """
    if not target.charge or target.current_a < MIN_CURRENT:
        return tuple(
            _lower_amp(max(MIN_CURRENT, safe_current_a), status)
            + _changed("frc", _FORCE_OFF, status.force_state)
            + _phase_writes(target, status)
        )
    current = _within_limits(target.current_a, status)
    lower = _lower_amp(current, status)
    phases = _phase_writes(target, status)
    increase = [] if lower else _changed("amp", current, status.amp)
    if increase and _leaving_three_phases(target, status):
        increase = []
    return tuple(lower + phases + increase + _changed("frc", _FORCE_NEUTRAL, status.force_state))


@dataclass(frozen=True, kw_only=True)
class FormerValues:
    """What the user had set before the load manager took over; ``None`` where it was not known.

    Attributes:
        lmo: Logic mode.
        fup: The charger's own surplus logic.
        frc: Force state.
        psm: Phase mode.
        amp: Requested current in A per phase.
    """

    lmo: int | None = None
    fup: bool | None = None
    frc: int | None = None
    psm: int | None = None
    amp: int | None = None

    @classmethod
    def from_status(cls, status: WattpilotStatus) -> Self:
        """Return the values a charger has now."""
        return cls(
            lmo=status.logic_mode,
            fup=status.pv_surplus_enabled,
            frc=status.force_state,
            psm=status.phase_mode,
            amp=status.amp,
        )

    @classmethod
    def from_dict(cls, values: ReadOnlyJson) -> Self:
        """Return stored values; anything unusable counts as not known."""
        return cls(
            lmo=whole(values.get("lmo"), high=255),
            fup=flag(values.get("fup")),
            frc=whole(values.get("frc"), high=_FORCE_ON),
            psm=whole(values.get("psm"), high=_THREE_PHASES),
            amp=whole(values.get("amp"), low=MIN_CURRENT, high=_MAX_CURRENT),
        )

    def as_dict(self) -> JsonObject:
        """Return the values in a form that can be stored as JSON."""
        return asdict(self)


def restore_writes(former: FormerValues, status: WattpilotStatus) -> tuple[Write, ...]:
    """Return what gives a charger back to its user.

    A lower current and a hold come first, a higher current and a release last, when the charger's own logic watches
    again. A former "forced on" is not restored: it belonged to a car that has gone since, and ``frc`` 2 overrides every
    limit of the user's own plan.
    """
    writes = [] if former.amp is None else _lower_amp(former.amp, status)
    raises = [] if former.amp is None or writes else _changed("amp", former.amp, status.amp)
    hold = former.frc == _FORCE_OFF
    if hold:
        writes += _changed("frc", _FORCE_OFF, status.force_state)
    for key, old, new in (
        ("psm", former.psm, status.phase_mode),
        ("lmo", former.lmo, status.logic_mode),
        ("fup", former.fup, status.pv_surplus_enabled),
    ):
        if old is not None:
            writes += _changed(key, old, new)
    writes += raises
    if former.frc is not None and not hold and status.force_state == _FORCE_OFF:
        writes.append(Write("frc", _FORCE_NEUTRAL))
    return tuple(writes)


def _changed(key: str, wanted: JsonValue, present: JsonValue) -> list[Write]:
    """Return the write of a value, nothing where the charger already has it."""
    return [] if wanted == present else [Write(key, wanted)]


def _lower_amp(current: int, status: WattpilotStatus) -> list[Write]:
    """Return the write that brings ``amp`` down to a current; an unknown ``amp`` counts as too high."""
    return [Write("amp", current)] if status.amp is None or status.amp > current else []


def _within_limits(current: int, status: WattpilotStatus) -> int:
    """Return a current the charger can take: at most its limit, never below 6 A."""
    limit = _MAX_CURRENT if status.current_limit_a is None else status.current_limit_a
    return max(MIN_CURRENT, min(current, limit, _MAX_CURRENT))


def _phase_writes(target: Target, status: WattpilotStatus) -> list[Write]:
    """Return the write of the phase mode, nothing for a charger that does not know it."""
    if target.phases is None or status.phase_mode is None:
        return []
    return _changed("psm", _MODE_OF_PHASES[target.phases], status.phase_mode)


def _leaving_three_phases(target: Target, status: WattpilotStatus) -> bool:
    """Tell whether the car goes to one phase but still draws on more.

    The higher current of the one phase has to wait: until the contactor has opened it would flow on all three.
    """
    wanted = status.phase_mode if target.phases is None else _MODE_OF_PHASES[target.phases]
    if wanted != _ONE_PHASE:
        return False
    switching = status.phase_mode != _ONE_PHASE and status.car_state is CarState.CHARGING
    return switching or status.phases_in_use > 1


def _present_phase_mode(status: WattpilotStatus) -> int:
    """Return the explicit phase mode that is nearest to what the charger does now, so that no contactor moves.

    One phase where its logic has settled on one, or where only L1 is wired (no voltage on L2 and L3 before the
    contactor); else three.
    """
    wired = status.pha
    only_one_wired = wired is not None and wired[3] and not wired[4] and not wired[5]
    return _ONE_PHASE if status.single_phase_forced or only_one_wired else _THREE_PHASES
