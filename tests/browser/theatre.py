"""What the tests do in front of a screen: open pages as somebody, read what is shown, ask the home what is true."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page

from demo.browser import Tokens, logged_in
from demo.stage import Stage

from .scene import GARAGE
from .watching import Watch

DASHBOARD = "pv-house"
STRATEGY = {"strategy": {"type": "custom:pv-load-manager"}}
VIEWS = ("now", "chargers", "history", "settings", "health")
SITE_CARD, TIMELINE_CARD = "pv-load-manager-site-card", "pv-load-manager-timeline-card"
DESK, TABLET, PHONE = (
    {"width": 1280, "height": 900},
    {"width": 1024, "height": 768},
    {"width": 390, "height": 844},
)
ERRORS = "hui-error-card, hui-warning, hui-error-badge"
"""What Home Assistant shows where a card or a strategy fails."""


@dataclass(kw_only=True)
class Theatre:
    """The home, its Home Assistant and the browser, with what one test has opened."""

    stage: Stage
    browser: Browser
    tokens: Tokens
    watch: Watch = field(default_factory=Watch)
    opened: list[BrowserContext] = field(default_factory=list)

    async def window(self, *, tokens: Tokens | None = None, **options: Any) -> BrowserContext:
        """Return a window in which somebody is logged in.

        Args:
            tokens: of another user than the first one.
            options: see ``demo.browser.logged_in``.
        """
        context = await logged_in(self.browser, tokens or self.tokens, **{"viewport": DESK, **options})
        self.opened.append(context)
        return context

    async def look(self, window: BrowserContext, path: str) -> Page:
        """Open a page of Home Assistant by its path."""
        page = await window.new_page()
        self.watch.attach(page)
        await page.goto(f"{self.stage.hass.url}{path}")
        return page

    async def page(self, path: str = f"/{DASHBOARD}/now", **options: Any) -> Page:
        """Open a page in a window of its own."""
        return await self.look(await self.window(**options), path)

    async def site(self, **options: Any) -> Page:
        """Open the view Now, and wait until the numbers are there."""
        page = await self.page(**options)
        await page.locator(f"{SITE_CARD} [data-live=live] [data-figure=pv][data-value]").wait_for()
        return page

    async def close(self) -> None:
        """Close everything and complain about whatever went wrong."""
        for context in self.opened:
            await context.close()
        self.opened.clear()
        assert not self.watch.problems, "\n".join(self.watch.problems)


def lane(page: Page, serial: str) -> Locator:
    """Return the lane of a charger on the site card."""
    return page.locator(f"{SITE_CARD} [data-charger='{serial}']").first


async def figure(place: Page | Locator, name: str) -> float | None:
    """Return the number behind a figure on the site card or a lane, None where it is not known."""
    return await value(place.locator(f"[data-figure={name}]").first)


async def value(place: Locator) -> float | None:
    """Return the number behind an element."""
    text = await place.get_attribute("data-value")
    return None if text in {None, "", "null"} else float(str(text))


async def within[T](seconds: float, look: Callable[[], Awaitable[T]], *, until: Callable[[T], bool] = bool) -> T:
    """Look once and again until something is so or the time is over; return what was seen last."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    seen = await look()
    while not until(seen) and loop.time() < deadline:
        await asyncio.sleep(0.2)
        seen = await look()
    return seen


async def charging(stage: Stage) -> None:
    """Wait until the sun charges the first car."""

    async def charges() -> bool:
        reason = await stage.value("sensor", GARAGE, "reason")
        return reason == "charging_surplus" and stage.home.chargers[0].charger.power_w > 1000

    assert await within(120, charges)


@asynccontextmanager
async def dashboard(stage: Stage, url_path: str, config: object) -> AsyncIterator[None]:
    """Let Home Assistant have a dashboard for a while."""
    made = await stage.client.command(
        "lovelace/dashboards/create",
        url_path=url_path,
        title="Our house",
        mode="storage",
        require_admin=False,
        show_in_sidebar=True,
    )
    await stage.client.command("lovelace/config/save", url_path=url_path, config=config)
    yield
    await stage.client.command("lovelace/dashboards/delete", dashboard_id=made["id"])
