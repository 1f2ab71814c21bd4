"""The actions of the integration; each is in the file of what it is about.

An action that changes how the house is wired, and so what its fuses are protected by, is for administrators. Everything
else is within limits that only the configuration sets, and for users who may control the charge mode of what changes;
or it shows what every user can see in entities and history.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from typing import Any, Final

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers.service import async_register_admin_service
import probatio

from ..const import DOMAIN
from . import charging, checks, reports, site
from .permissions import async_require_control


class Changes(Enum):
    """What an action changes."""

    NOTHING = auto()
    TARGETS = auto()
    SITE = auto()


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action."""

    name: str
    handler: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: probatio.Schema
    changes: Changes
    response: SupportsResponse = SupportsResponse.NONE
    admin: bool = False


ACTIONS: Final = (
    Action(
        name="set_override",
        handler=charging.async_set_override,
        schema=charging.SET_OVERRIDE_SCHEMA,
        changes=Changes.TARGETS,
    ),
    Action(
        name="clear_override",
        handler=charging.async_clear_override,
        schema=charging.CLEAR_OVERRIDE_SCHEMA,
        changes=Changes.TARGETS,
    ),
    Action(
        name="set_charge_mode",
        handler=charging.async_set_charge_mode,
        schema=charging.SET_CHARGE_MODE_SCHEMA,
        changes=Changes.TARGETS,
    ),
    Action(
        name="set_priority",
        handler=charging.async_set_priority,
        schema=charging.SET_PRIORITY_SCHEMA,
        changes=Changes.TARGETS,
    ),
    Action(
        name="set_available_current",
        handler=site.async_set_available_current,
        schema=site.SET_AVAILABLE_CURRENT_SCHEMA,
        changes=Changes.SITE,
    ),
    Action(
        name="request_phases",
        handler=site.async_request_phases,
        schema=site.REQUEST_PHASES_SCHEMA,
        changes=Changes.SITE,
    ),
    Action(
        name="set_circuit_limit",
        handler=site.async_set_circuit_limit,
        schema=site.SET_CIRCUIT_LIMIT_SCHEMA,
        changes=Changes.SITE,
    ),
    Action(
        name="redistribute",
        handler=site.async_redistribute,
        schema=site.REDISTRIBUTE_SCHEMA,
        changes=Changes.SITE,
        response=SupportsResponse.OPTIONAL,
    ),
    Action(
        name="check_meter",
        handler=checks.async_check_meter,
        schema=checks.CHECK_METER_SCHEMA,
        changes=Changes.TARGETS,
        response=SupportsResponse.OPTIONAL,
    ),
    Action(
        name="learn_phase_rotation",
        handler=checks.async_learn_phase_rotation,
        schema=checks.LEARN_PHASE_ROTATION_SCHEMA,
        changes=Changes.TARGETS,
        response=SupportsResponse.OPTIONAL,
        admin=True,
    ),
    Action(
        name="explain",
        handler=reports.async_explain,
        schema=reports.EXPLAIN_SCHEMA,
        changes=Changes.NOTHING,
        response=SupportsResponse.ONLY,
    ),
    Action(
        name="export_sessions",
        handler=reports.async_export_sessions,
        schema=reports.EXPORT_SESSIONS_SCHEMA,
        changes=Changes.NOTHING,
        response=SupportsResponse.ONLY,
    ),
)


@callback
def async_setup_actions(hass: HomeAssistant) -> None:
    """Register all actions; they are there before any entry is loaded, and say what is missing."""
    for action in ACTIONS:
        if action.admin:
            async_register_admin_service(
                hass, DOMAIN, action.name, action.handler, action.schema, supports_response=action.response
            )
        else:
            hass.services.async_register(
                DOMAIN,
                action.name,
                partial(_async_act, action),
                schema=action.schema,
                supports_response=action.response,
            )


async def _async_act(action: Action, call: ServiceCall) -> ServiceResponse:
    """Do what an action does, for whom may do it."""
    if action.changes is not Changes.NOTHING:
        await async_require_control(call, of_targets=action.changes is Changes.TARGETS)
    return await action.handler(call)
