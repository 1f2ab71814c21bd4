"""Learns with a charging car to which phases of the house a charger is connected, and puts in force what is certain."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from ..const import CONF_ROTATION, DEFAULT_ROTATION, DOMAIN, ROTATION_UNKNOWN, ROTATIONS
from ..control import CarState, PhasePolicy
from ..control.electrics import phase_count
from ..control.findings import CheckResult, Findings, Outcome
from ..control.wiring import ORDERS, Order, possible_orders, usual_order
from ..shared import charger_entries
from .errors import refused
from .load_manager import LoadManagerCoordinator
from .meter_check import check_ready, prepare_meter_check

SWITCH: Final = 90.0  # s; a charger switches within half a minute, a car may take its time to begin again
LOOK: Final = 0.5  # s
TWO: Final = 2
NAMES: Final[dict[Order, str]] = {order: name for name, order in ROTATIONS.items()}


class Learned(StrEnum):
    """What can be said about the phases of a charger; keys of translations."""

    NOT_SWITCHED = "not_switched"
    """The charger did not change to one phase."""
    NOTHING = "nothing"
    LINE = "line"
    TWO_LEFT = "two_left"
    CERTAIN = "certain"
    STORED = "stored"
    LINE_KEPT = "line_kept"
    FITS = "fits"
    DIFFERS = "differs"


async def async_learn_rotation(hass: HomeAssistant, manager: LoadManagerCoordinator, serial: str) -> dict[str, Any]:
    """Check with one charger on one phase, and before that on two where its car uses two; return what was found out.

    What is certain is stored where the phase rotation is set as unknown; where it is set, it is only compared.

    Raises:
        ServiceValidationError: that cannot begin now, or can never tell.
    """
    config, state, snapshot = manager.inside()
    if config.phases == 1:
        raise refused("rotation_one_phase")
    if not config.phase_currents:
        raise refused("rotation_needs_phases")
    if serial in manager.fixed_phases:
        raise refused("meter_check_running")
    check_ready(hass, manager, serial)
    reading, wired = snapshot.chargers[serial], _wired(manager, serial)
    results: list[CheckResult] = []
    if wired > 1 and state.chargers[serial].car_phases == TWO and reading.phases == 3:
        results.append(await prepare_meter_check(hass, manager, serial).async_run())
    with _one_phase(manager, serial):
        switched = await _async_on_one_phase(manager, serial)
        if switched:
            results.append(await prepare_meter_check(hass, manager, serial).async_run())
        switched = switched and _on_one_phase(manager, serial)
    ended = results[-1].outcome.value if switched else Learned.NOT_SWITCHED.value
    if not manager.running or hass.is_stopping:
        results, ended = [], Outcome.INTERRUPTED.value
    answer = _conclude(hass, manager, serial, results)
    return {"result": ended, **answer, "message": await _async_message(hass, ended, answer)}


@contextmanager
def _one_phase(manager: LoadManagerCoordinator, serial: str) -> Iterator[None]:
    """Let a charger use one phase for a while."""
    manager.fixed_phases[serial] = PhasePolicy.ONE
    manager.decide_now()
    try:
        yield
    finally:
        del manager.fixed_phases[serial]
        if manager.running:
            manager.decide_now()


def _on_one_phase(manager: LoadManagerCoordinator, serial: str) -> bool:
    """Return whether a charger says that it uses one phase and does so, or has no other."""
    reading = manager.seen.chargers.get(serial)
    if _wired(manager, serial) == 1:
        return True
    return reading is not None and reading.phases == 1 and phase_count(reading) <= 1


async def _async_on_one_phase(manager: LoadManagerCoordinator, serial: str) -> bool:
    """Wait until a charging charger uses one phase; return whether it does. One that waits is set when it begins."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SWITCH
    while manager.running and not manager.hass.is_stopping and loop.time() < end:
        reading = manager.seen.chargers.get(serial)
        if reading is not None and not reading.switching:
            charging = reading.car is CarState.CHARGING and not reading.holding
            if not charging or _on_one_phase(manager, serial):
                return True
        await asyncio.sleep(LOOK)
    return False


def _conclude(
    hass: HomeAssistant, manager: LoadManagerCoordinator, serial: str, results: list[CheckResult]
) -> dict[str, Any]:
    """Put in force what is certain, and return what is known."""
    _, state, _ = manager.inside()
    entry = charger_entries(hass)[serial]
    findings = [result.worth_storing for result in results]
    known = [found for found in findings if found is not None and _tells(found)]
    earlier = state.chargers[serial].first_line if serial in state.chargers else None
    orders = possible_orders(known, earlier) if known else ORDERS
    usual = usual_order(orders)
    # With one wire more than one order says the same.
    certain = orders[0] if len(orders) == 1 else usual if _wired(manager, serial) == 1 else None
    first = {order[0] for order in orders}
    line = first.pop() if len(first) == 1 else None
    configured = entry.options.get(CONF_ROTATION, DEFAULT_ROTATION)
    unknown = configured == ROTATION_UNKNOWN and bool(known)
    if unknown and certain is not None:
        hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_ROTATION: NAMES[certain]})
        manager.decide_now()
    elif unknown and line is not None and serial in state.chargers:
        manager.learn_first_line(serial, line - 1)
    fits = None if configured == ROTATION_UNKNOWN or not known else ROTATIONS.get(configured) in orders
    return {
        "grid_phase_of_l1": line,
        "possible_rotations": [NAMES[order] for order in orders] if known else [],
        "usual_rotation": None if usual is None or not known else NAMES[usual],
        "rotation": None if certain is None else NAMES[certain],
        "configured": _configured(entry),
        "fits": fits,
        "stored": unknown and certain is not None,
    }


def _tells(found: Findings) -> bool:
    """Return whether a check says anything about the wiring."""
    return None not in found.lines and not found.missing and len(found.own_phases) < len(found.lines)


def _wired(manager: LoadManagerCoordinator, serial: str) -> int:
    config, _, _ = manager.inside()
    return next((charger.wired_phases for charger in config.chargers if charger.charger_id == serial), 3)


def _configured(entry: ConfigEntry) -> str:
    return str(entry.options.get(CONF_ROTATION, DEFAULT_ROTATION))


async def _async_message(hass: HomeAssistant, result: str, answer: dict[str, Any]) -> str:
    """Return the answer in sentences of Home Assistant's language."""
    texts = await async_get_translations(hass, hass.config.language, "selector", {DOMAIN})

    def say(selector: str, key: str, **values: str) -> str:
        return texts[f"component.{DOMAIN}.selector.{selector}.options.{key}"].format(**values)

    orders = [_written(name) for name in answer["possible_rotations"]]
    said = []
    if result != Outcome.LEARNED:
        said.append(say("rotation_check" if result == Learned.NOT_SWITCHED else "meter_check", result))
    if (line := answer["grid_phase_of_l1"]) is not None:
        said.append(say("rotation_check", Learned.LINE, line=f"L{line}"))
    if answer["rotation"] is not None:
        said.append(say("rotation_check", Learned.CERTAIN, rotation=_written(answer["rotation"])))
    elif len(orders) > 1:
        usual = answer["usual_rotation"]
        said.append(
            say(
                "rotation_check",
                Learned.TWO_LEFT,
                rotations=", ".join(orders),
                usual="–" if usual is None else _written(usual),
            )
        )
    elif not orders:
        said.append(say("rotation_check", Learned.NOTHING))
    if answer["stored"]:
        said.append(say("rotation_check", Learned.STORED))
    elif answer["configured"] == ROTATION_UNKNOWN and line is not None:
        said.append(say("rotation_check", Learned.LINE_KEPT))
    elif answer["fits"] is not None:
        said.append(say("rotation_check", Learned.FITS if answer["fits"] else Learned.DIFFERS))
    return " ".join(said)


def _written(name: str) -> str:
    """Return a rotation as people write it."""
    return "-".join(f"L{line}" for line in ROTATIONS[name])
