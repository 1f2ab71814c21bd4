"""Which entities show the flows of the house, whoever measures them, and how their signs are to be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .const import (
    CONF_BATTERY_INVERTED,
    CONF_BATTERY_SOURCE,
    CONF_METER_ENTRY,
    CONF_METER_SOURCE,
    CONF_SERIAL,
    BatterySource,
    MeterKind,
    MeterSource,
)
from .control import ROOT_CIRCUIT
from .coordinators.circuits import circuit_meters
from .coordinators.sources import SourceConfig, counted_inverters, inverters_with_battery
from .shared import SHARED
from .solaredge import MeterRole

type Entities = Mapping[str, str]
"""Ids by domain and key."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """The sensors that tell one power together: ``sign`` times (the sum of ``plus`` less the sum of ``minus``)."""

    plus: Sequence[str] = ()
    minus: Sequence[str] = ()
    sign: int = 1


def figure_sources(
    hass: HomeAssistant, manager: ConfigEntry | None, own: Entities, inverters: Mapping[str, Entities]
) -> dict[str, Any]:
    """Return the keys ``figures``, ``minus`` and ``signs`` of the directory.

    Args:
        hass: where the inverters are.
        manager: the entry of the load manager.
        own: its enabled entities.
        inverters: those of the inverters that are not disabled, by serial number.
    """
    grid = _grid(manager, own, inverters)
    battery, charge_level = _battery(hass, manager, own, inverters)
    return {
        "figures": {
            "surplus": own.get("sensor.surplus"),
            "charging_power": own.get("sensor.charging_power"),
            "house_power": own.get("sensor.house_power"),
            "grid_power": list(grid.plus),
            "pv_power": _production(hass, manager, own, inverters),
            "battery_power": list(battery.plus),
            "battery_soc": charge_level,
        },
        "minus": {"grid_power": list(grid.minus), "battery_power": list(battery.minus)},
        "signs": {"grid_power": grid.sign, "battery_power": battery.sign},
    }


def _grid(manager: ConfigEntry | None, own: Entities, inverters: Mapping[str, Entities]) -> Flow:
    """Return what measures the power at the house connection, import +."""
    key = "sensor.grid_power"
    if manager is None:
        return Flow(plus=[entities[key] for entities in inverters.values() if key in entities][:1])
    source = manager.data[CONF_METER_SOURCE]
    if source == MeterSource.NONE:
        return Flow()
    if key in own:
        return Flow(plus=(own[key],))
    if source == MeterSource.SOLAREDGE:
        return Flow(plus=_named(inverters, manager.data[CONF_METER_ENTRY], key))
    meter = circuit_meters(manager).get(ROOT_CIRCUIT)
    if meter is None:
        return Flow()
    sign = -1 if meter.inverted else 1
    if meter.kind is MeterKind.PHASE_CURRENT:
        return Flow(plus=() if meter.total is None else (meter.total,), sign=sign)
    return Flow(plus=meter.imports, minus=meter.exports, sign=sign)


def _production(
    hass: HomeAssistant, manager: ConfigEntry | None, own: Entities, inverters: Mapping[str, Entities]
) -> list[str]:
    """Return the powers whose sum is the production."""
    key = "sensor.pv_power"
    if key in own:
        return [own[key]]
    if manager is not None and (chosen := SourceConfig.from_options(manager.options).pv):
        return list(chosen)
    shared, found = hass.data.get(SHARED), []
    for entry, inverter in counted_inverters(hass, {} if shared is None else shared.inverters):
        serial = entry.data[CONF_SERIAL]
        found += _named(inverters, serial, key)
        for meter in () if inverter is None else inverter.other_meters:
            if meter.role is MeterRole.EXTERNAL_PRODUCTION:
                found += _named(inverters, serial, f"sensor.meter_{meter.key}_power")
    return found


def _battery(
    hass: HomeAssistant, manager: ConfigEntry | None, own: Entities, inverters: Mapping[str, Entities]
) -> tuple[Flow, str | None]:
    """Return the powers of the batteries, discharge +, and the state of charge where one sensor tells it."""
    key, level = "sensor.battery_power", "sensor.battery_state_of_charge"
    options = {} if manager is None else manager.options
    if options.get(CONF_BATTERY_SOURCE) == BatterySource.NONE:
        return Flow(), None
    chosen, levels = SourceConfig.from_options(options), []
    if chosen.battery:
        flow = Flow(plus=chosen.battery, minus=chosen.charging, sign=-1 if chosen.inverted else 1)
        levels = list(chosen.charge_levels)
    else:
        grid_meter = None if manager is None else manager.data.get(CONF_METER_ENTRY)
        found = inverters_with_battery(hass, grid_meter) if SHARED in hass.data else []
        serials = [entry.data[CONF_SERIAL] for entry, _ in found]
        flow = Flow(
            plus=[entity for serial in serials for entity in _named(inverters, serial, key)],
            sign=-1 if options.get(CONF_BATTERY_INVERTED) else 1,
        )
        levels = [entity for serial in serials for entity in _named(inverters, serial, level)]
    if key in own:
        flow = Flow(plus=(own[key],))
    # Of several none is the mean.
    return flow, own.get(level) or (levels[0] if len(levels) == 1 else None)


def _named(inverters: Mapping[str, Entities], serial: str | None, key: str) -> list[str]:
    entities = inverters.get(serial or "", {})
    return [entities[key]] if key in entities else []
