"""The law of surplus charging: what every choice would have cost, and when that is worth a change.

A charger is off, on one phase or on three. Each of them has a cost at any moment: sun that is not used, and power that
the grid has to add. What the present choice cost more than another one is added up as the *regret* of not having that
one, in Wh; it never falls below zero, and begins anew at every change. A change has a price in Wh, and happens as soon
as the regret exceeds it. So a cloud that passes changes nothing, a large difference changes soon, a small one late, and
what is switched often today becomes dearer. This is how metrical task systems are solved online (Borodin, Linial and
Saks, J. ACM 39, 1992), with the two costs that a house with a roof has.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from .model import GRID_WEIGHT, CloudFilter, Strategy, Timings

OFF, ONE, THREE = 0, 1, 2
PHASES = (0, 1, 3)
"""The number of phases of each choice."""

ROUNDING_WEIGHT = 1.6
"""What a watt from the grid costs beside a watt of sun for the part of an ampere: little, and in both directions."""
ROUND_UP = 1.0 - ROUNDING_WEIGHT / (1.0 + ROUNDING_WEIGHT)
"""The part of an ampere that the grid may pay for: where both costs are the same."""

# What the changes cost, in units of the least charging power for the time of the cloud filter. A start is nearly free,
# because waiting costs sun as well; a switch of phases costs the car a pause.
START, START_SWITCHED, SWITCH = 0.05, 0.2, 1.25
STOP, STOP_FROM_THREE = 1.0, 2.5
STOP_LIVELY, STOP_FROM_THREE_LIVELY = 0.3, 0.9
"""Where the sun is lively the others grow with it; the price of a stop only when these exceed that of a calm day."""
STARTS_PER_DAY = 20.0
"""A start and a stop cost twice as much after that many on the same day."""
SWITCHES_AIM = 0.6
"""So does a switch after this part of those that the day may have."""
SHORTEST_WINDOW = 10.0  # s; noise shall not switch anything, whatever the filter
LIVELY_W = 370.0
"""W by which the surplus strays that make the adaptive filter's window twice as long."""
LONGEST_ADAPTIVE = 8.0
KEPT = 1.2
"""Times its price a regret may grow."""
LEAST_RATE_W = 0.1
"""Choices that cost the same but for the dust of the arithmetic are no alternatives."""
HOUR = 3600.0  # s

# Measured in 730 households: 76 % of 1.4 kW and 90 % of 11 kW arrive in the car's battery (HTW Berlin, Solares Laden
# von Elektrofahrzeugen, 2025). Both are a constant loss and a part of the power.
EFFICIENCY, CONSTANT_LOSS_W = 0.92, 225.0

type Wh3 = tuple[float, float, float]
NO_REGRET: Wh3 = (0.0, 0.0, 0.0)


class Offer(NamedTuple):
    """The power in W with which a charger can charge in one choice."""

    least_w: float
    most_w: float


class Sun(NamedTuple):
    """What a charger may expect of the surplus, in W."""

    left_w: float
    """What those before it leave above their minimum: whether it can charge at all."""
    share_w: float
    """Its part if it could take any power: with how many phases it should."""
    needed_w: float
    """From which ``left_w`` on it begins."""
    backup_w: float | None = None
    """What the grid may add for its minimum; None = as the costs say."""


class Verdict(NamedTuple):
    """What a charger should do, and what it is about to."""

    choice: int
    regrets: Wh3
    next: int | None = None
    """Which choice it is moving towards."""
    regret_wh: float = 0.0
    price_wh: float = 0.0
    seconds: float | None = None
    """Until it changes, if everything stays as it is."""
    blocked: bool = False
    """Whether it would have changed, were it not too soon or too often."""


class Wear(NamedTuple):
    """What a charger was already switched."""

    starts: int = 0
    """Today."""
    switches: int = 0
    """Today."""
    rested_in: float = 0.0
    """s until its phases may be switched again."""
    may_switch: bool = True
    """Whether its phases may be switched again today."""
    set_to: int = THREE
    """The phases that it is set to, as a choice: a charger that does not charge may have to be set first."""


def window(strategy: Strategy, timings: Timings) -> float:
    """Return for how long in s a cloud may last on a calm day without anything being switched."""
    none, weak, medium, strong = timings.cloud_windows
    chosen = {
        CloudFilter.NONE: none,
        CloudFilter.WEAK: weak,
        CloudFilter.MEDIUM: medium,
        CloudFilter.STRONG: strong,
        CloudFilter.ADAPTIVE: medium,
    }
    return max(chosen[strategy.cloud_filter], SHORTEST_WINDOW if medium > SHORTEST_WINDOW else 0.0)


def lively(strategy: Strategy, spread_w: float) -> float:
    """Return how many times as dear changes are because the sun is lively.

    Args:
        strategy: with the cloud filter: only the adaptive one asks.
        spread_w: by how much the surplus strays from its mean, in W.
    """
    if strategy.cloud_filter is not CloudFilter.ADAPTIVE:
        return 1.0
    return min(1.0 + spread_w / LIVELY_W, LONGEST_ADAPTIVE)


def prices(present: int, wear: Wear, *, base_wh: float, times: float, one: bool, switches_per_day: int) -> Wh3:
    """Return what it costs in Wh to change from a choice to each of the three.

    Args:
        present: the choice.
        wear: what was switched today, and to what it is set.
        base_wh: the least charging power for the time of the cloud filter.
        times: how many times as dear changes are because the sun is lively.
        one: whether it could charge on one phase at all.
        switches_per_day: how many switches a day may have.
    """
    often = base_wh * (1.0 + (wear.starts / STARTS_PER_DAY) ** 2)
    if present == OFF:
        start, other = START * times * often, START_SWITCHED * times * often
        return (0.0, other, start) if wear.set_to == THREE else (0.0, start, other)
    part = wear.switches / (SWITCHES_AIM * switches_per_day) if switches_per_day else 0.0
    switch = SWITCH * times * base_wh * (1.0 + part**2)
    if present == ONE:
        return (max(STOP, STOP_LIVELY * times) * often, 0.0, switch)
    if not one:
        return (max(STOP, STOP_LIVELY * times) * often, 0.0, 0.0)
    return (max(STOP_FROM_THREE, STOP_FROM_THREE_LIVELY * times) * often, switch, 0.0)


def cost(offer: Offer, available_w: float, *, weight: float = GRID_WEIGHT, efficiency: bool = False) -> float:
    """Return what charging within an offer costs in W, compared with not charging; negative = it is worth it."""
    sun = max(available_w, 0.0)
    power = min(max(sun, offer.least_w), offer.most_w)
    used = min(power, sun)
    worth = 1.0
    if efficiency and power > 0.0:
        worth = max(EFFICIENCY - CONSTANT_LOSS_W / power, 0.0) / EFFICIENCY
    return weight * (power - used) - worth * used


def costs(
    offers: Sequence[Offer | None],
    sun: Sun,
    present: int,
    *,
    weight: float = GRID_WEIGHT,
    efficiency: bool = False,
) -> list[float | None]:
    """Return the cost of every choice in W; None = it is not possible.

    Args:
        offers: by choice; that of ``OFF`` only says whether stopping is one.
        sun: what there is for this charger.
        present: the present choice.
        weight: what a watt from the grid costs, in watts of sun that are not used.
        efficiency: whether the losses of small powers count.
    """
    price = partial(cost, weight=weight, efficiency=efficiency)
    least = offers[ONE] or offers[THREE]
    result: list[float | None] = [None if offers[OFF] is None else 0.0, None, None]
    if least is None:
        return result
    left = sun.left_w
    if sun.backup_w is not None:
        left = max(left, min(left + sun.backup_w, least.least_w))
    on = price(least, left)
    if offers[OFF] is not None:
        # Stricter than the costs: where it begins at all, and where nothing more may come from the grid.
        begin = sun.needed_w - sun.left_w if present == OFF else 0.0
        missing = begin if sun.backup_w is None else max(begin, least.least_w - left)
        if missing > 0.0:
            on = weight * missing
            if present != OFF:  # also where little is missing it ends after about the time that a cloud may last
                on = max(on, least.least_w)
    one, three = offers[ONE], offers[THREE]
    if one is None:
        result[THREE] = on
        return result
    result[ONE] = on
    if three is not None:
        result[THREE] = on + price(three, sun.share_w) - price(one, sun.share_w)
    return result


def weigh(
    present: int,
    regrets: Wh3,
    costs_w: Sequence[float | None],
    prices_wh: Wh3,
    wear: Wear,
    *,
    seconds: float,
) -> Verdict:
    """Return what to do now.

    Args:
        present: the present choice.
        regrets: of the last step, in Wh.
        costs_w: of every choice now; None = not possible.
        prices_wh: of every change.
        wear: what was switched, and what it is set to.
        seconds: since the last step.
    """
    now_w = costs_w[present]
    rates = [0.0, 0.0, 0.0]
    known = [0.0, 0.0, 0.0]
    for choice, cost_w in enumerate(costs_w):
        if cost_w is None or choice == present:
            continue
        # What became impossible is left as soon as something else is.
        rates[choice] = (now_w - cost_w) if now_w is not None else HOUR * (1.0 + prices_wh[choice])
        # What waits for the end of a dwell time shall not be an old grudge when it comes.
        most = KEPT * prices_wh[choice] + 1.0
        known[choice] = max(0.0, min(regrets[choice] + rates[choice] * seconds / HOUR, max(most, regrets[choice])))
    after: Wh3 = (known[0], known[1], known[2])
    best, excess = present, 0.0
    coming, soonest, held = None, float("inf"), False
    # The first start of a day takes the phases that fit, even if others are set. At later ones it is known how lively
    # the sun is: there, starting with what is set costs less than what waiting and setting do.
    first = present == OFF and wear.starts == 0
    cheapest = min((cost_w for cost_w in costs_w if cost_w is not None), default=0.0)
    for choice, cost_w in enumerate(costs_w):
        rate = rates[choice]
        if choice == present or cost_w is None:
            continue
        over = known[choice] - prices_wh[choice]
        is_switch = OFF not in {present, choice}
        free = not is_switch or (wear.may_switch and wear.rested_in <= 0.0)
        if rate <= LEAST_RATE_W or (first and cost_w != cheapest):
            continue
        if free and over > excess:
            best, excess = choice, over
        left = max(0.0, -over / rate * HOUR)
        blocked = is_switch and (not wear.may_switch or wear.rested_in > left)
        if is_switch:
            left = max(left, wear.rested_in) if wear.may_switch else float("inf")
        if coming is None or left < soonest:
            coming, soonest, held = choice, left, blocked
    one = costs_w[ONE]
    if present == THREE and best == OFF and one is not None and one < 0.0 and wear.may_switch and wear.rested_in <= 0.0:
        best = ONE  # nothing is gained by a stop where one phase is worth it
    if best != present:
        return Verdict(best, after, best, known[best], prices_wh[best], 0.0)
    if coming is None:
        return Verdict(present, after)
    return Verdict(
        present,
        after,
        coming,
        known[coming],
        prices_wh[coming],
        soonest if soonest != float("inf") else None,
        held,
    )
