"""Where something is missing, the cards say what is wrong and how it is mended; they are never empty nor red."""

import asyncio
from collections.abc import AsyncIterator
import re

from playwright.async_api import Locator, Page, Route, WebSocketRoute, expect
import pytest
import pytest_asyncio

from demo.browser import Tokens, login
from demo.stage import PASSWORD, USER, Stage, staged
from simulator import CarConfig, ChargerConfig, FaultConfig, HomeConfig

from .scene import GARAGE, GUEST
from .theatre import DASHBOARD, ERRORS, SITE_CARD, STRATEGY, Theatre, dashboard, lane, within

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]

USERS, READERS = "system-users", "system-read-only"


def problem(page: Page, kind: str) -> Locator:
    """Return where a problem of the site is told."""
    return page.locator(f"{SITE_CARD} [data-problem={kind}]")


async def somebody(stage: Stage, name: str, group: str) -> Tokens:
    """Add a user and log in."""
    made = await stage.client.command("config/auth/create", name=name, group_ids=[group])
    await stage.client.command(
        "config/auth_provider/homeassistant/create", user_id=made["user"]["id"], username=name, password=PASSWORD
    )
    return await login(stage.hass.url, user=name, password=PASSWORD)


async def test_reader_sees_everything_and_changes_nothing(theatre: Theatre, stage: Stage) -> None:
    """A user who may only read sees the numbers; a press says that it was refused, and nothing changes."""
    tokens = await somebody(stage, "reader", READERS)
    page = await theatre.site(tokens=tokens)
    place = lane(page, GARAGE)
    await expect(place.locator("[data-figure=power]")).not_to_have_attribute("data-value", "")
    theatre.watch.paused = True
    await place.locator("[data-mode=off]").click()
    await expect(place.locator("[role=alert] [data-problem]")).to_be_visible()
    theatre.watch.paused = False
    await expect(place.locator("[data-mode=follow_site]")).to_have_attribute("aria-pressed", "true")
    assert await stage.value("select", GARAGE, "charge_mode") == "follow_site"


async def test_user_without_rights_of_an_administrator(theatre: Theatre, stage: Stage) -> None:
    """An ordinary user sees all views and may choose a mode."""
    tokens = await somebody(stage, "resident", USERS)
    page = await theatre.site(tokens=tokens)
    place = lane(page, GUEST)
    await place.locator("[data-mode=off]").click()
    assert (
        await within(5, lambda: stage.value("select", GUEST, "charge_mode"), until=lambda mode: mode == "off") == "off"
    )
    await place.locator("[data-mode=follow_site]").click()
    await expect(place.locator("[data-mode=follow_site]")).to_have_attribute("aria-pressed", "true")
    for number in range(5):
        await page.locator("ha-tab-group-tab").nth(number).click()
        await expect(page.locator("hui-card:visible").first).to_be_visible()
        await expect(page.locator(ERRORS)).to_have_count(0)


async def test_charger_is_away(theatre: Theatre, stage: Stage) -> None:
    """A charger that does not answer says so in its lane, with what helps; the others go on; then it is back."""
    page = await theatre.site()
    place = lane(page, GUEST)
    await stage.home.break_down(FaultConfig(device=GUEST, name="offline"))
    try:
        await expect(place.locator("[data-problem]")).to_be_visible(timeout=90_000)
        await expect(place.locator("[data-problem]")).to_contain_text("does not answer")
        await expect(lane(page, GARAGE).locator("[data-problem]")).to_have_count(0)
        await expect(page.locator(ERRORS)).to_have_count(0)
        fresh = await theatre.site()
        await expect(lane(fresh, GUEST).locator("[data-problem]")).to_be_visible()
    finally:
        await stage.home.charger_faults[GUEST].end("offline")
    await expect(place.locator("[data-problem]")).to_have_count(0, timeout=120_000)
    await expect(place.locator("[data-figure=power]")).to_have_attribute("data-value", "0")


async def test_connection_is_lost_and_comes_back(theatre: Theatre) -> None:
    """While Home Assistant is not reached the card says so; afterwards its numbers go on."""
    cut = False
    sockets: list[WebSocketRoute] = []

    async def route(socket: WebSocketRoute) -> None:
        if cut:
            await socket.close()
            return
        sockets.append(socket)
        socket.connect_to_server()

    window = await theatre.window()
    await window.route_web_socket("**/api/websocket", route)
    page = await theatre.look(window, f"/{DASHBOARD}/now")
    await page.locator(f"{SITE_CARD} [data-live=live] [data-figure=pv]").wait_for()
    theatre.watch.paused = True
    cut = True
    for socket in sockets:
        await socket.close()
    await expect(problem(page, "connection_lost")).to_be_visible()
    await expect(page.locator(ERRORS)).to_have_count(0)
    cut = False
    await expect(problem(page, "connection_lost")).to_have_count(0, timeout=90_000)
    await expect(page.locator(f"{SITE_CARD} [data-live=live]")).to_be_visible()
    # Home Assistant's own dashboards then end a subscription that is no more, also those without any of our cards.
    await page.wait_for_timeout(3000)
    theatre.watch.paused = False
    theatre.stage.home.home.house_override = (2000.0, 0.0, 0.0)
    try:
        house = page.locator(f"{SITE_CARD} [data-figure=house]").first
        await expect(house).to_have_attribute("data-value", re.compile("^(19|20)"))
    finally:
        theatre.stage.home.home.house_override = None


async def test_module_before_the_frontend(theatre: Theatre) -> None:
    """Home Assistant replaces the registry of elements while it starts; who is quicker makes no difference."""
    window = await theatre.window()

    async def late(route: Route) -> None:
        await asyncio.sleep(3)
        await route.continue_()

    await window.route("**/frontend_latest/app.*.js", late)
    page = await theatre.look(window, f"/{DASHBOARD}/now")
    await expect(page.locator(f"{SITE_CARD} [data-live=live]")).to_be_visible()


@pytest_asyncio.fixture(name="small", loop_scope="package")
async def small_fixture(theatre: Theatre) -> AsyncIterator[Theatre]:
    """Return the same for a small home of its own, in which everything may be removed."""
    home = HomeConfig(chargers=(ChargerConfig(serial=GARAGE, name="Garage", car=CarConfig()),))
    async with staged(home) as stage, dashboard(stage, DASHBOARD, STRATEGY):
        tokens = await login(stage.hass.url, user=USER, password=PASSWORD)
        small = Theatre(stage=stage, browser=theatre.browser, tokens=tokens)
        yield small
        await small.close()


async def test_one_after_the_other_is_removed(small: Theatre) -> None:
    """Without an entity, a load manager, a charger or anything at all: the open page says what is missing."""
    client, stage = small.stage.client, small.stage
    page = await small.site()
    place = lane(page, GARAGE)

    mode = stage.entity("select", GARAGE, "charge_mode")
    await client.command("config/entity_registry/update", entity_id=mode, disabled_by="user")
    await expect(place.locator("[data-problem]")).to_be_visible()
    await expect(place.locator("[data-problem]")).to_contain_text("missing")
    await expect(place.locator("[data-figure=power]")).to_be_visible()

    manager = stage.manager
    await client.command("config_entries/disable", entry_id=manager, disabled_by="user")
    await expect(problem(page, "manager_disabled")).to_be_visible()
    await expect(place).to_be_visible()
    await client.command("config_entries/disable", entry_id=manager, disabled_by=None)
    await expect(problem(page, "manager_disabled")).to_have_count(0)
    await expect(page.locator(f"{SITE_CARD} [data-live=live]")).to_be_visible()

    await client.request("DELETE", f"/api/config/config_entries/entry/{manager}")
    await expect(problem(page, "no_manager")).to_be_visible()
    await expect(problem(page, "no_manager").get_by_role("link")).to_be_visible()
    await expect(place.locator("[data-figure=power]")).to_be_visible()
    fresh = await small.page()
    await expect(problem(fresh, "no_manager")).to_be_visible()

    for entry in await client.entries():
        await client.request("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
    for seen in (page, fresh):
        await expect(problem(seen, "no_chargers")).to_be_visible()
        await expect(seen.locator(ERRORS)).to_have_count(0)
