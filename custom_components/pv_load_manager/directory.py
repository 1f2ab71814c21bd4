"""Who belongs to the load manager: entries, devices and entities of the site, found by registry, never by a name.

A dashboard is made of this. What flows is in the live figures instead, and in the states of these entities.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import CALLBACK_TYPE, Event, HassJob, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_CIRCUIT, CONF_ENTRY_TYPE, CONF_MANAGED, CONF_PHASES, CONF_SERIAL, DOMAIN, EntryType
from .control import ROOT_CIRCUIT
from .coordinators.circuits import circuit_configs, circuit_names
from .figure_sources import figure_sources
from .languages import Templates, async_templates
from .shared import SHARED, loaded_inverter

DEBOUNCE: Final = 0.5
"""So many s after a change it is told, with all that came meanwhile: a set-up makes dozens of entities."""

type Member = dict[str, Any]
"""One entry as a dashboard sees it."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """The texts that a directory needs."""

    templates: Templates
    exceptions: Mapping[str, str]
    """Why a set-up failed, by Home Assistant's keys."""

    @classmethod
    async def async_of(cls, hass: HomeAssistant, language: str | None) -> Self:
        """Return those of a language; None = that of Home Assistant."""
        exceptions = await async_get_translations(hass, language or hass.config.language, "exceptions", {DOMAIN})
        return cls(templates=await async_templates(hass, language), exceptions=exceptions)


def directory(hass: HomeAssistant, language: Language) -> dict[str, Any]:
    """Return the whole site as ``pv_load_manager/home`` sends it."""
    managers, chargers, inverters = (
        [(entry, _member(hass, entry, language)) for entry in _entries(hass, kind)]
        for kind in (EntryType.LOAD_MANAGER, EntryType.WATTPILOT, EntryType.SOLAREDGE)
    )
    for entry, member in chargers:
        member["managed"] = bool(entry.options.get(CONF_MANAGED, True))
    for entry, member in inverters:
        member["has_battery"] = _has_battery(hass, entry.data[CONF_SERIAL])
    manager, of_manager = managers[0] if managers else (None, None)
    return {
        "manager": of_manager,
        "chargers": [member for _, member in chargers],
        "inverters": [member for _, member in inverters],
        **figure_sources(
            hass,
            manager,
            {} if of_manager is None else of_manager["entities"],
            {member["serial"]: member["entities"] for entry, member in inverters if entry.disabled_by is None},
        ),
        "circuits": [] if manager is None else _circuits(manager, (entry for entry, _ in chargers), language),
    }


@callback
def async_follow(hass: HomeAssistant, tell: CALLBACK_TYPE) -> CALLBACK_TYPE:
    """Call back soon after the directory may have changed, at most twice a second; return what ends that."""
    waiting: list[CALLBACK_TYPE] = []

    @callback
    def later(*_: object) -> None:
        if not waiting:
            waiting.append(async_call_later(hass, DEBOUNCE, HassJob(now, "directory", cancel_on_shutdown=True)))

    @callback
    def now(_now: object) -> None:
        waiting.clear()
        tell()

    @callback
    def entry_changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            later()

    @callback
    def concerns(data: er.EventEntityRegistryUpdatedData) -> bool:
        # Of one that is removed nobody knows any more whose it was.
        entity = er.async_get(hass).async_get(data["entity_id"])
        return entity is None or entity.platform == DOMAIN

    @callback
    def entity_changed(_event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        later()

    ends = (
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, entity_changed, event_filter=concerns),
        hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, later),
        async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed),
    )

    @callback
    def end() -> None:
        for one in (*ends, *waiting):
            one()
        waiting.clear()

    return end


def _entries(hass: HomeAssistant, kind: EntryType) -> list[ConfigEntry]:
    """Return the entries of a kind, disabled ones among them, by serial number."""
    entries = hass.config_entries.async_entries(DOMAIN, include_ignore=False)
    return sorted(
        (entry for entry in entries if entry.data[CONF_ENTRY_TYPE] == kind),
        key=lambda entry: str(entry.data.get(CONF_SERIAL)),
    )


def _member(hass: HomeAssistant, entry: ConfigEntry, language: Language) -> Member:
    kind, serial = entry.data[CONF_ENTRY_TYPE], entry.data.get(CONF_SERIAL)
    identifier = (DOMAIN, entry.entry_id if serial is None else f"{kind}_{serial}")
    device = dr.async_get(hass).async_get_device_by_identifier(identifier, config_entry_id=entry.entry_id)
    return {
        **({} if serial is None else {"serial": serial}),
        "entry_id": entry.entry_id,
        "device_id": None if device is None else device.id,
        "name": (None if device is None else device.name_by_user) or entry.title,
        "state": entry.state.value,
        "disabled": entry.disabled_by is not None,
        "reason": _reason(entry, language),
        "entities": _entities(hass, entry, serial or entry.entry_id),
    }


def _entities(hass: HomeAssistant, entry: ConfigEntry, owner: str) -> dict[str, str]:
    """Return the ids of the enabled entities by domain and the part of the unique id that says what they show."""
    prefix = f"{owner}_"
    return {
        f"{entity.domain}.{entity.unique_id.removeprefix(prefix)}": entity.entity_id
        for entity in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
        if entity.disabled_by is None and entity.unique_id.startswith(prefix)
    }


def _reason(entry: ConfigEntry, language: Language) -> str | None:
    """Return why the set-up of an entry failed, in the words of Home Assistant's own list of entries."""
    domain, key = entry.error_reason_translation_domain or DOMAIN, entry.error_reason_translation_key
    text = language.exceptions.get(f"component.{domain}.exceptions.{key}.message")
    if text is None:
        return entry.reason
    try:
        return text.format(**(entry.error_reason_translation_placeholders or {}))
    except KeyError:
        return entry.reason


def _has_battery(hass: HomeAssistant, serial: str) -> bool:
    """Return whether an inverter has a battery, as far as that is known: it was loaded once."""
    if (inverter := loaded_inverter(hass, serial)) is not None:
        return inverter.has_battery
    shared = hass.data.get(SHARED)
    return shared is not None and shared.memory.has_battery(serial)


def _circuits(manager: ConfigEntry, chargers: Iterable[ConfigEntry], language: Language) -> list[dict[str, Any]]:
    """Return the circuits with the chargers directly below each, the house connection first."""
    names = circuit_names(manager, language.templates["root_circuit"])
    below: dict[str, list[str]] = {}
    for entry in chargers:
        if entry.disabled_by is None and entry.options.get(CONF_MANAGED, True):
            below.setdefault(entry.options.get(CONF_CIRCUIT, ROOT_CIRCUIT), []).append(entry.data[CONF_SERIAL])
    return [
        {
            "id": circuit.circuit_id,
            "name": names[circuit.circuit_id],
            "parent": circuit.parent_id,
            "rated_a": circuit.limit_a,
            "phases": list(range(1, manager.data[CONF_PHASES] + 1)),
            "chargers": below.get(circuit.circuit_id, []),
        }
        for circuit in circuit_configs(manager, metered=False, on_demand={})
    ]
