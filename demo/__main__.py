"""Runs the demo, or checks that it works."""

import argparse
import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
import json
from pathlib import Path
import signal
import sys

import aiohttp

from simulator import BatteryConfig, CarConfig, ChargerConfig, HomeConfig, HouseConfig, PvConfig

from .check import check
from .client import FlowError
from .process import HassError
from .stage import PASSWORD, USER, Stage, staged

PORT = 8123
ROTATIONS = ((1, 2, 3), (2, 3, 1), (3, 1, 2))
"""As an electrician wires several chargers, so that cars on one phase load different ones."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    check_s: float | None
    as_json: bool
    port: int
    config: HomeConfig


def parse(arguments: list[str]) -> Options:
    """Return the options; ends the program with a message where they make no sense."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A virtual home with a SolarEdge inverter and two Wattpilots, and a real Home Assistant that"
        " charges its cars from the roof.",
    )
    parser.add_argument(
        "--check", type=float, metavar="SECONDS", help="succeed when a car charges from surplus in time"
    )
    parser.add_argument("--json", action="store_true", help="with --check: print the result as one JSON line")
    parser.add_argument(
        "--port", type=int, default=PORT, help="of Home Assistant's web interface (default %(default)s)"
    )
    parser.add_argument("--trace", type=Path, metavar="CSV", help="play this recorded PV power (one car, no battery)")
    parser.add_argument("--house", type=Path, metavar="CSV", help="play this recorded household")
    parser.add_argument("--start-at", default="11:00", metavar="HH:MM", help="local time of day (default %(default)s)")
    parser.add_argument(
        "--cars", type=int, default=None, help="number of Wattpilots with a car (default 2; 1 with a trace)"
    )
    parser.add_argument("--no-battery", action="store_true", help="without the house battery")
    values = parser.parse_args(arguments)
    for path in (values.trace, values.house):
        if path is not None and not path.is_file():
            parser.error(f"there is no file {path}")
    try:
        start_at = time.fromisoformat(values.start_at.rjust(5, "0"))
    except ValueError:
        parser.error(f"{values.start_at} is no time of day like 11:00")
    cars = values.cars if values.cars is not None else 1 if values.trace else 2
    if not 1 <= cars <= 32:
        parser.error("between 1 and 32 cars can be shown")
    battery = None if values.no_battery or values.trace else BatteryConfig()
    config = HomeConfig(
        pv=PvConfig(csv=values.trace),
        house=HouseConfig(csv=values.house),
        battery=battery,
        chargers=tuple(
            ChargerConfig(
                serial=f"1000000{index}" if index < 10 else f"100000{index}",
                name=("Garage", "Carport")[index - 1] if index <= 2 else f"Charger {index}",
                car=CarConfig(soc=0.2 + 0.1 * (index % 4)),
                rotation=ROTATIONS[(index - 1) % len(ROTATIONS)],
            )
            for index in range(1, cars + 1)
        ),
        start_at=start_at,
    )
    return Options(check_s=values.check, as_json=values.json, port=values.port, config=config)


async def stay(stage: Stage) -> None:
    """Tell how to look at it, and stay until Ctrl-C."""
    print(f"\nHome Assistant: {stage.hass.url}   user: {USER}   password: {PASSWORD}")
    print("Settings > Devices & services > PV Load Manager shows what happens, and the reason of each charger why.")
    print("Ctrl-C ends everything.\n", flush=True)
    while stage.hass.process.returncode is None:
        flow = stage.home.home.flow
        print(
            f"PV {flow.pv_w:6.0f} W   house {flow.house_w:6.0f} W   battery {flow.battery_w:6.0f} W   "
            f"cars {flow.cars_w:6.0f} W   grid {flow.grid_w:6.0f} W",
            flush=True,
        )
        await asyncio.sleep(10)


async def run(options: Options) -> int:
    """Run or check the demo; return the exit code."""
    if options.check_s is not None:
        return await check(options.config, options.check_s, as_json=options.as_json)
    print(
        "demo: starting the virtual home and a real Home Assistant, and adding the devices like a user would",
        flush=True,
    )
    async with staged(options.config, port=options.port) as stage:
        await stage.choose("pv")
        await stay(stage)
    return 0


async def main() -> int:
    """Run until done or until somebody ends it; nothing is left running either way."""
    options = parse(sys.argv[1:])
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run(options))
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    try:
        with suppress(asyncio.CancelledError):
            return await task
    except (HassError, FlowError, OSError, aiohttp.ClientError) as err:
        if options.as_json:
            print(json.dumps({"ok": False, "error": str(err)}))
        else:
            print(f"demo: {err}", file=sys.stderr)
        return 1
    return 0 if options.check_s is None else 1


sys.exit(asyncio.run(main()))
