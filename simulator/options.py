"""What the command line can ask for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import NoReturn

from . import argument_types as read
from .config import BatteryConfig, ChargerConfig, HomeConfig, HouseConfig, InverterConfig, PvConfig

_FIRST_SERIAL = 10_000_001
_ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2), (3, 2, 1), (2, 1, 3))


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
    for trace in (values.trace, values.house):
        if trace is not None and not trace.is_file():
            parser.error(f"no such file: {trace}")
    if values.stand_still and values.control_port is None:
        parser.error("--stand-still needs --control-port: nothing else lets time pass")
    try:
        chargers = _chargers(values)
    except ValueError as error:
        parser.error(str(error))
    home = HomeConfig(
        pv=PvConfig(peak_w=values.peak, clouds=values.clouds, csv=values.trace),
        house=HouseConfig(csv=values.house),
        battery=BatteryConfig(soc=values.soc) if values.battery else None,
        inverter=InverterConfig(port=values.modbus_port, rated_w=max(10_000.0, values.peak)),
        chargers=chargers,
        circuits=tuple(option.circuit for option in values.circuits),
        main_fuse_a=values.main_fuse,
        control_port=values.control_port,
        control_host=values.control_host,
        start_at=values.start_at,
        seed=values.seed,
        faults=tuple(values.faults),
        speed=0.0 if values.stand_still else values.speed,
    )
    return Options(home=home, host=values.host, as_json=values.json, status_every_s=values.status_every)


def _chargers(values: argparse.Namespace) -> tuple[ChargerConfig, ...]:
    """Return the Wattpilots; ValueError where the arguments do not fit each other."""
    count: int = values.wattpilots
    ports: list[int] = values.ports or [values.port_base + n if values.port_base else 0 for n in range(count)]
    if len(ports) != count:
        raise ValueError(f"--ports names {len(ports)} ports for {count} Wattpilots")
    circuits = read.charger_circuits(values.circuits, count)
    return tuple(
        ChargerConfig(
            serial=str(_FIRST_SERIAL + n),
            password=values.password,
            name=f"Wattpilot {n + 1}",
            rotation=_ROTATIONS[n % len(_ROTATIONS)],
            wired_phases=values.wired[n % len(values.wired)],
            mode=values.mode,
            car=values.cars[n % len(values.cars)],
            plugged=values.cars[n % len(values.cars)] is not None,
            max_current=values.max_current,
            variant=11 if values.max_current <= 16 else 22,
            auth=values.auth,
            port=ports[n],
            circuit=circuits.get(n + 1),
        )
        for n in range(count)
    )


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m simulator",
        description="A virtual home with Fronius Wattpilots and a SolarEdge inverter that speak their real protocols.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--wattpilots", type=read.count, default=1, metavar="N", help="how many Wattpilots (default: %(default)s)")
    add("--port-base", type=read.port, default=0, help="port of the first Wattpilot, the others follow (default: any)")
    add("--ports", type=read.ports, metavar="P,P,...", help="port of each Wattpilot")
    add("--modbus-port", type=read.port, default=0, help="port of the inverter (default: any)")
    add("--password", default=ChargerConfig().password, help="of every Wattpilot (default: %(default)s)")
    add("--auth", choices=("pbkdf2", "bcrypt", "omit"), default="pbkdf2", help="key derivation (default: %(default)s)")
    add("--mode", type=int, choices=(3, 4, 5), default=4, help="3 Default, 4 Eco, 5 Next Trip (default: %(default)s)")
    add("--max-current", type=int, choices=range(6, 33), default=16, metavar="A", help="of every Wattpilot")
    add(
        "--cars",
        type=read.cars,
        default=read.cars("3x16,1x16,3x16,2x16,1x32"),
        metavar="3x16,1x32,none",
        help="phases x A of each car; repeats when it is too short (default: 3x16,1x16,3x16,2x16,1x32)",
    )
    add("--wired", type=read.wired, default=[3], metavar="3,3,1", help="phases of each Wattpilot's connection; repeats")
    add(
        "--circuits",
        type=read.circuits,
        default=[],
        metavar="NAME[@PARENT]:A[:CHARGERS],...",
        help="circuits behind the house connection: name, what feeds it, limit, and which Wattpilots are on it,"
        " for example garage:63,left@garage:32:1-8,right@garage:32:9-16+20",
    )
    add("--main-fuse", type=read.positive, metavar="A", help="of the house connection; what is above it is counted")
    add("--control-port", type=read.port, metavar="PORT", help="of the control endpoint; 0 = any (default: none)")
    add("--control-host", default="127.0.0.1", help="address of the control endpoint (default: %(default)s)")
    add("--trace", type=Path, metavar="CSV", help="recorded PV power instead of the built-in day")
    add("--house", type=Path, metavar="CSV", help="recorded household instead of the built-in day")
    add(
        "--peak",
        type=read.positive,
        default=9000.0,
        metavar="W",
        help="of the built-in sunny day (default: %(default)s)",
    )
    add("--clouds", type=read.part, default=0.0, metavar="0..1", help="of the built-in day (default: %(default)s)")
    add("--battery", action=argparse.BooleanOptionalAction, default=True, help="with a home battery")
    add("--soc", type=read.part, default=0.5, metavar="0..1", help="of the battery at the start (default: %(default)s)")
    add("--start-at", type=read.clock, default=time(11, 0), metavar="HH:MM", help="local time at the start (11:00)")
    add("--speed", type=read.positive, default=1.0, help="home time per wall clock time (default: %(default)s)")
    add("--stand-still", action="store_true", help="time passes only by POST /advance of the control endpoint")
    add("--seed", type=int, default=1, help="of everything random (default: %(default)s)")
    add(
        "--fault",
        dest="faults",
        type=read.fault,
        action="append",
        default=[],
        metavar="DEVICE:NAME[:JSON]",
        help="something that goes wrong from the start, for example 1:flood or"
        ' inverter:slow:{"seconds":[2,15],"for_s":600}; may be repeated; devices: a serial or number of a Wattpilot,'
        " inverter; names: see simulator/README.md",
    )
    add("--json", action="store_true", help="also print the addresses as one line of JSON")
    add("--status-every", type=read.positive, metavar="S", help="print the flows every S seconds")
    return parser
