"""The surplus: what the pv chargers may use, and how much that figure can be trusted."""

from dataclasses import dataclass, replace
from enum import IntEnum

from .model import BatteryPriority, BatteryReading, Configuration, Snapshot
from .state import ControlState

PATIENCE = 2.5  # times its own pace a meter may be silent, however slow it is
DARK_W = 100.0  # W of production; below it nothing is held back
NEAR_LIMIT_W = 50.0  # W; nearer than this to the limit of the export nobody knows whether it binds
NEAR_LIMIT = 0.03
FULL_SOC = 99.0  # %; few batteries ever say 100
IDLE_BATTERY_W = 30.0
BATTERY_MARGIN_W = 100.0  # W that is left for a battery that goes first: it can take more only where something is left


class Trust(IntEnum):
    """What the age of the surplus allows."""

    FRESH = 0
    STALE = 1
    """No increase."""
    DEAD = 2
    """pv stops, min+pv falls to its guaranteed power."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surplus:
    """The surplus for all managed chargers together."""

    watts: float | None
    """Mean over the window; positive = the roof gives that much to cars. None = never measured."""
    trust: Trust
    age_s: float
    spread_w: float = 0.0
    """By how much it strayed from its mean in the last half hour."""
    curtailed: bool = False
    """Whether there may be more sun than anybody measures: the inverter is throttled, or nothing more may be fed in."""
    battery_first: bool = False
    """Whether the house battery gets the sun before the cars."""
    battery_w: float | None = None
    """Discharge +, charge -; with ``soc`` and ``battery_first`` this is what reasons are made of."""
    soc: float | None = None


def estimate(config: Configuration, state: ControlState, snapshot: Snapshot, now: float) -> Surplus:
    """Return the mean surplus of the last window.

    Every sample already contains what the cars drew at its own time, so a car that starts in the middle of the window
    does not bend the mean.
    """
    timings = config.timings
    samples = state.surplus
    latest = samples[-1].at if samples else state.started_at
    age = now - latest
    pace = PATIENCE * (state.grid_cadence_s or 0.0)
    # What was saved before a restart is old at once; the meter has not had its chance yet.
    if min(age, now - state.started_at) > max(timings.surplus_dead, 2 * pace):
        trust = Trust.DEAD
    elif age > max(timings.surplus_stale, pace) or not samples:
        trust = Trust.STALE
    else:
        trust = Trust.FRESH
    recent = [sample.value for sample in samples if latest - sample.at <= timings.surplus_window]
    mean = sum(recent) / len(recent) + config.strategy.target_grid_power_w if recent else None
    battery = battery_reading(config, snapshot)
    first = battery_first(config, battery)
    return Surplus(
        watts=mean,
        trust=trust,
        age_s=age,
        spread_w=state.lively.spread_w if state.lively is not None else 0.0,
        # Behind a battery that goes first nobody could tell whether a try is paid by the sun or by the battery.
        # Nor does one that gives leave any sun unused.
        curtailed=not first and not _discharges(battery) and _curtailed(config, snapshot),
        battery_first=first,
        battery_w=battery.power_w if battery is not None else None,
        soc=battery.state_of_charge if battery is not None else None,
    )


def _discharges(battery: BatteryReading | None) -> bool:
    return battery is not None and battery.power_w is not None and battery.power_w > IDLE_BATTERY_W


def _curtailed(config: Configuration, snapshot: Snapshot) -> bool:
    """Return whether production is held back, so that the meter says nothing about the sun that is there."""
    pv, grid = snapshot.pv, snapshot.grid
    if grid is None or grid.power_w is None or (pv is not None and pv.power_w is not None and pv.power_w < DARK_W):
        return False
    if pv is not None and pv.throttled:
        return grid.power_w <= NEAR_LIMIT_W
    limit = config.export_limit_w
    return limit is not None and grid.power_w <= max(NEAR_LIMIT_W, NEAR_LIMIT * limit) - limit


def battery_reading(config: Configuration, snapshot: Snapshot) -> BatteryReading | None:
    """Return the battery in the sign of this package; None where the house has none or it was not heard."""
    battery = snapshot.battery if config.has_battery else None
    if battery is None or battery.power_w is None or not config.battery_inverted:
        return battery
    return replace(battery, power_w=-battery.power_w)


def battery_first(config: Configuration, battery: BatteryReading | None) -> bool:
    """Return whether the battery gets the sun before the cars; one whose charge is not known is believed to need it."""
    priority = config.strategy.battery_priority
    if battery is None or priority is BatteryPriority.CHARGERS:
        return False
    soc = battery.state_of_charge
    goal = FULL_SOC if priority is BatteryPriority.BATTERY else config.strategy.battery_target_soc
    return soc is None or soc < goal


def surplus_now(config: Configuration, snapshot: Snapshot, battery: BatteryReading | None, *, grid_w: float) -> float:
    """Return what the house leaves without its cars, in W, after the rules of the battery.

    Discharging is always a deficit. Charging gives way to the cars, unless the battery goes first; one behind an
    inverter whose AC side is nearly full can give way only up to the rest of it.

    Args:
        config: with priority, dead zone and the AC rating.
        snapshot: for the production.
        battery: its reading; None = there is none.
        grid_w: import +, export -.
    """
    if battery is None or battery.power_w is None:
        return -grid_w
    power = battery.power_w
    if abs(power) > IDLE_BATTERY_W:
        zone = config.strategy.battery_dead_zone_w
        grid_w = max(grid_w - zone, 0.0) if grid_w > 0.0 else min(grid_w + zone, 0.0)
    if battery_first(config, battery):
        return -grid_w - max(power, 0.0) - BATTERY_MARGIN_W
    if power < 0.0 and config.inverter_ac_w is not None and snapshot.pv is not None:
        production = snapshot.pv.power_w
        if production is not None:
            free = max(0.0, config.inverter_ac_w - max(0.0, production + power))
            power = -min(-power, free)
    return -grid_w - power
