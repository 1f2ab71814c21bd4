"""Run a virtual home from the command line: `python -m simulator`."""

import asyncio
from collections.abc import Sequence
import json
import signal
import sys
from typing import Any

from .circuits import Circuit
from .config import ChargerConfig
from .options import Options, parse
from .running import running_home
from .simulation import Simulation


def addresses(simulation: Simulation, host: str) -> dict[str, Any]:
    """Return where everything listens, for `--json`."""
    return {
        "wattpilots": [
            {"serial": server.serial, "host": host, "port": server.port, "url": server.url}
            for server in simulation.chargers
        ],
        "solaredge": {
            "serial": simulation.inverter.serial,
            "host": host,
            "port": simulation.inverter.port,
            "unit_id": simulation.inverter.unit_id,
        },
        "control": simulation.control_url,
    }


def _table(simulation: Simulation, host: str) -> str:
    inverter = simulation.inverter
    rows = [("device", "serial", "host:port", "notes")]
    rows += [
        (
            server.charger.config.name,
            server.serial,
            f"{host}:{server.port}",
            _notes(server.charger.config),
        )
        for server in simulation.chargers
    ]
    rows.append(("SolarEdge", inverter.serial, f"{host}:{inverter.port}", f"Modbus TCP, unit {inverter.unit_id}"))
    if simulation.control_url is not None:
        rows.append(("control", "", simulation.control_url.removeprefix("http://"), "HTTP, see GET /state"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _notes(config: ChargerConfig) -> str:
    circuit = f"circuit {config.circuit}, " if config.circuit else ""
    return f"{circuit}phases {config.rotation}, password {config.password}"


def status_line(simulation: Simulation) -> str:
    """Return the flows as one line."""
    home = simulation.home
    flow, battery = home.flow, home.battery
    soc = f" ({100 * battery.soc:.0f} %)" if battery else ""
    cars = " ".join(
        f"{server.serial}:car={int(server.charger.car_state)},{server.charger.power_w:.0f}W"
        for server in simulation.chargers
    )
    return (
        f"{home.local_time:%H:%M:%S} pv {flow.pv_w:.0f} W, house {flow.house_w:.0f} W, "
        f"battery {flow.battery_w:+.0f} W{soc}, grid {flow.grid_w:+.0f} W, cars {flow.cars_w:.0f} W [{cars}]"
        f"{''.join(_load(circuit) for circuit in home.circuits.values() if circuit.config.limit_a)}"
    )


def _load(circuit: Circuit) -> str:
    currents = "/".join(f"{current:.1f}" for current in circuit.currents)
    over = f", over for {max(circuit.over_s):.0f} s" if any(circuit.over_s) else ""
    return f" {circuit.name} {currents} of {circuit.config.limit_a:g} A{over}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def run(options: Options) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_home(options.home, host=options.host) as simulation:
        _say(_table(simulation, options.host))
        if options.as_json:
            _say(json.dumps(addresses(simulation, options.host)))
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), options.status_every_s)
            except TimeoutError:
                _say(status_line(simulation))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        asyncio.run(run(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"python -m simulator: error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
