"""The running home as JSON, for the control endpoint."""

from dataclasses import asdict
from typing import Any

from .circuits import Circuit
from .faults import FaultBoard
from .home import Home
from .simulation import Simulation
from .wattpilot import WattpilotServer

type Json = dict[str, Any]


def state_view(simulation: Simulation) -> Json:
    """Return everything there is to see."""
    home = simulation.home
    return {
        "at_s": home.now,
        "local_time": home.local_time.isoformat(timespec="milliseconds"),
        "speed": home.config.speed,
        "flow": flow_view(home),
        "circuits": {name: circuit_view(simulation, circuit) for name, circuit in home.circuits.items()},
        "chargers": [charger_view(simulation, server) for server in simulation.chargers],
        "inverter": inverter_view(simulation),
    }


def flow_view(home: Home) -> Json:
    """Return the power flows; the signs are those of `Flow`."""
    flow, battery = home.flow, home.battery
    totals = {"house_w": flow.house_w, "cars_w": flow.cars_w, "inverter_w": flow.inverter_w, "grid_w": flow.grid_w}
    soc = battery.soc if battery else None
    return asdict(flow) | totals | {"grid_currents_a": flow.grid_currents, "battery_soc": soc}


def circuit_view(simulation: Simulation, circuit: Circuit) -> Json:
    """Return what flows through a circuit; everything per phase is import +."""
    on_it = simulation.home.chargers_on(circuit.name)
    return {
        "name": circuit.name,
        "parent": circuit.parent.name if circuit.parent else None,
        "limit_a": circuit.config.limit_a,
        "currents_a": circuit.currents,
        "watts": circuit.watts,
        "power_w": circuit.power_w,
        "meter_a": circuit.meter,
        "load_w": circuit.load_w,
        "load_a": circuit.load_a,
        "over_s": circuit.over_s,
        "over_as": circuit.over_as,
        "peak_a": circuit.peak_a,
        "chargers": [charger.config.serial for charger in on_it],
    }


def charger_view(simulation: Simulation, server: WattpilotServer) -> Json:
    """Return a Wattpilot and the car in front of it."""
    charger = server.charger
    config = charger.config
    return {
        "serial": config.serial,
        "name": config.name,
        "host": server.host,
        "port": server.port,
        "circuit": config.circuit,
        "rotation": config.rotation,
        "wired_phases": config.wired_phases,
        "online": charger.online,
        "clients": server.clients,
        "car": _car_view(server),
        "model": charger.model.name,
        "error": charger.error,
        "offered_a": charger.offered,
        "contactor_phases": charger.contactor_phases,
        "currents_a": charger.currents,
        "power_w": charger.power_w,
        "session_wh": charger.session_wh,
        "faults": faults_view(simulation.charger_faults[config.serial]),
        "writes": len(charger.writes),
    }


def charger_details(simulation: Simulation, server: WattpilotServer) -> Json:
    """Return a Wattpilot with its settings and every write it applied."""
    log = [asdict(write) for write in server.writes]
    return charger_view(simulation, server) | {"settings": server.charger.settings, "write_log": log}


def _car_view(server: WattpilotServer) -> Json:
    charger = server.charger
    state = {"plugged": charger.car is not None, "state": charger.car_state.name}
    if charger.car is None:
        return state
    return state | asdict(charger.car.config) | {"soc": charger.car.soc, "full": charger.car.full}


def inverter_view(simulation: Simulation) -> Json | None:
    """Return the inverter, or None in a home without one."""
    server, board = simulation.solaredge, simulation.inverter_faults
    if server is None or board is None:
        return None
    return {
        "serial": server.serial,
        "port": server.port,
        "unit_id": server.unit_id,
        "connected": server.connected,
        "reads": server.reads,
        "writes": len(server.writes),
        "faults": faults_view(board),
    }


def faults_view(board: FaultBoard[Any]) -> list[Json]:
    """Return the faults under way."""
    return [
        {"fault": fault.name, "parameters": fault.parameters, "ends_at_s": fault.ends_at}
        for fault in board.active.values()
    ]
