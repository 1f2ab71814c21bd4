"""The one function of the core: (configuration, state, snapshot, now) -> (new state, plan)."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from . import caps, overrides, peak as peaks
from .allocation import Allocation, Claim, allocate
from .chargers import settled, stubborn
from .circuits import Tree, fuse_target
from .claims import Claims, collect
from .electrics import NOTHING, draw_at, higher, spread, subtract
from .explain import Site, explain, site_status, worst_rooms
from .external import available, phase_control
from .flags import ConfigError, config_errors
from .fullness import circuit_plans
from .law import ROUND_UP, ROUNDING_WEIGHT
from .load import Load
from .model import (
    HIGHEST_CURRENT,
    LOWEST_CURRENT,
    NOMINAL_VOLTAGE,
    ChargerConfig,
    ChargerReading,
    Command,
    Configuration,
    Rounding,
    Snapshot,
    Three,
)
from .observe import finite, observe
from .plan import ChargerPlan, Plan
from .protection import Room, Rooms, Stage, capacities, rooms
from .ranking import Turn
from .reasons import Explanation, Reason, SiteStatus
from .sequence import Wish, carry_out, could_draw, hearing
from .solar import LONGEST_STEP
from .state import ChargerState, ControlState
from .surplus import Surplus, Trust, estimate

DAY = 86_400.0  # s
HOUR = 3600.0  # s
FORGET = 0.9  # per second: a current that is right again is no reason for a command
NO_ERROR_WH = 0.01


def decide(
    config: Configuration, state: ControlState, snapshot: Snapshot, now: float, moment: datetime | None = None
) -> tuple[ControlState, Plan]:
    """Return what every charger shall do now, and what to remember.

    Args:
        config: installation, strategy and time constants.
        state: what the last step returned; ``ControlState(started_at=now)`` at first.
        snapshot: the last that each device said, with its time.
        now: monotonic seconds; never smaller than at the last step.
        moment: the same in aware local time, for days, quarter hours and ends of overrides; None = not known: then
            days are those of monotonic time, and the rest is left out.
    """
    errors = config_errors(config, snapshot, state, now)
    if errors & ConfigError.DUPLICATE_CHARGER:
        config = replace(config, chargers=_unique(config.chargers))
    snapshot = finite(snapshot)
    tree = Tree.of(config.circuits, power_capped=caps.may_be_capped(config))
    state = _on_day(state, int(now // DAY) if moment is None else moment.toordinal())
    state = overrides.expire(observe(config, tree, state, snapshot, now), moment)
    told = available(config, state, snapshot, now)
    if told.current_a != config.strategy.available_current_a:
        config = replace(config, strategy=replace(config.strategy, available_current_a=told.current_a))
    surplus = estimate(config, state, snapshot, now)
    turn = Turn.at(config, state, now)
    load = Load.of(
        config,
        tree,
        {
            charger.charger_id: could_draw(
                config,
                charger,
                state.chargers[charger.charger_id],
                snapshot.chargers.get(charger.charger_id),
                now,
            )
            for charger in config.chargers
        },
        snapshot,
    )
    state = _in_quarter(config, state, now, moment)
    cap = caps.lowest(config, snapshot, peak_w=state.peak.cap_w, peak_limit_w=state.peak.limit_w)
    present = [load.circuit(index) for index in range(len(tree.circuits))]
    found = rooms(config, tree, state, snapshot, present, now, cap_w=None if cap is None else cap.power_w)
    room = capacities(tree, found)
    wanted = collect(config, tree, state, snapshot, surplus, load=load, room=room.now, turn=turn, now=now)
    state = replace(state, chargers=wanted.states, probing=wanted.probing, slot=turn.slot)
    wishes = _wishes(config, state, snapshot, wanted, surplus, found=found, room=room, load=load, now=now)
    state = replace(state, chargers=_errors(state, wishes, now), stepped_at=now, anew=False)
    states, waiting = carry_out(config, state, snapshot, wishes, load, room, now)
    lowered_at = now if _lowered(state.chargers, states) else state.lowered_at
    state = replace(state, chargers=_waits(states, wanted, wishes, now), lowered_at=lowered_at)
    site = Site(
        config=config,
        tree=tree,
        rooms={item.circuit_id: item for item in found},
        worst=worst_rooms(tree, found),
        surplus=surplus,
        budget_w=wanted.budget_w,
        told=told,
        cap=cap,
        dimmed=snapshot.dimmed and config.dimming_w is not None,
        unheard=hearing(config, state, snapshot, now),
        heard_by=state.started_at + config.timings.hear_all,
        turn=turn,
        now=now,
        moment=moment,
    )
    return state, _plan(site, state, snapshot, errors=errors, wanted=wanted, load=load, wishes=wishes, waiting=waiting)


def _on_day(state: ControlState, day: int) -> ControlState:
    """Return the state with the counts of this day."""
    if state.day == day:
        return state
    chargers = {key: replace(charger, starts_today=0, switches_today=0) for key, charger in state.chargers.items()}
    return replace(state, day=day, chargers=state.chargers if state.day is None else chargers)


def _in_quarter(config: Configuration, state: ControlState, now: float, moment: datetime | None) -> ControlState:
    """Return the state with what the meter says about this quarter hour."""
    if not config.has_power_meter and state.peak.cap_w is not None:
        # Nobody measures any more what the cap was for.
        return replace(state, peak=replace(state.peak, limit_w=0.0, cap_w=None))
    if moment is None or not config.has_power_meter:
        return state
    grid = state.grid[-1] if state.grid else None
    cars = 0.0
    if grid is not None:
        draws = (draw_at(samples, grid.at) for samples in state.draws.values())
        cars = sum(draw.power_w for draw in draws if draw is not None)
    peak = peaks.follow(
        config,
        state.peak,
        grid_w=None if grid is None else grid.value,
        grid_at=None if grid is None else grid.at,
        cars_w=cars,
        now=now,
        moment=moment,
    )
    return state if peak is state.peak else replace(state, peak=peak)


def _errors(state: ControlState, wishes: Mapping[str, Wish], now: float) -> dict[str, ChargerState]:
    """Return the states with what it has cost so far that chargers do not have the current of their share."""
    result = dict(state.chargers)
    seconds = 0.0 if state.stepped_at is None else min(now - state.stepped_at, LONGEST_STEP)
    for key, charger in state.chargers.items():
        wish, command = wishes.get(key), charger.command
        error = charger.error_wh if command is None and charger.saved_command is not None else 0.0
        if wish is not None and command is not None and command.charge and command.phases == wish.claim.phases:
            missing_w = (wish.target_a - command.current_a) * wish.claim.watts_per_amp
            known = charger.error_wh
            if missing_w == 0.0:
                error = known * FORGET**seconds if abs(known) > NO_ERROR_WH else 0.0
            else:
                weight = ROUNDING_WEIGHT if missing_w < 0.0 else 1.0
                error = (known if known * missing_w > 0.0 else 0.0) + weight * missing_w * seconds / HOUR
        if error != charger.error_wh:
            result[key] = replace(charger, error_wh=error)
    return result


def safe_currents(config: Configuration, tree: Tree | None = None) -> dict[str, int]:
    """Return what each charger may draw per phase in A when Home Assistant is gone; 0 = it must be left stopped.

    By default the static share of its circuits: whatever else draws from them, nobody watches it then.
    """
    tree = Tree.of(config.circuits) if tree is None else tree
    counts = [0] * len(tree.circuits)
    for charger in config.chargers:
        for index in tree.chains.get(charger.circuit_id, ()):
            counts[index] += 1
    shares = [
        min(fuse_target(circuit), _power_share(circuit.limit_w)) / max(count, 1)
        for circuit, count in zip(tree.circuits, counts, strict=True)
    ]
    shares[0] = min(shares[0], config.strategy.maximum_total_current_a / max(counts[0], 1))
    by_circuit = {key: int(min(shares[index] for index in chain)) for key, chain in tree.chains.items()}
    result = {}
    for charger in config.chargers:
        amps = charger.current_without_ha_a
        if amps is None:
            amps = by_circuit.get(charger.circuit_id, 0)
        amps = min(amps, charger.max_current_a)
        result[charger.charger_id] = amps if amps >= LOWEST_CURRENT else 0
    return result


def _power_share(limit_w: float | None) -> float:
    return float("inf") if limit_w is None else limit_w / 3 / NOMINAL_VOLTAGE


def stop_plan(config: Configuration) -> Plan:
    """Return the plan that stops every charger, for a caller whose ``decide`` failed."""
    safe = safe_currents(config)
    return Plan(
        chargers={
            key: ChargerPlan(
                command=Command(charge=False),
                explanation=Explanation(reason=Reason.INTERNAL_ERROR),
                safe_current_a=amps,
            )
            for key, amps in safe.items()
        },
        status=SiteStatus.FAULT,
        errors=config_errors(config),
    )


def _unique(chargers: Sequence[ChargerConfig]) -> tuple[ChargerConfig, ...]:
    """Return each charger once; nobody knows on which circuit one is that was configured twice."""
    counts = Counter(charger.charger_id for charger in chargers)
    return tuple(
        {
            charger.charger_id: charger if counts[charger.charger_id] == 1 else replace(charger, circuit_id="")
            for charger in chargers
        }.values()
    )


def _less(room: Sequence[float], reserved: Sequence[float]) -> list[float]:
    return [free - taken for free, taken in zip(room, reserved, strict=True)]


def _reserved(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    load: Load,
    claims: Mapping[str, Claim],
    *,
    whole: AbstractSet[str],
    now: float,
) -> list[float]:
    """What is not to be shared, by limit: the draw of silent and stubborn chargers, and phases not left yet.

    What is on its way down is not cut from the others a second time; increases wait for it elsewhere.
    """
    taken = load.empty()
    for charger in config.chargers:
        key = charger.charger_id
        if key in whole:
            part = load.drawn.get(key, NOTHING)
        else:
            own, reading = state.chargers[key], snapshot.chargers.get(key)
            part = _withheld(config, own, reading, claims.get(key), load.drawn.get(key, NOTHING), now)
        if part != NOTHING:
            taken.set(charger, part)
    return taken.totals


def _withheld(
    config: Configuration,
    own: ChargerState,
    reading: ChargerReading | None,
    claim: Claim | None,
    drawn: Three,
    now: float,
) -> Three:
    if drawn == NOTHING or reading is None or not reading.online:
        return drawn
    held = own.command is not None and not own.command.charge
    if held and not settled(config, own, now):
        return NOTHING
    if claim is None or held:
        return drawn
    return higher(NOTHING, subtract(drawn, spread(HIGHEST_CURRENT, claim.lines)))


def _wishes(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    wanted: Claims,
    surplus: Surplus,
    *,
    found: Sequence[Room],
    room: Rooms,
    load: Load,
    now: float,
) -> dict[str, Wish]:
    claims = wanted.claims
    # With a dead meter the fallback is safe by itself, whoever draws it; before that nobody may have more.
    frozen = {item.circuit_id for item in found if item.stage in {Stage.STALE, Stage.FALLBACK}}
    if frozen:
        names = [circuit.circuit_id for circuit in load.tree.circuits]
        claims = tuple(
            replace(claim, cap_a=min(claim.cap_a, claim.present_a))
            if any(names[index] in frozen for index in load.tree.chains[claim.circuit_id])
            else claim
            for claim in claims
        )
    ignoring = {claim.charger_id for claim in claims if stubborn(config, state.chargers[claim.charger_id], now)}
    asked = {claim.charger_id: claim for claim in wanted.claims}
    # What is there now may be shared anew; more than that only what lasts.
    shared = [
        min(free, max(lasting, total)) for free, lasting, total in zip(room.now, room.lasting, load.totals, strict=True)
    ]

    # A battery that goes first would pay for every amp that is rounded up.
    nearest = config.strategy.rounding is Rounding.NEAREST and not surplus.battery_first
    round_up = ROUND_UP if nearest else 0.0

    def share(among: Sequence[Claim], without: AbstractSet[str]) -> Allocation:
        reserved = _reserved(config, state, snapshot, load, asked, whole=without, now=now)
        return allocate(among, _less(shared, reserved), wanted.share_w, _less(room.lasting, reserved), round_up)

    result = share(claims, frozenset())
    targets = {
        claim.charger_id: (amps, bound) for claim, amps, bound in zip(claims, result.amps, result.bounds, strict=True)
    }
    if ignoring:
        # Who ignores its command is told what it should get, but the others live with what it takes.
        obedient = [claim for claim in claims if claim.charger_id not in ignoring]
        without = share(obedient, ignoring)
        for claim, amps, bound in zip(obedient, without.amps, without.bounds, strict=True):
            targets[claim.charger_id] = min(targets[claim.charger_id], (amps, bound), key=lambda item: item[0])
    return {key: Wish(claim=claim, target_a=targets[key][0], bound=targets[key][1]) for key, claim in asked.items()}


def _lowered(before: Mapping[str, ChargerState], after: Mapping[str, ChargerState]) -> bool:
    """Return whether any charger is told less than before."""
    for key, state in after.items():
        was, command = before[key].command, state.command
        if was is not command and was is not None and command is not None and command.current_a < was.current_a:
            return True
    return False


def _waits(
    states: Mapping[str, ChargerState], wanted: Claims, wishes: Mapping[str, Wish], now: float
) -> dict[str, ChargerState]:
    """Return the states with since when each could charge if others did not, and since when it has a place."""
    result = dict(states)
    asking = {claim.charger_id for claim in wanted.claims} | wanted.contested
    for key, state in states.items():
        waits = state.command is not None and not state.command.charge and key in asking
        waiting_since = (state.waiting_since or now) if waits else None
        placed = waits and key in wishes and wishes[key].target_a > 0
        promised_at = (state.promised_at or now) if placed else None
        if waiting_since != state.waiting_since or promised_at != state.promised_at:
            result[key] = replace(state, waiting_since=waiting_since, promised_at=promised_at)
    return result


def _plan(
    site: Site,
    state: ControlState,
    snapshot: Snapshot,
    *,
    errors: ConfigError,
    wanted: Claims,
    load: Load,
    wishes: Mapping[str, Wish],
    waiting: AbstractSet[str],
) -> Plan:
    config = site.config
    safe = safe_currents(config, site.tree)
    chargers = {}
    for charger in config.chargers:
        key = charger.charger_id
        charger_state = state.chargers[key]
        explanation = explain(
            site,
            charger_state,
            snapshot.chargers.get(key),
            wish=wishes.get(key),
            given=wanted.explanations.get(key),
            waits=key in waiting,
        )
        chargers[key] = ChargerPlan(
            command=charger_state.command,
            explanation=explanation,
            safe_current_a=safe[key],
            starts_today=charger_state.starts_today,
            switches_today=charger_state.switches_today,
        )
    circuits = circuit_plans(site, state, snapshot, load)
    root = circuits[site.tree.circuits[0].circuit_id]
    external, cause = phase_control(config, state.chargers, snapshot, site.now)
    silent, target_w = site.surplus.trust is not Trust.FRESH, config.strategy.target_grid_power_w
    return Plan(
        chargers=chargers,
        status=site_status(
            site,
            {item.explanation.reason for item in chargers.values()},
            charging=any(item.allocated_a for item in chargers.values()),
        ),
        grid_silent=silent,
        surplus_w=None if silent else site.surplus.watts,
        surplus_now_w=None if silent or not state.surplus else state.surplus[-1].value + target_w,
        battery_w=site.surplus.battery_w,
        soc=site.surplus.soc,
        house_a=root.house_a,
        free_a=root.free_a,
        circuits=circuits,
        errors=errors,
        available_a=site.told.current_a,
        watchdog_expired=site.told.expired,
        external=external,
        external_cause=cause,
        dimmed=site.dimmed,
        cap=site.cap,
        quarter_mean_w=state.peak.mean_w,
        month_peak_w=state.peak.month_peak_w,
        peak_limit_w=state.peak.limit_w,
        overrides={key: item.override for key, item in state.chargers.items() if item.override is not None},
    )
