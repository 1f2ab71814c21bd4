"""The system information page, and the diagnostics of one device."""

import asyncio
from importlib.metadata import version
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_device
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.const import DOMAIN
from simulator import SECRET_MARK

from .code import load
from .conftest import OURS
from .site import Site, eventually


async def health(hass: HomeAssistant) -> dict[str, Any]:
    """Return what the page says."""
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    return {key: await value if asyncio.iscoroutine(value) else value for key, value in info.items()}


async def test_all_is_well(site: Site) -> None:
    """Every device is counted, and the control core is alive; no cloud is asked that nobody uses."""
    await site.set_up_all()
    info = await health(site.hass)
    assert 0 <= info.pop("last_decision") < 3
    assert info == {
        "chargers": "1/1",
        "inverters": "1/1",
        "control_core": "ok",
        "protection": "fresh",
        "repairs": 0,
        "websockets": version("websockets"),
        "solaredged": version("solaredged"),
    }


async def test_something_is_wrong(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A charger that is gone is missing, and a control core that fails says so."""
    _, charger, _ = await site.set_up_all()
    await site.home.chargers[0].stop()
    await eventually(lambda: site.value(charger, "state") == "unavailable")

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"{OURS}.coordinators.load_manager.decide", fail)
    await eventually(lambda: site.hass.data[DOMAIN].load_manager.failed)
    info = await health(site.hass)
    assert (info["chargers"], info["inverters"], info["control_core"]) == ("0/1", "1/1", "failed")


async def test_clouds(site: Site, aioclient_mock: AiohttpClientMocker) -> None:
    """A cloud that is used is asked whether it answers."""
    aioclient_mock.get("https://app.wattpilot.io", text="")
    aioclient_mock.get("https://monitoringapi.solaredge.com", exc=TimeoutError)
    for entry in (site.charger_entry(), site.inverter_entry()):
        site.hass.config_entries.async_update_entry(entry, data=entry.data | {"connection": "cloud"})
    assert await async_setup_component(site.hass, DOMAIN, {})
    info = await health(site.hass)
    assert info["charger_cloud"] == "ok"
    assert info["inverter_cloud"] == {"type": "failed", "error": "timeout"}


async def test_texts(site: Site) -> None:
    """Everything on the page has its text."""
    await site.set_up_all()
    info = await health(site.hass)
    texts = load("translations/en.json")["system_health"]["info"]
    assert {*info, "charger_cloud", "inverter_cloud"} == set(texts)


async def test_device(site: Site, hass_client: ClientSessionGenerator, device_registry: dr.DeviceRegistry) -> None:
    """The diagnostics of a device say what it is, what its entities show and what its entry knows, and no secret."""
    _, charger, _ = await site.set_up_all()
    (device,) = dr.async_entries_for_config_entry(device_registry, charger.entry_id)
    assert isinstance(device, dr.DeviceEntry)
    data: Any = await get_diagnostics_for_device(site.hass, hass_client, charger, device)
    assert data["device"] == {
        "model": "Wattpilot Home 11 J 2.0",
        "model_id": "wattpilot_V2",
        "hw_version": "11 kW",
        "sw_version": "42.5",
    }
    assert data["entities"]["sensor.garage_error"] == "none"
    assert data["entities"]["sensor.garage_cable_lock"] is None
    assert data["connection"] == "connected"
    assert data["session"]["ended"] is None
    assert "virtual-home" not in str(data)
    assert SECRET_MARK not in str(data)
