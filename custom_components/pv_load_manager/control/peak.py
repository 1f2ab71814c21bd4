"""The mean of the quarter hour: what all chargers together may draw so that the house imports no more than a limit.

Meters of capacity tariffs count the import only, in quarters of an hour by the wall clock. So the chargers get an even
share of what is left of the quarter, as long as the house could still take all that it was ever seen to take. Time that
nobody measured counts as if the limit itself had been imported in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import inf, isfinite
from typing import Any, Self

from .model import NOMINAL_VOLTAGE, STEADY, ChargerConfig, Configuration, PhasePolicy
from .reserve import SPANS, STEP, House

QUARTER = 900.0  # s
STALE = 30.0  # s; over a longer silence of the meter nobody knows what was imported
DEAD = 120.0  # s
REACTION = 7.0  # s; from a rise of the house until a car has followed
PACE = 7.0  # s; what is given must be there for so long at least
AHEAD = 10.0  # s that a car takes to begin
CROSSING = 4.0  # s before the end of a quarter from which on a command is too late for it
LAST = 20.0  # s before the end of a quarter in which nobody is given more
START = 45.0  # s before the end of a quarter in which nobody begins
SWITCH = 40.0  # s that a switch of phases takes, with the car's start after it
DRAWING_W = 700.0  # W; who draws less does not charge
HOLD_SHARE = 12.0  # a power is left as it is for this part of the rest of the quarter
SHORTEST_HOLD, LONGEST_HOLD = 10.0, 60.0  # s, and for so long at least and at most
MARGIN, MARGIN_J = 0.0005, 1500.0
"""What is never used, as a part of the quarter's energy and in J: ramps between two values of the meter."""
STEADY_W = 300.0
"""Chargers that change by more make nobody the wiser about the house for a while."""
SETTLE = 4.0  # s
PATIENCE = 15.0  # s; after that the house is believed to be what meter and chargers say
LARGEST = 1e9


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """One quarter hour under way, the month so far, and what the house was seen to take."""

    quarter: int | None = None
    """Quarters since 1970 in UTC, which all clocks share; None = nothing was ever seen."""
    into_s: float = 0.0
    """How much of the quarter is over."""
    imported_j: float = 0.0
    """What the meter measured in it."""
    covered_s: float = 0.0
    """For how much of it."""
    month: str = ""
    """Of the quarter, as ``2026-01``."""
    month_peak_w: float = 0.0
    """The highest mean of a quarter that is over, in this month, in W; what nobody measured is not in it."""
    since: float | None = None
    """Since when the quarter hour is followed without a break, in monotonic seconds."""
    at: float | None = None
    """When this was worked out, in monotonic seconds."""
    grid_at: float | None = None
    """When the last value of the meter was taken."""
    grid_w: float = 0.0
    cars_w: float = 0.0
    """What the chargers drew then."""
    cars_changed_at: float | None = None
    house_at: float | None = None
    """When the house was last to be told from the chargers."""
    house_w: float = 0.0
    house: House = field(default_factory=House)
    limit_w: float = 0.0
    """The limit in force; 0 = none."""
    cap_w: float | None = None
    """What all chargers together may draw, in W; None = as much as they want."""
    cap_at: float | None = None
    """When that was chosen."""

    @property
    def mean_w(self) -> float | None:
        """Return the mean import of the quarter so far, in W; None = nobody measured yet."""
        return self.imported_j / self.covered_s if self.covered_s > 0.0 else None

    @property
    def expected_mean_w(self) -> float | None:
        """Return the mean of the whole quarter if nothing changes, in W; None = not known."""
        if self.quarter is None or self.grid_at is None:
            return None
        return (self.counted_j + max(0.0, self.grid_w) * (QUARTER - self.into_s)) / QUARTER

    @property
    def counted_j(self) -> float:
        """Return what counts as imported in the quarter so far, with the time that nobody measured."""
        return self.imported_j + self.limit_w * max(0.0, self.into_s - self.covered_s)

    def as_dict(self, now: float) -> dict[str, Any]:
        """Return what is worth keeping over a restart, JSON-able."""
        return {
            "quarter": self.quarter,
            "imported_j": round(self.imported_j),
            "covered_s": round(self.covered_s, 1),
            "month": self.month,
            "month_peak_w": round(self.month_peak_w, 1),
            "cap_w": self.cap_w,
            "grid_age": None if self.grid_at is None else now - self.grid_at,
            "house": self.house.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: object, now: float, *, away: float = 0.0) -> Self:
        """Return what ``as_dict`` saved ``away`` seconds ago; what cannot be read is as if it had never been seen."""
        if not isinstance(data, Mapping):
            return cls()
        house = House.from_dict(data.get("house"))
        quarter, month = data.get("quarter"), data.get("month")
        imported, covered = _number(data.get("imported_j")), _number(data.get("covered_s"))
        peak, age = _number(data.get("month_peak_w")), _number(data.get("grid_age"))
        if not isinstance(quarter, int) or not isinstance(month, str) or None in {imported, covered, peak}:
            return cls(house=house)
        return cls(
            quarter=quarter,
            imported_j=imported or 0.0,
            covered_s=min(covered or 0.0, QUARTER),
            month=month,
            month_peak_w=peak or 0.0,
            cap_w=_number(data.get("cap_w")),
            cap_at=None if age is None else now - away - age,
            house=house,
        )


def follow(
    config: Configuration,
    peak: Peak,
    *,
    grid_w: float | None,
    grid_at: float | None,
    cars_w: float,
    now: float,
    moment: datetime,
) -> Peak:
    """Return the quarter hour a moment later.

    Args:
        config: with the limit, and whether it grows with the month.
        peak: what the last call returned; ``Peak()`` at first.
        grid_w: the last value of the meter, import +, export -, in W; None = not known.
        grid_at: when it was taken, in monotonic seconds.
        cars_w: what all managed chargers drew at that time, in W.
        now: monotonic seconds.
        moment: the same as an aware local time.
    """
    quarter = peak.quarter
    if peak.since is None:
        peak = replace(peak, since=now)
    peak = _pass(peak, now, moment)
    if grid_w is not None and grid_at is not None and isfinite(grid_w) and isfinite(cars_w):
        peak = _measure(peak, grid_w, grid_at, cars_w, now, moment)
    limit = config.strategy.peak_limit_w
    if limit <= 0.0:
        return peak if peak.limit_w == 0.0 and peak.cap_w is None else replace(peak, limit_w=0.0, cap_w=None)
    if config.strategy.peak_follow_month:
        limit = max(limit, peak.month_peak_w)
    changed = limit != peak.limit_w or quarter != peak.quarter
    peak = replace(peak, limit_w=limit)
    return _cap(config, peak, now, at_once=changed)


def _pass(peak: Peak, now: float, moment: datetime) -> Peak:
    """Let the time since the last call pass, with the power that the meter told last."""
    stamp = moment.timestamp()
    quarter = int(stamp // QUARTER)
    into = stamp - quarter * QUARTER
    passed = 0.0 if peak.at is None else max(0.0, now - peak.at)
    fresh = peak.grid_at is not None and now - peak.grid_at <= STALE
    power = max(0.0, peak.grid_w)
    if quarter == peak.quarter:
        seconds = passed if fresh else 0.0
        return replace(
            peak,
            into_s=into,
            at=now,
            imported_j=peak.imported_j + power * seconds,
            covered_s=min(QUARTER, peak.covered_s + seconds),
        )
    month = (moment - timedelta(seconds=into)).strftime("%Y-%m")
    seconds = min(passed, into) if fresh else 0.0
    highest = 0.0
    if peak.month in {month, ""}:
        highest = peak.month_peak_w
        if peak.quarter is not None and quarter == peak.quarter + 1 and fresh:
            highest = max(highest, (peak.imported_j + power * (passed - seconds)) / QUARTER)
        elif peak.quarter is not None:
            highest = max(highest, peak.imported_j / QUARTER)
    return replace(
        peak,
        quarter=quarter,
        into_s=into,
        imported_j=power * seconds,
        covered_s=seconds,
        month=month,
        month_peak_w=highest,
        at=now,
    )


def _measure(peak: Peak, grid_w: float, grid_at: float, cars_w: float, now: float, moment: datetime) -> Peak:
    """Take a value of the meter in, if it is a new one."""
    before = peak.grid_at
    if before is not None and grid_at <= before:
        return peak
    gap = None if before is None else grid_at - before
    moved = abs(cars_w - peak.cars_w) > STEADY_W
    changed_at = grid_at if moved else peak.cars_changed_at
    if gap is None or gap > STALE:
        return replace(
            peak,
            grid_at=grid_at,
            grid_w=grid_w,
            cars_w=cars_w,
            cars_changed_at=None,
            house_at=grid_at,
            house_w=grid_w - cars_w,
            house=peak.house.interrupted(grid_w - cars_w),
        )
    # Between two values power is taken to change evenly; so far the older one counted until now.
    late = gap / 2.0 + max(0.0, min(now - grid_at, STALE))
    imported = peak.imported_j + (max(0.0, grid_w) - max(0.0, peak.grid_w)) * min(late, peak.covered_s)
    house_w, house_at = peak.house_w, peak.house_at
    steady = changed_at is None or grid_at - changed_at >= SETTLE
    if steady or house_at is None or grid_at - house_at > PATIENCE:
        house_w, house_at = grid_w - cars_w, grid_at
    return replace(
        peak,
        imported_j=max(0.0, imported),
        grid_at=grid_at,
        grid_w=grid_w,
        cars_w=cars_w,
        cars_changed_at=changed_at,
        house_at=house_at,
        house_w=house_w,
        house=peak.house.after(gap, house_w, moment.toordinal()),
    )


def _cap(config: Configuration, peak: Peak, now: float, *, at_once: bool) -> Peak:
    """Return the quarter hour with what the chargers may draw from now on."""
    age = None if peak.grid_at is None else now - peak.grid_at
    if age is None or age > DEAD:
        # After a restart the meter has not had its chance yet; so long the cap of before holds.
        starting = age is None and peak.cap_w is not None and now - (peak.since or now) <= STALE
        waiting = age is None and peak.cap_at is not None and now - peak.cap_at <= DEAD
        return peak if starting or waiting else _set(peak, 0.0, now)
    present = peak.cap_w
    rest = QUARTER - peak.into_s
    if present is not None and rest < CROSSING:
        # What is told now is done in the next quarter.
        wanted = _wanted(config, replace(peak, into_s=0.0, imported_j=0.0, covered_s=0.0))
        return _set(peak, wanted, now) if wanted < present else peak
    wanted = _wanted(config, peak)
    if present is None:
        return _set(peak, wanted if age <= STALE else 0.0, now)
    begins = present < _steps(config).least_w <= wanted
    hold = min(LONGEST_HOLD, max(SHORTEST_HOLD, rest / HOLD_SHARE))
    due = at_once or peak.cap_at is None or now - peak.cap_at >= hold
    if wanted < present and (due or not _bears(peak, present)):
        return _set(peak, wanted, now)
    may_rise = age <= STALE and (at_once or rest >= (START if begins else LAST))
    # Where nobody charges, nobody is disturbed.
    if wanted > present and may_rise and (due or begins):
        return _set(peak, wanted, now)
    return peak


def _set(peak: Peak, cap_w: float, now: float) -> Peak:
    return replace(peak, cap_w=cap_w, cap_at=now)


def _left(peak: Peak) -> float:
    """Return what may still be imported in the quarter, in J."""
    return peak.limit_w * QUARTER * (1.0 - MARGIN) - MARGIN_J - peak.counted_j


def _bears(peak: Peak, power_w: float) -> bool:
    """Return whether the budget bears that the chargers go on with a power until they have followed another command."""
    rest = QUARTER - peak.into_s
    bought = max(0.0, min(power_w, peak.cars_w + STEADY_W) - peak.house.export_w)
    slack = _left(peak) - peak.house.reserve.joules(rest)
    return bought * min(REACTION, rest) <= max(0.0, slack)


def _wanted(config: Configuration, peak: Peak) -> float:
    """Return what the chargers should be allowed to draw, in W."""
    drawing = peak.cars_w > DRAWING_W
    lasting, soon = _powers(peak, 0.0 if drawing else AHEAD)
    power = min(lasting, soon)
    rest = QUARTER - peak.into_s
    one = _steps(config)
    if drawing:
        # Who runs may go on with the least as long as the budget bears it: every start is wear, and takes its time.
        floor = one.three_w if one.highest_one_w < peak.cars_w - STEADY_W else one.least_w
        if power < floor <= soon and peak.counted_j < peak.limit_w * QUARTER:
            power = floor
    elif power >= one.least_w > _powers(peak, 0.0)[1]:
        # A car that begins sooner than others would be stopped again at once.
        power = 0.0
    if one.highest_one_w < power and peak.cars_w <= one.highest_one_w + STEADY_W:
        # Up, and down again in the next quarter: both times nothing is charged for a while.
        gained = (power - one.highest_one_w) * (rest - SWITCH)
        if power < one.three_w or gained < one.highest_one_w * SWITCH * 2.0:
            power = one.highest_one_w
    return 0.0 if power < one.least_w else min(power, one.most_w)


def _steps(config: Configuration) -> Steps:
    return Steps.of(config.chargers, config.phases, config.strategy.minimum_current_a)


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """What the chargers can draw together, in W."""

    least_w: float
    """The least that any of them can draw."""
    highest_one_w: float
    """The most on one phase, where there is one charger that can switch; else without end."""
    three_w: float
    """Its least on three."""
    most_w: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(cls, chargers: tuple[ChargerConfig, ...], phases_of_house: int, lowest: int) -> Self:
        """Return it for an installation."""
        least, most = inf, 0.0
        for charger in chargers:
            phases = min(phases_of_house, charger.wired_phases)
            fixed = phases if charger.phase_policy in {PhasePolicy.THREE, PhasePolicy.ONE_FOR_PV} else 1
            least = min(least, max(charger.min_current_a, lowest) * fixed * NOMINAL_VOLTAGE)
            most += charger.max_current_a * phases * NOMINAL_VOLTAGE
        highest, three = inf, inf
        if len(chargers) == 1 and chargers[0].phase_policy is PhasePolicy.AUTO:
            charger = chargers[0]
            if min(phases_of_house, charger.wired_phases) > 1:
                highest = charger.max_current_a * NOMINAL_VOLTAGE
                three = max(charger.min_current_three_a or charger.min_current_a, lowest) * 3 * NOMINAL_VOLTAGE * STEADY
        return cls(least_w=least, highest_one_w=highest, three_w=three, most_w=most * 1.1)


def _powers(peak: Peak, ahead: float) -> tuple[float, float]:
    """Return the highest even power from then on to the end of the quarter, and that of a moment, in W.

    At every moment until then enough must be left for all that the house may take from that moment on.
    """
    house_w = peak.house.net_w
    if house_w is None:
        return 0.0, 0.0
    rest = max(0.0, QUARTER - peak.into_s - ahead)
    left = _left(peak) - max(0.0, house_w) * ahead
    reserve = peak.house.reserve
    share = left / max(rest, REACTION)
    for span in SPANS:
        later = span * STEP
        if rest - later < PACE:
            break
        share = min(share, max(0.0, left - reserve.joules(later)) / (rest - later))
    lasting = share - house_w
    slack = max(0.0, left - reserve.joules(rest))
    return lasting, slack / min(PACE, max(rest, REACTION)) + peak.house.export_w


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < LARGEST else None
