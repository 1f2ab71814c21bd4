"""What flows where in the house at the last decision, in W: the same for sensors, answers and live figures."""

from ..control import Plan, Snapshot


def charging_power(plan: Plan, snapshot: Snapshot) -> float:
    """Return what the managed chargers take that answer."""
    readings = (snapshot.chargers.get(serial) for serial in plan.chargers)
    return sum(reading.power_w or 0.0 for reading in readings if reading is not None and reading.online)


def grid_power(plan: Plan, snapshot: Snapshot) -> float | None:
    """Return what comes from the grid, export negative; None while its meter is silent."""
    return None if snapshot.grid is None or plan.grid_silent else snapshot.grid.power_w


def pv_power(snapshot: Snapshot) -> float | None:
    """Return the production."""
    return None if snapshot.pv is None else snapshot.pv.power_w


def house_power(plan: Plan, snapshot: Snapshot, *, has_battery: bool) -> float | None:
    """Return what everything but the managed chargers draws: what comes in, less what they take."""
    parts = (grid_power(plan, snapshot), pv_power(snapshot), plan.battery_w if has_battery else 0.0)
    known = [part for part in parts if part is not None]
    return sum(known) - charging_power(plan, snapshot) if len(known) == len(parts) else None
