"""Actions that find out with a charging car how meter and chargers are connected."""

from typing import Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
import probatio

from ..coordinators.errors import refused
from ..coordinators.meter_check import prepare_meter_check
from ..coordinators.meter_report import as_dict, async_sentences
from ..coordinators.rotation_check import async_learn_rotation
from ..shared import charger_entries
from .common import async_chargers, load_manager

CHECK_METER_SCHEMA: Final = probatio.Schema({**cv.TARGET_SERVICE_FIELDS})
LEARN_PHASE_ROTATION_SCHEMA: Final = probatio.Schema({**cv.TARGET_SERVICE_FIELDS})


async def async_check_meter(call: ServiceCall) -> ServiceResponse:
    """Check the meter with one charger; answers when it is over."""
    hass = call.hass
    manager = load_manager(hass)
    serial = await _async_charger(call)
    result = await prepare_meter_check(hass, manager, serial).async_run()
    sentences = await async_sentences(hass, result, manager.config_entry, charger_entries(hass)[serial])
    return {**as_dict(result), "message": " ".join(sentences)}


async def async_learn_phase_rotation(call: ServiceCall) -> ServiceResponse:
    """Find out to which grid phases a charger is connected; answers when it is over."""
    return await async_learn_rotation(call.hass, load_manager(call.hass), await _async_charger(call))


async def _async_charger(call: ServiceCall) -> str:
    """Return the only charger that an action is for.

    Raises:
        ServiceValidationError: there are several, or none that is ready.
    """
    serials = await async_chargers(call)
    if len(serials) > 1:
        raise refused("meter_check_one_charger")
    return serials[0]
