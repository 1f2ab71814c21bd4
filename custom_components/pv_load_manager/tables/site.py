"""Sensors of the whole site."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import (
    EntityCategory,
    UnitOfPower,
)
from homeassistant.helpers.typing import StateType

from ..control import ExternalPhases, Plan, SiteStatus
from ..coordinators.load_manager import LoadManagerCoordinator
from ..entity import PvLoadManagerEntity
from .figures import CURRENT, POWER, rounded


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A figure of the whole site."""

    value_fn: Callable[[Plan], StateType]


SITE_SENSORS = (
    SiteSensorDescription(
        key="state",
        translation_key="site_state",
        device_class=SensorDeviceClass.ENUM,
        options=[status.value for status in SiteStatus],
        value_fn=lambda plan: plan.status.value,
    ),
    SiteSensorDescription(
        key="surplus",
        translation_key="surplus",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda plan: None if plan.surplus_w is None else round(plan.surplus_w),
    ),
    SiteSensorDescription(
        key="allocated_current",
        translation_key="total_allocated_current",
        **CURRENT,
        suggested_display_precision=0,
        value_fn=lambda plan: sum(charger.allocated_a for charger in plan.chargers.values()),
    ),
    SiteSensorDescription(
        key="quarter_mean",
        translation_key="quarter_mean",
        device_class=SensorDeviceClass.POWER,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda plan: rounded(plan.quarter_mean_w, 0),
    ),
    SiteSensorDescription(
        key="month_peak",
        translation_key="month_peak",
        **POWER,
        entity_registry_enabled_default=False,
        suggested_display_precision=0,
        value_fn=lambda plan: rounded(plan.month_peak_w, 0),
    ),
    SiteSensorDescription(
        key="error_flags",
        translation_key="error_flags",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda plan: int(plan.errors),
    ),
)

# "unavailable" is what Home Assistant says of an entity that has nothing to say.
EXTERNAL_STATES = {state: state.name.lower() for state in ExternalPhases} | {ExternalPhases.UNAVAILABLE: "impossible"}
EXTERNAL_CONTROL = SiteSensorDescription(
    key="external_control",
    translation_key="external_control",
    device_class=SensorDeviceClass.ENUM,
    entity_category=EntityCategory.DIAGNOSTIC,
    options=list(EXTERNAL_STATES.values()),
    value_fn=lambda plan: EXTERNAL_STATES[plan.external],
)


class SiteSensor(PvLoadManagerEntity[LoadManagerCoordinator], SensorEntity):
    """A figure of the whole site."""

    entity_description: SiteSensorDescription

    @override
    def refresh(self) -> StateType:
        """Take the figure from the plan."""
        value = self.entity_description.value_fn(self.coordinator.data)
        self._attr_native_value = value
        return value


class ExternalControlSensor(SiteSensor):
    """Whether a number of phases may be requested, and if not, why."""

    _attr_extra_state_attributes: dict[str, Any]

    @override
    def refresh(self) -> StateType:
        """Take state and cause from the plan."""
        self._attr_extra_state_attributes = {"cause": self.coordinator.data.external_cause.name.lower()}
        return super().refresh()
