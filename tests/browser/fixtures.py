"""A real Home Assistant with the virtual home, and a real browser that looks at it; both outlive a test."""

from collections.abc import AsyncIterator

from playwright.async_api import Browser, expect
import pytest_asyncio
import pytest_socket

from demo.browser import login, running_browser
from demo.complaints import complaints
from demo.stage import PASSWORD, USER, Stage, staged

from .chromium import find_chromium
from .scene import HOME
from .theatre import DASHBOARD, STRATEGY, Theatre, charging, dashboard

PATIENCE = 30_000  # ms; a page of Home Assistant takes seconds on a small machine


@pytest_asyncio.fixture(name="stage", scope="package", loop_scope="package")
async def stage_fixture() -> AsyncIterator[Stage]:
    """Return the virtual home with its Home Assistant, which has a dashboard of ours."""
    # What allows a test its sockets comes later.
    pytest_socket.enable_socket()
    async with staged(HOME) as stage, dashboard(stage, DASHBOARD, STRATEGY):
        await stage.choose("pv")
        await charging(stage)
        yield stage
        complained = complaints(stage.hass.log.read_text(encoding="utf-8", errors="replace"))
        assert not complained, "\n".join(complained)


@pytest_asyncio.fixture(name="browser", scope="package", loop_scope="package")
async def browser_fixture() -> AsyncIterator[Browser]:
    """Return the browser."""
    pytest_socket.enable_socket()
    program = find_chromium()
    assert program is not None
    expect.set_options(timeout=PATIENCE)
    async with running_browser(program) as browser:
        yield browser


@pytest_asyncio.fixture(name="theatre", loop_scope="package")
async def theatre_fixture(stage: Stage, browser: Browser) -> AsyncIterator[Theatre]:
    """Return what opens pages; at its end nothing may have gone wrong on any of them."""
    tokens = await login(stage.hass.url, user=USER, password=PASSWORD)
    theatre = Theatre(stage=stage, browser=browser, tokens=tokens)
    yield theatre
    await theatre.close()
