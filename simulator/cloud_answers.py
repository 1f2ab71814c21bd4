"""The bodies that the cloud answers with: version 1 as captured, version 2 as documented."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from .cloud_record import Bucket, CloudRecord
from .config import CloudConfig
from .home import Home

type Json = dict[str, Any]

_FORMAT = "%Y-%m-%d %H:%M:%S"
_FLOWING_W = 5.0


def power_flow(home: Home, record: CloudRecord, config: CloudConfig) -> Json:
    """Return `currentPowerFlow`: magnitudes in kW, directions in the connections, whose names have mixed case."""
    flow = record.arrived
    grid, load, battery = flow.grid_w, flow.house_w + flow.cars_w, flow.battery_w
    links: list[tuple[str, str]] = []
    if battery > _FLOWING_W:
        links.append(("STORAGE", "Load"))
    if flow.pv_w > _FLOWING_W:
        links.append(("PV", "Load"))
    if battery < -_FLOWING_W:
        links.append(("PV", "Storage"))
    if config.meter and abs(grid) > _FLOWING_W:
        links.append(("GRID", "Load") if grid > 0 else ("LOAD", "Grid"))
    body: Json = {
        "updateRefreshRate": 3,
        "unit": "kW",
        "connections": [{"from": source, "to": sink} for source, sink in links],
        "LOAD": {"status": "Active", "currentPower": _kw(load)},
        "PV": {"status": "Active" if flow.pv_w > _FLOWING_W else "Idle", "currentPower": _kw(flow.pv_w)},
    }
    if config.meter:
        body["GRID"] = {"status": "Active", "currentPower": _kw(grid)}
    if home.battery is not None:
        status = "Idle" if abs(battery) <= _FLOWING_W else "Discharging" if battery > 0 else "Charging"
        soc = round(home.battery.soc * 100)
        body["STORAGE"] = {"status": status, "currentPower": _kw(battery), "chargeLevel": soc, "critical": False}
    return {"siteCurrentPowerFlow": body}


def _kw(watts: float) -> float:
    return round(abs(watts) / 1000, 2)


def details(home: Home, record: CloudRecord, config: CloudConfig) -> Json:
    """Return `details`."""
    return {
        "details": {
            "id": int(config.site_id),
            "name": config.name,
            "status": "Active",
            "peakPower": home.config.pv.peak_w / 1000,
            "lastUpdateTime": record.now.strftime(_FORMAT),
            "location": {"country": "Germany", "timeZone": config.time_zone},
            "primaryModule": {"manufacturerName": "SolarEdge", "modelName": "Virtual", "maximumPower": 400.0},
        }
    }


def overview(home: Home, record: CloudRecord, _config: CloudConfig) -> Json:
    """Return `overview`, Wh and W."""
    energy = round(home.energies.inverter, 1)
    return {
        "overview": {
            "lastUpdateTime": record.now.strftime(_FORMAT),
            "lifeTimeData": {"energy": energy, "revenue": 0.0},
            "lastYearData": {"energy": energy},
            "lastMonthData": {"energy": energy},
            "lastDayData": {"energy": energy},
            "currentPower": {"power": round(record.arrived.pv_w, 2)},
            "measuredBy": "INVERTER",
        }
    }


def inventory(home: Home, _record: CloudRecord, config: CloudConfig) -> Json:
    """Return `inventory`, whose key has a capital."""
    inverter = home.config.inverter
    serial = inverter.serial if inverter is not None else ""
    return {
        "Inventory": {
            "inverters": [{"name": "Inverter 1", "manufacturer": "SolarEdge", "model": "SE10K", "SN": serial}],
            "meters": [{"name": "Export+Import Meter", "type": "FeedIn"}] if config.meter else [],
            "batteries": [{"name": "Battery 1", "SN": "B1"}] if home.battery is not None else [],
            "sensors": [],
            "gateways": [],
        }
    }


def storage_data(home: Home, record: CloudRecord, _config: CloudConfig) -> Json:
    """Return `storageData`: here discharging is negative."""
    batteries = []
    if home.battery is not None:
        telemetry = {
            "timeStamp": record.now.strftime(_FORMAT),
            "power": round(-record.arrived.battery_w, 3),
            "batteryState": 4 if record.arrived.battery_w > 0 else 3,
            "batteryPercentageState": round(home.battery.soc * 100, 3),
            "lifeTimeEnergyCharged": round(home.battery.charged_wh),
            "lifeTimeEnergyDischarged": round(home.battery.discharged_wh),
        }
        size = home.battery.config.capacity_wh
        batteries = [
            {
                "nameplate": size,
                "serialNumber": "B1",
                "modelNumber": "Virtual",
                "telemetryCount": 1,
                "telemetries": [telemetry],
            }
        ]
    return {"storageData": {"batteryCount": len(batteries), "batteries": batteries}}


def energy_details(home: Home, _record: CloudRecord, _config: CloudConfig) -> Json:
    """Return `energyDetails`, Wh, as one value since the start of time."""
    energies = {
        "Production": home.energies.inverter,
        "FeedIn": sum(home.energies.exported),
        "Purchased": sum(home.energies.imported),
    }
    date = home.local_time.strftime(_FORMAT)
    meters = [{"type": name, "values": [{"date": date, "value": value}]} for name, value in energies.items()]
    return {"energyDetails": {"timeUnit": "DAY", "unit": "Wh", "meters": meters}}


V1: dict[str, Callable[[Home, CloudRecord, CloudConfig], Json]] = {
    "currentPowerFlow": power_flow,
    "details": details,
    "overview": overview,
    "inventory": inventory,
    "storageData": storage_data,
    "energyDetails": energy_details,
}
"""What version 1 answers to, by the end of the path."""


def site(_home: Home, record: CloudRecord, config: CloudConfig) -> Json:
    """Return `/sites/{id}`."""
    return {
        "siteId": int(config.site_id),
        "name": config.name,
        "peakPower": 9.0,
        "lastUpdateTime": record.now.isoformat(timespec="seconds"),
        "location": {"country": "Germany", "timezone": config.time_zone},
        "activationStatus": "ACTIVE",
    }


def day(home: Home, _record: CloudRecord, config: CloudConfig) -> Json:
    """Return `/sites/{id}/overview`, Wh."""
    exported, imported = sum(home.energies.exported), sum(home.energies.imported)
    return {
        "siteId": int(config.site_id),
        "production": {"total": home.energies.inverter, "unit": "WH", "toGrid": exported},
        "consumption": {"total": imported, "unit": "WH", "fromGrid": imported},
    }


class Telemetry:
    """The series of version 2 between two times."""

    def __init__(self, record: CloudRecord, config: CloudConfig, begin: datetime, end: datetime) -> None:
        self._record = record
        self._period = {"from": begin.isoformat(), "to": end.isoformat()}
        self._starts: list[datetime] = []
        at = record.bucket_of(begin)
        while at < end:
            self._starts.append(at)
            at += timedelta(seconds=config.bucket_s)

    def power(self) -> Json:
        """Return the production; a quarter that is not over has the value null."""
        series = self._series("W", lambda bucket: bucket.produced / bucket.seconds)
        return {"period": self._period, "resolution": "QUARTER_HOUR", **series}

    def meters(self, *, meter: bool) -> Json:
        """Return what the meter at the house connection counts."""
        devices = {
            "M-GRID-001": {
                "importPower": self._series("W", lambda bucket: bucket.imported / bucket.seconds),
                "exportPower": self._series("W", lambda bucket: bucket.exported / bucket.seconds),
                "importEnergy": self._series("WH", lambda bucket: bucket.imported / 3600),
                "exportEnergy": self._series("WH", lambda bucket: bucket.exported / 3600),
            }
        }
        return {"period": self._period, "resolution": "QUARTER_HOUR", "meters": devices if meter else {}}

    def storage(self, *, battery: bool) -> Json:
        """Return what the battery does."""
        devices = {
            "BATT-001": {
                "chargePower": self._series("KW", lambda bucket: bucket.charged / bucket.seconds / 1000),
                "dischargePower": self._series("KW", lambda bucket: bucket.discharged / bucket.seconds / 1000),
                "stateOfEnergy": self._series("PERCENTAGE", lambda bucket: bucket.soc),
            }
        }
        return {"period": self._period, "resolution": "QUARTER_HOUR", "storage": devices if battery else {}}

    def _series(self, unit: str, value: Callable[[Bucket], float | None]) -> Json:
        return {"unit": unit, "values": list(self._values(value))}

    def _values(self, value: Callable[[Bucket], float | None]) -> Iterable[Json]:
        for at in self._starts:
            bucket = self._record.finished(at)
            figure = value(bucket) if bucket is not None else None
            yield {"timestamp": at.isoformat(), "value": None if figure is None else round(figure, 3)}
