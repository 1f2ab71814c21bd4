"""The dashboard comes from its strategy: it is offered, it fills itself, and all its views work."""

from playwright.async_api import expect
import pytest

from demo.stage import Stage

from .theatre import DASHBOARD, ERRORS, SITE_CARD, TIMELINE_CARD, VIEWS, Theatre

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(400)]


@pytest.mark.parametrize("view", VIEWS)
async def test_view_is_filled(theatre: Theatre, view: str) -> None:
    """Each view shows cards and no error."""
    page = await theatre.page(f"/{DASHBOARD}/{view}")
    await expect(page.locator("hui-card, hui-section").first).to_be_visible()
    # What fails does so at once or with the first states.
    await page.wait_for_timeout(2000)
    await expect(page.locator(ERRORS)).to_have_count(0)
    await expect(page.locator("hui-card:visible").first).to_be_visible()


async def test_views_are_reached_by_their_tabs(theatre: Theatre) -> None:
    """All views are listed at the top, and a click leads there."""
    page = await theatre.site()
    for view in VIEWS[1:]:
        tab = page.locator(f"ha-tab-group-tab[aria-label], ha-tab-group-tab, a[href$='/{DASHBOARD}/{view}']")
        await expect(tab.first).to_be_visible()
    await expect(page.locator("ha-tab-group-tab")).to_have_count(len(VIEWS))
    await page.locator("ha-tab-group-tab").nth(2).click()
    await page.wait_for_url(f"**/{DASHBOARD}/history")
    await expect(page.locator(TIMELINE_CARD)).to_be_visible()


async def test_dashboard_is_added_like_a_user_does(theatre: Theatre, stage: Stage) -> None:
    """Settings > Dashboards > Add dashboard offers it under "Community dashboards"; what that makes works."""
    page = await theatre.page("/config/lovelace/dashboards")
    await page.get_by_text("Add dashboard").first.click()
    await expect(page.get_by_text("Community dashboards")).to_be_visible()
    await page.get_by_text("A whole dashboard that fills itself").click()
    await page.locator("dialog-lovelace-dashboard-detail input[name=title]").fill("Sun and cars")
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_text("Sun and cars").first).to_be_visible()

    listed = await stage.client.command("lovelace/dashboards/list")
    (made,) = [item for item in listed if item["title"] == "Sun and cars"]
    config = await stage.client.command("lovelace/config", url_path=made["url_path"])
    assert config["strategy"]["type"] == "custom:pv-load-manager"
    fresh = await theatre.page(f"/{made['url_path']}")
    await expect(fresh.locator(f"{SITE_CARD} [data-live=live]")).to_be_visible()
    await stage.client.command("lovelace/dashboards/delete", dashboard_id=made["id"])
