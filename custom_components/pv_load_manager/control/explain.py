"""Puts a decision into a reason with its numbers."""

from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from .allocation import SURPLUS_BOUND, Claim, Kind
from .caps import Cap, CapKind
from .circuits import LimitKind, Tree, fuse_target
from .external import Available
from .model import (
    HIGHEST_CURRENT,
    CarState,
    ChargerReading,
    Command,
    Configuration,
    Mode,
    Override,
    OverrideSource,
)
from .protection import Room, Stage
from .ranking import Turn
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
        Reason.LIMITED_BY_CIRCUIT,
        Reason.WAITING_FOR_CIRCUIT,
        Reason.LIMITED_BY_IMBALANCE,
        Reason.WAITING_FOR_IMBALANCE,
        Reason.WAITING_FOR_TURN,
        Reason.WAITING_FOR_TURN_PV,
        Reason.FUSE_PAUSE,
        Reason.METER_STALE,
        Reason.LIMITED_BY_WATCHDOG,
        Reason.WAITING_FOR_WATCHDOG,
        Reason.LIMITED_BY_PEAK,
        Reason.WAITING_FOR_PEAK,
        Reason.LIMITED_BY_DIMMING,
        Reason.WAITING_FOR_DIMMING,
        Reason.LIMITED_ON_DEMAND,
        Reason.WAITING_ON_DEMAND,
    }
)
FAULTS = frozenset(
    {Reason.UNREACHABLE, Reason.CHARGER_ERROR, Reason.METER_LOST, Reason.NO_POWER_METER, Reason.CONFIGURATION_ERROR}
)
CAPPED = {
    CapKind.PEAK: (Reason.LIMITED_BY_PEAK, Reason.WAITING_FOR_PEAK),
    CapKind.DIMMING: (Reason.LIMITED_BY_DIMMING, Reason.WAITING_FOR_DIMMING),
}
"""Of a charging charger, of a waiting one."""
OVERRIDDEN = frozenset({Reason.OVERRIDE, Reason.OVERRIDE_OFF})
WAITING = frozenset(
    {
        Reason.WAITING_FOR_SURPLUS,
        Reason.BATTERY_FIRST,
        Reason.START_DELAY,
        Reason.SURPLUS_UNKNOWN,
        Reason.CAR_NOT_DRAWING,
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What is the same for all chargers in one step."""

    config: Configuration
    tree: Tree
    rooms: Mapping[str, Room]
    """By circuit."""
    worst: Mapping[str, Room]
    """By circuit: of it and all above it the one with the least trustworthy meter."""
    surplus: Surplus
    budget_w: float | None
    """What is left of the surplus for pv and min+pv, in W."""
    told: Available
    """What is available as far as it is told from outside."""
    cap: Cap | None
    """The limit of the power of all together that is in force."""
    dimmed: bool
    """Whether the grid operator dims the chargers."""
    unheard: bool
    """Whether the first words of some charger are still waited for."""
    heard_by: float
    """Until when that can be, monotonic seconds."""
    turn: Turn
    now: float
    moment: datetime | None
    """The same, aware; None = not known."""
    figures: dict[tuple[str, tuple[int, ...]], dict[str, float]] = field(default_factory=dict)
    """What was already worked out for a circuit and some of its phases."""


def explain(
    site: Site,
    state: ChargerState,
    reading: ChargerReading | None,
    *,
    wish: Wish | None,
    given: Explanation | None,
    waits: bool,
) -> Explanation:
    """Return why a charger gets what it gets.

    Args:
        site: what is the same for all.
        state: the charger's state with its new command.
        reading: the last that was heard of it.
        wish: what it should get in the end; None = it asked for nothing.
        given: what was already said when its claim was looked at.
        waits: whether it waits for others to give way.
    """
    if wish is None or reading is None:
        return _until_its_end(site, state.override, given or Explanation(reason=Reason.STARTING_UP))
    claim, command = wish.claim, state.command
    if claim.kind is Kind.UNTOUCHED and command is None:
        return Explanation(reason=Reason.UNTOUCHED, numbers={"offered_a": claim.present_a})
    binding = _binding_room(site, wish)
    numbers = _numbers(site, claim, state, binding)
    if site.unheard and waits:
        return Explanation(reason=Reason.STARTING_UP, numbers=numbers, next_change_at=site.heard_by)
    if command is None or not command.charge:
        switching = waits and reading.phases not in {None, command.phases if command is not None else None}
        if switching and site.worst[wish.claim.circuit_id].stage is Stage.FRESH:
            return Explanation(reason=Reason.PHASE_SWITCH, numbers=numbers)
        return _not_charging(site, wish, binding, numbers, waits=waits)
    switched, pause = state.phases_switched_at, site.config.timings.phase_pause
    if switched is not None and site.now - switched < pause and state.charging_since is None:
        return Explanation(reason=Reason.PHASE_SWITCH, numbers=numbers, next_change_at=switched + pause)
    if reading.car is not CarState.CHARGING:
        return Explanation(reason=Reason.CAR_FULL if state.full else Reason.CAR_NOT_DRAWING, numbers=numbers)
    if given is not None:
        return Explanation(
            reason=given.reason, numbers=numbers | dict(given.numbers), next_change_at=given.next_change_at
        )
    return _charging(site, state, wish, binding, numbers, command, waits=waits)


def _charging(
    site: Site,
    state: ChargerState,
    wish: Wish,
    binding: Room,
    numbers: dict[str, float],
    command: Command,
    *,
    waits: bool,
) -> Explanation:
    claim, worst = wish.claim, site.worst[wish.claim.circuit_id]
    if worst.stage > Stage.FRESH and command.current_a < claim.cap_a:
        return Explanation(reason=Reason.METER_STALE, numbers=numbers | _meter(worst), circuit_id=worst.circuit_id)
    if waits and wish.target_a > command.current_a:
        return Explanation(reason=Reason.WAITING_FOR_OTHERS, numbers=numbers)
    if wish.bound not in {None, SURPLUS_BOUND}:
        return _limit(site, wish, binding, numbers, waiting=False)
    if claim.dimmed and command.current_a >= claim.cap_a:
        return _dimmed(site, numbers, waiting=False)
    if state.override is not None and claim.kind is Kind.FAST:
        return _until_its_end(site, state.override, _overridden(state.override, numbers))
    if claim.kind is Kind.FAST:
        return Explanation(reason=Reason.CHARGING_FAST, numbers=numbers)
    if claim.kind is Kind.GUARANTEED and command.current_a <= claim.guaranteed_a:
        if "surplus_w" in numbers:
            return Explanation(reason=Reason.CHARGING_GUARANTEED, numbers=numbers)
        unknown = Reason.SURPLUS_UNKNOWN if site.config.has_power_meter else Reason.NO_POWER_METER
        return Explanation(reason=unknown, numbers=numbers)
    return Explanation(reason=Reason.CHARGING_SURPLUS, numbers=numbers)


def _not_charging(site: Site, wish: Wish, binding: Room, numbers: dict[str, float], *, waits: bool) -> Explanation:
    numbers = numbers | {"needed_a": wish.claim.floor_a}
    worst = site.worst[wish.claim.circuit_id]
    if worst.stage >= Stage.FALLBACK:
        return Explanation(reason=Reason.METER_LOST, numbers=numbers | _meter(worst), circuit_id=worst.circuit_id)
    if worst.stage is Stage.STALE:
        return Explanation(reason=Reason.METER_STALE, numbers=numbers | _meter(worst), circuit_id=worst.circuit_id)
    if waits and wish.target_a:
        return Explanation(reason=Reason.WAITING_FOR_OTHERS, numbers=numbers)
    if _is_imbalance(site, wish):
        reason = Reason.WAITING_FOR_IMBALANCE
        return Explanation(
            reason=reason, numbers=numbers, circuit_id=binding.circuit_id, next_change_at=site.turn.ends_at
        )
    if _others_have_the_room(wish, binding) and not _is_capped(site, wish):
        return Explanation(
            reason=Reason.WAITING_FOR_TURN,
            numbers=numbers,
            circuit_id=binding.circuit_id,
            next_change_at=site.turn.ends_at,
        )
    if wish.claim.dimmed and wish.claim.cap_a < wish.claim.floor_a:
        return _dimmed(site, numbers, waiting=True)
    return _limit(site, wish, binding, numbers, waiting=True)


def _binding_room(site: Site, wish: Wish) -> Room:
    """Return the room of the circuit that binds; of the house connection where none does."""
    if wish.bound is None or wish.bound == SURPLUS_BOUND:
        return site.rooms[site.tree.circuits[0].circuit_id]
    return site.rooms[site.tree.limits[wish.bound].circuit_id]


def worst_rooms(tree: Tree, rooms: Sequence[Room]) -> dict[str, Room]:
    """Return for every circuit the room with the least trustworthy meter of it and all above it."""
    return {
        key: max((rooms[index] for index in chain), key=lambda room: room.stage) for key, chain in tree.chains.items()
    }


def _others_have_the_room(wish: Wish, binding: Room) -> bool:
    floor = wish.claim.floor_a
    return all(min(binding.now_a[line], binding.lasting_a[line]) >= floor for line in wish.claim.lines)


def _is_imbalance(site: Site, wish: Wish) -> bool:
    """Return whether it is the difference between the phases that keeps a charger from more."""
    return wish.bound is not None and wish.bound >= 0 and site.tree.limits[wish.bound].kind is LimitKind.IMBALANCE


def _is_capped(site: Site, wish: Wish) -> bool:
    """Return whether the limit of the power of all together is what keeps a charger from more."""
    if site.cap is None or wish.bound is None or wish.bound < 0:
        return False
    limit = site.tree.limits[wish.bound]
    root = site.rooms[site.tree.circuits[0].circuit_id]
    return limit.kind is LimitKind.POWER and limit.circuit_id == root.circuit_id and root.power_w == site.cap.power_w


def _overridden(override: Override, numbers: dict[str, float]) -> Explanation:
    if override.source is OverrideSource.USER:
        reason = Reason.OVERRIDE
    else:
        reason = Reason.APP_FAST if override.current_a >= HIGHEST_CURRENT else Reason.APP_OVERRIDE
    return Explanation(reason=reason, numbers=numbers | {"override_a": override.current_a})


def _until_its_end(site: Site, override: Override | None, explanation: Explanation) -> Explanation:
    """Return what is explained by an override with the time of its end, where that is known."""
    if override is None or override.until is None or site.moment is None or explanation.reason not in OVERRIDDEN:
        return explanation
    return explanation._replace(next_change_at=site.now + (override.until - site.moment).total_seconds())


def _dimmed(site: Site, numbers: dict[str, float], *, waiting: bool) -> Explanation:
    reason = Reason.WAITING_FOR_DIMMING if waiting else Reason.LIMITED_BY_DIMMING
    return Explanation(reason=reason, numbers=numbers | {"dimming_w": round(site.config.dimming_w or 0.0)})


def _limit(site: Site, wish: Wish, binding: Room, numbers: dict[str, float], *, waiting: bool) -> Explanation:
    """Name what binds on the charger's phases: the fuse, another circuit, or what somebody set."""
    reasons, more = _limit_reasons(site, wish, binding)
    return Explanation(reason=reasons[waiting], numbers=numbers | more, circuit_id=binding.circuit_id)


def _limit_reasons(site: Site, wish: Wish, binding: Room) -> tuple[tuple[Reason, Reason], dict[str, float]]:
    """Return the reasons of a charging and of a waiting charger, and the figures that only they need."""
    kind = site.tree.limits[wish.bound].kind if wish.bound is not None and wish.bound >= 0 else None
    cap = site.cap
    if kind is LimitKind.IMBALANCE:
        return (Reason.LIMITED_BY_IMBALANCE, Reason.WAITING_FOR_IMBALANCE), {}
    is_root = binding.circuit_id == site.tree.circuits[0].circuit_id
    if cap is not None and _is_capped(site, wish):
        return CAPPED[cap.kind], {"room_w": round(cap.power_w), **cap.numbers}
    circuit = next(circuit for circuit in site.tree.circuits if circuit.circuit_id == binding.circuit_id)
    lowered = (
        kind is not LimitKind.POWER
        and circuit.demand_limit_a is not None
        and circuit.demand_limit_a < fuse_target(circuit)
    )
    if not is_root:
        on_demand = (Reason.LIMITED_ON_DEMAND, Reason.WAITING_ON_DEMAND)
        return on_demand if lowered else (Reason.LIMITED_BY_CIRCUIT, Reason.WAITING_FOR_CIRCUIT), {}
    strategy = site.config.strategy
    caps = min(strategy.available_current_a, strategy.maximum_total_current_a)
    least = min(binding.fuse_a[line] for line in wish.claim.lines)
    if lowered and least <= caps:
        return (Reason.LIMITED_ON_DEMAND, Reason.WAITING_ON_DEMAND), {}
    # Without a meter the connection is only one more fixed current for all: no load of the house is known to name.
    if binding.house_a is not None and least <= caps:
        return (Reason.LIMITED_BY_FUSE, Reason.WAITING_FOR_FUSE), {}
    if site.told.expired and caps < strategy.maximum_total_current_a and caps <= least:
        silent: dict[str, float] = {"silent_s": round(site.told.silent_s)}
        return (Reason.LIMITED_BY_WATCHDOG, Reason.WAITING_FOR_WATCHDOG), silent
    return (Reason.LIMITED_BY_AVAILABLE_CURRENT, Reason.WAITING_FOR_AVAILABLE_CURRENT), {}


def _numbers(site: Site, claim: Claim, state: ChargerState, room: Room) -> dict[str, float]:
    command = state.command
    numbers: dict[str, float] = {
        "allocated_a": command.current_a if command is not None else 0,
        "maximum_a": claim.cap_a,
        "phases": claim.phases,
    }
    key = (room.circuit_id, claim.lines)
    if key not in site.figures:
        site.figures[key] = _figures(room, claim.lines)
    numbers |= site.figures[key]
    if claim.kind in {Kind.GUARANTEED, Kind.SURPLUS} and site.budget_w is not None:
        numbers["surplus_w"] = round(site.budget_w)
    elif claim.kind is Kind.GUARANTEED:
        numbers["age_s"] = round(site.surplus.age_s)
    if claim.kind is Kind.GUARANTEED:
        numbers["guaranteed_w"] = round(claim.guaranteed_a * claim.watts_per_amp)
    return numbers


def _figures(room: Room, lines: Sequence[int]) -> dict[str, float]:
    """Return what there is to say about a circuit on some of its phases."""
    figures: dict[str, float] = {
        "room_a": round(min(room.now_a[line] for line in lines), 1),
        "limit_a": round(room.target_a, 1),
    }
    if room.house_a is not None:
        figures["house_a"] = round(max(room.house_a[line] for line in lines), 1)
    if room.imbalance_a is not None:
        figures["imbalance_a"] = room.imbalance_a
    return figures


def _meter(room: Room) -> dict[str, float]:
    return {"age_s": round(room.meter_age_s)} if room.meter_age_s is not None else {}


def site_status(site: Site, reasons: AbstractSet[Reason], *, charging: bool) -> SiteStatus:
    """Return the house in one word: the worst first.

    Args:
        site: what is the same for all chargers.
        reasons: the reasons of all chargers.
        charging: whether any charger is allowed to charge.
    """
    if reasons & FAULTS or any(room.stage >= Stage.FALLBACK for room in site.rooms.values()):
        return SiteStatus.FAULT
    if site.config.strategy.mode is Mode.OFF:
        return SiteStatus.OFF
    if Reason.STARTING_UP in reasons:
        return SiteStatus.STARTING
    if reasons & LIMITING:
        return SiteStatus.LIMITED
    if charging and not reasons <= {Reason.CAR_NOT_DRAWING, Reason.CAR_FULL, Reason.NO_CAR}:
        return SiteStatus.CHARGING
    return SiteStatus.WAITING if reasons & WAITING else SiteStatus.IDLE
