"""Sensors of one charger's sessions: the running one, and the last that ended."""

from typing import Any, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import MATCH_ALL, PERCENTAGE, UnitOfEnergy
from homeassistant.helpers.typing import StateType

from ..control.session import Session
from ..coordinators.wattpilot import WattpilotCoordinator
from ..entity import PvLoadManagerEntity
from ..pace import SESSION
from .charger import ChargerSensorDescription
from .figures import ENERGY, rounded


def _solar_share(charger: WattpilotCoordinator) -> StateType:
    share = charger.sessions.session.solar_share if charger.sessions.session is not None else None
    return None if share is None else rounded(100 * share, 0)


SESSION_SENSORS = (
    ChargerSensorDescription(
        key="session_energy",
        translation_key="session_energy",
        **ENERGY,
        pace=SESSION,
        suggested_display_precision=2,
        value_fn=lambda charger: rounded(charger.sessions.session.energy_wh, 0) if charger.sessions.session else None,
    ),
    ChargerSensorDescription(
        key="session_solar_energy",
        translation_key="session_solar_energy",
        **ENERGY,
        pace=SESSION,
        suggested_display_precision=2,
        value_fn=lambda charger: rounded(charger.sessions.session.solar_wh, 0) if charger.sessions.session else None,
    ),
    ChargerSensorDescription(
        key="session_solar_share",
        translation_key="session_solar_share",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_solar_share,
    ),
)

# No state class: the energies of all cars are in the charger's totals, and this one falls with a smaller car.
LAST_SESSION = SensorEntityDescription(
    key="last_session",
    translation_key="last_session",
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)


class LastSessionSensor(PvLoadManagerEntity[WattpilotCoordinator], SensorEntity):
    """What the last car was given, and how; known also while the charger is not reachable."""

    # The ledger keeps them all; the recorder need not.
    _unrecorded_attributes = frozenset({MATCH_ALL})
    _shown: Session | None = None

    @property
    @override
    def available(self) -> bool:
        """Return whether it is known: what was, stays true."""
        return True

    @override
    def refresh(self) -> Session | None:
        """Take the last session from the ledger; another one is shown at once."""
        session = self.coordinator.sessions.last
        if session is not self._shown:
            self._shown = session
            self._attr_native_value = None if session is None else round(session.energy_wh)
            self._attr_extra_state_attributes = {} if session is None else session_attributes(session)
        return session


def session_attributes(session: Session) -> dict[str, Any]:
    """Return a session for people and their automations: energies in kWh, power in W, times in s."""
    share, mean = session.solar_share, session.mean_w
    return {
        "began": session.began.isoformat(timespec="seconds"),
        "ended": None if session.ended is None else session.ended.isoformat(timespec="seconds"),
        "duration": None if session.ended is None else round((session.ended - session.began).total_seconds()),
        "charging_time": round(session.charging_s),
        "energy": round(session.energy_wh / 1000, 3),
        "solar_energy": round(session.solar_wh / 1000, 3),
        "battery_energy": round(session.battery_wh / 1000, 3),
        "grid_energy": round(session.grid_wh / 1000, 3),
        "unknown_energy": round(session.unknown_wh / 1000, 3),
        "solar_share": None if share is None else round(100 * share),
        "mean_power": None if mean is None else round(mean),
        "peak_power": round(session.peak_w),
        "phases": session.phases,
        "mode": session.mode,
        "modes": sorted(session.modes_wh),
        "limits": list(session.limits),
        "ended_by": None if session.end is None else session.end.value,
        "watched": session.watched,
    }
