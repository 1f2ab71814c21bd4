"""Reading a SolarEdge inverter; knows nothing of Home Assistant and owns no connection."""

from .errors import (
    EvChargerError,
    InverterError,
    InverterUnreachableError,
    NotAnInverterError,
    WrongInverterError,
)
from .models import BatteryData, GridData, InverterData, InverterInfo, PvData
from .reader import SolarEdgeReader

__all__ = [
    "BatteryData",
    "EvChargerError",
    "GridData",
    "InverterData",
    "InverterError",
    "InverterInfo",
    "InverterUnreachableError",
    "NotAnInverterError",
    "PvData",
    "SolarEdgeReader",
    "WrongInverterError",
]
