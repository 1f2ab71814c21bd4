"""Who may do what with an action: as with the entities of what it changes."""

from typing import Any

from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.services import ACTIONS, Changes

from .site import Site, eventually
from .test_actions import device
from .test_override import override
from .watching import gives

DATA: dict[str, dict[str, Any]] = {
    "set_override": {"current": 8},
    "set_charge_mode": {"mode": "off"},
    "set_priority": {"priority": "high"},
    "set_available_current": {"current": 10},
    "request_phases": {"phases": 1},
    "set_circuit_limit": {"circuit": "root", "current": 10},
}


async def act(hass: HomeAssistant, user_id: str, action: str, data: dict[str, Any]) -> Any:
    """Call an action as a user."""
    answers = hass.services.supports_response(DOMAIN, action) is not SupportsResponse.NONE
    return await hass.services.async_call(
        DOMAIN, action, data, blocking=True, context=Context(user_id=user_id), return_response=answers
    )


@pytest.fixture(autouse=True)
def owner(hass_admin_user: MockUser) -> MockUser:
    """Return who was there first: the first user of a Home Assistant may do everything."""
    return hass_admin_user


async def guest(hass: HomeAssistant, group: str) -> User:
    """Return a user who is no administrator."""
    return await hass.auth.async_create_user("Guest", group_ids=[group])


async def test_who_may_only_look_changes_nothing(site: Site) -> None:
    """A wall tablet that shows a dashboard can neither stop a car nor let it charge."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.value(charger, "reason") == "charging_fast")
    user = await guest(site.hass, GROUP_ID_READ_ONLY)
    targets = {"device_id": [device(site, charger), device(site, manager)]}
    for action in ACTIONS:
        data = DATA.get(action.name, {}) | (targets if action.changes is Changes.TARGETS else {})
        if action.changes is Changes.NOTHING:
            assert await act(site.hass, user.id, action.name, data)
        else:
            with pytest.raises(Unauthorized):
                await act(site.hass, user.id, action.name, data)
    assert site.value(manager, "charge_mode", "select") == "fast"
    assert site.value(charger, "charge_mode", "select") == "follow_site"
    assert override(site) is None
    await eventually(gives(site, 16))


async def test_an_entity_that_is_gone_allows_nothing(site: Site) -> None:
    """Who may control nothing at all may not act where the select of the charge mode was removed, either."""
    _, charger, _ = await site.set_up_all()
    er.async_get(site.hass).async_remove(site.entity_id("select", charger, "charge_mode"))
    data = {"device_id": device(site, charger), "current": 8}
    looks, acts = await guest(site.hass, GROUP_ID_READ_ONLY), await guest(site.hass, GROUP_ID_USER)
    with pytest.raises(Unauthorized):
        await act(site.hass, looks.id, "set_override", data)
    await act(site.hass, acts.id, "set_override", data)


async def test_a_user_who_may_control_entities_may_act(site: Site) -> None:
    """Not only administrators live in a house."""
    _, charger, manager = await site.set_up_all()
    await site.select(manager, "fast")
    user = await guest(site.hass, GROUP_ID_USER)
    await act(site.hass, user.id, "set_override", {"device_id": device(site, charger), "current": 8})
    await eventually(gives(site, 8))
    await act(site.hass, user.id, "set_available_current", {"current": 7})
    await eventually(gives(site, 7))


async def test_a_user_who_is_gone(site: Site) -> None:
    """A token outlives nobody."""
    _, charger, _ = await site.set_up_all()
    with pytest.raises(UnknownUser):
        await act(site.hass, "nobody", "clear_override", {"device_id": device(site, charger)})
