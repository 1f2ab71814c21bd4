"""Binary sensors: what is wrong with the site or a charger, and what the site was told from outside."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import ConfigError, Plan
from .coordinators.issues import ISSUES
from .coordinators.load_manager import LoadManagerCoordinator
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

PROBLEM = BinarySensorEntityDescription(
    key="problem",
    device_class=BinarySensorDeviceClass.PROBLEM,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the binary sensors of a load manager or a charger."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteBinarySensor(coordinator, description) for description in SITE_BINARY_SENSORS)
    elif isinstance(coordinator, WattpilotCoordinator):
        async_add_entities([ChargerProblem(coordinator, PROBLEM)])


class SiteBinarySensor(PvLoadManagerEntity[LoadManagerCoordinator], BinarySensorEntity):
    """Something of the whole site that is so or not."""

    entity_description: SiteBinarySensorDescription

    @override
    def refresh(self) -> str:
        """Take the value from the plan; as a word, because it is no figure that could be published later."""
        value = self.entity_description.value_fn(self.coordinator.data)
        self._attr_is_on = value
        return STATE_ON if value else STATE_OFF


class ChargerProblem(PvLoadManagerEntity[WattpilotCoordinator], BinarySensorEntity):
    """Whether a charger reports an error."""

    @override
    def refresh(self) -> str | None:
        """Take the error from the charger; as a word, because it is no figure that could be published later."""
        code = self.coordinator.data.error_code
        self._attr_is_on = None if code is None else code != 0
        return None if code is None else STATE_ON if code else STATE_OFF
