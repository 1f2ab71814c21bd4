"""What WARP's documents refuse over HTTP: the wrong thing, the wrong person, the wrong time; and nothing changes."""

import asyncio
from collections.abc import AsyncIterator
import gzip
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.pv_load_manager.const import MeterSource
from custom_components.pv_load_manager.power_manager.documents import DOCUMENTS
from custom_components.pv_load_manager.power_manager.fields import Kind
from custom_components.pv_load_manager.power_manager.views import LONGEST_BODY, URL
from custom_components.pv_load_manager.shared import SHARED

from .site import Site, configuration, eventually

CONFIG = f"{URL}/config"
WRITABLE = [name for name, document in DOCUMENTS.items() if document.writable]
WRONG_NUMBERS: list[object] = [True, 1.5, 1.0, "1", None, [1], {"a": 1}, 10**30, -(10**30)]
WRONG_BOOLS: list[object] = [0, 1, "true", None, [True]]


async def lone_manager(site: Site, source: MeterSource = MeterSource.NONE) -> MockConfigEntry:
    """Set a load manager without a meter up."""
    manager = site.manager_entry(source)
    await site.set_up(manager)
    return manager


def told(hass: HomeAssistant) -> tuple[object, ...]:
    """Return everything that a write could change."""
    (entry,) = (entry for entry in hass.config_entries.async_entries() if entry.unique_id == "load_manager")
    return configuration(hass), dict(entry.data), dict(entry.options)


async def test_wrong_values(site: Site, hass_client: ClientSessionGenerator) -> None:
    """A wrong type or a number out of range names the field; what was right beside it does not count either."""
    await lone_manager(site)
    client = await hass_client()
    before = told(site.hass)
    for name in WRITABLE:
        for field in DOCUMENTS[name].fields:
            wrong = list(WRONG_BOOLS if field.kind is Kind.BOOL else WRONG_NUMBERS)
            if field.choices:
                wrong += [min(field.choices) - 1, max(field.choices) + 1, 99]
            elif field.kind is Kind.INT:
                wrong += [field.limits[0] - 1, field.limits[1] + 1]
            for value in wrong:
                beside = {"guaranteed_power": 2000} if name == "config" else {}
                answer = await client.post(f"{URL}/{name}", json=beside | {field.name: value})
                assert answer.status == 400, (field.name, value)
                refusal = await answer.json()
                assert refusal["field"] == field.name, value
                assert field.name in refusal["message"]
    assert told(site.hass) == before


BODIES: list[tuple[bytes, str | None]] = [
    (b"", None),
    (b"{", None),
    (b"guaranteed_power=2000", None),
    (b'{"guaranteed_power": NaN}', None),
    (b'{"guaranteed_power": Infinity}', None),
    (b'{"guaranteed_power": 2000}\xff', None),
    (b'{"guaranteed_power": 2000} {}', None),
    (b"[" * 8000, None),
    (b'{"a":' * 2000 + b"1" + b"}" * 2000, None),
    (b'{"guaranteed_power": 2000, "enabled": true}' + b" " * LONGEST_BODY, None),
    (b"[]", None),
    (b'[{"guaranteed_power": 2000}]', None),
    (b"2000", None),
    (b"null", None),
    (b'"config"', None),
    (b'{"guaranteed_power": 2000, "guarantee": 1}', "guarantee"),
    (b'{"guaranteed_power": 2000, "": 1}', ""),
]


@pytest.mark.parametrize(("body", "field"), BODIES, ids=[body[:24] for body, _ in BODIES])
async def test_wrong_bodies(site: Site, hass_client: ClientSessionGenerator, body: bytes, field: str | None) -> None:
    """What is no JSON, no object, too long or has an unknown field is refused, and changes nothing."""
    await lone_manager(site)
    client = await hass_client()
    before = told(site.hass)
    for method in (client.post, client.put):
        answer = await method(CONFIG, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 400
        refusal = await answer.json()
        assert refusal["message"]
        assert refusal["field"] == field
    assert told(site.hass) == before


async def test_compressed_bodies(site: Site, hass_client: ClientSessionGenerator) -> None:
    """A small body that is a large one, and one that only claims to be compressed, are refused as others are."""
    await lone_manager(site)
    client = await hass_client()
    large = gzip.compress(b" " * 50_000_000)
    for body in (large, b'{"guaranteed_power": 2000}'):
        answer = await client.post(CONFIG, data=body, headers={"Content-Encoding": "gzip"})
        assert answer.status == 400
    assert configuration(site.hass).strategy.guaranteed_power_w == 1380


@pytest.mark.parametrize(
    ("document", "body", "field"),
    [
        ("charge_mode", {}, "mode"),
        ("charge_mode", {"mod": 2}, "mod"),
        ("charge_mode", {"mode": 2, "more": 2}, "more"),
        ("charge_mode", [2], "mode"),
        ("charge_mode", "pv", "mode"),
        ("charge_mode", 4, "mode"),
        ("external_control", {}, "phases_wanted"),
        ("external_control", 2, "phases_wanted"),
    ],
)
async def test_wrong_short_forms(
    site: Site, hass_client: ClientSessionGenerator, document: str, body: object, field: str
) -> None:
    """A document with one field needs it, alone or by its name."""
    await lone_manager(site)
    answer = await (await hass_client()).post(f"{URL}/{document}", json=body)
    assert answer.status == 400
    assert (await answer.json())["field"] == field


@pytest.mark.parametrize("mode", [2, 3])
async def test_surplus_without_a_meter(site: Site, hass_client: ClientSessionGenerator, mode: int) -> None:
    """Modes that need a meter are refused as their entity refuses them."""
    manager = await lone_manager(site)
    answer = await (await hass_client()).post(f"{URL}/charge_mode", json=mode)
    assert answer.status == 400
    refusal = await answer.json()
    assert refusal["field"] == "mode"
    assert "meter" in refusal["message"]
    assert site.value(manager, "charge_mode", "select") == "off"


async def test_phases_of_nobody(site: Site, hass_client: ClientSessionGenerator) -> None:
    """Without a charger there is nothing whose phases could be set, and none can be requested."""
    manager = await lone_manager(site)
    client = await hass_client()
    answer = await client.post(CONFIG, json={"phase_switching_mode": 1, "guaranteed_power": 2000})
    assert answer.status == 400
    assert (await answer.json())["field"] == "phase_switching_mode"
    assert configuration(site.hass).strategy.guaranteed_power_w == 1380
    await site.turn(manager, "external_phases", on=True)
    await eventually(lambda: site.value(manager, "external_control") == "impossible")
    answer = await client.post(f"{URL}/external_control", json=1)
    assert answer.status == 409
    assert (await answer.json())["field"] == "phases_wanted"


async def test_not_loaded(site: Site, hass_client: ClientSessionGenerator) -> None:
    """Without a load manager nothing can be read or written, and the answer says so."""
    manager = await lone_manager(site)
    client = await hass_client()
    await site.hass.config_entries.async_unload(manager.entry_id)
    for name in DOCUMENTS:
        answer = await client.get(f"{URL}/{name}")
        assert answer.status == 503
        assert "load manager" in (await answer.json())["message"]
    for name in WRITABLE:
        assert (await client.post(f"{URL}/{name}", json={})).status == 503
    await site.hass.config_entries.async_setup(manager.entry_id)
    assert (await client.get(CONFIG)).status == 200


async def test_unloaded_meanwhile(site: Site, hass_client: ClientSessionGenerator) -> None:
    """A load manager that goes while the body is on its way is missing, too."""
    manager = await lone_manager(site)
    client = await hass_client()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"guaranteed_power": '
        await asyncio.sleep(0.1)
        await site.hass.config_entries.async_unload(manager.entry_id)
        yield b"2000}"

    assert (await client.post(CONFIG, data=body())).status == 503
    assert "guaranteed_power_w" not in site.hass.data[SHARED].memory.site


async def test_unloaded_by_a_write(
    site: Site, hass_client: ClientSessionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load manager that does not come back after another meter was chosen is said to be missing."""
    await site.set_up(site.inverter_entry(), site.manager_entry())
    client = await hass_client()

    async def fail(*_args: object) -> bool:
        return False

    monkeypatch.setattr("custom_components.pv_load_manager.async_setup_entry", fail)
    assert (await client.post(CONFIG, json={"meter_slot_grid_power": 255})).status == 503


async def test_nobody(
    site: Site, hass_client_no_auth: ClientSessionGenerator, hass_client: ClientSessionGenerator
) -> None:
    """Who is not logged in reads and writes nothing."""
    await lone_manager(site)
    for client in (await hass_client_no_auth(), await hass_client("no token of anybody")):
        for name in DOCUMENTS:
            assert (await client.get(f"{URL}/{name}")).status == 401
        for name in WRITABLE:
            assert (await client.post(f"{URL}/{name}", json={})).status == 401
            assert (await client.put(f"{URL}/{name}", json={})).status == 401


@pytest.mark.parametrize(
    ("policy", "reads", "controls"),
    [
        ({"entities": True}, True, True),
        ({"entities": {"all": {"read": True}}}, True, False),
        ({"entities": {"domains": {"light": True}}}, False, False),
    ],
    ids=["user", "reader", "stranger"],
)
async def test_others_than_administrators(
    site: Site, hass_client: ClientSessionGenerator, hass_admin_user: User, policy: Any, *, reads: bool, controls: bool
) -> None:
    """The configuration is written by administrators, the rest by who may use the entities."""
    manager = await lone_manager(site)
    client = await hass_client()
    hass_admin_user.groups = []
    hass_admin_user.mock_policy(policy)  # type: ignore[attr-defined]  # it is the MockUser of the fixture
    for name in DOCUMENTS:
        assert (await client.get(f"{URL}/{name}")).status == (200 if reads else 401)
    assert (await client.post(CONFIG, json={"guaranteed_power": 2000})).status == 401
    assert (await client.post(f"{URL}/charge_mode", json=0)).status == (200 if controls else 401)
    assert (await client.post(f"{URL}/external_control", json=1)).status == (409 if controls else 401)
    assert configuration(site.hass).strategy.guaranteed_power_w == 1380
    await eventually(lambda: site.value(manager, "charge_mode", "select") == ("fast" if controls else "off"))
    await site.hass.config_entries.async_unload(manager.entry_id)
    assert (await client.get(CONFIG)).status == 401, "nobody knows what such a user may do then"
    await site.hass.config_entries.async_setup(manager.entry_id)
    er.async_get(site.hass).async_remove(site.entity_id("select", manager, "charge_mode"))
    await site.hass.async_block_till_done()
    assert (await client.get(CONFIG)).status == 401
