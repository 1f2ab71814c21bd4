"""Who may charge: turns modes, cars and turns into claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from . import phases, solar
from .allocation import Claim, Kind
from .candidates import Candidate
from .circuits import Tree
from .contest import Contest
from .electrics import NOTHING, voltage
from .law import NO_REGRET
from .load import Load
from .model import (
    HIGHEST_CURRENT,
    LOWEST_CURRENT,
    SURPLUS_MODES,
    CarState,
    ChargerConfig,
    ChargerMode,
    ChargerReading,
    Configuration,
    Mode,
    OverrideSource,
    Snapshot,
)
from .probing import Probing, feel
from .ranking import Turn, rank
from .reasons import Explanation, Reason
from .state import ChargerState, ControlState
from .surplus import Surplus, Trust

RELEASE = 60.0  # s; within it what was dimmed is back
LONG_ENOUGH = 1e6  # s; within it every choice that costs less is worth its price


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """What everybody asks for, and why the others ask for nothing."""

    claims: tuple[Claim, ...]
    """The first in line first."""
    explanations: Mapping[str, Explanation]
    """Of chargers without a claim, and of claims that wait for time to pass."""
    states: Mapping[str, ChargerState]
    budget_w: float | None
    """Surplus in W that is left for pv and min+pv chargers."""
    share_w: float | None
    """What they may share; without limit while the surplus is stale, because then all keep what they have."""
    probing: Probing
    contested: frozenset[str]
    """Chargers without a claim because others use the surplus that would do for them."""


def effective_mode(config: Configuration, charger: ChargerConfig, state: ChargerState) -> tuple[Mode, bool]:
    """Return the mode a charger charges by, and whether it is the site's."""
    if config.strategy.mode is Mode.OFF:
        return Mode.OFF, True  # the site's off stops every charger
    if state.override is not None:  # a cap of its own, with or without sun
        return Mode.FAST if state.override.current_a else Mode.OFF, False
    from_site = charger.mode is ChargerMode.FOLLOW_SITE
    mode = config.strategy.mode if from_site else Mode(charger.mode.value)
    if mode in SURPLUS_MODES and not config.strategy.excess_charging:
        mode = Mode.FAST
    return mode, from_site


def collect(
    config: Configuration,
    tree: Tree,
    state: ControlState,
    snapshot: Snapshot,
    surplus: Surplus,
    *,
    load: Load,
    room: Sequence[float],
    turn: Turn,
    now: float,
) -> Claims:
    """Return the claims of all chargers.

    Args:
        config: the configuration.
        tree: its circuits.
        state: the state, the current snapshot taken in.
        snapshot: what is known of the chargers.
        surplus: the surplus for all.
        load: what all chargers may draw now.
        room: what they may draw, by limit of the tree, in A or W.
        turn: the moment in the rotation.
        now: monotonic seconds.
    """
    explanations: dict[str, Explanation] = {}
    states: dict[str, ChargerState] = dict(state.chargers)
    candidates: list[Candidate] = []
    others = load.empty()
    for charger in config.chargers:
        found = _candidate(config, tree, charger, state, snapshot, turn, now)
        if isinstance(found, Candidate):
            candidates.append(found)
        else:
            explanations[charger.charger_id] = found
            states[charger.charger_id] = _forget_wishes(states[charger.charger_id])
            others.set(charger, load.drawn.get(charger.charger_id, NOTHING))  # they ask for nothing, but may still draw
    candidates.sort(key=lambda candidate: candidate.rank)
    budget, probing = _budget(state, surplus, candidates, now)
    contest = Contest(
        config=config,
        tree=tree,
        surplus=surplus,
        budget_w=budget,
        room=[free - taken for free, taken in zip(room, others.totals, strict=True)],
        candidates=candidates,
        turn=turn,
        seconds=_seconds(state, now),
        now=now,
    )
    claims: list[Claim] = []
    for candidate in candidates:
        key = candidate.charger.charger_id
        claim, charger_state, explanation = contest.enter(candidate)
        if charger_state.mode is not candidate.mode:
            # Whoever picks another mode does not wait for the pace of commands for the sun.
            charger_state = replace(charger_state, mode=candidate.mode, surplus_command_at=None)
        if candidate.narrowed:
            charger_state = replace(charger_state, narrowed_at=now)
        states[key] = charger_state
        if explanation is not None:
            explanations[key] = explanation
        if claim is not None:
            claims.append(claim)
    return Claims(
        claims=tuple(claims),
        explanations=explanations,
        states=states,
        budget_w=budget,
        share_w=float("inf") if surplus.trust is Trust.STALE else budget,
        probing=probing,
        contested=frozenset(contest.contested),
    )


def _seconds(state: ControlState, now: float) -> float:
    """Return for how long everything is taken to have been as it is now."""
    if state.anew:
        return LONG_ENOUGH
    return 0.0 if state.stepped_at is None else min(now - state.stepped_at, solar.LONGEST_STEP)


def _forget_wishes(state: ChargerState) -> ChargerState:
    """Return the state of a charger that shall not charge: all its delays begin anew."""
    if state.command is None and state.saved_command is not None:
        return state  # not heard since a restart
    timers = (state.other_phases_since, state.mode, state.waiting_since, state.room_since)
    if timers == (None, None, None, None) and state.regrets == NO_REGRET:
        return state
    return replace(
        state,
        regrets=NO_REGRET,
        other_phases_since=None,
        mode=None,
        waiting_since=None,
        room_since=None,
    )


def _candidate(
    config: Configuration,
    tree: Tree,
    charger: ChargerConfig,
    state: ControlState,
    snapshot: Snapshot,
    turn: Turn,
    now: float,
) -> Candidate | Explanation:
    reading = snapshot.chargers.get(charger.charger_id)
    own = state.chargers[charger.charger_id]
    if reading is None or not reading.online:
        return _silent(config, own, reading, state.started_at, now)
    kind, mode = _kind(config, charger, own)
    if isinstance(kind, Explanation):
        return kind
    unable = _unable(reading)
    if unable is not None:
        return unable
    if kind is Kind.SURPLUS and not config.has_power_meter:
        return Explanation(reason=Reason.NO_POWER_METER)
    options = phases.Options.of(config, charger, own, solar=kind in {Kind.GUARANTEED, Kind.SURPLUS})
    if charger.circuit_id not in tree.chains or options.impossible:
        return Explanation(reason=Reason.CONFIGURATION_ERROR)
    volts = voltage(reading, snapshot.grid)
    power_cap_w = config.dimming_w if snapshot.dimmed and not config.dimming_total else None
    narrowed = False
    if power_cap_w is not None:
        present = options.reading(reading)
        fitting = options.within(power_cap_w, volts, excess_a=max(0.0, own.excess_a), present=present)
        if fitting.impossible:
            least = options.allowed[0]
            numbers = {
                "needed_a": options.floor(least),
                "phases": options.used(least),
                "dimming_w": round(power_cap_w),
            }
            return Explanation(reason=Reason.WAITING_FOR_DIMMING, numbers=numbers)
        narrowed, options = fitting is not options, fitting
    return Candidate(
        charger=charger,
        state=own,
        reading=reading,
        kind=kind,
        mode=mode,
        volts=volts,
        options=options,
        power_cap_w=power_cap_w,
        narrowed=narrowed,
        released=not narrowed and _is_released(own, now),
        rank=rank(config, charger, own, kind, turn, energy_wh=state.energy(charger.charger_id), now=now),
    )


def _unable(reading: ChargerReading) -> Explanation | None:
    """Say why the charger itself lets nothing begin; None where it does."""
    if reading.car is CarState.NO_CAR:
        return Explanation(reason=Reason.NO_CAR)
    if reading.car in {CarState.ERROR, CarState.UNKNOWN}:
        return Explanation(reason=Reason.CHARGER_ERROR)
    if reading.locked:
        return Explanation(reason=Reason.WAITING_FOR_AUTHORISATION)
    if reading.limit_a is not None and reading.limit_a < LOWEST_CURRENT:
        return Explanation(reason=Reason.CHARGER_LIMIT, numbers={"limit_a": reading.limit_a})
    return None


def _is_released(own: ChargerState, now: float) -> bool:
    """Return whether the grid operator kept a charger from its phases until just now, and it did not switch since."""
    narrowed, switched = own.narrowed_at, own.phases_switched_at
    return narrowed is not None and now - narrowed < RELEASE and (switched is None or switched <= narrowed)


def _silent(
    config: Configuration, own: ChargerState, reading: ChargerReading | None, started_at: float, now: float
) -> Explanation:
    """Say why nothing can be asked for by a charger that does not answer."""
    if reading is None and now - started_at < config.timings.hear_all:
        return Explanation(reason=Reason.STARTING_UP, next_change_at=started_at + config.timings.hear_all)
    reserved = own.reserved_a if own.reserved_a is not None else float(HIGHEST_CURRENT)
    return Explanation(reason=Reason.UNREACHABLE, numbers={"reserved_a": round(reserved, 1)})


def _kind(config: Configuration, charger: ChargerConfig, own: ChargerState) -> tuple[Kind | Explanation, Mode]:
    """Return what a charger asks with, or why it shall not charge, and its mode."""
    strategy = config.strategy
    mode, from_site = effective_mode(config, charger, own)
    nobody = strategy.external_phases and strategy.phases_wanted == 0
    if own.command is None and not nobody:
        return Kind.UNTOUCHED, mode
    if mode is Mode.OFF:
        reason = Reason.SITE_OFF if from_site else Reason.CHARGER_OFF
        if own.override is not None and not from_site:
            reason = Reason.APP_OFF if own.override.source is OverrideSource.APP else Reason.OVERRIDE_OFF
        return Explanation(reason=reason), mode
    if nobody:
        return Explanation(reason=Reason.EXTERNAL_NO_PHASES), mode
    if mode is Mode.FAST:
        return Kind.FAST, mode
    return Kind.GUARANTEED if mode is Mode.MIN_PV and strategy.guaranteed_power_w > 0 else Kind.SURPLUS, mode


def _budget(
    state: ControlState, surplus: Surplus, candidates: list[Candidate], now: float
) -> tuple[float | None, Probing]:
    """Surplus that is left when fast, untouched and silent chargers took theirs."""
    if surplus.watts is None or surplus.trust is Trust.DEAD:
        return None, state.probing
    sharing = {item.charger.charger_id for item in candidates if item.kind in {Kind.GUARANTEED, Kind.SURPLUS}}
    others = sum(draws[-1].power_w for key, draws in state.draws.items() if key not in sharing and draws)
    solar = [item for item in candidates if item.kind in {Kind.GUARANTEED, Kind.SURPLUS}]
    return feel(state.probing, surplus.watts - others, solar, curtailed=surplus.curtailed, now=now)
