"""Sensors of one charger about the device itself: its limits, its trouble, its connection."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
    UnitOfTemperature,
)
from homeassistant.util import dt as dt_util

from ..const import ChargerConnection
from ..coordinators.clients import is_cloud
from ..coordinators.wattpilot import WattpilotCoordinator
from ..entity import PvLoadManagerEntity
from ..wattpilot import CABLE_LOCK_NAMES, ERROR_NAMES, MODEL_STATUS_NAMES, WattpilotStatus
from ..wattpilot.parsing import whole
from .charger import ChargerSensorDescription
from .figures import CURRENT, rounded

UNKNOWN: Final = "unknown_code"
SAME_START: Final = timedelta(seconds=60)  # the uptime is told late, and two clocks drift


@dataclass(frozen=True, kw_only=True)
class HealthSensorDescription(ChargerSensorDescription):
    """A figure of the device."""

    has_fn: Callable[[WattpilotStatus], bool] = lambda _: True
    """Whether this charger has it at all."""


@dataclass(frozen=True, kw_only=True)
class CodeSensorDescription(SensorEntityDescription):
    """A code that has names."""

    names: Mapping[int, str]
    code_fn: Callable[[WattpilotStatus], int | None]
    has_fn: Callable[[WattpilotStatus], bool]


def _limit(key: str, value_fn: Callable[[WattpilotStatus], int | None], *, enabled: bool) -> HealthSensorDescription:
    return HealthSensorDescription(
        key=key,
        translation_key=key,
        **CURRENT,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        value_fn=lambda charger: value_fn(charger.data),
    )


def _code(
    key: str, names: Mapping[int, str], code_fn: Callable[[WattpilotStatus], int | None], raw: str, *, enabled: bool
) -> CodeSensorDescription:
    return CodeSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.ENUM,
        options=[*names.values(), UNKNOWN],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=enabled,
        names=names,
        code_fn=code_fn,
        has_fn=lambda status: raw in status.raw,
    )


HEALTH_SENSORS: Final = (
    HealthSensorDescription(
        key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=0,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda charger: rounded(charger.data.temperature, 1),
        has_fn=lambda status: "tma" in status.raw or "tmp" in status.raw,
    ),
    _limit("current_limit", lambda status: status.current_limit_a, enabled=True),
    _limit("cable_limit", lambda status: status.cable_limit_a, enabled=False),
    _limit("temperature_limit", lambda status: status.temperature_limit_a, enabled=False),
    HealthSensorDescription(
        key="signal_strength",
        device_class=SensorDeviceClass.SIGNAL_STRENGTH,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda charger: charger.data.rssi_dbm,
        has_fn=lambda status: status.rssi_dbm is not None,
    ),
    HealthSensorDescription(
        key="connection",
        translation_key="connection",
        device_class=SensorDeviceClass.ENUM,
        options=[connection.value for connection in ChargerConnection],
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda charger: (
            (ChargerConnection.CLOUD if is_cloud(charger.config_entry.data) else ChargerConnection.LOCAL).value
        ),
    ),
)

CODE_SENSORS: Final = (
    _code("error", ERROR_NAMES, lambda status: status.error_code, "err", enabled=True),
    _code("model_status", MODEL_STATUS_NAMES, lambda status: status.model_status, "modelStatus", enabled=False),
    _code("cable_lock", CABLE_LOCK_NAMES, lambda status: whole(status.raw.get("cus")), "cus", enabled=False),
)

LAST_RESTART: Final = SensorEntityDescription(
    key="last_restart",
    translation_key="last_restart",
    device_class=SensorDeviceClass.TIMESTAMP,
    entity_category=EntityCategory.DIAGNOSTIC,
    entity_registry_enabled_default=False,
)


class CodeSensor(PvLoadManagerEntity[WattpilotCoordinator], SensorEntity):
    """A code by its name; one that nobody documented stays readable as its number."""

    entity_description: CodeSensorDescription
    _attr_extra_state_attributes: dict[str, int | None]

    @override
    def refresh(self) -> str | None:
        """Take the code from the charger."""
        code = self.entity_description.code_fn(self.coordinator.data)
        name = None if code is None else self.entity_description.names.get(code, UNKNOWN)
        self._attr_native_value = name
        self._attr_extra_state_attributes = {"code": code}
        return name


class LastRestartSensor(PvLoadManagerEntity[WattpilotCoordinator], SensorEntity):
    """When the charger started."""

    @override
    def refresh(self) -> datetime | None:
        """Take the start from the uptime, always the same one until it starts again."""
        uptime, shown = self.coordinator.data.uptime_ms, self._attr_native_value
        if uptime is not None:
            started = (dt_util.utcnow() - timedelta(milliseconds=uptime)).replace(microsecond=0)
            if not isinstance(shown, datetime) or abs(started - shown) > SAME_START:
                self._attr_native_value = shown = started
        return shown if isinstance(shown, datetime) else None
