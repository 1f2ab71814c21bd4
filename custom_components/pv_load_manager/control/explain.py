"""Puts a decision into a reason with its numbers."""

from collections.abc import Set as AbstractSet

from .allocation import Claim, Kind
from .model import CarState, ChargerReading, Command, Configuration, Mode
from .protection import Room, Stage
from .reasons import Explanation, Reason, SiteStatus
from .sequence import Wish
from .state import ChargerState
from .surplus import Surplus

LIMITING = frozenset(
    {
        Reason.LIMITED_BY_FUSE,
        Reason.LIMITED_BY_AVAILABLE_CURRENT,
        Reason.WAITING_FOR_FUSE,
        Reason.WAITING_FOR_AVAILABLE_CURRENT,
        Reason.WAITING_FOR_OTHERS,
        Reason.METER_STALE,
    }
)
FAULTS = frozenset({Reason.UNREACHABLE, Reason.CHARGER_ERROR, Reason.METER_LOST, Reason.NO_POWER_METER})
WAITING = frozenset({Reason.WAITING_FOR_SURPLUS, Reason.START_DELAY, Reason.SURPLUS_UNKNOWN, Reason.CAR_NOT_DRAWING})


def explain(
    *,
    config: Configuration,
    state: ChargerState,
    reading: ChargerReading | None,
    claim: Claim | None,
    wish: Wish | None,
    given: Explanation | None,
    room: Room,
    surplus: Surplus,
    budget_w: float | None,
    unlimited_a: int,
    waits: bool,
    unheard: bool,
    now: float,
) -> Explanation:
    """Return why a charger gets what it gets.

    Args:
        config: the configuration.
        state: the charger's state with its new command.
        reading: the last that was heard of it.
        claim: what it asked for; None = nothing.
        wish: what it should get in the end.
        given: what was already said when its claim was looked at.
        room: the room under the house connection.
        surplus: the surplus for all.
        budget_w: what is left of it for pv and min+pv, in W.
        unlimited_a: what it would get without any circuit, in A.
        waits: whether it waits for others to give way.
        unheard: whether the first words of some charger are still waited for.
        now: monotonic seconds.
    """
    if claim is None or wish is None or reading is None:
        return given or Explanation(reason=Reason.STARTING_UP)
    if claim.kind is Kind.UNTOUCHED and state.command is None:
        return Explanation(reason=Reason.UNTOUCHED, numbers={"offered_a": claim.present_a})
    numbers = _numbers(claim, state, room, surplus, budget_w)
    command = state.command
    if unheard and waits:
        return Explanation(reason=Reason.STARTING_UP, numbers=numbers)
    if command is None or not command.charge:
        switching = waits and reading.phases not in {None, command.phases if command is not None else None}
        if switching and room.stage is Stage.FRESH:
            return Explanation(reason=Reason.PHASE_SWITCH, numbers=numbers)
        return _not_charging(config, claim, wish, room, numbers, waits=waits)
    switched = state.phases_switched_at
    if switched is not None and now - switched < config.timings.phase_pause and state.charging_since is None:
        return Explanation(
            reason=Reason.PHASE_SWITCH, numbers=numbers, next_change_at=switched + config.timings.phase_pause
        )
    if reading.car is not CarState.CHARGING:
        return Explanation(reason=Reason.CAR_FULL if state.full else Reason.CAR_NOT_DRAWING, numbers=numbers)
    if given is not None:
        return Explanation(
            reason=given.reason, numbers=numbers | dict(given.numbers), next_change_at=given.next_change_at
        )
    return _charging(config, claim, wish, room, numbers, command, unlimited_a=unlimited_a, waits=waits)


def _charging(
    config: Configuration,
    claim: Claim,
    wish: Wish,
    room: Room,
    numbers: dict[str, float],
    command: Command,
    *,
    unlimited_a: int,
    waits: bool,
) -> Explanation:
    if room.stage > Stage.FRESH and command.current_a < unlimited_a:
        return Explanation(reason=Reason.METER_STALE, numbers=numbers | _meter(room))
    if waits and wish.target_a > command.current_a:
        return Explanation(reason=Reason.WAITING_FOR_OTHERS, numbers=numbers)
    if wish.target_a < unlimited_a:
        return Explanation(reason=_limit(config, claim, room, waiting=False), numbers=numbers)
    if claim.kind is Kind.FAST:
        return Explanation(reason=Reason.CHARGING_FAST, numbers=numbers)
    if claim.kind is Kind.GUARANTEED and command.current_a <= claim.guaranteed_a:
        if "surplus_w" in numbers:
            return Explanation(reason=Reason.CHARGING_GUARANTEED, numbers=numbers)
        unknown = Reason.SURPLUS_UNKNOWN if config.has_power_meter else Reason.NO_POWER_METER
        return Explanation(reason=unknown, numbers=numbers)
    return Explanation(reason=Reason.CHARGING_SURPLUS, numbers=numbers)


def _not_charging(
    config: Configuration, claim: Claim, wish: Wish, room: Room, numbers: dict[str, float], *, waits: bool
) -> Explanation:
    numbers = numbers | {"needed_a": claim.floor_a}
    if room.stage >= Stage.FALLBACK:
        return Explanation(reason=Reason.METER_LOST, numbers=numbers | _meter(room))
    if room.stage is Stage.STALE:
        return Explanation(reason=Reason.METER_STALE, numbers=numbers | _meter(room))
    if waits and wish.target_a:
        return Explanation(reason=Reason.WAITING_FOR_OTHERS, numbers=numbers)
    return Explanation(reason=_limit(config, claim, room, waiting=True), numbers=numbers)


def _limit(config: Configuration, claim: Claim, room: Room, *, waiting: bool) -> Reason:
    """Name what binds on the charger's phases: the fuse, or a current that somebody set."""
    caps = min(config.strategy.available_current_a, config.strategy.maximum_total_current_a)
    # Without a meter the connection is only one more fixed current for all: no load of the house is known to name.
    if room.house_a is not None and min(room.fuse_a[line] for line in claim.lines) <= caps:
        return Reason.WAITING_FOR_FUSE if waiting else Reason.LIMITED_BY_FUSE
    return Reason.WAITING_FOR_AVAILABLE_CURRENT if waiting else Reason.LIMITED_BY_AVAILABLE_CURRENT


def _numbers(
    claim: Claim, state: ChargerState, room: Room, surplus: Surplus, budget_w: float | None
) -> dict[str, float]:
    command = state.command
    numbers: dict[str, float] = {
        "allocated_a": command.current_a if command is not None else 0,
        "maximum_a": claim.cap_a,
        "phases": len(claim.lines),
        "room_a": round(min(room.now_a[line] for line in claim.lines), 1),
        "limit_a": round(room.target_a, 1),
    }
    if room.house_a is not None:
        numbers["house_a"] = round(max(room.house_a[line] for line in claim.lines), 1)
    if claim.kind in {Kind.GUARANTEED, Kind.SURPLUS} and budget_w is not None:
        numbers["surplus_w"] = round(budget_w)
    elif claim.kind is Kind.GUARANTEED:
        numbers["age_s"] = round(surplus.age_s)
    if claim.kind is Kind.GUARANTEED:
        numbers["guaranteed_w"] = round(claim.guaranteed_a * claim.watts_per_amp)
    return numbers


def _meter(room: Room) -> dict[str, float]:
    return {"age_s": round(room.meter_age_s)} if room.meter_age_s is not None else {}


def site_status(config: Configuration, room: Room, reasons: AbstractSet[Reason], *, charging: bool) -> SiteStatus:
    """Return the house in one word: the worst first.

    Args:
        config: the configuration.
        room: the room under the house connection.
        reasons: the reasons of all chargers.
        charging: whether any charger is allowed to charge.
    """
    if reasons & FAULTS or room.stage >= Stage.FALLBACK:
        return SiteStatus.FAULT
    if config.strategy.mode is Mode.OFF:
        return SiteStatus.OFF
    if Reason.STARTING_UP in reasons:
        return SiteStatus.STARTING
    if reasons & LIMITING:
        return SiteStatus.LIMITED
    if charging and not reasons <= {Reason.CAR_NOT_DRAWING, Reason.CAR_FULL, Reason.NO_CAR}:
        return SiteStatus.CHARGING
    return SiteStatus.WAITING if reasons & WAITING else SiteStatus.IDLE
