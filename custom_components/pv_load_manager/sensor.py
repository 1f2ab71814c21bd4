"""Sensors of the site, the chargers and the inverters; what they show is in ``tables``."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import ROOT_CIRCUIT
from .coordinators.inverter import InverterCoordinator
from .coordinators.load_manager import LoadManagerCoordinator
from .shared import PvLoadManagerConfigEntry
from .tables import charger_counters, site_counters
from .tables.charger import (
    CHARGER_SENSORS,
    COUNTERS,
    LIFETIME_ENERGY,
    OVERRIDE,
    REASON,
    ChargerSensor,
    LifetimeEnergySensor,
    OverrideSensor,
    ReasonSensor,
)
from .tables.charger_health import CODE_SENSORS, HEALTH_SENSORS, LAST_RESTART, CodeSensor, LastRestartSensor
from .tables.charger_sessions import LAST_SESSION, SESSION_SENSORS, LastSessionSensor, SessionSensor
from .tables.circuit import circuit_sensors
from .tables.inverter import (
    ENERGY_SENSORS,
    INVERTER_SENSORS,
    InverterEnergySensor,
    InverterSensor,
    meter_energies,
    meter_sensors,
)
from .tables.site import EXTERNAL_CONTROL, SITE_SENSORS, ExternalControlSensor, SiteSensor

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of one entry."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        _add_site_sensors(coordinator, async_add_entities)
        async_add_entities([ExternalControlSensor(coordinator, EXTERNAL_CONTROL)])
        for circuit_id in coordinator.circuit_ratings:
            async_add_entities(
                circuit_sensors(coordinator, circuit_id),
                config_subentry_id=None if circuit_id == ROOT_CIRCUIT else circuit_id,
            )
        async_add_entities(site_counters.house_counters(coordinator))
        site_counters.once_with_battery(coordinator, async_add_entities)
    elif isinstance(coordinator, InverterCoordinator):
        async_add_entities(
            InverterSensor(coordinator, description)
            for description in (*INVERTER_SENSORS, *meter_sensors(coordinator))
            if description.has_fn(coordinator)
        )
        async_add_entities(
            InverterEnergySensor(coordinator, description)
            for description in (*ENERGY_SENSORS, *meter_energies(coordinator))
            if description.has_fn(coordinator)
        )
    else:
        async_add_entities(
            [
                *(ChargerSensor(coordinator, description) for description in (*CHARGER_SENSORS, *COUNTERS)),
                *(SessionSensor(coordinator, description) for description in SESSION_SENSORS),
                LastSessionSensor(coordinator, LAST_SESSION),
                LifetimeEnergySensor(coordinator, LIFETIME_ENERGY),
                *(ChargerSensor(coordinator, item) for item in HEALTH_SENSORS if item.has_fn(coordinator.data)),
                *(CodeSensor(coordinator, item) for item in CODE_SENSORS if item.has_fn(coordinator.data)),
                LastRestartSensor(coordinator, LAST_RESTART),
                ReasonSensor(coordinator, REASON),
                OverrideSensor(coordinator, OVERRIDE),
                *charger_counters.counters(coordinator),
            ]
        )
        charger_counters.once_with_battery(coordinator, async_add_entities)


@callback
def _add_site_sensors(manager: LoadManagerCoordinator, async_add_entities: AddConfigEntryEntitiesCallback) -> None:
    """Add the sensors of what the site has, and those of a roof or a battery as soon as its inverter is loaded."""
    missing = list(SITE_SENSORS)

    @callback
    def look() -> None:
        if known := [description for description in missing if description.has_fn(manager)]:
            missing[:] = [description for description in missing if description not in known]
            async_add_entities(SiteSensor(manager, description) for description in known)

    look()
    manager.config_entry.async_on_unload(manager.async_add_listener(look))
