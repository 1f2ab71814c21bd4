"""Sensors of the site, the chargers and the inverters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import (
    MATCH_ALL,
    EntityCategory,
    UnitOfElectricCurrent,
    UnitOfEnergy,
    UnitOfPower,
    UnitOfRatio,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .control import CarState, ChargerPlan, ExternalPhases, Plan, Reason, SiteStatus, render
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.solaredge import SolarEdgeCoordinator
from .coordinators.translate import CAR_STATES
from .coordinators.wattpilot import WattpilotCoordinator
from .entity import PvLoadManagerEntity
from .shared import SHARED, PvLoadManagerConfigEntry
from .solaredge import InverterData

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SiteSensorDescription(SensorEntityDescription):
    """A figure of the whole site."""

    value_fn: Callable[[Plan], StateType]


@dataclass(frozen=True, kw_only=True)
class ChargerSensorDescription(SensorEntityDescription):
    """A figure of one charger."""

    value_fn: Callable[[WattpilotCoordinator], StateType]
    needs_plan: bool = False
    """Known only while a load manager is there."""


@dataclass(frozen=True, kw_only=True)
class InverterSensorDescription(SensorEntityDescription):
    """A figure of one inverter."""

    value_fn: Callable[[InverterData], StateType]
    age_fn: Callable[[InverterData], float | None]
    """When the part was last asked with success, monotonic seconds; None = it never answered."""
    has_fn: Callable[[SolarEdgeCoordinator], bool] = lambda _: True


STALE = 30.0  # s; a part of an inverter that is silent for three polls is shown as unavailable

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
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda plan: None if plan.surplus_w is None else round(plan.surplus_w),
    ),
    SiteSensorDescription(
        key="allocated_current",
        translation_key="total_allocated_current",
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
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
        value_fn=lambda plan: _rounded(plan.quarter_mean_w, 0),
    ),
    SiteSensorDescription(
        key="month_peak",
        translation_key="month_peak",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda plan: _rounded(plan.month_peak_w, 0),
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


def _phase(index: int, key: str) -> ChargerSensorDescription:
    return ChargerSensorDescription(
        key=f"current_{key}",
        translation_key=f"current_{key}",
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=1,
        value_fn=lambda charger: _rounded(charger.data.currents[index], 2),
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
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        suggested_display_precision=0,
        value_fn=_allocated,
        needs_plan=True,
    ),
    ChargerSensorDescription(
        key="power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda charger: _rounded(charger.data.power_w, 0),
    ),
    _phase(0, "l1"),
    _phase(1, "l2"),
    _phase(2, "l3"),
    ChargerSensorDescription(
        key="session_energy",
        translation_key="session_energy",
        device_class=SensorDeviceClass.ENERGY,
        state_class=SensorStateClass.TOTAL_INCREASING,
        native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
        suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
        suggested_display_precision=2,
        value_fn=lambda charger: _rounded(charger.data.session_energy_wh, 0),
    ),
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
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=1,
    value_fn=lambda charger: _rounded(charger.data.lifetime_energy_wh, 0),
)

REASON = ChargerSensorDescription(
    key="reason",
    translation_key="reason",
    device_class=SensorDeviceClass.ENUM,
    options=[reason.value for reason in Reason],
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


def _grid_at(data: InverterData) -> float | None:
    return data.grid.at if data.grid is not None else None


def _pv_at(data: InverterData) -> float | None:
    return data.pv.at if data.pv is not None else None


def _battery_at(data: InverterData) -> float | None:
    return data.battery.at if data.battery is not None else None


def _grid_current(index: int) -> InverterSensorDescription:
    return InverterSensorDescription(
        key=f"grid_current_l{index + 1}",
        translation_key=f"grid_current_l{index + 1}",
        device_class=SensorDeviceClass.CURRENT,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
        entity_category=EntityCategory.DIAGNOSTIC,
        suggested_display_precision=1,
        value_fn=lambda data: _rounded(data.grid.currents_a[index], 2) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: (
            inverter.reader.has_grid_meter and (index == 0 or inverter.reader.grid_meter_has_phases)
        ),
    )


INVERTER_SENSORS = (
    InverterSensorDescription(
        key="pv_power",
        translation_key="pv_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: _rounded(data.pv.power_w, 0) if data.pv is not None else None,
        age_fn=_pv_at,
    ),
    InverterSensorDescription(
        key="grid_power",
        translation_key="grid_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: _rounded(data.grid.power_w, 0) if data.grid is not None else None,
        age_fn=_grid_at,
        has_fn=lambda inverter: inverter.reader.has_grid_meter,
    ),
    _grid_current(0),
    _grid_current(1),
    _grid_current(2),
    InverterSensorDescription(
        key="battery_power",
        translation_key="battery_power",
        device_class=SensorDeviceClass.POWER,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfPower.WATT,
        suggested_display_precision=0,
        value_fn=lambda data: _rounded(data.battery.power_w, 0) if data.battery is not None else None,
        age_fn=_battery_at,
        has_fn=lambda inverter: inverter.reader.has_battery,
    ),
    InverterSensorDescription(
        key="battery_state_of_charge",
        translation_key="battery_state_of_charge",
        device_class=SensorDeviceClass.BATTERY,
        state_class=SensorStateClass.MEASUREMENT,
        native_unit_of_measurement=UnitOfRatio.PERCENTAGE,
        suggested_display_precision=0,
        value_fn=lambda data: _rounded(data.battery.state_of_charge, 1) if data.battery is not None else None,
        age_fn=_battery_at,
        has_fn=lambda inverter: inverter.reader.has_battery,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of one entry."""
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        async_add_entities(SiteSensor(coordinator, description) for description in SITE_SENSORS)
        async_add_entities([ExternalControlSensor(coordinator, EXTERNAL_CONTROL)])
    elif isinstance(coordinator, SolarEdgeCoordinator):
        async_add_entities(
            InverterSensor(coordinator, description)
            for description in INVERTER_SENSORS
            if description.has_fn(coordinator)
        )
    else:
        async_add_entities(
            [
                *(ChargerSensor(coordinator, description) for description in (*CHARGER_SENSORS, *COUNTERS)),
                LifetimeEnergySensor(coordinator, LIFETIME_ENERGY),
                ReasonSensor(coordinator, REASON),
                OverrideSensor(coordinator, OVERRIDE),
            ]
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
    def refresh(self) -> StateType:
        """Take the figure from the charger."""
        value = self.entity_description.value_fn(self.coordinator)
        self._attr_native_value = value
        return value


class LifetimeEnergySensor(ChargerSensor, RestoreSensor):
    """The charger's lifetime energy; after a power failure the charger counts from a few Wh earlier, we do not."""

    @override
    async def async_added_to_hass(self) -> None:
        """Go on from the highest value that was ever shown."""
        last = await self.async_get_last_sensor_data()
        if last is not None and isinstance(last.native_value, int | float):
            self._attr_native_value = last.native_value
        await super().async_added_to_hass()

    @override
    def refresh(self) -> StateType:
        """Take the energy from the charger unless it fell a little."""
        value = self.coordinator.data.lifetime_energy_wh
        shown = self._attr_native_value
        fell_a_little = isinstance(shown, int | float) and value is not None and 0 < shown - value < 1000
        if value is not None and not fell_a_little:
            self._attr_native_value = round(value)
        result = self._attr_native_value
        return result if isinstance(result, int | float) else None


class ReasonSensor(ChargerSensor):
    """Why a charger gets what it gets, with its arithmetic."""

    # The numbers change all the time; the recorder keeps the reason alone.
    _unrecorded_attributes = frozenset({MATCH_ALL})

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
            moment = dt_util.utcnow() + timedelta(seconds=explanation.next_change_at - now)
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


class InverterSensor(PvLoadManagerEntity[SolarEdgeCoordinator], SensorEntity):
    """A figure of one inverter."""

    entity_description: InverterSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Return whether this part of the inverter still answers."""
        at = self.entity_description.age_fn(self.coordinator.data)
        return super().available and at is not None and self.hass.loop.time() - at < STALE

    @override
    def refresh(self) -> StateType:
        """Take the figure from the inverter."""
        value = self.entity_description.value_fn(self.coordinator.data)
        self._attr_native_value = value
        return value


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0  # no -0.0
