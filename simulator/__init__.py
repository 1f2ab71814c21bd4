"""A virtual home that speaks the real protocols: Fronius Wattpilots and a SolarEdge inverter."""

from .charger import CarState, Charger, Model, RefusedWriteError, Write
from .circuits import HOUSE_CONNECTION, Circuit
from .cloud import CloudFaults, CloudServer
from .config import (
    BatteryConfig,
    CarConfig,
    ChargerConfig,
    CircuitConfig,
    CloudConfig,
    FaultConfig,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PhaseValues,
    PvConfig,
    Timings,
)
from .faults import ActiveFault, FaultBoard, FaultError
from .home import Flow, Home
from .running import running_home
from .simulation import Simulation
from .solaredge import RegisterWrite, SolarEdgeFaults, SolarEdgeServer
from .traces import Trace, load_trace
from .wattpilot import WattpilotServer
from .wattpilot_faults import WattpilotFaults
from .wattpilot_status import SECRET_MARK

__all__ = [
    "HOUSE_CONNECTION",
    "SECRET_MARK",
    "ActiveFault",
    "BatteryConfig",
    "CarConfig",
    "CarState",
    "Charger",
    "ChargerConfig",
    "Circuit",
    "CircuitConfig",
    "CloudConfig",
    "CloudFaults",
    "CloudServer",
    "FaultBoard",
    "FaultConfig",
    "FaultError",
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
