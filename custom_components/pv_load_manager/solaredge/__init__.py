"""Reading a SolarEdge inverter; knows nothing of Home Assistant and owns no connection."""

from .blocks import ReaderTimings
from .errors import (
    EvChargerError,
    InverterError,
    InverterUnreachableError,
    NotAnInverterError,
    WrongInverterError,
)
from .models import (
    BatteryData,
    GridData,
    InverterData,
    InverterInfo,
    MeterData,
    MeterRole,
    MeterSetting,
    OtherMeter,
    PvData,
)
from .reader import SolarEdgeReader

__all__ = [
    "BatteryData",
    "EvChargerError",
    "GridData",
    "InverterData",
    "InverterError",
    "InverterInfo",
    "InverterUnreachableError",
    "MeterData",
    "MeterRole",
    "MeterSetting",
    "NotAnInverterError",
    "OtherMeter",
    "PvData",
    "ReaderTimings",
    "SolarEdgeReader",
    "WrongInverterError",
]
