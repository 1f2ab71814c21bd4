"""Who may change what with an action."""

from homeassistant.auth.permissions.const import CAT_ENTITIES, POLICY_CONTROL
from homeassistant.components.select import DOMAIN as SELECT
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import ServiceCall
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er

from ..const import CONF_SERIAL, DOMAIN
from ..shared import SHARED
from .common import async_entries


async def async_require_control(call: ServiceCall, *, of_targets: bool) -> None:
    """Require that a user may control the charge mode of everything that an action changes.

    Args:
        call: of the action; one without a user comes from Home Assistant itself, like those of automations.
        of_targets: whether it changes what its targets do; otherwise it changes the site.

    Raises:
        UnknownUser: there is no such user any more.
        Unauthorized: the user may only look.
    """
    hass, user_id = call.hass, call.context.user_id
    if user_id is None:
        return
    user = await hass.auth.async_get_user(user_id)
    if user is None:
        raise UnknownUser(context=call.context, permission=POLICY_CONTROL)
    if user.is_admin:
        return
    manager = hass.data[SHARED].load_manager
    changed = await async_entries(call) if of_targets else [] if manager is None else [manager.config_entry]
    entities = er.async_get(hass)
    for entry in changed:
        mode = entities.async_get_entity_id(SELECT, DOMAIN, f"{_owner(entry)}_charge_mode")
        if mode is None:  # an inverter has none, and an administrator may remove it
            allowed = user.permissions.access_all_entities(POLICY_CONTROL)
        else:
            allowed = user.permissions.check_entity(mode, POLICY_CONTROL)
        if not allowed:
            raise Unauthorized(
                context=call.context, permission=POLICY_CONTROL, user_id=user_id, perm_category=CAT_ENTITIES
            )


def _owner(entry: ConfigEntry) -> str:
    return str(entry.data.get(CONF_SERIAL, entry.entry_id))
