"""What "Download diagnostics" gives: everything that is needed to explain what was done, and no secret."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_API_KEY, CONF_HOST, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntry

from .const import CONF_ACCOUNT_KEY
from .control import ConfigError, Configuration, ControlState, Plan, Snapshot, render
from .coordinators.decisions import Decisions
from .coordinators.distribution import Excerpt
from .coordinators.documents import low_level_state, plain, power_manager_state
from .coordinators.inverter import InverterCoordinator
from .coordinators.load_manager import LoadManagerCoordinator
from .coordinators.wattpilot import WattpilotCoordinator
from .shared import SHARED, PvLoadManagerConfigEntry

SECRETS: Final = {CONF_ACCOUNT_KEY, CONF_API_KEY, CONF_HOST, CONF_PASSWORD, CONF_TOKEN, CONF_URL, CONF_USERNAME}
DIAGNOSED: Final = 20
"""So many sessions of a charger are shown."""
MOST_DECISIONS: Final = 200
"""So many of the last decisions about a charger are in its download."""
PRIVATE: Final = {"fna", "host", "hsta", "hsts", "ip", "label", "commonName"}
"""What a charger tells of its owner's house at any depth: names that people gave, and addresses."""


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: PvLoadManagerConfigEntry) -> dict[str, Any]:
    """Return the diagnostics of one entry; what is large is made in another thread."""
    if entry.state is not ConfigEntryState.LOADED:
        return async_redact_data(_entry(entry) | {"state": entry.state.value}, SECRETS)
    coordinator = entry.runtime_data
    if isinstance(coordinator, LoadManagerCoordinator):
        config, state, snapshot = coordinator.inside()
        parts = partial(
            _load_manager,
            coordinator.data,
            config,
            state,
            snapshot,
            coordinator.distribution.log.excerpt(),
            now=hass.loop.time(),
            texts=_texts(hass, coordinator.data),
        )
        more = {
            "settings": dict(coordinator.settings),
            "circuit_names": dict(coordinator.circuit_names),
        }
        result = more | await hass.async_add_executor_job(parts)
    elif isinstance(coordinator, InverterCoordinator):
        result = _inverter(coordinator)
    else:
        settings = hass.data[SHARED].memory.charger(coordinator.serial)
        result = {"settings": dict(settings)} | _charger(coordinator) | await _async_decisions(hass, coordinator.serial)
    return async_redact_data(_entry(entry) | result, SECRETS)


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: PvLoadManagerConfigEntry, device: DeviceEntry
) -> dict[str, Any]:
    """Return the diagnostics of one device: its entry's, and what its entities show."""
    shown = {
        entity.entity_id: None if (state := hass.states.get(entity.entity_id)) is None else state.state
        for entity in er.async_entries_for_device(er.async_get(hass), device.id, include_disabled_entities=True)
    }
    about = {
        "model": device.model,
        "model_id": device.model_id,
        "hw_version": device.hw_version,
        "sw_version": device.sw_version,
    }
    return {"device": about, "entities": shown, **await async_get_config_entry_diagnostics(hass, entry)}


def _entry(entry: ConfigEntry) -> dict[str, Any]:
    return {
        "entry": {
            "version": f"{entry.version}.{entry.minor_version}",
            "data": dict(entry.data),
            "options": dict(entry.options),
            "subentries": {key: dict(subentry.data) for key, subentry in entry.subentries.items()},
        }
    }


def _texts(hass: HomeAssistant, plan: Plan) -> dict[str, str]:
    """Return the sentence about every charger."""
    shared, now = hass.data[SHARED], hass.loop.time()
    circuits: Mapping[str, str] = shared.load_manager.circuit_names if shared.load_manager is not None else {}
    return {key: render(item.explanation, shared.templates, now, circuits) for key, item in plan.chargers.items()}


def _load_manager(
    plan: Plan,
    config: Configuration,
    state: ControlState,
    snapshot: Snapshot,
    log: Excerpt,
    *,
    now: float,
    texts: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "now": now,
        "configuration": plain(config),
        "config_errors": [error.name for error in ConfigError if error in plan.errors],
        "state": power_manager_state(plan),
        "low_level_state": low_level_state(plan, config, state, snapshot, now),
        "plan": plain(plan),
        "texts": dict(texts),
        "snapshot": plain(snapshot),
        "control_state": plain(state.as_dict(now)),
        "distribution": log.as_dict(),
    }


def _charger(charger: WattpilotCoordinator) -> dict[str, Any]:
    return {
        "now": charger.hass.loop.time(),
        "connection": charger.client.state.name.lower(),
        "managed": charger.managed,
        "reading": plain(charger.reading()),
        "plan": plain(charger.plan),
        "pacing": plain(charger.pacing()),
        "session": None if charger.sessions.session is None else charger.sessions.session.as_dict(),
        "last_sessions": [
            session.as_dict() for session in charger.hass.data[SHARED].ledger.latest(charger.serial, DIAGNOSED)
        ],
        "status": async_redact_data(charger.client.status.redacted(), PRIVATE),
    }


async def _async_decisions(hass: HomeAssistant, serial: str) -> dict[str, Any]:
    """Return the last decision about a charger and those before it, where a load manager makes any."""
    shared = hass.data[SHARED]
    manager = shared.load_manager
    if manager is None or serial not in manager.data.chargers:
        return {"explain": None, "decisions": []}
    decisions = Decisions.of(manager, {}, shared.templates)
    log = manager.distribution.log.excerpt()
    records = await hass.async_add_executor_job(log.of, [serial], MOST_DECISIONS)
    return {"explain": decisions.charger(serial), "decisions": records[serial]}


def _inverter(inverter: InverterCoordinator) -> dict[str, Any]:
    return {
        "now": inverter.hass.loop.time(),
        "answers": inverter.last_update_success,
        "quota": dict(inverter.usage),
        "has_grid_meter": inverter.has_grid_meter,
        "has_battery": inverter.has_battery,
        "data": plain(inverter.data),
    }
