"""The settings of site and chargers that are numbers: what each is called, its unit and its range."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.components.number import NumberDeviceClass, NumberEntityDescription, NumberMode
from homeassistant.const import EntityCategory, UnitOfElectricCurrent, UnitOfPower, UnitOfRatio, UnitOfTime

from ..const import MAX_CIRCUIT_POWER
from ..control import HIGHEST_CURRENT, LOWEST_CURRENT
from ..coordinators.load_manager import LoadManagerCoordinator

AMPERES: dict[str, Any] = {
    "device_class": NumberDeviceClass.CURRENT,
    "native_unit_of_measurement": UnitOfElectricCurrent.AMPERE,
}
WATTS: dict[str, Any] = {
    "device_class": NumberDeviceClass.POWER,
    "native_unit_of_measurement": UnitOfPower.WATT,
    "step": 10,
}
SECONDS: dict[str, Any] = {
    "device_class": NumberDeviceClass.DURATION,
    "native_unit_of_measurement": UnitOfTime.SECONDS,
}
RARE: dict[str, Any] = {"entity_registry_enabled_default": False}
LARGEST_CHARGER = 22_080  # W; 32 A on three phases


@dataclass(frozen=True, kw_only=True)
class SiteNumberDescription(NumberEntityDescription):
    """A setting of the site."""

    value_fn: Callable[[LoadManagerCoordinator], float]
    """In the unit of the setting."""
    setting: str
    scale: float = 1
    """How many units of the setting one unit of the entity has."""
    max_fn: Callable[[LoadManagerCoordinator], float] | None = None
    available_fn: Callable[[LoadManagerCoordinator], bool] = lambda _: True


def _setting(
    key: str,
    value_fn: Callable[[LoadManagerCoordinator], float],
    low: float,
    high: float | None = None,
    step: float = 1,
    **more: Any,
) -> SiteNumberDescription:
    """Return a setting from ``low`` to ``high``; without a unit it is a plain number."""
    description: dict[str, Any] = {
        "translation_key": key,
        "setting": key,
        "entity_category": EntityCategory.CONFIG,
        "native_min_value": low,
        "native_step": step,
        "mode": NumberMode.BOX,
    }
    if high is not None:
        description["native_max_value"] = high
    return SiteNumberDescription(key=key, value_fn=value_fn, **(description | more))


def _amperes(
    key: str, value_fn: Callable[[LoadManagerCoordinator], float], low: float, high: float | None = None, **more: Any
) -> SiteNumberDescription:
    return _setting(key, value_fn, low, high, **(AMPERES | {"setting": f"{key}_a"} | more))


def _watts(
    key: str, value_fn: Callable[[LoadManagerCoordinator], float], low: float, high: float, **more: Any
) -> SiteNumberDescription:
    return _setting(key, value_fn, low, high, **(WATTS | {"setting": f"{key}_w"} | more))


def _seconds(
    key: str, value_fn: Callable[[LoadManagerCoordinator], float], low: float, high: float, **more: Any
) -> SiteNumberDescription:
    return _setting(key, value_fn, low, high, **(SECONDS | {"setting": f"{key}_s"} | more))


def _minutes(
    key: str, value_fn: Callable[[LoadManagerCoordinator], float], low: float, high: float, **more: Any
) -> SiteNumberDescription:
    """Return a setting that is kept in seconds and shown in minutes."""
    return _seconds(key, value_fn, low, high, native_unit_of_measurement=UnitOfTime.MINUTES, scale=60, **more)


def _state_of_charge(key: str, value_fn: Callable[[LoadManagerCoordinator], float]) -> SiteNumberDescription:
    return _setting(key, value_fn, 0, 100, 1, native_unit_of_measurement=UnitOfRatio.PERCENTAGE, mode=NumberMode.AUTO)


SITE_NUMBERS = (
    _amperes(
        "default_available_current",
        lambda manager: manager.strategy.default_available_current_a,
        0,
        max_fn=lambda manager: manager.maximum_total_current,
        **RARE,
    ),
    _watts(
        "peak_limit",
        lambda manager: manager.strategy.peak_limit_w,
        0,
        MAX_CIRCUIT_POWER,
        available_fn=lambda manager: manager.has_power_meter,
    ),
    _amperes(
        "maximum_total_current",
        lambda manager: manager.strategy.maximum_total_current_a,
        0,
        max_fn=lambda manager: manager.main_fuse,
    ),
    _amperes(
        "minimum_current",
        lambda manager: manager.strategy.minimum_current_a,
        LOWEST_CURRENT,
        HIGHEST_CURRENT,
        mode=NumberMode.AUTO,
    ),
    _watts("guaranteed_power", lambda manager: manager.strategy.guaranteed_power_w, 0, LARGEST_CHARGER),
    _watts("target_grid_power", lambda manager: manager.strategy.target_grid_power_w, -20_000, 20_000),
    _amperes("demand_margin", lambda manager: manager.strategy.demand_margin_a, 0.5, 10, step=0.5),
    _seconds("start_phase", lambda manager: manager.timings.start_phase, 10, 600),
    _minutes("rotation_slot", lambda manager: manager.timings.rotation_slot, 1, 1440),
    _setting("grid_weight", lambda manager: manager.strategy.grid_weight, 1, 20, 0.1),
    _watts("start_threshold", lambda manager: manager.strategy.start_threshold_w, 0, LARGEST_CHARGER),
    _watts("grid_backup", lambda manager: manager.strategy.grid_backup_w, 0, LARGEST_CHARGER),
    _setting("phase_switches_per_day", lambda manager: manager.strategy.phase_switches_per_day, 0, 100, **RARE),
    _minutes("phase_dwell", lambda manager: manager.timings.phase_dwell, 0, 120, **RARE),
    # Every user may change them, so the longest is what a breaker bears until the cars have stopped.
    _seconds("protection_stale", lambda manager: manager.timings.protection_stale, 5, 30, **RARE),
    _seconds("protection_fallback", lambda manager: manager.timings.protection_fallback, 10, 60, **RARE),
    _seconds("protection_dead", lambda manager: manager.timings.protection_dead, 30, 300, **RARE),
    _seconds("surplus_stale", lambda manager: manager.timings.surplus_stale, 10, 300, **RARE),
    _seconds("surplus_dead", lambda manager: manager.timings.surplus_dead, 30, 1800, **RARE),
)
BATTERY_NUMBERS = (
    _state_of_charge("battery_target_soc", lambda manager: manager.strategy.battery_target_soc),
    _state_of_charge("battery_start_soc", lambda manager: manager.strategy.battery_start_soc),
    _state_of_charge("battery_hold_soc", lambda manager: manager.strategy.battery_hold_soc),
    _watts("battery_dead_zone", lambda manager: manager.strategy.battery_dead_zone_w, 0, 9999, step=1, **RARE),
)
AVAILABLE_CURRENT = NumberEntityDescription(
    key="available_current",
    translation_key="available_current",
    device_class=NumberDeviceClass.CURRENT,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=0,
    native_step=0.1,
    mode=NumberMode.BOX,
)
CIRCUIT_LIMIT = NumberEntityDescription(
    key="circuit_limit",
    translation_key="circuit_limit",
    device_class=NumberDeviceClass.CURRENT,
    entity_registry_enabled_default=False,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=0,
    native_step=1,
    mode=NumberMode.BOX,
)
MAXIMUM_CURRENT = NumberEntityDescription(
    key="maximum_current",
    translation_key="maximum_current",
    device_class=NumberDeviceClass.CURRENT,
    entity_category=EntityCategory.CONFIG,
    native_unit_of_measurement=UnitOfElectricCurrent.AMPERE,
    native_min_value=LOWEST_CURRENT,
    native_max_value=HIGHEST_CURRENT,
    native_step=1,
)
