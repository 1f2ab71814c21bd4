"""Constants of the PV Load Manager integration."""

from enum import StrEnum
import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "pv_load_manager"
LOGGER = logging.getLogger(__package__)
PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]


class EntryType(StrEnum):
    """The kinds of config entries of this integration."""

    LOAD_MANAGER = "load_manager"
    SOLAREDGE = "solaredge"
    WATTPILOT = "wattpilot"


class InverterConnection(StrEnum):
    """How an inverter is read."""

    MODBUS = "modbus"
    CLOUD = "cloud"


class ChargerConnection(StrEnum):
    """How a charger is reached."""

    LOCAL = "local"
    CLOUD = "cloud"


class MeterSource(StrEnum):
    """Where the load manager reads the house connection."""

    SOLAREDGE = "solaredge"
    SENSOR = "sensor"
    NONE = "none"


class MeterKind(StrEnum):
    """What the sensors of a meter measure."""

    TOTAL_POWER = "total_power"
    PHASE_POWER = "phase_power"
    PHASE_CURRENT = "phase_current"


class MeterDirection(StrEnum):
    """Which direction of the flow a meter's sensors count as positive."""

    IMPORT_POSITIVE = "import_positive"
    EXPORT_POSITIVE = "export_positive"
    SEPARATE = "separate"
    """Import and export are two sensors, each of them at least 0."""


class BatteryDirection(StrEnum):
    """Which direction of the flow the sensors of a battery count as positive."""

    DISCHARGE_POSITIVE = "discharge_positive"
    CHARGE_POSITIVE = "charge_positive"
    SEPARATE = "separate"
    """Discharging and charging are two sensors, each of them at least 0."""


class BatterySource(StrEnum):
    """What counts as the house battery, where somebody chose other than what is usual.

    Usual is: the sensors that were chosen for it, where there are any, else the batteries of the inverters.
    """

    INVERTERS = "inverters"
    NONE = "none"


CONF_ENTRY_TYPE: Final = "entry_type"
CONF_CONNECTION: Final = "connection"
"""Of an inverter or a charger; where an entry does not say it, it is the local one."""
CONF_SERIAL: Final = "serial"
CONF_UNIT_ID: Final = "unit_id"
CONF_SITE_ID: Final = "site_id"
CONF_API_VERSION: Final = "api_version"
CONF_ACCESS: Final = "access"
CONF_ACCOUNT_KEY: Final = "account_key"
CONF_TIME_ZONE: Final = "time_zone"
CONF_MODEL: Final = "model"
CONF_MORE_OPTIONS: Final = "more_options"

CONF_PHASES: Final = "phases"
CONF_MAIN_FUSE: Final = "main_fuse"
CONF_EXPECTED_CHARGERS: Final = "expected_chargers"
CONF_METER: Final = "meter"
CONF_METER_RIGHT: Final = "meter_right"
"""The answer to what a meter says now."""
CONF_METER_SOURCE: Final = "meter_source"
CONF_METER_ENTRY: Final = "meter_entry"
CONF_METER_ENTITY: Final = "meter_entity"
"""Total power; the only sensor of a meter that was set up before there were others."""
CONF_METER_KIND: Final = "meter_kind"
CONF_METER_DIRECTION: Final = "meter_direction"
CONF_METER_MAX_AGE: Final = "meter_max_age"
CONF_METER_EXPORT_ENTITY: Final = "meter_export_entity"
CONF_METER_PHASES: Final = ("meter_l1", "meter_l2", "meter_l3")
CONF_METER_EXPORT_PHASES: Final = ("meter_export_l1", "meter_export_l2", "meter_export_l3")
CONF_METER_VOLTAGES: Final = ("meter_voltage_l1", "meter_voltage_l2", "meter_voltage_l3")

CONF_DYNAMIC: Final = "dynamic"
CONF_LARGEST_CONSUMER: Final = "largest_consumer"
CONF_SAFETY_MARGIN: Final = "safety_margin"
CONF_IMBALANCE: Final = "imbalance"
CONF_FALLBACK: Final = "fallback_current"

CONF_GRID_INTERVAL: Final = "grid_interval"
CONF_METER_ROLES: Final = ("meter_1_role", "meter_2_role", "meter_3_role")
CONF_METERS_INVERTED: Final = ("meter_1_inverted", "meter_2_inverted", "meter_3_inverted")
"""By slot, in the order of an inverter's registers."""

CONF_INVERTER_AC: Final = "inverter_ac_power"
CONF_EXPORT_LIMIT: Final = "export_limit"
CONF_BATTERY_INVERTED: Final = "battery_inverted"

CONF_SOURCES: Final = "sources"
CONF_SOURCES_RIGHT: Final = "sources_right"
CONF_PV_SENSORS: Final = "pv_sensors"
CONF_BATTERY_SENSORS: Final = "battery_sensors"
CONF_BATTERY_DIRECTION: Final = "battery_direction"
CONF_BATTERY_CHARGE_SENSORS: Final = "battery_charge_sensors"
CONF_BATTERY_SOC_SENSORS: Final = "battery_soc_sensors"
CONF_BATTERY_SOURCE: Final = "battery_source"
CONF_SOURCES_MAX_AGE: Final = "sources_max_age"

CONF_DIMMING_ENTITY: Final = "dimming_entity"
CONF_DIMMING_POWER: Final = "dimming_power"
CONF_DIMMING_TOTAL: Final = "dimming_total"

CONF_PARENT: Final = "parent"
CONF_LIMIT: Final = "limit"
CONF_LIMIT_POWER: Final = "limit_power"

CONF_MANAGED: Final = "managed"
CONF_CIRCUIT: Final = "circuit"
CONF_ROTATION: Final = "rotation"
CONF_WIRED_PHASES: Final = "wired_phases"
CONF_PHASE_POLICY: Final = "phase_policy"
CONF_PRIORITY: Final = "priority"
CONF_VEHICLE: Final = "vehicle"
CONF_MIN_CURRENT: Final = "min_current"
CONF_MIN_CURRENT_THREE: Final = "min_current_three"
CONF_LIMIT_WITHOUT_HA: Final = "limit_current_without_ha"
CONF_CURRENT_WITHOUT_HA: Final = "current_without_ha"

LOAD_MANAGER_ID: Final = "load_manager"
CIRCUIT_SUBENTRY: Final = "circuit"
DEFAULT_MAIN_FUSE: Final = 35
DEFAULT_WATTPILOT_PORT: Final = 80
DEFAULT_MODBUS_PORT: Final = 1502  # of inverters set up with SetApp; those with a display use 502
DEFAULT_UNIT_ID: Final = 1
DEFAULT_GRID_INTERVAL: Final = 2  # s; the fuse is watched through this meter
MIN_GRID_INTERVAL: Final = 1  # s
MAX_GRID_INTERVAL: Final = 30  # s
MIN_FUSE: Final = 7  # above what a single charger needs at least
MAX_FUSE: Final = 250
MAX_CHARGERS: Final = 64
MAX_MARGIN: Final = 50  # %
MAX_METER_AGE: Final = 600  # s; what is older says nothing about a fuse
MIN_CIRCUIT_POWER: Final = 1380  # W; the least that a car charges with
MAX_CIRCUIT_POWER: Final = 200_000  # W
MAX_SOLAR_POWER: Final = 200_000  # W; what the largest main fuse could carry
DEFAULT_LARGEST_CONSUMER: Final = 16  # A; a stove, an oven or a heat pump of 11 kW
DEFAULT_IMBALANCE: Final = 20  # A; the rule of German grids
DEFAULT_DIMMING_POWER: Final = 4200  # W; what section 14a of the German energy act leaves each charger
MIN_DIMMING_POWER: Final = 1000  # W
MAX_POWER: Final = 50_000  # W; above what any house connection in reach of this integration carries

ROTATIONS: Final = {
    "l1_l2_l3": (1, 2, 3),
    "l1_l3_l2": (1, 3, 2),
    "l2_l1_l3": (2, 1, 3),
    "l2_l3_l1": (2, 3, 1),
    "l3_l1_l2": (3, 1, 2),
    "l3_l2_l1": (3, 2, 1),
}
DEFAULT_ROTATION: Final = "l1_l2_l3"
ROTATION_UNKNOWN: Final = "unknown"

PRIORITIES: Final = {"low": -1, "normal": 0, "high": 1}
DEFAULT_PRIORITY: Final = "normal"

VEHICLE_NONE: Final = "none"
VEHICLE_OWN: Final = "own"
# Least current in A on one phase and on more: below it these cars stop, or charge at a very poor efficiency.
VEHICLES: Final = {"renault": (6, 10)}
