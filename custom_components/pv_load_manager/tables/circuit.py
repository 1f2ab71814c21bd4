"""Sensors of the house connection and of every circuit below it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfRatio
from homeassistant.helpers.typing import StateType

from ..const import CONF_PHASES
from ..control import ROOT_CIRCUIT, Stage
from ..control.model import Three
from ..control.plan import CircuitPlan
from ..coordinators.circuits import circuit_meters
from ..coordinators.load_manager import LoadManagerCoordinator
from ..entity import CircuitEntity
from .figures import CURRENT, rounded


@dataclass(frozen=True, kw_only=True)
class CircuitSensorDescription(SensorEntityDescription):
    """A figure of one circuit."""

    value_fn: Callable[[CircuitPlan, int, float], StateType]
    """Of what the control core says, of how many phases the house has, and of the circuit's rating per phase in A."""
    metered: bool = False
    """Known only where a meter measures the circuit."""


def _utilisation(plan: CircuitPlan, _: int, rated_a: float) -> StateType:
    """Return what flows on the fullest phase, in % of the rating; export heats a fuse as import does."""
    house = plan.house_a or (0.0, 0.0, 0.0)
    fullest = max(abs(ours + other) for ours, other in zip(plan.drawn_a, house, strict=True))
    return rounded(100 * fullest / rated_a, 0) if rated_a > 0 else None


def _stage(plan: CircuitPlan, _: int, __: float) -> StateType:
    # Without a meter nothing is ever late.
    return None if plan.house_a is None and plan.stage is Stage.FRESH else plan.stage.name.lower()


CIRCUIT_SENSORS = (
    CircuitSensorDescription(
        key="utilisation",
        translation_key="circuit_utilisation",
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        value_fn=_utilisation,
    ),
    CircuitSensorDescription(
        key="free_current",
        translation_key="free_current",
        **CURRENT,
        suggested_display_precision=0,
        value_fn=lambda plan, phases, _: rounded(min(plan.free_a[:phases]), 1),
    ),
    CircuitSensorDescription(
        key="limit_in_force",
        translation_key="circuit_limit_in_force",
        **CURRENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda plan, _, __: rounded(plan.limit_a, 1),
    ),
    CircuitSensorDescription(
        key="meter_stage",
        translation_key="circuit_meter_stage",
        device_class=SensorDeviceClass.ENUM,
        options=[stage.name.lower() for stage in Stage],
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=_stage,
        metered=True,
    ),
)


def _of_phase(
    key: str, line: int, take: Callable[[CircuitPlan], Three | None], *, metered: bool = False
) -> CircuitSensorDescription:
    def value(plan: CircuitPlan, _: int, __: float) -> StateType:
        currents = take(plan)
        return None if currents is None else rounded(currents[line], 1)

    return CircuitSensorDescription(
        key=f"{key}_l{line + 1}",
        translation_key=f"{key}_of_phase",
        translation_placeholders={"phase": f"L{line + 1}"},
        **CURRENT,
        suggested_display_precision=1,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=value,
        metered=metered,
    )


def circuit_sensors(manager: LoadManagerCoordinator, circuit_id: str) -> Iterator[CircuitSensor]:
    """Return the sensors of one circuit, phase by phase as many as the house has."""
    entry = manager.config_entry
    phases = entry.data[CONF_PHASES]
    # A meter of the house connection may know no more than the total power.
    measured = manager.dynamic_configured if circuit_id == ROOT_CIRCUIT else circuit_id in circuit_meters(entry)
    descriptions = list(CIRCUIT_SENSORS)
    for line in range(phases):
        descriptions += [
            _of_phase("free_current", line, lambda plan: plan.free_a),
            _of_phase("charging_current", line, lambda plan: plan.drawn_a),
            _of_phase("house_current", line, lambda plan: plan.house_a, metered=True),
        ]
    for description in descriptions:
        if measured or not description.metered:
            yield CircuitSensor(manager, description, circuit_id)


class CircuitSensor(CircuitEntity, SensorEntity):
    """A figure of one circuit."""

    entity_description: CircuitSensorDescription

    def __init__(
        self, coordinator: LoadManagerCoordinator, description: CircuitSensorDescription, circuit_id: str
    ) -> None:
        """Attach the entity to one circuit, whose rating stays until its entry is loaded anew."""
        super().__init__(coordinator, description, circuit_id)
        self._phases = coordinator.config_entry.data[CONF_PHASES]
        self._rated_a = coordinator.circuit_ratings[circuit_id]

    @property
    @override
    def available(self) -> bool:
        """Return whether the control core knows the circuit: one whose parent is gone it leaves out."""
        return super().available and self._circuit_id in self.coordinator.data.circuits

    @override
    def refresh(self) -> StateType:
        """Take the figure from the plan."""
        plan = self.coordinator.data.circuits[self._circuit_id]
        self._attr_native_value = self.entity_description.value_fn(plan, self._phases, self._rated_a)
        return self._attr_native_value
