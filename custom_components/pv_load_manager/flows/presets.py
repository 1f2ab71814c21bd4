"""Meters and sources that other integrations read already, as complete proposals for the forms.

An entity is known by the integration it belongs to and the end of its unique id, never by its entity id: that one
belongs to the user.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import (
    CONF_BATTERY_CHARGE_SENSORS,
    CONF_BATTERY_DIRECTION,
    CONF_BATTERY_SENSORS,
    CONF_BATTERY_SOC_SENSORS,
    CONF_METER_DIRECTION,
    CONF_METER_ENTITY,
    CONF_METER_EXPORT_ENTITY,
    CONF_METER_EXPORT_PHASES,
    CONF_METER_PHASES,
    CONF_METER_VOLTAGES,
    CONF_PV_SENSORS,
    MeterKind,
)
from .known_meters import METERS, SITES, MeterFamily, Pattern, SiteFamily


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A complete proposal for a form."""

    key: str
    label: str
    values: Mapping[str, Any]
    """By field of the form."""
    kind: MeterKind = MeterKind.TOTAL_POWER
    disabled: tuple[str, ...] = ()
    """Names of the entities that have to be enabled first."""


def meter_presets(hass: HomeAssistant, phases: int, *, by_phase: bool = False) -> list[Preset]:
    """Return the meters that other integrations read, in the order of their names.

    Args:
        hass: whose registries are looked into.
        phases: phases of the house.
        by_phase: whether only meters count that know every phase.
    """
    found: list[Preset] = []
    registry = er.async_get(hass)
    for platform, families in METERS.items():
        sensors = [
            entry for entry in registry.entities.values() if (entry.platform, entry.domain) == (platform, "sensor")
        ]
        for family in families:
            for group, members in _groups(hass, family, sensors).items():
                preset = _meter(hass, f"{platform}/{group}", family, members, phases, by_phase=by_phase)
                if preset is not None:
                    found.append(preset)
    return sorted(found, key=lambda preset: (bool(preset.disabled), preset.label, preset.key))


def site_presets(hass: HomeAssistant) -> list[Preset]:
    """Return what other integrations tell of production and batteries, a preset for each of their entries."""
    registry = er.async_get(hass)
    found: list[Preset] = []
    for platform, family in SITES.items():
        for entry in hass.config_entries.async_entries(platform, include_disabled=False):
            members = er.async_entries_for_config_entry(registry, entry.entry_id)
            preset = _site(f"{platform}/{entry.entry_id}", f"{entry.title} ({family.name})", family, members)
            if preset is not None:
                found.append(preset)
    return found


def preset_error(presets: Mapping[str, Preset], chosen: str, others: Collection[str]) -> str | None:
    """Return what is wrong with a choice among presets and others; one that was shown may be gone meanwhile."""
    preset = presets.get(chosen)
    if preset is None and chosen not in others:
        error = "preset_gone"
    elif preset is not None and preset.disabled:
        error = "preset_disabled"
    else:
        return None
    return error


def disabled_names(presets: Mapping[str, Preset], chosen: str | None) -> str:
    """Return for the eye what has to be enabled before a chosen preset works."""
    preset = presets.get(chosen or "")
    return ", ".join(preset.disabled) if preset is not None else ""


def _groups(
    hass: HomeAssistant, family: MeterFamily, sensors: list[er.RegistryEntry]
) -> dict[str, dict[str, er.RegistryEntry]]:
    """Return the sensors that a kind of meter is made of by their keys, by meter."""
    keys = {key for pattern in family.patterns for key in (*pattern.imports, *pattern.exports, *pattern.voltages)}
    ends = re.compile(f"({family.group})({'|'.join(sorted(map(re.escape, keys), key=len, reverse=True))})")
    groups: dict[str, dict[str, er.RegistryEntry]] = {}
    for entry in sensors:
        device = _device(hass, entry)
        if isinstance(device, dr.DeviceEntry) and device.model_id in family.no_meters:
            continue
        if match := ends.fullmatch(entry.unique_id):
            groups.setdefault(match[1], {})[match[2]] = entry
    return groups


def _meter(
    hass: HomeAssistant,
    key: str,
    family: MeterFamily,
    members: Mapping[str, er.RegistryEntry],
    phases: int,
    *,
    by_phase: bool,
) -> Preset | None:
    """Return the best that the sensors of a meter make; one that has to be enabled first only if there is no other."""
    fitting = [
        pattern
        for pattern in family.patterns
        if _needed(pattern, phases) <= members.keys() and not (by_phase and pattern.kind is MeterKind.TOTAL_POWER)
    ]
    ready = [pattern for pattern in fitting if not any(members[name].disabled for name in _needed(pattern, phases))]
    pattern = next(iter(ready or fitting), None)
    if pattern is None:
        return None
    needed = sorted(_needed(pattern, phases))
    return Preset(
        key=key,
        label=f"{_meter_name(hass, members.values())} ({family.name})",
        kind=pattern.kind,
        values={CONF_METER_DIRECTION: pattern.direction.value} | dict(_fields(pattern, members, phases)),
        disabled=tuple(_name(members[name]) for name in needed if members[name].disabled),
    )


def _needed(pattern: Pattern, phases: int) -> set[str]:
    return {*pattern.imports[:phases], *pattern.exports[:phases]}


def _fields(pattern: Pattern, members: Mapping[str, er.RegistryEntry], phases: int) -> Iterator[tuple[str, str]]:
    """Return the fields of the forms with their sensors."""
    by_phase = pattern.kind is not MeterKind.TOTAL_POWER
    columns = (
        (CONF_METER_PHASES if by_phase else (CONF_METER_ENTITY,), pattern.imports),
        (CONF_METER_EXPORT_PHASES if by_phase else (CONF_METER_EXPORT_ENTITY,), pattern.exports),
        (CONF_METER_VOLTAGES, pattern.voltages),
    )
    for fields, names in columns:
        for field, name in zip(fields[:phases], names[:phases], strict=False):
            if name in members and not members[name].disabled:
                yield field, members[name].entity_id


def _site(key: str, label: str, family: SiteFamily, members: list[er.RegistryEntry]) -> Preset | None:
    pv, battery = _matching(family.pv, members), _matching(family.battery, members)
    charging, level = _matching(family.charging, members), _matching(family.charge_level, members)
    if not pv and not battery:
        return None
    columns = {
        CONF_PV_SENSORS: pv,
        CONF_BATTERY_SENSORS: battery,
        CONF_BATTERY_CHARGE_SENSORS: charging,
        CONF_BATTERY_SOC_SENSORS: level,
    }
    values = {field: [entry.entity_id for entry in found] for field, found in columns.items() if found}
    return Preset(
        key=key,
        label=label,
        values={CONF_BATTERY_DIRECTION: family.direction.value} | values,
        disabled=tuple(dict.fromkeys(_name(entry) for found in columns.values() for entry in found if entry.disabled)),
    )


def _matching(pattern: str, members: list[er.RegistryEntry]) -> list[er.RegistryEntry]:
    return [entry for entry in members if entry.domain == "sensor" and re.fullmatch(pattern, entry.unique_id)]


def _meter_name(hass: HomeAssistant, members: Iterable[er.RegistryEntry]) -> str:
    """Return what a meter is called; its phases may be devices of their own."""
    titles, names = set(), set()
    for entry in members:
        config_entry = hass.config_entries.async_get_entry(entry.config_entry_id or "")
        device = _device(hass, entry)
        titles.add(config_entry.title if config_entry is not None else entry.platform)
        names.add((device.name_by_user or device.name or "") if device is not None else "")
    title, name = min(titles), min(names)
    return title if len(names) > 1 or name.casefold() in {"", title.casefold()} else f"{title}, {name}"


def _device(hass: HomeAssistant, entry: er.RegistryEntry) -> dr.DeviceEntry | dr.ChildDeviceEntry | None:
    return dr.async_get(hass).async_get(entry.device_id) if entry.device_id is not None else None


def _name(entry: er.RegistryEntry) -> str:
    return entry.name or entry.original_name or entry.entity_id
