"""The circuits of the house as the control core knows them: the house connection and the sub-entries below it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..const import (
    CIRCUIT_SUBENTRY,
    CONF_FALLBACK,
    CONF_IMBALANCE,
    CONF_LARGEST_CONSUMER,
    CONF_LIMIT,
    CONF_LIMIT_POWER,
    CONF_MAIN_FUSE,
    CONF_METER_SOURCE,
    CONF_PARENT,
    CONF_PHASES,
    CONF_SAFETY_MARGIN,
    MeterSource,
)
from ..control import ROOT_CIRCUIT, CircuitConfig
from .meter_config import MeterConfig


def circuit_configs(entry: ConfigEntry, *, metered: bool, on_demand: Mapping[str, float]) -> tuple[CircuitConfig, ...]:
    """Return all circuits.

    Args:
        entry: the load manager's.
        metered: whether the house connection is watched, phase by phase.
        on_demand: what somebody allows for now per phase in A, by circuit id.
    """
    meters = circuit_meters(entry)
    root = _circuit(
        ROOT_CIRCUIT, entry.data, meters.get(ROOT_CIRCUIT), limit_key=CONF_MAIN_FUSE, parent=None, metered=metered
    )
    return tuple(
        replace(circuit, demand_limit_a=on_demand.get(circuit.circuit_id))
        for circuit in (root, *_branches(entry, meters))
    )


def circuit_names(entry: ConfigEntry, root: str) -> dict[str, str]:
    """Return the circuits' names by their ids; ``root`` is what the house connection is called."""
    circuits = entry.get_subentries_of_type(CIRCUIT_SUBENTRY)
    return {ROOT_CIRCUIT: root} | {circuit.subentry_id: circuit.title for circuit in circuits}


def circuit_meters(entry: ConfigEntry) -> dict[str, MeterConfig]:
    """Return the meters that consist of sensors, by the id of the circuit they measure."""
    phases = entry.data[CONF_PHASES]
    owners: dict[str, Mapping[str, Any]] = {
        circuit.subentry_id: circuit.data for circuit in entry.get_subentries_of_type(CIRCUIT_SUBENTRY)
    }
    if entry.data[CONF_METER_SOURCE] == MeterSource.SENSOR:
        owners[ROOT_CIRCUIT] = entry.data
    meters = {circuit_id: MeterConfig.from_data(data, phases) for circuit_id, data in owners.items()}
    return {circuit_id: meter for circuit_id, meter in meters.items() if meter is not None}


def _branches(entry: ConfigEntry, meters: Mapping[str, MeterConfig]) -> Iterator[CircuitConfig]:
    for circuit in entry.get_subentries_of_type(CIRCUIT_SUBENTRY):
        meter = meters.get(circuit.subentry_id)
        yield _circuit(
            circuit.subentry_id,
            circuit.data,
            meter,
            limit_key=CONF_LIMIT,
            parent=circuit.data[CONF_PARENT],
            # A meter that lost a sensor is a dead meter, never none.
            metered=meter is not None,
        )


def _circuit(
    circuit_id: str,
    data: Mapping[str, Any],
    meter: MeterConfig | None,
    *,
    limit_key: str,
    parent: str | None,
    metered: bool,
) -> CircuitConfig:
    power = data.get(CONF_LIMIT_POWER)
    imbalance = data.get(CONF_IMBALANCE)
    return CircuitConfig(
        circuit_id=circuit_id,
        parent_id=parent,
        limit_a=float(data[limit_key]),
        limit_w=float(power) if power else None,
        imbalance_a=float(imbalance) if imbalance else None,
        metered=metered,
        meter_max_age_s=meter.max_age_s if meter is not None else None,
        largest_consumer_a=float(data.get(CONF_LARGEST_CONSUMER, 0)) if metered else 0.0,
        safety_margin=data.get(CONF_SAFETY_MARGIN, 0) / 100,
        fallback_a=float(data.get(CONF_FALLBACK, 0)) if metered else 0.0,
    )
