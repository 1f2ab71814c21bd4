"""The power flow of version 1 (reference: SolarEdge "Monitoring Server API", `currentPowerFlow`).

Powers are magnitudes there; the direction is only in the list of connections, whose names have mixed case.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from .cloud_errors import CloudNoDataError, CloudNonsenseError
from .cloud_models import CloudReading, CloudSite
from .cloud_values import POWER_UNITS, as_number, as_text, number_of, object_of

NOTHING_W: Final = 1.0  # W; less than this has no direction


def parse_site(body: Mapping[str, Any], site_id: str) -> CloudSite:
    """Return who a site is from the answer to ``details``."""
    details = object_of(body, "details")
    location, module = details.get("location"), details.get("primaryModule")
    return CloudSite(
        site_id=site_id,
        name=as_text(details.get("name")),
        time_zone=as_text(location.get("timeZone")) if isinstance(location, dict) else None,
        model=as_text(module.get("modelName")) if isinstance(module, dict) else None,
    )


def parse_power_flow(body: Mapping[str, Any], at: datetime) -> CloudReading:
    """Return the powers from the answer to ``currentPowerFlow``.

    Args:
        body: the answer.
        at: when they were measured; the answer does not say it.

    Raises:
        CloudNoDataError: the flow is empty.
        CloudNonsenseError: it has another shape.
    """
    if "siteCurrentPowerFlow" in body and not body["siteCurrentPowerFlow"]:
        raise CloudNoDataError("the cloud has no power flow of this site")
    flow = object_of(body, "siteCurrentPowerFlow")
    factor = POWER_UNITS.get(str(flow.get("unit")).upper())
    if factor is None:
        raise CloudNonsenseError("the power flow has an unknown unit")
    sources, sinks = _ends(flow.get("connections"))
    parts = {name.upper(): part for name, part in flow.items() if isinstance(part, dict)}
    storage = parts.get("STORAGE", {})
    status = str(storage.get("status")).lower()
    return CloudReading(
        at=at,
        grid_w=_directed(_power(parts.get("GRID"), factor), gives="grid" in sources, takes="grid" in sinks),
        pv_w=_power(parts.get("PV"), factor),
        pv_at=at,
        battery_w=_directed(
            _power(storage, factor),
            gives="storage" in sources or status == "discharging",
            takes="storage" in sinks or status == "charging",
        ),
        state_of_charge=number_of(storage, "chargeLevel", most=100.0),
    )


def _ends(connections: object) -> tuple[set[str], set[str]]:
    """Return between which parts power flows: where it comes from, and where it goes to."""
    found: Iterable[object] = connections if isinstance(connections, list) else ()
    pairs = [pair for pair in found if isinstance(pair, dict)]
    return {str(pair.get("from")).lower() for pair in pairs}, {str(pair.get("to")).lower() for pair in pairs}


def _power(part: Mapping[str, Any] | None, factor: float) -> float | None:
    if part is None or str(part.get("status")).lower() == "disabled":
        return None
    power = as_number(part.get("currentPower"))
    return None if power is None or power < 0.0 else power * factor


def _directed(power_w: float | None, *, gives: bool, takes: bool) -> float | None:
    """Return a power with the sign of what the house gets; None where nobody knows the direction."""
    if power_w is None or power_w < NOTHING_W:
        return power_w
    if gives is takes:
        return None
    return power_w if gives else -power_w
