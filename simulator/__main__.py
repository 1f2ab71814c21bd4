"""Run a virtual home from the command line: `python -m simulator`."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
import json
import math
from pathlib import Path
import signal
import sys
from typing import Any, NoReturn

from .config import (
    BatteryConfig,
    CarConfig,
    ChargerConfig,
    HomeConfig,
    HouseConfig,
    InverterConfig,
    PvConfig,
)
from .running import Simulation, running_home

_FIRST_SERIAL = 10_000_001
_ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End the program with code 2."""
        self.exit(2, f"{self.prog}: error: {message}\n")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asked for.

    Attributes:
        home: The home to run.
        host: Address to listen on.
        as_json: Print one machine-readable line.
        status_every_s: Print the flows this often, wall clock seconds; None = never.
    """

    home: HomeConfig
    host: str
    as_json: bool
    status_every_s: float | None


def parse(arguments: Sequence[str]) -> Options:
    """Turn the command line into options; argparse ends the program with code 2 on an error."""
    parser = _parser()
    values = parser.parse_args(arguments)
    count: int = values.wattpilots
    ports: list[int] = values.ports or [values.port_base + n if values.port_base else 0 for n in range(count)]
    cars: list[CarConfig | None] = values.cars or [CarConfig()]
    if len(ports) != count:
        parser.error(f"--ports names {len(ports)} ports for {count} Wattpilots")
    for trace in (values.trace, values.house):
        if trace is not None and not trace.is_file():
            parser.error(f"no such file: {trace}")
    chargers = tuple(
        ChargerConfig(
            serial=str(_FIRST_SERIAL + n),
            password=values.password,
            name=f"Wattpilot {n + 1}",
            rotation=_ROTATIONS[n % 3],
            mode=values.mode,
            car=cars[n % len(cars)],
            plugged=cars[n % len(cars)] is not None,
            max_current=values.max_current,
            variant=11 if values.max_current <= 16 else 22,
            auth=values.auth,
            port=ports[n],
        )
        for n in range(count)
    )
    home = HomeConfig(
        pv=PvConfig(peak_w=values.peak, clouds=values.clouds, csv=values.trace),
        house=HouseConfig(csv=values.house),
        battery=BatteryConfig(soc=values.soc) if values.battery else None,
        inverter=InverterConfig(port=values.modbus_port, rated_w=max(10_000.0, values.peak)),
        chargers=chargers,
        start_at=values.start_at,
        seed=values.seed,
        speed=values.speed,
    )
    return Options(home=home, host=values.host, as_json=values.json, status_every_s=values.status_every)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m simulator",
        description="A virtual home with Fronius Wattpilots and a SolarEdge inverter that speak their real protocols.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--wattpilots", type=_count, default=1, metavar="N", help="how many Wattpilots (default: %(default)s)")
    add("--port-base", type=_port, default=0, help="port of the first Wattpilot, the others follow (default: any)")
    add("--ports", type=_ports, metavar="P,P,...", help="port of each Wattpilot")
    add("--modbus-port", type=_port, default=0, help="port of the inverter (default: any)")
    add("--password", default=ChargerConfig().password, help="of every Wattpilot (default: %(default)s)")
    add("--auth", choices=("pbkdf2", "bcrypt", "omit"), default="pbkdf2", help="key derivation (default: %(default)s)")
    add("--mode", type=int, choices=(3, 4, 5), default=4, help="3 Default, 4 Eco, 5 Next Trip (default: %(default)s)")
    add("--max-current", type=int, choices=range(6, 33), default=16, metavar="A", help="of every Wattpilot")
    add("--cars", type=_cars, metavar="3x16,1x32,none", help="phases x A of each car; repeats when it is too short")
    add("--trace", type=Path, metavar="CSV", help="recorded PV power instead of the built-in day")
    add("--house", type=Path, metavar="CSV", help="recorded household instead of the built-in day")
    add("--peak", type=_positive, default=9000.0, metavar="W", help="of the built-in sunny day (default: %(default)s)")
    add("--clouds", type=_part, default=0.0, metavar="0..1", help="of the built-in day (default: %(default)s)")
    add("--battery", action=argparse.BooleanOptionalAction, default=True, help="with a home battery")
    add("--soc", type=_part, default=0.5, metavar="0..1", help="of the battery at the start (default: %(default)s)")
    add("--start-at", type=_clock, default=time(11, 0), metavar="HH:MM", help="local time at the start (11:00)")
    add("--speed", type=_positive, default=1.0, help="home time per wall clock time (default: %(default)s)")
    add("--seed", type=int, default=1, help="of everything random (default: %(default)s)")
    add("--json", action="store_true", help="also print the addresses as one line of JSON")
    add("--status-every", type=_positive, metavar="S", help="print the flows every S seconds")
    return parser


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time of day: {text}") from None


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"not a number above 0: {text}")
    return value


def _part(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"not a number from 0 to 1: {text}")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"not a number from 1 to 100: {text}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"not a port: {text}")
    return int(text)


def _ports(text: str) -> list[int]:
    return [_port(part) for part in text.split(",")]


def _cars(text: str) -> list[CarConfig | None]:
    return [None if part == "none" else _car(part) for part in text.split(",")]


def _car(text: str) -> CarConfig:
    phases, _, current = text.partition("x")
    if phases not in {"1", "2", "3"} or not current.isdecimal() or not 6 <= int(current) <= 32:
        raise argparse.ArgumentTypeError(f"not a car (for example 3x16 or none): {text}")
    return CarConfig(phases=int(phases), max_current=float(current))


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
    }


def _table(simulation: Simulation, host: str) -> str:
    inverter = simulation.inverter
    rows = [("device", "serial", "host:port", "notes")]
    rows += [
        (
            server.charger.config.name,
            server.serial,
            f"{host}:{server.port}",
            f"phases {server.charger.config.rotation}, password {server.charger.config.password}",
        )
        for server in simulation.chargers
    ]
    rows.append(("SolarEdge", inverter.serial, f"{host}:{inverter.port}", f"Modbus TCP, unit {inverter.unit_id}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)


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
    )


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
