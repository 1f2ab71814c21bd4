"""A virtual home that speaks the real protocols: Fronius Wattpilots and a SolarEdge inverter."""

from .charger import CarState, Charger, Model, RefusedWriteError, Write
from .config import (
    BatteryConfig,
    CarConfig,
    ChargerConfig,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PhaseValues,
    PvConfig,
    Timings,
)
from .home import Flow, Home
from .running import Simulation, running_home
from .solaredge import RegisterWrite, SolarEdgeFaults, SolarEdgeServer
from .traces import Trace, load_trace
from .wattpilot import WattpilotFaults, WattpilotServer
from .wattpilot_status import SECRET_MARK

__all__ = [
    "SECRET_MARK",
    "BatteryConfig",
    "CarConfig",
    "CarState",
    "Charger",
    "ChargerConfig",
    "Flow",
    "Home",
    "HomeConfig",
    "HouseConfig",
    "InverterConfig",
    "Model",
    "PhaseValues",
    "PvConfig",
    "RefusedWriteError",
    "RegisterWrite",
    "Simulation",
    "SolarEdgeFaults",
    "SolarEdgeServer",
    "Timings",
    "Trace",
    "WattpilotFaults",
    "WattpilotServer",
    "Write",
    "load_trace",
    "running_home",
]
