"""Sensors of one charger's sessions: the running one, and the last that ended."""

from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import MATCH_ALL, PERCENTAGE, UnitOfEnergy
from homeassistant.helpers.typing import StateType

from ..control.ledger import record_of
from ..control.session import Session
from ..coordinators.wattpilot import WattpilotCoordinator
from ..entity import PvLoadManagerEntity
from ..pace import SESSION
from .charger import ChargerSensor, ChargerSensorDescription
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


class SessionSensor(ChargerSensor):
    """A figure of the running session, or of the last one until another car comes."""

    @property
    @override
    def settled(self) -> bool:
        """Return whether the session has ended."""
        session = self.coordinator.sessions.session
        return session is not None and session.ended is not None


# No state class: the energies of all cars are in the charger's totals, and this one falls with a smaller car.
LAST_SESSION = SensorEntityDescription(
    key="last_session",
    translation_key="last_session",
    device_class=SensorDeviceClass.ENERGY,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)

COLUMN_OF: Final = {
    "began": "start",
    "ended": "end",
    "duration": "duration_s",
    "charging_time": "charging_time_s",
    "energy": "energy_kwh",
    "solar_energy": "solar_kwh",
    "battery_energy": "battery_kwh",
    "grid_energy": "grid_kwh",
    "unknown_energy": "unknown_kwh",
    "solar_share": "solar_share_percent",
    "mean_power": "mean_power_w",
    "peak_power": "peak_power_w",
    "phases": "phases",
    "mode": "mode",
    "modes": "modes",
    "limits": "limits",
    "ended_by": "ended_by",
    "watched": "watched",
}
"""The column of the exported table that an attribute of a session shows."""


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
    record = record_of("", session, "")
    return {name: record[column] for name, column in COLUMN_OF.items()}
