"""A home whose inverter sends to the simulated cloud, and entries for it."""

from dataclasses import replace
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.solaredge.budget import Quota
from simulator import CloudConfig, FaultBoard, HomeConfig, HouseConfig, InverterConfig, PvConfig
from simulator.cloud import CloudServer

from .site import Site

OURS = "custom_components.pv_load_manager"
CLOUD = CloudConfig(delay_s=0.2, minute_quota=100_000, month_quota=100_000, day_quota=100_000)
BUCKET_S = 2.0
DELAY_S = 0.5
QUOTA = Quota(calls=10_000, span_s=86_400.0, reserve=0, wanted_s=0.1, idle_s=0.1, night_s=0.1, exhausted_s=0.1)


def cloud_home(*, pv_w: float = 6000.0, house_w: float = 1000.0, **more: Any) -> HomeConfig:
    """Describe a home with constant sun, whose cloud is the only thing that knows it."""
    return HomeConfig(
        pv=PvConfig(constant_w=pv_w),
        house=HouseConfig(constant_w=house_w),
        inverter=InverterConfig(),
        **{"cloud": replace(CLOUD, bucket_s=BUCKET_S), "chargers": (), **more},
    )


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale everything about the cloud down to seconds."""
    coordinator, client = f"{OURS}.coordinators.solaredge_cloud", f"{OURS}.solaredge.cloud"
    for version in ("V1_QUOTA", "V2_QUOTA"):
        monkeypatch.setattr(f"{coordinator}.{version}", QUOTA)
    monkeypatch.setattr(f"{coordinator}.LOOK_INTERVAL", 1.0)
    monkeypatch.setattr(f"{coordinator}.LONGEST_CADENCE", 5.0)
    monkeypatch.setattr(f"{coordinator}.V1_DELAY_S", DELAY_S)
    monkeypatch.setattr(f"{client}.V1_DELAY_S", DELAY_S)
    monkeypatch.setattr(f"{client}.TIMEOUT_S", 0.4)
    monkeypatch.setattr(f"{OURS}.solaredge.cloud_v2.BUCKET_S", BUCKET_S)
    monkeypatch.setattr(f"{OURS}.solaredge.budget.RETIRED_PAUSE", 2.0)


def server(site: Site) -> CloudServer:
    """Return the cloud."""
    assert site.home.cloud is not None
    return site.home.cloud


def board(site: Site) -> FaultBoard[CloudServer]:
    """Return what goes wrong with the cloud."""
    assert site.home.cloud_faults is not None
    return site.home.cloud_faults


def cloud_entry(hass: HomeAssistant, api: str = "v1", **data: Any) -> MockConfigEntry:
    """Return the entry of the site, known to Home Assistant and not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="SolarEdge Virtual home (Cloud)",
        unique_id=f"solaredge_cloud_{CLOUD.site_id}",
        data={
            "entry_type": "solaredge",
            "connection": "cloud",
            "serial": CLOUD.site_id,
            "api_version": api,
            "api_key": CLOUD.api_key if api == "v1" else CLOUD.fleet_key,
            "time_zone": CLOUD.time_zone,
            "model": f"Monitoring API {api.upper()}",
            **data,
        },
    )
    entry.add_to_hass(hass)
    return entry
