"""Sensors of the site, the chargers and the inverters; what they show is in ``tables``."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinators.inverter import InverterCoordinator
from .coordinators.load_manager import LoadManagerCoordinator
from .shared import PvLoadManagerConfigEntry
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
from .tables.inverter import ENERGY_SENSORS, INVERTER_SENSORS, InverterEnergySensor, InverterSensor, meter_sensors
from .tables.site import EXTERNAL_CONTROL, SITE_SENSORS, ExternalControlSensor, SiteSensor

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of one entry."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteSensor(coordinator, description) for description in SITE_SENSORS)
        async_add_entities([ExternalControlSensor(coordinator, EXTERNAL_CONTROL)])
    elif isinstance(coordinator, InverterCoordinator):
        async_add_entities(
            InverterSensor(coordinator, description)
            for description in (*INVERTER_SENSORS, *meter_sensors(coordinator))
            if description.has_fn(coordinator)
        )
        async_add_entities(
            InverterEnergySensor(coordinator, description)
            for description in ENERGY_SENSORS
            if description.has_fn(coordinator)
        )
    else:
        async_add_entities(
            [
                *(ChargerSensor(coordinator, description) for description in (*CHARGER_SENSORS, *COUNTERS)),
                LifetimeEnergySensor(coordinator, LIFETIME_ENERGY),
                *(ChargerSensor(coordinator, item) for item in HEALTH_SENSORS if item.has_fn(coordinator.data)),
                *(CodeSensor(coordinator, item) for item in CODE_SENSORS if item.has_fn(coordinator.data)),
                LastRestartSensor(coordinator, LAST_RESTART),
                ReasonSensor(coordinator, REASON),
                OverrideSensor(coordinator, OVERRIDE),
            ]
        )
