"""The one function of the core: (configuration, state, snapshot, now) -> (new state, plan)."""

from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace

from .allocation import UNLIMITED, Claim, allocate
from .claims import Claims, collect
from .electrics import NOTHING, add, higher, lower, spread, subtract
from .explain import explain, site_status
from .flags import ConfigError, config_errors
from .model import HIGHEST_CURRENT, LOWEST_CURRENT, CircuitConfig, Command, Configuration, Snapshot, Three
from .observe import finite, observe, settled
from .protection import Room, Stage, fuse_target, room
from .reasons import Explanation, Reason, SiteStatus
from .sequence import Wish, carry_out, could_draw, followed, hearing
from .state import ControlState
from .surplus import Surplus, estimate

NO_ERRORS = ConfigError(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargerPlan:
    """What one charger shall do, and why."""

    command: Command | None
    """None = leave it alone."""
    explanation: Explanation
    safe_current_a: int
    """What it may draw per phase when nobody controls it, in A; 0 = it must be left stopped."""

    @property
    def allocated_a(self) -> int:
        """Return what it is allowed to draw per phase now, in A."""
        return self.command.current_a if self.command is not None else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the whole site shall do."""

    chargers: Mapping[str, ChargerPlan] = field(default_factory=dict)
    status: SiteStatus = SiteStatus.STARTING
    surplus_w: float | None = None
    house_a: Three | None = None
    free_a: Three = NOTHING
    """Room under the house connection that no charger uses, per grid phase."""
    errors: ConfigError = NO_ERRORS


def decide(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> tuple[ControlState, Plan]:
    """Return what every charger shall do now, and what to remember.

    Args:
        config: installation, strategy and time constants.
        state: what the last step returned; ``ControlState(started_at=now)`` at first.
        snapshot: the last that each device said, with its time.
        now: monotonic seconds; never smaller than at the last step.
    """
    snapshot = finite(snapshot)
    state = observe(config, state, snapshot, now)
    surplus = estimate(config, state, now)
    present = {
        charger.charger_id: could_draw(
            config,
            charger,
            state.chargers[charger.charger_id],
            snapshot.chargers.get(charger.charger_id),
            now,
        )
        for charger in config.chargers
    }
    house = room(config, _root(config), state, snapshot.grid, present, now)
    wanted = collect(config, state, snapshot, surplus, present, house.now_a, now)
    state = replace(state, chargers=wanted.states)
    wishes = _wishes(config, state, snapshot, wanted, house, present, now)
    states, waiting = carry_out(config, state, snapshot, wishes, (house.now_a, house.lasting_a), now)
    state = replace(state, chargers=states)
    plan = _plan(
        config, state, snapshot, surplus=surplus, wanted=wanted, house=house, wishes=wishes, waiting=waiting, now=now
    )
    return state, plan


def safe_currents(config: Configuration) -> dict[str, int]:
    """Return what each charger may draw per phase in A when Home Assistant is gone; 0 = it must be left stopped.

    By default the static share of the circuit: whatever the house draws, nobody watches it then.
    """
    if not config.chargers:
        return {}
    share = int(min(fuse_target(_root(config)), config.strategy.maximum_total_current_a) / len(config.chargers))
    result = {}
    for charger in config.chargers:
        amps = share if charger.current_without_ha_a is None else charger.current_without_ha_a
        amps = min(amps, charger.max_current_a)
        result[charger.charger_id] = amps if amps >= LOWEST_CURRENT else 0
    return result


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


def _root(config: Configuration) -> CircuitConfig:
    roots = [circuit for circuit in config.circuits if circuit.parent_id is None]
    # Without a configured connection nothing is known to be safe.
    return roots[0] if roots else CircuitConfig(limit_a=0.0)


def _reserved(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    wanted: Claims,
    present: Mapping[str, Three],
    stubborn: AbstractSet[str],
    now: float,
) -> Three:
    """What is not to be shared: the draw of silent and stubborn chargers, and what others draw beyond their command.

    Beyond is a phase that a switch has not left yet, and, after the time to follow, what a car draws too much. What is
    on its way down is not cut from the others a second time; increases wait for it elsewhere.
    """
    claims = {claim.charger_id: claim for claim in wanted.claims}
    total = NOTHING
    for key, drawn in present.items():
        claim, own, reading = claims.get(key), state.chargers[key], snapshot.chargers.get(key)
        online = reading is not None and reading.online
        if key not in stubborn and online:
            held = own.command is not None and not own.command.charge
            if held and not settled(config, own, now):
                continue
            if claim is not None and not held:
                elsewhere = higher(NOTHING, subtract(drawn, spread(HIGHEST_CURRENT, claim.lines)))
                total = add(total, add(elsewhere, spread(own.excess_a, claim.lines)))
                continue
        total = add(total, drawn)
    return total


def _wishes(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    wanted: Claims,
    house: Room,
    present: Mapping[str, Three],
    now: float,
) -> dict[str, Wish]:
    claims, budget = wanted.claims, wanted.share_w
    asked = {claim.charger_id: claim for claim in claims}
    # With a dead meter the fallback is safe by itself, whoever draws it; before that nobody may have more.
    if house.stage in {Stage.STALE, Stage.FALLBACK}:
        claims = tuple(replace(claim, cap_a=min(claim.cap_a, claim.present_a)) for claim in claims)
    stubborn = {
        claim.charger_id
        for claim in claims
        if settled(config, state.chargers[claim.charger_id], now)
        and state.chargers[claim.charger_id].command is not None
        and not followed(state.chargers[claim.charger_id], snapshot.chargers[claim.charger_id])
    }
    targets, allowed = _shares(
        claims, house, _reserved(config, state, snapshot, wanted, present, frozenset(), now), budget
    )
    if stubborn:
        # Who ignores its command is told what it should get, but the others live with what it takes.
        reserved = _reserved(config, state, snapshot, wanted, present, stubborn, now)
        obedient = [claim for claim in claims if claim.charger_id not in stubborn]
        for share, without in zip((targets, allowed), _shares(obedient, house, reserved, budget), strict=True):
            share |= {key: min(amps, share[key]) for key, amps in without.items()}
    return {key: Wish(claim=claim, target_a=targets[key], allowed_a=allowed[key]) for key, claim in asked.items()}


def _shares(
    claims: Sequence[Claim], house: Room, reserved: Three, budget: float | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Return what everybody should get, and what the circuit alone would give.

    Nobody gives way now for an increase that the other one cannot have for lack of lasting room.
    """
    now_room = higher(NOTHING, subtract(house.now_a, reserved))
    now = allocate(claims, now_room, budget)
    lasting = allocate(claims, higher(NOTHING, subtract(house.lasting_a, reserved)), budget)
    capped = [
        replace(claim, cap_a=min(claim.cap_a, max(claim.present_a, lasting[claim.charger_id])))
        if lasting[claim.charger_id] < now[claim.charger_id]
        else claim
        for claim in claims
    ]
    return allocate(capped, now_room, budget), allocate(capped, now_room, float("inf"))


def _plan(
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    *,
    surplus: Surplus,
    wanted: Claims,
    house: Room,
    wishes: Mapping[str, Wish],
    waiting: set[str],
    now: float,
) -> Plan:
    unlimited = allocate(wanted.claims, UNLIMITED, wanted.share_w)
    claims: dict[str, Claim] = {claim.charger_id: claim for claim in wanted.claims}
    safe = safe_currents(config)
    chargers = {}
    used = NOTHING
    unheard = hearing(config, state, snapshot, now)
    for charger in config.chargers:
        key = charger.charger_id
        charger_state, reading = state.chargers[key], snapshot.chargers.get(key)
        explanation = explain(
            config=config,
            state=charger_state,
            reading=reading,
            claim=claims.get(key),
            wish=wishes.get(key),
            given=wanted.explanations.get(key),
            room=house,
            surplus=surplus,
            budget_w=wanted.budget_w,
            unlimited_a=unlimited.get(key, 0),
            waits=key in waiting,
            unheard=unheard,
            now=now,
        )
        used = add(used, could_draw(config, charger, charger_state, reading, now))
        chargers[key] = ChargerPlan(command=charger_state.command, explanation=explanation, safe_current_a=safe[key])
    return Plan(
        chargers=chargers,
        status=site_status(
            config,
            house,
            {item.explanation.reason for item in chargers.values()},
            charging=any(item.allocated_a for item in chargers.values()),
        ),
        surplus_w=surplus.watts,
        house_a=house.house_a,
        free_a=higher(NOTHING, subtract(lower(house.now_a, house.fuse_a), used)),
        errors=config_errors(config),
    )
