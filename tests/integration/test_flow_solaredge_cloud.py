"""The flow of a site in SolarEdge's cloud, against the simulated cloud."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.pv_load_manager.const import DOMAIN

from .clouds import CLOUD, board, cloud_entry, cloud_home, server, shorten
from .conftest import BuildSite
from .flows import aborts, answer, creates, shows, suggested
from .site import Site

TITLE = "SolarEdge Virtual home (Cloud)"
COMMON = {"entry_type": "solaredge", "connection": "cloud", "serial": CLOUD.site_id, "time_zone": "Europe/Berlin"}
V1 = {"site_id": CLOUD.site_id, "access": "v1_key", "api_key": CLOUD.api_key}
V2 = {"site_id": CLOUD.site_id, "access": "v2_key", "api_key": CLOUD.fleet_key}
V2_TOKEN = {"site_id": CLOUD.site_id, "access": "v2_token", "api_key": CLOUD.token}


@pytest.fixture(name="site")
async def site_fixture(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a home whose cloud takes the place of the real one."""
    shorten(monkeypatch)
    site = await build_site(cloud_home())
    monkeypatch.setattr("custom_components.pv_load_manager.solaredge.cloud.BASE_URL", server(site).url)
    return site


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Choose the cloud in the menu."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "solaredge_cloud"})
    shows(result, "solaredge_cloud")
    return result


@pytest.mark.parametrize(
    ("typed", "data"),
    [
        (V1, {"api_version": "v1", "api_key": CLOUD.api_key, "model": "Monitoring API V1"}),
        (V2, {"api_version": "v2", "api_key": CLOUD.fleet_key, "model": "Monitoring API V2"}),
        (V2_TOKEN, {"api_version": "v2", "token": CLOUD.token, "model": "Monitoring API V2"}),
        (
            V2 | {"account_key": " account "},
            {"api_version": "v2", "api_key": CLOUD.fleet_key, "account_key": "account", "model": "Monitoring API V2"},
        ),
        (
            V1 | {"api_key": f" {CLOUD.api_key}\n", "site_id": f" {CLOUD.site_id} ", "account_key": "other"},
            {"api_version": "v1", "api_key": CLOUD.api_key, "model": "Monitoring API V1"},
        ),
    ],
)
async def test_ok(site: Site, typed: dict[str, Any], data: dict[str, Any]) -> None:
    """One call finds out who the site is."""
    result = await answer(site.hass, await begin(site.hass), typed)
    creates(result, TITLE, COMMON | data)
    assert result["result"].unique_id == f"solaredge_cloud_{CLOUD.site_id}"
    await site.hass.async_block_till_done()
    assert result["result"].state in {ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", "cloud_auth"),
        ("forbidden", "cloud_auth"),
        ("gone", "cloud_retired"),
        ("rate_limited", "cloud_rate_limited"),
        ("broken", "cannot_connect_cloud"),
        ("html", "cloud_nonsense"),
        ("malformed", "cloud_nonsense"),
        ("silent", "cannot_connect_cloud"),
        ("drop", "cannot_connect_cloud"),
        ("offline", "cannot_connect_cloud"),
    ],
)
async def test_errors(site: Site, fault: str, error: str) -> None:
    """Each fault has a message of its own; the same form goes on with what was typed, but without any secret."""
    await board(site).start(fault, {}, now=0.0)
    result = await answer(site.hass, await begin(site.hass), V1 | {"account_key": "other"})
    shows(result, "solaredge_cloud", {"base": error})
    assert suggested(result) == {"site_id": CLOUD.site_id, "access": "v1_key"}
    await board(site).end(fault)
    result = await answer(site.hass, result, V1)
    assert result["title"] == TITLE


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"site_id": "my site"}, {"site_id": "invalid_site_id"}),
        ({"site_id": "1" * 13}, {"site_id": "invalid_site_id"}),
        ({"site_id": "²"}, {"site_id": "invalid_site_id"}),
        ({"site_id": " "}, {"site_id": "invalid_site_id"}),
        ({"api_key": "  "}, {"api_key": "invalid_key"}),
        ({"api_key": "one\ntwo"}, {"api_key": "invalid_key"}),
        ({"api_key": "schlüssel"}, {"api_key": "invalid_key"}),
        ({"api_key": "x" * 9000}, {"api_key": "invalid_key"}),
        ({"account_key": "a\tb"}, {"account_key": "invalid_key"}),
        ({"site_id": "x", "api_key": ""}, {"site_id": "invalid_site_id", "api_key": "invalid_key"}),
    ],
)
async def test_invalid(site: Site, typed: dict[str, Any], errors: dict[str, str]) -> None:
    """What cannot be is refused at its field, without a call."""
    result = await answer(site.hass, await begin(site.hass), V2 | typed)
    shows(result, "solaredge_cloud", errors)
    assert server(site).calls == []
    assert (await answer(site.hass, result, V2))["title"] == TITLE


async def test_unknown_site(site: Site) -> None:
    """A site that the cloud does not know."""
    result = await answer(site.hass, await begin(site.hass), V2 | {"site_id": "1"})
    shows(result, "solaredge_cloud", {"base": "cloud_unknown_site"})


async def test_duplicate(site: Site) -> None:
    """A site is not added twice."""
    entry = cloud_entry(site.hass)
    result = await answer(site.hass, await begin(site.hass), V2)
    aborts(result, "already_configured")
    assert entry.data["api_version"] == "v1"


async def test_reconfigure_to_version_2(site: Site) -> None:
    """The way out for a site of version 1; what opened it is gone then."""
    entry = cloud_entry(site.hass)
    await site.set_up(entry)
    result = await entry.start_reconfigure_flow(site.hass)
    shows(result, "solaredge_cloud")
    assert suggested(result) == {"site_id": CLOUD.site_id, "access": "v1_key"}
    result = await answer(site.hass, result, V2_TOKEN)
    aborts(result, "reconfigure_successful")
    assert dict(entry.data) == COMMON | {"api_version": "v2", "token": CLOUD.token, "model": "Monitoring API V2"}
    await site.hass.async_block_till_done()


async def test_reconfigure_to_another_site(site: Site, build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another site does not take the place of the one that is set up."""
    entry = cloud_entry(site.hass, "v2")
    result = await entry.start_reconfigure_flow(site.hass)
    assert suggested(result) == {"site_id": CLOUD.site_id, "access": "v2_key"}
    other = await build_site(cloud_home(cloud=type(CLOUD)(site_id="7654321")))
    monkeypatch.setattr("custom_components.pv_load_manager.solaredge.cloud.BASE_URL", server(other).url)
    aborts(await answer(site.hass, result, V2 | {"site_id": "7654321"}), "wrong_site")
    assert entry.data["serial"] == CLOUD.site_id


async def test_reauth(site: Site) -> None:
    """A withdrawn key is asked for anew, and a wrong one again."""
    entry = cloud_entry(site.hass, "v2", api_key=None, token="old")
    await site.hass.config_entries.async_setup(entry.entry_id)
    await site.hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = site.hass.config_entries.flow.async_progress()
    result = await site.hass.config_entries.flow.async_configure(flow["flow_id"])
    shows(result, "reauth_solaredge_cloud")
    assert suggested(result) == {"access": "v2_token"}
    result = await answer(site.hass, result, {"access": "v2_token", "api_key": "older"})
    shows(result, "reauth_solaredge_cloud", {"base": "cloud_auth"})
    result = await answer(site.hass, result, {"access": "v2_token", "api_key": ""})
    shows(result, "reauth_solaredge_cloud", {"api_key": "invalid_key"})
    result = await answer(site.hass, result, {"access": "v1_key", "api_key": CLOUD.api_key})
    aborts(result, "reauth_successful")
    await site.hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert "token" not in entry.data
