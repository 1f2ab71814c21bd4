"""The module of the dashboard: served, loaded by every page while there are entries, and written nowhere."""

from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus
import json
from pathlib import Path
from unittest.mock import patch

from homeassistant.components import onboarding
from homeassistant.components.frontend import DATA_EXTRA_MODULE_URL
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.dashboard import MODULE, SERVED_AS

from .code import load
from .conftest import OURS
from .site import Site
from .test_ledger import write_now
from .test_ledger_files import storage

CONTENT = b"export const built = 1;\n"
ADDRESS = f"{SERVED_AS}?v={load('manifest.json')['version']}-{sha256(CONTENT).hexdigest()[:8]}"


@pytest.fixture(autouse=True)
def _known_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a module of known content in the place of the built one."""
    path = tmp_path / MODULE.name
    path.write_bytes(CONTENT)
    monkeypatch.setattr(f"{OURS}.dashboard.MODULE", path)


@pytest.fixture(name="frontend")
async def frontend_fixture(hass: HomeAssistant) -> None:
    """Set up the user interface, as Home Assistant does before any integration of its users."""
    pytest.importorskip("hass_frontend", reason="the user interface of Home Assistant is not installed")
    assert await async_setup_component(hass, "frontend", {})


@pytest.fixture(autouse=True)
def _onboarded() -> Iterator[None]:
    """Have somebody done the first steps, so that there are pages."""
    with patch.object(onboarding, "async_is_onboarded", return_value=True):
        yield


def loaded(hass: HomeAssistant) -> set[str]:
    """Return the modules that every page loads."""
    return set(hass.data[DATA_EXTRA_MODULE_URL].urls)


@pytest.mark.usefixtures("frontend")
async def test_every_page_loads_the_module(site: Site, hass_client: ClientSessionGenerator) -> None:
    """It is in the page under an address of version and content, comes as JavaScript, and may be kept for long."""
    await site.set_up(site.inverter_entry())
    client = await hass_client()
    page = await (await client.get("/lovelace")).text()
    assert f'import("{ADDRESS}")' in page
    answer = await client.get(ADDRESS)
    assert answer.status == HTTPStatus.OK
    assert answer.content_type == "text/javascript"
    assert "max-age=2678400" in answer.headers["Cache-Control"]
    assert await answer.read() == CONTENT


@pytest.mark.usefixtures("frontend")
async def test_open_pages_are_told_once(site: Site, hass_ws_client: WebSocketGenerator) -> None:
    """Many entries offer one module; who has a page open need not load it anew."""
    assert await async_setup_component(site.hass, DOMAIN, {})
    client = await hass_ws_client()
    await client.send_json_auto_id({"type": "frontend/subscribe_extra_js"})
    assert (await client.receive_json())["success"]
    await site.set_up_all()
    told = await client.receive_json()
    assert told["event"] == {"change_type": "added", "item": {"type": "module", "url": ADDRESS}}
    await client.send_json_auto_id({"type": "ping"})
    assert (await client.receive_json())["type"] == "pong"


@pytest.mark.usefixtures("frontend")
async def test_it_comes_and_goes_with_the_entries(site: Site) -> None:
    """The last entry takes it away, and one that comes later brings it again, without a restart."""
    hass = site.hass
    assert await async_setup_component(hass, DOMAIN, {})
    assert ADDRESS not in loaded(hass)
    for _ in range(2):
        first, second = site.inverter_entry(), site.charger_entry()
        await site.set_up(first, second)
        assert loaded(hass) == {ADDRESS}
        await hass.config_entries.async_remove(first.entry_id)
        assert loaded(hass) == {ADDRESS}
        await hass.config_entries.async_remove(second.entry_id)
        assert loaded(hass) == set()


@pytest.mark.usefixtures("frontend")
async def test_reloads_change_nothing(site: Site) -> None:
    """An entry that is unloaded, or cannot be set up, has a dashboard that says so."""
    site.home.chargers[0].faults.wrong_password = True
    charger = site.charger_entry()
    assert not await site.hass.config_entries.async_setup(charger.entry_id)
    await site.hass.async_block_till_done()
    assert loaded(site.hass) == {ADDRESS}
    await site.hass.config_entries.async_unload(charger.entry_id)
    assert loaded(site.hass) == {ADDRESS}


@pytest.mark.usefixtures("frontend")
async def test_a_checkout_without_the_module(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was not built is told once, with what to do; everything else works."""
    monkeypatch.setattr(f"{OURS}.dashboard.MODULE", tmp_path / "not_built.js")
    entries = await site.set_up_all()
    assert len([record for record in caplog.records if "scripts/frontend" in record.getMessage()]) == 1
    assert loaded(site.hass) == set()
    for entry in entries:
        assert (await site.hass.config_entries.async_remove(entry.entry_id))["require_restart"] is False
    assert "Traceback" not in caplog.text


async def test_without_a_user_interface(site: Site, hass_client: ClientSessionGenerator) -> None:
    """A Home Assistant that has none serves nothing, and misses nothing."""
    entries = await site.set_up_all()
    assert (await (await hass_client()).get(ADDRESS)).status == HTTPStatus.NOT_FOUND
    for entry in entries:
        await site.hass.config_entries.async_remove(entry.entry_id)
    assert DATA_EXTRA_MODULE_URL not in site.hass.data


class TestFiles:
    """With Home Assistant's own files."""

    @pytest.fixture
    def hass_config_dir(self, hass_tmp_config_dir: str) -> str:
        """Keep the files of each test apart."""
        return hass_tmp_config_dir

    @pytest.fixture
    def hass_storage(self) -> dict[str, object]:
        """Let Home Assistant write its files."""
        return {}

    @pytest.mark.usefixtures("frontend")
    async def test_where_nothing_can_be_set_up(self, site: Site, hass_ws_client: WebSocketGenerator) -> None:
        """A dashboard stays, and can ask what is wrong, where a later version has written the files."""
        later = {"version": 2, "minor_version": 1, "key": DOMAIN, "data": {}}
        (storage(site.hass) / DOMAIN).write_text(json.dumps(later), encoding="utf-8")
        inverter, manager = site.inverter_entry(), site.manager_entry()
        assert not await async_setup_component(site.hass, DOMAIN, {})
        assert loaded(site.hass) == {ADDRESS}
        client = await hass_ws_client()
        for command in ("home", "subscribe"):
            await client.send_json_auto_id({"type": f"{DOMAIN}/{command}"})
            assert (await client.receive_json())["success"]
            event = (await client.receive_json())["event"]
            if command == "home":
                assert event["manager"]["entry_id"] == manager.entry_id
                assert event["manager"]["state"] != "loaded"
                assert [found["entry_id"] for found in event["inverters"]] == [inverter.entry_id]
            else:
                assert event is None


@pytest.mark.usefixtures("frontend")
async def test_nothing_of_the_users_is_written(site: Site, hass_storage: dict[str, object]) -> None:
    """Dashboards and resources are the users'."""
    await site.set_up_all()
    await write_now(site.hass)
    assert DOMAIN in hass_storage
    assert not [key for key in hass_storage if key.startswith("lovelace")]
