"""Applies the law of surplus charging to one charger: what it can do, what it costs, and what a person is told."""

from dataclasses import replace
from math import inf

from . import law
from .allocation import Kind
from .candidates import Candidate
from .law import OFF, ONE, PHASES, THREE, Offer, Sun, Verdict, Wear
from .model import Configuration
from .reasons import Explanation, Reason
from .state import ChargerState
from .surplus import Surplus

LONGEST_STEP = 10.0  # s; over a longer gap nobody knows what would have been
WORTH_SAYING = 0.1  # of a price; a smaller regret is noise


type Offers = tuple[Offer | None, Offer | None, Offer | None]


def offers(candidate: Candidate, *, one_a: float, fits_three: bool, may_stop: bool, margin_a: float) -> Offers:
    """Return what a charger can do in each choice, in W.

    Args:
        candidate: the charger.
        one_a: its part of what the circuits have for it on one phase, in A.
        fits_three: whether the circuits have room for its minimum on three phases.
        may_stop: whether stopping is a choice.
        margin_a: what is allowed to a car beyond what it is seen to draw, in A.
    """
    stop = Offer(0.0, 0.0) if may_stop else None
    options = candidate.options
    one = _offer(candidate, 1, margin_a, one_a) if 1 in options.allowed else None
    three = _offer(candidate, 3, margin_a) if 3 in options.allowed else None
    if one is None or three is None:
        return stop, one, three
    present = candidate.phases if candidate.running else 0
    if options.used(3) < 2:  # a car on one phase: a switch would change nothing
        return (stop, None, three) if present == 3 else (stop, one, None)
    if not fits_three:
        three = Offer(0.0, 0.0) if present == 3 else None
    return stop, one, three


def _offer(candidate: Candidate, count: int, margin_a: float, part_a: float = inf) -> Offer:
    options, state = candidate.options, candidate.state
    watts = candidate.volts * options.used(count)
    most: float = min(candidate.cap_a(count), part_a)
    if state.demand_a is not None:
        most = min(most, state.demand_a - int(margin_a))
    least = (options.floor(count) + state.excess_a) * watts
    return Offer(least, max(least, most * watts))


def consider(
    config: Configuration,
    surplus: Surplus,
    candidate: Candidate,
    *,
    left_w: float,
    share_w: float,
    one_a: float,
    fits_three: bool,
    seconds: float,
    now: float,
) -> Verdict:
    """Return what a pv charger should do.

    Args:
        config: the configuration.
        surplus: the surplus for all.
        candidate: the charger.
        left_w: what those before it leave of the surplus above their minimum, in W.
        share_w: its fair part, in W.
        one_a: its part of what the circuits have for it on one phase, in A.
        fits_three: whether the circuits have room for its minimum on three phases.
        seconds: since the last step.
        now: monotonic seconds.
    """
    margin = config.strategy.demand_margin_a
    possible = offers(candidate, one_a=one_a, fits_three=fits_three, may_stop=True, margin_a=margin)
    needed = needed_power(config, candidate)
    strategy = config.strategy
    present = choice_of(candidate)
    if helped_by_battery(config, surplus, candidate):
        left_w = max(left_w, needed)
    backup = strategy.grid_backup_w if strategy.solar_only and not candidate.idle else None
    costs = law.costs(
        possible,
        Sun(left_w, share_w, needed, backup),
        present,
        weight=strategy.grid_weight,
        efficiency=strategy.weigh_efficiency,
    )
    if candidate.idle:  # its car draws nothing: only whether there is sun at all matters
        on = strategy.grid_weight * -left_w if left_w < 0.0 else -candidate.options.least_power(candidate.volts)
        costs = [cost if index in {OFF, present} else None for index, cost in enumerate(costs)]
        if present == OFF:
            present_on = ONE if possible[ONE] is not None else THREE
            costs[present_on] = on
        else:
            costs[present] = on
    return _weigh(config, surplus, candidate, costs, one=possible[ONE] is not None, seconds=seconds, now=now)


def consider_phases(
    config: Configuration,
    surplus: Surplus,
    candidate: Candidate,
    *,
    available_w: float,
    one_a: float,
    fits_three: bool,
    seconds: float,
    now: float,
) -> Verdict:
    """Return with how many phases a charger should charge that is not going to stop.

    Args:
        config: the configuration.
        surplus: the surplus for all.
        candidate: the charger.
        available_w: what it may take, in W.
        one_a: its part of what the circuits have for it on one phase, in A.
        fits_three: whether the circuits have room for its minimum on three phases.
        seconds: since the last step.
        now: monotonic seconds.
    """
    margin = config.strategy.demand_margin_a
    possible = offers(candidate, one_a=one_a, fits_three=fits_three, may_stop=False, margin_a=margin)
    sun = Sun(available_w, available_w, 0.0)
    strategy = config.strategy
    costs = law.costs(
        possible, sun, choice_of(candidate), weight=strategy.grid_weight, efficiency=strategy.weigh_efficiency
    )
    if not candidate.running:
        known = [(cost, choice) for choice, cost in enumerate(costs) if cost is not None]
        return Verdict(min(known)[1], law.NO_REGRET)
    # Nobody may be held above what is guaranteed to him because the switches of the day are used up.
    three = possible[THREE]
    down = choice_of(candidate) == THREE and three is not None and available_w < three.least_w
    return _weigh(
        config, surplus, candidate, costs, one=possible[ONE] is not None, spared=not down, seconds=seconds, now=now
    )


def _weigh(
    config: Configuration,
    surplus: Surplus,
    candidate: Candidate,
    costs: list[float | None],
    *,
    one: bool,
    seconds: float,
    now: float,
    spared: bool = True,
) -> Verdict:
    """Weigh the costs; ``spared``: whether the switches of a day are limited for it."""
    strategy, timings, state = config.strategy, config.timings, candidate.state
    present = choice_of(candidate)
    going_on = [(cost, choice) for choice, cost in enumerate(costs) if cost is not None and choice != OFF]
    if candidate.released and present != OFF and going_on:
        return Verdict(min(going_on)[1], law.NO_REGRET)
    switched = state.phases_switched_at
    rested_in = 0.0 if switched is None else max(0.0, switched + timings.phase_dwell - now)
    wear = Wear(
        starts=state.starts_today,
        switches=state.switches_today,
        rested_in=rested_in,
        may_switch=not spared or state.switches_today < strategy.phase_switches_per_day,
        set_to=ONE if candidate.phases == 1 else THREE,
    )
    return law.weigh(
        present,
        state.regrets,
        costs,
        law.prices(
            present,
            wear,
            base_wh=candidate.options.least_power(candidate.volts) * law.window(strategy, timings) / law.HOUR,
            times=law.lively(strategy, surplus.spread_w),
            one=one,
            switches_per_day=strategy.phase_switches_per_day,
        ),
        wear,
        # Who distributes anew does not get past the dwell time by a stop and a start either.
        seconds=min(seconds, LONGEST_STEP) if rested_in > 0.0 else seconds,
    )


def choice_of(candidate: Candidate) -> int:
    """Return what a charger does at present."""
    if not candidate.running:
        return OFF
    return ONE if candidate.phases == 1 else THREE


def needed_power(config: Configuration, candidate: Candidate) -> float:
    """Return the surplus in W from which on a pv charger begins; 0 where its car takes nothing anyway."""
    if candidate.idle:
        return 0.0
    strategy = config.strategy
    least = candidate.options.least_power(candidate.volts)
    if strategy.solar_only:
        least = max(0.0, least - strategy.grid_backup_w)
    return max(least, strategy.start_threshold_w)


def helped_by_battery(config: Configuration, surplus: Surplus, candidate: Candidate) -> bool:
    """Return whether the battery may give what the sun lacks for the minimum current."""
    strategy, soc = config.strategy, surplus.soc
    if soc is None:
        return False
    start, hold = strategy.battery_start_soc, strategy.battery_hold_soc
    if start > 0.0 and soc >= start:
        return True
    return candidate.running and hold > 0.0 and soc >= hold


def remember(state: ChargerState, verdict: Verdict) -> ChargerState:
    """Return the state with the regrets of a verdict, and without timers that only those without surplus have."""
    if state.regrets == verdict.regrets and state.other_phases_since is None:
        return state
    return replace(state, regrets=verdict.regrets, other_phases_since=None)


def running_reason(
    config: Configuration,
    surplus: Surplus,
    candidate: Candidate,
    verdict: Verdict,
    *,
    left_w: float,
    share_w: float,
    now: float,
) -> Explanation | None:
    """Return what a charging charger is about to do; None = nothing that is worth saying."""
    options = candidate.options
    numbers: dict[str, float] = {"surplus_w": round(left_w)}
    until = now + verdict.seconds if verdict.seconds else None
    telling = verdict.next is not None and verdict.regret_wh >= WORTH_SAYING * verdict.price_wh
    if telling:
        numbers |= {"regret_wh": round(verdict.regret_wh, 1), "price_wh": round(verdict.price_wh, 1)}
    if telling and verdict.next == OFF:
        # What it charges with now cannot go below this, as long as its phases stay.
        watts = candidate.volts * options.used(candidate.phases)
        needed = max(candidate.least_power, 0.0 if candidate.idle else options.floor(candidate.phases) * watts)
        numbers |= {"needed_w": round(needed), "missing_w": round(max(needed - left_w, 0.0))}
        return Explanation(reason=Reason.STOP_DELAY, numbers=numbers, next_change_at=until)
    if telling and verdict.next is not None:
        if verdict.blocked and until is not None:
            return Explanation(reason=Reason.PHASE_DWELL, numbers=numbers, next_change_at=until)
        if verdict.blocked:
            numbers |= {
                "switches": candidate.state.switches_today,
                "switches_per_day": config.strategy.phase_switches_per_day,
            }
            return Explanation(reason=Reason.PHASE_BUDGET, numbers=numbers)
        numbers["surplus_w"] = round(share_w)  # its part, with other cars beside it
        watts = candidate.volts * options.used(candidate.phases)
        if verdict.next == THREE:
            numbers["unused_w"] = round(max(0.0, share_w - candidate.cap_a(candidate.phases) * watts))
            return Explanation(reason=Reason.MORE_PHASES_DELAY, numbers=numbers, next_change_at=until)
        numbers["missing_w"] = round(max(0.0, options.floor(candidate.phases) * watts - share_w))
        return Explanation(reason=Reason.FEWER_PHASES_DELAY, numbers=numbers, next_change_at=until)
    if candidate.kind is Kind.SURPLUS and left_w < candidate.least_power:
        if not helped_by_battery(config, surplus, candidate):
            return None
        numbers["missing_w"] = round(candidate.least_power - left_w)
        if surplus.soc is not None:
            numbers["soc"] = round(surplus.soc)
        return Explanation(reason=Reason.BATTERY_SUPPORT, numbers=numbers)
    if surplus.curtailed and candidate.phases == PHASES[choice_of(candidate)]:
        return Explanation(reason=Reason.FEELING_UPWARDS, numbers=numbers)
    return None
