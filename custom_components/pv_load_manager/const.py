"""Constants of the PV Load Manager integration."""

from enum import StrEnum
import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "pv_load_manager"
LOGGER = logging.getLogger(__package__)
PLATFORMS: Final = [Platform.NUMBER, Platform.SELECT, Platform.SENSOR]


class EntryType(StrEnum):
    """The kinds of config entries of this integration."""

    LOAD_MANAGER = "load_manager"
    SOLAREDGE = "solaredge"
    WATTPILOT = "wattpilot"


class MeterSource(StrEnum):
    """Where the load manager reads the house connection."""

    SOLAREDGE = "solaredge"
    SENSOR = "sensor"
    NONE = "none"


CONF_ENTRY_TYPE: Final = "entry_type"
CONF_SERIAL: Final = "serial"
CONF_UNIT_ID: Final = "unit_id"
CONF_MORE_OPTIONS: Final = "more_options"

CONF_PHASES: Final = "phases"
CONF_MAIN_FUSE: Final = "main_fuse"
CONF_EXPECTED_CHARGERS: Final = "expected_chargers"
CONF_METER: Final = "meter"
CONF_METER_SOURCE: Final = "meter_source"
CONF_METER_ENTRY: Final = "meter_entry"
CONF_METER_ENTITY: Final = "meter_entity"

CONF_MANAGED: Final = "managed"
CONF_ROTATION: Final = "rotation"
CONF_WIRED_PHASES: Final = "wired_phases"
CONF_PHASE_POLICY: Final = "phase_policy"
CONF_LIMIT_WITHOUT_HA: Final = "limit_current_without_ha"
CONF_CURRENT_WITHOUT_HA: Final = "current_without_ha"

LOAD_MANAGER_ID: Final = "load_manager"
DEFAULT_MAIN_FUSE: Final = 35
DEFAULT_WATTPILOT_PORT: Final = 80
DEFAULT_MODBUS_PORT: Final = 1502  # of inverters set up with SetApp; those with a display use 502
DEFAULT_UNIT_ID: Final = 1
MIN_FUSE: Final = 6
MAX_FUSE: Final = 250
MAX_CHARGERS: Final = 64
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
