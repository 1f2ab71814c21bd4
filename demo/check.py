"""Checks that a car charges from the roof, and that Home Assistant's entities say so."""

import asyncio
import json
import time

from simulator import HomeConfig

from .complaints import complaints
from .stage import Stage, staged

CHARGING_W = 1000.0  # W; a car that draws this much charges
IMPORT_W = 300.0  # W; more from the grid than this is no surplus charging


async def check(config: HomeConfig, seconds: float, *, as_json: bool) -> int:
    """Run the demo headless until a car charges from surplus, and look for faults in Home Assistant's log.

    Prints one line and returns the exit code.

    Args:
        config: the home.
        seconds: time limit after set-up.
        as_json: print JSON instead of a sentence.
    """
    begin = time.monotonic()
    async with staged(config) as stage:
        ready = time.monotonic()
        await stage.choose("pv")
        result = await _wait(stage, config, seconds)
        result["seconds_to_ready"] = round(ready - begin, 1)
        result["seconds_to_charging"] = round(time.monotonic() - ready, 1) if result["ok"] else None
        # The end is part of it: stopping writes to the chargers.
        await stage.hass.stop()
        if found := complaints(stage.hass.log.read_text(encoding="utf-8", errors="replace")):
            result |= {"ok": False, "complaints": found}
    if as_json:
        print(json.dumps(result))
    elif result["ok"]:
        print(f"demo: a car charges from surplus {result['seconds_to_charging']} s after set-up ({result['reason']})")
    else:
        print(f"demo: no car charged from surplus within {seconds:.0f} s, or something went wrong: {result}")
    return 0 if result["ok"] else 1


async def _wait(stage: Stage, config: HomeConfig, seconds: float) -> dict[str, object]:
    deadline = time.monotonic() + seconds
    inverter = config.inverter.serial if config.inverter is not None else ""
    while True:
        for charger in config.chargers:
            state = await stage.client.state(stage.entity("sensor", charger.serial, "reason"))
            power = _figure(await stage.value("sensor", charger.serial, "power"))
            grid = _figure(await stage.value("sensor", inverter, "grid_power"))
            found: dict[str, object] = {
                "ok": state["state"] == "charging_surplus" and power > CHARGING_W and grid < IMPORT_W,
                "allocated_a": _figure(await stage.value("sensor", charger.serial, "allocated_current")),
                "charger_power_w": power,
                "grid_power_w": grid,
                "reason": state["state"],
            }
            if found["ok"]:
                return found
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(1)


def _figure(state: str) -> float:
    """Return a state's figure, 0 while there is none."""
    try:
        return float(state)
    except ValueError:
        return 0.0
