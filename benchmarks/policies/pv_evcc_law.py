"""How evcc decides on current and phases from the power of the site, as pure functions.

Written from the description of what it does. Powers in W: import +, battery discharge +. Times in s, currents in A per
phase. A timer is the moment at which it was started, None while it is not running, `ELAPSED` when it is over anyway.
"""

from dataclasses import dataclass, replace
from math import inf

type Timer = float | None

ELAPSED = -inf
TICK = 1e-10  # s; differences of floating point times are a little less than what they should be
MEASURED_MARGIN_A = 2.0
MIN_RESIDUAL_W = 100.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a user sets."""

    enable_delay_s: float = 60.0
    disable_delay_s: float = 180.0
    enable_threshold_w: float = 0.0
    disable_threshold_w: float = 0.0
    min_a: float = 6.0
    max_a: float = 16.0
    volts: float = 230.0
    """Nominal; the real voltage is not looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phases:
    """What is known about the phases of a charger and its car; 0 = unknown."""

    fixed: int = 0
    """Phases of a charger that cannot switch, 0 for one that can."""
    told: int = 0
    """What the charger was switched to."""
    vehicle: int = 0
    measured: int = 0

    @property
    def active(self) -> int:
        """Return how many phases carry current."""
        return min(number or 3 for number in (self.fixed, self.told, self.vehicle, self.measured))

    @property
    def most(self) -> int:
        """Return how many could; what was measured on one phase says nothing about the others."""
        measured = self.measured if self.told > 1 and self.vehicle != 1 else 0
        return min(number or 3 for number in (self.fixed, self.vehicle, measured))

    @property
    def least(self) -> int:
        """Return how few could."""
        return self.active if self.fixed else 1

    @property
    def may_rise(self) -> bool:
        """Return whether more phases would help."""
        return not self.fixed and self.told != 3 and self.most > 1

    @property
    def may_fall(self) -> bool:
        """Return whether fewer phases would help."""
        return not self.fixed and self.told != 1 and self.active > 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Timers:
    """Of starting and stopping, and of switching phases."""

    pv: Timer = None
    phase: Timer = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What an update looks at."""

    site_w: float
    """What the site is short of; negative = available."""
    charge_w: float = 0.0
    """The measured power of the charger."""
    drawn_a: float | None = None
    """The largest of its measured phase currents, None without such a measurement."""
    offered_a: float = 0.0
    charging: bool = False
    """Status C."""
    enabled: bool = False


def _over(timer: Timer, delay_s: float, now: float) -> bool:
    return timer is not None and now - timer >= delay_s - TICK


def site_power(
    *,
    grid_w: float,
    battery_w: float = 0.0,
    soc: float | None = None,
    priority_soc: float = 0.0,
    residual_w: float = 0.0,
    excess_dc_w: float = 0.0,
) -> float:
    """Return what the site is short of.

    Below `priority_soc` the battery's charging power is hidden, and there is always some power left to charge it with.
    """
    battery = battery_w + excess_dc_w
    if priority_soc > 0 and soc is not None and soc < priority_soc:
        battery = max(0.0, battery)
        residual_w = residual_w if residual_w > 0 else MIN_RESIDUAL_W
    return grid_w + battery + residual_w


def scale(settings: Settings, phases: Phases, seen: Situation, timer: Timer, now: float) -> tuple[int | None, Timer]:
    """Return the number of phases to switch to, None to stay, and the timer of it."""
    available_w = seen.charge_w - seen.site_w
    if (
        phases.may_fall
        and (seen.site_w > 0 or not seen.enabled)
        and available_w / (phases.active * settings.volts) < settings.min_a
    ):
        target, delay_s = 1, settings.disable_delay_s
    elif (
        phases.may_rise
        and available_w / settings.volts > settings.max_a
        and available_w / (phases.most * settings.volts) >= settings.min_a
    ):
        target, delay_s = 3, settings.enable_delay_s
    else:
        return None, None
    if not seen.charging:
        return target, None
    timer = now if timer is None else timer
    return (target, None) if _over(timer, delay_s, now) else (None, timer)


def effective_current(seen: Situation) -> float:
    """Return the current that a change starts from."""
    if not seen.charging:
        return 0.0
    return seen.offered_a if seen.drawn_a is None else min(seen.drawn_a + MEASURED_MARGIN_A, seen.offered_a)


def pv_current(
    settings: Settings,
    active: int,
    seen: Situation,
    timers: Timers,
    now: float,
    *,
    effective_a: float,
) -> tuple[float, Timer]:
    """Return the current on `active` phases, not yet rounded, and the timer of starting or stopping."""
    target = max(0.0, effective_a - seen.site_w / (active * settings.volts))
    if seen.enabled:
        if target >= settings.min_a:
            return min(target, settings.max_a), None
        projected_w = seen.site_w
        if timers.phase is not None:
            projected_w -= settings.volts * settings.min_a * (active - 1)
        if projected_w < settings.disable_threshold_w:
            return settings.min_a, None
        timer = now if timers.pv is None else timers.pv
        return (0.0, None) if _over(timer, settings.disable_delay_s, now) else (settings.min_a, timer)
    threshold = settings.enable_threshold_w
    if target < settings.min_a if threshold == 0 else seen.site_w > threshold:
        return 0.0, None
    timer = now if timers.pv is None else timers.pv
    return (settings.min_a, None) if _over(timer, settings.enable_delay_s, now) else (0.0, timer)


def update(
    settings: Settings, phases: Phases, seen: Situation, timers: Timers, now: float, *, may_switch: bool = True
) -> tuple[float, int | None, Timers]:
    """Return one update's current, the number of phases to switch to (None to stay), and the timers.

    Args:
        settings: what the user set.
        phases: what is known of the phases.
        seen: the situation.
        timers: from the last update.
        now: monotonic seconds.
        may_switch: False for a while after a switch of phases.
    """
    to: int | None = None
    if may_switch and not phases.fixed:
        to, phase = scale(settings, phases, seen, timers.phase, now)
        timers = replace(timers, phase=phase)
    effective_a = effective_current(seen)
    if to is not None:
        phases = replace(phases, told=to, measured=0)
        if to == 3:
            effective_a /= phases.active
    amps, pv = pv_current(settings, phases.active, seen, timers, now, effective_a=effective_a)
    return amps, to, replace(timers, pv=pv)
