"""Binary sensors: what is wrong with the site or a charger, and what the site was told from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator

from .control import CarState, ConfigError, Plan
from .coordinators.issues import ISSUES
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.translate import CAR_STATES
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import PvLoadManagerEntity
from .shared import PvLoadManagerConfigEntry

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SiteBinarySensorDescription(BinarySensorEntityDescription):
    """Something of the whole site that is so or not."""

    value_fn: Callable[[Plan], bool]


def _problem(key: str, error: ConfigError) -> SiteBinarySensorDescription:
    return SiteBinarySensorDescription(
        key=key,
        translation_key=key,
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda plan: error in plan.errors,
    )


SITE_BINARY_SENSORS = (
    SiteBinarySensorDescription(
        key="watchdog",
        translation_key="watchdog",
        device_class=BinarySensorDeviceClass.PROBLEM,
        value_fn=lambda plan: plan.watchdog_expired,
    ),
    SiteBinarySensorDescription(key="dimmed", translation_key="dimmed", value_fn=lambda plan: plan.dimmed),
    *(_problem(key, repair.error) for key, repair in ISSUES.items()),
)


@dataclass(frozen=True, kw_only=True)
class ChargerBinarySensorDescription(BinarySensorEntityDescription):
    """Something of one charger that is so or not."""

    value_fn: Callable[[WattpilotCoordinator], bool | None]


def _car(charger: WattpilotCoordinator) -> CarState:
    return CAR_STATES.get(charger.data.car_state, CarState.UNKNOWN)


def _plugged(charger: WattpilotCoordinator) -> bool | None:
    car = _car(charger)
    return None if car is CarState.UNKNOWN else car is not CarState.NO_CAR


def _charging(charger: WattpilotCoordinator) -> bool | None:
    car = _car(charger)
    return None if car is CarState.UNKNOWN else car is CarState.CHARGING


def _problem_of(charger: WattpilotCoordinator) -> bool | None:
    code = charger.data.error_code
    return None if code is None else code != 0


CHARGER_BINARY_SENSORS = (
    ChargerBinarySensorDescription(
        key="plugged",
        translation_key="plugged",
        device_class=BinarySensorDeviceClass.PLUG,
        value_fn=_plugged,
    ),
    ChargerBinarySensorDescription(
        key="charging", device_class=BinarySensorDeviceClass.BATTERY_CHARGING, value_fn=_charging
    ),
    ChargerBinarySensorDescription(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_problem_of,
    ),
)

CONNECTED = BinarySensorEntityDescription(
    key="connected",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of one entry."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteBinarySensor(coordinator, description) for description in SITE_BINARY_SENSORS)
        return
    async_add_entities([ConnectedBinarySensor(coordinator, CONNECTED)])
    if isinstance(coordinator, WattpilotCoordinator):
        async_add_entities(ChargerBinarySensor(coordinator, description) for description in CHARGER_BINARY_SENSORS)


def _word(value: bool | None) -> str | None:
    """Return a value as a word, because it is no figure that could be published later."""
    return None if value is None else STATE_ON if value else STATE_OFF


class SiteBinarySensor(PvLoadManagerEntity[LoadManagerCoordinator], BinarySensorEntity):
    """Something of the whole site that is so or not."""

    entity_description: SiteBinarySensorDescription

    @override
    def refresh(self) -> str | None:
        """Take the value from the plan."""
        self._attr_is_on = value = self.entity_description.value_fn(self.coordinator.data)
        return _word(value)


class ChargerBinarySensor(PvLoadManagerEntity[WattpilotCoordinator], BinarySensorEntity):
    """Something of one charger that is so or not."""

    entity_description: ChargerBinarySensorDescription

    @override
    def refresh(self) -> str | None:
        """Take the value from the charger."""
        self._attr_is_on = value = self.entity_description.value_fn(self.coordinator)
        return _word(value)


class ConnectedBinarySensor(PvLoadManagerEntity[DataUpdateCoordinator[Any]], BinarySensorEntity):
    """Whether a device answers."""

    @property
    @override
    def available(self) -> bool:
        """Return whether that is known: it is, above all while the device is silent."""
        return True

    @override
    def refresh(self) -> str | None:
        """Take it from how the last talk with the device ended."""
        self._attr_is_on = value = self.coordinator.last_update_success
        return _word(value)
