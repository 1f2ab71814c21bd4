"""Actions for the whole site: what it is told from outside, and to distribute anew."""

from typing import Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import probatio

from ..control.distribution import command_as_json
from ..coordinators.errors import refused
from ..coordinators.load_manager import LoadManagerCoordinator
from .common import AMPS, CURRENT, load_manager, whole_number

PHASES: Final = "phases"
CIRCUIT: Final = "circuit"

SET_AVAILABLE_CURRENT_SCHEMA: Final = probatio.Schema({probatio.Required(CURRENT): AMPS})
REQUEST_PHASES_SCHEMA: Final = probatio.Schema(
    {probatio.Required(PHASES): probatio.All(whole_number, probatio.In([0, 1, 3]))}
)
SET_CIRCUIT_LIMIT_SCHEMA: Final = probatio.Schema(
    {probatio.Required(CIRCUIT): cv.string, probatio.Optional(CURRENT): AMPS}
)
REDISTRIBUTE_SCHEMA: Final = probatio.Schema({})


async def async_set_available_current(call: ServiceCall) -> None:
    """Take over what all chargers together may draw."""
    load_manager(call.hass).set_available_current(call.data[CURRENT])


async def async_request_phases(call: ServiceCall) -> None:
    """Take over how many phases all chargers shall use."""
    load_manager(call.hass).request_phases(call.data[PHASES])


async def async_set_circuit_limit(call: ServiceCall) -> None:
    """Take over what a circuit may carry for now."""
    manager = load_manager(call.hass)
    manager.set_circuit_limit(_circuit(manager, call.data[CIRCUIT]), call.data.get(CURRENT))


async def async_redistribute(call: ServiceCall) -> ServiceResponse:
    """Distribute anew; what is allocated to each charger before and after it."""
    manager = load_manager(call.hass)
    before = _allocation(manager)
    manager.redistribute()
    return {"before": before, "after": _allocation(manager)}


def _allocation(manager: LoadManagerCoordinator) -> ServiceResponse:
    """Return what every charger is told, by serial number; None = it is left alone."""
    return {serial: command_as_json(plan.command) for serial, plan in manager.data.chargers.items()}


def _circuit(manager: LoadManagerCoordinator, wanted: str) -> str:
    """Return the id of a circuit that is called by its id or its name.

    Raises:
        ServiceValidationError: there is none, or several have that name.
    """
    names = manager.circuit_names
    if wanted in names:
        return wanted
    found = [circuit_id for circuit_id, name in names.items() if name.casefold() == wanted.strip().casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise refused("circuit_not_unique", name=wanted)
    raise refused("circuit_not_found", name=wanted, circuits=", ".join(names.values()))
