"""Between what a Wattpilot says and what the control core thinks: pure, and used by the benchmarks as well."""

from typing import Final

from ..control import CarState, ChargerReading, Command
from ..control.counters import Counters, Parts
from ..wattpilot import CarState as WattpilotCar, Target, WattpilotStatus

HOLD_FORCE_STATE: Final = 1

PLUGGED: Final = {
    WattpilotCar.NO_CAR: False,
    WattpilotCar.CHARGING: True,
    WattpilotCar.WAITING: True,
    WattpilotCar.COMPLETE: True,
}
"""Whether a car is there; a charger with an error does not say."""

CAR_STATES: Final = {
    WattpilotCar.NO_CAR: CarState.NO_CAR,
    WattpilotCar.CHARGING: CarState.CHARGING,
    WattpilotCar.WAITING: CarState.WAITING,
    WattpilotCar.COMPLETE: CarState.COMPLETE,
    WattpilotCar.ERROR: CarState.ERROR,
    WattpilotCar.INITIALISING: CarState.WAITING,
}


def charger_reading(status: WattpilotStatus, *, at: float, online: bool = True) -> ChargerReading:
    """Return a status as the core reads it.

    Args:
        status: the charger's merged status.
        at: monotonic seconds of its last frame.
        online: whether the charger is connected now.
    """
    return ChargerReading(
        at=at,
        online=online,
        car=CAR_STATES.get(status.car_state, CarState.UNKNOWN),
        holding=status.force_state == HOLD_FORCE_STATE,
        setting_a=status.amp,
        phases={1: 1, 2: 3}.get(status.phase_mode or 0),
        currents_a=status.currents,
        voltages_v=status.voltages,
        power_w=status.power_w,
        limit_a=status.current_limit_a,
        installer_limit_a=status.ama,
        switching=status.switches_phases,
        locked=waits_for_authorisation(status),
    )


def waits_for_authorisation(status: WattpilotStatus) -> bool:
    """Return whether nobody has shown a card yet; a hold may hide that from ``modelStatus``."""
    if status.car_state is WattpilotCar.CHARGING:
        return False  # somebody let it
    return status.access_name == "authorisation" and "trx" in status.raw and status.transaction is None


def session_counters(status: WattpilotStatus) -> Counters:
    """Return what a status says of the charging session."""
    uptime, arrived = status.uptime_ms, status.plugged_at_ms
    return Counters(
        plugged=PLUGGED.get(status.car_state),
        charging=status.car_state is WattpilotCar.CHARGING,
        charged=status.car_state in {WattpilotCar.CHARGING, WattpilotCar.COMPLETE},
        power_w=status.power_w,
        session_wh=status.session_energy_wh,
        lifetime_wh=status.lifetime_energy_wh,
        uptime_s=None if uptime is None else uptime / 1000,
        reboots=status.reboot_count,
        plugged_at_s=None if arrived is None else arrived / 1000,
        parts_wh=_parts(status),
        phases=status.phases_in_use,
    )


def _parts(status: WattpilotStatus) -> Parts | None:
    """Return the charger's own split; without a paired inverter it knows nothing and says so by zeros."""
    solar, battery, grid = status.session_solar_wh, status.session_battery_wh, status.session_grid_wh
    if not status.hears_inverter or solar is None or battery is None or grid is None:
        return None
    return (solar, battery, grid)


def charger_target(command: Command) -> Target:
    """Return the core's command as a target for the charger."""
    phases = command.phases
    return Target(
        charge=command.charge,
        current_a=command.current_a,
        phases=1 if phases == 1 else 3 if phases == 3 else None,
    )
