"""The config flow of a charger that cannot be reached in the house, and what such a charger is warned of."""

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest

from custom_components.pv_load_manager.const import DOMAIN, EntryType
from custom_components.pv_load_manager.coordinators.clients import is_cloud
from simulator import ChargerConfig

from .conftest import OURS, BuildSite, sunny
from .flows import aborts, answer, begin, creates, reconfigure, shows, suggested
from .site import Site, eventually
from .test_flow_wattpilot import announcement, discover, typed

SERIAL = "10000001"
TYPED = {"serial": SERIAL, "password": "virtual-home"}
DATA = TYPED | {"entry_type": "wattpilot", "connection": "cloud"}
ISSUE = (DOMAIN, f"charger_over_cloud_{SERIAL}")


@pytest.fixture(name="cloud", autouse=True)
def cloud_fixture(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first charger of the home be the cloud."""
    monkeypatch.setattr(f"{OURS}.coordinators.clients.CLOUD", site.home.chargers[0].cloud_url)


async def choose(hass: HomeAssistant) -> ConfigFlowResult:
    """Choose the cloud in the menu."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "wattpilot_cloud"})


async def test_ok(site: Site, device_registry: dr.DeviceRegistry) -> None:
    """A charger is found by its serial number, works, and has no page in the house."""
    result = await choose(site.hass)
    shows(result, "wattpilot_cloud")
    result = await answer(site.hass, result, TYPED | {"serial": f" {SERIAL} "})
    creates(result, "Garage", DATA)
    charger = result["result"]
    assert charger.unique_id == f"wattpilot_{SERIAL}"
    await site.hass.async_block_till_done()
    assert charger.state is ConfigEntryState.LOADED
    await eventually(lambda: site.value(charger, "state") != "unavailable")
    (device,) = dr.async_entries_for_config_entry(device_registry, charger.entry_id)
    assert device.configuration_url is None
    assert charger.supports_options


async def test_recovery_from_each_error(site: Site) -> None:
    """Every mistake has a message of its own, and can be mended in the same form."""
    charger = site.home.chargers[0]
    result = await choose(site.hass)
    result = await answer(site.hass, result, TYPED | {"serial": "WP-1"})
    shows(result, "wattpilot_cloud", {"serial": "invalid_serial"})
    assert suggested(result) == {"serial": "WP-1"}
    result = await answer(site.hass, result, TYPED | {"serial": "10000077"})
    shows(result, "wattpilot_cloud", {"base": "charger_not_in_cloud"})
    result = await answer(site.hass, result, TYPED | {"password": "wrong"})
    shows(result, "wattpilot_cloud", {"base": "invalid_auth"})
    charger.faults.half_snapshot = True
    result = await answer(site.hass, result, TYPED)
    shows(result, "wattpilot_cloud", {"base": "incomplete_status"})
    charger.faults.half_snapshot = False
    creates(await answer(site.hass, result, TYPED), "Garage", DATA)


async def test_no_cloud(site: Site) -> None:
    """Without the internet the form says so."""
    await site.home.chargers[0].stop()
    result = await choose(site.hass)
    shows(await answer(site.hass, result, TYPED), "wattpilot_cloud", {"base": "charger_not_in_cloud"})
    await site.home.chargers[0].start()


async def test_duplicate_keeps_its_way(site: Site) -> None:
    """A charger that is there in the house is not moved to the cloud by adding it again."""
    charger = site.charger_entry()
    before = dict(charger.data)
    aborts(await answer(site.hass, await choose(site.hass), TYPED), "already_configured")
    assert dict(charger.data) == before


async def test_found_in_the_house(site: Site) -> None:
    """A charger of the cloud that its owner adds in the house is reached there from then on."""
    charger = site.charger_entry()
    local = dict(charger.data)
    site.hass.config_entries.async_update_entry(charger, data=DATA)
    result = await begin(site.hass, EntryType.WATTPILOT)
    aborts(await answer(site.hass, result, typed(site)), "already_configured")
    await site.hass.async_block_till_done()
    assert charger.data.items() >= local.items()
    assert not is_cloud(charger.data)


async def test_discovery_keeps_its_way(site: Site) -> None:
    """Whoever chose the cloud has a reason that an announcement does not know."""
    charger = site.charger_entry()
    site.hass.config_entries.async_update_entry(charger, data=DATA)
    aborts(await discover(site.hass, announcement(site)), "already_configured")
    assert dict(charger.data) == DATA


async def test_reconfigure_there_and_back(site: Site) -> None:
    """A charger goes over to the cloud and back into the house; nothing of the other way is left."""
    charger = site.charger_entry()
    local = dict(charger.data)
    await site.set_up(charger)
    result = await reconfigure(site.hass, charger, "wattpilot_cloud")
    shows(result, "wattpilot_cloud")
    assert suggested(result) == {"serial": SERIAL}
    aborts(await answer(site.hass, result, TYPED), "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert dict(charger.data) == DATA
    assert charger.state is ConfigEntryState.LOADED
    result = await reconfigure(site.hass, charger, "wattpilot")
    aborts(await answer(site.hass, result, typed(site)), "reconfigure_successful")
    await site.hass.async_block_till_done()
    assert dict(charger.data) == local
    assert charger.state is ConfigEntryState.LOADED


async def test_reconfigure_to_another_charger(build_site: BuildSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another charger does not take the place of the one that is set up."""
    site = await build_site(sunny(ChargerConfig(), ChargerConfig(serial="10000002", name="Carport")))
    monkeypatch.setattr(f"{OURS}.coordinators.clients.CLOUD", site.home.chargers[1].cloud_url)
    charger = site.charger_entry()
    result = await reconfigure(site.hass, charger, "wattpilot_cloud")
    aborts(await answer(site.hass, result, TYPED | {"serial": "10000002"}), "wrong_device")
    assert "connection" not in charger.data


async def test_reauth(site: Site) -> None:
    """A new password goes the same way as the old one."""
    charger = site.charger_entry()
    site.hass.config_entries.async_update_entry(charger, data=DATA | {"password": "old"})
    await site.hass.config_entries.async_setup(charger.entry_id)
    await site.hass.async_block_till_done()
    (flow,) = site.hass.config_entries.flow.async_progress()
    result = await site.hass.config_entries.flow.async_configure(flow["flow_id"])
    assert result["description_placeholders"] == {"name": "Garage", "host": "app.wattpilot.io"}
    aborts(await answer(site.hass, result, {"password": "virtual-home"}), "reauth_successful")
    await site.hass.async_block_till_done()
    assert dict(charger.data) == DATA
    assert charger.state is ConfigEntryState.LOADED


async def test_a_fuse_that_is_protected_over_the_cloud(site: Site, issue_registry: ir.IssueRegistry) -> None:
    """It charges, and a repair warns for as long as the load manager watches a fuse with it."""
    charger = site.charger_entry()
    site.hass.config_entries.async_update_entry(charger, data=DATA)
    manager = site.manager_entry()
    await site.set_up(site.inverter_entry(), charger, manager)
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 4000)
    issue = issue_registry.async_get_issue(*ISSUE)
    assert issue is not None
    assert issue.translation_placeholders == {"name": "Garage"}
    await site.turn(manager, "dynamic_load_management", on=False)
    await eventually(lambda: issue_registry.async_get_issue(*ISSUE) is None)
    await site.turn(manager, "dynamic_load_management", on=True)
    await eventually(lambda: issue_registry.async_get_issue(*ISSUE) is not None)
    await site.hass.config_entries.async_unload(charger.entry_id)
    assert issue_registry.async_get_issue(*ISSUE) is None


async def test_a_charger_in_the_house_is_not_warned_of(site: Site, issue_registry: ir.IssueRegistry) -> None:
    """Its commands do not take their way over the internet."""
    _, _, manager = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.power_w > 4000)
    assert issue_registry.async_get_issue(*ISSUE) is None
