"""The series of version 2 (reference: SolarEdge "Basic Monitoring API" 2.0.1): means over quarters of an hour.

Meters and batteries each have series of their own by metric; a timestamp is the begin of its quarter.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from .cloud_models import CloudReading, CloudSite
from .cloud_values import ENERGY_UNITS, POWER_UNITS, as_number, as_text, object_of

RESOLUTION: Final = "QUARTER_HOUR"
BUCKET_S = 900.0

type Series = dict[datetime, float]
"""Mean power in W, or a percentage, by the begin of the quarter (aware)."""


def parse_site(body: Mapping[str, Any], site_id: str) -> CloudSite:
    """Return who a site is from the answer to ``/sites/{id}``, which may be wrapped."""
    wrapped = body.get("site")
    site = wrapped if isinstance(wrapped, dict) else body
    location = site.get("location")
    return CloudSite(
        site_id=site_id,
        name=as_text(site.get("name")),
        time_zone=as_text(location.get("timezone")) if isinstance(location, dict) else None,
    )


def parse_power(body: Mapping[str, Any], now: datetime) -> Series:
    """Return the net production of the roof from the answer to ``/power``."""
    return _series(body, POWER_UNITS, now)


def parse_meters(body: Mapping[str, Any], now: datetime) -> tuple[Series, Series]:
    """Return the power at the house connection (import +) and the production that meters measure."""
    meters = _devices(body, "meters")
    grid, production = [], []
    for meter in meters:
        taken, given = (_power(meter, name, now) for name in ("import", "export"))
        if taken is not None or given is not None:
            grid.append(_difference(taken, given))
        made = _power(meter, "production", now)
        if made is not None:
            production.append(made)
    return _total(grid), _total(production)


def parse_storage(body: Mapping[str, Any], now: datetime) -> tuple[Series, Series] | None:
    """Return the power of all batteries (discharge +) and their mean state of charge in %; None = there is none."""
    batteries = _devices(body, "storage")
    if not batteries:
        return None
    powers, charges = [], []
    for battery in batteries:
        given, taken = (_power(battery, name, now) for name in ("discharge", "charge"))
        powers.append(_difference(given, taken))
        charge = battery.get("stateOfEnergy")
        if isinstance(charge, dict):
            charges.append(_series(charge, None, now))
    soc = _total(charges)
    return _total(powers), {at: value / len(charges) for at, value in soc.items()}


def combine(grid: Series, production: Series, storage: tuple[Series, Series] | None) -> CloudReading | None:
    """Return the last quarter that meter and batteries know, or the last of the meter where they share none.

    Powers of different quarters beside each other would look like sun that nobody has.
    """
    power, soc = storage if storage is not None else ({}, {})
    common = grid.keys() & power.keys() if power else grid.keys()
    candidates = common or grid.keys() or production.keys() or power.keys()
    if not candidates:
        return None
    at, made = max(candidates), max(production, default=None)
    quarter = timedelta(seconds=BUCKET_S)
    return CloudReading(
        at=at + quarter,
        mean_s=BUCKET_S,
        grid_w=grid.get(at),
        pv_w=None if made is None else max(0.0, production[made]),
        pv_at=None if made is None else made + quarter,
        battery_w=power.get(at),
        state_of_charge=min(100.0, max(0.0, soc[max(soc)])) if soc else None,
    )


def _devices(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [device for device in object_of(body, key).values() if isinstance(device, dict)]


def _power(device: Mapping[str, Any], name: str, now: datetime) -> Series | None:
    """Return a power of a device; where it tells only the energy of each quarter, that says the same."""
    power, energy = device.get(f"{name}Power"), device.get(f"{name}Energy")
    if isinstance(power, dict):
        return _series(power, POWER_UNITS, now)
    if isinstance(energy, dict):
        hours = BUCKET_S / 3600.0
        return {at: value / hours for at, value in _series(energy, ENERGY_UNITS, now).items()}
    return None


def _series(body: Mapping[str, Any], units: Mapping[str, float] | None, now: datetime) -> Series:
    """Return the quarters that are over and have a value; ``units`` None = as they are."""
    factor = 1.0 if units is None else units.get(str(body.get("unit")).upper())
    values = body.get("values")
    if factor is None or not isinstance(values, list):
        return {}
    result: Series = {}
    for item in values:
        if not isinstance(item, dict):
            continue
        at, value = _moment(item.get("timestamp"), now), as_number(item.get("value"))
        # A quarter under way has a mean that will still change.
        if at is not None and value is not None and at <= now - timedelta(seconds=BUCKET_S):
            result[at] = value * factor
    return result


def _moment(text: object, now: datetime) -> datetime | None:
    """Return a time; one without an offset is in the site's own zone, which is that of ``now``."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def _difference(plus: Series | None, minus: Series | None) -> Series:
    """Return one series without the other, where both are known; a device that lacks one never has any of it."""
    if plus is None or minus is None:
        return dict(plus) if plus is not None else {at: -value for at, value in (minus or {}).items()}
    return {at: plus[at] - minus[at] for at in plus.keys() & minus.keys()}


def _total(parts: Sequence[Series]) -> Series:
    """Return the sum of several devices, where all of them are known."""
    if not parts:
        return {}
    common: Iterable[datetime] = set(parts[0]).intersection(*parts[1:])
    return {at: sum(part[at] for part in parts) for at in common}
