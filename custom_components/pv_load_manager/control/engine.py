"""The one function of the core: (configuration, state, snapshot, now) -> (new state, plan)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .allocation import UNLIMITED, Claim, allocate
from .claims import Claims, collect
from .electrics import NOTHING, add, higher, lower, subtract
from .explain import explain, site_status
from .flags import ConfigError, config_errors
from .model import LOWEST_CURRENT, CircuitConfig, Command, Configuration, Snapshot, Three
from .observe import observe
from .protection import Room, Stage, fuse_target, room
from .reasons import Explanation, SiteStatus
from .sequence import Wish, carry_out, could_draw
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
    state = observe(config, state, snapshot, now)
    surplus = estimate(config, state, now)
    wanted = collect(config, state, snapshot, surplus, now)
    state = replace(state, chargers=wanted.states)
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
    circuit = _root(config)
    house = room(config, circuit, state, snapshot.grid, present, now)
    wishes = _wishes(wanted, house, _reserved(wanted, present))
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


def _root(config: Configuration) -> CircuitConfig:
    roots = [circuit for circuit in config.circuits if circuit.parent_id is None]
    # Without a configured connection nothing is known to be safe.
    return roots[0] if roots else CircuitConfig(limit_a=0.0)


def _reserved(wanted: Claims, present: Mapping[str, Three]) -> Three:
    """What chargers without a claim could draw: silent ones, and those that still ramp down."""
    claiming = {claim.charger_id for claim in wanted.claims}
    total = NOTHING
    for key, drawn in present.items():
        if key not in claiming:
            total = add(total, drawn)
    return total


def _wishes(wanted: Claims, house: Room, reserved: Three) -> dict[str, Wish]:
    claims, budget = wanted.claims, wanted.share_w
    now_room = higher(NOTHING, subtract(house.now_a, reserved))
    now_share = allocate(claims, now_room, budget)
    lasting_share = allocate(claims, higher(NOTHING, subtract(house.lasting_a, reserved)), budget)
    # What the circuit alone would give: a pv charger above this has to go down at once.
    circuit_share = allocate(claims, now_room, float("inf"))
    wishes = {}
    for claim in claims:
        key = claim.charger_id
        target = min(now_share[key], max(claim.present_a, lasting_share[key]))
        if house.stage > Stage.FRESH:
            target = min(target, claim.present_a)
        if 0 < target < claim.floor_a:
            target = 0
        wishes[key] = Wish(claim=claim, target_a=target, allowed_a=circuit_share[key])
    return wishes


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
