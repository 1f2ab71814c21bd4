"""Sensors of one charger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    MATCH_ALL,
    EntityCategory,
    UnitOfElectricCurrent,
)
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from ..control import CarState, ChargerPlan, Reason, render
from ..coordinators.translate import CAR_STATES
from ..coordinators.wattpilot import WattpilotCoordinator
from ..entity import PvLoadManagerEntity
from ..pace import ALLOCATION, SENTENCE, Pace
from ..shared import SHARED
from .figures import CURRENT, ENERGY, POWER, SteadyEnergySensor, rounded


@dataclass(frozen=True, kw_only=True)
class ChargerSensorDescription(SensorEntityDescription):
    """A figure of one charger."""

    value_fn: Callable[[WattpilotCoordinator], StateType]
    needs_plan: bool = False
    """Known only while a load manager is there."""
    pace: Pace | None = None
    """How often it is shown; None = as others of its kind."""


def _phase(index: int, key: str) -> ChargerSensorDescription:
    return ChargerSensorDescription(
        key=f"current_{key}",
        translation_key=f"current_{key}",
        **CURRENT,
        entity_registry_enabled_default=False,
        suggested_display_precision=1,
        value_fn=lambda charger: rounded(charger.data.currents[index], 2),
    )


def _allocated(charger: WattpilotCoordinator) -> StateType:
    return charger.plan.allocated_a if charger.plan is not None else None


CHARGER_SENSORS = (
    ChargerSensorDescription(
        key="state",
        translation_key="charger_state",
        device_class=SensorDeviceClass.ENUM,
        options=[state.value for state in CarState],
        value_fn=lambda charger: CAR_STATES.get(charger.data.car_state, CarState.UNKNOWN).value,
    ),
    ChargerSensorDescription(
        key="allocated_current",
        translation_key="allocated_current",
        **CURRENT,
        pace=ALLOCATION,
        suggested_display_precision=0,
        value_fn=_allocated,
        needs_plan=True,
    ),
    ChargerSensorDescription(
        key="power",
        **POWER,
        suggested_display_precision=0,
        value_fn=lambda charger: rounded(charger.data.power_w, 0),
    ),
    _phase(0, "l1"),
    _phase(1, "l2"),
    _phase(2, "l3"),
)


def _today(key: str, value_fn: Callable[[ChargerPlan], int | None]) -> ChargerSensorDescription:
    return ChargerSensorDescription(
        key=key,
        translation_key=key,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda charger: value_fn(charger.plan) if charger.plan is not None else None,
        needs_plan=True,
    )


COUNTERS = (
    _today("starts_today", lambda plan: plan.starts_today),
    _today("switches_today", lambda plan: plan.switches_today),
)

LIFETIME_ENERGY = ChargerSensorDescription(
    key="lifetime_energy",
    translation_key="lifetime_energy",
    **ENERGY,
    suggested_display_precision=1,
    value_fn=lambda charger: charger.data.lifetime_energy_wh,
)

REASON = ChargerSensorDescription(
    key="reason",
    translation_key="reason",
    device_class=SensorDeviceClass.ENUM,
    options=[reason.value for reason in Reason],
    pace=SENTENCE,
    value_fn=lambda charger: charger.plan.explanation.reason.value if charger.plan is not None else None,
    needs_plan=True,
)

OVERRIDE = ChargerSensorDescription(
    key="override",
    translation_key="override",
    device_class=SensorDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    suggested_display_precision=0,
    value_fn=lambda _: None,
    needs_plan=True,
)


class ChargerSensor(PvLoadManagerEntity[WattpilotCoordinator], SensorEntity):
    """A figure of one charger."""

    entity_description: ChargerSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Return whether the charger told it, or the load manager did."""
        if self.entity_description.needs_plan:
            return self.coordinator.plan is not None
        return super().available

    @override
    def refresh(self) -> object:
        """Take the figure from the charger."""
        value = self.entity_description.value_fn(self.coordinator)
        self._attr_native_value = value
        return value


class LifetimeEnergySensor(SteadyEnergySensor[WattpilotCoordinator], ChargerSensor):
    """An energy of all time; after a power failure the charger counts from a few Wh earlier, we do not."""

    @override
    def refresh(self) -> StateType:
        """Take the energy from the charger unless it fell a little, or cannot be."""
        energy = self.entity_description.value_fn(self.coordinator)
        value = self._total.after(energy if isinstance(energy, float | int) else None, self.hass.loop.time())
        self._attr_native_value = None if value is None else round(value)
        return self._attr_native_value


class ReasonSensor(ChargerSensor):
    """Why a charger gets what it gets, with its arithmetic."""

    # The numbers change all the time; the recorder keeps the reason alone, but a row whenever one is shown.
    _unrecorded_attributes = frozenset({MATCH_ALL})

    @override
    def refresh(self) -> tuple[object, str | None]:
        """Take the reason from the plan; the circuit it speaks of is published with it."""
        plan = self.coordinator.plan
        return super().refresh(), None if plan is None else plan.explanation.circuit_id

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        """Return the sentence, the numbers and the time of the next possible change."""
        if self.coordinator.plan is None:
            return None
        explanation = self.coordinator.plan.explanation
        now = self.hass.loop.time()
        shared = self.hass.data[SHARED]
        circuits = shared.load_manager.circuit_names if shared.load_manager is not None else {}
        attributes: dict[str, Any] = {
            "text": render(explanation, shared.templates, now, circuits),
            **explanation.numbers,
        }
        if explanation.circuit_id is not None and explanation.circuit_id in circuits:
            attributes["circuit"] = circuits[explanation.circuit_id]
        if explanation.next_change_at is not None and explanation.next_change_at > now:
            # Rounded, so that one and the same moment does not look like another one every second.
            moment = dt_util.utcnow() + timedelta(seconds=explanation.next_change_at - now + 0.5)
            attributes["next_change"] = moment.replace(microsecond=0).isoformat()
        return attributes


class OverrideSensor(ChargerSensor):
    """The current that somebody chose for a charger past all strategy; unknown while nobody does."""

    _attr_extra_state_attributes: dict[str, Any]

    @override
    def refresh(self) -> int | None:
        """Take the override from the load manager."""
        manager, serial = self.hass.data[SHARED].load_manager, self.coordinator.serial
        override = manager.data.overrides.get(serial) if manager is not None else None
        self._attr_native_value = None if override is None else override.current_a
        self._attr_extra_state_attributes = {}
        if override is not None:
            self._attr_extra_state_attributes = {
                "source": override.source.value,
                "until": None if override.until is None else override.until.isoformat(),
            }
        return self._attr_native_value
