"""WebSocket commands: the sentences of the reasons, explanations, and the live figures of the site.

Every user may read them, as every user may read the entities; nothing can be changed here.

``pv_load_manager/texts`` with ``language`` answers ``{"language": ..., "templates": {reason: sentence}}``; numbers
stand in braces, ``countdown`` has ``{seconds}``, ``decimal`` is what stands in front of decimals.

``pv_load_manager/explain`` with optional ``language`` and ``charger`` (serial number) answers what the action
``explain`` does, without the log: ``{"site": {...}, "chargers": [{...}]}``.

``pv_load_manager/subscribe`` with optional ``language`` sends the same shape at once and whenever it differs, at most
once a second; ``null`` while there is no load manager. Currents in A per grid phase (measured ones of a charger per its
own phase), powers in W, grid +import, battery +discharge, unknown = null::

    {"site": {"status", "mode", "dimmed",
              "surplus": {"surplus_w", "target_grid_w", "grid_w", "pv_w", "battery_w", "battery_soc",
                          "chargers_w" (the managed ones), "house_w" (everything else)},
              "circuits": [{"id", "name", "parent": id | null, "stage", "rated_a", "limit_a", "house_a",
                            "chargers_a" (allowed), "drawn_a" (by our chargers), "free_a"}]},
     "chargers": [{"charger", "name", "reason", "text", "numbers", "circuit": {"id", "name"} | null,
                   "next_change": ISO time | null,
                   "allocated": {"charge", "current_a", "phases"} | null,
                   "measured": {"online", "car", "charge_released", "offered_a", "phases", "currents_a", "power_w"}
                               | null,
                   "mode": {"chosen", "in_force", "from_site", "until": ISO time | null} | null,
                   "limits": {"minimum_a", "maximum_a"} | null (what a user chose as the bounds),
                   "rotation": [grid phase of its L1, L2, L3] | null,
                   "override": {"current_a" (0 = no charging), "source": "user" | "app", "until": ISO time | null,
                                "energy_left_wh": Wh | null} | null,
                   "session": {"energy_wh", "solar_share": 0..1 | null} | null (the running one, or the last)}]}

What is sent to subscribers also has ``"at"``, the ISO time at which it was: a browser's own clock may be wrong.

``pv_load_manager/home`` with optional ``language`` sends who belongs to the site at once and soon after it changes::

    {"manager": {"entry_id", "device_id" | null, "name", "state" (of the entry), "disabled",
                 "reason": why its set-up failed | null,
                 "entities": {"sensor.surplus" (domain, and the unique id behind its owner): entity id}} | null,
     "chargers": [{"serial", ..., "managed"}], "inverters": [{"serial", ..., "has_battery"}],
     "figures": {"surplus": id | null, "charging_power", "house_power", "battery_soc",
                 "grid_power": [ids], "pv_power": [ids], "battery_power": [ids]} (each may have a unit of its own),
     "minus": {"grid_power": [ids], "battery_power": [ids]} (export or charging, where that has its own sensors),
     "signs": {"grid_power": 1 | -1, "battery_power": 1 | -1},
     "circuits": [{"id", "name", "parent": id | null, "rated_a", "phases": [1, 2, 3],
                   "chargers": [serial] (directly below)}] (the house connection first)}

A power is its sign times (the sum of ``figures`` less the sum of ``minus``): grid +import, battery +discharge.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.components.websocket_api import async_register_command
from homeassistant.components.websocket_api.connection import ActiveConnection
from homeassistant.components.websocket_api.const import ERR_NOT_FOUND
from homeassistant.components.websocket_api.decorators import async_response, websocket_command
from homeassistant.components.websocket_api.messages import event_message
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
import probatio

from .const import DOMAIN
from .coordinators.decisions import Decisions
from .directory import Language, async_follow, directory
from .languages import Templates, async_templates
from .shared import SHARED, charger_names

INTERVAL: Final = timedelta(seconds=1)
LANGUAGE: Final = "language"
CHARGER: Final = "charger"


@callback
def async_setup_websocket(hass: HomeAssistant) -> None:
    """Register all commands."""
    for command in (_async_texts, _async_explain, _async_subscribe, _async_home):
        async_register_command(hass, command)


def decisions_of(hass: HomeAssistant, templates: Templates) -> Decisions | None:
    """Return the last decisions; None while there is no load manager."""
    shared = hass.data.get(SHARED)
    manager = None if shared is None else shared.load_manager
    return None if manager is None else Decisions.of(manager, charger_names(hass), templates)


@websocket_command(
    {probatio.Required("type"): f"{DOMAIN}/texts", probatio.Optional(LANGUAGE): str},
)
@async_response
async def _async_texts(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the sentences of a language."""
    language = message.get(LANGUAGE) or hass.config.language
    templates = await async_templates(hass, language)
    connection.send_result(message["id"], {"language": language, "templates": dict(templates)})


@websocket_command(
    {
        probatio.Required("type"): f"{DOMAIN}/explain",
        probatio.Optional(LANGUAGE): str,
        probatio.Optional(CHARGER): str,
    },
)
@async_response
async def _async_explain(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the last decision about one charger, or about all."""
    decisions = decisions_of(hass, await async_templates(hass, message.get(LANGUAGE)))
    serials = [] if decisions is None else list(decisions.plan.chargers)
    if (wanted := message.get(CHARGER)) is not None:
        serials = [serial for serial in serials if serial == wanted]
    if decisions is None or (wanted is not None and not serials):
        connection.send_error(message["id"], ERR_NOT_FOUND, "There is no such charger or no load manager")
        return
    explained = {"site": decisions.site(), "chargers": [decisions.charger(serial) for serial in serials]}
    connection.send_result(message["id"], explained)


@websocket_command(
    {probatio.Required("type"): f"{DOMAIN}/subscribe", probatio.Optional(LANGUAGE): str},
)
@async_response
async def _async_subscribe(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send the live figures until the connection or the subscription ends.

    There is no queue here: a figure that is overtaken within a second is never sent.
    """
    templates: Templates | None = None
    sent: list[Any] = []

    @callback
    def look(_now: datetime | None = None) -> None:
        if templates is not None and sent != [live := live_figures(hass, templates)]:
            sent[:] = [live]
            connection.send_message(event_message(message["id"], live and _dated(live)))

    # Before anything is waited for: who hangs up meanwhile ends it.
    connection.subscriptions[message["id"]] = async_track_time_interval(
        hass, look, INTERVAL, name=f"{DOMAIN} live figures", cancel_on_shutdown=True
    )
    templates = await async_templates(hass, message.get(LANGUAGE))
    connection.send_result(message["id"])
    look()


def _dated(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "at": dt_util.utcnow().isoformat()}


def live_figures(hass: HomeAssistant, templates: Templates) -> dict[str, Any] | None:
    """Return what a subscription sends."""
    decisions = decisions_of(hass, templates)
    if decisions is None:
        return None
    chargers = [decisions.live_charger(serial) for serial in decisions.plan.chargers]
    return {"site": decisions.live_site(), "chargers": chargers}


@websocket_command(
    {probatio.Required("type"): f"{DOMAIN}/home", probatio.Optional(LANGUAGE): str},
)
@async_response
async def _async_home(hass: HomeAssistant, connection: ActiveConnection, message: dict[str, Any]) -> None:
    """Send who belongs to the site until the connection or the subscription ends."""
    language: Language | None = None
    sent: list[Any] = []

    @callback
    def look() -> None:
        if language is not None and sent != [home := directory(hass, language)]:
            sent[:] = [home]
            connection.send_message(event_message(message["id"], _dated(home)))

    # Before anything is waited for: who hangs up meanwhile ends it.
    connection.subscriptions[message["id"]] = async_follow(hass, look)
    language = await Language.async_of(hass, message.get(LANGUAGE))
    connection.send_result(message["id"])
    look()
