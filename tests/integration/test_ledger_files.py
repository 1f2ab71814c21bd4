"""The files of the integration: what is left of them after a removal, and what becomes of one that is damaged."""

import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.pv_load_manager.const import DOMAIN
from custom_components.pv_load_manager.coordinators.ledger import KEY, Ledger

from .site import Site, eventually
from .test_ledger import SERIAL, days, saved, session, write_now


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Keep the files of each test apart."""
    return hass_tmp_config_dir


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Let Home Assistant write its files, where a test elsewhere only sees what it would write."""
    return {}


def storage(hass: HomeAssistant) -> Path:
    """Return the folder of Home Assistant's files."""
    folder = Path(hass.config.path(".storage"))
    folder.mkdir(exist_ok=True)
    return folder


def ours(hass: HomeAssistant) -> list[str]:
    """Return the names of our files."""
    return sorted(path.name for path in storage(hass).glob(f"{DOMAIN}*"))


async def test_nothing_is_left(site: Site) -> None:
    """The last entry takes all files with it, also those that were kept aside; a charger alone takes its sessions."""
    folder = storage(site.hass)
    (folder / KEY).write_text(json.dumps(saved(session(1), {"began": "never"})), encoding="utf-8")
    (folder / f"{DOMAIN}_of_others").write_text("{}", encoding="utf-8")
    _, charger, manager = entries = await site.set_up_all()
    await site.select(manager, "fast")
    await eventually(lambda: site.home.chargers[0].charger.session_wh > 20)
    await write_now(site.hass)
    aside, *names = sorted(set(ours(site.hass)) - {DOMAIN})[1:]
    assert aside.startswith(f"{KEY}.damaged.")
    assert names == [f"{DOMAIN}_of_others"]
    text = (folder / KEY).read_text(encoding="utf-8")
    assert session(1).began.isoformat() in text
    await site.hass.config_entries.async_remove(charger.entry_id)
    await write_now(site.hass)
    assert SERIAL not in (folder / KEY).read_text(encoding="utf-8")
    for entry in entries:
        if entry is not charger:
            await site.hass.config_entries.async_remove(entry.entry_id)
    await write_now(site.hass)
    assert ours(site.hass) == [f"{DOMAIN}_of_others"]
    # Whoever adds a charger again begins anew.
    again = site.charger_entry()
    await site.set_up(again)
    assert days(site.hass) == []
    assert site.value(again, "last_session") == "unknown"


async def test_a_charger_that_was_never_set_up(site: Site) -> None:
    """It is removed with the files; setting one up afterwards works."""
    (storage(site.hass) / KEY).write_text(json.dumps(saved(session(1))), encoding="utf-8")
    charger = site.charger_entry()
    await site.hass.config_entries.async_remove(charger.entry_id)
    await write_now(site.hass)
    assert ours(site.hass) == []
    await site.set_up(site.charger_entry())
    assert days(site.hass) == []


@pytest.mark.parametrize(
    ("content", "left", "kept"),
    [
        ({"version": 99, "minor_version": 1, "key": KEY, "data": {}}, [], "damaged"),
        ({"version": 0, "minor_version": 1, "key": KEY, "data": {}}, [], "damaged"),
        ({"version": 1, "minor_version": 1, "key": KEY, "data": []}, [], "damaged"),
        ({"key": KEY}, [], "damaged"),
        ([], [], "damaged"),
        (saved(session(1), {"began": 7}, session(2), 7), [1, 2], "damaged"),
        ("{", [], "corrupt"),
        ("", [], "corrupt"),
        ("\0\0\0\0", [], "corrupt"),
    ],
    ids=["newer", "older", "other", "bare", "list", "partly", "cut", "empty", "zeros"],
)
async def test_a_damaged_file(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture, content: object, left: list[int], kept: str
) -> None:
    """It is kept aside, what can be read of it is used, and what comes is written."""
    path, text = storage(hass) / KEY, content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    ledger = Ledger(hass)
    await ledger.async_load()
    assert [known.began.day for _, known in ledger.sessions()] == left
    (aside,) = path.parent.glob(f"{KEY}.*")
    assert aside.name.startswith(f"{KEY}.{kept}.")
    assert aside.read_text(encoding="utf-8") == text
    assert str(aside) in caplog.text
    assert ledger.add(SERIAL, session(5))
    await write_now(hass)
    later = Ledger(hass)
    await later.async_load()
    assert [known.began.day for _, known in later.sessions()] == [*left, 5]
    assert len(list(path.parent.glob(f"{KEY}.*"))) == 1
