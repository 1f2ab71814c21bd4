"""What flows where in the house at the last decision, in W: the same for sensors, answers and live figures."""

from typing import Final

from ..control import BatteryReading, Plan, PvReading, Snapshot

LATE: Final = 30.0
"""A reading of so many s ago is as silent as a grid meter that is silent; alone it may just be slow."""


def charging_power(plan: Plan, snapshot: Snapshot) -> float:
    """Return what the managed chargers take that answer."""
    readings = (snapshot.chargers.get(serial) for serial in plan.chargers)
    return sum(reading.power_w or 0.0 for reading in readings if reading is not None and reading.online)


def grid_power(plan: Plan, snapshot: Snapshot) -> float | None:
    """Return what comes from the grid, export negative; None while its meter is silent."""
    return None if snapshot.grid is None or plan.grid_silent else snapshot.grid.power_w


def pv_power(plan: Plan, snapshot: Snapshot, now: float) -> float | None:
    """Return the production."""
    return None if snapshot.pv is None or _silent(plan, snapshot.pv, now) else snapshot.pv.power_w


def battery_power(plan: Plan, snapshot: Snapshot, now: float, *, inverted: bool) -> float | None:
    """Return what the house battery gives, charge negative; ``inverted``: what was heard counts the other way."""
    battery = snapshot.battery
    if battery is None or battery.power_w is None or _silent(plan, battery, now):
        return None
    return -battery.power_w if inverted else battery.power_w


def house_power(plan: Plan, snapshot: Snapshot, now: float, *, has_battery: bool) -> float | None:
    """Return what everything but the managed chargers draws: what comes in, less what they take."""
    parts = (grid_power(plan, snapshot), pv_power(plan, snapshot, now), plan.battery_w if has_battery else 0.0)
    known = [part for part in parts if part is not None]
    return sum(known) - charging_power(plan, snapshot) if len(known) == len(parts) else None


def _silent(plan: Plan, reading: PvReading | BatteryReading, now: float) -> bool:
    """Return whether a reading comes from what fell silent together with the grid meter."""
    return plan.grid_silent and now - reading.at > LATE
