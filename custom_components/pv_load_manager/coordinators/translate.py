"""Between what a Wattpilot says and what the control core thinks: pure, and used by the benchmarks as well."""

from typing import Final

from ..control import CarState, ChargerReading, Command
from ..wattpilot import CarState as WattpilotCar, Target, WattpilotStatus

PHASE_SWITCH: Final = 23  # modelStatus while the contactor moves
HOLD_FORCE_STATE: Final = 1

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
        switching=status.model_status == PHASE_SWITCH,
    )


def charger_target(command: Command) -> Target:
    """Return the core's command as a target for the charger."""
    phases = command.phases
    return Target(
        charge=command.charge,
        current_a=command.current_a,
        phases=1 if phases == 1 else 3 if phases == 3 else None,
    )
