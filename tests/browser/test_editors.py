"""Cards and dashboard have a visual editor that changes them."""

from collections.abc import AsyncIterator

from playwright.async_api import Page, expect
import pytest
import pytest_asyncio

from demo.stage import Stage

from .theatre import DASHBOARD, SITE_CARD, STRATEGY, TIMELINE_CARD, Theatre, dashboard

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]

OWN = "pv-own"
CARDS = ("site", "charger", "timeline")


@pytest_asyncio.fixture(name="own", loop_scope="package")
async def own_fixture(stage: Stage) -> AsyncIterator[str]:
    """Return the address of a dashboard with our cards that a user put there."""
    cards = [{"type": f"custom:pv-load-manager-{name}-card"} for name in CARDS]
    async with dashboard(stage, OWN, {"views": [{"title": "Own", "path": "own", "cards": cards}]}):
        yield OWN


async def edit(page: Page, number: int) -> None:
    """Open the editor of a card."""
    await page.locator("hui-card-options").nth(number).get_by_text("Edit", exact=True).click()
    await expect(page.locator("hui-dialog-edit-card hui-form-editor")).to_be_visible()


@pytest.mark.parametrize("name", CARDS)
async def test_card_has_a_form(theatre: Theatre, own: str, name: str) -> None:
    """The dialog of a card has a field with a text for each option, and a preview that works."""
    page = await theatre.page(f"/{own}/own?edit=1")
    await edit(page, CARDS.index(name))
    dialog = page.locator("hui-dialog-edit-card")
    fields = dialog.locator("hui-form-editor ha-selector")
    assert await fields.count() >= 1
    # A key without a text would be shown as it is.
    assert "editor." not in await dialog.inner_text()
    await expect(dialog.locator(f"pv-load-manager-{name}-card ha-card")).to_be_visible()
    await expect(dialog.locator("hui-error-card")).to_have_count(0)


async def test_card_is_changed(theatre: Theatre, stage: Stage, own: str) -> None:
    """What is typed and switched in the form is seen in the card, and is saved."""
    page = await theatre.page(f"/{own}/own?edit=1")
    await edit(page, 0)
    dialog = page.locator("hui-dialog-edit-card")
    await dialog.locator("input[name=title]").fill("Sun and cars")
    await dialog.locator("ha-selector-boolean .switch").first.click()
    preview = dialog.locator(SITE_CARD)
    await expect(preview.get_by_role("heading", name="Sun and cars")).to_be_visible()
    await expect(preview.locator("[data-figure=pv]")).to_have_count(0)
    await dialog.get_by_role("button", name="Save").click()
    await expect(preview).to_be_hidden()
    config = await stage.client.command("lovelace/config", url_path=own)
    assert config["views"][0]["cards"][0] == {
        "type": f"custom:{SITE_CARD}",
        "title": "Sun and cars",
        "show_flow": False,
    }


async def test_cards_are_offered(theatre: Theatre, own: str) -> None:
    """All cards are found where a user looks for one to add, with a preview."""
    page = await theatre.page(f"/{own}/own?edit=1")
    await page.get_by_text("Add card").first.click()
    await page.get_by_text("By card", exact=True).click()
    picker = page.locator("hui-card-picker")
    await picker.locator("input").first.fill("Charging timeline")
    await expect(picker.locator(TIMELINE_CARD)).to_be_visible()
    await picker.locator("input").first.fill("PV Load Manager")
    await expect(picker.locator(SITE_CARD)).to_be_visible()


async def test_dashboard_is_changed(theatre: Theatre, stage: Stage) -> None:
    """The dashboard's own editor hides a view."""
    async with dashboard(stage, "pv-other", STRATEGY):
        page = await theatre.page("/pv-other/now")
        await expect(page.locator("ha-tab-group-tab")).to_have_count(5)
        await page.get_by_role("button", name="Edit dashboard").click()
        editor = page.locator("pv-load-manager-strategy-editor")
        await editor.get_by_label("Health").uncheck()
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("ha-tab-group-tab")).to_have_count(4)
        config = await stage.client.command("lovelace/config", url_path="pv-other")
        assert config["strategy"] == STRATEGY["strategy"] | {"hide_views": ["health"]}


async def test_address_of_the_dashboard_survives_a_renaming(theatre: Theatre, stage: Stage) -> None:
    """What is shown is found by registry: an entity with another id is found all the same."""
    entity = stage.entity("sensor", "10000003", "power")
    await stage.client.command("config/entity_registry/update", entity_id=entity, new_entity_id="sensor.quite_another")
    try:
        page = await theatre.page(f"/{DASHBOARD}/now")
        place = page.locator(f"{SITE_CARD} [data-charger='10000003'] [data-figure=power]").first
        await expect(place).to_have_attribute("data-value", "0")
        await place.click()
        await expect(page.locator("ha-more-info-dialog")).to_contain_text("Power")
    finally:
        await stage.client.command(
            "config/entity_registry/update", entity_id="sensor.quite_another", new_entity_id=entity
        )
