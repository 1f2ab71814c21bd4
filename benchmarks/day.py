"""How well pv charging uses the sun: a day of the simulated home, one car.

With `--trace` and `--house` a recorded day, else the built-in one with clouds.
"""

import argparse
from datetime import time
from pathlib import Path

from custom_components.pv_load_manager.control import Mode
from simulator import BatteryConfig, CarConfig, ChargerConfig, Home, HomeConfig, HouseConfig, PvConfig

from .rig import Rig, configuration

HOURS = 8


def measure(arguments: list[str]) -> dict[str, float]:
    """Return the figures of one day; energies in kWh."""
    parser = argparse.ArgumentParser(prog="scripts/bench day", description=__doc__)
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--house", type=Path)
    parser.add_argument("--start-at", default="09:00")
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--mode", default="pv", choices=[mode.value for mode in Mode])
    parser.add_argument("--battery", action="store_true")
    options = parser.parse_args(arguments)
    home = HomeConfig(
        pv=PvConfig(csv=options.trace, clouds=0.0 if options.trace else 0.6),
        house=HouseConfig(csv=options.house),
        battery=BatteryConfig() if options.battery else None,
        chargers=(ChargerConfig(car=CarConfig(soc=0.0, capacity_wh=200_000)),),
        start_at=time.fromisoformat(options.start_at),
    )
    figures = {"charged_kwh": 0.0, "surplus_kwh": 0.0, "used_kwh": 0.0, "from_grid_kwh": 0.0}
    counts = {"starts": 0, "phase_switches": 0, "changes": 0}
    before: list[tuple[bool, int | None, int]] = []

    def each(rig: Rig) -> None:
        flow = rig.home.flow
        surplus = max(flow.pv_w - flow.house_w, 0.0)
        figures["charged_kwh"] += flow.cars_w / 3.6e6
        figures["surplus_kwh"] += surplus / 3.6e6
        figures["used_kwh"] += min(flow.cars_w, surplus) / 3.6e6
        figures["from_grid_kwh"] += max(flow.cars_w - surplus, 0.0) / 3.6e6
        command = next(iter(rig.plan.chargers.values())).command
        if command is None:
            return
        present = (command.charge, command.phases, command.current_a)
        if before and present != before[0]:
            counts["changes"] += 1
            counts["starts"] += present[0] and not before[0][0]
            counts["phase_switches"] += present[0] and before[0][0] and present[1] != before[0][1]
        before[:] = [present]

    rig = Rig(home=Home(home), config=configuration(home, mode=Mode(options.mode)))
    rig.run(int(options.hours * 3600), each)
    used = figures["used_kwh"] / figures["surplus_kwh"] if figures["surplus_kwh"] else 0.0
    return {key: round(value, 3) for key, value in figures.items()} | counts | {"used_share": round(used, 4)}
